#!/usr/bin/env python3
"""Writes the names of services.toml anew from a clone of one of its sources.

    python3 blocklists/services.py v2fly PATH/TO/domain-list-community

What people wrote in services.toml is the recipe and stays: labels, categories, what breaks beside a
service, which file of the source its names are from. This program replaces `names` below each
`[[service.X.from]]` of that source, and the source's `commit`, by what HEAD of the clone has. Where
a row has `part = true` its names were chosen by hand, and are only looked for in the file.

Files are in the format of github.com/v2fly/domain-list-community:

    name          the name with all below it: taken
    full:name     the name alone: taken where it is a host (three labels and more), below which there
                  is nothing else; a service has subtrees only, so a shorter one is left out
    keyword: and regexp:    left out, no name
    include:file  that file's names, unless `leave_out` has `include:file`
    @cn, @ads     left out: for China alone; trackers, which others share

A name of one label (a brand's own top-level domain) is left out, a name below another one of the
service is not repeated, and `leave_out` says what else is not taken. A count of each goes to stderr.
"""

import collections
import pathlib
import re
import subprocess
import sys

TOML = pathlib.Path(__file__).with_name("services.toml")
LEFT_OUT = {"cn", "ads"}
WIDTH = 100


def show(clone, path):
    """The text of a file at HEAD."""
    git = ["git", "-C", clone, "show", f"HEAD:{path}"]
    return subprocess.run(git, check=True, capture_output=True, encoding="utf-8").stdout


def names_of(clone, path, leave_out, counts, seen):
    """The names of a file and of what it includes."""
    found = set()
    if path in seen:
        return found
    seen.add(path)
    for line in show(clone, path).splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        rule, attributes = words[0], {word.lstrip("@") for word in words[1:]}
        kind, _, text = rule.rpartition(":")
        text = text.lower()
        if rule in leave_out or text in leave_out:
            counts["leave_out"] += 1
        elif kind == "include":
            included = names_of(clone, f"{path.rpartition('/')[0]}/{text}", leave_out, counts, seen)
            found |= included
        elif attributes & LEFT_OUT:
            counts["@" + min(attributes & LEFT_OUT)] += 1
        elif kind in ("keyword", "regexp"):
            counts[kind] += 1
        elif "." not in text:
            counts["one label"] += 1
        elif kind == "full" and text.count(".") < 2:
            counts["full: of two labels"] += 1
        elif kind in ("", "domain", "full"):
            found.add(text)
        else:
            sys.exit(f"{path}: what is `{line}`?")
    return found


def above(name):
    """The names above a name."""
    labels = name.split(".")
    return (".".join(labels[start:]) for start in range(1, len(labels)))


def without_repeated(names, counts):
    """The names that are not below another one, sorted."""
    kept = sorted(name for name in names if not any(one in names for one in above(name)))
    counts["below another"] += len(names) - len(kept)
    return kept


def array(names):
    """`names = […]`, in lines that are not too long."""
    lines, line = [], "   "
    for name in names:
        if len(line) + len(name) + 4 > WIDTH:
            lines.append(line)
            line = "   "
        line += f' "{name}",'
    return "names = [\n" + "\n".join(lines + [line]) + "\n]\n"


def key(block, name):
    """A text of a block, or None."""
    found = re.search(rf'^{name} = "(.*)"$', block, re.M)
    return found and found[1]


def texts(block, name):
    """The texts of an array of a block."""
    found = re.search(rf"^{name} = \[(.*?)\]$", block, re.M | re.S)
    return re.findall(r'"([^"]*)"', found[1]) if found else []


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, clone = sys.argv[1:]
    git = ["git", "-C", clone, "rev-parse", "HEAD"]
    commit = subprocess.run(git, check=True, capture_output=True, encoding="utf-8").stdout.strip()
    blocks = re.split(r"(?m)^(?=\[)", TOML.read_text(encoding="utf-8"))
    for number, block in enumerate(blocks):
        if block.startswith(f"[source.{source}]"):
            blocks[number] = re.sub(r'(?m)^commit = ".*"$', f'commit = "{commit}"', block)
        service = re.match(r"\[\[service\.([^.]*)\.from\]\]", block)
        if not service or key(block, "source") != source:
            continue
        path, counts = key(block, "file"), collections.Counter()
        if re.search(r"(?m)^part = true$", block):
            words = set(re.findall(r"[\w.-]+", show(clone, path)))
            hosts = words | {suffix for word in words for suffix in above(word)}
            gone = [name for name in texts(block, "names") if name not in hosts]
            if gone:
                print(f"{service[1]}: {path} no longer has {', '.join(gone)}", file=sys.stderr)
            continue
        leave_out = set(texts(block, "leave_out"))
        names = names_of(clone, path, leave_out, counts, set())
        names = without_repeated(names, counts)
        if not names:
            sys.exit(f"{service[1]}: {path} has no names")
        head, _, tail = block.partition("names = [")
        _, _, tail = tail.partition("]\n")
        blocks[number] = head + array(names) + tail
        left = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()) if count)
        print(f"{service[1]}: {len(names)} names; left out {left or 'nothing'}", file=sys.stderr)
    TOML.write_text("".join(blocks), encoding="utf-8")


if __name__ == "__main__":
    main()
