# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which function is being traced, and refusals that show its source line."""

from __future__ import annotations

import contextlib
import contextvars
import linecache
import os
import sys
from typing import Iterator, NoReturn, Optional

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

#: "mask" or "score" while a function is traced.
_kind: "contextvars.ContextVar[Optional[str]]" = contextvars.ContextVar("girih_trace", default=None)


@contextlib.contextmanager
def tracing(kind: str) -> Iterator[None]:
    """Marks that a function of this kind ("mask" or "score") is being traced."""
    token = _kind.set(kind)
    try:
        yield
    finally:
        _kind.reset(token)


def kind() -> Optional[str]:
    """"mask", "score", or None outside of a traced function."""
    return _kind.get()


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
