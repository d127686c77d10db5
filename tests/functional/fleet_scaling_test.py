# SPDX-License-Identifier: Apache-2.0
"""Pools whose workers are started when jobs wait, and end when none do."""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from conftest import BUILD, LONG_ECHO, Nexad, run_cli, wait_until
from hand_worker import HandWorker
from stack import processes_below

# Starts as many real workers as it is told, each in a folder and session of its own.
SCALER = """
import json, os, pathlib, subprocess, sys
folder, worker, port, engine_pool = pathlib.Path(sys.argv[1]), *sys.argv[2:5]
request = json.load(sys.stdin)
with (folder / "requests").open("a") as log:
    log.write(json.dumps(request) + "\\n")
assert not [name for name in os.environ if name.startswith("NEXA_")], "settings of the server"
if (folder / "broken").exists():
    sys.exit("no quota")
for _ in range(request["start"]):
    number = len(list(folder.glob("w*")))
    home = folder / f"w{number}"
    home.mkdir()
    subprocess.Popen(
        [worker, "--server", f"http://127.0.0.1:{port}", "--dir", home, "--name", home.name, "--pool", request["pool"],
         "--key-file", engine_pool, "--log-level", "warning"],
        stdin=subprocess.DEVNULL, stdout=(home / "log").open("wb"), stderr=subprocess.STDOUT, start_new_session=True,
    )
print("started", request["start"])
"""


class Scaled:
    """A server whose pool `cloud` is scaled by a command."""

    def __init__(self, folder: Path, **more):
        self.fleet = folder / "fleet"
        self.fleet.mkdir()
        script = folder / "scale.py"
        script.write_text(SCALER)
        self.server = Nexad(folder / "server", environment={"NEXA_SCALING": "[]"})
        pool = {
            "pool": "cloud", "max_workers": 2, "idle_seconds": 1, "pause_seconds": 0.5, "start_seconds": 120,
            "command": [
                sys.executable, str(script), str(self.fleet), str(BUILD / "bin/nexa-worker"), str(self.server.port),
                str(self.server.folder / "admin.key"),
            ],
        }
        self.server.env["NEXA_SCALING"] = json.dumps([pool | more])

    def workers(self) -> set[Path]:
        """The folders of those that run; what a worker forks to watch over a job has its command line."""
        running = set()
        for pid, program in processes_below(self.fleet).items():
            if program == "nexa-worker":
                try:
                    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
                except OSError:
                    continue
                running |= {Path(words[words.index("--dir") + 1])} if "--dir" in words else set()
        return running

    def requests(self) -> list[dict]:
        log = self.fleet / "requests"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def view(self) -> dict:
        found = self.server.client().get("/api/fleet/scaling").json["data"]
        return found[0] if found else {}


@pytest.fixture
def scaled(tmp_path):
    made = []

    def make(**more) -> Scaled:
        made.append(Scaled(tmp_path, **more))
        made[-1].server.start()
        return made[-1]

    yield make
    for one in made:
        one.server.stop()
        for pid in processes_below(one.fleet):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def submit(client, spec) -> str:
    return client.submit("echo", {"payload": spec, "pool": "cloud"})


@pytest.mark.rows("F-92")
def test_a_queue_starts_workers_up_to_the_limit_and_an_empty_one_ends_them(scaled):
    pool = scaled()
    client = pool.server.client()
    wait_until(lambda: pool.view().get("wanted") == 0, 60, "the first look")
    assert pool.workers() == set()

    jobs = [submit(client, LONG_ECHO) for _ in range(4)]
    wait_until(lambda: len(pool.workers()) == 2, 120, "two workers")
    wait_until(lambda: sum(client.job(job)["status"] == "running" for job in jobs) == 2, 120, "two running jobs")
    seen = wait_until(lambda: (view := pool.view()) and view["running_jobs"] == 2 and view, 60, "what is seen of them")
    assert (seen["wanted"], seen["workers"], seen["max_workers"], seen["starting"]) == (2, 2, 2, 0)
    assert seen["waiting_jobs"] == 2
    assert seen["last_call"]["error"] == ""
    assert sum(request["start"] for request in pool.requests()) == 2

    for job in jobs:
        client.post(f"/api/jobs/{job}/cancel")
    wait_until(lambda: pool.workers() == set(), 120, "the end of all workers")
    wait_until(lambda: pool.view()["workers"] == 0, 120, "an empty pool")
    drained = [worker["name"] for request in pool.requests() for worker in request["drained"]]
    assert sorted(drained) == ["w0", "w1"]
    assert sum(request["start"] for request in pool.requests()) == 2

    again = submit(client, {"message": "from nothing"})
    client.wait_for(again, "completed", seconds=120)


@pytest.mark.rows("F-92")
def test_a_command_that_fails_is_shown_and_tried_again(scaled):
    pool = scaled(max_workers=1)
    (pool.fleet / "broken").touch()
    client = pool.server.client()
    job = submit(client, {"message": "later"})
    wait_until(lambda: "no quota" in str(pool.view().get("last_call")), 60, "the failure")
    assert "no quota" in run_cli(pool.server, "worker", "scaling").stdout
    (pool.fleet / "broken").unlink()
    client.wait_for(job, "completed", seconds=120)
    wait_until(lambda: pool.view()["last_call"]["error"] == "", 60, "the call that succeeded")


def test_jobs_that_no_such_worker_could_take_start_none(scaled):
    pool = scaled(gpus=1)
    client = pool.server.client()
    client.submit("echo", {"payload": {"message": "x"}, "pool": "cloud", "gpus": 2})
    client.submit("echo", {"payload": {"message": "x"}, "pool": "other"})
    fits = client.submit("echo", {"payload": {"message": "x"}, "pool": "cloud", "gpus": 1})
    wait_until(lambda: pool.requests(), 60, "the call for the job that fits")
    assert [request["start"] for request in pool.requests()] == [1]
    assert client.job(fits)["status"] == "pending"


def test_only_who_orders_workers_sees_the_pools(scaled):
    pool = scaled()
    owner = pool.server.client()
    key = owner.post("/api/auth/api-keys", {"name": "r", "scopes": ["workers:read", "jobs:read"]}).json["raw_key"]
    assert pool.server.client(key).get("/api/fleet/scaling").status == 403


@pytest.mark.rows("F-92")
def test_a_webhook_gets_the_signed_request(tmp_path):
    calls = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):  # noqa: N802
            calls.append((self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200 if len(calls) > 1 else 503)
            self.end_headers()

        def log_message(self, *_):
            pass

    hook = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    pool = {
        "pool": "cloud", "max_workers": 5, "pause_seconds": 0.5, "start_seconds": 600, "slots": 2,
        "webhook": f"http://127.0.0.1:{hook.server_port}/scale", "webhook_secret": "whsec_c2VjcmV0IG9mIHRoZSBwb29s",
    }
    server = Nexad(tmp_path / "server", environment={"NEXA_SCALING": json.dumps([pool])}).start()
    try:
        client = server.client()
        for _ in range(3):
            submit(client, {"message": "x"})
        wait_until(lambda: len(calls) >= 2, 60, "the call and its repetition")
        wait_until(lambda: client.get("/api/fleet/scaling").json["data"][0]["starting"] == 2, 60, "the workers to come")
        headers, body = calls[-1]
        said = b"%s.%s.%s" % (headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body)
        mac = hmac.new(b"secret of the pool", said, hashlib.sha256).digest()
        assert headers["webhook-signature"] == "v1," + base64.b64encode(mac).decode()
        assert (json.loads(body)["pool"], json.loads(body)["start"]) == ("cloud", 2)
        worker = HandWorker(client, tmp_path / "by hand", pool="cloud")
        worker.register()
        wait_until(lambda: client.get("/api/fleet/scaling").json["data"][0]["starting"] == 1, 60, "the arrival")
        assert "c2VjcmV0IG9mIHRoZSBwb29s" not in server.log.read_text()
    finally:
        server.stop()
        hook.shutdown()


def test_settings_that_contradict_each_other_are_refused_at_the_start(tmp_path):
    for pools in ([{"pool": "a"}, {"pool": "a"}], [{"min_workers": 3, "max_workers": 2}]):
        refused = subprocess.run(
            [BUILD / "bin/nexad", "--dir", tmp_path / "server", "--port", "0"], capture_output=True, text=True,
            env=os.environ | {"NEXA_SCALING": json.dumps(pools)}, timeout=60, check=False,
        )
        assert refused.returncode == 2
        assert "scaling" in refused.stderr
