# What benches have in common, to be sourced: names, queries, packs, gateways with all policy on,
# an upstream that has an address for every name, and an end to all of it.
#
# Everything is built with the profile `release`, that of packages.
#
# NAMES     names listed; default 5000000
# LISTS     files of listed names, one a line, that are used before names are made up
# PREPARED  directory for names and packs, made if it is not there: to measure again without
#           building again
# NO_BUILD  set to measure what is built already
# LACHAN    another build of the gateway
# BUILT     directory of what is built; default target/release
#
# The server is on core 1 with one worker, the load generator on core 0, and so is its upstream.
# 127.0.0.1 only.
# shellcheck shell=bash

readonly NAMES=${NAMES:-5000000} LISTS=${LISTS:-}
readonly DNS=5470 ADMIN=5471 UPSTREAM=5472 ECHO=5473
BUILT=${BUILT:-$(realpath -m "${CARGO_TARGET_DIR:-target}")/release}
readonly BUILT LACHAN=${LACHAN:-$BUILT/lachan} LOAD=$BUILT/examples/load ECHO_SERVER=$BUILT/examples/echo

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

#------------ Names ------------------------------------------------------------

# all.txt: NAMES names to list. names.txt: how many of them are from files.
listed() {
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
}

# few.txt: a fifth of the listed names. cached.txt: 10,000 names that are not listed. blocked.txt:
# listed ones, every second with a label in front. mix.txt: what a school asks, 10 % blocked and
# the rest by popularity (Zipf, s = 1) over the 45,000 names of allowed.txt.
kinds() {
    [ -f "$prepared/all.txt" ] || listed
    awk 'NR % 5 == 0' "$prepared/all.txt" >"$work/few.txt"
    awk 'NR % 5 == 0 && ++n <= 500000 { print (n % 2 ? "x." : "") $0, "B" }' "$prepared/all.txt" |
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

#------------ Packs ------------------------------------------------------------

# old.txt and new.txt: names that only one of two policies lists. queries.txt: what a school asks,
# 10 % of it blocked, the rest by popularity (Zipf, s = 1) over 10,000 names, all of them to be in
# the cache; one query in eighty for a name that the policies differ in. asked.txt: each of
# these once.
queries() {
    [ ! -f "$prepared/asked.txt" ] || return 0
    [ -f "$prepared/all.txt" ] || listed
    seq 64 | sed 's/.*/old&.changing-names.org/' >"$prepared/old.txt"
    seq 64 | sed 's/.*/new&.changing-names.org/' >"$prepared/new.txt"
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
}

# old-1.pack, new-1.pack, old-2.pack, new-2.pack: NAMES names each, of which 64 are in the old or in
# the new ones only. The gateway keeps three, so that taken in turn each is new to it.
prepare() {
    [ ! -f "$prepared/ready" ] || return 0
    queries
    local pack turn
    for pack in old new; do
        for turn in 1 2; do
            { cat "$prepared/$pack.txt"; echo "turn$turn.changing-names.org"; } >"$prepared/own.txt"
            "$LACHAN" lists build --out "$prepared/$pack-$turn.pack" --accept 'a bench' \
                --source "adult=$prepared/all.txt" --source "gambling=$prepared/own.txt" \
                >"$prepared/$pack.log" || fail "no $pack.pack: $(tail -n 3 "$prepared/$pack.log")"
        done
    done
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

#------------ Gateways with all policy on --------------------------------------

# full_gateway NAME PORT ADMIN WORKERS LIST CORES [BINARY]: with groups, keywords, SafeSearch and
# all else that is on by default, and with a department, a timetable, a calendar and names of the
# school's own. Those are left out of the one that is called `plain`.
full_gateway() {
    local policy='' profile=''
    mkdir -p "$work/$1"
    cp --reflink=auto "$5" "$work/$1/list.txt"
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
    start "$1" "$6" "${7:-$LACHAN}" serve --config "$work/$1/gateway.toml"
}

# answering NAME PORT LIMIT: waits until it answers a listed name as blocked.
answering() {
    local began=$SECONDS
    head -n 1 "$work/blocked.txt" >"$work/one.txt"
    until "$LOAD" "$2" "$work/one.txt" 0.2 --once 2>/dev/null | awk '
        $1 == "got" { got = $2 } $1 == "wrong" || $1 == "failed" { bad += $2 }
        END { exit !(got == 1 && !bad) }'; do
        kill -0 "${children[$1]}" 2>/dev/null || { tail -n 5 "$work/$1.log"; fail "$1 ended"; }
        [ $((SECONDS - began)) -lt "$3" ] || fail "$1 is not ready after $3 s"
        sleep 0.5
    done
    printf '%-12s ready after %3d s, resident %s\n' "$1" $((SECONDS - began)) "$(resident "$1")"
}

# resident NAME: its memory, and how much of that is pages of files, which are shared and can be dropped.
resident() {
    awk '/^VmRSS/ { all = $2 } /^RssFile/ { file = $2 }
        END { printf "%.0f MiB (%.0f of files)", all / 1024, file / 1024 }' \
        "/proc/${children[$1]}/status"
}

# cpu_of NAME: nanoseconds of all its threads so far.
cpu_of() {
    cat /proc/"${children[$1]}"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

# measured LABEL NAME PORT FILE SECONDS [RATE]: one run; a line, which `results` gets too:
# LABEL, CPU us/query, replies/s, p50, p99, p99.9 us, lost, wrong, sent.
measured() {
    local before after rate=()
    [ -z "${6:-}" ] || rate=(--rate "$6")
    before=$(cpu_of "$2")
    taskset -c 0 "$LOAD" "$3" "$work/$4" "$5" "${rate[@]}" >"$work/run"
    after=$(cpu_of "$2")
    awk -v label="$1" -v ns="$((after - before))" '{ v[$1] = $2 }
        END { if (!v["got"]) exit 1
            printf "%s %.3f %d %d %d %d %d %d %d\n", label, ns / 1000 / v["got"], v["qps"],
                v["p50"], v["p99"], v["p999"], v["lost"], v["wrong"] + v["failed"], v["sent"] }' \
        "$work/run" | tee -a "$work/results" || fail "$1: no reply"
}

# warm PORT: puts what is asked for into the cache, slowly, so that what is measured are hits.
warm() {
    for _ in 1 2; do "$LOAD" "$1" "$work/allowed.txt" 30 --once --rate 10000 >"$work/primed"; done
}

# echo_run LABEL FILE SECONDS: the same queries to the echo server, which judges nothing.
echo_run() {
    start echo 1 "$ECHO_SERVER" "$ECHO"
    sleep 0.3
    measured "$1" echo "$ECHO" "$2" "$3" | sed 's/$/ (not judged)/'
    stop echo
}
