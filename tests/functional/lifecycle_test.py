# SPDX-License-Identifier: Apache-2.0
"""A model's whole life by the command line alone, on this repository's own documentation."""

import json
import subprocess

import pytest
from conftest import BUILD, ROOT, wait_until
from stack import Stack


class Nexa:
    """The program `nexa`, as a script calls it."""

    def __init__(self, stack: Stack):
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(stack.folder.parent),
            "NEXA_API_URL": f"{stack.url}/api",
            "NEXA_API_KEY": stack.key,
        }

    def call(self, *words: str, exit_code: int = 0, stdin: str = "") -> str:
        ended = subprocess.run(
            [BUILD / "bin/nexa", *words], env=self.environment, input=stdin, capture_output=True, text=True,
            timeout=120, check=False,
        )
        assert ended.returncode == exit_code, ended.stdout + ended.stderr
        return ended.stdout if exit_code == 0 else ended.stderr

    def job(self, job_type: str, *words: str) -> dict:
        job = json.loads(self.call(job_type, *words, "--wait", "--json"))
        assert job["status"] == "completed", job
        return job["result"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    stack = Stack(tmp_path_factory.mktemp("life") / "stack", lease_seconds=20).start()
    yield stack
    stack.stop(30)


@pytest.fixture(scope="module")
def nexa(stack):
    return Nexa(stack)


@pytest.mark.rows("T-130", "T-133")
@pytest.mark.training
def test_a_model_lives_from_its_data_to_its_end(nexa, stack, tmp_path):
    train = ["--epochs", "3", "--max-steps", "30", "--batch-size", "8", "--max-seq-len", "64", "--vocab-size", "512", "--seed", "1"]
    documents = nexa.call("artifact", "push", str(ROOT / "docs")).split()[0]
    made = nexa.job(
        "generate", "--domain", "documents", "--num-samples", "400", "--dataset-uri", documents, "--seed", "1"
    )
    assert made["num_samples"] >= 100
    audited = nexa.job("audit", "--dataset-uri", made["dataset_id"])
    assert 0 < audited["overall_quality_score"] <= 5
    assert audited["quality_tier"]

    teacher = nexa.job("train", "--dataset-uri", made["dataset_id"], "--model", "nexa-small", *train)
    distilled = nexa.job(
        "distill", "--dataset-uri", made["dataset_id"], "--teacher", teacher["checkpoint_id"],
        "--selection", "first", "--max-prompts", "40", "--max-new-tokens", "24", "--samples-per-prompt", "4",
        "--temperature", "1", "--seed", "1",
    )
    student = nexa.job(
        "train", "--dataset-uri", distilled["distilled_dataset_id"], "--model", "nexa-tiny", *train
    )
    scores = nexa.job(
        "evaluate", "--model", student["checkpoint_id"], "--dataset-uri", made["dataset_id"], "--max-samples", "20",
        "--max-new-tokens", "24",
    )["scores"]
    assert 0 <= scores["exact_match"] <= 1

    deployed = nexa.job("deploy", "--model", student["checkpoint_id"], "--name", "docs-student")
    assert deployed["inference_url"] == f"{stack.gateway_url}/v1"
    said = nexa.call("chat", "docs-student", "--message", "What is a lease?", "--max-tokens", "16", "--temperature", "0")
    again = nexa.call("chat", "--max-tokens", "16", "--temperature", "0", stdin="What is a lease?\n")
    assert said == again
    listed = json.loads(nexa.call("deployment", "ls", "--json"))["data"]
    assert [row["name"] for row in listed] == ["docs-student"]
    assert "docs-student" in nexa.call("deployment", "get", deployed["deployment_id"])
    assert deployed["deployment_id"] in nexa.call("deployment", "get", "docs-student")
    assert "did you mean 'docs-student'?" in nexa.call("chat", "docs-studnt", "--message", "hi", exit_code=5)

    folder = tmp_path / "pulled"
    nexa.call("artifact", "pull", student["checkpoint_id"], str(folder))
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= {path.name for path in folder.rglob("*")}
    assert float(json.loads(nexa.call("billing", "summary", "--json"))["total_cost"]) > 0

    assert "stopped" in nexa.call("undeploy", "docs-student")
    wait_until(
        lambda: stack.gateway().get("/v1/models").json["data"] == [], 10, "the gateway's end of the model"
    )
    refused = nexa.call("chat", "docs-student", "--message", "still there?", exit_code=5)
    assert "nexa deployment ls" in refused


def test_a_revoked_key_is_refused_by_the_gateway_within_two_seconds(nexa, stack):
    created = json.loads(nexa.call("key", "create", "--name", "short", "--json"))
    client = stack.gateway()
    client.key = created["raw_key"]
    wait_until(lambda: client.get("/v1/models").status == 200, 5, "the new key on the gateway")
    nexa.call("key", "revoke", created["key_id"])
    wait_until(lambda: client.get("/v1/models").status == 401, 2, "the refusal")

