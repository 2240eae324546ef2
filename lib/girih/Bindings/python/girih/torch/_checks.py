# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the operator asks of its tensors, real or fake."""

from __future__ import annotations

import torch

from .._errors import InvalidError, UnsupportedError

_DTYPES = (torch.float32, torch.bfloat16, torch.float16)
_MAX_DIM = 256


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
    for what, there, here in (
        ("batch of k", q.shape[0], k.shape[0]),
        ("batch of v", q.shape[0], v.shape[0]),
        ("head dim of k", q.shape[3], k.shape[3]),
        ("heads of v", k.shape[1], v.shape[1]),
        ("length of v", k.shape[2], v.shape[2]),
    ):
        if there != here:
            raise InvalidError(f"expected the {what} to be {there}, but got {here}")
    if k.shape[1] < 1 or q.shape[1] % k.shape[1] != 0:
        raise InvalidError(
            f"expected heads of q to be a multiple of heads of k, but got {q.shape[1]} and {k.shape[1]}"
        )
    for dim in (q.shape[3], v.shape[3]):
        if not 1 <= dim <= _MAX_DIM:
            raise UnsupportedError(
                f"head dims {q.shape[3]} and {v.shape[3]} are not supported; supported: 1 to {_MAX_DIM}"
            )


def check_gradients(*tensors: torch.Tensor) -> None:
    """Raises when the result would have to have a gradient."""
    if torch.is_grad_enabled():
        for tensor in tensors:
            if tensor.requires_grad:
                raise RuntimeError(
                    "expected inputs without requires_grad: girih has no backward pass yet; call it "
                    "under torch.no_grad() or torch.inference_mode(), or detach the inputs"
                )
