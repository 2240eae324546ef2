# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints the ```mlir blocks of the files given, a split-input-file section each, so
that examples in documentation can be run through girih-opt."""

import re
import sys

sections = []
for path in sys.argv[1:]:
    with open(path) as file:
        text = file.read()
    for match in re.finditer(r"^ *```mlir\n(.*?)^ *```$", text, re.S | re.M):
        line = text.count("\n", 0, match.start(1)) + 1
        sections.append(f"// {path}:{line}\n{match.group(1)}")
print("\n// -----\n".join(sections))
