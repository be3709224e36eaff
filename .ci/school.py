"""What checks outside the test crates put together: an upstream, a department's repository, questions."""

import os
import shutil
import socket
import struct
import subprocess
import threading
import time

TARGET = os.environ.get("CARGO_TARGET_DIR", "target")
LACHAN = os.path.realpath(os.environ.get("LACHAN", f"{TARGET}/release/lachan"))
# What upstream says of every name.
ADDRESS = b"\xc0\0\2\1"


class Fault(Exception):
    """An assertion that does not hold."""


def run(*command, cwd=None, check=True):
    """A command that ends by itself, with its output."""
    ended = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)
    if check and ended.returncode:
        raise Fault(f"{command}: {ended.stdout}{ended.stderr}")
    return ended


def free_port(kind):
    """A port of loopback that nobody has."""
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def question(name, number=0):
    """A query for the A records of a name, with this id."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


def is_block(reply):
    """Whether a reply is a block; SERVFAIL is a fault."""
    rcode, answers = reply[3] & 15, struct.unpack(">H", reply[6:8])[0]
    if rcode == 2:
        raise Fault("SERVFAIL")
    return rcode == 3 or answers == 0 or reply[-4:] == b"\0\0\0\0"


class Upstream:
    """Has an address for every name, for `ttl` seconds."""

    def __init__(self, ttl=1):
        self.answer = b"\xc0\x0c\0\1\0\1" + struct.pack(">I", ttl) + b"\0\4" + ADDRESS
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        # Cleared, it answers nobody until it is set again.
        self.answers = threading.Event()
        self.answers.set()
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while True:
            query, client = self.socket.recvfrom(4096)
            end = 12
            while query[end]:
                end += query[end] + 1
            self.answers.wait()
            head = query[:2] + b"\x81\x80\0\1\0\1\0\0\0\0"
            self.socket.sendto(head + query[12 : end + 5] + self.answer, client)


class Department:
    """Keys and a repository, and releases of lists."""

    def __init__(self, work):
        self.work, self.repository = work, f"{work}/repository"
        for key in ("a", "b", "c", "officer", "second", "online"):
            run(LACHAN, "publish", "key", key, cwd=work)
        run(LACHAN, "publish", "init", "repository", "--root", "a", "--root", "b", "--root", "c.pub", "--officer",
            "officer", "--officer", "second.pub", "--online", "online", cwd=work)

    def release(self, serial, *names):
        """Publishes these names and five hundred more, for all gateways at once."""
        with open(f"{self.work}/adult.txt", "w", encoding="utf-8") as source:
            source.writelines(f"{one}\n" for one in (*names, *(f"n{n}.listed-faults.org" for n in range(500))))
        run(LACHAN, "lists", "build", "--out", f"{serial}.pack", "--source", "adult=adult.txt", cwd=self.work)
        run(LACHAN, "publish", "release", "repository", "--new", f"{serial}.pack", "--officer", "officer", "--online",
            "online", cwd=self.work)
        run(LACHAN, "publish", "rollout", "repository", "--online", "online", "--release", str(serial), "--ring",
            "all=now:100%", cwd=self.work)

    def order(self, name):
        """Publishes an urgent order to block a name."""
        run(LACHAN, "publish", "emergency", "add", "repository", name, "--category", "fraud", "--days", "2", "--document",
            "12/2026", "--authority", "A05", "--reason", "a fake bank", "--officer", "officer", "--online", "online",
            cwd=self.work)

    def bring(self, copy):
        """Copies the repository into a directory that a gateway watches, what names the rest last."""
        shutil.copytree(self.repository, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns("timestamp.json"))
        shutil.copy(f"{self.repository}/timestamp.json", f"{copy}/next")
        os.rename(f"{copy}/next", f"{copy}/timestamp.json")


def within(seconds, until):
    """Waits until something holds; whether it did in time."""
    end = time.monotonic() + seconds
    while not (holds := until()) and time.monotonic() < end:
        time.sleep(0.01)
    return bool(holds)
