# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Girih: attention over sparsity patterns, compiled.

::

    import girih

    pattern = girih.causal & girih.window(left=1023)
    out = girih.attention(q, k, v, pattern)  # numpy, torch, jax, cupy: [B, H, N, D]
    print(pattern.explain(4096))

Patterns, conditions of your own (`girih.pattern`) and score functions (`girih.score`)
are described in their modules; `help(girih.attention)` says what tensors may be.
"""

from __future__ import annotations

from . import settings
from ._attention import attention, compile
from ._errors import (
    Error,
    InternalError,
    InvalidError,
    NoDeviceError,
    UnsupportedError,
    WrongTypeError,
)
from ._kernel import Kernel
from ._patterns import (
    Pattern,
    block_table,
    blockwise,
    causal,
    chunk,
    columns,
    dilated,
    empty,
    full,
    global_,
    global_columns,
    global_rows,
    heads,
    neighborhood,
    parse,
    pattern,
    random_blocks,
    segments,
    strided,
    window,
)
from ._report import Report
from ._scores import Score, score
from ._session import Session, default_session
from ._trace.functions import clamp, maximum, minimum, where
from ._trace.numbers import Index as _Index

#: The run-time lengths, for conditions and scores: how many queries and keys there are.
nq = _Index.variable("nq")
nk = _Index.variable("nk")


def __getattr__(name: str) -> str:
    if name == "__version__":  # of the library, which knows it
        from ._library import version

        return version().split()[0]
    raise AttributeError(f"module 'girih' has no attribute {name!r}")


__all__ = [
    "Error",
    "InternalError",
    "InvalidError",
    "Kernel",
    "NoDeviceError",
    "Pattern",
    "Report",
    "Score",
    "Session",
    "UnsupportedError",
    "WrongTypeError",
    "attention",
    "block_table",
    "blockwise",
    "causal",
    "chunk",
    "clamp",
    "columns",
    "compile",
    "default_session",
    "dilated",
    "empty",
    "full",
    "global_",
    "global_columns",
    "global_rows",
    "heads",
    "maximum",
    "minimum",
    "neighborhood",
    "nk",
    "nq",
    "parse",
    "pattern",
    "random_blocks",
    "score",
    "segments",
    "settings",
    "strided",
    "where",
    "window",
]
