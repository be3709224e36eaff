#!/usr/bin/env python3
"""Holds dashboards and rules against what the gateway really exports.

    dashboard.py [--metrics FILE|URL]
        [--prometheus URL [--expect-data [--may-alert] [--snapshot FILE]]] FILE...

FILE is a Grafana dashboard (.json) or a file of Prometheus rules (.yml). Of every
expression in them:

--metrics       each metric and label that it names is on that /metrics page, is made by one
                of the rules, or is Prometheus' own; what legends and annotations name too
--prometheus    Prometheus can parse it (Grafana's variables filled in), and evaluates the
                rules without errors
--expect-data   it gives a number, and each selector in it finds a series. Where it looks a
                week back, and of alerts, only the latter; no alert may be pending or firing
--may-alert     but where gateways are ill on purpose
--snapshot      the series of each expression of a dashboard are those in FILE: their labels, and
                values that are no rate and no time. UPDATE_SNAPSHOT=1 writes it

Dashboards must also be fit for provisioning: a uid, no id, the data source a variable.
It ends with 1 and a line for each mistake. Python's standard library only.

Rules are read without a YAML parser, so they keep to one form: `- alert:` or `- record:`, then
`expr:` with the expression on the same line or, after `|`, indented below. promtool reads the
rest.
"""

import argparse
import difflib
import json
import math
import os
import pathlib
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field

# Series that Prometheus makes by itself.
PROMETHEUS_METRICS = {"up", "ALERTS", "scrape_duration_seconds", "scrape_samples_scraped"}
# Recorded of gateways that are ill alone: empty where all are well.
OF_THE_ILL = {"instance:lachan_unprotected:timestamp"}
# Of gateways that a rollout gives a program, or that refused one: no series of them where there is none. That they
# are exported at all the reference of metrics says, which is made from the code.
OF_UPGRADES = {"lachan_program_chosen_info", "lachan_program_refused_info", "lachan_upgrade_failed"}
REFERENCE = pathlib.Path(__file__).parents[2] / "docs/reference/metrics.md"
# Labels that the target files, Prometheus and alerts add.
ADDED_LABELS = {
    "job", "instance", "school", "ward", "le", "alertname", "alertstate", "severity",
    # What count_values makes of lachan_release.
    "release",
}
# Words of PromQL that are not metrics though no bracket follows them.
KEYWORDS = {
    "and", "or", "unless", "offset", "bool", "by", "without", "on", "ignoring",
    "group_left", "group_right", "atan2", "inf", "nan",
}
# After these, what stands in brackets are labels.
LABEL_LISTS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
      | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)
      | (?P<range>\[[^\]]*\])
      | (?P<number>(?:0x[0-9a-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)(?:ms|[smhdwy])?(?:\d+(?:ms|[smhdwy]))*)
      | (?P<word>[a-zA-Z_:][a-zA-Z0-9_:]*)
      | (?P<sign>=~|!~|!=|==|<=|>=|[-+*/%^<>=(){},@])""",
    re.VERBOSE,
)
# Grafana's own variables for durations.
INTERVALS = {"__rate_interval", "__interval", "__range"}
# Expressions with one of these have other values each time.
MOVING = re.compile(r"\b(?:rate|increase|timestamp|time|histogram_quantile)\b|:rate|ratio_rate|seconds")
TIMEOUT = 10


@dataclass
class Expression:
    """One expression and the place where it stands."""

    place: str
    text: str
    # Legends and annotations that speak of its labels.
    legends: list = field(default_factory=list)
    is_alert: bool = False
    record: str = ""
    # What Grafana fills in; rules have no variables.
    variables: frozenset = frozenset()


class Mistakes:
    """All of them are told, not the first."""

    def __init__(self):
        self.count = 0

    def tell(self, place, message):
        self.count += 1
        print(f"{place}: {message}", file=sys.stderr)


# ------------ What is checked ---------------------------------------------------


def dashboard_expressions(path, mistakes):
    """The expressions of a dashboard, and what is wrong with its frame."""
    board = json.loads(path.read_text(encoding="utf-8"))
    name = path.name
    if not board.get("uid"):
        mistakes.tell(name, "no uid; links and provisioning need a lasting one")
    if board.get("id") is not None:
        mistakes.tell(name, "id is set; it belongs to one Grafana")
    if not isinstance(board.get("schemaVersion"), int):
        mistakes.tell(name, "no schemaVersion")
    if "__inputs" in board:
        mistakes.tell(name, "__inputs is for import by hand; use the variable `datasource`")
    variables = board.get("templating", {}).get("list", [])
    sources = [v["name"] for v in variables if v.get("type") == "datasource"]
    if len(sources) != 1:
        mistakes.tell(name, f"{len(sources)} variables of type datasource; there must be one")
    expected = "${" + (sources[0] if sources else "datasource") + "}"

    def check_source(place, item):
        if item.get("datasource", {}).get("uid") != expected:
            mistakes.tell(place, f"its data source is not {expected}")

    found = []
    for variable in variables:
        if variable.get("type") != "query":
            continue
        place = f"{name}: variable {variable['name']}"
        check_source(place, variable)
        query = variable["query"]
        query = query["query"] if isinstance(query, dict) else query
        match = re.fullmatch(r"label_values\((?:(.+),\s*)?([a-zA-Z_]\w*)\)", query, re.DOTALL)
        if not match:
            mistakes.tell(place, f"not label_values(…): {query}")
        elif match[1]:
            found.append(Expression(place, match[1], ["{{" + match[2] + "}}"]))
    for note in board.get("annotations", {}).get("list", []):
        place = f"{name}: annotation {note['name']}"
        check_source(place, note)
        # It marks moments, and is empty between them.
        found.append(Expression(place, note["expr"], [note.get("titleFormat", "")], is_alert=True))
    ids = set()
    panels = list(board.get("panels", []))
    for panel in panels:
        panels.extend(panel.get("panels", []))
        place = f"{name}: {panel.get('title') or 'a panel without a title'}"
        if not panel.get("title"):
            mistakes.tell(place, "people read titles")
        if panel.get("id") in ids:
            mistakes.tell(place, f"its id {panel.get('id')} is another panel's")
        ids.add(panel.get("id"))
        if panel["type"] == "row":
            continue
        check_source(place, panel)
        if not panel.get("targets"):
            mistakes.tell(place, "it asks for nothing")
        for target in panel.get("targets", []):
            where = f"{place} [{target.get('refId')}]"
            check_source(where, target)
            found.append(Expression(where, target["expr"], [target.get("legendFormat", "")]))
    for expression in found:
        expression.variables = frozenset(variable["name"] for variable in variables)
    return found


def rule_expressions(path, mistakes):
    """The expressions of a file of rules."""
    found = []
    lines = path.read_text(encoding="utf-8").splitlines()
    current = None
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if start := re.match(r"\s*- (alert|record):\s*(\S+)\s*$", line):
            kind, name = start.groups()
            current = Expression(f"{path.name}:{number}: {name}", "", is_alert=kind == "alert")
            current.record = name if kind == "record" else ""
            found.append(current)
        elif current and (start := re.match(r"(\s*)expr:\s*(.*)$", line)):
            indent, text = len(start[1]), start[2].strip()
            if re.fullmatch(r"[|>][-+]?", text):
                block = []
                while number < len(lines):
                    below = lines[number]
                    if below.strip() and len(below) - len(below.lstrip()) <= indent:
                        break
                    block.append(below)
                    number += 1
                text = "\n".join(block).strip()
            current.text = text
        elif current and re.match(r"\s*(summary|description):", line):
            labels = re.findall(r"\$labels\.(\w+)", line)
            current.legends.extend("{{" + label + "}}" for label in labels)
    for expression in found:
        if not expression.text:
            mistakes.tell(expression.place, "no expr was found; see the form in this program's help")
    if not found:
        mistakes.tell(path.name, "no rules")
    return found


def fill_in(expression, interval, mistakes):
    """The expression with Grafana's variables replaced by what matches everything."""

    def value(match):
        name = match[1] or match[2]
        if name in INTERVALS:
            return interval
        if name not in expression.variables:
            mistakes.tell(expression.place, f"there is no variable {name}")
        return ".*"

    if not expression.variables:
        return expression.text
    return re.sub(r"\$(?:(\w+)|\{(\w+)(?::\w+)?\})", value, expression.text)


# ------------ Names in an expression --------------------------------------------


def tokens(text):
    """The expression's words and signs, without spaces and comments."""
    place = 0
    while place < len(text):
        match = TOKEN.match(text, place)
        if not match:
            raise ValueError(f"cannot be read at `{text[place:place + 20]}`")
        place = match.end()
        if match.lastgroup != "space":
            yield match.lastgroup, match[0]


def names(text):
    """Metrics, labels and selectors (metric with matchers) of an expression."""
    metrics, labels, selectors = set(), set(), []
    words = list(tokens(text))
    place = 0
    while place < len(words):
        kind, word = words[place]
        following = words[place + 1][1] if place + 1 < len(words) else ""
        place += 1
        if kind == "sign" and word == "{":
            raise ValueError("a selector without a metric")
        if kind != "word":
            continue
        if word.lower() in LABEL_LISTS and following == "(":
            while words[place][1] != ")":
                if words[place][0] == "word":
                    labels.add(words[place][1])
                place += 1
        elif word.lower() not in KEYWORDS and following not in ("(",) and not is_aggregation(words, place):
            metrics.add(word)
            selector = word
            if following == "{":
                matchers = []
                place += 1
                while words[place][1] != "}":
                    matchers.append(words[place])
                    place += 1
                place += 1
                labels.update(w for k, w in matchers if k == "word")
                selector += "{" + "".join(w for _, w in matchers) + "}"
            selectors.append(selector)
    return metrics, labels, selectors


def is_aggregation(words, place):
    """Whether the word before `place` is one of `sum by (…) (…)`."""
    return place < len(words) and words[place][1].lower() in ("by", "without")


def page_names(text):
    """Metrics and labels of a /metrics page."""
    metrics, labels = set(), set()
    for line in text.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        match = re.match(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s", line)
        if not match:
            raise ValueError(f"no line of a /metrics page: {line[:80]}")
        metrics.add(match[1])
        labels.update(re.findall(r'(?:^|,)([a-zA-Z_]\w*)="', match[2] or ""))
    return metrics, labels


# ------------ Asking Prometheus -------------------------------------------------


class Prometheus:
    """The HTTP API, as far as it is needed."""

    def __init__(self, url):
        self.url = url.rstrip("/")

    def rules(self):
        """All rules that it evaluates."""
        with urllib.request.urlopen(f"{self.url}/api/v1/rules", timeout=TIMEOUT) as answer:
            groups = json.load(answer)["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def query(self, text):
        """The values of an instant query; ValueError with what Prometheus said."""
        return [value for _, value in self.series(text)]

    def series(self, text):
        """The labels and values of an instant query; ValueError with what Prometheus said."""
        body = urllib.parse.urlencode({"query": text}).encode()
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/query", body, TIMEOUT) as answer:
                data = json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise ValueError(json.load(error).get("error", str(error))) from None
        if data["resultType"] == "scalar":
            return [({}, data["result"])]
        return [(series["metric"], series["value"]) for series in data["result"]]


def check_rules(prometheus, expressions, must_be_silent, mistakes):
    """Whether Prometheus has the rules of the files, and how it fares with them."""
    rules = prometheus.rules()
    wanted = sum(1 for e in expressions if e.record or (e.is_alert and not e.variables))
    if wanted and wanted != len(rules):
        mistakes.tell(prometheus.url, f"it has {len(rules)} rules, and the files {wanted}")
    for rule in rules:
        if rule.get("lastError") or rule["health"] == "err":
            mistakes.tell(f"{prometheus.url}: {rule['name']}", rule.get("lastError", "fails"))
        if must_be_silent and rule.get("state", "inactive") != "inactive":
            mistakes.tell(f"{prometheus.url}: {rule['name']}", f"{rule['state']}: {rule['alerts']}")


def has_number(result):
    """Whether anything in a result is a number; 0/0 is none."""
    return any(not math.isnan(float(value)) for _, value in result)


def ask(prometheus, expression, text, selectors, must_have_data, mistakes):
    """Parses by Prometheus and, where wanted, looks for data."""
    try:
        result = prometheus.query(text)
    except ValueError as error:
        mistakes.tell(expression.place, f"{error}\n    {text}")
        return
    if not must_have_data:
        return
    looks_back = re.search(r"\boffset\b", text)
    may_be_empty = expression.is_alert or looks_back or expression.record in OF_THE_ILL
    if not may_be_empty and not has_number(result):
        mistakes.tell(expression.place, f"no data\n    {text}")
    for selector in selectors:
        # Alerts are made by trouble, and there is none here.
        may_be_absent = re.match(r"\w+", selector)[0] in {"ALERTS", *OF_UPGRADES}
        if not may_be_absent and not prometheus.query(selector):
            mistakes.tell(expression.place, f"no series\n    {selector}")


# ------------ Snapshot ----------------------------------------------------------


def shown_series(prometheus, expression, text):
    """The series of an expression, without what differs each time."""
    shown = set()
    for labels, (_, value) in prometheus.series(text):
        value = "…" if MOVING.search(text) else format(float(value), "g")
        kept = {
            name: re.sub(r":\d+$", ":PORT", text)
            for name, text in labels.items()
            if name not in ("version", "digest", "__name__")
        }
        pairs = ", ".join(f'{name}="{kept[name]}"' for name in sorted(kept))
        shown.add(f"  {{{pairs}}} {value}")
    return "\n".join([expression.place, *sorted(shown), ""])


def check_snapshot(path, shown, mistakes):
    """Whether all series are those of the snapshot."""
    now = "\n".join(shown)
    if os.environ.get("UPDATE_SNAPSHOT"):
        path.write_text(now, encoding="utf-8")
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if now != before:
        diff = difflib.unified_diff(before.splitlines(), now.splitlines(), "before", "now", lineterm="", n=2)
        mistakes.tell(str(path), "other series; UPDATE_SNAPSHOT=1 if that is right\n" + "\n".join(diff))


# ------------ Main --------------------------------------------------------------


def read_page(source):
    if re.match(r"https?://", source):
        with urllib.request.urlopen(source, timeout=TIMEOUT) as answer:
            return answer.read().decode()
    return pathlib.Path(source).read_text(encoding="utf-8")


def check_names(expression, metrics, labels, known_metrics, known_labels, mistakes):
    for metric in sorted(metrics - known_metrics):
        mistakes.tell(expression.place, f"nothing exports {metric}")
    spoken = {w for text in expression.legends for w in re.findall(r"\{\{\s*(\w+)\s*\}\}", text)}
    for label in sorted((labels | spoken) - known_labels):
        mistakes.tell(expression.place, f"nothing has the label {label}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--metrics", metavar="FILE|URL", help="a /metrics page of a gateway")
    parser.add_argument("--prometheus", metavar="URL", help="a Prometheus that scrapes a gateway")
    parser.add_argument("--expect-data", action="store_true", help="every panel must show a number")
    parser.add_argument("--may-alert", action="store_true", help="alerts may be pending or firing")
    parser.add_argument("--snapshot", metavar="FILE", type=pathlib.Path, help="the series of dashboards")
    parser.add_argument("--rate-interval", default="1m", help="for $__rate_interval (default: 1m)")
    parser.add_argument("files", nargs="+", type=pathlib.Path, metavar="FILE")
    arguments = parser.parse_args()
    if arguments.expect_data and not arguments.prometheus:
        parser.error("--expect-data needs --prometheus")

    mistakes = Mistakes()
    expressions = []
    for path in arguments.files:
        read = dashboard_expressions if path.suffix == ".json" else rule_expressions
        expressions.extend(read(path, mistakes))
    known_metrics, known_labels = set(PROMETHEUS_METRICS), set(ADDED_LABELS)
    known_metrics.update(e.record for e in expressions if e.record)
    if arguments.metrics:
        metrics, labels = page_names(read_page(arguments.metrics))
        reference = REFERENCE.read_text(encoding="utf-8")
        known_metrics |= metrics | {one for one in OF_UPGRADES if f"| `{one}` |" in reference}
        known_labels |= labels
    prometheus = Prometheus(arguments.prometheus) if arguments.prometheus else None

    used, shown = set(), []
    for expression in expressions:
        text = fill_in(expression, arguments.rate_interval, mistakes)
        try:
            metrics, labels, selectors = names(text)
        except ValueError as error:
            mistakes.tell(expression.place, f"{error}\n    {text}")
            continue
        used |= metrics
        if arguments.metrics:
            check_names(expression, metrics, labels, known_metrics, known_labels, mistakes)
        if prometheus:
            # Rules were asked for already where ill gateways are looked at.
            if not (arguments.may_alert and not expression.variables):
                ask(prometheus, expression, text, selectors, arguments.expect_data, mistakes)
            if arguments.snapshot and expression.variables:
                shown.append(shown_series(prometheus, expression, text))
    if prometheus:
        must_be_silent = arguments.expect_data and not arguments.may_alert
        check_rules(prometheus, expressions, must_be_silent, mistakes)
    if arguments.snapshot:
        check_snapshot(arguments.snapshot, shown, mistakes)
    files = ", ".join(path.name for path in arguments.files)
    verdict = f"{mistakes.count} mistakes" if mistakes.count else "good"
    print(f"{files}: {len(expressions)} expressions over {len(used)} metrics: {verdict}")
    return 1 if mistakes.count else 0


if __name__ == "__main__":
    sys.exit(main())
