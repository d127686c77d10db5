#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the Parquet files that parquet_test.cc reads, as other programs lay them out.

    python3 src/engine/columnar/testdata/make_parquet.py
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent


def write(name, table, **options):
    pq.write_table(table, HERE / name, **options)


def main():
    ids = range(5)
    write(
        "question_answer_snappy.parquet",
        pa.table(
            {
                "id": pa.array(ids, pa.int64()),
                "question": [f"what is {i}?" for i in ids],
                "answer": pa.array(ids, pa.int32()),
            }
        ),
        compression="snappy",
        row_group_size=2,
    )
    write(
        "prompt_zstd.parquet",
        pa.table(
            {
                "prompt": pa.array([f"say {i}" for i in ids], pa.large_string()),
                "completion": pa.array(["odd" if i % 2 else "even" for i in ids]).dictionary_encode(),
                "meta": pa.array([f'{{"level":"{i}"}}' for i in ids]),
                "split": ["train", "train", "train", "test", "validation"],
            }
        ),
        compression="zstd",
    )
    message = pa.struct([("role", pa.string()), ("content", pa.string())])
    write(
        "chat_gzip.parquet",
        pa.table(
            {
                "messages": pa.array(
                    [
                        [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello ✓"}],
                        [],
                        None,
                        [{"role": "user", "content": None}],
                    ],
                    pa.list_(message),
                ),
                "meta": pa.array([{"source": "a", "score": 1.5}] * 4),
            }
        ),
        compression="gzip",
    )
    turn = pa.struct([("from", pa.string()), ("value", pa.string())])
    write(
        "sharegpt.parquet",
        pa.table(
            {
                "conversations": pa.array(
                    [[{"from": "human", "value": "hi"}, {"from": "gpt", "value": "yes"}]], pa.large_list(turn)
                )
            }
        ),
    )
    write("numbers.parquet", pa.table({"a": [1, 2], "b": ["x", "y"]}))
    write("bad_cells.parquet", pa.table({"text": pa.array([b"good", b"\xff\xfe", None], pa.binary())}))


if __name__ == "__main__":
    main()
