# SPDX-License-Identifier: Apache-2.0
"""The rivals on the same no-op jobs, each the way its manual shows it and, where there is a choice, the faster way: Celery
without results, pg-boss in batches. Servers run in folders of their own, on Unix sockets, for one measurement each."""

import contextlib
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
START_SECONDS = 60
RUN_SECONDS_MAX = 600
DEBIAN_PACKAGES = ("redis-server", "redis-tools", "liblzf1", "libjemalloc2", "libhiredis0.14", "liblua5.1-0", "lua-cjson", "lua-bitop")


class Rivals:
    """What is installed of them. `not_run` is what to raise where one cannot run here."""

    def __init__(self, python: Path, not_run: type[Exception]):
        self.python = python
        self.home = python.parent.parent
        self.not_run = not_run

    # What is needed, once each.

    def redis_program(self) -> tuple[Path, dict[str, str]]:
        """The Debian package, unpacked into our folder unless it is installed: no service starts."""
        if installed := shutil.which("redis-server"):
            return Path(installed), {}
        root = self.home / "redis"
        if not (root / "usr/bin/redis-server").exists():
            shutil.rmtree(root, ignore_errors=True)
            with tempfile.TemporaryDirectory() as folder:
                fetched = subprocess.run(
                    ["apt-get", "download", "-q", *DEBIAN_PACKAGES], cwd=folder, capture_output=True, text=True, check=False
                )
                if fetched.returncode != 0:
                    raise self.not_run(f"redis-server is not installed and apt has none: {fetched.stderr.strip()[-300:]}")
                for package in Path(folder).glob("*.deb"):
                    subprocess.run(["dpkg", "-x", package, root], check=True)
        libraries = [str(folder) for folder in root.glob("usr/lib/*-linux-gnu")]
        return root / "usr/bin/redis-server", {"LD_LIBRARY_PATH": ":".join(libraries)}

    def node_folder(self) -> Path:
        """package.json and what it names, installed."""
        if not shutil.which("npm"):
            raise self.not_run("npm is not installed")
        folder = self.home / "node"
        folder.mkdir(parents=True, exist_ok=True)
        wanted = (HERE / "package-lock.json").read_bytes()
        stamp = folder / "installed"
        if not stamp.exists() or stamp.read_bytes() != wanted:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, folder)
            made = subprocess.run(
                ["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True, check=False, timeout=RUN_SECONDS_MAX
            )
            if made.returncode != 0:
                raise self.not_run(f"npm ci failed: {made.stderr.strip()[-300:]}")
            stamp.write_bytes(wanted)
        for script in HERE.glob("*.mjs"):
            shutil.copy(script, folder)  # it finds its packages beside itself
        return folder

    def postgres_programs(self) -> Path:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not found:
            raise self.not_run("PostgreSQL is not installed (package postgresql-15)")
        return found[-1].parent

    def require_python(self, package: str) -> None:
        if subprocess.run([self.python, "-c", f"import {package}"], capture_output=True, check=False).returncode != 0:
            raise self.not_run(f"{package} cannot be imported by {self.python}")

    # Servers of one measurement.

    @contextlib.contextmanager
    def redis(self) -> Iterator[str]:
        """A socket. Appends to its log and syncs it every second, as its manual advises."""
        program, environment = self.redis_program()
        with tempfile.TemporaryDirectory(prefix="rival-redis-") as folder:
            socket = Path(folder) / "redis.sock"
            argv = [program, "--port", "0", "--unixsocket", socket, "--dir", folder, "--appendonly", "yes", "--save", ""]
            with running(argv, {**os.environ, **environment}):
                wait_until(socket.exists, "redis-server")
                yield str(socket)

    @contextlib.contextmanager
    def postgres(self) -> Iterator[str]:
        """A URL. Its settings are the defaults: every commit is synced."""
        programs = self.postgres_programs()
        folder = Path(tempfile.mkdtemp(prefix="rival-pg-"))
        account = {}
        if os.geteuid() == 0:  # as which PostgreSQL does not run
            user = pwd.getpwnam("postgres")
            os.chown(folder, user.pw_uid, user.pw_gid)
            account = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        try:
            make = [programs / "initdb", "-D", folder / "data", "-U", "nexa", "--auth=trust", "--encoding=UTF8"]
            subprocess.run(make, check=True, capture_output=True, cwd="/", **account)
            ready = [programs / "pg_isready", "-q", "-h", folder]
            with running([programs / "postgres", "-D", folder / "data", "-k", folder, "-h", ""], None, **account):
                wait_until(lambda: subprocess.run(ready, check=False).returncode == 0, "PostgreSQL")
                yield f"postgres://nexa@/postgres?host={folder}"
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    # Jobs a second, of `jobs` that wait when the clock starts.

    def celery(self, jobs: int, threads: int) -> float:
        self.require_python("celery")
        with self.redis() as socket:
            environment = {**os.environ, "RIVAL_REDIS": f"redis+socket://{socket}", "PYTHONPATH": str(HERE)}
            self.enqueue("import celery_jobs\nfor i in range(jobs): celery_jobs.noop.delay(i)", jobs, environment)
            argv = [self.python, "-m", "celery", "-A", "celery_jobs", "worker", "--pool", "threads", "-c", str(threads)]
            argv += ["--loglevel", "ERROR", "--without-gossip", "--without-mingle", "--without-heartbeat"]
            with running(argv, environment):
                return self.watch(socket, jobs, ["celery"], "unacked")

    def rq(self, jobs: int, workers: int) -> float:
        self.require_python("rq")
        with self.redis() as socket, contextlib.ExitStack() as stack:
            environment = {**os.environ, "PYTHONPATH": str(HERE)}
            setup = f"import redis, rq, rq_jobs\nqueue = rq.Queue(connection=redis.Redis(unix_socket_path={socket!r}))\n"
            self.enqueue(setup + "for i in range(jobs): queue.enqueue(rq_jobs.noop, i, result_ttl=0)", jobs, environment)
            argv = [self.python, "-m", "rq.cli", "worker", "--url", f"unix://{socket}", "--quiet", "--worker-class", "rq.Worker"]
            for _ in range(workers):
                stack.enter_context(running(argv, environment))
            return self.watch(socket, jobs, ["rq:queue:default"], "rq:wip:default")

    def pg_boss(self, jobs: int, batch: int) -> float:
        return self.node("pg_boss.mjs", jobs, batch)

    def graphile_worker(self, jobs: int, concurrency: int) -> float:
        return self.node("graphile.mjs", jobs, concurrency)

    def node(self, script: str, jobs: int, width: int) -> float:
        folder = self.node_folder()
        with self.postgres() as url:
            argv = ["node", folder / script, url, str(jobs), str(width)]
            done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=RUN_SECONDS_MAX)
            if done.returncode != 0:
                raise RuntimeError(f"{script} ended with {done.returncode}: {done.stderr.strip()[-1000:]}")
            return json.loads(done.stdout)["per_second"]

    def enqueue(self, code: str, jobs: int, environment: dict[str, str]) -> None:
        subprocess.run([self.python, "-c", f"jobs = {jobs}\n{code}"], env=environment, check=True, timeout=RUN_SECONDS_MAX)

    def watch(self, socket: str, jobs: int, waiting: list[str], taken: str) -> float:
        """From the first job that leaves the queue to the last that ends, as Redis shows it."""
        argv = [self.python, HERE / "watch_queue.py", socket, str(jobs), taken, *waiting]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=RUN_SECONDS_MAX)
        if done.returncode != 0:
            raise RuntimeError(f"watch_queue.py ended with {done.returncode}: {done.stderr.strip()[-1000:]}")
        return json.loads(done.stdout)["per_second"]

    def versions(self) -> dict[str, str]:
        pinned = (HERE / "requirements.txt").read_text().splitlines()
        shown = [line for line in pinned if line.startswith(("celery=", "rq="))]
        packages = json.loads((HERE / "package.json").read_text())["dependencies"]
        return {"rivals": ", ".join(shown + [f"{name}=={version}" for name, version in packages.items()])}


@contextlib.contextmanager
def running(argv: list, environment: dict[str, str] | None, **account) -> Iterator[None]:
    """A program for as long as the block takes."""
    with tempfile.TemporaryFile() as output:
        program = subprocess.Popen(
            [str(word) for word in argv], env=environment, stdout=output, stderr=output, cwd="/", **account
        )
        try:
            yield
        except BaseException:
            output.seek(0)
            sys.stderr.write(output.read()[-2000:].decode(errors="replace"))
            raise
        finally:
            program.terminate()
            try:
                program.wait(20)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()


def wait_until(condition, what: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not start")
        time.sleep(0.05)
