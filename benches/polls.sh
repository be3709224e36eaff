#!/usr/bin/env bash
# What a look at a repository costs a department's link, and how long an order takes: one gateway, a real
# nginx and a real name server, at both ends of a veth.
#
#   sudo benches/polls.sh      3 minutes
#
# POLLS     polls that are measured for each figure; default 30
# LACHAN    the program; default target/release/lachan, built here
#
# It fails where a poll without news has more than 1,500 octets of HTTP or, with TLS, 6,000 on the veth, and
# where the order takes more than two minutes.
#
# Octets by nginx are `$bytes_sent` and `$request_length`: HTTP both ways, without TLS. Octets by the veth are
# whole frames both ways, with TCP, TLS and the questions for the server's addresses. Needs root, iproute2,
# nginx, nsd, openssl, dig.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly POLLS=${POLLS:-30}
[ -n "${LACHAN:-}" ] || cargo build --release --bin lachan
LACHAN=$(realpath "${LACHAN:-${CARGO_TARGET_DIR:-target}/release/lachan}")
readonly LACHAN OFFICE=lachan-office-$$ SCHOOL=lachan-school-$$
work=$(mktemp -d)
children=()
cleanup() {
    for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
    wait || true
    ip netns delete "$OFFICE" 2>/dev/null || true
    ip netns delete "$SCHOOL" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
school() { ip netns exec "$SCHOOL" "$@"; }

#------------ Two ends ---------------------------------------------------------

ip netns add "$OFFICE"
ip netns add "$SCHOOL"
ip link add name up netns "$SCHOOL" type veth peer name down netns "$OFFICE"
for end in "$OFFICE down 1" "$SCHOOL up 2"; do
    read -r where link number <<<"$end"
    ip netns exec "$where" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
    ip netns exec "$where" ip address add "10.77.0.$number/24" dev "$link"
    # A frame is counted as it would be on a wire: none of several segments.
    ip netns exec "$where" ip link set dev "$link" up gso_max_segs 1
    ip netns exec "$where" ip link set dev lo up
done

mkdir "$work/zones" "$work/state"
: >"$work/access.log"
# zone TEXT: the department's zone, whose record says TEXT.
zone() {
    cat >"$work/zones/releases.example.zone" <<ZONE
\$ORIGIN releases.example.
\$TTL 300
@        SOA ns root $(date +%s) 3600 600 86400 30
@        NS  ns
ns       A   10.77.0.1
@        A   10.77.0.1
_lachan 30 TXT "$1"
ZONE
}
zone 1
cat >"$work/nsd.conf" <<NSD
server:
    ip-address: 10.77.0.1@53
    server-count: 1
    username: ""
    zonesdir: "$work/zones"
    database: ""
    pidfile: "$work/nsd.pid"
    xfrdfile: "$work/xfrd.state"
    xfrdir: "$work"
    zonelistfile: "$work/zone.list"
remote-control:
    control-enable: no
zone:
    name: releases.example
    zonefile: releases.example.zone
NSD
ip netns exec "$OFFICE" nsd -d -c "$work/nsd.conf" >"$work/nsd.log" 2>&1 &
children+=("$!")

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca \
    -keyout "$work/ca.key" -out "$work/ca.pem" 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=releases.example \
    -keyout "$work/leaf.key" -out "$work/leaf.csr" 2>/dev/null
openssl x509 -req -in "$work/leaf.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -days 2 \
    -extfile <(printf 'subjectAltName=DNS:releases.example') -out "$work/leaf.pem" 2>/dev/null
cat >"$work/nginx.conf" <<NGINX
user root; daemon off; worker_processes 1; pid $work/nginx.pid; error_log $work/nginx.log;
events { worker_connections 64; }
http {
    log_format octets '\$status \$bytes_sent \$request_length \$uri';
    access_log $work/access.log octets;
    types { application/json json; }
    default_type application/octet-stream;
    gzip on; gzip_types application/json; server_tokens off;
    ssl_certificate $work/leaf.pem; ssl_certificate_key $work/leaf.key;
    server { listen 10.77.0.1:80; listen 10.77.0.1:443 ssl; root $work/repository; }
}
NGINX
(
    cd "$work"
    printf 'casino.example\nbet.example\n' >games.txt
    "$LACHAN" lists build --out new.pack --source games=games.txt
    for key in a b c officer second online; do "$LACHAN" publish key "$key"; done
    "$LACHAN" publish init repository --root a --root b --root c.pub --officer officer \
        --officer second.pub --online online
    "$LACHAN" publish release repository --new new.pack --officer officer --online online
    "$LACHAN" publish rollout repository --online online --release 1 --ring all=now:100%
    cp repository/1.root.json root.json
) >"$work/said" || { cat "$work/said"; exit 1; }
ip netns exec "$OFFICE" nginx -c "$work/nginx.conf" &
children+=("$!")

#------------ One gateway ------------------------------------------------------

# gateway SETTINGS…: starts it with lines of [update].
gateway() {
    printf '%s\n' '[school]' 'id = "school-0001"' '[listen]' 'dns = ["127.0.0.1:5300"]' '[admin]' \
        'listen = "127.0.0.1:9153"' '[upstream]' 'servers = ["udp://10.77.0.1:53"]' '[lists]' \
        "tls_roots = \"$work/ca.pem\"" '[state]' "dir = \"$work/state\"" '[update]' \
        "root = \"$work/root.json\"" "$@" >"$work/gateway.toml"
    ip netns exec "$SCHOOL" "$LACHAN" serve --config "$work/gateway.toml" >"$work/gateway.log" 2>&1 &
    children+=("$!")
    gateway=$!
}
stop() {
    kill "$gateway"
    wait "$gateway" || true
}
polls() { wc -l <"$work/access.log"; }
# wait_for_polls NUMBER: so many more.
wait_for_polls() {
    local wanted=$(($(polls) + $1))
    for _ in $(seq 1200); do
        (($(polls) < wanted)) || return 0
        sleep 0.1
    done
    cat "$work/gateway.log" "$work/nginx.log"
    exit 1
}
frames() { school cat /sys/class/net/up/statistics/{rx,tx}_bytes | awk '{ all += $1 } END { print all }'; }

# measure LABEL URL: octets of a poll without news.
measure() {
    local before count octets from
    gateway "urls = [\"$2\"]" 'every = "1s"'
    # The first ones bring the release, and the first session.
    wait_for_polls 14
    from=$(polls) before=$(frames)
    wait_for_polls "$POLLS"
    sleep 0.3
    count=$(($(polls) - from)) octets=$(($(frames) - before))
    tail -n +$((from + 1)) "$work/access.log" | awk -v label="$1" -v frames="$octets" -v count="$count" '
        $1 != 304 { other++ } { sent += $2; received += $3 }
        END { printf "%-14s %d polls, %d not 304; HTTP %.0f octets a poll, veth %.0f octets a poll\n", label, count,
            other, (sent + received) / count, frames / count
            printf "%-14s a day of hourly polls: HTTP %.1f kB a school and %.1f MB for 2,000; veth %.1f kB and %.1f MB\n",
            "", (sent + received) / count * 24 / 1e3, (sent + received) / count * 48000 / 1e6, frames / count * 24 / 1e3,
            frames / count * 48000 / 1e6
            if (other || (sent + received) / count > 1500 || frames / count > 6000) exit 1 }'
    stop
    rm -rf "$work/state/releases"
}
measure HTTP http://10.77.0.1/
measure HTTPS https://releases.example/

#------------ An order, with hourly polls and the record -----------------------

gateway 'urls = ["https://releases.example/"]' 'every = "1h"' 'nudge = "_lachan.releases.example"'
sleep 70
began=$(date +%s)
(
    cd "$work"
    "$LACHAN" publish emergency add repository scam.example --category fraud --document 1/A05 --authority A05 \
        --reason bank --days 1 --officer officer --online online
) >"$work/said"
zone 2
kill -HUP "$(cat "$work/nsd.pid")"
until school dig @127.0.0.1 -p 5300 +tries=1 +time=1 scam.example | grep -q 'EDE: 15'; do
    (($(date +%s) - began < 300)) || { cat "$work/gateway.log"; exit 1; }
    sleep 0.5
done
took=$(($(date +%s) - began))
printf 'an order, from its signing to a block at a gateway that polls each hour: %s s\n' "$took"
((took <= 120))
