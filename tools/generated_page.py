# SPDX-License-Identifier: Apache-2.0
"""Keeps a page that a tool generates: writes it, or says whether it is current."""

import argparse
from pathlib import Path


def options(description: str | None) -> argparse.ArgumentParser:
    """A parser with `--check`; a tool adds what else it takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is not current")
    return parser


def keep(page: Path, text: str, *, check: bool) -> int:
    """The tool's exit status: 1 if `check` found another text than `text` in `page`."""
    if check:
        return 0 if page.read_text() == text else 1
    page.write_text(text)
    return 0
