#!/usr/bin/env bash
# Changes of policy under load: a new pack of all lists, and a new config, while queries are
# asked at a steady rate. Lost, wrong, how long replies take inside the window of the change and
# outside it, and whether the change lay in it.
#
#   benches/swap.sh                    about 5 minutes, of which 1 builds names and packs
#
# RATES     queries a second; default "20000 100000"
# ROUNDS    rounds of four changes of each kind at each rate; default 2
# LENGTH    seconds of a run, with the change in its middle; default 6
# NAMES, LISTS, PREPARED, NO_BUILD   see benches/loopback/stage.sh
#
# The change is a rename, made by the load generator itself. Queries for names that the two
# policies differ in say when the new one is in force; the window ends half a second later. A
# reply by neither policy is wrong, and so is one by the old policy to a query that left after
# the new one was seen. Server on core 1, with one worker: reading and swapping have the same
# core. Load generator and upstream on core 0.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=benches/loopback/stage.sh
. benches/loopback/stage.sh

readonly RATES=${RATES:-20000 100000} ROUNDS=${ROUNDS:-2} LENGTH=${LENGTH:-6}

# change KIND RATE FROM TO FILE: one run with a rename in its middle; a line of results.
change() {
    local run="$work/run-$1-$2" generation told_at
    generation=$(metric lachan_policy_generation)
    taskset -c 0 "$LOAD" "$DNS" "$5" "$LENGTH" --rate "$2" \
        --rename "$3" "$4" --at "$(awk "BEGIN { print $LENGTH / 2 - 0.5 }")" >"$run"
    # What the gateway's own log says of it: the last line, in its own time.
    told_at=$(told | awk '/ reloaded / { time = $1 } END { print time }')
    generation=$(($(metric lachan_policy_generation) - generation))
    awk -v kind="$1" -v rate="$2" -v swaps="$generation" -v unix="$(date -d "$told_at" +%s.%N)" '
        { v[$1] = $2; if ($1 == "window") end = $3; if ($1 == "slow") slow = slow " " $2 ":" $3 }
        END {
            # The log is written a moment after the swap.
            logged = (unix - v["started_unix"]) * 1000
            lies = v["whole"] && swaps == 1 && v["old_last"] < v["new_first"] + 50 &&
                logged >= v["renamed"] && logged <= end
            printf "%s %d %s %.0f %.0f %.0f %d %d %d %d %d %d %d %d %d\n", kind, rate, lies ? "yes" : "NO",
                v["renamed"], v["new_first"], logged, v["sent"], v["lost"], v["wrong"] + v["failed"],
                v["inside_p99"], v["outside_p99"], v["inside_p999"], v["outside_p999"],
                v["inside_max"], v["outside_max"]
            print "    slowest, ms:us " slow >"/dev/stderr"
        }' "$run" | tee -a "$work/results"
}

# The names of both kinds change places, so that the queries of one run fit the other way round.
turned() {
    sed 's/ AB$/ XX/; s/ BA$/ AB/; s/ XX$/ BA/' "$1"
}

# The school denies the names of one kind and, the other way, allows them again.
configs() {
    sed 's/.*/"&"/' "$prepared/new.txt" | paste -sd, >"$work/deny"
    config "deny = [$(cat "$work/deny")]" >"$work/deny.toml"
    config >"$work/plain.toml"
    # Those of the old pack stay as they are: blocked.
    sed 's/ BA$/ B/' "$prepared/queries.txt" >"$work/denied.txt"
    turned "$work/denied.txt" >"$work/freed.txt"
    turned "$prepared/queries.txt" >"$work/turned.txt"
}

runs() {
    local rate turn number=1
    for rate in $RATES; do
        for _ in $(seq "$ROUNDS"); do
            for turn in 2 1; do
                # There and back, so that each run begins as the first did.
                cp "$work/deny.toml" "$work/next.toml"
                change config "$rate" "$work/next.toml" "$work/gateway.toml" "$work/denied.txt"
                cp "$work/plain.toml" "$work/next.toml"
                change config "$rate" "$work/next.toml" "$work/gateway.toml" "$work/freed.txt"
                cp "$prepared/new-$turn.pack" "$work/next"
                change pack "$rate" "$work/next" "$work/packs/$((++number)).pack" "$prepared/queries.txt"
                cp "$prepared/old-$turn.pack" "$work/next"
                change pack "$rate" "$work/next" "$work/packs/$((++number)).pack" "$work/turned.txt"
                # The newest is enough; a directory of many would be looked through.
                rm -f "$work/packs/$((number - 1)).pack" "$work/packs/$((number - 2)).pack"
                sleep 1.5
            done
        done
    done
}

table() {
    awk '{
            key = $1 " " $2
            if (!(key in n)) order[++kinds] = key
            n[key]++; in_window[key] += $3 == "yes"; took[key] = took[key] sprintf(" %d", $5 - $4)
            sent[key] += $7; lost[key] += $8; wrong[key] += $9
            ratio = $13 ? $12 / $13 : 0
            ratios[key] = ratios[key] sprintf(" %.2f", ratio)
            p999[key] = p999[key] sprintf(" %d/%d", $12, $13)
            max[key] = max[key] sprintf(" %d/%d", $14, $15)
        }
        END {
            for (k = 1; k <= kinds; k++) { key = order[k]
                printf "\n%s q/s: %d changes, %d with the swap in the window, %d sent, %d lost, %d wrong\n",
                    key, n[key], in_window[key], sent[key], lost[key], wrong[key]
                printf "    from the rename to the new policy, ms:%s\n", took[key]
                printf "    p99.9 inside/outside, us:%s\n    ratio:%s\n", p999[key], ratios[key]
                printf "    most inside/outside, us:%s\n", max[key]
            }
        }' "$work/results"
}

build
prepare
configs
printf 'names: %s\n' "$(cat "$prepared/names.txt")"
gateway
prime
printf '\nchange, q/s, in window, renamed, seen, logged (ms), sent, lost, wrong, p99, p99.9, most: inside outside\n'
runs
table
