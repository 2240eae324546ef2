# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the operator asks of its tensors, real or fake."""

from __future__ import annotations

import math
from typing import Any, NoReturn

import torch
from torch.autograd import forward_ad

from .._errors import InvalidError, UnsupportedError
from .._options import check_shapes, scale_number

_DTYPES = (torch.float32, torch.bfloat16, torch.float16)


def check_tensors(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> None:
    """Raises unless the tensors fit together; says what launches say."""
    for name, tensor in (("q", q), ("k", k), ("v", v)):
        if tensor.layout != torch.strided:
            raise UnsupportedError(f"expected {name} to be a dense tensor, but got {tensor.layout}")
        if tensor.dim() != 4:
            raise InvalidError(
                f"expected {name} to have 4 dimensions [batch, heads, tokens, dim], but got shape "
                f"{tuple(tensor.shape)}"
            )
        if tensor.dtype not in _DTYPES:
            raise UnsupportedError(
                f"expected {name} to have dtype float32, bfloat16, float16, but got "
                f"{str(tensor.dtype)[6:]}"
            )
        if tensor.dtype != q.dtype:
            raise InvalidError(
                f"expected q and {name} of one dtype, but got {str(q.dtype)[6:]} and "
                f"{str(tensor.dtype)[6:]}"
            )
        if tensor.device != q.device:
            raise InvalidError(
                f"expected q and {name} on one device, but got q on {q.device} and {name} on "
                f"{tensor.device}"
            )
    check_shapes(q.shape, k.shape, v.shape)


def scale_of(q: torch.Tensor, scale: Any) -> Any:
    """A given scale, checked, or 1 / sqrt(D); anything for what is no tensor of attention, which
    the operator refuses."""
    if type(scale) is float or isinstance(scale, (torch.SymFloat, torch.SymInt)):
        return scale
    if scale is None:
        return 1.0 / math.sqrt(max(1, q.shape[-1])) if q.dim() else 1.0
    return scale_number(scale)


def check_gradients(*tensors: torch.Tensor) -> None:
    """Raises when the result would have to have a gradient, or a tangent."""
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        refuse_gradients()
    if forward_ad._current_level >= 0:  # torch.no_grad does not turn it off
        for tensor in tensors:
            dual: Any = forward_ad.unpack_dual(tensor)  # type: ignore[no-untyped-call]
            if dual.tangent is not None:
                refuse_gradients()


def refuse_gradients() -> NoReturn:
    """Raises."""
    raise UnsupportedError(
        "expected inputs without requires_grad and without tangents: girih has no backward pass yet, "
        "and no forward-mode derivatives; call it under torch.no_grad() or torch.inference_mode() (a "
        "tangent remains there), or detach the inputs"
    )
