# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Girih in PyTorch.

::

    import girih, girih.torch

    out = girih.torch.attention(q, k, v, girih.causal & girih.window(left=1023))
    out = girih.torch.flex_attention(q, k, v, score_mod, mask_mod=mask_mod)

Both are the registered operator ``girih::attention`` on CPU and CUDA: torch.compile keeps
it in the graph, it launches on the current CUDA stream, and strided inputs are not
copied. There is no backward pass yet.

=============  =====================================================================
_operator      what PyTorch knows of the operator: schema, fake, autograd, vmap
_objects       operands of the operator as patterns and scores
_checks        what is asked of tensors, real or fake
_lowering      patterns, masks and score functions as text and tables
_block_mask    what PyTorch's BlockMask means
_execution     which code runs while a function is traced
_captures      when a function must be traced again
_handles       functions in compiled graphs
_flex          flex_attention
=============  =====================================================================
"""

from __future__ import annotations

from typing import Any, Callable, Literal, Optional, Tuple, Union, overload

import torch

from .._errors import InvalidError
from .._patterns import Pattern
from .._scores import Score
from . import _lowering
from ._checks import scale_of
from ._flex import AuxOutput, AuxRequest, flex_attention
from ._operator import attention as _attention

_Mask = Union[Pattern, Callable[[Any, Any, Any, Any], Any]]
_Score = Union[Score, Callable[[Any, Any, Any, Any, Any], Any], None]


@overload
def attention(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    pattern: _Mask,
    *,
    scale: Optional[float] = ...,
    score: _Score = ...,
    return_lse: Literal[False] = ...,
    align: str = ...,
) -> torch.Tensor: ...
@overload
def attention(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    pattern: _Mask,
    *,
    scale: Optional[float] = ...,
    score: _Score = ...,
    return_lse: Literal[True],
    align: str = ...,
) -> Tuple[torch.Tensor, torch.Tensor]: ...
@overload
def attention(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    pattern: _Mask,
    *,
    scale: Optional[float] = ...,
    score: _Score = ...,
    return_lse: bool,
    align: str = ...,
) -> Union[torch.Tensor, Tuple[torch.Tensor, torch.Tensor]]: ...
def attention(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    pattern: _Mask,
    *,
    scale: Optional[float] = None,
    score: _Score = None,
    return_lse: bool = False,
    align: str = "bottom_right",
) -> Union[torch.Tensor, Tuple[torch.Tensor, torch.Tensor]]:
    """softmax(score(scale * q k^T)) v over the pairs of a pattern.

    q: [B, Hq, Nq, D] float32, bfloat16 or float16, on the CPU or a CUDA device. Strides are
       anything on CUDA; on the CPU the last one is 1. `x.transpose(1, 2)` of a
       [B, N, H, D] tensor is as good as a contiguous one.
    k, v: [B, Hkv, Nk, D] and [B, Hkv, Nk, Dv] of q's dtype, Hq a multiple of Hkv; D and Dv
       from 1 to 256.
    pattern: a `girih.Pattern`, or a condition (b, h, q, k) -> bool.
    scale: multiplies q.k; None: 1 / sqrt(D).
    score: a `girih.Score`, or a function (score, b, h, q, k) -> score.
    return_lse: whether to return (out, lse), lse [B, Hq, Nq] float32: the natural
       log-sum-exp of the scores, -inf where a query sees nothing (out is 0 there).
    align: where queries stand when Nq != Nk: "bottom_right": query i at position
       i + Nk - Nq; "top_left": at i.

    Returns out [B, Hq, Nq, Dv] of q's dtype, contiguous. Inputs with requires_grad where
    gradients are recorded, and inputs with tangents (torch.func.jvp) anywhere, are a
    girih.UnsupportedError, which is a RuntimeError: there are no derivatives yet.
    """
    if align not in ("bottom_right", "top_left"):
        raise InvalidError(f'expected align "bottom_right" or "top_left", but got {align!r}')
    mask = _lowering.lower_pattern(pattern)
    scores = _lowering.lower_score(score)
    out, lse = _attention(
        q,
        k,
        v,
        mask.tables,
        scores.tables,
        mask.text,
        scores.text,
        scale_of(q, scale),
        align,
        return_lse,
    )
    return (out, lse) if return_lse else out


__all__ = ["AuxOutput", "AuxRequest", "attention", "flex_attention"]
