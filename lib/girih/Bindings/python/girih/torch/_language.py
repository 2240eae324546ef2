# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operands of the operator, and questions about their texts that need no parser."""

from __future__ import annotations

import re
from typing import NamedTuple, Tuple

import torch


class Operands(NamedTuple):
    """A text of the pattern or score language, and what it calls @t0, @t1, ..."""

    text: str
    tables: Tuple[torch.Tensor, ...]


#: A name on its own: neither part of another nor, after @, the name of a table.
_BATCH = re.compile(r"(?<![\w@./])b(?!\w)")
_HEAD = re.compile(r"(?<![\w@./])h(?!\w)|heads|random_blocks|block_table")


def is_handle(text: str) -> bool:
    """Whether the operand names a function (`_handles`) and is no text."""
    return text.startswith("#")


def depends_on_batch(text: str) -> bool:
    """Whether samples of a batch may differ: the text reads `b`, or nobody knows."""
    return is_handle(text) or _BATCH.search(text) is not None


def depends_on_head(text: str) -> bool:
    """Whether heads may differ: the text reads `h`, or nobody knows."""
    return is_handle(text) or _HEAD.search(text) is not None
