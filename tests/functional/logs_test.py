# SPDX-License-Identifier: Apache-2.0
"""What a job's engine writes: live, line by line, and whole afterwards."""

import json
import subprocess
import urllib.request
from urllib.error import HTTPError

import pytest
from conftest import BUILD, LONG_ECHO, Client, wait_until


class LogStream:
    """The events of `/logs/stream` as they come, as (id, event, data)."""

    def __init__(self, client: Client, job_id: str, after: str | None = None):
        request = urllib.request.Request(f"{client.base}/api/jobs/{job_id}/logs/stream")
        request.add_header("X-Nexa-Api-Key", client.key)
        if after:
            request.add_header("Last-Event-ID", after)
        self.reply = urllib.request.urlopen(request, timeout=60)

    def __iter__(self):
        event = {}
        for raw in self.reply:
            name, _, value = raw.decode().rstrip("\n").partition(": ")
            if name in ("id", "event", "data"):
                event[name] = value
            elif not name and event:
                yield event["id"], event["event"], event["data"]
                event = {}


@pytest.mark.rows("T-12", "T-21", "T-59")
def test_lines_come_while_the_job_runs_and_the_stream_ends_with_it(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    job_id = client.submit("echo", LONG_ECHO)
    lines = iter(LogStream(client, job_id))
    place, event, first = next(lines)
    assert event == "line"
    assert job_id in first
    seen = [next(lines) for _ in range(3)]
    assert all(event == "line" and "echo: " in text for _, event, text in seen)
    assert client.job(job_id)["status"] == "running"

    again = iter(LogStream(client, job_id, after=place))
    assert [next(again) for _ in range(3)] == seen

    client.post(f"/api/jobs/{job_id}/cancel")
    *rest, end = lines
    assert end[1:] == ("end", "cancelled")
    whole = client.get(f"/api/jobs/{job_id}/logs").body.decode()
    assert [first, *(text for _, event, text in (*seen, *rest) if event == "line")] == whole.splitlines()
    assert list(LogStream(client, job_id, after=end[0])) == [end]


def test_a_log_that_has_ended_comes_whole_with_its_attempts(patient_nexad, start_worker):
    client = patient_nexad.client()
    first = start_worker(patient_nexad, "first")
    job_id = client.submit("echo", {"message": "x", "seconds": 12, "events": 40})
    wait_until(lambda: client.get(f"/api/jobs/{job_id}/logs").body, 30, "a log")
    first.kill()
    start_worker(patient_nexad, "second")
    client.wait_for(job_id, "completed")
    events = list(LogStream(client, job_id))
    assert [data for _, event, data in events if event == "attempt"] == ["2"]
    assert events[-1][1:] == ("end", "completed")
    split = next(number for number, row in enumerate(events) if row[1] == "attempt")
    second = client.get(f"/api/jobs/{job_id}/logs?attempt=2").body.decode().splitlines()
    assert [data for _, event, data in events[split + 1:] if event == "line"] == second
    assert "40 of 40 events" in second[-2]
    assert second[-1].endswith("completed with 0 outputs")


def test_a_stream_needs_an_own_job_and_a_place_that_is_one(nexad):
    client = nexad.client()
    job_id = client.submit("echo", {"message": "x"})
    with pytest.raises(HTTPError) as refused:
        LogStream(client, job_id, after="everything")
    assert refused.value.code == 422
    assert json.loads(refused.value.read())["param"] == "Last-Event-ID"
    with pytest.raises(HTTPError) as refused:
        LogStream(client, "job_0199c0ffee")
    assert refused.value.code == 404


@pytest.mark.rows("T-59", "T-129")
def test_the_result_is_what_the_engine_wrote_and_the_engine_works_without_any_server(nexad, start_worker, tmp_path):
    client = nexad.client()
    start_worker(nexad)
    rows = b"".join(json.dumps({"prompt": f"{n}+1=", "completion": str(n + 1)}).encode() + b"\n" for n in range(50))
    dataset = client.upload(rows)
    job = client.wait_for(client.submit("audit", {"dataset_uri": dataset["artifact_id"]}), "completed")

    folder = tmp_path / "job"
    (folder / "inputs/dataset").mkdir(parents=True)
    (folder / "inputs/dataset/rows.jsonl").write_bytes(rows)
    given = {"name": "dataset", "artifact_id": dataset["artifact_id"], "kind": "dataset", "root_digest": dataset["root_digest"]}
    spec = {"schema_version": 1, "job_id": job["job_id"], "job_type": "audit", "payload": job["payload"], "inputs": [given]}
    (folder / "spec.json").write_text(json.dumps(spec))
    subprocess.run([BUILD / "bin/nexa-engine", "run", folder], env={}, timeout=60, check=True)
    assert json.loads((folder / "result.json").read_text())["result"] == job["result"]
