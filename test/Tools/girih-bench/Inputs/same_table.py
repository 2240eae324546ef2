# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares `girih-bench --list` with what the GPU suite makes of the same table:
same_table.py SUITE LIST"""

import re
import sys

sys.path.insert(0, sys.argv[1])
from suite import workload  # noqa: E402

LINE = re.compile(r"(\w+) (\w+) (\w+) N=(\d+) B=(\d+) H=(\d+) D=(\d+) +(.*)")
rows = 0
with open(sys.argv[2]) as lines:
    for line in lines:
        _, name, _, n, _, heads, _, expression = LINE.fullmatch(line.rstrip("\n")).groups()
        expected = workload.pattern(name, int(n), int(heads))
        assert expression == expected, f"expected {expected}, but got {expression}"
        rows += 1
print(f"{rows} rows, all equal")
