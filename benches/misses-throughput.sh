#!/usr/bin/env bash
# What a miss costs: each name is new, and an upstream on loopback has an address for all of them.
# CPU a miss and misses a second under full load, and latency at a steady rate; with peers beside
# that forward as this gateway does, where they are installed.
#
#   benches/misses-throughput.sh                  about 4 minutes, of which 1 builds
#
# MISSES    names of a run under full load; default 400000
# RATE      misses a second of a run at a steady rate; default 10000
# ROUNDS    rounds, each of all servers by turns; default 3
# OTHERS    other builds of the gateway, to be measured by turns with this one: PATH…
# UNBOUND   unbound; a port for each question, as the gateway
# DNSDIST   dnsdist; few ports for all questions
# NO_BUILD, LACHAN, BUILT   see benches/loopback/stage.sh
#
# Every server has core 1 for all its threads; load generator and upstream have core 0.
# 127.0.0.1 only.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly MISSES=${MISSES:-400000} RATE=${RATE:-10000} ROUNDS=${ROUNDS:-3} OTHERS=${OTHERS:-}
UNBOUND=$(command -v "${UNBOUND:-unbound}" || true)
DNSDIST=$(command -v "${DNSDIST:-dnsdist}" || true)
# shellcheck source=benches/loopback/stage.sh
. benches/loopback/stage.sh

# cpu: nanoseconds of all threads of the server so far.
cpu() {
    cat /proc/"${children[server]}"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

answers() {
    local limit=$((SECONDS + 20))
    until "$LOAD" "$DNS" <(echo "www.first.example A") 1 --once >"$work/first" && grep -q '^got 1$' "$work/first"; do
        [ "$SECONDS" -lt "$limit" ] || fail "$1 does not answer: $(tail -n 3 "$work/server.log")"
        sleep 0.2
    done
}

lachan() {
    cat >"$work/gateway.toml" <<TOML
[listen]
dns = ["127.0.0.1:$DNS"]
workers = 1
[admin]
listen = "127.0.0.1:$ADMIN"
[upstream]
servers = ["udp://127.0.0.1:$UPSTREAM"]
[lists]
starter = false
[cache]
size = "256MiB"
TOML
    start server 1 "$1" serve --config "$work/gateway.toml"
}

unbound() {
    chmod 755 "$work"
    cat >"$work/unbound.conf" <<CONF
server:
  interface: 127.0.0.1@$DNS
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "$work"
  pidfile: ""
  use-syslog: no
  verbosity: 0
  num-threads: 1
  module-config: "iterator"
  outgoing-range: 4096
  num-queries-per-thread: 2048
  msg-cache-size: 128m
  rrset-cache-size: 256m
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@$UPSTREAM
CONF
    start server 1 "$UNBOUND" -c "$work/unbound.conf"
}

dnsdist() {
    cat >"$work/dnsdist.conf" <<LUA
setLocal("127.0.0.1:$DNS")
setACL("127.0.0.0/8")
newServer({address="127.0.0.1:$UPSTREAM", sockets=4, healthCheckMode="up"})
getPool(""):setCache(newPacketCache(1000000))
LUA
    start server 1 "$DNSDIST" -C "$work/dnsdist.conf" --supervised
}

# measure LABEL: both runs of the server that was started, then its end.
measure() {
    local label=$1 before after
    answers "$label"
    before=$(cpu)
    taskset -c 0 "$LOAD" "$DNS" "$work/full.txt" 120 --once >"$work/run"
    after=$(cpu)
    taskset -c 0 "$LOAD" "$DNS" "$work/steady.txt" 6 --once --rate "$RATE" >"$work/steady"
    awk -v label="$label" -v cpu=$((after - before)) '
        FNR == NR { full[$1] = $2; next } { steady[$1] = $2 }
        END { printf "%s %.2f %d %d %d %d %d\n", label, cpu / full["got"] / 1000, full["qps"],
            steady["p50"], steady["p99"], full["lost"] + steady["lost"],
            full["wrong"] + full["failed"] + steady["wrong"] + steady["failed"] }' \
        "$work/run" "$work/steady" | tee -a "$work/results"
    stop server
}

table() {
    printf '\nmedians: us of CPU a miss, misses/s, p50 and p99 us at %d/s; CPU / that of the gateway\n' "$RATE"
    awk '{
            if (!($1 in n)) order[++kinds] = $1
            n[$1]++
            for (field = 2; field <= 5; field++) value[$1, field, n[$1]] = $field
        }
        function median(label, field,  i, j, swap, v) {
            for (i = 1; i <= n[label]; i++) v[i] = value[label, field, i]
            for (i = 1; i <= n[label]; i++) for (j = i + 1; j <= n[label]; j++)
                if (v[j] < v[i]) { swap = v[i]; v[i] = v[j]; v[j] = swap }
            return v[int((n[label] + 1) / 2)]
        }
        END { for (k = 1; k <= kinds; k++) printf "    %-10s %6.2f %7d %6d %6d   %.2f\n", order[k],
            median(order[k], 2), median(order[k], 3), median(order[k], 4), median(order[k], 5),
            median(order[k], 2) / median("lachan", 2) }' "$work/results"
}

build
seq "$MISSES" | sed 's/.*/n&.new-names.org A/' >"$work/full.txt"
seq $((RATE * 5)) | sed 's/.*/s&.new-names.org A/' >"$work/steady.txt"
start upstream 0 "$ECHO_SERVER" "$UPSTREAM" --answer
printf 'server, us of CPU a miss, misses/s, p50 and p99 us at %d/s, lost, wrong\n' "$RATE"
for _ in $(seq "$ROUNDS"); do
    lachan "$LACHAN"
    measure lachan
    number=0
    for other in $OTHERS; do
        lachan "$other"
        measure "other-$((++number))"
    done
    if [ -n "$UNBOUND" ]; then unbound; measure unbound; fi
    if [ -n "$DNSDIST" ]; then dnsdist; measure dnsdist; fi
done
table
