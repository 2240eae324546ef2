# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The operator ``girih::attention`` and what PyTorch must know of it.

Registered through ``torch.library.Library``, not ``torch.library.custom_op``: a call of
an empty operator of these operands takes 3.5 us with the one and 7.6 us with the other.

A pattern is text of the pattern language. Compiled graphs may have ``$N`` there, a function
that is traced when the graph runs (`_handles`), and for a BlockMask its sizes and lengths
behind the name, and its lists as tables. A score is text of the score language, ``$N``, or
empty.
"""

from __future__ import annotations

import os
from typing import Any, Callable, List, Optional, Sequence, Tuple

import torch
from torch.autograd import forward_ad

from .._errors import UnsupportedError
from .._launch import launch
from .._options import align_number
from .._session import default_session
from . import _lowering, _objects
from ._checks import check_gradients, check_tensors
from ._language import depends_on_batch, is_handle

#: `tables` are what `pattern` names @t0, @t1, ..., `score_tables` what `score` does.
#: lse: whether the second result is wanted; it has no elements otherwise.
SCHEMA = (
    "attention(Tensor q, Tensor k, Tensor v, Tensor[] tables, Tensor[] score_tables, str pattern, "
    "str score, float scale, str align, bool lse) -> (Tensor out, Tensor lse)"
)

#: Whether launches on the CPU use as many threads as PyTorch's operators do.
_FOLLOWS_TORCH = not os.environ.get("GIRIH_NUM_THREADS")

#: How many modes see operators, and the innermost transform of torch.func.
_dispatch_modes = torch._C._len_torch_dispatch_stack
_transforms = torch._C._functorch.peek_interpreter_stack

_library: Any = torch.library.Library("girih", "DEF")  # type: ignore[no-untyped-call]
_library.define(SCHEMA, tags=(torch.Tag.pt2_compliant_tag,))

#: The operator: (q [B, Hq, Nq, D], k [B, Hkv, Nk, D], v [B, Hkv, Nk, Dv], tables,
#: score_tables, pattern, score, scale, align, lse) -> (out [B, Hq, Nq, Dv] of q's dtype,
#: contiguous; lse [B, Hq, Nq] f32).
attention: Callable[..., Tuple[torch.Tensor, torch.Tensor]] = torch.ops.girih.attention.default


def _run(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    tables: Sequence[torch.Tensor],
    score_tables: Sequence[torch.Tensor],
    pattern: str,
    score: str,
    scale: float,
    align: str,
    lse: bool,
) -> Tuple[torch.Tensor, torch.Tensor]:
    """The operator on tensors with memory."""
    if not (q.numel() and k.numel() and v.numel()):
        return _run_without_elements(q, k, v, lse)
    if is_handle(pattern):
        pattern, tables = _lowering.resolve_pattern(pattern, tables)
    if is_handle(score):
        score, score_tables = _lowering.resolve_score(score)
    session = default_session()
    what: Any = _objects.pattern_of(pattern, tables)
    how: Any = _objects.score_of(score, score_tables) if score or score_tables else None
    result = launch(
        session,
        what,
        how,
        q,
        k,
        v,
        scale,
        lse,
        0 if align == "bottom_right" else align_number(align),
        None,
        torch.get_num_threads() if _FOLLOWS_TORCH else None,
        None,
    )
    return result if lse else (result, q.new_empty((0,), dtype=torch.float32))


def _run_without_elements(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, lse: bool
) -> Tuple[torch.Tensor, torch.Tensor]:
    """No query, or nothing that one could see."""
    check_tensors(q, k, v)
    out = q.new_zeros((*q.shape[:3], v.shape[3]))
    sums = q.new_full(q.shape[:3] if lse else (0,), float("-inf"), dtype=torch.float32)
    return out, sums


def _fake(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    tables: Sequence[torch.Tensor],
    score_tables: Sequence[torch.Tensor],
    pattern: str,
    score: str,
    scale: float,
    align: str,
    lse: bool,
) -> Tuple[torch.Tensor, torch.Tensor]:
    """Shapes and dtypes of the results, for fake and meta tensors."""
    check_tensors(q, k, v)
    batch, heads, num_q, _ = q.shape
    return (
        q.new_empty((batch, heads, num_q, v.shape[3])),
        q.new_empty((batch, heads, num_q) if lse else (0,), dtype=torch.float32),
    )


def _autograd(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    tables: Sequence[torch.Tensor],
    score_tables: Sequence[torch.Tensor],
    pattern: str,
    score: str,
    scale: float,
    align: str,
    lse: bool,
) -> Tuple[torch.Tensor, torch.Tensor]:
    """Refuses gradients, which without it would silently be missing."""
    if torch.is_grad_enabled() or forward_ad._current_level >= 0:
        check_gradients(q, k, v, *score_tables)
    # PyTorch's dispatcher takes as long as the rest of a call. Between this key and the
    # backends there are only modes, transforms and subclasses.
    if (
        type(q) is type(k) is type(v) is torch.Tensor
        and (q.is_cpu and k.is_cpu and v.is_cpu or q.is_cuda and k.is_cuda and v.is_cuda)
        and not _dispatch_modes()
        and _transforms() is None
    ):
        return _run(q, k, v, tables, score_tables, pattern, score, scale, align, lse)
    with torch._C._AutoDispatchBelowAutograd():
        return attention(q, k, v, tables, score_tables, pattern, score, scale, align, lse)


def _autocast(device: str) -> Any:
    """The rule of scaled_dot_product_attention: the lower precision, of what is floating but
    not float64."""

    def run(
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        *rest: Any,
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        dtype = torch.get_autocast_dtype(device)
        cast = [
            x.to(dtype) if x.is_floating_point() and x.dtype != torch.float64 else x for x in (q, k, v)
        ]
        with torch.autocast(device, enabled=False):
            return attention(*cast, *rest)

    return run


def _fold(tensor: torch.Tensor) -> Optional[torch.Tensor]:
    """[V, B, ...] as [V * B, ...], or None where that would be a copy."""
    try:
        return tensor.view(-1, *tensor.shape[2:])
    except RuntimeError:
        return None


def _vmap(
    info: Any,
    in_dims: Tuple[Any, ...],
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    tables: Sequence[torch.Tensor],
    score_tables: Sequence[torch.Tensor],
    pattern: str,
    score: str,
    *rest: Any,
) -> Tuple[Tuple[torch.Tensor, torch.Tensor], Tuple[int, int]]:
    """One launch with a larger batch where that is the same and needs no copy, else one
    launch for each sample."""
    for name, dims in (("tables", in_dims[3]), ("score_tables", in_dims[4])):
        if any(dim is not None for dim in dims or ()):
            raise UnsupportedError(
                f"expected {name} to be the same for all samples of vmap, but got a batched one"
            )
    stacked: List[torch.Tensor] = [
        tensor.unsqueeze(0).expand(info.batch_size, *tensor.shape) if dim is None else tensor.movedim(dim, 0)
        for tensor, dim in zip((q, k, v), in_dims)
    ]
    if not depends_on_batch(pattern) and not depends_on_batch(score):
        folded = [_fold(tensor) for tensor in stacked]
        if all(tensor is not None for tensor in folded):
            results = attention(*folded, tables, score_tables, pattern, score, *rest)
            out, lse = (
                result.view(info.batch_size, -1, *result.shape[1:])
                if result.dim() > 1  # lse where it is not wanted
                else result.expand(info.batch_size, 0)
                for result in results
            )
            return (out, lse), (0, 0)
    samples = [attention(*sample, tables, score_tables, pattern, score, *rest) for sample in zip(*stacked)]
    return (torch.stack([out for out, _ in samples]), torch.stack([lse for _, lse in samples])), (0, 0)


_library.impl("attention", _run, "CPU")
_library.impl("attention", _run, "CUDA")
_library.impl("attention", _autograd, "Autograd")
_library.impl("attention", _autocast("cpu"), "AutocastCPU")
_library.impl("attention", _autocast("cuda"), "AutocastCUDA")
torch.library.register_fake("girih::attention", _fake, lib=_library)
torch.library.register_vmap("girih::attention", _vmap, lib=_library)
