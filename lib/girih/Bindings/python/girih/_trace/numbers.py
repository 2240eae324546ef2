# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Stand-ins for indices, conditions and scores while a function is traced.

An `Index` is an integer expression over b, h, q, k, nq and nk, a `Bool` a condition
on them, and a `Float` a score. They know how to print themselves, fold constants,
and refuse what Girih's languages cannot say.

The language of conditions has no integer `where`. An `Index` is therefore a list of
cases with conditions that exclude each other, and a comparison becomes a union over
the cases: ``where(c, x, y) < z`` is ``c && x < z || !c && y < z``.
"""

from __future__ import annotations

from typing import Any, List, NamedTuple, NoReturn, Optional, Sequence, Tuple

from .._text import Table, Text
from . import context, operations
from .context import refuse
from .integers import AND, ATOM, OR, PRODUCT, SUM, Value, absolute, constant, negate
from .proxy import Proxy


class Case(NamedTuple):
    """A value, and when it holds (None: always)."""

    guard: Optional["Bool"]
    value: Value


class Number(Proxy):
    """What is compared: both sides may be of either kind."""

    __slots__ = ()

    def __lt__(self, other: Any) -> Any:
        return operations.compare("<", self, other)

    def __le__(self, other: Any) -> Any:
        return operations.compare("<=", self, other)

    def __gt__(self, other: Any) -> Any:
        return operations.compare(">", self, other)

    def __ge__(self, other: Any) -> Any:
        return operations.compare(">=", self, other)

    def __eq__(self, other: Any) -> Any:
        return operations.compare("==", self, other)

    def __ne__(self, other: Any) -> Any:
        return operations.compare("!=", self, other)


class Index(Number):
    """An integer expression over b, h, q, k, nq and nk, and looked up integers."""

    __slots__ = ("cases",)
    _what = "an index"

    def __init__(self, cases: Sequence[Case]) -> None:
        self.cases: Tuple[Case, ...] = tuple(cases)

    @staticmethod
    def variable(name: str) -> "Index":
        return Index([Case(None, Value(Text(ATOM, name)))])

    @staticmethod
    def constant(value: int) -> "Index":
        return Index([Case(None, constant(int(value)))])

    @staticmethod
    def of(value: Value) -> "Index":
        return Index([Case(None, value)])

    @property
    def const(self) -> Optional[int]:
        """The value where it is a constant."""
        return self.cases[0].value.const if len(self.cases) == 1 else None

    def __repr__(self) -> str:
        if len(self.cases) == 1:
            return repr(self.cases[0].value.text)
        return " or ".join(f"{c.value.text!r} if {c.guard!r}" for c in self.cases)

    def __add__(self, other: Any) -> Any:
        return operations.arithmetic("+", self, other)

    def __radd__(self, other: Any) -> Any:
        return operations.arithmetic("+", other, self)

    def __sub__(self, other: Any) -> Any:
        return operations.arithmetic("-", self, other)

    def __rsub__(self, other: Any) -> Any:
        return operations.arithmetic("-", other, self)

    def __mul__(self, other: Any) -> Any:
        return operations.arithmetic("*", self, other)

    def __rmul__(self, other: Any) -> Any:
        return operations.arithmetic("*", other, self)

    def __floordiv__(self, other: Any) -> Any:
        return operations.arithmetic("//", self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return operations.arithmetic("//", other, self)

    def __mod__(self, other: Any) -> Any:
        return operations.arithmetic("%", self, other)

    def __rmod__(self, other: Any) -> Any:
        return operations.arithmetic("%", other, self)

    def __truediv__(self, other: Any) -> Any:
        return operations.arithmetic("/", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return operations.arithmetic("/", other, self)

    def __pow__(self, other: Any) -> Any:
        return operations.arithmetic("**", self, other)

    def __rpow__(self, other: Any) -> Any:
        return operations.arithmetic("**", other, self)

    def __neg__(self) -> Any:
        return operations.combine(negate, self)

    def __pos__(self) -> "Index":
        return self

    def __abs__(self) -> "Index":
        return operations.combine(absolute, self)

    # Bits: shifts and masks by powers of two are products, divisions and remainders.

    def __lshift__(self, other: Any) -> Any:
        return self * (1 << operations.shift(other))

    def __rshift__(self, other: Any) -> Any:
        return self // (1 << operations.shift(other))

    def __and__(self, other: Any) -> Any:
        if isinstance(other, Bool):
            return operations.as_bool(self) & other
        mask = operations.lift_index(other)
        bits = mask.const if mask is not None else None
        if bits is None or bits < 0 or bits & (bits + 1):
            refuse(
                "expected conditions on both sides of `&`, or an integer and a constant 2^n - 1, but "
                f"got {self!r} and {other!r}; put comparisons into brackets: (q >= k) & (k > 3)"
            )
        return self % (bits + 1)

    __rand__ = __and__

    def _no_bits(self, other: Any) -> Any:
        if isinstance(other, Bool):
            return NotImplemented
        refuse(
            f"expected conditions on both sides of `|` and `^`, but got the integer {self!r}; put "
            "comparisons into brackets: (q >= k) | (k < 3)"
        )

    __or__ = __ror__ = __xor__ = __rxor__ = _no_bits

    def __invert__(self) -> NoReturn:
        refuse(f"expected a condition after `~`, but got the integer {self!r}")


class Bool(Proxy):
    """A condition. `const` is its value where that is known."""

    __slots__ = ("text", "const", "reads_floats")
    _what = "a condition"

    def __init__(self, text: Text, const: Optional[bool] = None, reads_floats: bool = False):
        self.text = text
        self.const = const
        self.reads_floats = reads_floats

    @staticmethod
    def constant(value: bool) -> "Bool":
        return Bool(Text(ATOM, "true" if value else "false"), bool(value))

    def __repr__(self) -> str:
        return repr(self.text)

    def _join(self, sign: str, level: int, neutral: bool, other: Any) -> "Bool":
        right = operations.as_bool(other, f"beside `{'&' if sign == '&&' else '|'}`")
        if self.const is not None:
            return right if self.const == neutral else self
        if right.const is not None:
            return self if right.const == neutral else right
        if self.text == right.text:
            return self
        text = Text(level, self.text.at(level), f" {sign} ", right.text.at(level))
        return Bool(text, None, self.reads_floats or right.reads_floats)

    def __and__(self, other: Any) -> "Bool":
        return self._join("&&", AND, True, other)

    def __or__(self, other: Any) -> "Bool":
        return self._join("||", OR, False, other)

    def __rand__(self, other: Any) -> "Bool":
        return operations.as_bool(other, "beside `&`") & self

    def __ror__(self, other: Any) -> "Bool":
        return operations.as_bool(other, "beside `|`") | self

    def __invert__(self) -> "Bool":
        if self.const is not None:
            return Bool.constant(not self.const)
        return Bool(Text(ATOM, "!", self.text.at(ATOM)), None, self.reads_floats)

    def __xor__(self, other: Any) -> "Bool":
        right = operations.as_bool(other, "beside `^`")
        return (self & ~right) | (~self & right)

    __rxor__ = __xor__
    __ne__ = __xor__  # type: ignore[assignment]

    def __eq__(self, other: Any) -> Any:
        right = operations.as_bool(other, "beside `==`")
        return (self & right) | (~self & ~right)

    # A condition times a number is the number or 0. Sums want integers.

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Bool) or isinstance(other, bool):
            return self & other
        return self.integer() * other

    __rmul__ = __mul__

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Bool):
            refuse("expected `|` between conditions, but got `+`")
        return self.integer() + other

    def __radd__(self, other: Any) -> Any:
        return other + self.integer()

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, Bool):
            refuse("expected `^` or `& ~` between conditions, but got `-`")
        return self.integer() - other

    def __rsub__(self, other: Any) -> Any:
        return other - self.integer()

    def integer(self) -> Index:
        """1 or 0."""
        if self.const is not None:
            return Index.constant(self.const)
        return Index([Case(self, constant(1)), Case(~self, constant(0))])


class Float(Number):
    """A score: a float expression of a score function."""

    __slots__ = ("text",)
    _what = "a score"

    def __init__(self, text: Text) -> None:
        self.text = text

    @staticmethod
    def of(value: Any) -> "Float":
        """A number, an index or a looked up value as a float."""
        if isinstance(value, Float):
            return value
        if isinstance(value, Bool):
            value = value.integer()
        if not isinstance(value, Index):
            return Float(Text(ATOM, operations.float_literal(value)))
        if context.kind() != "score":
            refuse(
                f"expected integers, but got the float of {value!r}; masks compare integers: "
                "multiply both sides, or use `//`"
            )
        if value.const is not None:
            return Float(Text(ATOM, operations.float_literal(value.const)))
        return Float(Text(ATOM, "float(", operations.choice(value), ")"))

    def __repr__(self) -> str:
        return repr(self.text)

    def _binary(self, sign: str, level: int, other: Any, swapped: bool = False) -> Any:
        operand = operations.lift(other)
        if operand is None:
            return NotImplemented
        operand = Float.of(operand)
        left, right = (operand, self) if swapped else (self, operand)
        # a - (b - c) and a / (b / c) keep their brackets; floats do not associate either.
        return Float(Text(level, left.text.at(level), f" {sign} ", right.text.at(level + 1)))

    def __add__(self, other: Any) -> Any:
        return self._binary("+", SUM, other)

    def __radd__(self, other: Any) -> Any:
        return self._binary("+", SUM, other, True)

    def __sub__(self, other: Any) -> Any:
        return self._binary("-", SUM, other)

    def __rsub__(self, other: Any) -> Any:
        return self._binary("-", SUM, other, True)

    def __mul__(self, other: Any) -> Any:
        return self._binary("*", PRODUCT, other)

    def __rmul__(self, other: Any) -> Any:
        return self._binary("*", PRODUCT, other, True)

    def __truediv__(self, other: Any) -> Any:
        return self._binary("/", PRODUCT, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self._binary("/", PRODUCT, other, True)

    def __pow__(self, other: Any) -> Any:
        return operations.call_float("pow", self, other)

    def __rpow__(self, other: Any) -> Any:
        return operations.call_float("pow", other, self)

    def __floordiv__(self, other: Any) -> Any:
        return operations.call_float("floor", self / other)

    def __rfloordiv__(self, other: Any) -> Any:
        return operations.call_float("floor", other / self)

    def __mod__(self, other: Any) -> NoReturn:
        refuse("expected `%` on integers, but got it on a score; write x - y * girih.floor(x / y)")

    __rmod__ = __mod__

    def __neg__(self) -> "Float":
        return Float(Text(ATOM, "-", self.text.at(ATOM)))

    def __pos__(self) -> "Float":
        return self

    def __abs__(self) -> "Float":
        return operations.call_float("abs", self)


class Row(Proxy):
    """A table indexed by fewer indices than it has dimensions: `t[b]` of `t[b][q]`."""

    __slots__ = ("table", "indices")
    _what = "a row of a table"

    def __init__(self, table: Table, indices: Tuple[Index, ...]) -> None:
        self.table = table
        self.indices = indices

    def __repr__(self) -> str:
        return f"a row of a table of shape {self.table.shape}"

    def __getitem__(self, index: Any) -> Any:
        return operations.look_up(self.table, index, self.indices)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self._incomplete()

    def _incomplete(self, *args: Any) -> NoReturn:
        rank, given = len(self.table.shape), len(self.indices)
        refuse(
            f"expected {rank} indices of a table of shape {self.table.shape}, but got {given}; "
            "index it further: t[i][j] or t[i, j]"
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _incomplete
    __floordiv__ = __mod__ = __truediv__ = __neg__ = __abs__ = _incomplete
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = _incomplete
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __invert__ = _incomplete
