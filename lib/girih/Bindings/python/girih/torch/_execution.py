# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which code runs while a function is traced, and by what names that code reads.

Seen are calls of Python functions, however they come about: by name, as special methods,
through descriptors, decorators or hooks. What is written in C is not, and known by its
objects (`_captures`).
"""

from __future__ import annotations

import dis
import os
import sys
import types
from typing import Any, Dict, FrozenSet, NamedTuple, Optional, Set, Tuple

import torch

#: Modules whose code, functions and classes do not change, and which read of objects of others
#: what their special methods give.
_LIBRARIES = frozenset(("torch", "numpy", "math", "girih", "jax", "jaxlib"))
_STANDARD = (os.path.dirname(os.__file__) + os.sep, "<frozen ")

#: What reads attributes by names that stand nowhere in the code.
COMPUTED = frozenset(("getattr", "hasattr", "vars"))
_COMPUTED_ATTRIBUTES = frozenset(("__dict__", "__getattribute__", "__getattr__", "format", "format_map"))
#: Special names that code may spell out. Others may lead anywhere.
_SPELLED = _COMPUTED_ATTRIBUTES | frozenset(("__class__", "__init__", "__name__"))


def is_library(module: Any) -> bool:
    """Whether a module of this name is constant."""
    return isinstance(module, str) and module.partition(".")[0] in _LIBRARIES


class Code(NamedTuple):
    """What code reads by name, with the functions that are defined inside it."""

    code: types.CodeType
    globals: Tuple[str, ...]
    attributes: FrozenSet[str]  #: without those of inner functions
    computed: bool  #: attributes by names that are computed, too
    knowable: bool  #: False: it does what may read anything
    inside: FrozenSet[int]  #: ids of the code objects, its own included


def _describe(code: types.CodeType) -> Code:
    spaces: Set[str] = set()
    attributes: Set[str] = set()
    computed, knowable = False, True
    for step in dis.get_instructions(code):
        if step.opname == "MATCH_CLASS":
            computed = True
        elif step.opcode not in dis.hasname:
            continue
        elif step.opname.startswith("IMPORT_"):
            knowable &= step.opname == "IMPORT_FROM" or is_library(step.argval)
        elif "GLOBAL" in step.opname or step.opname == "LOAD_NAME":
            spaces.add(step.argval)
        else:
            attributes.add(step.argval)
            knowable &= step.argval[:2] != "__" or step.argval in _SPELLED or step.argval[-2:] != "__"
    computed |= not COMPUTED.isdisjoint(spaces) or not _COMPUTED_ATTRIBUTES.isdisjoint(attributes)
    inside = {id(code)}
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            inner = _describe(constant)
            spaces.update(inner.globals)
            inside.update(inner.inside)
    return Code(code, tuple(sorted(spaces)), frozenset(attributes), computed, knowable, frozenset(inside))


#: Code that was described, and code of this package, both held for what is known by their ids.
_described: Dict[int, Code] = {}
_own: Dict[int, types.CodeType] = {}
_MAX_DESCRIBED = 4096


class Execution:
    """A context that notes what runs in this thread."""

    def __init__(self) -> None:
        #: Whether anything can be told: a profiler of somebody else leaves no place for this one.
        self.observed = False
        #: Code objects of no library by their ids, which is what they are held for.
        self.codes: Dict[int, types.CodeType] = {}
        #: Whether functions of a library got objects of other classes, of which they may read any
        #: attribute.
        self.reads_objects = False
        self._depth = 0  #: functions may trace others

    def __enter__(self) -> "Execution":
        if not self._depth and sys.getprofile() is None:
            self.observed = True
            sys.setprofile(self._note)
        self._depth += 1
        return self

    def __exit__(self, *error: object) -> None:
        self._depth -= 1
        if not self._depth and self.observed:
            sys.setprofile(None)

    def _note(self, frame: Any, event: str, argument: Any) -> None:
        if event != "call":
            return
        code = frame.f_code
        key = id(code)
        if key in _own or key in self.codes:
            return
        library = _library_of(frame)
        if library is None:
            self.codes[key] = code
        elif library.startswith("girih"):
            if library == frame.f_globals.get("__name__"):
                _own[key] = code
        elif not self.reads_objects and code is not torch.nn.Module.__getattr__.__code__:
            given = code.co_varnames[: code.co_argcount]
            self.reads_objects = any(_is_object(frame.f_locals.get(name)) for name in given)

    def describe(self) -> Dict[int, Code]:
        """What the code reads, by id."""
        if len(_described) > _MAX_DESCRIBED:
            _described.clear()
        for key, code in self.codes.items():
            if key not in _described:
                _described[key] = _describe(code)
        return {key: _described[key] for key in self.codes}


def _library_of(frame: Any) -> Optional[str]:
    """The library whose code a frame runs, which may be Python's own on behalf of one; None:
    that of somebody else."""
    while frame is not None:
        module = frame.f_globals.get("__name__")
        if is_library(module):
            return str(module)
        path = frame.f_code.co_filename
        if isinstance(module, str) and module.startswith("namedtuple_"):  # of collections
            path = _STANDARD[0]
        if not path.startswith(_STANDARD) or f"{os.sep}site-packages{os.sep}" in path:
            return None
        frame = frame.f_back
    return None


def _is_object(value: Any) -> bool:
    module = type(value).__module__
    return module != "builtins" and not is_library(module)
