#!/usr/bin/env bash
# Everything that is said of speed, measured in one run: the gateway beside a bare echo server
# (what the kernel's way of a datagram costs), dnsdist and Unbound with the same list.
#
# Changes of lists and config under load are benches/swap.sh, what waits is benches/misses.sh.
#
#   benches/compare.sh                 all of it: about 10 minutes, most of it the peers' loading
#   benches/compare.sh -q              without the peers, 1 M names only: 3 minutes
#
# PEERS            which peers; default "dnsdist unbound", installed from Debian where missing
# DNSDIST, UNBOUND commands that start other builds of them, such as '/opt/dnsdist/bin/dnsdist'
# ROUNDS           rounds, of which the best is shown; default 3. In each, everything once
# HALVES           rounds at a steady rate, of which median and range are shown; default 5
# SECONDS_EACH     length of one run; default 3
# PAUSE, RESUME    commands run around the measuring, for a machine that is shared
# NAMES, LISTS, PREPARED, NO_BUILD, LACHAN   see benches/loopback/stage.sh. A fifth of the names is
#                  measured too, for the ratio
#
# The server is on core 1 with one worker, the load generator on core 0. CPU per query is user and
# system time of the server's threads / replies: it is what survives neighbours. Every reply is
# checked. 127.0.0.1 only, and every process ends with this script.
set -euo pipefail
cd "$(dirname "$0")/.."

PEERS=${PEERS-dnsdist unbound}
if [ "${1:-}" = -q ]; then PEERS='' NAMES=1000000; fi
# shellcheck source=benches/loopback/stage.sh
. benches/loopback/stage.sh
readonly PEERS ROUNDS=${ROUNDS:-3} HALVES=${HALVES:-5} SECONDS_EACH=${SECONDS_EACH:-3}
readonly DNSDIST=${DNSDIST:-dnsdist} UNBOUND=${UNBOUND:-unbound}
readonly FEW=5391 TWO=5392 DNSDIST_PORT=5396 UNBOUND_PORT=5397 PLAIN=5398 RATE=70000

#------------ Peers ------------------------------------------------------------

dnsdist_() {
    cat >"$work/dnsdist.conf" <<LUA
setLocal('127.0.0.1:$DNSDIST_PORT')
setACL('127.0.0.0/8')
setSecurityPollSuffix('')
newServer({address='127.0.0.1:$UPSTREAM', checkInterval=10, mustResolve=false})
pc = newPacketCache(200000, {maxTTL=86400})
getPool(''):setCache(pc)
list = newSuffixMatchNode()
for name in io.lines('$prepared/all.txt') do list:add(name) end
addAction(SuffixMatchNodeRule(list), RCodeAction(DNSRCode.NXDOMAIN))
LUA
    # A command may be several words.
    # shellcheck disable=SC2086
    start dnsdist 1 $DNSDIST --supervised --disable-syslog -C "$work/dnsdist.conf"
}

unbound_() {
    {
        printf '$TTL 300\n@ SOA localhost. root.localhost. 1 3600 600 86400 300\n@ NS localhost.\n'
        awk '{ print $0 " CNAME ."; print "*." $0 " CNAME ." }' "$prepared/all.txt"
    } >"$work/rpz.zone"
    cat >"$work/unbound.conf" <<CONF
server:
 interface: 127.0.0.1@$UNBOUND_PORT
 num-threads: 1
 do-daemonize: no
 username: ""
 chroot: ""
 directory: "$work"
 pidfile: ""
 use-syslog: no
 module-config: "respip iterator"
 do-not-query-localhost: no
 do-ip6: no
 msg-cache-size: 64m
 rrset-cache-size: 128m
 num-queries-per-thread: 1024
 minimal-responses: yes
remote-control:
 control-enable: no
forward-zone:
 name: "."
 forward-addr: 127.0.0.1@$UPSTREAM
rpz:
 name: rpz.test
 zonefile: $work/rpz.zone
CONF
    # shellcheck disable=SC2086
    start unbound 1 $UNBOUND -d -c "$work/unbound.conf"
}

# Those that no command is given for.
install_peers() {
    local missing=()
    [[ $PEERS != *dnsdist* || $DNSDIST != dnsdist ]] || command -v dnsdist >/dev/null || missing+=(dnsdist)
    [[ $PEERS != *unbound* || $UNBOUND != unbound ]] || command -v unbound >/dev/null || missing+=(unbound)
    [ ${#missing[@]} = 0 ] || DEBIAN_FRONTEND=noninteractive apt-get install -qy \
        --no-install-recommends "${missing[@]}" >/dev/null
    # shellcheck disable=SC2086
    [[ $PEERS != *dnsdist* ]] || $DNSDIST --version 2>&1 | head -n 1
    # shellcheck disable=SC2086
    [[ $PEERS != *unbound* ]] || $UNBOUND -V 2>&1 | head -n 1
}

#------------ Measuring --------------------------------------------------------

# peers LABEL FILE [RATE]: the same run for each peer.
peers() {
    [[ $PEERS != *dnsdist* ]] || measured "$1-dnsdist" dnsdist "$DNSDIST_PORT" "$2" "$SECONDS_EACH" "${3:-}"
    [[ $PEERS != *unbound* ]] || measured "$1-unbound" unbound "$UNBOUND_PORT" "$2" "$SECONDS_EACH" "${3:-}"
}

rounds() {
    local kind
    for _ in $(seq "$ROUNDS"); do
        echo_run echo cached.txt "$SECONDS_EACH"
        for kind in blocked cached mix; do
            measured "$kind" many "$DNS" "$kind.txt" "$SECONDS_EACH"
            measured "$kind-plain" plain "$PLAIN" "$kind.txt" "$SECONDS_EACH"
            [ "$NAMES" -lt 5000 ] || measured "$kind-few" few "$FEW" "$kind.txt" "$SECONDS_EACH"
            peers "$kind" "$kind.txt"
        done
    done
}

# At half of what the slowest peer can do, and at the rates of a busy school; by turns and several
# times, because one second of a neighbour decides a p99.9.
half_load() {
    for _ in $(seq "$HALVES"); do
        measured half many "$DNS" mix.txt "$SECONDS_EACH" "$RATE"
        peers half mix.txt "$RATE"
    done
}

# One worker and two, both with the load generator on the same two cores.
two_workers() {
    for _ in 1 2; do
        measured two-1 one-free "$((TWO + 10))" mix.txt "$SECONDS_EACH"
        measured two-2 two-free "$TWO" mix.txt "$SECONDS_EACH"
    done
}

table() {
    awk -v names="$NAMES" '
        $1 ~ /^half/ { n = ++runs[$1]; p50[$1, n] = $4; p99[$1, n] = $5; p999[$1, n] = $6 }
        { if (!($1 in us) || $2 < us[$1]) { us[$1] = $2; qps[$1] = $3 }
          lost[$1] += $7; bad[$1] += $8; sent[$1] += $9 }
        function row(label, of) {
            if (label in us) printf "%-18s %7.2f %6.2fx %9d %6.2fx %8d lost %d wrong\n", label, us[label],
                us[label] / us[of], qps[label], qps[label] / qps[of], lost[label], bad[label] }
        # The middle one of a label, with the least and the most.
        function middle(of, label,   k, j, swap, sorted) {
            for (k = 1; k <= runs[label]; k++) sorted[k] = of[label, k]
            for (k = 2; k <= runs[label]; k++)
                for (j = k; j > 1 && sorted[j - 1] > sorted[j]; j--) {
                    swap = sorted[j]; sorted[j] = sorted[j - 1]; sorted[j - 1] = swap }
            return sprintf("%d (%d to %d)", sorted[int((runs[label] + 1) / 2)], sorted[1], sorted[runs[label]])
        }
        END {
            printf "\n%-18s %7s %7s %9s %7s\n", "", "us/q", "of echo", "q/s", "of echo"
            printf "%-18s %7.2f %6s %10d\n", "echo", us["echo"], "", qps["echo"]
            split("blocked cached mix", kinds, " ")
            for (k = 1; k <= 3; k++) {
                row(kinds[k], "echo"); row(kinds[k] "-plain", "echo"); row(kinds[k] "-few", "echo")
                row(kinds[k] "-dnsdist", "echo"); row(kinds[k] "-unbound", "echo")
            }
            for (k = 1; k <= 3; k++) {
                kind = kinds[k]
                printf "%s: all policy / default = %.2f\n", kind, us[kind] / us[kind "-plain"]
                if (kind "-few" in us) printf "%s: %d names / a fifth = %.2f", kind, names, us[kind] / us[kind "-few"]
                if (kind "-dnsdist" in us) printf ", / dnsdist = %.2f", us[kind] / us[kind "-dnsdist"]
                if (kind "-unbound" in us) printf ", / unbound = %.2f", us[kind] / us[kind "-unbound"]
                print ""
            }
            printf "blocked / cached = %.2f\n", us["blocked"] / us["cached"]
            if ("two-1" in us) printf "two workers / one, CPU a query = %.2f\n", us["two-2"] / us["two-1"]
            printf "\n%-18s %22s %22s %26s\n", "us, median (range)", "p50", "p99", "p99.9"
            n = split("half half-dnsdist half-unbound", timed, " ")
            for (k = 1; k <= n; k++) if (timed[k] in us)
                printf "%-18s %22s %22s %26s %8d lost of %d, %d wrong\n", timed[k], middle(p50, timed[k]),
                    middle(p99, timed[k]), middle(p999, timed[k]), lost[timed[k]], sent[timed[k]], bad[timed[k]]
        }' "$work/results"
}

#------------ Main -------------------------------------------------------------

build
install_peers
kinds
printf 'names: %s\n' "$(cat "$prepared/names.txt")"
start upstream 0 "$ECHO_SERVER" "$UPSTREAM" --answer
full_gateway many "$DNS" "$ADMIN" 1 "$prepared/all.txt" 1
full_gateway plain "$PLAIN" "$((ADMIN + 40))" 1 "$prepared/all.txt" 1
full_gateway few "$FEW" "$((ADMIN + 10))" 1 "$work/few.txt" 1
full_gateway one-free "$((TWO + 10))" "$((ADMIN + 20))" 1 "$work/few.txt" 0,1
full_gateway two-free "$TWO" "$((ADMIN + 30))" 2 "$work/few.txt" 0,1
[[ $PEERS != *dnsdist* ]] || dnsdist_
[[ $PEERS != *unbound* ]] || unbound_
answering many "$DNS" 120
answering plain "$PLAIN" 120
answering few "$FEW" 120
answering one-free "$((TWO + 10))" 120
answering two-free "$TWO" 120
[[ $PEERS != *dnsdist* ]] || answering dnsdist "$DNSDIST_PORT" 240
[[ $PEERS != *unbound* ]] || answering unbound "$UNBOUND_PORT" 400
for port in "$DNS" "$PLAIN" "$FEW" "$((TWO + 10))" "$TWO"; do warm "$port"; done
[[ $PEERS != *dnsdist* ]] || warm "$DNSDIST_PORT"
[[ $PEERS != *unbound* ]] || warm "$UNBOUND_PORT"

[ -z "${PAUSE:-}" ] || eval "$PAUSE"
printf '\nrun, CPU us/query, replies/s, p50, p99, p99.9 us, lost, wrong, sent\n'
rounds
half_load
two_workers
[ -z "${RESUME:-}" ] || eval "$RESUME"
for name in many few ${PEERS}; do printf '%-12s resident %s\n' "$name" "$(resident "$name")"; done
curl -s "http://127.0.0.1:$ADMIN/metrics" 2>/dev/null |
    grep -E '^lachan_(list|cache)_(bytes|entries)|^lachan_udp' | grep -v 'category=' || true
table
