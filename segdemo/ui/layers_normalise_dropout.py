"""Dropout, cell by cell: what is dropped, how the rest is scaled, and that many draws come back to the input."""

import streamlit as st

from segdemo.layerlab.dropout import dropout, dropout_factors, mean_of_draws
from segdemo.layerlab.dropout_scene import dropout_scene
from segdemo.layerlab.patches import number_grid
from segdemo.text import _
from segdemo.ui.layers_frame import explain, introduce, predict, theatre
from segdemo.ui.layers_parts import Part, meaning_of_colours
from segdemo.ui.layers_settings import choice_setting, decimal_setting, number_setting

__all__ = ["show_dropout"]

SHAPE = (1, 5, 5)


def show_dropout(part: Part) -> None:
    """The theatre of input, factors and output, and the mean of many draws."""
    with part.words:
        words = st.container()
    with part.side:
        modes = {"train": _("Train"), "eval": _("Eval")}
        training = (
            choice_setting("dropping", _("Mode"), modes, "train", compact=True, help=_("In evaluation nothing is dropped."))
            == "train"
        )
        p = decimal_setting("p", _("Probability p of a drop"), 0.0, 0.9, 0.05, 0.5, help=_("For each number, on its own."))
        seed = number_setting(
            "seed", _("Seed"), 0, 99, 0, help=_("Another seed drops other numbers, in PyTorch the same as here.")
        )
        draws = number_setting(
            "draws", _("Draws for the mean"), 1, 500, 100, help=_("How many dropouts are averaged on the right.")
        )
    x = number_grid("digits", SHAPE, seed=1)[0] + 1
    with part.place:
        choices = {"same": "4", "half": "2", "twice": "8"}
        covered = part.asking and predict(
            _("With p = 0.5, a number 4 is kept in training. What comes out?"), choices, "twice",
            _("4 / (1 − 0.5) = 8: half of the time 0 and half of the time 8 is 4 on average."),
            "dropout",
        )  # fmt: skip
        with words:
            introduce(_introduction(covered))
        scene = dropout_scene(x, p, seed, training, draws, told=not covered)
        theatre(scene, label=_("A dropout, cell by cell"), covered=covered)
        if training and not covered:
            more = _("A factor of 0 means that a number was dropped. The more draws, the closer their mean comes to the input: "
                     "that is what 1/(1 − p) is for.")  # fmt: skip
            st.caption(f"{meaning_of_colours('signed')} {more}")
    if not covered:
        _explain()


def _introduction(covered: bool) -> str:
    """What dropout does; what becomes of the rest is left out while that is asked."""
    first = _("Dropout sets numbers to 0 at random while a network trains, so that no unit can rely on another.")
    rest = _("What is kept is scaled up by 1/(1 − p), so that the expected value stays the same, and evaluation needs no change.")
    return first if covered else f"{first} {rest}"


def _explain() -> None:
    text = _(
        "In **training** each number is dropped on its own, anew for every batch. In **evaluation** dropout does nothing: "
        "`model.eval()` switches it off, together with the batch statistics of normalisation.\n\n"
        "In convolutional networks neighbouring numbers say nearly the same, so that dropping single ones hides little: "
        "`nn.Dropout2d` drops whole channels instead. SegNet's Bayesian variant keeps dropout on in evaluation and takes the "
        "spread of many draws as uncertainty."
    )
    formulas = (
        r"y = \frac{m}{1 - p}\, x, \quad m \sim \text{Bernoulli}(1 - p)",
        r"\mathbb{E}[y] = (1 - p) \cdot \frac{x}{1 - p} + p \cdot 0 = x",
    )
    papers = (("Srivastava et al.: Dropout, JMLR 15, 2014", "https://jmlr.org/papers/v15/srivastava14a.html"),
              ("Kendall et al.: Bayesian SegNet, BMVC 2017", "https://arxiv.org/abs/1511.02680"))  # fmt: skip
    explain(text, formulas, papers, (dropout_factors, dropout, mean_of_draws))
