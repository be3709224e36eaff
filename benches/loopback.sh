#!/usr/bin/env bash
# What a query costs over loopback: CPU µs of the server for each reply, beside two echo
# servers that only send the datagram back, measured in the same rounds.
#
#   cargo build --release && benches/loopback.sh
#
# LACHAN_TOOLS   directory with `loadgen.c` (the load generator) and `echo.c`; default ../shared/tools
# LACHAN_SHARED  directory with the real lists; default ../shared. Names are made up without it.
# ROUNDS         rounds, of which the best is shown; default 5
# SECONDS_EACH   length of one run; default 3
#
# Server and echo run on core 1 with one worker, the load generator on core 0: two cores are
# needed. 127.0.0.1 only, and every process ends with this script.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly TOOLS=${LACHAN_TOOLS:-../shared/tools} SHARED=${LACHAN_SHARED:-../shared}
readonly ROUNDS=${ROUNDS:-5} SECONDS_EACH=${SECONDS_EACH:-3}
readonly DNS=5390 UPSTREAM=5391 ADMIN=5393 ECHO=5399
readonly LACHAN=$PWD/target/release/lachan
readonly LISTS=(adult gambling malware-phishing)
TICKS=$(getconf CLK_TCK)
readonly TICKS

work=$(mktemp -d)
declare -A children=()

cleanup() {
    for child in "${children[@]}"; do
        kill "$child" 2>/dev/null || true
    done
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

# The lists as text, and popular names: real ones, or as many of the same shape.
lists() {
    local list
    if [ -f "$SHARED/data/lists/popular/combined-popular.txt.zst" ]; then
        for list in "${LISTS[@]}"; do
            zstd -qdc "$SHARED/data/lists/categories/$list.txt.zst" >"$work/$list.txt"
        done
        zstd -qdc "$SHARED/data/lists/popular/combined-popular.txt.zst" >"$work/popular.txt"
        printf 'lists: real\n'
    else
        printf 'lists: SYNTHETIC (no %s)\n' "$SHARED/data/lists"
        made_up 1 92000 >"$work/adult.txt"
        made_up 2 100000 >"$work/gambling.txt"
        made_up 3 480000 >"$work/malware-phishing.txt"
        made_up 4 50000 >"$work/popular.txt"
    fi
    for list in "${LISTS[@]}"; do cat "$work/$list.txt"; done >"$work/listed.txt"
}

made_up() {
    awk -v seed="$1" -v count="$2" 'BEGIN {
        srand(seed)
        for (n = 0; n < count; n++) {
            name = ""
            for (length_ = 6 + int(rand() * 9); length_ > 0; length_--)
                name = name sprintf("%c", 97 + int(rand() * 26))
            print name (rand() < 0.2 ? ".com.vn" : ".com")
        }
    }'
}

# blocked.txt: up to 500,000 listed names, every second with a label in front.
# cached.txt:  10,000 popular names that no list covers.
# mix.txt:     100,000 queries, 10 % blocked, the rest cached names by popularity (Zipf, s = 1).
queries() {
    awk 'BEGIN { srand(1) } { print rand() "\t" $0 }' "$work/listed.txt" | LC_ALL=C sort |
        awk 'NR <= 500000 { print (NR % 2 ? "" : "x.") $2, "A B" }' >"$work/blocked.txt"
    awk 'NR == FNR { listed[$0]; next }
        { for (name = $0; ; name = substr(name, dot + 1)) {
              if (name in listed) next
              if (!(dot = index(name, "."))) break
          } }
        # Single labels, special-use names and canaries have answers of their own.
        !/\./ || /\.(arpa|local|internal|test|onion|alt|invalid|localhost)$/ { next }
        /(^|\.)(mask(-h2|-canary)?\.icloud\.com|use-application-dns\.net|googlezip\.net)$/ { next }
        count++ < 10000 { print $0, "A A" }' "$work/listed.txt" "$work/popular.txt" >"$work/cached.txt"
    awk 'BEGIN { srand(2) }
        NR == FNR { cached[n++] = $0; next }
        FNR <= 5000 { blocked[m++] = $0 }
        END { for (q = 0; q < 100000; q++)
            print rand() < 0.1 ? blocked[int(rand() * m)] : cached[int(exp(rand() * log(n)))] }' \
        "$work/cached.txt" "$work/blocked.txt" >"$work/mix.txt"
}

#------------ Processes --------------------------------------------------------

# start NAME CORE COMMAND…: in the background; `children[NAME]` is its process.
start() {
    local name=$1 core=$2
    shift 2
    taskset -c "$core" "$@" >"$work/$name.log" 2>&1 &
    children[$name]=$!
}

stop() {
    local pid=${children[$1]}
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    unset "children[$1]"
}

config() {
    printf '[listen]\ndns = ["127.0.0.1:%s"]\nworkers = 1\n' "$DNS"
    printf '[admin]\nlisten = "127.0.0.1:%s"\n' "$ADMIN"
    printf '[upstream]\nservers = ["udp://127.0.0.1:%s"]\n[lists]\nstarter = false\n' "$UPSTREAM"
    for list in "${LISTS[@]}"; do
        printf '[[lists.source]]\ncategory = "%s"\npath = "%s.txt"\n' "${list%%-*}" "$list"
    done
}

# Starts the gateway; says how long it took from exec to `ready`, and what memory.
gateway() {
    local began ready
    began=$(date +%s%N)
    start gateway 1 "$LACHAN" serve --config "$work/gateway.toml"
    for _ in $(seq 600); do
        ! grep -q ' ready$' "$work/gateway.log" || break
        sleep 0.05
    done
    # The log's own time: this loop looks only now and then.
    ready=$(sed 's/\x1b\[[0-9;]*m//g' "$work/gateway.log" | awk '/ ready$/ { print $1; exit }')
    [ -n "$ready" ] || { cat "$work/gateway.log"; fail 'the gateway is not ready'; }
    printf 'start: ready after %d ms; ' "$((($(date -d "$ready" +%s%N) - began) / 1000000))"
    awk '/^VmHWM/ { printf "peak %.1f MiB, ", $2 / 1024 } /^VmRSS/ { printf "resident %.1f MiB\n", $2 / 1024 }' \
        "/proc/${children[gateway]}/status"
}

# cpu PID: user and system time of all its threads so far, in ticks.
cpu() {
    awk '{ sub(/^.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"
}

# load NAME PORT FILE PROCESS: one run; appends `NAME µs/query replies/s lost% mismatches` to results.
load() {
    local pid=${children[$4]} before after json
    before=$(cpu "$pid")
    json=$(taskset -c 0 "$work/loadgen" -d "$work/$3" -p "$2" -q 0 -w 200 -l "$SECONDS_EACH")
    after=$(cpu "$pid")
    awk -v name="$1" -v ticks="$((after - before))" -v hz="$TICKS" -v json="$json" '
        function field(key) { match(json, "\"" key "\":[0-9.]+")
            return substr(json, RSTART + length(key) + 3, RLENGTH - length(key) - 3) + 0 }
        BEGIN { if (!field("got")) exit 1
            printf "%s %.3f %d %.4f %d\n", name, ticks / hz * 1e6 / field("got"),
                field("qps"), field("loss_pct"), field("mismatch") + field("badq") }' |
        tee -a "$work/results" || fail "$1: no reply"
}

echo_server() {
    start echo 1 "$work/echo" -p "$ECHO" "$@"
    sleep 0.3
}

#------------ Main -------------------------------------------------------------

[ -x "$LACHAN" ] || fail "no $LACHAN; run cargo build --release first"
[ -f "$TOOLS/loadgen.c" ] || fail "no $TOOLS/loadgen.c; set LACHAN_TOOLS"
[ "$(nproc)" -ge 2 ] || fail 'two cores are needed'
gcc -O2 -march=native -w -o "$work/loadgen" "$TOOLS/loadgen.c"
gcc -O2 -march=native -w -pthread -o "$work/echo" "$TOOLS/echo.c"
lists
queries
config >"$work/gateway.toml"
start upstream 0 "$work/echo" -p "$UPSTREAM" -m plain -A
gateway
for _ in 2 3; do
    stop gateway
    gateway
done
# Fills the cache, slowly: what is measured afterwards must be hits.
for _ in 1 2; do
    taskset -c 0 "$work/loadgen" -d "$work/cached.txt" -p "$DNS" -q 5000 -l 10 -o >"$work/primed"
done

printf '\nrun, CPU us/query, replies/s, lost %%, wrong\n'
for round in $(seq "$ROUNDS"); do
    printf -- '-- round %s, load %s\n' "$round" "$(cut -d' ' -f1 /proc/loadavg)"
    echo_server -m mmsg -b 64
    load echo-batched "$ECHO" cached.txt echo | sed 's/ [0-9]*$/ -/'
    stop echo
    echo_server -m plain
    load echo-plain "$ECHO" cached.txt echo | sed 's/ [0-9]*$/ -/'
    stop echo
    load blocked "$DNS" blocked.txt gateway
    load cached "$DNS" cached.txt gateway
    load mix "$DNS" mix.txt gateway
done

printf '\nbest of %s:\n' "$ROUNDS"
awk '
    !($1 in best) || $2 < best[$1] { best[$1] = $2 }
    !($1 in seen) { seen[$1]; order[n++] = $1 }
    $1 !~ /^echo/ && ($4 > 0.1 || $5 > 0) { bad = bad "\n" $0 }
    END {
        printf "%-14s %9s %16s %16s\n", "", "us/query", "of echo-plain", "of echo-batched"
        for (i = 0; i < n; i++) printf "%-14s %9.2f %15.2fx %15.2fx\n", order[i], best[order[i]],
            best[order[i]] / best["echo-plain"], best[order[i]] / best["echo-batched"]
        if (bad) { print "LOST OR WRONG:" bad; exit 1 }
    }' "$work/results"
