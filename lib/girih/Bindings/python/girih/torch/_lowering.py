# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From patterns, masks and score functions to operands of the operator: text and tables.

Functions are traced once for each function object and what it reads (`_captures`).
"""

from __future__ import annotations

import types
import weakref
from typing import Any, Dict, NamedTuple, Optional, Sequence, Tuple, Union

import torch
from torch.autograd import forward_ad

from .._errors import UnsupportedError, WrongTypeError
from .._patterns import Pattern
from .._patterns import pattern as trace_pattern
from .._scores import Score
from .._scores import score as trace_score
from .._text import Table
from .._trace.context import observed
from . import _block_mask, _handles
from ._captures import Captures, Unknowable
from ._checks import refuse_gradients
from ._execution import Execution
from ._language import Operands

FULL = Operands("full", ())
NO_SCORE = Operands("", ())


class _Trace(NamedTuple):
    """A traced function."""

    captures: Captures
    lowered: Union[Pattern, Score]
    operands: Operands


#: The object that holds the code (a function, or the object of a method) and its traces, by the
#: object's identity and as long as it lives: equal objects are not the same, and not all have a
#: hash.
_traces: Dict[int, Tuple["weakref.ref[Any]", Dict[Any, _Trace]]] = {}


def operands_of(lowered: Any) -> Operands:
    """A `Pattern` or `Score` as operands. torch.compile inlines this: the text becomes a
    constant that it guards, and the tables inputs of the graph."""
    text, tables = lowered._render()
    for number, name in enumerate(tables):
        if name != f"t{number}":
            raise UnsupportedError(f"expected no file that is called like a table, but got @t{number}")
    # Values as they were when the pattern was made, in host memory.
    return Operands(text, tuple([_tensor_of(table) for table in tables.values()]))


# For tables from before this module. Where torch.compile traces, it is called all the same, and
# the attribute is read afterwards: the graph has a guard of the tensor, and never sees none.
torch.compiler.assume_constant_result(Table.make_tensor)  # type: ignore[no-untyped-call]


def _tensor_of(table: Table) -> torch.Tensor:
    """Always the same one, by which the operator finds what it has made of it."""
    table.make_tensor()
    tensor: torch.Tensor = table.tensor
    return tensor


def _traces_of(owner: Any) -> Dict[Any, _Trace]:
    key = id(owner)
    found = _traces.get(key)
    if found is not None and found[0]() is owner:
        return found[1]
    made: Dict[Any, _Trace] = {}
    try:
        _traces[key] = (weakref.ref(owner, lambda _: _traces.pop(key, None)), made)
    except TypeError:  # no weak references to it, as with __slots__: it is traced at each call
        pass
    return made


def _traced(kind: str, function: Any) -> Operands:
    """The operands of a "mask" or "score" function."""
    method = isinstance(function, types.MethodType)
    owner, key = (function.__self__, (kind, function.__func__)) if method else (function, kind)
    known = _traces_of(owner)
    found = known.get(key)
    if found is None or not found.captures.still(function):
        execution = Execution()
        with observed(execution) as reads:
            lowered = trace_score(function) if kind == "score" else trace_pattern(function)
        operands = operands_of(lowered)
        try:
            captures = Captures(function, execution, reads.tensors.values())
            found = known[key] = _Trace(captures, lowered, operands)
        except Unknowable:
            known.pop(key, None)
            _check_tables(lowered)
            return operands
    if kind == "score":
        _check_tables(found.lowered)
    return found.operands


def _check_tables(lowered: Union[Pattern, Score]) -> None:
    """A learned bias would get no gradient."""
    if torch.is_grad_enabled() or forward_ad._current_level >= 0:
        for table in lowered._render()[1].values():
            if table.is_float and table.learned:
                refuse_gradients()


def lower_pattern(value: Any) -> Operands:
    """A pattern or a condition in Python."""
    if isinstance(value, Pattern):
        return operands_of(value)
    if callable(value):
        if torch.compiler.is_compiling():
            return Operands(_handles.graph_name("mask", value), ())
        return _traced("mask", value)
    raise WrongTypeError(
        f"expected a pattern, or a function of (b, h, q, k), but got {type(value).__name__}; texts "
        "become patterns by girih.parse"
    )


def lower_score(value: Any) -> Operands:
    """A score function; None: none."""
    if value is None:
        return NO_SCORE
    if isinstance(value, Score):
        _check_tables(value)
        return operands_of(value)
    if callable(value):
        if torch.compiler.is_compiling():
            return Operands(_handles.graph_name("score", value), ())
        return _traced("score", value)
    raise WrongTypeError(
        f"expected a girih.Score, or a function of (score, b, h, q, k), but got {type(value).__name__}; "
        "texts become scores by girih.score"
    )


def lower_block_mask(block_mask: Any) -> Operands:
    """A BlockMask of PyTorch."""
    lists, form = _block_mask.parts(block_mask)
    if torch.compiler.is_compiling():
        return Operands(_handles.graph_name("mask", block_mask.mask_mod) + " " + form, lists)
    return _block_mask.lower(block_mask.mask_mod, _traced("mask", block_mask.mask_mod), lists, form)


def check_traceable(kind: str, function: Any) -> None:
    """What a call would raise of a "mask" or "score" function, while a graph is made."""
    _traced(kind, function)


def resolve_pattern(text: str, tables: Sequence[torch.Tensor]) -> Operands:
    """What a compiled graph says of a pattern, as text and tables."""
    name, _, form = text.partition(" ")
    function = _handles.look_up(name)
    traced = _traced("mask", function)
    return _block_mask.lower(function, traced, tuple(tables), form) if form else traced


def resolve_score(text: str) -> Operands:
    """What a compiled graph says of a score function, as text and tables."""
    return _traced("score", _handles.look_up(text))
