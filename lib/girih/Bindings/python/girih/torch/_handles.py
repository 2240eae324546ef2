# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Names for functions that a compiled graph speaks of.

A graph holds strings and tensors, no functions. What a mask_mod reads (closures,
globals, attributes) may change after the graph was made, and torch.compile would not
notice, since the function is not part of the graph. So the graph holds ``$N``, and the
operator traces the N-th function, or finds its trace, whenever the graph runs.

The name stands in an attribute of the function, because torch.compile makes a guard of
every attribute that it reads: another function in the same place makes another graph.
"""

from __future__ import annotations

import itertools
import threading
import types
from typing import Any, Dict, Optional

import torch

from .._errors import InvalidError, WrongTypeError
from ._language import HANDLE

_ATTRIBUTE = "__girih_name__"
_lock = threading.Lock()
_numbers = itertools.count()
#: Held for good: a graph may run as long as the process does, and functions come here
#: only when torch.compile traces, whose recompile limit bounds their number.
_functions: Dict[str, Any] = {}


def look_up(name: str) -> Any:
    """The function called `name`."""
    try:
        return _functions[name]
    except KeyError:
        raise InvalidError(
            f"expected a pattern, or a function of this process, but got {name!r}; a graph that was "
            "traced with a mask_mod or score_mod cannot leave its process"
        ) from None


# Its name is part of torch.compile's message when a function captures what has no value
# yet, because it is made in the compiled region.
@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def make_mask_mod_and_score_mod_outside_of_the_compiled_region(kind: str, function: Any) -> str:
    """Names a function, while torch.compile traces."""
    from ._lowering import check_traceable

    check_traceable(kind, function)
    with _lock:
        name: Optional[str] = function.__dict__.get(_ATTRIBUTE)
        # functools.wraps copies attributes to another function.
        if name is None or _functions.get(name) is not function:
            name = f"{HANDLE}{next(_numbers)}"
            _functions[name] = function
            setattr(function, _ATTRIBUTE, name)
        return name


def graph_name(kind: str, function: Any) -> str:
    """The name of a "mask" or "score" function in the graph that torch.compile traces."""
    if not isinstance(function, types.FunctionType):
        raise WrongTypeError(
            f"expected a plain function for {kind}_mod under torch.compile, but got another callable; make "
            "one of it outside of the compiled region: lambda *indices: function(*indices)"
        )
    fresh: str = make_mask_mod_and_score_mod_outside_of_the_compiled_region(kind, function)
    # Read after it was set. A function made in the compiled region has no attribute: what
    # it captures are constants of the graph.
    name: Optional[str] = getattr(function, _ATTRIBUTE, None)
    if name is None:
        return fresh
    id(function)  # of which newer versions of PyTorch make a guard as well
    return name
