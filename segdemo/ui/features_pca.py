"""A stage's channels as one colour picture: their principal components, in colours of their own or of another map."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from segdemo.errors import SegdemoError
from segdemo.features import aligned, project, to_rgb
from segdemo.text import _
from segdemo.types import RGBImage
from segdemo.ui.features_parts import over, show_picture
from segdemo.ui.features_walk import basis_of, on_picture
from segdemo.ui.state import open_choice, other_pictures
from segdemo.ui.study import Study, study_of
from segdemo.ui.words import percent, plain

__all__ = ["pca_controls", "show_pca"]

OWN, STAGE, PICTURE = "own", "stage:", "picture:"


def pca_controls(study: Study, stage: str) -> str | None:
    """Whose colours to take: this map's own, another stage's, or the same stage's on another picture."""
    words = {OWN: _("this map alone")}
    words |= {f"{STAGE}{name}": _("like {stage}", stage=name) for name in study.stages if name != stage}
    others = other_pictures(study.picture)
    words |= {f"{PICTURE}{key}": _("like {picture}", picture=plain(c.name, 24)) for key, c in others.items()}
    chosen = st.selectbox(
        _("Colours"), list(words), key="pca_colours", persist_state="session", format_func=lambda k: words[k],
        help=_("Each map has principal components of its own. With another map's colours, the same colour means the same: "
               "on another picture exactly (one basis), in another stage as nearly as a rotation allows."),
    )  # fmt: skip
    return None if chosen == OWN else chosen


def show_pca(study: Study, stage: str, reference: str | None, opacity: float, *, beside: bool) -> None:
    """The picture, and how much of the variance the three components hold: `beside` it, or below."""
    drawn, held = _drawn(study, stage, reference)
    picture, words = st.columns([3, 2], gap="medium") if beside else (st.container(), st.container())
    with picture:
        if opacity:
            above = on_picture(drawn, study, stage, (study.seen.shape[0], study.seen.shape[1]))
            drawn = over(above, study.seen, opacity)
        show_picture(drawn, _("Principal components of {stage} as colours", stage=stage))
    with words:
        st.markdown(
            _("**{n} channels, three colours.** Each position of the stage is one point with {n} numbers; the three "
              "directions along which these points differ most become lightness, green to magenta, and blue to yellow. "
              "Positions of one colour are alike to the network.", n=study.recording.maps[stage].shape[0])
        )  # fmt: skip
        st.caption(_("The three hold {shares} of the variance.", shares=" + ".join(percent(float(share)) for share in held)))


def _drawn(study: Study, stage: str, reference: str | None) -> tuple[RGBImage, NDArray[np.float64]]:
    """The picture, and the shares of the variance that the components it is drawn from explain."""
    activation = study.recording.maps[stage]
    own = basis_of(study, stage)
    if reference is None:
        return to_rgb(project(activation, own), own), own.explained
    if reference.startswith(STAGE):
        name = reference.removeprefix(STAGE)
        if name in study.recording.maps:
            other = basis_of(study, name)
            scores = aligned(project(activation, own), project(study.recording.maps[name], other))
            return to_rgb(scores, other), own.explained
    elsewhere = _study_elsewhere(study, reference.removeprefix(PICTURE))
    basis = own if elsewhere is None else basis_of(elsewhere, stage)
    return to_rgb(project(activation, basis), basis), basis.explained


def _study_elsewhere(study: Study, key: str) -> Study | None:
    """The same network on another of the visitor's pictures; None where that cannot be recorded."""
    choice = other_pictures(study.picture).get(key)
    if choice is None:
        return None
    try:
        return study_of(open_choice(choice), study.entry.weights_id)
    except SegdemoError as error:
        st.error(f"**{plain(choice.name)}**: {error}", icon=":material/broken_image:")
        return None
