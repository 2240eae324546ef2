# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The workload table in the pattern language, and documents and block tables for it.

peers/patterns.py has the same table as torch predicates; the benchmark compares
the two only where they keep equally many pairs, bigbird's draws excepted.
"""

import json
import random

TABLE = (
    "full",
    "causal",
    "window",
    "causal_window",
    "longformer",
    "bigbird",
    "dilated",
    "strided",
    "fixed",
    "document",
    "prefix_lm",
    "sinks",
    "natten2d",
    "mixed_heads",
)


def document_offsets(n, mean=1500, seed=0):
    """Offsets of packed documents: lengths uniform in [mean / 3, 2 mean), the last one cut."""
    rng = random.Random(seed)
    cuts = [0]
    while cuts[-1] < n:
        cuts.append(min(n, cuts[-1] + rng.randrange(max(1, mean // 3), 2 * mean)))
    return cuts


def write_offsets(path, offsets):
    path.write_text("\n".join(map(str, offsets)) + "\n")


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


def grid_of(n):
    """The most square grid of n tokens."""
    rows = max(r for r in range(1, int(n**0.5) + 1) if n % r == 0)
    return rows, n // rows


def odd_at_most(limit, wanted):
    size = min(limit, wanted)
    return size if size % 2 else size - 1


def pattern(name, n, heads, docs, small=False):
    """Pattern `name` of the table for n tokens; `small` shrinks its distances so
    that short sequences meet every kind of tile. `docs` is an offsets file."""
    w, c, g, taps = (37, 100, 5, 21) if small else (256, 1024, 16, 128)
    stride, last, prefix, half = (24, 7, 40, 61) if small else (128, 32, 2048, 512)
    if name == "natten2d":
        rows, cols = grid_of(n) if n != 16384 else (128, 128)
        kernel = odd_at_most(rows, 13), odd_at_most(cols, 13)
        return f"neighborhood(grid=[{rows}, {cols}], kernel=[{kernel[0]}, {kernel[1]}])"
    if name == "mixed_heads":
        middle = heads // 2
        return f"heads(0..{middle - 1}: causal, {middle}..{heads - 1}: causal & window(left={half - 1}))"
    return {
        "full": "full",
        "causal": "causal",
        "window": f"window(left={w}, right={w})",
        "causal_window": f"causal & window(left={c - 1})",
        "longformer": f"window(left={w}, right={w}) | global(first={g})",
        "bigbird": "blockwise(window(left=1, right=1) | global(first=1, last=1), size=64)"
        " | random_blocks(size=64, count=3, seed=0)",
        "dilated": f"dilated(left={taps}, right={taps}, dilation=4)",
        "strided": f"causal & (window(left={stride - 1}) | strided(stride={stride}))",
        "fixed": f"causal & (chunk(size={stride}) | columns(period={stride}, lo={stride - last}, hi={stride}))",
        "document": f"causal & segments(offsets=@{docs})",
        "prefix_lm": f"causal | global_columns(first={prefix})",
        "sinks": f"causal & (window(left={c - 1}) | global_columns(first=4))",
    }[name]
