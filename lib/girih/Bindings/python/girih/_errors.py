# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What Girih raises.

==================  =====================  ==========================================
exception           also a                 when
==================  =====================  ==========================================
Error               Exception              base of the others
InvalidError        ValueError             an argument, pattern or text is wrong
WrongTypeError      TypeError              an argument is of a wrong type
UnsupportedError    NotImplementedError    valid, but outside what is supported
NoDeviceError       RuntimeError           no such device or driver
InternalError       RuntimeError           out of memory, or a mistake of ours
==================  =====================  ==========================================

A NotImplementedError is a RuntimeError of Python, which is what PyTorch raises where a
derivative is missing.
"""

from __future__ import annotations

from typing import Dict, Type


class Error(Exception):
    """Base of Girih's exceptions."""


class InvalidError(Error, ValueError):
    """An argument, a pattern or a text is wrong."""


class WrongTypeError(Error, TypeError):
    """An argument is of a wrong type, or a traced function does what no type allows."""


class UnsupportedError(Error, NotImplementedError):
    """Valid, but outside what is supported; the message says what is."""


class NoDeviceError(Error, RuntimeError):
    """No such device, or no driver for it."""


class InternalError(Error, RuntimeError):
    """Out of memory, or a mistake of Girih."""


#: By GirihCode (girih-c/Status.h).
BY_CODE: Dict[int, Type[Error]] = {
    1: InternalError,
    2: InvalidError,
    3: UnsupportedError,
    4: NoDeviceError,
    5: InternalError,
}
