# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Patterns print the pattern language, compare by text and arrays, and check types."""

import copy
import pickle
import sys
import threading
import weakref

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
    assert np.array_equal(both.tables["t0"], b) and np.array_equal(both.tables["t1"], a)


def test_names_of_files_are_left_alone():
    pattern = girih.segments(np.array([0, 4])) & girih.parse('segments(offsets=@t0)')
    assert repr(pattern) == "segments(offsets=@t1) & segments(offsets=@t0)"
    assert repr(girih.parse('segments(offsets=@"t 0.txt")')) == 'segments(offsets=@"t 0.txt")'


def test_parse_takes_arrays_by_name():
    docs = np.array([0, 4])
    pattern = girih.parse("causal & segments(offsets=@docs)", docs=docs)
    assert repr(pattern) == "causal & segments(offsets=@t0)"
    assert np.array_equal(pattern.tables["t0"], docs)
    with pytest.raises(TypeError, match="@rows in the text"):
        girih.parse("causal", rows=docs)


def test_comments_end_with_the_text():
    """They would swallow what the text is combined with."""
    pattern = girih.parse("causal  # as Mistral") & girih.empty
    assert not pattern.mask(8).any()
    assert girih.parse("# all\nfull # of it\n & causal") & girih.causal == girih.parse("\nfull \n & causal") & girih.causal
    assert girih.parse("causal # & empty").mask(4).sum() == 10
    ids = np.array([0, 1])
    named = girih.parse('{ @ids#comment & |\n[q] == 1 } | segments(offsets=@"a # b")', ids=ids)
    assert repr(named) == '{ @t0\n[q] == 1 } | segments(offsets=@"a # b")'
    assert repr(girih.score("score # + 1") ) == "score "
    with pytest.raises(girih.InvalidError, match="a text without NUL, but got one at 6"):
        girih.parse("causal\0 & empty")
    with pytest.raises(girih.InvalidError, match="a text without NUL, but got one at 5"):
        girih.score("score\0 + 1")
    with pytest.raises(girih.InvalidError, match="text to be Unicode, but surrogates not allowed"):
        girih.parse("\ud800").mask(4)
    with pytest.raises(TypeError, match="expected a text, but got int"):
        girih.parse(3)


def test_masks_take_what_launches_take():
    limits = girih.parse("{ k < @t[q] }", t=np.array([1, 2, 3]))
    assert limits.mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    with pytest.raises(girih.InvalidError, match="index 0 of table @t0, whose extent is 3"):
        limits.mask(4)
    for name in ("heads", "batch"):
        with pytest.raises(girih.InvalidError, match=f"{name} to be at least 1, but got 0"):
            girih.causal.mask(4, **{name: 0})


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
    offsets = np.array([0, 4])
    docs = girih.segments(offsets)
    again = pickle.loads(pickle.dumps(docs))
    assert repr(again) == repr(docs) and len({again, docs}) == 2
    table, other = again._render()[1]["t0"], docs._render()[1]["t0"]
    assert table.shape == (2,) and table.address != other.address
    # The array is the user's; the pattern is what it was.
    offsets[1] = 2
    kept = [0, 4]
    for one in (docs, copy.copy(docs), copy.deepcopy(docs), pickle.loads(pickle.dumps(docs))):
        assert one.tables["t0"].tolist() == kept
    docs.tables["t0"][1] = 3
    assert docs.tables["t0"].tolist() == kept


def test_copies_keep_what_tables_are():
    shared, flags = np.array([0, 4]), np.array([True, False])
    both = girih.segments(shared) & girih.parse("segments(offsets=@x)", x=shared)
    assert repr(pickle.loads(pickle.dumps(both))) == repr(both)
    pattern = girih.pattern(lambda b, h, q, k: flags[k])
    again = pickle.loads(pickle.dumps(pattern))
    assert again.tables["t0"].dtype == bool and again._render()[1]["t0"].is_bool
    assert np.array_equal(again.mask(2), pattern.mask(2))
    bias = np.array([[0.5], [2.5]], np.float32)
    score = girih.score("score + @bias[h, q]", bias=bias)
    for one in (copy.deepcopy(score), pickle.loads(pickle.dumps(score))):
        assert one.tables["t0"].dtype == np.float32 and np.array_equal(one.tables["t0"], bias)
    empty = girih.parse("{ @t[q] == 0 }", t=np.zeros((0,), int))
    assert pickle.loads(pickle.dumps(empty)).tables["t0"].shape == (0,)


def test_arrays_are_not_held():
    array = np.array([0, 4, 8])
    gone = weakref.ref(array)
    pattern = girih.segments(array)
    del array
    assert gone() is None and pattern.mask(8).sum() == 32


def table_bytes(session):
    return sum(kernel.table_bytes for kernel in session._kernels.values())


def test_tables_of_a_session_are_bounded(monkeypatch):
    """A stream of patterns with fresh tables keeps no more of them than the limit."""
    from girih import _session

    monkeypatch.setattr(_session, "MAX_TABLE_BYTES", 5 * 800)
    q = np.ones((1, 1, 4, 8), np.float32)
    with girih.Session(cache_dir="") as session:
        plain = girih.attention(q, q, q, girih.causal, session=session)
        made = []
        for number in range(20):
            pattern = girih.parse("{ @t[q] >= k }", t=np.arange(100))
            made.append(weakref.ref(pattern))
            assert np.array_equal(girih.attention(q, q, q, pattern, session=session), plain)
            del pattern
        alive = [number for number, ref in enumerate(made) if ref() is not None]
        assert alive == [15, 16, 17, 18, 19]
        assert len(session.plans) == 6 and table_bytes(session) == 4000
        # The kernel without tables is at hand still, and one that alone is too large works.
        large = girih.parse("{ @t[q] >= k }", t=np.arange(1000))
        assert np.array_equal(girih.attention(q, q, q, large, session=session), plain)
        assert sum(ref() is not None for ref in made) == 0 and table_bytes(session) == 8000
        held = session.compile(girih.parse("{ @t[q] >= k }", t=np.arange(100)), head_dim=8)
        girih.attention(q, q, q, large, session=session)
        assert np.array_equal(held(q, q, q), plain)  # one that was dropped, but not by its owner
        assert session.compilations == 2


def test_an_array_that_is_refilled_is_told_apart_at_once(monkeypatch):
    """What was made of an array before its values changed does not slow the next call down."""
    from girih._text import Table

    compared = []
    same_values = Table._same_values
    monkeypatch.setattr(Table, "_same_values", lambda *both: compared.append(1) or same_values(*both))
    ids = np.zeros(64, np.int64)
    q = np.ones((1, 1, 4, 8), np.float32)
    with girih.Session(cache_dir="") as session:
        for number in range(150):
            ids[:] = number
            compared.clear()
            girih.attention(q, q, q, girih.parse("{ @ids[q] == @ids[k] }", ids=ids), session=session)
            assert len(compared) <= 4
        assert session.compilations == 1


def test_a_kernel_that_is_used_stays(monkeypatch):
    """Kernels go in the order of their last uses, whoever looks them up, or nobody."""
    from girih import _session

    monkeypatch.setattr(_session, "MAX_KERNELS", 3)
    q = np.ones((1, 1, 4, 8), np.float32)
    with girih.Session(cache_dir="") as session:
        prepared, asked, unused = girih.causal, girih.window(1), girih.window(2)
        for pattern in (prepared, asked, unused):
            girih.attention(q, q, q, pattern, session=session)
        girih.attention(q, q, q, prepared, session=session)
        session.compile(asked, head_dim=8)
        girih.attention(q, q, q, girih.window(3), session=session)
        kept = {kernel.pattern for kernel in session._kernels.values()}
        assert kept == {prepared, asked, girih.window(3)}


def test_a_closed_session_holds_nothing():
    q = np.ones((1, 1, 4, 8), np.float32)
    session = girih.Session(cache_dir="")
    kernel = session.compile(girih.causal, head_dim=8)
    session.close()
    assert np.array_equal(kernel(q, q, q), q)
    assert not session.plans and not session._kernels


def test_threads_with_fresh_tables(monkeypatch):
    """While one drops plans of kernels that go, others add theirs."""
    from girih import _session

    monkeypatch.setattr(_session, "MAX_TABLE_BYTES", 5 * 800)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    failures = []

    def work(session, number):
        try:
            for length in range(1, 60):
                q = np.ones((1, 1, length % 7 + 1, 8), np.float32)
                pattern = girih.parse("{ @t[q] >= k }", t=np.arange(100))
                out = girih.attention(q, q, q, pattern, session=session, threads=1)
                assert np.allclose(out, 1)
                for heads in range(4 * number + 1, 4 * number + 5):  # a plan each
                    q = np.ones((1, heads, length, 8), np.float32)
                    girih.attention(q, q, q, girih.causal, session=session, threads=1)
        except BaseException as error:
            failures.append(error)

    try:
        with girih.Session(cache_dir="") as session:
            threads = [threading.Thread(target=work, args=(session, number)) for number in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert not failures, failures[0]
            assert table_bytes(session) <= 4000
    finally:
        sys.setswitchinterval(interval)


def test_a_kernel_counts_once():
    q = np.ones((1, 1, 4, 8), np.float32)
    with girih.Session(cache_dir="") as session:
        kernel = session.compile(girih.parse("{ @t[q] >= k }", t=np.arange(100)), head_dim=8)
        for _ in range(3):
            session.keep(kernel)
        assert table_bytes(session) == 800
    assert table_bytes(session) == 0
    kernel(q, q, q)  # outlives its session


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
        (lambda: girih.neighborhood([4, 4], [3, 3], causal=[2, "no"]), "booleans for causal, but got int 2"),
        (lambda: girih.neighborhood([4, 4], [3, 3], causal=True), "list of booleans for causal, but got True"),
        (lambda: girih.neighborhood([4, 4], [3, 3], causal=[True, "no"]), "booleans for causal, but got str"),
        (lambda: girih.global_columns(first=1, last=0.0), "expected an integer for last, but got float"),
        (lambda: girih.pattern(3), "expected a function of \\(b, h, q, k\\), but got int"),
    ],
)
def test_wrong_types(make, message):
    with pytest.raises(TypeError, match=message):
        make()


def test_masked_arrays_and_large_integers_are_no_tables():
    with pytest.raises(girih.InvalidError, match="an array without a mask, .*filled"):
        girih.segments(np.ma.array([0, 4], mask=[False, True]))
    with pytest.raises(girih.InvalidError, match="64 signed bits, but got 9223372036854775813"):
        girih.segments(np.array([0, (1 << 63) + 5], np.uint64))
    torch = pytest.importorskip("torch")
    with pytest.raises(girih.InvalidError, match="64 signed bits, but got 9223372036854775813"):
        girih.segments(torch.tensor([0, (1 << 63) + 5], dtype=torch.uint64))
    assert girih.segments(torch.tensor([0, 4], dtype=torch.uint64)).mask(4).all()


def test_every_exception_is_an_error():
    for make in (lambda: girih.window(left="x"), lambda: girih.pattern(lambda b, h, q, k: q and k)):
        with pytest.raises(girih.Error) as raised:
            make()
        assert isinstance(raised.value, girih.WrongTypeError) and isinstance(raised.value, TypeError)
