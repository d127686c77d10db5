# SPDX-License-Identifier: Apache-2.0
"""A worker without any of our programs: it speaks the documented protocol by hand and signs with the `openssl` command."""

import base64
import hashlib
import json
import subprocess
from datetime import datetime, timezone
from pathlib import Path

from conftest import Client, Reply

REGISTER_TYPE = "application/vnd.nexa.register+json"
RESULT_TYPE = "application/vnd.nexa.job-result+json"
ED25519_BYTES = 32


def openssl(*words) -> bytes:
    return subprocess.run(["openssl", *words], capture_output=True, timeout=30, check=True).stdout


class HandWorker:
    def __init__(self, client: Client, folder: Path, name: str = "by hand", pool: str = "default"):
        folder.mkdir(parents=True, exist_ok=True)
        self.client = client
        self.folder = folder
        self.name = name
        self.pool = pool
        self.worker_id = ""
        if not (folder / "key.pem").exists():  # one that was killed comes back as who it was
            openssl("genpkey", "-algorithm", "ed25519", "-out", folder / "new.pem")
            (folder / "new.pem").rename(folder / "key.pem")
        public = openssl("pkey", "-in", folder / "key.pem", "-pubout", "-outform", "DER")[-ED25519_BYTES:]
        self.key_id = hashlib.sha256(public).hexdigest()[:16]
        self.public_key = base64.b64encode(public).decode()

    def signed(self, payload_type: str, message: dict) -> dict:
        """A DSSE envelope of `message`."""
        payload = json.dumps(message).encode()
        said = b"DSSEv1 %d %s %d %s" % (len(payload_type), payload_type.encode(), len(payload), payload)
        (self.folder / "said").write_bytes(said)
        signature = openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.folder / "key.pem", "-in", self.folder / "said")
        return {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": payload_type,
            "signatures": [{"keyid": self.key_id, "sig": base64.b64encode(signature).decode()}],
        }

    def register(self, **profile) -> Reply:
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        wish = {"public_key": self.public_key, "name": self.name, "pool": self.pool, "profile": profile, "created_at": now}
        reply = self.client.post("/api/workers/register", self.signed(REGISTER_TYPE, wish))
        if reply.status == 200:
            self.worker_id = reply.json["worker_id"]
        return reply

    def heartbeat(self) -> Reply:
        return self.client.post("/api/workers/heartbeat", {"worker_id": self.worker_id})

    def next_jobs(self, slots: int = 1) -> list[dict]:
        reply = self.client.post("/api/workers/next_job", {"worker_id": self.worker_id, "slots": slots})
        assert reply.status == 200, reply.body
        return reply.json["jobs"]

    def renew(self, leases: list[dict]) -> list[str]:
        """What is to become of each: go_on, cancel or lost."""
        held = [{"job_id": lease["job_id"], "fence": lease["fence"]} for lease in leases]
        reply = self.client.post("/api/workers/report", {"worker_id": self.worker_id, "jobs": held})
        assert reply.status == 200, reply.body
        return [job["action"] for job in reply.json["jobs"]]

    def result_of(self, lease: dict, result: dict, **more) -> dict:
        """The signed result of a lease that next_jobs() gave."""
        ended = {
            "job_id": lease["job_id"], "worker_id": self.worker_id, "fence": lease["fence"], "outcome": "completed",
            "result": result,
        }
        return self.signed(RESULT_TYPE, ended | more)

    def send(self, envelopes: list[dict]) -> list[dict]:
        """How the server answers signed results, in their order."""
        reply = self.client.post("/api/workers/complete", {"results": envelopes})
        assert reply.status == 200, reply.body
        return reply.json["results"]

    def complete(self, lease: dict, result: dict, **more) -> dict:
        [answer] = self.send([self.result_of(lease, result, **more)])
        return answer
