# SPDX-License-Identifier: Apache-2.0
"""The Python client against the real programs."""

import hashlib
import http.server
import inspect
import json
import os
import subprocess
import sys
import threading

import nexa_forge
import pytest
from conftest import BUILD, ROOT, free_port, wait_until
from nexa import NexaClient
from nexa_forge import NexaForgeClient

SDK = ROOT / "sdk/python"


@pytest.fixture
def forge(nexad) -> NexaForgeClient:
    return NexaForgeClient(nexad.key, f"{nexad.url}/api")


def write_rows(path, count: int = 20):
    path.write_text("".join(json.dumps({"prompt": f"{n}+1=", "completion": str(n + 1)}) + "\n" for n in range(count)))
    return path


@pytest.mark.rows("T-122", "T-123", "T-124", "T-125", "T-126", "T-127", "T-128")
@pytest.mark.training
def test_a_script_of_client_calls_takes_a_model_from_its_data_to_its_endpoint(nexad, start_worker, start_gateway, tmp_path):
    environment = {**os.environ, "NEXA_API_URL": nexad.url, "NEXA_API_KEY": nexad.key, "PYTHONPATH": str(SDK)}
    words = [sys.executable, SDK / "demo.py", "--rows", "400", "--steps", "30"]
    with (tmp_path / "demo.log").open("w+") as log:
        demo = subprocess.Popen(words, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            client = nexad.client()
            audit = wait_until(lambda: client.get("/api/jobs?job_type=audit").json["data"], 30, "the audit job")[0]
            assert audit["status"] == "pending"
            start_worker(nexad)
            start_gateway("--server", nexad.url, "--key-file", nexad.folder / "admin.key")
            assert demo.wait(240) == 0
        finally:
            demo.kill()
            demo.wait()
            log.seek(0)
            said = log.read()
            print(said)

    shown = {line.split()[0]: line.split(maxsplit=1)[1] for line in said.splitlines()}
    jobs = client.get("/api/jobs").json["data"][::-1]
    assert [job["job_type"] for job in jobs] == [
        "audit", "train", "evaluate", "distill", "train", "evaluate", "deploy"
    ]
    assert {job["status"] for job in jobs} == {"completed"}
    quality = jobs[0]["result"]
    assert shown["audit"] == f"score {quality['overall_quality_score']:.2f}, tier {quality['quality_tier']}"
    assert ".parquet" in shown["scored"]
    assert shown["distilled"] == jobs[3]["result"]["distilled_dataset_id"]
    assert shown["student"].startswith(jobs[4]["result"]["checkpoint_id"])
    assert 0 <= jobs[5]["result"]["scores"]["exact_match"] <= 1
    assert shown["endpoint"].startswith(jobs[6]["result"]["inference_url"])
    assert "20+22=" in shown
    assert client.get("/api/deployments?live=true").json["data"] == []


@pytest.mark.rows("T-121")
def test_a_dataset_is_the_same_whoever_uploads_it(nexad, forge, tmp_path):
    rows = write_rows(tmp_path / "rows.jsonl")
    by_client = forge.upload(rows)
    assert by_client["artifact_id"].startswith("ds_")
    assert by_client["name"] == "rows.jsonl"

    environment = {**os.environ, "NEXA_API_URL": nexad.url, "NEXA_API_KEY": nexad.key}
    pushed = subprocess.run(
        [BUILD / "bin/nexa", "artifact", "push", rows], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    by_cli = forge.get_artifact(pushed.stdout.split()[0])

    http_client = nexad.client()
    digest = f"sha256:{hashlib.sha256(rows.read_bytes()).hexdigest()}"
    assert http_client.call("PUT", f"/api/blobs/{digest}", rows.read_bytes()).status == 204
    files = [{"path": "rows.jsonl", "digest": digest, "size": rows.stat().st_size}]
    by_http = http_client.post("/api/artifacts", {"files": files}).json

    assert by_client["files"] == by_cli["files"] == by_http["files"] == files
    assert by_client["root_digest"] == by_cli["root_digest"] == by_http["root_digest"]
    assert forge.read_artifact(by_http["artifact_id"], "rows.jsonl") == rows.read_bytes()


def test_a_folder_goes_up_with_all_below_it_and_links_are_refused(forge, tmp_path):
    folder = tmp_path / "rows"
    (folder / "more of it").mkdir(parents=True)
    write_rows(folder / "a.jsonl")
    (folder / "more of it/empty.txt").touch()
    made = forge.upload(folder)
    assert [file["path"] for file in made["files"]] == ["a.jsonl", "more of it/empty.txt"]
    assert forge.read_artifact(made["artifact_id"], "more of it/empty.txt") == b""

    (folder / "link").symlink_to("/etc/passwd")
    with pytest.raises(nexa_forge.NexaError, match="link: it is no regular file"):
        forge.upload(folder)
    with pytest.raises(FileNotFoundError, match="no file or folder"):
        forge.upload(tmp_path / "missing.jsonl")


@pytest.mark.rows("F-31")
def test_every_job_type_has_its_method(nexad):
    routes = nexad.client().get("/openapi.json").json["paths"]
    types = {path.removeprefix("/api/jobs/") for path in routes if path.startswith("/api/jobs/") and "{" not in path}
    assert "train" in types
    for job_type in types:
        method = getattr(NexaForgeClient, job_type)
        schema = nexad.client().get("/openapi.json").json["components"]["schemas"][f"{job_type.capitalize()}_spec"]
        assert len(inspect.signature(method).parameters) >= len(schema["required"])


@pytest.mark.rows("T-47", "T-48", "T-49", "T-53")
def test_the_small_client_makes_the_same_jobs_with_its_own_defaults(nexad, forge, tmp_path):
    dataset = forge.upload(write_rows(tmp_path / "rows.jsonl"))["artifact_id"]
    small = NexaClient(nexad.key, nexad.url)
    job_id = small.audit(dataset)["job_id"]
    assert small.status(job_id)["status"] == "pending"
    assert small.status(job_id)["payload"]["dataset_uri"] == dataset
    distill = small.status(small.distill(dataset)["job_id"])
    assert distill["payload"]["teacher"] == "openai/gpt-4o-mini"
    train = small.status(small.train(dataset, model="nexa-tiny")["job_id"])
    assert (train["payload"]["model_id"], train["payload"]["epochs"]) == ("nexa-tiny", 3)


@pytest.mark.rows("F-21", "F-22")
def test_what_is_refused_says_what_where_and_what_to_do(nexad, forge, monkeypatch):
    with pytest.raises(nexa_forge.AuthenticationError) as refused:
        NexaForgeClient("nexa_wrong", nexad.url).get_job("job_1")
    assert refused.value.status == 403
    with pytest.raises(nexa_forge.NotFoundError) as refused:
        forge.get_job("job_0199/../x")
    assert refused.value.request_id
    with pytest.raises(nexa_forge.UnprocessableEntityError) as refused:
        forge.train("nexa-tiny", "ds_1", epochs=-1)
    assert refused.value.param == "epochs"
    assert "epochs" in str(refused.value)
    with pytest.raises(nexa_forge.APIStatusError, match="batch_size"):
        forge.train("nexa-tiny", "ds_1", bach_size=8)
    monkeypatch.delenv("NEXA_API_KEY", raising=False)
    with pytest.raises(nexa_forge.ConfigurationError, match="NEXA_API_KEY"):
        NexaForgeClient(base_url=nexad.url)
    with pytest.raises(nexa_forge.ConfigurationError, match="no address"):
        NexaForgeClient("key", "localhost:8000")
    monkeypatch.setenv("NEXA_API_KEY", nexad.key)
    assert list(NexaForgeClient(base_url=nexad.url + "/").list_jobs()) == []
    with pytest.raises(nexa_forge.APIConnectionError, match="is the server running"):
        NexaForgeClient("key", f"http://127.0.0.1:{free_port()}", max_retries=0).get_job("job_1")


def test_jobs_are_listed_over_pages_and_waited_for(forge):
    ids = [forge.generate("arithmetic", 1, seed=n)["job_id"] for n in range(103)]
    assert [job["job_id"] for job in forge.list_jobs()] == ids[::-1]
    with pytest.raises(TimeoutError, match="is still pending"):
        forge.wait(ids[0], timeout=0.3)
    forge.cancel_job(ids[0])
    with pytest.raises(nexa_forge.JobError) as ended:
        forge.wait(ids[0], timeout=10)
    assert ended.value.job["status"] == "cancelled"
    assert [job["job_id"] for job in forge.list_jobs(status="cancelled")] == ids[:1]


class Scripted(http.server.BaseHTTPRequestHandler):
    """Answers with the server's next line; keeps what it was asked."""

    def do_POST(self):  # the standard library names it so
        self.server.seen.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
        status, headers, body = self.server.answers.pop(0)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):  # the standard library names it so
        pass


@pytest.fixture
def scripted():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    server.seen, server.answers = [], []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_busy_server_is_asked_again_with_the_same_key_and_only_as_it_says(scripted):
    client = NexaForgeClient("key", f"http://127.0.0.1:{scripted.server_port}")
    made = json.dumps({"job_id": "job_1"}).encode()
    scripted.answers += [(503, {"Retry-After": "0"}, b""), (429, {"Retry-After": "0"}, b""), (202, {}, made)]
    assert client.audit("ds_1") == {"job_id": "job_1"}
    assert len({headers["Idempotency-Key"] for headers, _ in scripted.seen}) == 1
    assert [body for _, body in scripted.seen] == [b'{"dataset_uri": "ds_1"}'] * 3

    scripted.answers += [(503, {"x-should-retry": "false"}, b"<html>gone</html>")]
    with pytest.raises(nexa_forge.InternalServerError, match="the server answered 503"):
        client.audit("ds_1")
    scripted.answers += [(503, {"Retry-After": "0"}, b"")] * 3
    with pytest.raises(nexa_forge.InternalServerError):
        client.audit("ds_1")
    assert len(scripted.seen) == 7


def test_the_key_does_not_follow_a_redirect(scripted):
    client = NexaForgeClient("key", f"http://127.0.0.1:{scripted.server_port}")
    scripted.answers += [(307, {"Location": f"http://127.0.0.1:{scripted.server_port}/elsewhere"}, b"")]
    with pytest.raises(nexa_forge.APIStatusError, match="the server answered 307"):
        client.audit("ds_1")
    assert len(scripted.seen) == 1
