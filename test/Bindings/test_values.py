# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""girih.attention against dense attention in f64, for every kind of tensor."""

import os

import numpy as np
import pytest
from expected import dense, error

import girih

PATTERN = girih.causal & girih.window(left=30)


def tensors(rng, batch=2, heads=4, kv_heads=2, nq=100, nk=130, dim=64, v_dim=32):
    q = rng.standard_normal((batch, heads, nq, dim), dtype=np.float32)
    k = rng.standard_normal((batch, kv_heads, nk, dim), dtype=np.float32)
    v = rng.standard_normal((batch, kv_heads, nk, v_dim), dtype=np.float32)
    return q, k, v


@pytest.mark.parametrize(
    "pattern",
    [
        girih.full,
        PATTERN,
        girih.window(5, 5) | girih.global_(2),
        girih.pattern(lambda b, h, q, k: (q >= k) & ((q - k < 20) | (k // 16 % 3 == h % 3))),
        girih.segments(np.array([0, 40, 100, 130])),
        girih.heads({range(0, 2): girih.causal, 2: girih.chunk(16), 3: girih.empty}),
    ],
    ids=str,
)
def test_patterns(rng, session, pattern):
    q, k, v = tensors(rng)
    out, lse = girih.attention(q, k, v, pattern, return_lse=True, session=session)
    expected, expected_lse = dense(q, k, v, session.mask(pattern, 100, 130, heads=4, batch=2))
    assert out.dtype == np.float32 and out.shape == (2, 4, 100, 32) and lse.shape == (2, 4, 100)
    assert error(out, expected) < 1e-5
    finite = np.isfinite(expected_lse)
    assert np.array_equal(np.isfinite(lse), finite)
    assert error(lse[finite], expected_lse[finite]) < 1e-5


def test_options(rng, session):
    q, k, v = tensors(rng)
    keep = session.mask(PATTERN, 100, 130, align="top_left")
    expected, _ = dense(q, k, v, keep, scale=0.3)
    out = np.full((2, 4, 100, 32), np.nan, np.float32)
    got = girih.attention(
        q, k, v, PATTERN, scale=0.3, align="top_left", out=out, threads=2, session=session
    )
    assert got is out and error(out, expected) < 1e-5


def test_layouts_without_copies(rng, session):
    """[B, N, H, D] tensors are passed transposed; the output may be such a view as well."""
    q, k, v = tensors(rng, nq=130)
    expected, _ = dense(q, k, v, session.mask(PATTERN, 130))
    strided = [np.ascontiguousarray(x.transpose(0, 2, 1, 3)).transpose(0, 2, 1, 3) for x in (q, k, v)]
    assert not any(x.flags.c_contiguous for x in strided)
    out = np.empty((2, 130, 4, 32), np.float32).transpose(0, 2, 1, 3)
    assert girih.attention(*strided, PATTERN, out=out, session=session) is out
    assert error(out, expected) < 1e-5
    part = np.zeros((2, 4, 260, 64), np.float32)[:, :, ::2]
    part[:] = q
    assert error(girih.attention(part, k, v, PATTERN, session=session), expected) < 1e-5


def test_torch(rng, session):
    torch = pytest.importorskip("torch")
    q, k, v = tensors(rng)
    expected, expected_lse = dense(q, k, v, session.mask(PATTERN, 100, 130))
    tq, tk, tv = map(torch.from_numpy, (q, k, v))
    out, lse = girih.attention(tq, tk, tv, PATTERN, return_lse=True, session=session)
    assert type(out) is torch.Tensor and out.dtype == torch.float32 and out.device == tq.device
    assert error(out.numpy(), expected) < 1e-5
    finite = np.isfinite(expected_lse)
    assert error(lse.numpy()[finite], expected_lse[finite]) < 1e-5
    bnhd = [x.transpose(1, 2).contiguous().transpose(1, 2) for x in (tq, tk, tv)]
    assert torch.equal(girih.attention(*bnhd, PATTERN, session=session), out)
    again = torch.empty_like(out)
    assert girih.attention(tq, tk, tv, PATTERN, out=again, session=session) is again
    assert torch.equal(again, out)
    with torch.no_grad():
        parameter = torch.nn.Parameter(tq)
        assert torch.equal(girih.attention(parameter, tk, tv, PATTERN, session=session), out)


@pytest.mark.parametrize("dtype, tolerance", [("bfloat16", 6e-3), ("float16", 1e-3)])
def test_halves(rng, session, dtype, tolerance):
    torch = pytest.importorskip("torch")
    ml_dtypes = pytest.importorskip("ml_dtypes")
    rounded = [torch.from_numpy(x).to(getattr(torch, dtype)) for x in tensors(rng)]
    expected, _ = dense(*(x.float().numpy() for x in rounded), session.mask(PATTERN, 100, 130))
    out = girih.attention(*rounded, PATTERN, session=session)
    assert out.dtype == getattr(torch, dtype) and error(out.float().numpy(), expected) < tolerance
    kind = np.float16 if dtype == "float16" else ml_dtypes.bfloat16
    arrays = [x.float().numpy().astype(kind) for x in rounded]
    got = girih.attention(*arrays, PATTERN, session=session)
    assert got.dtype == kind and np.array_equal(got.astype(np.float32), out.float().numpy())


def test_jax(rng, session):
    jax = pytest.importorskip("jax")
    q, k, v = tensors(rng)
    expected, expected_lse = dense(q, k, v, session.mask(PATTERN, 100, 130))
    arrays = [jax.numpy.asarray(x) for x in (q, k, v)]
    out, lse = girih.attention(*arrays, PATTERN, return_lse=True, session=session)
    assert isinstance(out, jax.Array) and isinstance(lse, jax.Array)
    assert error(out, expected) < 1e-5
    finite = np.isfinite(expected_lse)
    assert error(np.asarray(lse)[finite], expected_lse[finite]) < 1e-5


class Plain:
    """An array of a framework that nobody knows: DLPack without a version, and nothing else."""

    def __init__(self, array):
        self.array = array

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()

    def __dlpack__(self, stream=None):
        return self.array.__dlpack__()


def test_any_dlpack(rng, session):
    q, k, v = tensors(rng)
    torch = pytest.importorskip("torch")
    expected = girih.attention(q, k, v, PATTERN, session=session)
    out = np.empty_like(expected)
    girih.attention(Plain(q), k, torch.from_numpy(v), PATTERN, out=Plain(out), session=session)
    assert np.array_equal(out, expected)
    mixed = girih.attention(q, Plain(k), Plain(v), PATTERN, session=session)
    assert isinstance(mixed, np.ndarray) and np.array_equal(mixed, expected)


SLOPES = np.array([0.5, 0.25, 0.125, 0.0625], np.float32)
BIAS = np.linspace(-1, 1, 16, dtype=np.float32)


@pytest.mark.parametrize(
    "function",
    [
        lambda score, b, h, q, k: 30 * np.tanh(score / 30),
        lambda score, b, h, q, k: score - SLOPES[h] * abs(q - k),
        lambda score, b, h, q, k: np.where(q - k < 20, score, score * 0.5) - b,
        lambda score, b, h, q, k: score + BIAS[np.clip(q - k, 0, 15)],
        lambda score, b, h, q, k: score + (q - k) / 7 - np.where(h > 1, k % 3, 2) * 0.25,
        lambda score, b, h, q, k: np.where(k % 3 == 0, -np.inf, np.minimum(score, 1)),
        lambda score, b, h, q, k: np.where(score > 0, np.sqrt(abs(score)), np.exp(score) ** 2),
    ],
)
def test_scores(rng, session, function):
    """A traced function against the same function of arrays."""
    q, k, v = tensors(rng)
    out, lse = girih.attention(
        q, k, v, PATTERN, score=girih.score(function), return_lse=True, session=session
    )
    keep = session.mask(PATTERN, 100, 130)
    expected, expected_lse = dense(q, k, v, keep, score=function)
    assert error(out, expected) < 1e-5 and error(lse, expected_lse) < 1e-5


def test_tables_of_patterns_and_scores_keep_apart(rng, session):
    q, k, v = tensors(rng, nq=96, nk=96)
    for documents, height in ((3, 1.0), (5, 2.0)):
        ids = np.sort(rng.integers(0, documents, 96))
        bias = rng.standard_normal((4, 7)).astype(np.float32) * height

        def score(score, b, h, q, k):
            return score + bias[h, (q - k) % 7] * ids[k]

        pattern = girih.pattern(lambda b, h, q, k: ids[q] == ids[k]) & girih.segments(
            np.array([0, 50, 96])
        )
        out = girih.attention(q, k, v, pattern, score=girih.score(score), session=session)
        half = np.arange(96) < 50
        keep = (ids[:, None] == ids) & (half[:, None] == half)
        assert error(out, dense(q, k, v, keep, score=score)[0]) < 1e-5
        assert session.compilations == 1


def test_new_shapes_compile_nothing(rng, session):
    for nq, nk, heads, batch in ((64, 64, 2, 1), (1, 500, 4, 3), (333, 333, 8, 1), (7, 9, 2, 2)):
        q, k, v = tensors(rng, batch=batch, heads=heads, nq=nq, nk=nk)
        girih.attention(q, k, v, PATTERN, session=session)
        assert session.compilations == 1
    girih.attention(*tensors(rng, v_dim=16), PATTERN, session=session)
    assert session.compilations == 2


def test_new_documents_compile_nothing(rng, session):
    q, k, v = tensors(rng, nq=96, nk=96)
    for offsets in ([0, 96], [0, 10, 50, 96], [0, 1, 95, 96]):
        pattern = girih.causal & girih.segments(np.array(offsets))
        out = girih.attention(q, k, v, pattern, session=session)
        assert error(out, dense(q, k, v, session.mask(pattern, 96))[0]) < 1e-5
        assert session.compilations == 1


def test_new_lookups_compile_nothing(rng, session):
    q, k, v = tensors(rng, nq=96, nk=96)
    for documents in (2, 3, 5):
        ids = np.sort(rng.integers(0, documents, 96))
        pattern = girih.pattern(lambda b, h, q, k: (ids[q] == ids[k]) & (q >= k))
        out = girih.attention(q, k, v, pattern, session=session)
        keep = (ids[:, None] == ids) & np.tri(96, dtype=bool)
        assert np.array_equal(session.mask(pattern, 96), keep)
        assert error(out, dense(q, k, v, keep)[0]) < 1e-5
        assert session.compilations == 1


def test_kernels(rng, session):
    q, k, v = tensors(rng)
    kernel = girih.compile(PATTERN, head_dim=64, v_dim=32, session=session)
    assert not kernel.cache_hit and kernel.compile_ms > 0 and "window(left=30)" in repr(kernel)
    assert session.compile(PATTERN, head_dim=64, v_dim=32) is kernel
    out = kernel(q, k, v)
    assert np.array_equal(out, girih.attention(q, k, v, kernel, session=session))
    assert np.array_equal(out, girih.attention(q, k, v, PATTERN, session=session))
    assert session.compilations == 1
    assert "girih.window" in session.emit(kernel, "girih")
    session.close()
    assert np.array_equal(kernel(q, k, v), out)


def test_disk_cache(rng, tmp_path):
    q, k, v = tensors(rng)
    with girih.Session(cache_dir=tmp_path) as session:
        out = girih.attention(q, k, v, PATTERN, session=session)
        assert session.compilations == 1 and session.cache_problem is None
    with girih.Session(cache_dir=os.fspath(tmp_path)) as session:
        assert np.array_equal(girih.attention(q, k, v, PATTERN, session=session), out)
        assert session.compilations == 0


def test_queries_that_see_nothing(rng, session):
    q, k, v = tensors(rng)
    out, lse = girih.attention(q, k, v, girih.empty, return_lse=True, session=session)
    assert not out.any() and np.isneginf(lse).all()
