#!/usr/bin/env bash
# Two builds of the gateway beside each other, before and after a change: what a query costs with
# all policy on, of blocked names, cached ones and the mix of a school.
#
#   BEFORE=path AFTER=path benches/pairs.sh      about 6 minutes, of which 2 load names
#
# BEFORE, AFTER  the two binaries, built with the same profile
# PAIRS          pairs of runs, of which median and range are shown; default 7
# SECONDS_EACH   length of one run; default 3
# PAUSE, RESUME  commands run around the measuring, for a machine that is shared
# NAMES, LISTS, PREPARED, NO_BUILD   see benches/loopback/stage.sh
#
# A pair is the echo server, one build and the other, at once after each other; who is first changes
# from pair to pair. What is shown are ratios within pairs: a neighbour who slows a pair down does
# so to all three. Load generator and echo server are those of this tree for both builds.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=benches/loopback/stage.sh
. benches/loopback/stage.sh
readonly BEFORE=${BEFORE:?the binary before} AFTER=${AFTER:?the binary after}
readonly PAIRS=${PAIRS:-7} SECONDS_EACH=${SECONDS_EACH:-3}
declare -rA PORTS=([before]=5390 [after]=5391)

pair() {
    local number=$1 kind=$2 one order=(before after)
    ((number % 2)) || order=(after before)
    echo_run "echo-$kind" cached.txt "$SECONDS_EACH"
    for one in "${order[@]}"; do
        measured "$one-$kind" "$one" "${PORTS[$one]}" "$kind.txt" "$SECONDS_EACH"
    done
}

table() {
    awk '
        { n = ++runs[$1]; us[$1, n] = $2; qps[$1, n] = $3; lost[$1] += $7; bad[$1] += $8; sent[$1] += $9 }
        # ratio OF ONE OTHER: the middle one of all pairs, with the least and the most.
        function ratio(of, one, other,   k, j, swap, sorted, count) {
            count = runs[one]
            for (k = 1; k <= count; k++) sorted[k] = of[one, k] / of[other, k]
            for (k = 2; k <= count; k++)
                for (j = k; j > 1 && sorted[j - 1] > sorted[j]; j--) {
                    swap = sorted[j]; sorted[j] = sorted[j - 1]; sorted[j - 1] = swap }
            return sprintf("%.3f (%.3f to %.3f)", (sorted[int((count + 1) / 2)] + sorted[int(count / 2) + 1]) / 2,
                sorted[1], sorted[count])
        }
        END {
            printf "\n%d pairs: median (range)\n", runs["before-mix"]
            split("blocked cached mix", kinds, " ")
            for (k = 1; k <= 3; k++) { b = "before-" kinds[k]; a = "after-" kinds[k]; e = "echo-" kinds[k]
                printf "%s\n    CPU a query, after / before   %s\n", kinds[k], ratio(us, a, b)
                printf "    CPU, of the echo              before %s, after %s\n", ratio(us, b, e), ratio(us, a, e)
                printf "    replies/s, of the echo        before %s, after %s\n", ratio(qps, b, e), ratio(qps, a, e)
                printf "    before %d lost, %d wrong of %d; after %d lost, %d wrong of %d\n", lost[b], bad[b],
                    sent[b], lost[a], bad[a], sent[a] }
        }' "$work/results"
}

for binary in "$BEFORE" "$AFTER"; do [ -x "$binary" ] || fail "no $binary"; done
build
kinds
printf 'names: %s\n' "$(cat "$prepared/names.txt")"
start upstream 0 "$ECHO_SERVER" "$UPSTREAM" --answer
full_gateway before "${PORTS[before]}" "$ADMIN" 1 "$prepared/all.txt" 1 "$BEFORE"
full_gateway after "${PORTS[after]}" "$((ADMIN + 10))" 1 "$prepared/all.txt" 1 "$AFTER"
for one in before after; do answering "$one" "${PORTS[$one]}" 180; done
for one in before after; do warm "${PORTS[$one]}"; done

[ -z "${PAUSE:-}" ] || eval "$PAUSE"
printf '\nrun, CPU us/query, replies/s, p50, p99, p99.9 us, lost, wrong, sent\n'
for number in $(seq "$PAIRS"); do
    for kind in blocked cached mix; do pair "$number" "$kind"; done
done
[ -z "${RESUME:-}" ] || eval "$RESUME"
table
