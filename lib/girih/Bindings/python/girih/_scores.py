# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Score functions: what becomes of scale * q.k before the softmax."""

from __future__ import annotations

from typing import Any, Callable, Mapping, Optional, Tuple, Union

from ._errors import WrongTypeError
from ._text import Table, Text, tokenize
from ._trace.tracer import trace_score

ScoreMod = Callable[[Any, Any, Any, Any, Any], Any]


class Score:
    """A function of scores: text of the score language and the arrays that it reads.

    Immutable; equal when the texts are and the arrays were the same objects.
    """

    __slots__ = ("_text", "_rendered", "__weakref__")

    def __init__(self, text: Text) -> None:
        self._text = text
        self._rendered: Tuple[str, Mapping[str, Table]] = text.render()

    def _render(self) -> Tuple[str, Mapping[str, Table]]:
        return self._rendered

    @property
    def text(self) -> str:
        """The function in the score language; arrays are `@t0`, `@t1`, ..."""
        return self._render()[0]

    @property
    def tables(self) -> Mapping[str, Any]:
        """Copies of the arrays of `text` by name, numpy's: the values that the function has."""
        return {name: table.values() for name, table in self._render()[1].items()}

    def __deepcopy__(self, memo: Any) -> "Score":
        return self

    def __reduce__(self) -> Tuple[Any, ...]:
        return Score, (self._text,)

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Score) and (self is other or self._text == other._text)

    def __hash__(self) -> int:
        return hash(("score", self._text))


def score(function: Union[ScoreMod, str, Score], **tables: Any) -> Score:
    """The score function of a Python function, or of a text; a decorator.

    function: (score, b, h, q, k) -> score, FlexAttention's `score_mod` included; or text
    such as ``"score - 0.0625 * abs(q - k)"``, whose `@name` are `tables`.

    ::

        @girih.score
        def alibi(score, b, h, q, k):
            return score - 0.0625 * abs(q - k)
    """
    if isinstance(function, Score):
        return function
    if not isinstance(function, str):
        if tables:
            raise WrongTypeError(f"expected tables beside a text only, but got {sorted(tables)}")
        return Score(trace_score(function))
    return Score(Text(0, *tokenize(function, tables)))


__all__ = ["Score", "score"]
