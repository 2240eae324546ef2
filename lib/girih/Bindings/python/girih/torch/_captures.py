# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a traced function reads besides its arguments, to know when to trace it again.

A mask_mod is traced once and then found by the identity of its function object. The
trace stands as long as everything that the function can reach is what it was: numbers
and containers in closures, globals and attributes are compared by value, tensors and
other objects by identity, tensors by the version that PyTorch counts for writes in
place, too. Functions and containers are entered; of objects, classes, modules of Python
and modules of PyTorch the attributes that the code names.

That finds what can change only where it is known how values are reached. Whatever else
a function has (objects of C types, attributes by computed names), and every tensor that
tracing saw and this module did not, makes it unknowable, and it is traced at each call.

Not seen: writes into the memory of a tensor that PyTorch does not count (through numpy,
or `.data`) and into numpy arrays, numbers that the `forward` of a torch.nn.Module reads,
and special methods that are put into a class later.
"""

from __future__ import annotations

import builtins
import collections
import functools
import sys
import types
import weakref
from typing import Any, Callable, Dict, Iterable, List, Set, Tuple

import torch

from .._text import is_array

_SCALARS = frozenset((int, float, complex, bool, str, bytes, type(None)))
#: What has no state but its attributes, or is entered: the C types that classes may build on.
_BASES = (object, int, float, complex, str, bytes, tuple, list, dict, set, frozenset)
_CONTAINERS = (tuple, list, dict, set, frozenset, collections.deque)
#: Callables of C and descriptors: they are what they are, but for what they are bound to.
_BUILTINS = (
    types.BuiltinFunctionType,
    types.MethodWrapperType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    property,
    range,
    slice,
    type(Ellipsis),
    type(NotImplemented),
)
#: What reads attributes that no name in the code tells, and what reads anything.
_BY_NAME = frozenset(("getattr", "hasattr", "vars", "dir", "__dict__"))
_DYNAMIC = _BY_NAME | frozenset(
    ("globals", "locals", "eval", "exec", "open", "__import__", "attrgetter", "methodcaller")
)
_MAX_VALUES = 4096
_LIBRARIES = (
    ("torch", "numpy", "math", "girih", "operator", "functools", "builtins", "enum", "abc")
    + ("collections", "typing", "types", "jax", "jaxlib")
)


class Unknowable(Exception):
    """The function reaches more than can be compared."""


class Captures:
    """What a function read when it was traced."""

    __slots__ = ("_values", "_alive")

    def __init__(self, function: Any, tensors: Iterable[torch.Tensor]) -> None:
        """tensors: those that it was seen to read. Raises `Unknowable`."""
        reader = _Reader(function)
        if not reader.seen.issuperset(map(id, tensors)):
            raise Unknowable
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

    __slots__ = ("values", "identified", "seen", "_names", "_holders")

    def __init__(self, function: Any) -> None:
        self.values: List[Any] = []
        self.identified: List[Any] = []
        self.seen: Set[int] = set()
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
        elif kind is types.FunctionType:
            if self._identify(value):
                self._function(value)
        elif isinstance(value, _BUILTINS):
            owner = getattr(value, "__self__", None)
            if owner is None or isinstance(owner, types.ModuleType):
                self._identify(value)
            else:  # the pair is a new object at every access
                values.append(getattr(value, "__name__", ""))
                self._visit(owner)
        elif self._identify(value):
            self._enter(value, kind)
        elif isinstance(value, _CONTAINERS):  # identity tells nothing of what it holds
            self._contents(value)

    def _identify(self, value: Any) -> bool:
        """Notes which object it is; whether it was met for the first time."""
        self.values.append(id(value))
        if isinstance(value, torch.Tensor):
            if value.is_inference():  # writes to it are not counted
                raise Unknowable
            self.values.append(value._version)
            if value.requires_grad:  # what is made of it depends on the mode
                self.values.append(torch.is_grad_enabled())
        if id(value) in self.seen:
            return False
        self.seen.add(id(value))
        self.identified.append(value)
        return True

    def _contents(self, value: Any) -> None:
        self._items(value, value.items() if isinstance(value, dict) else value)

    def _items(self, container: Any, items: Iterable[Any]) -> None:
        self.values.append(len(container))
        inside = ~id(container)
        if inside not in self.seen:  # containers may hold themselves
            self.seen.add(inside)
            for item in items:
                self._visit(item)
            self.seen.discard(inside)

    def _enter(self, value: Any, kind: type) -> None:
        """What stands behind an object."""
        if isinstance(value, functools.partial):
            for part in (value.func, value.args, value.keywords):
                self._visit(part)
        elif isinstance(value, (types.ModuleType, type)):
            name = value.__name__ if isinstance(value, types.ModuleType) else value.__module__
            if not _is_library(name):
                self._holders.append(value)
                if isinstance(value, type):
                    for method in (*_special_methods(value), *_constructors(value)):
                        self._special_method(method)
        elif is_array(value) or _is_constant(value, kind):
            return
        elif isinstance(value, (collections.deque, *_BASES[1:])) or _is_of_python(kind):
            self._object(value, kind)
        else:
            raise Unknowable

    def _object(self, value: Any, kind: type) -> None:
        if isinstance(value, _CONTAINERS):
            self._contents(value)
        elif isinstance(value, (int, float, complex, str, bytes)):
            self.values.append(repr(value))
        self._holders.append(value)
        # Lists and dicts of modules and parameters have what they hold among attributes.
        whole = hasattr(kind, "__getitem__")
        for method in _special_methods(kind):
            if _BY_NAME.isdisjoint(_names(method.__code__)):
                self._special_method(method)
            else:
                whole = True
        if whole and hasattr(value, "__dict__"):
            self._visit(value.__dict__)

    def _special_method(self, method: Any) -> None:
        if id(method) not in self.seen:
            self._visit(method)

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
        if not _DYNAMIC.isdisjoint(names):
            raise Unknowable
        space = function.__globals__
        for name in names:
            self._names[name] = None
            if name in space:
                self._visit(space[name])
            elif name in sys.modules and not hasattr(builtins, name):  # imported inside
                self._visit(sys.modules[name])

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
        if name == "__class__":  # what it has is found by way of its object
            self.values.append(id(type(holder)))
            return
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


def _is_constant(value: Any, kind: type) -> bool:
    """Whether an object of a library never changes: of those that are written in Python only
    Girih's are known not to."""
    name = kind.__module__.partition(".")[0]
    return name == "girih" or (name in _LIBRARIES and name != "functools" and not _is_of_python(kind))


_HOLDERS = (types.SimpleNamespace, collections.deque, collections.OrderedDict, collections.defaultdict)

_of_python: "weakref.WeakKeyDictionary[type, bool]" = weakref.WeakKeyDictionary()
_methods: "weakref.WeakKeyDictionary[type, Dict[str, Any]]" = weakref.WeakKeyDictionary()

#: Py_TPFLAGS_HEAPTYPE, of classes that are made at run time.
_HEAP_TYPE = 1 << 9


def _is_of_python(kind: type) -> bool:
    """Whether attributes are all the state that objects of the class have: it builds on
    nothing of C but `_BASES`."""
    known = _of_python.get(kind)
    if known is None:
        made_in_c = next(base for base in kind.__mro__ if not base.__flags__ & _HEAP_TYPE)
        known = _of_python[kind] = made_in_c in _BASES or made_in_c in _HOLDERS
    return known


#: Special methods that are called when objects are made, and those that reading never calls,
#: or `_Reader` itself does.
_CONSTRUCTORS = frozenset(("__init__", "__new__", "__post_init__", "__init_subclass__"))
_UNREAD = frozenset(
    ("__repr__", "__str__", "__dir__", "__sizeof__", "__del__", "__copy__", "__deepcopy__", "__reduce__")
    + ("__reduce_ex__", "__getstate__", "__setstate__", "__setattr__", "__delattr__", "__setitem__")
    + ("__delitem__", "__set_name__", "__getattr__", "__getattribute__")
)


def _methods_of(kind: type) -> Dict[str, Any]:
    """Special methods that a class has from outside of libraries."""
    known = _methods.get(kind)
    if known is None:
        found: Dict[str, Any] = {}
        for base in kind.__mro__:
            if not _is_library(base.__module__):
                for name, method in vars(base).items():
                    if name[:2] == name[-2:] == "__" and isinstance(method, types.FunctionType):
                        found.setdefault(name, method)
        known = _methods[kind] = {name: found[name] for name in found if name not in _UNREAD}
    return known


def _special_methods(kind: type) -> Tuple[Any, ...]:
    """Methods such as __getitem__: nothing names them where they are called."""
    methods = _methods_of(kind)
    return tuple([methods[name] for name in methods if name not in _CONSTRUCTORS])


def _constructors(kind: type) -> Tuple[Any, ...]:
    """What makes objects of a class."""
    methods = _methods_of(kind)
    return tuple([methods[name] for name in methods if name in _CONSTRUCTORS])
