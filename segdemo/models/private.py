"""A network of one's own: another tree of modules over the same weights.

Visitors share networks across threads. Whoever wants to hook one, or to switch it between training and evaluation,
takes a copy of the tree: its parameters and buffers are the very same tensors, so that it costs next to no memory and
little time, and nothing that is done to it reaches the shared network.
"""

import functools
from collections import OrderedDict
from collections.abc import Callable
from types import MethodType
from typing import Any

from torch import Tensor, nn

__all__ = ["private_copy"]


def private_copy(model: nn.Module) -> nn.Module:
    """The same network with modules of its own and shared parameters and buffers.

    Modules that are held in lists, tuples, dicts, partial functions and bound methods are exchanged too; every other
    attribute is shared. Hooks that the model already has are there on the copy, in registers of its own.
    """
    return _module(model, {})


def _module(module: nn.Module, made: dict[int, nn.Module]) -> nn.Module:
    if id(module) in made:
        return made[id(module)]
    twin = made[id(module)] = module.__class__.__new__(module.__class__)
    own = module.__dict__.copy()
    for key, value in module.__dict__.items():
        kind = type(value)
        if kind is OrderedDict and not value:
            own[key] = OrderedDict()  # a register of hooks: there are ten of them in every module
        elif key in TENSORS or ((kind is set or kind is dict) and not value):
            own[key] = value.copy()
        elif kind not in SHARED:
            own[key] = _attribute(value, made)
    object.__setattr__(twin, "__dict__", own)  # not setattr: it would register parameters and modules anew, one by one
    return twin


def _attribute(value: Any, made: dict[int, nn.Module]) -> Any:
    """The value with copies in place of modules. Containers become new ones, among them those of hooks and weights."""
    if type(value) in SHARED:
        return value
    exchange = EXCHANGE.get(type(value))
    if exchange is not None:
        return exchange(value, made)
    if isinstance(value, nn.Module):
        return _module(value, made)
    return _dict(value, made) if isinstance(value, dict) else value


def _dict(value: dict[Any, Any], made: dict[int, nn.Module]) -> dict[Any, Any]:
    twin = value.copy()
    for key, inner in value.items():
        twin[key] = _attribute(inner, made)
    return twin


def _method(value: MethodType, made: dict[int, nn.Module]) -> MethodType:
    return MethodType(value.__func__, _attribute(value.__self__, made))


def _partial(value: functools.partial[Any], made: dict[int, nn.Module]) -> functools.partial[Any]:
    function, args, keywords = (_attribute(part, made) for part in (value.func, value.args, value.keywords))
    return functools.partial(function, *args, **keywords)


TENSORS = frozenset(("_parameters", "_buffers"))  # registers that hold nothing else
SHARED = frozenset((bool, int, float, str, type(None), nn.Parameter, Tensor))
EXCHANGE: dict[type, Callable[[Any, dict[int, nn.Module]], Any]] = {
    dict: _dict,
    OrderedDict: _dict,
    list: lambda value, made: [_attribute(inner, made) for inner in value],
    tuple: lambda value, made: tuple([_attribute(inner, made) for inner in value]),
    set: lambda value, made: set(value),
    MethodType: _method,
    functools.partial: _partial,
}
