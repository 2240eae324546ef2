# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Data types and options, as names and as the numbers of the C API."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Sequence, Tuple

from ._errors import InvalidError, UnsupportedError, WrongTypeError

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


#: Most threads of a launch, and the largest of the C API's numbers.
MAX_THREADS, MAX_INT32, MAX_INT64 = 4096, (1 << 31) - 1, (1 << 63) - 1


def count(name: str, value: Any, least: int, most: int = MAX_INT32) -> int:
    """An integer argument from `least` to `most`."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise WrongTypeError(f"expected {name} to be an integer, but got {type(value).__name__}")
    number = int(value.__index__())
    if number < least:
        raise InvalidError(f"expected {name} to be at least {least}, but got {number}")
    if number > most:
        raise InvalidError(f"expected {name} to be at most {most}, but got {number}")
    return number


def scale_number(scale: Any) -> float:
    """A given scale, which must be a number."""
    if isinstance(scale, (str, bytes)) or not hasattr(scale, "__float__"):
        raise WrongTypeError(f"expected scale to be a number, but got {type(scale).__name__}")
    if getattr(scale, "shape", ()) != ():
        raise WrongTypeError(f"expected scale to be a number, but got an array of shape {tuple(scale.shape)}")
    try:
        number = float(scale)
    except OverflowError:
        raise InvalidError("expected scale to be finite, but got an integer beyond all floats") from None
    except (TypeError, ValueError, RuntimeError) as error:
        raise WrongTypeError(f"expected scale to be a number, but got {type(scale).__name__}: {error}") from None
    if number != number:
        raise InvalidError("expected scale to be finite, but got nan")
    return number


#: Kinds of devices by name, as DLPack numbers them.
DEVICES: Dict[str, int] = {"cpu": 1, "cuda": 2}


def device_number(device: Any) -> int:
    """The kind of a device that is given by name."""
    if not isinstance(device, str):
        raise WrongTypeError(f"expected device to be 'cpu' or 'cuda', but got {device!r}")
    if device not in DEVICES:
        raise InvalidError(f"expected device to be 'cpu' or 'cuda', but got {device!r}")
    return DEVICES[device]


_MAX_DIM = 256


def check_shapes(q: Sequence[Any], k: Sequence[Any], v: Sequence[Any]) -> None:
    """Raises unless shapes [batch, heads, tokens, dim] fit together; says what launches say."""
    for what, there, here in (
        ("batch of k", q[0], k[0]),
        ("batch of v", q[0], v[0]),
        ("head dim of k", q[3], k[3]),
        ("heads of v", k[1], v[1]),
        ("length of v", k[2], v[2]),
    ):
        if there != here:
            raise InvalidError(f"expected the {what} to be {there}, but got {here}")
    if q[1] != k[1] and (k[1] < 1 or q[1] % k[1] != 0):
        raise InvalidError(
            f"expected heads of q to be a multiple of heads of k, but got {q[1]} and {k[1]}"
        )
    for dim in (q[3], v[3]):
        if not 1 <= dim <= _MAX_DIM:
            raise UnsupportedError(
                f"head dims {q[3]} and {v[3]} are not supported; supported: 1 to {_MAX_DIM}"
            )


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
    device_id: int = 0
    chip: Optional[str] = None
