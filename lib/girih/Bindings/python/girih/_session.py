# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Sessions: compilers, and the kernels that they have made."""

from __future__ import annotations

import math
import os
import threading
import weakref
from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

from . import _options
from ._errors import InvalidError, WrongTypeError
from ._kernel import Kernel, tick
from ._library import c_text, call, fail, load, take_text
from ._options import KernelOptions
from ._patterns import Pattern
from ._progress import progress
from ._report import Report
from ._scores import Score
from ._text import Table

#: Kernels that a session keeps at hand, and bytes of their tables; others are compiled code on
#: disk again.
MAX_KERNELS, MAX_TABLE_BYTES = 128, 256 << 20

#: Prepared launches; beyond them a session starts again.
MAX_PLANS = 256

#: Of GirihReport.
_REPORTS = {"text": 0, "json": 1, "svg": 2}


class Session:
    """A compiler with its kernels; also a context manager. May be used by many threads.

    Most programs need none: what takes no session uses one of the process. A child made
    by fork() cannot use the sessions and kernels of its parent; it gets one of its own.

    A session keeps the 128 kernels at hand that were launched or asked for last, and of
    those with tables no more than fit 256 MiB (the last always): kernels hold copies of
    their tables, and the library has its own, so that this is some 700 MB. To run one again
    that is not at hand takes as long as to load it from disk.

    cache_dir: folder of compiled kernels; None: the user's (GIRIH_CACHE_DIR); "": none.
    cache_size: bytes there before the least recently used go, 0: no limit; None:
        GIRIH_CACHE_SIZE.
    """

    def __init__(
        self, cache_dir: Optional[Union[str, "os.PathLike[str]"]] = None, cache_size: Optional[int] = None
    ) -> None:
        ffi, lib = load()
        self._ffi, self._lib = ffi, lib
        options = ffi.new("GirihSessionOptions *")
        options.size = ffi.sizeof("GirihSessionOptions")
        folder = None if cache_dir is None else c_text("cache_dir", os.fspath(cache_dir))
        options.cache_dir = ffi.NULL if folder is None else folder
        options.cache_bytes = -1 if cache_size is None else _options.count("cache_size", cache_size, 0, _options.MAX_INT64)
        made = ffi.new("GirihSession **")
        call(lib.girihSessionCreate, options, made)
        self._handle: Any = ffi.gc(made[0], lib.girihSessionRelease)
        self._lock = threading.Lock()
        self._patterns: "weakref.WeakKeyDictionary[Pattern, Any]" = weakref.WeakKeyDictionary()
        self._scores: "weakref.WeakKeyDictionary[Score, Any]" = weakref.WeakKeyDictionary()
        self._kernels: Dict[Any, Kernel] = {}
        #: Bytes of their tables.
        self._held = 0
        #: Kernels by text: those of other tables are made from them without compiling.
        self._by_text: Dict[Any, Kernel] = {}
        #: Launches that are prepared (_launch.py); changed under the lock only.
        self.plans: Dict[Any, Any] = {}

    # -- life ---------------------------------------------------------------

    def __enter__(self) -> "Session":
        self._open()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the compiler back. Kernels that were made stay usable."""
        with self._lock:
            handle, self._handle = self._handle, None
            self._kernels.clear()
            self._held = 0
            self._by_text.clear()
            self._patterns.clear()
            self._scores.clear()
            self.plans = {}
        del handle

    def _open(self) -> Any:
        handle = self._handle
        if handle is None:
            raise InvalidError("expected an open session, but got one that was closed")
        return handle

    @property
    def compilations(self) -> int:
        """How many kernels were really compiled, neither found in memory nor on disk."""
        return int(self._lib.girihSessionCompilations(self._open()))

    @property
    def cache_problem(self) -> Optional[str]:
        """Why kernels could not be written to the disk cache; None while all were."""
        text = self._lib.girihSessionCacheProblem(self._open())
        return None if text == self._ffi.NULL else take_text(text)

    # -- texts --------------------------------------------------------------

    def _parse(self, function: Any, text: str, tables: Mapping[str, Table], kind: str) -> Any:
        ffi = self._ffi
        array = ffi.new("GirihTable[]", len(tables))
        names = [ffi.new("char[]", name.encode()) for name in tables]
        for entry, name, table in zip(array, names, tables.values()):
            entry.name = name
            entry.data = ffi.cast("void *", table.address)
            entry.dtype = 1 if table.is_float else 0
            entry.rank = len(table.shape)
            for dimension, extent in enumerate(table.shape):
                entry.shape[dimension] = extent
        made = ffi.new(f"Girih{kind} **")
        call(function, self._open(), c_text("the text", text), array, len(tables), made)
        return ffi.gc(made[0], getattr(self._lib, f"girih{kind}Release"))

    def _pattern(self, pattern: Pattern) -> Any:
        """The GirihPattern of a pattern here."""
        handle = self._patterns.get(pattern)
        if handle is None:
            text, tables = pattern._render()
            handle = self._parse(self._lib.girihPatternParse, text, tables, "Pattern")
            with self._lock:
                self._patterns[pattern] = handle
        return handle

    def _score(self, score: Optional[Score]) -> Any:
        """The GirihScore of a score function here; null for None."""
        if score is None:
            return self._ffi.NULL
        handle = self._scores.get(score)
        if handle is None:
            text, tables = score._render()
            handle = self._parse(self._lib.girihScoreParse, text, tables, "Score")
            with self._lock:
                self._scores[score] = handle
        return handle

    # -- kernels ------------------------------------------------------------

    def _fill(self, options: KernelOptions, score: Any) -> Tuple[Any, Any]:
        """GirihCompileOptions, and what it points to."""
        ffi = self._ffi
        filled = ffi.new("GirihCompileOptions *")
        filled.size = ffi.sizeof("GirihCompileOptions")
        for field in KernelOptions._fields[:-1]:
            setattr(filled, field, getattr(options, field))
        chip = None if options.chip is None else c_text("chip", options.chip)
        filled.chip = ffi.NULL if chip is None else chip
        filled.score = score
        return filled, (chip, score)

    def kernel(self, pattern: Pattern, score: Optional[Score], options: KernelOptions) -> Kernel:
        """The kernel of these: at hand, rebound to other tables, or compiled."""
        key = (pattern, score, options)
        kernel = self._kernels.get(key)
        if kernel is not None:
            kernel.used = tick()
            return kernel
        text = _text_key(pattern, score, options)
        base = self._by_text.get(text)
        handle, hit = None, True
        if base is not None:
            handle = self._rebind(base, pattern, score)
        if handle is None:
            handle, hit = self._compile(pattern, score, options)
        kernel = Kernel(self, handle, pattern, score, options, hit)
        with self._lock:
            self._open()
            self._keep(kernel)
            self._by_text[text] = kernel
            while len(self._by_text) > MAX_KERNELS:
                del self._by_text[next(iter(self._by_text))]
        return kernel

    def add_plan(self, key: Any, plan: Any) -> None:
        """Has a prepared launch at hand, as long as its kernel is."""
        with self._lock:
            kernel = plan.kernel
            if self._kernels.get((kernel.pattern, kernel.score, kernel.options)) is not kernel:
                return
            if len(self.plans) >= MAX_PLANS:
                self.plans = {}
            self.plans[key] = plan

    def keep(self, kernel: Kernel) -> None:
        """Has the kernel at hand again, as the one used last."""
        with self._lock:
            if self._handle is not None:
                self._keep(kernel)

    def _keep(self, kernel: Kernel) -> None:
        kernel.used = tick()
        key = (kernel.pattern, kernel.score, kernel.options)
        kernels = self._kernels
        if kernels.get(key) is kernel:
            return
        if key in kernels:
            self._drop(key)
        kernels[key] = kernel
        self._held += kernel.table_bytes
        while len(kernels) > MAX_KERNELS:
            self._drop(min(kernels, key=lambda key: kernels[key].used))
        while self._held > max(MAX_TABLE_BYTES, kernel.table_bytes):
            with_tables = [key for key, one in kernels.items() if one.table_bytes]
            self._drop(min(with_tables, key=lambda key: kernels[key].used))

    def _drop(self, key: Any) -> None:
        """Lets a kernel go, and what else holds its tables."""
        kernel = self._kernels.pop(key)
        if not kernel.table_bytes:
            return
        self._held -= kernel.table_bytes
        for launch in [launch for launch, plan in self.plans.items() if plan.kernel is kernel]:
            del self.plans[launch]
        text = _text_key(*key)
        if self._by_text.get(text) is kernel:
            del self._by_text[text]

    def _compile(
        self, pattern: Pattern, score: Optional[Score], options: KernelOptions
    ) -> Tuple[Any, bool]:
        ffi, lib = self._ffi, self._lib
        filled, owned = self._fill(options, self._score(score))
        made, hit = ffi.new("GirihKernel **"), ffi.new("int32_t *")
        handle = self._pattern(pattern)
        with progress(f"girih: compiling {pattern.text}"):
            call(lib.girihCompile, self._open(), handle, filled, made, hit)
        del owned
        return ffi.gc(made[0], lib.girihKernelRelease), bool(hit[0])

    def _rebind(self, base: Kernel, pattern: Pattern, score: Optional[Score]) -> Any:
        """The code of `base` with other tables; None where more than tables differs."""
        ffi, lib = self._ffi, self._lib
        made, status = ffi.new("GirihKernel **"), ffi.new("GirihStatus *")
        code = lib.girihKernelRebind(
            base._handle, self._pattern(pattern), self._score(score), made, status
        )
        if code == lib.GIRIH_INVALID:
            return None
        if code:
            fail(status)
        return ffi.gc(made[0], lib.girihKernelRelease)

    def compile(
        self,
        pattern: Pattern,
        *,
        head_dim: int,
        v_dim: Optional[int] = None,
        dtype: Any = "float32",
        device: str = "cpu",
        score: Optional[Score] = None,
        align: str = "bottom_right",
        tile: Optional[Tuple[int, int]] = None,
        chip: Optional[str] = None,
    ) -> Kernel:
        """Compiles a kernel ahead of its first launch; see girih.compile."""
        _require(pattern, score)
        kind = _options.device_number(device)
        number = _options.dtype_number("dtype", dtype)
        if tile is not None and (not isinstance(tile, (tuple, list)) or len(tile) != 2):
            raise WrongTypeError(f"expected tile to be a pair (queries, keys), but got {tile!r}")
        if chip is not None and not isinstance(chip, str):
            raise WrongTypeError(f"expected chip to be a name, but got {type(chip).__name__} {chip!r}")
        tile_q, tile_k = (0, 0) if tile is None else tile
        dim = _options.count("head_dim", head_dim, 1)
        options = KernelOptions(
            device=kind,
            dtype=number,
            o_dtype=number,
            head_dim=dim,
            v_dim=dim if v_dim is None else _options.count("v_dim", v_dim, 1),
            align=_options.align_number(align),
            tile_q=_options.count("tile", tile_q, 0),
            tile_k=_options.count("tile", tile_k, 0),
            chip=chip,
        )
        return self.kernel(pattern, score, options)

    # -- questions ----------------------------------------------------------

    def _lengths(
        self, n: int, k_len: Optional[int], heads: int, kv_heads: Optional[int], batch: int, align: str
    ) -> Any:
        lengths = self._ffi.new("GirihLengths *")
        lengths.size = self._ffi.sizeof("GirihLengths")
        lengths.align = _options.align_number(align)
        lengths.batch = _options.count("batch", batch, 1)
        lengths.heads = _options.count("heads", heads, 1)
        lengths.kv_heads = lengths.heads if kv_heads is None else _options.count("kv_heads", kv_heads, 1)
        lengths.num_q = _options.count("n", n, 0)
        lengths.num_k = lengths.num_q if k_len is None else _options.count("k_len", k_len, 0)
        return lengths

    def explain(
        self,
        pattern: Pattern,
        n: int,
        k_len: Optional[int] = None,
        *,
        heads: int = 1,
        kv_heads: Optional[int] = None,
        batch: int = 1,
        dim: int = 64,
        v_dim: Optional[int] = None,
        dtype: Any = "float32",
        device: str = "cpu",
        align: str = "bottom_right",
    ) -> Report:
        """What a pattern keeps, skips and costs; see Pattern.explain."""
        _require(pattern, None)
        lengths = self._lengths(n, k_len, heads, kv_heads, batch, align)
        number = _options.dtype_number("dtype", dtype)
        options = KernelOptions(
            device=_options.device_number(device),
            dtype=number,
            o_dtype=number,
            head_dim=_options.count("dim", dim, 1),
            v_dim=_options.count("v_dim", dim if v_dim is None else v_dim, 1),
            align=lengths.align,
        )

        def write(kind: str) -> str:
            filled, owned = self._fill(options, self._ffi.NULL)
            text = self._ffi.new("char **")
            handle = self._pattern(pattern)
            with progress(f"girih: explaining {pattern.text}"):
                call(
                    self._lib.girihExplain,
                    self._open(),
                    handle,
                    lengths,
                    filled,
                    _REPORTS[kind],
                    text,
                )
            del owned
            return take_text(text[0])

        return Report(write)

    def mask(
        self,
        pattern: Pattern,
        n: int,
        k_len: Optional[int] = None,
        *,
        heads: Optional[int] = None,
        batch: Optional[int] = None,
        align: str = "bottom_right",
    ) -> Any:
        """Which pairs attend, as an array; see Pattern.mask."""
        import numpy

        _require(pattern, None)
        lengths = self._lengths(
            n, k_len, 1 if heads is None else heads, None, 1 if batch is None else batch, align
        )
        shape = (lengths.batch, lengths.heads, lengths.num_q, lengths.num_k)
        if math.prod(shape) > 1 << 34:
            raise InvalidError(f"expected a mask of at most 2^34 pairs, but got shape {shape}")
        mask = numpy.empty(shape, dtype=numpy.bool_)
        ffi = self._ffi
        tensor = ffi.new("DLTensor *")
        extents = ffi.new("int64_t[4]", list(shape))
        tensor.data = ffi.cast("void *", mask.ctypes.data)
        tensor.device.device_type = 1
        tensor.ndim = 4
        tensor.dtype.code, tensor.dtype.bits, tensor.dtype.lanes = 1, 8, 1
        tensor.shape = extents
        call(self._lib.girihPatternMask, self._pattern(pattern), lengths, tensor)
        if batch is not None:
            return mask
        return mask[0] if heads is not None else mask[0, 0]

    def text(self, pattern: Pattern) -> str:
        """The pattern as the compiler prints it."""
        text = self._ffi.new("char **")
        call(self._lib.girihPatternText, self._pattern(pattern), text)
        return take_text(text[0])

    def emit(self, kernel: Kernel, stage: str) -> str:
        """The IR of a kernel after a stage: girih, blocks, tile, cpu, ws, llvm, asm or ptx."""
        self.check_member(kernel)
        filled, owned = self._fill(kernel.options, self._score(kernel.score))
        text = self._ffi.new("char **")
        handle = self._pattern(kernel.pattern)
        call(self._lib.girihEmit, self._open(), handle, filled, c_text("stage", stage), text)
        del owned
        return take_text(text[0])

    def check_member(self, kernel: Kernel) -> None:
        """Refuses a kernel of another session."""
        if kernel.session is not self:
            raise InvalidError("expected a kernel of this session, but got one of another session")


def _text_key(pattern: Pattern, score: Optional[Score], options: KernelOptions) -> Any:
    """What kernels have in common that differ in the values of their tables only."""
    return pattern.text, _ranks(pattern), score and (score.text, _ranks(score)), options


def _ranks(value: Union[Pattern, Score]) -> Tuple[Tuple[int, bool], ...]:
    return tuple((len(table.shape), table.is_float) for table in value._render()[1].values())


def _require(pattern: Any, score: Any) -> None:
    """Types of a pattern and a score function."""
    if not isinstance(pattern, Pattern):
        hint = "; wrap the function: girih.pattern(f)" if callable(pattern) else ""
        if isinstance(pattern, str):
            hint = "; parse the text: girih.parse(text)"
        raise WrongTypeError(f"expected pattern to be a girih.Pattern, but got {type(pattern).__name__}{hint}")
    if score is not None and not isinstance(score, Score):
        hint = "; wrap it: girih.score(f)" if callable(score) or isinstance(score, str) else ""
        raise WrongTypeError(f"expected score to be a girih.Score, but got {type(score).__name__}{hint}")


_default: Optional[Session] = None
_default_lock = threading.Lock()


def default_session() -> Session:
    """The session of this process, made when it is first needed."""
    global _default
    session = _default
    if session is None:
        with _default_lock:
            session = _default
            if session is None:
                session = _default = Session()
    return session


def _forget() -> None:
    """A child of fork() makes a session, and a lock, of its own."""
    global _default, _default_lock
    _default = None
    _default_lock = threading.Lock()


os.register_at_fork(after_in_child=_forget)

__all__: List[str] = ["Session", "default_session"]
