# SPDX-License-Identifier: Apache-2.0
"""Workers on machines that are not well: they are shown so, get no job, and are back by themselves."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from conftest import BUILD, LONG_ECHO, Program, run_cli, wait_until
from exposition import polls_so_far

MIB = 1 << 20
DISK_BYTES = 128 * MIB

NVIDIA_SMI = """#!/bin/sh
case $(cat {mode}) in
    well) printf 'NVIDIA H100 80GB HBM3, 81559\\nNVIDIA H100 80GB HBM3, 81559\\n';;
    lost) echo 'Unable to determine the device handle for GPU 0000:01:00.0: GPU is lost.'; exit 15;;
    fallen) echo 'NVIDIA H100 80GB HBM3, 81559';;
    hanging) sleep 600;;
esac
"""


def nexa(server, *words) -> str:
    done = run_cli(server, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def the_worker(client) -> dict:
    [worker] = client.get("/api/workers").json["data"]
    return worker


def wait_for_liveness(client, liveness: str) -> dict:
    def reached():
        workers = client.get("/api/workers").json["data"]
        return workers[0] if workers and workers[0]["liveness"] == liveness else None

    return wait_until(reached, 90, f"a worker that is {liveness}")


def wait_for_poll(client):
    seen = polls_so_far(client)
    wait_until(lambda: polls_so_far(client) > seen, 120, "a poll of the worker")


class MachineWorker(Program):
    """A worker that looks at its machine every half second."""

    def __init__(self, server, folder: Path, more=(), environment=None, script: str | None = None):
        self.folder = folder
        argv = [
            BUILD / "bin/nexa-worker", "--server", server.url, "--dir", folder / "data", "--key-file", server.folder / "admin.key",
            "--set", "health_seconds=0.5", *more,
        ]
        if script:
            argv = ["unshare", "-Urm", "sh", "-c", f"{script} && exec {shlex.join(str(word) for word in argv)}"]
        super().__init__(argv, folder.parent / "machine.log", environment)


@pytest.fixture
def start_machine(nexad, tmp_path):
    started = []

    def start(**more) -> MachineWorker:
        folder = tmp_path / "machine"
        folder.mkdir(exist_ok=True)
        started.append(MachineWorker(nexad, folder, **more).start())
        return started[-1]

    yield start
    for worker in started:
        if worker.running:
            worker.kill()


@pytest.mark.rows("F-91")
def test_a_worker_whose_disk_is_full_gets_no_job_and_is_back_when_there_is_room(nexad, start_machine, tmp_path):
    probe = subprocess.run(["unshare", "-Urm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    if probe.returncode != 0:
        message = f"no user namespaces: {probe.stderr.decode().strip()}"
        pytest.fail(message) if os.environ.get("NEXA_TEST_PARTS") == "require" else pytest.skip(message)
    client = nexad.client()
    folder = tmp_path / "machine"
    worker = start_machine(
        more=["--slots", "2", "--set", "disk_free_mib=32"],
        script=f"mount -t tmpfs -o size={DISK_BYTES} none {shlex.quote(str(folder))}",
    )
    running = client.submit("echo", LONG_ECHO)
    client.wait_for(running, "running")

    filler = Path(f"/proc/{worker.process.pid}/root{folder}/filler")
    filler.write_bytes(b"x" * (DISK_BYTES - 24 * MIB))
    seen = wait_for_liveness(client, "unhealthy")
    [problem] = seen["problems"]
    assert problem["kind"] == "disk"
    assert "MiB free, and jobs need 32 MiB" in problem["detail"]
    assert seen["jobs"] == [running]
    assert problem["detail"] in nexa(nexad, "worker", "ls")

    waiting = client.submit("echo", {"message": "later"})
    wait_for_poll(client)
    assert client.job(waiting)["status"] == "pending"
    assert client.job(running)["status"] == "running"

    filler.unlink()
    client.wait_for(waiting, "completed", seconds=90)
    assert the_worker(client)["problems"] == []
    client.post(f"/api/jobs/{running}/cancel")
    client.wait_for(running, "cancelled")


@pytest.fixture
def gpu_machine(start_machine, tmp_path):
    """A worker with two GPUs, which are as well as the file `mode` says."""
    programs = tmp_path / "programs"
    programs.mkdir()
    mode = tmp_path / "mode"
    mode.write_text("well")
    smi = programs / "nvidia-smi"
    smi.write_text(NVIDIA_SMI.format(mode=shlex.quote(str(mode))))
    smi.chmod(0o755)
    return lambda *more: (start_machine(more=more, environment={"PATH": f"{programs}:{os.environ['PATH']}"}), mode)


@pytest.mark.rows("F-13", "F-91")
def test_gpus_are_listed_as_nvidia_smi_says_and_a_dead_one_keeps_jobs_away(nexad, gpu_machine):
    client = nexad.client()
    _, mode = gpu_machine()
    profile = wait_for_liveness(client, "connected")["profile"]
    assert (profile["gpus"], profile["gpu_model"]) == (2, "NVIDIA H100 80GB HBM3")
    assert profile["gpu_memory_bytes"] == 81559 * MIB
    assert "2 x NVIDIA H100 80GB HBM3, 79.6 GiB" in nexa(nexad, "worker", "ls")

    mode.write_text("lost")
    [problem] = wait_for_liveness(client, "unhealthy")["problems"]
    assert problem["kind"] == "gpu"
    assert problem["detail"].startswith("nvidia-smi ended with exit code 15: Unable to determine the device handle")
    waiting = client.submit("echo", {"message": "later"})
    wait_for_poll(client)
    assert client.job(waiting)["status"] == "pending"

    mode.write_text("fallen")
    wait_until(lambda: "shows 1 of 2 GPUs" in str(the_worker(client)["problems"]), 60, "the missing GPU")
    mode.write_text("well")
    client.wait_for(waiting, "completed", seconds=90)
    assert the_worker(client)["liveness"] == "connected"


@pytest.mark.rows("F-91")
@pytest.mark.slow
def test_a_hanging_nvidia_smi_is_ended_and_gpus_that_come_back_are_registered(nexad, gpu_machine):
    client = nexad.client()
    worker, mode = gpu_machine()
    mode.write_text("hanging")
    seen = wait_for_liveness(client, "unhealthy")
    assert seen["problems"] == [{"kind": "gpu", "detail": "nvidia-smi did not answer within 10s"}]
    worker.stop(60)
    worker.start()
    wait_until(lambda: the_worker(client)["profile"]["gpus"] == 0, 90, "the worker without its GPUs")
    wait_for_liveness(client, "unhealthy")
    mode.write_text("well")
    wait_until(lambda: the_worker(client)["profile"]["gpus"] == 2, 120, "its GPUs")
    wait_for_liveness(client, "connected")
