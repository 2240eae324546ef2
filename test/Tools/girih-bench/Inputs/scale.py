# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints results of girih-bench as another machine could have written them:
scale.py FILE FACTOR multiplies times by FACTOR and divides peaks by it, gives the second
row another pattern, and says that it was noisy, on another device and on another number
of threads."""

import json
import sys

with open(sys.argv[1]) as file:
    results = json.load(file)
factor = float(sys.argv[2])
for row in results["rows"]:
    row["samples_ms"] = [ms * factor for ms in row["samples_ms"]]
    for peaks in ("peak_gflops", "lowest_peak_gflops"):
        row[peaks] = [peak / factor for peak in row[peaks]]
    row["threads"] += 1
    row["device"] = "an abacus"
results["rows"][1]["pattern"] += " | full"
results["noise"] = ["other programs"]
json.dump(results, sys.stdout)
