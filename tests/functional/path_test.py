# SPDX-License-Identifier: Apache-2.0
"""The path of a job through the real programs: server, worker, engine, command line."""

import json
import os
import signal
import subprocess
import time

import pytest
from conftest import BUILD, LONG_ECHO, Nexad, Program, free_port, run_cli, wait_until


@pytest.fixture(params=["sqlite", "postgres"])
def database_environment(request) -> dict[str, str]:
    if request.param == "sqlite":
        return {}
    postgres = request.getfixturevalue("postgres")
    return postgres.environment(postgres.make_database())


def engines_of(job_id: str) -> list[int]:
    """Processes whose command line names the job's folder."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    if b"nexa-engine" in (line := file.read()) and job_id.encode() in line:
                        found.append(int(entry))
            except OSError:
                continue
    return found


@pytest.mark.rows("F-70", "T-16", "T-114")
def test_a_job_runs_and_its_output_comes_back(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    job_id = client.submit("echo", {"message": "hello", "events": 5, "output_bytes": 100_000})
    job = client.wait_for(job_id, "completed")
    assert job["result"] == {"message": "hello"}
    assert job["attempt"] == 1
    artifact = client.get(f"/api/artifacts?job_id={job_id}").json["data"][0]
    assert artifact["bytes"] == 100_000
    content = client.get(f"/api/artifacts/{artifact['artifact_id']}/files/{artifact['files'][0]['path']}").body
    assert content == b"e" * 100_000
    summary = client.get("/api/billing/summary").json
    assert summary["usage_by_type"]["stored_bytes"] == 100_000
    assert summary["usage_by_type"]["cpu_seconds"] > 0
    workers = client.get("/api/workers").json["data"]
    assert [worker["liveness"] for worker in workers] == ["connected"]


def test_events_are_streamed_in_order_and_taken_up_again(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    job_id = client.submit("echo", {"message": "x", "events": 4, "seconds": 1})
    text = client.get(f"/api/jobs/{job_id}/events", timeout=60).body.decode()
    events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
    assert events.pop() == {"job_id": job_id, "status": "completed"}  # the mark of the end
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    statuses = [event["data"]["status"] for event in events if event["type"] == "status"]
    assert statuses == ["pending", "assigned", "running", "completed"]
    again = client.get(f"/api/jobs/{job_id}/events", headers={"Last-Event-ID": str(len(events) - 1)}).body.decode()
    assert again.count("data: ") == 2 and again.count("event: end") == 1


def test_an_error_of_the_job_is_told_with_its_code(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    job = client.wait_for(client.submit("echo", {"message": "x", "fail_with": "invalid_argument"}), "failed")
    assert job["error"]["code"] == "invalid_argument"
    assert job["attempt"] == 1
    assert client.get("/api/billing/summary").json["usage_by_type"] == {}


@pytest.mark.rows("A-65")
def test_a_running_job_is_cancelled_and_its_engine_is_gone(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    job_id = client.submit("echo", LONG_ECHO)
    client.wait_for(job_id, "running")
    assert [row["job_id"] for row in client.get("/api/jobs?status=running").json["data"]] == [job_id]
    assert engines_of(job_id)
    client.post(f"/api/jobs/{job_id}/cancel")
    client.wait_for(job_id, "cancelled", seconds=40)
    wait_until(lambda: not engines_of(job_id), 10, "the end of the engine")


@pytest.mark.rows("F-03", "T-06")
def test_the_job_of_a_killed_worker_is_finished_by_another(fast_nexad, start_worker):
    client = fast_nexad.client()
    first = start_worker(fast_nexad, "first")
    job_id = client.submit("echo", {"message": "x", "seconds": 3, "events": 30})
    client.wait_for(job_id, "running")
    first.kill()
    wait_until(lambda: not engines_of(job_id), 10, "the end of the killed worker's engine")
    start_worker(fast_nexad, "second")
    job = client.wait_for(job_id, "completed", seconds=60)
    assert job["attempt"] == 2


def test_the_late_result_of_a_lost_lease_is_refused(tmp_path, start_worker, database_environment):
    server = Nexad(tmp_path / "server", "--set", "lease_seconds=15", environment=database_environment).start()
    try:
        first = start_worker(server, "first")
        job_id = server.client().submit("echo", {"message": "x", "seconds": 2, "events": 20})
        server.client().wait_for(job_id, "running")
        # The result is signed while nobody takes it in, and then its worker is gone.
        server.kill()
        kept = wait_until(lambda: list((tmp_path / "first").rglob("outbox/*.json")), 14, "a kept result")
        envelope = json.loads(kept[0].read_text())
        first.kill()
        server.start()
        client = server.client()
        start_worker(server, "second")
        job = client.wait_for(job_id, "completed", seconds=90)
        assert job["attempt"] == 2
        cost = client.get("/api/billing/summary").json
        outcome = client.post("/api/workers/complete", {"results": [envelope]}).json["results"][0]
        assert (outcome["job_id"], outcome["status"]) == (job_id, 409)
        assert client.job(job_id) == job
        assert client.get("/api/billing/summary").json["usage_by_type"] == cost["usage_by_type"]
    finally:
        server.stop()


def test_a_restart_of_the_server_in_the_middle_loses_nothing(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    job_id = client.submit("echo", {"message": "x", "seconds": 4, "events": 40})
    client.wait_for(job_id, "running")
    nexad.kill()
    nexad.start()
    job = client.wait_for(job_id, "completed", seconds=60)
    assert job["attempt"] == 1


def test_no_two_workers_get_the_same_job(nexad, start_worker):
    client = nexad.client()
    for name in ("one", "two", "three"):
        start_worker(nexad, name, "--slots", "2")
    ids = [client.submit("echo", {"message": str(i)}) for i in range(30)]
    for job_id in ids:
        assert client.wait_for(job_id, "completed", seconds=120)["attempt"] == 1


def test_the_command_line_submits_follows_and_tells_by_its_exit_code(nexad, start_worker):
    start_worker(nexad)
    done = run_cli(nexad, "echo", "--message", "hello", "--follow")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"message": "hello"})
    failed = run_cli(nexad, "echo", "--message", "x", "--set", "fail_with=conflict", "--wait")
    assert failed.returncode == 6
    listed = run_cli(nexad, "job", "ls", "--json")
    assert {job["status"] for job in json.loads(listed.stdout)["data"]} == {"completed", "failed"}
    assert "\x1b" not in run_cli(nexad, "job", "ls").stdout
    assert run_cli(nexad, "job", "ls", key="nexa_wrong").returncode == 4
    assert run_cli(nexad, "job", "get", "job_none").returncode == 5
    assert run_cli(nexad, "train", "--epochs", "x").returncode == 2


def test_up_starts_everything_restarts_what_dies_and_leaves_nothing(tmp_path):
    port = free_port()
    folder = tmp_path / "forge"
    up = Program([BUILD / "bin/nexa", "up", "--dir", folder, "--port", str(port)], tmp_path / "up.log").start()

    class Server:
        url = f"http://127.0.0.1:{port}"

        @property
        def key(self):
            return (folder / "admin.key").read_text().strip()

    def children() -> dict[str, int]:
        out = subprocess.run(
            ["ps", "-eww", "-o", "pid,args"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        return {
            name: int(line.split()[0]) for line in out for name in ("nexad", "nexa-worker")
            if f"/bin/{name} " in line and str(folder) in line
        }

    try:
        wait_until(lambda: len(children()) == 2, 30, "server and worker")
        wait_until(lambda: run_cli(Server(), "echo", "--message", "x", "--wait").returncode == 0, 30, "a job")
        before = children()
        os.kill(before["nexad"], signal.SIGKILL)
        wait_until(lambda: children().get("nexad") not in (None, before["nexad"]), 30, "a new server")
        wait_until(lambda: run_cli(Server(), "echo", "--message", "x", "--wait").returncode == 0, 60, "a job")
    finally:
        code = up.stop(30)
    assert code == 0, (tmp_path / "up.log").read_text()
    assert children() == {}


@pytest.mark.rows("F-36")
def test_a_generated_dataset_is_listed_and_its_rows_are_right(nexad, start_worker):
    start_worker(nexad)
    made = run_cli(nexad, "generate", "--domain", "arithmetic", "--num-samples", "200", "--seed", "7", "--wait")
    assert made.returncode == 0, made.stderr
    result = json.loads(made.stdout)
    assert result["splits"] == {"train": 180, "validation": 10, "test": 10}
    client = nexad.client()
    assert [row["artifact_id"] for row in client.get("/api/artifacts?kind=dataset").json["data"]] == [result["dataset_id"]]
    rows = [
        json.loads(line)
        for line in client.get(f"/api/artifacts/{result['dataset_id']}/files/train.jsonl").body.splitlines()
    ]
    assert len(rows) == 180
    for row in rows:
        left, right = row["prompt"].removesuffix("=").split("+")
        assert int(left) + int(right) == int(row["answer"])
