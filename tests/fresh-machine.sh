#!/usr/bin/env bash
# The README and the school guide, word for word, on a fresh Debian machine: from a package to a filtered answer, to a
# `lachan doctor` without a finding, to a purge that leaves nothing.
#
#   cargo build --release
#   LACHAN_BIN=target/release/lachan tests/fresh-machine.sh
#
# RELEASE   Debian's: bookworm (12, the default), trixie (13)
#
# Each block that begins with ```sh is run as it stands, in the order of the page; each that begins with ```toml
# is the config that the page says to write. What has a value of one school in it (a fingerprint, a stick) stands in
# blocks without a word behind the marks and is not run.
#
# As root; see .ci/machine. The machine has the addresses of the guide, and a carrier's resolver at 192.0.2.53.
set -euo pipefail
SELF=$(realpath "$0")
readonly SELF
cd "$(dirname "$SELF")/.."

BIN=$(realpath -m "${LACHAN_BIN:-target/release/lachan}")
readonly BIN
export RELEASE=${RELEASE:-bookworm}

# shellcheck source=.ci/machine
. .ci/machine

PATH=$PATH:/usr/sbin:/sbin
for program in mmdebstrap dpkg-deb unshare nsenter python3 awk; do
    command -v "$program" >/dev/null || fail "no $program; .ci/run packages installs it"
done

#------------ Pages -------------------------------------------------------------

# blocks LANGUAGE FILE [FROM [TO]]: the code blocks of a language, from a heading on, up to another.
blocks() {
    awk -v language="$1" -v from="${3:-}" -v to="${4:-}" '
        BEGIN { on = from == "" }
        !inside && from != "" && index($0, from) == 1 { on = 1 }
        !inside && to != "" && index($0, to) == 1 { on = 0 }
        !inside && $0 == "```" language { inside = on; skipping = !on; next }
        !inside && /^```/ { skipping = !skipping; next }
        inside && /^```/ { inside = 0; print ""; next }
        inside { print }' "$2"
}

# follow FILE FROM TO: runs what a part of a page says to run, in the folder where the package is.
follow() {
    local text
    text=$(blocks sh "$@")
    [ -n "$text" ] || fail "$1 has nothing to run between $2 and $3"
    printf '%s\n' "$text" | sed 's/^/    /'
    # A command line at a time, as it is typed; the first that fails ends it.
    in_machine bash -ec "cd && export DEBIAN_FRONTEND=noninteractive && set -x
$text" >"$scratch/followed" 2>&1 || { cat "$scratch/followed"; fail "$1, $2"; }
}

#------------ The machine -------------------------------------------------------

network() {
    beside ip link add lan0 type veth peer name lan1
    beside ip addr add 10.20.0.1/16 dev lan0
    beside ip link set lan0 up
    beside ip link set lan1 up
    beside ip addr add 192.0.2.53/32 dev lo
    # The carrier's resolver: an address for every name. It ends with the machine.
    beside_behind python3 -c '
import socket
own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
own.bind(("192.0.2.53", 53))
while True:
    query, client = own.recvfrom(4096)
    end = 12
    while query[end]:
        end += query[end] + 1
    question = query[12:end + 5]
    is_address = question[-4:-2] == b"\0\1"
    answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\x50" if is_address else b""
    own.sendto(query[:2] + b"\x81\x80\0\1\0" + bytes([is_address]) + b"\0\0\0\0" + question + answer, client)
' >/dev/null 2>&1
}

begin() {
    boot
    network
    # What a person answers where apt asks whether to go on.
    in_machine sh -c 'echo "APT::Get::Assume-Yes yes;" >/etc/apt/apt.conf.d/yes'
    packages >"$scratch/packages"
    inventory >"$scratch/before"
    in_machine sh -c "cat >~/$(basename "$deb")" <"$deb"
}

# packages: the names of those that the machine has.
packages() {
    in_machine dpkg-query --show --showformat='${Package}\n' | LC_ALL=C sort
}

# by_hand ARGUMENTS…: apt-get, for what a page says in words.
by_hand() {
    in_machine env DEBIAN_FRONTEND=noninteractive apt-get "$@" >"$scratch/apt" 2>&1 || { cat "$scratch/apt"; fail "apt-get $*"; }
}

# A purge is what the page says, too.
end() {
    local beside
    follow docs/guide/school.md '## Remove it' '## Nothing'
    # What was installed beside it is Debian's, and not this purge's to take.
    mapfile -t beside < <(packages | LC_ALL=C comm -13 "$scratch/packages" -)
    by_hand purge "${beside[@]}"
    inventory >"$scratch/after"
    diff "$scratch/before" "$scratch/after" || fail 'the purge leaves something'
    ok 'a purge leaves nothing'
    halt
}

answers() {
    expect 'status: NXDOMAIN' in_machine dig "@$1" +tries=1 adult.test.lachan.example
    expect 'EDE: 15' in_machine dig "@$1" +tries=1 adult.test.lachan.example
}

green() {
    in_machine lachan doctor --config /etc/lachan/gateway.toml --lang en >"$scratch/doctor" 2>&1 ||
        { cat "$scratch/doctor"; fail 'doctor has a finding'; }
    ok "doctor: $(tail -n 1 "$scratch/doctor")"
}

#------------ Ways ---------------------------------------------------------------

package() {
    [ -x "$BIN" ] || fail "no $BIN; cargo build --release"
    deb=$(deploy/debian/build "$BIN" "$scratch/debs")
}

# The README: one file, one command.
readme() {
    local began
    begin
    began=$(date +%s%3N)
    follow README.md '## Install it' '## Try it'
    grep -q 'status: NXDOMAIN' "$scratch/followed" || fail 'the README does not end with a filtered answer'
    ok "from apt install to a filtered answer: $(($(date +%s%3N) - began)) ms"
    end
}

# The guide: the config by hand.
guide() {
    begin
    by_hand install "$AT_HAND"
    follow docs/guide/school.md '## 1.' '## 2.'
    blocks toml docs/guide/school.md '## 2.' '## 3.' | in_machine sh -c 'cat >/etc/lachan/gateway.toml'
    follow docs/guide/school.md '## 2.' '## 3.'
    answers 10.20.0.1
    expect 192.0.2.80 in_machine dig @10.20.0.1 -b 10.20.0.1 www.example.com
    follow docs/guide/school.md '## 5.' '## 6.'
    follow docs/guide/school.md '## 6.' '## 7.'
    green
    end
}

# The five answers.
asked() {
    begin
    by_hand install "$AT_HAND"
    follow docs/guide/school.md '## 1.' '## 2.'
    in_machine sh -c 'cat >~/answers.toml' <<'ANSWERS'
lang = "vi"
[school]
id = "thcs-a"
name = "THCS A"
level = "lower-secondary"
[network]
addresses = ["10.20.0.1"]
clients = ["10.20.0.0/16"]
stub = "off"
[upstream]
servers = ["udp://192.0.2.53"]
ANSWERS
    in_machine sh -c 'lachan setup --answers ~/answers.toml --yes' >"$scratch/setup" 2>&1 || { cat "$scratch/setup"; fail setup; }
    in_machine systemctl restart lachan
    answers 10.20.0.1
    in_machine test -e /etc/systemd/resolved.conf.d/lachan.conf || fail 'the drop-in is not there'
    green
    end
}

main() {
    local way deb
    case ${1:-} in
        boot) boot_here "$2" ;;
    esac
    as_root "$@"
    begin_machine
    for way in package debian readme guide asked; do
        printf '\n== %s (%s s)\n' "$way" "$SECONDS"
        "$way"
    done
    printf '\nfresh machine, %s: all passed (%s s)\n' "$RELEASE" "$SECONDS"
}

main "$@"
