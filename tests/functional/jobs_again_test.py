# SPDX-License-Identifier: Apache-2.0
"""Jobs made again, jobs told about before they are made, and what the queue keeps."""

import http.client
import json
import random
import re
import sqlite3
import subprocess
import threading
import time

import pytest
from conftest import BUILD, LONG_ECHO, Client, run_cli, wait_until
from exposition import read_exposition
from hand_worker import HandWorker
from nexa_forge import NexaForgeClient

ECHO = {"message": "hello"}
BROKEN = {"message": "x", "fail_with": "invalid_argument"}


def test_a_failed_job_is_made_again_as_a_new_job_that_names_it(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    wrapped = {"payload": BROKEN, "name": "mine", "priority": 3, "max_attempts": 2}
    failed = client.wait_for(client.submit("echo", wrapped), "failed")
    reply = client.post(f"/api/jobs/{failed['job_id']}/retry", headers={"Idempotency-Key": "again"})
    assert reply.status == 202, reply.body
    made = reply.json["job_id"]
    assert reply.headers["Location"] == f"/api/jobs/{made}" and made != failed["job_id"]
    again = client.wait_for(made, "failed")
    assert again["retry_of"] == failed["job_id"]
    assert [again[name] for name in ("payload", "name", "priority")] == [
        failed[name] for name in ("payload", "name", "priority")
    ]
    # What has ended stays as it was, and a repeated request makes no second job.
    assert client.job(failed["job_id"]) == failed
    once_more = client.post(f"/api/jobs/{failed['job_id']}/retry", headers={"Idempotency-Key": "again"})
    assert once_more.json["job_id"] == made
    other = client.post(f"/api/jobs/{made}/retry", headers={"Idempotency-Key": "again"})
    assert other.status == 422


def test_only_what_failed_or_was_cancelled_is_retried(nexad, start_worker):
    client = nexad.client()
    waiting = client.submit("echo", ECHO)
    refused = client.post(f"/api/jobs/{waiting}/retry")
    assert (refused.status, refused.json["param"]) == (409, "job_id")
    assert "clone" in refused.json["hint"]
    assert client.post("/api/jobs/job_0199c0ffee/retry").status == 404
    client.post(f"/api/jobs/{waiting}/cancel")
    start_worker(nexad)
    again = client.post(f"/api/jobs/{waiting}/retry").json["job_id"]
    client.wait_for(again, "completed")
    assert client.post(f"/api/jobs/{again}/retry").status == 409
    narrow = client.post("/api/auth/api-keys", {"name": "reader", "scopes": ["jobs:read"]}).json["raw_key"]
    for what in ("retry", "clone"):
        assert nexad.client(narrow).post(f"/api/jobs/{waiting}/{what}").status == 403


def test_a_clone_is_the_same_job_but_for_its_changes(nexad):
    client = nexad.client()
    wrapped = {"payload": {"message": "first", "events": 7}, "name": "first", "priority": -3, "pool": "slow"}
    first = client.submit("echo", wrapped)
    plain = client.job(client.post(f"/api/jobs/{first}/clone", {"message": "second"}).json["job_id"])
    assert (plain["payload"]["message"], plain["payload"]["events"]) == ("second", 7)
    assert (plain["name"], plain["priority"], plain["retry_of"]) == ("first", -3, None)
    changes = {"payload": {"events": 1}, "name": "third", "priority": 0}
    third = client.job(client.post(f"/api/jobs/{first}/clone", changes).json["job_id"])
    assert (third["payload"]["message"], third["payload"]["events"]) == ("first", 1)
    assert (third["name"], third["priority"]) == ("third", 0)
    same = client.job(client.call("POST", f"/api/jobs/{first}/clone").json["job_id"])
    assert same["payload"] == client.job(first)["payload"]
    for body, param in (({"evnts": 1}, "evnts"), ({"payload": {"events": -1}}, "payload.events"), ([], None)):
        refused = client.post(f"/api/jobs/{first}/clone", body)
        assert refused.status == 422, body
        assert param is None or refused.json["param"] == param
    count = len(client.get("/api/jobs").json["data"])
    only_asked = client.post(f"/api/jobs/{first}/clone", {"payload": {}, "dry_run": True})
    assert (only_asked.status, only_asked.json["param"]) == (422, "dry_run")
    assert len(client.get("/api/jobs").json["data"]) == count
    assert client.call("POST", f"/api/jobs/{first}/clone", b"{").status == 400
    assert len(client.get("/api/jobs").json["data"]) == 4


def test_an_estimate_tells_what_a_job_would_be_and_makes_none(nexad):
    client = nexad.client()
    dataset = client.upload(b'{"text": "abc"}\n' * 100)
    told = client.post("/api/jobs/audit/estimate", {"dataset_id": dataset["artifact_id"]})
    assert told.status == 200, told.body
    view = told.json
    assert view["payload"]["dataset_uri"] == dataset["artifact_id"] and "format" in view["payload"]
    assert view["inputs"] == [
        {"name": "dataset", "artifact_id": dataset["artifact_id"], "kind": "dataset", "files": 1, "bytes": 1600}
    ]
    assert (view["seconds"], view["usage"], view["cost_usd"], view["based_on"]) == (None, [], None, 0)
    assert "no audit job" in view["basis"]
    assert view["blocked_by"] == "no worker has registered"
    for path, body in (
        ("/api/jobs/audit?dry_run=true", {"dataset_uri": dataset["artifact_id"]}),
        ("/audit?dry_run=true", {"dataset_uri": dataset["artifact_id"]}),
        ("/api/jobs/audit", {"payload": {"dataset_uri": dataset["artifact_id"]}, "dry_run": True}),
    ):
        dry = client.post(path, body)
        assert (dry.status, dry.json) == (200, view), path
    assert client.get("/api/jobs").json["data"] == []
    # It refuses what submitting would refuse.
    assert client.post("/api/jobs/audit/estimate", {"dataset_uri": "ds_none"}).json["param"] == "dataset_uri"
    assert client.post("/api/jobs/audit/estimate", {"min_scor": 1}).status == 422
    assert client.post("/api/jobs/trian/estimate", {}).status == 404
    assert client.post("/api/jobs/audit?dry_run=perhaps", {}).json["param"] == "dry_run"
    assert client.post("/api/jobs/echo?dry_run=false", ECHO).status == 202


def test_an_estimate_stands_on_the_jobs_before_it(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    for _ in range(3):
        client.wait_for(client.submit("generate", {"domain": "arithmetic", "num_samples": 20}), "completed")
    known = client.post("/api/jobs/generate/estimate", {"domain": "arithmetic", "num_samples": 2000}).json
    assert known["based_on"] == 3
    assert 0 <= known["seconds"]["low"] <= known["seconds"]["median"] <= known["seconds"]["high"]
    meters = {row["meter"]: row for row in known["usage"]}
    assert meters["stored_bytes"]["median"] > 0
    assert float(known["cost_usd"]["low"]) <= float(known["cost_usd"]["high"])
    assert known["rate_card"] and "3 completed generate jobs with arithmetic" in known["basis"]
    assert known["workers_fitting"] == 1

    shown = run_cli(nexad, "generate", "--domain", "arithmetic", "--num-samples", "2000", "--dry-run")
    assert shown.returncode == 0, shown.stderr
    lines = dict(line.split("\t", 1) for line in shown.stdout.splitlines())
    assert lines["basis"] == known["basis"]
    by_client = NexaForgeClient(nexad.key, f"{nexad.url}/api").estimate("generate", {"domain": "arithmetic", "num_samples": 2000})
    assert by_client["usage"] == known["usage"]
    assert len(client.get("/api/jobs").json["data"]) == 3


def test_one_line_says_what_a_job_waits_for(nexad, start_worker, tmp_path):
    client = nexad.client()
    job_id = client.submit("echo", {"payload": ECHO, "gpus": 3})
    assert client.job(job_id)["status_reason"] == "no worker has registered"
    hand = HandWorker(client, tmp_path / "hand")
    assert hand.register(gpus=2, memory_bytes=1000).status == 200
    assert client.job(job_id)["status_reason"] == "it needs 3 GPUs; the largest worker of pool 'default' has 2"
    (listed,) = client.get("/api/jobs").json["data"]
    assert listed["status_reason"] == client.job(job_id)["status_reason"]
    elsewhere = client.submit("echo", {"payload": ECHO, "pool": "gpu"})
    assert "there are workers of default" in client.job(elsewhere)["status_reason"]
    held = client.submit("echo", ECHO)
    (lease,) = hand.next_jobs()
    assert lease["job_id"] == held
    assert client.job(held)["status_reason"] == f"worker {hand.worker_id} stages its inputs"
    behind = client.submit("echo", ECHO)
    assert client.job(behind)["status_reason"].startswith("1 job of this project before it; 0 of 1 worker")
    told = client.post("/api/jobs/echo/estimate", ECHO).json
    assert told["blocked_by"].startswith("2 jobs of this project before it")
    assert (told["jobs_ahead"], told["workers_fitting"], told["workers_idle"]) == (2, 1, 0)
    client.post(f"/api/jobs/{behind}/cancel")
    assert client.job(behind)["status_reason"] is None
    show = run_cli(nexad, "job", "get", job_id)
    assert "it needs 3 GPUs" in show.stdout


def test_the_command_line_and_the_client_make_jobs_again(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    failed = client.wait_for(client.submit("echo", BROKEN), "failed")["job_id"]
    retried = run_cli(nexad, "job", "retry", failed)
    assert client.job(retried.stdout.strip())["retry_of"] == failed
    cloned = run_cli(nexad, "job", "clone", failed, "--set", "fail_with=", "--name", "better", "--priority", "-1", "--wait")
    assert cloned.returncode == 0, cloned.stderr
    better = client.get("/api/jobs").json["data"][0]
    assert (better["name"], better["priority"], better["status"]) == ("better", -1, "completed")
    assert run_cli(nexad, "job", "retry", better["job_id"]).returncode == 6
    assert run_cli(nexad, "job", "clone", failed, "--set", "fail_wiht=").returncode == 2

    forge = NexaForgeClient(nexad.key, f"{nexad.url}/api")
    assert forge.get_job(forge.retry_job(failed)["job_id"])["retry_of"] == failed
    assert forge.wait(forge.clone_job(failed, fail_with="", message="now"))["result"]["message"] == "now"


@pytest.mark.rows("T-27")
def test_every_operation_is_accepted_before_anything_has_run(nexad):
    # No worker has ever registered, so what is answered here was answered before the work began.
    client = nexad.client()
    dataset, model = client.upload()["artifact_id"], client.upload(kind="checkpoint")["artifact_id"]
    specs = {
        "generate": {"domain": "arithmetic", "num_samples": 100_000_000},
        "audit": {"dataset_uri": dataset},
        "distill": {"dataset_uri": dataset, "teacher": model},
        "train": {"dataset_uri": dataset, "model_id": "nexa-base", "epochs": 10_000},
        "evaluate": {"model_id": model, "dataset_uri": dataset},
        "deploy": {"model_id": model},
    }
    document = client.get("/openapi.json").json
    types = {path.removeprefix("/api/jobs/") for path in document["paths"] if re.fullmatch("/api/jobs/[a-z]+", path)}
    assert types == set(specs)
    for job_type, spec in specs.items():
        reply = client.post(f"/api/jobs/{job_type}", spec)
        assert (reply.status, reply.json["status"]) == (202, "pending"), reply.body
        assert reply.headers["Location"] == f"/api/jobs/{reply.json['job_id']}"
        job = client.job(reply.json["job_id"])
        assert (job["attempt"], job["started_at"], job["status_reason"]) == (0, None, "no worker has registered")


@pytest.mark.rows("T-27")
def test_a_submission_is_answered_while_every_worker_is_busy(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad, "worker", "--slots", "1")
    long = client.submit("echo", LONG_ECHO)
    client.wait_for(long, "running")
    behind = client.submit("echo", LONG_ECHO)
    assert client.job(long)["status"] == "running"  # it ends only when it is cancelled
    assert client.job(behind)["status"] == "pending"
    for job_id in (long, behind):
        client.post(f"/api/jobs/{job_id}/cancel")
        client.wait_for(job_id, "cancelled")


def half_made(database) -> list:
    """Jobs without their other rows, and other rows without their job."""
    with sqlite3.connect(database) as rows:
        return rows.execute(
            """
            SELECT j.id FROM job AS j
            WHERE j.state <> 'ready'
                OR NOT EXISTS (SELECT 1 FROM job_detail WHERE job_id = j.id)
                OR (SELECT count(*) FROM job_event WHERE job_id = j.id) <> 1
                OR (SELECT count(*) FROM idempotency WHERE job_id = j.id) <> 1
            UNION ALL SELECT job_id FROM job_detail WHERE job_id NOT IN (SELECT id FROM job)
            UNION ALL SELECT job_id FROM job_event WHERE job_id NOT IN (SELECT id FROM job)
            UNION ALL SELECT job_id FROM idempotency WHERE job_id NOT IN (SELECT id FROM job)
            """
        ).fetchall()


@pytest.mark.rows("T-56")
def test_a_kill_at_any_moment_loses_no_acknowledged_job_and_leaves_none_half_made(nexad, tmp_path):
    moments = random.Random(56)
    acknowledged, lock = set(), threading.Lock()
    key = nexad.key

    def submit_until_it_breaks(round_number: int, thread_number: int):
        client = Client(nexad.url, key)
        for number in range(40):
            name = f"{round_number}-{thread_number}-{number}"
            try:
                reply = client.post("/api/jobs/echo", ECHO, headers={"Idempotency-Key": name}, timeout=30)
            except (OSError, http.client.HTTPException):
                return
            assert reply.status == 202, reply.body
            with lock:
                acknowledged.add(reply.json["job_id"])

    for round_number in range(5):
        before = len(acknowledged)
        threads = [threading.Thread(target=submit_until_it_breaks, args=(round_number, n)) for n in range(4)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(acknowledged) > before, 30, "an accepted job")
        time.sleep(moments.uniform(0, 0.1))
        nexad.kill()
        for thread in threads:
            thread.join(60)
        assert half_made(nexad.folder / "db/nexa.db") == []
        nexad.start()

    with sqlite3.connect(nexad.folder / "db/nexa.db") as rows:
        stored = {job_id for (job_id,) in rows.execute("SELECT id FROM job")}
    assert acknowledged <= stored
    worker = HandWorker(nexad.client(), tmp_path / "hand")
    assert worker.register(memory_bytes=1 << 30).status == 200
    claimed: list[str] = []
    while len(claimed) < len(stored):
        leases = worker.next_jobs(slots=64)
        assert leases, "a stored job is not to be had"
        claimed += [lease["job_id"] for lease in leases]
    assert len(claimed) == len(set(claimed)) and set(claimed) == stored


@pytest.mark.rows("P-08")
def test_the_queues_depth_is_seen_and_its_order_kept_over_a_kill(nexad, tmp_path):
    client = nexad.client()
    made = []
    for number in range(12):
        priority = (number % 3) - 1
        made.append((priority, number, client.submit("echo", {"payload": ECHO, "priority": priority})))

    def depth() -> float:
        series = read_exposition(client.get("/metrics").body.decode())
        return series["nexa_queue_jobs", (("state", "ready"),)]

    assert depth() == 12
    worker = HandWorker(client, tmp_path / "hand")
    assert worker.register(memory_bytes=1 << 30).status == 200
    taken = [worker.next_jobs()[0]["job_id"] for _ in range(3)]
    nexad.kill()
    nexad.start()
    assert depth() == 9
    taken += [worker.next_jobs()[0]["job_id"] for _ in range(9)]
    # A step of priority is worth ten minutes of waiting, and these waited for seconds.
    assert taken == [job_id for _, _, job_id in sorted(made)]


@pytest.mark.rows("F-04")
def test_every_documented_route_answers_and_every_answered_route_is_documented(nexad):
    client = nexad.client()
    document = client.get("/openapi.json").json
    documented = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    printed = subprocess.run([BUILD / "bin/nexad", "--print-routes"], capture_output=True, text=True, timeout=60, check=True)
    answered = {tuple(line.replace("...}", "}").split(" ", 1)) for line in printed.stdout.splitlines()}
    # The job type that tests use, and the row that refuses a type that is none with the list of types.
    for_tests = {("POST", "/api/jobs/echo"), ("POST", "/api/jobs/echo/"), ("POST", "/api/jobs/{job_type}")}
    assert answered - documented == for_tests
    assert documented - answered == set()
    stranger = Client(nexad.url, "nexa_" + "a" * 49)
    for method, path in documented:
        # Routed, whatever is said: a path or method that is not there is told by these words.
        reply = stranger.call(method, path.replace("{", "").replace("}", ""), b"" if method in ("POST", "PUT", "PATCH") else None)
        said = reply.body.decode()
        assert reply.status != 405 and "nothing is served at" not in said, (method, path, said)
    assert "nothing is served at" in stranger.get("/api/nothing").body.decode()


def test_the_document_names_each_operation_once(nexad):
    document = nexad.client().get("/openapi.json").json
    names = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(names) == len(set(names)) and all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)
    assert json.dumps(document).count("jobs_estimate") == 1


@pytest.mark.rows("T-37")
def test_a_model_is_asked_for_by_its_name_and_an_unknown_one_is_answered_with_the_known(nexad):
    client = nexad.client()
    dataset = client.upload()["artifact_id"]
    older = client.upload(b"older weights", kind="checkpoint", name="Mistral-7B")["artifact_id"]
    spec = {"dataset_uri": dataset, "model_id": "Mistral-7B", "epochs": 1}
    told = client.post("/api/jobs/train/estimate", spec).json
    assert [row["artifact_id"] for row in told["inputs"] if row["name"] == "model"] == [older]
    newer = client.upload(b"newer weights", kind="checkpoint", name="Mistral-7B")["artifact_id"]
    job_id = client.submit("train", spec)
    assert client.job(job_id)["payload"]["model_id"] == "Mistral-7B"
    for job_type, body in (
        ("train", spec), ("evaluate", {"model_id": "Mistral-7B", "dataset_uri": dataset}), ("deploy", {"model_id": "Mistral-7B"}),
        ("distill", {"dataset_uri": dataset, "teacher": "Mistral-7B"}),
    ):
        inputs = client.post(f"/api/jobs/{job_type}/estimate", body).json["inputs"]
        assert newer in [row["artifact_id"] for row in inputs], job_type
    refused = client.post("/api/jobs/train", spec | {"model_id": "Qwen-1B"})
    assert (refused.status, refused.json["param"]) == (422, "model_id")
    assert "nexa-small" in refused.json["hint"] and "Mistral-7B" in refused.json["hint"]
    assert client.call("DELETE", f"/api/artifacts/{older}").status == 204
    assert client.post("/api/jobs/evaluate/estimate", {"model_id": "ckpt_none", "dataset_uri": dataset}).status == 404
