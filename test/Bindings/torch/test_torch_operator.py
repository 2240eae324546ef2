# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The operator is a good citizen of PyTorch: checks, compilation, fake tensors, vmap,
autocast, threads."""

import threading
import unittest.mock

import numpy as np
import pytest
import torch
import torch._dynamo.testing
from torch_reference import check, dense, error, mask_of, tensors
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.attention.flex_attention import create_block_mask

import girih
import girih.torch

OPERATOR = torch.ops.girih.attention.default
CHECKS = ("test_schema", "test_faketensor", "test_aot_dispatch_dynamic")


def arguments(q, k, v, tables=(), pattern="causal", lse=True, score="", score_tables=()):
    return q, k, v, list(tables), list(score_tables), pattern, score, 0.125, "bottom_right", lse


def compiled(function, **options):
    """`function` under torch.compile, and a count of its graphs."""
    counter = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
    return torch.compile(function, fullgraph=True, backend=counter, **options), counter


@pytest.fixture(autouse=True)
def _fresh_compiler():
    torch._dynamo.reset()


def test_opcheck():
    q, k, v = tensors(2, 4, 2, 40, 50, 64)
    table = torch.tensor([0, 20, 50])
    for case in (
        arguments(q, k, v),
        arguments(q, k, v, lse=False),
        arguments(q.bfloat16(), k.bfloat16(), v.bfloat16()),
        arguments(q.transpose(1, 2).contiguous().transpose(1, 2), k, v),
        arguments(q, k, v, [table], "segments(offsets=@t0)"),
        arguments(q, k, v, score="score + @t0[h]", score_tables=[torch.randn(4)]),
    ):
        torch.library.opcheck(OPERATOR, case, test_utils=CHECKS)


def test_fake_tensors_have_the_results_form():
    real = tensors(2, 4, 2, 40, 50, 64, 32, dtype=torch.bfloat16)
    expected = OPERATOR(*arguments(*real))
    with FakeTensorMode() as mode:
        for given, wanted in zip(OPERATOR(*arguments(*map(mode.from_tensor, real))), expected):
            assert (given.shape, given.dtype, given.stride()) == (wanted.shape, wanted.dtype, wanted.stride())
    for given, wanted in zip(OPERATOR(*arguments(*(x.to("meta") for x in real))), expected):
        assert given.device.type == "meta"
        assert (given.shape, given.dtype, given.stride()) == (wanted.shape, wanted.dtype, wanted.stride())


@pytest.mark.parametrize("dynamic", [None, True])
def test_compiles_without_graph_breaks(dynamic):
    pattern = girih.causal & girih.window(left=20)

    def model(x):
        q, k, v = x.chunk(3, -1)
        out, lse = girih.torch.attention(q, k, v, pattern, return_lse=True)
        return out * 2, lse

    run, counter = compiled(model, dynamic=dynamic)
    for n in (70, 71, 130):
        x = torch.randn(1, 2, n, 96)
        for given, wanted in zip(run(x), model(x)):
            assert torch.equal(given, wanted)
    assert counter.frame_count == (1 if dynamic else 2)  # else the second length makes it dynamic


def test_compiled_graphs_take_new_tables():
    run, counter = compiled(lambda q, pattern: girih.torch.attention(q, q, q, pattern))
    q = torch.randn(1, 1, 60, 16)
    for cuts in ([0, 20, 60], [0, 30, 60], [0, 10, 60], [0, 10, 30, 60], [0, 1, 2, 60]):
        pattern = girih.segments(torch.tensor(cuts))
        assert torch.equal(run(q, pattern), girih.torch.attention(q, q, q, pattern))
    assert counter.frame_count <= 2  # once for the number of documents, then for any
    for pattern in (girih.causal, girih.full, girih.causal):
        assert torch.equal(run(q, pattern), girih.torch.attention(q, q, q, pattern))


def test_inductor():
    def model(x):
        q = x.relu()
        return girih.torch.attention(q, q + 1, q * 2, girih.causal).sin()

    x = torch.randn(1, 2, 33, 64)
    assert error(torch.compile(model, fullgraph=True)(x), model(x)) < 1e-6


@torch.enable_grad()
def test_gradients_are_refused():
    q, k, v = tensors(1, 2, 2, 20, 20, 16)
    bias = torch.zeros(2, requires_grad=True)

    def attention(q, k, v):
        return girih.torch.attention(q, k, v, girih.causal)

    for position in range(3):
        inputs = [q, k, v]
        inputs[position] = inputs[position].clone().requires_grad_()
        with pytest.raises(RuntimeError, match=r"no backward pass yet.*torch\.no_grad\(\)"):
            attention(*inputs)
        with pytest.raises(RuntimeError, match="no backward pass yet"):
            torch.compile(attention, fullgraph=True, backend="aot_eager")(*inputs)
        with pytest.raises(RuntimeError, match="no backward pass yet"):
            torch.func.grad(lambda *x: attention(*x).sum(), argnums=position)(q, k, v)
        with torch.no_grad():
            assert not attention(*inputs).requires_grad
        with torch.inference_mode():
            assert not attention(*inputs).requires_grad
        assert not attention(*(x.detach() for x in inputs)).requires_grad
    with pytest.raises(RuntimeError, match="no backward pass yet"):
        OPERATOR(*arguments(q, k, v, score="score + @t0[h]", score_tables=[bias]))
    # A learned bias of a score function, which becomes a table.
    with_bias = girih.score(lambda score, b, h, q, k: score + bias[h])
    for score in (lambda score, b, h, q, k: score + bias[h], with_bias):

        def scored(q, score=score):
            return girih.torch.attention(q, q, q, girih.causal, score=score)

        with pytest.raises(RuntimeError, match="no backward pass yet"):
            scored(q)
        with pytest.raises(RuntimeError, match="no backward pass yet"):
            torch.compile(scored, fullgraph=True, backend="aot_eager")(q)


def test_forward_mode_is_refused():
    """Under torch.no_grad, too, which does not turn it off."""
    q, k, v = tensors(1, 2, 2, 20, 20, 16)
    bias = torch.zeros(2)

    def attention(q):
        return girih.torch.attention(q, k, v, girih.causal)

    def scored(q, bias):
        return OPERATOR(*arguments(q, k, v, score="score + @t0[h]", score_tables=[bias]))[0]

    for mode in (torch.enable_grad, torch.no_grad):
        with mode(), pytest.raises(girih.UnsupportedError, match="no forward-mode derivatives"):
            torch.func.jvp(attention, (q,), (torch.ones_like(q),))
        with mode(), pytest.raises(girih.UnsupportedError, match="no forward-mode derivatives"):
            torch.func.jvp(lambda bias: scored(q, bias), (bias,), (torch.ones_like(bias),))
        with mode(), torch.autograd.forward_ad.dual_level():
            dual = torch.autograd.forward_ad.make_dual(q, torch.ones_like(q))
            with pytest.raises(girih.UnsupportedError, match="no forward-mode derivatives"):
                attention(dual)
            learned = torch.autograd.forward_ad.make_dual(bias, torch.ones_like(bias))
            with pytest.raises(girih.UnsupportedError, match="no forward-mode derivatives"):
                girih.torch.attention(q, k, v, girih.causal, score=lambda s, b, h, q, k: s + learned[h])
            attention(q)
    with pytest.raises(girih.UnsupportedError, match="no forward-mode derivatives"):
        torch.func.jacfwd(lambda s: attention(q * s).sum())(torch.tensor(1.0))
    with pytest.raises(girih.UnsupportedError, match="a table from outside of torch.func's transforms"):
        torch.func.jvp(
            lambda bias: girih.torch.attention(q, k, v, girih.causal, score=lambda s, b, h, q, k: s + bias[h]),
            (bias,), (bias,),
        )  # fmt: skip


@pytest.mark.parametrize("in_dims", [(0, 0, 0), (0, None, None), (None, 1, 0), (2, 0, 3)])
@pytest.mark.parametrize("dependent", [False, True])
def test_vmap(in_dims, dependent):
    q, k, v = tensors(2, 4, 2, 30, 30, 16)
    pattern = girih.causal
    if dependent:
        pattern = pattern & girih.pattern(lambda b, h, q, k: k >= 5 * b)
    stacked = [
        x if dim is None else torch.stack([x * (i + 1) for i in range(3)], dim)
        for x, dim in zip((q, k, v), in_dims)
    ]

    def attention(q, k, v):
        return girih.torch.attention(q, k, v, pattern, return_lse=True)

    out, lse = torch.vmap(attention, in_dims)(*stacked)
    for i in range(3):
        sample = [x if dim is None else x.select(dim, i) for x, dim in zip(stacked, in_dims)]
        wanted = attention(*sample)
        assert torch.equal(out[i], wanted[0]) and torch.equal(lse[i], wanted[1])
    assert torch.equal(torch.vmap(lambda *x: attention(*x)[0], in_dims)(*stacked), out)


def test_vmap_of_texts_with_quotients():
    """`/b` is the batch, and `@dir/b` a file."""
    q, k, v = (torch.stack([x, 2 * x]) for x in tensors(2, 2, 2, 20, 20, 16))
    score = girih.score("score * (1.0 + exp(-1.0/b))")
    for one in (score, girih.score("score + 0.5 * float(q)/float(b + 1)")):
        out = torch.vmap(lambda q, k, v: girih.torch.attention(q, k, v, girih.causal, score=one))(q, k, v)
        for i in range(2):
            assert torch.equal(out[i], girih.torch.attention(q[i], k[i], v[i], girih.causal, score=one))
    for text in ("segments(offsets=@dir/b)", "segments(offsets=@b)", "{ @b[q] > 0 }", 'segments(offsets=@"a b")'):
        assert not girih.torch._language.depends_on_batch(text)
    for text in ("{ @t[b] > 0 }", "{ q/b > 0 }", "{ @t[q]/b > 0 }", "$7"):
        assert girih.torch._language.depends_on_batch(text)


def test_tables_of_numpy_are_made_once():
    q = torch.zeros(1, 1, 8, 16)
    pattern = girih.segments(np.array([0, 4, 8]))
    wanted = girih.torch.attention(q, q, q, pattern)
    kernels = dict(girih.default_session()._kernels)
    assert torch.equal(girih.torch.attention(q, q, q, pattern), wanted)
    assert kernels == dict(girih.default_session()._kernels)


@pytest.mark.parametrize("first", ["compiled", "eager", "inference", "import"])
@pytest.mark.parametrize("make", [np.asarray, torch.as_tensor])
def test_tables_in_graphs_are_made_once(make, first, monkeypatch):
    """Graphs and eager calls share tables, whoever is first."""
    parsed = []
    for name in ("parse", "score"):
        parse = unittest.mock.Mock(wraps=getattr(girih.torch._objects, name))
        parse.side_effect = lambda *texts, **tables: parsed.append(texts) or unittest.mock.DEFAULT
        monkeypatch.setattr(girih.torch._objects, name, parse)
    torch._dynamo.reset()
    q, k, v = tensors(1, 2, 2, 20, 20, 16)
    pattern = girih.segments(make([0, 8, 20]))
    score = girih.score("score + @t[q]", t=make(np.linspace(0, 1, 20, dtype=np.float32)))
    graphs = torch._dynamo.testing.CompileCounter()

    def call(q, k, v):
        return girih.torch.attention(q, k, v, pattern, score=score)

    compiled = torch.compile(call, fullgraph=True, backend=graphs)
    if first == "import":  # what was made before girih.torch was there
        for table in (*pattern._render()[1].values(), *score._render()[1].values()):
            table.tensor = None
    functions = {"compiled": compiled, "eager": call, "inference": torch.inference_mode()(call)}
    wanted = functions.get(first, compiled)(q, k, v)
    assert len(parsed) == 2
    for _ in range(3):
        for function in functions.values():
            if function is not functions["inference"] or first == "inference":
                assert torch.equal(function(q, k, v), wanted)
    assert len(parsed) == 2 and graphs.frame_count == 1
    # Another table is no constant of the graph.
    pattern = girih.segments(make([0, 4, 20]))
    assert torch.equal(compiled(q, k, v), call(q, k, v)) and not torch.equal(call(q, k, v), wanted)


def test_texts_with_comments_are_no_functions():
    q, k, v = tensors(1, 2, 2, 20, 20, 16)
    given = OPERATOR(*arguments(q, k, v, pattern="# of decoders\ncausal"))
    assert torch.equal(given[0], OPERATOR(*arguments(q, k, v))[0])


def test_without_elements():
    q = torch.zeros(1, 2, 8, 16)
    for form in ((1, 0, 8, 16), (1, 2, 0, 16), (0, 2, 8, 16)):
        empty = torch.zeros(form)
        out, lse = girih.torch.attention(empty, empty, empty, girih.causal, return_lse=True)
        assert out.shape == form and lse.shape == form[:3]
    out, lse = girih.torch.flex_attention(q, q[:, :, :0], q[:, :, :0], return_lse=True)
    assert not out.any() and bool((lse == -torch.inf).all())
    none = torch.zeros(1, 2, 8, 0)
    for call in (
        lambda: girih.torch.flex_attention(none, none, none),
        lambda: girih.torch.attention(none, none, none, girih.causal),
    ):
        with pytest.raises(girih.UnsupportedError, match="head dims 0 and 0 are not supported"):
            call()
    number = torch.tensor(1.0)
    block_mask = create_block_mask(lambda b, h, q, k: q >= k, None, None, 8, 8, device="cpu")
    for call in (
        lambda: girih.torch.flex_attention(number, number, number),
        lambda: girih.torch.flex_attention(number, number, number, block_mask=block_mask),
        lambda: girih.torch.attention(number, number, number, girih.causal),
    ):
        with pytest.raises(girih.InvalidError, match="q to have 4 dimensions"):
            call()


def test_autocast_leaves_what_pytorch_leaves():
    q, k, v = tensors(1, 2, 2, 40, 40, 32)
    with torch.autocast("cpu", torch.bfloat16):
        for dtype in (torch.float64, torch.int32, torch.bool, torch.complex64):
            with pytest.raises(girih.UnsupportedError, match="q to have dtype float32, bfloat16, float16"):
                girih.torch.attention(*(x.to(dtype) for x in (q, k, v)), girih.causal)
        with pytest.raises(girih.UnsupportedError, match="k to have dtype .* float64"):
            girih.torch.attention(q, k.double(), v, girih.causal)


def test_autocast():
    q, k, v = tensors(1, 2, 2, 40, 40, 32)
    with torch.autocast("cpu", torch.bfloat16):
        out = girih.torch.attention(q, k.bfloat16(), v, girih.causal)
    assert torch.equal(out, girih.torch.attention(q.bfloat16(), k.bfloat16(), v.bfloat16(), girih.causal))


def test_threads():
    """Threads use the operator at once, with shapes and tables of their own."""
    failures = []

    def work(seed):
        try:
            with torch.no_grad():
                for n in (40 + seed, 90 + seed, 40 + seed):
                    q, k, v = tensors(1, 2, 1, n, n, 32, seed=seed)
                    limit = torch.tensor([seed + 3])
                    result = girih.torch.flex_attention(
                        q, k, v, mask_mod=lambda b, h, q, k: (q - k).abs() <= limit[0], enable_gqa=True,
                        return_aux=girih.torch.AuxRequest(lse=True),
                    )  # fmt: skip
                    mask = mask_of(lambda b, h, q, k: (q - k).abs() <= seed + 3, 1, 2, n, n)
                    check((result[0], result[1].lse), dense(q, k, v, mask), torch.float32)
        except BaseException as problem:
            failures.append(problem)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]


def test_tables_are_read_again_when_written():
    q, k, v = tensors(1, 1, 1, 50, 50, 16)
    table = torch.tensor([3])
    for width in (3, 11, 0):
        table[0] = width
        result = OPERATOR(*arguments(q, k, v, [table], "{ abs(q - k) <= @t0[0] }"))
        mask = mask_of(lambda b, h, q, k: (q - k).abs() <= width, 1, 1, 50, 50)
        check(result, dense(q, k, v, mask, scale=0.125), torch.float32)
    with torch.inference_mode():
        table = torch.tensor([3])
        for width in (3, 11, 0):
            table[0] = width  # not counted by PyTorch
            result = OPERATOR(*arguments(q, k, v, [table], "{ abs(q - k) <= @t0[0] }"))
            mask = mask_of(lambda b, h, q, k: (q - k).abs() <= width, 1, 1, 50, 50)
            check(result, dense(q, k, v, mask, scale=0.125), torch.float32)


def test_overhead(capsys):
    """Calls cost at most 15 us over the launch in C."""
    from torch_overhead import measure

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for _ in range(3):  # other processes may be busy
            rows = measure(with_compile=False)
            calls = [rows[f"girih.torch.{name}"] for name in ("attention", "flex_attention")]
            over = max(calls) - rows["launch in C"]
            if over <= 15:
                break
    finally:
        torch.set_num_threads(threads)
    with capsys.disabled():
        print("\n" + ", ".join(f"{what} {time_us:.1f} us" for what, time_us in rows.items()), end="")
    assert over <= 15
