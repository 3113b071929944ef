"""Names and sentences of the Receptive field view: a layer, a jump, how the field grew."""

from fractions import Fraction

from segdemo.layerlab.stack_levels import Level
from segdemo.layerlab.stacks import StackLayer
from segdemo.text import _

__all__ = ["field_words", "growth_text", "jump_text", "layer_name", "level_texts"]


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


def field_words(weights: str) -> dict[str, str]:
    """What the component says. weights: the head of their column."""
    return {
        "play": _("Watch it grow"), "pause": _("Pause"), "layer": _("Layer"), "field": _("Sees, px"), "jump": _("Jump, px"),
        "params": weights, "macs": _("Multiply-adds"), "total": _("All"), "up": _("↑ Earlier"), "down": _("↓ Later"),
        "remove": _("× Remove"), "acts": _("Change the layer that is looked at"), "fieldKey": _("what one unit can see"),
        "heldKey": _("where 95 % of the influence comes from"), "rampKey": _("how much each pixel counts"),
    }  # fmt: skip


def growth_text(level: Level) -> str:
    """How the field grew, first in numbers and then in words."""
    if level.layer.enlarges:
        return _("{formula}: after up-sampling, fields differ from unit to unit", formula=level.formula)
    if level.layer.dilation > 1:
        return _("{formula}: field below + (kernel − 1) · dilation · jump below", formula=level.formula)
    return _("{formula}: field below + (kernel − 1) · jump below", formula=level.formula)


def level_texts(level: Level, held: int, picture: int) -> dict[str, str | list[str]]:
    """The sentence of a layer, and under it how its numbers came about. held: the side that holds most of the influence;
    picture: the side of the input; both in pixels."""
    says = _("sees {n} × {n} px, 95 % of it within {held} × {held}", n=level.field_px, held=held)
    return {"says": says, "how": [growth_text(level), _places(level, picture)]}


def _places(level: Level, picture: int) -> str:
    """Where its units look."""
    return _(
        "Jump {jump}: the squares of neighbouring units lie {jump} px apart in the input. A picture of {side} × {side} px makes "
        "{size} × {size} units; the middle of the first one's square is at {start} px.", jump=jump_text(level.jump_px),
        size=level.size, side=picture, start=f"{float(level.start_px):g}",
    )  # fmt: skip
