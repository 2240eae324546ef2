# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares random patterns with their normal forms, pair by pair.

  random-normal-form.py GIRIH_OPT RANDOM_CANONICALIZE [COUNT]

Leaves, combinators and the evaluator of the printed IR are those of
random-canonicalize.py. This script adds predicates, whose meaning it computes
itself while it draws them, and neighbourhoods, whose meaning is NATTEN's
reference mask as NATTEN writes it, which is not how the pass does. The seed is
GIRIH_TEST_SEED, or drawn; it is printed either way.
"""

import importlib.util
import itertools
import re
import subprocess
import sys

spec = importlib.util.spec_from_file_location("canonicalize", sys.argv[2])
base = importlib.util.module_from_spec(spec)
spec.loader.exec_module(base)
DRAW = base.DRAW

# Beyond this many cases of min, max and select the pass may refuse a predicate.
MAX_CASES = 12


class Predicate:
    """Draws the region of one girih.predicate and computes what it means.

    Integers are (value, meaning, cases), booleans (value, meaning); a meaning is
    a function of a dictionary of the region's arguments.
    """

    def __init__(self):
        self.lines = []

    def emit(self, text):
        name = "%%x%d" % len(self.lines)
        self.lines.append("    %s = %s\n" % (name, text))
        return name

    def constant(self, number):
        return self.emit("arith.constant %d : index" % number), lambda at: number, 1

    def leaf(self):
        if DRAW.random() < 0.25:
            return self.constant(DRAW.randint(-9, 9))
        name = DRAW.choice("qqkkh") if DRAW.random() < 0.8 else DRAW.choice(["b", "nq", "nk"])
        return "%" + name, lambda at: at[name], 1

    def integer(self, depth):
        if depth == 0 or DRAW.random() < 0.15:
            return self.leaf()
        x, f, cases = self.integer(depth - 1)
        kind = DRAW.choice(["add", "sub", "min", "max", "scale", "floor", "divide", "remainder", "mod",
                            "select", "multiply"])
        if kind in ("scale", "floor", "divide", "remainder", "mod"):
            c = DRAW.choice([-3, -1, 2, 3]) if kind == "scale" else DRAW.randint(1, 6)
            if kind == "mod":
                return self.emit("affine.apply affine_map<(d0) -> (d0 mod %d)> (%s)" % (c, x)), lambda at: f(at) % c, cases
            op = {"scale": "muli", "floor": "floordivsi", "divide": "divsi", "remainder": "remsi"}[kind]
            truncated = lambda x: abs(x) // c * (1 if x >= 0 else -1)
            meaning = {
                "scale": lambda at: f(at) * c,
                "floor": lambda at: f(at) // c,
                "divide": lambda at: truncated(f(at)),
                "remainder": lambda at: f(at) - truncated(f(at)) * c,
            }[kind]
            if kind in ("divide", "remainder") and 2 * cases > MAX_CASES:
                return x, f, cases
            divided = self.emit("arith.%s %s, %s : index" % (op, x, self.constant(c)[0]))
            return divided, meaning, cases * (2 if kind in ("divide", "remainder") else 1)
        y, g, other = self.integer(depth - 1)
        if cases * other * 2 > MAX_CASES:
            return x, f, cases
        if kind == "multiply":  # of leaves: three lengths may leave 62 bits
            (x, f, cases), (y, g, other) = self.leaf(), self.leaf()
            return self.emit("arith.muli %s, %s : index" % (x, y)), lambda at: f(at) * g(at), cases * other
        if kind == "select":
            c, holds = self.comparison(0)
            chosen = self.emit("arith.select %s, %s, %s : index" % (c, x, y))
            return chosen, lambda at: f(at) if holds(at) else g(at), cases + other
        op = {"add": "addi", "sub": "subi", "min": "minsi", "max": "maxsi"}[kind]
        meaning = {
            "add": lambda at: f(at) + g(at),
            "sub": lambda at: f(at) - g(at),
            "min": lambda at: min(f(at), g(at)),
            "max": lambda at: max(f(at), g(at)),
        }[kind]
        result = self.emit("arith.%s %s, %s : index" % (op, x, y))
        return result, meaning, cases * other * (1 if kind in ("add", "sub") else 2)

    def comparison(self, depth):
        x, f, _ = self.integer(depth)
        y, g, _ = self.integer(DRAW.randint(0, depth))
        kind = DRAW.choice(["eq", "ne", "slt", "sle", "sgt", "sge"])
        meaning = {
            "eq": lambda at: f(at) == g(at),
            "ne": lambda at: f(at) != g(at),
            "slt": lambda at: f(at) < g(at),
            "sle": lambda at: f(at) <= g(at),
            "sgt": lambda at: f(at) > g(at),
            "sge": lambda at: f(at) >= g(at),
        }[kind]
        return self.emit("arith.cmpi %s, %s, %s : index" % (kind, x, y)), meaning

    def boolean(self, depth):
        if depth == 0:
            return self.comparison(DRAW.randint(1, 3))
        x, f = self.boolean(depth - 1)
        y, g = self.boolean(DRAW.randint(0, depth - 1))
        kind = DRAW.choice(["andi", "ori", "xori", "cmpi eq,", "cmpi ne,", "select", "not"])
        if kind == "select":
            c, holds = self.comparison(1)
            return (self.emit("arith.select %s, %s, %s : i1" % (c, x, y)),
                    lambda at: f(at) if holds(at) else g(at))
        if kind == "not":
            true = self.emit("arith.constant true")
            return self.emit("arith.xori %s, %s : i1" % (x, true)), lambda at: not f(at)
        meaning = {
            "andi": lambda at: f(at) and g(at),
            "ori": lambda at: f(at) or g(at),
            "xori": lambda at: f(at) != g(at),
            "cmpi eq,": lambda at: f(at) == g(at),
            "cmpi ne,": lambda at: f(at) != g(at),
        }[kind]
        return self.emit("arith.%s %s, %s : i1" % (kind, x, y)), meaning


def predicate():
    region = Predicate()
    value, meaning = region.boolean(DRAW.randint(0, 2))
    text = "girih.predicate (%%b, %%h, %%q, %%k, %%nq, %%nk) {\n%s    girih.yield %s : i1\n  }" % (
        "".join(region.lines), value)
    base.DEFINITIONS[text] = lambda b, h, q, k, nq, nk, n: meaning(dict(b=b, h=h, q=q, k=k, nq=nq, nk=nk))
    return text


def define_where(text):
    body = re.search(r" : \((.*)\)>$", text).group(1).replace("floordiv", "//").replace("mod", "%")
    code = " and ".join("(%s)" % part for part in body.split(", "))
    base.DEFINITIONS[text] = eval("lambda b, h, q, k, nq, nk, n: " + code)


def sees_along_axis(x, y, length, kernel, dilation, stride, causal):
    """NATTEN's csrc/include/natten/cuda/reference/mask.hpp, one dimension."""
    if x % dilation != y % dilation:
        return False
    i, j, group = x // dilation, y // dilation, x % dilation
    own = length // dilation + 1 - (group + dilation - length % dilation) // dilation
    left, right = kernel // 2, kernel // 2 + kernel % 2 - 1
    if causal:
        leader = min(i // stride * stride + stride - 1, own - 1)
        return max(leader - left - right, 0) <= j < min(i + 1, own)
    leader = min(i // stride * stride + stride // 2, own - 1)
    start = max(leader - left, 0) + (own - right - leader - 1 if leader + right >= own else 0)
    return start <= j < start + kernel


def neighborhood():
    """The text of a neighbourhood, and its number of tokens."""
    axes = []
    for _ in range(DRAW.randint(1, 3)):
        kernel, dilation = DRAW.randint(1, 3), DRAW.randint(1, 2)
        axes.append((kernel * dilation + DRAW.randint(0, 3), kernel, dilation, DRAW.randint(1, kernel), DRAW.random() < 0.4))
    names = ("grid", "kernel", "dilation", "stride", "causal")
    text = "girih.neighborhood " + " ".join(
        "%s = [%s]" % (name, ", ".join(str(v).lower() for v in values)) for name, values in zip(names, zip(*axes)))

    def keeps(b, h, q, k, nq, nk, n):
        for length, *rest in reversed(axes):
            if not sees_along_axis(q % length, k % length, length, *rest):
                return False
            q, k = q // length, k // length
        return True

    base.DEFINITIONS[text] = keeps
    tokens = 1
    for axis in axes:
        tokens *= axis[0]
    return text, tokens


def draw():
    """Ops by value, and the lengths that they are for (None: any)."""
    if DRAW.random() < 0.2:
        text, tokens = neighborhood()
        ops, kinds = [text], ["complement", "union", "intersect", "subtract"]
    else:
        tokens, ops, kinds = None, [], None
    for _ in range(DRAW.randint(1, 4)):
        ops.append(predicate() if DRAW.random() < 0.5 else base.leaf())
        if ops[-1].startswith("girih.where"):
            define_where(ops[-1])
    for _ in range(DRAW.randint(1, 4)):
        text = base.combinator(len(ops))
        if kinds is None or text.split()[0][6:] in kinds:
            ops.append(text)
    return {"%%%d" % i: text for i, text in enumerate(ops)}, tokens


def main():
    tool, count = sys.argv[1], int(sys.argv[3]) if len(sys.argv) > 3 else 120
    print("seed", base.SEED)
    drawn = [draw() for _ in range(count)]
    source = ""
    for i, (ops, _) in enumerate(drawn):
        body = "".join("  %s = %s\n" % pair for pair in ops.items())
        source += "func.func @f%d() -> !girih.pattern {\n%s  return %%%d : !girih.pattern\n}\n" % (i, body, len(ops) - 1)
    pairs = 0
    for passes in (["--girih-expand-named-patterns"], ["--girih-expand-named-patterns", "--girih-simplify-patterns"]):
        done = subprocess.run([tool, *passes], input=source, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit("seed %d: %s\n%s" % (base.SEED, done.stderr, source))
        sets, functions = base.parse(done.stdout)
        assert len(functions) == count
        for (ops, tokens), (new_ops, new_value) in zip(drawn, functions):
            leftover = [op for op in new_ops.values() if not re.match(r"girih\.(full|empty|where|union|intersect|complement)\b", op)]
            assert not leftover, leftover
            nq, nk = DRAW.randint(1, 8), DRAW.randint(1, 8)
            offset, n = DRAW.choice([(nk - nq, nk), (0, nq)])
            if tokens:
                nq = nk = n = tokens
                offset = 0
            positions = list(itertools.product(range(2), range(3), range(offset, n), range(nk)))
            for b, h, q, k in DRAW.sample(positions, min(300, len(positions))):
                pairs += 1
                at = (b, h, q, k, nq, nk, n)
                expected = bool(base.keeps({}, ops, "%%%d" % (len(ops) - 1), *at))
                if expected != base.keeps(sets, new_ops, new_value, *at):
                    sys.exit("seed %d, %s: (b, h, q, k, nq, nk, n) = %s: expected %s, but got %s\n%s\n%s" %
                             (base.SEED, passes, at, expected, not expected, ops, new_ops))
    print(count, "patterns agree on", pairs, "pairs")


main()
