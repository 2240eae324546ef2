# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Integer expressions without cases: texts that fold constants."""

from __future__ import annotations

from typing import Callable, Dict, NamedTuple, Optional

from .._text import Text
from .context import refuse

#: How tightly expressions bind.
OR, AND, COMPARE, SUM, PRODUCT, ATOM = 1, 2, 3, 4, 5, 6


class Value(NamedTuple):
    """An integer without cases: its text, and its value where that is constant."""

    text: Text
    const: Optional[int] = None


def constant(value: int) -> Value:
    if not -(1 << 63) <= value < 1 << 63:
        refuse(f"expected an integer of 64 bits, but got {value}")
    return Value(Text(ATOM, str(value)), value)


def negate(a: Value) -> Value:
    return constant(-a.const) if a.const is not None else Value(Text(ATOM, "-", a.text.at(ATOM)))


def absolute(a: Value) -> Value:
    return constant(abs(a.const)) if a.const is not None else Value(Text(ATOM, "abs(", a.text, ")"))


def _add(a: Value, b: Value) -> Value:
    if a.const is not None and b.const is not None:
        return constant(a.const + b.const)
    if b.const is not None and b.const < 0:
        return _sub(a, constant(-b.const))
    if a.const == 0:
        return b
    if b.const == 0:
        return a
    return Value(Text(SUM, a.text.at(SUM), " + ", b.text.at(PRODUCT)))


def _sub(a: Value, b: Value) -> Value:
    if a.const is not None and b.const is not None:
        return constant(a.const - b.const)
    if b.const is not None and b.const < 0:
        return _add(a, constant(-b.const))
    if b.const == 0:
        return a
    return Value(Text(SUM, a.text.at(SUM), " - ", b.text.at(PRODUCT)))


def _mul(a: Value, b: Value) -> Value:
    if a.const is not None and b.const is not None:
        return constant(a.const * b.const)
    for x, y in ((a, b), (b, a)):
        if x.const == 1:
            return y
        if x.const == 0:
            return x
    return Value(Text(PRODUCT, a.text.at(PRODUCT), " * ", b.text.at(ATOM)))


def _divisor(sign: str, b: Value) -> int:
    if b.const is None or b.const <= 0:
        got = repr(b.text)
        refuse(f"expected the right side of `{sign}` to be a positive constant, but got {got}")
    return b.const


def _floordiv(a: Value, b: Value) -> Value:
    divisor = _divisor("//", b)
    if a.const is not None:
        return constant(a.const // divisor)
    return a if divisor == 1 else Value(Text(PRODUCT, a.text.at(PRODUCT), " / ", b.text.at(ATOM)))


def _mod(a: Value, b: Value) -> Value:
    divisor = _divisor("%", b)
    if a.const is not None:
        return constant(a.const % divisor)
    if divisor == 1:
        return constant(0)
    return Value(Text(PRODUCT, a.text.at(PRODUCT), " % ", b.text.at(ATOM)))


def _power(a: Value, b: Value) -> Value:
    if b.const is None or not 0 <= b.const <= 8:
        refuse(f"expected a constant exponent of 0 to 8, but got {b.text!r}")
    result = constant(1)
    for _ in range(b.const):
        result = _mul(result, a)
    return result


def extremum(name: str) -> Callable[[Value, Value], Value]:
    """`min` or `max` of two integers."""
    fold = min if name == "min" else max

    def function(a: Value, b: Value) -> Value:
        if a.const is not None and b.const is not None:
            return constant(fold(a.const, b.const))
        return a if a.text == b.text else Value(Text(ATOM, f"{name}(", a.text, ", ", b.text, ")"))

    return function


ARITHMETIC: Dict[str, Callable[[Value, Value], Value]] = {
    "+": _add,
    "-": _sub,
    "*": _mul,
    "//": _floordiv,
    "%": _mod,
    "**": _power,
}
