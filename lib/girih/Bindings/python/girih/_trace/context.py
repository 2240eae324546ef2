# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which function is being traced, and refusals that show its source line."""

from __future__ import annotations

import contextlib
import contextvars
import linecache
import os
import sys
from typing import Any, Dict, Iterator, NamedTuple, NoReturn, Optional

from .._text import Table

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))



class Trace(NamedTuple):
    """One function being traced."""

    kind: str  #: "mask" or "score"
    tables: Dict[int, Table]  #: by id of the array: values are copied once


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
        trace.tables[id(source)] = Table(source)  # which keeps the array, and so its id
    return trace.tables[id(source)]


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
    raise TypeError(message + source_line())
