# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernels by name, and the library whose functions XLA calls.

A program of XLA holds the name of a kernel: a digest of all that it computes, tables
included. Programs that come from JAX's compilation cache name kernels that tracing has
made already; programs of `jax.export` may come where nobody has (see girih.jax.prepare).
Kernels are held for good: nobody can say when the last program that names one is gone.
"""

from __future__ import annotations

import ctypes
import hashlib
import math
import os
import threading
from typing import Any, NamedTuple, Optional, Set

import jax

from .. import _library, _options
from .._errors import InternalError
from .._options import KernelOptions
from .._patterns import Pattern
from .._scores import Score
from .._session import default_session

#: What programs call.
TARGET = "girih_attention"
#: JAX's names of platforms, and XLA's.
PLATFORMS = {"cpu": "cpu", "cuda": "CUDA"}
_DEVICES = {"cpu": 1, "cuda": 2}
_HANDLERS = {"cpu": "girihXlaAttentionCpu", "cuda": "girihXlaAttentionCuda"}


class Spec(NamedTuple):
    """What is computed, and a static argument of traced functions."""

    pattern: Pattern
    score: Optional[Score]
    align: str


_lock = threading.Lock()
#: Names that programs may hold. Their kernels have a reference that nobody gives back,
#: not even when the interpreter ends: programs may still run then.
_kept: Set[str] = set()


def _load() -> Any:
    """libgirih_xla.so, registered with JAX; it is beside libgirih.so."""
    path = os.path.join(os.path.dirname(os.path.abspath(_library.path())), "libgirih_xla.so")
    if not os.path.exists(path):
        raise ImportError(
            f"expected to find {path}, but there is no such file: girih was built where no jaxlib was "
            "installed; install jaxlib and build again (pip install --no-build-isolation .)"
        )
    library = ctypes.CDLL(path)
    keep = library.girihXlaKeepKernel
    keep.argtypes, keep.restype = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p], ctypes.c_int
    ffi: Any = jax.ffi
    for platform, name in PLATFORMS.items():
        handler = ffi.pycapsule(getattr(library, _HANDLERS[platform]))
        ffi.register_ffi_target(TARGET, handler, platform=name)
    return library


_handlers = _load()


def _digest(spec: Spec, options: KernelOptions) -> str:
    """Of everything that makes a kernel another one."""
    digest = hashlib.sha256(_library.version().encode())
    for part in (spec.pattern, spec.score):
        text, tables = part._render() if part is not None else ("", {})
        digest.update(repr((text, [(name, t.shape, t.is_float) for name, t in tables.items()])).encode())
        for table in tables.values():
            digest.update(ctypes.string_at(table.address, math.prod(table.shape) * (4 if table.is_float else 8)))
    digest.update(repr(options).encode())
    return digest.hexdigest()


def named(spec: Spec, dtype: Any, head_dim: int, v_dim: int, platform: str) -> str:
    """The name of the kernel, which is compiled unless there is one."""
    number = _options.dtype_number("dtype", dtype)
    options = KernelOptions(
        device=_DEVICES[platform],
        dtype=number,
        o_dtype=number,
        head_dim=head_dim,
        v_dim=v_dim,
        align=_options.align_number(spec.align),
    )
    kernel = default_session().kernel(spec.pattern, spec.score, options)
    name = _digest(spec, options)
    with _lock:
        if name not in _kept:
            ffi, lib = _library.load()
            address = int(ffi.cast("intptr_t", ffi.addressof(lib, "girihAttention")))
            handle = int(ffi.cast("intptr_t", kernel._handle))
            if _handlers.girihXlaKeepKernel(name.encode(), handle, address):
                raise InternalError("expected memory for the name of a kernel, but there is none")
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(kernel))
            _kept.add(name)
    return name
