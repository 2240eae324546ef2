# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Dense masked attention in float64, and the workload table as conditions on indices."""

import torch

#: Largest relative error of a result in the 2-norm, as for the kernels themselves.
TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 6e-3, torch.float16: 1e-3}


def indices(batch, heads, num_q, num_k):
    """b, h, q and k as integer tensors that broadcast to [B, H, Nq, Nk]."""
    return (
        torch.arange(batch).view(-1, 1, 1, 1),
        torch.arange(heads).view(1, -1, 1, 1),
        torch.arange(num_q).view(1, 1, -1, 1),
        torch.arange(num_k).view(1, 1, 1, -1),
    )


def mask_of(mask_mod, batch, heads, num_q, num_k, first=0):
    """[B, H, Nq, Nk] bool. first: the position of query 0."""
    b, h, q, k = indices(batch, heads, num_q, num_k)
    mask = mask_mod(b, h, q + first, k)
    return torch.as_tensor(mask).expand(batch, heads, num_q, num_k)


def dense(q, k, v, mask, score_mod=None, scale=None):
    """(out [B, Hq, Nq, Dv], lse [B, Hq, Nq]) in float64; rows that see nothing: 0 and -inf."""
    groups = q.shape[1] // k.shape[1]
    q, k, v = q.double(), k.double().repeat_interleave(groups, 1), v.double().repeat_interleave(groups, 1)
    scores = q @ k.transpose(2, 3) * (q.shape[3] ** -0.5 if scale is None else scale)
    if score_mod is not None:
        scores = score_mod(scores, *indices(*scores.shape))
    scores = scores.masked_fill(~mask, float("-inf"))
    lse = torch.logsumexp(scores, 3)
    weights = torch.exp(scores - lse.masked_fill(lse.isinf(), 0)[..., None])
    return weights @ v, lse


def error(actual, expected):
    """Relative error in the 2-norm."""
    actual, expected = actual.double(), expected.double()
    return float((actual - expected).norm() / max(float(expected.norm()), 1e-30))


def check(actual, expected, dtype):
    """Compares (out, lse) with the reference."""
    (out, lse), (out_, lse_) = actual, expected
    assert out.dtype == dtype and lse.dtype == torch.float32
    assert out.shape == out_.shape and lse.shape == lse_.shape
    assert not out.isnan().any() and not lse.isnan().any()
    assert torch.equal(lse.isinf(), lse_.isinf())
    seen = ~lse_.isinf()
    assert error(out, out_) <= TOLERANCE[dtype]
    assert error(lse[seen], lse_[seen]) <= TOLERANCE[dtype]
    assert not out[~seen].any()


def tensors(batch, heads, kv_heads, num_q, num_k, dim, v_dim=None, dtype=torch.float32, seed=0):
    """q, k and v from N(0, 1)."""
    generator = torch.Generator().manual_seed(seed)
    shapes = (batch, heads, num_q, dim), (batch, kv_heads, num_k, dim), (batch, kv_heads, num_k, v_dim or dim)
    return tuple(torch.randn(shape, generator=generator).to(dtype) for shape in shapes)


def documents(lengths, n):
    """Document number of each of n tokens."""
    return torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))[:n]


def neighborhood(rows, columns, kernel_rows, kernel_columns):
    """A window on a row-major grid, which moves inward at the borders."""

    def near(q, k, extent, kernel):
        first = (q - kernel // 2).clamp(0, extent - kernel)
        return (first <= k) & (k < first + kernel)

    return lambda b, h, q, k: (
        near(q // columns, k // columns, rows, kernel_rows)
        & near(q % columns, k % columns, columns, kernel_columns)
    )
