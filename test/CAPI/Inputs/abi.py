# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares libgirih.so with the headers that it promises to serve.

  abi.py LIBRARY LLVM_NM LLVM_READELF HEADER_FOLDER...

Loads the library by dlopen, looks up every function of the headers, asks it who it is,
and lists what it exports besides.
"""

import ctypes
import pathlib
import re
import subprocess
import sys


class Info(ctypes.Structure):
    _fields_ = [
        ("magic", ctypes.c_uint32),
        ("abi_version", ctypes.c_uint32),
        ("api_version", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("version", ctypes.c_char_p),
        ("llvm", ctypes.c_char_p),
    ]


def declared(text):
    """Functions that a header declares: a name before a parenthesis, at file scope."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"^[ \t]*#.*?(?<!\\)$", "", text, flags=re.M | re.S)
    text = re.sub(r"\{[^{}]*\}", "", re.sub(r'extern "C" \{', "", text))
    return set(re.findall(r"\b(girih\w+)\s*\([^()]*\)\s*;", text))


def constant(texts, name):
    (value,) = {m for text in texts for m in re.findall(rf"#define {name} (\w+?)u?\n", text)}
    return int(value, 0)


def main():
    library, nm, readelf, *folders = sys.argv[1:]
    headers = [header for folder in folders for header in sorted(pathlib.Path(folder).glob("*.h"))]
    texts = [header.read_text() for header in headers]
    functions = set().union(*map(declared, texts))
    loaded = ctypes.CDLL(library)
    missing = sorted(name for name in functions if not hasattr(loaded, name))
    listed = subprocess.run(
        [nm, "-D", "--defined-only", "--format=just-symbols", library],
        check=True, capture_output=True, text=True,
    ).stdout.split()
    print(f"missing: {missing}")
    print(f"exported besides: {sorted(set(listed) - functions)}")

    loaded.girihLibraryInfo.restype = ctypes.POINTER(Info)
    info = loaded.girihLibraryInfo().contents
    for field, name in (
        ("magic", "GIRIH_MAGIC"),
        ("abi_version", "GIRIH_ABI_VERSION"),
        ("api_version", "GIRIH_COMPILER_API_VERSION"),
    ):
        print(f"{field}: {'right' if getattr(info, field) == constant(texts, name) else 'wrong'}")
    print(f"size: {'right' if info.size == ctypes.sizeof(Info) else 'wrong'}")
    print(f"version: {info.version.decode()}, llvm: {info.llvm.decode()}")
    dynamic = subprocess.run(
        [readelf, "-d", library], check=True, capture_output=True, text=True
    ).stdout
    soname = re.search(r"soname: \[(.*?)\]", dynamic).group(1)
    print(f"soname: {soname}")
    print(f"functions: {len(functions)}")


main()
