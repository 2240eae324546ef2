# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Half of the heads see all of the past, half a window: one call, one kernel."""

import numpy as np

import girih

pattern = girih.heads(
    {
        range(0, 4): girih.causal,
        range(4, 8): girih.causal & girih.window(left=127),
    }
)
print("pattern:", pattern)

rng = np.random.default_rng(0)
q = rng.standard_normal((1, 8, 2048, 64), dtype=np.float32)
k, v = (rng.standard_normal((1, 2, 2048, 64), dtype=np.float32) for _ in range(2))
out = girih.attention(q, k, v, pattern)  # 8 query heads share 2 key heads
print("output:", out.shape)

# The heads of each kind, by themselves.
far = girih.attention(q[:, :4], k[:, :1], v[:, :1], girih.causal)
near = girih.attention(q[:, 4:], k[:, 1:], v[:, 1:], girih.causal & girih.window(left=127))
print("like both apart:", np.abs(out - np.concatenate([far, near], axis=1)).max() < 1e-5)

kept = pattern.mask(2048, heads=8).sum(axis=(1, 2))
print("pairs of a far and of a near head:", kept[0], kept[4])
