# SPDX-License-Identifier: Apache-2.0
"""A worker as a process that does nothing but the protocol, to be killed and stopped at any moment:

    light_worker.py SERVER KEY_FILE FOLDER [--hold SLOTS]

Takes jobs and hands in results until it is ended, and writes to FOLDER/history-PID.jsonl how the server judged each. With
--hold it takes that many jobs, signs their results, stops itself with SIGSTOP, and hands them in once it is continued."""

import json
import os
import signal
import sys
import time
from http.client import HTTPException
from pathlib import Path

from conftest import Client
from hand_worker import HandWorker

CPU_SECONDS = 1.0  # that each result says it used
PAUSE_SECONDS = 0.1
NO_VERDICT = (429, 500, 503)  # the database is away: asked again


class Worker:
    def __init__(self, url: str, key_file: Path, folder: Path):
        self.history = folder / f"history-{os.getpid()}.jsonl"
        self.worker = HandWorker(Client(url, key_file.read_text().strip()), folder, folder.name)

    def until_answered(self, call):
        """What `call` gives, asked again while the server or its database is away."""
        while True:
            try:
                reply = call()
            except (OSError, HTTPException):
                reply = None
            if reply is not None and reply.status < 500 and reply.status != 429:
                return reply
            time.sleep(PAUSE_SECONDS)

    def register(self):
        reply = self.until_answered(self.worker.register)
        assert reply.status == 200, reply.body

    def take(self, slots: int) -> list[dict]:
        wish = {"worker_id": self.worker.worker_id, "slots": slots, "wait_seconds": 1}
        reply = self.until_answered(lambda: self.worker.client.post("/api/workers/next_job", wish))
        assert reply.status == 200, reply.body
        return reply.json["jobs"]

    def sign(self, lease: dict) -> dict:
        said = {"message": f"{self.worker.worker_id} {lease['fence']}"}
        return self.worker.result_of(lease, said, usage={"cpu_seconds": CPU_SECONDS})

    def hand_in(self, leases: list[dict], results: list[dict]):
        """Each result until it is judged. One whose answer was lost is judged again, as late."""
        left = list(zip(leases, results, strict=True))
        while left:
            wish = {"results": [result for _, result in left]}
            answers = self.until_answered(lambda: self.worker.client.post("/api/workers/complete", wish)).json["results"]
            judged = list(zip(left, (answer["status"] for answer in answers), strict=True))
            self.note([(lease, status) for (lease, _), status in judged if status not in NO_VERDICT])
            left = [one for one, status in judged if status in NO_VERDICT]

    def note(self, judged: list[tuple[dict, int]]):
        lines = [
            json.dumps({"job_id": lease["job_id"], "fence": lease["fence"], "worker_id": self.worker.worker_id, "status": status})
            for lease, status in judged
        ]
        with self.history.open("a") as file:
            file.write("".join(line + "\n" for line in lines))

    def work(self):
        while True:
            leases = self.take(4)
            self.hand_in(leases, [self.sign(lease) for lease in leases])

    def hold(self, slots: int):
        leases = self.take(slots)
        results = [self.sign(lease) for lease in leases]
        os.kill(os.getpid(), signal.SIGSTOP)
        self.hand_in(leases, results)


def main():
    worker = Worker(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    worker.register()
    if "--hold" in sys.argv:
        worker.hold(int(sys.argv[sys.argv.index("--hold") + 1]))
    else:
        worker.work()


if __name__ == "__main__":
    main()
