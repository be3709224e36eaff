#!/usr/bin/env bash
# What dead upstream servers cost: latency of new names with three servers, of which none, one and two
# fall silent in the middle of a run.
#
#   benches/failover.sh                about 2 minutes, of which 1 builds
#
# RATE      new names a second; default 200
# LENGTH    seconds of a run; default 15. The servers fall silent after a third of it
# NO_BUILD, LACHAN, BUILT   see benches/loopback/stage.sh
#
# The hedge delay is 50 ms on loopback, its least. 127.0.0.1 only.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly RATE=${RATE:-200} LENGTH=${LENGTH:-15}
# shellcheck source=benches/loopback/stage.sh
. benches/loopback/stage.sh

# run DEAD FIRST…: the first DEAD servers are stopped while names from number FIRST on are asked.
run() {
    local dead=$1 first=$2 server
    tail -n "+$first" "$work/names.txt" >"$work/some.txt"
    (
        sleep $((LENGTH / 3))
        for server in $(seq "$dead"); do kill -STOP "${children[upstream-$server]}"; done
    ) &
    "$LOAD" "$DNS" "$work/some.txt" "$LENGTH" --once --rate "$RATE" >"$work/run"
    wait $!
    awk -v dead="$dead" '{ v[$1] = $2 }
        END { printf "%d dead of 3: sent %d, lost %d, wrong %d, p50 %d us, p95 %d us, p99 %d us, p99.9 %d us\n",
            dead, v["sent"], v["lost"], v["wrong"] + v["failed"], v["p50"], v["p95"], v["p99"], v["p999"] }' "$work/run"
    for server in 1 2 3; do kill -CONT "${children[upstream-$server]}"; done
    sleep 3
}

build
seq 200000 | sed 's/.*/f&.new-names.org A/' >"$work/names.txt"
servers=
for server in 1 2 3; do
    start "upstream-$server" 0,1 "$ECHO_SERVER" $((UPSTREAM + 10 + server)) --answer
    servers+="\"udp://127.0.0.1:$((UPSTREAM + 10 + server))\", "
done
cat >"$work/gateway.toml" <<TOML
[listen]
dns = ["127.0.0.1:$DNS"]
[admin]
listen = "127.0.0.1:$ADMIN"
[upstream]
servers = [$servers]
[lists]
starter = false
TOML
start gateway 0,1 "$LACHAN" serve --config "$work/gateway.toml"
until grep -q ' ready' <(told); do sleep 0.1; done
run 0 1
run 1 50000
run 2 100000
