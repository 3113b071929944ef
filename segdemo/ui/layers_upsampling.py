"""The Up-sampling view: one small map through every method that makes it larger, beside each other and one by one."""

import streamlit as st

from segdemo.layerlab.sizes import transposed_size
from segdemo.layerlab.transposed import scatter, stretch, stretched_convolution, turned
from segdemo.layerlab.unpooling import max_unpool
from segdemo.layerlab.upsampling import bilinear, linear_weights, nearest, nearest_source, pixel_shuffle, shuffle_source
from segdemo.text import _
from segdemo.ui.layers_frame import asked, explain, framed, introduce, theatre
from segdemo.ui.layers_parts import meaning_of_colours
from segdemo.ui.layers_settings import choice_setting, number_setting
from segdemo.ui.layers_typed import pattern_setting, typed
from segdemo.ui.layers_upsampling_factor import by_factor
from segdemo.ui.layers_upsampling_shown import Shown
from segdemo.ui.layers_upsampling_transposed import by_kernel
from segdemo.ui.layers_upsampling_unpool import by_switches

__all__ = ["SETTINGS", "show_upsampling"]

SETTINGS = ("how", "n", "of", "x", "r", "alike", "way", "k", "s", "p", "op", "d", "kernel", "w", "uk", "us", "up")


def show_upsampling() -> None:
    """Two sentences, the theatre with its controls, what the method does, and the explanation."""
    introduce(_("A decoder has to make small maps large again. Here the same map goes through every way of doing it: some copy "
                "or mix, one remembers where the maxima were, one has learned weights, and one rearranges channels that a "
                "convolution before it has made."))  # fmt: skip
    frame = framed()
    with frame.top, st.container(width="content"):  # its own, so that on a phone the buttons wrap
        method = _method()
    with frame.side:
        size = number_setting("n", _("Map size"), 2, 5, 3, help=_("Cells along each side of the small map."))
        shown = by_switches(size) if method == "unpool" else _enlarged(method, size)
    with frame.place:
        question = shown.question
        covered = asked(frame.top, question.words, question.choices, question.answer, question.why)
        _draw(shown, method, covered)
        if not covered:  # it says sizes and counts
            st.caption(f"{shown.note} {meaning_of_colours('signed')}")
    if not covered:
        _explain()


def _method() -> str:
    words = {"all": _("All"), "nearest": _("Nearest"), "bilinear": _("Bilinear"), "unpool": _("Unpool"),
             "transposed": _("Transposed"), "shuffle": _("Shuffle")}  # fmt: skip
    return choice_setting("how", _("Method"), words, "all", compact=True, hide_label=True, help=_(
        "How the map gets larger. All: side by side; a cell of the map lights up what it feeds everywhere."))  # fmt: skip


def _enlarged(method: str, size: int) -> Shown:
    _chosen, numbers = pattern_setting((1, size, size), _("Shown on"), to_nine=True)
    image = typed("x", numbers[0])
    return by_kernel(image) if method == "transposed" else by_factor(method, image)


def _draw(shown: Shown, method: str, covered: bool) -> None:
    def edited(grid: int, row: int, column: int, value: float) -> None:
        if shown.kernel is not None and grid == 1:
            shown.kernel.type_over((row, column), value)
        else:
            shown.image.type_over((row - shown.padding, column - shown.padding), value)

    label = _("The maxima of a map go back") if method == "unpool" else _("A small map gets larger")
    theatre(shown.scene, label=label, covered=covered, editable=(0,) if shown.kernel is None else (0, 1),
            on_edit=edited)  # fmt: skip


def _explain() -> None:
    text = _(
        "**Nearest** and **bilinear** have no weights; a convolution usually follows. **Max-unpooling** needs the switches of "
        "the encoder's pooling and leaves zeros; where its windows overlap, one cell can be the maximum of several. A "
        "**transposed convolution** learns its kernel: it is the gradient of a convolution with the same settings, and not "
        "its inverse; where its stride does not divide its kernel, cells are covered unevenly (see Checkerboard). **Pixel "
        "shuffle** is a convolution at the small size whose r² channels become places.\n\n"
        "**Output padding** says which of several input sizes is meant: a convolution with stride 2 makes 3 cells of 5 and of 6. "
        "It adds cells at the end; it is not zero padding."
    )
    formulas = (
        r"\text{bilinear:}\quad i' = \left(i + \tfrac12\right)\tfrac{n}{m} - \tfrac12 \quad\text{or}\quad i\,\tfrac{n - 1}{m - "
        r"1}",
        r"\text{transposed:}\quad y_{f,\; s i + d u - p} \mathrel{+}= x_{c,i}\, w_{c,f,u}",
        r"\text{size} = (n - 1)\,s - 2p + d\,(k - 1) + 1 + \text{output padding}",
        r"\text{unpooling:}\quad (n - 1)\,s - 2p + k, \qquad \text{shuffle:}\quad C r^2 \times h \times w \to C \times h r "
        r"\times w r",
    )
    papers = (
        ("Dumoulin, Visin: A guide to convolution arithmetic for deep learning, 2016", "https://arxiv.org/abs/1603.07285"),
        ("Long, Shelhamer, Darrell: Fully Convolutional Networks (bilinear start), CVPR 2015", "https://arxiv.org/abs/1411.4038"),
        ("Badrinarayanan, Kendall, Cipolla: SegNet (switches), 2017", "https://arxiv.org/abs/1511.00561"),
        ("Shi et al.: Sub-Pixel Convolutional Neural Network (pixel shuffle), CVPR 2016", "https://arxiv.org/abs/1609.05158"),
        ("Aitken et al.: Checkerboard artifact free sub-pixel convolution (ICNR), 2017", "https://arxiv.org/abs/1707.02937"),
    )
    explain(text, formulas, papers, (
        nearest_source, nearest, linear_weights, bilinear, shuffle_source, pixel_shuffle, max_unpool,
        transposed_size, scatter, stretch, turned, stretched_convolution,
    ))  # fmt: skip
