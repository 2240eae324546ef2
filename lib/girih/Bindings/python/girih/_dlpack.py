# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tensors of any framework as DLTensor, through the DLPack protocol.

A capsule is taken as the protocol says: its name is checked, it is renamed, so that
nobody takes it twice, and the producer's deleter is called when the launch is done.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any, List, Optional, Tuple

from ._errors import InvalidError, WrongTypeError
from ._library import load

CPU, CUDA, CUDA_HOST = 1, 2, 3
#: Flags of a versioned tensor.
READ_ONLY, IS_COPIED = 1, 2
#: The newest version of DLPack that we read.
MAX_VERSION = (1, 1)

_is_valid = ctypes.pythonapi.PyCapsule_IsValid
_is_valid.argtypes, _is_valid.restype = [ctypes.py_object, ctypes.c_char_p], ctypes.c_int
_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.argtypes, _pointer.restype = [ctypes.py_object, ctypes.c_char_p], ctypes.c_void_p
_set_name = ctypes.pythonapi.PyCapsule_SetName
_set_name.argtypes, _set_name.restype = [ctypes.py_object, ctypes.c_char_p], ctypes.c_int

# A capsule keeps a pointer to its name.
_USED, _USED_VERSIONED = b"used_dltensor", b"used_dltensor_versioned"


class Borrowed:
    """A tensor that a framework lent; `release` gives it back.

    tensor: cffi's DLTensor *, valid until then.
    """

    __slots__ = ("tensor", "_managed", "_source")

    def __init__(self, tensor: Any, managed: Any, source: Any) -> None:
        self.tensor = tensor
        self._managed = managed
        self._source = source

    def release(self) -> None:
        managed, self._managed = self._managed, None
        if managed is not None and managed.deleter:
            managed.deleter(managed)


def device_of(name: str, value: Any) -> Tuple[int, int]:
    """DLPack's (device type, id) of an array."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.ma.MaskedArray):
        raise InvalidError(
            f"expected {name} without a mask, but got a masked array; array.filled(value) has none"
        )
    probe = getattr(value, "__dlpack_device__", None)
    if probe is None or not hasattr(value, "__dlpack__"):
        raise WrongTypeError(
            f"expected {name} to be an array with __dlpack__ (numpy, torch, jax, cupy), but got "
            f"{type(value).__name__}"
        )
    kind, index = probe()
    return int(kind), int(index)


def _export(name: str, value: Any, device: Tuple[int, int], stream: Optional[int]) -> Any:
    options = {} if device[0] != CUDA else {"stream": stream or 1}
    try:
        try:
            return value.__dlpack__(max_version=MAX_VERSION, **options)
        except TypeError:  # from before DLPack 1.0
            return value.__dlpack__(**options)
    except BufferError as error:
        raise InvalidError(f"expected {name} to be a tensor that can be exported, but {error}") from None


def borrow(
    name: str, value: Any, device: Tuple[int, int], stream: Optional[int], write: bool = False
) -> Borrowed:
    """Takes the tensor of `value`, for reading or for writing.

    stream: the CUstream of the launch; None or 0: the default stream.
    """
    ffi, _ = load()
    capsule = _export(name, value, device, stream)
    if _is_valid(capsule, b"dltensor_versioned"):
        managed = ffi.cast("DLManagedTensorVersioned *", _pointer(capsule, b"dltensor_versioned"))
        if managed.version.major > MAX_VERSION[0]:
            raise InvalidError(
                f"expected {name} to speak DLPack {MAX_VERSION[0]}, but got {managed.version.major}"
            )
        flags = int(managed.flags)
        _set_name(capsule, _USED_VERSIONED)
    elif _is_valid(capsule, b"dltensor"):
        managed = ffi.cast("DLManagedTensor *", _pointer(capsule, b"dltensor"))
        flags = 0
        _set_name(capsule, _USED)
    elif _is_valid(capsule, _USED) or _is_valid(capsule, _USED_VERSIONED):
        raise InvalidError(
            f"expected a new DLPack capsule of {name}, but got one that was taken before; a capsule "
            "can be used once"
        )
    else:
        raise WrongTypeError(
            f"expected __dlpack__ of {name} to return a DLPack capsule, but got "
            f"{type(capsule).__name__}"
        )
    borrowed = Borrowed(ffi.addressof(managed, "dl_tensor"), managed, value)
    if write and flags & (READ_ONLY | IS_COPIED):
        borrowed.release()
        kind = "read-only" if flags & READ_ONLY else "a copy"
        raise InvalidError(f"expected {name} to be writable memory, but got one that is {kind}")
    return borrowed


def describe(device: Tuple[int, int]) -> str:
    """A device in words."""
    names = {CPU: "the CPU", CUDA_HOST: "page-locked memory", CUDA: f"CUDA device {device[1]}"}
    return names.get(device[0], f"a device of DLPack's type {device[0]}")


def same_device(named: List[Tuple[str, Tuple[int, int]]]) -> Tuple[int, int]:
    """The one device of all, or an error that names the two that differ."""
    first, device = named[0]
    for name, other in named[1:]:
        if other != device:
            raise InvalidError(
                f"expected {first} and {name} on one device, but got {first} on {describe(device)} "
                f"and {name} on {describe(other)}"
            )
    return device
