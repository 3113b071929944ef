"""The Trained view: U-Nets that differ in nothing but the loss they were trained with, on the visitor's picture."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from segdemo.data import Picture
from segdemo.errors import SegdemoError
from segdemo.evaluation.candidate import MAX_CANDIDATES
from segdemo.inference import shared_engine
from segdemo.inference.agreement import ERROR_KINDS, compare, error_map
from segdemo.metrics import Reliability, expected_calibration_error
from segdemo.text import _
from segdemo.types import LabelMap, Prediction, WeightsEntry
from segdemo.ui.features_parts import masked, show_picture
from segdemo.ui.frame import SEGMENT_PAGE, choose_weights
from segdemo.ui.loss_colours import colour_of, title_of
from segdemo.ui.losses_explained import explain
from segdemo.ui.state import Choice, active_choice, choices, open_choice, truth_for
from segdemo.ui.url import FEWEST_MODELS
from segdemo.ui.words import percent, plain
from segdemo.weights import get_weights

__all__ = ["TRAINED", "show_trained"]

# One budget: 2,000 steps of 8 crops of 128 × 128 with the same seed, and a network of 0.76 M parameters.
TRAINED = {
    "bce": "unet/nuclei-bce", "weighted_bce": "unet/nuclei-weighted-bce", "focal": "unet/nuclei-focal",
    "ohem": "unet/nuclei-ohem", "dice": "unet/nuclei-dice", "iou": "unet/nuclei-iou", "bce_dice": "unet/nuclei-small",
}  # fmt: skip
COMPARE_PAGE = SEGMENT_PAGE.with_name("compare.py")
COLUMNS = 4
# On a phone two masks stand side by side, and the threshold comes before them.
ON_A_PHONE = """<style>@media (max-width: 640px) {
.st-key-trained_top > div > [data-testid="stHorizontalBlock"] > [data-testid="stColumn"]:last-child { order: -1; }
.st-key-trained_masks [data-testid="stHorizontalBlock"] > [data-testid="stColumn"] { flex: 1 1 40%; min-width: 40%; }
.st-key-trained_masks [data-testid="stHorizontalBlock"] { gap: .6rem; }
}</style>"""


def show_trained() -> None:
    """The masks first, then the table with what was measured on the validation pictures, then how honest they are."""
    choice = active_choice(choices())
    try:
        picture = open_choice(choice)
    except SegdemoError as error:
        st.error(f"**{plain(choice.name)}**: {error}", icon=":material/broken_image:")
        return
    st.html(ON_A_PHONE)
    with st.container(key="trained_top"):
        body, side = st.columns([7, 2], gap="medium")
    with side:
        threshold = st.slider(
            _("Threshold"), 0, 100, format="%d %%", key="threshold", persist_state="session",
            help=_("From which probability on a pixel counts as nucleus. Watch which loss cares most."),
        ) / 100  # fmt: skip
        st.caption(_("The same network, pictures, seed and number of steps; only the loss differs. On your picture, or any of "
                     "the samples in the sidebar."))  # fmt: skip
    with body, st.container(key="trained_masks"):
        _masks(picture, choice, threshold)
    left, right = st.columns([7, 5], gap="medium")
    with left:
        _table()
    with right:
        st.markdown(f"**{_('How honest are their probabilities?')}**")
        st.plotly_chart(_reliability_figure(), config={"displayModeBar": False}, key="trained_reliability",
                        alt=_("Share that was nucleus against the probability said, a line a loss"))  # fmt: skip
        st.caption(_("Below the dashed line a network claims more than it keeps. On all validation pictures together, colours "
                     "as above. ECE, the expected calibration error, is the mean distance from the line."))  # fmt: skip
    explain(list(TRAINED))


def _masks(picture: Picture, choice: Choice, threshold: float) -> None:
    """Every network's mask, or its errors where the truth is known."""
    with st.spinner(_("Segmenting with {n} networks …", n=len(TRAINED)), show_time=True):
        found = {
            loss: shared_engine().segment(picture, name, threshold=threshold) for loss, name in TRAINED.items()
        }  # fmt: skip
    first = next(iter(found.values()))
    truth = truth_for(choice, first.size, first.classes, st.container())
    losses = list(found)
    for start in range(0, len(losses), COLUMNS):
        for column, loss in zip(st.columns(COLUMNS), losses[start : start + COLUMNS], strict=False):
            with column:
                _mask(picture, loss, found[loss], truth)
    if choice.sample is not None and choice.sample.note:
        st.caption(_(choice.sample.note))
    if truth is not None:
        st.caption(_("Blue: found, orange: false alarm, pink: missed."))


def _mask(picture: Picture, loss: str, prediction: Prediction, truth: LabelMap | None) -> None:
    st.html(
        f'<div style="border-left:5px solid {colour_of(loss)};padding-left:8px;font-weight:600;white-space:nowrap;'
        f'overflow:hidden;text-overflow:ellipsis" title="{title_of(loss)}">{title_of(loss)}</div>'
    )
    labels, classes = (prediction.preds, prediction.classes) if truth is None else (error_map(prediction, truth), ERROR_KINDS)
    size = picture.pixels.shape[:2]
    if labels.shape != size:  # a large picture was decoded to fewer pixels
        rows = (np.arange(size[0]) * labels.shape[0]) // size[0]
        columns = (np.arange(size[1]) * labels.shape[1]) // size[1]
        labels = labels[rows][:, columns]
    show_picture(masked(picture.pixels, labels, classes), title_of(loss), smooth=True)
    share = float((prediction.preds > 0).mean())
    scores = compare(prediction, truth) if truth is not None else []
    st.caption(f"IoU {scores[0].iou:.3f}" if scores else _("{share} nucleus", share=percent(share)))


def _table() -> None:
    """What was measured on the validation pictures, best first, and a way to take the weights to the other pages."""
    entries = {loss: get_weights(name) for loss, name in TRAINED.items()}
    order = sorted(entries, key=lambda loss: -(entries[loss].score or 0.0))
    st.markdown(f"**{_('On 100 validation pictures')}**")
    st.dataframe([_row(loss, entries[loss]) for loss in order], hide_index=True, key="trained_table")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            _("Take with you"), order, key="trained_choice", format_func=title_of,
            help=_("Put these weights into the sidebar, for all pages."),
        )  # fmt: skip
        if st.button(_("Use these weights"), icon=":material/arrow_forward:", key="trained_use", on_click=choose_weights,
                     args=(TRAINED[chosen],)):  # fmt: skip
            st.switch_page(SEGMENT_PAGE)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        several = st.multiselect(
            _("Compare"), order, ["bce", "dice", "focal"], key="trained_several", format_func=title_of, wrap=True,
            max_selections=MAX_CANDIDATES, help=_("Where on your picture do they differ, and where do they err?"),
        )  # fmt: skip
        if st.button(_("Compare them"), icon=":material/compare:", key="trained_compare", disabled=len(several) < FEWEST_MODELS,
                     on_click=_compare, args=([TRAINED[loss] for loss in several],)):  # fmt: skip
            st.switch_page(COMPARE_PAGE)


def _compare(names: list[str]) -> None:
    st.session_state["models"] = ",".join(names)


def _row(loss: str, entry: WeightsEntry) -> dict[str, str]:
    scores = entry.card["scores"]
    assert isinstance(scores, dict)
    names = {"score": "IoU", "dice": "Dice", "precision": _("Precision"), "recall": _("Recall"), "boundary_f1": _("Boundary F1")}
    row = {_("Loss"): title_of(loss), **{title: f"{scores[key]:.3f}" for key, title in names.items()}}
    bins = reliability_of(entry)
    return row | {"ECE": "–" if bins is None else percent(expected_calibration_error(bins))}


def reliability_of(entry: WeightsEntry) -> Reliability | None:
    """The card's reliability diagram of the foreground's probability, where it was measured."""
    kept = entry.card.get("reliability")
    if not isinstance(kept, dict):
        return None
    return Reliability(
        np.array(kept["count"], np.int64), np.array(kept["prob_sum"], np.float64), np.array(kept["hits"], np.int64)
    )  # fmt: skip


def _reliability_figure() -> go.Figure:
    figure = go.Figure(go.Scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": "rgba(128, 128, 128, 0.8)", "dash": "dash"}, hoverinfo="skip",
        showlegend=False,
    ))  # fmt: skip
    for loss, name in TRAINED.items():
        bins = reliability_of(get_weights(name))
        if bins is not None:
            known = bins.count > 0
            figure.add_scatter(
                x=bins.mean_prob[known], y=bins.frequency[known], name=title_of(loss), mode="lines+markers",
                line={"color": colour_of(loss)}, hovertemplate="%{x:.2f} → %{y:.2f}",
            )  # fmt: skip
    figure.update_layout(height=330, margin={"l": 0, "r": 0, "t": 8, "b": 0}, showlegend=False)
    figure.update_xaxes(title=_("Probability said"), range=[0, 1])
    figure.update_yaxes(title=_("Share that was nucleus"), range=[0, 1])
    return figure
