#!/usr/bin/env bash
# What many TCP connections cost: resident memory of each idle one, the time of a new client beside
# them, and the memory of an attack: queries for a long answer over connections that read nothing.
#
#   benches/crowds.sh                  about 1 minute
#
# IDLE      idle connections; default 10000. They need as many descriptors here and in the gateway
# CROWD     connections of the attack; default 1024, of 16 clients, with 80 queries each
# NO_BUILD  set to measure what is built already
# LACHAN    another build of the gateway, such as one before a change
#
# 127.0.0.1 only; python3 is the client. Memory is VmRSS of /proc/PID/status, and
# the kernel's for all TCP sockets is of /proc/net/sockstat.
set -euo pipefail
cd "$(dirname "$0")/.."
BUILT=$(realpath -m "${CARGO_TARGET_DIR:-target}")/release
export LACHAN=${LACHAN:-$BUILT/lachan} IDLE=${IDLE:-10000} CROWD=${CROWD:-1024}
[ -n "${NO_BUILD:-}" ] || cargo build --release --bin lachan
ulimit -n "$(ulimit -H -n)"
exec python3 - <<'PYTHON'
import os, socket, struct, subprocess, sys, tempfile, time

DNS, ADMIN = 5480, 5481
IDLE, CROWD = int(os.environ["IDLE"]), int(os.environ["CROWD"])
LONG = ", ".join('"long.school.lan TXT \\"%s\\""' % (f"{n:0>250}") for n in range(228))
CONFIG = f"""
[listen]
dns = ["127.0.0.1:{DNS}"]
%s
[admin]
listen = "127.0.0.1:{ADMIN}"
[upstream]
servers = ["udp://192.0.2.1"]
[lists]
starter = false
[local]
records = ["short.school.lan A 10.0.0.1", {LONG}]
"""


def query(name, kind):
    labels = b"".join(bytes([len(l)]) + l.encode() for l in name.split("."))
    message = struct.pack(">6H", 1, 0x100, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, kind, 1)
    return struct.pack(">H", len(message)) + message


SHORT, LONG_QUERY = query("short.school.lan", 1), query("long.school.lan", 16)


def connect(client, buffer=None):
    stream = socket.socket()
    if buffer:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    stream.settimeout(10)
    stream.bind((client, 0))
    stream.connect(("127.0.0.1", DNS))
    return stream


def answered(stream):
    stream.sendall(SHORT)
    return len(stream.recv(512)) > 2


def gateway(keys, directory):
    path = os.path.join(directory, "gateway.toml")
    open(path, "w").write(CONFIG % keys)
    log = open(os.path.join(directory, "log"), "w")
    child = subprocess.Popen([os.environ["LACHAN"], "serve", "--config", path], stdout=log, stderr=log)
    for _ in range(200):
        time.sleep(0.05)
        try:
            if answered(connect("127.0.0.1")):
                return child
        except OSError:
            pass
    sys.exit(open(log.name).read())


def resident(child):
    for line in open(f"/proc/{child.pid}/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1])


def kernel():
    """The kernel's memory for TCP, of this whole machine, in KiB."""
    for line in open("/proc/net/sockstat"):
        if line.startswith("TCP:"):
            return int(line.split()[-1]) * os.sysconf("SC_PAGESIZE") // 1024


def slowest(count):
    times = []
    for _ in range(count):
        start = time.monotonic()
        answered(connect("127.3.0.1"))
        times.append(time.monotonic() - start)
    return max(times) * 1000


with tempfile.TemporaryDirectory() as directory:
    room = IDLE + 64
    child = gateway(f'tcp_connections = {room}\ntcp_per_client = {room}\ntcp_idle = "10m"', directory)
    before, held = resident(child), []
    for number in range(IDLE):
        held.append(connect(f"127.1.0.{1 + number // 5000}"))
    time.sleep(1)
    silent = resident(child)
    good = sum(answered(stream) for stream in held)
    time.sleep(1)
    used = resident(child)
    print(f"{IDLE} idle connections: {(silent - before) / IDLE:.2f} KiB each; "
          f"{(used - before) / IDLE:.2f} after a query on each ({good} answered)")
    print(f"a new client beside them: {slowest(50):.1f} ms at most, of 50")
    child.terminate(), child.wait()
    for stream in held:
        stream.close()

    child = gateway("", directory)
    before, held, sent, most = resident(child), [], 0, 0
    sockets_before, sockets = kernel(), 0
    for number in range(CROWD):
        stream = connect(f"127.2.0.{1 + number % 16}")
        stream.setblocking(False)
        sent += stream.send(LONG_QUERY * 80)
        held.append(stream)
    for _ in range(80):
        time.sleep(0.1)
        most, sockets = max(most, resident(child)), max(sockets, kernel())
    print(f"{sent / 1e6:.1f} MB of queries over {CROWD} connections that read nothing: "
          f"{(most - before) / 1024:.0f} MiB more, and {(sockets - sockets_before) / 1024:.0f} MiB "
          "of the kernel for sockets of both sides")
    child.terminate(), child.wait()
PYTHON
