# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""libgirih.so: found, loaded, checked, and its errors as exceptions.

The declarations (girih_declarations.py) were made from the C headers when the library
was built, and stand beside it.
"""

from __future__ import annotations

import importlib.util
import os
import threading
from typing import Any, Callable, NoReturn, Optional, Tuple

from . import _errors, settings
from ._errors import InvalidError, WrongTypeError

_lock = threading.Lock()
_loaded: Optional[Tuple[Any, Any]] = None


def path() -> str:
    """Where libgirih.so is: GIRIH_LIBRARY, or beside this file."""
    given = settings.library()
    return given if given else os.path.join(os.path.dirname(__file__), "libgirih.so")


def _load() -> Tuple[Any, Any]:
    library = os.path.abspath(path())
    declarations = os.path.join(os.path.dirname(library), "girih_declarations.py")
    for needed in (library, declarations):
        if not os.path.exists(needed):
            raise ImportError(
                f"expected to find {needed}, but there is no such file; install the wheel (pip "
                "install .), or set GIRIH_LIBRARY to a built libgirih.so"
            )
    spec = importlib.util.spec_from_file_location("girih_declarations", declarations)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    ffi = module.ffi
    # Never unloaded: threads of oneTBB still stand in its code when Python ends.
    lib = ffi.dlopen(library, ffi.RTLD_NOW | ffi.RTLD_NODELETE)
    info = lib.girihLibraryInfo()
    if info.magic != lib.GIRIH_MAGIC or info.api_version < lib.GIRIH_COMPILER_API_VERSION:
        raise ImportError(
            f"expected {library} to have version {lib.GIRIH_COMPILER_API_VERSION} of the API or a "
            f"later one, but got {info.api_version}"
        )
    return ffi, lib


def load() -> Tuple[Any, Any]:
    """(ffi, lib) of cffi; the library is opened once a process."""
    global _loaded
    if _loaded is None:
        with _lock:
            if _loaded is None:
                _loaded = _load()
    return _loaded


def fail(status: Any) -> NoReturn:
    """Raises what a GirihStatus says."""
    ffi, _ = load()
    message = ffi.string(status.message).decode("utf-8", "replace")
    raise _errors.BY_CODE.get(status.code, _errors.InternalError)(message)


def call(function: Callable[..., int], *arguments: Any) -> None:
    """Calls a function of the C API, whose last parameter is a status."""
    ffi, _ = load()
    status = ffi.new("GirihStatus *")
    if function(*arguments, status):
        fail(status)


def c_text(name: str, text: str) -> Any:
    """A text for the library; `name` is the argument, for messages."""
    if not isinstance(text, str):
        raise WrongTypeError(f"expected {name} to be a text, but got {type(text).__name__}")
    if "\0" in text:
        raise InvalidError(f"expected {name} without NUL, but got one at {text.index(chr(0))}")
    ffi, _ = load()
    try:
        return ffi.new("char[]", text.encode())
    except UnicodeEncodeError as error:
        raise InvalidError(f"expected {name} to be Unicode, but {error.reason}") from None


def take_text(text: Any) -> str:
    """A text that the library handed out; it is freed."""
    ffi, lib = load()
    try:
        return str(ffi.string(text).decode("utf-8"))
    finally:
        lib.girihTextFree(text)


def version() -> str:
    """Of the library and its LLVM, for people."""
    ffi, lib = load()
    info = lib.girihLibraryInfo()
    return f"{ffi.string(info.version).decode()} (LLVM {ffi.string(info.llvm).decode()})"
