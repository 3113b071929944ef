"""What a unit of an encoder really listens to: its effective field in the sidebar's picture, computed when it is asked for."""

import streamlit as st

from segdemo.data import Picture
from segdemo.errors import SegdemoError
from segdemo.models import TITLES
from segdemo.text import _
from segdemo.ui.features_parts import certainty, show_picture
from segdemo.ui.features_units import Unit, effective_of, field_picture
from segdemo.ui.layers_convolution_inputs import on_screen
from segdemo.ui.layers_field_encoder_data import encoder_stages, no_stage
from segdemo.ui.layers_settings import choice_setting
from segdemo.ui.state import chosen_weights
from segdemo.ui.study import Study, study_of
from segdemo.weights import is_present
from segdemo.weights.untrained import UNTRAINED

__all__ = ["show_effective"]

SHOWN_WIDTH = 460  # pixels, as the drawing of the theoretical fields


def show_effective(name: str) -> None:
    """A stage to choose, and for it the picture with the theoretical field as a frame and the effective one as light.

    The weights are the sidebar's where they are of this architecture; otherwise those it has before any training.
    """
    stages = {stage: stage for stage in encoder_stages(name)}
    with st.container(width=280):
        stage = choice_setting("stage", _("Effective field of"), {"none": _("no stage"), **stages}, "none", help=_(
            "One pass through the network and back: how much each pixel of the sidebar's picture moves the unit in the middle."
        ), why=no_stage(stages))  # fmt: skip
    if stage == "none":
        return
    picture = on_screen()
    if picture is not None:
        try:
            _show(name, stage, picture)
        except SegdemoError as error:
            st.error(str(error), icon=":material/error:")


def _show(name: str, stage: str, picture: Picture) -> None:
    entry = chosen_weights()
    trained = entry.model == name and is_present(entry)
    with st.spinner(_("Following the gradient …"), show_time=True):
        study = study_of(picture, entry.weights_id if trained else f"{name}{UNTRAINED}")
        _channels, height, width = study.recording.maps[stage].shape
        unit = Unit(stage, None, height // 2, width // 2)
        field = effective_of(study, unit)
    with st.container(width=SHOWN_WIDTH):
        show_picture(field_picture(study, unit, field), _("The picture with both fields of the unit"), smooth=True)
    weights = _("weights {id}", id=study.entry.weights_id) if trained else _("untrained weights of {title}", title=TITLES[name])
    st.caption(
        _("Silent here: with {weights}, no pixel moves this unit.", weights=weights) if field.silent
        else _said(study, unit, field.side_px, weights)
    )  # fmt: skip


def _said(study: Study, unit: Unit, side_px: float, weights: str) -> str:
    rect = study.places[unit.stage].field(unit.row, unit.column)
    return _(
        "The unit in the middle of {stage}, the mean over its channels, with {weights}. Frame: the theoretical field, {w:.0f} × "
        "{h:.0f} px ({sure}). Light: the effective one, from the gradient; 95 % of it within {side:.0f} × {side:.0f} px.",
        stage=unit.stage, weights=weights, w=rect.width, h=rect.height, sure=certainty(study.places[unit.stage].kind),
        side=side_px,
    )  # fmt: skip
