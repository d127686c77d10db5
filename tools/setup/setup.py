#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs what building and testing need and is not there: Debian packages (apt.txt) and .venv (requirements.txt
for the tests, engine.txt for libtorch and Arrow).

Silent when nothing is missing. Needs root only for apt, and names the packages when it may not.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VENV = ROOT / ".venv"


def listed(name: str) -> list[str]:
    lines = (HERE / name).read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def missing_packages() -> list[str]:
    wanted = listed("apt.txt")
    shown = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *wanted],
        capture_output=True, text=True, check=False,
    ).stdout
    installed = {line.split()[0] for line in shown.splitlines() if line.endswith(" installed")}
    return [name for name in wanted if name not in installed]


def install_packages() -> None:
    missing = missing_packages()
    if not missing:
        return
    print(f"setup: installing {len(missing)} Debian packages: {' '.join(missing)}", flush=True)
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if root and (not shutil.which("sudo") or subprocess.run([*root, "true"], check=False).returncode != 0):
        sys.exit(f"setup: apt needs root. Run this once, then again ./dev:\n  apt-get install -y {' '.join(missing)}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    quiet = {"env": environment, "stdout": subprocess.DEVNULL, "check": True}
    subprocess.run([*root, "apt-get", "update", "-q"], **quiet)
    with no_default_cluster(root, quiet):
        subprocess.run([*root, "apt-get", "install", "-y", "-q", "--no-install-recommends", *missing], **quiet)


@contextlib.contextmanager
def no_default_cluster(root: list[str], quiet: dict):
    """Debian's PostgreSQL makes a database and serves it on port 5432. Tests start servers of their own, so where it
    is not installed yet it is told to make none; nothing of that stays."""
    folder = Path("/etc/postgresql-common/createcluster.d")
    said = folder / "nexa-setup.conf"
    ours = shutil.which("pg_createcluster") is None
    if ours:
        subprocess.run([*root, "mkdir", "-p", folder], **quiet)
        words = "create_main_cluster = false\n"
        subprocess.run([*root, "tee", said], input=words, text=True, **quiet)
    try:
        yield
    finally:
        if ours:
            subprocess.run([*root, "rm", "-f", said], **quiet)


def fill_venv(name: str, *options: str) -> None:
    """Installs the pins of `name` into .venv unless a stamp with the file's hash says that they are there."""
    wanted = hashlib.sha256((HERE / name).read_bytes()).hexdigest()
    stamp = VENV / f"{Path(name).stem}.sha256"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"setup: installing the packages of {name} into .venv, which can take minutes", flush=True)
    if not (VENV / "bin/pip").exists():
        subprocess.run(["/usr/bin/python3", "-m", "venv", VENV], check=True)
    # A person at a terminal sees pip's own bars; a log does not want them.
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    command = [VENV / "bin/pip", "install", *quiet, "--no-deps", *options, "-r", HERE / name]
    subprocess.run(command, check=True)
    link_unversioned()
    stamp.write_text(wanted)


def link_unversioned() -> None:
    """libarrow.so beside libarrow.so.2600: what a linker looks for and wheels leave out."""
    packages = "lib/python3.*/site-packages"
    for folder in (*VENV.glob(f"{packages}/pyarrow"), *VENV.glob(f"{packages}/nvidia/*/lib")):
        for library in sorted(folder.glob("lib*.so.*")):
            link = library.with_name(library.name.split(".so.")[0] + ".so")
            if not link.exists():
                link.unlink(missing_ok=True)
                link.symlink_to(library.name)


def make_venv() -> None:
    """.venv holds what requirements.txt and engine.txt name; wheels of the latter are only linked, so no bytecode."""
    fill_venv("requirements.txt")
    fill_venv("engine.txt", "--no-compile")


if __name__ == "__main__":
    install_packages()
    make_venv()
