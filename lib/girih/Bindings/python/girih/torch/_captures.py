# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a traced function reads besides its arguments, to know when to trace it again.

A mask_mod is traced once and then found by the identity of its function object. The
trace stands as long as everything that the function can reach is what it was: numbers
in closures, globals and attributes are compared by value, tensors and other objects by
identity, tensors by the version that PyTorch counts for writes in place, too. Functions
and containers are entered, and objects as far as the code names their attributes.

Not seen: writes into the memory of a tensor that PyTorch does not count (through numpy,
or `.data`), and into numpy arrays.
"""

from __future__ import annotations

import functools
import types
import weakref
from typing import Any, Callable, Dict, Iterable, List, Set, Tuple

import torch

_SCALARS = frozenset((int, float, complex, bool, str, bytes, type(None)))
_MAX_VALUES = 4096
_LIBRARIES = ("torch", "numpy", "math", "girih", "operator", "functools", "builtins")


class Unknowable(Exception):
    """The function reaches more than can be compared."""


class Captures:
    """What a function read when it was traced."""

    __slots__ = ("_values", "_alive")

    def __init__(self, function: Any) -> None:
        """Raises `Unknowable`."""
        reader = _Reader(function)
        self._values = reader.values
        # An identity means nothing once its object is gone, and holding the objects would
        # keep functions alive that hold themselves.
        self._alive: List[Callable[[], Any]] = [_reference(value) for value in reader.identified]

    def still(self, function: Any) -> bool:
        """Whether `function` reads the same now."""
        for alive in self._alive:
            if alive() is None:
                return False
        try:
            return _Reader(function).values == self._values
        except Unknowable:
            return False


def _reference(value: Any) -> Callable[[], Any]:
    try:
        return weakref.ref(value)
    except TypeError:
        return lambda: value


class _Reader:
    """Collects values that can be compared, and the objects whose identities are among them."""

    __slots__ = ("values", "identified", "_seen", "_names", "_holders")

    def __init__(self, function: Any) -> None:
        self.values: List[Any] = []
        self.identified: List[Any] = []
        self._seen: Set[int] = set()
        #: Names in the code that was met, and what they may be attributes of.
        self._names: Dict[str, None] = {}
        self._holders: List[Any] = []
        self._visit(function)
        if self._holders:
            self._attributes()

    def _visit(self, value: Any) -> None:
        kind = type(value)
        values = self.values
        if kind in _SCALARS:
            values.append(kind)
            values.append(value)
            return
        if len(values) > _MAX_VALUES:
            raise Unknowable
        if kind is tuple or kind is list:
            self._items(value, value)
        elif kind is dict:
            self._items(value, value.items())
        elif kind is types.MethodType:
            self._visit(value.__func__)
            self._visit(value.__self__)
        else:
            values.append(id(value))
            if isinstance(value, torch.Tensor):
                if value.is_inference():  # writes to it are not counted
                    raise Unknowable
                values.append(value._version)
            if id(value) not in self._seen:
                self._seen.add(id(value))
                self.identified.append(value)
                self._enter(value, kind)

    def _items(self, container: Any, items: Iterable[Any]) -> None:
        self.values.append(len(container))
        if id(container) not in self._seen:  # containers may hold themselves
            self._seen.add(id(container))
            for item in items:
                self._visit(item)
            self._seen.discard(id(container))

    def _enter(self, value: Any, kind: type) -> None:
        if kind is types.FunctionType:
            self._function(value)
        elif kind is functools.partial:
            for part in (value.func, value.args, value.keywords):
                self._visit(part)
        elif isinstance(value, types.ModuleType):
            if not _is_library(value.__name__):
                self._holders.append(value)
        elif not isinstance(value, (type, torch.Tensor)) and not _is_library(kind.__module__):
            call = getattr(kind, "__call__", None)
            if isinstance(call, types.FunctionType):
                self._visit(call)
            self._holders.append(value)

    def _function(self, function: types.FunctionType) -> None:
        names = _names(function.__code__)
        self.values.append(id(function.__code__))
        self.identified.append(function.__code__)
        for cell in function.__closure__ or ():
            try:
                content = cell.cell_contents
            except ValueError:  # not bound yet
                self.values.append(None)
                continue
            self._visit(content)
        if function.__defaults__:
            self._visit(function.__defaults__)
        if function.__kwdefaults__:
            self._visit(function.__kwdefaults__)
        if _is_library(function.__module__):
            return
        space = function.__globals__
        for name in names:
            self._names[name] = None
            if name in space:
                self._visit(space[name])

    def _attributes(self) -> None:
        """Reads attributes of objects and modules, as far as any code names them; what is
        found may bring more of both."""
        done: Dict[int, int] = {}
        while True:
            before = len(self._names), len(self._holders)
            names = tuple(self._names)
            for number, holder in enumerate(tuple(self._holders)):
                for name in names[done.get(number, 0) :]:
                    self._attribute(holder, name)
                done[number] = len(names)
            if before == (len(self._names), len(self._holders)):
                return

    def _attribute(self, holder: Any, name: str) -> None:
        try:
            attribute = getattr(holder, name)
        except Exception:  # not there, or a property that fails
            return
        self.values.append(name)
        if type(attribute) is types.MethodType and attribute.__self__ is holder:
            attribute = attribute.__func__  # the pair is a new object at every access
        self._visit(attribute)


@functools.lru_cache(maxsize=4096)
def _names(code: Any) -> Tuple[str, ...]:
    """Names of globals and attributes in the code and in functions defined inside it."""
    if code is None:
        return ()
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found.update(_names(constant))
    return tuple(sorted(found))


def _is_library(module: Any) -> bool:
    """Whether globals and attributes of the module do not change."""
    return isinstance(module, str) and module.partition(".")[0] in _LIBRARIES
