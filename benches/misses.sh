#!/usr/bin/env bash
# What hits cost while thousands of misses wait for an upstream that says nothing: latency and
# CPU of cached and blocked answers, with and without them, by turns in one run.
#
#   benches/misses.sh                  about 4 minutes, of which 1 builds names and packs
#
# WAITING   misses that wait; default 5000
# RATES     hits a second; default "20000 100000"
# ROUNDS    rounds, each with and without; default 3
# LENGTH    seconds of a run; default 6
# NAMES, LISTS, PREPARED, NO_BUILD   see benches/loopback/stage.sh
#
# Each miss is another name, comes from the load generator's own thread at the rate that keeps
# WAITING of them in the gateway (a question of a server that is down is given up after 1.5 s), and counts in nothing but its own
# lines. The gateway may hold them all (`in_flight`), and has core 1 for all its threads.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly WAITING=${WAITING:-5000} RATES=${RATES:-20000 100000} ROUNDS=${ROUNDS:-3} LENGTH=${LENGTH:-6}
UPSTREAM_CONFIG=$(printf 'in_flight = %d\nserver_in_flight = %d' $((WAITING * 2)) $((WAITING * 5)))
# shellcheck source=benches/loopback/stage.sh
. benches/loopback/stage.sh

# cpu: nanoseconds of the worker so far, and of the other threads.
cpu() {
    local thread
    for thread in /proc/"${children[gateway]}"/task/*; do
        echo "$(cat "$thread/comm") $(cut -d' ' -f1 "$thread/schedstat")"
    done | awk '/^lachan-udp/ { worker += $NF; next } { rest += $NF } END { printf "%.0f %.0f\n", worker, rest }'
}

# hits LABEL RATE [OPTIONS OF LOAD]: one run; a line of results.
hits() {
    local label=$1 rate=$2 before after middle="$work/middle"
    shift 2
    before=$(cpu)
    (sleep "$(awk "BEGIN { print $LENGTH - 1 }")"; metric lachan_inflight >"$middle") &
    taskset -c 0 "$LOAD" "$DNS" "$work/hits.txt" "$LENGTH" --rate "$rate" "$@" >"$work/run"
    after=$(cpu)
    wait $!
    awk -v label="$label" -v rate="$rate" -v times="$before $after" -v waiting="$(cat "$middle")" '
        { v[$1] = $2 }
        END { split(times, t, " ")
            printf "%s %d %d %d %d %d %.2f %.2f %d %d %d %d\n", label, rate, waiting, v["p50"], v["p99"],
                v["p999"], (t[3] - t[1]) / v["got"] / 1000, (t[4] - t[2]) / v["got"] / 1000, v["lost"],
                v["wrong"] + v["failed"], v["sent"], v["beside_sent"] }' "$work/run" | tee -a "$work/results"
}

table() {
    awk '{
            key = $1 " " $2
            if (!(key in n)) order[++kinds] = key
            if (!n[key]++ || $4 < p50[key]) p50[key] = $4
            if (n[key] == 1 || $5 < p99[key]) p99[key] = $5
            if (n[key] == 1 || $7 < us[key]) { us[key] = $7; rest[key] = $8 }
            all[key] = all[key] sprintf(" %d/%d/%d", $4, $5, $6)
            waiting[key] = waiting[key] " " $3; lost[key] += $9; wrong[key] += $10; sent[key] += $11
        }
        END {
            for (k = 1; k <= kinds; k++) { key = order[k]
                printf "\n%s q/s: waiting%s; %d sent, %d lost, %d wrong\n", key, waiting[key], sent[key], lost[key], wrong[key]
                printf "    p50/p99/p99.9 us of each:%s\n", all[key]
                printf "    best: p50 %d, p99 %d us; worker %.2f us a hit, other threads %.2f\n",
                    p50[key], p99[key], us[key], rest[key]
                split(key, part, " ")
                if (part[1] == "with") { other = "without " part[2]
                    printf "    with / without: p50 %.2f, p99 %.2f, worker %.2f\n", p50[key] / p50[other],
                        p99[key] / p99[other], us[key] / us[other] }
            }
        }' "$work/results"
}

build
prepare
grep -v changing-names "$prepared/queries.txt" >"$work/hits.txt"
# More than will be asked: none is remembered as failed.
seq 400000 | sed 's/.*/m&.nobody-answers.org -/' >"$work/misses.txt"
split -n l/12 -a 2 "$work/misses.txt" "$work/misses-"
printf 'names: %s\n' "$(cat "$prepared/names.txt")"
gateway
prime
kill -STOP "${children[upstream]}"
printf '\nrun, hits/s, waiting, p50, p99, p99.9 us, worker us/hit, other threads us/hit, lost, wrong, sent, misses\n'
parts=("$work"/misses-*)
turn=0
for rate in $RATES; do
    for _ in $(seq "$ROUNDS"); do
        hits without "$rate"
        hits with "$rate" --beside "${parts[turn++ % 12]}" --beside-rate $((WAITING * 2 / 3))
        # Those that wait come to their end before the next run.
        until [ "$(metric lachan_inflight)" = 0 ]; do sleep 0.2; done
    done
done
curl -s "http://127.0.0.1:$ADMIN/metrics" | grep -E '^lachan_overflow|^lachan_upstream_up'
table
