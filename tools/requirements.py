#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which rows of docs/requirements.md the last test run proved.

    ./dev requirements [--json] [--open] [--build DIR]

A row is `proved` when every test and every benchmark claim that names it passed, `failing` when one did not, `open` when none names
it, and `elsewhere:<what>` when what ran here passed and the rest of its proof needs what this machine cannot have
(docs/requirements_elsewhere.txt). Reads DIR/test-results/*.xml (JUnit, property `rows`) and DIR/bench-results/*.json.
"""

import argparse
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| ([A-Z]-\d+) \|", re.MULTILINE)
SECTION = re.compile(r"^## (\d{3}: .*)$", re.MULTILINE)


def read_rows(text: str) -> dict[str, str]:
    """Row id -> the document it stands under, in order."""
    rows: dict[str, str] = {}
    document = ""
    for line in text.splitlines():
        if match := SECTION.match(line):
            document = match[1]
        elif match := ROW.match(line):
            rows[match[1]] = document
    return rows


def read_elsewhere(path: Path) -> dict[str, str]:
    """Lines of `id what`: gpu, container-engine, kubernetes or systemd."""
    if not path.exists():
        return {}
    lines = [line.split("#")[0].split() for line in path.read_text().splitlines()]
    return {line[0]: line[1] for line in lines if len(line) == 2}


def named_rows(case: ElementTree.Element) -> list[str]:
    """GoogleTest writes a recorded property as an attribute or a <property>, pytest as a <property>."""
    texts = [case.get("rows") or ""]
    texts += [p.get("value") or "" for p in case.iter("property") if p.get("name") == "rows"]
    return [row for text in texts for row in text.split()]


def read_verdicts(build: Path) -> dict[str, list[bool]]:
    """Row id -> did each test or claim that names it hold."""
    verdicts: dict[str, list[bool]] = defaultdict(list)
    for file in sorted((build / "test-results").glob("*.xml")):
        for case in ElementTree.parse(file).iter("testcase"):
            if case.find("skipped") is not None or case.get("status") == "notrun":
                continue
            passed = case.find("failure") is None and case.find("error") is None
            for row in named_rows(case):
                verdicts[row].append(passed)
    for file in sorted((build / "bench-results").glob("*.json")):
        for claim in json.loads(file.read_text())["claims"]:
            if claim["holds"] is not None:
                for row in claim.get("rows", []):
                    verdicts[row].append(claim["holds"])
    return verdicts


def judge(rows: dict[str, str], verdicts: dict[str, list[bool]], elsewhere: dict[str, str]) -> dict[str, str]:
    def state(row: str) -> str:
        results = verdicts.get(row, [])
        if not all(results):
            return "failing"
        if not results:
            return "open"
        return f"elsewhere:{elsewhere[row]}" if row in elsewhere else "proved"

    return {row: state(row) for row in rows}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help='print {"T-40": "proved", …}')
    parser.add_argument("--open", action="store_true", help="list the rows that nothing proves yet")
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    options = parser.parse_args()

    rows = read_rows((ROOT / "docs/requirements.md").read_text())
    verdicts = read_verdicts(options.build)
    unknown = sorted(set(verdicts) - set(rows))
    if unknown:
        print(f"tests name rows that docs/requirements.md does not have: {', '.join(unknown)}", file=sys.stderr)
        return 1
    if not verdicts:
        print(f"there are no results in {options.build}: run ./dev test first", file=sys.stderr)
    states = judge(rows, verdicts, read_elsewhere(ROOT / "docs/requirements_elsewhere.txt"))
    if options.json:
        print(json.dumps(states, indent=0))
        return 0
    totals: dict[str, Counter] = defaultdict(Counter)
    for row, state in states.items():
        totals[rows[row]][state.split(":")[0]] += 1
        if state != "open" or options.open:
            print(f"{row}  {state}  ({len(verdicts.get(row, []))} checks)")
    for document, counts in totals.items():
        shown = ", ".join(f"{counts[state]} {state}" for state in ("proved", "failing", "elsewhere", "open"))
        print(f"{document}: {shown}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
