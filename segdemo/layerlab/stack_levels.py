"""How much of the input one unit above a stack of layers can depend on, and what each layer costs.

Three numbers go up with each layer, the same along both axes: the field r, the jump j between neighbouring units and the
place of the first unit, in input pixels. For a convolution or a pooling with kernel k, stride s and dilation d

    r ← r + (k − 1)·d·j        start ← start + ((k − 1)/2·d − p)·j        j ← j·s

A layer that enlarges has units that see differently far, in turn: r is then that of the unit that sees most, found by
following the first and the last input of each down the stack. Far from the border throughout.

Araujo, Norris, Sim, Computing Receptive Fields of Convolutional Neural Networks, Distill 2019, doi:10.23915/distill.00021.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from segdemo.errors import SettingError
from segdemo.layerlab.stacks import Span, StackLayer
from segdemo.text import _

__all__ = ["LARGEST_FIELD", "MOST_LAYERS", "Level", "best_unit", "check_growth", "levels", "seen_by"]

MOST_LAYERS = 24
LARGEST_FIELD = 512  # pixels
MOST_ENLARGED = 64  # times, by all layers of a stack together


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
    check_growth(layers)
    return tuple(_levels(layers, channels, side))


def check_growth(layers: Sequence[StackLayer]) -> None:
    """Whether a stack can be measured, given a picture that is large enough. Raises SettingError."""
    if len(layers) > MOST_LAYERS:
        raise SettingError(_("A stack can have at most {most} layers here; this one has {n}.", most=MOST_LAYERS, n=len(layers)))
    for number in range(1, len(layers) + 1):
        best_unit(layers[:number])


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
        wider = seen_by(layers[:number], unit).width
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


def seen_by(layers: Sequence[StackLayer], unit: int) -> Span:
    """The first and the last input pixel that a unit of the topmost layer depends on, along an axis without end."""
    span = Span(unit, unit)
    for layer in reversed(layers):
        span = layer.inputs_of(span)
    return span


def best_unit(layers: Sequence[StackLayer]) -> int:
    """The first unit with the largest field; they repeat after as many as the layers enlarge. Raises SettingError."""
    period = math.prod(layer.stride for layer in layers if layer.enlarges)
    if period > MOST_ENLARGED:
        raise SettingError(_("All layers together can enlarge a map at most {most} times here.", most=MOST_ENLARGED))
    widths = [seen_by(layers, unit).width for unit in range(period)]
    if max(widths) > LARGEST_FIELD:
        raise SettingError(_("The field would grow beyond {most} pixels, the most that is drawn here.", most=LARGEST_FIELD))
    return widths.index(max(widths))
