# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Numbers of girih.jax.attention on the CPU, against attention in f64."""

import numpy
import pytest

jax = pytest.importorskip("jax")
import dense  # noqa: E402
import girih  # noqa: E402
import girih.jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

HEADS = 4


@pytest.mark.parametrize("dtype", dense.TOLERANCE)
@pytest.mark.parametrize("name", dense.workload.TABLE)
def test_workload(name, dtype):
    n = 256
    pattern = girih.parse(dense.workload.pattern(name, n, HEADS, small=True))
    q, k, v = dense.tensors(1, 2, HEADS, 2, n, n, 32, 48, dtype)
    o, lse = girih.jax.attention(q, k, v, pattern, return_lse=True)
    assert o.dtype == dtype and lse.dtype == jnp.float32
    wanted, wanted_lse = dense.attention(q, k, v, pattern.mask(n, heads=HEADS))
    dense.check(o, wanted, dtype)
    dense.check(lse, wanted_lse)


@pytest.mark.parametrize("lengths", [(1, 1), (1, 300), (77, 130), (130, 77), (333, 333)])
def test_unequal_lengths(lengths):
    q, k, v = dense.tensors(2, 1, 2, 2, *lengths, 40)
    o, lse = girih.jax.attention(q, k, v, girih.causal, return_lse=True)
    wanted, wanted_lse = dense.attention(q, k, v, dense.causal(*lengths))
    dense.check(o, wanted)
    dense.check(lse, wanted_lse)


def test_align_top_left():
    q, k, v = dense.tensors(3, 1, 2, 1, 50, 90, 16)
    o = girih.jax.attention(q, k, v, girih.causal, align="top_left")
    mask = numpy.arange(50)[:, None] >= numpy.arange(90)
    dense.check(o, dense.attention(q, k, v, mask)[0])


def test_scale():
    q, k, v = dense.tensors(4, 1, 2, 1, 64, 64, 16)
    for scale in (0.5, 1, -2.0, numpy.float32(0.25)):
        o = girih.jax.attention(q, k, v, girih.causal, scale=scale)
        dense.check(o, dense.attention(q, k, v, dense.causal(64, 64), float(scale))[0])


def test_tables():
    """Tables are constants of a traced function; other values compile no kernel."""
    q, k, v = dense.tensors(5, 1, 2, 2, 100, 100, 16)
    compilations = []
    for cuts in ([0, 30, 100], [0, 1, 2, 99, 100]):
        pattern = girih.causal & girih.segments(numpy.array(cuts))
        ids = numpy.searchsorted(cuts, numpy.arange(100), side="right")
        mask = dense.causal(100, 100) & (ids[:, None] == ids)
        dense.check(girih.jax.attention(q, k, v, pattern), dense.attention(q, k, v, mask)[0])
        compilations.append(girih.default_session().compilations)
    assert compilations[0] == compilations[1]


def test_same_array_other_values():
    """Values are those at the time when the pattern was made."""
    q, k, v = dense.tensors(5, 1, 2, 2, 100, 100, 16)
    cuts = numpy.array([0, 50, 100])
    for middle in (50, 20):
        cuts[1] = middle
        pattern = girih.segments(cuts)
        ids = numpy.arange(100) >= middle
        dense.check(girih.jax.attention(q, k, v, pattern), dense.attention(q, k, v, ids[:, None] == ids)[0])


def test_scores():
    """In Python, as text, and with a table; a score that reads b keeps it under vmap."""
    q, k, v = dense.tensors(10, 2, 2, 1, 60, 60, 16)
    distance = numpy.abs(numpy.arange(60)[:, None] - numpy.arange(60))
    slopes = numpy.array([0.5, 0.125], numpy.float32)

    def alibi(score, b, h, q, k):
        return score - slopes[h] * abs(q - k)

    for score, shift in (
        (girih.score("score - 0.25 * abs(q - k)"), -0.25 * distance),
        (girih.score(alibi), -slopes[:, None, None] * distance),
    ):
        o, lse = girih.jax.attention(q, k, v, girih.causal, score=score, return_lse=True)
        wanted, wanted_lse = dense.attention(q, k, v, dense.causal(60, 60), score=lambda s, x=shift: s + x)
        dense.check(o, wanted)
        dense.check(lse, wanted_lse)
    apart = girih.score("score - 0.5 * b * abs(q - k)")
    got = jax.vmap(lambda *x: girih.jax.attention(*x, girih.causal, score=apart))(*(x[:, None] for x in (q, k, v)))
    dense.check(got[:, 0], dense.attention(q, k, v, dense.causal(60, 60))[0])


@pytest.mark.parametrize("dtype", dense.TOLERANCE)
def test_bnhd(dtype):
    q, k, v = dense.tensors(6, 2, 4, 2, 70, 90, 32, 24, dtype)
    swapped = [x.transpose(0, 2, 1, 3) for x in (q, k, v)]
    o, lse = girih.jax.attention(*swapped, girih.causal, layout="bnhd", return_lse=True)
    wanted, wanted_lse = dense.attention(q, k, v, dense.causal(70, 90))
    assert o.shape == (2, 70, 4, 24) and lse.shape == (2, 4, 70)
    dense.check(o.transpose(0, 2, 1, 3), wanted, dtype)
    dense.check(lse, wanted_lse)


@pytest.mark.parametrize("layout", ["bhnd", "bnhd"])
def test_copies_nothing(layout):
    """The program is the call alone: no transpose, no copy, no conversion."""
    x = jnp.ones((2, 40, 40, 32), jnp.bfloat16)
    call = jax.jit(lambda q, k, v: girih.jax.attention(q, k, v, girih.full, layout=layout))
    text = call.lower(x, x, x).compile().as_text()
    entry = text[text.index("ENTRY") :]
    operations = {line.split("=", 1)[1].split("(", 1)[0].split()[-1] for line in entry.splitlines() if " = " in line}
    assert operations <= {"parameter", "custom-call", "get-tuple-element", "tuple", "bitcast"}


@pytest.mark.parametrize("sizes", [(0, 2, 5, 5), (1, 0, 5, 5), (1, 2, 0, 5), (1, 2, 5, 0)])
def test_empty_tensors(sizes):
    batch, heads, num_q, num_k = sizes
    q, k, v = dense.tensors(7, batch, heads, heads, num_q, num_k, 16)
    o, lse = girih.jax.attention(q, k, v, girih.full, return_lse=True)
    assert o.shape == (batch, heads, num_q, 16) and not o.any()
    assert lse.shape == (batch, heads, num_q) and (lse == -jnp.inf).all()


def test_rows_that_see_nothing():
    q, k, v = dense.tensors(8, 1, 2, 2, 64, 64, 16)
    o, lse = girih.jax.attention(q, k, v, girih.global_rows(first=3), return_lse=True)
    assert not o[:, :, 3:].any() and (lse[:, :, 3:] == -jnp.inf).all()
    assert o[:, :, :3].all()


def test_numpy_operands():
    q, k, v = (numpy.asarray(x) for x in dense.tensors(9, 1, 2, 2, 33, 33, 16))
    o = girih.jax.attention(q, k, v, girih.causal)
    assert isinstance(o, jax.Array)
    dense.check(o, dense.attention(jnp.asarray(q), jnp.asarray(k), jnp.asarray(v), dense.causal(33, 33))[0])
