# SPDX-License-Identifier: Apache-2.0
"""How fast a queue in Redis is worked off: watch_queue.py SOCKET JOBS TAKEN LIST… prints jobs a second.

LISTs hold what waits, TAKEN (a hash or a sorted set) what is being worked on."""

import json
import sys
import time

import redis

SECONDS_MAX = 500


def main() -> None:
    socket, jobs, taken, waiting = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:]
    server = redis.Redis(unix_socket_path=socket)

    def left() -> int:
        kind = server.type(taken)
        held = {b"hash": server.hlen, b"zset": server.zcard}.get(kind, lambda _: 0)(taken)
        return sum(server.llen(name) for name in waiting) + held

    def waits() -> int:
        return sum(server.llen(name) for name in waiting)

    if waits() != jobs:
        sys.exit(f"{waits()} of {jobs} jobs wait")
    deadline = time.monotonic() + SECONDS_MAX
    while waits() == jobs:
        time.sleep(0.002)
        if time.monotonic() > deadline:
            sys.exit("no job was taken")
    began = time.monotonic()
    while left() > 0:
        time.sleep(0.005)
        if time.monotonic() > deadline:
            sys.exit(f"{left()} of {jobs} jobs are left")
    print(json.dumps({"per_second": jobs / (time.monotonic() - began)}))


if __name__ == "__main__":
    main()
