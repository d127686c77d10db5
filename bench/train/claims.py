# SPDX-License-Identifier: Apache-2.0
"""Training speed of the plain libtorch path beside PyTorch in Python on the same shape: parity within a tenth."""

import json
import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGETS = ["train_bench"]

SHAPES = {
    "nexa-small, 256 x 16 tokens": {
        "layers": 3, "hidden": 128, "heads": 4, "ffn": 344, "vocab": 64, "batch": 256, "length": 16,
        "warmup": 4, "steps": 16,
    },
    "nexa-medium, 8 x 256 tokens": {
        "layers": 6, "hidden": 384, "heads": 6, "ffn": 1024, "vocab": 8192, "batch": 8, "length": 256,
        "warmup": 1, "steps": 3,
    },
}  # fmt: skip


def claims(bench) -> list:
    def claim(name: str, shape: dict, bf16: bool):
        # Without instructions for it bf16 is a tenth as fast: enough steps would take half an hour.
        length = {"warmup": 1, "steps": 3} if bf16 else {}
        setup = json.dumps(shape | length | {"bf16": bf16, "threads": os.cpu_count()})
        sizes = {}

        def rate(side: str, command: list):
            outcome = bench.run_json(command)
            sizes[side] = (outcome["parameters"], outcome["tokens"])
            if len(set(sizes.values())) != 1:
                raise RuntimeError(f"the two sides do not do the same work: {sizes}")
            return outcome["tokens_per_second"]

        return bench.claim(
            name=f"train {name}, {'bf16' if bf16 else 'fp32'}",
            unit="tokens/s",
            bar=0.9,
            ours=lambda: rate("ours", [bench.program("train_bench"), setup]),
            rival=lambda: rate("rival", [bench.python, HERE / "rival.py", setup]),
        )

    return [claim(name, shape, bf16) for name, shape in SHAPES.items() for bf16 in (False, True)]


def versions(bench) -> dict:
    return {"rival": bench.output([bench.python, "-c", "import torch; print('PyTorch', torch.__version__)"])}
