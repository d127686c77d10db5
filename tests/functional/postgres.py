# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL of the tests' own: on a Unix socket in a temporary folder, as a user that is not root."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import wait_until

PASSWORD = "hunter2-is-not-to-be-seen"


def programs() -> Path | None:
    """Debian keeps several versions side by side; the newest is taken."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


class Postgres:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="nexa-pg-", dir="/tmp"))
        self.bin = programs()
        self.process = None
        self.databases = 0
        # PostgreSQL does not run as root.
        self.account = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.account = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def run(self, *argv, **more):
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        return subprocess.run(
            [str(part) for part in argv], env=environment, capture_output=True, text=True, check=True, cwd="/", **more
        )

    def start(self):
        data = self.folder / "data"
        if not data.exists():
            options = ["-U", "nexa", "--auth=trust", "--encoding=UTF8", "--no-sync", "--no-instructions"]
            self.run(self.bin / "initdb", "-D", data, *options, **self.account)
        argv = [self.bin / "postgres", "-D", data, "-k", self.folder, "-h", ""]
        for setting in ("fsync=off", "full_page_writes=off", "shared_buffers=32MB", "deadlock_timeout=100ms"):
            argv += ["-c", setting]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([str(part) for part in argv], stdout=log, stderr=log, cwd="/", **self.account)
        wait_until(self._answers, 60, f"PostgreSQL (see {self.folder}/log)")
        return self

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
        return subprocess.run([self.bin / "pg_isready", "-q", "-h", self.folder], check=False).returncode == 0

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)  # at once, clients or not
            self.process.wait(30)

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, text: str, database: str = "postgres") -> str:
        """What psql prints: rows as lines, columns parted by |."""
        argv = [self.bin / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U", "nexa"]
        return self.run(*argv, "-d", database, "-c", text).stdout.strip()

    def make_database(self) -> str:
        """An empty one; its name."""
        self.databases += 1
        name = f"nexa{self.databases}"
        self.sql(f"CREATE DATABASE {name}")
        return name

    def environment(self, database: str) -> dict[str, str]:
        """Of a nexad that is to use it."""
        return {"NEXA_DB__URL": f"postgres://nexa:{PASSWORD}@/{database}?host={self.folder}"}


def start_or_skip() -> Postgres:
    if programs() is None:
        message = "needs PostgreSQL (package postgresql-15)"
        pytest.fail(message) if os.environ.get("NEXA_TEST_PARTS") == "require" else pytest.skip(message)
    return Postgres().start()
