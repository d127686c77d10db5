# SPDX-License-Identifier: Apache-2.0
"""Writes the folder of a Llama that says what it is told: each token has one successor.

The blocks add nothing (their output projections are zero), the embedding is one unit vector a token, and the head
points from each token to its successor. Made of the standard library alone; no training.
"""

import json
import struct
from array import array
from pathlib import Path

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
VOCABULARY = 256 + len(SPECIAL)
HIDDEN, HEADS, HEAD_DIM, FFN = 264, 4, 66, 8
END = 2  # <|im_end|>

# After "\n", with which the prompt of a conversation ends. No byte twice: each has one successor.
ANSWER = "Hé, 2€."


def printable_bytes() -> list[str]:
    """How byte-level tokenizers write each byte."""
    kept = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    table, more = {}, 0
    for byte in range(256):
        table[byte] = chr(byte) if byte in kept else chr(256 + more)
        more += byte not in kept
    return [table[byte] for byte in range(256)]


def id_of(byte: int) -> int:
    return len(SPECIAL) + byte


def successors(answer: str) -> list[int]:
    """By token id. Letters go round the alphabet for ever, the answer ends, all else leads to 'a'."""
    following = [id_of(ord("a"))] * VOCABULARY
    for letter in range(ord("a"), ord("z") + 1):
        following[id_of(letter)] = id_of(letter + 1 if letter < ord("z") else ord("a"))
    at = id_of(ord("\n"))
    for byte in answer.encode():
        following[at] = id_of(byte)
        at = id_of(byte)
    following[at] = END
    return following


def floats(count: int, ones=()) -> bytes:
    values = array("f", bytes(4 * count))
    for index, value in ones:
        values[index] = value
    return values.tobytes()


def tensors(layers: int, following: list[int], sharpness: float):
    keys = 2 * HEAD_DIM
    yield "model.embed_tokens.weight", (VOCABULARY, HIDDEN), [(i * HIDDEN + i, 1.0) for i in range(VOCABULARY)]
    for layer in range(layers):
        prefix = f"model.layers.{layer}."
        yield prefix + "input_layernorm.weight", (HIDDEN,), [(i, 1.0) for i in range(HIDDEN)]
        yield prefix + "self_attn.q_proj.weight", (HEADS * HEAD_DIM, HIDDEN), []
        yield prefix + "self_attn.k_proj.weight", (keys, HIDDEN), []
        yield prefix + "self_attn.v_proj.weight", (keys, HIDDEN), []
        yield prefix + "self_attn.o_proj.weight", (HIDDEN, HEADS * HEAD_DIM), []
        yield prefix + "post_attention_layernorm.weight", (HIDDEN,), [(i, 1.0) for i in range(HIDDEN)]
        yield prefix + "mlp.gate_proj.weight", (FFN, HIDDEN), []
        yield prefix + "mlp.up_proj.weight", (FFN, HIDDEN), []
        yield prefix + "mlp.down_proj.weight", (HIDDEN, FFN), []
    yield "model.norm.weight", (HIDDEN,), [(i, 1.0) for i in range(HIDDEN)]
    yield "lm_head.weight", (VOCABULARY, HIDDEN), [(to * HIDDEN + i, sharpness) for i, to in enumerate(following)]


def write_safetensors(path: Path, entries) -> None:
    header, data = {}, bytearray()
    for name, shape, ones in entries:
        count = 1
        for size in shape:
            count *= size
        begin = len(data)
        data += floats(count, ones)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(data))


def tokenizer() -> dict:
    vocabulary = {token: i for i, token in enumerate(SPECIAL)}
    for byte, character in enumerate(printable_bytes()):
        vocabulary[character] = id_of(byte)
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    bytes_of = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, "content": token, **flags} for i, token in enumerate(SPECIAL)],
        "normalizer": None, "pre_tokenizer": bytes_of, "post_processor": None, "decoder": bytes_of,
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": vocabulary, "merges": [],
        },
    }  # fmt: skip


def write_model(
    folder: Path, *, answer: str = ANSWER, positions: int = 512, layers: int = 1, sharpness: float = 1.0
) -> Path:
    """`layers` make it slower; a `sharpness` below 0.5 lets sampling stray from the successors."""
    folder.mkdir(parents=True)
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": HIDDEN,
        "num_hidden_layers": layers, "num_attention_heads": HEADS, "num_key_value_heads": 2, "head_dim": HEAD_DIM,
        "intermediate_size": FFN, "vocab_size": VOCABULARY, "max_position_embeddings": positions,
        "rope_theta": 10000.0, "rms_norm_eps": 1e-5, "hidden_act": "silu", "tie_word_embeddings": False,
        "eos_token_id": END, "torch_dtype": "float32",
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer()))
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": SPECIAL[END]}))
    write_safetensors(folder / "model.safetensors", tensors(layers, successors(answer), sharpness))
    return folder
