# SPDX-License-Identifier: Apache-2.0
"""kill -9 of any program at any moment: every job ends, and what completed is charged once."""

import os
import random
import signal
import sqlite3
import threading
import time

import pytest
from conftest import wait_until
from stack import PROGRAMS, Stack, processes_below

pytestmark = pytest.mark.training

LIFECYCLE_SECONDS = 240  # with every pause that a kill costs; without one it takes 20
TRIES = 4


class Lifecycle:
    """A whole life of a model, cut short; a step whose job failed is submitted again."""

    def __init__(self, stack: Stack, at_step=lambda: None):
        self.stack = stack
        self.at_step = at_step
        self.jobs: list[str] = []

    def run(self, job_type: str, spec: dict) -> dict:
        for _ in range(TRIES):
            job_id = self._submit(job_type, spec)
            self.at_step()
            job = wait_until(lambda: self._ended(job_id), LIFECYCLE_SECONDS, f"the end of {job_type} {job_id}")
            if job["status"] == "completed":
                return job["result"]
            assert job["error"]["message"], job
        pytest.fail(f"{job_type} failed {TRIES} times: {job['error']}")

    def _submit(self, job_type: str, spec: dict) -> str:
        key = f"{job_type}-{len(self.jobs)}"

        def submitted():
            try:
                reply = self.stack.client().post(f"/api/jobs/{job_type}", spec, headers={"Idempotency-Key": key})
            except OSError:
                return None
            assert reply.status in (202, 503), reply.body
            return reply.json["job_id"] if reply.status == 202 else None

        self.jobs.append(wait_until(submitted, 60, "the server"))
        return self.jobs[-1]

    def _ended(self, job_id: str) -> dict | None:
        try:
            reply = self.stack.client().get(f"/api/jobs/{job_id}")
        except OSError:
            return None
        return reply.json if reply.status == 200 and reply.json["status"] in ("completed", "failed") else None

    def live(self):
        train = {"epochs": 1, "max_steps": 8, "batch_size": 8, "max_seq_len": 64, "vocab_size": 300}
        made = self.run("generate", {"domain": "arithmetic", "num_samples": 400, "seed": 1})["dataset_id"]
        self.run("audit", {"dataset_uri": made})
        teacher = self.run("train", {"dataset_uri": made, "model_id": "nexa-tiny", **train})["checkpoint_id"]
        self.run("evaluate", {"model_id": teacher, "dataset_uri": made, "max_new_tokens": 6})
        distilled = self.run(
            "distill",
            {"dataset_uri": made, "teacher": teacher, "selection": "first", "max_prompts": 60, "max_new_tokens": 6},
        )["distilled_dataset_id"]
        student = self.run("train", {"dataset_uri": distilled, "model_id": "nexa-tiny", **train})["checkpoint_id"]
        self.run("evaluate", {"model_id": student, "dataset_uri": distilled, "max_new_tokens": 6})
        self.run("deploy", {"model_id": student})


class Killer:
    """Kills one of the programs within two seconds of each step's begin, all of them in turn, in an order of the dice."""

    def __init__(self, stack: Stack, dice: random.Random):
        self.stack = stack
        self.dice = dice
        self.victims: list[str] = []
        self.killed: list[str] = []
        self.timers: list[threading.Timer] = []

    def strike_soon(self):
        if not self.victims:
            self.victims = list(PROGRAMS)
            self.dice.shuffle(self.victims)
        timer = threading.Timer(self.dice.uniform(0, 2), self._strike, [self.victims.pop()])
        timer.start()
        self.timers.append(timer)

    def _strike(self, victim: str):
        deadline = time.monotonic() + 3  # an engine is there only while a job runs
        while time.monotonic() < deadline:
            for pid, name in processes_below(self.stack.folder).items():
                if name == victim:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        continue  # it had just ended by itself
                    self.killed.append(victim)
                    return
            time.sleep(0.02)

    def rest(self):
        for timer in self.timers:
            timer.cancel()
            timer.join()


def check_books(stack: Stack):
    """Exactly one charge for each completed job, none for any other."""
    database = sqlite3.connect(f"file:{stack.folder / 'db' / 'nexa.db'}?mode=ro", uri=True)
    jobs = dict(database.execute("SELECT id, state FROM job"))
    charged = [row[0] for row in database.execute("SELECT subject FROM ledger_outbox WHERE kind = 'job_completed'")]
    metered = {row[0] for row in database.execute("SELECT DISTINCT job_id FROM usage_record")}
    done = sorted(job for job, state in jobs.items() if state == "done")
    assert set(jobs.values()) <= {"done", "dead", "cancelled"}
    assert sorted(charged) == done
    assert metered == set(done)
    for job, error in database.execute("SELECT job_id, error FROM job_detail"):
        assert jobs[job] == "done" or error, f"{job} is {jobs[job]} without a reason"


def live_under_fire(tmp_path, seed: int):
    print(f"seed {seed}")
    stack = Stack(tmp_path / "stack").start()
    killer = Killer(stack, random.Random(seed))
    try:
        Lifecycle(stack, killer.strike_soon).live()
    finally:
        killer.rest()
        stack.stop(30)
    assert set(killer.killed) == set(PROGRAMS), killer.killed
    wait_until(lambda: processes_below(stack.folder) == {}, 10, "the end of all programs")
    check_books(stack)


@pytest.mark.parametrize("seed", range(3))
def test_a_life_under_fire_is_lived_and_charged_once(tmp_path, seed):
    live_under_fire(tmp_path, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 120))
def test_many_lives_under_fire_are_lived_and_charged_once(tmp_path, seed):
    live_under_fire(tmp_path, seed)


def test_a_life_without_kills_is_charged_once(tmp_path):
    stack = Stack(tmp_path / "stack").start()
    try:
        lifecycle = Lifecycle(stack)
        lifecycle.live()
    finally:
        assert stack.stop(30) == 0
    assert len(lifecycle.jobs) == 8
    check_books(stack)
