#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the header that tells programs what they were built from; the build runs it each time.

    tools/write_build_info.py --version 0.1.0 --out build/generated/build_info.h

The commit is empty outside a repository and ends in -dirty if tracked files differ from it. A header that says the
same already is left alone, so that nothing is compiled for it.
"""

import argparse
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def git(*words: str) -> str:
    try:
        said = subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return said.stdout.strip() if said.returncode == 0 else ""


def commit() -> str:
    # An enclosing repository of somebody else's is none of ours.
    if git("rev-parse", "--show-toplevel") != str(ROOT):
        return ""
    head = git("rev-parse", "HEAD")
    return f"{head}-dirty" if head and git("status", "--porcelain", "--untracked-files=no") else head


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    text = f'''// SPDX-License-Identifier: Apache-2.0
// Written by tools/write_build_info.py.
#pragma once

#define NEXA_VERSION "{options.version}"
#define NEXA_COMMIT "{commit()}"
'''
    if not options.out.exists() or options.out.read_text() != text:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text)


if __name__ == "__main__":
    main()
