# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Bad input is an exception that names the argument, never a crash or a wrong number."""

import functools

import pytest
import torch
from torch.nn.attention.flex_attention import create_block_mask

import girih
import girih.torch
from girih.torch import attention, flex_attention

Q = torch.zeros(2, 4, 20, 16)


def test_tensors_that_do_not_fit():
    for message, q, k, v in (
        (r"q to have 4 dimensions .* got shape \(4, 20, 16\)", Q[0], Q, Q),
        (r"k to have 4 dimensions .* got shape \(4, 20, 16\)", Q, Q[0], Q),
        ("q and k of one dtype, but got float32 and bfloat16", Q, Q.bfloat16(), Q),
        ("q and v of one dtype, but got float32 and float16", Q, Q, Q.half()),
        ("batch of k to be 2, but got 1", Q, Q[:1], Q),
        ("head dim of k to be 16, but got 8", Q, Q[..., :8], Q),
        ("heads of v to be 4, but got 2", Q, Q, Q[:, :2]),
        ("length of v to be 20, but got 10", Q, Q, Q[:, :, :10]),
        ("heads of q to be a multiple of heads of k, but got 4 and 3", Q, Q[:, :3], Q[:, :3]),
    ):
        for device in ("cpu", "meta"):
            with pytest.raises(girih.InvalidError, match=message):
                attention(q.to(device), k.to(device), v.to(device), girih.causal)


def test_tensors_on_different_devices():
    with pytest.raises(girih.InvalidError, match="q and k on one device, but got q on cpu and k on meta"):
        attention(Q, Q.to("meta"), Q, girih.causal)
    with pytest.raises(girih.InvalidError, match="q and v on one device, but got q on meta and v on cpu"):
        attention(Q.to("meta"), Q.to("meta"), Q, girih.causal)


def test_unsupported_tensors():
    wide = torch.zeros(1, 1, 4, 257)
    for message, tensors in (
        ("q to have dtype float32, bfloat16, float16, but got float64", [Q.double()] * 3),
        ("q to have dtype float32, bfloat16, float16, but got int64", [Q.long()] * 3),
        ("head dims 257 and 257 are not supported; supported: 1 to 256", [wide] * 3),
        ("head dims 16 and 0 are not supported; supported: 1 to 256", [Q, Q, Q[..., :0]]),
        ("innermost stride of q to be 1, but got 16", [Q.transpose(2, 3)] * 3),
    ):
        with pytest.raises(girih.Error, match=message):
            attention(*tensors, girih.causal)
    with pytest.raises(girih.UnsupportedError, match="q to be a dense tensor, but got torch.sparse_coo"):
        attention(Q.to_sparse(), Q, Q, girih.causal)


def test_other_arguments():
    with pytest.raises(TypeError, match="expected a pattern, or a function .* got str"):
        attention(Q, Q, Q, "causal")
    with pytest.raises(TypeError, match="expected a girih.Score, or a function .* got str"):
        attention(Q, Q, Q, girih.causal, score="score")
    with pytest.raises(girih.InvalidError, match='align "bottom_right" or "top_left", but got \'middle\''):
        attention(Q, Q, Q, girih.causal, align="middle")
    with pytest.raises(girih.InvalidError, match="offsets to end at 20, .* but got 7"):
        attention(Q, Q, Q, girih.segments([0, 7]))
    operator = torch.ops.girih.attention.default
    with pytest.raises(girih.InvalidError, match="a pattern, or a function of this process, but got '\\$99999'"):
        operator(Q, Q, Q, [], [], "$99999", "", 1.0, "top_left", False)
    with pytest.raises(TypeError, match="expected @t0 in the text"):
        operator(Q, Q, Q, [], [Q], "causal", "", 1.0, "top_left", False)
    with pytest.raises(girih.UnsupportedError, match="a table of 1 to 4 dimensions"):
        operator(Q, Q, Q, [torch.zeros(1, 1, 1, 1, 1).long()], [], "{ @t0[q] > 0 }", "", 1.0, "top_left", False)
    with pytest.raises(girih.InvalidError, match="1:1"):
        operator(Q, Q, Q, [], [], "nonsense(", "", 1.0, "top_left", False)


def test_table_index_out_of_range():
    short = torch.arange(10)
    with pytest.raises(girih.InvalidError, match="10"):
        attention(Q, Q, Q, lambda b, h, q, k: short[q] >= short[k])


def test_masks_that_cannot_be_traced():
    weights = torch.rand(20)
    with pytest.raises(TypeError, match="floats"):
        attention(Q, Q, Q, lambda b, h, q, k: weights[k] > 0.5)
    with pytest.raises(TypeError, match="decision"):
        attention(Q, Q, Q, lambda b, h, q, k: q >= k and k > 3)


def test_flex_attention_arguments():
    causal = lambda b, h, q, k: q >= k  # noqa: E731
    mask = create_block_mask(causal, None, None, 20, 20, device="cpu")
    aux = girih.torch.AuxRequest(lse=True)
    for error, message, arguments in (
        (girih.InvalidError, "return_lse or return_aux, but got both", dict(return_lse=True, return_aux=aux)),
        (girih.InvalidError, "block_mask or mask_mod, but got both", dict(block_mask=mask, mask_mod=causal)),
        (
            girih.UnsupportedError,
            r"max_scores=True; supported: AuxRequest\(lse=True\)",
            dict(return_aux=girih.torch.AuxRequest(max_scores=True)),
        ),
        (
            girih.InvalidError,
            "20 tokens of query, but got one for 30; mask_mod=",
            dict(block_mask=create_block_mask(causal, None, None, 30, 20, device="cpu")),
        ),
        (
            girih.InvalidError,
            "20 tokens of key, but got one for 10",
            dict(block_mask=create_block_mask(causal, None, None, 20, 10, device="cpu")),
        ),
        (
            girih.InvalidError,
            r"block_mask for batch of 1 or 2 \(query's\), but got 3",
            dict(block_mask=create_block_mask(causal, 3, None, 20, 20, device="cpu")),
        ),
        (
            girih.InvalidError,
            r"block_mask for heads of 1 or 4 \(query's\), but got 2",
            dict(block_mask=create_block_mask(causal, None, 2, 20, 20, device="cpu")),
        ),
        (TypeError, "expected a pattern, or a function", dict(block_mask=torch.ones(20, 20))),
    ):
        with pytest.raises(error, match=message):
            flex_attention(Q, Q, Q, **arguments)
    with pytest.raises(girih.InvalidError, match="query's 4 heads, but got 2; .* enable_gqa=True"):
        flex_attention(Q, Q[:, :2], Q[:, :2])
    with pytest.raises(RuntimeError, match="sliced BlockMask"):
        flex_attention(Q, Q, Q, block_mask=mask[:, :, :1])
    with pytest.warns(UserWarning, match="kernel_options .* no effect"):
        flex_attention(Q, Q, Q, kernel_options={"BLOCK_M": 64})


def test_functions_that_a_compiled_graph_cannot_hold():
    torch._dynamo.reset()

    def run(function):
        return torch.compile(function, fullgraph=True, backend="aot_eager")(Q)

    with pytest.raises(Exception, match="make_mask_mod_and_score_mod_outside_of_the_compiled_region"):

        def inside(q):
            lengths = (q[:, 0, 0, 0] > 0).long()
            return flex_attention(q, q, q, mask_mod=lambda b, h, q, k: k < lengths[b])

        run(inside)
    partial = functools.partial(lambda n, b, h, q, k: k < n, 3)
    with pytest.raises(Exception, match="plain function|Observed exception"):
        run(lambda q: flex_attention(q, q, q, mask_mod=partial))


@pytest.mark.parametrize("scale", ["a", 10**400, torch.tensor([0.5, 0.5]), float("nan")])
def test_scales_that_are_no_numbers(scale):
    q = torch.ones(1, 1, 4, 8)
    if scale == scale if isinstance(scale, (str, int)) else isinstance(scale, torch.Tensor):
        for call in (
            lambda: girih.torch.attention(q, q, q, girih.causal, scale=scale),
            lambda: girih.torch.flex_attention(q, q, q, scale=scale),
        ):
            with pytest.raises(girih.Error, match="expected scale to be"):
                call()
    with pytest.raises(girih.Error, match="expected scale to be"):
        girih.attention(q, q, q, girih.causal, scale=scale)


def test_modes_and_transforms_that_look_on():
    """Only what would record or transform the call is refused."""
    from torch.utils.flop_counter import FlopCounterMode

    q = torch.randn(1, 1, 8, 16)
    wanted = girih.attention(q, q, q, girih.causal)
    with FlopCounterMode(display=False):
        assert torch.equal(girih.attention(q, q, q, girih.causal), wanted)
    with torch.enable_grad():
        grad = torch.func.grad(lambda x: (x * girih.attention(q, q, q, girih.causal)).sum())(q)
        assert torch.equal(grad, wanted)
        with pytest.raises(girih.UnsupportedError):
            torch.func.grad(lambda x: girih.attention(x, q, q, girih.causal).sum())(q)


def test_interleaved_outputs():
    """q, k, v and out are columns of one buffer, of which the rest stays as it was."""
    buffer = torch.randn(2, 40, 5, 3, 16)
    before = buffer.clone()
    q, k, v, out = (buffer[:, :, column].transpose(1, 2) for column in range(4))
    wanted = girih.attention(q.contiguous(), k.contiguous(), v.contiguous(), girih.causal)
    assert girih.attention(q, k, v, girih.causal, out=out) is out
    assert torch.allclose(out, wanted, atol=1e-6)
    for column in (0, 1, 2, 4):
        assert torch.equal(buffer[:, :, column], before[:, :, column])
    wide = torch.zeros(1, 1, 40, 23)
    girih.attention(q[:1, :1], k[:1, :1], v[:1, :1, :, :7], girih.causal, out=wide[..., 8:15])
    assert not wide[..., :8].any() and not wide[..., 15:].any() and wide[..., 8:15].any()
    with pytest.raises(girih.InvalidError, match="expected o and v to lie apart in memory"):
        girih.attention(q, k, v, girih.causal, out=v)
