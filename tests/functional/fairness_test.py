# SPDX-License-Identifier: Apache-2.0
"""One tenant floods the queue, another sends a few jobs: counted in grants, since seconds are the machine's.

A claim takes the job with the least (usage + turn) / weight: usage counts the tenant's grants, turn the job's place among the
tenant's waiting ones. With equal weights, and the newcomer's usage no higher than the flooder's, the newcomer's n-th job
therefore comes before the flooder's n-th next one or right behind it: at most one grant of the flooder before each of the
newcomer's, and position <= 2 n, twice what it is alone."""

import http.client
import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from accounts_test import CHEAP, Tenant
from conftest import Nexad
from hand_worker import HandWorker

FEW = 10
LONG_FLOOD = int(os.environ.get("NEXA_FLOOD", "100000"))


@pytest.fixture
def server(tmp_path):
    nexad = Nexad(tmp_path / "server", *CHEAP).start()
    yield nexad
    nexad.stop()


def submit_many(server: Nexad, key: str, count: int) -> set[str]:
    """Over connections that are kept."""

    def some(number: int) -> list[str]:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        ids = []
        for _ in range(number):
            headers = {"X-Nexa-Api-Key": key, "Content-Type": "application/json"}
            connection.request("POST", "/api/jobs/echo", json.dumps({"message": "x"}), headers)
            reply = connection.getresponse()
            body = reply.read()
            assert reply.status == 202, body
            ids.append(json.loads(body)["job_id"])
        connection.close()
        return ids

    threads = 8
    with ThreadPoolExecutor(threads) as pool:
        parts = pool.map(some, [(count + number) // threads for number in range(threads)])
        return {job_id for part in parts for job_id in part}


def granted(worker: HandWorker, count: int, slots: int) -> list[str]:
    """The next `count` jobs in the order of their grants."""
    taken: list[str] = []
    while len(taken) < count:
        leases = worker.next_jobs(slots=min(slots, count - len(taken)))
        assert leases, "the queue is empty"
        taken += [lease["job_id"] for lease in leases]
    return taken


def positions(order: list[str], jobs: set[str]) -> list[int]:
    return [place for place, job_id in enumerate(order, start=1) if job_id in jobs]


def flood(server: Nexad, tmp_path, count: int):
    flooder, newcomer = Tenant(server, "flooder"), Tenant(server, "newcomer")
    worker = HandWorker(server.client(), tmp_path / "worker")
    assert worker.register().status == 200
    submit_many(server, flooder.key.key, count)
    # Both have used nothing: turn by turn.
    few = submit_many(server, newcomer.key.key, FEW)
    order = granted(worker, 2 * FEW, slots=1)
    assert all(place <= 2 * turn for turn, place in enumerate(positions(order, few), start=1)), positions(order, few)
    assert len(positions(order, few)) == FEW
    # The flooder has used much more since: the newcomer's few come before all of its.
    assert not few & set(granted(worker, 200, slots=64))
    few = submit_many(server, newcomer.key.key, FEW)
    assert set(granted(worker, FEW, slots=1)) == few
    # In one claim for many the order is the same.
    few = submit_many(server, newcomer.key.key, FEW)
    assert few <= set(granted(worker, 2 * FEW, slots=2 * FEW))
    # Who has nothing waiting keeps nobody waiting.
    assert len(granted(worker, 256, slots=256)) == 256


@pytest.mark.rows("P-04")
def test_few_jobs_beside_a_flood_wait_at_most_twice_as_long_as_alone(server, tmp_path):
    flood(server, tmp_path, 10_000)


@pytest.mark.slow
@pytest.mark.rows("P-04")
def test_few_jobs_beside_a_great_flood_wait_at_most_twice_as_long_as_alone(server, tmp_path):
    flood(server, tmp_path, LONG_FLOOD)
