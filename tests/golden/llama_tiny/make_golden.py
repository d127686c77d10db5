#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes golden.json: losses and gradients of a tiny Llama over two AdamW steps, computed by PyTorch.

    python3 make_golden.py > golden.json        # any PyTorch from 1.13 (Debian: python3-torch)

The model is written out in plain float64 operations here, so that what it shares with the program under test is
the definition alone. Weights and tokens follow from formulas that the C++ test repeats. No test runs this file.
"""

import json
import math
import sys

import torch

CONFIG = {
    "layers": 2, "hidden": 16, "heads": 4, "kv_heads": 2, "head_dim": 4, "ffn": 24, "vocab": 20, "max_positions": 32,
    "rope_theta": 10000.0, "norm_epsilon": 1e-5,
}  # fmt: skip
ADAMW = {"learning_rate": 0.01, "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8, "weight_decay": 0.1}
ROWS, LENGTH, STEPS = 3, 10, 2
SAMPLES = 6


def shapes(tied: bool) -> dict[str, tuple[int, ...]]:
    c = CONFIG
    result = {"model.embed_tokens.weight": (c["vocab"], c["hidden"])}
    for layer in range(c["layers"]):
        prefix = f"model.layers.{layer}."
        keys = c["kv_heads"] * c["head_dim"]
        result[prefix + "input_layernorm.weight"] = (c["hidden"],)
        result[prefix + "self_attn.q_proj.weight"] = (c["heads"] * c["head_dim"], c["hidden"])
        result[prefix + "self_attn.k_proj.weight"] = (keys, c["hidden"])
        result[prefix + "self_attn.v_proj.weight"] = (keys, c["hidden"])
        result[prefix + "self_attn.o_proj.weight"] = (c["hidden"], c["heads"] * c["head_dim"])
        result[prefix + "post_attention_layernorm.weight"] = (c["hidden"],)
        result[prefix + "mlp.gate_proj.weight"] = (c["ffn"], c["hidden"])
        result[prefix + "mlp.up_proj.weight"] = (c["ffn"], c["hidden"])
        result[prefix + "mlp.down_proj.weight"] = (c["hidden"], c["ffn"])
    result["model.norm.weight"] = (c["hidden"],)
    if not tied:
        result["lm_head.weight"] = (c["vocab"], c["hidden"])
    return result


def make_weights(tied: bool) -> dict[str, torch.Tensor]:
    """Value i of the n-th parameter: 0.3 sin(0.7 i + n + 1), and 1 more for norms, rounded to float32."""
    weights = {}
    for number, (name, shape) in enumerate(shapes(tied).items()):
        index = torch.arange(math.prod(shape), dtype=torch.float64)
        values = 0.3 * torch.sin(0.7 * index + number + 1)
        if "norm" in name:
            values = values + 1
        weights[name] = values.float().double().reshape(shape).requires_grad_()
    return weights


def make_batch(packed: bool):
    """Rows of tokens, which document each belongs to, its position there, and the weight of each token as a target."""
    ids = torch.tensor([[(7 * r + 3 * t + t * t) % CONFIG["vocab"] for t in range(LENGTH)] for r in range(ROWS)])
    documents = torch.zeros_like(ids)
    positions = torch.arange(LENGTH).repeat(ROWS, 1)
    weights = torch.ones(ROWS, LENGTH, dtype=torch.float64)
    if packed:
        for row in range(ROWS):
            start = 3 + row
            documents[row, start:] = 1
            positions[row, start:] = torch.arange(LENGTH - start)
            weights[row, start] = 0.0  # the first token of a document follows nothing
            weights[row, -1] = 0.5
    return ids, documents, positions, weights


def rms_norm(x, weight):
    return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + CONFIG["norm_epsilon"]) * weight


def rotate(x, positions):
    """x: rows, heads, length, head_dim."""
    half = CONFIG["head_dim"] // 2
    frequencies = CONFIG["rope_theta"] ** (-torch.arange(half, dtype=torch.float64) / half)
    angles = positions[:, None, :, None].double() * frequencies
    first, second = x[..., :half], x[..., half:]
    cosines, sines = torch.cos(angles), torch.sin(angles)
    return torch.cat([first * cosines - second * sines, second * cosines + first * sines], -1)


def attention(x, weights, prefix, documents, positions):
    rows, length, _ = x.shape
    dim, heads, kv_heads = CONFIG["head_dim"], CONFIG["heads"], CONFIG["kv_heads"]

    def project(name, count):
        y = x @ weights[f"{prefix}self_attn.{name}_proj.weight"].T
        return y.reshape(rows, length, count, dim).transpose(1, 2)

    queries = rotate(project("q", heads), positions)
    keys = rotate(project("k", kv_heads), positions).repeat_interleave(heads // kv_heads, 1)
    values = project("v", kv_heads).repeat_interleave(heads // kv_heads, 1)
    scores = queries @ keys.transpose(2, 3) / math.sqrt(dim)
    seen = torch.tril(torch.ones(length, length, dtype=torch.bool)) & (documents[:, :, None] == documents[:, None, :])
    scores = scores.masked_fill(~seen[:, None], -math.inf)
    mixed = torch.softmax(scores, -1) @ values
    return mixed.transpose(1, 2).reshape(rows, length, heads * dim) @ weights[f"{prefix}self_attn.o_proj.weight"].T


def loss_of(weights, batch):
    ids, documents, positions, token_weights = batch
    x = weights["model.embed_tokens.weight"][ids]
    for layer in range(CONFIG["layers"]):
        prefix = f"model.layers.{layer}."
        h = rms_norm(x, weights[prefix + "input_layernorm.weight"])
        x = x + attention(h, weights, prefix, documents, positions)
        h = rms_norm(x, weights[prefix + "post_attention_layernorm.weight"])
        gate = h @ weights[prefix + "mlp.gate_proj.weight"].T
        up = h @ weights[prefix + "mlp.up_proj.weight"].T
        x = x + (gate * torch.sigmoid(gate) * up) @ weights[prefix + "mlp.down_proj.weight"].T
    x = rms_norm(x, weights["model.norm.weight"])
    head = weights.get("lm_head.weight", weights["model.embed_tokens.weight"])
    log_probabilities = torch.log_softmax(x @ head.T, -1)[:, :-1]
    picked = log_probabilities.gather(2, ids[:, 1:, None]).squeeze(2)
    return -(picked * token_weights[:, 1:]).sum() / token_weights[:, 1:].sum()


def summary(gradient):
    flat = gradient.reshape(-1)
    return {"norm": flat.norm().item(), "first": [round(v, 12) for v in flat[:SAMPLES].tolist()]}


def run(tied: bool, packed: bool) -> dict:
    weights = make_weights(tied)
    decays = [w for n, w in weights.items() if "norm" not in n and "embed" not in n]
    others = [w for n, w in weights.items() if "norm" in n or "embed" in n]
    optimizer = torch.optim.AdamW(
        [{"params": decays}, {"params": others, "weight_decay": 0.0}],
        lr=ADAMW["learning_rate"], betas=(ADAMW["beta1"], ADAMW["beta2"]), eps=ADAMW["epsilon"],
        weight_decay=ADAMW["weight_decay"],
    )  # fmt: skip
    batch = make_batch(packed)
    steps = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(weights, batch)
        loss.backward()
        steps.append({"loss": loss.item(), "gradients": {n: summary(w.grad) for n, w in weights.items()}})
        optimizer.step()
    with torch.no_grad():
        final = loss_of(weights, batch).item()
    return {"tied": tied, "packed": packed, "steps": steps, "final_loss": final}


if __name__ == "__main__":
    cases = [run(tied=False, packed=False), run(tied=True, packed=False), run(tied=False, packed=True)]
    document = {"made_with": f"torch {torch.__version__}", "config": CONFIG, "adamw": ADAMW, "cases": cases}
    json.dump(document, sys.stdout, indent=1)
    sys.stdout.write("\n")
