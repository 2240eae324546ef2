# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operations on stand-ins: Python values as expressions, choices, comparisons, lookups."""

from __future__ import annotations

import itertools
import math
import sys
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

from .._text import Table, Text, is_array
from . import context, numbers
from .context import refuse
from .integers import ARITHMETIC, ATOM, COMPARE, SUM, Value, constant
from .proxy import Proxy

#: Most cases of one integer.
MAX_CASES = 256

# ---------------------------------------------------------------------------
# Python values as expressions
# ---------------------------------------------------------------------------


def float_literal(value: Any) -> str:
    """A float as the score language writes it."""
    number = float(value)
    if math.isnan(number):
        refuse("expected a number, but got NaN")
    if math.isinf(number):
        return "inf" if number > 0 else "-inf"
    text = repr(number)
    return text if any(c in text for c in ".e") else text + ".0"


def lift(value: Any) -> Optional[Proxy]:
    """A number, array of one number or proxy as an expression; None for anything else."""
    if isinstance(value, numbers.Row):
        value._incomplete()
    if isinstance(value, Proxy):
        return value
    if isinstance(value, bool):
        return numbers.Bool.constant(value)
    if isinstance(value, int):
        return numbers.Index.constant(value)
    if isinstance(value, float):
        if context.kind() == "score" or not value.is_integer():
            if context.kind() != "score":
                refuse(f"expected integers, but got the float {value}; masks compare integers")
            return numbers.Float(Text(ATOM, float_literal(value)))
        return numbers.Index.constant(int(value))
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        return lift(value.item())
    if is_array(value):
        shape = tuple(value.shape)
        if shape != ():
            refuse(
                f"expected a number, but got an array of shape {shape}; index it, as in t[q], to use "
                "its values"
            )
        if numpy is not None and type(value) is numpy.ndarray:
            return lift(value.item())  # numpy makes arrays of its scalars on the way here
        # Looked up and not written down: another value of it compiles nothing.
        found: Proxy = look_up(context.table_of(value), 0)
        return found
    return None


def lift_index(value: Any) -> Optional[numbers.Index]:
    """`lift`, as an integer; None for floats and what is no number."""
    operand = lift(value)
    if isinstance(operand, numbers.Bool):
        return operand.integer()
    return operand if isinstance(operand, numbers.Index) else None


def as_bool(value: Any, where: str = "as a condition") -> numbers.Bool:
    """`lift`, as a condition: integers and scores are compared with 0."""
    operand = lift(value)
    if isinstance(operand, numbers.Bool):
        return operand
    if isinstance(operand, (numbers.Index, numbers.Float)):
        if where.startswith("beside `"):
            refuse(
                f"expected a condition {where}, but got {operand!r}; put comparisons into brackets: "
                "(q >= k) & (k > 3)"
            )
        holds: numbers.Bool = compare("!=", operand, 0)
        return holds
    refuse(f"expected a condition {where}, but got {type(value).__name__} {value!r}")


def cast(value: Proxy, dtype: Any) -> Any:
    """What `.to(dtype)` gives: an index, a condition or a score."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(dtype, torch.device) or isinstance(dtype, str) and dtype in (
        "cpu",
        "cuda",
    ):
        return value
    name = getattr(dtype, "__name__", None) or getattr(dtype, "name", None) or str(dtype)
    name = name.replace("torch.", "")
    if name == "bool":
        return as_bool(value)
    if name.startswith(("int", "uint", "long", "short")):
        if isinstance(value, numbers.Float):
            refuse("expected integers, but got a score cast to an integer; it has no use in a score")
        return lift_index(value)
    if name.startswith(("float", "bfloat", "double", "half")):
        return numbers.Float.of(value)
    refuse(f"expected an integer, boolean or float type, but got {dtype!r}")


# ---------------------------------------------------------------------------
# Operations on integers
# ---------------------------------------------------------------------------


def combine(function: Callable[..., Value], *operands: numbers.Index) -> numbers.Index:
    """Applies `function` to every combination of cases."""
    if all(len(operand.cases) == 1 for operand in operands):
        return numbers.Index.of(function(*(operand.cases[0].value for operand in operands)))
    merged: List[numbers.Case] = []
    for combination in itertools.product(*(operand.cases for operand in operands)):
        guard = conjunction([case.guard for case in combination])
        if guard is not None and guard.const is False:
            continue
        merged.append(numbers.Case(guard, function(*(case.value for case in combination))))
        if len(merged) > MAX_CASES:
            refuse(f"expected at most {MAX_CASES} cases of `where`, but got more; use fewer, or a table")
    return numbers.Index(merged)


def conjunction(guards: Sequence[Optional[numbers.Bool]]) -> Optional[numbers.Bool]:
    """All of them; a guard that occurs twice counts once, with its opposite it is false."""
    seen: List[numbers.Bool] = []
    for guard in guards:
        if guard is None or any(guard.text == other.text for other in seen):
            continue
        opposite = (~guard).text
        if any(other.text == opposite or (~other).text == guard.text for other in seen):
            return numbers.Bool.constant(False)
        seen.append(guard)
    result: Optional[numbers.Bool] = None
    for guard in seen:
        result = guard if result is None else result & guard
    return result


def _scalar_divisor(sign: str, value: Any) -> Any:
    """Divisors are constants of the text, so a 0-d array gives its value here."""
    if sign in ("//", "%") and is_array(value) and tuple(value.shape) == ():
        return value.item()
    return value


def arithmetic(sign: str, left: Any, right: Any) -> Any:
    """An operation of two numbers, at least one of which is an `Index`."""
    a, b = lift(left), lift(_scalar_divisor(sign, right))
    if a is None or b is None:
        return NotImplemented
    if isinstance(a, numbers.Bool):
        a = a.integer()
    if isinstance(b, numbers.Bool):
        b = b.integer()
    if isinstance(a, numbers.Float) or isinstance(b, numbers.Float):
        x, y = numbers.Float.of(a), numbers.Float.of(b)
        return {
            "+": numbers.Float.__add__,
            "-": numbers.Float.__sub__,
            "*": numbers.Float.__mul__,
            "/": numbers.Float.__truediv__,
            "//": numbers.Float.__floordiv__,
            "%": numbers.Float.__mod__,
            "**": numbers.Float.__pow__,
        }[sign](x, y)
    assert isinstance(a, numbers.Index) and isinstance(b, numbers.Index)
    if sign == "/":
        if context.kind() != "score":
            refuse(
                f"expected `//`, but got `/` between {a!r} and {b!r}: masks compare integers, and `/` "
                "is real division in Python"
            )
        return numbers.Float.of(a) / numbers.Float.of(b)
    return combine(ARITHMETIC[sign], a, b)


def compare(sign: str, left: Any, right: Any) -> Any:
    """A comparison of two numbers, at least one of which is an `Index` or a `Float`."""
    a, b = lift(left), lift(right)
    if a is None or b is None:
        refuse(f"expected a number beside `{sign}`, but got {right!r}")
    if isinstance(a, numbers.Bool):
        a = a.integer()
    if isinstance(b, numbers.Bool):
        b = b.integer()
    if isinstance(a, numbers.Float) or isinstance(b, numbers.Float):
        x, y = numbers.Float.of(a), numbers.Float.of(b)
        text = Text(COMPARE, x.text.at(SUM), f" {sign} ", y.text.at(SUM))
        return numbers.Bool(text, None, reads_floats=True)
    assert isinstance(a, numbers.Index) and isinstance(b, numbers.Index)
    union = numbers.Bool.constant(False)
    for left_case, right_case in itertools.product(a.cases, b.cases):
        guard = conjunction([left_case.guard, right_case.guard])
        holds = _compare(sign, left_case.value, right_case.value)
        union = union | (holds if guard is None else guard & holds)
    return union


_FOLD = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def _compare(sign: str, a: Value, b: Value) -> numbers.Bool:
    if a.const is not None and b.const is not None:
        return numbers.Bool.constant(_FOLD[sign](a.const, b.const))
    if a.text == b.text:
        return numbers.Bool.constant(sign in ("<=", ">=", "=="))
    return numbers.Bool(Text(COMPARE, a.text.at(SUM), f" {sign} ", b.text.at(SUM)))


def shift(value: Any) -> int:
    amount = lift_index(value)
    if amount is None or amount.const is None or not 0 <= amount.const < 40:
        refuse(f"expected a constant shift of 0 to 39, but got {value!r}")
    return amount.const


# ---------------------------------------------------------------------------
# Operations on scores, choices and lookups
# ---------------------------------------------------------------------------


def call_float(name: str, *operands: Any) -> numbers.Float:
    """A function of the score language."""
    pieces: List[Union[str, Text]] = [f"{name}("]
    for number, value in enumerate(operands):
        operand = lift(value)
        if operand is None:
            refuse(f"expected a number in {name}, but got {value!r}")
        if number:
            pieces.append(", ")
        pieces.append(numbers.Float.of(operand).text)
    return numbers.Float(Text(ATOM, *pieces, ")"))


def choose(condition: Any, x: Any, y: Any) -> Any:
    """`x` where the condition holds, else `y`: conditions, integers or scores."""
    guard = as_bool(condition)
    a, b = lift(x), lift(y)
    if a is None or b is None:
        refuse(f"expected numbers or conditions in where, but got {x!r} and {y!r}")
    if guard.const is not None:
        return a if guard.const else b
    if isinstance(a, numbers.Bool) and isinstance(b, numbers.Bool):
        return (guard & a) | (~guard & b)
    if isinstance(a, numbers.Float) or isinstance(b, numbers.Float):
        left, right = numbers.Float.of(a), numbers.Float.of(b)
        return numbers.Float(Text(ATOM, "where(", guard.text, ", ", left.text, ", ", right.text, ")"))
    if guard.reads_floats:
        left, right = numbers.Float.of(a), numbers.Float.of(b)
        return numbers.Float(Text(ATOM, "where(", guard.text, ", ", left.text, ", ", right.text, ")"))
    cases: List[numbers.Case] = []
    for side, operand in ((guard, a), (~guard, b)):
        index = operand.integer() if isinstance(operand, numbers.Bool) else operand
        assert isinstance(index, numbers.Index)
        for case in index.cases:
            both = conjunction([side, case.guard])
            assert both is not None
            if both.const is not False:
                cases.append(numbers.Case(both, case.value))
    if len(cases) > MAX_CASES:
        refuse(f"expected at most {MAX_CASES} cases of `where`, but got more; use fewer, or a table")
    return numbers.Index(cases)


def look_up(table: Table, index: Any, before: Tuple[numbers.Index, ...] = ()) -> Any:
    """`table[index]`, where `before` holds the indices of earlier brackets."""
    if table.is_float and context.kind() != "score":
        refuse(
            "expected a table of integers or booleans in a mask, but got one of floats; masks depend "
            "on integers, and a score function may add a float table to scores"
        )
    indices = list(before)
    for position in index if isinstance(index, tuple) else (index,):
        if position is Ellipsis and isinstance(index, tuple) and len(index) > 1:
            refuse("expected an index for each dimension, but got `...`")
        operand = lift(position) if not isinstance(position, slice) else None
        if isinstance(operand, numbers.Bool) or not isinstance(operand, numbers.Index):
            got = "a condition" if isinstance(operand, numbers.Bool) else repr(position)
            refuse(f"expected integers between the brackets of a table, but got {got}")
        dimension = len(indices)
        if dimension == len(table.shape):
            refuse(f"expected at most {len(table.shape)} indices of a table of shape {table.shape}")
        const, extent = operand.const, table.shape[dimension]
        if const is not None:
            if not -extent <= const < extent:
                refuse(
                    f"expected an index of -{extent} to {extent - 1} in dimension {dimension} of a "
                    f"table of shape {table.shape}, but got {const}"
                )
            operand = numbers.Index.constant(const % extent)
        indices.append(operand)
    if len(indices) < len(table.shape):
        return numbers.Row(table, tuple(indices))

    def value(*values: Value) -> Value:
        pieces: List[Union[str, Text, Table]] = [table, "["]
        for number, one in enumerate(values):
            pieces += [", "] * bool(number) + [one.text]
        return Value(Text(ATOM, *pieces, "]"))

    found = combine(value, *indices)
    if table.is_float:
        return numbers.Float(choice(found))
    return found != 0 if table.is_bool else found


def choice(index: numbers.Index) -> Text:
    """An integer in the score language, which has `where`."""
    *heads, last = index.cases
    text = last.value.text
    for guard, head in reversed(heads):
        assert guard is not None
        text = Text(ATOM, "where(", guard.text, ", ", head.text, ", ", text, ")")
    return text


def constant_like(size: Any, value: Any, options: Dict[str, Any]) -> Proxy:
    """A constant in place of the tensor that torch would make beside a stand-in."""
    if tuple(size) != ():
        refuse(f"expected a single number, but got a tensor of shape {tuple(size)}")
    if str(options.get("dtype")) in ("torch.bool", "bool", "<class 'bool'>"):
        return numbers.Bool.constant(bool(value))
    lifted = lift(value)
    if lifted is None:
        refuse(f"expected a number, but got {value!r}")
    return lifted
