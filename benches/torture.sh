#!/usr/bin/env bash
# Random names of a zone whose servers are silent ("water torture"), while others ask for names that
# are there: how many of these are answered within a second, and how fast cached ones are.
#
#   benches/torture.sh                 about 2 minutes, of which 1 builds
#
# HOSTILE   names a second that upstream never answers; default 4000
# LENGTH    seconds of a run; default 20
# NO_BUILD, LACHAN, BUILT   see benches/loopback/stage.sh
#
# One upstream has all names, one client asks for the hostile ones, and the limits are the defaults.
# The server has both cores, as in a school. 127.0.0.1 only.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly HOSTILE=${HOSTILE:-4000} LENGTH=${LENGTH:-20}
# shellcheck source=benches/loopback/stage.sh
. benches/loopback/stage.sh

run() {
    local label=$1
    shift
    "$LOAD" "$DNS" "$@" >"$work/run"
    awk -v label="$label" '{ v[$1] = $2 }
        END { printf "%-28s sent %d, answered within 1 s %.1f %%, p50 %d us, p95 %d us, p99 %d us, wrong %d, hostile %d\n",
            label, v["sent"], 100 * v["got"] / v["sent"], v["p50"], v["p95"], v["p99"], v["wrong"] + v["failed"], v["beside_sent"] }' "$work/run"
}

build
seq 200000 | sed 's/.*/f&.new-names.org A/' >"$work/fresh.txt"
seq 2000000 | sed 's/.*/h&.nobody-answers.org -/' >"$work/hostile.txt"
split -n l/2 -a 1 "$work/hostile.txt" "$work/hostile-"
seq 1000 | sed 's/.*/c&.known-names.org A/' >"$work/cached.txt"
cat >"$work/gateway.toml" <<TOML
[listen]
dns = ["127.0.0.1:$DNS"]
[admin]
listen = "127.0.0.1:$ADMIN"
[upstream]
servers = ["udp://127.0.0.1:$UPSTREAM"]
[lists]
starter = false
TOML
start upstream 0,1 "$ECHO_SERVER" "$UPSTREAM" --answer-some
start gateway 0,1 "$LACHAN" serve --config "$work/gateway.toml"
until grep -q ' ready' <(told); do sleep 0.1; done
run 'cached, to begin with' "$work/cached.txt" 3 --once --rate 1000
run 'fresh, no hostile names' "$work/fresh.txt" "$LENGTH" --once --rate 100
tail -n +$((LENGTH * 100 + 1)) "$work/fresh.txt" >"$work/more.txt"
run "fresh, $HOSTILE hostile/s" "$work/more.txt" "$LENGTH" --once --rate 100 --beside "$work/hostile-a" --beside-rate "$HOSTILE"
run "cached, $HOSTILE hostile/s" "$work/cached.txt" "$LENGTH" --rate 1000 --beside "$work/hostile-b" --beside-rate "$HOSTILE"
curl -s "http://127.0.0.1:$ADMIN/metrics" | grep -E '^lachan_(overflow_total|upstream_up|inflight)'
