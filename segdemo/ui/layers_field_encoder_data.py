"""The encoder of a network, stage by stage: what each sees of the input, and what the component draws of that."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from segdemo.features import Anatomy, ReceptiveField
from segdemo.features.anatomy import Part
from segdemo.models import TITLES
from segdemo.text import _, few
from segdemo.ui.architectures_data import Request, anatomy_of, fields_of
from segdemo.ui.layers_colours import ramp
from segdemo.ui.layers_field_data import MARK, hidden
from segdemo.ui.layers_field_words import field_words, jump_text
from segdemo.ui.words import compact_number

__all__ = ["EncoderStage", "asked_by_default", "encoder_of", "encoder_stages", "network_data", "no_stage", "picture_side"]


@dataclass(frozen=True)
class EncoderStage:
    """A stage with its share of the network and what one of its units sees."""

    part: Part
    field: ReceptiveField

    @property
    def name(self) -> str:
        """As in the network's code: encoder1 … bottleneck."""
        return self.part.stage.name

    @property
    def sees(self) -> str:
        """For the table: 140, ≥ 900, or all."""
        if self.field.size is None:
            return _("all")
        return f"≥ {self.field.size}" if self.field.at_least else str(self.field.size)


def picture_side(name: str) -> int:
    """The longer side of the picture of the network's paper, in pixels."""
    return max(anatomy_of(Request.of_paper(name)).input_shape[1:])


@lru_cache(maxsize=64)
def encoder_of(name: str) -> tuple[EncoderStage, ...]:
    """The encoder as the network's paper has it, from the input on; all stages where none is called so. Raises SettingError."""
    request = Request.of_paper(name)
    fields = fields_of(request)
    return tuple(EncoderStage(part, fields[part.stage.name]) for part in _parts(anatomy_of(request)))


def _parts(anatomy: Anatomy) -> list[Part]:
    return [part for part in anatomy.parts if part.stage.kind in ("encoder", "bottleneck")] or list(anatomy.parts)


def encoder_stages(name: str) -> list[str]:
    """The names of the encoder's stages. Nothing is followed for that."""
    return [part.stage.name for part in _parts(anatomy_of(Request.of_paper(name)))]


def asked_by_default(stages: Sequence[EncoderStage]) -> str:
    """The stage worth a question: the last whose field ends somewhere; the last of all where none does."""
    return next((stage.name for stage in reversed(stages) if not stage.field.whole), stages[-1].name)


def no_stage(stages: Iterable[str]) -> str:
    """The sentence for a name that is none of the stages'."""
    return _("The stages of this network are called {names}.", names=few(stages))


def network_data(name: str, covered: str = "", looked: str = "") -> dict[str, Any]:
    """The encoder's fields, exact, with the costs of its real channels. covered: from this stage on they are hidden; looked:
    the stage that is looked at, the last one where it is none."""
    stages, picture = encoder_of(name), picture_side(name)
    names = [stage.name for stage in stages]
    known = names.index(covered) if covered in names else len(stages)
    rows = [_row(stage) if number < known else hidden(_row(stage)) for number, stage in enumerate(stages)]
    total = {"sees": rows[-1]["sees"], "params": compact_number(sum(stage.part.params for stage in stages)),
             "macs": compact_number(sum(stage.part.macs for stage in stages))}  # fmt: skip
    span = max(picture, *(stage.field.size or 0 for stage in stages[:known]), 0)
    return {
        "layers": rows, "span": round(span * 1.06), "picture": picture, "scale": ramp(), "mark": MARK,
        "words": field_words(_("Weights")) | {"layer": _("Stage")}, "total": total,
        "of": name, "at": names.index(looked) if looked in names else len(names) - 1,
        "editable": False, "heat": False, "covered": known < len(stages),
        "label": _("Receptive fields of {title}, stage by stage", title=TITLES[name]),
    }  # fmt: skip


def _row(stage: EncoderStage) -> dict[str, Any]:
    side, stride = stage.field.size, stage.field.stride
    says = _("sees the whole picture") if side is None else _("sees {n} × {n} pixels", n=stage.sees)
    how = []
    if stride is not None:
        how = [_("Jump {jump}: the squares of neighbouring units lie {jump} px apart in the input.", jump=jump_text(stride))]
    channels, *size = stage.part.shape
    how += [_("Its map: {c} channels of {size} units.", c=channels, size=" × ".join(map(str, size)))]
    return {
        "name": stage.name, "field": side, "sees": stage.sees, "jump": "–" if stride is None else jump_text(stride),
        "params": compact_number(stage.part.params), "macs": compact_number(stage.part.macs), "says": says, "how": how,
    }  # fmt: skip
