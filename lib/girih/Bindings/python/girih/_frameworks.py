# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How tensors of a framework are read, made, and ordered among its own work.

numpy and torch are read directly, which takes less than a microsecond a tensor. Any
other framework goes through DLPack.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any, ContextManager, Dict, Hashable, Optional, Tuple

from . import _dlpack
from ._errors import InvalidError, UnsupportedError, WrongTypeError
from ._options import Layout, dtype_name


class Numpy:
    """numpy.ndarray, bfloat16 of ml_dtypes included."""

    @staticmethod
    def key(array: Any) -> Hashable:
        """What a prepared launch depends on."""
        return (array.dtype, array.shape, array.strides)

    @staticmethod
    def address(array: Any) -> int:
        address: int = array.__array_interface__["data"][0]
        return address

    @staticmethod
    def layout(name: str, array: Any) -> Layout:
        size = array.dtype.itemsize
        if any(stride % size for stride in array.strides):
            raise InvalidError(f"expected strides of {name} to be multiples of {size} bytes, but got "
                               f"{array.strides}")
        if not array.dtype.isnative:
            raise UnsupportedError(f"expected {name} in the byte order of this machine, but got "
                                   f"{array.dtype.str}")
        strides = tuple(stride // size for stride in array.strides)
        return Layout(array.dtype.name, (_dlpack.CPU, 0), array.shape, strides)

    @staticmethod
    def check(name: str, array: Any, write: bool) -> None:
        """Before each launch."""
        if write and not array.flags.writeable:
            raise InvalidError(f"expected {name} to be writable memory, but got one that is read-only")

    @staticmethod
    def empty(shape: Tuple[int, ...], dtype: str, like: Any) -> Any:
        import numpy

        return numpy.empty(shape, like.dtype if dtype == like.dtype.name else dtype)

    @staticmethod
    def stream(device: Any) -> int:
        return 0


class Torch:
    """torch.Tensor on the CPU and on CUDA devices."""

    @staticmethod
    def key(tensor: Any) -> Hashable:
        return (tensor.dtype, tensor.device, tensor.shape, tensor.stride())

    @staticmethod
    def address(tensor: Any) -> int:
        address: int = tensor.data_ptr()
        return address

    @staticmethod
    def layout(name: str, tensor: Any) -> Layout:
        import torch

        if tensor.layout != torch.strided:
            raise UnsupportedError(f"expected {name} to be a dense tensor, but got {tensor.layout}")
        device = tensor.device
        if device.type not in ("cpu", "cuda"):
            raise UnsupportedError(f"expected {name} on the CPU or a CUDA device, but got {device}")
        kind = _dlpack.CPU if device.type == "cpu" else _dlpack.CUDA
        index = device.index or 0
        return Layout(dtype_name(tensor.dtype), (kind, index), tuple(tensor.shape), tensor.stride())

    @staticmethod
    def is_tracing(tensors: Tuple[Any, ...]) -> bool:
        """Whether the call would be recorded or transformed, rather than made: in torch.jit.trace,
        under modes of proxies and fake tensors (make_fx, torch.export), and for tensors that
        torch.func transforms. Other modes and transforms look on."""
        C = sys.modules["torch"]._C
        if C._functorch.peek_interpreter_stack() is not None:
            if any(C._functorch.is_functorch_wrapped_tensor(one) for one in tensors):
                return True
        return C._get_tracing_state() is not None or any(
            C._get_dispatch_mode(kind) is not None
            for kind in (C._TorchDispatchModeKey.PROXY, C._TorchDispatchModeKey.FAKE)
        )

    @staticmethod
    def check(name: str, tensor: Any, write: bool) -> None:
        if tensor.requires_grad and sys.modules["torch"].is_grad_enabled():
            raise UnsupportedError(
                f"expected {name} without requires_grad, but got one with it: there is no backward "
                "pass yet; call .detach(), or run under torch.no_grad()"
            )
        if tensor.is_neg():  # memory holds the opposite, as in x.conj().imag
            raise InvalidError(f"expected {name} without a pending negation; call .resolve_neg()")

    @staticmethod
    def empty(shape: Tuple[int, ...], dtype: str, like: Any) -> Any:
        torch = sys.modules["torch"]
        if torch._C._functorch.peek_interpreter_stack() is not None:
            with torch._C._DisableFuncTorch():  # which would wrap it, and constants are not
                return torch.empty(shape, dtype=getattr(torch, dtype), device=like.device)
        return torch.empty(shape, dtype=getattr(torch, dtype), device=like.device)

    @staticmethod
    def stream(device: Any) -> int:
        torch = sys.modules["torch"]
        handle: int = torch.cuda.current_stream(device[1]).cuda_stream
        return handle


def refuse_tracing(q: Any, k: Any, v: Any) -> None:
    """Refuses tensors that stand for values of later; their memory holds nothing."""
    tensors = (q, k, v)
    torch = sys.modules.get("torch")
    of_torch = () if torch is None else tuple([one for one in tensors if isinstance(one, torch.Tensor)])
    if of_torch and Torch.is_tracing(of_torch):
        raise UnsupportedError(
            "expected tensors with values, but got a call that torch.jit.trace or make_fx records, or "
            "that torch.func transforms; girih.torch.attention is the operator for these"
        )
    if torch is not None and torch.autograd.forward_ad._current_level >= 0:
        for name, one in zip("qkv", tensors):
            if isinstance(one, torch.Tensor) and torch.autograd.forward_ad.unpack_dual(one).tangent is not None:
                raise UnsupportedError(
                    f"expected {name} without a tangent, but got one with it: there are no forward-mode "
                    "derivatives; call .detach()"
                )
    if type(q) in _direct and type(k) in _direct and type(v) in _direct:
        return
    jax = sys.modules.get("jax")
    if jax is not None and any(isinstance(one, jax.core.Tracer) for one in tensors):
        raise UnsupportedError(
            "expected arrays with values, but got a tracer of jax; girih.jax.attention is the function "
            "for jax.jit and its like"
        )


def direct(q: Any, k: Any, v: Any, out: Any) -> Optional[Any]:
    """`Numpy` or `Torch` when all tensors are of that framework, else None."""
    framework = _of(type(q))
    if _of(type(k)) is not framework or _of(type(v)) is not framework:
        return None
    return framework if out is None or _of(type(out)) is framework else None


_direct: Dict[type, Any] = {}


def _of(kind: type) -> Optional[Any]:
    """The framework that tensors of exactly this type are read by."""
    found = _direct.get(kind)
    if found is not None:
        return found
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None and kind is numpy.ndarray:
        _direct[kind] = Numpy
    elif torch is not None and kind in (torch.Tensor, torch.nn.Parameter):
        _direct[kind] = Torch
    return _direct.get(kind)


def fill(array: Any, value: float) -> Any:
    """The array with `value` in all of its elements; one of jax is a new one."""
    if 0 in getattr(array, "shape", ()):
        return array
    jax = sys.modules.get("jax")
    if jax is not None and isinstance(array, jax.Array):
        return jax.numpy.full_like(array, value)
    if hasattr(array, "__setitem__"):
        array[...] = value
        return array
    raise WrongTypeError(f"expected out to be an array that takes values, but got {type(array).__name__}")


def on_stream(array: Any, stream: Optional[int], device: Tuple[int, int]) -> ContextManager[Any]:
    """A context in which work of the array's framework goes to a CUstream; None: to its own."""
    torch, cupy = sys.modules.get("torch"), sys.modules.get("cupy")
    if stream is not None and torch is not None and isinstance(array, torch.Tensor):
        made: ContextManager[Any] = torch.cuda.stream(torch.cuda.ExternalStream(stream, device=device[1]))
        return made
    if stream is not None and cupy is not None and isinstance(array, cupy.ndarray):
        return cupy.cuda.ExternalStream(stream, device[1])  # type: ignore[no-any-return]
    return contextlib.nullcontext()


def empty(shape: Tuple[int, ...], dtype: str, like: Any, device: Tuple[int, int]) -> Any:
    """A new array of the framework of `like`, on its device."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if torch is not None and isinstance(like, torch.Tensor):
        return Torch.empty(shape, dtype, like)
    if numpy is not None and isinstance(like, numpy.ndarray):
        return Numpy.empty(shape, dtype, like)
    jax = sys.modules.get("jax")
    if jax is not None and isinstance(like, jax.Array):
        # Arrays of jax do not change for who holds them, and nobody holds this one yet.
        made = jax.numpy.empty(shape, dtype, device=like.device)
        return made.block_until_ready()
    cupy = sys.modules.get("cupy")
    if cupy is not None and isinstance(like, cupy.ndarray):
        with like.device:
            return cupy.empty(shape, dtype)
    if hasattr(like, "__array_namespace__"):
        namespace = like.__array_namespace__()
        return namespace.empty(shape, dtype=getattr(namespace, dtype), device=like.device)
    raise WrongTypeError(
        f"expected q to be an array of numpy, torch, jax or cupy, but got {type(like).__name__}; "
        "pass out= (and no return_lse) to say where the result goes"
    )


def stream_handle(stream: Any, device: Tuple[int, int]) -> int:
    """The CUstream of what the caller gave as `stream`, checked against the tensors' device."""
    if device[0] != _dlpack.CUDA:
        raise InvalidError(
            f"expected no stream for tensors on {_dlpack.describe(device)}, but got {stream!r}"
        )
    owner = getattr(getattr(stream, "device", None), "index", getattr(stream, "device_id", None))
    if owner is not None and owner >= 0 and owner != device[1]:
        raise InvalidError(
            f"expected a stream of {_dlpack.describe(device)}, where the tensors are, but got one of "
            f"CUDA device {owner}"
        )
    if isinstance(stream, int) and not isinstance(stream, bool):
        return stream
    for name in ("cuda_stream", "ptr"):
        if isinstance(getattr(stream, name, None), int):
            return int(getattr(stream, name))
    if hasattr(stream, "__cuda_stream__"):
        _, handle = stream.__cuda_stream__()
        return int(handle)
    raise WrongTypeError(
        f"expected stream to be an integer or a stream of torch or cupy, but got {type(stream).__name__}"
    )


def current_stream(value: Any, device: Tuple[int, int]) -> int:
    """The stream that the framework of `value` works on now."""
    if device[0] != _dlpack.CUDA:
        return 0
    torch, cupy = sys.modules.get("torch"), sys.modules.get("cupy")
    if torch is not None and isinstance(value, torch.Tensor):
        return Torch.stream(device)
    if cupy is not None and isinstance(value, cupy.ndarray):
        return int(cupy.cuda.get_current_stream().ptr)
    return 0
