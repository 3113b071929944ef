"""The Receptive field view of a network: its encoder stage by stage, a question about a stage, and its effective field."""

from collections.abc import Mapping, Sequence

import streamlit as st

from segdemo.errors import SettingError
from segdemo.models import TITLES
from segdemo.text import _, few
from segdemo.ui.architectures_data import families
from segdemo.ui.components import receptive_field_stack
from segdemo.ui.layers_field_effective import show_effective
from segdemo.ui.layers_field_encoder_data import EncoderStage, asked_by_default, encoder_of, network_data, no_stage, picture_side
from segdemo.ui.layers_field_questions import ALL, encoder_choices, encoder_reason
from segdemo.ui.layers_frame import Frame, predict, wants_to_predict
from segdemo.ui.layers_parameter import keep, say, setting
from segdemo.ui.layers_settings import choice_setting

__all__ = ["show_encoder"]

COMPONENT = "layers_field_network"


def show_encoder(frame: Frame) -> None:
    """The network to choose, the drawing with its table, and below what a unit listens to."""
    names = {name.replace("/", "."): name for _entry, members in families() for name in members}  # no "/" in an address's value
    with frame.side:
        titles = {word: TITLES[name] for word, name in names.items()}
        name = names[choice_setting("net", _("Network"), titles, "unet", clears=("ask", "look", "stage"),
                                    help=_("At the size used in its paper."), why=_unknown(titles))]  # fmt: skip
    with frame.top:
        asking = wants_to_predict()
    with frame.place:
        try:
            with st.spinner(_("Following every operation of the network …")):
                stages = encoder_of(name)
        except SettingError as error:
            st.error(str(error), icon=":material/error:")
            return
        covered = _question(frame, name, stages) if asking else ""
        receptive_field_stack(
            key=COMPONENT, data=network_data(name, covered, _looked(stages)), on_looked_change=lambda: _look(stages)
        )
        st.caption(_("Thin line: the picture of {n} pixels. Fields are followed exactly through every operation: they are what a "
                     "unit can see.", n=picture_side(name)))  # fmt: skip
        if not covered:
            st.caption(_("What it listens to is below."))
            show_effective(name)


def _unknown(titles: Mapping[str, str]) -> str:
    return _("Networks are called {names}.", names=few(titles))


def _looked(stages: Sequence[EncoderStage]) -> str:
    """The stage that the address says is looked at, or "" for the last."""
    name = setting("look", "", str)
    if name and name not in (stage.name for stage in stages):
        say(_("There is no such stage to look at. {why}", why=no_stage(stage.name for stage in stages)))
        keep("look", None)
        return ""
    return name


def _look(stages: Sequence[EncoderStage]) -> None:
    at = st.session_state[COMPONENT].get("looked")
    if at is not None and 0 <= int(at) < len(stages):
        keep("look", stages[int(at)].name, stages[-1].name)


def _question(frame: Frame, name: str, stages: tuple[EncoderStage, ...]) -> str:
    """How far a unit of a stage sees; the name of the stage while that has to stay hidden, then ""."""
    words = {stage.name: stage.name for stage in stages}
    with frame.side:
        asked = choice_setting("ask", _("Predict for"), words, asked_by_default(stages), help=_(
            "The stage of the question. It and the stages after it are hidden until you have guessed."),
            why=no_stage(words))  # fmt: skip
    at = list(words).index(asked)
    right = stages[at].field.size
    question = _("How many input pixels can one unit of {stage} see?", stage=asked)
    choices = encoder_choices(stages, at, picture_side(name))
    answer = ALL if right is None else str(right)
    return asked if predict(question, choices, answer, encoder_reason(stages, at), f"{name}_{asked}") else ""
