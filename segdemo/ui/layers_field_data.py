"""What the component of the Receptive field view is given: layers with their fields, costs and the influence of each pixel."""

import base64
import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdemo.features.anatomy import Anatomy, Part
from segdemo.layerlab.stack_influence import Weights, holding_side, influence
from segdemo.layerlab.stacks import Level, StackLayer, levels
from segdemo.models import TITLES
from segdemo.text import _
from segdemo.ui.architectures_data import Request, anatomy_of, fields_of
from segdemo.ui.layers_colours import VERMILION, ramp
from segdemo.ui.words import compact_number

__all__ = [
    "MARK",
    "encoder_stages",
    "field_words",
    "holding",
    "jump_text",
    "layer_name",
    "measured",
    "network_data",
    "stack_data",
    "total_of",
]

MARK = VERMILION  # the field that is looked at
DRAWN_CELLS = 110  # along a side of the picture of an influence; larger fields are drawn in squares of several pixels


@lru_cache(maxsize=256)
def measured(layers: tuple[StackLayer, ...], channels: int, side: int) -> tuple[Level, ...]:
    """The levels of a stack, remembered. Raises SettingError."""
    return levels(layers, channels, side)


@lru_cache(maxsize=512)
def _influence(layers: tuple[StackLayer, ...], weights: Weights, seed: int) -> tuple[int, str, int]:
    """Of the topmost layer: the side of the square that holds most, and the picture as bytes with its side."""
    heat = influence(layers, weights, seed)
    drawn = _coarse(heat)
    scaled = (drawn / (drawn.max() or 1) * 255).round().astype(np.uint8)
    return holding_side(heat), base64.b64encode(scaled.tobytes()).decode(), len(drawn)


def _coarse(heat: NDArray[np.float64]) -> NDArray[np.float64]:
    """At most DRAWN_CELLS a side, each the mean of the pixels it covers."""
    side = len(heat)
    if side <= DRAWN_CELLS:
        return heat
    edges = np.linspace(0, side, DRAWN_CELLS + 1).astype(int)
    summed = np.add.reduceat(np.add.reduceat(heat, edges[:-1], 0), edges[:-1], 1)
    areas = np.diff(edges)
    return np.asarray(summed / np.outer(areas, areas))


def holding(layers: tuple[StackLayer, ...], weights: Weights, seed: int) -> int:
    """Side of the square that holds most of the influence on a unit of the topmost layer, in pixels."""
    return _influence(layers, weights, seed)[0]


def layer_name(layer: StackLayer) -> str:
    """As in the table: "Conv 3×3, dilation 2"."""
    k = f"{layer.kernel}×{layer.kernel}"
    names = {
        "conv": _("Conv {k}", k=k), "maxpool": _("Max-pool {k}", k=k), "avgpool": _("Avg-pool {k}", k=k),
        "upconv": _("Transposed {k}", k=k), "nearest": _("Nearest ×{s}", s=layer.stride),
        "bilinear": _("Bilinear ×{s}", s=layer.stride),
    }  # fmt: skip
    usual = layer.kernel if layer.kind in ("maxpool", "avgpool") else 1
    stride = f" /{layer.stride}" if layer.stride != usual and layer.kind not in ("nearest", "bilinear") else ""
    return names[layer.kind] + stride + (f" d{layer.dilation}" if layer.dilation > 1 else "")


def jump_text(jump: Fraction | float) -> str:
    """Input pixels from one unit to the next: 4, ½, 0.75."""
    return str(int(jump)) if Fraction(jump).denominator == 1 else "½" if jump == Fraction(1, 2) else f"{float(jump):g}"


def total_of(found: Sequence[Level]) -> tuple[int, int, int]:
    """Field, parameters and multiplications of the whole stack."""
    return found[-1].field_px if found else 1, sum(level.params for level in found), sum(level.macs for level in found)


def field_words() -> dict[str, str]:
    """What the component says."""
    return {
        "play": _("Watch it grow"), "pause": _("Pause"), "layer": _("Layer"), "field": _("Sees, px"), "jump": _("Jump, px"),
        "params": _("Weights"), "macs": _("MACs"), "total": _("All"), "up": _("↑ Earlier"), "down": _("↓ Later"),
        "remove": _("× Remove"), "fieldKey": _("what one unit can see"), "heldKey": _("where 95 % of the influence comes from"),
        "rampKey": _("how much each pixel counts"),
    }  # fmt: skip


def stack_data(
    layers: tuple[StackLayer, ...], found: Sequence[Level], weights: Weights, seed: int, covered: bool
) -> dict[str, Any]:
    """Everything of a stack, its layers from the input on. covered: the last one's field is hidden."""
    field, params, macs = total_of(found)
    rows = []
    for number, level in enumerate(found, start=1):
        held, values, side = _influence(layers[:number], weights, seed)
        row = {"name": layer_name(level.layer), "field": level.field_px, "sees": str(level.field_px), **_costs(level)}
        row |= {"jump": jump_text(level.jump_px), "held": held, "heat": {"side": side, "values": values}, **_said(level, held)}
        if covered and number == len(found):
            row |= {"covered": True, "says": _("sees how much? Predict first."), "how": "", "heat": None, "held": 0, "field": 1}
        rows.append(row)
    return {
        "layers": rows, "span": field + max(2, 2 * math.ceil(field * 0.04)), "words": field_words(), "scale": ramp(),
        "mark": MARK, "editable": True, "heat": True, "covered": covered,
        "label": _("Receptive field in the input, layer by layer"),
        "total": {"sees": str(field), "params": compact_number(params), "macs": compact_number(macs)},
    }  # fmt: skip


def _costs(level: Level) -> dict[str, str]:
    return {"params": compact_number(level.params) if level.params else "–",
            "macs": compact_number(level.macs) if level.macs else "–"}  # fmt: skip


def _said(level: Level, held: int) -> dict[str, str]:
    """The sentence of a layer, and how its numbers came about."""
    says = _("sees {n} × {n} px, 95 % of it within {held} × {held}", n=level.field_px, held=held)
    how = _("r = {formula} · jump {jump} px · first middle at {start} px · {size} × {size} units", formula=level.formula,
            jump=jump_text(level.jump_px), start=f"{float(level.start_px):g}", size=level.size)  # fmt: skip
    return {"says": says, "how": how}


def encoder_stages(name: str) -> list[str]:
    """The stages of a network's encoder; all of them where it has none that is called so."""
    return [part.stage.name for part in _encoder(anatomy_of(Request.of_paper(name)))]


def _encoder(anatomy: Anatomy) -> list[Part]:
    return [part for part in anatomy.parts if part.stage.kind in ("encoder", "bottleneck")] or list(anatomy.parts)


def network_data(name: str) -> dict[str, Any]:
    """The encoder of a network as its paper has it, stage by stage: fields exact, costs those of the real channels."""
    request = Request.of_paper(name)
    anatomy, fields = anatomy_of(request), fields_of(request)
    parts = _encoder(anatomy)
    sides = [fields[part.stage.name].size for part in parts]
    picture = max(anatomy.input_shape[1:])
    rows = []
    for part, side in zip(parts, sides, strict=True):
        known = fields[part.stage.name]
        sees = _("all") if side is None else f"≥ {side}" if known.at_least else str(side)
        stride = "–" if known.stride is None else jump_text(known.stride)
        says = _("sees the whole picture") if side is None else _("sees {n} × {n} pixels", n=sees)
        how = _("its map: {shape}", shape=" × ".join(map(str, part.shape)))
        rows.append({
            "name": part.stage.name, "field": side, "sees": sees, "jump": stride, "params": compact_number(part.params),
            "macs": compact_number(part.macs), "says": says, "how": how,
        })  # fmt: skip
    total = {"sees": rows[-1]["sees"], "params": compact_number(sum(part.params for part in parts)),
             "macs": compact_number(sum(part.macs for part in parts))}  # fmt: skip
    span = max(picture, *(side or 0 for side in sides))
    return {
        "layers": rows, "span": round(span * 1.06), "picture": picture, "words": field_words() | {"layer": _("Stage")},
        "scale": ramp(), "mark": MARK, "editable": False, "heat": False, "covered": False, "total": total,
        "label": _("Receptive fields of {title}, stage by stage", title=TITLES[name]),
    }  # fmt: skip
