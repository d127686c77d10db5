# SPDX-License-Identifier: Apache-2.0
"""What lies where, and what is built into what: the rules that keep the parts apart."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import BUILD, ROOT

PRODUCT = ("src", "apps")


@pytest.mark.rows("T-03")
def test_all_that_is_compiled_into_the_product_lies_in_one_tree():
    compiled = {Path(row["file"]).resolve() for row in json.loads((BUILD / "compile_commands.json").read_text())}
    build = BUILD.resolve()
    own = [file.relative_to(ROOT) for file in compiled if file.is_relative_to(ROOT) and not file.is_relative_to(build)]
    assert len(own) > 300
    assert {file.parts[0] for file in own} <= {*PRODUCT, "tests"}
    assert all(file.name.endswith("_test.cc") for file in own if file.parts[0] == "tests")


@pytest.mark.rows("T-04", "T-55")
def test_every_part_of_the_platform_has_a_directory_with_code_and_tests():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    table = text.split("## Where the parts of the platform lie")[1].split("## ")[0]
    rows = {}
    for names, directories in re.findall(r"^\| ([a-z][^|]*) \| (`[^|]*) \|$", table, re.MULTILINE):
        for name in re.split(r", ", names.split(":")[0]):
            rows[name.split(" of ")[0]] = [ROOT / path for path in re.findall(r"`([^`]+)`", directories)]
    parts = {"sdk", "server", "workers", "core", "storage", "billing", "utils"}
    server = {"endpoints", "models", "jobs", "queue", "scheduler", "streams", "auth"}
    assert parts | server <= set(rows)
    for name, directories in rows.items():
        assert all(directory.is_dir() for directory in directories), name
        tested = [file for directory in directories for file in (directory if name != "endpoints" else directory.parent).rglob("*_test.cc")]
        assert tested or name == "sdk", name
    assert (ROOT / "tests/functional/sdk_test.py").exists()


# What the names of functions look like in a program: nexa::pipelines is 4nexa9pipelines.
ENGINE = (b"4nexa9pipelines", b"4nexa8training", b"4nexa6runner", b"_ZN2at", b"_ZN5arrow")
SERVER = (b"4nexa13orchestration", b"4nexa7billing", b"4nexa8accounts", b"4nexa3api", b"sqlite3_open")


@pytest.mark.rows("T-58", "T-116")
@pytest.mark.parametrize(
    ("program", "never", "has"),
    [
        ("nexad", ENGINE, SERVER),
        ("nexa-worker", ENGINE + SERVER, (b"4nexa6worker",)),
        ("nexa-engine", SERVER, (b"4nexa9pipelines",)),
        ("nexa-gateway", (b"4nexa9pipelines", b"_ZN2at", *SERVER), (b"4nexa7gateway",)),
        ("nexa", ENGINE + SERVER, (b"4nexa3cli",)),
    ],
)
def test_a_program_holds_no_code_of_the_others(program, never, has):
    content = (BUILD / "bin" / program).read_bytes()
    assert all(name in content for name in has)
    assert [name for name in never if name in content] == []


CLIENT = """
import sys

seen = set()
sys.addaudithook(lambda event, args: seen.add(args[1]) if event == "socket.connect" else None)

from nexa_forge import NexaForgeClient

client = NexaForgeClient(sys.argv[1], sys.argv[2])
dataset = client.upload(sys.argv[3])["artifact_id"]
wish = {"max_steps": 2, "batch_size": 4, "max_seq_len": 32, "vocab_size": 300}
client.wait(client.train("nexa-tiny", dataset, 1, **wish), timeout=120)
ours = {name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names - {"__main__"}
print(sorted(ours), sorted({port for _, port in seen}))
"""


@pytest.mark.rows("T-02", "T-23")
@pytest.mark.training
def test_a_client_trains_a_model_with_the_standard_library_and_one_address(nexad, start_worker, tmp_path):
    start_worker(nexad)
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps({"prompt": f"{n}+1=", "completion": str(n + 1)}) + "\n" for n in range(50)))
    ended = subprocess.run(
        [sys.executable, "-S", "-c", CLIENT, nexad.key, f"{nexad.url}/api", rows],
        env={"PYTHONPATH": str(ROOT / "sdk/python")}, capture_output=True, text=True, timeout=180, check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == f"['nexa_forge'] [{nexad.port}]"


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks_per_second = 100
    return (int(fields[11]) + int(fields[12])) / ticks_per_second


@pytest.mark.rows("T-22")
@pytest.mark.training
def test_the_work_of_a_training_is_the_workers_and_not_the_servers(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    made = client.wait_for(client.submit("generate", {"domain": "arithmetic", "num_samples": 2000, "seed": 1}), "completed")
    def worked() -> float:
        return client.get("/api/billing/summary").json["usage_by_type"]["cpu_seconds"]

    before, generated = cpu_seconds(nexad.process.pid), worked()
    wish = {"dataset_uri": made["result"]["dataset_id"], "model_id": "nexa-tiny", "epochs": 1, "max_steps": 300}
    job_id = client.submit("train", wish)
    client.get(f"/api/jobs/{job_id}/events", timeout=300)  # until the job has ended
    job = client.job(job_id)
    assert job["status"] == "completed"
    spent = cpu_seconds(nexad.process.pid) - before
    trained = worked() - generated
    assert spent < 0.05 * trained, f"{spent} s of the server for {trained} s of work"
