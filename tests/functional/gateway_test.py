# SPDX-License-Identifier: Apache-2.0
"""The gateway over HTTP, with the official client and without, serving models from folders; no control plane."""

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openai
import pytest
from conftest import BUILD, Client, Gateway, Program, free_port, wait_until
from tiny_model import ANSWER, write_model

HELLO = [{"role": "user", "content": "hello"}]
ALPHABET = "abcdefghijklmnopqrstuvwxyz"
SLOW_LAYERS = 24


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """One gateway for all tests that leave it as it was."""
    folder = tmp_path_factory.mktemp("models")
    names = {
        "tiny": write_model(folder / "tiny"),
        "other": write_model(folder / "other", answer="Other!"),
        "vague": write_model(folder / "vague", sharpness=0.35),
        "slow": write_model(folder / "slow", layers=SLOW_LAYERS, positions=4096),
    }
    arguments = [part for name, path in names.items() for part in ("--model", f"{name}={path}")]
    gateway = Gateway(folder / "gateway", *arguments).start()
    yield gateway.wait_ready()
    if gateway.running:
        gateway.kill()


@pytest.fixture
def client(models):
    return openai.OpenAI(base_url=models.url + "/v1", api_key="none", max_retries=0)


def letters(count: int, after: str = "z") -> str:
    start = (ALPHABET.index(after) + 1) % 26
    return "".join(ALPHABET[(start + i) % 26] for i in range(count))


# --- the official client ---


@pytest.mark.rows("N-76")
def test_each_model_answers_under_its_name_and_an_unknown_one_is_404_with_the_near_name(client):
    for name, answer in (("tiny", ANSWER), ("other", "Other!")):
        chat = client.chat.completions.create(model=name, messages=HELLO, temperature=0)
        assert chat.choices[0].message.content == answer
        assert chat.choices[0].message.role == "assistant"
        assert chat.choices[0].finish_reason == "stop"
        assert chat.object == "chat.completion"
        assert (chat.model, chat.id[:9]) == (name, "chatcmpl-")
        assert chat.system_fingerprint.startswith("fp_")
        assert chat.usage.completion_tokens == len(answer.encode())
        assert chat.usage.total_tokens == chat.usage.prompt_tokens + chat.usage.completion_tokens
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="othr", messages=HELLO)
    assert unknown.value.code == "model_not_found"
    assert unknown.value.param == "model"
    assert unknown.value.type == "invalid_request_error"
    assert "did you mean 'other'" in unknown.value.message


def test_models_are_listed_and_read_one_by_one(client):
    assert [model.id for model in client.models.list()] == ["other", "slow", "tiny", "vague"]
    one = client.models.retrieve("tiny")
    assert (one.id, one.object) == ("tiny", "model")
    assert one.created > 1_700_000_000
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("none")


def test_a_completion_goes_on_with_its_prompt(client):
    done = client.completions.create(model="tiny", prompt="xyz", temperature=0, max_tokens=5)
    assert (done.object, done.id[:5]) == ("text_completion", "cmpl-")
    assert done.choices[0].text == "abcde"
    assert done.choices[0].finish_reason == "length"
    assert (done.usage.prompt_tokens, done.usage.completion_tokens, done.usage.total_tokens) == (3, 5, 8)
    default = client.completions.create(model="tiny", prompt=["a"], temperature=0)
    assert default.choices[0].text == letters(16, "a")
    empty = client.completions.create(model="tiny", prompt="", temperature=0, max_tokens=2)
    assert empty.choices[0].text == "ab"


def test_a_streamed_chat_has_the_chunks_of_the_original(client):
    chunks = list(
        client.chat.completions.create(
            model="tiny", messages=HELLO, temperature=0, stream=True, stream_options={"include_usage": True}
        )
    )
    assert len({(chunk.id, chunk.created) for chunk in chunks}) == 1
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[0].choices[0].delta.content == ""
    text = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(text) == ANSWER
    assert "\ufffd" not in "".join(text)
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None] * (len(chunks) - 2) + ["stop"]
    assert chunks[-1].choices == []
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert chunks[-1].usage.completion_tokens == len(ANSWER.encode())


def test_a_streamed_completion_is_text_completions_without_usage_unless_asked(client):
    chunks = list(client.completions.create(model="tiny", prompt="a", temperature=0, max_tokens=8, stream=True))
    assert {chunk.object for chunk in chunks} == {"text_completion"}
    assert "".join(chunk.choices[0].text for chunk in chunks) == letters(8, "a")
    assert chunks[-1].choices[0].finish_reason == "length"
    assert all(chunk.usage is None for chunk in chunks)


def test_a_stop_text_ends_the_answer_and_no_part_of_it_is_sent(client):
    for stop in ("hij", ["xyz", "hij"], ["hij", "q", "r", "s"]):
        done = client.completions.create(model="tiny", prompt="a", temperature=0, max_tokens=60, stop=stop)
        assert (done.choices[0].text, done.choices[0].finish_reason) == ("bcdefg", "stop")
    chunks = client.chat.completions.create(model="tiny", messages=HELLO, temperature=0, stop="€.", stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hé, 2"


def test_a_seed_repeats_its_answer_and_top_p_narrows_it(client):
    def ask(**more):
        done = client.completions.create(model="vague", prompt="a", max_tokens=40, **{"temperature": 1.5, **more})
        return done.choices[0].text

    assert ask(seed=1) == ask(seed=1)
    assert ask(seed=1) != ask(seed=2)
    assert len({ask() for _ in range(3)}) > 1
    assert ask(top_p=0.000001) == ask(temperature=0) == letters(40, "a")


def test_roles_and_parts_of_text_are_taken(client):
    messages = [
        {"role": "developer", "content": "be brief"},
        {"role": "user", "content": [{"type": "text", "text": "hel"}, {"type": "text", "text": "lo"}], "name": "Ann"},
        {"role": "assistant", "content": "yes?"},
        {"role": "user", "content": "go"},
    ]
    assert client.chat.completions.create(model="tiny", messages=messages).choices[0].message.content
    parts = client.chat.completions.create(model="tiny", messages=[messages[1]], temperature=0)
    plain = client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "hello"}], temperature=0)
    assert parts.usage == plain.usage


def test_an_answer_ends_at_the_models_last_position(client):
    done = client.completions.create(model="tiny", prompt="a", temperature=0, max_tokens=100_000)
    assert done.usage.total_tokens == 512
    assert done.choices[0].finish_reason == "length"
    with pytest.raises(openai.BadRequestError) as long:
        client.completions.create(model="tiny", prompt="a" * 512)
    assert (long.value.code, long.value.param) == ("context_length_exceeded", "prompt")
    with pytest.raises(openai.BadRequestError) as stream:
        client.chat.completions.create(
            model="tiny", messages=[{"role": "user", "content": "a" * 600}], stream=True
        )
    assert (stream.value.code, stream.value.param) == ("context_length_exceeded", "messages")


def test_fifty_requests_at_once_get_their_own_answers(client):
    def ask(i: int) -> str:
        prompt = ALPHABET[i % 26]
        if i % 2:
            done = client.completions.create(model="tiny", prompt=prompt, temperature=0, max_tokens=20 + i)
            return done.choices[0].text
        chunks = client.completions.create(
            model="tiny", prompt=prompt, temperature=0, max_tokens=20 + i, stream=True
        )
        return "".join(chunk.choices[0].text for chunk in chunks)

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(ask, range(50)))
    assert answers == [letters(20 + i, ALPHABET[i % 26]) for i in range(50)]


def test_streams_advance_together(client):
    """A short answer that is asked for later ends before a long one."""
    long = client.completions.create(model="slow", prompt="a", temperature=0, max_tokens=400, stream=True)
    chunks = iter(long)
    next(chunks)
    ended = threading.Event()

    def read_all():
        for _ in chunks:
            pass
        ended.set()

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read_all)
        short = client.completions.create(model="slow", prompt="a", temperature=0, max_tokens=3)
        was_first = not ended.is_set()
        reading.result(120)
    assert short.choices[0].text == "bcd"
    assert was_first


def test_parameters_that_change_nothing_are_taken(client):
    chat = client.chat.completions.create(
        model="tiny", messages=HELLO, temperature=0, user="u", store=False, metadata={"a": "b"}, n=1, logprobs=False,
        logit_bias={}, presence_penalty=0, frequency_penalty=0.0, response_format={"type": "text"}, tools=[],
        tool_choice="none", modalities=["text"], service_tier="auto", parallel_tool_calls=True,
    )  # fmt: skip
    assert chat.choices[0].message.content == ANSWER


def run_engine(folder: Path, job_type: str, payload: dict, dataset: Path | None = None) -> Path:
    """The outputs of one job, run without a queue."""
    (folder / "inputs").mkdir(parents=True)
    if dataset:
        shutil.copytree(dataset, folder / "inputs/dataset")
    spec = {
        "schema_version": 1, "job_id": f"job_{folder.name}", "job_type": job_type, "payload": payload, "threads": 1,
        "inputs": [{"name": "dataset", "kind": "dataset"}] if dataset else [],
    }  # fmt: skip
    (folder / "spec.json").write_text(json.dumps(spec))
    ended = subprocess.run(
        [BUILD / "bin/nexa-engine", "run", folder], capture_output=True, text=True, timeout=240, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return folder / "outputs"


@pytest.mark.training
def test_a_model_that_was_trained_here_is_served_as_training_left_it(start_gateway, tmp_path):
    made = run_engine(tmp_path / "made", "generate", {"domain": "arithmetic", "num_samples": 200, "seed": 7})
    train = {"dataset_uri": "internal://ds", "model_id": "nexa-tiny", "epochs": 2, "batch_size": 16, "seed": 1}
    checkpoint = run_engine(tmp_path / "trained", "train", train, made / "dataset") / "checkpoint"
    gateway = start_gateway("--model", f"sums={checkpoint}").wait_ready()
    client = openai.OpenAI(base_url=gateway.url + "/v1", api_key="none", max_retries=0)

    def ask(**more):
        done = client.completions.create(model="sums", prompt="12+34=", max_tokens=12, **more)
        # So little training may well end an answer before its first token.
        assert done.choices[0].finish_reason == ("length" if done.usage.completion_tokens == 12 else "stop")
        return done.choices[0].text

    assert ask(temperature=0) == ask(temperature=0, seed=5)
    sampled = [ask(temperature=2, seed=seed) for seed in range(8)]
    assert len(set(sampled)) > 1
    assert sampled == [ask(temperature=2, seed=seed) for seed in range(8)]
    chat = client.chat.completions.create(model="sums", messages=HELLO, max_completion_tokens=4, stream=True)
    assert list(chat)[-1].choices[0].finish_reason in ("stop", "length")


# --- what is refused ---


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"tools": [{"type": "function"}]}, "tools", "unsupported_parameter"),
        ({"tool_choice": "required"}, "tool_choice", "unsupported_parameter"),
        ({"response_format": {"type": "json_object"}}, "response_format", "unsupported_parameter"),
        ({"logprobs": True}, "logprobs", "unsupported_parameter"),
        ({"logit_bias": {"50": 1}}, "logit_bias", "unsupported_parameter"),
        ({"presence_penalty": 0.5}, "presence_penalty", "unsupported_parameter"),
        ({"n": 2}, "n", "unsupported_parameter"),
        ({"modalities": ["audio"]}, "modalities", "unsupported_parameter"),
        ({"temperatur": 1}, "temperatur", "unknown_parameter"),
        ({"temperature": -0.1}, "temperature", "decimal_below_min_value"),
        ({"temperature": 2.1}, "temperature", "decimal_above_max_value"),
        ({"temperature": "1"}, "temperature", "invalid_type"),
        ({"top_p": 1.1}, "top_p", "decimal_above_max_value"),
        ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
        ({"max_tokens": 1.5}, "max_tokens", "invalid_type"),
        ({"max_tokens": 1, "max_completion_tokens": 1}, "max_tokens", "invalid_value"),
        ({"seed": "x"}, "seed", "invalid_type"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "array_above_max_length"),
        ({"stop": ""}, "stop", "invalid_value"),
        ({"stop": [1]}, "stop", "invalid_type"),
        ({"stream": "yes"}, "stream", "invalid_type"),
        ({"stream_options": {"include_usage": True}}, "stream_options", "invalid_value"),
        ({"messages": []}, "messages", "empty_array"),
        ({"messages": "hi"}, "messages", "invalid_type"),
        ({"messages": ["hi"]}, "messages[0]", "invalid_type"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "missing_required_parameter"),
        ({"messages": [{"content": "x"}]}, "messages[0].role", "missing_required_parameter"),
        ({"messages": [{"role": "oracle", "content": "x"}]}, "messages[0].role", "invalid_value"),
        ({"messages": None}, "messages", "missing_required_parameter"),
        ({"model": None}, "model", "missing_required_parameter"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0].type",
         "unsupported_parameter"),
    ],
)  # fmt: skip
def test_what_is_wrong_or_not_supported_is_a_400_that_names_it(models, changes, param, code):
    body = {"model": "tiny", "messages": HELLO, **changes}
    reply = models.client().post("/v1/chat/completions", {k: v for k, v in body.items() if v is not None})
    assert reply.status == 400, reply.body
    error = reply.json["error"]
    assert list(error) == ["message", "type", "param", "code"]
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)
    assert reply.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"[]",
        b"null",
        b'{"model":"tiny","model":"tiny","messages":[]}',
        b'{"model":"tiny","messages":[{"role":"user","content":"\xff"}]}',
        b"[" * 100_000,
        b'{"model":"' + b"x" * 300 + b'"}',
        b" " * (4 << 20),
    ],
    ids=["torn", "empty", "array", "null", "key-twice", "no-utf8", "deep", "long-name", "spaces"],
)
def test_bad_bodies_never_crash_it(models, body):
    reply = models.client().call("POST", "/v1/chat/completions", body)
    assert reply.status == 400
    assert list(reply.json) == ["error"]
    assert models.running


def test_a_body_beyond_the_limit_is_refused_before_it_is_sent(models):
    with socket.create_connection(("127.0.0.1", models.port), timeout=30) as connection:
        connection.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            + f"Content-Length: {(4 << 20) + 1}\r\n\r\n".encode()
        )
        received = b""
        while b'"error"' not in received:
            received += connection.recv(65536) or pytest.fail(f"it hung up: {received}")
    assert received.startswith(b"HTTP/1.1 413 ")


def test_completions_refuse_what_they_do_not_do(models):
    def param(**changes):
        reply = models.client().post("/v1/completions", {"model": "tiny", "prompt": "a", **changes})
        assert reply.status == 400, reply.body
        return reply.json["error"]["param"]

    for name, value in {
        "prompt": ["a", "b"], "echo": True, "best_of": 2, "suffix": "z", "logprobs": 1, "messages": HELLO, "n": 3,
    }.items():  # fmt: skip
        assert param(**{name: value}) == name
    assert param(prompt=[1, 2]) == "prompt"


def test_other_methods_paths_and_types_are_refused_in_the_same_envelope(models):
    client = models.client()
    assert client.get("/v1/chat/completions").status == 405
    assert client.get("/v1/nothing").status == 404
    assert "error" in client.get("/v1/nothing").json
    text = client.call("POST", "/v1/completions", b"x", headers={"Content-Type": "text/plain"})
    assert text.status == 415


# --- what happens around requests ---


def raw_stream(gateway: Gateway, body: dict) -> socket.socket:
    """A streaming request whose connection the test can drop."""
    text = json.dumps({"stream": True, **body}).encode()
    connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=30)
    connection.sendall(
        b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        + f"Content-Length: {len(text)}\r\n\r\n".encode()
        + text
    )
    return connection


def test_the_stream_on_the_wire_is_server_sent_events_up_to_done(models):
    with raw_stream(models, {"model": "tiny", "prompt": "a", "temperature": 0, "max_tokens": 3}) as connection:
        received = b""
        while b"0\r\n\r\n" not in received:
            received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"content-type: text/event-stream" in head.lower()
    assert b"cache-control: no-cache" in head.lower()
    events = [line for line in body.split(b"\n") if line.startswith(b"data: ")]
    assert events[-1].rstrip() == b"data: [DONE]"
    assert all(json.loads(event[6:]) for event in events[:-1])


def test_a_client_that_hangs_up_frees_the_runner(models, client):
    """More streams than can run at once are begun and dropped; the next request does not wait for them."""
    before = len(models.usage())
    connections = [
        raw_stream(models, {"model": "slow", "prompt": "a", "temperature": 0, "max_tokens": 4000}) for _ in range(8)
    ]
    for connection in connections:
        connection.recv(1)
    for connection in connections:
        connection.close()
    started = time.monotonic()
    # Its usage is known by its longer prompt: how far the dropped ones came is a matter of the machine.
    client.with_options(timeout=60).completions.create(model="slow", prompt="abcdefgh", temperature=0, max_tokens=3)
    assert time.monotonic() - started < 30
    lines = models.wait_usage(before + 9)[before:]
    prompt = max(line["prompt_tokens"] for line in lines)
    answered = [line["completion_tokens"] for line in lines if line["prompt_tokens"] == prompt]
    dropped = [line["completion_tokens"] for line in lines if line["prompt_tokens"] != prompt]
    assert answered == [3]
    assert len(dropped) == 8 and max(dropped) < 4000


def test_beyond_the_queue_requests_are_429_with_retry_after(models):
    """The runner answers 8 at once and lets 64 wait."""
    body = {"model": "slow", "prompt": "a", "temperature": 0, "max_tokens": 4000}
    connections = [raw_stream(models, body) for _ in range(80)]
    try:
        def refused():
            reply = models.client().post("/v1/completions", {**body, "max_tokens": 1}, timeout=5)
            return reply if reply.status == 429 else None

        reply = wait_until(refused, 30, "a refusal")
        assert reply.json["error"]["code"] == "rate_limit_exceeded"
        assert int(reply.headers["Retry-After"]) >= 1
    finally:
        for connection in connections:
            connection.close()
    wait_until(
        lambda: models.client().post("/v1/completions", {**body, "max_tokens": 1}).status == 200, 30, "a free place"
    )


@pytest.mark.rows("N-39 N-45")
def test_a_killed_runner_fails_its_requests_only_and_comes_back(start_gateway, tmp_path):
    slow = write_model(tmp_path / "m/slow", layers=SLOW_LAYERS, positions=4096)
    fast = write_model(tmp_path / "m/fast")
    gateway = start_gateway("--model", f"slow={slow}", "--model", f"fast={fast}")
    wait_until(lambda: gateway.status("/livez") == 200, what="the port")
    client = openai.OpenAI(base_url=gateway.url + "/v1", api_key="none", max_retries=0)
    if gateway.status("/readyz") == 503:  # still loading: asked too early, told to come again
        assert gateway.client().get("/readyz").headers["Retry-After"]
    gateway.wait_ready()
    stream = client.completions.create(model="slow", prompt="a", temperature=0, max_tokens=4000, stream=True)
    next(iter(stream))
    pids = {
        name: pid for pid in gateway.runners() for name in ("slow", "fast")
        if str(tmp_path / "m" / name).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    }  # fmt: skip
    os.kill(pids["slow"], signal.SIGKILL)
    with pytest.raises(openai.APIError) as broken:
        for _ in stream:
            pass
    assert "runner" in broken.value.message
    assert gateway.status("/livez") == 200
    assert client.completions.create(model="fast", prompt="a", temperature=0, max_tokens=3).choices[0].text == "bcd"
    wait_until(lambda: pids["slow"] not in gateway.runners() and len(gateway.runners()) == 2, 30, "another runner")
    gateway.wait_ready()
    assert client.completions.create(model="slow", prompt="a", temperature=0, max_tokens=3).choices[0].text == "bcd"
    assert pids["fast"] in gateway.runners()


def test_a_whole_answer_whose_runner_is_killed_is_a_503_and_the_next_one_comes(start_gateway, tmp_path):
    slow = write_model(tmp_path / "m/slow", layers=SLOW_LAYERS, positions=4096)
    gateway = start_gateway("--model", f"slow={slow}").wait_ready()
    body = {"model": "slow", "prompt": "a", "temperature": 0, "max_tokens": 4000}
    with ThreadPoolExecutor(1) as pool, raw_stream(gateway, body) as running:
        answer = pool.submit(gateway.client().post, "/v1/completions", body)
        assert running.recv(1)  # it is at work
        os.kill(gateway.runners()[0], signal.SIGKILL)
        reply = answer.result(30)
    assert reply.status == 503
    assert list(reply.json) == ["error"]
    assert reply.headers["Retry-After"]
    again = openai.OpenAI(base_url=gateway.url + "/v1", api_key="none", max_retries=20)
    assert again.completions.create(model="slow", prompt="a", temperature=0, max_tokens=3).choices[0].text == "bcd"


@pytest.mark.rows("N-45")
def test_while_a_model_loads_it_is_not_ready_and_who_tries_again_is_answered(start_gateway, tmp_path):
    gate = tmp_path / "gate"
    engine = tmp_path / "engine"
    engine.write_text(
        f'#!/bin/sh\nwhile [ ! -e "{gate}" ]; do sleep 0.05; done\nexec "{BUILD / "bin/nexa-engine"}" "$@"\n'
    )
    engine.chmod(0o755)
    model = write_model(tmp_path / "m/tiny")
    gateway = start_gateway("--model", f"tiny={model}", "--engine", engine)
    wait_until(lambda: gateway.status("/livez") == 200, what="the port")
    for _ in range(3):
        ready = gateway.client().get("/readyz")
        assert (ready.status, ready.json["checks"]["models"]) == (503, "0 ready, 1 loading, 0 failed")
    assert gateway.client().get("/v1/models").json["data"] == []
    early = gateway.client().post("/v1/completions", {"model": "tiny", "prompt": "a"})
    assert early.status == 503
    assert "being loaded" in early.json["error"]["message"]
    assert early.headers["Retry-After"]
    patient = openai.OpenAI(base_url=gateway.url + "/v1", api_key="none", max_retries=30)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(patient.completions.create, model="tiny", prompt="a", temperature=0, max_tokens=3)
        gate.touch()
        assert answer.result(60).choices[0].text == "bcd"
    assert gateway.status("/readyz") == 200


@pytest.mark.rows("N-26 N-39")
def test_it_serves_health_on_port_8080_by_default_and_is_ready_without_a_model(start_gateway):
    gateway = start_gateway()
    gateway.stop()
    default = Program([BUILD / "bin/nexa-gateway", "--dir", gateway.folder], gateway.log)
    with socket.socket() as probe:
        is_taken = probe.connect_ex(("127.0.0.1", 8080)) == 0
    default.start()
    if is_taken:  # by somebody else: it says which port it wanted, and serves the same on another
        assert default.process.wait(20) == 10
        assert "8080" in gateway.log.read_text()
        default = gateway.start()
    try:
        anyone = Client(gateway.url if is_taken else "http://127.0.0.1:8080")

        def status(path):
            try:
                return anyone.get(path).status
            except OSError:
                return 0

        wait_until(lambda: status("/health") == 200, what="the port")
        assert (status("/readyz"), status("/livez"), status("/version")) == (200, 200, 200)
        assert anyone.get("/v1/models").json == {"object": "list", "data": []}
    finally:
        assert default.stop() == 0


def test_a_broken_model_is_down_and_the_others_serve(start_gateway, tmp_path):
    good = write_model(tmp_path / "m/good")
    bad = write_model(tmp_path / "m/bad")
    (bad / "config.json").write_text("{}")
    gateway = start_gateway("--model", f"good={good}", "--model", f"bad={bad}")
    client = openai.OpenAI(base_url=gateway.url + "/v1", api_key="none", max_retries=0)
    wait_until(lambda: gateway.status("/livez") == 200, what="the port")

    def settled():
        checks = gateway.client().get("/readyz").json["checks"]["models"]
        return checks == "1 ready, 0 loading, 1 failed"

    wait_until(settled, 60, "one of each")
    assert gateway.status("/readyz") == 503
    assert client.chat.completions.create(model="good", messages=HELLO, temperature=0).choices[0].message.content == ANSWER
    with pytest.raises(openai.InternalServerError) as down:
        client.chat.completions.create(model="bad", messages=HELLO)
    assert down.value.status_code == 503
    assert [model.id for model in client.models.list()] == ["good"]


def test_sigterm_lets_running_streams_end_and_leaves_no_process(start_gateway, tmp_path):
    model = write_model(tmp_path / "m/tiny", layers=8)
    gateway = start_gateway("--model", f"tiny={model}").wait_ready()
    client = openai.OpenAI(base_url=gateway.url + "/v1", api_key="none", max_retries=0)
    stream = iter(client.completions.create(model="tiny", prompt="a", temperature=0, max_tokens=300, stream=True))
    next(stream)
    runners = gateway.runners()
    assert runners
    ended = []
    stopper = threading.Thread(target=lambda: ended.append(gateway.stop(40)))
    stopper.start()
    chunks = list(stream)
    assert chunks[-1].choices[0].finish_reason == "length"
    stopper.join()
    assert ended == [0]
    assert not any(Path(f"/proc/{pid}").exists() for pid in runners)
    assert len(gateway.usage()) == 1


def test_a_killed_gateway_takes_its_runners_with_it(start_gateway, tmp_path):
    gateway = start_gateway("--model", f"tiny={write_model(tmp_path / 'm/tiny')}").wait_ready()
    runners = gateway.runners()
    gateway.kill()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in runners), 10, "the runners' end")
    gateway.start()
    gateway.wait_ready()


# --- keys, usage, settings ---


def base62_key(digit: str) -> str:
    """A sound key: prefix, 43 characters, the CRC-32 of them in 6."""
    body = "nexa_" + digit * 43
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    value, check = zlib.crc32(body.encode()), ""
    for _ in range(6):
        value, rest = divmod(value, 62)
        check = alphabet[rest] + check
    return body + check


def test_only_keys_of_the_file_may_ask_and_usage_names_them(start_gateway, tmp_path):
    good, hashed, other = base62_key("a"), base62_key("b"), base62_key("c")
    keys = tmp_path / "keys"
    keys.write_text(f"# mine\n{good} ann\n\n{hashlib.sha256(hashed.encode()).hexdigest()}\n")
    keys.chmod(0o600)
    gateway = start_gateway("--model", f"tiny={write_model(tmp_path / 'm/tiny')}", "--keys-file", keys).wait_ready()
    for key in (good, hashed):
        client = openai.OpenAI(base_url=gateway.url + "/v1", api_key=key, max_retries=0)
        assert client.chat.completions.create(model="tiny", messages=HELLO, temperature=0).usage.completion_tokens == 10
    for header in ("X-Nexa-Api-Key", "X-API-Key"):
        assert Client(gateway.url).get("/v1/models", headers={header: good}).status == 200
    for key in (other, good[:-1] + "!", "sk-nothing", ""):
        for path, body in (("/v1/models", None), ("/v1/chat/completions", {"model": "tiny", "messages": HELLO})):
            reply = Client(gateway.url).call(
                "POST" if body else "GET", path, body, headers={"Authorization": f"Bearer {key}"}
            )
            assert reply.status == 401
            assert reply.json["error"]["code"] == "invalid_api_key"
            assert reply.json["error"]["type"] == "invalid_request_error"
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=gateway.url + "/v1", api_key=other, max_retries=0).models.list()
    assert Client(gateway.url).get("/readyz").status == 200
    lines = gateway.wait_usage(2)
    assert len(lines) == 2
    assert lines[0]["key_id"] == "ann"
    assert lines[1]["key_id"].startswith("key_")
    assert {line["deployment_id"] for line in lines} == {"static_tiny"}
    assert good not in gateway.log.read_text()


def test_usage_survives_a_kill_in_whole_lines(start_gateway, tmp_path):
    gateway = start_gateway("--model", f"tiny={write_model(tmp_path / 'm/tiny')}").wait_ready()
    client = openai.OpenAI(base_url=gateway.url + "/v1", api_key="none", max_retries=0)
    client.completions.create(model="tiny", prompt="a", max_tokens=2)
    gateway.wait_usage(1)
    gateway.kill()
    with (gateway.folder / "gateway/usage.jsonl").open("a") as spool:
        spool.write('{"id":"half')
    gateway.start()
    gateway.wait_ready()
    client.completions.create(model="tiny", prompt="a", max_tokens=3)
    lines = gateway.wait_usage(2)
    assert [line["completion_tokens"] for line in lines] == [2, 3]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--address", "0.0.0.0"], 2, "--keys-file"),
        (["--model", "nothing"], 2, "NAME=FOLDER"),
        (["--model", "a=/x", "--model", "a=/y"], 2, "two models"),
        (["--keys-file", "/nowhere"], 5, "/nowhere"),
        (["--prot", "1"], 2, "--prot"),
    ],
)
def test_settings_that_cannot_be_end_it_with_a_reason(tmp_path, arguments, code, message):
    gateway = Gateway(tmp_path / "gateway", *arguments).start()
    assert gateway.process.wait(20) == code
    assert message in gateway.log.read_text()


def test_two_gateways_do_not_share_a_folder_or_a_port(start_gateway, tmp_path):
    first = start_gateway().wait_ready()
    second = Gateway(first.folder).start()
    assert second.process.wait(20) == 6
    busy = Program(
        [BUILD / "bin/nexa-gateway", "--dir", tmp_path / "other", "--port", str(first.port)], tmp_path / "busy.log"
    ).start()
    assert busy.process.wait(20) == 10
    assert str(first.port) in busy.log.read_text()


@pytest.mark.rows("A-72")
def test_the_gateway_links_neither_torch_nor_arrow():
    linked = subprocess.run(["ldd", BUILD / "bin/nexa-gateway"], capture_output=True, text=True, check=True).stdout
    assert "torch" not in linked
    assert "arrow" not in linked
