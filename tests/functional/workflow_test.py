# SPDX-License-Identifier: Apache-2.0
"""Workflows through the real programs: graphs of jobs, their failures, kills in the middle, and the whole pipeline."""

import json
import subprocess

import pytest
from conftest import BUILD, ROOT, Client, run_cli, wait_until
from stack import Stack

YAML = {"Content-Type": "application/yaml"}


def echo(message: str = "x", needs=(), **spec) -> dict:
    return {"job_type": "echo", "needs": list(needs), "spec": {"message": message, **spec}}


def diamond(**middle) -> dict:
    return {
        "name": "diamond",
        "steps": {
            "top": echo("t"),
            "left": echo("l", ["top"], **middle),
            "right": echo("r", ["top"], **middle),
            "join": echo("${{ steps.left.outputs.message }}+${{ steps.right.outputs.message }}"),
        },
    }


def submit(client: Client, workflow: dict, **more) -> str:
    reply = client.post("/api/workflows", workflow, **more)
    assert reply.status == 202, reply.body
    assert reply.headers["Location"] == f"/api/workflows/{reply.json['workflow_id']}"
    return reply.json["workflow_id"]


def show(client: Client, workflow_id: str) -> dict:
    reply = client.get(f"/api/workflows/{workflow_id}")
    assert reply.status == 200, reply.body
    return reply.json


def states(workflow: dict) -> dict[str, str]:
    return {step["name"]: step["status"] for step in workflow["steps"]}


def wait_for(client: Client, workflow_id: str, *statuses: str, seconds: float = 180) -> dict:
    def reached():
        workflow = show(client, workflow_id)
        return workflow if workflow["status"] in statuses else None

    return wait_until(reached, seconds, f"{workflow_id} in {statuses}")


def jobs_of(client: Client, workflow: dict) -> dict[str, dict]:
    return {step["name"]: client.job(step["job_id"]) for step in workflow["steps"] if step["job_id"]}


@pytest.mark.rows("A-57", "A-69")
def test_the_middle_of_a_diamond_overlaps_and_its_join_waits_for_both(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad, "worker", "--slots", "2")
    workflow_id = submit(client, diamond(seconds=20))
    assert workflow_id.startswith("wf_")

    def both_in_hand():
        now = states(show(client, workflow_id))
        return now if {now["left"], now["right"]} <= {"assigned", "running"} else None

    assert wait_until(both_in_hand, 120, "two steps in the worker's hands")["join"] == "blocked"
    ended = wait_for(client, workflow_id, "completed")
    jobs = jobs_of(client, ended)
    assert jobs["join"]["result"] == {"message": "l+r"}
    assert jobs["join"]["created_at"] >= max(jobs["left"]["finished_at"], jobs["right"]["finished_at"])
    assert len(client.get("/api/jobs").json["data"]) == 4


@pytest.mark.rows("A-69")
def test_a_failure_stops_what_needs_it_and_a_rerun_goes_on_from_there(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    workflow = diamond()
    workflow["inputs"] = {"fail": "invalid_argument"}
    workflow["steps"]["left"]["spec"]["fail_with"] = "${{ inputs.fail }}"
    workflow_id = submit(client, workflow)
    ended = wait_for(client, workflow_id, "failed")
    assert states(ended) == {"top": "completed", "left": "failed", "right": "completed", "join": "skipped"}
    reasons = {step["name"]: step["reason"] for step in ended["steps"]}
    assert "invalid_argument" in reasons["left"]
    assert reasons["join"] == "step 'left', which it needs, is failed"
    assert len(client.get("/api/jobs").json["data"]) == 3
    before = jobs_of(client, ended)

    refused = client.post(f"/api/workflows/{workflow_id}/rerun", {"from": "join"})
    assert (refused.status, "rerun from 'left'" in refused.json["hint"]) == (409, True)
    again = client.post(f"/api/workflows/{workflow_id}/rerun", {"from": "left"})
    assert again.status == 200, again.body
    assert again.json["run"] == 2
    ended = wait_for(client, workflow_id, "failed")
    after = jobs_of(client, ended)
    assert after["top"]["job_id"] == before["top"]["job_id"]
    assert after["left"]["job_id"] != before["left"]["job_id"]


@pytest.mark.rows("A-56")
def test_two_workflows_share_one_worker_and_both_finish(nexad, start_worker):
    client = nexad.client()
    first = submit(client, {"steps": {"only": echo("1", seconds=2)}})
    second = submit(client, {"steps": {"only": echo("2")}})
    start_worker(nexad)
    one, two = (jobs_of(client, wait_for(client, workflow, "completed"))["only"] for workflow in (first, second))
    assert one["worker_id"] == two["worker_id"]
    assert two["started_at"] >= one["finished_at"]


def test_a_kill_of_the_server_loses_and_doubles_nothing(patient_nexad, start_worker):
    """Killed again and again while a chain of steps and a matrix go through it."""
    nexad = patient_nexad
    client = nexad.client()
    start_worker(nexad, "worker", "--slots", "2")
    steps = {"s0": echo("0")}
    for i in range(1, 6):
        steps[f"s{i}"] = echo(f"${{{{ steps.s{i - 1}.outputs.message }}}}{i}", seconds=0.5)
    steps["fan"] = {
        "job_type": "echo", "matrix": {"n": [1, 2, 3]}, "needs": ["s2"],
        "spec": {"message": "${{ matrix.n }}!", "seconds": 0.3},
    }
    workflow_id = submit(client, {"steps": steps}, headers={"Idempotency-Key": "once"})
    for progress in ("s0", "s2", "s4"):
        wait_until(lambda step=progress: states(show(client, workflow_id))[step] == "completed", 180, progress)
        nexad.kill()
        nexad.start()
    ended = wait_for(client, workflow_id, "completed")
    assert jobs_of(client, ended)["s5"]["result"] == {"message": "012345"}
    fan = next(step for step in ended["steps"] if step["name"] == "fan")
    assert fan["outputs"] == {"message": ["1!", "2!", "3!"]}
    jobs = client.get("/api/jobs?limit=100").json["data"]
    assert len(jobs) == 9
    assert {job["status"] for job in jobs} == {"completed"}
    assert submit(client, {"steps": steps}, headers={"Idempotency-Key": "once"}) == workflow_id


def test_cancelling_a_workflow_ends_its_jobs(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    workflow_id = submit(client, diamond(seconds=600, events=6000))
    wait_until(lambda: "running" in states(show(client, workflow_id)).values(), 60, "a running step")
    wait_until(lambda: states(show(client, workflow_id))["top"] == "completed", 60, "the first step")
    reply = client.post(f"/api/workflows/{workflow_id}/cancel")
    assert reply.json["cancel_requested"]
    ended = wait_for(client, workflow_id, "cancelled")
    assert states(ended) == {"top": "completed", "left": "cancelled", "right": "cancelled", "join": "cancelled"}


@pytest.mark.rows("A-57", "A-69")
@pytest.mark.parametrize(
    ("steps", "param", "says"),
    [
        ({"a": echo(needs=["b"]), "b": echo(needs=["a"])}, "steps.a.needs", "a needs b needs a"),
        ({"a": echo(needs=["c"])}, "steps.a.needs", "there is no step 'c'"),
        ({"a": echo("${{ steps.b.outputs.mesage }}"), "b": echo()}, "steps.a.spec.message", "has no output"),
        ({"a": {"job_type": "ecko"}}, "steps.a.job_type", "there is no job type"),
        ({"a": echo(second=1)}, "steps.a.spec.second", "no such field"),
        ({"a": {"job_type": "audit", "spec": {"dataset_uri": "ds_nope"}}}, "steps.a.spec.dataset_uri", "ds_nope"),
        ({}, "steps", "at least one step"),
    ],
)
def test_what_cannot_run_is_refused_with_its_place_and_leaves_nothing(nexad, steps, param, says):
    client = nexad.client()
    reply = client.post("/api/workflows", {"steps": steps})
    assert reply.status in (404, 422), reply.body
    assert reply.json["param"] == param
    assert says in reply.json["detail"]
    assert client.get("/api/workflows").json["data"] == []
    assert client.get("/api/jobs").json["data"] == []


def test_yaml_is_taken_and_its_faults_have_lines(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    text = (
        "name: by hand\nsteps:\n  first:\n    job_type: echo\n    spec:\n      message: hello\n"
        "  second:\n    job_type: echo\n    spec:\n      message: ${{ steps.first.outputs.message }} you\n"
    )
    reply = client.post("/api/workflows", text.encode(), headers=YAML)
    assert reply.status == 202, reply.body
    ended = wait_for(client, reply.json["workflow_id"], "completed")
    assert jobs_of(client, ended)["second"]["result"] == {"message": "hello you"}
    for wrong, status, place in (
        (text.replace("message: hello", "mesage: hello"), 422, "yaml:6: steps.first.spec.mesage"),
        (text.replace("steps.first.", "steps.frist."), 422, "yaml:10: steps.second.spec.message"),
        (text.replace("    spec:\n      message: hello", "   spec"), 400, "yaml:5"),
    ):
        refused = client.post("/api/workflows", wrong.encode(), headers=YAML)
        assert (refused.status, refused.json["param"]) == (status, place), refused.body
    assert client.post("/api/workflows", b"x", headers={"Content-Type": "text/plain"}).status == 415


def test_another_projects_and_unknown_workflows_are_not_found(nexad):
    client = nexad.client()
    for path in ("wf_nope", "job_1", "x"):
        assert client.get(f"/api/workflows/{path}").status == 404
        assert client.post(f"/api/workflows/{path}/cancel").status == 404
        assert client.post(f"/api/workflows/{path}/rerun", {"from": "a"}).status == 404
    ids = [submit(client, {"name": str(n), "steps": {"a": echo()}}) for n in range(3)]
    page = client.get("/api/workflows?limit=2").json
    assert [row["workflow_id"] for row in page["data"]] == ids[:0:-1]
    rest = client.get(f"/api/workflows?limit=2&after={page['next_cursor']}").json
    assert ([row["workflow_id"] for row in rest["data"]], rest["has_more"]) == (ids[:1], False)
    assert client.get("/api/workflows?status=completed").json["data"] == []
    assert client.get("/api/workflows?status=done").status == 422


def test_the_command_line_runs_shows_cancels_and_runs_again(nexad, start_worker, tmp_path):
    start_worker(nexad)
    file = tmp_path / "flow.yaml"
    file.write_text(
        "inputs:\n  word: hello\n  fail: ''\nsteps:\n  a:\n    job_type: echo\n    spec:\n"
        "      message: ${{ inputs.word }}\n  b:\n    job_type: echo\n    spec:\n"
        "      message: ${{ steps.a.outputs.message }}!\n      fail_with: ${{ inputs.fail }}\n"
    )
    done = run_cli(nexad, "workflow", "run", str(file), "--set", "word=bye", "--name", "flow", "--wait")
    assert done.returncode == 0, done.stderr
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    workflow_id = lines[0][0]
    assert lines[0][1:] == ["completed", "flow"]
    assert [(line[0].split()[-1], line[1], line[4]) for line in lines[1:]] == [("a", "completed", ""), ("b", "completed", "a")]
    shown = json.loads(run_cli(nexad, "workflow", "show", workflow_id, "--json").stdout)
    assert shown["steps"][1]["outputs"] == {"message": "bye!"}
    assert workflow_id in run_cli(nexad, "workflow", "ls").stdout

    failed = run_cli(nexad, "workflow", "run", str(file), "--set", "fail=invalid_argument", "--wait")
    assert failed.returncode == 1
    failed_id = failed.stdout.split("\t")[0]
    again = run_cli(nexad, "workflow", "rerun", failed_id, "--from", "b", "--wait", "--json")
    assert again.returncode == 1
    assert json.loads(again.stdout)["run"] == 2
    assert "completed" in run_cli(nexad, "workflow", "cancel", workflow_id).stdout

    file.write_text(file.read_text().replace("steps.a.outputs", "steps.c.outputs"))
    refused = run_cli(nexad, "workflow", "run", str(file))
    assert refused.returncode == 2
    assert f"{file}:12: steps.b.spec.message" in refused.stderr
    unknown = run_cli(nexad, "workflow", "run", "training_pipelin")
    assert unknown.returncode == 5
    assert "did you mean 'training_pipeline'?" in unknown.stderr
    assert run_cli(nexad, "workflow", "run", "training_pipeline").returncode == 2


TRAIN = {"epochs": 3, "max_steps": 30, "batch_size": 8, "max_seq_len": 64, "vocab_size": 512, "seed": 1}
EVALUATE = {"max_samples": 20, "max_new_tokens": 24}


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    stack = Stack(tmp_path_factory.mktemp("workflow") / "stack", lease_seconds=20).start()
    yield stack
    stack.stop(30)


def run_program(words: list[str], environment: dict[str, str]):
    return subprocess.run(
        [BUILD / "bin/nexa", *words], env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True,
        timeout=400, check=False,
    )


def made_dataset(client: Client) -> tuple[str, str]:
    """Arithmetic and a model that has learnt a little of it, each made once for all tests of the module."""
    job_id = client.submit("generate", {"domain": "arithmetic", "num_samples": 400, "seed": 1})
    dataset = client.wait_for(job_id, "completed", seconds=120)["result"]["dataset_id"]
    trained = client.submit("train", {"dataset_uri": dataset, "model_id": "nexa-tiny", **TRAIN})
    return dataset, client.wait_for(trained, "completed", seconds=240)["result"]["checkpoint_id"]


@pytest.mark.rows("A-13", "A-53", "A-54")
@pytest.mark.training
def test_the_training_pipeline_is_one_graph_from_data_to_inference(stack):
    client = stack.client()
    dataset, teacher = made_dataset(client)
    inputs = {
        "dataset_uri": dataset, "teacher": teacher, "model_id": "nexa-tiny", "selection": "first", "max_prompts": 40,
        "quality_tier_min": "F", "name": "student", "temperature": 1, **TRAIN, **EVALUATE, "benchmark_uri": dataset,
    }
    words = [word for name, value in inputs.items() for word in ("--set", f"{name}={value}")]
    environment = {"NEXA_API_URL": f"{stack.url}/api", "NEXA_API_KEY": stack.key, "HOME": str(stack.folder.parent)}
    done = run_program(["workflow", "run", "training_pipeline", *words, "--wait", "--json"], environment)
    assert done.returncode == 0, done.stdout + done.stderr
    workflow = json.loads(done.stdout)
    assert workflow["template"] == "training_pipeline"
    steps = {step["name"]: step for step in workflow["steps"]}
    assert list(steps) == ["audit", "distill", "train", "evaluate", "deploy"]
    assert {step["status"] for step in steps.values()} == {"completed"}, workflow

    jobs = jobs_of(client, workflow)
    out = {name: step["outputs"] for name, step in steps.items()}
    assert jobs["audit"]["payload"]["dataset_uri"] == dataset
    assert jobs["distill"]["payload"]["dataset_uri"] == out["audit"]["dataset_id"]
    assert jobs["train"]["payload"]["dataset_uri"] == out["distill"]["distilled_dataset_id"]
    assert jobs["evaluate"]["payload"]["model_id"] == out["train"]["checkpoint_id"]
    assert jobs["deploy"]["payload"]["model_id"] == out["train"]["checkpoint_id"]
    assert 0 <= out["evaluate"]["scores"]["exact_match"] <= 1
    answer = stack.gateway().post(
        "/v1/chat/completions",
        {"model": "student", "messages": [{"role": "user", "content": "1+1="}], "max_tokens": 4},
    )
    assert answer.status == 200, answer.body

    manifest = client.get(f"/api/workflows/{workflow['workflow_id']}/manifest").json
    assert (manifest["schema_version"], manifest["run_id"], manifest["exit_status"]) == (4, workflow["workflow_id"], 0)
    version = client.get("/version").json
    assert manifest["code"]["version"] == version["version"]
    assert manifest["code"].get("git_commit", "") == version["commit"].removesuffix("-dirty")
    assert manifest["config"]["workflow"]["inputs"]["dataset_uri"] == dataset
    assert manifest["config"]["steps"]["train"] == [jobs["train"]["payload"]]
    listed = {(file["uri"], file["digest"]) for file in manifest["inputs"]}
    for artifact_id in (dataset, teacher, out["audit"]["dataset_id"], out["train"]["checkpoint_id"]):
        for file in client.get(f"/api/artifacts/{artifact_id}").json["files"]:
            assert (f"internal://{artifact_id}/{file['path']}", file["digest"]) in listed
    listed = {(file["uri"], file["digest"]) for file in manifest["outputs"]}
    made = [client.get(f"/api/artifacts?job_id={job['job_id']}").json["data"][0] for job in jobs.values()]
    assert len(made) == 5
    every = {(f"internal://{row['artifact_id']}/{file['path']}", file["digest"]) for row in made for file in row["files"]}
    assert listed == every


@pytest.mark.training
def test_a_gate_keeps_a_bad_model_from_being_deployed(stack):
    client = stack.client()
    generate = {"job_type": "generate", "spec": {"domain": "arithmetic", "num_samples": 200, "seed": 3}}
    workflow_id = submit(client, {
        "steps": {
            "data": generate,
            "train": {
                "job_type": "train",
                "spec": {**TRAIN, "dataset_uri": "${{ steps.data.outputs.dataset_id }}", "model_id": "nexa-tiny", "max_steps": 2},
            },
            "evaluate": {
                "job_type": "evaluate", "spec": {"model_id": "${{ steps.train.outputs.checkpoint_id }}", **EVALUATE},
            },
            "deploy": {
                "job_type": "deploy", "if": "steps.evaluate.outputs.scores.exact_match > 1",
                "spec": {"model_id": "${{ steps.train.outputs.checkpoint_id }}", "name": "never"},
            },
        },
    })
    ended = wait_for(client, workflow_id, "completed", "failed", seconds=240)
    assert states(ended) == {"data": "completed", "train": "completed", "evaluate": "completed", "deploy": "skipped"}, ended
    assert "condition does not hold" in ended["steps"][3]["reason"]
    refused = client.post(
        "/api/workflows",
        {"template": "training_pipeline", "inputs": {"dataset_uri": "ds_1", "quality_tier": "A"}},
    )
    assert (refused.status, refused.json["param"]) == (422, "inputs.quality_tier")


@pytest.mark.training
def test_the_example_of_the_guide_runs(stack):
    environment = {"NEXA_API_URL": f"{stack.url}/api", "NEXA_API_KEY": stack.key, "HOME": str(stack.folder.parent)}
    done = run_program(["workflow", "run", str(ROOT / "docs/examples/workflow.yaml"), "--wait", "--json"], environment)
    assert done.returncode == 0, done.stdout + done.stderr
    steps = {step["name"]: step for step in json.loads(done.stdout)["steps"]}
    checkpoints = steps["train"]["outputs"]["checkpoint_id"]
    assert len(set(checkpoints)) == 2
    assert [job["matrix"]["checkpoint"] for job in steps["evaluate"]["jobs"]] == checkpoints
    assert steps["train"]["job_id"] is None
