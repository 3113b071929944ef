"""The Curves view: what each loss costs and how hard it pulls, for every predicted probability.

All numbers come from the losses themselves. A slider recomputes the one loss it belongs to.
"""

from collections.abc import Sequence

import streamlit as st

from segdemo.losslab.curves import PIXEL_LOSSES, PIXELS, REGION_LOSSES, Curve, Region, Surround, pixel_curve, region_curve
from segdemo.text import _
from segdemo.ui.loss_colours import title_of
from segdemo.ui.loss_options import loss_options
from segdemo.ui.loss_pills import loss_pills
from segdemo.ui.losses_curves_figures import Respect, gradient_figure, value_figure
from segdemo.ui.losses_curves_words import nothing_there, numbers, what_to_see
from segdemo.ui.losses_explained import explain

__all__ = ["show_curves"]

SCENES = ("region", "pixel")
DEFAULT = {"region": ("bce", "focal", "dice", "tversky"), "pixel": ("bce", "weighted_bce", "focal", "ohem")}
SHARES = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0)
AXIS = "curves"


def show_curves() -> None:
    """Pills, two plots with their controls, the sentence, the losses' own sliders, the numbers, and what to read."""
    choice = st.container()
    plots, side = st.columns([7, 2], gap="medium")
    with side:
        scene = _scene()
        region = _region() if scene == "region" else None
        respect, log, at = _reading()
    with choice:
        names = loss_pills(
            _("Losses"), REGION_LOSSES if region else PIXEL_LOSSES, DEFAULT[scene], f"curves_{scene}_losses",
            _("Which losses are drawn. Each keeps its colour on all views."),
        )  # fmt: skip
    options = _options(names, region)
    curves = [_curve(name, region, options[name]) for name in names]
    with plots:
        _draw(curves, region, respect, log, at)
    if curves:
        numbers(curves, at, respect)
    st.caption(nothing_there(region is not None))
    explain(names)


def _scene() -> str:
    words = {"region": _("A region"), "pixel": _("One pixel")}
    scene = st.segmented_control(
        _("What is judged"), SCENES, default=SCENES[0], key="curves_scene", persist_state="session", required=True,
        format_func=lambda name: words[name],
        help=_("A region compares all losses over the same pixels; one pixel alone shows those that judge each by itself."),
    )  # fmt: skip
    return str(scene)


def _region() -> Region:
    """The controls of the region, at once in words of what is predicted where."""
    words: dict[Surround, str] = {
        "same": _("the same p everywhere"), "fixed": _("p on the object, background fixed"),
        "mirror": _("p on the object, 1 − p around"),
    }  # fmt: skip
    share = st.select_slider(
        _("Foreground share"), SHARES, 0.05, key="curves_share", persist_state="session", format_func=lambda s: f"{100 * s:g} %",
        help=_("How many of the {n} pixels are foreground. 0 % is an empty mask.", n=PIXELS),
    )  # fmt: skip
    surround = st.selectbox(
        _("Prediction"), list(words), key="curves_surround", persist_state="session", format_func=lambda s: words[s],
        help=_("The first asks which constant each loss likes best. The second moves the object alone. "
               "In the third p is the probability of the truth: from all wrong to all right."),
    )  # fmt: skip
    background = 10
    if surround == "fixed":
        background = st.slider(
            _("Background's p"), 1, 99, 10, format="%d %%", key="curves_background", persist_state="session",
            help=_("What every background pixel is predicted with."),
        )  # fmt: skip
    return Region(share, surround, background / 100)


def _reading() -> tuple[Respect, bool, float]:
    words: dict[Respect, str] = {"logit": _("logit"), "prob": _("p")}
    respect = st.segmented_control(
        _("Gradient by"), list(words), default="logit", required=True, key="curves_respect", persist_state="session",
        format_func=lambda r: words[r],
        help=_("The logit is what the network puts out, so its gradient is what the network learns from; "
               "p = sigmoid(logit) comes after it."),
    )  # fmt: skip
    log = st.toggle(
        _("Logarithmic"), key="curves_log", persist_state="session", help=_("Powers of ten upwards; of gradients their size.")
    )
    at = st.slider(
        _("Read off at p"), 0.01, 0.99, 0.1, 0.01, key="curves_at", persist_state="session",
        help=_("The dashed line, and the numbers below."),
    )  # fmt: skip
    return respect, log, at


def _options(names: Sequence[str], region: Region | None) -> dict[str, tuple[tuple[str, float | str | None], ...]]:
    """The sliders of the chosen losses, those without any left out, a column each."""
    options: dict[str, tuple[tuple[str, float | str | None], ...]] = dict.fromkeys(names, ())
    left_out = {"per_image"} | ({"min_kept"} if region is None else set()) | ({"empty"} if region and region.share else set())
    with st.container(horizontal=True, gap="medium", key="curves_options"):
        for name in names:
            options[name] = loss_options(name, AXIS, left_out, must_set=region is None)
    return options


def _curve(name: str, region: Region | None, options: tuple[tuple[str, float | str | None], ...]) -> Curve:
    return pixel_curve(name, options) if region is None else region_curve(name, region, options)


def _draw(curves: Sequence[Curve], region: Region | None, respect: Respect, log: bool, at: float) -> None:
    """Value and gradient side by side, and what to see in them."""
    if not curves:
        st.info(_("Choose a loss above: its curve appears here."), icon=":material/show_chart:")
        return
    titles = ", ".join(title_of(curve.name) for curve in curves)
    figures = {
        "curves_value": (value_figure(curves, at, log), _("Loss against p: {names}", names=titles)),
        "curves_gradient": (gradient_figure(curves, at, respect, log), _("Gradient against p: {names}", names=titles)),
    }
    for column, (key, (figure, alt)) in zip(st.columns(2, gap="small"), figures.items(), strict=True):
        column.plotly_chart(figure, key=key, config={"displayModeBar": False}, alt=alt)
    st.markdown(what_to_see(curves, region))
