"""The numbers under the picture: objects and their sizes, and scores where the truth is known."""

import numpy as np
import streamlit as st

from segdemo.inference.agreement import ClassScores, compare
from segdemo.inference.export import Result
from segdemo.metrics import class_shares, object_areas
from segdemo.text import _
from segdemo.types import LabelMap
from segdemo.ui.figures import size_distribution
from segdemo.ui.state import Choice, keep_mask
from segdemo.ui.words import percent

__all__ = ["object_panel", "score_panel"]


def object_panel(result: Result) -> None:
    """How many connected objects of a class there are, and how their sizes are spread."""
    prediction = result.prediction
    shares = class_shares(prediction.preds, len(prediction.classes))
    present = [i for i in range(1, len(prediction.classes)) if shares[i] > 0]
    st.subheader(_("Objects"))
    if not present:
        st.info(_("No foreground was found. Try a lower threshold, or weights that were trained on such pictures."))
        return
    present.sort(key=lambda i: -shares[i])
    index = present[0]
    if len(present) > 1:
        index = st.selectbox(
            _("Class"), present, format_func=lambda i: _(prediction.classes[i].name),
            key=f"objects_of_{prediction.weights_id}", help=_("Whose objects are counted."),
        )  # fmt: skip
    areas = object_areas(prediction.preds, index)
    diameters = 2 * np.sqrt(areas / np.pi)
    with st.container(horizontal=True, gap="large"):
        touching = _("Regions whose pixels touch, of at least 4 pixels. Touching objects count as one.")
        st.metric(_("Count"), f"{len(areas):,}", help=touching, width="content")
        typical = f"{np.median(diameters):.0f} px" if len(areas) else "–"
        st.metric(_("Median diameter"), typical, help=_("Of a circle of the same area."), width="content")
        st.metric(
            _("Area"), percent(float(shares[index])), help=_("Share of the picture that this class covers."), width="content"
        )
    if len(areas) > 1:
        figure = size_distribution(diameters, prediction.classes[index])
        st.plotly_chart(
            figure, key="sizes", config={"displayModeBar": False}, alt=_("Distribution of object diameters in pixels")
        )


def score_panel(result: Result, truth: LabelMap | None, choice: Choice) -> None:
    """Scores against the truth; without one, the place to give it."""
    st.subheader(_("Against the truth"))
    if truth is not None:
        rows = compare(result.prediction, truth)
        if not rows:
            st.info(_("Neither the mask nor the prediction holds any foreground, so there is nothing to score."))
        table = [_row(scores) for scores in rows]
        if len(rows) == 1:
            with st.container(horizontal=True, gap="large"):
                for name, value in list(table[0].items())[1:]:
                    st.metric(name, value, width="content")
        elif rows:
            st.dataframe(table, hide_index=True)
        st.caption(_("Over all pixels of this picture; “–” means there is nothing to score. “Show errors” maps the mistakes."))
    else:
        needs = _("Add its mask to see Dice, IoU, precision and recall, and where the errors lie.")
        no_mask = _(
            "This sample has no mask for these classes. Generated samples have one, and you can add one to a picture of your own."
        )
        st.caption(needs if choice.sample is None else no_mask)
    if choice.sample is None:
        st.file_uploader(
            _("Mask of this picture"), type=["png", "tif", "tiff", "bmp", "gif"], 
            key=f"mask_{choice.key}", on_change=keep_mask, args=(choice.key,),
            help=_("An image of the same size: black and white, or class numbers (indexed or grey PNG; 255 is ignored)."),
        )  # fmt: skip


def _row(scores: ClassScores) -> dict[str, str]:
    """Words and numbers of one class; “–” where there is nothing to score."""
    values = {"Dice": scores.dice, "IoU": scores.iou, _("Precision"): scores.precision, _("Recall"): scores.recall}
    shown = {name: "–" if np.isnan(value) else f"{value:.3f}" for name, value in values.items()}
    return {_("Class"): _(scores.name), **shown}
