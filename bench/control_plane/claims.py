# SPDX-License-Identifier: Apache-2.0
"""The control plane under load: signed results over HTTP with keys, on SQLite with every commit synced, beside what the disk
gives and beside Celery, RQ, pg-boss and graphile-worker on the same no-op jobs. NEXA_BENCH_SCALE=0.01 makes a short try of it.

Each measurement of ours has a nexad of its own on an empty folder (in TMPDIR: the disk that is measured). The clock runs from
the first poll to the last accepted result; jobs are queued and workers registered before, for both sides."""

import atexit
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGETS = ["control_plane_bench", "nexad"]
PINS = HERE / "requirements.txt"

SCALE = float(os.environ.get("NEXA_BENCH_SCALE", "1"))
READY_SECONDS_MAX = 60
MIB = 1 << 20


def scaled(count: int, least: int = 1) -> int:
    return max(least, round(count * SCALE))


class Server:
    """A nexad, and what is known of its process."""

    def __init__(self, bench):
        self.bench = bench
        self.folder = Path(tempfile.mkdtemp(prefix="nexa-bench-"))
        atexit.register(self.stop)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        began = time.monotonic()
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [bench.build / "bin/nexad", "--dir", self.folder / "server", "--port", str(port)], stdout=log, stderr=log
            )
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() - began > READY_SECONDS_MAX:
                raise RuntimeError(f"nexad did not get ready: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.005)
        self.ready_seconds = time.monotonic() - began

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as reply:
                return reply.status == 200
        except OSError:
            return False

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def rss_mib(self) -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024 / MIB
        raise RuntimeError("nexad is gone")

    def load(self, mode: str, **setup) -> dict:
        """One run of control_plane_bench."""
        words = {"mode": mode, "url": self.url, "key_file": str(self.folder / "server/admin.key"), "folder": str(self.folder)}
        figures = self.bench.run_json([self.bench.program("control_plane_bench"), json.dumps(words | setup)])
        if figures["refused"]:
            raise RuntimeError(f"{mode}: {figures['refused']} were refused")
        return figures


@contextlib.contextmanager
def server_of(bench) -> Iterator[Server]:
    server = Server(bench)
    try:
        yield server
    finally:
        server.stop()


def completed(bench, clients: int, batch: int, jobs: int) -> float:
    """Accepted signed results a second."""
    with server_of(bench) as server:
        server.load("submit", clients=32, count=jobs)
        figures = server.load("complete", clients=clients, batch=batch, count=jobs)
        if figures["count"] != jobs:
            raise RuntimeError(f"{figures['count']} of {jobs} results were accepted")
        return figures["per_second"]


class Measured:
    """Runs that several claims read from: made once, at the first question."""

    def __init__(self, bench):
        self.bench = bench
        self.kept = {}

    def once(self, name: str, make) -> object:
        if name not in self.kept:
            self.kept[name] = make()
        return self.kept[name]

    def starts(self) -> dict:
        def make() -> dict:
            with server_of(self.bench) as server:
                return server.load("start", clients=4, count=scaled(2_000, 20))

        return self.once("starts", make)

    def many_jobs(self) -> Server:
        """A server that knows a million jobs."""

        def make() -> Server:
            server = Server(self.bench)
            server.load("submit", clients=32, count=scaled(1_000_000, 1_000))
            return server

        return self.once("many jobs", make)


def sequential(bench) -> float:
    return completed(bench, 1, 1, scaled(3_000, 20))


def commits(bench) -> float:
    """Of one row each, one after the other, by the same library on the same disk."""
    with server_of(bench) as server:
        return server.load("commit", count=scaled(3_000, 20))["per_second"]


def beats(bench) -> float:
    """10,000 workers, each every 15 s; how late the slowest hundredth is answered."""
    with server_of(bench) as server:
        return server.load("beat", clients=64, count=scaled(10_000, 64), seconds=scaled(30, 1), period=scaled(15, 1))["p99_ms"]


def idle_rss(bench) -> float:
    with server_of(bench) as server:
        time.sleep(2)
        return server.rss_mib()


def loaded_rss(bench) -> float:
    with server_of(bench) as server:
        jobs = scaled(20_000, 200)
        server.load("submit", clients=32, count=jobs)
        server.load("complete", clients=64, batch=1, count=jobs)
        return server.rss_mib()


def ready(bench) -> float:
    with server_of(bench) as server:
        return server.ready_seconds


def rivals_of(bench):
    sys.path.insert(0, str(HERE))
    import rivals  # noqa: PLC0415: beside this file, which is loaded by its path

    return rivals.Rivals(bench.python, bench.not_run)


def claims(bench) -> list:
    measured = Measured(bench)
    rivals = rivals_of(bench)

    def one_by_one() -> float:
        return completed(bench, 64, 1, scaled(20_000, 200))

    def in_batches() -> float:
        return completed(bench, 4, 64, scaled(40_000, 400))

    def claim(name: str, unit: str, bar: float, ours, rival=None, more_is_better: bool = True):
        return bench.claim(name=name, unit=unit, bar=bar, ours=ours, rival=rival, more_is_better=more_is_better)

    return [
        claim("accepted results, 4 workers in batches of 64", "1/s", 6_000, in_batches),
        claim("accepted results, 64 workers one by one", "1/s", 3_000, one_by_one),
        claim("accepted results, one worker one by one, beside synced commits", "1/s", 0.4, lambda: sequential(bench), lambda: commits(bench)),
        claim("beside Celery (10 threads, Redis)", "1/s", 3, one_by_one, lambda: rivals.celery(scaled(10_000, 200), 10)),
        claim("beside RQ (2 workers that fork, Redis)", "1/s", 10, one_by_one, lambda: rivals.rq(scaled(1_000, 20), 2)),
        claim("in batches of 64 beside pg-boss (100)", "1/s", 0.5, in_batches, lambda: rivals.pg_boss(scaled(40_000, 400), 100)),
        claim("one by one beside graphile-worker (24 at once)", "1/s", 1, one_by_one, lambda: rivals.graphile_worker(scaled(10_000, 200), 24)),
        claim("submit to start, median", "ms", 50, lambda: measured.starts()["p50_ms"], more_is_better=False),
        claim("submit to start, 99 of 100", "ms", 250, lambda: measured.starts()["p99_ms"], more_is_better=False),
        claim("10,000 workers that beat every 15 s, answer of 99 of 100", "ms", 250, lambda: beats(bench), more_is_better=False),
        claim(
            "pages of a list of 1,000,000 jobs, 99 of 100", "ms", 100,
            lambda: measured.many_jobs().load("list", count=scaled(1_000, 50))["p99_ms"], more_is_better=False,
        ),
        claim("memory of an idle server", "MiB", 64, lambda: idle_rss(bench), more_is_better=False),
        claim("memory of a server after 20,000 jobs", "MiB", 256, lambda: loaded_rss(bench), more_is_better=False),
        claim("ready after its start", "s", 1, lambda: ready(bench), more_is_better=False),
    ]  # fmt: skip


def versions(bench) -> dict:
    return rivals_of(bench).versions()
