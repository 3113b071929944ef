"""What the component of the Receptive field view is given for a stack: its layers with their fields, costs and influences."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from segdemo.layerlab.stack_influence import Weights
from segdemo.layerlab.stack_language import write_stack
from segdemo.layerlab.stack_levels import Level, levels
from segdemo.layerlab.stacks import StackLayer
from segdemo.text import _
from segdemo.ui.layers_colours import VERMILION, ramp
from segdemo.ui.layers_field_influence import influence_drawn
from segdemo.ui.layers_field_words import field_words, jump_text, layer_name, level_texts
from segdemo.ui.words import compact_number

__all__ = ["MARK", "Total", "hidden", "measured", "stack_data", "total_of"]

MARK = VERMILION  # the field that is looked at
BLANK_SPAN = 16  # of the empty sheet, pixels: of no stack
Row = dict[str, Any]


@lru_cache(maxsize=256)
def measured(layers: tuple[StackLayer, ...], channels: int, side: int) -> tuple[Level, ...]:
    """The levels of a stack, remembered. Raises SettingError."""
    return levels(layers, channels, side)


class Total(NamedTuple):
    """Of a whole stack: what a unit on top sees, the weights and the multiplications with an addition."""

    field_px: int
    params: int
    macs: int


def total_of(found: Sequence[Level]) -> Total:
    """Of a stack without layers, where a unit is a pixel, as well."""
    field = found[-1].field_px if found else 1
    return Total(field, sum(level.params for level in found), sum(level.macs for level in found))


def hidden(row: Row) -> Row:
    """A row whose field has to be predicted first: nothing that would tell it is sent to the browser."""
    covered = {"covered": True, "says": _("sees how much? Predict first."), "how": [], "sees": "?", "field": 1}
    return row | covered | {name: None for name in ("heat", "held") if name in row}


def stack_data(
    layers: tuple[StackLayer, ...],
    found: Sequence[Level],
    weights: Weights,
    seed: int,
    covered: bool,
    *,
    channels: int,
    picture: int,
    at: int,
) -> dict[str, Any]:
    """Everything of a stack, its layers from the input on. covered: the fields are hidden, and the drawing is an
    empty sheet, the same for every stack. channels: of every layer,
    picture: side of the input in pixels; at: the layer that is looked at, from 0."""
    field, params, macs = total_of(found)
    rows = [_row(layers[:number], level, weights, seed, picture) for number, level in enumerate(found, start=1)]
    span = field + max(2, 2 * math.ceil(field * 0.04))
    if covered:
        rows, span = _covered(rows), BLANK_SPAN
    return {
        "layers": rows, "span": span, "blank": covered, "words": field_words(_channels(channels)),
        "scale": ramp(), "of": write_stack(layers), "at": at, "mark": MARK, "editable": True, "heat": True, "covered": covered,
        "label": _("Receptive field in the input, layer by layer"),
        "total": {"sees": "?" if covered else str(field), "params": compact_number(params), "macs": compact_number(macs)},
    }  # fmt: skip


def _covered(rows: Sequence[Row]) -> list[Row]:
    """The first row as a start, without anything to draw; of the others, and of the last one in any case, no field and no jump,
    so that they cannot simply be continued."""
    start = [row | {"heat": None, "held": None, "field": 1} for row in rows[:-1][:1]]
    return [*start, *(hidden(row) | {"jump": "?"} for row in rows[len(start) :])]


def _channels(channels: int) -> str:
    return _("Weights ({c}\u00a0channels)", c=channels) if channels > 1 else _("Weights (1\u00a0channel)")


def _row(layers: tuple[StackLayer, ...], level: Level, weights: Weights, seed: int, picture: int) -> Row:
    """The topmost of the layers."""
    drawn = influence_drawn(layers, weights, seed)
    return {
        "name": layer_name(level.layer), "field": level.field_px, "sees": str(level.field_px),
        "params": compact_number(level.params) if level.params else "–",
        "macs": compact_number(level.macs) if level.macs else "–",
        "jump": jump_text(level.jump_px), "held": drawn.held, "heat": {"side": drawn.side, "values": drawn.values},
        **level_texts(level, drawn.held, picture),
    }  # fmt: skip
