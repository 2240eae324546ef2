# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One table of functions for stand-ins, by name.

numpy's functions, torch's functions, methods and girih's own functions all end here:
`numpy.minimum`, `torch.minimum`, `q.minimum(k)` and `girih.minimum` are one entry.
"""

from __future__ import annotations

import operator
from typing import Any, Callable, Dict, List, Sequence

from .._text import is_array
from . import context, numbers, operations
from .context import refuse
from .integers import absolute, extremum
from .proxy import Proxy


def _extremum(name: str) -> Callable[..., Any]:
    def function(*values: Any) -> Any:
        if len(values) < 2:
            refuse(f"expected two numbers in {name}, but got {len(values)}")
        result = operations.lift(values[0])
        for value in values[1:]:
            other = operations.lift(value)
            if result is None or other is None:
                refuse(f"expected numbers in {name}, but got {values!r}")
            if isinstance(result, numbers.Float) or isinstance(other, numbers.Float):
                result = operations.call_float(name, result, other)
                continue
            left, right = operations.lift_index(result), operations.lift_index(other)
            assert left is not None and right is not None
            result = operations.combine(extremum(name), left, right)
        return result

    return function


minimum = _extremum("min")
maximum = _extremum("max")


def absolute_value(value: Any) -> Any:
    operand = operations.lift(value)
    if isinstance(operand, numbers.Float):
        return operations.call_float("abs", operand)
    index = operations.lift_index(value)
    if index is None:
        refuse(f"expected a number in abs, but got {value!r}")
    return operations.combine(absolute, index)


def clamp(value: Any, min: Any = None, max: Any = None, **bounds: Any) -> Any:  # noqa: A002
    lower = bounds.pop("a_min", min)
    upper = bounds.pop("a_max", max)
    if bounds or (lower is None and upper is None):
        refuse("expected clamp(x, min, max) with a bound, but got none")
    if lower is not None:
        value = maximum(value, lower)
    return value if upper is None else minimum(value, upper)


def where(condition: Any, x: Any, y: Any) -> Any:
    return operations.choose(condition, x, y)


def logical(name: str) -> Callable[..., Any]:
    """Of the truth of both sides: numbers are compared with 0."""
    function = {"and": operator.and_, "or": operator.or_, "xor": operator.xor}[name]
    return lambda a, b: function(operations.as_bool(a), operations.as_bool(b))


def bitwise(name: str) -> Callable[..., Any]:
    """As Python's operators: conditions, or an integer and a mask of low bits."""
    function = {"and": operator.and_, "or": operator.or_, "xor": operator.xor}[name]
    return lambda a, b: function(_stand_in(a), _stand_in(b))


def _stand_in(value: Any) -> Any:
    operand = operations.lift(value)
    return value if operand is None else operand


def _binary(function: Callable[[Any, Any], Any], swapped: bool = False) -> Callable[..., Any]:
    def call(a: Any, b: Any, **options: Any) -> Any:
        alpha = options.pop("alpha", 1)
        if options or alpha != 1:
            refuse(f"expected two operands and no options, but got {sorted(options) or ['alpha']}")
        left, right = _stand_in(a), b
        if is_array(b):
            # The array must not take over again; its value may be a divisor.
            right = b if function in (operator.floordiv, operator.mod) else _stand_in(b)
        return function(right, left) if swapped else function(left, right)

    return call


def divide(a: Any, b: Any, rounding_mode: Any = None) -> Any:
    if rounding_mode == "floor":
        return _binary(operator.floordiv)(a, b)
    if rounding_mode is not None:
        refuse(f"expected rounding_mode 'floor' or None, but got {rounding_mode!r}")
    return _binary(operator.truediv)(a, b)


def _float_call(name: str) -> Callable[..., Any]:
    def call(*values: Any) -> Any:
        if context.kind() != "score":
            refuse(
                f"expected integer arithmetic in a mask, but got {name}; it belongs into a score "
                "function"
            )
        return operations.call_float(name, *values)

    return call


def power(a: Any, b: Any) -> Any:
    return _binary(operator.pow)(a, b)


def index_array(array: Any, index: Any) -> Any:
    """`array[index]` with stand-ins in `index`: a lookup."""
    if isinstance(array, numbers.Row):
        return array[index]
    return operations.look_up(context.table_of(array), index)


def _like(value: int) -> Callable[..., Any]:
    def call(like: Any, *args: Any, **options: Any) -> Any:
        fill = options.pop("fill_value", args[0] if args else value)
        return operations.constant_like((), fill, options or {"dtype": _dtype_of(like)})

    return call


def _dtype_of(value: Any) -> str:
    return "bool" if isinstance(value, numbers.Bool) else "int"


def _cast(value: Any, dtype: Any = None, *args: Any, **options: Any) -> Any:
    return operations.cast(value, options.get("dtype", dtype))


def _same(value: Any, *args: Any, **options: Any) -> Any:
    return value


FUNCTIONS: Dict[str, Callable[..., Any]] = {}


def _register(function: Callable[..., Any], *names: str) -> None:
    for name in names:
        FUNCTIONS[name] = function


for _operator, *_names in (
    (operator.add, "add"),
    (operator.sub, "sub", "subtract"),
    (operator.mul, "mul", "multiply"),
    (operator.floordiv, "floordiv", "floor_divide"),
    (operator.mod, "mod", "remainder"),
    (operator.lshift, "lshift", "left_shift", "bitwise_left_shift"),
    (operator.rshift, "rshift", "right_shift", "bitwise_right_shift"),
    (operator.lt, "lt", "less"),
    (operator.le, "le", "less_equal"),
    (operator.gt, "gt", "greater"),
    (operator.ge, "ge", "greater_equal"),
    (operator.eq, "eq", "equal"),
    (operator.ne, "ne", "not_equal"),
):
    _register(_binary(_operator), *_names)
for _name in ("add", "sub", "mul", "floordiv", "mod", "pow", "truediv"):
    _register(_binary(getattr(operator, _name), swapped=True), f"r{_name}")
_register(divide, "div", "divide", "true_divide", "truediv")
_register(_binary(operator.truediv, swapped=True), "rdiv")  # what torch calls rtruediv
_register(power, "pow", "power", "float_power")
_register(lambda a: -_stand_in(a), "neg", "negative")
_register(_same, "pos", "positive", "contiguous", "clone", "detach", "cpu", "cuda", "squeeze")
_register(absolute_value, "abs", "absolute", "fabs")
_register(minimum, "min", "minimum", "fmin")
_register(maximum, "max", "maximum", "fmax")
_register(clamp, "clamp", "clip", "clamp_")
_register(lambda a, bound: maximum(a, bound), "clamp_min")
_register(lambda a, bound: minimum(a, bound), "clamp_max")
_register(where, "where")
for _name in ("and", "or", "xor"):
    _register(logical(_name), f"logical_{_name}")
    _register(bitwise(_name), f"bitwise_{_name}", _name, f"r{_name}")
_register(lambda a: ~operations.as_bool(a), "logical_not")
_register(lambda a: ~_stand_in(a), "invert", "bitwise_not", "bitwise_invert")
_register(lambda a: a * a, "square")
_register(index_array, "getitem")
_register(_like(0), "zeros_like")
_register(_like(1), "ones_like")
_register(_like(0), "full_like")
_register(_cast, "to", "type", "astype")
_register(lambda a: operations.cast(a, "int64"), "int", "long")
_register(lambda a: operations.cast(a, "float32"), "float", "double", "half", "bfloat16")
_register(lambda a: operations.cast(a, "bool"), "bool")
for _name in ("exp", "exp2", "log", "log2", "sqrt", "rsqrt", "tanh", "sigmoid", "erf"):
    _register(_float_call(_name), _name)
for _name in ("sin", "cos", "floor"):
    _register(_float_call(_name), _name)

#: What a stand-in has as methods.
METHODS: List[str] = sorted(
    name for name in FUNCTIONS if name not in ("and", "or", "getitem", "mod", "pos", "invert")
)

#: For messages; every other name is another word for one of these.
KNOWN = (
    "+ - * // % abs minimum maximum clamp where, comparisons, & | ^ ~ logical_and logical_or "
    "logical_xor logical_not, casts; in scores also / pow exp exp2 log log2 sqrt rsqrt tanh sigmoid "
    "erf sin cos floor"
)


def dispatch(name: str, shown: str, args: Sequence[Any], kwargs: Dict[str, Any]) -> Any:
    """Calls the function of this name; `shown` is how the user called it."""
    function = FUNCTIONS.get(name.strip("_") if name.startswith("__") else name)
    if function is None:
        refuse(f"expected a function that Girih knows, but got {shown}; known: {KNOWN}")
    named = {"input": 0, "self": 0, "other": 1}
    positional = list(args)
    for key in list(kwargs):  # torch's names of operands
        if key in named and named[key] == len(positional):
            positional.append(kwargs.pop(key))
    try:
        return function(*positional, **kwargs)
    except TypeError as error:
        if "unexpected keyword" in str(error) or "positional argument" in str(error):
            refuse(f"expected the operands of {shown}, but {error}")
        raise


def holds_proxy(values: Any) -> bool:
    """Whether a stand-in is among the arguments, or in a list or tuple of them."""
    if isinstance(values, Proxy):
        return True
    if isinstance(values, (list, tuple)):
        return any(holds_proxy(value) for value in values)
    if isinstance(values, dict):
        return any(holds_proxy(value) for value in values.values())
    return False
