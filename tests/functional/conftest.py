# SPDX-License-Identifier: Apache-2.0
"""Starts the real programs, each on a free loopback port and in a folder of its own."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("NEXA_BUILD", ROOT / "build"))
START_SECONDS = 20


@pytest.fixture(autouse=True)
def _record_rows(request, record_property):
    for marker in request.node.iter_markers("rows"):
        record_property("rows", " ".join(marker.args))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def wait_until(condition, seconds: float = 30, what: str = "the condition"):
    """The first true value of `condition()`; fails loudly when it does not come."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    pytest.fail(f"{what} did not come within {seconds} s")


# Until it is cancelled, and it is seen running from its first moment on.
LONG_ECHO = {"message": "x", "seconds": 600, "events": 6000}


class Reply:
    def __init__(self, status: int, headers, body: bytes):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)


class Client:
    """Speaks to one server with one key."""

    def __init__(self, base: str, key: str | None = None):
        self.base = base
        self.key = key

    def call(self, method: str, path: str, body=None, headers=None, timeout: float = 30) -> Reply:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, method=method)
        if self.key:
            request.add_header("X-Nexa-Api-Key", self.key)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as reply:
                return Reply(reply.status, reply.headers, reply.read())
        except urllib.error.HTTPError as error:
            return Reply(error.code, error.headers, error.read())

    def get(self, path: str, **more) -> Reply:
        return self.call("GET", path, **more)

    def post(self, path: str, body=None, **more) -> Reply:
        return self.call("POST", path, {} if body is None else body, **more)

    def submit(self, job_type: str, spec: dict, **more) -> str:
        reply = self.post(f"/api/jobs/{job_type}", spec, **more)
        assert reply.status == 202, reply.body
        return reply.json["job_id"]

    def put_blob(self, content: bytes) -> Reply:
        return self.call("PUT", f"/api/blobs/{digest_of(content)}", content)

    def upload(self, content: bytes = b'{"text": "a"}\n', **more) -> dict:
        """An artifact with the one file rows.jsonl; a dataset unless `kind` says otherwise."""
        assert self.put_blob(content).status == 204
        files = [{"path": "rows.jsonl", "digest": digest_of(content), "size": len(content)}]
        reply = self.post("/api/artifacts", {"files": files} | more)
        assert reply.status == 201, reply.body
        return reply.json

    def job(self, job_id: str) -> dict:
        reply = self.get(f"/api/jobs/{job_id}")
        assert reply.status == 200, reply.body
        return reply.json

    def wait_for(self, job_id: str, *statuses: str, seconds: float = 60) -> dict:
        def reached():
            job = self.job(job_id)
            return job if job["status"] in statuses else None

        return wait_until(reached, seconds, f"{job_id} in {statuses}")


class Program:
    """A started program; its output lies in a file that a failing test shows."""

    def __init__(self, argv, log: Path, env=None):
        self.argv = [str(part) for part in argv]
        self.log = log
        self.env = {**os.environ, **(env or {})}
        self.process = None

    def start(self):
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(self.argv, stdout=out, stderr=out, env=self.env)
        return self

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """As a crash would: no chance to clean up."""
        self.process.kill()
        self.process.wait()

    def stop(self, seconds: float = 15) -> int:
        if self.running:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                pytest.fail(f"{self.argv[0]} did not end within {seconds} s of SIGTERM")
        return self.process.returncode


class Nexad(Program):
    def __init__(self, folder: Path, *more: str, environment: dict[str, str] | None = None):
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        argv = [BUILD / "bin/nexad", "--dir", folder, "--port", str(self.port), *more]
        super().__init__(argv, folder.parent / "nexad.log", environment)

    def start(self):
        super().start()
        wait_until(self._ready, START_SECONDS, f"nexad (see {self.log})")
        return self

    def _ready(self) -> bool:
        assert self.running, self.log.read_text()[-2000:]
        try:
            return Client(self.url).get("/readyz", timeout=5).status == 200
        except OSError:
            return False

    @property
    def key(self) -> str:
        return (self.folder / "admin.key").read_text().strip()

    def client(self, key: str | None = None) -> Client:
        return Client(self.url, key or self.key)


def run_cli(server, *words, key: str | None = None, timeout: float = 60) -> subprocess.CompletedProcess:
    """`nexa` with these words, for this server, in the name of its administrator or of `key`."""
    environment = {**os.environ, "NEXA_API_URL": f"{server.url}/api", "NEXA_API_KEY": key or server.key}
    argv = [BUILD / "bin/nexa", *map(str, words)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=timeout, env=environment, check=False)


class Worker(Program):
    def __init__(self, server: Nexad, folder: Path, *more: str):
        self.folder = folder
        super().__init__(
            [
                BUILD / "bin/nexa-worker", "--server", server.url, "--dir", folder,
                "--key-file", server.folder / "admin.key", *more,
            ],
            folder.parent / f"{folder.name}.log",
        )


class Gateway(Program):
    """Without a control plane, unless `more` names one."""

    def __init__(self, folder: Path, *more):
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(
            [BUILD / "bin/nexa-gateway", "--dir", folder, "--port", str(self.port), *more],
            folder.parent / f"{folder.name}.log",
        )

    def status(self, path: str) -> int:
        """0 while nobody listens."""
        try:
            return Client(self.url).get(path, timeout=5).status
        except OSError:
            return 0

    def wait_ready(self):
        def ready():
            assert self.running, self.log.read_text()[-2000:]
            return self.status("/readyz") == 200

        wait_until(ready, 60, f"nexa-gateway (see {self.log})")
        return self

    def client(self, key: str | None = None) -> Client:
        return Client(self.url, key)

    def usage(self) -> list[dict]:
        path = self.folder / "gateway/usage.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def wait_usage(self, count: int, seconds: float = 30) -> list[dict]:
        """The usage, once it has that many lines; from one reading, so none is missing."""
        def enough():
            lines = self.usage()
            return lines if len(lines) >= count else None

        return wait_until(enough, seconds, f"usage of {count} lines")

    def runners(self) -> list[int]:
        """Process ids of its children that run a model."""
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        pids = [int(pid) for child in children for pid in child.read_text().split()]
        return [pid for pid in pids if b"serve" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.fixture
def start_gateway(tmp_path):
    """Starts gateways; all are gone afterwards."""
    started = []

    def start(*more, name: str = "gateway") -> Gateway:
        started.append(Gateway(tmp_path / name, *more).start())
        return started[-1]

    yield start
    for gateway in started:
        if gateway.running:
            gateway.kill()


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL for all tests of this run."""
    import postgres as parts

    server = parts.start_or_skip()
    yield server
    server.remove()


@pytest.fixture
def database_environment() -> dict[str, str]:
    """Which database servers use: SQLite, unless a file of tests says otherwise."""
    return {}


@pytest.fixture
def nexad(tmp_path, database_environment):
    server = Nexad(tmp_path / "server", environment=database_environment).start()
    yield server
    server.stop()


@pytest.fixture
def fast_nexad(tmp_path, database_environment):
    """With leases short enough to wait for their end."""
    server = Nexad(tmp_path / "server", "--set", "lease_seconds=2", environment=database_environment).start()
    yield server
    server.stop()


@pytest.fixture
def patient_nexad(tmp_path):
    """A lease that a kill took from its worker ends soon, and none ends on a slow machine."""
    server = Nexad(tmp_path / "server", "--set", "lease_seconds=10").start()
    yield server
    server.stop()


@pytest.fixture
def start_worker(tmp_path):
    """Starts workers of a server; all are gone afterwards."""
    started = []

    def start(server: Nexad, name: str = "worker", *more: str) -> Worker:
        started.append(Worker(server, tmp_path / name, *more).start())
        return started[-1]

    yield start
    for worker in started:
        if worker.running:
            worker.kill()
