#!/usr/bin/env python3
"""Makes more listed names out of real ones, for lists that are longer than those at hand.

    recombine.py COUNT OUT FILE...      OUT/FILE: the names of each file, and as many more as its
                                        share of COUNT asks for
    recombine.py +COUNT OUT FILE...     OUT/FILE: so many more names alone

A made name is built as a real one is: registrable domains are drawn, each with all names below it, and each
label is the front of a real one and the end of another. Suffixes stay. So a sorted and packed list of such
names takes about the octets that a real one takes. The same arguments give the same names.
"""

import os
import random
import sys

# Second-level labels under which others register.
SECOND = {"com", "co", "net", "org", "edu", "gov", "ac", "info", "biz", "or", "ne", "in", "web", "name"}


def is_name(text):
    """Whether it is a name, and no address."""
    return "." in text and not text.rsplit(".", 1)[1].isdigit()


def parts(name):
    """The labels below the registrable domain, its own label, its suffix."""
    labels = name.split(".")
    size = 2 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in SECOND else 1
    return labels[: -size - 1], labels[-size - 1], ".".join(labels[-size:])


def label(draw, real, like):
    """A label as long as `like`: its front, and the end of another one."""
    if len(like) < 4:
        return like
    cut = draw.randrange(1, len(like))
    other = real[draw.randrange(len(real))]
    text = (like[:cut] + other[cut - len(like) :]).strip("-")
    return text if len(text) > 3 else like


def domains(names):
    """The labels below each registrable domain."""
    found = {}
    for name in names:
        below, own, suffix = parts(name)
        found.setdefault((own, suffix), []).append(below)
    return list(found.items())


def more(names, count, seed):
    """So many further names."""
    draw = random.Random(seed)
    real = [text for name in names for text in name.split(".")[:-1] if len(text) > 3]
    known, found, made = set(names), domains(names), []
    while len(made) < count:
        (own, suffix), below = found[draw.randrange(len(found))]
        own = label(draw, real, own)
        for labels in below[: count - len(made)]:
            name = ".".join([*(label(draw, real, text) for text in labels), own, suffix])
            if len(name) < 250 and name not in known:
                known.add(name)
                made.append(name)
    return made


def main():
    is_more, count, out, files = sys.argv[1][0] == "+", int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    lists = {}
    for file in files:
        with open(file, encoding="ascii", errors="ignore") as lines:
            lists[file] = list(dict.fromkeys(name for name in map(str.strip, lines) if is_name(name)))
    total = sum(len(names) for names in lists.values())
    for seed, (file, names) in enumerate(lists.items()):
        wanted = count * len(names) // total
        had = 0 if is_more else len(names)
        made = more(names, max(0, wanted - had), seed)
        with open(os.path.join(out, os.path.basename(file)), "w", encoding="ascii") as text:
            text.writelines(f"{name}\n" for name in [*names[: min(had, wanted)], *made])


main()
