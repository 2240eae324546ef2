# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Patterns print the pattern language, compare by text and arrays, and check types."""

import copy
import pickle

import numpy as np
import pytest

import girih

c, w, g = girih.causal, girih.window(left=7), girih.global_(first=2)


@pytest.mark.parametrize(
    "pattern, text",
    [
        (girih.full, "full"),
        (girih.empty, "empty"),
        (girih.window(left=1, right=2), "window(left=1, right=2)"),
        (girih.window(right=2), "window(right=2)"),
        (girih.dilated(1, 2, 3), "dilated(left=1, right=2, dilation=3)"),
        (girih.strided(4), "strided(stride=4)"),
        (girih.chunk(4), "chunk(size=4)"),
        (girih.columns(8, 2, 5), "columns(period=8, lo=2, hi=5)"),
        (girih.global_columns(3), "global_columns(first=3)"),
        (girih.global_rows(last=3), "global_rows(first=0, last=3)"),
        (girih.global_(1, 2), "global(first=1, last=2)"),
        (girih.blockwise(c & w, 64), "blockwise(causal & window(left=7), size=64)"),
        (girih.segments([0, 5, 9]), "segments(offsets=[0, 5, 9])"),
        (girih.random_blocks(64, 3, seed=1), "random_blocks(size=64, count=3, seed=1)"),
        (
            girih.block_table(16, [0, 1, 3], [0, 0, 1]),
            "block_table(size=16, indptr=[0, 1, 3], indices=[0, 0, 1])",
        ),
        (
            girih.block_table(16, [0, 1, 2, 4], [0, 0, 0, 0], heads=2),
            "block_table(size=16, indptr=[0, 1, 2, 4], indices=[0, 0, 0, 0], heads=2)",
        ),
        (
            girih.neighborhood([8, 8], [3, 5], causal=[True, False]),
            "neighborhood(grid=[8, 8], kernel=[3, 5], causal=[true, false])",
        ),
        (girih.heads([c, w]), "heads([causal, window(left=7)])"),
        (girih.heads({range(0, 8): c, 8: w}), "heads(0..7: causal, 8: window(left=7))"),
        (c & w | g, "causal & window(left=7) | global(first=2)"),
        (c & (w | g), "causal & (window(left=7) | global(first=2))"),
        (c | (w | g), "causal | window(left=7) | global(first=2)"),
        (c | (w - g), "causal | (window(left=7) - global(first=2))"),
        (c - (w | g), "causal - (window(left=7) | global(first=2))"),
        (c | (w - g | g), "causal | (window(left=7) - global(first=2) | global(first=2))"),
        (c & (w & g), "causal & window(left=7) & global(first=2)"),
        (~(c & w), "~(causal & window(left=7))"),
        (~c & w, "~causal & window(left=7)"),
        (girih.parse("causal | full") & w, "(causal | full) & window(left=7)"),
        (girih.parse("window(left=1-1)") & c, "window(left=1-1) & causal"),
        (girih.parse("{ q - k > 3 }") & c, "{ q - k > 3 } & causal"),
        (w - girih.parse("causal - full"), "window(left=7) - (causal - full)"),
    ],
)
def test_text(pattern, text):
    assert repr(pattern) == text


def test_arrays_are_tables_once_each():
    a, b = np.array([0, 4, 8]), np.array([0, 8])
    one = girih.segments(a) & girih.segments(b)
    both = girih.segments(b) | one
    assert repr(one) == "segments(offsets=@t0) & segments(offsets=@t1)"
    assert repr(both) == "segments(offsets=@t0) | segments(offsets=@t1) & segments(offsets=@t0)"
    assert both.tables["t0"] is b and both.tables["t1"] is a


def test_names_of_files_are_left_alone():
    pattern = girih.segments(np.array([0, 4])) & girih.parse('segments(offsets=@t0)')
    assert repr(pattern) == "segments(offsets=@t1) & segments(offsets=@t0)"
    assert repr(girih.parse('segments(offsets=@"t 0.txt")')) == 'segments(offsets=@"t 0.txt")'


def test_parse_takes_arrays_by_name():
    docs = np.array([0, 4])
    pattern = girih.parse("causal & segments(offsets=@docs)", docs=docs)
    assert repr(pattern) == "causal & segments(offsets=@t0)" and pattern.tables["t0"] is docs
    with pytest.raises(TypeError, match="@rows in the text"):
        girih.parse("causal", rows=docs)


def test_equality_is_by_text_and_array():
    a, b = np.array([0, 4]), np.array([0, 4])
    assert girih.causal & girih.window(3) == girih.parse("causal") & girih.window(3)
    assert girih.segments(a) == girih.segments(a) and girih.segments(a) != girih.segments(b)
    assert hash(girih.segments(a)) == hash(girih.segments(a))
    assert len({girih.segments(a), girih.segments(a), girih.segments(b)}) == 2
    assert girih.causal != "causal"


def test_values_are_copied_when_a_pattern_is_made():
    offsets = np.array([0, 4, 8], dtype=np.int32)
    pattern = girih.segments(offsets)
    offsets[1] = 5
    table = pattern._render()[1]["t0"]
    assert np.ctypeslib.as_array((np.ctypeslib.ctypes.c_int64 * 3).from_address(table.address))[1] == 4


def test_patterns_survive_copies():
    pattern = girih.causal & girih.window(3)
    assert copy.deepcopy(pattern) == pattern
    assert pickle.loads(pickle.dumps(pattern)) == pattern
    docs = girih.segments(np.array([0, 4]))
    again = pickle.loads(pickle.dumps(docs))
    assert repr(again) == repr(docs) and len({again, docs}) == 2
    table, other = again._render()[1]["t0"], docs._render()[1]["t0"]
    assert table.shape == (2,) and table.address != other.address


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: girih.window(left=1.5), "expected an integer for left, but got float 1.5"),
        (lambda: girih.chunk("4"), "expected an integer for size"),
        (lambda: girih.segments(5), "expected a list of integers for offsets"),
        (lambda: girih.segments(np.array([0.5])), "expected integers for offsets"),
        (lambda: girih.segments(np.zeros((2, 2), int)), "expected a 1-D array for offsets"),
        (lambda: girih.heads([c, "causal"]), "expected a pattern for head 1, but got str"),
        (lambda: girih.heads({range(0, 8, 2): c}), "range of heads with step 1"),
        (lambda: girih.blockwise(lambda b, h, q, k: q > k, 4), "girih.pattern\\(f\\)"),
        (lambda: girih.causal & "full", "unsupported operand"),
        (lambda: girih.causal and girih.full, "write a & b"),
        (lambda: girih.pattern(3), "expected a function of \\(b, h, q, k\\), but got int"),
    ],
)
def test_wrong_types(make, message):
    with pytest.raises(TypeError, match=message):
        make()
