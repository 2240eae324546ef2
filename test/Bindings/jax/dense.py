# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Attention the long way, and tensors for it."""

import pathlib
import sys

import jax.numpy as jnp
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "GPU"))
from suite import workload  # noqa: E402, F401

#: By norm, against f64 on the same rounded inputs; outputs are rounded to the dtype.
TOLERANCE = {"float32": 1e-5, "bfloat16": 6e-3, "float16": 1e-3}


def tensors(seed, batch, heads, kv_heads, num_q, num_k, dim, v_dim=None, dtype="float32"):
    """q [batch, heads, num_q, dim], k, v; N(0, 1) from the seed."""
    rng = numpy.random.default_rng(seed)
    shapes = ((heads, num_q, dim), (kv_heads, num_k, dim), (kv_heads, num_k, v_dim or dim))
    return [jnp.asarray(rng.standard_normal((batch, *s), dtype=numpy.float32), dtype) for s in shapes]


def attention(q, k, v, mask, scale=None, score=None):
    """(o, lse) in f64. mask: bool, broadcast to [B, Hq, Nq, Nk]. score: of scores, elementwise."""
    q, k, v = (numpy.asarray(x.astype(jnp.float32), numpy.float64) for x in (q, k, v))
    group = q.shape[1] // k.shape[1]
    k, v = numpy.repeat(k, group, 1), numpy.repeat(v, group, 1)
    s = numpy.einsum("bhqd,bhkd->bhqk", q, k) * (q.shape[3] ** -0.5 if scale is None else scale)
    s = numpy.where(mask, s if score is None else score(s), -numpy.inf)
    top = s.max(-1, keepdims=True)
    e = numpy.exp(s - numpy.where(numpy.isfinite(top), top, 0))
    total = e.sum(-1, keepdims=True)
    with numpy.errstate(divide="ignore"):
        lse = numpy.log(total[..., 0]) + numpy.where(numpy.isfinite(top), top, 0)[..., 0]
    o = numpy.einsum("bhqk,bhkd->bhqd", e, v) / numpy.where(total == 0, 1, total)
    return o, numpy.where(total[..., 0] == 0, -numpy.inf, lse)


def check(got, wanted, dtype="float32"):
    """That an output or lse is near the reference, and -inf where that is."""
    got = numpy.asarray(jnp.asarray(got).astype(jnp.float32), numpy.float64)
    assert got.shape == wanted.shape
    seen = numpy.isfinite(wanted)
    assert (got[~seen] == wanted[~seen]).all()
    error = numpy.linalg.norm(got[seen] - wanted[seen]) / max(numpy.linalg.norm(wanted[seen]), 1e-30)
    assert error <= TOLERANCE[dtype], f"relative error {error:.2e}"


def causal(num_q, num_k):
    """[num_q, num_k], bottom_right."""
    return numpy.arange(num_q)[:, None] + num_k - num_q >= numpy.arange(num_k)
