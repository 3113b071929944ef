"""What blocks of convolutions cost: two 3×3 against one 5×5, the bottleneck against the plain residual block."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from segdemo.layerlab.block_counts import Block, ConvSize, block_at, code_of
from segdemo.text import _
from segdemo.ui.layers_frame import cover, explain, introduce, predict
from segdemo.ui.layers_mixing_figures import blocks_figure, weights_figure
from segdemo.ui.layers_parts import Part
from segdemo.ui.layers_settings import choice_setting, number_setting, switch_setting
from segdemo.ui.words import compact_number

__all__ = ["show_counts"]

SQUARES = {"one5": "25c²", "two3": "9c² + 9c² = 18c²", "plain": "9c² + 9c² = 18c²", "bottleneck": "4c² + 9c² + 4c² = 17c²",
           "plain_wide": "144c² + 144c² = 288c²"}  # fmt: skip


def show_counts(part: Part) -> None:
    """The blocks drawn, their weights as bars, and the numbers."""
    with part.side:
        words = {"kernels": _("5×5 or 3×3 twice"), "blocks": _("Plain or bottleneck")}
        pair = choice_setting("pair", _("Compare"), words, "kernels", help=_("Which blocks are compared."))
        channels = number_setting("c", _("Channels c"), 1, 512, 64, help=_("Every count grows with its square."))
        size = number_setting(
            "size", _("Height and width"), 1, 224, 56, help=_("Pixels. Multiply-adds grow with it, weights do not.")
        )
        wide = pair == "blocks" and switch_setting("wide", _("Equally wide plain block"), help=_(
            "Also two 3×3 convolutions on all 4c channels, without a bottleneck."))  # fmt: skip
    names = ["one5", "two3"] if pair == "kernels" else ["plain", "bottleneck", *(["plain_wide"] if wide else [])]
    blocks = [block_at(name, channels) for name in names]
    with part.place:
        hidden = part.asking and _question(pair, channels)
        with part.words:
            introduce(_introduction(pair, hidden))
        st.plotly_chart(
            blocks_figure(blocks), key="layers_blocks", config={"displayModeBar": False, "staticPlot": True},
            alt=_("One row per block: its tensors as bars, the taller the more channels, its convolutions as arrows."),
        )  # fmt: skip
        if hidden:
            cover()
            return
        st.plotly_chart(
            weights_figure(blocks), key="layers_weights", config={"displayModeBar": False},
            alt=_("Bars: the weights of each block, made up of those of its convolutions."),
        )  # fmt: skip
        st.dataframe(_table(blocks, size), hide_index=True)
        st.caption(_reading(pair, blocks, channels))
    _explain(blocks)


def _introduction(pair: str, hidden: bool) -> str:
    """What is compared; how many weights each has is left out while that is asked."""
    if pair == "kernels":
        first = _("Two 3×3 convolutions see the same 5×5 pixels as one 5×5 convolution, with one more activation between them.")
        counts = _("They need 18c² weights instead of 25c², if every layer has c channels.")
    else:
        first = _("A bottleneck reduces the channels to a quarter with a 1×1 convolution, works on those, and restores "
                  "their number.")  # fmt: skip
        counts = _("Four times as many channels go through it for 17c² weights; the plain block on c channels has 18c².")
    return first if hidden else f"{first} {counts}"


def _question(pair: str, channels: int) -> bool:
    """Which has fewer weights; True while the numbers have to stay hidden."""
    if pair == "kernels":
        one, two = block_at("one5", channels).weights, block_at("two3", channels).weights
        choices = {"one": _("One 5×5"), "same": _("Both the same"), "two": _("Two 3×3")}
        return predict(_("Which has fewer weights?"), choices, "two", f"2·9·{channels}² = {two:,} < 25·{channels}² = {one:,}")
    plain, narrow = block_at("plain", channels).weights, block_at("bottleneck", channels).weights
    choices = {"16": _("16 times as many"), "4": _("4 times as many"), "1": _("slightly fewer")}
    why = f"4·{channels}² + 9·{channels}² + 4·{channels}² = {narrow:,}, 18·{channels}² = {plain:,}"
    return predict(_("The bottleneck carries 4c channels, the plain block c. How many weights does it have?"), choices, "1", why)


def _table(blocks: Sequence[Block], size: int) -> pd.DataFrame:
    return pd.DataFrame({
        _("Block"): [_(block.title) for block in blocks],
        _("Weights in c"): [SQUARES[block.name] for block in blocks],
        _("Weights"): [f"{block.weights:,}" for block in blocks],
        _("Multiply-adds at {n}×{n}", n=size): [compact_number(block.macs(size, size)) for block in blocks],
        _("Sees"): [f"{block.field}×{block.field}" for block in blocks],
        _("Activations"): [str(len(block.layers)) for block in blocks],
    })  # fmt: skip


def _reading(pair: str, blocks: Sequence[Block], channels: int) -> str:
    drawn = _("Grey bars are tensors, the taller the more channels; arrows are convolutions, as thick as their kernel is wide. "
              "A multiply-add is a weight times a number, added to a sum.")  # fmt: skip
    if pair == "kernels":
        share = 1 - block_at("two3", channels).weights / block_at("one5", channels).weights
        saved = _("Two 3×3 have {share:.0%} fewer weights and multiply-adds, whatever c is, at stride 1 and padded so that the "
                  "size stays the same.", share=share)  # fmt: skip
    else:
        times = block_at("plain_wide", channels).weights / block_at("bottleneck", channels).weights
        saved = _("A plain block on all {wide} channels would have 288c² weights, {times:.0f} times as many as the bottleneck.",
                  wide=4 * channels, times=times)  # fmt: skip
    more = " · ".join(f"{_(block.title)}: {block.biases:,}" for block in blocks)
    biases = _("Counted without biases, since batch normalisation follows; with them, one for each output channel, there would "
               "be more: {more}.", more=more)  # fmt: skip
    return f"{drawn} {saved} {biases}"


def _explain(blocks: Sequence[Block]) -> None:
    text = _(
        "A k×k convolution from a to b channels has **k²·a·b** weights, and each of them is used once at every pixel: "
        "multiply-adds are weights times height times width.\n\n"
        "**VGG** replaced large kernels by stacks of 3×3: two see 5×5, three see 7×7 (27c² against 49c²). **ResNet-50** and "
        "deeper ones use the bottleneck, 256→64→64→256 in the first stage; ResNet-18 and 34 the plain block, 64→64→64."
    )
    code = "\n".join(["from torch import nn", *(f"{block.name} = {code_of(block)}" for block in blocks)])
    formulas = (r"2 \cdot 3^2 c^2 = 18 c^2 < 5^2 c^2 = 25 c^2", r"4c \cdot c + 3^2 c^2 + c \cdot 4c = 17 c^2 < 18 c^2")
    papers = (("Simonyan, Zisserman: Very Deep Convolutional Networks, ICLR 2015", "https://arxiv.org/abs/1409.1556"),
              ("He et al.: Deep Residual Learning, CVPR 2016, figure 5", "https://arxiv.org/abs/1512.03385"))  # fmt: skip
    explain(f"{text}\n\n```python\n{code}\n```", formulas, papers, (ConvSize, Block, block_at))
