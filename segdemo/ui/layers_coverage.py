"""The Checkerboard view: how often transposed kernels cover each output cell, and what stacked dilated kernels never see."""

import streamlit as st

from segdemo.layerlab.coverage import (
    dilated_counts,
    inner_counts,
    is_even,
    landings,
    seen_from,
    transposed_counts,
    unseen_share,
)  # fmt: skip
from segdemo.text import _
from segdemo.ui.layers_coverage_checkerboard import show_checkerboard
from segdemo.ui.layers_coverage_gridding import show_gridding
from segdemo.ui.layers_frame import explain, framed, introduce
from segdemo.ui.layers_settings import choice_setting

__all__ = ["SETTINGS", "show_coverage"]

SETTINGS = ("part", "k", "s", "n", "p", "size", "a", "b", "first", "second", "third", "layers")


def show_coverage() -> None:
    """Two sentences, the theatre with its controls, the counts as a profile and a table, and the explanation."""
    words = st.container()
    frame = framed()
    with frame.top:
        part = choice_setting(
            "part", _("Which"), {"checkerboard": _("Checkerboard"), "gridding": _("Gridding")}, "checkerboard", compact=True,
            hide_label=True, help=_("Outputs under a transposed convolution, or inputs under stacked dilated ones."),
        )  # fmt: skip
    covered = show_checkerboard(frame) if part == "checkerboard" else show_gridding(frame)
    with words:
        introduce(_introduction(part, covered))
    if not covered:
        _explain()


def _introduction(part: str, covered: bool) -> str:
    """Two sentences about the part; while its question is open, without the rule that answers it."""
    if part == "checkerboard":
        first = _("A transposed convolution lays its kernel over the output once for each input cell, a stride apart: before any "
                  "weight is learned, this decides how often a cell is covered.")  # fmt: skip
        rule = _("Where the stride does not divide the kernel, cells are covered unevenly, and a checkerboard can be seen in the "
                 "result.")  # fmt: skip
    else:
        first = _("A dilated convolution leaves gaps between the cells that its kernel looks at; the dilation rate is their "
                  "distance, and stacked layers see a wide field of the input.")  # fmt: skip
        rule = _("Where all dilation rates have a common factor, some of its cells are never looked at: that is gridding.")
    return first if covered else f"{first} {rule}"


def _explain() -> None:
    text = _(
        "**Checkerboard.** With kernel k and stride s, neighbouring outputs are reached by ⌈k/s⌉ or ⌊k/s⌋ kernels along an axis; "
        "in two axes counts multiply. A network can learn weights that even it out, but it starts uneven and seldom gets there "
        "entirely. Remedies: a kernel that the stride divides (4 and 2), or nearest or bilinear followed by an ordinary "
        "convolution. The gradient of a convolution with stride is a transposed one and has the same pattern.\n\n"
        "**Gridding.** A dilated kernel with rate r looks at every r-th cell. Layers whose rates share a factor keep looking at "
        "the same cells: with 2, 2, 2 seven of ten cells of the field are missing, and neighbouring outputs share no input at "
        "all. Rates such as 1, 2, 5 without a common factor leave no holes; so does 1, 2, 4, a part of DilatedNet's 1, 1, 2, 4, "
        "8, 16."
    )
    formulas = (
        r"\text{even} \iff s \mid k \qquad c_{i,j} = c_i \cdot c_j, \quad c_i = \#\{(a, u): s a + u - p = i\}",
        r"\text{ways} = \prod_{l} \left(1 + z^{r_l} + z^{-r_l}\right) \quad (3 \times 3), \qquad \text{field} = 1 + \sum_l "
        r"r_l\,(k - 1)",
    )
    papers = (
        (
            "Odena, Dumoulin, Olah: Deconvolution and Checkerboard Artifacts, Distill 2016",
            "https://distill.pub/2016/deconv-checkerboard/",
        ),
        ("Yu, Koltun, Funkhouser: Dilated Residual Networks (gridding), CVPR 2017", "https://arxiv.org/abs/1705.09914"),
        (
            "Wang et al.: Understanding Convolution for Semantic Segmentation (hybrid rates), 2018",
            "https://arxiv.org/abs/1702.08502",
        ),
    )
    explain(text, formulas, papers, (landings, transposed_counts, inner_counts, is_even, dilated_counts, seen_from, unseen_share))
