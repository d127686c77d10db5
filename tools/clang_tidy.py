#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-tidy 19 over our sources (not the tests), two at a time, and only those that changed since they were last clean.

    tools/clang_tidy.py [--build DIR] [--deep] [FILE…]

A file counts as unchanged while its text, that of every header of ours it reaches, .clang-tidy and its compile command are. The
clean ones are remembered in .cache/clang-tidy. Prints the findings and ends with 1 if there is any.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
# As deep as it can, the analyzer takes 9 s for a file of ours, and 0.6 s when it follows small functions only.
SHALLOW = [f"--extra-arg={word}" for word in ("-Xclang", "-analyzer-config", "-Xclang", "mode=shallow")]
# The analyzer does not understand coroutines: false positives inside Asio, and most of the time.
COROUTINE = re.compile(r"\bco_(await|return|yield)\b")


@cache
def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@cache
def headers_of(file: Path, generated: Path) -> frozenset[Path]:
    """Headers of ours that `file` includes itself."""
    found = set()
    for name in INCLUDE.findall(text_of(file)):
        for folder in (ROOT / "src", generated, file.parent):
            if (folder / name).is_file():
                found.add((folder / name).resolve())
                break
    return frozenset(found)


def reached_by(file: Path, generated: Path) -> list[Path]:
    seen: set[Path] = set()
    waiting = [file]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting += headers_of(current, generated)
    return sorted(seen)


def fingerprint(file: Path, command: str, generated: Path) -> str:
    digest = hashlib.sha256(command.replace(str(ROOT), "").encode())
    digest.update((ROOT / ".clang-tidy").read_bytes())
    digest.update(Path(__file__).read_bytes())
    for header in reached_by(file, generated):
        digest.update(text_of(header).encode())
    return digest.hexdigest()


def commands(build: Path) -> dict[Path, str]:
    """Source of ours -> how it is compiled. Tests, benchmarks and fuzzers are read by people and by the compiler alone."""
    entries = json.loads((build / "compile_commands.json").read_text())
    found = {Path(entry["file"]).resolve(): entry["command"] for entry in entries}
    ours = (ROOT / "src", ROOT / "apps")
    return {
        file: command
        for file, command in found.items()
        if any(file.is_relative_to(folder) for folder in ours) and not re.search(r"_(test|bench|fuzz)\.cc$", file.name)
    }


def check(file: Path, build: Path, deep: bool) -> str:
    """The findings of one file, empty if it is clean."""
    without = ["--checks=-clang-analyzer-*"] if COROUTINE.search(text_of(file)) else []
    command = ["clang-tidy-19", "--quiet", "-p", build, *without, *([] if deep else SHALLOW), file]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    # Errors of the compiler itself stand on stdout too; what else clang-tidy says is a count of what it left out.
    return done.stdout.replace(f"{ROOT}/", "") or done.stderr


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--deep", action="store_true", help="let the analyzer follow every call")
    parser.add_argument("files", nargs="*", type=Path)
    options = parser.parse_args()
    build = options.build.resolve()
    known = commands(build)
    wanted = [file.resolve() for file in options.files] or sorted(known)
    clean = ROOT / ".cache" / ("clang-tidy-deep" if options.deep else "clang-tidy")
    clean.mkdir(parents=True, exist_ok=True)

    changed = {}
    for file in wanted:
        mark = fingerprint(file, known[file], build / "generated")
        if not (clean / mark).exists():
            changed[file] = mark
    bad = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for (file, mark), findings in zip(changed.items(), pool.map(lambda f: check(f, build, options.deep), changed), strict=True):
            if findings:
                bad += 1
                print(findings, flush=True)
            else:
                (clean / mark).touch()
    print(f"{len(wanted)} files, {len(changed)} of them looked at, {bad} with findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
