"""Stacks as they are written: "c3.c3d2.m2.t4s2.b2", a letter and its numbers for each layer, a point between two.

A letter (conv, max-pool, avg-pool, transposed, nearest, bilinear), the kernel or factor, then s and d where they are not 1; a
pooling's stride is its kernel unless it says otherwise. "-" is an empty stack.
"""

import re
from collections.abc import Sequence

from segdemo.errors import SettingError
from segdemo.layerlab.stacks import StackKind, StackLayer, up
from segdemo.text import _, quoted

__all__ = ["KINDS", "parse_stack", "write_stack"]

KINDS: dict[str, StackKind] = {"c": "conv", "m": "maxpool", "a": "avgpool", "t": "upconv", "n": "nearest", "b": "bilinear"}
POOLINGS = ("maxpool", "avgpool")


def parse_stack(text: str) -> tuple[StackLayer, ...]:
    """Layers as they stand in the address. Raises SettingError with the part that is none, or cannot be one."""
    return () if text == "-" else tuple(_parse(part) for part in text.split("."))


def _parse(part: str) -> StackLayer:
    found = re.fullmatch(r"([cmatnb])([0-9]{1,2})(?:s([0-9]))?(?:d([0-9]{1,2}))?", part)
    if not found:
        raise SettingError(
            _("{part} is not a layer: layers are written as c3, c3d2, m2, a3s2, t4s2, n2 or b2.", part=quoted(part))
        )
    kind, number = KINDS[found[1]], int(found[2])
    if kind in {"nearest", "bilinear"}:
        if found[3] or found[4]:
            raise SettingError(_("{part} is not a layer: up-sampling has a factor and nothing else, as in n2 or b2.", part=part))
        return up(kind, number)
    usual = number if kind in POOLINGS else 1
    return StackLayer(kind, number, int(found[3] or usual), int(found[4] or 1))


def write_stack(layers: Sequence[StackLayer]) -> str:
    """The text that `parse_stack` reads."""
    return ".".join(map(_written, layers)) or "-"


def _written(layer: StackLayer) -> str:
    letter = next(letter for letter, kind in KINDS.items() if kind == layer.kind)
    if layer.kind in ("nearest", "bilinear"):
        return f"{letter}{layer.stride}"
    usual = layer.kernel if layer.kind in POOLINGS else 1
    stride = f"s{layer.stride}" if layer.stride != usual else ""
    return f"{letter}{layer.kernel}{stride}" + (f"d{layer.dilation}" if layer.dilation > 1 else "")
