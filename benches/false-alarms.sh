#!/usr/bin/env bash
# False alarms of the lint: releases of real lists, one after the other as they were published, in
# weeks of which no accident is known. Each finding that refuses one of them is a false alarm.
#
#   benches/false-alarms.sh DIR        about a minute for 18 lists of 200,000 names
#
# DIR has a directory for each list, with its versions: the first in the order of their names is the
# newest, or with ORDER=oldest the oldest. `.zst` and `.gz` are unpacked.
#
# CATEGORY   of a directory whose name tells none (gambling, malware, adult …); default ads_trackers
# POPULAR    a file of popular names beside the embedded ones
# NO_BUILD   set to measure what is built already
# LACHAN     another build of the program
set -euo pipefail
dir=$(realpath -e "${1:?give a directory of lists and their versions}")
cd "$(dirname "$0")/.."
lachan=${LACHAN:-$(realpath -m "${CARGO_TARGET_DIR:-target}")/release/lachan}
[ -n "${NO_BUILD:-}${LACHAN:-}" ] || cargo build --release --bin lachan
popular=()
[ -z "${POPULAR:-}" ] || popular=(--popular "$(realpath -e "$POPULAR")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

category_of() {
    case $1 in
        *gambling*) echo gambling ;;
        *malware* | *threat*) echo malware ;;
        *phishing* | *fraud* | *scam*) echo fraud ;;
        *adult* | *porn*) echo adult ;;
        *) echo "${CATEGORY:-ads_trackers}" ;;
    esac
}

unpack() {
    case $1 in
        *.zst) zstd -dc "$1" ;;
        *.gz) gzip -dc "$1" ;;
        *) cat "$1" ;;
    esac
}

built=0 judged=0 refused=0 alarms=0 notes=0
for list in "$dir"/*/; do
    list=${list%/} name=$(basename "$list") old=''
    [ "${ORDER:-}" = oldest ] && order=() || order=(-r)
    while read -r version; do
        # The same file each time, as a department downloads it.
        unpack "$list/$version" >"$work/list.txt"
        built=$((built + 1)) new=$work/$((built % 2)).pack
        "$lachan" lists build --out "$new" --source "$(category_of "$name")=$work/list.txt" \
            --accept 'only the lint of the release is measured' >/dev/null
        if [ -n "$old" ]; then
            code=0
            "$lachan" publish lint --old "$old" --new "$new" "${popular[@]}" --json >"$work/report" || code=$?
            [ "$code" = 0 ] || [ "$code" = 3 ] || exit "$code"
            of() { grep -c "\"refuses\": $1" "$work/report" || true; }
            judged=$((judged + 1)) refused=$((refused + (code == 3)))
            alarms=$((alarms + $(of true))) notes=$((notes + $(of false)))
            printf '%-20s %-36s exit %d, refuses %d, notes %d\n' "$name" "$version" "$code" "$(of true)" "$(of false)"
            sed -n 's/^ *"key": "\(.*\)",$/    \1/p' "$work/report"
        fi
        old=$new
    done < <(find "$list" -maxdepth 1 -type f -printf '%f\n' | sort "${order[@]}")
done
[ "$judged" -gt 0 ] || { echo "$dir: no list with two versions" >&2; exit 1; }
printf '%d releases judged, %d refused, %d findings that refuse, %d notes\n' "$judged" "$refused" "$alarms" "$notes"
