# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random functions over indices: traced, their masks equal what Python computes."""

import random
import re

import numpy as np

import girih

N, K, HEADS, BATCH = 9, 12, 3, 2
TABLE = np.array([3, 0, 2, 5, 1, 4, 0, 7, 2, 6, 1, 3])
GRID = np.arange(BATCH * K).reshape(BATCH, K) % 5
SIGNS = [
    ("<", "less"),
    ("<=", "less_equal"),
    (">", "greater"),
    (">=", "greater_equal"),
    ("==", "equal"),
    ("!=", "not_equal"),
]
FLAGS = np.array([True, False, True, True, False])


class Generator:
    """Python source of random integers and conditions over b, h, q and k."""

    def __init__(self, rng):
        self.rng = rng

    def integer(self, depth):
        pick = self.rng.randrange(12) if depth else self.rng.randrange(2)
        a, b = (lambda: self.integer(depth - 1)), self.rng.randrange(1, 7)
        if pick == 0:
            return self.rng.choice("bhqkqk")
        if pick == 1:
            return str(self.rng.randrange(-6, 20))
        if pick in (2, 3):
            return f"({a()} {'+-'[pick - 2]} {a()})"
        if pick == 4:  # products of positions may leave 64 bits, which is an error
            return f"({a()} * {self.rng.randrange(-3, 4)})"
        if pick == 5:
            return f"({a()} // {b})"
        if pick == 6:
            return f"({a()} % {b})"
        if pick == 7:
            return f"{self.rng.choice(['np.minimum', 'np.maximum'])}({a()}, {a()})"
        if pick == 8:
            return f"abs({a()})"
        if pick == 9:
            return f"np.where({self.condition(depth - 1)}, {a()}, {a()})"
        if pick == 10:
            return f"TABLE[{a()} % 12]"
        return f"GRID[b, {a()} % 12]"

    def condition(self, depth):
        pick = self.rng.randrange(7) if depth else 0
        a = lambda: self.condition(depth - 1)  # noqa: E731
        if pick < 3:
            left, right = self.integer(depth), self.integer(depth)
            sign, name = self.rng.choice(SIGNS)
            if re.search(r"\b[bhqk]\b", left + right):
                return f"({left} {sign} {right})"
            return f"np.{name}({left}, {right})"  # Python's own booleans have another ~
        if pick == 3:
            return f"(~{a()})"
        if pick == 4:
            return f"FLAGS[{self.integer(depth - 1)} % 5]"
        return f"({a()} {self.rng.choice('&|^')} {a()})"


def evaluate(function, align):
    b, h, q, k = np.indices((BATCH, HEADS, N, K))
    if align == "bottom_right":
        q = q + K - N
    return np.broadcast_to(function(b, h, q, k), (BATCH, HEADS, N, K))


def test_traced_masks(seed):
    rng = random.Random(seed)
    generator = Generator(rng)
    scope = {"np": np, "TABLE": TABLE, "GRID": GRID, "FLAGS": FLAGS}
    kept = 0
    for number in range(300):
        source = f"lambda b, h, q, k: {generator.condition(rng.randrange(4))}"
        function = eval(source, scope)
        align = rng.choice(["bottom_right", "top_left"])
        expected = evaluate(function, align)
        pattern = girih.pattern(function)
        got = pattern.mask(N, K, heads=HEADS, batch=BATCH, align=align)
        assert np.array_equal(got, expected), f"{number}: {source}\n{pattern!r}"
        kept += 0 < expected.sum() < expected.size
    assert kept > 50  # many say yes to some pairs and no to others


def test_composed_masks(seed):
    """The operators of patterns are those of their masks."""
    rng = random.Random(seed)
    leaves = [
        girih.causal,
        girih.window(3, 1),
        girih.chunk(4),
        girih.global_(1),
        girih.strided(2),
        girih.segments(np.array([0, 5, 12])),
        girih.parse("causal | chunk(size=3)"),
        girih.pattern(lambda b, h, q, k: (q + k) % 3 == h),
    ]

    def build(depth):
        if depth == 0 or rng.random() < 0.2:
            leaf = rng.choice(leaves)
            return leaf, leaf.mask(K, heads=HEADS)
        if rng.random() < 0.2:
            pattern, mask = build(depth - 1)
            return ~pattern, ~mask
        (p, m), (r, s) = build(depth - 1), build(depth - 1)
        sign = rng.choice("&|-")
        return {"&": (p & r, m & s), "|": (p | r, m | s), "-": (p - r, m & ~s)}[sign]

    for _ in range(100):
        pattern, expected = build(rng.randrange(1, 5))
        assert np.array_equal(pattern.mask(K, heads=HEADS), expected), repr(pattern)
