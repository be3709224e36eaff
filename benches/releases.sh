#!/usr/bin/env bash
# What a release costs: octets of its full list and of a day's difference, and time and memory of a
# gateway that takes them.
#
#   LISTS='a.txt b.txt' benches/releases.sh      5 minutes
#
# LISTS     files of listed names, one a line, each a source; default: names made up, NAMES of them
# NAMES     names that are made up; default 1500000
# CHURN     share of names that differ between two releases, in tenths of a percent; default 5
# LACHAN    the program; default target/release/lachan, built here
#
# The gateway's side is `lachan lists update`, as it is done where no gateway runs: verify, difference or
# full list, compile, compare digests, rehearse, on one core at the lowest priority. Needs GNU time and
# python3.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly NAMES=${NAMES:-1500000} CHURN=${CHURN:-5} LISTS=${LISTS:-}
[ -n "${LACHAN:-}" ] || cargo build --release --bin lachan
LACHAN=$(realpath "${LACHAN:-${CARGO_TARGET_DIR:-target}/release/lachan}")
readonly LACHAN CATEGORIES=(adult gambling malware fraud ads_trackers games social video)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# timed LABEL COMMAND…: its seconds, processor and peak memory.
timed() {
    local label=$1
    shift
    env time -f "%e %U %S %M" -o time "$@" >said 2>&1 || { cat said; exit 1; }
    awk -v label="$label" '{ printf "%-34s %7.1f s  %7.1f s of a core  %7.1f MiB at most\n", label, $1, $2 + $3, $4 / 1024 }' time
}

# Two days: each without another part of all names, so that names go and come.
mkdir all old new
if [ -n "$LISTS" ]; then
    (cd "$OLDPWD" && realpath $LISTS) | while read -r file; do cp "$file" "all/$(basename "$file")"; done
else
    awk -v count="$NAMES" 'BEGIN { srand(1); for (n = 0; n < count; n++) { name = ""
        for (size = 6 + int(rand() * 9); size > 0; size--) name = name sprintf("%c", 97 + int(rand() * 26))
        print name n % 7 (rand() < 0.2 ? ".com.vn" : ".com") >("all/" n % 8 ".txt") } }'
fi
# A gateway takes no release that blocks what is guarded or essential: such names and their parents go.
data=$OLDPWD/blocklists
for file in all/*; do
    awk 'FNR == NR { if ($0 ~ /^[a-z0-9=]/) { name = $1; sub(/^=/, "", name)
        while (name) { out[name]; if (!sub(/^[^.]*\./, "", name)) name = "" } } next }
        !($1 in out)' <(cat "$data/guard.txt" "$data/essential.txt") "$file" >kept
    mv kept "$file"
done
sources=()
number=0
for file in all/*; do
    name=$(basename "$file")
    awk -v churn="$CHURN" -v name="$name" 'BEGIN { srand(7) } { draw = rand() * 2000
        if (draw >= churn) print >("old/" name); if (draw < 1000 || draw >= 1000 + churn) print >("new/" name) }' "$file"
    sources+=("${CATEGORIES[number % 8]}=$name")
    number=$((number + 1))
done
arguments=()
for source in "${sources[@]}"; do arguments+=(--source "$source"); done
(cd old && timed 'lists build, the first day' "$LACHAN" lists build --out ../old.pack --accept bench "${arguments[@]}")
(cd new && timed 'lists build, the next day' "$LACHAN" lists build --out ../new.pack --accept bench "${arguments[@]}")

for key in a b c officer second online; do "$LACHAN" publish key "$key" >said; done
"$LACHAN" publish init repository --root a --root b --root c.pub --officer officer --officer second.pub \
    --online online >said
# release PACK: signed whatever the lint finds, since names of a benchmark are everybody's.
release() {
    local keys=() key
    while read -r key; do keys+=(--accept "$key"); done < <("$LACHAN" publish lint --repository repository \
        --new "$1" --json | python3 -c 'import json, sys
for finding in json.load(sys.stdin)["findings"]:
    if finding["refuses"]: print(finding["key"])')
    [ ${#keys[@]} = 0 ] || keys+=(--by bench --reason bench)
    "$LACHAN" publish release repository --new "$1" --officer officer --online online "${keys[@]}" >said ||
        { tail -5 said; exit 1; }
}
for pack in old new; do
    release "$pack.pack"
    grep 'is signed' said
done

mkdir school
printf '[school]\nid = "a"\n[state]\ndir = "state"\n[update]\nroot = "root.json"\n' >school/gateway.toml
cp repository/1.root.json school/root.json
for serial in 1 2; do
    "$LACHAN" publish rollout repository --online online --release "$serial" --ring all=now:100% >said
    way=$([ "$serial" = 1 ] && echo 'the full list' || echo 'the difference')
    timed "a gateway takes $way" taskset -c 0 nice -n 19 "$LACHAN" lists update school/gateway.toml \
        --from repository
done
names=$("$LACHAN" lists inspect new.pack | head -3 | tr '\n' ' ')
printf 'pack: %s\n' "$names"
