# SPDX-License-Identifier: Apache-2.0
"""The work of train_bench.cc in PyTorch, eager, as one would write it: rival.py '{"layers": 3, …}' prints one JSON object."""

import json
import math
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

LEARNING_RATE, FINAL_RATIO, CLIP = 1e-3, 0.1, 1.0


def rotate(x, cosines, sines):
    first, second = x.chunk(2, -1)
    return torch.cat((first * cosines - second * sines, second * cosines + first * sines), -1).to(x.dtype)


class Attention(nn.Module):
    def __init__(self, hidden: int, heads: int):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.o = (nn.Linear(hidden, hidden, bias=False) for _ in range(4))

    def forward(self, x, cosines, sines):
        rows, length, hidden = x.shape
        q, k, v = (p(x).view(rows, length, self.heads, -1).transpose(1, 2) for p in (self.q, self.k, self.v))
        q, k = rotate(q, cosines, sines), rotate(k, cosines, sines)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o(mixed.transpose(1, 2).reshape(rows, length, hidden))


class Block(nn.Module):
    def __init__(self, hidden: int, heads: int, ffn: int):
        super().__init__()
        self.attention_norm, self.ffn_norm = nn.RMSNorm(hidden, eps=1e-5), nn.RMSNorm(hidden, eps=1e-5)
        self.attention = Attention(hidden, heads)
        self.gate, self.up = nn.Linear(hidden, ffn, bias=False), nn.Linear(hidden, ffn, bias=False)
        self.down = nn.Linear(ffn, hidden, bias=False)

    def forward(self, x, cosines, sines):
        x = x + self.attention(self.attention_norm(x), cosines, sines)
        y = self.ffn_norm(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class Llama(nn.Module):
    def __init__(self, setup: dict):
        super().__init__()
        hidden, heads = setup["hidden"], setup["heads"]
        self.embedding = nn.Embedding(setup["vocab"], hidden)
        self.blocks = nn.ModuleList(Block(hidden, heads, setup["ffn"]) for _ in range(setup["layers"]))
        self.norm = nn.RMSNorm(hidden, eps=1e-5)
        half = hidden // heads // 2
        frequencies = 10000.0 ** (-torch.arange(half) / half)
        angles = torch.outer(torch.arange(setup["length"]), frequencies)
        self.register_buffer("cosines", angles.cos())
        self.register_buffer("sines", angles.sin())
        nn.init.normal_(self.embedding.weight, std=1 / math.sqrt(hidden))
        for block in self.blocks:
            for product in (*block.attention.children(), block.gate, block.up, block.down):
                last = product is block.attention.o or product is block.down
                deviation = 1 / math.sqrt(product.in_features * (2 * setup["layers"] if last else 1))
                nn.init.normal_(product.weight, std=deviation)

    def forward(self, ids):
        x = self.embedding(ids)
        for block in self.blocks:
            x = block(x, self.cosines, self.sines)
        return F.linear(self.norm(x), self.embedding.weight)


def make_examples(setup: dict):
    rows = torch.arange(8 * setup["batch"])[:, None]
    return (rows + torch.arange(setup["length"] + 1) * (1 + rows % 7)) % setup["vocab"]


def batches(examples, size: int):
    while True:
        yield from examples[torch.randperm(len(examples))].split(size)


def make_optimizer(model):
    matrices = [p for n, p in model.named_parameters() if p.dim() == 2 and "embedding" not in n]
    others = [p for n, p in model.named_parameters() if p.dim() != 2 or "embedding" in n]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=(0.9, 0.95), fused=True)


def learning_rate(step: int, steps: int) -> float:
    cosine = 0.5 * (1 + math.cos(math.pi * step / steps))
    return LEARNING_RATE * (FINAL_RATIO + (1 - FINAL_RATIO) * cosine)


def train(setup: dict) -> dict:
    torch.set_num_threads(setup["threads"])
    torch.manual_seed(1)
    model = Llama(setup)
    optimizer = make_optimizer(model)
    steps = setup["warmup"] + setup["steps"]
    tokens, began = 0, time.perf_counter()
    for step, batch in zip(range(steps), batches(make_examples(setup), setup["batch"]), strict=False):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps)
        with torch.autocast("cpu", torch.bfloat16, enabled=setup["bf16"]):
            logits = model(batch[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1).float(), batch[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        shown = loss.item()
        if step < setup["warmup"]:
            began = time.perf_counter()
        else:
            tokens += batch[:, 1:].numel()
    return {
        "tokens_per_second": tokens / (time.perf_counter() - began),
        "parameters": sum(p.numel() for p in model.parameters()),
        "tokens": tokens,
        "loss": shown,
    }


if __name__ == "__main__":
    print(json.dumps(train(json.loads(sys.argv[1]))))
