# A department with two releases of lists, to be sourced: its sources on two days, their packs, keys, and
# a repository. Works in the current directory.
#
# LISTS     files of listed names, one a line, each a source; default: names made up
# NAMES     names in all on the second day; more than LISTS have are made of theirs
# CHURN     share of names that differ between two days, in tenths of a percent
# JUMP      names of these that one source has on the second day only
# LACHAN    the program
# tree      the directory of this project
# shellcheck shell=bash disable=SC2154

readonly CATEGORIES=(adult gambling malware fraud ads_trackers games social video)

# listed_names: all/*, the sources; jump/*, what one of them has on the second day only.
listed_names() {
    local first
    mkdir -p all jump
    if [ -n "$LISTS" ]; then
        # shellcheck disable=SC2086
        (cd "$tree" && realpath $LISTS) | xargs -d '\n' python3 "$tree/benches/support/recombine.py" \
            $((NAMES - JUMP)) all
        first=$(ls -S all | head -n 1)
        [ "$JUMP" = 0 ] || python3 "$tree/benches/support/recombine.py" "+$JUMP" jump "all/$first"
    else
        awk -v count="$NAMES" -v jump="$JUMP" 'BEGIN { srand(1); for (n = 0; n < count; n++) { name = ""
            for (size = 6 + int(rand() * 9); size > 0; size--) name = name sprintf("%c", 97 + int(rand() * 26))
            print name n % 7 (rand() < 0.2 ? ".com.vn" : ".com") >(n < jump ? "jump/0.txt" : "all/" n % 8 ".txt") } }'
    fi
    [ "$JUMP" = 0 ] || unguarded jump/*
    unguarded all/*
}

# unguarded FILE…: a gateway takes no release that blocks what is guarded or essential: such names and
# their parents go, and addresses, which no query is for.
unguarded() {
    local file
    for file in "$@"; do
        awk 'FNR == NR { if ($0 ~ /^[a-z0-9=]/) { name = $1; sub(/^=/, "", name)
            while (name) { out[name]; if (!sub(/^[^.]*\./, "", name)) name = "" } } next }
            !($1 in out) && !/\.[0-9]+$/' <(cat "$tree/blocklists/guard.txt" "$tree/blocklists/essential.txt") "$file" >kept
        mv kept "$file"
    done
}

# two_days: all/* as old/* and new/*, each without another part of all names, so that names go and come.
# Their sources are in `sources`.
two_days() {
    local file name number=0
    mkdir -p old new
    sources=()
    for file in all/*; do
        name=$(basename "$file")
        awk -v churn="$CHURN" -v name="$name" 'BEGIN { srand(7) } { draw = rand() * 2000
            if (draw >= churn) print >("old/" name)
            if (draw < 1000 || draw >= 1000 + churn) print >("new/" name) }' "$file"
        sources+=(--source "${CATEGORIES[number % 8]}=$name")
        [ ! -f "jump/$name" ] || cat "jump/$name" >>"new/$name"
        number=$((number + 1))
    done
}

# keys: of three people, an officer with a second one, and the publishing host.
keys() {
    local key
    for key in a b c officer second online; do "$LACHAN" publish key "$key" >said; done
    "$LACHAN" publish init repository --root a --root b --root c.pub --officer officer --officer second.pub \
        --online online >said
}

# release PACK: signed whatever the lint finds, since names of a benchmark are everybody's.
release() {
    local accepted=() key
    while read -r key; do accepted+=(--accept "$key"); done < <("$LACHAN" publish lint --repository repository \
        --new "$1" --json | python3 -c 'import json, sys
for finding in json.load(sys.stdin)["findings"]:
    if finding["refuses"]: print(finding["key"])')
    [ ${#accepted[@]} = 0 ] || accepted+=(--by bench --reason bench)
    "$LACHAN" publish release repository --new "$1" --officer officer --online online "${accepted[@]}" >said ||
        { tail -5 said; exit 1; }
}

# rollout SERIAL: every school takes it now.
rollout() {
    "$LACHAN" publish rollout repository --online online --release "$1" --ring all=now:100% >said
}
