#!/usr/bin/env bash
# Everything that is said of speed, measured in one run: the gateway beside a bare echo server
# (what the kernel's way of a datagram costs), dnsdist and Unbound with the same list.
#
# Changes of lists and config under load are benches/swap.sh, what waits is benches/misses.sh.
#
#   benches/compare.sh                 all of it: about 10 minutes, most of it the peers' loading
#   benches/compare.sh -q              without the peers, 1 M names only: 3 minutes
#
# PEERS          which peers; default "dnsdist unbound", installed from Debian where missing
# NAMES          names listed; default 5000000. A fifth of them is measured too, for the ratio
# ROUNDS         rounds, of which the best is shown; default 3. In each, everything once
# SECONDS_EACH   length of one run; default 3
# LISTS          files of listed names, one a line, that are used before names are made up
# NO_BUILD       set to measure what is built already
# BEFORE, AFTER  commands run around the measuring, for who shares the machine
#
# The server is on core 1 with one worker, the load generator on core 0. CPU per query is user and
# system time of the server's threads / replies: it is what survives neighbours. Every reply is
# checked. 127.0.0.1 only, and every process ends with this script.
set -euo pipefail
cd "$(dirname "$0")/.."

PEERS=${PEERS-dnsdist unbound} NAMES=${NAMES:-5000000}
if [ "${1:-}" = -q ]; then PEERS='' NAMES=1000000; fi
readonly PEERS NAMES ROUNDS=${ROUNDS:-3} SECONDS_EACH=${SECONDS_EACH:-3} LISTS=${LISTS:-}
readonly DNS=5390 FEW=5391 TWO=5392 ADMIN=5393 UPSTREAM=5395 ECHO=5399 DNSDIST=5396 UNBOUND=5397 PLAIN=5398
readonly LACHAN=$PWD/target/release/lachan LOAD=$PWD/target/release/examples/load
readonly ECHO_SERVER=$PWD/target/release/examples/echo

work=$(mktemp -d)
declare -A children=()

cleanup() {
    for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

fail() {
    printf 'FAILED: %s\n' "$1" >&2
    exit 1
}

#------------ Names ------------------------------------------------------------

# all.txt: NAMES names to list. few.txt: a fifth of them. cached.txt: 10,000 names that are not
# listed. blocked.txt: listed ones, every second with a label in front. mix.txt: what a school
# asks, 10 % blocked and the rest by popularity (Zipf, s = 1) over 45,000 names.
names() {
    # The files hold a name a line, in lower case, as the lists of this project do.
    { [ -z "$LISTS" ] || cat $LISTS; } | awk -v count="$NAMES" '
        BEGIN { srand(1) }
        /^[a-z0-9._-]+\.[a-z0-9-]+$/ && n < count && !($0 in seen) { seen[$0]; n++; print }
        END {
            for (; n < count; n++) {
                name = ""
                for (size = 6 + int(rand() * 9); size > 0; size--)
                    name = name sprintf("%c", 97 + int(rand() * 26))
                print name n % 7 (rand() < 0.2 ? ".com.vn" : ".com")
            }
        }' >"$work/all.txt"
    awk 'NR % 5 == 0' "$work/all.txt" >"$work/few.txt"
    awk 'NR % 5 == 0 && ++n <= 500000 { print (n % 2 ? "x." : "") $0, "B" }' "$work/all.txt" |
        awk 'BEGIN { srand(2) } { print rand() "\t" $0 }' | LC_ALL=C sort | cut -f2 >"$work/blocked.txt"
    awk 'BEGIN { for (n = 0; n < 45000; n++) printf "www.name%d-%c%c.example A\n", n, 97 + n % 26, 97 + n % 25 }' \
        >"$work/allowed.txt"
    head -n 10000 "$work/allowed.txt" >"$work/cached.txt"
    awk 'BEGIN { srand(3) }
        NR == FNR { allowed[n++] = $0; next }
        FNR <= 5000 { blocked[m++] = $0 }
        END { for (q = 0; q < 200000; q++)
            if (rand() < 0.1) print blocked[int(exp(rand() * log(m)))]
            else print allowed[int(exp(rand() * log(n)))] }' \
        "$work/allowed.txt" "$work/blocked.txt" >"$work/mix.txt"
}

#------------ Servers ----------------------------------------------------------

# start NAME CORES COMMAND…: in the background; `children[NAME]` is its process.
start() {
    local name=$1 cores=$2
    shift 2
    taskset -c "$cores" "$@" >"$work/$name.log" 2>&1 &
    children[$name]=$!
}

stop() {
    kill "${children[$1]}" 2>/dev/null || true
    wait "${children[$1]}" 2>/dev/null || true
    unset "children[$1]"
}

# gateway NAME PORT ADMIN WORKERS LIST CORES: with groups, keywords, SafeSearch and all else that
# is on by default, and with a department, a timetable, a calendar and names of the school's own.
# Those are left out of the one that is called `plain`.
gateway() {
    local policy='' profile=''
    mkdir -p "$work/$1"
    cp "$work/$5" "$work/$1/list.txt"
    cp config/department.toml config/levels/holidays.ics "$work/$1"
    if [ "$1" != plain ]; then
        profile='profile = "p"'
        policy='[department]
policy = "department.toml"
[[schedule]]
name = "lessons"
times = ["07:00-11:30", "13:30-17:00"]
except = ["holidays.ics"]
[[schedule]]
name = "night"
times = ["22:00-05:00"]
[profile.p]
allow = ["allowed.example", "other.example", "www.third.example"]
deny = ["denied.example"]
[profile.p.during.night]
block = ["video"]'
    fi
    cat >"$work/$1/gateway.toml" <<TOML
default_group = "pupils"
[school]
level = "lower-secondary"
timezone = "Asia/Ho_Chi_Minh"
[listen]
dns = ["127.0.0.1:$2"]
workers = $4
[admin]
listen = "127.0.0.1:$3"
[upstream]
servers = ["udp://127.0.0.1:$UPSTREAM"]
[[lists.source]]
category = "adult"
path = "list.txt"
format = "domains"
[[group]]
name = "pupils"
clients = ["10.0.0.0/8"]
[[group]]
name = "lab"
clients = ["127.0.0.0/8"]
level = "primary"
$profile
[[group]]
name = "staff"
clients = ["10.9.0.0/16"]
level = "staff"
$policy
TOML
    start "$1" "$6" "$LACHAN" serve --config "$work/$1/gateway.toml"
}

dnsdist_() {
    cat >"$work/dnsdist.conf" <<LUA
setLocal('127.0.0.1:$DNSDIST')
setACL('127.0.0.0/8')
setSecurityPollSuffix('')
newServer({address='127.0.0.1:$UPSTREAM', checkInterval=10, mustResolve=false})
pc = newPacketCache(200000, {maxTTL=86400})
getPool(''):setCache(pc)
list = newSuffixMatchNode()
for name in io.lines('$work/all.txt') do list:add(name) end
addAction(SuffixMatchNodeRule(list), RCodeAction(DNSRCode.NXDOMAIN))
LUA
    start dnsdist 1 dnsdist --supervised --disable-syslog -C "$work/dnsdist.conf"
}

unbound_() {
    {
        printf '$TTL 300\n@ SOA localhost. root.localhost. 1 3600 600 86400 300\n@ NS localhost.\n'
        awk '{ print $0 " CNAME ."; print "*." $0 " CNAME ." }' "$work/all.txt"
    } >"$work/rpz.zone"
    cat >"$work/unbound.conf" <<CONF
server:
 interface: 127.0.0.1@$UNBOUND
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
    start unbound 1 unbound -d -c "$work/unbound.conf"
}

# ready NAME PORT LIMIT: until it answers a listed name as blocked.
ready() {
    local began=$SECONDS
    head -n 1 "$work/blocked.txt" >"$work/one.txt"
    until "$LOAD" "$2" "$work/one.txt" 0.2 --once 2>/dev/null | awk '
        $1 == "got" { got = $2 } $1 == "wrong" || $1 == "failed" { bad += $2 }
        END { exit !(got == 1 && !bad) }'; do
        kill -0 "${children[$1]}" 2>/dev/null || { tail -n 5 "$work/$1.log"; fail "$1 ended"; }
        [ $((SECONDS - began)) -lt "$3" ] || fail "$1 is not ready after $3 s"
        sleep 0.5
    done
    printf '%-12s ready after %3d s, resident %s\n' "$1" $((SECONDS - began)) "$(memory "$1")"
}

# Resident memory, and how much of it is pages of files, which are shared and can be dropped.
memory() {
    awk '/^VmRSS/ { all = $2 } /^RssFile/ { file = $2 }
        END { printf "%.0f MiB (%.0f of files)", all / 1024, file / 1024 }' \
        "/proc/${children[$1]}/status"
}

install_peers() {
    local missing=()
    for peer in $PEERS; do command -v "$peer" >/dev/null || missing+=("$peer"); done
    [ ${#missing[@]} = 0 ] || DEBIAN_FRONTEND=noninteractive apt-get install -qy \
        --no-install-recommends "${missing[@]}" >/dev/null
}

#------------ Measuring --------------------------------------------------------

# cpu NAME: nanoseconds of all threads so far.
cpu() {
    cat /proc/"${children[$1]}"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

# load LABEL NAME PORT FILE SECONDS [RATE]: one run; a line of results.
load() {
    local before after rate=()
    [ -z "${6:-}" ] || rate=(--rate "$6")
    before=$(cpu "$2")
    taskset -c 0 "$LOAD" "$3" "$work/$4" "$5" "${rate[@]}" >"$work/run"
    after=$(cpu "$2")
    awk -v label="$1" -v ns="$((after - before))" '{ v[$1] = $2 }
        END { if (!v["got"]) exit 1
            printf "%s %.3f %d %d %d %d %d %d %d\n", label, ns / 1000 / v["got"], v["qps"],
                v["p50"], v["p99"], v["p999"], v["lost"], v["wrong"] + v["failed"], v["sent"] }' \
        "$work/run" | tee -a "$work/results" || fail "$1: no reply"
}

prime() {
    for _ in 1 2; do "$LOAD" "$1" "$work/allowed.txt" 30 --once --rate 10000 >"$work/primed"; done
}

rounds() {
    local kind
    for _ in $(seq "$ROUNDS"); do
        start echo 1 "$ECHO_SERVER" "$ECHO"
        sleep 0.3
        load echo echo "$ECHO" cached.txt "$SECONDS_EACH" | sed 's/$/ (not judged)/'
        stop echo
        for kind in blocked cached mix; do
            load "$kind" many "$DNS" "$kind.txt" "$SECONDS_EACH"
            load "$kind-plain" plain "$PLAIN" "$kind.txt" "$SECONDS_EACH"
            [ "$NAMES" -lt 5000 ] || load "$kind-few" few "$FEW" "$kind.txt" "$SECONDS_EACH"
            [[ $PEERS != *dnsdist* ]] || load "$kind-dnsdist" dnsdist "$DNSDIST" "$kind.txt" "$SECONDS_EACH"
            [[ $PEERS != *unbound* ]] || load "$kind-unbound" unbound "$UNBOUND" "$kind.txt" "$SECONDS_EACH"
        done
    done
}

# At half of what the slowest peer can do, and at the rates of a busy school.
half_load() {
    local rate=70000
    load half many "$DNS" mix.txt "$SECONDS_EACH" "$rate"
    [[ $PEERS != *dnsdist* ]] || load half-dnsdist dnsdist "$DNSDIST" mix.txt "$SECONDS_EACH" "$rate"
    [[ $PEERS != *unbound* ]] || load half-unbound unbound "$UNBOUND" mix.txt "$SECONDS_EACH" "$rate"
}

# One worker and two, both with the load generator on the same two cores.
two_workers() {
    for _ in 1 2; do
        load two-1 one-free "$((TWO + 10))" mix.txt "$SECONDS_EACH"
        load two-2 two-free "$TWO" mix.txt "$SECONDS_EACH"
    done
}

table() {
    awk -v names="$NAMES" '
        { if (!($1 in us) || $2 < us[$1]) { us[$1] = $2; qps[$1] = $3; p50[$1] = $4; p99[$1] = $5; p999[$1] = $6 }
          lost[$1] += $7; bad[$1] += $8; sent[$1] += $9 }
        function row(label, of) {
            if (label in us) printf "%-18s %7.2f %6.2fx %9d %6.2fx %8d lost %d wrong\n", label, us[label],
                us[label] / us[of], qps[label], qps[label] / qps[of], lost[label], bad[label] }
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
            printf "\n%-18s %6s %6s %7s\n", "us", "p50", "p99", "p99.9"
            n = split("half half-dnsdist half-unbound", timed, " ")
            for (k = 1; k <= n; k++) if (timed[k] in us)
                printf "%-18s %6d %6d %7d %8d lost of %d, %d wrong\n", timed[k], p50[timed[k]],
                    p99[timed[k]], p999[timed[k]], lost[timed[k]], sent[timed[k]], bad[timed[k]]
        }' "$work/results"
}

#------------ Main -------------------------------------------------------------

[ "$(nproc)" -ge 2 ] || fail 'two cores are needed'
[ -n "${NO_BUILD:-}" ] || cargo build --release --bin lachan --examples
install_peers
names
printf 'names: %d listed' "$(wc -l <"$work/all.txt")"
[ -n "$LISTS" ] && printf ', from files first\n' || printf ', all made up\n'
start upstream 0 "$ECHO_SERVER" "$UPSTREAM" --answer
gateway many "$DNS" "$ADMIN" 1 all.txt 1
gateway plain "$PLAIN" "$((ADMIN + 40))" 1 all.txt 1
gateway few "$FEW" "$((ADMIN + 10))" 1 few.txt 1
gateway one-free "$((TWO + 10))" "$((ADMIN + 20))" 1 few.txt 0,1
gateway two-free "$TWO" "$((ADMIN + 30))" 2 few.txt 0,1
[[ $PEERS != *dnsdist* ]] || dnsdist_
[[ $PEERS != *unbound* ]] || unbound_
ready many "$DNS" 120
ready plain "$PLAIN" 120
ready few "$FEW" 120
ready one-free "$((TWO + 10))" 120
ready two-free "$TWO" 120
[[ $PEERS != *dnsdist* ]] || ready dnsdist "$DNSDIST" 240
[[ $PEERS != *unbound* ]] || ready unbound "$UNBOUND" 400
for port in "$DNS" "$PLAIN" "$FEW" "$((TWO + 10))" "$TWO"; do prime "$port"; done
[[ $PEERS != *dnsdist* ]] || prime "$DNSDIST"
[[ $PEERS != *unbound* ]] || prime "$UNBOUND"

[ -z "${BEFORE:-}" ] || eval "$BEFORE"
printf '\nrun, CPU us/query, replies/s, p50, p99, p99.9 us, lost, wrong, sent\n'
rounds
half_load
two_workers
[ -z "${AFTER:-}" ] || eval "$AFTER"
for name in many few ${PEERS}; do printf '%-12s resident %s\n' "$name" "$(memory "$name")"; done
curl -s "http://127.0.0.1:$ADMIN/metrics" 2>/dev/null |
    grep -E '^lachan_(list|cache)_(bytes|entries)|^lachan_udp' | grep -v 'category=' || true
table
