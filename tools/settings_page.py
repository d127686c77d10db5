#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/guide/settings.md from what the built programs say of their settings. `--check` only says whether it is current."""

import subprocess
import sys
from pathlib import Path

import generated_page

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/guide/settings.md"
PROGRAMS = ("nexad", "nexa-worker", "nexa-gateway")
INTRODUCTION = """# Settings

A setting is taken from the first of these that has it: a flag (`--set path=value`; the usual ones have flags of their own), the
environment, the project's file `nexa.yaml`, the user's file, the default. Lists are replaced as a whole. A secret is given by its
variable, or by the variable with `_FILE` behind it, which names a file that holds it; never by a flag. `nexa config list` shows what
holds in a folder, and why.
"""


def table_of(program: Path) -> str:
    return subprocess.run([program, "--print-settings"], capture_output=True, text=True, timeout=30, check=True).stdout


def main() -> int:
    parser = generated_page.options(__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    options = parser.parse_args()
    text = INTRODUCTION
    for program in PROGRAMS:
        text += f"\n## {program}\n\n{table_of(options.build / 'bin' / program).rstrip()}\n"
    return generated_page.keep(PAGE, text, check=options.check)


if __name__ == "__main__":
    sys.exit(main())
