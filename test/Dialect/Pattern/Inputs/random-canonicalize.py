# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares random patterns with their canonical forms, pair by pair.

  random-canonicalize.py GIRIH_OPT [COUNT]

Evaluates the printed IR by the formulas of the op descriptions, for short lengths
with more queries than keys (negative positions) and fewer. The seed is
GIRIH_TEST_SEED, or drawn; it is printed either way.
"""

import os
import random
import re
import subprocess
import sys

SEED = int(os.environ.get("GIRIH_TEST_SEED") or random.randrange(1 << 32))
DRAW = random.Random(SEED)
# What ops of these texts keep, for callers with kinds that are not below.
DEFINITIONS = {}
AFFINE = "affine_set<(b, h, q, k)[nq, nk, n] : (%s)>"
PRODUCTS = "affine_set<()[b, h, q, k, nq, nk, n] : (%s)>"


def constraint(products):
    terms = []
    for _ in range(DRAW.randint(1, 3)):
        term = "(%s)" % DRAW.choice(["q", "k", "q", "k", "q - k", "h", "nk", "n"])
        if DRAW.random() < 0.5:
            term = "(%s %s %d)" % (term, DRAW.choice(["mod", "floordiv"]), DRAW.randint(2, 4))
        if products and DRAW.random() < 0.3:
            term = "(%s * %s)" % (DRAW.choice(["h", "q"]), term)
        terms.append("%s * %d" % (term, DRAW.choice([1, 1, -1, 2, -3])))
    return "%s + %d %s 0" % (" + ".join(terms), DRAW.randint(-6, 6), DRAW.choice([">=", ">=", "=="]))


def leaf():
    r = DRAW.randint
    period = r(1, 4)
    low = r(0, period)
    window = "girih.window"
    for side in ("left", "right"):
        if DRAW.random() < 0.6:
            window += " %s = %d" % (side, r(0, 4))
    products = DRAW.random() < 0.3
    constraints = ", ".join(constraint(products) for _ in range(r(1, 3)))
    where = "girih.where " + (PRODUCTS if products else AFFINE) % constraints
    return DRAW.choice([
        "girih.full", "girih.empty", "girih.causal", window, window, where, where,
        "girih.dilated left = %d right = %d dilation = %d" % (r(0, 2), r(0, 2), r(1, 3)),
        "girih.strided stride = %d" % r(1, 6),
        "girih.chunk size = %d" % r(1, 6),
        "girih.columns period = %d lo = %d hi = %d" % (period, low, r(low, period)),
        "girih.global_columns first = %d last = %d" % (r(0, 2), r(0, 2)),
        "girih.global_rows first = %d last = %d" % (r(0, 2), r(0, 2)),
    ])


def combinator(count):
    def value():
        return "%%%d" % DRAW.randrange(count)

    kind = DRAW.choice(["union", "intersect"] * 2 + ["subtract", "complement", "blockwise", "heads"])
    if kind in ("union", "intersect"):
        return "girih.%s %s" % (kind, ", ".join(value() for _ in range(DRAW.randint(1, 4))))
    if kind == "subtract":
        return "girih.subtract %s, %s" % (value(), value())
    if kind == "complement":
        return "girih.complement " + value()
    if kind == "blockwise":
        return "girih.blockwise %s size = %d" % (value(), DRAW.randint(1, 3))
    return "girih.heads %s, %s first = [0, 1] last = [0, 1]" % (value(), value())


def function(index):
    ops = [leaf() for _ in range(DRAW.randint(1, 5))]
    for _ in range(DRAW.randint(1, 6)):
        ops.append(combinator(len(ops)))
    body = "".join("  %%%d = %s\n" % pair for pair in enumerate(ops))
    return "func.func @f%d() -> !girih.pattern {\n%s  return %%%d : !girih.pattern\n}\n" % (
        index, body, len(ops) - 1)


def parse(text):
    """The sets by alias, and for each function its ops by value and what it returns."""
    sets = {}
    for alias, dims, symbols, body in re.findall(
            r"^(#\S+) = affine_set<\(([^)]*)\)\[([^\]]*)\] : \((.*)\)>$", text, re.M):
        names = ", ".join(part for part in (dims, symbols) if part)
        body = body.replace("floordiv", "//").replace("mod", "%")
        code = " and ".join("(%s)" % part for part in body.split(", "))
        sets[alias] = eval("lambda %s: %s" % (names, code))
    functions = []
    for body, result in re.findall(r"func\.func @\w+\(\).*?\{\n(.*?)return (%\S+)", text, re.S):
        functions.append((dict(line.strip().split(" = ", 1) for line in body.strip().splitlines()), result))
    return sets, functions


def keeps(sets, ops, value, b, h, q, k, nq, nk, n):
    text = ops[value]
    if text in DEFINITIONS:
        return DEFINITIONS[text](b, h, q, k, nq, nk, n)
    kind = text.split()[0]
    a = {name: int(number) for name, number in re.findall(r"(\w+) = (-?\d+)", text)}
    operands = re.findall(r"%\w+", text)

    def inner(operand):
        return keeps(sets, ops, operand, b, h, q, k, nq, nk, n)

    def window(left, right):
        return (left is None or q - k <= left) and (right is None or -right <= q - k)

    if kind == "girih.blockwise":
        size = a["size"]
        lengths = [-(-length // size) for length in (nq, nk, n)]
        return keeps(sets, ops, operands[0], b, h, q // size, k // size, *lengths)
    return {
        "girih.full": lambda: True,
        "girih.empty": lambda: False,
        "girih.causal": lambda: k <= q,
        "girih.window": lambda: window(a.get("left"), a.get("right")),
        "girih.dilated": lambda: (q - k) % a["dilation"] == 0
        and window(a["left"] * a["dilation"], a["right"] * a["dilation"]),
        "girih.strided": lambda: (q - k) % a["stride"] == 0,
        "girih.chunk": lambda: q // a["size"] == k // a["size"],
        "girih.columns": lambda: a["lo"] <= k % a["period"] < a["hi"],
        "girih.global_columns": lambda: k < a["first"] or k >= nk - a.get("last", 0),
        "girih.global_rows": lambda: q < a["first"] or q >= n - a.get("last", 0),
        "girih.where": lambda: sets[text.split()[1]](b, h, q, k, nq, nk, n),
        "girih.union": lambda: any(map(inner, operands)),
        "girih.intersect": lambda: all(map(inner, operands)),
        "girih.subtract": lambda: inner(operands[0]) and not inner(operands[1]),
        "girih.complement": lambda: not inner(operands[0]),
        "girih.heads": lambda: h < 2 and inner(operands[h]),
    }[kind]()


def main():
    tool, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 60
    print("seed", SEED)

    def run(text, *flags):
        return subprocess.run([tool, *flags], input=text, stdout=subprocess.PIPE, text=True, check=True).stdout

    source = run("".join(function(i) for i in range(count)))
    canonical = run(source, "-canonicalize")
    (sets, before), (canonical_sets, after) = parse(source), parse(canonical)
    assert len(before) == len(after) == count
    pairs = 0
    for (ops, value), (new_ops, new_value) in zip(before, after):
        nq, nk = DRAW.randint(1, 8), DRAW.randint(1, 8)
        offset, n = DRAW.choice([(nk - nq, nk), (0, nq)])
        for h, q, k in ((h, q, k) for h in range(3) for q in range(offset, n) for k in range(nk)):
            pairs += 1
            at = (0, h, q, k, nq, nk, n)
            old = keeps(sets, ops, value, *at)
            if old != keeps(canonical_sets, new_ops, new_value, *at):
                sys.exit("seed %d: (b, h, q, k, nq, nk, n) = %s: kept %s before, %s after\n%s\n%s" %
                         (SEED, at, old, not old, ops, new_ops))
    print(count, "patterns agree on", pairs, "pairs")


if __name__ == "__main__":
    main()
