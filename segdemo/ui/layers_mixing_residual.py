"""The residual block: what goes on as it is, what the branch adds, and how the gradient comes back through both."""

import numpy as np
import streamlit as st

from segdemo.layerlab.patches import number_grid
from segdemo.layerlab.residual import branch, chain_gradients, residual, residual_gradient
from segdemo.layerlab.residual_scene import residual_scene
from segdemo.layerlab.scene import digits
from segdemo.text import _
from segdemo.ui.layers_frame import explain, introduce, predict, theatre
from segdemo.ui.layers_mixing_figures import chain_figure
from segdemo.ui.layers_parts import Part, meaning_of_colours
from segdemo.ui.layers_settings import choice_setting, decimal_setting, number_setting
from segdemo.ui.layers_typed import typed

__all__ = ["show_residual"]

SIDE = 5
KERNEL = np.array([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])  # the cell's neighbours against the cell itself


def show_residual(part: Part) -> None:
    """The block cell by cell, forwards or backwards, and under it many blocks in a row."""
    with part.side:
        words = {"forward": _("Forward"), "backward": _("Gradient")}
        way = choice_setting("way", _("Direction"), words, "forward", compact=True, help=_(
            "From the input to the output, or the gradient of the loss from the output back to the input."))  # fmt: skip
        backward = way == "backward"
        strength = decimal_setting("branch", _("Branch weights times"), 0.0, 1.0, 0.25, 1.0, help=_("0 switches the branch off."))
    x = typed("r", number_grid("digits", (1, SIDE, SIDE), seed=4)[0])
    kernel = typed("k", KERNEL)
    with part.place:
        covered = part.asking and _question(backward)
        with part.words:
            introduce(_introduction(covered))

        def edited(grid: int, row: int, column: int, value: float) -> None:
            if grid == 0:
                x.type_over((row - 1, column - 1), value)
            else:
                kernel.type_over((row, column), value)

        as_typed = strength == 1 and not backward  # otherwise the kernel is drawn times its strength, or turned around
        editable = (0, 1) if as_typed else (0,)
        theatre(residual_scene(x.values, strength * kernel.values, backward=backward), covered=covered,
                editable=editable, on_edit=edited, label=_("A residual block, cell by cell"))  # fmt: skip
        if not covered:
            st.caption(" ".join(filter(None, (meaning_of_colours("signed"), _strength_note(strength, backward)))))
            _many()
    if not covered:
        _explain()


def _introduction(covered: bool) -> str:
    """What the block does; what is left of it without the branch is left out while that is asked."""
    first = _(
        "A residual block passes its input on unchanged, and a branch of convolutions adds what should change: y = x + F(x)."
    )
    if covered:
        return first
    return f"{first} {_('With all weights of the branch at 0, the block is the identity: what goes in comes out.')}"


def _question(backward: bool) -> bool:
    """What comes out without a branch; True while the output has to stay hidden."""
    choices = {"zero": _("zeros"), "same": _("the same numbers"), "twice": _("twice the numbers")}
    if backward:
        return predict(_("If all weights of the branch are 0, what arrives of ∂L/∂y?"), choices, "same",
                       _("∂y/∂x = 1 + F′(x): the 1 belongs to the identity and no weight can take it away."))  # fmt: skip
    return predict(_("If all weights of the branch are 0, what comes out?"), choices, "same",
                   _("x + 0 = x. Set “Branch weights times” to 0 to see it."))  # fmt: skip


def _strength_note(strength: float, backward: bool) -> str:
    """What a branch that is weaker, or off, means."""
    if 0 < strength < 1 and not backward:
        return _("The kernel is shown multiplied by {strength:g}. At 1 its numbers can be typed over.", strength=strength)
    if strength:
        return ""
    if backward:
        return _("The branch is 0 everywhere: **∂L/∂x is ∂L/∂y**, unchanged.")
    return _("The branch is 0 everywhere: **y is x**, and a deeper network starts no worse than a shallow one.")


def _many() -> None:
    """Layers in a row, each a single number, with and without identity."""
    st.markdown(_("#### Many layers in a row"))
    left, right = st.columns(2)
    with left:
        depth = number_setting("depth", _("Layers"), 1, 100, 30, help=_("How many layers the gradient has to go back through."))
    with right:
        slope = decimal_setting("slope", _("Weight w of each layer"), -1.5, 1.5, 0.05, 0.1, help=_(
            "Each layer is a single number here: w times its input, without or with the input added."))  # fmt: skip
    plain, added = chain_gradients(slope, depth)
    st.plotly_chart(
        chain_figure(plain, added), key="layers_chain", config={"displayModeBar": False},
        alt=_("Two lines: the size of the gradient after each layer, without and with the identity."),
    )  # fmt: skip
    st.caption(_("After {n} layers: {w}ⁿ = **{plain}** without identity, (1 + {w})ⁿ = **{added}** with it, in absolute "
                 "value. Small "
                 "weights make the plain gradient vanish, and leave the residual one near 1; large ones make it explode.",
                 n=depth, w=f"{slope:g}".replace("-", "−"), plain=_short(plain[-1]), added=_short(added[-1])))  # fmt: skip


def _short(value: float) -> str:
    """Three digits; far from 1 with a power of ten."""
    text = f"{value:.3g}"
    return digits(float(value), brackets=False) if "e" in text else text


def _explain() -> None:
    text = _(
        "Deeper plain networks came out **worse even on their training set**: it is hard to learn a stack of layers that does "
        "nothing. A residual block does nothing by itself, and only has to learn the difference. The gradient has a way around "
        "every block, so that early layers learn from the first step on.\n\n"
        "Both sides of the sum need the **same shape**. Where a block halves the size or changes the channels, the shortcut "
        "is a 1×1 convolution with that stride. **U-Net's skips** work differently: they concatenate channels "
        "instead of adding."
    )
    formulas = (
        r"y = x + F(x)",
        r"\frac{\partial L}{\partial x} = \frac{\partial L}{\partial y} \left(1 + \frac{\partial F}{\partial x}\right)",
        r"\prod_{l=1}^{n} w = w^n \quad \text{against} \quad \prod_{l=1}^{n} (1 + w) = (1 + w)^n",
    )  # fmt: skip
    papers = (("He et al.: Deep Residual Learning, CVPR 2016", "https://arxiv.org/abs/1512.03385"),
              ("He et al.: Identity Mappings in Deep ResNets, ECCV 2016", "https://arxiv.org/abs/1603.05027"))  # fmt: skip
    explain(text, formulas, papers, (branch, residual, residual_gradient, chain_gradients))
