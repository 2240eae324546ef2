# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Ways in which functions come by the width that they read, for test_torch_captures: what
plain programs do."""

import collections
import contextvars
import dataclasses
import enum
import functools
import os
import sys
import types

import torch

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
