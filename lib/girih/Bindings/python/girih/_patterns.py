# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Patterns: sets of (batch, head, query, key), written with operators.

A pattern is text of the pattern language and the arrays that it reads. It knows no
session and no device, and the text is checked by the compiler, not here.
"""

from __future__ import annotations

import sys
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Iterable,
    List,
    Mapping,
    Optional,
    Sequence,
    SupportsIndex,
    Tuple,
    Union,
)

from ._errors import WrongTypeError
from ._text import Part, Table, Text, is_array, tokenize
from ._trace.tracer import trace_mask

if TYPE_CHECKING:
    from ._report import Report

#: How tightly patterns bind.
UNION, INTERSECT, ATOM = 1, 2, 3

#: A list of integers, or an array of them.
Ints = Union[Sequence[SupportsIndex], Any]


class Pattern:
    """Which (query, key) pairs attend. Immutable; `|`, `&`, `-` and `~` combine patterns.

    Two patterns are equal when their texts are and they read the same array objects.
    The values of arrays are copied when a pattern is made.
    """

    __slots__ = ("_text", "_sign", "_rendered", "__weakref__")

    def __init__(self, text: Text, sign: str = "") -> None:
        """For this package; users call the functions of this module."""
        self._text = text
        self._sign = sign  # the outermost operator, where that matters for brackets
        # Now and not when asked: torch.compile guards what it reads of a pattern.
        self._rendered: Tuple[str, Mapping[str, Table]] = text.render()

    def _render(self) -> Tuple[str, Mapping[str, Table]]:
        return self._rendered

    @property
    def text(self) -> str:
        """The pattern in the pattern language; arrays are `@t0`, `@t1`, ..."""
        return self._render()[0]

    @property
    def tables(self) -> Mapping[str, Any]:
        """Copies of the arrays of `text` by name, numpy's: the values that the pattern has."""
        return {name: table.values() for name, table in self._render()[1].items()}

    def __deepcopy__(self, memo: Any) -> "Pattern":
        return self

    def __reduce__(self) -> Tuple[Any, ...]:
        return Pattern, (self._text, self._sign)

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and (self is other or self._text == other._text)

    def __hash__(self) -> int:
        return hash(self._text)

    def __and__(self, other: "Pattern") -> "Pattern":
        return self._join("&", INTERSECT, other)

    def __or__(self, other: "Pattern") -> "Pattern":
        return self._join("|", UNION, other)

    def __sub__(self, other: "Pattern") -> "Pattern":
        return self._join("-", UNION, other)

    def __invert__(self) -> "Pattern":
        return Pattern(Text(ATOM, "~", self._text.at(ATOM)))

    def _join(self, sign: str, level: int, other: Any) -> "Pattern":
        if not isinstance(other, Pattern):
            return NotImplemented  # type: ignore[no-any-return]
        # `a | (b | c)` needs no brackets, `a | (b - c)` and `a - (b | c)` do.
        same = sign in "&|" and other._sign == sign
        right = other._text if same else other._text.at(level + 1)
        chain = sign if sign == "&" or self._sign != "-" else "-"
        return Pattern(Text(level, self._text.at(level), f" {sign} ", right), chain)

    def explain(
        self,
        n: int,
        k_len: Optional[int] = None,
        *,
        heads: int = 1,
        kv_heads: Optional[int] = None,
        batch: int = 1,
        dim: int = 64,
        v_dim: Optional[int] = None,
        dtype: Any = "float32",
        device: str = "cpu",
        align: str = "bottom_right",
    ) -> "Report":
        """What the pattern keeps, skips and costs; compiles nothing.

        n, k_len: queries and keys (None: as many). device: "cpu" or "cuda", whose tiles it
        is about. The report is a mapping, prints as text and draws itself in notebooks;
        seconds for a million tokens.
        """
        from ._session import default_session

        return default_session().explain(
            self,
            n,
            k_len,
            heads=heads,
            kv_heads=kv_heads,
            batch=batch,
            dim=dim,
            v_dim=v_dim,
            dtype=dtype,
            device=device,
            align=align,
        )

    def mask(
        self,
        n: int,
        k_len: Optional[int] = None,
        *,
        heads: Optional[int] = None,
        batch: Optional[int] = None,
        align: str = "bottom_right",
    ) -> Any:
        """Which pairs attend: a bool numpy array [n, k_len], for looking and for checking.

        With `heads` it is [heads, n, k_len], with `batch` [batch, heads, n, k_len].
        """
        from ._session import default_session

        return default_session().mask(self, n, k_len, heads=heads, batch=batch, align=align)

    def __bool__(self) -> bool:
        raise WrongTypeError(
            "expected an operator on patterns, but got `and`, `or`, `not` or `if`; write a & b, a | b, "
            "a - b or ~a"
        )


def _call(name: str, *arguments: Tuple[str, Union[Part, Text, None]]) -> Pattern:
    """`name(argument=value, ...)`, without the arguments that are None."""
    pieces: List[Union[Part, Text]] = [name, "("]
    given = [(key, value) for key, value in arguments if value is not None]
    for number, (key, value) in enumerate(given):
        assert value is not None
        pieces += [", "] * bool(number) + ([key, "="] if key else []) + [value]
    return Pattern(Text(ATOM, *pieces, ")"))


def _integer(name: str, value: Any) -> str:
    if isinstance(value, bool) or not hasattr(value, "__index__") or is_array(value):
        raise WrongTypeError(f"expected an integer for {name}, but got {type(value).__name__} {value!r}")
    return str(value.__index__())


def _optional(name: str, value: Any) -> Optional[str]:
    return None if value is None else _integer(name, value)


def _list(name: str, values: Any) -> str:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise WrongTypeError(f"expected a list of integers for {name}, but got {values!r}")
    return "[" + ", ".join(_integer(name, value) for value in values) + "]"


def _list_or_table(name: str, values: Any) -> Union[str, Table]:
    """Python sequences are written down; arrays become tables."""
    if not is_array(values):
        return _list(name, values)
    table = Table(values)
    if table.is_float or table.is_bool:
        raise WrongTypeError(f"expected integers for {name}, but got an array of {values.dtype}")
    if len(table.shape) != 1:
        raise WrongTypeError(f"expected a 1-D array for {name}, but got shape {tuple(values.shape)}")
    return table


#: Every pair, and none.
full = Pattern(Text(ATOM, "full"))
empty = Pattern(Text(ATOM, "empty"))
#: k <= q.
causal = Pattern(Text(ATOM, "causal"))


def window(left: Optional[SupportsIndex] = None, right: Optional[SupportsIndex] = None) -> Pattern:
    """-right <= q - k <= left; a side that is None is unbounded."""
    return _call("window", ("left", _optional("left", left)), ("right", _optional("right", right)))


def dilated(left: SupportsIndex, right: SupportsIndex, dilation: SupportsIndex) -> Pattern:
    """Every `dilation`-th key, `left` taps back and `right` ahead."""
    return _call(
        "dilated",
        ("left", _integer("left", left)),
        ("right", _integer("right", right)),
        ("dilation", _integer("dilation", dilation)),
    )


def strided(stride: SupportsIndex) -> Pattern:
    """(q - k) % stride == 0."""
    return _call("strided", ("stride", _integer("stride", stride)))


def chunk(size: SupportsIndex) -> Pattern:
    """q and k lie in the same run of `size` tokens."""
    return _call("chunk", ("size", _integer("size", size)))


def columns(period: SupportsIndex, lo: SupportsIndex, hi: SupportsIndex) -> Pattern:
    """lo <= k % period < hi."""
    return _call(
        "columns",
        ("period", _integer("period", period)),
        ("lo", _integer("lo", lo)),
        ("hi", _integer("hi", hi)),
    )


def global_columns(first: SupportsIndex = 0, last: SupportsIndex = 0) -> Pattern:
    """The first and last keys."""
    return _first_last("global_columns", first, last)


def global_rows(first: SupportsIndex = 0, last: SupportsIndex = 0) -> Pattern:
    """The first and last queries."""
    return _first_last("global_rows", first, last)


def global_(first: SupportsIndex = 0, last: SupportsIndex = 0) -> Pattern:
    """The first and last tokens, as queries and as keys. (`global` is a word of Python.)"""
    return _first_last("global", first, last)


def _first_last(name: str, first: SupportsIndex, last: SupportsIndex) -> Pattern:
    written = _integer("last", last)
    return _call(name, ("first", _integer("first", first)), ("last", None if written == "0" else written))


def blockwise(pattern: Pattern, size: SupportsIndex) -> Pattern:
    """A pattern of blocks: (q // size, k // size) is in `pattern`."""
    return _call(
        "blockwise", ("", _pattern("pattern", pattern)._text), ("size", _integer("size", size))
    )


def segments(offsets: Ints) -> Pattern:
    """q and k lie in the same segment [offsets[i], offsets[i + 1]): packed documents.

    offsets: [0, ..., n], not decreasing; a list, or a 1-D integer array. Other offsets
    compile nothing.
    """
    return _call("segments", ("offsets", _list_or_table("offsets", offsets)))


def random_blocks(size: SupportsIndex, count: SupportsIndex, seed: SupportsIndex = 0) -> Pattern:
    """`count` distinct blocks of `size` keys, drawn for each head and block of queries."""
    return _call(
        "random_blocks",
        ("size", _integer("size", size)),
        ("count", _integer("count", count)),
        ("seed", _integer("seed", seed)),
    )


def block_table(
    size: SupportsIndex, indptr: Ints, indices: Ints, heads: SupportsIndex = 1
) -> Pattern:
    """Listed blocks of `size` tokens, in CSR.

    indptr: [heads * (rows + 1)] integers, where the row of each block of queries begins.
    indices: blocks of keys of each row.
    heads: 1 (shared by every head), or the number of heads.
    """
    return _call(
        "block_table",
        ("size", _integer("size", size)),
        ("indptr", _list_or_table("indptr", indptr)),
        ("indices", _list_or_table("indices", indices)),
        ("heads", None if _integer("heads", heads) == "1" else _integer("heads", heads)),
    )


def _flag(name: str, value: Any) -> str:
    numpy = sys.modules.get("numpy")
    if not isinstance(value, bool) and not (numpy is not None and isinstance(value, numpy.bool_)):
        raise WrongTypeError(f"expected booleans for {name}, but got {type(value).__name__} {value!r}")
    return "true" if value else "false"


def neighborhood(
    grid: Ints,
    kernel: Ints,
    dilation: Optional[Ints] = None,
    stride: Optional[Ints] = None,
    causal: Optional[Sequence[bool]] = None,
) -> Pattern:
    """The `kernel` nearest tokens of a row-major grid of 1 to 3 dimensions, as NATTEN has it."""
    if causal is not None and not isinstance(causal, Iterable):
        raise WrongTypeError(f"expected a list of booleans for causal, but got {causal!r}")
    flags = None if causal is None else ", ".join(_flag("causal", flag) for flag in causal)
    return _call(
        "neighborhood",
        ("grid", _list("grid", grid)),
        ("kernel", _list("kernel", kernel)),
        ("dilation", None if dilation is None else _list("dilation", dilation)),
        ("stride", None if stride is None else _list("stride", stride)),
        ("causal", None if flags is None else f"[{flags}]"),
    )


Heads = Union[Sequence[Pattern], Mapping[Any, Pattern]]


def heads(patterns: Heads) -> Pattern:
    """A pattern for each head.

    patterns: a list of one pattern a head, or a dict of patterns by head: an integer, or
    a range such as ``range(0, 8)``.
    """
    pieces: List[Union[Part, Text]] = ["heads("]
    if isinstance(patterns, Mapping):
        for number, (key, value) in enumerate(patterns.items()):
            if isinstance(key, range):
                if key.step != 1 or not len(key):
                    raise WrongTypeError(f"expected a range of heads with step 1, but got {key!r}")
                span = f"{key[0]}..{key[-1]}" if len(key) > 1 else str(key[0])
            else:
                span = _integer("the head", key)
            pieces += [", "] * bool(number) + [span, ": ", _pattern(f"head {span}", value)._text]
        return Pattern(Text(ATOM, *pieces, ")"))
    pieces.append("[")
    for number, value in enumerate(patterns):
        pieces += [", "] * bool(number) + [_pattern(f"head {number}", value)._text]
    return Pattern(Text(ATOM, *pieces, "])"))


def _pattern(name: str, value: Any) -> Pattern:
    if not isinstance(value, Pattern):
        hint = "; wrap the function: girih.pattern(f)" if callable(value) else ""
        raise WrongTypeError(f"expected a pattern for {name}, but got {type(value).__name__}{hint}")
    return value


def parse(text: str, **tables: Any) -> Pattern:
    """A pattern of the pattern language, where `@name` reads the array `tables[name]`.

    `@name` without such an array is a file. Comments are not kept.
    """
    pieces = tokenize(text, tables)
    depth, level, sign = 0, ATOM, ""
    for token in pieces:
        if isinstance(token, Table):
            continue
        depth += (token in "([{") - (token in ")]}")
        if depth == 0 and token in ("|", "-", "&"):
            level = min(level, INTERSECT if token == "&" else UNION)
            sign = "-"
    return Pattern(Text(level, *pieces), sign if level != INTERSECT else "&")


Mask = Callable[[Any, Any, Any, Any], Any]


def pattern(function: Union[Mask, Pattern]) -> Pattern:
    """The pattern of a condition in Python; a decorator.

    function: (b, h, q, k) -> condition, FlexAttention's `mask_mod` included. It is called
    once with stand-ins; q and k are absolute positions. Arrays that it indexes become
    tables, whose values are copied now. See girih.where for choices.

    ::

        @girih.pattern
        def mine(b, h, q, k):
            return (q >= k) & ((q - k < 700) | (k // 96 % 5 == 2))
    """
    if isinstance(function, Pattern):
        return function
    return Pattern(Text(ATOM, "{ ", trace_mask(function), " }"))


__all__ = [
    "Pattern",
    "block_table",
    "blockwise",
    "causal",
    "chunk",
    "columns",
    "dilated",
    "empty",
    "full",
    "global_",
    "global_columns",
    "global_rows",
    "heads",
    "neighborhood",
    "parse",
    "pattern",
    "random_blocks",
    "segments",
    "strided",
    "window",
]
