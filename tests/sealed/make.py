#!/usr/bin/env python3
"""Seals names with nothing but the standard library: docs/reference/sealed-lists.md, followed.

    ./make.py python.key python.sealed sealed-one.example sealed-two.test …

The names of the fixture are made up; its key is public and for tests only.
"""
import hashlib
import hmac
import pathlib
import sys

key_file, out, *names = sys.argv[1:]
key = bytes.fromhex(pathlib.Path(key_file).read_text())


def mac(octets):
    return hmac.new(key, octets, hashlib.sha256).digest()


def wire(name):
    return b"".join(bytes([len(label)]) + label for label in name.lower().encode().split(b".")) + b"\0"


digests = sorted({mac(wire(name))[:16] for name in names})
text = b"LACHANKL" + b"".join(n.to_bytes(4, "little") for n in (1, len(digests), 0, 0))
text += mac(b"lachan sealed list: key check")[:16] + b"".join(digests)
pathlib.Path(out).write_bytes(text + mac(text))
print(mac(text)[:4].hex())
