# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Data types and options, as names and as the numbers of the C API."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Tuple

from ._errors import InvalidError, UnsupportedError

F32, BF16, F16 = 0, 1, 2

#: GirihDType and DLPack's (code, bits) by name.
DTYPES: Dict[str, int] = {"float32": F32, "bfloat16": BF16, "float16": F16}
DLPACK_DTYPES: Dict[int, Tuple[int, int]] = {F32: (2, 32), BF16: (4, 16), F16: (2, 16)}
NAMES: Dict[int, str] = {number: name for name, number in DTYPES.items()}
SUPPORTED = "float32, bfloat16, float16"

ALIGNS: Dict[str, int] = {"bottom_right": 0, "top_left": 1}


def dtype_name(dtype: Any) -> str:
    """"float32" of torch.float32, numpy.dtype("float32"), jax.numpy.float32, "float32"."""
    if isinstance(dtype, str):
        return dtype
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
    return str(name).replace("torch.", "")


def dtype_number(name: str, dtype: Any) -> int:
    """The GirihDType of `dtype`; `name` is the argument, for messages."""
    text = dtype_name(dtype)
    number = DTYPES.get(text)
    if number is None:
        raise UnsupportedError(f"expected {name} to have dtype {SUPPORTED}, but got {text}")
    return number


def align_number(align: Any) -> int:
    number = ALIGNS.get(align) if isinstance(align, str) else None
    if number is None:
        raise InvalidError(f"expected align to be 'bottom_right' or 'top_left', but got {align!r}")
    return number


def count(name: str, value: Any, least: int) -> int:
    """An integer argument of at least `least`."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"expected {name} to be an integer, but got {type(value).__name__}")
    number = int(value.__index__())
    if not least <= number < 1 << 31:
        raise InvalidError(f"expected {name} to be at least {least}, but got {number}")
    return number


class Layout(NamedTuple):
    """What a launch must know of a tensor beside its address; strides count elements."""

    dtype: str
    device: Tuple[int, int]
    shape: Tuple[int, ...]
    strides: Optional[Tuple[int, ...]]


class KernelOptions(NamedTuple):
    """The fields of GirihCompileOptions that the package sets."""

    device: int
    dtype: int
    o_dtype: int
    head_dim: int
    v_dim: int
    align: int
    tile_q: int = 0
    tile_k: int = 0
    chip: Optional[str] = None
