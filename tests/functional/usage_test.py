# SPDX-License-Identifier: Apache-2.0
"""What requests for text cost: from the gateway's file to the control plane's bill, once."""

import shutil

from conftest import wait_until
from tiny_model import write_model

BODY = {"model": "tiny", "prompt": "a", "temperature": 0, "max_tokens": 3}


def test_inference_is_billed_once_whatever_is_killed_and_sent_again(nexad, start_gateway, tmp_path):
    control = ["--server", nexad.url, "--key-file", nexad.folder / "admin.key"]
    gateway = start_gateway(*control, "--model", f"tiny={write_model(tmp_path / 'm/tiny')}").wait_ready()

    def tokens() -> tuple[int, int]:
        used = nexad.client().get("/api/billing/summary").json["usage_by_type"]
        return used.get("input_tokens", 0), used.get("output_tokens", 0)

    def ask() -> None:
        reply = gateway.client(nexad.key).post("/v1/completions", BODY)
        assert reply.status == 200, reply.body

    ask()
    wait_until(lambda: tokens() == (1, 3), 30, "the first answer on the bill")
    assert float(nexad.client().get("/api/billing/summary").json["cost_by_job_type"]["inference"]) > 0

    # The control plane is away: usage waits on the gateway's disk, also over the gateway's own end.
    nexad.kill()
    ask()
    ask()
    files = [gateway.folder / "gateway" / name for name in ("usage.jsonl", "usage.sending.jsonl")]
    wait_until(lambda: sum(path.read_text().count("\n") for path in files if path.exists()) == 2, 30, "two lines")
    gateway.kill()
    kept = tmp_path / "kept.jsonl"
    kept.write_text("".join(path.read_text() for path in files if path.exists()))
    nexad.start()
    gateway.start()
    gateway.wait_ready()
    wait_until(lambda: tokens() == (3, 9), 60, "the others")
    wait_until(lambda: not files[1].exists(), 30, "the confirmation")

    # As if it had been killed before it heard the confirmation: the same lines come again, and one more.
    gateway.kill()
    shutil.copy(kept, files[1])
    gateway.start()
    gateway.wait_ready()
    ask()
    wait_until(lambda: tokens() == (4, 12), 60, "the last")
    wait_until(lambda: not files[1].exists(), 30, "the confirmation")
    assert tokens() == (4, 12)
