# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""girih.torch.flex_attention is FlexAttention: the same arguments, the same numbers."""

import functools

import pytest
import torch
import torch._dynamo.testing
from torch.nn.attention import flex_attention as flex
from torch_reference import check, dense, documents, mask_of, tensors

import girih
import girih.torch
from girih.torch import AuxRequest, flex_attention

N = 150
IDS = documents([40, 1, 60, 49], N)
LENGTHS = torch.tensor([N, 77])
SLOPES = torch.tensor([0.5, 0.25, 0.125, 0.0625])
BIAS = torch.randn(2 * N - 1, generator=torch.Generator().manual_seed(3))


def causal(b, h, q_idx, kv_idx):
    return q_idx >= kv_idx


def window(b, h, q_idx, kv_idx):
    return (q_idx - kv_idx).abs() <= 20


def same_document(b, h, q_idx, kv_idx):
    return IDS[q_idx] == IDS[kv_idx]


def padding(b, h, q_idx, kv_idx):
    return kv_idx < LENGTHS[b]


def per_head(b, h, q_idx, kv_idx):
    return torch.where(h < 2, q_idx - kv_idx < 30, q_idx - kv_idx < 60) & (q_idx >= kv_idx)


MASKS = {
    "none": None,
    "causal": causal,
    "document": flex.and_masks(causal, same_document),
    "prefix": flex.or_masks(causal, lambda b, h, q, k: k < 9),
    "padding": padding,
    "per_head": per_head,
    "noop": flex.noop_mask,
}
SCORES = {
    "none": None,
    "alibi": lambda score, b, h, q, k: score - SLOPES[h] * (q - k),
    "softcap": lambda score, b, h, q, k: 2 * torch.tanh(score / 2),
    "relative": lambda score, b, h, q, k: score + BIAS[q - k + N - 1],
}


def reference(q, k, v, mask_mod, score_mod=None, scale=None):
    mask = mask_of(mask_mod or (lambda b, h, q, k: q == q), q.shape[0], q.shape[1], q.shape[2], k.shape[2])
    return dense(q, k, v, mask, score_mod, scale)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", MASKS)
def test_masks(name, dtype):
    q, k, v = tensors(2, 4, 4, N, N, 32, dtype=dtype)
    mask_mod = MASKS[name]
    expected = reference(q, k, v, mask_mod)
    out, aux = flex_attention(q, k, v, mask_mod=mask_mod, return_aux=AuxRequest(lse=True))
    assert aux.max_scores is None
    check((out, aux.lse), expected, dtype)
    if mask_mod is not None:
        block_mask = flex.create_block_mask(mask_mod, 2, 4, N, N, device="cpu")
        result = flex_attention(q, k, v, block_mask=block_mask, return_lse=True)
        assert torch.equal(result[0], out) and torch.equal(result[1], aux.lse)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
@pytest.mark.parametrize("name", SCORES)
def test_scores(name, dtype):
    q, k, v = tensors(1, 4, 2, N, N, 32, dtype=dtype)
    result = flex_attention(q, k, v, SCORES[name], mask_mod=causal, enable_gqa=True, return_lse=True, scale=0.3)
    check(result, reference(q, k, v, causal, SCORES[name], 0.3), dtype)


def test_the_same_as_flex_attention():
    """Beside PyTorch's own function, with a BlockMask, unequal lengths and grouped heads."""
    q, k, v = tensors(2, 4, 2, 70, 130, 32)
    block_mask = flex.create_block_mask(causal, None, None, 70, 130, device="cpu")
    flex._FLEX_ATTENTION_DISABLE_COMPILE_DEBUG = True
    try:
        expected = flex.flex_attention(q, k, v, SCORES["softcap"], block_mask, enable_gqa=True)
    finally:
        flex._FLEX_ATTENTION_DISABLE_COMPILE_DEBUG = False
    out = flex_attention(q, k, v, SCORES["softcap"], block_mask, None, True)
    assert torch.allclose(out, expected, atol=1e-5)


def test_result_conventions():
    q, k, v = tensors(1, 2, 2, 30, 30, 16)
    out = flex_attention(q, k, v)
    assert isinstance(out, torch.Tensor)
    pair = flex_attention(q, k, v, return_lse=True)
    assert torch.equal(pair[0], out) and pair[1].shape == (1, 2, 30)
    assert flex_attention(q, k, v, return_aux=AuxRequest())[1].lse is None
    # Keys and values for the whole batch.
    many = torch.cat([q, q * 2])
    shared = flex_attention(many, k, v)
    assert torch.equal(shared[0], out[0]) and shared.shape == many.shape


def test_patterns_where_masks_stand():
    q, k, v = tensors(1, 2, 2, 30, 60, 16)
    pattern = girih.causal & girih.window(left=7)
    expected = reference(q, k, v, lambda b, h, q, k: (q >= k) & (q - k <= 7))
    for arguments in (dict(mask_mod=pattern), dict(block_mask=pattern)):
        check(flex_attention(q, k, v, return_lse=True, **arguments), expected, torch.float32)


def test_lists_that_are_not_what_the_mask_implies():
    """from_kv_blocks: what is not listed does not attend, and full blocks need no mask."""
    q, k, v = tensors(2, 2, 2, 64, 64, 16)
    listed = torch.rand(2, 2, 4, 4, generator=torch.Generator().manual_seed(0)) < 0.6
    full = torch.rand(2, 2, 4, 4, generator=torch.Generator().manual_seed(1)) < 0.3

    def lists(choice):
        return choice.sum(-1, dtype=torch.int32), torch.argsort(choice.int(), dim=-1, descending=True, stable=True).int()

    for with_full in (False, True):
        partial = listed & ~full if with_full else listed
        block_mask = flex.BlockMask.from_kv_blocks(
            *lists(partial), *(lists(full) if with_full else ()), BLOCK_SIZE=16, mask_mod=causal
        )

        def expected_mask(b, h, q, k):
            keep = partial[b, h, q // 16, k // 16] & (q >= k)
            return keep | full[b, h, q // 16, k // 16] if with_full else keep

        result = flex_attention(q, k, v, block_mask=block_mask, return_lse=True)
        check(result, reference(q, k, v, expected_mask), torch.float32)
        # Lists that are written anew are read anew.
        block_mask.kv_num_blocks.zero_()
        result = flex_attention(q, k, v, block_mask=block_mask, return_lse=True)
        partial = torch.zeros_like(partial)
        check(result, reference(q, k, v, expected_mask), torch.float32)


def test_lists_for_one_batch_and_head_hold_for_all():
    q, k, v = tensors(2, 4, 4, N, N, 16)
    result = flex_attention(
        q, k, v, block_mask=flex.create_block_mask(causal, None, None, N, N, device="cpu"), return_lse=True
    )
    check(result, reference(q, k, v, causal), torch.float32)
    # Made for sample 0 alone, which has no padding: full blocks are full for all.
    block_mask = flex.create_block_mask(padding, None, None, N, N, device="cpu", BLOCK_SIZE=32)
    full = 32 * (N // 32)
    expected = reference(q, k, v, lambda b, h, q, k: ((q < full) & (k < full)) | (k < LENGTHS[b]))
    check(flex_attention(q, k, v, block_mask=block_mask, return_lse=True), expected, torch.float32)


def test_what_a_function_reads_may_change():
    """Closures, globals, attributes, lists and tensors are looked at again at every call."""
    q, k, v = tensors(1, 1, 1, 40, 40, 16)

    def width_is(width, mask_mod):
        expected = reference(q, k, v, lambda b, h, q, k: (q - k).abs() <= width)
        for _ in range(2):
            check(flex_attention(q, k, v, mask_mod=mask_mod, return_lse=True), expected, torch.float32)

    width = 3

    def closure(b, h, q, k):
        return (q - k).abs() <= width

    width_is(3, closure)
    width = 11
    width_is(11, closure)

    class Model:
        width = 5

        def mask(self, b, h, q, k):
            return (q - k).abs() <= self.width

        def __call__(self, b, h, q, k):
            return self.mask(b, h, q, k)

    model = Model()
    for mask_mod in (model.mask, model, functools.partial(Model.mask, model)):
        model.width = 5
        width_is(5, mask_mod)
        model.width = 2
        width_is(2, mask_mod)

    table = torch.tensor([4])
    holder = [table]

    def reads_table(b, h, q, k):
        return (q - k).abs() <= holder[0][0]

    width_is(4, reads_table)
    table[0] = 9
    width_is(9, reads_table)
    holder[0] = torch.tensor([1])
    width_is(1, reads_table)
    width_is(1, flex.and_masks(reads_table, closure))
    width = 0
    width_is(0, flex.and_masks(reads_table, closure))


def test_functions_are_traced_once():
    q, k, v = tensors(1, 1, 1, 40, 40, 16)
    calls = []

    def mask_mod(b, h, q, k):
        calls.append(1)
        return q >= k

    def run():
        flex_attention(q, k, v, mask_mod=mask_mod)

    run()
    traced = len(calls)
    calls.clear()  # a list that the function reads: it counts as another function now
    run()
    assert 0 < len(calls) <= traced
    seen = len(calls)

    def other(b, h, q, k):
        return mask_other(q, k)

    def mask_other(q, k):
        counter()
        return q >= k

    count = torch.zeros(())

    def counter():
        count.data.add_(1)  # not a write that PyTorch counts

    for _ in range(5):
        flex_attention(q, k, v, mask_mod=other)
    assert count == 1 and seen


def compiled(function, **options):
    torch._dynamo.reset()
    counter = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
    return torch.compile(function, fullgraph=True, backend=counter, **options), counter


def test_compiled_masks():
    """Another function makes another graph; another value of what it reads does not."""
    q, k, v = tensors(1, 4, 2, N, N, 32)
    run, counter = compiled(
        lambda q, k, v, mask_mod, score_mod: flex_attention(
            q, k, v, score_mod, mask_mod=mask_mod, enable_gqa=True, return_lse=True
        )
    )

    def within(width):
        return lambda b, h, q, k: (q - k).abs() <= width

    narrow, wide = within(3), within(30)
    for mask_mod, score_mod in (
        (causal, None), (narrow, None), (wide, None), (narrow, None), (same_document, SCORES["relative"]),
    ):  # fmt: skip
        check(run(q, k, v, mask_mod, score_mod), reference(q, k, v, mask_mod, score_mod), torch.float32)
    assert counter.frame_count == 4

    limit = torch.tensor([5])
    torch._dynamo.reset()

    def below(b, h, q, k):
        return k < limit[0]

    for value in (5, 50):
        limit[0] = value
        check(run(q, k, v, below, None), reference(q, k, v, below), torch.float32)
    limit = torch.tensor([100])
    check(run(q, k, v, below, None), reference(q, k, v, below), torch.float32)


def test_wrapped_functions_are_other_functions():
    q, k, v = tensors(1, 1, 1, 40, 40, 16)
    run, _ = compiled(lambda q, k, v, mask_mod: flex_attention(q, k, v, mask_mod=mask_mod, return_lse=True))

    def shifted(mask_mod, by):
        @functools.wraps(mask_mod)
        def inner(b, h, q, k):
            return mask_mod(b, h, q, k + by)

        return inner

    one = shifted(causal, 1)
    for mask_mod in (causal, one, shifted(one, 2), shifted(causal, 2), one):
        check(run(q, k, v, mask_mod), reference(q, k, v, mask_mod), torch.float32)


def test_compiled_block_masks():
    q, k, v = tensors(2, 4, 4, N, N, 32)
    run, counter = compiled(lambda q, k, v, block_mask: flex_attention(q, k, v, block_mask=block_mask))
    for _ in range(3):
        block_mask = flex.create_block_mask(causal, None, None, N, N, device="cpu")
        assert torch.equal(run(q, k, v, block_mask), flex_attention(q, k, v, mask_mod=causal))
    assert counter.frame_count == 1

    def inside(q, k, v):
        block_mask = flex.create_block_mask(causal, None, None, N, N, device="cpu")
        return flex_attention(q, k, v, block_mask=block_mask)

    run, _ = compiled(inside)
    assert torch.equal(run(q, k, v), flex_attention(q, k, v, mask_mod=causal))


def test_compiled_functions_made_inside():
    """What a function made in the compiled region captures are constants of the graph."""
    q, k, v = tensors(1, 1, 1, 40, 40, 16)

    def inside(q, k, v):
        return flex_attention(q, k, v, mask_mod=lambda b, h, q, k: q - k < 7)

    run, _ = compiled(inside)
    assert torch.equal(run(q, k, v), inside(q, k, v))


def test_new_lengths_compile_nothing(compilations):
    def run(n):
        q, k, v = tensors(1, 2, 2, n, n, 24)
        flex_attention(q, k, v, SCORES["softcap"], mask_mod=window)

    run(33)
    before = compilations()
    for n in (34, 200, 1, 500):
        run(n)
    assert compilations() == before
