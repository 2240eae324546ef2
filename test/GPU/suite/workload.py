# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads the workload table, and makes block tables.

The table itself is tools/girih-bench/workload.json, which girih-bench has built in.
peers/patterns.py has the patterns as torch predicates; the benchmarks say where the
two do not keep equally many pairs.
"""

import json
import pathlib
import random
import struct

DATA = json.loads((pathlib.Path(__file__).resolve().parents[3] / "tools/girih-bench/workload.json").read_text())
TABLE = tuple(DATA["patterns"])


def rows(target):
    """The rows of "cpu" or "cuda": dicts of pattern, n, batch, heads, dim and dtype."""
    return [{**DATA["defaults"][target], **row} for row in DATA["rows"][target]]


def distances(small):
    return DATA["distances"]["short" if small else "long"]


def document_offsets(n, small=False):
    """Offsets of packed documents in n tokens, the last one cut."""
    lengths, cuts = distances(small)["documents"], [0]
    while cuts[-1] < n:
        cuts.append(min(n, cuts[-1] + lengths[(len(cuts) - 1) % len(lengths)]))
    return cuts


def write_block_table(path, n, size, heads, seed):
    """A random CSR table for each head, about a third of the blocks, some rows with none."""
    rng = random.Random(seed)
    blocks = (n + size - 1) // size
    indptr, indices = [], []
    for _ in range(heads):
        indptr.append(len(indices))
        for _ in range(blocks):
            indices += [k for k in range(blocks) if rng.random() < 0.35] if rng.random() < 0.85 else []
            indptr.append(len(indices))
    path.write_text(json.dumps({"size": size, "heads": heads, "indptr": indptr, "indices": indices}))


def write_array(path, shape, values):
    """Integers as a file of NumPy."""
    header = f"{{'descr': '<i4', 'fortran_order': False, 'shape': ({', '.join(map(str, shape))},), }}\n".encode()
    data = struct.pack(f"<{len(values)}i", *values)
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data)
    return path


def grid_of(n):
    """The most square grid of n tokens."""
    rows = max(r for r in range(1, int(n**0.5) + 1) if n % r == 0)
    return rows, n // rows


def odd_at_most(limit, wanted):
    size = min(limit, wanted)
    return size if size % 2 else size - 1


def pattern(name, n, heads, small=False):
    """Pattern `name` of the table for n tokens; `small` shrinks its distances so
    that short sequences meet every kind of tile."""
    near, (rows, cols) = distances(small), grid_of(n)
    return DATA["patterns"][name].format(
        **near,
        offsets=document_offsets(n, small),
        rows=rows,
        cols=cols,
        kernel_rows=odd_at_most(rows, near["kernel"]),
        kernel_cols=odd_at_most(cols, near["kernel"]),
        low_last=heads // 2 - 1,
        high_first=heads // 2,
        high_last=heads - 1,
    )
