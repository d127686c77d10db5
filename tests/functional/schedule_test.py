# SPDX-License-Identifier: Apache-2.0
"""Workflows that start by themselves, over whole programs."""

import datetime
import json

from conftest import run_cli, wait_until

ECHO = {"steps": {"say": {"job_type": "echo", "spec": {"message": "on time"}}}}


def test_a_schedule_is_made_listed_changed_run_and_ended(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    wish = {"name": "nightly", "cron": "30 3 * * *", "time_zone": "Europe/Berlin", "workflow": ECHO}
    made = client.post("/api/schedules", wish, headers={"Idempotency-Key": "one"})
    assert made.status == 201, made.body
    schedule = made.json
    path = f"/api/schedules/{schedule['schedule_id']}"
    assert client.post("/api/schedules", wish, headers={"Idempotency-Key": "one"}).json == schedule
    assert len(schedule["next_runs"]) == 5
    hours = {datetime.datetime.fromisoformat(time).hour for time in schedule["next_runs"]}
    assert hours <= {1, 2}, "half past three in Berlin"
    assert [row["schedule_id"] for row in client.get("/api/schedules").json["data"]] == [schedule["schedule_id"]]

    begun = client.post(f"{path}/run").json
    workflow = f"/api/workflows/{begun['last_workflow_id']}"
    wait_until(lambda: client.get(workflow).json["status"] == "completed", 60, "the end of the workflow")
    assert client.get(workflow).json["schedule_id"] == schedule["schedule_id"]
    mine = client.get(f"/api/workflows?schedule_id={schedule['schedule_id']}").json["data"]
    assert [row["workflow_id"] for row in mine] == [begun["last_workflow_id"]]

    paused = client.call("PATCH", path, {"paused": True}).json
    assert paused["paused"] and paused["next_runs"] == [] and paused["cron"] == "30 3 * * *"
    moved = client.call("PATCH", path, {"paused": False, "cron": "@hourly"}).json
    assert moved["next_runs"] and moved["name"] == "nightly" and moved["runs"] == 1
    assert client.call("DELETE", path).status == 204
    assert client.get(path).status == 404
    assert client.call("DELETE", path).status == 404
    assert client.get(workflow).status == 200


def test_what_is_wrong_with_a_schedule_is_named(nexad):
    client = nexad.client()
    good = {"cron": "@daily", "workflow": ECHO}
    for change, param in (
        ({"cron": "61 * * * *"}, "cron"),
        ({"cron": "0 0 30 2 *"}, "cron"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone"),
        ({"missed": "never"}, "missed"),
        ({"workflow": {"steps": {}}}, "workflow"),
        ({"workflow": {"steps": {"a": {"job_type": "ecko"}}}}, "workflow.steps.a.job_type"),
    ):
        refused = client.post("/api/schedules", good | change)
        assert refused.status in (400, 404, 422), refused.body
        assert refused.json["param"].startswith(param), refused.body
    assert client.get("/api/schedules").json["data"] == []


def test_a_schedule_starts_its_workflow_when_its_time_comes(nexad, start_worker):
    """The next minute is waited for, also over a kill of the server."""
    client = nexad.client()
    start_worker(nexad)
    schedule = client.post("/api/schedules", {"cron": "* * * * *", "workflow": ECHO}).json
    path = f"/api/schedules/{schedule['schedule_id']}"
    nexad.kill()
    nexad.start()
    wait_until(lambda: client.get(path).json["runs"] >= 1, 120, "the first run")
    workflow = f"/api/workflows/{client.get(path).json['last_workflow_id']}"
    wait_until(lambda: client.get(workflow).json["status"] == "completed", 60, "the end of the workflow")


def test_the_command_line_keeps_schedules(nexad, tmp_path):
    file = tmp_path / "nightly.yaml"
    file.write_text("steps:\n  say:\n    job_type: echo\n    spec: {message: hello}\n")

    def nexa(*words) -> str:
        done = run_cli(nexad, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    made = nexa("schedule", "create", file, "--cron", "0 9 * * mon", "--time-zone", "America/New_York", "--name", "weekly")
    schedule_id = made.split()[0]
    assert "next " in made
    assert "weekly" in nexa("schedule", "ls")
    assert "paused" in nexa("schedule", "pause", schedule_id)
    assert "next " in nexa("schedule", "resume", schedule_id)
    assert json.loads(nexa("--json", "schedule", "run", schedule_id))["runs"] == 1
    assert "ended" in nexa("schedule", "rm", schedule_id)
    assert schedule_id not in nexa("schedule", "ls")
