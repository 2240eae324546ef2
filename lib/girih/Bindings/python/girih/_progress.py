# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A line on stderr while something takes longer than a second."""

from __future__ import annotations

import contextlib
import shutil
import sys
import threading
import time
from typing import Iterator

from . import settings

#: Seconds before the line shows.
DELAY = 1.0


@contextlib.contextmanager
def progress(what: str) -> Iterator[None]:
    """Shows `what` and the seconds gone by while the block runs; clears the line."""
    if not settings.progress():
        yield
        return
    done = threading.Event()
    begin = time.monotonic()

    def show() -> None:
        if done.wait(DELAY):
            return
        width = max(20, shutil.get_terminal_size().columns - 1)
        while True:
            tail = f" {time.monotonic() - begin:.0f} s"
            text = what if len(what) + len(tail) <= width else what[: width - len(tail) - 3] + "..."
            print(f"\r{text}{tail}", end="", file=sys.stderr, flush=True)
            if done.wait(1.0):
                print("\r\033[K", end="", file=sys.stderr, flush=True)
                return

    thread = threading.Thread(target=show, name="girih-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
