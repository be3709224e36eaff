#!/usr/bin/env bash
# Two load generators that were written apart, on one server by turns: whether they see the same. What
# the other benches say of a server is only worth what their load generator sees.
#
#   LACHAN_TOOLS=DIR benches/generators.sh       about 3 minutes, of which 1 builds names and packs
#
# LACHAN_TOOLS  directory with `loadgen.c`, the other one; default ../shared/tools
# ROUNDS        rounds, of which the best of each is shown; default 3
# LENGTH        seconds of a run; default 4
# NAMES, LISTS, PREPARED, NO_BUILD   see benches/loopback/stage.sh
#
# Both on core 0, with 8 sockets; at full speed with 200 queries outstanding, and at a steady rate.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=benches/loopback/stage.sh
. benches/loopback/stage.sh
readonly TOOLS=${LACHAN_TOOLS:-../shared/tools} ROUNDS=${ROUNDS:-3} LENGTH=${LENGTH:-4}

cpu() {
    cat /proc/"${children[gateway]}"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

# ours RATE, theirs RATE: `got qps p50 p99 p999 lost wrong` of one run.
ours() {
    local rate=()
    [ "$1" = 0 ] || rate=(--rate "$1")
    taskset -c 0 "$LOAD" "$DNS" "$work/hits.txt" "$LENGTH" "${rate[@]}" >"$work/run"
    awk '{ v[$1] = $2 } END { print v["got"], v["qps"], v["p50"], v["p99"], v["p999"], v["lost"],
        v["wrong"] + v["failed"] }' "$work/run"
}

theirs() {
    taskset -c 0 "$work/loadgen" -p "$DNS" -d "$work/typed.txt" -q "$1" -w 200 -c 8 -l "$LENGTH" >"$work/run"
    awk '{ gsub(/[{}"]/, ""); n = split($0, part, ",")
        for (p = 1; p <= n; p++) { split(part[p], pair, ":"); v[pair[1]] = pair[2] }
        print v["got"], v["qps"], v["p50_us"], v["p99_us"], v["p999_us"], v["lost"], v["mismatch"] + v["badq"] }' "$work/run"
}

[ -f "$TOOLS/loadgen.c" ] || fail "no $TOOLS/loadgen.c; set LACHAN_TOOLS"
gcc -O2 -march=native -w -o "$work/loadgen" "$TOOLS/loadgen.c"
build
prepare
grep -v changing-names "$prepared/queries.txt" >"$work/hits.txt"
sed 's/ \([AB]\)$/ A \1/' "$work/hits.txt" >"$work/typed.txt"
gateway
prime
printf 'names: %s\n\ngenerator, q/s wanted, got, q/s, p50, p99, p99.9 us, lost, wrong, server us/query\n' \
    "$(cat "$prepared/names.txt")"
for _ in $(seq "$ROUNDS"); do
    for rate in 0 20000 100000; do
        for one in ours theirs; do
            before=$(cpu)
            seen=$("$one" "$rate")
            awk -v one="$one" -v rate="$rate" -v seen="$seen" -v ns="$(($(cpu) - before))" 'BEGIN {
                split(seen, s, " "); printf "%s %d %s %.2f\n", one, rate, seen, ns / 1000 / s[1] }' |
                tee -a "$work/results"
        done
    done
done
awk '{
        key = $1 " " $2; if (!($2 in seen)) { seen[$2]; order[++n] = $2 }
        if (!(key in us) || $10 < us[key]) us[key] = $10
        if (!(key in qps) || $4 > qps[key]) qps[key] = $4
        if (!(key in p50) || $5 < p50[key]) p50[key] = $5
        if (!(key in p99) || $6 < p99[key]) p99[key] = $6
        lost[key] += $8; wrong[key] += $9
    }
    END { for (k = 1; k <= n; k++) { r = order[k]; o = "ours " r; t = "theirs " r
        printf "\nat %s q/s (0 is full speed): q/s %d and %d (%.3f), p50 %.0f and %.0f us, p99 %.0f and %.0f us, server %.2f and %.2f us a query (%.3f); lost %d and %d, wrong %d and %d\n",
            r, qps[o], qps[t], qps[o] / qps[t], p50[o], p50[t], p99[o], p99[t], us[o], us[t],
            us[o] / us[t], lost[o], lost[t], wrong[o], wrong[t] } }' "$work/results"
