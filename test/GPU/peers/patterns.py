# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The workload table as FlexAttention predicates (b, h, q, k) -> bool over torch
tensors. suite/workload.py has it in the pattern language.
"""

import torch


def full(n, **_):
    return None


def causal(n, **_):
    return lambda b, h, q, k: q >= k


def window(n, half=256, **_):
    """Symmetric sliding window, `half` neighbours on each side."""
    return lambda b, h, q, k: (q - k).abs() <= half


def causal_window(n, size=1024, **_):
    """A query sees itself and the size - 1 keys before it."""
    return lambda b, h, q, k: (q >= k) & (q - k < size)


def longformer(n, half=256, g=16, **_):
    return lambda b, h, q, k: ((q - k).abs() <= half) | (q < g) | (k < g)


def bigbird(n, block=64, count=3, heads=16, seed=0, **_):
    """Window of three blocks, first and last block global, random blocks for each row and head."""
    blocks = n // block
    generator = torch.Generator().manual_seed(seed)
    table = torch.zeros(heads, blocks, blocks, dtype=torch.bool)
    for h in range(heads):
        for i in range(blocks):
            banned = {0, blocks - 1, i - 1, i, i + 1}
            allowed = torch.tensor([j for j in range(blocks) if j not in banned])
            table[h, i, allowed[torch.randperm(len(allowed), generator=generator)[:count]]] = True
    table = table.cuda()

    def keeps(b, h, q, k):
        qb, kb = q // block, k // block
        near = ((qb - kb).abs() <= 1) | (qb == 0) | (kb == 0) | (qb == blocks - 1) | (kb == blocks - 1)
        return near | table[h, qb, kb]

    return keeps


def dilated(n, taps=128, d=4, **_):
    """`taps` keys on each side, `d` apart."""
    return lambda b, h, q, k: ((q - k).abs() <= taps * d) & ((q - k) % d == 0)


def strided(n, stride=128, **_):
    """Sparse Transformer, strided: the last `stride` keys, and every stride-th before."""
    return lambda b, h, q, k: (q >= k) & ((q - k < stride) | ((q - k) % stride == 0))


def fixed(n, stride=128, last=32, **_):
    """Sparse Transformer, fixed: own segment, and the last columns of every segment."""
    return lambda b, h, q, k: (q >= k) & ((q // stride == k // stride) | (k % stride >= stride - last))


def document(n, offsets=(), **_):
    """Packed documents, causal inside each."""
    ids = torch.zeros(n, dtype=torch.int32)
    for cut in offsets[1:-1]:
        ids[cut:] += 1
    ids = ids.cuda()
    return lambda b, h, q, k: (q >= k) & (ids[q] == ids[k])


def prefix_lm(n, prefix=2048, **_):
    return lambda b, h, q, k: (q >= k) | (k < prefix)


def sinks(n, size=1024, g=4, **_):
    """Attention sinks and a causal window."""
    return lambda b, h, q, k: (q >= k) & ((q - k < size) | (k < g))


def natten2d(n, width=128, kernel=13, **_):
    """Neighbourhood on a row-major (n / width, width) grid; the window shifts inward at the borders."""
    r, rows = kernel // 2, n // width

    def keeps(b, h, q, k):
        qy, qx, ky, kx = q // width, q % width, k // width, k % width
        cy, cx = qy.clamp(r, rows - 1 - r), qx.clamp(r, width - 1 - r)
        return ((ky - cy).abs() <= r) & ((kx - cx).abs() <= r)

    return keeps


def mixed_heads(n, size=512, heads=16, **_):
    """Half of the heads causal, half a causal sliding window."""
    return lambda b, h, q, k: (q >= k) & ((h < heads // 2) | (q - k < size))


TABLE = {
    f.__name__: f
    for f in (full, causal, window, causal_window, longformer, bigbird, dilated, strided, fixed, document, prefix_lm,
              sinks, natten2d, mixed_heads)
}  # fmt: skip
PER_HEAD = ("bigbird", "mixed_heads")
