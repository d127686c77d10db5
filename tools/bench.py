#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures a claim of ours beside its rival, in the same minute on the same machine.

    ./dev bench NAME [--json FILE] [--pairs N] [--only WORDS]

bench/NAME/claims.py holds the claims: TARGETS (programs to build), claims(bench) and, if there is something to say about the
rival, versions(bench); PINS, if its rivals have Python packages of their own. Ours and the rival run in turns, at least five times each; the figures printed are the
medians, the ratio is the median of the pairs' ratios, above 1 where ours is better. A claim holds if the ratio reaches its bar. Where the rival
cannot run, `holds` is null and the reason stands beside it: that counts neither way. Ends with 1 if a claim does not hold.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAIRS_MIN = 5
RUN_SECONDS_MAX = 600


class NotRun(Exception):
    """The rival cannot run here; the text says why."""


@dataclass(frozen=True)
class Claim:
    """`ours` and `rival` each measure once and return the figure. Without a rival the bar is a figure of ours."""

    name: str
    unit: str
    bar: float
    ours: Callable[[], float]
    rival: Callable[[], float] | None = None
    more_is_better: bool = True
    rows: list[str] = field(default_factory=list)


def better(ours: float, rival: float, more_is_better: bool) -> float:
    return ours / rival if more_is_better else rival / ours


def measure(claim: Claim, pairs: int) -> dict:
    """Runs the pairs, each side first in turn, and judges."""
    result = {"name": claim.name, "ours": None, "rival": None, "ratio": None, "bar": claim.bar, "holds": None}
    result |= {"unit": claim.unit, "rows": claim.rows}
    ours, rival = [], []
    for pair in range(pairs):
        sides = [(ours, claim.ours), (rival, claim.rival)]
        for figures, side in sides if pair % 2 == 0 else reversed(sides):
            if side is None:
                continue
            try:
                figures.append(side())
            except NotRun as why:
                return result | {"ours": statistics.median(ours) if ours else None, "reason": str(why)}
    result["ours"] = statistics.median(ours)
    result["samples"] = {"ours": ours, "rival": rival}
    if claim.rival is None:
        return result | {"holds": better(result["ours"], claim.bar, claim.more_is_better) >= 1}
    ratio = statistics.median(better(a, b, claim.more_is_better) for a, b in zip(ours, rival, strict=True))
    return result | {"rival": statistics.median(rival), "ratio": round(ratio, 3), "holds": ratio >= claim.bar}


class Bench:
    """What claims.py may use."""

    claim = staticmethod(Claim)
    not_run = NotRun

    def __init__(self, build: Path, venv: Path = ROOT / ".venv-bench"):
        self.build = build
        self.python = venv / "bin/python"

    def program(self, name: str) -> Path:
        return self.build / "bench" / name

    def rival_folder(self, name: str) -> Path:
        """A rival that no package registry carries: a built copy in NEXA_RIVALS/<name>."""
        folder = Path(os.environ.get("NEXA_RIVALS", "/nonexistent")) / name
        if not folder.is_dir():
            raise NotRun(f"no built copy of {name} in $NEXA_RIVALS/{name}")
        return folder

    @staticmethod
    def output(command: list) -> str:
        done = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, check=False, timeout=RUN_SECONDS_MAX
        )
        if done.returncode != 0:
            raise RuntimeError(f"{Path(str(command[0])).name} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
        return done.stdout.strip()

    def run_json(self, command: list) -> dict:
        return json.loads(self.output(command))


def load_claims(name: str):
    file = ROOT / "bench" / name / "claims.py"
    if not file.exists():
        known = ", ".join(sorted(f.parent.name for f in ROOT.glob("bench/*/claims.py")))
        sys.exit(f"bench: no claims called '{name}'; there are: {known}")
    spec = importlib.util.spec_from_file_location(f"claims_{name}", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_venv(module, name: str) -> Path:
    """The rivals' packages. Without PINS of its own a benchmark shares .venv-bench, which holds what
    tools/setup/bench-requirements.txt names: full PyTorch, several GB, made by no other command."""
    own = getattr(module, "PINS", None)
    pins = own or ROOT / "tools/setup/bench-requirements.txt"
    venv = ROOT / (f".venv-bench-{name}" if own else ".venv-bench")
    wanted = hashlib.sha256(pins.read_bytes()).hexdigest()
    stamp = venv / "bench-requirements.sha256"
    if stamp.exists() and stamp.read_text() == wanted:
        return venv
    print(f"bench: installing the rivals into {venv.name}" + ("" if own else " (about 6 GB)"), flush=True)
    if not (venv / "bin/pip").exists():
        subprocess.run(["/usr/bin/python3", "-m", "venv", venv], check=True)
    command = [venv / "bin/pip", "install", "--quiet", "--no-deps", "-r", pins]
    subprocess.run(command, check=True)
    stamp.write_text(wanted)
    return venv


def build_programs(targets: list[str]) -> Path:
    """Ours as it is shipped: the release preset."""
    build = ROOT / "build-release"
    python = f"-DNEXA_PYTHON={ROOT}/.venv/bin/python"
    configure = ["cmake", "--preset", "release", "--log-level=WARNING", "-DNEXA_BENCHES=ON", python]
    subprocess.run(configure, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", build, "--target", *targets], check=True, stdout=subprocess.DEVNULL)
    return build


def describe_machine() -> dict:
    info = Path("/proc/cpuinfo").read_text()
    model = next((line.split(":")[1].strip() for line in info.splitlines() if line.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "load_at_start": round(os.getloadavg()[0], 2),
    }


def describe_versions() -> dict:
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude=*"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    compiler = subprocess.run(["clang++-19", "--version"], capture_output=True, text=True, check=True).stdout
    return {"commit": commit or "unknown", "compiler": compiler.splitlines()[0], "python": platform.python_version()}


def shown(claim: dict) -> str:
    if claim["holds"] is None:
        return f"{claim['name']}: ours {claim['ours']} {claim['unit']}, rival not run: {claim['reason']}"
    verdict = "holds" if claim["holds"] else "DOES NOT HOLD"
    if claim["ratio"] is None:
        return f"{claim['name']}: {claim['ours']:,.6g} {claim['unit']}, bar {claim['bar']:g}: {verdict}"
    figures = f"ours {claim['ours']:,.6g}, rival {claim['rival']:,.6g} {claim['unit']}"
    return f"{claim['name']}: {figures}, ratio {claim['ratio']:.3f}, bar {claim['bar']:g}: {verdict}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="a folder of bench/")
    parser.add_argument("--json", type=Path, help="write the report here too")
    parser.add_argument("--pairs", type=int, default=PAIRS_MIN, help="runs of each side, at least 5 for a verdict")
    parser.add_argument("--only", default="", help="claims whose name holds these words")
    options = parser.parse_args()

    module = load_claims(options.name)
    venv = make_venv(module, options.name)
    bench = Bench(build_programs(module.TARGETS), venv)
    report = {
        "versions": describe_versions() | (module.versions(bench) if hasattr(module, "versions") else {}),
        "machine": describe_machine(),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "claims": [],
    }
    for key in ("versions", "machine"):
        print(f"{key}: " + ", ".join(f"{name} {value}" for name, value in report[key].items()), flush=True)
    for claim in module.claims(bench):
        if options.only in claim.name:
            report["claims"].append(measure(claim, options.pairs))
            print(shown(report["claims"][-1]), flush=True)
    text = json.dumps(report, indent=1) + "\n"
    if options.json:
        options.json.write_text(text)
    # What ./dev requirements counts: whole runs only.
    if options.pairs >= PAIRS_MIN and not options.only:
        results = ROOT / "build/bench-results"
        results.mkdir(parents=True, exist_ok=True)
        (results / f"{options.name}.json").write_text(text)
    return 1 if any(claim["holds"] is False for claim in report["claims"]) else 0


if __name__ == "__main__":
    sys.exit(main())
