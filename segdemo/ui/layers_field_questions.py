"""The two questions of the Receptive field view: how far the last layer of a stack sees, and how far a stage of an encoder.

Wrong choices are numbers that a slip would give, each different from the right one and from the others.
"""

from collections.abc import Iterable, Mapping, Sequence

from segdemo.layerlab.stack_levels import Level
from segdemo.text import _
from segdemo.ui.layers_field_encoder_data import EncoderStage
from segdemo.ui.layers_field_words import growth_text, jump_text

__all__ = ["ALL", "encoder_choices", "encoder_reason", "stack_choices", "stack_reason"]

ALL = "all"  # the choice "the whole picture"
WRONG = 3  # choices beside the right one


def stack_choices(found: Sequence[Level]) -> dict[str, str]:
    """Sides of the field of the last layer to choose from, in order; the right one is among them."""
    right = found[-1].field_px
    summed = sum(level.layer.kernel for level in found)  # forgetting that windows overlap
    once = 1 + sum(level.layer.kernel - 1 for level in found)  # forgetting strides and dilation
    return _squares(right, (summed, once, right + 2, right - 2))


def stack_reason(found: Sequence[Level]) -> str:
    """Why the last layer sees as far as it does, and what goes wrong where kernels are added up."""
    last = _("The last layer: {growth}.", growth=growth_text(found[-1]))
    return f"{last} {_('Kernel sizes are not simply added up, because the windows overlap.')}" if len(found) > 1 else last


def encoder_choices(stages: Sequence[EncoderStage], at: int, picture: int) -> dict[str, str]:
    """Fields of the stage to choose from; beside the right one its jump, its neighbours' fields, and a jump too much.

    picture: side of the network's picture in pixels, from which the slips are made where the stage sees all of it.
    """
    stage = stages[at]
    neighbours = [stages[n].field.size for n in (at - 1, at + 1) if 0 <= n < len(stages)]
    if stage.field.size is None:
        step = max(1, round(picture / max(stage.part.shape[1:])))
        slips = [stages[at - 1].field.size or step if at else step, 2 * step, picture // 2, picture // 4]
        return _squares(None, slips) | {ALL: _("the whole picture")}
    jump = max(1, round(float(stage.field.stride or 1)))
    return _squares(stage.field.size, (jump, *(n for n in neighbours if n), stage.field.size + jump, stage.field.size + 2 * jump))


def _squares(right: int | None, slips: Iterable[int]) -> dict[str, str]:
    wrong = [n for n in dict.fromkeys(slips) if n != right and n > 0][:WRONG]
    return {str(n): f"{n} × {n}" for n in sorted([*wrong, *([right] if right else [])])}


def encoder_reason(stages: Sequence[EncoderStage], at: int) -> str:
    """Why a unit of the stage sees as far as it does: what the jump is, and what the stage adds to the one before."""
    stage, before = stages[at], stages[at - 1] if at else None
    if stage.field.size is None:
        return _("A layer that mixes all positions, such as attention or a global average, lies in this stage or before it: "
                 "every unit then depends on every pixel.")  # fmt: skip
    jump = jump_text(stage.field.stride or 1)
    if before is None or before.field.size is None:
        return _("Its units look at squares whose middles lie {jump} px apart; their size comes from the windows of all "
                 "layers so far.", jump=jump)  # fmt: skip
    words: Mapping[str, object] = {"jump": jump, "before": before.field.size, "name": before.name,
                                   "more": stage.field.size - before.field.size}  # fmt: skip
    if stage.field.size == before.field.size:
        return _("As many as {name}: its layers have 1×1 kernels, and those add nothing. {jump} px is only the jump, from the "
                 "middle of one unit's square to the next.", **words)  # fmt: skip
    return _("{name} sees {before} px, and the windows of this stage add {more} px, each counted in jumps. {jump} px is only the "
             "jump, from the middle of one unit's square to the next: the squares overlap.", **words)  # fmt: skip
