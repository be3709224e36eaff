#!/usr/bin/env python3
"""An upstream server and a handful of clients, for a gateway on loopback.

    traffic.py upstream                      answers on a free UDP port, which it prints
    traffic.py clients ADDRESS:PORT SECONDS  asks, and ends with 1 at a wrong answer

The clients make every kind of answer that the gateway counts, by the config that
.ci/monitoring writes. SERVFAIL and messages that are no queries stay rare: in the end no alert
may be pending. Python's standard library only.
"""

import random
import socket
import struct
import sys
import time

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
CODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"]
ADDRESS = bytes([192, 0, 2, 1])
BLOCKED = "adult.test.lachan.example"
A, SOA, CNAME = 1, 6, 5
TIMEOUT = 5


def wire(name):
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"


def query(name, opcode=0):
    number = random.randrange(65536)
    head = struct.pack("!6H", number, opcode << 11 | 0x0100, 1, 0, 0, 0)
    return head + wire(name) + struct.pack("!2H", A, 1)


# ------------ Upstream ----------------------------------------------------------


def record(kind, data, owner=b"\xc0\x0c"):
    return owner + struct.pack("!HHIH", kind, 1, 60, len(data)) + data


def answer(asked):
    """What the upstream server says: A 192.0.2.1, with few exceptions."""
    place, parts = 12, []
    while asked[place]:
        parts.append(asked[place + 1 : place + 1 + asked[place]].decode().lower())
        place += 1 + asked[place]
    question = asked[12 : place + 5]
    kind = struct.unpack("!H", asked[place + 1 : place + 3])[0]
    code, answers, authority = NOERROR, [], []
    names = wire("ns.example.com") + wire("root.example.com")
    soa = record(SOA, names + struct.pack("!5I", 1, 2, 3, 4, 60))
    if parts[0] == "broken":
        code = SERVFAIL
    elif parts[0] == "gone":
        code, authority = NXDOMAIN, [soa]
    elif parts[0] == "alias":
        target = wire(BLOCKED)
        answers = [record(CNAME, target), record(A, ADDRESS, target)]
    elif kind == A:
        answers = [record(A, ADDRESS)]
    else:
        authority = [soa]
    head = struct.pack("!2s5H", asked[:2], 0x8180 | code, 1, len(answers), len(authority), 0)
    return head + question + b"".join(answers + authority)


def upstream():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    print(server.getsockname()[1], flush=True)
    while True:
        asked, client = server.recvfrom(4096)
        server.sendto(answer(asked), client)


# ------------ Clients -----------------------------------------------------------


class Clients:
    """Ask, and hold the answers against what they should be."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.asked = 0
        self.wrong = 0

    def udp(self, message, source="127.0.0.1"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(TIMEOUT)
            client.bind((source, 0))
            client.sendto(message, self.gateway)
            return client.recv(65535)

    def tcp(self, message):
        with socket.create_connection(self.gateway, TIMEOUT) as client:
            client.sendall(struct.pack("!H", len(message)) + message)
            stream = client.makefile("rb")
            return stream.read(struct.unpack("!H", stream.read(2))[0])

    def expect(self, what, code, message, by=None, **keys):
        self.asked += 1
        try:
            reply = (by or self.udp)(message, **keys)
        except OSError as error:
            self.wrong += 1
            print(f"{what}: {error}", file=sys.stderr)
            return
        got = reply[3] & 0x0F
        if got != code or reply[:2] != message[:2]:
            self.wrong += 1
            print(f"{what}: {CODES[got]} instead of {CODES[code]}", file=sys.stderr)

    def silence(self, message):
        """Sends what must get no answer; nobody waits for one."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(message, self.gateway)

    def turn(self, number):
        """Every kind once; the rare ones in each twelfth turn."""
        self.expect("allowed", NOERROR, query(f"new-{number}.example.com"))
        self.expect("allowed, in the cache", NOERROR, query(f"new-{number}.example.com"))
        self.expect("allowed, by TCP", NOERROR, query("www.example.com"), by=self.tcp)
        self.expect("no such name", NXDOMAIN, query("gone.example.com"))
        self.expect("blocked by a list", NXDOMAIN, query(BLOCKED))
        gambling = query("gambling.test.lachan.example")
        self.expect("blocked by a list, by TCP", NXDOMAIN, gambling, by=self.tcp)
        self.expect("denied by the school", NXDOMAIN, query("www.denied.example"))
        self.expect("an alias of a blocked name", NXDOMAIN, query("alias.example.com"))
        self.expect("blocked by a keyword", NXDOMAIN, query("nhacai-example.com"))
        self.expect("observed", NOERROR, query("games.test.lachan.example"))
        self.expect("canary", NXDOMAIN, query("use-application-dns.net"))
        if number % 12 == 0:
            www = query("www.example.com")
            self.expect("from a network that is not allowed", REFUSED, www, source="127.0.0.2")
            self.expect("half a question", FORMERR, www[:-3])
            self.expect("another opcode", NOTIMP, query("www.example.com", opcode=4))
            self.expect("upstream fails", SERVFAIL, query(f"broken.n{number}.example.com"))
            self.silence(b"\0" * 5)


def clients(address, seconds):
    host, port = address.rsplit(":", 1)
    group = Clients((host, int(port)))
    end = time.monotonic() + float(seconds)
    number = 0
    while time.monotonic() < end:
        group.turn(number)
        number += 1
        time.sleep(0.1)
    print(f"{group.asked} queries, {group.wrong} wrong answers")
    return 1 if group.wrong else 0


def main():
    match sys.argv[1:]:
        case ["upstream"]:
            upstream()
        case ["clients", address, seconds]:
            sys.exit(clients(address, seconds))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
