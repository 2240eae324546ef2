# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A mask_mod or score_mod is traced again whenever something that it reads has changed,
however it reads it, and is not when nothing has."""

import collections
import contextvars
import dataclasses
import enum
import functools
import os
import types

import pytest
import torch
from torch.nn.attention.flex_attention import flex_attention as reference
from torch_reference import tensors

import girih
import girih.torch
from girih.torch import _lowering, flex_attention

N = 32
Q, K, V = tensors(1, 2, 2, N, N, 16)

CASES = {}


def case(make):
    """make() -> (width, change): a function that reads 3, and what makes it 9."""
    CASES[make.__name__] = make
    return make


def setting(owner, name):
    return lambda: setattr(owner, name, 9)


@case
def class_attribute():
    class Config:
        width = 3

    return lambda: Config.width, setting(Config, "width")


@case
def static_method():
    class Config:
        width = 3

        @staticmethod
        def get():
            return Config.width

    return lambda: Config.get(), setting(Config, "width")


@case
def class_method():
    class Config:
        width = 3

        @classmethod
        def get(cls):
            return cls.width

    return lambda: Config.get(), setting(Config, "width")


@case
def class_attribute_of_an_instance():
    class Config:
        width = 3

    config = Config()
    return lambda: config.width, setting(Config, "width")


@case
def instance_attribute():
    class Config:
        width = 3

    config = Config()
    return lambda: config.width, setting(config, "width")


@case
def slots():
    class Config:
        __slots__ = ("width",)

    config = Config()
    config.width = 3
    return lambda: config.width, setting(config, "width")


@case
def property_():
    class Config:
        kept = 3
        width = property(lambda self: self.kept)

    config = Config()
    return lambda: config.width, setting(config, "kept")


@case
def data_class():
    @dataclasses.dataclass
    class Config:
        width: int = 3

    config = Config()
    return lambda: config.width, setting(config, "width")


@case
def nested_namespaces():
    config = types.SimpleNamespace(inner=types.SimpleNamespace(width=3))
    return lambda: config.inner.width, setting(config.inner, "width")


@case
def getattr_by_name():
    config = types.SimpleNamespace(width=3)
    return lambda: getattr(config, "width"), setting(config, "width")


@case
def vars_of_an_object():
    config = types.SimpleNamespace(width=3)
    return lambda: vars(config)["width"], setting(config, "width")


@case
def dict_of_an_object():
    config = types.SimpleNamespace(width=3)
    return lambda: config.__dict__["width"], setting(config, "width")


def mapping(make):
    def build():
        values = make()
        values["width"] = 3
        return lambda: values["width"], lambda: values.__setitem__("width", 9)

    return build


CASES["dict"] = mapping(dict)
CASES["OrderedDict"] = mapping(collections.OrderedDict)
CASES["defaultdict"] = mapping(lambda: collections.defaultdict(int))
CASES["UserDict"] = mapping(collections.UserDict)


@case
def attributes_of_a_dict():
    class Config(dict):
        __getattr__ = dict.__getitem__

    config = Config(width=3)
    return lambda: config.width, lambda: config.__setitem__("width", 9)


@case
def getitem_of_an_object():
    class Config:
        def __init__(self):
            self.values = {"width": 3}

        def __getitem__(self, name):
            return self.values[name]

    config = Config()
    return lambda: config["width"], lambda: config.values.__setitem__("width", 9)


@case
def called_object():
    class Config:
        width = 3

        def __call__(self):
            return self.width

    config = Config()
    return lambda: config(), setting(config, "width")


@case
def special_method_that_reads_by_name():
    class Config:
        def __init__(self):
            self.width = 3

        def __len__(self):
            return self.__dict__["wid" + "th"]

    config = Config()
    return lambda: len(config), setting(config, "width")


@case
def attribute_that_is_made_up():
    class Config:
        def __init__(self):
            self.values = {"width": 3}

        def __getattr__(self, name):
            return getattr(self, "values")[name]

    config = Config()
    return lambda: config.width, lambda: config.values.__setitem__("width", 9)


@case
def object_made_inside():
    values = [3]

    class Config:
        def __init__(self):
            self.width = values[0]

    return lambda: Config().width, lambda: values.__setitem__(0, 9)


@case
def int_of_an_object():
    class Config:
        width = 3

        def __int__(self):
            return self.width

    config = Config()
    return lambda: int(config), setting(config, "width")


@case
def list_():
    values = [3]
    return lambda: values[0], lambda: values.__setitem__(0, 9)


@case
def list_in_a_tuple():
    values = ([3],)
    return lambda: values[0][0], lambda: values[0].__setitem__(0, 9)


@case
def deque():
    values = collections.deque([3])
    return lambda: values[0], lambda: values.__setitem__(0, 9)


@case
def set_():
    values = {3}
    return lambda: max(values), lambda: values.add(9)


@case
def enumeration():
    class Width(enum.IntEnum):
        NARROW = 3
        WIDE = 9

    values = [Width.NARROW]
    return lambda: values[0].value, lambda: values.__setitem__(0, Width.WIDE)


@case
def environment():
    os.environ["GIRIH_TEST_WIDTH"] = "3"
    return (
        lambda: int(os.environ["GIRIH_TEST_WIDTH"]),
        lambda: os.environ.__setitem__("GIRIH_TEST_WIDTH", "9"),
    )


@case
def environment_by_getenv():
    os.environ["GIRIH_TEST_WIDTH"] = "3"
    return (
        lambda: int(os.getenv("GIRIH_TEST_WIDTH")),
        lambda: os.environ.__setitem__("GIRIH_TEST_WIDTH", "9"),
    )


@case
def context_variable():
    width = contextvars.ContextVar("width", default=3)
    return lambda: width.get(), lambda: width.set(9)


@case
def closure():
    width = 3

    def change():
        nonlocal width
        width = 9

    return lambda: width, change


@case
def partial():
    values = [3]
    return functools.partial(lambda values: values[0], values), lambda: values.__setitem__(0, 9)


@case
def defaults():
    def width(value=3):
        return value

    return width, lambda: setattr(width, "__defaults__", (9,))


@case
def module():
    made = types.ModuleType("torchutils")
    made.width = 3
    return lambda: made.width, setting(made, "width")


@case
def module_imported_inside():
    import sys

    made = sys.modules["girih_test_settings"] = types.ModuleType("girih_test_settings")
    made.width = 3

    def width():
        import girih_test_settings

        return girih_test_settings.width

    return width, setting(made, "width")


@case
def tensor_written():
    width = torch.tensor(3)
    return lambda: width, lambda: width.fill_(9)


@case
def item_of_a_tensor():
    width = torch.tensor(3)
    return lambda: width.item(), lambda: width.fill_(9)


@case
def view_of_a_tensor():
    width = torch.tensor([[3, 4]])
    return lambda: width.T[0, 0].long(), lambda: width.fill_(9)


@case
def tensor_replaced_where_nobody_looks():
    kept = iter([torch.tensor(3)] * 3 + [torch.tensor(9)] * 9)
    return lambda: next(kept), lambda: [next(kept) for _ in range(2)]


@case
def buffer_of_a_module():
    owner = torch.nn.Module()
    owner.register_buffer("width", torch.tensor(3))
    return lambda: owner.width, lambda: setattr(owner, "width", torch.tensor(9))


@case
def buffer_that_is_written():
    owner = torch.nn.Sequential(torch.nn.Module())
    owner[0].register_buffer("width", torch.tensor(3))
    return lambda: owner[0].width, lambda: owner[0].width.fill_(9)


@case
def parameter_list():
    owner = torch.nn.ParameterList([torch.nn.Parameter(torch.tensor(3), requires_grad=False)])
    return lambda: owner[0], lambda: owner[0].fill_(9)


@case
def parameter_list_with_another():
    three, nine = (torch.nn.Parameter(torch.tensor(n), requires_grad=False) for n in (3, 9))
    owner = torch.nn.ParameterList([three])
    return lambda: owner[0], lambda: owner.__setitem__(0, nine)


@case
def settings_of_a_module():
    class Layer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.config = collections.OrderedDict(width=3)

        def width(self):
            return self.config["width"]

    layer = Layer()
    return layer.width, lambda: layer.config.__setitem__("width", 9)


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
def count_traces(monkeypatch):
    """How often functions were traced."""
    counts = collections.Counter()

    def counted(kind, function):
        def trace(*arguments):
            counts[kind] += 1
            return function(*arguments)

        return trace

    monkeypatch.setattr(_lowering, "trace_score", counted("score", _lowering.trace_score))
    monkeypatch.setattr(_lowering, "trace_pattern", counted("mask", _lowering.trace_pattern))
    return counts


@torch.no_grad()
def test_learned_biases(count_traces):
    model = T5()

    def check():
        given = flex_attention(Q, K, V, model.score)
        assert torch.allclose(given, reference(Q, K, V, model.score), atol=1e-5)

    check()
    check()
    assert count_traces["score"] == 1
    model.load_state_dict({"bias.weight": 3 * torch.randn(2 * N, 2)})
    check()
    model.bias.weight.add_(torch.randn(2 * N, 2))
    check()
    model.bias = torch.nn.Embedding(2 * N, 2)
    check()
    check()
    assert count_traces["score"] == 4


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


def test_what_stays_is_traced_once(count_traces):
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
    assert count_traces["mask"] == 1


def test_configurations_of_transformers_are_traced_once(count_traces):
    config = pytest.importorskip("transformers").LlamaConfig(sliding_window=3)

    def mask_mod(b, h, q, k):
        return (q >= k) & (q - k < config.sliding_window)

    for _ in range(3):
        assert torch.allclose(flex_attention(Q, K, V, mask_mod=mask_mod), wanted(3), atol=1e-6)
    assert count_traces["mask"] == 1
    config.sliding_window = 9
    assert torch.allclose(flex_attention(Q, K, V, mask_mod=mask_mod), wanted(9), atol=1e-6)


def test_what_cannot_be_known_is_traced_every_time(count_traces):
    config = types.SimpleNamespace(width=3)
    for _ in range(3):
        flex_attention(Q, K, V, mask_mod=lambda b, h, q, k: q - k < getattr(config, "width"))

    def by_name(b, h, q, k):
        return q - k < getattr(config, "width")

    count_traces.clear()
    for _ in range(3):
        flex_attention(Q, K, V, mask_mod=by_name)
    assert count_traces["mask"] == 3
