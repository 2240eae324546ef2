# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a traced function reads besides its arguments, to know when to trace it again.

A mask_mod is traced once, and the trace stands as long as everything that the code which
ran could reach is what it was. So a function is followed from its closures, globals,
defaults and attributes on, and by value: of objects, classes and modules of Python the
attributes that the code names are read (all of them where it computes a name), wherever
they may be found. Tensors are compared by identity and by the version that PyTorch counts
for writes in place, arrays of numpy by their contents.

Followed are the kinds of objects below, of which it is known what they hold. Whatever
else is met makes the function unknowable, and so does code that ran and tensors that were
read and that this module did not come by: it is traced at each call.

Not seen: writes into the memory of a tensor that PyTorch does not count (through numpy,
or `.data`), and attributes that are set in PyTorch's and numpy's own modules and classes.
"""

from __future__ import annotations

import builtins
import collections
import functools
import hashlib
import logging
import sys
import types
import weakref
from typing import Any, Callable, Dict, Iterable, List, Mapping, Set, Tuple

import torch

from .._patterns import Pattern
from .._scores import Score
from ._execution import COMPUTED, Execution, is_library
from ._objects import state_of

_MAX_VALUES = 4096

#: Compared as they are.
_SCALARS = frozenset((int, bool, str, bytes, type(None), range, type(Ellipsis), type(NotImplemented)))
_CONSTANTS: Tuple[type, ...] = (torch.dtype, torch.device, torch.Size, torch.layout, torch.memory_format)
_CONSTANTS += (Pattern, Score, logging.Logger)  # loggers are written to, and not read
#: Functions of Python that read of objects what their special methods give.
_FUNCTIONS = frozenset(
    ("abs", "all", "any", "bin", "chr", "divmod", "isinstance", "issubclass", "iter", "len", "max")
    + ("min", "next", "ord", "pow", "print", "repr", "round", "sorted", "sum")
)
#: Modules of C functions that do.
_MODULES = frozenset(("_operator", "_functools"))
#: In a class, these stand for what C keeps of its objects.
_DESCRIPTORS = (
    types.GetSetDescriptorType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
)
#: C types that classes may build on, beside exceptions.
_BASES = (object, type, property)
#: Py_TPFLAGS_HEAPTYPE, of classes that are made at run time.
_HEAP_TYPE = 1 << 9
#: Where torch.nn.Module keeps attributes.
_TENSORS_OF_MODULES = ("_parameters", "_buffers", "_modules")
#: Attributes that girih.torch and torch.compile give functions and tensors.
_OURS = ("__girih_", "_dynamo_", "_torchdynamo_")


class Unknowable(Exception):
    """The function reaches more than can be compared."""


class Captures:
    """What a function read when it was traced."""

    __slots__ = ("_codes", "_names", "_whole", "_values", "_tensors")

    def __init__(self, function: Any, execution: Execution, tensors: Iterable[torch.Tensor]) -> None:
        """execution, tensors: what ran and what was read when it was traced. Raises
        `Unknowable`."""
        self._codes = execution.describe()
        if not execution.observed or not all(code.knowable for code in self._codes.values()):
            raise Unknowable
        self._names = tuple(sorted(set().union(*[code.attributes for code in self._codes.values()])))
        self._whole = execution.reads_objects or any(code.computed for code in self._codes.values())
        reader = self._read(function)
        if not reader.reached.issuperset(self._codes):
            raise Unknowable
        if not reader.tensors.keys() >= set(map(id, tensors)):
            raise Unknowable
        self._values = reader.values
        # An identity means nothing once its object is gone.
        self._tensors = [weakref.ref(tensor) for tensor in reader.tensors.values()]

    def _read(self, function: Any) -> "_Reader":
        try:
            return _Reader(function, self._codes, self._names, self._whole)
        except RuntimeError as error:  # nested too deeply, or changed meanwhile
            raise Unknowable from error

    def still(self, function: Any) -> bool:
        """Whether `function` reads the same now."""
        for tensor in self._tensors:
            if tensor() is None:
                return False
        try:
            return self._read(function).values == self._values
        except Unknowable:
            return False


class _Reader:
    """Lists values that can be compared. Objects that hold others are numbered in the order in
    which they are met: what they hold tells them apart, and their identities do not count."""

    __slots__ = ("values", "tensors", "reached", "_codes", "_names", "_whole", "_numbers")

    def __init__(
        self, function: Any, codes: Mapping[int, Any], names: Tuple[str, ...], whole: bool
    ) -> None:
        self.values: List[Any] = []
        self.tensors: Dict[int, torch.Tensor] = {}
        self.reached: Set[int] = set()  #: ids of code
        self._codes, self._names, self._whole = codes, names, whole
        self._numbers: Dict[int, int] = {}
        self._visit(function)

    def _visit(self, value: Any) -> None:
        kind = type(value)
        values = self.values
        if kind in _SCALARS:
            values.append(kind)
            values.append(value)
            return
        if kind is float or kind is complex:  # where -0.0 is 0.0
            values.append(repr(value))
            return
        if len(values) > _MAX_VALUES:
            raise Unknowable
        if kind is tuple:
            values.append(len(value))
            for item in value:
                self._visit(item)
            return
        number = self._numbers.setdefault(id(value), len(self._numbers))
        values.append(number)
        if number == len(self._numbers) - 1:  # met for the first time
            follow = _FOLLOW.get(kind)
            if follow is not None:
                follow(self, value)
            elif isinstance(value, type):
                self._class(value)
            elif not self._constant(value):
                self._object(value, kind)

    # -- leaves -------------------------------------------------------------

    def _tensor(self, value: torch.Tensor) -> None:
        self.tensors[id(value)] = value
        self.values.append(state_of(value))
        self.values.append(value.data_ptr())  # which x.data = y changes
        if value.requires_grad:  # what is made of it depends on the mode
            self.values.append(torch.is_grad_enabled())
        self._set_by_users(value)

    def _set_by_users(self, value: Any) -> None:
        """Attributes of a function or a tensor."""
        for name, attribute in value.__dict__.items():
            if not name.startswith(_OURS):
                self.values.append(name)
                self._visit(attribute)
        self.values.append(None)

    def _constant(self, value: Any) -> bool:
        numpy = sys.modules.get("numpy")
        if numpy is not None:
            if type(value) is numpy.ndarray and not value.dtype.hasobject:
                digest = hashlib.blake2b(value.tobytes(), digest_size=16).digest()
                self.values.append((value.dtype, value.shape, digest))
                return True
            if isinstance(value, (numpy.number, numpy.bool_, numpy.dtype, numpy.ufunc, type(numpy.dot))):
                self.values.append(value)
                return True
        if isinstance(value, _CONSTANTS):
            self.values.append(value)
            return True
        return False

    def _builtin(self, value: Any) -> None:
        """A function of C, or a method of something that is followed."""
        name, owner = value.__name__, value.__self__
        if owner is None or isinstance(owner, types.ModuleType):
            module = value.__module__
            known = name in _FUNCTIONS or (self._whole and name in COMPUTED)
            if not (known if module == "builtins" else module in _MODULES or is_library(module)):
                raise Unknowable
            self.values.append((module, name))
        elif name[:2] == "__" or name.startswith("format"):
            raise Unknowable
        else:
            self.values.append(name)
            self._visit(owner)

    # -- what holds others --------------------------------------------------

    def _items(self, value: Any) -> None:
        self.values.append(len(value))
        if len(self.values) + len(value) > _MAX_VALUES:
            raise Unknowable
        for item in value:
            self._visit(item)
        if getattr(value, "__dict__", None):
            self._visit(value.__dict__)

    def _mapping(self, value: Any) -> None:
        self._items(value)
        for item in value.values():
            self._visit(item)

    def _function(self, function: types.FunctionType) -> None:
        code = function.__code__
        self.values.append(id(code))
        self._set_by_users(function)
        space = function.__globals__
        ran = self._codes.get(id(code))
        if ran is None and not is_library(space.get("__name__")):
            return
        for cell in function.__closure__ or ():
            try:
                content = cell.cell_contents
            except ValueError:  # not bound yet
                self.values.append(None)
                continue
            self._visit(content)
        if ran is None:
            return
        self._visit(function.__defaults__)
        self._visit(function.__kwdefaults__)
        self.reached.update(ran.inside)
        for name in ran.globals:
            if name in space:
                self._visit(space[name])
            elif hasattr(builtins, name):
                self._visit(getattr(builtins, name))
            else:
                self.values.append(None)

    # -- what has attributes ------------------------------------------------

    def _attributes(self, place: Mapping[str, Any]) -> None:
        """Those that may be read, of a dict that holds attributes."""
        if self._whole:
            self._visit(tuple([part for item in place.items() for part in item]))
            return
        for name in self._names:
            if name in place:
                self.values.append(name)
                self._visit(place[name])
        self.values.append(None)

    def _module(self, value: types.ModuleType) -> None:
        self.values.append(value.__name__)
        if not is_library(value.__name__):
            if self._whole:
                raise Unknowable
            self._attributes(vars(value))

    def _namespace(self, value: types.SimpleNamespace) -> None:
        self._attributes(vars(value))

    def _class(self, value: type) -> None:
        if is_library(value.__module__) or getattr(builtins, value.__name__, None) is value:
            self.values.append(id(value))
            return
        for base in value.__mro__:
            if base in _BASES or base.__module__ == "builtins" and issubclass(base, BaseException):
                continue
            if issubclass(base, torch.nn.Module) and is_library(base.__module__):
                self.values.append(id(base))
                continue
            if is_library(base.__module__) or not base.__flags__ & _HEAP_TYPE:
                raise Unknowable
            self._definitions(vars(base))
        if type(value) is not type:
            self._visit(type(value))

    def _definitions(self, place: Mapping[str, Any]) -> None:
        """Of one class. Special methods are called by nobody's name."""
        named = {}
        for name, entry in place.items():
            if name[:2] != "__" or name[-2:] != "__":
                if isinstance(entry, _DESCRIPTORS):
                    raise Unknowable
                if self._whole:
                    named[name] = entry
                continue
            function = entry.__func__ if isinstance(entry, (staticmethod, classmethod)) else entry
            if type(function) is types.FunctionType:
                self.values.append(name)
                self._visit(function)
            elif callable(function) or hasattr(type(function), "__get__"):
                if name not in ("__dict__", "__weakref__"):
                    raise Unknowable
        self._attributes(named if self._whole else place)

    def _object(self, value: Any, kind: type) -> None:
        """An object of a class that is written in Python."""
        if is_library(kind.__module__):
            if not isinstance(value, torch.nn.Module):
                raise Unknowable
            self.values.append(id(kind))
            self._visit(vars(value))
            return
        if not kind.__flags__ & _HEAP_TYPE or isinstance(value, BaseException):
            raise Unknowable
        self._visit(kind)
        if isinstance(value, property):
            self._visit(value.fget)
        for base in kind.__mro__:
            if vars(base).get("__slots__"):
                self._attributes(_slots(base, value))
        try:
            own = object.__getattribute__(value, "__dict__")
        except AttributeError:
            return
        self._attributes(own)
        if isinstance(value, torch.nn.Module) and not self._whole:
            for name in _TENSORS_OF_MODULES:
                self._attributes(own.get(name) or {})


def _slots(base: type, value: Any) -> Dict[str, Any]:
    """What an object has in the slots of a class."""
    found = {}
    for name, entry in vars(base).items():
        if type(entry) is types.MemberDescriptorType:
            try:
                found[name] = entry.__get__(value)
            except AttributeError:  # not set
                continue
    return found


def _parts(*names: str) -> Callable[[_Reader, Any], None]:
    """Follows attributes that objects of a kind always have."""

    def follow(reader: _Reader, value: Any) -> None:
        for name in names:
            reader._visit(getattr(value, name))

    return follow


def _leaf(reader: _Reader, value: Any) -> None:
    """What its class has for the attributes of objects."""


_FOLLOW: Dict[type, Callable[[_Reader, Any], None]] = {
    torch.Tensor: _Reader._tensor,
    torch.nn.Parameter: _Reader._tensor,
    list: _Reader._items,
    set: _Reader._items,
    frozenset: _Reader._items,
    collections.deque: _Reader._items,
    dict: _Reader._mapping,
    collections.OrderedDict: _Reader._mapping,
    types.FunctionType: _Reader._function,
    types.BuiltinFunctionType: _Reader._builtin,
    types.MethodType: _parts("__func__", "__self__"),
    functools.partial: _parts("func", "args", "keywords", "__dict__"),
    staticmethod: _parts("__func__"),
    classmethod: _parts("__func__"),
    property: _parts("fget"),
    functools.cached_property: _parts("func"),
    types.ModuleType: _Reader._module,
    types.SimpleNamespace: _Reader._namespace,
    types.MemberDescriptorType: _leaf,
}

