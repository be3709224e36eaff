#!/usr/bin/env bash
# What memory the gateway takes: at the start, with a cache that is full of different answers, after
# one change of lists and after ten; and how long a start takes.
#
#   benches/memory.sh                  about 3 minutes, of which 1 builds names and packs
#
# SWAPS     changes of lists; default 10
# NAMES, LISTS, PREPARED, NO_BUILD   see benches/loopback/stage.sh. LISTS alone, whatever its size:
#           NAMES=0 LISTS=… benches/memory.sh
#
# From /proc/PID/smaps. `anon` is what the program has for itself, `program` its own file's pages,
# `packs` those of the mapped packs: they are the page cache's too, shared by all who map
# them, and can be dropped and read again. `must` is anon, program, and the part of the packs in use that
# every look-up goes through (filter, index, lines without their names). All in MiB.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly SWAPS=${SWAPS:-10}
if [ "${NAMES:-}" = 0 ]; then NAMES=$(cat $LISTS | wc -l); fi
# shellcheck source=benches/loopback/stage.sh
. benches/loopback/stage.sh

# octets SECTION: of the packs in use.
hot() {
    local pack
    for pack in $(awk '/\/state\/packs\// { print $NF }' "/proc/${children[gateway]}/maps" | sort -u); do
        "$LACHAN" lists inspect "$pack"
    done | awk '$1 == "filter" || $1 == "wide" { sum += $2 } $1 == "index" { sum += $2 + $2 / 4 * 60 }
        END { printf "%.0f\n", sum }'
}

# memory LABEL: a line of what there is now.
memory() {
    awk -v label="$1" -v hot="$(hot)" -v cached="$(metric lachan_cache_bytes)" -v program="$LACHAN" '
        /^[0-9a-f]+-[0-9a-f]+ / { path = $6 }
        $1 == "Rss:" { rss += $2; if (path ~ /\/state\/packs\//) packs += $2; else if (path == program) own += $2
            else if (path ~ /^\//) other += $2 }
        $1 == "Pss:" { pss += $2 }
        $1 == "Anonymous:" { anon += $2; if (path == program) own -= $2
            else if (path ~ /^\// && path !~ /\/state\/packs\//) other -= $2 }
        END { printf "%-22s %7.1f %7.1f %7.1f %7.1f %7.1f %9.1f %7.1f\n", label, rss / 1024, pss / 1024,
            anon / 1024, (own + other) / 1024, packs / 1024, cached / 1048576,
            (anon + own + other) / 1024 + hot / 1048576 }' "/proc/${children[gateway]}/smaps"
}

# ready LABEL: how long from exec to the log's own `ready`.
began() {
    local log
    log=$(told | awk '/ ready$/ { print $1; exit }')
    printf 'start %s: ready after %d ms, CPU %s\n' "$1" \
        "$((($(date -d "$log" +%s%N) - gateway_began) / 1000000))" \
        "$(awk '{ printf "%.2f s", ($14 + $15) / 100 }' "/proc/${children[gateway]}/stat")"
}

change() {
    local before
    before=$(metric lachan_policy_generation)
    cp "$prepared/$1.pack" "$work/next"
    mv "$work/next" "$work/packs/$(($2 + 1)).pack"
    # Somebody asks meanwhile.
    taskset -c 0 "$LOAD" "$DNS" "$prepared/queries.txt" 2 --rate 5000 >"$work/run"
    until [ "$(metric lachan_policy_generation)" -gt "$before" ]; do sleep 0.1; done
    rm -f "$work/packs/$2.pack"
    # The old policy is freed when nobody has it any more.
    sleep 2.5
}

build
prepare
printf 'names: %s; %s\n' "$(cat "$prepared/names.txt")" "$(grep 'a name' "$prepared/old.log")"
gateway
began 'with nothing kept'
stop gateway
stop upstream
gateway
began 'with the pack verified before'
printf '\n%-22s %7s %7s %7s %7s %7s %9s %7s\n' MiB rss pss anon program packs 'in cache' must
memory start
prime
memory 'in use'
# Three times what the cache holds, each another name.
seq 600000 | sed 's/.*/cached&.full-cache-names.org A/' >"$work/fill.txt"
taskset -c 0 "$LOAD" "$DNS" "$work/fill.txt" 120 --once --rate 20000 >"$work/filled"
memory 'cache full'
change new-1 1
memory 'after a change'
packs=(old-2 new-2 old-1 new-1)
for turn in $(seq 2 "$SWAPS"); do change "${packs[(turn - 2) % 4]}" "$turn"; done
memory "after $SWAPS changes"
printf 'fill: %s lost, %s failed of %s; entries %s; threads %s\n' "$(value lost "$work/filled")" \
    "$(value failed "$work/filled")" "$(value sent "$work/filled")" "$(metric lachan_cache_entries)" \
    "$(find "/proc/${children[gateway]}/task" -mindepth 1 -maxdepth 1 | wc -l)"
