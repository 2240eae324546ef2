# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Packed documents in NumPy: every batch has other documents, and one kernel serves all."""

import numpy as np

import girih

session = girih.default_session()
compiled = []  # after each batch
rng = np.random.default_rng(0)
for lengths in ([600, 400], [1000], [1, 333, 2, 664], [1500, 700]):
    offsets = np.cumsum([0, *lengths])
    n = offsets[-1]
    q, k, v = (rng.standard_normal((1, 4, n, 64), dtype=np.float32) for _ in range(3))

    out = girih.attention(q, k, v, girih.causal & girih.segments(offsets))

    # Each document alone gives the same.
    alone = [
        girih.attention(q[:, :, a:b], k[:, :, a:b], v[:, :, a:b], girih.causal)
        for a, b in zip(offsets, offsets[1:])
    ]
    error = np.abs(out - np.concatenate(alone, axis=2)).max()
    compiled.append(session.compilations)
    print(f"{len(lengths)} documents of {n} tokens: like each alone: {error < 1e-5}")

# The two kernels of the first batch, for packed documents and single ones, serve all.
print("compilations after the first batch:", compiled[-1] - compiled[0])
