#!/usr/bin/env bash
# Encrypted DNS: the gateway and dnsdist beside each other with the same certificate, one core each time:
# what a query costs on connections that are kept, what a full handshake costs, what an idle connection
# takes, and whether a new certificate under load loses a query.
#
#   DNSDIST=path benches/encrypted.sh        about 8 minutes
#
# DNSDIST        dnsdist 1.9 or later; by default that of the root which .ci/clients makes
# PAIRS          pairs of runs, of which median and range are shown; default 7
# SECONDS_EACH   length of one run; default 3
# IDLE           connections that are kept idle; default 10000
# ONLY           of: queries handshakes idle swap; all of them by default
# NAMES, LISTS, PREPARED, NO_BUILD   see benches/loopback/stage.sh; NAMES is 100000 here
#
# Both have the same listed names in memory, answer them with NXDOMAIN, and have all else in their caches
# before anything is measured; dnsdist, which asks by TCP what came by TLS, has it from the gateway.
# Load comes from dnsperf (DoT, handshakes) and h2load (DoH, package nghttp2-client: dnsperf forgets all but the
# last of several replies that come at once by HTTP/2), without EDNS, so that neither pads. A pair is one server
# and the other, at once after each other; who is first changes from pair to pair. CPU is all that a
# process has used, by the kernel's account in nanoseconds; it is divided by the replies that came.
set -euo pipefail
cd "$(dirname "$0")/.."
NAMES=${NAMES:-100000}
# shellcheck source=benches/loopback/stage.sh
. benches/loopback/stage.sh
readonly PAIRS=${PAIRS:-7} SECONDS_EACH=${SECONDS_EACH:-3} IDLE=${IDLE:-10000}
readonly ONLY=${ONLY:-queries handshakes idle swap}
declare -rA PORTS=([ours-dot]=5480 [ours-doh]=5481 [dnsdist-dot]=5482 [dnsdist-doh]=5483)
# Connections, and queries outstanding on all of them.
readonly CONNECTIONS=8 OUTSTANDING=200

for program in dnsperf h2load openssl python3; do
    command -v "$program" >/dev/null || fail "no $program"
done
ulimit -n "$((IDLE + 4096))" || fail "descriptors: ulimit -n $((IDLE + 4096)) is refused"

#------------ Both servers -----------------------------------------------------

# certificate NAME: a new one of the school's resolver, as NAME.crt and NAME.key.
certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=dns.school.example \
        -addext 'subjectAltName=DNS:dns.school.example,DNS:localhost,IP:127.0.0.1' \
        -keyout "$work/$1.key" -out "$work/$1.crt" 2>/dev/null
}

ours() {
    mkdir -p "$work/ours"
    cp "$prepared/all.txt" "$work/ours/list.txt"
    cat >"$work/ours/gateway.toml" <<TOML
[listen]
dns = ["127.0.0.1:$DNS"]
dot = ["127.0.0.1:${PORTS[ours-dot]}"]
doh = ["127.0.0.1:${PORTS[ours-doh]}"]
workers = 1
tcp_connections = $((IDLE + 1000))
tcp_per_client = $((IDLE + 1000))
tcp_idle = "10m"
tcp_in_flight = 1024
[[listen.tls]]
certificate = "$work/dns.crt"
key = "$work/dns.key"
[admin]
listen = "127.0.0.1:$ADMIN"
[upstream]
servers = ["udp://127.0.0.1:$UPSTREAM"]
[[lists.source]]
category = "adult"
path = "list.txt"
format = "domains"
TOML
    start ours 1 "$LACHAN" serve --config "$work/ours/gateway.toml"
}

dnsdist() {
    local root
    root=$(realpath -m "${CARGO_TARGET_DIR:-target}")/ci-roots/trixie
    cat >"$work/dnsdist.lua" <<LUA
addTLSLocal("127.0.0.1:${PORTS[dnsdist-dot]}", "$work/dns.crt", "$work/dns.key", { maxInFlight = 1024 })
addDOHLocal("127.0.0.1:${PORTS[dnsdist-doh]}", "$work/dns.crt", "$work/dns.key", "/dns-query")
setLocal("127.0.0.1:5484")
setSecurityPollSuffix("")
setMaxTCPClientThreads(1)
setMaxTCPConnectionsPerClient(0)
setTCPRecvTimeout(600)
newServer({ address = "127.0.0.1:$DNS", healthCheckMode = "up" })
getPool(""):setCache(newPacketCache(100000, { maxTTL = 86400 }))
local listed = newSuffixMatchNode()
for name in io.lines("$prepared/all.txt") do listed:add(name) end
addAction(SuffixMatchNodeRule(listed), RCodeAction(DNSRCode.NXDOMAIN))
LUA
    local own=("${DNSDIST:-}")
    if [ -z "${DNSDIST:-}" ]; then
        [ -x "$root/usr/bin/dnsdist" ] || fail "no dnsdist in $root; .ci/clients makes it, or set DNSDIST"
        # With the libraries of its own release, without a chroot.
        own=("$root/lib64/ld-linux-x86-64.so.2" --library-path
            "$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu" "$root/usr/bin/dnsdist")
    fi
    "${own[@]}" --version | head -n 1
    start dnsdist 1 "${own[@]}" --supervised --disable-syslog -C "$work/dnsdist.lua"
}

# perf TRANSPORT SERVER FILE SECONDS [OPTIONS]: dnsperf's report, in $work/run.
perf() {
    local transport=$1 server=$2 file=$3 seconds=$4
    shift 4
    taskset -c 0 dnsperf -m "$transport" -s 127.0.0.1 -p "${PORTS[$server-$transport]}" -d "$file.ask" -l "$seconds" \
        -T 1 -O doh-uri=https://localhost/dns-query -W "$@" >"$work/run" 2>&1 ||
        { tail -n 5 "$work/run"; fail "dnsperf: $transport, $server"; }
}

# requests SERVER FILE OPTIONS: h2load's report, in $work/run; GET (RFC 8484 §4.1).
requests() {
    local server=$1 file=$2
    shift 2
    taskset -c 0 h2load -B "https://127.0.0.1:${PORTS[$server-doh]}" -i "$file.uri" "$@" >"$work/run" 2>&1 ||
        { tail -n 5 "$work/run"; fail "h2load: $server"; }
}

# said KEY: a figure of dnsperf's report.
said() {
    awk -F: -v key="$1" '{ gsub(/^ +/, "", $1) } $1 == key { split($2, part, " "); print part[1]; exit }' "$work/run"
}

# outcome RCODE: replies, replies/s, lost and wrong of the run, from either report.
outcome() {
    if grep -q '^requests:' "$work/run"; then
        awk -v seconds="$SECONDS_EACH" '{ gsub(",", "") }
            $1 == "requests:" { got = $6; lost = $10 + $12 + $14 }
            $1 == "status" { right = $3 }
            END { printf "%d %d %d %d\n", got, got / seconds, lost, got - right }' "$work/run"
    else
        local got right
        got=$(said 'Queries completed')
        right=$(sed -n "s/.*Response codes:.*$1 \([0-9]*\).*/\1/p" "$work/run")
        printf '%d %.0f %d %d\n' "$got" "$(said 'Queries per second')" "$(said 'Queries lost')" "$((got - ${right:-0}))"
    fi
}

# cost LABEL SERVER RCODE COMMAND…: a line: CPU us/query, replies/s, lost, wrong.
cost() {
    local label=$1 server=$2 rcode=$3 before after got qps lost wrong
    shift 3
    before=$(cpu_of "$server")
    "$@"
    after=$(cpu_of "$server")
    read -r got qps lost wrong < <(outcome "$rcode")
    ((got > 0)) || { tail -n 20 "$work/run"; fail "$label: no reply"; }
    printf '%s %s %s %s %s\n' "$server-$label" \
        "$(awk -v ns="$((after - before))" -v got="$got" 'BEGIN { printf "%.3f", ns / 1000 / got }')" "$qps" "$lost" "$wrong" |
        tee -a "$work/results"
}

# both NUMBER LABEL TRANSPORT FILE RCODE [OPTIONS]: a pair; of DoH without options by h2load.
both() {
    local number=$1 label=$2 transport=$3 file=$4 rcode=$5 one order=(ours dnsdist)
    shift 5
    ((number % 2)) || order=(dnsdist ours)
    for one in "${order[@]}"; do
        if [ "$transport" = doh ] && ! (($#)); then
            cost "$label" "$one" "$rcode" requests "$one" "$file" -D "$SECONDS_EACH" -c "$CONNECTIONS" \
                -m "$((OUTSTANDING / CONNECTIONS))"
        else
            cost "$label" "$one" "$rcode" perf "$transport" "$one" "$file" "$SECONDS_EACH" "$@"
        fi
    done
}

#------------ What is measured -------------------------------------------------

queries() {
    local number transport of options
    printf '\nqueries on %s kept connections, %s outstanding: run, CPU us/query, replies/s, lost, wrong\n' \
        "$CONNECTIONS" "$OUTSTANDING"
    for number in $(seq "$PAIRS"); do
        for transport in dot doh; do
            for of in "cached NOERROR" "blocked NXDOMAIN"; do
                options=()
                [ "$transport" = doh ] || options=(-c "$CONNECTIONS" -q "$OUTSTANDING")
                both "$number" "$transport-${of% *}" "$transport" "$work/${of% *}" "${of#* }" "${options[@]}"
            done
        done
    done
}

# Each query on a connection of its own; dnsperf resumes no session.
handshakes() {
    local number transport
    printf '\na full handshake and a query each: run, CPU us/handshake, handshakes/s, lost, wrong\n'
    for number in $(seq "$PAIRS"); do
        for transport in dot doh; do
            both "$number" "$transport-handshake" "$transport" "$work/cached" NOERROR \
                -c "$CONNECTIONS" -q "$CONNECTIONS" -O num-queries-per-conn=1
        done
    done
}

# Connections that have asked once and say nothing.
idle() {
    cat >"$work/idle.py" <<'PY'
import socket, ssl, struct, sys, time
port, count = int(sys.argv[1]), int(sys.argv[2])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
question = b"\0\1\1\0\0\1\0\0\0\0\0\0\3www\x09name10-ka\x07example\0\0\1\0\1"
kept = []
for number in range(count):
    # More than one address: a port is taken once for each.
    plain = socket.socket()
    plain.bind((f"127.0.0.{2 + number % 4}", 0))
    plain.connect(("127.0.0.1", port))
    plain.settimeout(30)
    tls = context.wrap_socket(plain)
    tls.sendall(struct.pack("!H", len(question)) + question)
    assert tls.recv(4096)
    kept.append(tls)
print("all open", flush=True)
time.sleep(3600)
PY
    local server before after
    printf '\n%s idle connections of DNS over TLS, each of which has asked once\n' "$IDLE"
    for server in ours dnsdist; do
        before=$(awk '/^VmRSS/ { print $2 }' "/proc/${children[$server]}/status")
        start "idle-$server" 0 python3 "$work/idle.py" "${PORTS[$server-dot]}" "$IDLE"
        until grep -q 'all open' "$work/idle-$server.log"; do
            kill -0 "${children[idle-$server]}" 2>/dev/null || { tail -n 3 "$work/idle-$server.log"; fail "idle: $server"; }
            sleep 0.5
        done
        sleep 2
        after=$(awk '/^VmRSS/ { print $2 }' "/proc/${children[$server]}/status")
        awk -v server="$server" -v kib="$((after - before))" -v count="$IDLE" 'BEGIN {
            printf "%s: %.1f KiB each (%.0f MiB)\n", server, kib / count, kib / 1024 }'
        stop "idle-$server"
        sleep 2
    done
}

# A new certificate each two seconds, while connections come and go.
swap() {
    local number=0 of before after transport
    printf '\na new certificate every two seconds under load\n'
    for transport in dot doh; do
        before=$(grep -c 'a certificate is in use' "$work/ours.log")
        # One outstanding: what dnsperf loses of several is not the server's.
        perf "$transport" ours "$work/cached" 15 -c 1 -q 1 -O num-queries-per-conn=20 &
        of=$!
        while kill -0 "$of" 2>/dev/null; do
            sleep 2
            certificate "next$((++number))"
            # Half of a change is none: the key comes first, and for a moment it is no certificate's.
            mv "$work/next$number.key" "$work/dns.key"
            mv "$work/next$number.crt" "$work/dns.crt"
        done
        wait "$of"
        after=$(grep -c 'a certificate is in use' "$work/ours.log")
        printf '%s: %d certificates taken, %s queries sent, %s replies, %s lost, %s\n' "$transport" "$((after - before))" \
            "$(said 'Queries sent')" "$(said 'Queries completed')" "$(said 'Queries lost')" \
            "$(grep 'Response codes' "$work/run" | tr -s ' ')"
    done
}

# ratios: each kind, ours by dnsdist's, within pairs.
ratios() {
    [ -s "$work/results" ] || return 0
    awk '
        { n = ++runs[$1]; us[$1, n] = $2; qps[$1, n] = $3; lost[$1] += $4; wrong[$1] += $5
          if ($1 ~ /^ours-/ && n == 1) { kinds[++count] = substr($1, 6) } }
        function middle(of, a, b,   k, j, swap, sorted, all) {
            all = runs[a]
            for (k = 1; k <= all; k++) sorted[k] = of[a, k] / (b == "" ? 1 : of[b, k])
            for (k = 2; k <= all; k++)
                for (j = k; j > 1 && sorted[j - 1] > sorted[j]; j--) {
                    swap = sorted[j]; sorted[j] = sorted[j - 1]; sorted[j - 1] = swap }
            low = sorted[1]; high = sorted[all]
            return (sorted[int((all + 1) / 2)] + sorted[int(all / 2) + 1]) / 2 }
        END { printf "\nCPU, ours / dnsdist: median (range); us each; lost and wrong of both\n"
            for (k = 1; k <= count; k++) { a = "ours-" kinds[k]; b = "dnsdist-" kinds[k]
                ratio = middle(us, a, b); least = low; most = high
                printf "%-15s %.3f (%.3f to %.3f)   %.2f / %.2f us   lost %d, %d, wrong %d, %d\n", kinds[k], ratio,
                    least, most, middle(us, a, ""), middle(us, b, ""), lost[a], lost[b], wrong[a], wrong[b] } }' "$work/results"
}

#------------ Main -------------------------------------------------------------

build
kinds
# cached, blocked: 10,000 names each, as dnsperf and as h2load read them.
for kind in cached blocked; do
    awk 'NR <= 10000 { print $1, "A" }' "$work/$kind.txt" >"$work/$kind.ask"
    python3 - "$work/$kind.ask" >"$work/$kind.uri" <<'PY'
import base64, sys
for line in open(sys.argv[1]):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in line.split()[0].split("."))
    query = b"\0\0\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1"
    print("https://localhost/dns-query?dns=" + base64.urlsafe_b64encode(query).decode().rstrip("="))
PY
done
certificate dns
start upstream 0 "$ECHO_SERVER" "$UPSTREAM" --answer
ours
dnsdist
for number in $(seq 600); do
    ! { grep -q ' ready' "$work/ours.log" && (exec 3<>"/dev/tcp/127.0.0.1/${PORTS[dnsdist-doh]}") 2>/dev/null; } || break
    sleep 0.1
done
# Into both caches by each transport; and what DoH answers, which h2load does not look at.
for server in ours dnsdist; do
    perf dot "$server" "$work/cached" 60 -n 1 -Q 4000 -c "$CONNECTIONS" -q "$CONNECTIONS"
    requests "$server" "$work/cached" -n 10000 -c 1 -m 8
    for of in "cached NOERROR" "blocked NXDOMAIN"; do
        perf doh "$server" "$work/${of% *}" 1 -c 1 -q 1
        read -r got _ lost wrong < <(outcome "${of#* }")
        ((got > 0 && lost + wrong == 0)) || { cat "$work/run"; fail "DoH, $server: not ${of#* }"; }
    done
done
printf 'load of the machine before: %s\n' "$(cut -d' ' -f1-3 /proc/loadavg)"
for part in $ONLY; do "$part"; done
ratios
printf '\nload of the machine after: %s\n' "$(cut -d' ' -f1-3 /proc/loadavg)"
