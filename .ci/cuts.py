"""Power cuts at each write of what a gateway remembers, beside releases.

A gateway is recorded while it is used: it starts, keeps its lists, an exam begins and ends, codes and a PIN are
issued, pupils ask for names and one is allowed, a device gets a token, a list changes, a release and an urgent
order come, it ends. `lachan setup` is recorded too. Each prefix of their calls is laid out as a cut leaves it:
with what was flushed alone, and with every name but without octets that were not flushed.

Of each layout must be true: a file is one of its versions, whole, and a ledger a beginning of itself; the
gateway boots, blocks what it blocked, and reads each file without an error; what was acknowledged before the
cut is there where all that was flushed is there; and `lachan setup --undo` leaves nothing behind.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from replay import Replay, joined
from school import LACHAN, Fault, run, within

# Blocked by the school's own list, by the department, and by its urgent order.
LISTED = "listed.faults-test.org"
URGENT = "urgent.faults-test.org"
# The log of a boot on what a cut left has none of these.
COMPLAINTS = ("ERROR", "cannot be read", "panic", "damaged")
# Written whole, and not by a rename: what stands in them is a line a change.
LEDGERS = (".jsonl",)


def call(school, method, path, body=None):
    """One request to the admin address; its status and reply."""
    with open(f"{school.state}/admin-token", encoding="utf-8") as token:
        head = {"Authorization": f"Bearer {token.read().strip()}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(f"http://127.0.0.1:{school.admin}{path}", data, head, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=30) as reply:
            return reply.status, json.loads(reply.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def done(school, method, path, body=None):
    status, reply = call(school, method, path, body)
    if status not in (200, 201, 204):
        raise Fault(f"{method} {path}: {status} {reply}")
    return reply


def judge_replay(replay, path, cuts):
    """What was replayed is what is there, and there is something to cut."""
    if differences := replay.root.differences(path):
        raise Fault(f"the replay and the disk differ at {differences[:5]}")
    if not cuts:
        raise Fault("no call that changes a file was recorded")


def drawn(found, draw, share):
    """This share of all cuts, and one at least."""
    return [one for one in found if draw.random() < share] or [draw.choice(found)]


class Recording:
    """A gateway under strace, and how far its record was at each acknowledgement."""

    def __init__(self, school, log, changes):
        self.school, self.log, self.acks = school, log, []
        os.makedirs(school.state, mode=0o700)
        with open(f"{school.path}/adult.txt", "w", encoding="utf-8") as file:
            file.write(f"{LISTED}\n")
        with open(f"{school.path}/gateway.toml", "a", encoding="utf-8") as config:
            config.write('[[lists.source]]\ncategory = "adult"\npath = "adult.txt"\n')
        self.replay = Replay(school, school.state)
        self.tracer = ["strace", "-f", "--seccomp-bpf", "-y", "-s", "100000000", "-o", log, "-e",
                       f"trace={','.join(changes)}"]

    def ack(self, what, holds):
        """From here on it holds after a cut."""
        with open(self.log, "rb") as log:
            self.acks.append((log.read().count(b"\n"), what, holds))

    def use(self, bench):
        school = self.school
        with open(f"{school.path}/log", "wb") as log:
            school.gateway = subprocess.Popen([*self.tracer, *school.command("serve", "--config", "gateway.toml")],
                                              cwd=school.path, stdout=log, stderr=log)
        school.wait(lambda: "lachan_state_kept 1" in school.metrics(), "it boots and keeps")
        exam = {"kind": "exam", "group": "default", "what": ["only.faults-test.org"], "seconds": 3600, "by": "Lan"}
        first = done(school, "POST", "/api/overrides", exam)
        self.ack("an exam begins", lambda one: one.overrides() >= {first["id"]})
        second = done(school, "POST", "/api/overrides", {**exam, "kind": "lesson", "what": ["lesson.faults-test.org"]})
        self.ack("a lesson begins", lambda one: second["id"] in one.overrides())
        done(school, "DELETE", f"/api/overrides/{first['id']}?by=Lan")
        self.acks = [(at, what, holds) for at, what, holds in self.acks if what != "an exam begins"]
        self.ack("an exam ends", lambda one: first["id"] not in one.overrides())
        tomorrow = int(time.time()) + 86_400
        codes = done(school, "POST", "/api/codes", {"room": "default", "by": "Lan", "until": tomorrow, "count": 2})
        self.ack("codes are issued", lambda one: len(one.get("/api/codes")["codes"]) == len(codes["codes"]))
        done(school, "POST", "/api/pin", {"pin": "481516"})
        self.ack("a PIN is set", lambda one: one.get("/api/codes")["has_pin"])
        done(school, "POST", "/api/tokens", {"name": "tablet", "group": "default"})
        self.ack("a token is made", lambda one: [token["name"] for token in one.get("/api/tokens")["tokens"]] == ["tablet"])
        done(school, "POST", "/api/reviews", {"name": LISTED, "reason": "lesson"})
        done(school, "POST", "/api/reviews/allow", {"name": "n7.listed-faults.org", "by": "Lan", "reason": "a lesson",
                                                     "seconds": 3600})
        with open(f"{school.path}/adult.txt", "a", encoding="utf-8") as file:
            file.write("more.faults-test.org\n")
        school.gateway_signal(signal.SIGHUP)
        if not within(30, lambda: school.blocks("more.faults-test.org")):
            raise Fault("the list does not act")
        shutil.copytree(bench.old, school.copy)
        if not within(30, lambda: school.release() == 1):
            raise Fault("the release is not taken")
        bench.department.order(URGENT)
        bench.department.bring(school.copy)
        if not within(30, lambda: school.blocks(URGENT)):
            raise Fault("the urgent order does not act")
        self.ack("an urgent order acts", lambda one: one.school.blocks(URGENT))
        school.gateway_signal(signal.SIGTERM)
        school.gateway.wait(60)
        school.gateway = None

    def layouts(self, into):
        """Each state that a cut leaves: its place, what came last, whether all that was flushed is there."""
        known, found, at = set(), [], 0
        self.versions = {}
        for line, (name, rest) in numbered(self.log):
            at = line
            if not self.replay.call(name, rest):
                continue
            self.note(self.replay.root, "")
            for flushed_only in (True, False):
                key = hash(self.replay.root.key(flushed_only))
                if key not in known:
                    known.add(key)
                    found.append((len(known), flushed_only, at, f"{name} {'' if 'write' in name else rest[:90]}"))
                    self.replay.root.lay_out(f"{into}/{len(known)}", flushed_only)
        return found

    def note(self, node, path):
        """Versions of files: what they have where they are flushed."""
        for name, below in node.names.items():
            if below.names is not None:
                self.note(below, f"{path}/{name}")
            elif below.flushed is not None:
                self.versions.setdefault(f"{path}/{name}", set()).add(below.flushed)

    def judge_files(self, place):
        for directory, _, names in os.walk(place):
            for name in names:
                path = os.path.relpath(f"{directory}/{name}", place)
                if name.endswith(".new") or "/incoming-" in path or name == "lock":
                    continue
                with open(f"{directory}/{name}", "rb") as file:
                    octets = file.read()
                known = self.versions.get(f"/{path}", set())
                is_whole = octets in known
                if name.endswith(LEDGERS):
                    is_whole = any(version.startswith(octets) for version in known) or not octets
                if not is_whole:
                    raise Fault(f"{path} is no version of itself: {octets[:60]!r} ({len(octets)} octets)")


def numbered(log):
    """The calls of a record with the number of the lines that were there when each had ended."""
    lines = []

    def noting(rows):
        for number, row in enumerate(rows, 1):
            lines.append(number)
            yield row

    for call_ in joined(log, noting):
        yield lines[-1], call_


class Booted:
    """A gateway on what a cut left."""

    def __init__(self, school):
        self.school = school

    def get(self, path):
        return done(self.school, "GET", path)

    def overrides(self):
        return {one["id"] for one in self.get("/api/overrides")["overrides"]}


def judge_boot(school, acks, line, flushed_only):
    school.start()
    one, own = Booted(school), school.gateway.pid
    if not school.blocks(LISTED):
        raise Fault("a listed name is let through")
    for at, what, holds in acks:
        if flushed_only and at <= line and not within(5, lambda holds=holds: holds(one)):
            raise Fault(f"what was acknowledged is lost: {what}")
    school.stop()
    with open(f"{school.path}/log", encoding="utf-8", errors="replace") as log:
        said = [row for row in log if any(complaint in row for complaint in COMPLAINTS)]
    if said:
        raise Fault(f"it complains: {said[0].strip()}")
    # Its own end is another cut, which the next start sweeps up behind.
    left = [f"{directory}/{name}" for directory, _, names in os.walk(school.state) for name in names
            if (writer := re.search(r"\.(\d+)-\d+\.new$", name)) and int(writer.group(1)) != own]
    if left:
        raise Fault(f"left behind: {left}")


def by_state(bench, changes, draw, share):
    """Cuts of the state of a gateway; how many failed."""
    school, log = bench.new_school(bench.old), f"{bench.work}/trace"
    recording = Recording(school, log, changes)
    recording.use(bench)
    into = tempfile.mkdtemp(dir=bench.work)
    found = recording.layouts(into)
    judge_replay(recording.replay, school.state, found)
    chosen = drawn(found, draw, share)
    failed = 0
    for number, flushed_only, line, what in chosen:
        place = f"{into}/{number}"
        try:
            recording.judge_files(place)
            shutil.rmtree(school.state)
            shutil.copytree(place, school.state)
            judge_boot(school, recording.acks, line, flushed_only)
        except Fault as fault:
            failed += 1
            print(f"state {number} {'flushed' if flushed_only else 'names'} ({what}): {fault}", flush=True)
        finally:
            school.stop()
    print(f"state: {len(chosen)} of {len(found)} cuts, {len(recording.acks)} acknowledgements, {failed} failed", flush=True)
    return failed


def by_setup(bench, changes, draw, share):
    """Cuts of `lachan setup`, and of a second one with other answers: `--undo` takes each back; how many failed."""
    school, log = bench.new_school(bench.old), f"{bench.work}/trace"
    root = school.state
    os.makedirs(f"{root}/etc/lachan", mode=0o755)
    with open(f"{root}/etc/lachan/gateway.toml", "w", encoding="utf-8") as config:
        config.write("# as it was\n")
    before = tree(root)
    answers = f"{school.path}/answers.toml"
    setup = school.command("setup", "--answers", answers, "--root", root, "--yes")
    undo = school.command("setup", "--undo", "--root", root)
    layouts = []
    for server in ("192.0.2.53", "192.0.2.54"):
        with open(answers, "w", encoding="utf-8") as file:
            file.write('lang = "en"\n[school]\nid = "faults"\nname = "Faults"\nlevel = "primary"\n'
                       '[network]\naddresses = ["192.168.1.2"]\nstub = "off"\n'
                       f'[upstream]\nservers = ["udp://{server}"]\n')
        replay = Replay(school, root)
        run("strace", "-f", "-y", "-s", "100000000", "-o", log, "-e", f"trace={','.join(changes)}", *setup,
            cwd=school.path)
        known, into = set(), tempfile.mkdtemp(dir=bench.work)
        for name, rest in joined(log):
            if replay.call(name, rest):
                for flushed_only in (True, False):
                    key = hash(replay.root.key(flushed_only))
                    if key not in known:
                        known.add(key)
                        place = f"{into}/{len(known)}"
                        replay.root.lay_out(place, flushed_only)
                        layouts.append((place, f"{server} {name} {'' if 'write' in name else rest[:90]}"))
        judge_replay(replay, root, known)
    failed = 0
    chosen = drawn(layouts, draw, share)
    for place, what in chosen:
        # What was cut is taken back as it is; or done again, and then taken back.
        for commands in ([undo], [setup, undo]):
            shutil.rmtree(root)
            shutil.copytree(place, root)
            ended = [run(*command, cwd=school.path, check=False) for command in commands]
            # Without a record nothing was written yet, and there is nothing to take back.
            refused = [one for one in ended if one.returncode and os.path.exists(f"{place}/etc/lachan/setup.record")]
            if tree(root) != before or refused:
                failed += 1
                said = "".join(f"{one.stdout}{one.stderr}" for one in ended)
                print(f"setup ({what}), {len(commands)} commands: {said}{sorted(tree(root))}", flush=True)
    print(f"setup: {len(chosen)} of {len(layouts)} cuts, {failed} failed", flush=True)
    return failed


def tree(root):
    """All files below a directory with their octets, but for those that a cut left unfinished."""
    found = {}
    for directory, _, names in os.walk(root):
        for name in (name for name in names if not name.endswith(".new")):
            with open(f"{directory}/{name}", "rb") as file:
                found[os.path.relpath(f"{directory}/{name}", root)] = file.read()
    return found
