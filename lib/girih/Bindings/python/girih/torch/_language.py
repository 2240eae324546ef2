# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operands of the operator, and questions about their texts that need no parser."""

from __future__ import annotations

from typing import NamedTuple, Tuple

import torch

from .._text import reads_variable

#: How names of functions (`_handles`) begin, and no text of the languages.
HANDLE = "$"


class Operands(NamedTuple):
    """A text of the pattern or score language, and what it calls @t0, @t1, ..."""

    text: str
    tables: Tuple[torch.Tensor, ...]


def is_handle(text: str) -> bool:
    """Whether the operand names a function (`_handles`) and is no text."""
    return text.startswith(HANDLE)


def depends_on_batch(text: str) -> bool:
    """Whether samples of a batch may differ: the text reads `b`, or nobody knows."""
    return is_handle(text) or reads_variable(text, "b")


def depends_on_head(text: str) -> bool:
    """Whether heads may differ: the text reads `h`, or nobody knows."""
    return is_handle(text) or reads_variable(text, "h", "heads", "random_blocks", "block_table")
