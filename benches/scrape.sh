#!/usr/bin/env bash
# What a scrape of the metrics takes while the gateway answers a school, and its size.
#
#   NAMES=100000 benches/scrape.sh      about a minute
#
# RATE           queries a second meanwhile; default 20000
# SCRAPES        how many, one after the other; default 200
# NAMES, LISTS, PREPARED, NO_BUILD, LACHAN   see benches/loopback/stage.sh
#
# All policy is on, as in the other benches; the time is curl's, from the
# connection to the last octet, so that it has what the kernel and the neighbours add.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=benches/loopback/stage.sh
. benches/loopback/stage.sh
readonly RATE=${RATE:-20000} SCRAPES=${SCRAPES:-200}

build
kinds
start upstream 0 "$ECHO_SERVER" "$UPSTREAM" --answer
full_gateway one "$DNS" "$ADMIN" 1 "$prepared/all.txt" 1
answering one "$DNS" 120
warm "$DNS"
start load 0 "$LOAD" "$DNS" "$work/mix.txt" 120 --rate "$RATE"
sleep 1
for _ in $(seq "$SCRAPES"); do
    curl -s -o "$work/page" -w '%{time_total}\n' "http://127.0.0.1:$ADMIN/metrics"
    sleep 0.05
done | sort -n | awk '
    { ms[NR] = $1 * 1000 }
    END { printf "scrapes %d: median %.2f ms, p95 %.2f ms, most %.2f ms\n", NR, ms[int((NR + 1) / 2)],
        ms[int(NR * 0.95)], ms[NR] }'
printf 'series %d, %d octets, at %d queries a second\n' "$(grep -vc '^#' "$work/page")" \
    "$(stat -c %s "$work/page")" "$RATE"
