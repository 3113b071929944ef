"""Softmax with a temperature: three logits become probabilities, cell by cell, and how each moves with each."""

import numpy as np
import streamlit as st

from segdemo.layerlab.softmax import exponentials, softmax, softmax_gradient
from segdemo.layerlab.softmax_scene import softmax_scene
from segdemo.text import _
from segdemo.ui.layers_frame import explain, introduce, predict, theatre
from segdemo.ui.layers_normalise_figures import temperature_figure
from segdemo.ui.layers_parameter import key_of
from segdemo.ui.layers_parts import Part
from segdemo.ui.layers_settings import decimal_setting
from segdemo.ui.layers_typed import Cells, typed

__all__ = ["show_softmax"]

LOGITS = np.array([2.0, 1.0, -1.0])
LARGEST = 6.0


def show_softmax(part: Part) -> None:
    """The theatre of logits, powers, probabilities and gradients; under it the probabilities against the temperature."""
    with part.words:
        words = st.container()
    cells = typed("z", LOGITS, LARGEST)
    logits = cells.values
    with part.side:
        for number in range(len(logits)):
            _logit(cells, number)
        temperature = decimal_setting("t", _("Temperature T"), 0.1, 10.0, 0.1, 1.0, help=_("Logits are divided by it first."))
    with part.place:
        choices = {"up": _("It gets closer to 1"), "same": _("It stays"), "down": _("It gets smaller")}
        equal = np.ptp(logits) == 0
        why = _("All logits are equal, whatever they are divided by: a third each.") if equal else _(
            "Divided by T, the logits come closer together, and so do the probabilities, towards a third each."
        )  # fmt: skip
        covered = part.asking and predict(
            _("A higher temperature: what happens to the largest probability?"), choices, "same" if equal else "down", why,
            f"softmax {equal}",
        )  # fmt: skip

        def edited(_grid: int, row: int, _column: int, value: float) -> None:
            cells.type_over(row, value, LARGEST)

        theatre(softmax_scene(logits, temperature), label=_("A softmax, cell by cell"), covered=covered,
                editable=[0], on_edit=edited, most=LARGEST)  # fmt: skip
        with words:
            introduce(_introduction(covered))
        if not covered:
            st.caption(_("Each row is a class and has its colour, below as well. The squares on the right are gradients: how "
                         "much the probability of the row's class changes when the logit of the column's class grows. Orange: it "
                         "grows as well; blue: it shrinks."))  # fmt: skip
            st.plotly_chart(
                temperature_figure(logits, temperature), key="layers_temperature", config={"displayModeBar": False},
                alt=_("Lines: the probability of each class against the temperature."),
            )  # fmt: skip
    if not covered:
        _explain()


def _introduction(covered: bool) -> str:
    """What softmax does; what the temperature does is left out while that is asked."""
    first = _("Softmax turns the logits of a pixel's classes, which can be any numbers, into probabilities: powers of e, divided "
              "by their sum.")  # fmt: skip
    rest = (
        _("Before that, the logits are divided by a temperature T.")
        if covered
        else _("A high temperature makes them more equal, a low one more certain; the order stays the same.")
    )
    return f"{first} {rest}"


def _logit(cells: Cells, number: int) -> None:
    """A slider for one of the logits; all stand in one setting."""
    key = key_of(f"z{number}")
    st.session_state[key] = float(cells.values[number])

    def changed() -> None:
        cells.type_over(number, float(st.session_state[key]), LARGEST)

    st.slider(_("Logit of class {n}", n=number), -LARGEST, LARGEST, step=0.5, key=key, on_change=changed,
              help=_("What the network's last layer puts out for this class; any number."))  # fmt: skip


def _explain() -> None:
    text = _(
        "Only **differences** of logits count: the same number added to all changes nothing, and the largest is taken away "
        "first, so that no power of e overflows. With **two classes** softmax is a sigmoid of their difference.\n\n"
        "Every row and column of the gradient adds up to 0: what one class wins, the others lose. Where the network is "
        "certain, all of it is nearly 0. Together with **cross entropy** most of it cancels, and p − target is left.\n\n"
        "Dividing by a temperature after training is the simplest way to **calibrate** a network that is too certain."
    )
    formulas = (
        r"p_i = \frac{e^{z_i / T}}{\sum_j e^{z_j / T}}",
        r"\frac{\partial p_i}{\partial z_j} = \frac{1}{T}\, p_i \left([i = j] - p_j\right)",
    )
    papers = (("Hinton et al.: Distilling the Knowledge in a Neural Network, 2015", "https://arxiv.org/abs/1503.02531"),
              ("Guo et al.: On Calibration of Neural Networks, ICML 2017", "https://arxiv.org/abs/1706.04599"))  # fmt: skip
    explain(text, formulas, papers, (exponentials, softmax, softmax_gradient))
