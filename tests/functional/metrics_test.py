# SPDX-License-Identifier: Apache-2.0
"""GET /metrics of the control plane."""

import pytest
from conftest import Client, wait_until
from exposition import read_exposition

FINISHED = ("nexa_jobs_finished_total", (("job_type", "echo"), ("status", "completed")))


def scrape(client) -> dict:
    reply = client.get("/metrics")
    assert reply.status == 200, reply.body
    assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return read_exposition(reply.body.decode())


def test_the_reader_of_these_tests_refuses_what_is_not_the_format():
    good = '# HELP a_total A.\n# TYPE a_total counter\na_total{b="c"} 1\n'
    assert read_exposition(good) == {("a_total", (("b", "c"),)): 1}
    for bad in (
        good.rstrip("\n"),
        good.replace('"c"', "c"),
        good.replace("} 1", "} one"),
        good + 'a_total{b="c"} 2\n',
        good.replace("# HELP a_total A.\n", ""),
        good.replace('"c"', '"c"d"'),
        '# HELP h H.\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n',
        '# HELP h H.\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 1\nh_count 1\n',
    ):
        with pytest.raises(AssertionError):
            read_exposition(bad)


def test_metrics_need_a_key_that_may_see_the_system(nexad):
    assert Client(nexad.url).get("/metrics").status == 403
    narrow = nexad.client().post("/api/auth/api-keys", {"name": "jobs", "scopes": ["jobs:write"]}).json["raw_key"]
    refused = nexad.client(narrow).get("/metrics")
    assert refused.status == 403
    assert "system:read" in refused.json["detail"]
    scraper = nexad.client().post("/api/auth/api-keys", {"name": "prometheus", "scopes": ["system:read"]}).json["raw_key"]
    assert nexad.client(scraper).get("/metrics").status == 200


@pytest.mark.rows("A-59")
def test_a_finished_job_raises_its_counter_by_one(nexad, start_worker):
    client = nexad.client()
    before = scrape(client)
    assert FINISHED not in before
    job_id = client.submit("echo", {"message": "hello"})
    waiting = scrape(client)
    assert waiting["nexa_jobs_submitted_total", (("job_type", "echo"),)] == 1
    assert waiting["nexa_queue_jobs", (("state", "ready"),)] == 1
    start_worker(nexad)
    client.wait_for(job_id, "completed")
    # The job is seen as completed at its commit, the counter rises right after it.
    after = wait_until(lambda: (found := scrape(client)).get(FINISHED) and found, 10, "the counter")
    assert after[FINISHED] == 1
    assert after["nexa_leases_granted_total", (("job_type", "echo"),)] == 1
    assert after["nexa_queue_jobs", (("state", "ready"),)] == 0
    assert after["nexa_workers", (("membership", "approved"),)] == 1


def test_a_lost_worker_and_a_cancelled_job_are_counted(fast_nexad, start_worker):
    client = fast_nexad.client()
    cancelled = client.submit("echo", {"message": "never"})
    client.post(f"/api/jobs/{cancelled}/cancel")
    job_id = client.submit("echo", {"message": "slow", "seconds": 60, "events": 600})
    worker = start_worker(fast_nexad)
    client.wait_for(job_id, "running")
    worker.kill()
    lost = ("nexa_leases_lost_total", (("job_type", "echo"),))
    after = wait_until(lambda: (found := scrape(client)).get(lost) and found, 30, "the lost lease")
    assert after["nexa_jobs_finished_total", (("job_type", "echo"), ("status", "cancelled"))] == 1


def test_requests_are_counted_by_operation_and_made_up_paths_make_no_series(nexad):
    client = nexad.client()
    for number in range(5):
        client.get(f"/made/up/{number}")
    client.get("/api/jobs/job_unknown")
    samples = scrape(client)
    requests = {dict(labels)["operation"]: value for (name, labels), value in samples.items() if name == "nexa_http_requests_total"}
    assert requests["unmatched"] == 5
    assert samples["nexa_http_requests_total", (("operation", "jobs_get"), ("status", "404"))] == 1
    assert samples["nexa_http_request_seconds_count", (("operation", "jobs_get"),)] == 1
    assert samples["nexa_db_batches_total", ()] >= 1
    assert samples["process_resident_memory_bytes", ()] > 1e6
    assert samples["nexa_http_open_connections", ()] >= 1
