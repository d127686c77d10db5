# SPDX-License-Identifier: Apache-2.0
"""Several servers on one PostgreSQL: any of them answers any request, and the end of one loses and doubles nothing."""

import json
import os
import subprocess
import threading
import urllib.error
import uuid

import pytest
from conftest import BUILD, Client, Nexad, Program, wait_until
from postgres import PASSWORD


@pytest.fixture
def coordinators(tmp_path, postgres):
    """Makes servers that share a database and a folder."""
    environment = postgres.environment(postgres.make_database())
    servers = []

    def make(count: int, *more: str) -> list[Nexad]:
        for _ in range(count):
            servers.append(Nexad(tmp_path / "server", *more, environment=environment))
        return servers

    yield make
    for server in servers:
        if server.running:
            server.stop()


def test_any_server_answers_any_request(coordinators, start_worker):
    first, second = (server.start() for server in coordinators(2))
    one, two = first.client(), second.client()
    start_worker(second)
    # Submitted at one, run by a worker of the other, followed and read at the first.
    job_id = one.submit("echo", {"message": "x", "events": 4, "output_bytes": 1000})
    text = one.get(f"/api/jobs/{job_id}/events", timeout=60).body.decode()
    events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
    assert events.pop()["status"] == "completed"  # the mark of the end
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["data"]["status"] == "completed"
    assert one.job(job_id) == two.job(job_id)
    artifact = one.get(f"/api/artifacts?job_id={job_id}").json["data"][0]
    path = f"/api/artifacts/{artifact['artifact_id']}/files/{artifact['files'][0]['path']}"
    assert one.get(path).body == two.get(path).body == b"e" * 1000
    # A key made at one opens the other, and revoked there it soon opens neither.
    made = one.post("/api/auth/api-keys", {"name": "laptop"}).json
    laptop = Client(second.url, made["raw_key"])
    assert laptop.get("/api/jobs").status == 200
    assert two.call("DELETE", f"/api/auth/api-keys/{made['key_id']}").status < 300
    elsewhere = Client(first.url, laptop.key)
    wait_until(lambda: elsewhere.get("/api/jobs").status in (401, 403), 15, "the end of the key")


def test_servers_that_start_together_on_an_empty_database_all_come_up(coordinators):
    servers = coordinators(3)
    for server in servers:
        super(Nexad, server).start()
    for server in servers:
        wait_until(server._ready, 60, f"{server.url} (see {server.log})")
    keys = {server.key for server in servers}
    assert all(server.client(key).get("/api/jobs").status == 200 for server in servers for key in keys)


def run_to_its_end(program: Program, *more: str) -> subprocess.CompletedProcess:
    argv = [*program.argv, *more]
    return subprocess.run(argv, env=program.env, capture_output=True, text=True, timeout=60, check=False)


class Load:
    """Submits jobs one after the other, each under a key of its own, and repeats at the next server what got no answer."""

    def __init__(self, servers: list[Nexad], first: int, count: int):
        self.clients = [server.client() for server in servers]
        self.first, self.count = first, count
        self.jobs: dict[str, str] = {}  # idempotency key to job
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        at = self.first
        for _ in range(self.count):
            key = str(uuid.uuid4())
            for _ in range(200):
                try:
                    reply = self.clients[at % len(self.clients)].post(
                        "/api/jobs/echo", {"message": key, "output_bytes": 10}, headers={"Idempotency-Key": key}, timeout=20
                    )
                except (OSError, urllib.error.URLError):
                    at += 1
                    continue
                if reply.status in (200, 202):
                    self.jobs[key] = reply.json["job_id"]
                    break
                at += 1


@pytest.mark.rows("P-56 T-56 P-59")
def test_a_server_killed_under_load_loses_and_doubles_no_acknowledged_job(coordinators, start_worker):
    servers = [server.start() for server in coordinators(3, "--set", "lease_seconds=3")]
    for number, server in enumerate(servers):
        start_worker(server, f"worker{number}", "--slots", "4")
    loads = [Load(servers, first, 25) for first in range(3)]
    for load in loads:
        load.thread.start()
    wait_until(lambda: sum(len(load.jobs) for load in loads) >= 15, 60, "the first jobs")
    servers[0].kill()
    for load in loads:
        load.thread.join(300)
        assert not load.thread.is_alive()
        assert len(load.jobs) == load.count, "a submission found no server"
    acknowledged = {job_id for load in loads for job_id in load.jobs.values()}
    assert len(acknowledged) == 75, "two requests got the same job"

    client = servers[1].client()
    for job_id in acknowledged:
        job = client.wait_for(job_id, "completed", seconds=240)
        assert job["result"]["message"] in {key for load in loads for key, made in load.jobs.items() if made == job_id}
    # Neither a job that nobody asked for, nor one that was charged twice.
    seen, after = set(), ""
    while True:
        page = client.get(f"/api/jobs?limit=100{after}").json
        seen |= {job["job_id"] for job in page["data"]}
        if not page.get("has_more"):
            break
        after = f"&after={page['data'][-1]['job_id']}"
    assert seen == acknowledged
    assert client.get("/api/billing/summary").json["usage_by_type"]["stored_bytes"] == 75 * 10


@pytest.mark.rows("P-59 P-08")
def test_a_database_that_goes_away_is_waited_for_and_nothing_queued_is_lost(coordinators, start_worker, postgres):
    (server,) = (each.start() for each in coordinators(1))
    client = server.client()
    ids = [client.submit("echo", {"message": str(number)}) for number in range(10)]
    postgres.stop()
    try:
        assert client.get("/api/jobs").status >= 500
    finally:
        postgres.start()
    # The queue is as it was, and its order too.
    listed = wait_until(
        lambda: (reply := client.get("/api/jobs")).status == 200 and [job["job_id"] for job in reply.json["data"]],
        60,
        "the database",
    )
    assert listed == sorted(ids, reverse=True) == ids[::-1]
    start_worker(server)
    finished = [client.wait_for(job_id, "completed", seconds=120) for job_id in ids]
    starts = [job["started_at"] for job in finished if job.get("started_at")]
    assert starts == sorted(starts)


def test_the_password_of_the_database_is_never_shown(coordinators, tmp_path):
    (server,) = (each.start() for each in coordinators(1))
    shown = run_to_its_end(server, "--print-config").stdout
    assert "db.url\t[secret]\tenv NEXA_DB__URL" in shown
    server.stop()
    assert PASSWORD not in shown + server.log.read_text()
    assert "postgres://nexa@" in server.log.read_text()
    refused = Nexad(tmp_path / "other", environment={"NEXA_DB__URL": f"postgres://nexa:{PASSWORD}@127.0.0.1:1/none"})
    refused = run_to_its_end(refused)
    assert refused.returncode == 10
    assert "127.0.0.1:1/none" in refused.stderr and PASSWORD not in refused.stderr


def migrate(server: Nexad, environment: dict[str, str]) -> subprocess.CompletedProcess:
    argv = [BUILD / "bin/nexa", "--json", "migrate", "--dir", server.folder]
    environment = {**os.environ, **environment}
    return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=120, check=False)


def without_last_use(rows: list[dict]) -> list[dict]:
    """To look at keys is itself a use of one."""
    return [{name: value for name, value in row.items() if name != "last_used_at"} for row in rows]


@pytest.mark.rows("P-58", "F-83")
def test_a_server_moves_from_sqlite_to_postgresql_with_everything_it_has(nexad, start_worker, postgres):
    client = nexad.client()
    worker = start_worker(nexad)
    finished = [client.submit("echo", {"message": "x", "output_bytes": size}) for size in (10, 1000)]
    for job_id in finished:
        client.wait_for(job_id, "completed")
    worker.stop()
    waiting = [client.submit("echo", {"message": f"{i}"}) for i in range(90)]
    routes = ["/api/jobs?limit=100", "/api/artifacts", "/api/auth/api-keys", "/api/projects"]
    before = [client.get(route).json["data"] for route in routes]
    usage = client.get("/api/billing/summary").json["usage_by_type"]

    environment = postgres.environment(postgres.make_database())
    refused = migrate(nexad, environment)
    assert refused.returncode != 0 and "another nexad uses" in refused.stderr
    nexad.stop()
    moved = migrate(nexad, environment)
    assert moved.returncode == 0, moved.stderr
    rows = {row["table"]: row["rows"] for row in json.loads(moved.stdout)["tables"]}
    assert rows["job"] == 92 and rows["artifact"] == 2 and rows["api_key"] == len(before[2])
    again = migrate(nexad, environment)
    assert again.returncode != 0 and "rows already" in again.stderr

    nexad.env |= environment
    nexad.start()
    after = [client.get(route).json["data"] for route in routes]
    assert [without_last_use(rows) for rows in after] == [without_last_use(rows) for rows in before]
    assert client.get("/api/billing/summary").json["usage_by_type"]["cpu_seconds"] == usage["cpu_seconds"] > 0
    start_worker(nexad, "another")
    client.wait_for(waiting[0], "completed")
    assert "postgres://nexa@" in nexad.log.read_text()


def test_a_migration_without_a_target_or_a_source_says_what_is_missing(tmp_path, postgres):
    nowhere = Nexad(tmp_path / "server")
    assert "db.url" in migrate(nowhere, {}).stderr
    environment = postgres.environment(postgres.make_database())
    refused = migrate(nowhere, environment)
    assert refused.returncode != 0 and "there is no database" in refused.stderr
    assert not nowhere.folder.exists()
