# SPDX-License-Identifier: Apache-2.0
"""A worker without any of our programs: it speaks the documented protocol by hand and signs with OpenSSL's library."""

import base64
import ctypes
import ctypes.util
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


class Signer:
    """Ed25519 by libcrypto: a process for each signature would be most of a test's time."""

    KIND = 1087  # NID_ED25519
    SIGNATURE_BYTES = 64

    def __init__(self, seed: bytes):
        self.library = ctypes.CDLL(ctypes.util.find_library("crypto"))
        for name in ("EVP_PKEY_new_raw_private_key", "EVP_MD_CTX_new"):
            getattr(self.library, name).restype = ctypes.c_void_p
        key = self.library.EVP_PKEY_new_raw_private_key(self.KIND, None, seed, ctypes.c_size_t(len(seed)))
        assert key
        self.key = ctypes.c_void_p(key)

    def sign(self, message: bytes) -> bytes:
        context = ctypes.c_void_p(self.library.EVP_MD_CTX_new())
        signature = ctypes.create_string_buffer(self.SIGNATURE_BYTES)
        size = ctypes.c_size_t(self.SIGNATURE_BYTES)
        begun = self.library.EVP_DigestSignInit(context, None, None, None, self.key)
        made = self.library.EVP_DigestSign(context, signature, ctypes.byref(size), message, ctypes.c_size_t(len(message)))
        self.library.EVP_MD_CTX_free(context)
        assert (begun, made, size.value) == (1, 1, self.SIGNATURE_BYTES)
        return signature.raw


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
        self.signer = Signer(openssl("pkey", "-in", folder / "key.pem", "-outform", "DER")[-ED25519_BYTES:])
        self.key_id = hashlib.sha256(public).hexdigest()[:16]
        self.public_key = base64.b64encode(public).decode()

    def signed(self, payload_type: str, message: dict) -> dict:
        """A DSSE envelope of `message`."""
        payload = json.dumps(message).encode()
        said = b"DSSEv1 %d %s %d %s" % (len(payload_type), payload_type.encode(), len(payload), payload)
        signature = self.signer.sign(said)
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
