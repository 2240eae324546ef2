# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operands of the operator as patterns and scores of the package.

Sessions find kernels by these objects, so the same operands must give the same object.
Tables are operands of a launch; a table is the same as long as it is the same tensor
and PyTorch has counted no write to it.
"""

from __future__ import annotations

import collections
import hashlib
import threading
import weakref
from typing import Any, Callable, Dict, Sequence, Tuple

import torch

from .._patterns import Pattern, parse
from .._scores import Score, score
from .._session import MAX_TABLE_BYTES

#: Texts without tables, and texts with the tables of the latest calls (MAX_TABLE_BYTES of
#: them, but for the newest).
_MAX_TEXTS, _MAX_TABLES = 1024, 64

_lock = threading.Lock()
_patterns: Dict[str, Pattern] = {}
_scores: Dict[str, Score] = {}
_tables: "collections.OrderedDict[Any, Tuple[Any, Any]]" = collections.OrderedDict()


def pattern_of(text: str, tables: Sequence[torch.Tensor]) -> Pattern:
    """The pattern of a text whose @t0, @t1, ... are `tables`."""
    made: Pattern
    made = _with_tables("pattern", text, tables, parse) if tables else _of(_patterns, text, parse)
    return made


def score_of(text: str, tables: Sequence[torch.Tensor]) -> Score:
    """The score function of a text whose @t0, @t1, ... are `tables`."""
    made: Score
    made = _with_tables("score", text, tables, score) if tables else _of(_scores, text, score)
    return made


def _of(known: Dict[str, Any], text: str, make: Callable[[str], Any]) -> Any:
    made = known.get(text)
    if made is None:
        made = make(text)
        if len(known) >= _MAX_TEXTS:
            known.clear()
        known[text] = made
    return made


def _with_tables(kind: str, text: str, tables: Sequence[torch.Tensor], make: Callable[..., Any]) -> Any:
    key = (kind, text, *[state_of(table) for table in tables])
    with _lock:
        entry = _tables.get(key)
        # Another tensor may have the identity of one that is gone.
        if entry is not None and all(ref() is table for ref, table in zip(entry[1], tables)):
            _tables.move_to_end(key)
            return entry[0]
    # Aliases: to the package the same array object is the same table for good.
    made = make(text, **{f"t{number}": table.detach() for number, table in enumerate(tables)})
    with _lock:
        _tables[key] = (made, tuple([weakref.ref(table) for table in tables]))
        sizes = [sum(table.nbytes for table in one._render()[1].values()) for one, _ in _tables.values()]
        total = sum(sizes)
        for size in sizes[:-1]:
            if len(_tables) <= _MAX_TABLES and total <= MAX_TABLE_BYTES:
                break
            _tables.popitem(last=False)
            total -= size
    return made


def state_of(table: torch.Tensor) -> Any:
    """Differs when the values do: identity and version, or contents where writes are not
    counted."""
    if not table.is_inference():
        return id(table), table._version
    # Writes to it are not counted.
    host = table.cpu().contiguous()
    content = host.view(torch.uint8).numpy().tobytes() if host.dim() else host.numpy().tobytes()
    return host.dtype, tuple(host.shape), hashlib.blake2b(content, digest_size=16).digest()
