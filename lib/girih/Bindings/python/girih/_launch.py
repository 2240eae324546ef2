# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One launch: from arrays of a framework to girihAttention and back.

Launches of numpy and torch tensors are prepared once for their layouts: a repeated
call looks the prepared structs up, writes addresses into them and calls C.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any, List, Optional, Set, Tuple, Union

from . import _dlpack, _frameworks, _options
from ._errors import InvalidError, UnsupportedError
from ._kernel import Kernel, tick
from ._library import fail, load
from ._options import KernelOptions, Layout
from ._text import is_torch_tensor

if TYPE_CHECKING:
    from ._patterns import Pattern
    from ._scores import Score
    from ._session import Session

_NAMES = ("q", "k", "v")


class Frame:
    """The C structs of one launch. One thread uses a frame at a time."""

    __slots__ = ("args", "status", "addresses", "keep", "function", "handle", "null")

    def __init__(self, handle: Any, layouts: List[Optional[Layout]]) -> None:
        """layouts: of q, k, v, o and lse (None: not wanted)."""
        ffi, lib = load()
        self.function = lib.girihAttention
        self.handle = handle
        self.null = ffi.NULL
        self.args = ffi.new("GirihAttentionArgs *")
        self.args.size = ffi.sizeof("GirihAttentionArgs")
        self.status = ffi.new("GirihStatus *")
        self.addresses: List[Any] = []
        self.keep: List[Any] = []
        for field, layout in zip(("q", "k", "v", "o", "lse"), layouts):
            if layout is None:
                continue
            tensor = ffi.new("DLTensor *")
            shape = ffi.new("int64_t[]", list(layout.shape))
            strides = ffi.NULL if layout.strides is None else ffi.new("int64_t[]", list(layout.strides))
            code, bits = _options.DLPACK_DTYPES[_options.DTYPES[layout.dtype]]
            tensor.device.device_type, tensor.device.device_id = layout.device
            tensor.ndim = len(layout.shape)
            tensor.dtype.code, tensor.dtype.bits, tensor.dtype.lanes = code, bits, 1
            tensor.shape, tensor.strides = shape, strides
            setattr(self.args, field, tensor)
            self.addresses.append(ffi.cast("uintptr_t *", ffi.addressof(tensor, "data")))
            self.keep += [tensor, shape, strides]

    def call(self) -> None:
        if self.function(self.handle, self.args, self.null, self.status):
            fail(self.status)


class Plan:
    """A prepared launch: a kernel (None: nothing to compute), layouts, and frames that wait
    for the next call."""

    __slots__ = ("kernel", "layouts", "o_shape", "lse_shape", "dtype", "device", "free")

    def __init__(self, kernel: Optional[Kernel], layouts: List[Optional[Layout]], return_lse: bool) -> None:
        """layouts: of q, k, v and a given out."""
        q, v = layouts[0], layouts[2]
        assert q is not None and v is not None
        self.kernel = kernel
        self.dtype, self.device = q.dtype, q.device
        self.o_shape = (*q.shape[:3], v.shape[3])
        self.lse_shape = q.shape[:3]
        o = layouts[3] or Layout(q.dtype, q.device, self.o_shape, None)
        lse = Layout("float32", q.device, self.lse_shape, None) if return_lse else None
        self.layouts = [*layouts[:3], o, lse]
        self.free: List[Frame] = []


def _check_layouts(layouts: List[Layout]) -> Tuple[int, Tuple[int, int]]:
    """The GirihDType and the device of q, k and v, which must agree."""
    for name, layout in zip(_NAMES, layouts):
        if len(layout.shape) != 4:
            raise InvalidError(
                f"expected {name} to have 4 dimensions [batch, heads, tokens, dim], but got shape "
                f"{tuple(layout.shape)}"
            )
    numbers = [_options.dtype_number(name, layout.dtype) for name, layout in zip(_NAMES, layouts)]
    for name, layout in zip(_NAMES[1:], layouts[1:]):
        if layout.dtype != layouts[0].dtype:
            raise InvalidError(
                f"expected q and {name} of one dtype, but got {layouts[0].dtype} and {layout.dtype}"
            )
    return numbers[0], _dlpack.same_device(
        [(name, layout.device) for name, layout in zip(_NAMES, layouts)]
    )


def _kernel_for(
    session: "Session",
    pattern: Union["Pattern", Kernel],
    score: Optional["Score"],
    align: int,
    layouts: List[Layout],
) -> Optional[Kernel]:
    """The kernel of a launch; None where there is nothing to compute."""
    number, device = _check_layouts(layouts)
    if _is_empty(layouts):
        _options.check_shapes(*[layout.shape for layout in layouts])
        if isinstance(pattern, Kernel):
            _check_options(pattern.options, number, layouts)
        return None
    kind = _dlpack.CPU if device[0] == _dlpack.CUDA_HOST else device[0]
    if isinstance(pattern, Kernel):
        session.check_member(pattern)
        session.keep(pattern)
        return pattern
    options = KernelOptions(
        device=kind,
        device_id=device[1] if kind == _dlpack.CUDA else 0,
        dtype=number,
        o_dtype=number,
        head_dim=layouts[0].shape[3],
        v_dim=layouts[2].shape[3],
        align=align,
    )
    return session.kernel(pattern, score, options)


def launch(
    session: "Session",
    pattern: Union["Pattern", Kernel],
    score: Optional["Score"],
    q: Any,
    k: Any,
    v: Any,
    scale: Optional[float],
    return_lse: bool,
    align: int,
    out: Any,
    threads: Optional[int],
    stream: Any,
) -> Any:
    """girih.attention behind its checks of types."""
    framework = _frameworks.direct(q, k, v, out)
    if framework is None:
        return _launch_any(
            session, pattern, score, q, k, v, scale, return_lse, align, out, threads, stream
        )
    key_of = framework.key
    # Kernels know their options; patterns are told apart by text and arrays.
    key = (
        pattern,
        score,
        align,
        return_lse,
        key_of(q),
        key_of(k),
        key_of(v),
        None if out is None else key_of(out),
    )
    plan = session.plans.get(key)
    if plan is None:
        plan = _prepare(session, framework, pattern, score, q, k, v, align, return_lse, out, key)
    check = framework.check
    check("q", q, False)
    check("k", k, False)
    check("v", v, False)
    if out is None:
        out = framework.empty(plan.o_shape, plan.dtype, q)
    else:
        check("out", out, True)
    lse = framework.empty(plan.lse_shape, "float32", q) if return_lse else None
    factor, width = _scale(scale), _threads(threads)
    kernel = plan.kernel
    if stream is not None:
        stream = _frameworks.stream_handle(stream, plan.device)
    if kernel is None:
        return _of_nothing(out, lse, stream, plan.device)
    kernel.used = tick()

    try:
        frame = plan.free.pop()
    except IndexError:
        frame = Frame(kernel._handle, plan.layouts)
    address, addresses, args = framework.address, frame.addresses, frame.args
    addresses[0][0] = address(q)
    addresses[1][0] = address(k)
    addresses[2][0] = address(v)
    addresses[3][0] = address(out)
    if lse is not None:
        addresses[4][0] = address(lse)
    args.scale, args.threads = factor, width
    if stream is not None:
        args.stream = _cuda_stream(stream)
    elif plan.device[0] == _dlpack.CUDA:
        args.stream = _cuda_stream(framework.stream(plan.device))
    frame.call()
    if plan.device[0] == _dlpack.CUDA:
        _hold_captured(kernel)
    plan.free.append(frame)
    return out if lse is None else (out, lse)


def _scale(scale: Optional[float]) -> float:
    """As the C API has it."""
    return math.nan if scale is None else _options.scale_number(scale)


def _threads(threads: Optional[int]) -> int:
    """As the C API has it."""
    return 0 if threads is None else _options.count("threads", threads, 0, _options.MAX_THREADS)


#: Kernels that CUDA graphs use: for good, since nobody can say when the last graph is gone.
_captured: Set[Kernel] = set()


def _hold_captured(kernel: Kernel) -> None:
    """After a launch that a graph may have recorded, on whatever stream."""
    if kernel.is_captured:
        _captured.add(kernel)


def _is_empty(layouts: List[Layout]) -> bool:
    """Whether there is no query, or nothing that one could see."""
    q, k, _ = layouts
    return 0 in q.shape[:3] or 0 in k.shape[1:3]


def _check_options(options: KernelOptions, dtype: int, layouts: List[Layout]) -> None:
    """That tensors fit a kernel, as launches do."""
    for name, what, wanted, got in (
        ("dtype", "q", _options.NAMES[options.dtype], _options.NAMES[dtype]),
        ("the head dim", "q", options.head_dim, layouts[0].shape[3]),
        ("the head dim", "v", options.v_dim, layouts[2].shape[3]),
    ):
        if wanted != got:
            raise InvalidError(f"expected {name} of {what} to be {wanted}, but got {got}")


def _of_nothing(out: Any, lse: Any, stream: Optional[int], device: Tuple[int, int]) -> Any:
    """The results of queries that see nothing. stream: the CUstream that was given."""
    with _frameworks.on_stream(out, stream, device):
        out = _frameworks.fill(out, 0)
        return out if lse is None else (out, _frameworks.fill(lse, -math.inf))


def _cuda_stream(handle: int) -> Any:
    ffi, _ = load()
    return ffi.cast("void *", handle)


def _prepare(
    session: "Session",
    framework: Any,
    pattern: Any,
    score: Any,
    q: Any,
    k: Any,
    v: Any,
    align: int,
    return_lse: bool,
    out: Any,
    key: Any,
) -> Plan:
    named = list(zip(_NAMES, (q, k, v)))
    layouts: List[Layout] = [framework.layout(name, tensor) for name, tensor in named]
    given = None if out is None else framework.layout("out", out)
    kernel = _kernel_for(session, pattern, score, align, layouts)
    if given is not None:
        _check_out(given, layouts)
    plan = Plan(kernel, [*layouts, given], return_lse)
    if kernel is None:
        return plan
    session.add_plan(key, plan)
    return plan


def _check_out(out: Layout, layouts: List[Layout]) -> None:
    q, _, v = layouts
    if out.dtype != q.dtype:
        raise InvalidError(f"expected out to have dtype {q.dtype}, as q has, but got {out.dtype}")
    _dlpack.same_device([("q", q.device), ("out", out.device)])
    shape = (*q.shape[:3], v.shape[3])
    if tuple(out.shape) != shape:
        raise InvalidError(f"expected out to have shape {shape}, but got {tuple(out.shape)}")


def _layout_of(name: str, tensor: Any) -> Layout:
    """Of a borrowed DLTensor."""
    kinds = {(2, 32): "float32", (4, 16): "bfloat16", (2, 16): "float16", (2, 64): "float64"}
    rank, code, bits = int(tensor.ndim), int(tensor.dtype.code), int(tensor.dtype.bits)
    dtype = kinds.get((code, bits), f"DLPack's type {code} of {bits} bits")
    if tensor.dtype.lanes != 1:
        dtype = f"vectors of {tensor.dtype.lanes}"
    device = (int(tensor.device.device_type), int(tensor.device.device_id))
    return Layout(dtype, device, tuple(int(tensor.shape[i]) for i in range(rank)), None)


def _launch_any(
    session: "Session",
    pattern: Any,
    score: Any,
    q: Any,
    k: Any,
    v: Any,
    scale: Optional[float],
    return_lse: bool,
    align: int,
    out: Any,
    threads: Optional[int],
    stream: Any,
) -> Any:
    """Through DLPack: any framework, also several at once."""
    ffi, _ = load()
    jax = sys.modules.get("jax")
    if jax is not None and isinstance(out, jax.Array):
        raise InvalidError(
            "expected out to be an array that may be written, but got one of jax, where others hold its "
            "value; without out there is a new one"
        )
    inputs = list(zip(_NAMES, (q, k, v)))
    named = inputs + ([] if out is None else [("out", out)])
    device = _dlpack.same_device([(name, _dlpack.device_of(name, value)) for name, value in named])
    if stream is None:
        handle = _frameworks.current_stream(q, device)
    else:
        handle = _frameworks.stream_handle(stream, device)
    borrowed: List[_dlpack.Borrowed] = []
    try:
        for name, value in inputs:
            borrowed.append(_dlpack.borrow(name, _lendable(name, value), device, handle))
        layouts = [_layout_of(name, one.tensor) for name, one in zip(_NAMES, borrowed)]
        kernel = _kernel_for(session, pattern, score, align, layouts)
        shape = (*layouts[0].shape[:3], layouts[2].shape[3])
        if out is None:
            out = _frameworks.empty(shape, layouts[0].dtype, q, device)
        lse = (
            _frameworks.empty(layouts[0].shape[:3], "float32", q, device) if return_lse else None
        )
        for name, value in [("out", out)] + ([] if lse is None else [("lse", lse)]):
            borrowed.append(_dlpack.borrow(name, value, device, handle, write=True))
        _check_out(_layout_of("out", borrowed[3].tensor), layouts)
        factor, width = _scale(scale), _threads(threads)
        if kernel is None:
            return _of_nothing(out, lse, None if stream is None else handle, device)
        frame = Frame(kernel._handle, [])
        for field, one in zip(("q", "k", "v", "o", "lse"), borrowed):
            setattr(frame.args, field, one.tensor)
        frame.args.scale, frame.args.threads = factor, width
        frame.args.stream = ffi.cast("void *", handle)
        frame.call()
        if device[0] == _dlpack.CUDA:
            _hold_captured(kernel)
    finally:
        for one in borrowed:
            one.release()
    return out if lse is None else (out, lse)


def _lendable(name: str, value: Any) -> Any:
    """What DLPack may export of a tensor: torch refuses those with requires_grad anywhere."""
    if not is_torch_tensor(value):
        return value
    if type(value).__torch_dispatch__ is not sys.modules["torch"].Tensor.__torch_dispatch__:
        raise UnsupportedError(
            f"expected {name} to be a tensor with memory of its own, but got {type(value).__name__}; "
            "girih.torch.attention is the operator for these"
        )
    _frameworks.Torch.check(name, value, False)
    return value.detach()
