#!/usr/bin/env python3
"""Runs a command under the system call filter of a systemd unit.

    confined.py UNIT COMMAND…

A unit's SystemCallFilter, RestrictAddressFamilies and MemoryDenyWriteExecute cannot be tried
without a running systemd. This puts the same rules in force by libseccomp and starts COMMAND in
its own place. It is stricter than the unit in one point: what the filter does not allow kills
the command (SIGSYS), so that no forbidden call stays unseen behind a handled EPERM.
"""

import ctypes
import ctypes.util
import os
import re
import socket
import subprocess
import sys

KILL_PROCESS = 0x80000000
ALLOW = 0x7FFF0000
COMPARE_EQUAL, COMPARE_MASKED = 4, 7
PROT_WRITE, PROT_EXEC = 2, 4


class Compare(ctypes.Structure):
    """struct scmp_arg_cmp."""

    _fields_ = [
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    ]


def directive(text, name):
    """All values of a directive, in order."""
    return re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)


def members(name):
    """The system calls of a set such as @io-event, or the call itself."""
    if not name.startswith("@"):
        return {name}
    listed = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], check=True, capture_output=True, text=True
    ).stdout
    words = [line.strip() for line in listed.splitlines()[1:]]
    return set().union(*(members(word) for word in words if word and not word.startswith("#")))


def allowed_calls(text):
    """What the unit's filter lines leave; systemd always adds @default."""
    calls = set()
    for line in directive(text, "SystemCallFilter"):
        named = set().union(*(members(word) for word in line.lstrip("~").split()))
        calls = calls - named if line.startswith("~") else calls | named
    if not calls:
        sys.exit("confined.py: the unit has no SystemCallFilter that allows anything")
    return calls | members("@default")


class Filter:
    """A libseccomp filter that kills for what it does not allow."""

    def __init__(self):
        self.library = ctypes.CDLL(ctypes.util.find_library("seccomp") or "libseccomp.so.2")
        self.library.seccomp_init.restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(self.library.seccomp_init(ctypes.c_uint32(KILL_PROCESS)))

    def allow(self, call, *compares):
        number = self.library.seccomp_syscall_resolve_name(call.encode())
        # Calls of other architectures have negative numbers.
        if number < 0:
            return
        array = (Compare * max(len(compares), 1))(*compares)
        failed = self.library.seccomp_rule_add_array(
            self.context, ctypes.c_uint32(ALLOW), number, len(compares), array
        )
        if failed:
            sys.exit(f"confined.py: no rule for {call}: {os.strerror(-failed)}")

    def load(self):
        if failed := self.library.seccomp_load(self.context):
            sys.exit(f"confined.py: the filter cannot be loaded: {os.strerror(-failed)}")


def build(text):
    """The unit's filter."""
    built = Filter()
    calls = allowed_calls(text)
    if families := " ".join(directive(text, "RestrictAddressFamilies")).split():
        calls.discard("socket")
        for family in families:
            built.allow("socket", Compare(0, COMPARE_EQUAL, getattr(socket, family), 0))
    if directive(text, "MemoryDenyWriteExecute") == ["yes"]:
        calls -= {"mmap", "mprotect", "pkey_mprotect"}
        for protection in (PROT_WRITE, PROT_EXEC):
            built.allow("mmap", Compare(2, COMPARE_MASKED, protection, 0))
        for call in ("mprotect", "pkey_mprotect"):
            built.allow(call, Compare(2, COMPARE_MASKED, PROT_EXEC, 0))
    for call in sorted(calls):
        built.allow(call)
    return built


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as unit:
        built = build(unit.read())
    built.load()
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
