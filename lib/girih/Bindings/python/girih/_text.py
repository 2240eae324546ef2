# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Texts with tables in them: what patterns, conditions and scores are made of.

A text of Girih's languages names arrays as ``@name``. Names are given at the very
end, when a text is rendered: until then the arrays themselves stand in the text, so
that texts can be put together without renaming anything.
"""

from __future__ import annotations

import ctypes
import math
import sys
from typing import Any, Dict, List, Optional, Tuple, Union

from ._errors import InvalidError, UnsupportedError

#: Longest text, far beyond what the compiler takes (2^17 nodes).
MAX_CHARS = 1 << 22


class Table:
    """An array that a text looks up, or reads offsets and block lists from.

    Values are copied when the table is made. Tables of the same array object are equal
    unless its values have changed between, and one array is one table of a text.

    source: array of integers, booleans or floats of 1 to 4 dimensions (numpy, torch,
    jax, cupy, ...). A 0-d array counts as one of a single element.
    """

    __slots__ = ("source", "shape", "is_float", "is_bool", "_owner", "_address")

    def __init__(self, source: Any) -> None:
        self.source = source
        owner, address, shape, kind = _snapshot(source)
        self.shape: Tuple[int, ...] = shape or (1,)
        self.is_float: bool = kind == "f"
        self.is_bool: bool = kind == "b"
        self._owner = owner  # keeps the memory behind `_address`
        self._address: int = address
        if len(self.shape) > 4:
            raise UnsupportedError(
                f"expected a table of 1 to 4 dimensions, but got shape {tuple(self.shape)}"
            )

    @property
    def address(self) -> int:
        """Of the copied values: int64 or float32, contiguous in C order, host memory."""
        return self._address

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Table) and self.source is other.source and self._same_values(other)

    def _same_values(self, other: "Table") -> bool:
        """Whether the array was not written between the two copies."""
        if (self.shape, self.is_float) != (other.shape, other.is_float):
            return False
        size = math.prod(self.shape) * (4 if self.is_float else 8)
        return ctypes.string_at(self._address, size) == ctypes.string_at(other._address, size)

    def __hash__(self) -> int:
        return id(self.source)

    def __reduce__(self) -> Tuple[Any, ...]:
        return Table, (self.source,)

    def __repr__(self) -> str:
        kind = "float32" if self.is_float else "bool" if self.is_bool else "int"
        return f"Table({kind}, shape={self.shape})"


def is_torch_tensor(value: object) -> bool:
    """Whether `value` is a torch tensor, without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_array(value: object) -> bool:
    """Whether `value` is an array of any framework (not a Python or numpy scalar)."""
    if getattr(type(value), "is_girih_proxy", False):
        return False
    if is_torch_tensor(value):
        return True
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        return False
    return hasattr(value, "shape") and (hasattr(value, "__array__") or hasattr(value, "__dlpack__"))


def _snapshot(source: Any) -> Tuple[Any, int, Tuple[int, ...], str]:
    """A host copy of `source`: (what owns it, address, shape, kind i, b or f)."""
    if is_torch_tensor(source):
        import torch

        dtype = source.dtype
        if dtype.is_complex or dtype in _torch_quantized():
            raise TypeError(f"expected a table of integers, booleans or floats, but got {dtype}")
        kind = "f" if dtype.is_floating_point else "b" if dtype == torch.bool else "i"
        wide = torch.float32 if kind == "f" else torch.int64
        with torch.no_grad():
            copy = source.detach().to(device="cpu", dtype=wide, copy=True).contiguous()
        return copy, int(copy.data_ptr()), tuple(int(n) for n in copy.shape), kind

    import numpy

    if hasattr(source, "get") and not hasattr(source, "__array__"):  # cupy and its like
        source = source.get()
    array = numpy.asarray(source)
    kind = array.dtype.kind
    if kind == "u":
        kind = "i"
        if array.size and array.dtype.itemsize == 8 and int(array.max()) >= 1 << 63:
            raise InvalidError(f"expected values of 64 signed bits, but got {int(array.max())}")
    if kind not in "ibf" and array.dtype.name not in ("bfloat16",):
        raise TypeError(
            f"expected a table of integers, booleans or floats, but got {array.dtype.name}"
        )
    kind = kind if kind in "ib" else "f"
    copied: Any = numpy.array(array, dtype="float32" if kind == "f" else "int64", order="C", copy=True, subok=False)
    return copied, int(copied.ctypes.data), tuple(int(n) for n in copied.shape), kind


def _torch_quantized() -> Tuple[Any, ...]:
    import torch

    names = ("qint8", "quint8", "qint32", "quint4x2", "quint2x4")
    return tuple(getattr(torch, name) for name in names if hasattr(torch, name))


Part = Union[str, Table]


class Text:
    """An immutable text with tables in it, and how tightly it binds.

    level: binding strength of the outermost operator; larger binds tighter.
    """

    __slots__ = ("parts", "level", "_hash", "_size")

    def __init__(self, level: int, *pieces: Union[Part, "Text"]) -> None:
        parts: List[Part] = []
        size = 0
        for piece in pieces:
            for part in piece.parts if isinstance(piece, Text) else (piece,):
                if isinstance(part, str):
                    size += len(part)
                    if parts and isinstance(parts[-1], str):
                        parts[-1] += part
                        continue
                parts.append(part)
        if size > MAX_CHARS:
            raise UnsupportedError(
                f"expected a text of at most {MAX_CHARS} characters, but got {size}; "
                "write the condition with a lookup table"
            )
        self.parts: Tuple[Part, ...] = tuple(parts)
        self.level = level
        self._size = size
        self._hash: Optional[int] = None

    def at(self, level: int) -> "Text":
        """The text as an operand that must bind at least at `level`."""
        return self if self.level >= level else Text(99, "(", self, ")")

    def render(self) -> Tuple[str, Dict[str, Table]]:
        """The text, and its tables by name: t0, t1, ... in order of first use."""
        literal = "".join(part for part in self.parts if isinstance(part, str))
        names: Dict[Table, str] = {}
        number = 0
        pieces: List[str] = []
        for part in self.parts:
            if isinstance(part, str):
                pieces.append(part)
                continue
            if part not in names:
                while f"@t{number}" in literal:  # a file that is called like a table
                    number += 1
                names[part] = f"t{number}"
                number += 1
            pieces.append("@" + names[part])
        return "".join(pieces), {name: table for table, name in names.items()}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text) and self.parts == other.parts

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(self.parts)
        return self._hash

    def __reduce__(self) -> Tuple[Any, ...]:
        return Text, (self.level, *self.parts)

    def __repr__(self) -> str:
        return self.render()[0]
