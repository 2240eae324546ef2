# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What indices, conditions and scores have in common: they refuse to be values."""

from __future__ import annotations

import sys
from typing import Any, Dict, NoReturn, Optional, Sequence, Tuple

from . import operations
from .context import refuse

NO_CONTROL_FLOW = (
    "expected an expression, but got a decision on {what} in Python: Girih traces a function once "
    "for all indices. Write `a & b` for `a and b`, `a | b` for `a or b`, `~a` for `not a`, "
    "`(a < b) & (b < c)` for `a < b < c`, girih.where(condition, x, y) for `if condition: ... else: "
    "...`, and girih.minimum and girih.maximum for min() and max()"
)


class Proxy:
    """What indices, conditions and scores have in common."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]
    #: For messages.
    _what = "a value"
    shape: Tuple[int, ...] = ()
    ndim = 0
    #: Stand-ins look like arrays to frameworks; is_array asks for this.
    is_girih_proxy = True

    def dim(self) -> int:
        """0: each stands for a single number."""
        return 0

    @property
    def device(self) -> Any:
        """The CPU, for functions that make tensors beside their indices."""
        torch = sys.modules.get("torch")
        return torch.device("cpu") if torch is not None else "cpu"

    def __bool__(self) -> bool:
        refuse(NO_CONTROL_FLOW.format(what=self._what))

    def _no_number(self, what: str) -> NoReturn:
        refuse(
            f"expected an expression, but got {what} of {self._what}, whose value is not known when "
            "a function is traced"
        )

    def __int__(self) -> int:
        self._no_number("int()")

    def __float__(self) -> float:
        self._no_number("float()")

    def __complex__(self) -> complex:
        self._no_number("complex()")

    def __round__(self, ndigits: Optional[int] = None) -> NoReturn:
        self._no_number("round()")

    def item(self) -> NoReturn:
        self._no_number(".item()")

    def tolist(self) -> NoReturn:
        self._no_number(".tolist()")

    def __index__(self) -> int:
        refuse(
            f"expected an expression, but got {self._what} where Python needs a number: range() and "
            "lists want one. To look something up, index an array (numpy, torch) that the function "
            "captures; for a loop, use a Python constant"
        )

    def __iter__(self) -> NoReturn:
        refuse(f"expected an expression, but got a loop over {self._what}; it is a single number")

    def __len__(self) -> int:
        refuse(f"expected an expression, but got len() of {self._what}; it is a single number")

    def __contains__(self, item: object) -> bool:
        refuse(f"expected an expression, but got `in` with {self._what}; it is a single number")

    def __getitem__(self, index: Any) -> NoReturn:
        refuse(f"expected an array before [...], but got {self._what}; it is a single number")

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        refuse(
            f"expected an expression, but got an array conversion of {self._what}. Arrays can be "
            "indexed when the function reaches them as a variable of its own, a global or a closure "
            "(not through a module or a container of other objects)"
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from .functions import dispatch

        kwargs.pop("dtype", None)
        if method != "__call__" or kwargs:
            refuse(f"expected a plain call of numpy.{ufunc.__name__}, but got options or .{method}")
        return dispatch(ufunc.__name__, f"numpy.{ufunc.__name__}", inputs, {})

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from .functions import dispatch

        return dispatch(func.__name__, f"numpy.{func.__name__}", args, kwargs)

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Optional[Dict[str, Any]] = None
    ) -> Any:
        from .functions import dispatch

        name = getattr(func, "__name__", str(func))
        return dispatch(name, f"torch.{name}", args, kwargs or {})

    def __getattr__(self, name: str) -> Any:
        from .functions import KNOWN, METHODS, dispatch

        if name in METHODS:
            return lambda *args, **kwargs: dispatch(name, f".{name}()", (self, *args), kwargs)
        if name.startswith("__"):  # protocols that Python or a framework probes for
            raise AttributeError(name)
        refuse(
            f"expected an operation that Girih knows, but got .{name} of {self._what}; known: {KNOWN}"
        )

    # Constants beside a proxy, which PyTorch's and_masks and or_masks make.

    def new_zeros(self, size: Any = (), **options: Any) -> "Proxy":
        return operations.constant_like(size, 0, options)

    def new_ones(self, size: Any = (), **options: Any) -> "Proxy":
        return operations.constant_like(size, 1, options)

    def new_full(self, size: Any, fill_value: Any, **options: Any) -> "Proxy":
        return operations.constant_like(size, fill_value, options)

    def new_tensor(self, data: Any, **options: Any) -> "Proxy":
        return operations.constant_like((), data, options)
