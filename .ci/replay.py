"""The file calls of a program, recorded by strace and done again in memory, and what a power cut leaves of them."""

import os
import re

CALL = re.compile(r"^(?:(\d+) +)?(\w+)\((.*)$")


class ReplayError(Exception):
    """A record that cannot be done again."""


class Node:
    """A file, or a directory with `names`; what is durable of it beside what is there."""

    def __init__(self, octets=None):
        self.octets, self.flushed = bytearray(octets or b""), octets
        self.names, self.kept = None, None

    @classmethod
    def directory(cls):
        made = cls()
        made.names, made.kept = {}, {}
        return made

    @classmethod
    def of(cls, path):
        """What is at a path, all of it durable."""
        if not os.path.isdir(path):
            with open(path, "rb") as file:
                return cls(file.read())
        made = cls.directory()
        made.names = {name: cls.of(f"{path}/{name}") for name in os.listdir(path)}
        made.kept = dict(made.names)
        return made

    def lay_out(self, path, flushed_only):
        """Writes what a cut leaves."""
        if self.names is None:
            octets = self.flushed if self.flushed is not None else b""
            with open(path, "wb") as file:
                file.write(octets)
            os.chmod(path, 0o600)
            return
        os.makedirs(path, mode=0o700, exist_ok=True)
        for name, node in (self.kept if flushed_only else self.names).items():
            node.lay_out(f"{path}/{name}", flushed_only)

    def key(self, flushed_only):
        if self.names is None:
            return self.flushed
        names = self.kept if flushed_only else self.names
        return tuple(sorted((name, node.key(flushed_only)) for name, node in names.items()))


    def differences(self, path):
        """The paths at which the disk has something else than was replayed."""
        if os.path.isdir(path) != (self.names is not None):
            return [path]
        if self.names is None:
            with open(path, "rb") as file:
                return [] if file.read() == self.octets else [path]
        there = set(os.listdir(path))
        found = [f"{path}/{name}" for name in there ^ set(self.names)]
        for name in there & set(self.names):
            found += self.names[name].differences(f"{path}/{name}")
        return found


class Replay:
    """The file calls of a program, done again in memory: those below `place`, of one process."""

    def __init__(self, school, state):
        self.root, self.place = Node.of(state), f"{os.path.realpath(school.path)}/state"
        # By descriptor: what is open, where the next write goes, and which are written at their end.
        self.files, self.at, self.appends = {}, {}, set()

    def find(self, path, missing=False):
        """The directory that has the last part of a path, and that part; None outside the state."""
        path = os.path.normpath(path if path.startswith("/") else f"{os.path.dirname(self.place)}/{path}")
        if path == self.place:
            return None, ""
        if not path.startswith(self.place + "/"):
            return None, None
        *above, last = path[len(self.place) + 1 :].split("/")
        node = self.root
        for part in above:
            node = node.names[part]
        return node, last

    def node(self, path):
        parent, last = self.find(path)
        if last is None:
            return None
        return self.root if parent is None else parent.names.get(last)

    def call(self, name, rest):
        """Does one call; whether it changes something."""
        strings = [text.encode().decode("unicode_escape").encode("latin-1")
                   for text in re.findall(r'"((?:[^"\\]|\\.)*)"', rest)]
        paths = [text.decode("utf-8", "replace") for text in strings]
        descriptors = [int(number) for number in re.findall(r"(?:^|, )(\d+)<", rest)]
        done = re.search(r"\) += (-?\d+)", rest)
        result = int(done.group(1)) if done else -1
        if result < 0:
            return False
        file = self.files.get(descriptors[0]) if descriptors else None
        of = re.match(r"\d+<([^>]*)>", rest)
        if name != "openat" and of and not of.group(1).startswith(self.place):
            # The number has been given to something else since.
            file = None
        if name == "openat":
            parent, last = self.find(paths[0])
            self.files.pop(result, None)
            if last is None:
                return False
            node, is_new = self.node(paths[0]), False
            if node is None:
                node, is_new = parent.names.setdefault(last, Node()), True
            if "O_TRUNC" in rest and node.names is None:
                node.octets, is_new = bytearray(), True
            self.files[result], self.at[result] = node, 0
            self.appends.discard(result)
            if "O_APPEND" in rest:
                self.appends.add(result)
            return is_new
        if name in ("write", "pwrite64", "writev"):
            if file is None:
                return False
            octets, at = b"".join(strings)[:result], self.at[descriptors[0]]
            if descriptors[0] in self.appends:
                at = len(file.octets)
            if len(octets) != result:
                raise ReplayError(f"a write that is not recorded whole: {rest[:80]}")
            if name == "pwrite64":
                at = int(re.search(r", (\d+)\) +=", rest).group(1))
            file.octets[at : at + result] = octets.rjust(result)
            self.at[descriptors[0]] = at + result
            return True
        if name == "lseek" and file is not None:
            self.at[descriptors[0]] = result
        elif name == "ftruncate" and file is not None:
            size = int(re.search(r", (\d+)\) +=", rest).group(1))
            file.octets = file.octets[:size].ljust(size, b"\0")
            return True
        elif name in ("copy_file_range", "sendfile"):
            source, to = descriptors[:2] if name == "copy_file_range" else descriptors[1::-1]
            if to in self.files:
                source_at, at = self.at[source], self.at[to]
                self.files[to].octets[at : at + result] = self.files[source].octets[source_at : source_at + result]
                self.at[source], self.at[to] = source_at + result, at + result
                return result > 0
        elif name in ("fsync", "fdatasync") and file is not None:
            if file.names is None:
                file.flushed = bytes(file.octets)
            else:
                file.kept = dict(file.names)
            return True
        elif name in ("mkdir", "mkdirat"):
            parent, last = self.find(paths[-1])
            if parent is not None:
                parent.names[last] = Node.directory()
                return True
        elif name in ("rename", "renameat2"):
            parent, last = self.find(paths[0])
            to, new = self.find(paths[-1])
            if parent is not None:
                to.names[new] = parent.names.pop(last)
                return True
        elif name in ("link", "linkat"):
            to, new = self.find(paths[-1])
            if to is not None:
                to.names[new] = self.node(paths[0])
                return True
        elif name in ("unlink", "unlinkat", "rmdir"):
            base = re.match(r"\d+<([^>]*)>", rest)
            path = paths[0] if not base or paths[0].startswith("/") else f"{base.group(1)}/{paths[0]}"
            parent, last = self.find(path)
            if parent is not None:
                del parent.names[last]
                return True
        return False


def joined(log, through=iter):
    """The calls of a log in the order of their ends; its lines come `through` a function."""
    begun = {}
    with open(log, encoding="utf-8", errors="replace") as lines:
        for line in through(lines):
            call = CALL.match(line.rstrip("\n"))
            if call and call.group(3).endswith("<unfinished ...>"):
                begun[call.group(1)] = call.group(3).removesuffix("<unfinished ...>")
                continue
            resumed = re.match(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$", line.rstrip("\n"))
            if resumed:
                yield resumed.group(2), begun.pop(resumed.group(1), "") + resumed.group(3)
            elif call:
                yield call.group(2), call.group(3)
