# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Patterns beyond the table: a fixed list of awkward ones, and random ones."""

# What has gone wrong in attention kernels before: rows with no key, borders that
# miss every tile, conditions no row limit can express, terms of all variables.
AWKWARD = (
    "empty",
    "~causal",
    "causal - window(left=10)",
    "window(left=0, right=0)",
    "window(right=5) & ~window(left=3)",
    "causal & { q % 3 == 0 }",
    "causal & { q / 100 % 2 == 1 }",
    "{ k > q + 20 }",
    "{ q >= k && (q - k < 70 || (k / 96) % 5 == 2) }",
    "{ q * k % 7 == 3 }",
    "{ q * q >= k * 40 }",
    "{ (q - k) * (q - k) <= 2500 }",
    "{ (q + k) % 11 < 4 }",
    "{ abs(q - k) <= q / 4 }",
    "{ k <= max(q - 30, nk / 3) }",
    "{ k < min(q, 50) || k == q }",
    "{ h % 2 == 0 && k <= q || h % 2 == 1 && k >= q }",
    "{ (q - k) % (1 + 6) == 0 || k < h * 13 }",
    "{ b == 0 && k <= q || b == 1 && q - k < 33 && k <= q }",
    "{ nq - q <= 3 || k <= q }",
    "{ k / 64 == q / 64 || k == 0 }",
    "{ (k / 5 + q / 3) % 2 == 0 }",
    "causal & chunk(size=100)",
    "chunk(size=1)",
    "chunk(size=129) | global_columns(first=1)",
    "columns(period=9, lo=2, hi=4)",
    "causal & columns(period=300, lo=250, hi=300)",
    "global_rows(first=3, last=5)",
    "global(first=1, last=200) | window(left=8, right=8)",
    "dilated(left=5, right=0, dilation=17)",
    "strided(stride=64)",
    "strided(stride=3) & causal",
    "blockwise(causal, size=48)",
    "blockwise(causal & strided(stride=3), size=64)",
    "random_blocks(size=64, count=2, seed=9)",
    "causal & random_blocks(size=33, count=2, seed=1)",
    "segments(offsets=[0, 1, 2, 64, 65, 500, 1000])",
    "causal & segments(offsets=[0, 300, 301, 999, 1000]) & window(left=120)",
    "heads([causal, full, window(left=9, right=9), empty, causal, strided(stride=5), chunk(size=77), ~causal])",
    "heads(0..3: causal & window(left=63), 4..7: { (q - k) % 5 == 0 })",
    "neighborhood(grid=[10, 100], kernel=[3, 7])",
    "neighborhood(grid=[10, 10, 10], kernel=[3, 3, 5])",
    "neighborhood(grid=[1000], kernel=[51], dilation=[3])",
    "neighborhood(grid=[20, 50], kernel=[5, 5], causal=[1, 0])",
)


def leaf(rng, n):
    """A pattern with no parts."""
    r = lambda top: rng.randrange(top)  # noqa: E731
    kinds = (
        lambda: "causal",
        lambda: "full",
        lambda: f"window(left={r(n)})",
        lambda: f"window(left={r(200)}, right={r(200)})",
        lambda: f"dilated(left={r(40)}, right={r(40)}, dilation={1 + r(9)})",
        lambda: f"strided(stride={1 + r(150)})",
        lambda: f"chunk(size={1 + r(300)})",
        lambda: f"global(first={r(40)}, last={r(40)})",
        lambda: f"global_columns(first={r(150)})",
        lambda: f"global_rows(last={r(90)})",
        lambda: f"random_blocks(size={16 * (1 + r(8))}, count={r(3)}, seed={r(99)})",
        lambda: columns(rng),
        lambda: f"{{ {condition(rng, 2)} }}",
    )
    return rng.choice(kinds)()


def columns(rng):
    period = 2 + rng.randrange(150)
    lo = rng.randrange(period)
    return f"columns(period={period}, lo={lo}, hi={lo + 1 + rng.randrange(period - lo)})"


def term(rng):
    c = rng.randrange(1, 60)
    return rng.choice(("q", "k", "q - k", "q + k", f"{c} * h", f"q / {c}", f"k / {c}", f"q % {c}", "abs(q - k)",
                       f"k % {c}", f"min(q, {7 * c})", f"max(k - {c}, h)", f"(q - k) % {c}", f"{c} - k", f"2 * k - q"))


def condition(rng, depth):
    if depth == 0 or rng.random() < 0.35:
        right = rng.choice((str(rng.randrange(-40, 400)), term(rng)))
        return f"{term(rng)} {rng.choice(('<', '<=', '>', '>=', '==', '!='))} {right}"
    left, right = condition(rng, depth - 1), condition(rng, depth - 1)
    return rng.choice((f"({left} && {right})", f"({left} || {right})", f"!({left})"))


def draw(rng, n, depth=3):
    """A random pattern for about n tokens."""
    if depth == 0 or rng.random() < 0.3:
        return leaf(rng, n)
    kind = rng.random()
    if kind < 0.1:
        return f"~({draw(rng, n, depth - 1)})"
    if kind < 0.2:
        size = rng.choice((16, 32, 48, 64, 100, 128))
        return f"blockwise({draw(rng, n // size + 1, depth - 1)}, size={size})"
    return f"({draw(rng, n, depth - 1)} {rng.choice('&&||-')} {draw(rng, n, depth - 1)})"
