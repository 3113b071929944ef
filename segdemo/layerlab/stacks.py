"""A stack of layers, and how much of the input one unit above it can depend on.

Three numbers go up with each layer, the same along both axes: the field r, the jump j between neighbouring units and the
place of the first unit, in input pixels. For a convolution or a pooling with kernel k, stride s and dilation d

    r ← r + (k − 1)·d·j        start ← start + ((k − 1)/2·d − p)·j        j ← j·s

A layer that enlarges has units that see differently far, in turn: r is then that of the unit that sees most, found by
following the first and the last input of each down the stack. Far from the border throughout.

Araujo, Norris, Sim, Computing Receptive Fields of Convolutional Neural Networks, Distill 2019, doi:10.23915/distill.00021.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from segdemo.errors import SettingError
from segdemo.layerlab.sizes import convolved_size, transposed_size
from segdemo.text import _

__all__ = [
    "KINDS", "LARGEST_FIELD", "MOST_LAYERS", "Level", "StackKind", "StackLayer", "best_unit", "levels", "parse_stack", "seen_by",
    "write_stack",
]  # fmt: skip

StackKind = Literal["conv", "maxpool", "avgpool", "upconv", "nearest", "bilinear"]
KINDS: dict[str, StackKind] = {"c": "conv", "m": "maxpool", "a": "avgpool", "t": "upconv", "n": "nearest", "b": "bilinear"}
MOST_LAYERS = 24
LARGEST_FIELD = 512  # pixels
MOST_ENLARGED = 64  # times, by all layers of a stack together
LARGEST_KERNEL, LARGEST_STRIDE, LARGEST_DILATION = 15, 8, 32


@dataclass(frozen=True)
class StackLayer:
    """One layer. The padding is the one that keeps the size, as far as kernel and stride allow that.

    kernel: weights along an axis; of the up-sampling layers without weights it follows from the factor, which is `stride`.
    Raises SettingError for what cannot be a layer, or leaves holes: a transposed kernel smaller than its stride.
    """

    kind: StackKind
    kernel: int
    stride: int = 1
    dilation: int = 1

    def __post_init__(self) -> None:
        limits = ((self.kernel, LARGEST_KERNEL + 1), (self.stride, LARGEST_STRIDE), (self.dilation, LARGEST_DILATION))
        if any(not 1 <= value <= most for value, most in limits):
            raise SettingError(_("Kernel, stride and dilation are at least 1, and at most {k}, {s} and {d}.", k=LARGEST_KERNEL,
                                 s=LARGEST_STRIDE, d=LARGEST_DILATION))  # fmt: skip
        if self.kind != "conv" and self.dilation > 1:
            raise SettingError(_("Only convolutions are dilated here."))
        if self.kind == "upconv" and self.kernel < self.stride:
            raise SettingError(_("A transposed kernel of {k} with stride {s} leaves holes: it must be at least the stride.",
                                 k=self.kernel, s=self.stride))  # fmt: skip

    @property
    def enlarges(self) -> bool:
        """Whether its output is larger than its input, or could be: each input is spread over `kernel` outputs."""
        return self.kind in ("upconv", "nearest", "bilinear")

    @property
    def learns(self) -> bool:
        """Whether it has weights."""
        return self.kind in ("conv", "upconv")

    @property
    def padding(self) -> int:
        """Cells put around the input, or of an enlarging layer cut off around the output."""
        if self.kind == "conv":
            return self.dilation * (self.kernel - 1) // 2
        if self.kind == "bilinear":
            return self.stride // 2
        return (self.kernel - self.stride) // 2 if self.enlarges else (self.kernel - 1) // 2 if self.kernel > self.stride else 0

    def inputs_of(self, first: int, last: int) -> tuple[int, int]:
        """The first and the last input that outputs first … last are made of, on an axis without end."""
        if self.enlarges:
            return -((self.kernel - 1 - first - self.padding) // self.stride), (last + self.padding) // self.stride
        reach = self.dilation * (self.kernel - 1)
        return first * self.stride - self.padding, last * self.stride - self.padding + reach

    def size_after(self, size: int) -> int:
        """Units along an axis, of that many before."""
        if self.enlarges:
            return transposed_size(size, self.kernel, self.stride, self.padding)
        return convolved_size(size, self.kernel, self.stride, self.padding, self.dilation)


def up(kind: Literal["nearest", "bilinear"], factor: int) -> StackLayer:
    """Up-sampling without weights as the transposed convolution it equals: bilinear spreads each input over 2s − (s mod 2)."""
    return StackLayer(kind, factor if kind == "nearest" else 2 * factor - factor % 2, factor)


@dataclass(frozen=True)
class Level:
    """What is known after one layer. field_px, jump_px and start_px as in the file's docstring; start_px is the middle of the
    first unit's field, 0.5 the middle of the first pixel. `size`: units along an axis; `params` and `macs` of this layer."""

    layer: StackLayer
    field_px: int
    jump_px: Fraction
    start_px: Fraction
    size: int
    params: int
    macs: int
    formula: str


def levels(layers: Sequence[StackLayer], channels: int, side: int) -> tuple[Level, ...]:
    """Every layer with its field and cost, each from `channels` to `channels` without bias, on a picture of side × side.

    Raises SettingError where the field outgrows LARGEST_FIELD, or the picture is too small for the layers.
    """
    if len(layers) > MOST_LAYERS:
        raise SettingError(_("A stack has at most {most} layers here.", most=MOST_LAYERS))
    return tuple(_levels(layers, channels, side))


def _levels(layers: Sequence[StackLayer], channels: int, side: int) -> Iterator[Level]:
    field, jump, start, size = 1, Fraction(1), Fraction(1, 2), side
    for number, layer in enumerate(layers, start=1):
        before, reach = size, layer.dilation * (layer.kernel - 1)
        size = layer.size_after(size)
        if size < 1:
            raise SettingError(
                _("Layer {n} does not fit: only {size} × {size} units are left of the picture.", n=number, size=before)
            )
        unit = best_unit(layers[:number])
        first, last = seen_by(layers[:number], unit)
        wider = last - first + 1
        formula = _formula(layer, field, jump, wider)
        if layer.enlarges:
            start += (layer.padding - Fraction(reach, 2)) / layer.stride * jump
        else:
            start += (Fraction(reach, 2) - layer.padding) * jump
        field, jump = wider, jump / layer.stride if layer.enlarges else jump * layer.stride
        weights = channels**2 * layer.kernel**2 if layer.learns else 0
        places = before if layer.enlarges else size
        yield Level(layer, field, jump, start, size, weights, weights * places**2, formula)


def _formula(layer: StackLayer, field: int, jump: Fraction, wider: int) -> str:
    """How the field grew, filled in."""
    if layer.enlarges:
        return _("{field} → {wider}, followed unit by unit", field=field, wider=wider)
    dilation = f"·{layer.dilation}" if layer.dilation > 1 else ""
    return f"{field} + ({layer.kernel} − 1){dilation}·{jump} = {wider}"


def seen_by(layers: Sequence[StackLayer], unit: int) -> tuple[int, int]:
    """The first and the last input pixel that a unit of the topmost layer depends on, along an axis without end."""
    first = last = unit
    for layer in reversed(layers):
        first, last = layer.inputs_of(first, last)
    return first, last


def best_unit(layers: Sequence[StackLayer]) -> int:
    """The first unit with the largest field; they repeat after as many as the layers enlarge. Raises SettingError."""
    period = math.prod(layer.stride for layer in layers if layer.enlarges)
    if period > MOST_ENLARGED:
        raise SettingError(_("All layers together enlarge at most {most} times here.", most=MOST_ENLARGED))
    spans = [last - first for first, last in (seen_by(layers, unit) for unit in range(period))]
    if max(spans) + 1 > LARGEST_FIELD:
        raise SettingError(_("The field would grow beyond {most} pixels; that is as far as is drawn here.", most=LARGEST_FIELD))
    return spans.index(max(spans))


def parse_stack(text: str) -> tuple[StackLayer, ...]:
    """Layers as they stand in the address: "c3.c3d2.m2.t4s2.b2". Raises SettingError with the part that is none.

    A letter (conv, max-pool, avg-pool, transposed, nearest, bilinear), the kernel or factor, then s and d where they are not 1;
    a pooling's stride is its kernel unless it says otherwise. "-" is an empty stack.
    """
    return () if text == "-" else tuple(_parse(part) for part in text.split("."))


def _parse(part: str) -> StackLayer:
    found = re.fullmatch(r"([cmatnb])([0-9]{1,2})(?:s([0-9]))?(?:d([0-9]{1,2}))?", part)
    if not found:
        raise SettingError(_("{part} is no layer: they are written as c3, c3d2, m2, a3s2, t4s2, n2 or b2.", part=part))
    kind, number = KINDS[found[1]], int(found[2])
    if kind in ("nearest", "bilinear"):
        return up("nearest" if kind == "nearest" else "bilinear", min(number, LARGEST_STRIDE))
    usual = min(number, LARGEST_STRIDE) if kind in ("maxpool", "avgpool") else 1
    return StackLayer(kind, number, int(found[3] or usual), int(found[4] or 1))


def write_stack(layers: Sequence[StackLayer]) -> str:
    """The text that `parse_stack` reads."""
    return ".".join(map(_written, layers)) or "-"


def _written(layer: StackLayer) -> str:
    letter = next(letter for letter, kind in KINDS.items() if kind == layer.kind)
    if layer.kind in ("nearest", "bilinear"):
        return f"{letter}{layer.stride}"
    usual = layer.kernel if layer.kind in ("maxpool", "avgpool") else 1
    stride = f"s{layer.stride}" if layer.stride != usual else ""
    return f"{letter}{layer.kernel}{stride}" + (f"d{layer.dilation}" if layer.dilation > 1 else "")
