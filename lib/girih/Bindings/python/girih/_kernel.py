# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernels: compiled patterns that can be called."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Optional

from . import _frameworks
from ._options import NAMES, KernelOptions

if TYPE_CHECKING:
    from ._patterns import Pattern
    from ._scores import Score
    from ._session import Session


#: Numbers that grow, to say what came last.
tick = itertools.count().__next__


class Kernel:
    """A pattern, compiled for a data type, head dims and a device; takes any lengths.

    Calling it is girih.attention without the choice of a kernel.
    """

    __slots__ = (
        "session",
        "_handle",
        "pattern",
        "score",
        "options",
        "cache_hit",
        "table_bytes",
        "used",
        "__weakref__",
    )

    def __init__(
        self,
        session: "Session",
        handle: Any,
        pattern: "Pattern",
        score: Optional["Score"],
        options: KernelOptions,
        cache_hit: bool,
    ) -> None:
        """For this package; users call girih.compile."""
        self.session = session
        self._handle = handle
        self.pattern = pattern
        self.score = score
        self.options = options
        #: Whether nothing was compiled: the kernel was in memory or on disk.
        self.cache_hit = cache_hit
        #: When it was made, asked for or launched last (`tick`).
        self.used = tick()
        #: Bytes of the tables that it reads.
        self.table_bytes = sum(
            table.nbytes
            for value in (pattern, score)
            if value is not None
            for table in value._render()[1].values()
        )

    @property
    def is_captured(self) -> bool:
        """Whether a CUDA graph has a launch of it. Girih holds such kernels for good, as
        nobody can say when the last graph is gone."""
        return bool(self.session._lib.girihKernelIsCaptured(self._handle))

    @property
    def compile_ms(self) -> float:
        """Milliseconds from pattern to callable code."""
        return float(self.session._lib.girihKernelCompileMs(self._handle))

    def __repr__(self) -> str:
        options = self.options
        device = "cpu" if options.device == 1 else "cuda"
        dims = f"{options.head_dim}" + f", v_dim={options.v_dim}" * (options.v_dim != options.head_dim)
        return f"<girih.Kernel {self.pattern!r}, {NAMES[options.dtype]}, dim={dims}, {device}>"

    def __call__(
        self,
        q: Any,
        k: Any,
        v: Any,
        *,
        scale: Optional[float] = None,
        return_lse: bool = False,
        out: Any = None,
        threads: Optional[int] = None,
        stream: Any = None,
    ) -> Any:
        """Attention; arguments and results are those of girih.attention."""
        from ._launch import launch

        _frameworks.refuse_tracing(q, k, v)
        return launch(
            self.session, self, None, q, k, v, scale, return_lse, self.options.align, out, threads, stream
        )


__all__ = ["Kernel"]
