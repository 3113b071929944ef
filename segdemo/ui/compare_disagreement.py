"""The Disagreement view: where candidates say different things, how alike each two are, and what most of them say."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray
from plotly.colors import sample_colorscale, unlabel_rgb

from segdemo.evaluation.candidate import Candidate
from segdemo.evaluation.titles import short_titles
from segdemo.metrics import disagreement, majority_vote, pairwise_iou
from segdemo.text import _
from segdemo.types import LabelMap
from segdemo.ui.compare_classes import colours_of_comparison
from segdemo.ui.compare_data import PictureComparison
from segdemo.ui.compare_lineups import comparable_choices
from segdemo.ui.compare_panes import label_pane, picture_pane, show_these, truth_pane
from segdemo.ui.words import percent, plain, plot_text

__all__ = ["Consensus", "consensus_of", "matrix_figure", "show_disagreement"]

SCALE = "Viridis"  # perceptually even, for colour-blind eyes too
BRIGHT = 0.55  # above this share of the scale, letters on it are black
LONGEST = 20  # letters of a name beside the matrix
STOPS = 9


@dataclass(frozen=True)
class Consensus:
    """differ (H, W): share of pairs that differ, 0–1. vote (H, W) in the shared classes. ious (N, N), NaN undefined: of all
    `names`, the candidates first, then the vote, then the truth where it is known."""

    differ: NDArray[np.float32]
    vote: LabelMap
    names: tuple[str, ...]
    ious: NDArray[np.float64]
    candidates: int

    @property
    def agreed(self) -> float:
        """Share of the picture on which all say the same."""
        return float((self.differ == 0).mean())


def consensus_of(comparison: PictureComparison) -> Consensus:
    """What at least two comparable candidates have in common."""
    outcomes, space = comparison.comparable, comparison.space
    maps = np.stack([comparison.labels(outcome) for outcome in outcomes])
    count = len(space.classes)
    vote = majority_vote(maps, count)
    stack, names = [*maps, vote], [*(outcome.title for outcome in outcomes), _("Majority vote")]
    if comparison.truth is not None:
        stack.append(space.target(comparison.truth))
        names.append(_("Truth"))
    ious = pairwise_iou(np.stack(stack), count)
    return Consensus(disagreement(maps, count), vote, tuple(names), ious, len(outcomes))


def show_disagreement(comparison: PictureComparison) -> None:
    """The heat map and the vote beside the matrix; under it who is closest to the vote."""
    if len(comparison.comparable) < 2:
        _nothing_shared(comparison)
        return
    consensus = consensus_of(comparison)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        show_these(comparison, _panes(comparison, consensus), ["overlay", "contour"], key="disagreement_panes")
    with right:
        st.markdown(f"**{_('How alike are each two?')}**")
        if np.isnan(consensus.ious[~np.eye(len(consensus.names), dtype=bool)]).all():
            st.info(
                _("No network found anything in this picture. There is no overlap to measure: every IoU is undefined."),
                icon=":material/search_off:",
            )
            return
        st.plotly_chart(
            matrix_figure(consensus), key="pairwise", config={"displayModeBar": False}, alt=_("IoU of each two label maps")
        )
        st.caption(_summary(consensus))


def _nothing_shared(comparison: PictureComparison) -> None:
    """Why there is nothing to see here, and what can be done about it, one click each."""
    st.info(
        _("No two of these networks know a class in common, so that there is nothing on which they could agree or not. Compare "
          "networks of one kind, or look at what each of them draws."),
        icon=":material/info:",
    )  # fmt: skip
    with st.container(horizontal=True):
        for domain, kept in comparable_choices(tuple(outcome.candidate for outcome in comparison.outcomes)).items():
            names = ", ".join(short_titles(kept))
            st.button(
                _("Compare on nuclei: {names}", names=plain(names, 80)) if domain == "nuclei"
                else _("Compare on shapes: {names}", names=plain(names, 80)),
                key=f"disagreement_{domain}", icon=":material/compare_arrows:", on_click=_compare_these, args=(kept,),
            )  # fmt: skip
        st.button(
            _("Show the pictures"), key="disagreement_panes_view", icon=":material/grid_view:", on_click=_show_panes,
            help=_("The Panes view, where nothing has to be shared."),
        )  # fmt: skip


def _compare_these(candidates: tuple[Candidate, ...]) -> None:
    st.session_state["models"] = ",".join(candidate.key for candidate in candidates)


def _show_panes() -> None:
    st.session_state["compare"] = "panes"


def _panes(comparison: PictureComparison, consensus: Consensus) -> list[dict[str, object]]:
    heat = np.rint(255 * consensus.differ).astype(np.uint8)
    colours = colours_of_comparison(comparison)
    agreed = _("all agree on {share} of the picture", share=percent(consensus.agreed))
    classes: list[dict[str, object]] = [
        {"name": _(info.name), "color": colours.get(info.name, info.color)} for info in comparison.space.classes
    ]
    ramp = [[round(channel) for channel in unlabel_rgb(colour)] for colour in sample_colorscale(SCALE, STOPS)]
    panes = [
        label_pane(_("Where they disagree"), "heat", heat, [], None, agreed) | {"kind": "heat", "ramp": ramp},
        label_pane(_("Majority vote"), "vote", consensus.vote, classes, np.arange(256, dtype=np.uint8)),
        picture_pane(comparison, optional=True),
    ]
    return [*panes, truth_pane(comparison)] if comparison.truth is not None else panes


def matrix_figure(consensus: Consensus) -> go.Figure:
    """IoU of each two as a heat map with its numbers; the diagonal, which is always 1, is left empty."""
    values = np.where(np.eye(len(consensus.names), dtype=bool), np.nan, consensus.ious)
    names = [f"{plot_text(_shortened(name))} " for name in consensus.names]  # a trailing blank keeps numbers such as "0.3" words
    lowest = 0.0 if np.isnan(values).all() else np.floor(10 * np.nanmin(values)) / 10
    figure = go.Figure(go.Heatmap(
        z=values, x=names, y=names, colorscale=SCALE, zmin=lowest, zmax=1, xgap=2, ygap=2, showscale=False,
        hovertemplate=_("{a} and {b}: IoU {value}", a="%{y}", b="%{x}", value="%{z:.3f}") + "<extra></extra>",
    ))  # fmt: skip
    for (row, column), value in np.ndenumerate(values):
        if row != column:
            known = not np.isnan(value)
            bright = known and value > lowest + BRIGHT * (1 - lowest)
            figure.add_annotation(
                x=names[column], y=names[row], text=f"{value:.2f}" if known else "–", showarrow=False,
                font={"size": 12, "color": "black" if bright else "white"} if known else {"size": 12},
            )  # fmt: skip
    figure.update_layout(height=110 + 40 * len(names), margin={"l": 0, "r": 0, "t": 4, "b": 0})
    ends = (-0.5, len(names) - 0.5)  # also of what has no number
    figure.update_xaxes(type="category", categoryarray=names, range=ends, tickangle=-35, showgrid=False, ticks="")
    figure.update_yaxes(type="category", categoryarray=names, range=ends[::-1], showgrid=False, ticks="")
    return figure


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _summary(consensus: Consensus) -> str:
    """Who is closest to, and farthest from, the vote; and what the vote is worth where the truth is known."""
    count = consensus.candidates
    to_vote = consensus.ious[:count, count]
    parts = []
    if not np.isnan(to_vote).all():
        near, far = int(np.nanargmax(to_vote)), int(np.nanargmin(to_vote))
        parts.append(
            _("Closest to the vote is {near} (IoU {a}), farthest {far} (IoU {b}).", near=consensus.names[near],
              far=consensus.names[far], a=f"{to_vote[near]:.3f}", b=f"{to_vote[far]:.3f}")
        )  # fmt: skip
    if len(consensus.names) > count + 1:
        to_truth = consensus.ious[: count + 1, count + 1]
        if not np.isnan(to_truth).any():
            better = int((to_truth[:count] < to_truth[count]).sum())
            parts.append(_("Against the truth the vote is better than {n} of {m}.", n=better, m=count))
    parts.append(
        _("IoU of the foreground, or the mean over its classes, on this picture. Agreement is no proof: networks "
          "trained on the same pictures err alike. Where votes are even, the background counts first.")
    )  # fmt: skip
    return " ".join(parts)
