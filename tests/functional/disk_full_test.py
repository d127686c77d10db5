# SPDX-License-Identifier: Apache-2.0
"""A server whose disk is full: it says so, loses nothing it has acknowledged, and goes on when there is room."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from conftest import BUILD, Client, Nexad, Program, free_port, wait_until

DISK_BYTES = 128 << 20  # the server leaves 64 MiB free for others
FILLER = "filler"


class SmallDiskNexad(Program):
    """nexad on a file system of its own in memory, which only its mount namespace sees."""

    def __init__(self, folder: Path):
        folder.mkdir()
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        nexad = shlex.join([str(BUILD / "bin/nexad"), "--dir", f"{folder}/data", "--port", str(self.port)])
        script = f"mount -t tmpfs -o size={DISK_BYTES} none {shlex.quote(str(folder))} && exec {nexad}"
        super().__init__(["unshare", "-Urm", "sh", "-c", script], folder.parent / "nexad.log")

    _ready = Nexad._ready

    @property
    def inside(self) -> Path:
        """The folder as the server sees it."""
        return Path(f"/proc/{self.process.pid}/root{self.folder}")

    def client(self) -> Client:
        return Client(self.url, (self.inside / "data/admin.key").read_text().strip())

    def fill(self):
        """Leaves no free byte."""
        with (self.inside / FILLER).open("wb", buffering=0) as file:
            for piece in (1 << 20, 4096, 1):
                try:
                    while file.write(b"x" * piece):
                        pass
                except OSError:
                    continue

    def make_room(self):
        (self.inside / FILLER).unlink()


@pytest.fixture
def small_disk(tmp_path):
    probe = subprocess.run(["unshare", "-Urm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    if probe.returncode != 0:
        message = f"no user namespaces: {probe.stderr.decode().strip()}"
        pytest.fail(message) if os.environ.get("NEXA_TEST_PARTS") == "require" else pytest.skip(message)
    server = SmallDiskNexad(tmp_path / "small").start()
    wait_until(server._ready, 20, "nexad")
    yield server
    server.stop()


def test_uploads_and_jobs_are_refused_while_it_is_full_and_taken_afterwards(small_disk):
    client = small_disk.client()
    kept = client.put_blob(b"kept" * 1000)
    assert kept.status == 204, kept.body
    accepted = [client.submit("echo", {"message": "a"}) for _ in range(3)]

    small_disk.fill()
    refused = client.put_blob(os.urandom(1 << 20))
    assert refused.status == 507, refused.body
    assert refused.json["code"] == "unavailable" and refused.json["retryable"]
    statuses = []
    for number in range(400):  # what was allocated before may still take a few
        reply = client.post("/api/jobs/echo", {"message": f"{number}" * 500})
        statuses.append(reply.status)
        if reply.status == 202:
            accepted.append(reply.json["job_id"])
        elif statuses[-3:] == [507] * 3:
            break
    assert set(statuses) <= {202, 507} and statuses[-1] == 507, statuses
    for job_id in accepted:
        assert client.job(job_id)["status"] == "pending"

    small_disk.make_room()
    after = wait_until(
        lambda: (reply := client.post("/api/jobs/echo", {"message": "z"})).status == 202 and reply, 20, "a job taken"
    )
    assert client.put_blob(os.urandom(1 << 20)).status == 204
    listed = {job["job_id"] for job in client.get("/api/jobs?limit=100").json["data"]}
    assert after.json["job_id"] in listed


def test_what_was_acknowledged_before_the_disk_was_full_is_there_after_a_restart(small_disk, tmp_path):
    client = small_disk.client()
    accepted = []
    small_disk.fill()
    for number in range(400):
        reply = client.post("/api/jobs/echo", {"message": f"{number}" * 500})
        if reply.status != 202:
            break
        accepted.append(reply.json["job_id"])
    copy = tmp_path / "copy"
    small_disk.make_room()
    subprocess.run(["cp", "-r", f"{small_disk.inside}/data", copy], check=True)  # as a crash would leave it
    restarted = Nexad(copy).start()
    try:
        for job_id in accepted:
            assert restarted.client().job(job_id)["status"] == "pending"
    finally:
        restarted.stop()
