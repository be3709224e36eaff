#!/usr/bin/env bash
# A gateway takes a release while 20,000 queries a second are asked: loss, wrong answers, latency while it
# works and otherwise, memory, and the time that it takes.
#
#   benches/update-under-load.sh                  some minutes, most of them the department's
#   LISTS='a.txt b.txt' benches/update-under-load.sh
#
# LISTS     files of listed names, one a line, each a source; default: names made up
# NAMES     names in all: more than LISTS have are made of theirs; default 1500000
# CHURN     share of names that differ between two releases, in tenths of a percent; default 5
# JUMP      names of these that one source has in the second release only; default 0
# RATE      queries a second; default 20000
# LENGTH    seconds of a run, the update after two; default 20
# ROUNDS    runs with the difference, and with the full list; default 3
# PREPARED  directory for the repository, made if it is not there: to measure again without building it
# LACHAN, LOAD, NO_BUILD   other builds; set to measure what is built
#
# The gateway watches a directory, into which the timestamp is renamed as the last step of a push: it
# verifies, applies, compiles, compares digests, rehearses, tests itself, and swaps. All its threads
# have core 1, the load generator core 0. `working` is from the birth of the generation's directory (its
# metadata is verified then) to half a second after the first answer by the new list. The full list comes
# where the difference is not there: a push that is half copied.
set -euo pipefail
cd "$(dirname "$0")/.."
NAMES=${NAMES:-1500000}
# shellcheck source=benches/loopback/stage.sh
. benches/loopback/stage.sh
# shellcheck source=benches/support/department.sh
. benches/support/department.sh
readonly CHURN=${CHURN:-5} JUMP=${JUMP:-0} RATE=${RATE:-20000} LENGTH=${LENGTH:-20} ROUNDS=${ROUNDS:-3}
tree=$PWD
mkdir -p "$prepared"
prepared=$(realpath "$prepared")

# The repository of two releases with the timestamps of both, and what is asked.
published() {
    [ ! -f "$prepared/published" ] || return 0
    (
        cd "$prepared"
        listed_names
        cat all/* >all.txt
    )
    queries
    (
        cd "$prepared"
        two_days
        # What both releases list, and nothing that a table lets through.
        cat old.txt >>old/"$(basename "$(ls -d old/* | head -n 1)")"
        cat new.txt >>new/"$(basename "$(ls -d new/* | head -n 1)")"
        (cd old && "$LACHAN" lists build --out ../old.pack --accept bench "${sources[@]}" >../said)
        (cd new && "$LACHAN" lists build --out ../new.pack --accept bench "${sources[@]}" >../said)
        keys
        release old.pack
        rollout 1
        cp repository/timestamp.json 1.timestamp.json
        release new.pack
        rollout 2
        cp repository/timestamp.json 2.timestamp.json
        awk 'FILENAME ~ /^(old|new)\// { seen[$1] += FILENAME ~ /^old/ ? 1 : 2; next }
            FILENAME ~ /blocklists/ { if ($0 ~ /^[a-z0-9=]/) { sub(/^=/, "", $1); spared[$1] } next }
            $2 == "B" { name = $1; sub(/^x\./, "", name); is_spared = 0
                for (at = name; at; ) { if (at in spared) is_spared = 1; if (!sub(/^[^.]*\./, "", at)) at = "" }
                if (seen[name] % 3 || is_spared || !(name in seen)) $2 = "-" } { print }' \
            "$tree/blocklists/guard.txt" "$tree/blocklists/essential.txt" old/* new/* queries.txt >judged.txt
        rm -rf all jump old new
    )
    touch "$prepared/published"
}

# memory KEY: of the gateway, in KiB.
memory() {
    awk -v key="$1:" '$1 == key { print $2 }' "/proc/${children[gateway]}/status"
}

# update LABEL DELTA: one gateway from release 1 to 2, with its difference or without.
update() {
    local before born count
    rm -rf "$work/state" "$work/copy"
    cp -r "$prepared/repository" "$work/copy"
    cp "$prepared/1.timestamp.json" "$work/copy/timestamp.json"
    cp "$prepared/repository/1.root.json" "$work/root.json"
    printf '[update]\nroot = "root.json"\ndirectory = "%s"\n' "$work/copy" >"$work/update.toml"
    CONFIG=$(cat "$work/update.toml") config 'block = ["adult", "gambling", "malware", "fraud", "ads_trackers",
        "games", "social", "video"]' | grep -v '^packs' >"$work/gateway.toml"
    start upstream 0 "$ECHO_SERVER" "$UPSTREAM" --answer
    start gateway 1 "$LACHAN" serve --config "$work/gateway.toml"
    count=0
    until told | grep -q 'a new release is in use'; do
        kill -0 "${children[gateway]}" 2>/dev/null || { told | tail -n 5; fail 'the gateway ended'; }
        [ $((count += 1)) -lt 1200 ] || { told | tail -n 5; fail 'release 1 is not in use after 2 minutes'; }
        sleep 0.1
    done
    [ "$2" = yes ] || find "$work/copy" -name '*2.delta.zst' -delete
    prime
    before=$(memory VmRSS)
    echo 5 >"/proc/${children[gateway]}/clear_refs"
    cp "$prepared/2.timestamp.json" "$work/next"
    taskset -c 0 "$LOAD" "$DNS" "$prepared/judged.txt" "$LENGTH" --rate "$RATE" --replies "$work/replies" \
        --rename "$work/next" "$work/copy/timestamp.json" --at 2 >"$work/run"
    [ -d "$work/state/releases/2" ] || fail "release 2 did not come within the run; set a longer LENGTH"
    born=$(stat -c %.6W "$work/state/releases/2")
    python3 - "$1" "$born" "$before" "$(memory VmHWM)" "$work/run" "$work/replies" <<'PYTHON'
import sys
label, born, before, most, run, replies = sys.argv[1:]
run = dict(line.split(None, 1) for line in open(run))
begin = float(born) - float(run["started_unix"])
seen = float(run["new_first"]) / 1e3
end = seen + 0.5
if seen < 0:
    sys.exit(f"{label}: no answer by the new release")
inside, outside = [], []
for line in open(replies):
    due, took = map(int, line.split())
    if due >= 5e5:
        (inside if begin <= due / 1e6 < end else outside).append(took)
def of(all, share):
    all.sort()
    return all[len(all) * share // 10000]
p = {name: [of(all, share) for share in (5000, 9900, 9990)] for name, all in (("in", inside), ("out", outside))}
wrong = int(run["wrong"]) + int(run["failed"])
print(f"{label}: {seen - begin:.2f} s; sent {run['sent'].strip()}, lost {run['lost'].strip()}, wrong {wrong}; "
      f"p50 {p['in'][0]} / {p['out'][0]} us, p99 {p['in'][1]} / {p['out'][1]} us ({p['in'][1] / p['out'][1]:.2f} x), "
      f"p99.9 {p['in'][2]} / {p['out'][2]} us ({p['in'][2] / p['out'][2]:.2f} x); load generator away {run['away'].strip()}; "
      f"resident before {int(before) / 1024:.0f} MiB, at most {int(most) / 1024:.0f} MiB")
PYTHON
    stop gateway
    stop upstream
}

build
published
for pack in old new; do "$LACHAN" lists inspect "$prepared/$pack.pack" | head -n 1; done
find "$prepared/repository" -name '*.zst' -printf '%f: %s octets\n' | sed 's/^[0-9a-f]*\.//'
for round in $(seq "$ROUNDS"); do
    update "difference, round $round" yes
    update "full list, round $round" no
done
