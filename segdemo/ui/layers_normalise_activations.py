"""Activations and their gradients as curves, read off at a place that can be moved."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from segdemo.errors import SettingError
from segdemo.layerlab.activations import (
    ACTIVATIONS,
    gelu,
    gelu_gradient,
    leaky_relu,
    leaky_relu_gradient,
    sigmoid,
    sigmoid_gradient,
)
from segdemo.layerlab.scene import digits
from segdemo.text import _
from segdemo.ui.layers_frame import cover, explain, introduce, predict
from segdemo.ui.layers_normalise_figures import activation_figure
from segdemo.ui.layers_parameter import keep, key_of, setting
from segdemo.ui.layers_parts import Part
from segdemo.ui.layers_settings import decimal_setting

__all__ = ["show_activations"]

DEFAULT = ("relu", "leaky_relu", "sigmoid", "tanh")
DEEP = 10  # layers that the table looks back through


def show_activations(part: Part) -> None:
    """Curves of value and gradient, and under them what they are at x."""
    with part.words:
        introduce(_("Without an activation between them, two convolutions amount to one: it is what makes layers worth "
                    "stacking. Its gradient decides how much of the error comes back through it."))  # fmt: skip
    with part.side:
        at = decimal_setting("at", _("Input x"), -6.0, 6.0, 0.1, 1.0, help=_("Where the curves are read off."))
        slope = decimal_setting(
            "slope", _("Slope of LeakyReLU"), 0.0, 0.5, 0.01, 0.1, help=_("The share that is let through below zero.")
        )
    with part.place:
        names = _functions()
        if part.asking and predict(
            _("How much of the gradient does a sigmoid let through at most?"),
            {"1": _("all"), "2": _("half"), "4": _("a quarter")}, "4",
            _("σ′ = σ·(1 − σ) is largest at σ = ½. Ten sigmoids in a row let through 0.25¹⁰, less than a millionth."),
            "activations",
        ):  # fmt: skip
            cover()
            return
        for gradient, column in zip((False, True), st.columns(2), strict=True):
            figure = activation_figure(names, slope, at, gradient)
            alt = _("Curves: the gradient of each function.") if gradient else _("Curves: the value of each function.")
            column.plotly_chart(figure, key=f"layers_curves_{gradient}", config={"displayModeBar": False}, alt=alt)
        if names:
            st.dataframe(_table(names, slope, at), hide_index=True)
            st.caption("\n".join(f"- **{ACTIVATIONS[name].title}**: {_(ACTIVATIONS[name].meaning)}" for name in names))
    _explain(names)


def _functions() -> list[str]:
    """The chosen functions, in the order of ACTIVATIONS."""
    chosen = setting("f", list(DEFAULT), _parse)
    key = key_of("f")
    st.session_state[key] = chosen

    def changed() -> None:
        keep("f", _written(st.session_state[key]), _written(DEFAULT))

    st.pills(
        _("Functions"), list(ACTIVATIONS), key=key, selection_mode="multi", on_change=changed, label_visibility="collapsed",
        format_func=lambda name: ACTIVATIONS[name].title, help=_("Which curves are drawn."),
    )  # fmt: skip
    return chosen


def _written(names: Sequence[str]) -> str:
    return ".".join(name for name in ACTIVATIONS if name in names) or "none"


def _parse(text: str) -> list[str]:
    names = [] if text == "none" else text.split(".")
    if unknown := [name for name in names if name not in ACTIVATIONS]:
        raise SettingError(_("In the address, activations are {all}. Not one of them: {names}.",
                             names=", ".join(unknown)[:80], all=", ".join(ACTIVATIONS)))  # fmt: skip
    return [name for name in ACTIVATIONS if name in names]


def _table(names: Sequence[str], slope: float, at: float) -> pd.DataFrame:
    point = np.array([at])
    values = [float(ACTIVATIONS[name].value(point, slope)[0]) for name in names]
    gradients = [float(ACTIVATIONS[name].gradient(point, slope)[0]) for name in names]
    return pd.DataFrame({
        _("Activation"): [ACTIVATIONS[name].title for name in names],
        _("Value at x = {x}", x=_number(at)): [_number(value) for value in values],
        _("Gradient there"): [_number(gradient) for gradient in gradients],
        _("Gradient after {n} layers", n=DEEP): [_number(gradient**DEEP) for gradient in gradients],
    })  # fmt: skip


def _number(value: float) -> str:
    text = f"{value:.4g}"
    return digits(value, brackets=False) if "e" in text else text.replace("-", "−")


def _explain(names: Sequence[str]) -> None:
    text = _(
        "**ReLU** is what most networks here use: cheap, and its gradient does not shrink where it is on. **Sigmoid** and "
        "**softmax** stand at the end, where numbers have to become probabilities; in the middle of deep networks they let "
        "gradients vanish, since each of them multiplies by a quarter at most.\n\n"
        "At x = 0 ReLU has a corner and no gradient; PyTorch takes 0."
    )
    formulas = [rf"\text{{{ACTIVATIONS[name].title}:}}\quad {ACTIVATIONS[name].latex}" for name in names]
    papers = (
        ("Nair, Hinton: Rectified Linear Units, ICML 2010", ""),
        ("Maas et al.: Rectifier Nonlinearities (LeakyReLU), 2013", ""),
        ("Hendrycks, Gimpel: Gaussian Error Linear Units, 2016", "https://arxiv.org/abs/1606.08415"),
    )
    explain(text, formulas, papers, (leaky_relu, leaky_relu_gradient, sigmoid, sigmoid_gradient, gelu, gelu_gradient))
