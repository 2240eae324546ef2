# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""More of torch_captures_plain: ways that no list of names would tell."""

import array
import functools
import math
import operator
import sys
import types

import numpy as np
import torch
from torch_captures_plain import CASES, case, setting


@case
def attribute_of_a_function():
    def width():
        return width.kept

    width.kept = 3
    return width, setting(width, "kept")


@case
def attribute_of_a_function_that_is_not_called():
    def config():
        pass

    config.width = 3
    return lambda: config.width, setting(config, "width")


@case
def attribute_of_a_method():
    class Config:
        def get(self):
            return Config.get.width

    Config.get.width = 3
    return Config().get, setting(Config.get, "width")


def package(width):
    """A package with a module `config`, and a function of its own module `masks`."""
    made = {}
    for name in ("girih_test_package", "girih_test_package.config", "girih_test_package.masks"):
        made[name] = sys.modules[name] = types.ModuleType(name)
    made["girih_test_package"].__path__ = []
    config, masks = (made["girih_test_package." + name] for name in ("config", "masks"))
    config.width = 3
    made["girih_test_package"].config = config
    masks.__package__ = "girih_test_package"
    exec("def width():\n" + width, masks.__dict__)
    return masks.width, setting(config, "width")


@case
def relative_import():
    return package("    from . import config\n    return config.width")


@case
def relative_import_of_a_name():
    return package("    from .config import width\n    return width")


@case
def mapping_proxy():
    values = {"width": 3}
    view = types.MappingProxyType(values)
    return lambda: view["width"], lambda: values.__setitem__("width", 9)


@case
def view_of_a_dict():
    values = {"width": 3}
    view = values.values()
    return lambda: max(view), lambda: values.__setitem__("width", 9)


@case
def bytes_that_change():
    values = bytearray([3])
    return lambda: values[0], lambda: values.__setitem__(0, 9)


@case
def array_of_python():
    values = array.array("i", [3])
    return lambda: values[0], lambda: values.__setitem__(0, 9)


@case
def getter():
    config, get = types.SimpleNamespace(width=3), operator.attrgetter("width")
    return lambda: get(config), setting(config, "width")


@case
def getter_made_inside():
    config = types.SimpleNamespace(width=3)
    return lambda: operator.attrgetter("width")(config), setting(config, "width")


@case
def method_caller():
    class Config:
        width = 3

        def get(self):
            return self.width

    config, get = Config(), operator.methodcaller("get")
    return lambda: get(config), setting(config, "width")


@case
def cached_function():
    config = types.SimpleNamespace(width=3)

    @functools.lru_cache
    def width():
        return config.width

    def change():
        config.width = 9
        width.cache_clear()

    return width, change


@case
def getattr_by_another_name():
    config, get = types.SimpleNamespace(width=3), getattr
    return lambda: get(config, "width"), setting(config, "width")


@case
def getattr_in_a_partial():
    config = types.SimpleNamespace(width=3)
    return functools.partial(getattr, config, "width"), setting(config, "width")


@case
def getattribute():
    config = types.SimpleNamespace(width=3)
    return lambda: config.__getattribute__("width"), setting(config, "width")


@case
def attribute_in_a_format():
    config = types.SimpleNamespace(width=3)
    return lambda: int("{0.width}".format(config)), setting(config, "width")


@case
def format_that_is_bound():
    config, text = types.SimpleNamespace(width=3), "{0.width}".format
    return lambda: int(text(config)), setting(config, "width")


def special(make):
    """make(values, add): an object whose [0] is values[0]."""

    def build():
        values = [3]
        config = make(values)
        return lambda: config[0], lambda: values.__setitem__(0, 9)

    return build


def with_getitem(method, **more):
    return type("Config", (), {"__getitem__": method, **more})()


class Called:
    def __init__(self, values):
        self.values = values

    def __call__(self, *arguments):
        return self.values[arguments[-1]]


CASES["getitem of a metaclass"] = special(
    lambda values: type("Meta", (type,), {"__getitem__": lambda cls, n: values[n]})("Config", (), {})
)
CASES["class_getitem"] = special(
    lambda values: type("Config", (), {"__class_getitem__": classmethod(lambda cls, n: values[n])})
)
CASES["getitem of C"] = special(lambda values: with_getitem(values.__getitem__))
CASES["getitem that is an object"] = special(lambda values: with_getitem(Called(values)))
CASES["static getitem"] = special(lambda values: with_getitem(staticmethod(lambda n: values[n])))
CASES["getitem that is a partial method"] = special(
    lambda values: with_getitem(functools.partialmethod(lambda self, extra, n: values[n], 0))
)
CASES["getitem from a property"] = special(
    lambda values: with_getitem(property(lambda self: values.__getitem__))
)


@case
def static_call():
    values = [3]

    class Config:
        @staticmethod
        def __call__():
            return values[0]

    config = Config()
    return lambda: config(), lambda: values.__setitem__(0, 9)


@case
def class_attribute_behind_an_instance():
    class Config:
        width = 3

    config = Config()
    config.width = 5
    return lambda: type(config).width, setting(Config, "width")


@case
def attribute_of_a_base():
    class Base:
        width = 3

    class Config(Base):
        width = 5

        def get(self):
            return super().width

    return Config().get, setting(Base, "width")


@case
def attribute_of_a_metaclass():
    class Meta(type):
        width = 3

    class Config(metaclass=Meta):
        pass

    return lambda: Config.width, setting(Meta, "width")


@case
def attribute_that_becomes_that_of_the_class():
    class Config:
        width = 9

    config = Config()
    config.width = 3
    return lambda: config.width, lambda: delattr(config, "width")


@case
def special_method_of_later():
    class Config:
        pass

    config = Config()
    return lambda: 3 if config else 9, lambda: setattr(Config, "__bool__", lambda self: False)


@case
def cached_property():
    class Config:
        kept = 3

        @functools.cached_property
        def width(self):
            return self.kept

    config = Config()

    def change():
        config.kept = 9
        del config.__dict__["width"]

    return lambda: config.width, change


@case
def descriptor():
    class Width:
        kept = 3

        def __get__(self, owner, kind):
            return self.kept

    class Config:
        width = Width()

    config = Config()
    return lambda: config.width, setting(vars(Config)["width"], "kept")


@case
def single_dispatch():
    config = types.SimpleNamespace(width=3)

    @functools.singledispatch
    def width(value):
        return 0

    width.register(int, lambda value: config.width)
    return lambda: width(1), setting(config, "width")


@case
def decorated_with_a_function_of_torch():
    values = [3]

    @torch.no_grad()
    def width():
        return values[0]

    return width, lambda: values.__setitem__(0, 9)


@case
def number_of_a_module_that_is_called():
    class Layer(torch.nn.Module):
        width = 3

        def forward(self):
            return self.width

    layer = Layer()
    return lambda: layer(), setting(layer, "width")


@case
def number_of_a_module_of_torch():
    layer = torch.nn.Threshold(0, 3)
    return lambda: int(layer(torch.tensor(0.0))), setting(layer, "value")


@case
def hook_of_a_module():
    layer, kept = torch.nn.Identity(), torch.tensor(3)
    return lambda: int(layer(kept)), lambda: layer.register_forward_hook(lambda *arguments: 9)


@case
def data_of_a_parameter():
    width = torch.nn.Parameter(torch.tensor(3), requires_grad=False)
    return lambda: width.item(), lambda: setattr(width, "data", torch.tensor(9))


@case
def attribute_of_a_tensor():
    owner = torch.zeros(1)
    owner.width = 3
    return lambda: owner.width, setting(owner, "width")


@case
def array_of_numpy():
    values = np.array([3])
    return lambda: int(values[0]), lambda: values.__setitem__(0, 9)


@case
def tensor_written_through_numpy():
    width = torch.tensor([3])
    view = width.numpy()
    return lambda: int(view[0]), lambda: width.fill_(9)


@case
def sign_of_zero():
    config = types.SimpleNamespace(zero=0.0)
    return lambda: 3 if math.copysign(1, config.zero) > 0 else 9, lambda: setattr(config, "zero", -0.0)


@case
def items_that_trade_places():
    one, other = types.SimpleNamespace(width=3), types.SimpleNamespace()

    def width():
        try:
            return one.width
        except AttributeError:
            return 9

    def change():
        del one.width
        other.width = 3

    return lambda: width() if other else 0, change


if sys.version_info >= (3, 10):
    exec(
        "@case\ndef matched():\n"
        "    class Config:\n        pass\n"
        "    config = Config()\n    config.__dict__['width'] = 3\n"
        "    def width():\n        match config:\n            case Config(width=n):\n                return n\n"
        "    return width, setting(config, 'width')\n"
    )
