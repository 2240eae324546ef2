# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Girih's attention in JAX, through XLA's foreign functions.

::

    import girih, girih.jax, jax

    pattern = girih.causal & girih.window(left=1023)

    @jax.jit
    def layer(q, k, v):  # [B, N, H, D], as jax.nn.dot_product_attention has it
        return girih.jax.attention(q, k, v, pattern, layout="bnhd")

Works eagerly, under `jax.jit`, `jax.vmap` and `jax.shard_map`, on CPUs and NVIDIA GPUs;
nothing is copied. Patterns and scores are constants of a traced function, and so are
their tables: other values trace again, but compile no kernel. A kernel is compiled when
XLA compiles the first function that needs it, and serves every length, batch and number
of heads. There is no backward pass: differentiating raises NotImplementedError.

Under automatic sharding (`jax.jit` with sharded operands) XLA gathers the operands of
functions that it does not know; `jax.shard_map` over batch or heads keeps them where
they are. Patterns and scores see the b and h of the shard there.

All GPUs of a program must be of one kind: kernels are compiled for that of the first.

jaxlib 0.6 and later.
"""

from __future__ import annotations

import math
from typing import Any, Optional, Tuple, Union

import jax
import jax.numpy as jnp

from .. import _options
from .._errors import InvalidError, UnsupportedError, WrongTypeError
from .._patterns import Pattern
from .._scores import Score
from .._session import _require

if jax.__version_info__ < (0, 6):
    raise ImportError(f"expected JAX 0.6 or later for girih.jax, but got {jax.__version__}")

from . import _kernels, _operator  # noqa: E402

_LAYOUTS = {"bhnd": "[batch, heads, tokens, dim]", "bnhd": "[batch, tokens, heads, dim]"}
_MAX_DIM = 256


def _spec(pattern: Pattern, score: Optional[Score], align: str) -> _kernels.Spec:
    _require(pattern, score)
    _options.align_number(align)
    return _kernels.Spec(pattern, score, align)


def _check(name: str, array: Any, layout: str) -> None:
    """That an operand is a tensor of attention. Looks at shape and dtype only."""
    if not hasattr(array, "shape") or not hasattr(array, "dtype"):
        raise WrongTypeError(f"expected {name} to be an array, but got {type(array).__name__}")
    if len(array.shape) != 4:
        raise InvalidError(
            f"expected {name} to have 4 dimensions {_LAYOUTS[layout]}, but got shape {tuple(array.shape)}"
        )
    _options.dtype_number(name, array.dtype)


def _check_shapes(q: Any, k: Any, v: Any, layout: str) -> None:
    """That the operands fit together."""
    for name, array in (("k", k), ("v", v)):
        if array.dtype != q.dtype:
            raise InvalidError(f"expected {name} of q's dtype {q.dtype}, but got {array.dtype}")
    (qb, qh, _, qd), (kb, kh, kn, kd), (vb, vh, vn, vd) = (
        _operator.to_bhnd(array.shape, layout) for array in (q, k, v)
    )
    for name, got, owner, what, wanted in (
        ("k", kb, "q", "batch", qb),
        ("v", vb, "q", "batch", qb),
        ("k", kd, "q", "head dim", qd),
        ("v", vh, "k", "number of heads", kh),
        ("v", vn, "k", "number of tokens", kn),
    ):
        if got != wanted:
            raise InvalidError(f"expected {name} of {owner}'s {what} {wanted}, but got {got}")
    if qh != kh and (kh < 1 or qh % kh):
        raise InvalidError(f"expected heads of q to be a multiple of k's, but got {qh} and {kh}")
    for name, dim in (("q", qd), ("v", vd)):
        if not 1 <= dim <= _MAX_DIM:
            raise UnsupportedError(f"expected {name} of a head dim from 1 to {_MAX_DIM}, but got {dim}")


def _scale(scale: Optional[float], dim: int) -> float:
    if scale is None:
        return 1 / math.sqrt(dim)
    if isinstance(scale, jax.core.Tracer):
        raise WrongTypeError(
            "expected scale to be a number when the function is traced, but got a traced array; "
            "multiply q by it instead, and pass scale=1"
        )
    if isinstance(scale, str) or not hasattr(scale, "__float__"):
        raise WrongTypeError(f"expected scale to be a number, but got {type(scale).__name__}")
    value = float(scale)
    if not math.isfinite(value):
        raise InvalidError(f"expected scale to be finite, but got {value}")
    return value


def attention(
    q: Any,
    k: Any,
    v: Any,
    pattern: Pattern,
    *,
    scale: Optional[float] = None,
    score: Optional[Score] = None,
    return_lse: bool = False,
    align: str = "bottom_right",
    layout: str = "bhnd",
) -> Union[jax.Array, Tuple[jax.Array, jax.Array]]:
    """softmax(score(scale * q k^T)) v over the pairs of a pattern.

    q: [B, Hq, Nq, D]; k: [B, Hkv, Nk, D]; v: [B, Hkv, Nk, Dv], where Hq is a multiple of
       Hkv; float32, bfloat16 or float16, all of one dtype.
    pattern: which pairs attend.
    scale: a number, known when the function is traced; 1 / sqrt(D) by default.
    score: a function of scores (girih.score).
    return_lse: also return the log-sum-exp of each query.
    align: where queries stand when Nq != Nk: "bottom_right" (the last query at the last
       key) or "top_left".
    layout: "bhnd" as above, or "bnhd" for [B, N, H, D] of q, k, v and o.

    Returns o, [B, Hq, Nq, Dv] in the layout and of q's dtype; with return_lse also lse,
    float32 [B, Hq, Nq] in either layout. A query that sees no key gives 0 and -inf.

    Raises TypeError, ValueError and NotImplementedError (girih.InvalidError and
    girih.UnsupportedError) when traced or compiled; what depends on values of tables
    and lengths is a jax.errors.JaxRuntimeError of the launch.
    """
    if not isinstance(layout, str) or layout not in _LAYOUTS:
        raise InvalidError(f"expected layout 'bhnd' or 'bnhd', but got {layout!r}")
    for name, array in (("q", q), ("k", k), ("v", v)):
        _check(name, array, layout)
    _check_shapes(q, k, v, layout)
    spec = _spec(pattern, score, align)
    factor = _scale(scale, q.shape[3])
    batch, heads, num_q, dim = _operator.to_bhnd(q.shape, layout)
    if 0 in (batch, heads, num_q, k.shape[1], k.shape[2]):  # no query, or none that sees a key
        o = jnp.zeros(_operator.to_bhnd((batch, heads, num_q, v.shape[3]), layout), q.dtype)
        lse = jnp.full((batch, heads, num_q), -jnp.inf, jnp.float32)
        return (o, lse) if return_lse else o
    results = _operator.call(q, k, v, spec=spec, scale=factor, layout=layout, lse=bool(return_lse))
    return (results[0], results[1]) if return_lse else results[0]


def prepare(
    pattern: Pattern,
    *,
    dtype: Any,
    head_dim: int,
    v_dim: Optional[int] = None,
    score: Optional[Score] = None,
    align: str = "bottom_right",
    platform: str = "cpu",
) -> None:
    """Makes the kernel that an exported program (`jax.export`) names, in a process that has
    not traced it.

    Arguments are those of the `attention` that was exported: dtype and last dimensions of
    q and v; values of tables too. platform: "cpu" or "cuda".
    """
    if platform not in _kernels.PLATFORMS:
        raise InvalidError(f"expected platform 'cpu' or 'cuda', but got {platform!r}")
    dim = _options.count("head_dim", head_dim, 1)
    values = dim if v_dim is None else _options.count("v_dim", v_dim, 1)
    _kernels.named(_spec(pattern, score, align), dtype, dim, values, platform)


__all__ = ["attention", "prepare"]
