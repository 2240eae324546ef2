# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The function that the package is for."""

from __future__ import annotations

from typing import Any, Optional, Tuple, Union

from ._errors import WrongTypeError
from . import _frameworks, _options
from ._kernel import Kernel
from ._launch import launch
from ._patterns import Pattern
from ._scores import Score
from ._session import Session, _require, default_session


def attention(
    q: Any,
    k: Any,
    v: Any,
    pattern: Union[Pattern, Kernel],
    *,
    scale: Optional[float] = None,
    score: Optional[Score] = None,
    return_lse: bool = False,
    align: str = "bottom_right",
    out: Any = None,
    threads: Optional[int] = None,
    stream: Any = None,
    session: Optional[Session] = None,
) -> Any:
    """softmax(score(scale * q k^T)) v over the pairs of a pattern.

    The first call compiles (tens of milliseconds on the CPU); other lengths, batches,
    head counts and values of arrays compile nothing. Nothing is copied.

    q: [B, Hq, Nq, D], k: [B, Hkv, Nk, D], v: [B, Hkv, Nk, Dv] with Hq a multiple of Hkv;
        float32, bfloat16 or float16 arrays with DLPack (numpy, torch, jax, cupy) on one
        device. Any strides on a GPU; on the CPU the last dimension is contiguous, so that
        [B, N, H, D] tensors are passed transposed, without a copy.
    pattern: which pairs attend, or a kernel of girih.compile.
    scale: multiplies q.k; None: 1 / sqrt(D).
    score: what becomes of scale * q.k; see girih.score.
    return_lse: return (out, lse), lse [B, Hq, Nq] float32, the natural log of the sum of
        exponentials; -inf where a query sees nothing (its output is 0).
    align: "bottom_right": the last query stands at the last key; "top_left": the first at
        the first.
    out: [B, Hq, Nq, Dv] of q's dtype and device, written and returned; it shares no element
        with q, k and v, but may be interleaved with them, as in a buffer [B, N, 4, H, D] of
        all four. None: a new array of q's framework.
    threads: on the CPU, up to 4096; None: every core, or GIRIH_NUM_THREADS.
    stream: an integer or a stream of torch or cupy; None: the framework's current one. On
        a GPU the call returns when the work is enqueued.

    It computes with what tensors hold when it is called. What records calls to make them
    later wants girih.torch.attention or girih.jax.attention, and says so.
    """
    _frameworks.refuse_tracing(q, k, v)
    if not isinstance(pattern, Kernel):
        if type(pattern) is not Pattern or score is not None:
            _require(pattern, score)
        if session is None:
            session = default_session()
        return launch(
            session,
            pattern,
            score,
            q,
            k,
            v,
            scale,
            return_lse,
            0 if align == "bottom_right" else _options.align_number(align),
            out,
            threads,
            stream,
        )
    if score is not None or align != "bottom_right":
        raise WrongTypeError("expected no score and align beside a kernel, which was compiled with its own")
    if session is not None:
        session.check_member(pattern)
    return pattern(q, k, v, scale=scale, return_lse=return_lse, out=out, threads=threads, stream=stream)


def compile(  # noqa: A001
    pattern: Pattern,
    *,
    head_dim: int,
    v_dim: Optional[int] = None,
    dtype: Any = "float32",
    device: str = "cpu",
    score: Optional[Score] = None,
    align: str = "bottom_right",
    tile: Optional[Tuple[int, int]] = None,
    chip: Optional[str] = None,
    session: Optional[Session] = None,
) -> Kernel:
    """A kernel, ahead of its first launch; call it as kernel(q, k, v).

    head_dim, v_dim: D of q and k, Dv of v (None: D); 1 to 256.
    dtype: of q, k, v and the output: float32, bfloat16 or float16, of any framework.
    device: "cpu" or "cuda".
    tile: (queries, keys) of a tile; None: chosen.
    chip: an LLVM CPU name, or "sm_90a", "sm_80", "sm_86", "sm_89"; None: this machine's.
    """
    return (session or default_session()).compile(
        pattern,
        head_dim=head_dim,
        v_dim=v_dim,
        dtype=dtype,
        device=device,
        score=score,
        align=align,
        tile=tile,
        chip=chip,
    )


__all__ = ["attention", "compile"]
