# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The workload table as FlexAttention predicates (b, h, q, k) -> bool over torch
tensors of `device`, and their masks. suite/workload.py has it in the pattern language.
"""

import torch

BLOCK = 128  # of FlexAttention's masks


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


def philox(seed, head, row):
    """Philox4x32-10 (Salmon et al., SC'11) as 64-bit words: key `seed`, counter (draw, row, head)."""
    draw = 0
    while True:
        c = [draw, row, head & 0xFFFFFFFF, head >> 32]
        key = [seed & 0xFFFFFFFF, seed >> 32]
        for _ in range(10):
            low, high = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
            c = [high >> 32 ^ c[1] ^ key[0], high & 0xFFFFFFFF, low >> 32 ^ c[3] ^ key[1], low & 0xFFFFFFFF]
            key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
        yield c[1] << 32 | c[0]
        yield c[3] << 32 | c[2]
        draw += 1


def random_blocks(seed, head, row, blocks, count):
    """The blocks that random_blocks(seed=, count=) keeps in a row: Floyd's sample of
    `count` from `blocks`, drawn without bias by Lemire's multiplication."""
    words, taken = philox(seed, head, row), set()
    for top in range(blocks - count, blocks):
        bound = top + 1
        product = next(words) * bound
        while product % 2**64 < 2**64 % bound:
            product = next(words) * bound
        taken.add(top if product >> 64 in taken else product >> 64)
    return sorted(taken)


def bigbird(n, block=64, count=3, heads=16, seed=0, device="cuda", **_):
    """Window of three blocks, first and last block global, random blocks for each row and head."""
    blocks = (n + block - 1) // block
    table = torch.zeros(heads, blocks, blocks, dtype=torch.bool)
    for h in range(heads):
        for i in range(blocks):
            table[h, i, random_blocks(seed, h, i, blocks, count)] = True
    table = table.to(device)

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


def document(n, offsets=(), device="cuda", **_):
    """Packed documents, causal inside each."""
    ids = torch.zeros(n, dtype=torch.int32)
    for cut in offsets[1:-1]:
        ids[cut:] += 1
    ids = ids.to(device)
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


def block_mask(keeps, n, heads, device="cuda"):
    """FlexAttention's mask, as its create_block_mask makes it, and the kept pairs.

    That function evaluates the predicate on all pairs at once, which takes tens of
    GiB at 16 heads; compiled (its kernel for causal, PyTorch 2.11) it was not through
    Triton after 25 s. This one evaluates slices of queries, in milliseconds."""
    from torch.nn.attention.flex_attention import BlockMask

    blocks, rows = n // BLOCK, 8  # of blocks, a slice
    b = torch.zeros((), dtype=torch.int64, device=device)
    k = torch.arange(n, device=device)[None, :]
    counts = torch.empty((1, heads, blocks, blocks), dtype=torch.int64, device=device)
    for head in range(heads):
        h = torch.full((), head, dtype=torch.int64, device=device)
        for first in range(0, blocks, rows):
            last = min(blocks, first + rows)
            q = torch.arange(first * BLOCK, last * BLOCK, device=device)[:, None]
            kept = torch.broadcast_to(keeps(b, h, q, k), (q.shape[0], n))
            counts[0, head, first:last] = kept.reshape(last - first, BLOCK, blocks, BLOCK).sum(dim=(1, 3))

    def ordered(which):
        """Blocks of each row: how many, and which, the present ones first."""
        order = torch.argsort(which.to(torch.int32), dim=-1, descending=True, stable=True)
        return which.sum(dim=-1).to(torch.int32), order.to(torch.int32).contiguous()

    full = counts == BLOCK * BLOCK
    mask = BlockMask.from_kv_blocks(
        *ordered((counts > 0) & ~full), *ordered(full), BLOCK_SIZE=(BLOCK, BLOCK), mask_mod=keeps
    )
    return mask, int(counts.sum())
