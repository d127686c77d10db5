# SPDX-License-Identifier: Apache-2.0
"""What an operator does with workers: look, cordon, drain, remove."""

import json
import signal

import pytest
from conftest import LONG_ECHO, run_cli, wait_until
from exposition import polls_so_far
from hand_worker import HandWorker


def the_worker(client) -> dict:
    [worker] = client.get("/api/workers").json["data"]
    return worker


@pytest.mark.rows("A-66", "F-05")
def test_a_cordoned_worker_finishes_what_it_holds_and_gets_nothing_more(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    running = client.submit("echo", LONG_ECHO)
    client.wait_for(running, "running")
    worker_id = the_worker(client)["worker_id"]
    cordoned = client.post(f"/api/workers/{worker_id}/cordon")
    assert (cordoned.status, cordoned.json["status"]) == (200, "cordoned")
    assert cordoned.json["jobs"] == [running]
    assert client.get(f"/api/workers/{worker_id}").json["status"] == "cordoned"

    waiting = client.submit("echo", {"message": "later"})
    client.post(f"/api/jobs/{running}/cancel")
    client.wait_for(running, "cancelled")
    seen = polls_so_far(client)
    wait_until(lambda: polls_so_far(client) > seen, 60, "a poll of the cordoned worker")
    assert client.job(waiting)["status"] == "pending"

    assert client.post(f"/api/workers/{worker_id}/uncordon").json["status"] == "approved"
    client.wait_for(waiting, "completed")


@pytest.mark.rows("A-66", "F-05")
def test_a_drained_worker_ends_by_itself_and_is_back_when_started_anew(nexad, start_worker):
    client = nexad.client()
    worker = start_worker(nexad)
    running = client.submit("echo", {"message": "to the end", "seconds": 15, "events": 150})
    client.wait_for(running, "running")
    worker_id = the_worker(client)["worker_id"]
    drained = client.post(f"/api/workers/{worker_id}/drain").json
    assert (drained["status"], drained["liveness"]) == ("approved", "draining")
    waiting = client.submit("echo", {"message": "later"})
    client.wait_for(running, "completed")
    assert wait_until(lambda: not worker.running and worker.process, 30, "the worker's end").returncode == 0
    assert client.job(waiting)["status"] == "pending"
    worker.start()
    client.wait_for(waiting, "completed")
    assert the_worker(client)["liveness"] == "connected"


def test_an_idle_worker_is_told_to_drain_at_once_though_it_waits_for_jobs(nexad, start_worker):
    client = nexad.client()
    worker = start_worker(nexad)
    client.wait_for(client.submit("echo", {"message": "there"}), "completed")
    client.post(f"/api/workers/{the_worker(client)['worker_id']}/drain")
    wait_until(lambda: not worker.running, 20, "the worker's end")


def test_the_jobs_of_a_removed_worker_go_back_at_once_and_nothing_it_says_counts(nexad, start_worker):
    client = nexad.client()
    first = start_worker(nexad, "first")
    job_id = client.submit("echo", LONG_ECHO)
    client.wait_for(job_id, "running")
    worker_id = the_worker(client)["worker_id"]
    removed = client.call("DELETE", f"/api/workers/{worker_id}")
    assert (removed.status, removed.json["status"], removed.json["jobs"]) == (200, "revoked", [])
    assert client.job(job_id)["status"] == "pending"
    wait_until(lambda: not first.running, 60, "the removed worker's end")
    first.start()
    wait_until(lambda: not first.running, 60, "its end, as it may not register again")
    assert client.job(job_id)["status"] == "pending"

    start_worker(nexad, "second")
    assert client.wait_for(job_id, "running")["attempt"] == 2
    for word in ("cordon", "uncordon", "drain"):
        refused = client.post(f"/api/workers/{worker_id}/{word}")
        assert (refused.status, refused.json["param"]) == (409, "worker_id")


def test_a_job_that_was_to_be_cancelled_is_cancelled_with_its_worker(nexad, start_worker):
    client = nexad.client()
    worker = start_worker(nexad)
    job_id = client.submit("echo", LONG_ECHO)
    client.wait_for(job_id, "running")
    worker.process.send_signal(signal.SIGSTOP)
    client.post(f"/api/jobs/{job_id}/cancel")
    client.call("DELETE", f"/api/workers/{the_worker(client)['worker_id']}")
    assert client.job(job_id)["status"] == "cancelled"


def test_a_job_that_waits_says_why(nexad, tmp_path):
    client = nexad.client()
    job_id = client.submit("echo", {"payload": {"message": "x"}, "gpus": 2})
    assert client.job(job_id)["status_reason"] == "no worker has registered"
    worker = HandWorker(client, tmp_path / "worker")
    worker.register(gpus=1)
    assert "it needs 2 GPUs; the largest worker of pool 'default' has 1" == client.job(job_id)["status_reason"]
    assert "needs 2 GPUs" in run_cli(nexad, "job", "get", job_id).stdout
    client.post(f"/api/jobs/{job_id}/cancel")
    job_id = client.submit("echo", {"payload": {"message": "x"}, "gpus": 1})
    client.post(f"/api/workers/{worker.worker_id}/cordon")
    assert "1 cordoned" in client.job(job_id)["status_reason"]
    client.post(f"/api/jobs/{job_id}/cancel")
    assert client.job(job_id)["status_reason"] is None


def test_orders_need_a_worker_and_a_key_for_the_fleet(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    wait_until(lambda: client.get("/api/workers").json["data"], 30, "the worker")
    worker_id = the_worker(client)["worker_id"]
    worker_key = nexad.client(client.post("/api/auth/api-keys", {"name": "w", "scopes": ["workers:write"]}).json["raw_key"])
    calls = [("POST", "/cordon"), ("POST", "/uncordon"), ("POST", "/drain"), ("DELETE", "")]
    for method, below in calls:
        assert worker_key.call(method, f"/api/workers/{worker_id}{below}").status == 403
        assert client.call(method, f"/api/workers/wk_nobody{below}").status == 404
    assert client.get("/api/workers/wk_nobody").status == 404
    assert the_worker(client)["status"] == "approved"


def test_the_command_line_orders_workers(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    wait_until(lambda: client.get("/api/workers").json["data"], 30, "the worker")
    worker_id = the_worker(client)["worker_id"]

    def nexa(*words):
        return run_cli(nexad, "worker", *words)

    assert nexa("cordon", worker_id).stdout.split() == [worker_id, "cordoned", "connected"]
    assert json.loads(nexa("uncordon", worker_id, "--json").stdout)["status"] == "approved"
    assert nexa("drain", worker_id).stdout.split() == [worker_id, "approved", "draining"]
    assert nexa("rm", worker_id).stdout.split()[1] == "revoked"
    assert nexa("rm", worker_id).returncode != 0
    assert worker_id in nexa("ls").stdout
