#!/usr/bin/env bash
# `lachan report merge` of a province: seconds and peak memory.
#
#   benches/report-merge.sh            2,000 schools with a year and 20 categories each
#
# SCHOOLS    another number of schools
# RUNS       runs, of which the slowest counts; default 3
# NO_BUILD   set to measure what is built already
# LACHAN     another build of the program
set -euo pipefail
cd "$(dirname "$0")/.."
lachan=${LACHAN:-$(realpath -m "${CARGO_TARGET_DIR:-target}")/release/lachan}
[ -n "${NO_BUILD:-}${LACHAN:-}" ] || cargo build --release --bin lachan
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

SCHOOLS=${SCHOOLS:-2000} RUNS=${RUNS:-3} python3 - "$lachan" "$work" <<'PYTHON'
import json, os, random, resource, subprocess, sys, time

lachan, work = sys.argv[1:]
schools, runs = int(os.environ["SCHOOLS"]), int(os.environ["RUNS"])
random.seed(20261129)
levels = ["preschool", "primary", "lower-secondary", "upper-secondary", "boarding"]
told = ["legal_request", "gambling", "violence", "drugs", "extremism", "fraud", "malware", "piracy",
        "social", "games", "video", "ai_chat", "bypass", "ads_trackers", "crypto", "none"]
sensitive = ["adult", "nudify", "dating", "protected"]
months = ["2025-11", "2025-12"] + [f"2026-{month:02}" for month in range(1, 11)]

def cell(category):
    count = random.randrange(40) if category in sensitive else random.randrange(20000)
    return "<10" if category in sensitive and 1 <= count <= 9 else count

def month(name):
    counts = lambda category: {key: cell(category) for key in ("blocked", "merged", "observed")}
    return {"month": name, "queries": random.randrange(10**6, 10**7), "queries_without_clock": 0,
            "categories": {category: counts(category) for category in told + sensitive},
            "active_days": 26, "enforced": 2_590_000, "gaps": {"power": 1800, "uplink": 200},
            "lists": {"release": 41, "day": f"{name}-03"},
            "reviews": {"received": random.randrange(9), "accepted": 2},
            "orders": {"applied": 1, "seconds": [random.randrange(86400)]}, "self_tests": [8000, 1]}

with open(f"{work}/org.toml", "w") as org:
    for unit in range(150):
        org.write(f'[[unit]]\nid = "c{unit}"\nname = "Xã {unit}"\nkind = "commune"\n')
    for unit in range(11):
        org.write(f'[[unit]]\nid = "d{unit}"\nname = "Huyện {unit}"\nkind = "district"\n'
                  'valid_to = "2025-06-30"\n')
    for school in range(schools):
        org.write(f'[[school]]\nid = "s{school:05}"\nname = "Trường {school}"\nkind = "công lập"\n'
                  f'level = "{levels[school % 5]}"\nunit = "c{school % 150}"\nold_unit = "d{school % 11}"\n')
os.mkdir(f"{work}/in")
octets = 0
for school in range(schools):
    unit = {"kind": "lachan-unit-report", "format": 1,
            "period": {"from": months[0], "to": months[-1]},
            "school": {"id": f"s{school:05}", "name": f"Trường {school}", "level": levels[school % 5],
                       "timezone": "Asia/Ho_Chi_Minh", "box": "box1"},
            "made": "2026-11-16", "version": "0.1.0", "months": [month(name) for name in months],
            "not_over": []}
    with open(f"{work}/in/s{school:05}.json", "w") as file:
        octets += file.write(json.dumps(unit, indent=2, ensure_ascii=False))
slowest = 0
for _ in range(runs):
    started = time.monotonic()
    subprocess.run([lachan, "report", "merge", f"{work}/in", "--org", f"{work}/org.toml",
                    "--out", f"{work}/out", "--public"], check=True, stdout=subprocess.DEVNULL)
    slowest = max(slowest, time.monotonic() - started)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
detail = f"{work}/out/detail.csv"
rows = sum(1 for _ in open(detail, encoding="utf-8")) - 1
print(f"{schools} schools, {octets / 2**20:.0f} MiB in, {rows} rows "
      f"({os.path.getsize(detail) / 2**20:.0f} MiB) out: {slowest:.1f} s, {peak:.0f} MiB")
PYTHON
