# SPDX-License-Identifier: Apache-2.0
"""The Python client against the real programs."""

import http.server
import json
import os
import pickle
import re
import subprocess
import sys
import threading

import nexa_forge
import pytest
from conftest import BUILD, ROOT, digest_of, free_port, wait_until
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

    shown = {word: rest.strip() for word, _, rest in (line.partition(" ") for line in said.splitlines())}
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

    by_http = nexad.client().upload(rows.read_bytes())
    files = [{"path": "rows.jsonl", "digest": digest_of(rows.read_bytes()), "size": rows.stat().st_size}]

    assert by_client["files"] == by_cli["files"] == by_http["files"] == files
    assert by_client["root_digest"] == by_cli["root_digest"] == by_http["root_digest"]
    assert forge.read_artifact(by_http["artifact_id"], "rows.jsonl") == rows.read_bytes()


@pytest.mark.rows("T-78", "T-79", "T-80")
def test_each_kind_of_artifact_has_its_uri_and_an_unknown_one_has_none(nexad, forge, start_worker, tmp_path):
    start_worker(nexad)
    train = {"model_id": "nexa-tiny", "epochs": 1, "max_steps": 2, "batch_size": 4, "max_seq_len": 32, "vocab_size": 300}
    dataset = forge.upload(write_rows(tmp_path / "rows.jsonl"))["artifact_id"]
    trained = forge.wait(forge.train(dataset_uri=dataset, **train))["result"]["checkpoint_id"]
    measured = forge.wait(forge.evaluate(model_id=trained, dataset_uri=dataset, max_samples=2))["result"]["eval_id"]

    for uri_of, made, file in (
        (forge.get_dataset_uri, dataset, "rows.jsonl"),
        (forge.get_checkpoint_uri, trained, "config.json"),
        (forge.get_eval_uri, measured, "items.jsonl"),
    ):
        assert uri_of(made) == f"internal://{made}"
        assert forge.read_artifact(made, file)
        with pytest.raises(nexa_forge.NotFoundError):
            uri_of("ds_0199c0ffee")
        others = [other for other in (dataset, trained, measured) if other != made]
        for other in others:
            with pytest.raises(nexa_forge.WrongKindError, match="not a"):
                uri_of(other)

    audit = forge.wait(forge.audit(dataset_uri=forge.get_dataset_uri(dataset)))
    assert [kin["artifact_id"] for kin in forge.get_lineage(audit["result"]["dataset_id"])["ancestors"]] == [dataset]
    forge.delete_artifact(dataset)
    with pytest.raises(nexa_forge.NotFoundError):
        forge.get_dataset_uri(dataset)


def test_a_folder_goes_up_with_all_below_it_and_links_are_refused(forge, tmp_path):
    folder = tmp_path / "rows"
    (folder / "more of it").mkdir(parents=True)
    write_rows(folder / "a.jsonl")
    (folder / "more of it/empty.txt").touch()
    made = forge.upload(folder)
    assert [file["path"] for file in made["files"]] == ["a.jsonl", "more of it/empty.txt"]
    assert forge.read_artifact(made["artifact_id"], "more of it/empty.txt") == b""
    (tmp_path / "named.jsonl").symlink_to(folder / "a.jsonl")
    assert [file["path"] for file in forge.upload(tmp_path / "named.jsonl")["files"]] == ["named.jsonl"]

    for target in ("/etc/passwd", "/etc", "/nowhere"):
        (folder / "link").symlink_to(target)
        with pytest.raises(nexa_forge.NexaError, match="link: it is no regular file"):
            forge.upload(folder)
        (folder / "link").unlink()
    for missing in (tmp_path / "missing.jsonl", ""):
        with pytest.raises(FileNotFoundError):
            forge.upload(missing)
    (tmp_path / "nothing").mkdir()
    with pytest.raises(nexa_forge.NexaError, match="no file in"):
        forge.upload(tmp_path / "nothing")


def test_a_large_file_that_is_there_already_or_is_refused_is_answered_at_once(nexad, forge, tmp_path):
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(64 << 20)
    first = forge.upload(large)
    assert forge.upload(large)["files"] == first["files"]
    with pytest.raises(nexa_forge.AuthenticationError):
        NexaForgeClient("nexa_wrong", nexad.url).upload(large)


def recorded(client: NexaForgeClient) -> list:
    """What the client sends from now on, in place of its sending it: method, address and body."""
    calls = []

    def send(method, address, body, headers, **how):
        calls.append((method, address, json.loads(body) if body else None))
        return b"{}"

    client._connection._send = send
    return calls


@pytest.mark.rows("F-31", "T-54")
def test_every_job_type_has_its_method_which_is_one_call_with_what_the_type_requires(nexad):
    document = nexad.client().get("/openapi.json").json
    types = {path.removeprefix("/api/jobs/") for path in document["paths"] if re.fullmatch("/api/jobs/[a-z]+", path)}
    client = NexaForgeClient("key", "http://localhost")
    calls = recorded(client)
    given = {
        "generate": ("sums", 1), "audit": ("ds_1",), "distill": ("ds_1", "openai/x"), "train": ("nexa-tiny", "ds_1"),
        "evaluate": ("ckpt_1",), "deploy": ("ckpt_1",),
    }
    assert types == set(given)
    for job_type, values in given.items():
        getattr(client, job_type)(*values)
        method, address, body = calls.pop()
        assert (method, address, calls) == ("POST", f"http://localhost/api/jobs/{job_type}", [])
        required = set(document["components"]["schemas"][f"{job_type.capitalize()}_spec"]["required"])
        assert required <= {"teacher" if name == "teacher_model" else name for name in body}


@pytest.mark.rows("T-50")
def test_the_small_client_sends_its_documented_defaults_in_one_call_each():
    small = NexaClient("key", "http://localhost")
    calls = recorded(small._client)
    small.train("ds_1")
    small.distill("ds_1")
    small.status("../x?y")
    assert [(method, address.removeprefix("http://localhost/api"), body) for method, address, body in calls] == [
        ("POST", "/jobs/train", {"dataset_uri": "ds_1", "model_id": "Mistral-7B", "epochs": 3}),
        ("POST", "/jobs/distill", {"dataset_uri": "ds_1", "teacher_model": "openai/gpt-4o-mini"}),
        ("GET", "/jobs/..%2Fx%3Fy", None),
    ]


@pytest.mark.rows("T-47", "T-48", "T-49", "T-53")
def test_the_small_client_makes_the_same_jobs(nexad, forge, tmp_path):
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
        forge.get_job("job_0199")
    again = pickle.loads(pickle.dumps(refused.value))
    assert (str(again), again.request_id) == (str(refused.value), refused.value.request_id)
    assert again.request_id
    with pytest.raises(nexa_forge.UnprocessableEntityError) as refused:
        forge.train("nexa-tiny", "ds_1", epochs=-1)
    assert refused.value.param == "epochs"
    assert "epochs" in str(refused.value)
    with pytest.raises(nexa_forge.APIStatusError, match="batch_size"):
        forge.train("nexa-tiny", "ds_1", bach_size=8)
    with pytest.raises(nexa_forge.UnprocessableEntityError, match="teacher"):
        forge.distill("ds_1", "openai/one", teacher="openai/other")
    monkeypatch.delenv("NEXA_API_KEY", raising=False)
    with pytest.raises(nexa_forge.ConfigurationError, match="NEXA_API_KEY"):
        NexaForgeClient(base_url=nexad.url)
    monkeypatch.setenv("NEXA_API_KEY", nexad.key)
    assert list(NexaForgeClient(base_url=nexad.url + "/").list_jobs()) == []
    with pytest.raises(nexa_forge.APIConnectionError, match="is the server running"):
        NexaForgeClient("key", f"http://127.0.0.1:{free_port()}", max_retries=0).get_job("job_1")


@pytest.mark.parametrize("key", ["nexa_one\nnexa_two", "nexa_é", "nexa one"])
def test_a_key_that_is_none_is_refused_and_not_repeated(key):
    with pytest.raises(nexa_forge.ConfigurationError, match="one word") as refused:
        NexaForgeClient(key, "http://localhost")
    assert "nexa" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["localhost:8000", "file:///etc/passwd", "http://", "http://localhost:80x", "http://[::1", "http://me:word@host", "http://host/a b", "http://host?x=1"]
)
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(nexa_forge.ConfigurationError, match="no address of a server") as refused:
        NexaForgeClient("key", url)
    assert "word" not in str(refused.value)


@pytest.mark.parametrize("wrong", [{"max_retries": -1}, {"max_retries": 2.5}, {"timeout": 0}])
def test_a_wrong_limit_is_refused(wrong):
    with pytest.raises(nexa_forge.ConfigurationError, match=next(iter(wrong))):
        NexaForgeClient("key", "http://localhost", **wrong)


def test_jobs_are_listed_over_pages_and_waited_for(forge):
    ids = [forge.generate("arithmetic", 1, seed=n)["job_id"] for n in range(103)]
    assert [job["job_id"] for job in forge.list_jobs()] == ids[::-1]
    with pytest.raises(nexa_forge.JobTimeoutError, match="is still pending"):
        forge.wait(ids[0], timeout=0.3)
    forge.cancel_job(ids[0])
    with pytest.raises(nexa_forge.JobError) as ended:
        forge.wait(ids[0], timeout=10)
    assert ended.value.job["status"] == "cancelled"
    assert str(pickle.loads(pickle.dumps(ended.value))) == str(ended.value)
    assert [job["job_id"] for job in forge.list_jobs(status="cancelled")] == ids[:1]


def test_a_wait_outlives_a_server_that_is_away_for_a_moment(nexad, forge):
    job_id = forge.generate("arithmetic", 1)["job_id"]
    nexad.kill()
    back = threading.Timer(3, nexad.start)
    back.start()
    try:
        with pytest.raises(nexa_forge.JobTimeoutError, match="is still pending"):
            forge.wait(job_id, timeout=10)
    finally:
        back.join()


class Scripted(http.server.BaseHTTPRequestHandler):
    """Answers with the server's next line; keeps what it was asked. A line is a status, headers and a body, or "hang up", or
    "say nothing"."""

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.path, dict(self.headers), body))
        line = self.server.answers.pop(0)
        if line == "say nothing":
            self.server.is_over.wait(30)
        if isinstance(line, str):
            self.close_connection = True
            return
        status, headers, body = line
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = answer  # the standard library names them so

    def log_message(self, format, *args):  # the standard library names it so
        pass


@pytest.fixture
def scripted():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    server.seen, server.answers, server.is_over = [], [], threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.is_over.set()
    server.shutdown()
    thread.join()
    server.server_close()


BUSY = (503, {"Retry-After": "0"}, b"")


def test_a_busy_or_broken_server_is_asked_again_with_the_same_key(scripted):
    client = NexaForgeClient("key", scripted.url, max_retries=4)
    made = json.dumps({"job_id": "job_1"}).encode()
    cut_off = (503, {"Retry-After": "0", "Content-Length": "100"}, b"abc")
    scripted.answers += [BUSY, "hang up", cut_off, (429, {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, b""), (202, {}, made)]
    assert client.audit("ds_1") == {"job_id": "job_1"}
    assert len({headers["Idempotency-Key"] for _, headers, _ in scripted.seen}) == 1
    assert [body for _, _, body in scripted.seen] == [b'{"dataset_uri": "ds_1"}'] * 5


@pytest.mark.parametrize("headers", [{"x-should-retry": "false"}, {"Retry-After": "3600"}])
def test_a_server_that_wants_no_retry_soon_is_not_asked_again(scripted, headers):
    scripted.answers += [(503, {**headers, "x-request-id": "req_1"}, b"<html>gone</html>")]
    with pytest.raises(nexa_forge.InternalServerError, match="the server answered 503") as refused:
        NexaForgeClient("key", scripted.url).audit("ds_1")
    assert refused.value.request_id == "req_1"
    assert len(scripted.seen) == 1


def test_retries_come_to_an_end(scripted):
    scripted.answers += [BUSY] * 3
    with pytest.raises(nexa_forge.InternalServerError):
        NexaForgeClient("key", scripted.url).audit("ds_1")
    assert len(scripted.seen) == 3


def test_a_server_that_says_nothing_is_given_up(scripted):
    scripted.answers += ["say nothing"]
    with pytest.raises(nexa_forge.APITimeoutError, match=r"nothing came for 0\.2 s"):
        NexaForgeClient("key", scripted.url, timeout=0.2, max_retries=0).audit("ds_1")


def test_a_file_is_sent_from_its_beginning_in_a_retry(scripted, tmp_path):
    rows = write_rows(tmp_path / "rows.jsonl")
    plan = (200, {}, b'{"state": "here", "url": "", "headers": []}')
    scripted.answers += [plan, "hang up", BUSY, (204, {}, b""), (201, {}, b'{"artifact_id": "ds_1"}')]
    assert NexaForgeClient("key", scripted.url).upload(rows) == {"artifact_id": "ds_1"}
    assert [body for _, _, body in scripted.seen[1:4]] == [rows.read_bytes()] * 3


def test_bytes_go_to_and_from_the_store_by_links_that_get_no_key(scripted, tmp_path):
    rows = write_rows(tmp_path / "rows.jsonl")
    link = {"state": "link", "url": f"{scripted.url}/bucket/up", "headers": [{"name": "x-sum", "value": "1"}]}
    scripted.answers += [(200, {}, json.dumps(link).encode()), BUSY, (200, {}, b""), (201, {}, b'{"artifact_id": "ds_1"}')]
    client = NexaForgeClient("key", scripted.url)
    assert client.upload(rows) == {"artifact_id": "ds_1"}
    for path, headers, body in scripted.seen[1:3]:
        assert (path, headers["X-Sum"], body) == ("/bucket/up", "1", rows.read_bytes())
        assert "Authorization" not in headers
    scripted.answers += [(307, {"Location": f"{scripted.url}/bucket/down?signed=1"}, b""), BUSY, (200, {}, b"bytes")]
    assert client.read_artifact("ds_1", "rows.jsonl") == b"bytes"
    assert [(path, "Authorization" in headers) for path, headers, _ in scripted.seen[-3:]] == [
        ("/api/artifacts/ds_1/files/rows.jsonl", True), ("/bucket/down?signed=1", False), ("/bucket/down?signed=1", False),
    ]


def deployment_at(url: str, state: str = "ready") -> tuple:
    view = {"deployment_id": "dp_1", "name": "mine", "state": state, "inference_url": url}
    return (200, {}, json.dumps(view).encode())


def test_a_chat_is_asked_where_the_model_is_and_not_again_when_its_answer_is_lost(scripted):
    client = NexaForgeClient("key", scripted.url)
    hello = [{"role": "user", "content": "hello"}]
    scripted.answers += [deployment_at(f"{scripted.url}/v1"), BUSY, (200, {}, b'{"choices": []}')]
    assert client.chat({"deployment_id": "dp_1"}, hello, max_tokens=3) == {"choices": []}
    path, headers, body = scripted.seen[-1]
    assert (path, headers["Authorization"]) == ("/v1/chat/completions", "Bearer key")
    assert json.loads(body) == {"model": "mine", "messages": hello, "max_tokens": 3}

    scripted.answers += [deployment_at(f"{scripted.url}/v1"), "hang up"]
    with pytest.raises(nexa_forge.APIConnectionError):
        client.chat("dp_1", hello)
    scripted.answers += [deployment_at(f"{scripted.url}/v1"), (404, {}, b'{"error": {"message": "no model", "code": "model_not_found"}}')]
    with pytest.raises(nexa_forge.NotFoundError, match="no model") as refused:
        client.chat("dp_1", hello)
    assert refused.value.code == "model_not_found"
    assert scripted.answers == []


def test_the_key_goes_to_no_gateway_that_is_none(scripted):
    client = NexaForgeClient("key", scripted.url)
    scripted.answers += [deployment_at(f"{scripted.url}/v1", "stopped"), deployment_at("file:///etc/passwd")]
    with pytest.raises(nexa_forge.NexaError, match="is stopped: no gateway serves it"):
        client.chat("dp_1", [])
    with pytest.raises(nexa_forge.APIConnectionError, match="as a gateway"):
        client.chat("dp_1", [])
    assert len(scripted.seen) == 2


@pytest.mark.parametrize("status", [301, 302, 307])
def test_the_key_does_not_follow_a_redirect(scripted, status):
    scripted.answers += [(status, {"Location": f"{scripted.url}/elsewhere"}, b"")]
    with pytest.raises(nexa_forge.APIStatusError, match=f"the server answered {status}"):
        NexaForgeClient("key", scripted.url).get_job("job_1")
    assert [path for path, _, _ in scripted.seen] == ["/api/jobs/job_1"]
