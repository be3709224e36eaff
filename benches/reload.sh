#!/usr/bin/env bash
# A reload of lists from text while 20,000 queries a second are asked: loss, wrong answers,
# latency inside the window and outside it, memory, and the time from text to serving.
#
#   benches/reload.sh                  about a minute
#
# FILES    files that the names are in, one category each; default 18
# RATE     queries a second; default 20000
# LENGTH   seconds of a run, one before the change; default 6
# NAMES, LISTS, PREPARED, NO_BUILD   see benches/loopback/stage.sh; NAMES is 1541334 here
#
# The change is a rename of one small file, made by the load generator; all lists are read again.
# Server on core 1 with one worker, and the reload has the same core; load generator on core 0.
# No state directory: nothing is read that an earlier start has left.
set -euo pipefail
cd "$(dirname "$0")/.."
NAMES=${NAMES:-1541334}
# shellcheck source=benches/loopback/stage.sh
. benches/loopback/stage.sh
readonly FILES=${FILES:-18} RATE=${RATE:-20000} LENGTH=${LENGTH:-6}
readonly CATEGORIES=(adult gambling malware ads_trackers bypass games social video dating drugs piracy crypto
    violence risky_infra fake_news hacking cheating ai_chat)

# The names dealt to files, and what changes in one of its own.
text_config() {
    local number=0 part
    split -n "r/$FILES" -d -a 3 "$prepared/all.txt" "$work/part-"
    cp "$prepared/old.txt" "$work/changing.txt"
    config | grep -Ev '^(packs|\[state\]|dir) ?'
    printf '[[lists.source]]\ncategory = "gambling"\npath = "changing.txt"\n'
    for part in "$work"/part-*; do
        printf '[[lists.source]]\ncategory = "%s"\npath = "%s"\n' \
            "${CATEGORIES[number++ % ${#CATEGORIES[@]}]}" "$(basename "$part")"
    done
}

memory() {
    awk -v key="$1:" '$1 == key { print $2 }' "/proc/${children[gateway]}/status"
}

build
queries
text_config >"$work/gateway.toml"
# Listed names in the first category only are blocked in any case: the others are let through or not,
# by the level, and either is an answer.
awk 'NR == FNR { first[$0]; next } { name = $1; sub(/^x\./, "", name)
    if ($2 == "B" && !(name in first)) $2 = "-"; print }' "$work/part-000" "$prepared/queries.txt" >"$work/queries.txt"
printf 'names: %s, in %s files\n' "$(cat "$prepared/names.txt")" "$FILES"
start upstream 0 "$ECHO_SERVER" "$UPSTREAM" --answer
began=$(date +%s%N)
start gateway 1 "$LACHAN" serve --config "$work/gateway.toml"
until grep -q ' ready$' <(told); do
    kill -0 "${children[gateway]}" 2>/dev/null || { told | tail -n 5; fail 'the gateway ended'; }
    sleep 0.05
done
ready=$(told | awk '/ ready$/ { print $1; exit }')
list=$(metric lachan_list_bytes)
printf 'text to serving: %d ms; the list takes %d KiB\n' \
    $((($(date -d "$ready" +%s%N) - began) / 1000000)) $((list / 1024))
prime
before=$(memory VmRSS)
echo 5 >"/proc/${children[gateway]}/clear_refs"
cp "$prepared/new.txt" "$work/next.txt"
taskset -c 0 "$LOAD" "$DNS" "$work/queries.txt" "$LENGTH" --rate "$RATE" \
    --rename "$work/next.txt" "$work/changing.txt" --at 1 >"$work/run"
awk '{ v[$1] = $2; if ($1 == "window") end = $3 }
    END { printf "rename at %d ms, new policy seen at %d ms%s\nsent %d, lost %d, wrong %d\n", v["renamed"],
            v["new_first"], v["whole"] ? "" : ": the window is NOT whole", v["sent"], v["lost"],
            v["wrong"] + v["failed"]
        printf "p99 inside %d, outside %d us; p99.9 inside %d, outside %d us: %.2f x\n", v["inside_p99"],
            v["outside_p99"], v["inside_p999"], v["outside_p999"],
            v["outside_p999"] ? v["inside_p999"] / v["outside_p999"] : 0 }' "$work/run"
printf 'resident before %d KiB, at most in the reload %d KiB, after %d KiB\n' \
    "$before" "$(memory VmHWM)" "$(memory VmRSS)"
printf '(list + most of the reload - before) / list = %s\n' \
    "$(awk "BEGIN { printf \"%.2f\", 1 + ($(memory VmHWM) - $before) * 1024 / $list }")"
