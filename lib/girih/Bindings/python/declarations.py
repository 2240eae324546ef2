# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the declarations of libgirih.so for Python, from the C headers.

  declarations.py --cc CC [-I DIR]... OUT.py

The headers go through the C preprocessor, and what stems from girih-c/ and DLPack is
handed to cffi, which writes a module for its ABI mode: data, no machine code, one for
every CPython. Nothing is written twice.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

HEADER = "girih-c/Compiler.h"
CONSTANTS = ("GIRIH_COMPILER_API_VERSION", "GIRIH_ABI_VERSION", "GIRIH_MAGIC")
#: DLPack's tensors with a version, which headers before DLPack 1.0 do not have.
VERSIONED = """
typedef struct { uint32_t major; uint32_t minor; } DLPackVersion;
typedef struct DLManagedTensorVersioned {
  DLPackVersion version;
  void *manager_ctx;
  void (*deleter)(struct DLManagedTensorVersioned *self);
  uint64_t flags;
  DLTensor dl_tensor;
} DLManagedTensorVersioned;
"""


def preprocess(compiler, includes, source):
    """The text of `source` behind the preprocessor, with its line markers."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "girih.c"
        path.write_text(source)
        command = [compiler, "-E", "-x", "c", "-std=c11", *(f"-I{i}" for i in includes), str(path)]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"declarations.py: error: {' '.join(command)} failed:\n{done.stderr}")
    return done.stdout


def ours(text):
    """The lines that stem from girih-c/ and dlpack/."""
    kept, keep = [], False
    for line in text.splitlines():
        marker = re.match(r'# \d+ "([^"]*)"', line)
        if marker:
            keep = "girih-c/" in marker.group(1) or "dlpack/" in marker.group(1)
        elif keep and line.strip():
            kept.append(line)
    return "\n".join(kept)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cc", required=True)
    parser.add_argument("-I", dest="includes", action="append", default=[])
    parser.add_argument("out", type=pathlib.Path)
    args = parser.parse_args()
    try:
        import cffi
    except ImportError:
        sys.exit(f"declarations.py: error: expected {sys.executable} to have cffi (pip install cffi)")

    declared = ours(preprocess(args.cc, args.includes, f'#include "{HEADER}"\n'))
    # Macros are gone behind the preprocessor, so it is asked for their values.
    asked = "".join(f"girih_constant_{name} {name}\n" for name in CONSTANTS)
    values = preprocess(args.cc, args.includes, f'#include "{HEADER}"\n{asked}')
    for name in CONSTANTS:
        value = re.search(rf"^girih_constant_{name} (\w+?)u?$", values, re.M)
        if value is None:
            sys.exit(f"declarations.py: error: expected {name} to be a number in {HEADER}")
        declared += f"\n#define {name} {int(value.group(1), 0)}\n"
    if "DLManagedTensorVersioned" not in declared:
        declared += VERSIONED

    builder = cffi.FFI()
    builder.cdef(declared)
    module = args.out.stem
    builder.set_source(module, None)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    builder.emit_python_code(str(args.out))


if __name__ == "__main__":
    main()
