#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a change must pass before it is called done, beyond ./dev test.

    ./dev check [--only PART]… [--seconds-per-fuzzer N] [--seeds N] [--first-seed N]

Prints one line per part (ok or FAILED, seconds, a summary) and ends with 1 if any failed. What a part said lies in
build/check/PART.log; of a failed one the end is shown. The parts:
"""

import argparse
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "build/check"
SHOWN_LINES = 40
SHOWN_WORDS = 20
# The engine's tests run under AddressSanitizer, but whole programs that train would take an hour.
FUNCTIONAL_MARKS = "not slow and not training"
SANITIZERS = {
    # libtorch and OpenSSL keep what they allocate once; the rest is named in tools/lsan.supp.
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1",
    "LSAN_OPTIONS": f"suppressions={ROOT}/tools/lsan.supp:print_suppressions=0",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": f"suppressions={ROOT}/tools/tsan.supp:halt_on_error=1:second_deadlock_stack=1",
}


class Failed(Exception):
    """A part did not pass; the text is its summary."""


def shortened(words: list[str]) -> str:
    """A command as one reads it: a list of hundreds of files would hide what follows it."""
    more = f" and {len(words) - SHOWN_WORDS} more" if len(words) > SHOWN_WORDS else ""
    return " ".join(words[:SHOWN_WORDS]) + more


class Part:
    """One part's run: its log, and the commands that write to it."""

    def __init__(self, name: str, options: argparse.Namespace):
        self.options = options
        self.path = LOGS / f"{name}.log"
        self.log = self.path.open("w")

    def run(self, *command, environment: dict | None = None) -> bool:
        """Runs a command in the repository, its output in the log. True if it ended with 0."""
        words = [str(word) for word in command]
        self.log.write(f"$ {shortened(words)}\n")
        self.log.flush()
        return (
            subprocess.run(
                words,
                cwd=ROOT,
                env=os.environ | (environment or {}),
                stdout=self.log,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode
            == 0
        )

    def need(self, what: str, *command, environment: dict | None = None) -> None:
        if not self.run(*command, environment=environment):
            raise Failed(what)

    def last_line(self) -> str:
        self.log.flush()
        lines = [line for line in self.path.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""

    def build(self, preset: str, *targets: str) -> Path:
        folder = ROOT / ("build" if preset == "dev" else f"build-{preset}")
        python = f"-DNEXA_PYTHON={ROOT}/.venv/bin/python"
        self.need(f"preset {preset} does not configure", "cmake", "--preset", preset, "--log-level=WARNING", python)
        chosen = [word for target in targets for word in ("--target", target)]
        self.need(f"preset {preset} does not build", "cmake", "--build", folder, *chosen)
        return folder


def count_cases(files: list[Path]) -> tuple[int, int]:
    """Passed and failed cases of JUnit files."""
    cases = [case for file in files for case in ElementTree.parse(file).iter("testcase")]
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = [case for case in cases if case.find("skipped") is not None or case.get("status") == "notrun"]
    return len(cases) - len(failed) - len(skipped), len(failed)


def check_format(part: Part) -> str:
    listing = subprocess.run(["git", "ls-files", "*.cc", "*.h"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = listing.stdout.split()
    part.need("run ./dev fmt", "clang-format-19", "--dry-run", "-Werror", *files)
    return f"{len(files)} files"


def check_tidy(part: Part) -> str:
    part.need("house rules are broken", sys.executable, "tools/tidy.py")
    return "no violation"


def check_generated(part: Part) -> str:
    """Whatever is generated into the tree is what the generators write."""
    build = part.build("dev", "programs")
    part.need("run tools/codemap.py", sys.executable, "tools/codemap.py", "--check")
    part.need(
        "schemas/openapi.json is old: build/bin/nexad --print-openapi > schemas/openapi.json",
        *("bash", "-c", f"diff <({build}/bin/nexad --print-openapi) schemas/openapi.json"),
    )
    part.need("the tools' own tests fail", sys.executable, "-m", "pytest", "-q", "tools")
    return part.last_line()


def check_clang_tidy(part: Part) -> str:
    # Headers that the build makes, and the precompiled one that the commands name.
    part.build("dev", "programs")
    if not part.run(sys.executable, "tools/clang_tidy.py"):
        raise Failed(part.last_line())
    return part.last_line()


def run_unit_tests(part: Part, build: Path) -> str:
    for old in (build / "test-results").glob("*.xml"):
        old.unlink()
    jobs = str(os.cpu_count())
    # Sanitizers make tests three to ten times slower, and the limits are for the plain build.
    passed = part.run(
        *("ctest", "--test-dir", build, "-L", "unit", "-E", "^tools/", "-j", jobs, "--timeout", "1200"),
        "--output-on-failure",
        environment=SANITIZERS,
    )
    good, bad = count_cases(list((build / "test-results").glob("*.xml")))
    if not passed or good == 0:
        raise Failed(f"{good} unit tests passed, {bad} failed or a binary died")
    return f"{good} unit tests"


def check_asan(part: Part) -> str:
    build = part.build("asan")
    units = run_unit_tests(part, build)
    results = build / "test-results/functional.xml"
    passed = part.run(
        *(sys.executable, "-m", "pytest", "-q", "tests/functional", "-m", FUNCTIONAL_MARKS, f"--junitxml={results}"),
        environment=SANITIZERS | {"NEXA_BUILD": str(build)},
    )
    good, bad = count_cases([results]) if results.exists() else (0, 0)
    if not passed:
        raise Failed(f"{units} passed; whole programs: {good} passed, {bad} failed")
    return f"{units}, {good} tests of whole programs"


def check_tsan(part: Part) -> str:
    return run_unit_tests(part, part.build("tsan"))


def fuzz_targets(build: Path) -> list[Path]:
    return sorted(file for file in build.glob("src/**/*_fuzz") if os.access(file, os.X_OK) and file.is_file())


def check_fuzz(part: Part) -> str:
    build = part.build("fuzz", "fuzzers")
    targets = fuzz_targets(build)
    crashed = []
    for target in targets:
        # What was found interesting stays for the next run on this machine.
        corpus = ROOT / ".cache/fuzz" / target.name
        corpus.mkdir(parents=True, exist_ok=True)
        seeds = ROOT / "tests/fuzz" / target.name.split("_", 1)[1]
        finds = build / "finds"
        finds.mkdir(exist_ok=True)
        limits = (f"-max_total_time={part.options.seconds_per_fuzzer}", "-timeout=10", "-rss_limit_mb=3000")
        folders = [corpus, *([seeds] if seeds.is_dir() else [])]
        if not part.run(target, *limits, "-print_final_stats=1", f"-artifact_prefix={finds}/{target.name}-", *folders):
            crashed.append(target.name)
    if crashed or not targets:
        raise Failed(f"{', '.join(crashed) or 'no target'}; inputs in {build.name}/finds")
    runs = sum(int(n) for n in re.findall(r"stat::number_of_executed_units: (\d+)", part.path.read_text(errors="replace")))
    return f"{len(targets)} targets, {runs:,} runs"


def check_sim(part: Part) -> str:
    """Random histories of the queue, other ones each time; the seeds are in the line and in the failure."""
    build = part.build("dev", "nexa_orchestration_test")
    first = part.options.first_seed if part.options.first_seed is not None else int(time.time())
    seeds = f"{first}:{part.options.seeds}"
    results = LOGS / "sim.xml"
    passed = part.run(
        *(build / "src/orchestration/nexa_orchestration_test", "--gtest_filter=Seeds/*", f"--gtest_output=xml:{results}"),
        environment={"NEXA_SIM_SEEDS": seeds},
    )
    good, bad = count_cases([results]) if results.exists() else (0, 0)
    if not passed or good < part.options.seeds:
        raise Failed(f"seeds {seeds}: {good} histories as they should be, {bad} not; NEXA_SIM_SEEDS={seeds} repeats them")
    return f"{good} histories, NEXA_SIM_SEEDS={seeds}"


def check_requirements(part: Part) -> str:
    if not list((ROOT / "build/test-results").glob("*.xml")):
        raise Failed("no results in build/test-results: run ./dev test first")
    part.need("rows and tests do not fit together", sys.executable, "tools/requirements.py")
    text = part.path.read_text()
    counts = {
        word: sum(int(n) for n in re.findall(rf"^\d{{3}}: .*?(\d+) {word}", text, re.MULTILINE))
        for word in ("proved", "failing", "elsewhere", "open")
    }
    summary = ", ".join(f"{count} {word}" for word, count in counts.items())
    if counts["failing"]:
        raise Failed(summary)
    return summary


@dataclass(frozen=True)
class Row:
    name: str
    check: Callable[[Part], str]
    what: str


# The quick ones first: who broke the format need not wait for the sanitizers.
PARTS = (
    Row("format", check_format, "clang-format 19 changes nothing"),
    Row("tidy", check_tidy, "tools/tidy.py: module edges and house rules"),
    Row("generated", check_generated, "codemap, module graph and OpenAPI are current; the tools' own tests"),
    Row("sim", check_sim, "seeded histories of queue and leases against a model"),
    Row("fuzz", check_fuzz, "every fuzz target for some seconds, with ASan and UBSan"),
    Row("clang-tidy", check_clang_tidy, "what changed since it was last clean"),
    Row("tsan", check_tsan, "unit tests of everything but the engine under ThreadSanitizer"),
    Row("asan", check_asan, "all unit tests, and whole programs without training, under ASan and UBSan"),
    Row("requirements", check_requirements, "rows proved by the last ./dev test"),
)


def run_part(row: Row, options: argparse.Namespace) -> bool:
    part = Part(row.name, options)
    began = time.monotonic()
    try:
        summary, good = row.check(part), True
    except Failed as failure:
        summary, good = str(failure), False
    part.log.close()
    print(f"{'ok    ' if good else 'FAILED'} {row.name:<12} {time.monotonic() - began:6.0f} s  {summary}", flush=True)
    if not good:
        lines = part.path.read_text(errors="replace").splitlines()
        print("\n".join(f"    {line}" for line in lines[-SHOWN_LINES:]), flush=True)
        print(f"    the whole of it: {part.path.relative_to(ROOT)}", flush=True)
    return good


def main() -> int:
    listing = "\n".join(f"    {row.name:<12} {row.what}" for row in PARTS)
    parser = argparse.ArgumentParser(
        description=f"{__doc__}{listing}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", choices=[row.name for row in PARTS], metavar="PART")
    parser.add_argument("--seconds-per-fuzzer", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=200, help="histories of the simulation")
    parser.add_argument("--first-seed", type=int, help="default: the time, so other ones in each run")
    options = parser.parse_args()
    LOGS.mkdir(parents=True, exist_ok=True)
    results = [run_part(row, options) for row in PARTS if not options.only or row.name in options.only]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
