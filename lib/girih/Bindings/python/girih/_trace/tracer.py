# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From a Python function over indices to text.

Two mechanisms make arrays that a function captures into tables:

- torch tensors: a torch function mode sees every operation on tensors while the
  function runs, `t[q]` included, wherever the tensor came from.
- numpy and jax arrays: no hook sees `array[q]`, so the function is rebuilt with the
  arrays among its globals, closure cells, defaults and, where it is a method, its
  object's attributes replaced by views that know lookups. Helper functions,
  functools.partial and containers are rebuilt along the way. The user's function,
  globals and objects stay as they are.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
import types
from typing import Any, Callable, ContextManager, Dict, Iterator, Sequence, Set, Tuple, Union

from .._errors import WrongTypeError
from .._text import Text, is_array, is_torch_tensor
from . import context, operations
from .functions import dispatch, holds_proxy
from .numbers import Bool, Float, Index

#: Modules whose functions capture nothing but what callers hand them.
_LIBRARIES = ("torch", "numpy", "jax", "jaxlib", "cupy", "girih")


@functools.lru_cache(maxsize=None)
def _captured_class() -> Any:
    import numpy

    class CapturedArray(numpy.ndarray):
        """A view of a captured array whose `[...]` takes stand-ins."""

        girih_source: Any = None

        def __getitem__(self, index: Any) -> Any:
            if holds_proxy(index):
                source = self if self.girih_source is None else self.girih_source
                return operations.look_up(context.table_of(source), index)
            return super().__getitem__(index)

    return CapturedArray


@functools.lru_cache(maxsize=None)
def _function_mode() -> Any:
    from torch.overrides import TorchFunctionMode

    class LookupMode(TorchFunctionMode):
        """Takes calls with stand-ins among their arguments; leaves all others alone."""

        def __torch_function__(
            self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
        ) -> Any:
            kwargs = dict(kwargs or {})
            reads = context.reads()
            if holds_proxy(args) or holds_proxy(kwargs):
                if reads is not None:
                    reads.note((args, kwargs), None)
                name = getattr(func, "__name__", str(func))
                return dispatch(name, f"torch.{name}", args, kwargs)
            result = func(*args, **kwargs)
            if reads is not None:
                reads.note((args, kwargs), result)
            return result

    return LookupMode


def _torch_mode() -> ContextManager[Any]:
    if "torch" not in sys.modules:
        return contextlib.nullcontext()
    mode: ContextManager[Any] = _function_mode()()
    return mode


def _is_library(module: Any) -> bool:
    return isinstance(module, str) and module.split(".")[0] in _LIBRARIES


def _names(code: types.CodeType) -> Set[str]:
    """Names that a function and the functions within it may read as globals."""
    found = set(code.co_names)
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            found |= _names(const)
    return found


class _Rebuilder:
    """Makes copies in which captured arrays know lookups; one for each trace."""

    def __init__(self) -> None:
        self.done: Dict[int, Tuple[Any, Any]] = {}  # id -> (original, copy)

    def __call__(self, value: Any) -> Any:
        known = self.done.get(id(value))
        if known is not None:
            return known[1]
        self.done[id(value)] = (value, value)  # what holds itself stays itself there
        copy = self.copy(value)
        self.done[id(value)] = (value, copy)
        return copy

    def copy(self, value: Any) -> Any:
        if isinstance(value, types.FunctionType):
            return self.function(value)
        if isinstance(value, functools.partial):
            keywords = {name: self(one) for name, one in value.keywords.items()}
            return functools.partial(self(value.func), *map(self, value.args), **keywords)
        if isinstance(value, types.MethodType):
            return types.MethodType(self(value.__func__), self.instance(value.__self__))
        if type(value) in (tuple, list):
            items = [self(item) for item in value]
            return value if all(a is b for a, b in zip(items, value)) else type(value)(items)
        if type(value) is dict:
            entries = {key: self(item) for key, item in value.items()}
            return value if all(entries[key] is value[key] for key in value) else entries
        if isinstance(value, (types.ModuleType, type)) or is_torch_tensor(value):
            return value
        if is_array(value):
            return self.array(value)
        if hasattr(value, "__dict__") and not _is_library(type(value).__module__):
            return self.instance(value)
        return value

    def array(self, value: Any) -> Any:
        import numpy

        jax = sys.modules.get("jax")
        if jax is not None and isinstance(value, jax.core.Tracer):
            return value
        view = numpy.asarray(value).view(_captured_class())
        view.girih_source = value
        return view

    def function(self, value: types.FunctionType) -> Any:
        cells = tuple(types.CellType() for _ in value.__closure__ or ())
        scope = value.__globals__
        if not _is_library(value.__module__):
            scope = dict(scope)
        copy = types.FunctionType(value.__code__, scope, value.__name__, None, cells)
        self.done[id(value)] = (value, copy)  # functions may refer to themselves
        copy.__dict__.update(value.__dict__)
        copy.__dict__.pop("__wrapped__", None)
        copy.__module__ = value.__module__
        copy.__qualname__ = value.__qualname__
        if value.__defaults__:
            copy.__defaults__ = tuple(map(self, value.__defaults__))
        if value.__kwdefaults__:
            copy.__kwdefaults__ = {name: self(one) for name, one in value.__kwdefaults__.items()}
        for cell, original in zip(cells, value.__closure__ or ()):
            with contextlib.suppress(ValueError):  # a variable without a value yet
                cell.cell_contents = self(original.cell_contents)
        if scope is not value.__globals__:
            for name in _names(value.__code__):
                if name in scope:
                    scope[name] = self(scope[name])
        return copy

    def instance(self, value: Any) -> Any:
        """A shallow copy of an object that holds arrays or callables; else the object."""
        if isinstance(value, (types.ModuleType, type)) or not hasattr(value, "__dict__"):
            return value
        self.done[id(value)] = (value, value)  # objects may refer to themselves
        replaced = {}
        for name, attribute in vars(value).items():
            if is_torch_tensor(attribute):
                continue
            if is_array(attribute) or isinstance(
                attribute, (types.FunctionType, functools.partial, tuple, list, dict)
            ):
                copy = self(attribute)
                if copy is not attribute:
                    replaced[name] = copy
        if not replaced:
            return value
        try:
            clone = object.__new__(type(value))
            clone.__dict__.update(vars(value))
            clone.__dict__.update(replaced)
        except TypeError:
            return value
        self.done[id(value)] = (value, clone)
        return clone


def _callable(function: Any) -> Callable[..., Any]:
    """The rebuilt function, or the bound `__call__` of a rebuilt object."""
    rebuild = _Rebuilder()
    if isinstance(function, (types.FunctionType, types.MethodType, functools.partial)):
        return rebuild(function)  # type: ignore[no-any-return]
    method = getattr(type(function), "__call__", None)
    if isinstance(method, types.FunctionType):
        return types.MethodType(rebuild(method), rebuild.instance(function))
    return function  # type: ignore[no-any-return]


def describe(function: Any) -> str:
    """The name of a function, for messages."""
    return getattr(function, "__qualname__", None) or repr(function)


def _check_signature(function: Any, names: Sequence[str]) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*names)
    except TypeError:
        raise WrongTypeError(
            f"expected a function of ({', '.join(names)}), but got {describe(function)}{signature}"
        ) from None


@contextlib.contextmanager
def _environment(kind: str) -> Iterator[None]:
    with context.tracing(kind), _torch_mode():
        yield


def _call(function: Any, kind: str, names: Sequence[str]) -> Any:
    if not callable(function):
        raise WrongTypeError(
            f"expected a function of ({', '.join(names)}), but got {type(function).__name__}"
        )
    _check_signature(function, names)
    arguments = [
        Float(Text(99, name)) if name == "score" else Index.variable(name) for name in names
    ]
    with _environment(kind):
        rebuilt = _callable(function)
        with context.execution():
            return rebuilt(*arguments)


def _single(value: Any) -> Any:
    """An array of one element and no dimensions as a Python value."""
    if is_array(value) and tuple(value.shape) == ():
        return value.item()
    return value


def trace_mask(function: Any) -> Text:
    """The condition that `function(b, h, q, k)` computes, as a predicate."""
    result = _single(_call(function, "mask", ("b", "h", "q", "k")))
    numpy = sys.modules.get("numpy")
    if isinstance(result, bool) or (numpy is not None and isinstance(result, numpy.bool_)):
        return Bool.constant(bool(result)).text
    if isinstance(result, Bool):
        return result.text
    got = f"the integer {result!r}" if isinstance(result, Index) else f"{result!r}"
    raise WrongTypeError(
        f"expected {describe(function)} to return a condition, such as q >= k, but got {got}"
    )


def trace_score(function: Any) -> Text:
    """The score that `function(score, b, h, q, k)` computes, in the score language."""
    result = _call(function, "score", ("score", "b", "h", "q", "k"))
    if isinstance(result, Bool):
        raise WrongTypeError(
            f"expected {describe(function)} to return a score, but got the condition {result!r}"
        )
    with context.tracing("score"):
        operand = operations.lift(result)
    if operand is None:
        raise WrongTypeError(f"expected {describe(function)} to return a score, but got {result!r}")
    with context.tracing("score"):
        return Float.of(operand).text
