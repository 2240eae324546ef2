# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A mask_mod or score_mod is traced again whenever something that it reads has changed,
however it reads it, and is not when nothing has."""

import collections
import dataclasses
import functools
import gc
import sys
import types
import unittest.mock
import weakref

import pytest
import torch
from torch.nn.attention.flex_attention import flex_attention as reference
from torch_captures_hidden import CASES
from torch_reference import tensors

import girih
import girih.torch
from girih.torch import _lowering, flex_attention

N = 32
Q, K, V = tensors(1, 2, 2, N, N, 16)


def mask_of_width(width):
    return lambda b, h, q, k: (q >= k) & (q - k < width())


def wanted(width):
    pattern = girih.causal & girih.window(left=width - 1)
    return girih.attention(Q, K, V, pattern, align="top_left")


@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
def test_what_changes_is_seen(make):
    width, change = make()
    mask_mod = mask_of_width(width)
    for _ in range(2):
        assert torch.allclose(flex_attention(Q, K, V, mask_mod=mask_mod), wanted(3), atol=1e-6)
    change()
    for _ in range(2):
        assert torch.allclose(flex_attention(Q, K, V, mask_mod=mask_mod), wanted(9), atol=1e-6)


class T5(torch.nn.Module):
    """A learned relative bias, as in T5."""

    def __init__(self):
        super().__init__()
        self.bias = torch.nn.Embedding(2 * N, 2)

    def score(self, score, b, h, q, k):
        return score + self.bias.weight[q - k + N, h]


@pytest.fixture
def traces(monkeypatch):
    """traces(): how often functions were traced since it was asked last."""
    counted = []
    for name in ("trace_score", "trace_pattern"):
        trace = unittest.mock.Mock(wraps=getattr(_lowering, name))
        monkeypatch.setattr(_lowering, name, trace)
        counted.append(trace)

    def since():
        number = sum(trace.call_count for trace in counted)
        for trace in counted:
            trace.reset_mock()
        return number

    return since


@torch.no_grad()
def test_learned_biases(traces):
    model = T5()

    def check():
        given = flex_attention(Q, K, V, model.score)
        assert torch.allclose(given, reference(Q, K, V, model.score), atol=1e-5)

    check()
    check()
    assert traces() == 1
    model.load_state_dict({"bias.weight": 3 * torch.randn(2 * N, 2)})
    check()
    model.bias.weight.add_(torch.randn(2 * N, 2))
    check()
    model.bias = torch.nn.Embedding(2 * N, 2)
    check()
    check()
    assert traces() == 3


@torch.no_grad()
def test_biases_in_lists():
    biases = torch.nn.ParameterList([torch.zeros(2 * N)])

    def score(score, b, h, q, k):
        return score + biases[0][q - k + N]

    for _ in range(3):
        assert torch.allclose(flex_attention(Q, K, V, score), reference(Q, K, V, score), atol=1e-5)
        biases[0].copy_(torch.randn(2 * N))


@torch.enable_grad()
def test_gradients_of_biases_are_refused_in_any_order():
    """A trace that was made without gradients is none for calls with them."""
    model = T5()

    def doubled(score, b, h, q, k):
        return score + (2 * model.bias.weight)[q - k + N, h]

    def scaled(score, b, h, q, k):
        return score * model.bias.weight[0, 0]

    for score in (model.score, doubled, scaled):
        with torch.no_grad():
            flex_attention(Q, K, V, score)
        with pytest.raises(girih.UnsupportedError, match="no backward pass yet"):
            flex_attention(Q, K, V, score)
        with torch.no_grad():
            flex_attention(Q, K, V, score)
        made = girih.score(score)
        with pytest.raises(girih.UnsupportedError, match="no backward pass yet"):
            flex_attention(Q, K, V, made)
        with torch.no_grad():
            flex_attention(Q, K, V, made)
    flex_attention(Q, K, V, lambda score, b, h, q, k: score + model.bias.weight.detach()[q - k + N, h])
    model.requires_grad_(False)
    for score in (model.score, doubled, scaled):
        flex_attention(Q, K, V, score)


def test_what_stays_is_traced_once(traces):
    class Config:
        width = 3

    counts = []

    class Layer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            counts.append(1)  # what makes an object is not what reads it
            self.limits = torch.nn.ParameterList([torch.nn.Parameter(torch.tensor(9), requires_grad=False)])
            self.config = collections.OrderedDict(kept=types.SimpleNamespace(stride=2))
            self.register_buffer("ids", torch.arange(N) // 8)

        def mask(self, b, h, q, k):
            near = (q - k < Config.width) | (k % self.config["kept"].stride == 0)
            return near & (q - k < self.limits[0]) & (self.ids[q] == self.ids[k])

    layer = Layer()
    for _ in range(5):
        flex_attention(Q, K, V, mask_mod=layer.mask)
        Layer()
    assert traces() == 1


def test_configurations_of_transformers_are_traced_once(traces):
    config = pytest.importorskip("transformers").LlamaConfig(sliding_window=3)

    def mask_mod(b, h, q, k):
        return (q >= k) & (q - k < config.sliding_window)

    for _ in range(3):
        assert torch.allclose(flex_attention(Q, K, V, mask_mod=mask_mod), wanted(3), atol=1e-6)
    assert traces() == 1
    config.sliding_window = 9
    assert torch.allclose(flex_attention(Q, K, V, mask_mod=mask_mod), wanted(9), atol=1e-6)


def test_methods_of_any_object_are_traced_once(traces):
    @dataclasses.dataclass
    class Config:
        width: int = 3

        def mask(self, b, h, q, k):
            return (q >= k) & (q - k < self.width)

    config = Config()
    for _ in range(3):
        assert torch.allclose(flex_attention(Q, K, V, mask_mod=config.mask), wanted(3), atol=1e-6)
    assert traces() == 1
    config.width = 9
    assert torch.allclose(flex_attention(Q, K, V, mask_mod=config.mask), wanted(9), atol=1e-6)
    assert traces() == 1


def test_tensors_of_inference_mode_are_traced_once(traces):
    with torch.inference_mode():
        width = torch.tensor([3])

        def mask_mod(b, h, q, k):
            return (q >= k) & (q - k < width[0 * q])

        kernels = []
        for _ in range(3):
            assert torch.allclose(flex_attention(Q, K, V, mask_mod=mask_mod), wanted(3), atol=1e-6)
            kernels.append(dict(girih.default_session()._kernels))
        assert traces() == 1 and kernels[0] == kernels[2]
        width.fill_(9)
        assert torch.allclose(flex_attention(Q, K, V, mask_mod=mask_mod), wanted(9), atol=1e-6)
        assert traces() == 1


def test_functions_that_share_objects_are_traced_once(traces):
    """Whatever holds the function itself, and the rest of a program, is not in the way."""

    def helper(b, h, q, k):
        return q - k < config["inner"].width

    config = {"inner": types.SimpleNamespace(width=3), "kept": torch.zeros(2), "dtype": torch.float32}
    config["self"] = config
    config["helper"] = helper
    both = torch.nn.attention.flex_attention.and_masks(lambda b, h, q, k: q >= k, helper)
    partial = functools.partial(lambda extra, b, h, q, k: both(b, h, q, k), None)
    for _ in range(3):
        assert torch.allclose(flex_attention(Q, K, V, mask_mod=partial), wanted(3), atol=1e-6)
    assert traces() == 1
    config["inner"].width = 9
    assert torch.allclose(flex_attention(Q, K, V, mask_mod=partial), wanted(9), atol=1e-6)


def test_nothing_is_kept_alive():
    """Neither the classes and objects that a function reads, nor the function."""

    class Slots:
        __slots__ = ("mask", "width")

    class Layer(torch.nn.Module):
        limit = 9

        def __init__(self):
            super().__init__()
            self.width = 3

        def mask(self, b, h, q, k):
            return (q - k < self.width) & (q - k < __class__.limit)

    def make():
        holder = Slots()
        holder.width = 3

        def mask(b, h, q, k):
            return q - k < holder.width

        holder.mask = mask
        layer = Layer()
        for function in (mask, layer.mask, Layer().mask):
            flex_attention(Q, K, V, mask_mod=function)
        return [weakref.ref(mask), weakref.ref(layer), weakref.ref(Layer)]

    refs = make()
    del Layer
    gc.collect()
    assert [ref() for ref in refs] == [None, None, None]


def test_profilers_are_left_alone(traces):
    """Where somebody else looks at calls, nothing is known of a function."""
    events = []

    def profiler(frame, event, argument):
        events.append(event)

    def mask_mod(b, h, q, k):
        return (q >= k) & (q - k < 3)

    sys.setprofile(profiler)
    try:
        for _ in range(2):
            flex_attention(Q, K, V, mask_mod=mask_mod)
        assert sys.getprofile() is profiler and events
    finally:
        sys.setprofile(None)
    assert traces() == 2
    for _ in range(2):
        assert torch.allclose(flex_attention(Q, K, V, mask_mod=mask_mod), wanted(3), atol=1e-6)
    assert traces() == 1 and sys.getprofile() is None


def test_what_cannot_be_known_is_traced_every_time(traces):
    values = iter([3] * 3 + [9] * 3)

    def mask_mod(b, h, q, k):
        return (q >= k) & (q - k < next(values))

    for width in (3, 9):
        for _ in range(3):
            assert torch.allclose(flex_attention(Q, K, V, mask_mod=mask_mod), wanted(width), atol=1e-6)
    assert traces() == 6
