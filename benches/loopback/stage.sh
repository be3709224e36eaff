# What benches have in common, to be sourced: names, packs, a gateway with all policy on, an
# upstream that has an address for every name, and an end to all of it.
#
# NAMES     names listed; default 5000000
# LISTS     files of listed names, one a line, that are used before names are made up
# PREPARED  directory for names and packs, made if it is not there: to measure again without
#           building again
# NO_BUILD  set to measure what is built already
# LACHAN    another build of the gateway
#
# The server is on core 1 with one worker, the load generator on core 0, and so is its upstream.
# 127.0.0.1 only.
# shellcheck shell=bash

readonly NAMES=${NAMES:-5000000} LISTS=${LISTS:-}
readonly DNS=5470 ADMIN=5471 UPSTREAM=5472
readonly LACHAN=${LACHAN:-$PWD/target/release/lachan} LOAD=$PWD/target/release/examples/load
readonly ECHO_SERVER=$PWD/target/release/examples/echo

work=$(mktemp -d)
prepared=${PREPARED:-$work/prepared}
declare -A children=()

cleanup() {
    for child in "${children[@]}"; do kill -CONT "$child" && kill "$child"; done 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

fail() {
    printf 'FAILED: %s\n' "$1" >&2
    exit 1
}

build() {
    [ "$(nproc)" -ge 2 ] || fail 'two cores are needed'
    [ -n "${NO_BUILD:-}" ] || cargo build --release --bin lachan --examples
}

#------------ Names and packs --------------------------------------------------

# old-1.pack, new-1.pack, old-2.pack, new-2.pack: NAMES names each, of which 64 are in the old or in
# the new ones only. The gateway keeps three, so that taken in turn each is new to it. names.txt:
# how many names are from files. queries.txt: what a school asks, 10 % of it blocked, the rest by
# popularity (Zipf, s = 1) over 10,000 names, all of them to be in the cache; one query in
# eighty for a name that the packs differ in. asked.txt: each of these once.
prepare() {
    [ ! -f "$prepared/ready" ] || return 0
    mkdir -p "$prepared"
    # The files hold a name a line, in lower case, as the lists of this project do.
    { [ -z "$LISTS" ] || cat $LISTS; } | awk -v count="$NAMES" -v told="$prepared/names.txt" '
        BEGIN { srand(1) }
        /^[a-z0-9._-]+\.[a-z0-9-]+$/ && n < count && !($0 in seen) { seen[$0]; n++; print }
        END {
            print n + 0, "of", count, "from files" >told
            for (; n < count; n++) {
                name = ""
                for (size = 6 + int(rand() * 9); size > 0; size--)
                    name = name sprintf("%c", 97 + int(rand() * 26))
                print name n % 7 (rand() < 0.2 ? ".com.vn" : ".com")
            }
        }' >"$prepared/all.txt"
    seq 64 | sed 's/.*/old&.changing-names.org/' >"$prepared/old.txt"
    seq 64 | sed 's/.*/new&.changing-names.org/' >"$prepared/new.txt"
    local pack turn
    for pack in old new; do
        for turn in 1 2; do
            { cat "$prepared/$pack.txt"; echo "turn$turn.changing-names.org"; } >"$prepared/own.txt"
            "$LACHAN" lists build --out "$prepared/$pack-$turn.pack" --accept 'a bench' \
                --source "adult=$prepared/all.txt" --source "gambling=$prepared/own.txt" \
                >"$prepared/$pack.log" || fail "no $pack.pack: $(tail -n 3 "$prepared/$pack.log")"
        done
    done
    awk 'BEGIN { for (n = 0; n < 10000; n++)
        printf "www.name%d-%c%c.example A\n", n, 97 + n % 26, 97 + n % 25 }' >"$prepared/allowed.txt"
    awk 'NR % 900 == 0 { print (++n % 2 ? "x." : "") $0, "B" }' "$prepared/all.txt" >"$prepared/blocked.txt"
    # By turns, so that a change of either is seen soon.
    paste -d '\n' <(sed 's/$/ BA/' "$prepared/old.txt") <(sed 's/$/ AB/' "$prepared/new.txt") \
        >"$prepared/changing.txt"
    awk 'BEGIN { srand(3) }
        FILENAME ~ /allowed/ { allowed[n++] = $0; next }
        FILENAME ~ /blocked/ { blocked[m++] = $0; next }
        { changing[c++] = $0 }
        END { for (q = 0; q < 200000; q++)
            if (q % 80 == 0) print changing[q / 80 % c]
            else if (rand() < 0.1) print blocked[int(rand() * m)]
            else print allowed[int(exp(rand() * log(n)))] }' \
        "$prepared/allowed.txt" "$prepared/blocked.txt" "$prepared/changing.txt" >"$prepared/queries.txt"
    { cat "$prepared/allowed.txt"; sed 's/ .*/ -/' "$prepared/changing.txt"; } >"$prepared/asked.txt"
    touch "$prepared/ready"
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

# config [LINES]: a gateway with groups, keyword rules, SafeSearch and all else that is on by
# default; its lists come in packs. LINES go into the profile of the group that asks,
# UPSTREAM_CONFIG and CONFIG into [upstream] and below [lists].
config() {
    cat <<TOML
default_group = "pupils"
[school]
level = "lower-secondary"
[listen]
dns = ["127.0.0.1:$DNS"]
workers = 1
[admin]
listen = "127.0.0.1:$ADMIN"
[upstream]
servers = ["udp://127.0.0.1:$UPSTREAM"]
${UPSTREAM_CONFIG:-}
[state]
dir = "$work/state"
[lists]
packs = "$work/packs"
${CONFIG:-}
[profile.lab]
level = "primary"
${1:-}
[[group]]
name = "pupils"
clients = ["10.0.0.0/8"]
[[group]]
name = "lab"
clients = ["127.0.0.0/8"]
profile = "lab"
[[group]]
name = "staff"
clients = ["10.9.0.0/16"]
level = "staff"
TOML
}

# gateway [CORES]: serves old-1.pack.
gateway() {
    mkdir -p "$work/packs"
    [ -f "$work/packs/1.pack" ] || cp "$prepared/old-1.pack" "$work/packs/1.pack"
    config >"$work/gateway.toml"
    start upstream 0 "$ECHO_SERVER" "$UPSTREAM" --answer
    gateway_began=$(date +%s%N)
    start gateway "${1:-1}" "$LACHAN" serve --config "$work/gateway.toml"
    until grep -q ' ready$' <(told); do
        kill -0 "${children[gateway]}" 2>/dev/null || { told | tail -n 5; fail 'the gateway ended'; }
        sleep 0.1
    done
}

# The gateway's log, without its colours.
told() {
    sed 's/\x1b\[[0-9;]*m//g' "$work/gateway.log"
}

# Puts the answers into the cache: slowly, so that what is measured afterwards are hits.
prime() {
    for _ in 1 2; do
        taskset -c 0 "$LOAD" "$DNS" "$prepared/asked.txt" 60 --once --rate 5000 >"$work/primed"
    done
}

# metric NAME: its value; of one without labels, or of the series as it is written.
metric() {
    curl -s "http://127.0.0.1:$ADMIN/metrics" | awk -v name="$1" '$1 == name { print $2 }'
}

# value KEY FILE: of the load generator's lines.
value() {
    awk -v key="$1" '$1 == key { print $2 }' "$2"
}
