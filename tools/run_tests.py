#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the built tests (ctest, then the whole-program tests of pytest) and prints the counts.

    tools/run_tests.py --build DIR [--all]

Results lie as JUnit XML in DIR/test-results, where tools/requirements.py reads them. The last line is
`N passed, N failed, N skipped`.
"""

import argparse
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def count(results: Path) -> tuple[int, int, int]:
    passed = failed = skipped = 0
    for file in results.glob("*.xml"):
        for case in ElementTree.parse(file).iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
            elif case.find("skipped") is not None or case.get("status") == "notrun":
                skipped += 1
            else:
                passed += 1
    return passed, failed, skipped


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--all", action="store_true", help="also the label `slow`")
    options = parser.parse_args()
    build = options.build.resolve()
    results = build / "test-results"
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)

    label = [] if options.all else ["-LE", "slow"]
    codes = [
        subprocess.run(
            ["ctest", "--test-dir", build, "--output-on-failure", "-j", str(os.cpu_count()), *label], check=False
        ).returncode
    ]
    if (ROOT / "tests/functional").is_dir():
        marks = [] if options.all else ["-m", "not slow"]
        environment = os.environ | {"NEXA_BUILD": str(build)}
        # They wait more than they work: programs start, jobs run, leases end.
        command = [sys.executable, "-m", "pytest", "-q", "-n", str(os.cpu_count()), "--dist", "worksteal", "tests"]
        command += [f"--junitxml={results}/functional.xml", *marks]
        codes.append(subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode)

    passed, failed, skipped = count(results)
    # A test binary that died wrote no results, so its exit status counts too.
    if any(codes) and failed == 0:
        failed = 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
