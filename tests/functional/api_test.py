# SPDX-License-Identifier: Apache-2.0
"""The control plane over HTTP: keys, submission, errors, documents."""

import json
import os
import stat
import subprocess

import pytest
from conftest import BUILD, Client, Nexad, digest_of

ECHO = {"message": "hello"}


@pytest.mark.rows("F-62 F-63 F-06")
def test_no_or_a_wrong_key_is_refused_everywhere(nexad):
    document = Client(nexad.url).get("/openapi.json").json
    checked = 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if operation.get("security") == []:
                continue
            target = path.replace("{", "").replace("}", "")
            bodies = [
                Client(nexad.url, key).call(method.upper(), target, b"" if method in ("post", "put") else None).json
                for key in (None, "nexa_" + "a" * 49, "not a key")
            ]
            assert [body["status"] for body in bodies] == [403, 403, 403], (method, path)
            assert bodies[1]["detail"] == bodies[2]["detail"]
            checked += 1
    assert checked >= 20


@pytest.mark.rows("F-32 F-33 F-34")
def test_a_key_is_shown_once_and_refused_after_its_revocation(nexad):
    admin = nexad.client()
    created = admin.post("/api/auth/api-keys", {"name": "laptop"})
    assert created.status == 201
    assert created.headers["Cache-Control"] == "no-store"
    raw, key_id = created.json["raw_key"], created.json["key_id"]
    user = nexad.client(raw)
    assert user.get("/api/jobs").status == 200
    listed = user.get("/api/auth/api-keys")
    assert raw not in listed.body.decode()
    assert key_id in [key["key_id"] for key in listed.json["data"]]
    assert admin.call("DELETE", f"/api/auth/api-keys/{key_id}").status == 204
    assert user.get("/api/jobs").status == 403
    assert admin.call("DELETE", "/api/auth/api-keys/key_unknown").status == 404


def test_a_key_does_only_what_its_scopes_allow(nexad):
    raw = nexad.client().post("/api/auth/api-keys", {"name": "reader", "scopes": ["jobs:read"]}).json["raw_key"]
    reader = nexad.client(raw)
    assert reader.get("/api/jobs").status == 200
    refused = reader.post("/api/jobs/echo", ECHO)
    assert refused.status == 403
    assert "jobs:write" in refused.json["detail"]


def test_the_first_key_is_in_a_file_that_only_the_owner_reads(nexad):
    mode = stat.S_IMODE(os.stat(nexad.folder / "admin.key").st_mode)
    assert mode == 0o600


@pytest.mark.rows("F-35 F-44")
def test_a_submitted_job_is_read_back_and_listed(nexad):
    client = nexad.client()
    job_id = client.submit("echo", ECHO)
    job = client.job(job_id)
    assert job["status"] == "pending"
    assert job["payload"]["message"] == "hello"
    for path in ("/api/jobs", "/api/jobs/"):
        assert [row["job_id"] for row in client.get(path).json["data"]] == [job_id]


@pytest.mark.rows("F-45")
def test_the_list_filters_and_pages(nexad):
    client = nexad.client()
    ids = [client.submit("echo", ECHO) for _ in range(5)]
    client.post(f"/api/jobs/{ids[0]}/cancel")
    assert [row["job_id"] for row in client.get("/api/jobs?status=cancelled").json["data"]] == [ids[0]]
    assert len(client.get("/api/jobs?status=pending").json["data"]) == 4
    assert client.get("/api/jobs?job_type=train").json["data"] == []
    seen, after = [], ""
    while True:
        page = client.get(f"/api/jobs?limit=2&after={after}").json
        seen += [row["job_id"] for row in page["data"]]
        if not page["has_more"]:
            break
        after = page["next_cursor"]
    assert seen == list(reversed(ids))
    assert client.get("/api/jobs?status=nonsense").status == 422


def test_both_forms_of_a_submission_and_the_older_routes_make_the_same_job(nexad):
    client = nexad.client()
    plain = client.job(client.submit("echo", ECHO))
    wrapped = client.job(client.submit("echo", {"payload": ECHO, "name": "mine", "priority": -1}))
    assert plain["payload"] == wrapped["payload"]
    assert (wrapped["name"], wrapped["priority"]) == ("mine", -1)
    status = client.get(f"/status/{plain['job_id']}").json
    assert list(status) == [
        "job_id", "job_type", "status", "created_at", "updated_at", "result", "logs_uri", "artifacts_uri", "error",
    ]


def test_the_same_idempotency_key_is_the_same_job(nexad):
    client = nexad.client()
    first = client.submit("echo", ECHO, headers={"Idempotency-Key": "k1"})
    assert client.submit("echo", ECHO, headers={"Idempotency-Key": "k1"}) == first
    other = client.post("/api/jobs/echo", {"message": "other"}, headers={"Idempotency-Key": "k1"})
    assert other.status == 422
    assert len(client.get("/api/jobs").json["data"]) == 1


@pytest.mark.rows("F-42")
def test_an_unknown_job_type_is_answered_with_the_near_name(nexad):
    reply = nexad.client().post("/api/jobs/trian", {})
    assert reply.status == 404
    assert "did you mean 'train'" in reply.json["hint"]


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        (b"{", 400, None),
        (b"[]", 422, None),
        (b'{"message":1}', 422, "message"),
        (b'{"message":"x","secnods":1}', 422, "secnods"),
        (b'{"message":"x","seconds":-1}', 422, "seconds"),
        (b'{"payload":{"seconds":1}}', 422, "payload.message"),
        (b"{}", 422, "message"),
        (b'{"message":"\xff"}', 422, None),
    ],
)
def test_bad_input_is_refused_with_its_place(nexad, body, status, param):
    reply = nexad.client().call("POST", "/api/jobs/echo", body)
    assert reply.status == status, reply.body
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.json["request_id"] == reply.headers["x-request-id"]
    if param:
        assert reply.json["param"] == param


def test_too_large_a_body_is_refused_before_it_is_read(nexad):
    reply = nexad.client().call("POST", "/api/jobs/echo", b" " * (1 << 20) + b"{}")
    assert reply.status == 413


def test_a_dataset_that_is_not_there_is_named(nexad):
    reply = nexad.client().post("/api/jobs/train", {"dataset_id": "ds_none", "model": "nexa-small", "epochs": 1})
    assert reply.status == 404
    assert reply.json["param"] == "dataset_uri"
    assert "nexa artifact ls" in reply.json["hint"]


@pytest.mark.parametrize("slip", [lambda made: made[:-1], lambda made: "job" + made[2:], lambda made: "letters"])
def test_a_dataset_that_is_nearly_there_is_proposed(nexad, slip):
    client = nexad.client()
    made = client.upload(name="letter")["artifact_id"]
    reply = client.post("/api/jobs/audit", {"dataset_uri": slip(made)})
    assert reply.status in (404, 422)
    assert reply.json["param"] == "dataset_uri"
    assert f"did you mean {made}" in reply.json["hint"]


def test_a_model_that_is_none_is_refused_before_any_worker_sees_it(nexad):
    client = nexad.client()
    made = client.upload(name="letter")["artifact_id"]

    def refusal(job_type: str, model: str, **more) -> str:
        reply = client.post(f"/api/jobs/{job_type}", {"dataset_uri": made, "model_id": model} | more)
        assert reply.status == 422, reply.body
        assert reply.json["param"] == "model_id"
        return reply.json["hint"]

    assert "did you mean nexa-small?" in refusal("train", "nexa-smal", epochs=1)
    assert "nexa-tiny, nexa-small" in refusal("train", "something else", epochs=1)
    assert "ckpt_" in refusal("train", made, epochs=1)
    assert "ckpt_" in refusal("evaluate", made)
    assert "ckpt_" in refusal("evaluate", "nexa-small")
    reply = client.post("/api/jobs/distill", {"dataset_uri": made, "teacher": made})
    assert (reply.status, reply.json["param"]) == (422, "teacher")


def test_an_uploaded_artifact_comes_back_as_it_was(nexad):
    client = nexad.client()
    content = os.urandom(300_000)
    digest, wrong = digest_of(content), digest_of(b"other")
    octets = {"Content-Type": "application/octet-stream"}
    assert client.call("PUT", f"/api/blobs/{digest}", content, headers=octets).status == 204
    assert client.call("PUT", f"/api/blobs/{wrong}", content, headers=octets).status == 500
    listing = {"kind": "dataset", "name": "noise", "files": [{"path": "a/noise.bin", "digest": digest, "size": 300_000}]}
    made = client.post("/api/artifacts", listing)
    assert made.status == 201, made.body
    artifact_id = made.json["artifact_id"]
    assert artifact_id.startswith("ds_")
    assert client.get(f"/api/artifacts/{artifact_id}/files/a/noise.bin").body == content
    part = client.get(f"/api/artifacts/{artifact_id}/files/a/noise.bin", headers={"Range": "bytes=1000-1999"})
    assert (part.status, part.body) == (206, content[1000:2000])
    assert client.get(f"/api/artifacts/{artifact_id}/files/../../admin.key").status in (400, 404)
    manifest = client.get(f"/api/artifacts/{artifact_id}/manifest").json
    assert manifest["files"][0]["digest"] == digest
    assert [row["artifact_id"] for row in client.get("/api/artifacts?kind=dataset").json["data"]] == [artifact_id]
    listing["files"][0]["digest"] = wrong
    assert client.post("/api/artifacts", listing).status == 404


def test_health_version_and_document_are_open(nexad):
    anyone = Client(nexad.url)
    for path in ("/livez", "/readyz", "/version", "/health"):
        assert anyone.get(path).status == 200, path
    document = anyone.get("/openapi.json").json
    assert document["openapi"].startswith("3.1")
    assert "/api/jobs/train" in document["paths"]
    assert "/api/jobs/echo" not in document["paths"]


@pytest.mark.rows("P-59")
def test_submitted_jobs_survive_a_kill(nexad):
    client = nexad.client()
    ids = [client.submit("echo", ECHO) for _ in range(20)]
    nexad.kill()
    nexad.start()
    assert {row["job_id"] for row in client.get("/api/jobs?limit=100").json["data"]} == set(ids)


def test_a_port_in_use_and_bad_settings_end_with_a_clear_error(nexad, tmp_path):
    def run(*arguments):
        return subprocess.run(
            [BUILD / "bin/nexad", "--dir", tmp_path / "other", *arguments], capture_output=True, text=True, timeout=20, check=False
        )

    busy = run("--port", str(nexad.port))
    assert busy.returncode == 10, busy.stderr
    assert str(nexad.port) in busy.stderr
    misspelled = run("--set", "lease_secnods=3")
    assert misspelled.returncode == 2
    assert "lease_seconds" in misspelled.stderr
    assert run("--prot", "1").returncode == 2


def test_the_checked_in_document_is_what_the_program_prints():
    printed = subprocess.run([BUILD / "bin/nexad", "--print-openapi"], capture_output=True, text=True, timeout=30, check=True)
    assert json.loads(printed.stdout) == json.loads((BUILD.parent / "schemas/openapi.json").read_text())


@pytest.mark.rows("A-72")
@pytest.mark.parametrize("program", ["nexad", "nexa-worker", "nexa"])
def test_no_server_or_client_links_torch_or_arrow(program):
    path = BUILD / "bin" / program
    if not path.exists():
        pytest.skip(f"{program} is not built here")
    linked = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
    assert "torch" not in linked
    assert "arrow" not in linked
