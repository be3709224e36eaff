#!/usr/bin/env bash
# A reload of all real lists while 20,000 queries a second are asked: loss, wrong answers,
# latency inside and outside the reload, memory, and the time from text to serving.
#
#   cargo build --release && benches/reload.sh
#
# LACHAN_TOOLS   directory with `loadgen.c` (the load generator) and `echo.c`; default ../shared/tools
# LACHAN_SHARED  directory with the real lists; default ../shared. Names are made up without it.
# RATE           queries a second; default 20000
#
# Server on core 1 with one worker (its reload has the same core), load generator on core 0.
# 127.0.0.1 only; every process ends with this script.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly TOOLS=${LACHAN_TOOLS:-../shared/tools} SHARED=${LACHAN_SHARED:-../shared} RATE=${RATE:-20000}
readonly DNS=5394 UPSTREAM=5395 ADMIN=5396 LACHAN=$PWD/target/release/lachan
readonly LISTS=(
    adult:adult gambling:gambling malware:malware-phishing ads_trackers:ads-trackers
    bypass:proxy-vpn-doh games:games social:social video:video dating:dating drugs:drugs
    piracy:piracy crypto:crypto violence:violence-hate risky_infra:shortener fake_news:fakenews
    hacking:download cheating:cheating ai_chat:ai
)
work=$(mktemp -d)
children=()
trap 'kill "${children[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

gcc -O2 -march=native -o "$work/loadgen" "$TOOLS/loadgen.c"
gcc -O2 -march=native -pthread -o "$work/echo" "$TOOLS/echo.c"

{
    printf '[listen]\ndns = ["127.0.0.1:%s"]\nworkers = 1\n' "$DNS"
    printf '[admin]\nlisten = "127.0.0.1:%s"\n' "$ADMIN"
    printf '[upstream]\nservers = ["udp://127.0.0.1:%s"]\n[lists]\nuse_keywords = true\n' "$UPSTREAM"
} >"$work/gateway.toml"
for list in "${LISTS[@]}"; do
    file=${list#*:}
    if [ -f "$SHARED/data/lists/categories/$file.txt.zst" ]; then
        zstd -qdc "$SHARED/data/lists/categories/$file.txt.zst" >"$work/$file.txt"
    else
        printf 'SYNTHETIC: %s\n' "$file"
        seq 85000 | sed "s/.*/n&.$file.example/" >"$work/$file.txt"
    fi
    printf '[[lists.source]]\ncategory = "%s"\npath = "%s.txt"\n' "${list%%:*}" "$file" >>"$work/gateway.toml"
done
# Blocked before, during and after; and names that are in the cache.
shuf -n 20000 --random-source=<(yes) "$work/gambling.txt" | sed 's/$/ A B/' >"$work/queries.txt"
seq 2000 | sed 's/.*/free&.allowed-names.org A A/' >>"$work/queries.txt"
shuf --random-source=<(yes) "$work/queries.txt" -o "$work/queries.txt"

taskset -c 0 "$work/echo" -p "$UPSTREAM" -m plain -A & children+=("$!")
start=$(date +%s%N)
taskset -c 1 "$LACHAN" serve --config "$work/gateway.toml" 2>"$work/log" & gateway=$!
children+=("$gateway")
until curl -sf "http://127.0.0.1:$ADMIN/readyz" >/dev/null; do sleep 0.02; done
printf 'text to serving: %d ms\n' $((($(date +%s%N) - start) / 1000000))
metric() { curl -s "http://127.0.0.1:$ADMIN/metrics" | awk -v n="$1" '$1 == n { print $2 }'; }
memory() { awk -v k="$1:" '$1 == k { print $2 }' "/proc/$gateway/status"; }
names=$(sed -n 's/.*policy is in force names=\([0-9]*\).*/\1/p' "$work/log" | head -1)
list=$(metric lachan_list_bytes)
printf 'names %s, list %d KiB (%s octets a name)\n' "$names" $((list / 1024)) \
    "$(awk "BEGIN { printf \"%.1f\", $list / $names }")"

taskset -c 0 "$work/loadgen" -p "$DNS" -d "$work/queries.txt" -o -q 5000 -l 10 >/dev/null
before=$(memory VmRSS)
echo 5 >"/proc/$gateway/clear_refs"
taskset -c 0 "$work/loadgen" -p "$DNS" -d "$work/queries.txt" -q "$RATE" -l 6 >"$work/outside.json"
(sleep 1; touch "$work/adult.txt") &
window=$(date +%s%N)
taskset -c 0 "$work/loadgen" -p "$DNS" -d "$work/queries.txt" -q "$RATE" -l 6 >"$work/inside.json"
until [ "$(metric lachan_policy_generation)" = 2 ]; do sleep 0.1; done
# The gateway's own line, in its own time: the window is from 0 to 6000 ms.
told=$(sed 's/\x1b\[[0-9;]*m//g' "$work/log" | awk '/ reloaded / { time = $1 } END { print time }')
printf 'in force %d ms after the window began, %d after the change\n' \
    $((($(date -d "$told" +%s%N) - window) / 1000000)) $((($(date -d "$told" +%s%N) - window) / 1000000 - 1000))
printf 'resident before %d KiB, at most in the reload %d KiB, after %d KiB\n' \
    "$before" "$(memory VmHWM)" "$(memory VmRSS)"
printf '(most of the reload − before) / list = %s\n' \
    "$(awk "BEGIN { printf \"%.2f\", 1 + ($(memory VmHWM) - $before) * 1024 / $list }")"
for part in outside inside; do
    python3 - "$part" "$work/$part.json" <<'PY'
import json, sys
r = json.load(open(sys.argv[2]))
print(f"{sys.argv[1]:8} sent {r['sent']}, lost {r['lost']}, wrong {r['mismatch']}, "
      f"p50 {r['p50_us']} us, p99 {r['p99_us']}, p99.9 {r['p999_us']}, most {r['max_us']}")
PY
done
