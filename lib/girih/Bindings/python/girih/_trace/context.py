# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which function is being traced, and refusals that show its source line."""

from __future__ import annotations

import contextlib
import contextvars
import linecache
import os
import sys
from typing import Any, ContextManager, Dict, Iterator, NamedTuple, NoReturn, Optional, Tuple

from .._errors import WrongTypeError
from .._text import Table, is_torch_tensor

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Trace(NamedTuple):
    """One function being traced."""

    kind: str  #: "mask" or "score"
    #: Arrays and their tables by id of the array: values are copied once.
    tables: Dict[int, Tuple[Any, Table]]


class Reads:
    """The torch tensors that traced functions read, however they came by them."""

    def __init__(self, execution: ContextManager[Any]) -> None:
        self.execution = execution  #: entered while a function runs
        self.tensors: Dict[int, Any] = {}  #: by id; those made on the way do not count
        self._made: Dict[int, Any] = {}

    def note(self, arguments: Any, result: Any) -> None:
        """Of an operation."""
        for tensor in _tensors(arguments):
            if id(tensor) not in self._made:
                self.tensors[id(tensor)] = tensor
        for tensor in _tensors(result):
            if id(tensor) not in self.tensors:
                self._made[id(tensor)] = tensor


def _tensors(value: Any) -> Iterator[Any]:
    """Those in arguments or results of a torch function."""
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from _tensors(item)
    elif isinstance(value, dict):
        yield from _tensors(tuple(value.values()))
    elif is_torch_tensor(value):
        yield value


_reads: "contextvars.ContextVar[Optional[Reads]]" = contextvars.ContextVar("reads", default=None)


@contextlib.contextmanager
def observed(execution: ContextManager[Any]) -> Iterator[Reads]:
    """Collects what functions read that are traced meanwhile, and runs them in a context."""
    reads = Reads(execution)
    token = _reads.set(reads)
    try:
        yield reads
    finally:
        _reads.reset(token)


def reads() -> Optional[Reads]:
    """What collects; None: nobody asked."""
    return _reads.get()


def execution() -> ContextManager[Any]:
    """What a function runs in."""
    reads = _reads.get()
    return contextlib.nullcontext() if reads is None else reads.execution


_trace: "contextvars.ContextVar[Optional[Trace]]" = contextvars.ContextVar("girih", default=None)


@contextlib.contextmanager
def tracing(kind: str) -> Iterator[None]:
    """Marks that a function of this kind ("mask" or "score") is being traced."""
    token = _trace.set(Trace(kind, {}))
    try:
        yield
    finally:
        _trace.reset(token)


def kind() -> Optional[str]:
    """"mask", "score", or None outside of a traced function."""
    trace = _trace.get()
    return None if trace is None else trace.kind


def table_of(array: Any) -> Table:
    """The table of an array that a traced function indexes."""
    source = getattr(array, "girih_source", None)
    source = array if source is None else source
    trace = _trace.get()
    if trace is None:
        return Table(source)
    if id(source) not in trace.tables:
        trace.tables[id(source)] = (source, Table(source))
    return trace.tables[id(source)][1]


def source_line() -> str:
    """Where the user's code stands, for messages: "" when unknown."""
    frame = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        library = f"{os.sep}site-packages{os.sep}" in path or path.startswith(_PACKAGE + os.sep)
        if not library and not path.startswith("<frozen"):
            line = linecache.getline(path, frame.f_lineno, frame.f_globals).strip()
            where = f"{path}:{frame.f_lineno}"
            return f"\n  at {where}" + (f"\n    {line}" if line else "")
        if frame.f_back is None:
            break
        frame = frame.f_back
    return ""


def refuse(message: str) -> NoReturn:
    """Raises TypeError with the line of the user's code."""
    raise WrongTypeError(message + source_line())
