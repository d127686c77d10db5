# SPDX-License-Identifier: Apache-2.0
"""The main job: one command takes data all the way to a served model."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import BUILD, ROOT, Client, free_port, wait_until
from stack import processes_below

DATA = os.environ.get("NEXA_TEST_DATA")


class Run:
    def __init__(self, folder: Path, *more: str):
        self.folder = folder
        self.report_file = folder / "report.json"
        self.argv = [
            BUILD / "bin/nexa", "quickstart", "--dir", folder / "data", "--report", self.report_file, "--exit",
            "--port", str(free_port()), "--gateway-port", str(free_port()), *more,
        ]

    def start(self) -> subprocess.Popen:
        return subprocess.Popen(self.argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def finish(self, seconds: float = 300) -> str:
        ended = subprocess.run(
            self.argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds, check=False
        )
        assert ended.returncode == 0, ended.stdout
        assert processes_below(self.folder) == {}
        return ended.stdout

    @property
    def report(self) -> dict:
        return json.loads(self.report_file.read_text())

    @property
    def state(self) -> dict:
        return json.loads((self.folder / "data/quickstart.json").read_text())


def few_answers(folder: Path) -> Path:
    path = folder / "capitals.jsonl"
    rows = [{"question": f"What comes after {n}?", "answer": f"After {n} comes {n + 1}."} for n in range(120)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.training
def test_answers_of_the_user_go_all_the_way(tmp_path):
    run = Run(tmp_path, "--data", str(few_answers(tmp_path)))
    output = run.finish()
    names = [step["name"] for step in run.report["steps"]]
    assert names == [
        "upload", "audit", "train_teacher", "evaluate_teacher", "distill", "train_student", "evaluate_student",
        "deploy", "chat",
    ]
    for model in ("teacher", "student"):
        low, high = run.report[model]["exact_match_ci95"]
        assert 0 <= low <= run.report[model]["exact_match"] <= high <= 1
    assert sum(step["cost_usd"] for step in run.report["steps"]) > 0
    assert 0 < sum(step["seconds"] for step in run.report["steps"]) <= run.report["seconds"] + 0.1
    assert "/v1/chat/completions" in output
    assert run.state["finished"]


@pytest.mark.training
def test_text_of_the_user_is_learned(tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.md").write_text(f"# Chapter {number}\n\n" + "The quick brown fox jumps.\n\n" * 400)
    run = Run(tmp_path, "--data", str(folder))
    run.finish()
    assert [step["name"] for step in run.report["steps"]][-2:] == ["deploy", "chat"]
    assert run.report["bits_per_byte_after"] < run.report["bits_per_byte_before"]


@pytest.mark.training
def test_ctrl_c_leaves_nothing_running_and_the_next_run_goes_on(tmp_path):
    run = Run(tmp_path, "--data", str(few_answers(tmp_path)))
    process = run.start()
    wait_until(lambda: (tmp_path / "data/quickstart.json").exists() and run.state["dataset_id"], 60, "the upload")
    wait_until(lambda: "nexa-engine" in processes_below(tmp_path).values(), 60, "a job")
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=40)
    assert process.returncode == 130, output
    wait_until(lambda: processes_below(tmp_path) == {}, 5, "the end of all programs")
    before = run.state
    assert not before["finished"]
    output = run.finish()
    assert "going on" in output
    assert run.state["run_id"] == before["run_id"] and run.state["dataset_id"] == before["dataset_id"]


@pytest.mark.training
def test_killed_hard_it_leaves_nothing_running(tmp_path):
    process = Run(tmp_path).start()
    wait_until(lambda: "nexad" in processes_below(tmp_path).values(), 30, "nexad")
    process.kill()
    process.wait()
    wait_until(lambda: processes_below(tmp_path) == {}, 15, "the end of all programs")


def test_data_that_is_not_there_is_named(tmp_path):
    ended = subprocess.run(
        Run(tmp_path, "--data", "/nowhere/at/all").argv, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 5
    assert "/nowhere/at/all" in ended.stderr and "--data" in ended.stderr


@pytest.mark.training
def test_a_step_that_failed_is_tried_anew_by_the_next_run(tmp_path):
    path = few_answers(tmp_path)
    run = Run(tmp_path, "--data", str(path))
    process = run.start()
    wait_until(lambda: "nexa-engine" in processes_below(tmp_path).values(), 60, "a job")
    server = next(word for word in run.argv if str(word).isdigit())
    client = Client(f"http://127.0.0.1:{server}", (tmp_path / "data/admin.key").read_text().strip())
    live = [job for job in client.get("/api/jobs").json["data"] if job["status"] not in ("completed", "failed")]
    assert client.post(f"/api/jobs/{live[0]['job_id']}/cancel").status in (200, 202)
    output, _ = process.communicate(timeout=60)
    assert process.returncode not in (0, 130), output
    assert sum(run.state["failures"].values()) == 1
    run.finish()
    assert run.state["finished"]


@pytest.mark.training
@pytest.mark.slow
def test_sums_are_learned_and_handed_on(tmp_path):
    run = Run(tmp_path)
    output = run.finish(900)
    assert run.report["teacher"]["exact_match"] >= 0.99
    assert run.report["student"]["exact_match"] >= 0.95
    assert "0.63 M parameters" in output and "0.17 M parameters" in output


@pytest.mark.training
@pytest.mark.slow
@pytest.mark.parametrize("what", ["docs", "gsm8k/train.jsonl", "tinyshakespeare.txt"])
def test_real_data_goes_all_the_way(tmp_path, what):
    if what == "docs":
        path = ROOT / "docs"
    else:
        if not DATA:
            pytest.skip("NEXA_TEST_DATA is not set")
        found = sorted(Path(DATA).rglob(Path(what).name))
        assert found, f"{what} is not below {DATA}"
        path = found[0]
    run = Run(tmp_path, "--data", str(path))
    output = run.finish(900)
    assert "3 answers" in output
    if what.endswith(".jsonl"):
        assert run.report["student"]["exact_match"] >= 0
        losses = [float(word.split()[1]) for word in output.split(",") if word.startswith(" loss ")]
        assert len(losses) >= 2 and max(losses) < 6, "far from the loss of random weights, ln(2048) = 7.6"
    else:
        assert run.report["bits_per_byte_after"] < 0.75 * run.report["bits_per_byte_before"]
