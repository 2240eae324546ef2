# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Functions over indices become text; what can't be said is refused with its line."""

import functools

import numpy as np
import pytest

import girih

torch = pytest.importorskip("torch")
flex = pytest.importorskip("torch.nn.attention.flex_attention")

GLOBAL_DOCS = np.array([0, 0, 1, 1])
GLOBAL_TENSOR = torch.tensor([0, 0, 1, 1])


def same_document(q, k):
    return GLOBAL_DOCS[q] == GLOBAL_DOCS[k]


def text(function):
    return repr(girih.pattern(function))[2:-2]


@pytest.mark.parametrize(
    "function, expected",
    [
        (lambda b, h, q, k: q >= k, "q >= k"),
        (
            lambda b, h, q, k: (q >= k) & ((q - k < 700) | (k // 96 % 5 == 2)),
            "q >= k && (q - k < 700 || k / 96 % 5 == 2)",
        ),
        (lambda b, h, q, k: ~(q >= k) ^ (h == 0), "!(q >= k) && !(h == 0) || !!(q >= k) && h == 0"),
        (lambda b, h, q, k: 5 - q > -k, "5 - q > -k"),
        (lambda b, h, q, k: q - (k - 3) < 2 * (h + 1), "q - (k - 3) < 2 * (h + 1)"),
        (lambda b, h, q, k: abs(q - k) <= 4.0, "abs(q - k) <= 4"),
        (lambda b, h, q, k: (q & 7) == (k >> 3) << 1, "q % 8 == k / 8 * 2"),
        (lambda b, h, q, k: q < girih.nq - 1, "q < nq - 1"),
        (lambda b, h, q, k: True, "true"),
        (lambda b, h, q, k: np.bool_(False), "false"),
        (lambda b, h, q, k: torch.tensor(True), "true"),
        (lambda b, h, q, k: girih.where(q > 5, k, 0) > 3, "q > 5 && k > 3"),
        (lambda b, h, q, k: (q > 5) * k == 3, "q > 5 && k == 3"),
        (lambda b, h, q, k: girih.where(q > 5, q > k, k > q), "q > 5 && q > k || !(q > 5) && k > q"),
        (lambda b, h, q, k: girih.clamp(q - k, 0, 9) == 3, "min(max(q - k, 0), 9) == 3"),
        # numpy's functions
        (lambda b, h, q, k: np.logical_and(q >= k, np.abs(q - k) < 3), "q >= k && abs(q - k) < 3"),
        (lambda b, h, q, k: np.minimum(q, k) > np.int32(3), "min(q, k) > 3"),
        (lambda b, h, q, k: np.int64(3) - q < np.floor_divide(k, 2), "3 - q < k / 2"),
        (lambda b, h, q, k: np.where(q > 5, k, 0) > 3, "q > 5 && k > 3"),
        (lambda b, h, q, k: np.clip(q, 1, 3) == 2, "min(max(q, 1), 3) == 2"),
        # torch's functions and methods
        (lambda b, h, q, k: torch.logical_or(q < k, torch.abs(q - k) < 3), "q < k || abs(q - k) < 3"),
        (lambda b, h, q, k: (q >= k).logical_and(k.remainder(4) == 0), "q >= k && k % 4 == 0"),
        (lambda b, h, q, k: torch.where(q > 5, k, 0) > 3, "q > 5 && k > 3"),
        (lambda b, h, q, k: (q - k).abs().clamp(max=5) <= 3, "min(abs(q - k), 5) <= 3"),
        (lambda b, h, q, k: torch.maximum(q, k).sub(other=1) > 3, "max(q, k) - 1 > 3"),
        (lambda b, h, q, k: torch.div(q, 4, rounding_mode="floor") == 1, "q / 4 == 1"),
        (lambda b, h, q, k: torch.bitwise_and(q > 1, k > 2), "q > 1 && k > 2"),
        (lambda b, h, q, k: (q > k).to(torch.int32) + 1 == 2, "q > k"),
        (lambda b, h, q, k: (k % 2).bool() | (q % 2).to(torch.bool), "k % 2 != 0 || q % 2 != 0"),
        (lambda b, h, q, k: b.new_ones((), dtype=torch.bool) & (q > k), "q > k"),
        (lambda b, h, q, k: torch.zeros_like(q) + 2 > k, "2 > k"),
        # captured arrays
        (lambda b, h, q, k: GLOBAL_DOCS[q] == GLOBAL_DOCS[k], "@t0[q] == @t0[k]"),
        (lambda b, h, q, k: GLOBAL_TENSOR[q] == GLOBAL_TENSOR[k], "@t0[q] == @t0[k]"),
        (lambda b, h, q, k: same_document(q, k) & (q >= k), "@t0[q] == @t0[k] && q >= k"),
        (lambda b, h, q, k, t=GLOBAL_DOCS: t[q] > t[-1], "@t0[q] > 1"),
        (lambda b, h, q, k: GLOBAL_DOCS[GLOBAL_DOCS[q]] == 1, "@t0[@t0[q]] == 1"),
        (lambda b, h, q, k: GLOBAL_DOCS[girih.where(q > 3, 3, q)] == 1,
         "q > 3 && @t0[3] == 1 || !(q > 3) && @t0[q] == 1"),
    ],
)
def test_text(function, expected):
    assert text(function) == expected


def test_nested_tables():
    table = np.arange(12).reshape(3, 4)
    tensor = torch.arange(12).reshape(3, 4)
    for t in (table, tensor):
        assert text(lambda b, h, q, k: t[b][q] == t[h, k]) == "@t0[b, q] == @t0[h, k]"
        assert text(lambda b, h, q, k: t[-1, q] > 3) == "@t0[2, q] > 3"
        assert text(lambda b, h, q, k: t[b][-1] > t.shape[1]) == "@t0[b, 3] > 4"


def test_boolean_tables_are_conditions():
    keep = torch.tensor([True, False])
    numpy_keep = np.array([True, False])
    assert text(lambda b, h, q, k: keep[k] & (q >= k)) == "@t0[k] != 0 && q >= k"
    assert text(lambda b, h, q, k: ~numpy_keep[k]) == "!(@t0[k] != 0)"


def test_single_elements_stay_tables():
    window, divisor = torch.tensor(100), np.array(16)
    assert text(lambda b, h, q, k: q - k < window) == "q - k < @t0[0]"
    assert text(lambda b, h, q, k: window > q - k) == "@t0[0] > q - k"
    assert text(lambda b, h, q, k: window - q < k) == "@t0[0] - q < k"
    assert text(lambda b, h, q, k: divisor - q < k) == "@t0[0] - q < k"
    assert text(lambda b, h, q, k: np.int64(5) >= q) == "5 >= q"  # a constant of the program
    assert text(lambda b, h, q, k: q // divisor == k // divisor) == "q / 16 == k / 16"


def test_pytorch_combinators():
    causal = lambda b, h, q, k: q >= k  # noqa: E731
    near = lambda b, h, q, k: q - k < 4  # noqa: E731
    docs = lambda b, h, q, k: GLOBAL_DOCS[q] == GLOBAL_TENSOR[k]  # noqa: E731
    pattern = girih.pattern(flex.and_masks(causal, flex.or_masks(near, docs)))
    assert repr(pattern) == "{ q >= k && (q - k < 4 || @t0[q] == @t1[k]) }"
    assert np.array_equal(pattern.tables["t0"], GLOBAL_DOCS)
    assert np.array_equal(pattern.tables["t1"], GLOBAL_TENSOR)


def test_partial_closures_and_objects():
    docs = np.array([0, 1])

    def mask(table, b, h, q, k, width=3):
        return (table[q] == table[k]) & (q - k < width)

    class Documents:
        def __init__(self):
            self.ids = docs
            self.tensor = torch.tensor([1, 2])
            self.tables = {"a": docs}

        def mask(self, b, h, q, k):
            return (self.ids[q] == self.tensor[k]) & (self.tables["a"][q] == 0)

        def __call__(self, b, h, q, k):
            return self.ids[k] == 1

    partial = functools.partial(mask, docs, width=5)
    assert text(partial) == "@t0[q] == @t0[k] && q - k < 5"
    owner = Documents()
    assert text(owner.mask) == "@t0[q] == @t1[k] && @t0[q] == 0"
    assert text(owner) == "@t0[k] == 1"
    assert text(lambda b, h, q, k: owner.ids[q] == 1) == "@t0[q] == 1"
    assert type(owner.ids) is np.ndarray and owner.tables["a"] is docs


def test_captured_arrays_stay_arrays():
    sizes = np.array([3, 5])
    seen = []

    def mask(b, h, q, k):
        seen.append((int(sizes.sum()), sizes.shape, len(sizes), isinstance(sizes, np.ndarray)))
        return q - k < int(sizes[1])

    assert text(mask) == "q - k < 5" and seen == [(8, (2,), 2, True)]


def test_jax_arrays():
    jnp = pytest.importorskip("jax.numpy")
    docs = jnp.array([0, 1])
    assert text(lambda b, h, q, k: docs[q] == docs[k]) == "@t0[q] == @t0[k]"


def branch(b, h, q, k):
    if q > k:
        return True
    return k > 3


@pytest.mark.parametrize(
    "function, message",
    [
        (branch, r"(?s)girih\.where\(condition, x, y\).*test_tracer\.py:\d+\n    if q > k:"),
        (lambda b, h, q, k: q > k and k > 3, "`a & b` for `a and b`"),
        (lambda b, h, q, k: q > k or k > 3, "`a | b` for `a or b`"),
        (lambda b, h, q, k: not q > k, "`~a` for `not a`"),
        (lambda b, h, q, k: 3 < q < k, r"`\(a < b\) & \(b < c\)`"),
        (lambda b, h, q, k: max(q, k) > 3, r"girih.maximum for min\(\)"),
        (lambda b, h, q, k: int(q) > 3, r"int\(\) of an index"),
        (lambda b, h, q, k: q.item() > 3, r"\.item\(\) of an index"),
        (lambda b, h, q, k: float(q) > 3, r"float\(\) of an index"),
        (lambda b, h, q, k: sum(range(q)) > 3, "for a loop, use a Python constant"),
        (lambda b, h, q, k: [1, 2][k] > 3, "index an array"),
        (lambda b, h, q, k: sum(x for x in q), "a loop over an index"),
        (lambda b, h, q, k: q in (1, 2), "a decision on a condition"),
        (lambda b, h, q, k: q / 2 > k, "expected `//`, but got `/`"),
        (lambda b, h, q, k: q * 0.5 > k, "the float 0.5"),
        (lambda b, h, q, k: q.float() > k, "masks compare integers"),
        (lambda b, h, q, k: torch.exp(q) > k, "belongs into a score function"),
        (lambda b, h, q, k: q % k == 0, "`%` to be a positive constant, but got k"),
        (lambda b, h, q, k: q // 0 == 0, "`//` to be a positive constant, but got 0"),
        (lambda b, h, q, k: q > k & h, "put comparisons into brackets"),
        (lambda b, h, q, k: q | k, "put comparisons into brackets"),
        (lambda b, h, q, k: (q > k) & 3, "expected a condition beside `&`, but got 3"),
        (lambda b, h, q, k: (q > k) + (k > 3), "expected `|` between conditions"),
        (lambda b, h, q, k: q - k, "to return a condition"),
        (lambda b, h, q, k: None, "to return a condition"),
        (lambda b, h, q, k: torch.rand(4)[q] > 0.5, "integers or booleans in a mask"),
        (lambda b, h, q, k: np.ones(4)[q] > 0.5, "array conversion|integers or booleans in a mask"),
        (lambda b, h, q, k: GLOBAL_TENSOR > q, r"array of shape \(4,\); index it"),
        (lambda b, h, q, k: GLOBAL_DOCS + q > 3, r"array of shape \(4,\); index it"),
        (lambda b, h, q, k: GLOBAL_DOCS[q, k] > 3, "at most 1 indices"),
        (lambda b, h, q, k: GLOBAL_DOCS[4] > q, "out of bounds"),
        (lambda b, h, q, k: GLOBAL_TENSOR.reshape(2, 2)[q] > 3, "expected 2 indices"),
        (lambda b, h, q, k: GLOBAL_TENSOR.reshape(2, 2)[:, q] > 3, "expected integers between"),
        (lambda b, h, q, k: GLOBAL_TENSOR[q > k] > 3, "got a condition"),
        (lambda b, h, q, k: torch.fft.fft(q) > 3, "but got torch.fft_fft; known:"),
        (lambda b, h, q, k: q.cumsum(0) > 3, r"but got \.cumsum of an index"),
        (lambda b, h, q: q > 3, r"function of \(b, h, q, k\), but got"),
        (lambda b, h, q, k: q[0] > 3, "expected an array before"),
        (lambda b, h, q, k: girih.where(q > 3, q, "x") > 3, "expected numbers or conditions in where"),
        (lambda b, h, q, k: q < 1 << 70, "integer of 64 bits"),
    ],
)
def test_refusals(function, message):
    error = IndexError if message == "out of bounds" else TypeError
    with pytest.raises(error, match=message):
        girih.pattern(function)


BIAS = torch.linspace(0, 1, 8)
SLOPES = np.array([0.5, 0.25], dtype=np.float32)


@pytest.mark.parametrize(
    "function, expected",
    [
        (lambda score, b, h, q, k: score, "score"),
        (lambda score, b, h, q, k: score - 0.0625 * abs(q - k), "score - 0.0625 * float(abs(q - k))"),
        (lambda score, b, h, q, k: 30 * torch.tanh(score / 30), "30.0 * tanh(score / 30.0)"),
        (lambda score, b, h, q, k: score + BIAS[q - k], "score + @t0[q - k]"),
        (lambda score, b, h, q, k: score * SLOPES[h], "score * @t0[h]"),
        (
            lambda score, b, h, q, k: torch.where(q - k < 100, score, score * 0.5),
            "where(q - k < 100, score, score * 0.5)",
        ),
        (lambda score, b, h, q, k: score + (q - k) / 2, "score + float(q - k) / 2.0"),
        (lambda score, b, h, q, k: score - (score - (score - 1)), "score - (score - (score - 1.0))"),
        (lambda score, b, h, q, k: torch.maximum(score, q), "max(score, float(q))"),
        (lambda score, b, h, q, k: girih.where(score > 3, 1, 2), "where(score > 3.0, 1.0, 2.0)"),
        (lambda score, b, h, q, k: score + (q > k), "score + float(where(q > k, 1, 0))"),
        (lambda score, b, h, q, k: np.exp(score) ** 2, "pow(exp(score), 2.0)"),
        (lambda score, b, h, q, k: torch.tensor(2.0).__rtruediv__(score), "score / @t0[0]"),
        (lambda score, b, h, q, k: torch.tensor(2.0) / score, "@t0[0] / score"),
        (lambda score, b, h, q, k: 0, "0.0"),
    ],
)
def test_scores(function, expected):
    assert repr(girih.score(function)) == expected


def test_score_texts_and_tables():
    bias = np.ones(4, np.float32)
    score = girih.score("score + @bias[q % 4]", bias=bias)
    assert repr(score) == "score + @t0[q % 4]" and np.array_equal(score.tables["t0"], bias)
    assert score == girih.score("score + @bias[q % 4]", bias=bias)
    assert score != girih.score("score + @bias[q % 4]", bias=bias.copy())
    with pytest.raises(TypeError, match="to return a score"):
        girih.score(lambda score, b, h, q, k: q > k)
    with pytest.raises(TypeError, match="expected `%` on integers"):
        girih.score(lambda score, b, h, q, k: score % 2)
    with pytest.raises(TypeError, match="expected a function of"):
        girih.score(lambda score, b, h, q: score)


def test_values_are_copied_once_a_trace():
    docs = np.array([0, 1, 1])
    first = girih.pattern(lambda b, h, q, k: docs[q] == docs[k])
    (table,) = first._render()[1].values()
    assert sum(part is table for part in first._text.parts) == 2
    docs[0] = 1
    second = girih.pattern(lambda b, h, q, k: docs[q] == docs[k])
    assert second != first  # as text they are alike, but the array was written between


def test_recipes_of_flex_attention():
    """Masks and scores as programs with FlexAttention write them."""
    width, kernel, heads = 8, 3, 4
    documents = torch.tensor([0, 0, 0, 1, 1])
    offsets = torch.tensor([0, 3, 5])
    prefix_length = torch.tensor([2, 4], dtype=torch.int32)

    def natten(b, h, q_idx, kv_idx):
        q_x, q_y = q_idx // width, q_idx % width
        kv_x, kv_y = kv_idx // width, kv_idx % width
        center_x = q_x.clamp(kernel // 2, (width - 1) - kernel // 2)
        center_y = torch.clamp(q_y, kernel // 2, (width - 1) - kernel // 2)
        near_x = (center_x - kv_x).abs() <= kernel // 2
        return near_x & ((center_y - kv_y).abs() <= kernel // 2)

    def causal(b, h, q_idx, kv_idx):
        return q_idx >= kv_idx

    def document_causal(b, h, q_idx, kv_idx):
        same = documents[q_idx] == documents[kv_idx]
        q_logical = q_idx - offsets[documents[q_idx]]
        kv_logical = kv_idx - offsets[documents[kv_idx]]
        return torch.where(same, causal(b, h, q_logical, kv_logical), False)

    def prefix(b, h, q_idx, kv_idx):
        return kv_idx < prefix_length[b]

    def alibi(score, b, h, q_idx, kv_idx):
        scale = torch.exp2(-((h + 1) * 8.0 / heads))
        return score + (kv_idx - q_idx) * scale

    def masked(score, b, h, q_idx, kv_idx):
        return torch.where(q_idx >= kv_idx, score, -float("inf"))

    assert text(flex.or_masks(prefix, causal)) == "k < @t0[b] || q >= k"
    assert text(document_causal) == (
        "@t0[q] == @t0[k] && q - @t1[@t0[q]] >= k - @t1[@t0[k]]"
    )
    assert text(natten) == (
        "abs(min(max(q / 8, 1), 6) - k / 8) <= 1 && abs(min(max(q % 8, 1), 6) - k % 8) <= 1"
    )
    assert repr(girih.score(alibi)) == (
        "score + float(k - q) * exp2(-(float(h + 1) * 8.0 / 4.0))"
    )
    assert repr(girih.score(masked)) == "where(q >= k, score, -inf)"
