# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every setting of the environment, in one table.

==================  ============  ====================================================
variable            default       what
==================  ============  ====================================================
GIRIH_CACHE_DIR     ~/.cache/     folder of compiled kernels; empty: none on disk
                    girih
GIRIH_CACHE_SIZE    256 MiB       bytes of kernels there before the oldest go
GIRIH_NUM_THREADS   every core    threads of a launch on the CPU
GIRIH_PTXAS         found on      the ptxas that assembles GPU kernels
                    PATH
GIRIH_PROGRESS      on            1: a line on stderr for compiles longer than a
                    terminals     second; 0: none
GIRIH_LIBRARY       beside the    path of another libgirih.so, with its declarations
                    package       (girih_declarations.py) beside it
==================  ============  ====================================================

The first four are read by the library (XDG_CACHE_HOME moves the cache as well), the
last two by this package.
"""

from __future__ import annotations

import os
import sys
from typing import Optional


def library() -> Optional[str]:
    """GIRIH_LIBRARY; None when unset or empty."""
    return os.environ.get("GIRIH_LIBRARY") or None


def progress() -> bool:
    """Whether long compiles are shown."""
    text = os.environ.get("GIRIH_PROGRESS", "")
    if text:
        return text != "0"
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:  # a closed file
        return False
