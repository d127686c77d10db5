# SPDX-License-Identifier: Apache-2.0
"""The routes that workers call, and what a worker does with them."""

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import wait_until
from exposition import polls_so_far
from hand_worker import HandWorker


def listening_sockets(pid: int) -> set[str]:
    """The inodes of the sockets on which a process listens."""
    held = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue
        if target.startswith("socket:["):
            held.add(target[8:-1])
    listen = "0A"
    listening = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == listen:
                listening.add(columns[9])
    return held & listening


@pytest.mark.rows("F-46", "F-47", "F-48")
def test_a_worker_registers_beats_takes_a_job_and_hands_in_its_result(nexad, tmp_path):
    client = nexad.client()
    worker = HandWorker(client, tmp_path / "worker")
    unknown = worker.heartbeat()
    assert 400 <= unknown.status < 500
    registered = worker.register(cpus=3, memory_bytes=1 << 30, gpus=1, gpu_model="one of mine")
    assert (registered.status, registered.json["status"]) == (200, "approved")
    assert registered.json["worker_id"] == worker.worker_id
    assert worker.register().json["worker_id"] == registered.json["worker_id"]

    seen = client.get(f"/api/workers/{worker.worker_id}").json["last_seen_at"]
    assert worker.heartbeat().status == 200
    assert client.get(f"/api/workers/{worker.worker_id}").json["last_seen_at"] > seen

    assert worker.next_jobs() == []
    job_id = client.submit("echo", {"message": "by hand"})
    [lease] = worker.next_jobs()
    assert lease["job_id"] == job_id
    assert lease["lease_seconds"] > 0
    spec = json.loads(base64.b64decode(lease["spec"]["payload"]))
    assert (spec["job_type"], spec["payload"]["message"]) == ("echo", "by hand")
    assert worker.next_jobs() == []
    assert worker.complete(lease, {"message": "by hand"})["status"] == 200
    job = client.job(job_id)
    assert (job["status"], job["result"]) == ("completed", {"message": "by hand"})
    late = worker.complete(lease, {"message": "again"})
    assert late["status"] == 409
    assert client.job(job_id)["result"] == {"message": "by hand"}


def test_another_key_speaks_for_no_worker(nexad, tmp_path):
    client = nexad.client()
    honest, other = (HandWorker(client, tmp_path / name) for name in ("honest", "other"))
    honest.register()
    other.register()
    job_id = client.submit("echo", {"message": "x"})
    [lease] = honest.next_jobs()
    other.worker_id = honest.worker_id
    assert other.complete(lease, {"message": "stolen"})["status"] in (401, 403)
    assert client.job(job_id)["status"] == "assigned"


def test_results_of_one_request_are_answered_each_by_itself_and_in_order(nexad, tmp_path):
    client = nexad.client()
    worker, other = (HandWorker(client, tmp_path / name, name) for name in ("worker", "other"))
    worker.register()
    other.register()
    ids = [client.submit("echo", {"message": str(number)}) for number in range(6)]
    good, forged, stale, unread, failing, last = worker.next_jobs(slots=6)
    assert [lease["job_id"] for lease in (good, forged, stale, unread, failing, last)] == ids
    other.worker_id = worker.worker_id
    error = {"code": "invalid_argument", "message": "no"}
    missing = {"artifact_id": "ds_x", "kind": "dataset", "files": [{"path": "a", "digest": "sha256:" + "0" * 64, "size": 1}]}
    answers = worker.send([
        worker.result_of(good, {"message": "0"}),
        other.result_of(forged, {"message": "1"}),
        worker.result_of({**stale, "fence": stale["fence"] + 1}, {"message": "2"}),
        {"payload": "e30=", "payloadType": "x", "signatures": []},
        worker.result_of(good, {"message": "again"}),
        worker.result_of(failing, {}, outcome="failed", error=error),
        worker.result_of(last, {"message": "5"}, artifacts=[missing]),
        worker.result_of(last, {"message": "5"}),
    ])  # fmt: skip
    statuses = [answer["status"] for answer in answers]
    assert statuses[0] == statuses[5] == statuses[7] == 200
    assert statuses[1] in (401, 403) and statuses[2] == statuses[4] == 409
    assert 400 <= statuses[3] < 500 and 400 <= statuses[6] < 500
    assert [answer.get("job_id", "") for answer in answers] == [ids[0], "", ids[2], "", ids[0], ids[4], ids[5], ids[5]]
    jobs = [client.job(job_id) for job_id in ids]
    assert [job["status"] for job in jobs] == ["completed", "assigned", "assigned", "assigned", "failed", "completed"]
    assert jobs[0]["result"] == {"message": "0"}
    # What was refused is still the worker's, and a whole batch may be empty, but not of any size.
    assert [answer["status"] for answer in worker.send([worker.result_of(stale, {}), worker.result_of(forged, {})])] == [200, 200]
    assert worker.send([]) == []
    many = [worker.result_of(unread, {"message": "3"})] * 257
    assert client.post("/api/workers/complete", {"results": many}).status == 422
    answers = worker.send(many[:256])
    assert [answer["status"] for answer in answers] == [200] + [409] * 255


@pytest.mark.rows("F-14")
@pytest.mark.slow
def test_a_worker_that_falls_silent_loses_its_job_and_is_shown_lost(patient_nexad, tmp_path):
    client = patient_nexad.client()
    silent, other = (HandWorker(client, tmp_path / name, name) for name in ("silent", "other"))
    silent.register()
    other.register()
    job_id = client.submit("echo", {"message": "x"})
    [lease] = silent.next_jobs()
    [second] = wait_until(lambda: other.next_jobs(), 60, "the job of the silent worker")
    assert (second["job_id"], second["fence"] > lease["fence"]) == (job_id, True)
    assert silent.complete(lease, {"message": "x"})["status"] == 409
    assert other.complete(second, {"message": "x"})["status"] == 200
    wait_until(
        lambda: client.get(f"/api/workers/{silent.worker_id}").json["liveness"] == "lost", 120, "the silent worker's loss"
    )
    assert silent.heartbeat().status == 200
    assert client.get(f"/api/workers/{silent.worker_id}").json["liveness"] == "connected"


@pytest.mark.rows("T-20", "F-12", "T-112")
def test_an_idle_worker_listens_nowhere_hardly_asks_and_starts_a_job_at_once(nexad, start_worker):
    client = nexad.client()
    worker = start_worker(nexad)
    client.wait_for(client.submit("echo", {"message": "there"}), "completed")
    before = polls_so_far(client)
    time.sleep(3)
    asked = polls_so_far(client) - before
    assert asked <= 1  # a poll is held for many seconds
    assert listening_sockets(worker.process.pid) == set()
    # The poll that waits is answered with the job: no other comes between.
    before = polls_so_far(client)
    job_id = client.submit("echo", {"message": "now"})
    client.wait_for(job_id, "assigned", "running", "completed")
    assert polls_so_far(client) <= before + 2
    client.wait_for(job_id, "completed")


@pytest.mark.rows("F-49")
def test_fifty_workers_take_a_thousand_jobs_each_once(nexad, tmp_path):
    client = nexad.client()

    def take_all(number: int) -> list[str]:
        worker = HandWorker(client, tmp_path / f"w{number}", f"w{number}")
        assert worker.register().status == 200
        taken = []
        while leases := worker.next_jobs(slots=1 + number % 7):
            taken += [lease["job_id"] for lease in leases]
        return taken

    with ThreadPoolExecutor(50) as pool:
        jobs = set(pool.map(lambda number: client.submit("echo", {"message": str(number)}), range(1000)))
        taken = [job_id for of_one in pool.map(take_all, range(50)) for job_id in of_one]
    assert len(taken) == 1000
    assert set(taken) == jobs
    assert all(client.job(job_id)["attempt"] == 1 for job_id in taken[::25])


@pytest.mark.rows("P-55")
@pytest.mark.slow
def test_one_server_serves_a_thousand_workers(nexad, tmp_path):
    client = nexad.client()
    with ThreadPoolExecutor(16) as pool:
        workers = list(pool.map(lambda number: HandWorker(client, tmp_path / f"w{number}", f"w{number}"), range(1000)))
        assert all(reply.status == 200 for reply in pool.map(HandWorker.register, workers))
        assert all(reply.status == 200 for reply in pool.map(HandWorker.heartbeat, workers))
        assert len(client.get("/api/workers").json["data"]) == 1000
        jobs = {client.submit("echo", {"message": str(number)}) for number in range(1000)}
        leases = list(pool.map(HandWorker.next_jobs, workers))
        assert all(len(taken) == 1 for taken in leases)
        assert {taken[0]["job_id"] for taken in leases} == jobs
        outcomes = pool.map(lambda worker, taken: worker.complete(taken[0], {"message": "done"}), workers, leases)
        assert all(outcome["status"] == 200 for outcome in outcomes)
    assert all(client.job(job_id)["status"] == "completed" for job_id in jobs)
