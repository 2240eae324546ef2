# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""FlexAttention's front end over the operator."""

from __future__ import annotations

import warnings
from typing import Any, Callable, Mapping, NamedTuple, Optional, Union

import torch
from torch.nn.attention.flex_attention import BlockMask

from .._errors import InvalidError, UnsupportedError
from .._patterns import Pattern
from .._scores import Score
from . import _lowering
from ._checks import scale_of
from ._language import Operands
from ._operator import attention as _attention

try:
    from torch.nn.attention.flex_attention import AuxOutput, AuxRequest
except ImportError:  # PyTorch before 2.9

    class AuxRequest(NamedTuple):  # type: ignore[no-redef]
        """Which results besides the output are wanted."""

        lse: bool = False
        max_scores: bool = False

    class AuxOutput(NamedTuple):  # type: ignore[no-redef]
        """Results besides the output; None where not asked for."""

        lse: Optional[torch.Tensor] = None
        max_scores: Optional[torch.Tensor] = None


MaskMod = Callable[[Any, Any, Any, Any], Any]
ScoreMod = Callable[[Any, Any, Any, Any, Any], Any]


def flex_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    score_mod: Union[ScoreMod, Score, None] = None,
    block_mask: Union[BlockMask, Pattern, MaskMod, None] = None,
    scale: Optional[float] = None,
    enable_gqa: bool = False,
    return_lse: bool = False,
    kernel_options: Optional[Mapping[str, Any]] = None,
    *,
    return_aux: Optional[AuxRequest] = None,
    mask_mod: Union[MaskMod, Pattern, None] = None,
) -> Any:
    """`torch.nn.attention.flex_attention.flex_attention` by Girih's kernels.

    Arguments and results are those of PyTorch's function, and queries count from 0 as
    they do there, also where there are fewer of them than keys. What differs:

    - It needs no torch.compile (and works under it); a new shape compiles nothing.
    - `mask_mod` takes the mask function itself, or a pattern. Nothing quadratic is made
      of it, as create_block_mask does. `block_mask` takes either of them, too.
    - A BlockMask means what its lists and its mask_mod mean together. Lists that only say
      what mask_mod says, which the first use finds out, are left aside.
    - `kernel_options` are about Triton's kernels and have no effect; a warning says so.

    query: [B, Hq, L, E] float32, bfloat16 or float16, any strides (CPU: the last one 1).
    key, value: [B or 1, Hkv, S, E] and [B or 1, Hkv, S, Ev] of the same dtype.
    Returns the output [B, Hq, L, Ev] of query's dtype; with `return_lse` also the natural
    log-sum-exp [B, Hq, L] in float32, -inf where a query sees nothing; with `return_aux`
    (output, AuxOutput).
    """
    if return_lse and return_aux is not None:
        raise InvalidError("expected return_lse or return_aux, but got both")
    if return_aux is not None and return_aux.max_scores:
        raise UnsupportedError(
            "expected return_aux without max_scores, but got max_scores=True; supported: "
            "AuxRequest(lse=True)"
        )
    if kernel_options:
        warnings.warn(
            "kernel_options are about Triton's kernels and have no effect on Girih's",
            stacklevel=2,
        )
    four = query.dim() == 4 and key.dim() == 4 and value.dim() == 4  # else the operator complains
    if four and not enable_gqa and query.shape[1] != key.shape[1]:
        raise InvalidError(
            f"expected key of query's {query.shape[1]} heads, but got {key.shape[1]}; grouped-query "
            "attention wants enable_gqa=True"
        )
    if four and query.shape[0] != 1 and key.shape[0] == 1 and value.shape[0] == 1:
        batch = query.shape[0]
        key, value = key.expand(batch, -1, -1, -1), value.expand(batch, -1, -1, -1)

    wants_lse = return_lse or (return_aux is not None and return_aux.lse)
    pattern = _mask(block_mask, mask_mod, query, key)
    score = _lowering.lower_score(score_mod)
    out, lse = _attention(
        query,
        key,
        value,
        pattern.tables,
        score.tables,
        pattern.text,
        score.text,
        scale_of(query, scale),
        "top_left",
        wants_lse,
    )
    if return_aux is not None:
        return out, AuxOutput(lse=lse if wants_lse else None)
    return (out, lse) if return_lse else out


def _mask(block_mask: Any, mask_mod: Any, query: torch.Tensor, key: torch.Tensor) -> Operands:
    """The pattern of the two arguments that can state one."""
    if block_mask is None:
        return _lowering.FULL if mask_mod is None else _lowering.lower_pattern(mask_mod)
    if mask_mod is not None:
        raise InvalidError("expected block_mask or mask_mod, but got both")
    if not isinstance(block_mask, BlockMask):
        return _lowering.lower_pattern(block_mask)
    if query.dim() != 4 or key.dim() != 4:  # the operator complains
        return _lowering.FULL
    for number, (name, there) in enumerate((("batch", query.shape[0]), ("heads", query.shape[1]))):
        size = block_mask.kv_num_blocks.shape[number]
        if size != 1 and size != there:
            raise InvalidError(
                f"expected block_mask for {name} of 1 or {there} (query's), but got {size}"
            )
    for number, (name, there) in enumerate((("query", query.shape[2]), ("key", key.shape[2]))):
        if block_mask.seq_lengths[number] != there:
            raise InvalidError(
                f"expected block_mask for the {there} tokens of {name}, but got one for "
                f"{block_mask.seq_lengths[number]}; mask_mod= takes the function for any length"
            )
    return _lowering.lower_block_mask(block_mask)


__all__ = ["AuxOutput", "AuxRequest", "flex_attention"]
