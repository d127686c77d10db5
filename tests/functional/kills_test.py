# SPDX-License-Identifier: Apache-2.0
"""kill -9 and SIGSTOP of server, workers and database at random under a load of light jobs, and the histories that submitters
and workers kept held against a model: what was acknowledged ends, is accepted once and charged once, and nothing is stuck."""

import json
import os
import random
import signal
import sqlite3
import sys
import threading
import time
import uuid
from collections import Counter
from http.client import HTTPException
from pathlib import Path

import pytest
from conftest import Client, Nexad, Program, wait_until
from hand_worker import HandWorker
from light_worker import CPU_SECONDS
from postgres import Postgres, start_or_skip

LEASE_SECONDS = 3
WORKERS = 3
SUBMITTERS = 4
SCRIPT = Path(__file__).with_name("light_worker.py")
LONG_JOBS = int(os.environ.get("NEXA_KILLS_JOBS", "100000"))
LONG_KILLS = int(os.environ.get("NEXA_KILLS", "1000"))
LONG_ZOMBIES = int(os.environ.get("NEXA_ZOMBIES", "10000"))


class LightWorker(Program):
    def __init__(self, server: Nexad, folder: Path, *more: str):
        self.folder = folder
        super().__init__(
            [sys.executable, SCRIPT, server.url, server.folder / "admin.key", folder, *more], folder.parent / f"{folder.name}.log"
        )

    def history(self) -> list[dict]:
        """What the server answered; a line that a kill cut short was never read by anybody."""
        lines = [line for file in self._files() for line in file.read_text().splitlines(keepends=True)]
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def answered(self) -> int:
        return sum(file.read_bytes().count(b"\n") for file in self._files())

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("history-*.jsonl"))


class Submitter:
    """Sends jobs, each under a key of its own until it is acknowledged, and keeps what was."""

    def __init__(self, server: Nexad, count: int):
        self.server, self.count = server, count
        self.acknowledged: dict[str, str] = {}  # idempotency key to job
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        client = self.server.client()
        for _ in range(self.count):
            key = str(uuid.uuid4())
            while key not in self.acknowledged and not self.stopping.is_set():
                try:
                    reply = client.post("/api/jobs/echo", {"message": key}, headers={"Idempotency-Key": key}, timeout=10)
                except (OSError, HTTPException):
                    time.sleep(0.1)
                    continue
                if reply.status in (200, 202):
                    self.acknowledged[key] = reply.json["job_id"]
                else:
                    assert reply.status in (429, 503), reply.body
                    time.sleep(0.1)


class Sqlite:
    """Where the jobs lie: a file that the server opens."""

    def __init__(self, folder: Path):
        self.file = folder / "server/db/nexa.db"
        self.environment: dict[str, str] = {}

    def rows(self, text: str) -> list[list[str]]:
        database = sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)
        try:
            return [["" if value is None else str(value) for value in row] for row in database.execute(text)]
        finally:
            database.close()

    def kill(self):
        """It has no process of its own."""

    def remove(self):
        pass


class OwnPostgres:
    """A server of this test's own, to be killed."""

    def __init__(self):
        self.server: Postgres = start_or_skip()
        self.database = self.server.make_database()
        self.environment = self.server.environment(self.database)

    def rows(self, text: str) -> list[list[str]]:
        return [line.split("|") for line in self.server.sql(text, self.database).splitlines()]

    def kill(self):
        postmaster = self.server.process
        below = Path(f"/proc/{postmaster.pid}/task/{postmaster.pid}/children").read_text().split()
        for pid in [postmaster.pid, *map(int, below)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it had just ended by itself
        postmaster.wait()
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below), 30, "the end of PostgreSQL's processes")
        self.server.start()

    def remove(self):
        self.server.remove()


class Storm:
    """Strikes one part after the other, each struck part up again before the next is."""

    def __init__(self, server: Nexad, workers: list[LightWorker], database, dice: random.Random):
        self.server, self.workers, self.database, self.dice = server, workers, database, dice
        self.struck: Counter[str] = Counter()
        self.away: list[tuple[float, float]] = []  # when server or database could notice nothing, by the wall clock
        self.strikes = [self.kill_worker, self.kill_server, self.stop_worker, self.stop_server]
        if isinstance(database, OwnPostgres):
            self.strikes.append(self.kill_database)
        self.bag: list = []

    def strike(self):
        if not self.bag:
            self.bag = list(self.strikes)
            self.dice.shuffle(self.bag)
        act = self.bag.pop()
        began = time.time()
        act()
        self.struck[act.__name__] += 1
        if not act.__name__.endswith("worker"):
            self.away.append((began, time.time()))

    def kill_worker(self):
        worker = self.dice.choice(self.workers)
        worker.kill()
        worker.start()

    def kill_server(self):
        self.server.kill()
        self.server.start()

    def kill_database(self):
        self.database.kill()
        wait_until(self.server._ready, 60, "the server on its database")

    def stop_worker(self):
        """Past its lease, half of the time."""
        self._stop_for(self.dice.choice(self.workers), self.dice.uniform(0, 2 * LEASE_SECONDS))

    def stop_server(self):
        self._stop_for(self.server, self.dice.uniform(0, LEASE_SECONDS))

    @staticmethod
    def _stop_for(program: Program, seconds: float):
        program.process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            program.process.send_signal(signal.SIGCONT)

    def away_between(self, begin: float, end: float) -> float:
        return sum(max(0.0, min(end, back) - max(begin, gone)) for gone, back in self.away)


def all_jobs(client: Client) -> dict[str, dict]:
    found, after = {}, ""
    while True:
        page = client.get(f"/api/jobs?limit=100{after}").json
        found |= {job["job_id"]: job for job in page["data"]}
        if not page["has_more"]:
            return found
        after = f"&after={page['data'][-1]['job_id']}"


def check_histories(acknowledged: set[str], jobs: dict[str, dict], answers: list[dict], database):
    """Against the model: a job is a line of leases with rising fences, of which the last alone is completed."""
    assert set(jobs) == acknowledged, "a job was lost, or there is one that nobody asked for"
    assert {job["status"] for job in jobs.values()} == {"completed"}
    leases: dict[str, list[tuple[int, str]]] = {}
    for job_id, fence, outcome in database.rows("SELECT job_id, fence, outcome FROM lease ORDER BY job_id, fence"):
        leases.setdefault(job_id, []).append((int(fence), outcome))
    assert set(leases) == acknowledged
    for job_id, line in leases.items():
        assert [fence for fence, _ in line] == list(range(1, len(line) + 1)), (job_id, line)
        assert [outcome for _, outcome in line] == ["lost"] * (len(line) - 1) + ["completed"], (job_id, line)
    # What a worker was told holds: at most one result of a job was accepted, and it is the one that counts.
    assert {answer["status"] for answer in answers} <= {200, 409}
    accepted = [answer for answer in answers if answer["status"] == 200]
    assert max(Counter(answer["job_id"] for answer in accepted).values()) == 1
    for answer in accepted:
        assert answer["fence"] == leases[answer["job_id"]][-1][0], answer
    charged = Counter(row[0] for row in database.rows("SELECT subject FROM ledger_outbox WHERE kind = 'job_completed'"))
    assert charged == Counter(acknowledged)


def check_nothing_was_stuck(storm: Storm, database, slack_seconds: float):
    """A lease that ran out was noticed soon, not counting when nobody could."""
    late = []
    for job_id, granted, ended in database.rows("SELECT job_id, granted_at, ended_at FROM lease WHERE outcome = 'lost'"):
        due, noticed = int(granted) / 1e6 + LEASE_SECONDS, int(ended) / 1e6
        stuck = noticed - due - storm.away_between(due, noticed)
        if stuck > slack_seconds:
            late.append((job_id, stuck))
    assert not late, late


def live_through_kills(tmp_path: Path, database, jobs: int, kills: int, seed: int, slack_seconds: float):
    print(f"seed {seed}")
    server = Nexad(tmp_path / "server", "--set", f"lease_seconds={LEASE_SECONDS}", environment=database.environment).start()
    workers = [LightWorker(server, tmp_path / f"worker{number}").start() for number in range(WORKERS)]
    submitters = [Submitter(server, jobs // SUBMITTERS) for _ in range(SUBMITTERS)]
    storm = Storm(server, workers, database, random.Random(seed))
    # Between two strikes the load gets on, so that each finds it at another place.
    longest = 120 + 60 * jobs / 1000

    def answered() -> int:
        for worker in workers:
            assert worker.running, worker.log.read_text()[-2000:]
        return sum(worker.answered() for worker in workers)

    try:
        for submitter in submitters:
            submitter.thread.start()
        for number in range(kills):
            wait_until(lambda due=number * jobs / (kills + 1): answered() >= due, longest, f"progress before strike {number}")
            time.sleep(storm.dice.uniform(0, 0.1))
            storm.strike()
        for submitter in submitters:
            submitter.thread.join(longest)
            assert not submitter.thread.is_alive(), "a submission found no server"
        client = server.client()
        acknowledged = {job_id for submitter in submitters for job_id in submitter.acknowledged.values()}
        assert len(acknowledged) == jobs, "two requests got the same job"
        wait_until(lambda: client.get("/api/jobs?status=pending&limit=1").json["data"] == [], longest, "an empty queue")
        for status in ("assigned", "running"):
            wait_until(lambda s=status: client.get(f"/api/jobs?status={s}&limit=1").json["data"] == [], 60, f"no job {status}")
        found = all_jobs(client)
        charged = client.get("/api/billing/summary").json["usage_by_type"]["cpu_seconds"]
    finally:
        for submitter in submitters:
            submitter.stopping.set()
        for worker in workers:
            worker.kill()
        server.stop(30)
    check_histories(acknowledged, found, [answer for worker in workers for answer in worker.history()], database)
    check_nothing_was_stuck(storm, database, slack_seconds)
    assert charged == pytest.approx(jobs * CPU_SECONDS)
    assert storm.struck.total() == kills
    assert set(storm.struck) == {act.__name__ for act in storm.strikes} or kills < len(storm.strikes)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    made = Sqlite(tmp_path) if request.param == "sqlite" else OwnPostgres()
    yield made
    made.remove()


@pytest.mark.rows("F-14", "P-12")
def test_what_was_acknowledged_lives_through_kills_and_is_accepted_and_charged_once(tmp_path, database):
    # How soon a lost lease is noticed is told in seconds by the long form; here the machine may be slow.
    live_through_kills(tmp_path, database, jobs=500, kills=10, seed=random.SystemRandom().randrange(2**32), slack_seconds=30)


@pytest.mark.slow
@pytest.mark.rows("F-14", "P-12")
def test_what_was_acknowledged_lives_through_a_thousand_kills(tmp_path, database):
    seed = int(os.environ.get("NEXA_KILLS_SEED", random.SystemRandom().randrange(2**32)))
    live_through_kills(tmp_path, database, jobs=LONG_JOBS, kills=LONG_KILLS, seed=seed, slack_seconds=5)


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def outlive_a_zombie(server: Nexad, owner: HandWorker, folder: Path, jobs: int):
    """A worker is stopped past its lease. Half of its jobs another has ended by then, half it still holds."""
    client = server.client()
    submitted = {client.submit("echo", {"message": "x"}) for _ in range(jobs)}
    zombie = LightWorker(server, folder, "--hold", str(jobs)).start()
    try:
        wait_until(lambda: is_stopped(zombie.process.pid), 120, "the zombie's sleep")
        leases: list[dict] = []
        wait_until(lambda: leases.extend(owner.next_jobs(slots=64)) or len(leases) == jobs, 120, "the zombie's jobs")
        assert {lease["job_id"] for lease in leases} == submitted
        ended, held = leases[: jobs // 2], leases[jobs // 2 :]
        hand_in_renewing(owner, ended, held)
        zombie.process.send_signal(signal.SIGCONT)
        wait_until(lambda: owner.renew(held) and not zombie.running, 120, "the zombie's end")
        assert zombie.process.returncode == 0, zombie.log.read_text()
        answers = zombie.history()
        assert len(answers) == jobs
        assert {answer["status"] for answer in answers} == {409}
        hand_in_renewing(owner, held, [])
    finally:
        if zombie.running:
            zombie.kill()


def hand_in_renewing(owner: HandWorker, leases: list[dict], others: list[dict]):
    """All of them are accepted; neither they nor the others run out meanwhile."""
    for begin in range(0, len(leases), 16):
        assert set(owner.renew(leases[begin:] + others)) <= {"go_on"}
        results = [owner.result_of(lease, {"message": "mine"}) for lease in leases[begin : begin + 16]]
        assert {answer["status"] for answer in owner.send(results)} == {200}


def refuse_zombies(server: Nexad, tmp_path: Path, rounds: int, jobs: int):
    owner = HandWorker(server.client(), tmp_path / "owner", "owner")
    assert owner.register().status == 200
    for number in range(rounds):
        outlive_a_zombie(server, owner, tmp_path / f"zombie{number}", jobs)
    for job in all_jobs(server.client()).values():
        assert (job["status"], job["attempt"]) == ("completed", 2)
    assert len(all_jobs(server.client())) == rounds * jobs


@pytest.mark.rows("F-14")
def test_a_worker_that_wakes_past_its_lease_is_refused_and_the_rightful_owner_accepted(patient_nexad, tmp_path):
    refuse_zombies(patient_nexad, tmp_path, rounds=1, jobs=200)


@pytest.mark.slow
@pytest.mark.rows("F-14")
def test_ten_thousand_late_results_are_refused_and_the_rightful_owners_accepted(patient_nexad, tmp_path):
    refuse_zombies(patient_nexad, tmp_path, rounds=max(1, LONG_ZOMBIES // 250), jobs=250)
