# SPDX-License-Identifier: Apache-2.0
"""Artifacts over their life: listed, traced, deleted when nothing needs them any more."""

import json
import threading

import pytest
from conftest import Nexad, digest_of, run_cli


def audited(client, dataset_id: str) -> str:
    job = client.wait_for(client.submit("audit", {"dataset_uri": dataset_id}), "completed")
    return job["result"]["dataset_id"]


@pytest.mark.rows("A-67")
def test_an_artifact_is_uploaded_listed_downloaded_and_deleted(nexad):
    client = nexad.client()
    content = b'{"text": "kept for a while"}\n'
    made = client.upload(content)
    assert [row["artifact_id"] for row in client.get("/api/artifacts").json["data"]] == [made["artifact_id"]]
    path = f"/api/artifacts/{made['artifact_id']}"
    assert digest_of(client.get(f"{path}/files/rows.jsonl").body) == digest_of(content)
    assert client.call("DELETE", path).status == 204
    assert client.get("/api/artifacts").json["data"] == []
    for gone in (path, f"{path}/manifest", f"{path}/files/rows.jsonl", f"{path}/lineage"):
        assert client.get(gone).status == 404
    assert client.call("DELETE", path).status == 404
    refused = client.post("/api/jobs/audit", {"dataset_uri": made["artifact_id"]})
    assert (refused.status, refused.json["param"]) == (404, "dataset_uri")


@pytest.mark.rows("T-74")
def test_lineage_walks_back_to_the_upload_and_forth_to_all_that_came_of_it(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    rows = b"".join(json.dumps({"prompt": f"{n}+1=", "completion": str(n + 1)}).encode() + b"\n" for n in range(40))
    upload = client.upload(rows, name="sums")["artifact_id"]
    first = audited(client, upload)
    second = audited(client, first)
    beside = audited(client, upload)

    lineage = client.get(f"/api/artifacts/{second}/lineage").json
    assert [(kin["artifact_id"], kin["distance"]) for kin in lineage["ancestors"]] == [(first, 1), (upload, 2)]
    assert lineage["descendants"] == []
    assert lineage["ancestors"][0]["job_type"] == "audit"
    assert lineage["ancestors"][1]["job_id"] is None
    assert lineage["ancestors"][1]["name"] == "sums"
    manifest = client.get(f"/api/artifacts/{second}/manifest").json
    assert [(entry["uri"], entry["digest"]) for entry in manifest["inputs"]] == [
        (f"internal://{first}", client.get(f"/api/artifacts/{first}").json["root_digest"])
    ]

    forth = client.get(f"/api/artifacts/{upload}/lineage").json
    assert forth["ancestors"] == []
    assert [(kin["artifact_id"], kin["distance"]) for kin in forth["descendants"]] == [(first, 1), (beside, 1), (second, 2)]

    assert client.call("DELETE", f"/api/artifacts/{first}").status == 204
    kin = client.get(f"/api/artifacts/{second}/lineage").json["ancestors"]
    assert [(row["artifact_id"], row["deleted"]) for row in kin] == [(first, True), (upload, False)]


def test_what_a_waiting_job_needs_is_not_deleted(nexad):
    client = nexad.client()
    upload = client.upload()["artifact_id"]
    waiting = client.submit("audit", {"dataset_uri": upload})
    refused = client.call("DELETE", f"/api/artifacts/{upload}")
    assert (refused.status, refused.json["param"]) == (409, "artifact_id")
    assert waiting in refused.json["detail"]
    client.post(f"/api/jobs/{waiting}/cancel")
    assert client.call("DELETE", f"/api/artifacts/{upload}").status == 204


def test_the_command_line_traces_and_deletes(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    rows = b"".join(json.dumps({"prompt": f"{n}+1=", "completion": str(n + 1)}).encode() + b"\n" for n in range(40))
    upload = client.upload(rows, name="sums")["artifact_id"]
    scored = audited(client, upload)

    def nexa(*words, status: int = 0) -> str:
        ended = run_cli(nexad, "artifact", *words)
        assert ended.returncode == status, ended.stderr
        return ended.stdout

    assert upload in nexa("lineage", scored)
    assert scored in nexa("lineage", upload)
    assert nexa("rm", scored).split() == [scored, "deleted"]
    assert "deleted" in nexa("lineage", upload)
    nexa("rm", scored, status=5)


def blob_files(server) -> list:
    return sorted(path.name for path in (server.folder / "blobs/sha256").rglob("*") if path.is_file())


@pytest.fixture
def sweeping_nexad(tmp_path):
    """One that keeps unused files no longer than it takes to ask."""
    server = Nexad(tmp_path / "server", "--set", "storage.keep_unused_hours=0").start()
    yield server
    server.stop()


def test_bytes_that_no_artifact_names_are_told_of_and_removed(sweeping_nexad, start_worker):
    server = sweeping_nexad
    client = server.client()
    shared, own = b"of two artifacts\n", b"of one artifact\n"
    first, second = client.upload(shared), client.upload(shared)
    third = client.upload(own)
    abandoned = b"never named\n"
    assert client.put_blob(abandoned).status == 204
    start_worker(server)
    made = client.submit("echo", {"message": "x", "output_bytes": 5000})
    client.wait_for(made, "completed")
    counts = client.get("/api/storage").json
    assert (counts["blobs"], counts["unused_blobs"], counts["unused_bytes"]) == (4, 1, len(abandoned))

    for gone in (first, third):
        assert client.call("DELETE", f"/api/artifacts/{gone['artifact_id']}").status == 204
    counts = client.get("/api/storage").json
    assert counts["collectable_blobs"] == 2
    assert counts["collectable_bytes"] == len(own) + len(abandoned)
    removed = client.post("/api/storage/collect").json
    assert removed == {"blobs": 2, "bytes": len(own) + len(abandoned)}
    assert len(blob_files(server)) == 2
    assert client.get(f"/api/artifacts/{second['artifact_id']}/files/rows.jsonl").body == shared
    assert client.post("/api/storage/collect").json["blobs"] == 0
    # What was removed is new when it comes again.
    assert client.post("/api/artifacts", {"files": own_file(own)}).status == 404
    again = client.upload(own)
    assert client.get(f"/api/artifacts/{again['artifact_id']}/files/rows.jsonl").body == own


def own_file(content: bytes) -> list[dict]:
    return [{"path": "rows.jsonl", "digest": digest_of(content), "size": len(content)}]


def test_uploads_and_sweeps_at_the_same_time_lose_no_file_that_an_artifact_names(sweeping_nexad):
    """With no time to keep anything, a sweep may meet an upload anywhere; then the client is told, and tries again."""
    server = sweeping_nexad
    stop = threading.Event()
    sweeper = server.client()

    sweeps = []

    def sweep():
        while not stop.is_set():
            sweeps.append(sweeper.post("/api/storage/collect"))

    thread = threading.Thread(target=sweep)
    thread.start()
    kept = {}
    try:
        client = server.client()
        for i in range(150):
            content = b"file %d\n" % (i % 10)
            client.put_blob(content)
            made = client.post("/api/artifacts", {"files": own_file(content)})
            if made.status == 201:
                kept[made.json["artifact_id"]] = content
                if i % 3 == 0:
                    client.call("DELETE", f"/api/artifacts/{made.json['artifact_id']}")
                    del kept[made.json["artifact_id"]]
            else:
                assert made.status in (404, 503), made.body
    finally:
        stop.set()
        thread.join()
    assert {answer.status for answer in sweeps} == {200}
    assert sum(answer.json["blobs"] for answer in sweeps) > 0
    for artifact_id, content in kept.items():
        assert client.get(f"/api/artifacts/{artifact_id}/files/rows.jsonl").body == content
