# SPDX-License-Identifier: Apache-2.0
"""The control plane over real object stores: bytes go by links between clients and the bucket."""

import hashlib
import os
import subprocess
import urllib.error
import urllib.request

import pytest
from conftest import BUILD, ROOT, Client, Nexad, Program, free_port, wait_until
from nexa_forge import NexaForgeClient

TOOLS = ROOT / ".cache/go-bin"
KEYS = {"AWS_ACCESS_KEY_ID": "nexa-test-key", "AWS_SECRET_ACCESS_KEY": "nexa-test-secret"}
BUCKET = "forge"
SMALL = 64 << 10


class Store(Program):
    """MinIO or versitygw on a free port; a folder of its data is a bucket."""

    def __init__(self, program: str, folder):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.data = folder / "store"
        (self.data / BUCKET).mkdir(parents=True)
        address = f"127.0.0.1:{self.port}"
        arguments = {
            "minio": ["server", "--quiet", "--address", address, self.data],
            "versitygw": ["--port", address, "--quiet", "posix", self.data],
        }[program]
        secrets = {
            "MINIO_ROOT_USER": KEYS["AWS_ACCESS_KEY_ID"], "MINIO_ROOT_PASSWORD": KEYS["AWS_SECRET_ACCESS_KEY"],
            "MINIO_CI_CD": "on", "MINIO_BROWSER": "off", "HOME": str(folder),
            "ROOT_ACCESS_KEY": KEYS["AWS_ACCESS_KEY_ID"], "ROOT_SECRET_KEY": KEYS["AWS_SECRET_ACCESS_KEY"],
        }
        super().__init__([TOOLS / program, *arguments], folder / "store.log", env=secrets)

    def start(self):
        super().start()

        def ready() -> bool:
            assert self.running, self.log.read_text()[-2000:]
            try:
                return Client(self.url).get("/").status < 500
            except OSError:
                return False

        wait_until(ready, 60, f"the store (see {self.log})")
        return self


@pytest.fixture(params=["minio", "versitygw"])
def store(request, tmp_path):
    if not (TOOLS / request.param).exists():
        message = f"{request.param} is not there: run ./dev test"
        pytest.fail(message) if os.environ.get("NEXA_TEST_PARTS") == "require" else pytest.skip(message)
    server = Store(request.param, tmp_path).start()
    yield server
    server.stop()


def nexad_on(store: Store, folder) -> Nexad:
    server = Nexad(folder, "--set", f"storage.url=s3://{BUCKET}/prod", "--set", f"storage.endpoint={store.url}")
    server.env |= KEYS
    return server


def largest_file(folder) -> int:
    """Of what nexad itself keeps; its database is no file of an artifact."""
    return max((f.stat().st_size for f in folder.rglob("*") if f.is_file() and "db" not in f.parts), default=0)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):
        return None


def location_of(url: str, key: str) -> str:
    """Where a GET with the key is sent to."""
    try:
        urllib.request.build_opener(NoRedirect).open(urllib.request.Request(url, headers={"X-Nexa-Api-Key": key}))
    except urllib.error.HTTPError as answer:
        assert answer.code == 307, answer.read()
        return answer.headers["Location"]
    pytest.fail("no redirect came")


@pytest.mark.rows("T-25", "T-26", "F-87")
def test_a_job_runs_with_all_its_files_in_the_bucket(store, tmp_path, start_worker):
    server = nexad_on(store, tmp_path / "server").start()
    try:
        environment = {**os.environ, "NEXA_API_URL": server.url, "NEXA_API_KEY": server.key}

        def nexa(*arguments):
            done = subprocess.run(
                [BUILD / "bin/nexa", *map(str, arguments)], env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            return done.stdout.strip()

        source = tmp_path / "input"
        source.mkdir()
        rows = b"".join(b'{"prompt": "what is %d + 1?", "response": "%d"}\n' % (i, i + 1) for i in range(20_000))
        (source / "rows.jsonl").write_bytes(rows)
        pushed = nexa("artifact", "push", source, "--kind", "dataset", "--name", "sums", "--json")
        client = server.client()
        start_worker(server)
        artifact = Client(server.url, server.key).get("/api/artifacts?kind=dataset").json["data"][0]
        assert artifact["artifact_id"] in pushed
        job = client.submit("audit", {"dataset_uri": artifact["uri"]})
        done = client.wait_for(job, "completed", "failed", seconds=120)
        assert done["status"] == "completed", done

        made = [a for a in client.get("/api/artifacts").json["data"] if a["job_id"] == job]
        assert made and made[0]["bytes"] > 0
        target = tmp_path / "pulled"
        nexa("artifact", "pull", made[0]["artifact_id"], target)
        for file in made[0]["files"]:
            digest = hashlib.sha256((target / file["path"]).read_bytes()).hexdigest()
            assert f"sha256:{digest}" == file["digest"]
        assert largest_file(server.folder) < SMALL, "nothing large lies on the control plane's disk"
        assert not (server.folder / "blobs").exists()
        secrets = [KEYS["AWS_SECRET_ACCESS_KEY"]]
        logs = "".join(path.read_text() for path in tmp_path.glob("*.log") if path.name != "store.log")
        assert not any(secret in logs for secret in secrets)

        # A restart finds everything again, through the bucket alone.
        server.stop()
        server.start()
        again = tmp_path / "again"
        nexa("artifact", "pull", artifact["artifact_id"], again)
        assert (again / "rows.jsonl").read_bytes() == rows
    finally:
        server.stop()


@pytest.mark.rows("F-90")
def test_files_go_up_and_down_by_links_that_need_no_key(store, tmp_path):
    server = nexad_on(store, tmp_path / "server").start()
    try:
        client = server.client()
        body = os.urandom(3 << 20)
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        plan = client.post(f"/api/blobs/{digest}/plan", {"size": len(body)}).json
        assert plan["state"] == "link" and plan["url"].startswith(store.url)
        headers = {header["name"]: header["value"] for header in plan["headers"]}

        def put(data: bytes) -> int:
            path = plan["url"].removeprefix(store.url)
            return Client(store.url).call("PUT", path, data, headers=headers).status

        assert put(b"other bytes") >= 400, "the store itself refuses what does not have the hash"
        wish = {"kind": "dataset", "name": "x", "files": [{"path": "a b.bin", "digest": digest, "size": len(body)}]}
        assert client.post("/api/artifacts", wish).status == 404
        assert put(body) == 200
        assert client.post(f"/api/blobs/{digest}/plan", {"size": len(body)}).json["state"] == "stored"
        artifact = client.post("/api/artifacts", wish)
        assert artifact.status == 201, artifact.body

        path = f"/api/artifacts/{artifact.json['artifact_id']}/files/a%20b.bin"
        link = location_of(server.url + path, server.key)
        assert link.startswith(store.url) and server.key not in link
        head = client.call("HEAD", path)
        assert (head.status, head.headers["Content-Length"]) == (200, str(len(body)))
        got = Client(store.url).get(link.removeprefix(store.url))
        assert hashlib.sha256(got.body).hexdigest() == digest.removeprefix("sha256:")
        part = Client(store.url).get(link.removeprefix(store.url), headers={"Range": "bytes=5-9"})
        assert (part.status, part.body) == (206, body[5:10])

        # The Python client takes the same ways.
        (tmp_path / "of-python.txt").write_bytes(body[:100_000])
        forge = NexaForgeClient(server.key, f"{server.url}/api")
        uploaded = forge.upload(tmp_path / "of-python.txt", name="py")
        assert forge.read_artifact(uploaded["artifact_id"], "of-python.txt") == body[:100_000]

        # Through the control plane it goes too, hashed there.
        other = os.urandom(1 << 20)
        name = "sha256:" + hashlib.sha256(other).hexdigest()
        plain = {"Content-Type": "application/octet-stream"}
        assert client.call("PUT", f"/api/blobs/{name}", other[:-1] + b"?", headers=plain).status >= 400
        assert client.call("PUT", f"/api/blobs/{name}", other, headers=plain).status == 204
        assert client.post(f"/api/blobs/{name}/plan", {"size": len(other)}).json["state"] == "stored"
    finally:
        server.stop()


def test_a_store_that_refuses_us_ends_the_start_with_what_to_do(store, tmp_path):
    for more, words in (
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "SignatureDoesNotMatch"),
        ({"AWS_ACCESS_KEY_ID": ""}, "AWS_ACCESS_KEY_ID"),
    ):
        server = nexad_on(store, tmp_path / "refused")
        server.env |= more
        done = subprocess.run(server.argv, env=server.env, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode != 0
        assert words in done.stderr
        assert KEYS["AWS_SECRET_ACCESS_KEY"] not in done.stderr
