#!/usr/bin/env bash
# What a release costs: octets of its full list and of a day's difference, and time and memory of a
# gateway that takes them.
#
#   LISTS='a.txt b.txt' benches/releases.sh      5 minutes
#   LISTS=… NAMES=5500000 JUMP=2200000 benches/releases.sh
#
# LISTS     files of listed names, one a line, each a source; default: names made up
# NAMES     names in all: more than LISTS have are made of theirs; default 1500000
# CHURN     share of names that differ between two releases, in tenths of a percent; default 5
# JUMP      names of these that one source has in the second release only; default 0
# LACHAN    the program; default target/release/lachan, built here
#
# The gateway's side is `lachan lists update`, as it is done where no gateway runs: verify, difference or
# full list, compile, compare digests, rehearse, on one core at the lowest priority. Needs GNU time and
# python3 and zstd.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly NAMES=${NAMES:-1500000} CHURN=${CHURN:-5} JUMP=${JUMP:-0} LISTS=${LISTS:-}
tree=$PWD
# shellcheck source=benches/support/department.sh
. benches/support/department.sh
[ -n "${LACHAN:-}" ] || cargo build --release --bin lachan
LACHAN=$(realpath "${LACHAN:-${CARGO_TARGET_DIR:-target}/release/lachan}")
readonly LACHAN tree
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# timed LABEL COMMAND…: its seconds, processor and peak memory.
timed() {
    local label=$1
    shift
    env time -f "%e %U %S %M" -o time "$@" >said 2>&1 || { cat said; exit 1; }
    awk -v label="$label" '{ printf "%-34s %7.1f s  %7.1f s of a core  %7.1f MiB at most\n", label, $1, $2 + $3, $4 / 1024 }' time
}

listed_names
two_days
(cd old && timed 'lists build, the first day' "$LACHAN" lists build --out ../old.pack --accept bench "${sources[@]}")
(cd new && timed 'lists build, the next day' "$LACHAN" lists build --out ../new.pack --accept bench "${sources[@]}")

keys
for pack in old new; do
    release "$pack.pack"
    grep 'is signed' said
done

mkdir school
printf '[school]\nid = "a"\n[state]\ndir = "state"\n[update]\nroot = "root.json"\n' >school/gateway.toml
cp repository/1.root.json school/root.json
for serial in 1 2; do
    rollout "$serial"
    way=$([ "$serial" = 1 ] && echo 'the full list' || echo 'the difference')
    timed "a gateway takes $way" taskset -c 0 nice -n 19 "$LACHAN" lists update school/gateway.toml \
        --from repository
done
# The list's own text: what is made up is to be packed as a real one is.
for list in repository/targets/lists/*.full.zst; do
    printf '%s: %d octets of %d\n' "$(basename "$list" | cut -d. -f2-)" "$(stat -c %s "$list")" \
        "$(zstd -dc --long=23 "$list" | wc -c)"
done | awk '{ printf "%s, %.4f\n", $0, $2 / $5 }'
for pack in old new; do "$LACHAN" lists inspect "$pack.pack" | head -n 1; done
