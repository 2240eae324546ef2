# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Texts with tables in them: what patterns, conditions and scores are made of.

A text of Girih's languages names arrays as ``@name``. Names are given at the very
end, when a text is rendered: until then the arrays themselves stand in the text, so
that texts can be put together without renaming anything.
"""

from __future__ import annotations

import ctypes
import functools
import math
import re
import sys
import weakref
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple, Union

from ._errors import InvalidError, UnsupportedError, WrongTypeError

#: Longest text, far beyond what the compiler takes (2^17 nodes).
MAX_CHARS = 1 << 22


class Table:
    """An array that a text looks up, or reads offsets and block lists from.

    Values are copied when the table is made, and the array is not held. Tables of the same
    array object are equal unless its values have changed between, and one array is one
    table of a text. Immutable.
    """

    __slots__ = ("shape", "is_float", "is_bool", "tensor", "_source", "_learned", "_owner", "_address", "_hash")

    def __init__(self, source: Any) -> None:
        """source: array of integers, booleans or floats of 1 to 4 dimensions (numpy, torch,
        jax, cupy, ...). A 0-d array counts as one of a single element.
        """
        self._source = _identity(source)
        self._learned = is_torch_tensor(source) and _is_learned(source)
        owner, address, shape, kind = _snapshot(source)
        self.shape: Tuple[int, ...] = shape or (1,)
        self.is_float: bool = kind == "f"
        self.is_bool: bool = kind == "b"
        #: For girih.torch: the copied values as a torch tensor, after `make_tensor`.
        self.tensor: Any = None
        self._owner = owner  # keeps the memory behind `_address`
        self._address: int = address
        if len(self.shape) > 4:
            raise UnsupportedError(
                f"expected a table of 1 to 4 dimensions, but got shape {tuple(self.shape)}"
            )
        if "girih.torch" in sys.modules:  # a graph that has seen a table without one is made again
            self.make_tensor()
        # Of the values, too: what was made of one array that is refilled must differ.
        self._hash = hash((id(self._source), self._bytes()))

    @property
    def address(self) -> int:
        """Of the copied values: int64 or float32, contiguous in C order, host memory."""
        return self._address

    @property
    def nbytes(self) -> int:
        """Of the copied values."""
        return math.prod(self.shape) * (4 if self.is_float else 8)

    def make_tensor(self) -> None:
        """Sets `tensor`: always the same one, by which what was made of it is found."""
        if self.tensor is None:
            torch = sys.modules["torch"]
            with torch.inference_mode(False):  # whose tensors would be compared by content
                self.tensor = torch.as_tensor(self._owner)

    @property
    def learned(self) -> bool:
        """Whether a result would need a derivative by the torch tensor that it was made of."""
        source = self._source()
        if source is None:  # made for the table alone, as in (2 * bias)[q]
            return self._learned and bool(sys.modules["torch"].is_grad_enabled())
        return is_torch_tensor(source) and _is_learned(source)

    def values(self) -> Any:
        """A copy: a numpy array, int64, bool or float32, of `shape`."""
        import numpy

        array: Any = numpy.frombuffer(self._bytes(), "float32" if self.is_float else "int64")
        return array.reshape(self.shape).astype("bool" if self.is_bool else array.dtype)

    def _bytes(self) -> bytes:
        return ctypes.string_at(self._address, self.nbytes) if self.nbytes else b""

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return (
            isinstance(other, Table)
            and self._source is other._source
            and self._hash == other._hash
            and (self.shape, self.is_float) == (other.shape, other.is_float)
            and self._same_values(other)
        )

    def _same_values(self, other: "Table") -> bool:
        """Whether the array was not written between the two copies."""
        return self._bytes() == other._bytes()

    def __hash__(self) -> int:
        return self._hash

    def __deepcopy__(self, memo: Dict[int, Any]) -> "Table":
        return self

    def __reduce__(self) -> Tuple[Any, ...]:
        return Table, (self.values(),)

    def __repr__(self) -> str:
        kind = "float32" if self.is_float else "bool" if self.is_bool else "int"
        return f"Table({kind}, shape={self.shape})"


def _identity(source: Any) -> Callable[[], Any]:
    """The same object for the same array as long as anybody has it; gives the array, or None
    once it is gone."""
    try:
        return weakref.ref(source)  # of which Python makes one for each object
    except TypeError:
        return functools.partial(lambda: None)


def is_torch_tensor(value: object) -> bool:
    """Whether `value` is a torch tensor, without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_array(value: object) -> bool:
    """Whether `value` is an array of any framework (not a Python or numpy scalar)."""
    kind = type(value)
    if getattr(kind, "is_girih_proxy", False):
        return False
    if is_torch_tensor(value):
        return True
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        return False
    return (hasattr(kind, "__array__") or hasattr(kind, "__dlpack__")) and hasattr(value, "shape")


def _snapshot(source: Any) -> Tuple[Any, int, Tuple[int, ...], str]:
    """A host copy of `source`: (what owns it, address, shape, kind i, b or f)."""
    if is_torch_tensor(source):
        import torch

        if torch._C._functorch.is_functorch_wrapped_tensor(source):
            raise UnsupportedError(
                "expected a table from outside of torch.func's transforms, whose values can be copied, "
                "but got a tensor that is being transformed"
            )
        dtype = source.dtype
        if dtype.is_complex or dtype in _torch_quantized():
            raise WrongTypeError(f"expected a table of integers, booleans or floats, but got {dtype}")
        kind = "f" if dtype.is_floating_point else "b" if dtype == torch.bool else "i"
        wide = torch.float32 if kind == "f" else torch.int64
        with torch.inference_mode(False), torch.no_grad():
            copy = source.detach().to(device="cpu", dtype=wide, copy=True).contiguous()
        if dtype == getattr(torch, "uint64", None) and bool((copy < 0).any()):
            largest = int(copy[copy < 0].max()) + (1 << 64)
            raise InvalidError(f"expected values of 64 signed bits, but got {largest}")
        return copy, int(copy.data_ptr()), tuple(int(n) for n in copy.shape), kind

    import numpy

    if hasattr(source, "get") and not hasattr(source, "__array__"):  # cupy and its like
        source = source.get()
    if isinstance(source, numpy.ma.MaskedArray):
        raise InvalidError(
            "expected an array without a mask, but got a masked array; array.filled(value) has none"
        )
    array = numpy.asarray(source)
    kind = array.dtype.kind
    if kind == "u":
        kind = "i"
        if array.size and array.dtype.itemsize == 8 and int(array.max()) >= 1 << 63:
            raise InvalidError(f"expected values of 64 signed bits, but got {int(array.max())}")
    if kind not in "ibf" and array.dtype.name not in ("bfloat16",):
        raise WrongTypeError(
            f"expected a table of integers, booleans or floats, but got {array.dtype.name}"
        )
    kind = kind if kind in "ib" else "f"
    copied: Any = numpy.array(array, dtype="float32" if kind == "f" else "int64", order="C", copy=True, subok=False)
    return copied, int(copied.ctypes.data), tuple(int(n) for n in copied.shape), kind


def _is_learned(tensor: Any) -> bool:
    """Whether a torch tensor takes part in differentiation now, backward or forward."""
    import torch
    from torch.autograd import forward_ad

    if torch.is_grad_enabled() and tensor.requires_grad:
        return True
    dual: Any = forward_ad.unpack_dual(tensor)  # type: ignore[no-untyped-call]
    return dual.tangent is not None


def _torch_quantized() -> Tuple[Any, ...]:
    import torch

    names = ("qint8", "quint8", "qint32", "quint4x2", "quint2x4")
    return tuple(getattr(torch, name) for name in names if hasattr(torch, name))


Part = Union[str, Table]

#: `@name`, as the compiler reads it: a table, or a file.
_NAMED = r'@"(?:[^"\\]|\\.)*"|@[^\s,()\[\]{}#"]+'
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TOKEN = re.compile(_NAMED + r"|#[^\n]*|[()\[\]{}]|\|\|?|&&?|-|[^@#()\[\]{}|&-]+|.", re.DOTALL)
_VARIABLE = re.compile(_NAMED + r"|#[^\n]*|\w+")


def tokenize(text: str, tables: Mapping[str, Any]) -> List[Part]:
    """A text that a user wrote, in pieces: brackets, operators, what stands between them, and
    the `tables` that it names. Comments are left out, which would swallow what the text is
    combined with."""
    if not isinstance(text, str):
        raise WrongTypeError(f"expected a text, but got {type(text).__name__}")
    if "\0" in text:
        raise InvalidError(f"expected a text without NUL, but got one at {text.index(chr(0))}")
    for name in tables:
        if not _NAME.fullmatch(name):
            raise WrongTypeError(f"expected a name of a table, but got {name!r}")
    made = {name: Table(array) for name, array in tables.items()}
    parts: List[Part] = []
    for token in _TOKEN.findall(text):
        if token[0] != "#":
            parts.append(made.get(token[1:], token) if token[0] == "@" else token)
    unused = set(made) - {name for name, table in made.items() if any(part is table for part in parts)}
    if unused:
        raise WrongTypeError(f"expected @{min(unused)} in the text, but it does not occur")
    return parts


def reads_variable(text: str, *names: str) -> bool:
    """Whether a text says one of `names`; what names tables and files does not count."""
    return any(word in names for word in _VARIABLE.findall(text))


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

    def __deepcopy__(self, memo: Dict[int, Any]) -> "Text":
        return self

    def __reduce__(self) -> Tuple[Any, ...]:
        # Equal tables stay one.
        tables: Dict[Part, Part] = {}
        return Text, (self.level, *[tables.setdefault(part, part) for part in self.parts])

    def __repr__(self) -> str:
        return self.render()[0]
