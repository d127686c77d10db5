# SPDX-License-Identifier: Apache-2.0
"""Everything on this machine, as `nexa up` and `nexa quickstart` start it, and who of it is alive."""

import os
from pathlib import Path

from conftest import BUILD, Client, Program, free_port, wait_until

PROGRAMS = ("nexad", "nexa-worker", "nexa-engine", "nexa-gateway")


def processes_below(folder: Path) -> dict[int, str]:
    """Our programs whose command line names something below `folder`: pid to program."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            words = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        program = os.path.basename(words[0].decode(errors="replace"))
        if program in (*PROGRAMS, "nexa") and any(bytes(folder) in word for word in words):
            found[int(entry)] = program
    return found


class Stack(Program):
    """`nexa up` in a folder of its own, with leases short enough to wait for their end."""

    def __init__(self, folder: Path, lease_seconds: int = 3):
        self.folder = folder
        self.port, self.gateway_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.gateway_url = f"http://127.0.0.1:{self.gateway_port}"
        super().__init__(
            [
                BUILD / "bin/nexa", "up", "--dir", folder, "--port", str(self.port),
                "--gateway-port", str(self.gateway_port), "--grace", "6",
            ],
            folder.parent / "up.log",
            {"NEXA_LEASE_SECONDS": str(lease_seconds)},
        )

    def start(self):
        super().start()
        for url in (self.url, self.gateway_url):
            wait_until(lambda base=url: self._ready(base), 60, f"{url} (see {self.log})")
        return self

    def _ready(self, base: str) -> bool:
        assert self.running, self.log.read_text()[-2000:]
        try:
            return Client(base).get("/readyz", timeout=5).status == 200
        except OSError:
            return False

    @property
    def key(self) -> str:
        return (self.folder / "admin.key").read_text().strip()

    def client(self) -> Client:
        return Client(self.url, self.key)

    def gateway(self) -> Client:
        client = Client(self.gateway_url, None)
        client.key = self.key
        return client
