# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints IR with its affine sets and maps in place and their variables named.

MLIR prints them as aliases in front of the module, numbered in order of use. A
check of `girih.where {q - k >= 0}` says more than one of `girih.where #set3`.
Dimensions are (b, h, q, k), symbols [nq, nk, n]. Those behind them are, in a range,
the first and the last unit of the segment in table t, printed as begin<t> and end<t>;
elsewhere terms, printed as x<i>. A set or a map whose seven positions are all symbols
is printed as `symbols {h * k >= 0}`.
"""

import re
import sys

POSITIONS = ["b", "h", "q", "k", "nq", "nk", "n"]


def named(dims, symbols, body):
    num_dims = len(dims.split(",")) if dims else 0
    num_symbols = len(symbols.split(",")) if symbols else 0
    if num_dims == 0:
        names = {f"s{i}": name for i, name in enumerate(POSITIONS)}
    else:
        names = {f"d{i}": name for i, name in enumerate(POSITIONS[:4])}
        names.update({f"s{i}": name for i, name in enumerate(POSITIONS[4:])})
    first = 7 if num_dims == 0 else 3
    for i in range(first, num_symbols):
        if num_dims != 3:
            names[f"s{i}"] = f"x{i - first}"
            continue
        names[f"s{i}"] = ("begin%d" if (i - first) % 2 == 0 else "end%d") % ((i - first) // 2)
    return re.sub(r"\b[ds]\d+\b", lambda match: names[match.group()], body)


def main():
    aliases, lines = {}, []
    definition = re.compile(r"^(#\w+) = affine_(?:set|map)<\(([^)]*)\)(?:\[([^\]]*)\])? (?:->|:) \((.*)\)>$")
    for line in sys.stdin.read().splitlines():
        match = definition.match(line)
        if match:
            prefix = "" if match.group(2) else "symbols "
            aliases[match.group(1)] = prefix + "{%s}" % named(match.group(2), match.group(3) or "", match.group(4))
        else:
            lines.append(line)
        if line.startswith("// -----"):
            print_lines(lines, aliases)
            aliases, lines = {}, []
    print_lines(lines, aliases)


def print_lines(lines, aliases):
    # The guard of a #girih.range is the text of a set.
    guard = re.compile(r'"\(([^)]*)\)\[([^\]]*)\] : \((.*?)\)"')
    for line in lines:
        line = guard.sub(lambda match: "{%s}" % named(*match.groups()), line)
        print(re.sub(r"#(set|map)\d*\b", lambda match: aliases[match.group()], line))


main()
