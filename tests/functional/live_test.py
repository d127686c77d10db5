# SPDX-License-Identifier: Apache-2.0
"""Streams of events and log lines over both kinds of connection, parts of logs, and series of numbers."""

import http.client
import json
import sqlite3

import pytest
from conftest import LONG_ECHO, Client, wait_until
from logs_test import LogStream
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidStatus
from websockets.sync.client import connect

# Of the WebSocket client's own waits; nothing here depends on how long anything takes.
PATIENCE = 120


class Socket:
    """The messages of one of our WebSockets, as dictionaries."""

    def __init__(self, client: Client, path: str, *, key_as: str = "header", **more):
        headers, protocols = {}, None
        if key_as == "header":
            headers["X-Nexa-Api-Key"] = client.key
        elif key_as == "protocol":
            protocols = ["nexa.events", f"nexa.key.{client.key}"]
        headers |= more.pop("headers", {})
        self.socket = connect(
            client.base.replace("http:", "ws:") + path,
            additional_headers=headers,
            subprotocols=protocols,
            compression=None,
            proxy=None,
            legacy=True,
            open_timeout=PATIENCE,
            close_timeout=more.pop("close_timeout", PATIENCE),
            **more,
        )

    def __iter__(self):
        while True:
            try:
                yield json.loads(self.socket.recv(timeout=PATIENCE))
            except ConnectionClosedOK:
                return


def refusal(client: Client, path: str, **more) -> int:
    with pytest.raises(InvalidStatus) as refused:
        Socket(client, path, **more)
    return refused.value.response.status_code


@pytest.mark.rows("T-13")
def test_a_web_socket_gets_the_same_lines_as_the_event_stream_while_they_are_written(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    job_id = client.submit("echo", LONG_ECHO)
    live = iter(Socket(client, f"/api/jobs/{job_id}/logs/ws"))
    by_stream = iter(LogStream(client, job_id))
    seen = [next(live) for _ in range(4)]
    assert client.job(job_id)["status"] == "running"
    assert [(row["id"], row["event"], row["data"]) for row in seen] == [next(by_stream) for _ in range(4)]

    # Taken up again behind any line, by the header or by the query.
    again = iter(Socket(client, f"/api/jobs/{job_id}/logs/ws", headers={"Last-Event-ID": seen[0]["id"]}))
    assert [next(again) for _ in range(3)] == seen[1:]
    again = iter(Socket(client, f"/api/jobs/{job_id}/logs/stream/ws?last_event_id={seen[1]['id']}"))
    assert [next(again) for _ in range(2)] == seen[2:]

    client.post(f"/api/jobs/{job_id}/cancel")
    messages = seen + list(live)
    assert (messages[-1]["event"], messages[-1]["data"]) == ("end", "cancelled")
    whole = client.get(f"/api/jobs/{job_id}/logs").body.decode().splitlines()
    assert [row["data"] for row in messages if row["event"] == "line"] == whole
    assert list(Socket(client, f"/api/jobs/{job_id}/logs/ws?last_event_id={messages[-1]['id']}")) == [messages[-1]]


def test_events_come_over_both_and_end_with_the_job(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    job_id = client.submit("echo", {"message": "x", "events": 3})
    messages = list(Socket(client, f"/api/jobs/{job_id}/events/ws"))
    text = client.get(f"/api/jobs/{job_id}/events", timeout=PATIENCE).body.decode()
    data = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
    assert [row["data"] for row in messages] == data
    assert messages[-1]["event"] == "end" and messages[-1]["data"] == {"job_id": job_id, "status": "completed"}
    assert [row["data"]["sequence"] for row in messages[:-1]] == list(range(1, len(messages)))
    # Behind the last event there is only the end, and no stream that hangs.
    last = messages[-2]["id"]
    assert list(Socket(client, f"/api/jobs/{job_id}/events/ws?last_event_id={last}")) == messages[-1:]
    text = client.get(f"/api/jobs/{job_id}/events", headers={"Last-Event-ID": last}, timeout=PATIENCE).body.decode()
    assert text.count("event: end") == 1 and text.count("data: ") == 1
    bad = client.get(f"/api/jobs/{job_id}/events?last_event_id=soon")
    assert (bad.status, bad.json["param"]) == (422, "Last-Event-ID")


def test_a_web_socket_needs_a_key_that_may_read_and_an_own_job(nexad):
    client = nexad.client()
    job_id = client.submit("echo", {"message": "x"})
    path = f"/api/jobs/{job_id}/logs/ws"
    opened = Socket(client, path, key_as="protocol")
    assert opened.socket.subprotocol == "nexa.events"
    assert client.key not in str(opened.socket.response.headers)
    assert refusal(client, path, key_as="none") == 403
    assert refusal(Client(nexad.url, "nexa_" + "a" * 49), path) == 403
    narrow = client.post("/api/auth/api-keys", {"name": "w", "scopes": ["billing:read"]}).json["raw_key"]
    assert refusal(nexad.client(narrow), path, key_as="protocol") == 403
    assert refusal(client, "/api/jobs/job_0199c0ffee/logs/ws") == 404
    assert refusal(client, f"{path}?last_event_id=everything") == 422
    # Not a WebSocket, but the same route.
    plain = client.get(path)
    assert (plain.status, plain.headers["Upgrade"]) == (426, "websocket")
    # In an ordinary request an offered subprotocol is no key.
    stranger = Client(nexad.url)
    assert stranger.get("/api/jobs", headers={"Sec-WebSocket-Protocol": f"nexa.key.{client.key}"}).status == 403


def test_a_stream_breaks_off_soon_after_its_key_is_revoked(nexad):
    admin = nexad.client()
    job_id = admin.submit("echo", {"message": "x"})  # nobody runs it: its streams would go on for ever
    made = admin.post("/api/auth/api-keys", {"name": "laptop", "scopes": ["jobs:read"]}).json
    reader = nexad.client(made["raw_key"])
    sockets = [Socket(reader, f"/api/jobs/{job_id}/{what}/ws") for what in ("events", "logs")]
    streams = [LogStream(reader, job_id)]
    kept = iter(Socket(admin, f"/api/jobs/{job_id}/events/ws"))
    assert next(kept)["data"]["data"]["status"] == "pending"
    assert admin.call("DELETE", f"/api/auth/api-keys/{made['key_id']}").status == 204
    for socket in sockets:
        with pytest.raises(ConnectionClosed) as ended:
            for message in socket:
                last = message
        assert ended.value.rcvd.code == 1008 and ended.value.rcvd.reason
        assert last["event"] == "refused"
    for stream in streams:
        text = b""
        try:
            while piece := stream.reply.read1(4096):
                text += piece
        except (OSError, http.client.HTTPException):
            pass  # broken off, as it should be
        assert b"event: refused" in text and b"data: " in text
    # Another key's go on.
    admin.post(f"/api/jobs/{job_id}/cancel")
    assert [message["event"] for message in kept] == ["status", "end"]


def test_a_server_that_stops_says_so_and_a_reader_that_takes_nothing_holds_nobody_up(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    job_id = client.submit("echo", LONG_ECHO)
    path = f"/api/jobs/{job_id}/events/ws"
    stuck = Socket(client, path, max_queue=1, close_timeout=1)
    lively = Socket(client, path)
    for _ in range(20):
        lively.socket.recv(timeout=PATIENCE)
    assert nexad.stop(60) == 0, "it had to be killed"
    with pytest.raises(ConnectionClosed) as ended:
        while True:
            assert json.loads(lively.socket.recv(timeout=PATIENCE))["event"] != "end"
    assert ended.value.rcvd.code == 1001
    stuck.socket.close()


def test_one_stream_carries_several_topics_and_is_taken_up_without_a_gap_or_a_double(nexad, start_worker):
    client = nexad.client()
    first, second = (client.submit("echo", {"message": name, "events": 20}) for name in "ab")
    topics = f"/api/events/stream/ws?topics=job:{first},jobs,workers,job:{second}"
    stream = iter(Socket(client, topics))
    seen = [next(stream) for _ in range(4)]
    assert {row["event"] for row in seen} == {f"job:{first}", f"job:{second}", "jobs"}
    assert {row["data"]["status"] for row in seen if row["event"] == "jobs"} == {"pending"}

    start_worker(nexad)
    while not any(row["event"] == "workers" for row in seen):
        seen.append(next(stream))
    again = iter(Socket(client, f"{topics}&last_event_id={seen[-1]['id']}"))

    def is_over() -> bool:
        ended = {row["data"]["job_id"] for row in seen if row["event"] == "jobs" and row["data"]["status"] == "completed"}
        told = {row["data"]["job_id"] for row in seen if row["data"].get("data", {}).get("status") == "completed"}
        return ended == told == {first, second}

    while not is_over():
        seen.append(next(again))
    for job_id in (first, second):
        numbers = [row["data"]["sequence"] for row in seen if row["event"] == f"job:{job_id}"]
        assert numbers == list(range(1, len(numbers) + 1)), "an event is missing, or came twice"
    by_stream = client.call("GET", f"/api/events/stream?topics=job:{first},nonsense")
    assert (by_stream.status, by_stream.json["param"]) == (422, "topics")


def test_a_stream_shows_only_what_its_key_may_see(nexad):
    client = nexad.client()
    job_id = client.submit("echo", {"message": "x"})
    assert refusal(client, "/api/events/stream/ws?topics=job:job_0199c0ffee") == 404
    assert refusal(client, "/api/events/stream/ws") == 422
    assert refusal(client, "/api/events/stream/ws?topics=jobs&last_event_id=x") == 422
    narrow = nexad.client(client.post("/api/auth/api-keys", {"name": "r", "scopes": ["jobs:read"]}).json["raw_key"])
    assert refusal(narrow, "/api/events/stream/ws?topics=jobs,workers") == 403
    assert next(iter(Socket(narrow, "/api/events/stream/ws?topics=jobs")))["data"]["job_id"] == job_id


def test_parts_of_a_log_are_read_by_bytes_by_lines_and_by_what_they_hold(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    job_id = client.submit("echo", {"message": "Needle", "events": 8, "seconds": 4})
    client.wait_for(job_id, "completed")
    path = f"/api/jobs/{job_id}/logs"
    whole = client.get(path).body
    lines = whole.decode().splitlines(keepends=True)
    assert len(lines) > 5

    part = client.get(path, headers={"Range": "bytes=10-19"})
    assert (part.status, part.body) == (206, whole[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole)}"
    assert client.get(path, headers={"Range": "bytes=-7"}).body == whole[-7:]
    assert client.get(path, headers={"Range": f"bytes={len(whole)}-"}).status == 416

    tail = client.get(f"{path}?tail=3")
    assert tail.body.decode() == "".join(lines[-3:])
    assert int(tail.headers["X-Log-Offset"]) == len(whole) - len(tail.body)
    assert client.get(f"{path}?tail=99999").body == whole
    assert client.get(f"{path}?tail=-1").json["param"] == "tail"

    found = client.get(f"{path}/search?text=of%208%20EVENTS").json
    expected = [line.rstrip("\n") for line in lines if "of 8 events" in line]
    assert [row["text"] for row in found["data"]] == expected and not found["has_more"]
    for row in found["data"]:
        assert whole[row["offset"]:].decode().startswith(row["text"])
    first = client.get(f"{path}/search?text=echo&limit=2").json
    assert len(first["data"]) == 2 and first["has_more"]
    rest = client.get(f"{path}/search?text=echo&offset={first['next_offset']}").json
    everything = client.get(f"{path}/search?text=echo").json["data"]
    assert first["data"] + rest["data"] == everything
    assert client.get(f"{path}/search?text=nowhere").json["data"] == []
    for query, param in (("", "text"), (f"text={'x' * 257}", "text"), ("text=x&limit=0", "limit"), ("text=x&offset=-1", "offset")):
        refused = client.get(f"{path}/search?{query}")
        assert (refused.status, refused.json["param"]) == (422, param), query

    # A job without a log has an empty one.
    waiting = client.submit("echo", {"payload": {"message": "x"}, "pool": "nobody's"})
    for query in ("", "?tail=5"):
        empty = client.get(f"/api/jobs/{waiting}/logs{query}")
        assert (empty.status, empty.body) == (200, b"")
    assert client.get("/api/jobs/job_0199c0ffee/logs/search?text=x").status == 404


def test_a_jobs_numbers_are_series_of_as_many_points_as_asked_for(nexad):
    client = nexad.client()
    job_id = client.submit("echo", {"message": "x"})
    assert client.get(f"/api/jobs/{job_id}/metrics").json["data"] == []
    nexad.stop()
    with sqlite3.connect(nexad.folder / "db/nexa.db") as rows:
        for step in range(1, 3001):
            event = {"type": "metric", "phase": "train", "done": step, "metrics": {"loss": 5.0 if step == 1777 else 1 / step}}
            rows.execute(
                "INSERT INTO job_event (job_id, sequence, at, type, data) VALUES (?, ?, 0, 'metric', ?)",
                (job_id, step + 1, json.dumps(event)),
            )
    nexad.start()
    (series,) = client.get(f"/api/jobs/{job_id}/metrics?points=100").json["data"]
    assert (series["name"], series["points_total"]) == ("train/loss", 3000)
    assert len(series["steps"]) == len(series["values"]) == len(series["timestamps"]) == 100
    assert (series["steps"][0], series["steps"][-1]) == (1, 3000)
    assert 1777 in series["steps"]
    whole = client.get(f"/api/jobs/{job_id}/metrics?points=10000").json
    assert whole["downsampling"] == "lttb" and len(whole["data"][0]["steps"]) == 3000
    assert client.get(f"/api/jobs/{job_id}/metrics?points=2").json["param"] == "points"
    assert client.get("/api/jobs/job_0199c0ffee/metrics").status == 404


@pytest.mark.training
def test_a_trained_models_loss_is_such_a_series(nexad, start_worker):
    client = nexad.client()
    start_worker(nexad)
    rows = b"".join(json.dumps({"prompt": f"{n}+1=", "completion": str(n + 1)}).encode() + b"\n" for n in range(20))
    spec = {
        "dataset_uri": client.upload(rows)["artifact_id"], "model_id": "nexa-tiny", "epochs": 1, "max_steps": 4,
        "batch_size": 4, "max_seq_len": 32, "vocab_size": 300,
    }
    job_id = client.submit("train", spec)
    client.wait_for(job_id, "completed", seconds=240)
    series = {row["name"]: row for row in client.get(f"/api/jobs/{job_id}/metrics").json["data"]}
    assert series["train/loss"]["steps"] == sorted(series["train/loss"]["steps"])
    assert wait_until(lambda: all(value > 0 for value in series["train/loss"]["values"]), 1, "losses")
