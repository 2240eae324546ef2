# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A mask_mod of FlexAttention, as it is, run by Girih."""

import torch
from torch.nn.attention.flex_attention import and_masks

# What a program with FlexAttention has: documents in one sequence, a causal window.
lengths = torch.tensor([700, 1, 1500, 802])
document_id = torch.repeat_interleave(torch.arange(4), lengths)


def causal(b, h, q_idx, kv_idx):
    return q_idx >= kv_idx


def window(b, h, q_idx, kv_idx):
    return q_idx - kv_idx < 256


def same_document(b, h, q_idx, kv_idx):
    return document_id[q_idx] == document_id[kv_idx]


mask_mod = and_masks(causal, window, same_document)
torch.manual_seed(0)
q, k, v = (torch.randn(1, 8, 3003, 64) for _ in range(3))

# The port.
import girih  # noqa: E402

pattern = girih.pattern(mask_mod)
out = girih.attention(q, k, v, pattern)

# What it is, and that it is right.
print("pattern:", pattern)
i = torch.arange(3003)
keep = mask_mod(torch.tensor(0), torch.tensor(0), i[:, None], i[None, :])
expected = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=keep)
print("pairs kept:", int(keep.sum()), "of", keep.numel())
print("as dense attention:", bool((out - expected).norm() / expected.norm() < 1e-5))

# Another batch has other documents, and compiles nothing.
before = girih.default_session().compilations
document_id = torch.repeat_interleave(torch.arange(3), torch.tensor([1000, 2000, 3]))
girih.attention(q, k, v, girih.pattern(mask_mod))
print("compilations for other documents:", girih.default_session().compilations - before)
