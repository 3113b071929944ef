"""Which skip and which stage matters most: each switched to zero by itself, and what is left of the mask."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from segdemo.features import Changes, Switch, switchable
from segdemo.inference.agreement import overlap
from segdemo.text import _
from segdemo.types import LabelMap
from segdemo.ui.features_changes import WhatIf, changed_logits
from segdemo.ui.study import Study, course_of, prediction_from

__all__ = ["show_importance"]

Place = tuple[str, str | None]
SKIP, STAGE = "#56B4E9", "#8a939c"  # Okabe–Ito, and grey: no kind of stage has them


def show_importance(study: Study, truth: LabelMap | None, key: str) -> None:
    """Each skip and stage switched to zero by itself: which of them the mask depends on."""
    with st.expander(
        _("Which skip and which stage matters most?"), icon=":material/bar_chart:", key=f"{key}_importance", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        places = [(s.stage, s.skip_to) for s in switchable(study.recording, course_of(study))]
        with st.spinner(_("Switching {n} things off, one at a time …", n=len(places)), show_time=True):
            values = [_alone(study, place, truth) for place in places]
        target = study.prediction.preds if truth is None else truth  # type: ignore[union-attr]
        whole = overlap(study.prediction.preds, target, len(study.entry.classes))[1]  # type: ignore[union-attr]
        st.plotly_chart(_bars(places, whole - np.array(values)), config={"displayModeBar": False}, key=f"{key}_bars",
                        alt=_("IoU lost with each skip and stage switched off"))  # fmt: skip
        st.caption(_("How much IoU is lost when this alone is zero, of {whole:.3f}. Longer bars matter more.", whole=whole))


def _alone(study: Study, place: Place, truth: LabelMap | None) -> float:
    assert study.prediction is not None
    logits = changed_logits(study, WhatIf(Changes((Switch(*place),)), None))
    target = study.prediction.preds if truth is None else truth
    return overlap(prediction_from(study, logits).preds, target, len(study.entry.classes))[1]


def _bars(places: list[Place], lost: NDArray[np.float64]) -> go.Figure:
    """The largest loss first; skips and stages in a colour each."""
    order = np.argsort(-lost, kind="stable")
    names = [stage if skip is None else f"{stage} → {skip}" for stage, skip in places]
    figure = go.Figure()
    for title, colour, of_skips in ((_("skip"), SKIP, True), (_("stage"), STAGE, False)):
        mine = [i for i in order if (places[i][1] is not None) == of_skips]
        figure.add_bar(
            x=lost[mine], y=[names[i] for i in mine], orientation="h", marker_color=colour, name=title,
            text=[f"{lost[i]:.3f}" for i in mine], textposition="outside", cliponaxis=False,
            hovertemplate="%{y}: %{x:.3f}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        height=70 + 22 * len(names),
        margin={"l": 0, "r": 40, "t": 8, "b": 0},
        legend={"orientation": "h", "y": 1, "yanchor": "bottom"},
    )
    figure.update_xaxes(title=_("IoU lost"), rangemode="tozero")
    figure.update_yaxes(categoryorder="array", categoryarray=[names[i] for i in order[::-1]])
    return figure
