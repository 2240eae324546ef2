# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""girih.torch.attention computes what dense masked attention does."""

import pytest
import torch
from torch_reference import check, dense, documents, mask_of, neighborhood, tensors

import girih
import girih.torch

N, HEADS = 399, 4
OFFSETS = [0, 128, 265, 305, 399]

#: The workload table, shortened: pattern, and the same as a condition on indices (None: the
#: pattern's own membership, for random blocks).
WORKLOAD = {
    "full": (girih.full, lambda b, h, q, k: (q == q) & (k == k)),
    "causal": (girih.causal, lambda b, h, q, k: q >= k),
    "window": (girih.window(left=37, right=37), lambda b, h, q, k: (q - k).abs() <= 37),
    "causal_window": (
        girih.causal & girih.window(left=99),
        lambda b, h, q, k: (q >= k) & (q - k <= 99),
    ),
    "longformer": (
        girih.window(left=37, right=37) | girih.global_(first=5),
        lambda b, h, q, k: ((q - k).abs() <= 37) | (q < 5) | (k < 5),
    ),
    "bigbird": (
        girih.blockwise(girih.window(left=1, right=1) | girih.global_(first=1, last=1), size=32)
        | girih.random_blocks(size=32, count=3, seed=0),
        None,
    ),
    "dilated": (
        girih.dilated(left=21, right=21, dilation=4),
        lambda b, h, q, k: ((q - k) % 4 == 0) & ((q - k).abs() <= 84),
    ),
    "strided": (
        girih.causal & (girih.window(left=23) | girih.strided(stride=24)),
        lambda b, h, q, k: (q >= k) & ((q - k <= 23) | ((q - k) % 24 == 0)),
    ),
    "fixed": (
        girih.causal & (girih.chunk(size=24) | girih.columns(period=24, lo=17, hi=24)),
        lambda b, h, q, k: (q >= k) & ((q // 24 == k // 24) | (k % 24 >= 17)),
    ),
    "document": (
        girih.causal & girih.segments(offsets=OFFSETS),
        lambda b, h, q, k: (q >= k) & (DOCUMENTS[q] == DOCUMENTS[k]),
    ),
    "prefix_lm": (
        girih.causal | girih.global_columns(first=40),
        lambda b, h, q, k: (q >= k) | (k < 40),
    ),
    "sinks": (
        girih.causal & (girih.window(left=99) | girih.global_columns(first=4)),
        lambda b, h, q, k: (q >= k) & ((q - k <= 99) | (k < 4)),
    ),
    "natten2d": (girih.neighborhood(grid=[19, 21], kernel=[13, 13]), neighborhood(19, 21, 13, 13)),
    "mixed_heads": (
        girih.heads({range(0, 2): girih.causal, range(2, 4): girih.causal & girih.window(left=60)}),
        lambda b, h, q, k: (q >= k) & ((h < 2) | (q - k <= 60)),
    ),
}
DOCUMENTS = documents([b - a for a, b in zip(OFFSETS, OFFSETS[1:])], N)


def membership(name, batch, heads, num_q, num_k):
    pattern, condition = WORKLOAD[name]
    if condition is None:
        mask = pattern.mask(num_q, num_k, batch=batch, heads=heads)
        return torch.as_tensor(mask).expand(batch, heads, num_q, num_k)
    return mask_of(condition, batch, heads, num_q, num_k, num_k - num_q)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("name", WORKLOAD)
def test_workload(name, dtype):
    q, k, v = tensors(1, HEADS, HEADS, N, N, 64, dtype=dtype)
    result = girih.torch.attention(q, k, v, WORKLOAD[name][0], return_lse=True)
    check(result, dense(q, k, v, membership(name, 1, HEADS, N, N)), dtype)
    assert result[0].is_contiguous()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize(
    "batch, heads, kv_heads, num_q, num_k, dim, v_dim",
    [
        (1, 1, 1, 1, 1, 1, 1),
        (2, 4, 1, 63, 63, 64, 64),
        (1, 6, 2, 129, 129, 80, 80),
        (3, 2, 2, 100, 300, 40, 40),
        (2, 8, 2, 1, 257, 128, 128),
        (1, 2, 1, 70, 91, 256, 256),
        (1, 4, 2, 65, 65, 64, 32),
        (2, 2, 1, 300, 100, 33, 7),
    ],
)
def test_shapes(batch, heads, kv_heads, num_q, num_k, dim, v_dim, dtype):
    q, k, v = tensors(batch, heads, kv_heads, num_q, num_k, dim, v_dim, dtype, seed=dim)
    pattern = girih.causal & girih.window(left=50)
    mask = mask_of(lambda b, h, q, k: (q >= k) & (q - k <= 50), batch, heads, num_q, num_k, num_k - num_q)
    check(girih.torch.attention(q, k, v, pattern, return_lse=True), dense(q, k, v, mask), dtype)


def test_returns_only_the_output_unless_asked():
    q, k, v = tensors(1, 2, 2, 70, 70, 64)
    out = girih.torch.attention(q, k, v, girih.causal)
    assert torch.equal(out, girih.torch.attention(q, k, v, girih.causal, return_lse=True)[0])


def test_align_and_scale():
    q, k, v = tensors(1, 2, 2, 50, 80, 64)
    for align, first in (("bottom_right", 30), ("top_left", 0)):
        mask = mask_of(lambda b, h, q, k: q >= k, 1, 2, 50, 80, first)
        result = girih.torch.attention(q, k, v, girih.causal, scale=0.5, align=align, return_lse=True)
        check(result, dense(q, k, v, mask, scale=0.5), torch.float32)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_strides_are_not_copied_away(dtype):
    """Views of [B, N, H, D], of a larger tensor and of one batch for many give the same bits."""
    q, k, v = tensors(2, 4, 2, 100, 100, 64, dtype=dtype)
    expected = girih.torch.attention(q, k, v, girih.causal)

    def bnhd(x):
        return x.transpose(1, 2).contiguous().transpose(1, 2)

    def sparse(x):
        wide = torch.full((*x.shape[:2], 2 * x.shape[2], x.shape[3] + 16), float("nan"), dtype=x.dtype)
        wide[:, :, ::2, 8:-8] = x
        return wide[:, :, ::2, 8:-8]

    for view in (bnhd, sparse):
        inputs = view(q), view(k), view(v)
        assert not any(x.is_contiguous() for x in inputs)
        out = girih.torch.attention(*inputs, girih.causal)
        assert out.is_contiguous() and torch.equal(out, expected)

    shared = k[:1].expand(2, -1, -1, -1), v[:1].expand(2, -1, -1, -1)
    out = girih.torch.attention(q, *shared, girih.causal)
    assert torch.equal(out, girih.torch.attention(q, *(x.contiguous() for x in shared), girih.causal))


def test_conditions_and_tables():
    q, k, v = tensors(2, 4, 4, 120, 120, 64)
    lengths = torch.tensor([120, 77])
    pattern = girih.pattern(lambda b, h, q, k: (k < lengths[b]) & (q >= k))
    mask = mask_of(lambda b, h, q, k: (k < lengths[b]) & (q >= k), 2, 4, 120, 120)
    check(girih.torch.attention(q, k, v, pattern, return_lse=True), dense(q, k, v, mask), torch.float32)


def test_other_values_of_tables_compile_nothing(compilations):
    q, k, v = tensors(1, 2, 2, 90, 90, 64)
    before = compilations()
    for offsets in ([0, 30, 90], [0, 45, 90], [0, 1, 2, 50, 90]):
        pattern = girih.causal & girih.segments(torch.tensor(offsets))
        ids = documents([b - a for a, b in zip(offsets, offsets[1:])], 90)
        mask = mask_of(lambda b, h, q, k: (q >= k) & (ids[q] == ids[k]), 1, 2, 90, 90)
        result = girih.torch.attention(q, k, v, pattern, return_lse=True)
        check(result, dense(q, k, v, mask), torch.float32)
    assert compilations() <= before + 1


def test_new_shapes_compile_nothing(compilations):
    def run(batch, heads, kv_heads, num_q, num_k):
        girih.torch.attention(*tensors(batch, heads, kv_heads, num_q, num_k, 48), pattern)

    pattern = girih.causal & girih.window(left=21)
    run(1, 2, 2, 64, 64)
    before = compilations()
    for shape in ((1, 2, 2, 65, 65), (3, 2, 1, 100, 200), (1, 8, 2, 1, 999), (2, 1, 1, 500, 3)):
        run(*shape)
    assert compilations() == before


ALIBI = torch.tensor([2.0**-i for i in range(1, 5)])
BIAS = torch.randn(4, 2 * 150 - 1, generator=torch.Generator().manual_seed(5))
SCORES = {
    "alibi": lambda s, b, h, q, k: s - ALIBI[h] * (q - k).abs(),
    "softcap": lambda s, b, h, q, k: 2.0 * torch.tanh(s / 2.0),
    "relative": lambda s, b, h, q, k: s + BIAS[h, q - k + 149],
    "where": lambda s, b, h, q, k: torch.where(q - k > 20, s * 0.5, s + 1),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", SCORES)
def test_scores(name, dtype):
    q, k, v = tensors(2, 4, 2, 150, 150, 64, dtype=dtype)
    mask = mask_of(lambda b, h, q, k: q >= k, 2, 4, 150, 150)
    result = girih.torch.attention(q, k, v, girih.causal, score=SCORES[name], return_lse=True)
    check(result, dense(q, k, v, mask, SCORES[name]), dtype)


def test_no_elements():
    for batch, heads, num_q in ((0, 2, 5), (2, 0, 5), (2, 2, 0)):
        q, k, v = (torch.zeros(batch, heads, n, 8) for n in (num_q, 5, 5))
        if heads:
            out, lse = girih.torch.attention(q, k, v, girih.full, return_lse=True)
            assert out.shape == q.shape and lse.shape == q.shape[:3]
    out, lse = girih.torch.attention(
        torch.ones(1, 2, 3, 8), torch.ones(1, 2, 0, 8), torch.ones(1, 2, 0, 8), girih.full, return_lse=True
    )
    assert not out.any() and bool((lse == float("-inf")).all())
