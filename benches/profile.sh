#!/usr/bin/env bash
# Where the time of a query goes: samples of the one worker under full load, by what it was doing.
#
#   cargo build --release --bin lachan --examples && benches/profile.sh [blocked|cached]
#
# Needs perf (linux-perf in Debian). Listed names are made up: 500,000 of them. 127.0.0.1 only.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly KIND=${1:-cached} DNS=5390 ADMIN=5393 UPSTREAM=5395 BUILT=${CARGO_TARGET_DIR:-target}/release
work=$(mktemp -d)
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; wait; rm -rf "$work"' EXIT

awk 'BEGIN { srand(1); for (n = 0; n < 500000; n++) {
    name = ""; for (size = 8; size > 0; size--) name = name sprintf("%c", 97 + int(rand() * 26))
    print name n % 7 ".example" } }' >"$work/list.txt"
awk '{ print "www." $0, "B" }' "$work/list.txt" >"$work/blocked.txt"
awk 'BEGIN { for (n = 0; n < 10000; n++) print "www.name" n ".example A" }' >"$work/cached.txt"
cat >"$work/gateway.toml" <<TOML
[listen]
dns = ["127.0.0.1:$DNS"]
workers = 1
[admin]
listen = "127.0.0.1:$ADMIN"
[upstream]
servers = ["udp://127.0.0.1:$UPSTREAM"]
[[lists.source]]
category = "adult"
path = "list.txt"
TOML
"$BUILT"/examples/echo "$UPSTREAM" --answer & pids+=($!)
taskset -c 1 "$BUILT"/lachan serve --config "$work/gateway.toml" >"$work/log" 2>&1 & pids+=($!)
gateway=$!
until grep -q ' ready' "$work/log"; do sleep 0.1; done
taskset -c 0 "$BUILT"/examples/load "$DNS" "$work/cached.txt" 9 --once --rate 5000 >/dev/null
taskset -c 0 "$BUILT"/examples/load "$DNS" "$work/$KIND.txt" 6 >"$work/run" & load=$!
sleep 1
before=$(cat /proc/$gateway/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f", sum }')
perf record -q -g -e cpu-clock -F 4000 -o "$work/perf" -p "$gateway" -- sleep 4 2>"$work/perf.log"
after=$(cat /proc/$gateway/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f", sum }')
wait "$load"
qps=$(awk '$1 == "qps" { print $2 }' "$work/run")

perf script -i "$work/perf" -F comm,ip,sym 2>/dev/null | awk -v us="$(((after - before) / 4000))" -v qps="$qps" '
    # A sample: a line with the thread, then a line for each frame, innermost first.
    /^[^ \t]/ { next }
    /^$/ { if (frames) count(); frames = 0; stack = ""; next }
    { frames++; stack = stack " " $2; if (frames == 1) leaf = $2 }
    function count(  what) {
        total++
        if (stack ~ /handle_softirqs|__do_softirq|do_softirq/) what = "4 kernel: the reply arrives at the client"
        else if (stack ~ /sys_sendmmsg/) what = "3 kernel: sendmmsg"
        else if (stack ~ /sys_recvmmsg/) what = "2 kernel: recvmmsg"
        else if (stack ~ /entry_SYSCALL|asm_|ret_from/) what = "5 kernel: the rest"
        else if (leaf ~ /^(memcpy|__mem|_mem|memset)/) what = "8 ours: copying, comparing"
        else if (stack ~ /lachan.*(matcher|SuffixTable|pack)/ || leaf ~ /suffix|pack|keyword/) what = "6 ours: lists, keywords"
        else what = "7 ours: the rest"
        n[what]++; leaves[what, leaf]++
    }
    END {
        per = us / qps
        printf "%.2f us a query, %d samples\n", per, total
        for (what in n) printf "%s  %.3f us\n", what, per * n[what] / total | "sort"
        close("sort")
        for (key in leaves) { split(key, part, SUBSEP)
            if (part[1] ~ /ours/ && leaves[key] > total / 200)
                printf "    %.3f us  %s\n", per * leaves[key] / total, part[2] | "sort -rn" }
    }'
