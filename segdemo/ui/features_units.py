"""One unit of a stage: a channel at a position, and the part of the picture that it looks at.

The theoretical field is a rectangle that follows from the architecture; the effective one is what the unit really
reacts to in this picture, the gradient of its value by every pixel.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import streamlit as st
import torch
from torch import Tensor

from segdemo.features import EffectiveField, Mosaic, Rect, effective_field
from segdemo.features.colour import coloured
from segdemo.inference import shared_engine
from segdemo.inference.cache import BoundedCache
from segdemo.text import _
from segdemo.types import RGBImage
from segdemo.ui.features_parts import certainty, number, show_picture
from segdemo.ui.study import Study

__all__ = ["Unit", "chosen_unit", "effective_of", "field_picture", "inside_picture", "show_unit", "unit_clicked"]

UNIT_KEY = "unit"
FIELD_MEMORY_BYTES = 60_000_000
LINE = (230, 159, 0)  # Okabe–Ito

_fields: BoundedCache[tuple[object, ...], EffectiveField] = BoundedCache(FIELD_MEMORY_BYTES, lambda f: f.heat.numel() * 4)


@dataclass(frozen=True)
class Unit:
    """A channel at a position (row, column) of a stage's map; channel None is the mean over all channels."""

    stage: str
    channel: int | None
    row: int
    column: int

    @classmethod
    def strongest(cls, stage: str, channel: int, feature_map: Tensor) -> "Unit":
        """Where the channel's value is largest."""
        row, column = divmod(int(torch.nan_to_num(feature_map).argmax()), feature_map.shape[1])
        return cls(stage, channel, row, column)


def unit_clicked(component: str, stage: str, shown: Mosaic, *, switch: bool) -> None:
    """Keep the unit that was clicked in a mosaic, given as shares of its cell; `switch` opens its channel large."""
    clicked = st.session_state[component].get("unit")
    if not isinstance(clicked, dict):
        return
    channel, x, y = clicked.get("channel"), clicked.get("x"), clicked.get("y")
    if channel not in shown.order or not isinstance(x, int | float) or not isinstance(y, int | float):
        return  # not from our component
    if not (0 <= x < 1 and 0 <= y < 1):  # also false for what is no number
        return
    left, top, _right, _bottom = shown.box(shown.order.index(channel))
    found = shown.locate(left + int(x * shown.cell_width), top + int(y * shown.cell_height))
    if found is None:
        return
    height, width = shown.map_size
    st.session_state[UNIT_KEY] = (stage, channel, (found[1] + 0.5) / height, (found[2] + 0.5) / width)
    st.session_state["channel"] = channel
    if switch:
        st.session_state["stage_view"] = "one"


def chosen_unit(study: Study, stage: str, channel: int) -> Unit | None:
    """The clicked unit, if it is of this stage and channel."""
    kept = st.session_state.get(UNIT_KEY)
    if kept is None or kept[:2] != (stage, channel):
        return None
    _channels, height, width = study.recording.maps[stage].shape
    return Unit(stage, channel, int(kept[2] * height), int(kept[3] * width))


def effective_of(study: Study, unit: Unit) -> EffectiveField:
    """The unit's effective field, one pass forward and back, remembered."""
    key = (study.key, unit)
    image, name = study.recording.input, study.entry.weights_id
    return _fields.get_or_make(key, lambda: shared_engine().study(
        name, lambda m: effective_field(
            m, image, unit.stage, unit.row, unit.column, unit.channel, placement=study.places[unit.stage]
        )
    ))  # fmt: skip


def inside_picture(heat: Tensor, study: Study) -> Tensor:
    """(h, w) of something as large as the network's input: the part where the picture lies."""
    border, (height, width) = study.preprocessing.border, study.geometry.working
    return heat[border : border + height, border : border + width]


def field_picture(study: Study, unit: Unit, field: EffectiveField | None) -> RGBImage:
    """The picture with the theoretical field as a frame, and the effective one as light where it is given."""
    image = study.seen
    if field is not None:
        heat = inside_picture(field.heat, study)
        share = (heat / heat.max().clamp(min=1e-30)).sqrt()  # the square root shows the weak rim as well
        shown = coloured(share, 0.0, 1.0, "sequential")
        weight = share.clamp(0.0, 1.0).numpy()[..., None] * 0.85
        image = np.rint(image * 0.45 * (1 - weight) + shown * weight).astype(np.uint8)
    return framed(image, study.places[unit.stage].field(unit.row, unit.column), study)


def framed(image: RGBImage, rect: Rect, study: Study) -> RGBImage:
    """The rectangle, given in pixels of the input, drawn on the picture."""
    border, line = study.preprocessing.border, max(1, round(max(image.shape) / 250))
    corners = [round(v - border) for v in (rect.left, rect.top, rect.right - 1, rect.bottom - 1)]
    drawn = np.ascontiguousarray(image)
    cv2.rectangle(drawn, (corners[0], corners[1]), (corners[2], corners[3]), (0, 0, 0), line + 2)
    cv2.rectangle(drawn, (corners[0], corners[1]), (corners[2], corners[3]), LINE, line)
    return drawn


def show_unit(study: Study, unit: Unit, *, given: bool) -> None:
    """What a unit looks at: its value, both fields, and how sure the rectangle is."""
    assert unit.channel is not None
    value = float(study.recording.maps[unit.stage][unit.channel, unit.row, unit.column])
    title = _("What this unit looks at") if given else _("What its strongest unit looks at")
    st.markdown(f"**{title}**")
    with st.spinner(_("Following the gradient …"), show_time=True):
        field = effective_of(study, unit)
    show_picture(field_picture(study, unit, field), title, smooth=True)
    rect = study.places[unit.stage].field(unit.row, unit.column)
    st.caption(
        _("Row {row}, column {column} of the map: value {value}. Frame: theoretical field, {w:.0f} × {h:.0f} px ({sure}). Light: "
          "effective field from the gradient; 95 % of it within {r:.0f} px of the centre.", row=unit.row, column=unit.column,
          value=number(value), h=rect.bottom - rect.top, w=rect.right - rect.left, sure=certainty(study.places[unit.stage].kind),
          r=field.radius_px)
    )  # fmt: skip
