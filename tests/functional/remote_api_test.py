# SPDX-License-Identifier: Apache-2.0
"""The five operations by their short routes (`POST /audit` … `GET /status/{job_id}`), and what a job is to who asks for it."""

import re

import pytest
from conftest import LONG_ECHO, Client, wait_until

OPERATIONS = ("audit", "distill", "train", "evaluate", "deploy")
STATUS_FIELDS = [
    "job_id", "job_type", "status", "created_at", "updated_at", "result", "logs_uri", "artifacts_uri", "error",
]


def bodies(client: Client) -> dict[str, dict]:
    """What each operation's route takes, with inputs that are there."""
    dataset, checkpoint = (client.upload(**more)["artifact_id"] for more in ({}, {"kind": "checkpoint"}))
    return {
        "audit": {"dataset_uri": f"internal://{dataset}"},
        "distill": {"dataset_id": dataset, "teacher": "openai/gpt-4o-mini"},
        "train": {"dataset_id": dataset, "model": "nexa-tiny", "epochs": 3},
        "evaluate": {"checkpoint_id": checkpoint, "dataset_id": dataset},
        "deploy": {"checkpoint_id": checkpoint},
    }


@pytest.mark.rows("T-01", "T-09", "T-28", "T-30", "T-117")
def test_each_operation_is_one_post_that_makes_one_job_without_any_worker(nexad):
    client = nexad.client()
    made = {}
    for operation, body in bodies(client).items():
        reply = client.post(f"/{operation}", body)
        assert reply.status == 202, reply.body
        assert re.fullmatch(r"job_\w+", reply.json["job_id"])
        made[reply.json["job_id"]] = operation
    assert sorted(made.values()) == sorted(OPERATIONS)
    for job_id, operation in made.items():
        status = client.get(f"/status/{job_id}").json
        assert (status["job_type"], status["status"]) == (operation, "pending")
    assert {job["job_id"]: job["job_type"] for job in client.get("/api/jobs").json["data"]} == made


@pytest.mark.rows("T-61", "T-62", "T-63", "T-64", "T-65")
@pytest.mark.parametrize(
    ("operation", "wrong", "field"),
    [
        ("audit", {"dataset_uri": None}, "dataset_uri"),
        ("audit", {"dataset_uri": 5}, "dataset_uri"),
        ("distill", {"dataset_id": None}, "dataset_uri"),
        ("distill", {"dataset_id": ["ds_1"]}, "dataset_id"),
        ("distill", {"teacher": None}, "teacher"),
        ("distill", {"teacher": 4}, "teacher"),
        ("train", {"dataset_id": None}, "dataset_uri"),
        ("train", {"model": None}, "model_id"),
        ("train", {"model": {}}, "model"),
        ("train", {"epochs": None}, "epochs"),
        ("train", {"epochs": "x"}, "epochs"),
        ("train", {"epochs": 0}, "epochs"),
        ("train", {"epochs": -1}, "epochs"),
        ("evaluate", {"checkpoint_id": None}, "model_id"),
        ("evaluate", {"checkpoint_id": 1}, "checkpoint_id"),
        ("deploy", {"checkpoint_id": None}, "model_id"),
        ("deploy", {"checkpoint_id": False}, "checkpoint_id"),
    ],
)
def test_a_missing_or_wrong_field_is_refused_by_its_name(nexad, operation, wrong, field):
    """None takes the field away."""
    client = nexad.client()
    good = bodies(client)[operation]
    changed = {name: value for name, value in (good | wrong).items() if value is not None}
    reply = client.post(f"/{operation}", changed)
    assert (reply.status, reply.json["param"]) == (422, field), reply.body
    assert client.get("/api/jobs").json["data"] == []


@pytest.mark.rows("T-29", "T-40", "T-41", "T-42", "T-66", "T-67", "T-68", "T-113")
def test_the_status_of_a_job_tells_its_whole_life(nexad, start_worker):
    client = nexad.client()
    job_id = client.submit("echo", {"message": "hello", "events": 40, "seconds": 4})
    seen = [client.get(f"/status/{job_id}").json]
    assert seen[0]["status"] == "pending"
    start_worker(nexad)

    def has_ended():
        seen.append(client.get(f"/status/{job_id}").json)
        return seen[-1]["status"] == "completed"

    wait_until(has_ended, 30, "the job's end")
    assert all(list(status) == STATUS_FIELDS for status in seen)
    order = ["pending", "assigned", "running", "completed"]
    places = [order.index(status["status"]) for status in seen]
    assert places == sorted(places)
    assert {0, 2, 3} <= set(places)
    assert all(status["result"] is None and status["error"] is None for status in seen[:-1])
    assert seen[-1]["result"] == {"message": "hello"}
    assert seen[-1]["error"] is None
    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
    assert all(re.fullmatch(moment, status[field]) for status in seen for field in ("created_at", "updated_at"))
    assert seen[-1]["updated_at"] > seen[0]["updated_at"] == seen[0]["created_at"]


@pytest.mark.rows("T-41", "T-69", "T-115")
def test_a_failed_job_says_why_and_its_worker_lives_on(nexad, start_worker):
    client = nexad.client()
    worker = start_worker(nexad)
    failing = client.submit("echo", {"message": "no", "fail_with": "invalid_argument"})
    client.wait_for(failing, "failed")
    status = client.get(f"/status/{failing}").json
    assert status["result"] is None
    assert isinstance(status["error"], str)
    assert status["error"]
    assert worker.running
    client.wait_for(client.submit("echo", {"message": "yes"}), "completed")


@pytest.mark.rows("A-68", "F-07", "T-07", "T-19", "T-34", "T-36", "T-38", "T-39", "T-43", "T-44", "F-37", "F-38", "F-39", "F-40", "F-41")
@pytest.mark.training
def test_a_model_lives_by_the_short_routes_and_the_fields_they_document(nexad, start_worker, start_gateway):
    client = nexad.client()
    start_worker(nexad)
    gateway = start_gateway("--server", nexad.url, "--key-file", nexad.folder / "admin.key")

    def job(operation: str, body: dict) -> dict:
        reply = client.post(f"/{operation}", body)
        assert reply.status == 202, reply.body
        ended = client.wait_for(reply.json["job_id"], "completed", "failed", seconds=120)
        assert ended["status"] == "completed", ended
        status = client.get(f"/status/{ended['job_id']}").json
        assert client.get(status["logs_uri"]).status == 200
        made = client.get(status["artifacts_uri"]).json["data"]
        assert [artifact["job_id"] for artifact in made] == [ended["job_id"]]
        kinds = {"audit": "dataset", "distill": "distill", "train": "checkpoint", "evaluate": "eval", "deploy": "deployment"}
        listed = client.get(f"/api/artifacts?kind={kinds[operation]}").json["data"]
        assert made[0]["artifact_id"] in [artifact["artifact_id"] for artifact in listed]
        return ended["result"]

    made = client.wait_for(client.submit("generate", {"domain": "arithmetic", "num_samples": 300, "seed": 1}), "completed")
    dataset = made["result"]["dataset_id"]
    audited = job("audit", {"dataset_uri": dataset})
    assert 0 <= audited["overall_quality_score"] <= 5
    assert re.fullmatch(r"[A-F][+-]?", audited["quality_tier"])
    checkpoint = job("train", {"dataset_id": dataset, "model": "nexa-tiny", "epochs": 1})["checkpoint_id"]
    scores = job("evaluate", {"checkpoint_id": checkpoint})["scores"]  # on what its training held out
    assert 0 <= scores["exact_match"] <= 1
    distilled = job("distill", {"dataset_id": dataset, "teacher": checkpoint, "selection": "first", "max_prompts": 20})
    assert distilled["distilled_dataset_id"].startswith("ds_")
    deployed = job("deploy", {"checkpoint_id": checkpoint})
    asked = Client(gateway.url, nexad.key).post(
        "/v1/chat/completions",
        {"model": deployed["deployment_id"], "messages": [{"role": "user", "content": "1+1="}], "max_tokens": 4},
    )
    assert asked.status == 200, asked.body

    listed = {artifact["artifact_id"] for artifact in client.get("/api/artifacts?limit=100").json["data"]}
    assert {audited["dataset_id"], checkpoint, distilled["distilled_dataset_id"], deployed["deployment_id"]} <= listed
    bill = client.get("/api/billing/summary").json
    assert float(bill["total_cost"]) > 0
    assert float(bill["total_cost"]) == pytest.approx(sum(map(float, bill["cost_by_type"].values())))
    assert {"cpu_seconds", "output_tokens", "trained_tokens", "audited_rows", "stored_bytes"} <= {
        meter for meter, used in bill["usage_by_type"].items() if used > 0
    }


def test_an_uploaded_model_is_not_evaluated_without_a_dataset(nexad):
    client = nexad.client()
    reply = client.post("/evaluate", {"checkpoint_id": client.upload(kind="checkpoint")["artifact_id"]})
    assert (reply.status, reply.json["param"]) == (422, "dataset_uri")
    assert "was not trained here" in reply.json["detail"]
    assert "ds_" in reply.json["hint"]


@pytest.mark.rows("T-45")
@pytest.mark.parametrize("path", ["/status/job_nope", "/api/jobs/job_nope", "/status/job_01a2011ddf76706f9ec869b5f7d2c316"])
def test_an_unknown_job_is_not_found(nexad, path):
    reply = nexad.client().get(path)
    assert reply.status == 404
    assert "there is no job" in reply.json["detail"]


@pytest.mark.rows("T-60")
def test_the_record_of_a_job_has_the_nine_fields(nexad):
    client = nexad.client()
    job = client.job(client.submit("echo", {"message": "x"}))
    fields = {"job_id", "job_type", "user_id", "payload", "status", "result", "logs_uri", "artifacts_uri", "error"}
    assert fields <= set(job)
    assert (job["result"], job["error"]) == (None, None)


@pytest.mark.rows("T-10", "T-118")
def test_jobs_wait_for_a_worker_and_leave_in_the_order_they_came(nexad, start_worker):
    client = nexad.client()
    ids = [client.submit("echo", {"message": str(n)}) for n in range(100)]
    waiting = client.get("/api/jobs?status=pending&limit=100").json["data"]
    assert [job["job_id"] for job in waiting] == ids[::-1]
    start_worker(nexad)
    client.wait_for(ids[9], "completed", seconds=120)
    started = [(client.job(job_id)["started_at"], job_id) for job_id in ids[:10]]
    assert [job_id for _, job_id in sorted(started)] == ids[:10]
    assert client.job(ids[99])["status"] == "pending"


@pytest.mark.rows("T-18", "T-119")
def test_two_idle_workers_run_two_jobs_at_once_and_the_third_waits(nexad, start_worker):
    client = nexad.client()
    for name in ("one", "two"):
        start_worker(nexad, name)
    wait_until(lambda: len(client.get("/api/workers").json["data"]) == 2, 30, "both workers")
    ids = [client.submit("echo", LONG_ECHO) for _ in range(3)]
    first, second = (client.wait_for(job_id, "running") for job_id in ids[:2])
    assert first["worker_id"] != second["worker_id"]
    assert client.job(ids[2])["status"] == "pending"
    client.post(f"/api/jobs/{ids[0]}/cancel")
    third = client.wait_for(ids[2], "running")
    assert third["worker_id"] == first["worker_id"]
    assert client.job(ids[1])["status"] == "running"


@pytest.mark.rows("T-17", "F-50")
def test_the_list_of_workers_shows_hardware_state_and_when_they_were_seen(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    job_id = client.submit("echo", LONG_ECHO)
    client.wait_for(job_id, "running")
    for path in ("/api/workers", "/api/workers/"):
        [worker] = client.get(path).json["data"]
        assert (worker["status"], worker["liveness"]) == ("approved", "connected")
        assert worker["jobs"] == [job_id]
        assert worker["profile"]["cpus"] >= 1
        assert worker["profile"]["memory_bytes"] > 1 << 28
    before = worker["last_seen_at"]
    wait_until(lambda: client.get("/api/workers").json["data"][0]["last_seen_at"] > before, 60, "a later report")


@pytest.mark.rows("T-11")
def test_every_job_keeps_its_state_over_a_kill(nexad, start_worker):
    client = nexad.client()
    worker = start_worker(nexad)
    done = client.submit("echo", {"message": "done"})
    failed = client.submit("echo", {"message": "no", "fail_with": "invalid_argument"})
    client.wait_for(done, "completed")
    client.wait_for(failed, "failed")
    worker.stop()
    pending, cancelled = (client.submit("echo", {"message": "x"}) for _ in range(2))
    assert client.post(f"/api/jobs/{cancelled}/cancel").status == 200
    before = {job_id: client.job(job_id) for job_id in (done, failed, pending, cancelled)}
    assert [job["status"] for job in before.values()] == ["completed", "failed", "pending", "cancelled"]
    nexad.kill()
    nexad.start()
    assert {job_id: client.job(job_id) for job_id in before} == before


@pytest.mark.rows("T-120")
def test_a_completed_job_is_charged_and_one_that_did_no_work_is_not(nexad, start_worker):
    client = nexad.client()
    cancelled = client.submit("echo", {"message": "x", "output_bytes": 5})
    client.post(f"/api/jobs/{cancelled}/cancel")
    empty = client.get("/api/billing/summary").json
    assert (float(empty["total_cost"]), empty["usage_by_type"]) == (0.0, {})
    start_worker(nexad)
    client.wait_for(client.submit("echo", {"message": "x", "output_bytes": 7}), "completed")
    charged = client.get("/api/billing/summary").json
    assert charged["usage_by_type"]["stored_bytes"] == 7
