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
from segdemo.layerlab.coverage_scene import checkerboard_scene, gridding_scene, layers_scene
from segdemo.text import _
from segdemo.ui.layers_coverage_counts import counts_panel
from segdemo.ui.layers_coverage_parts import field_table, stack_setting
from segdemo.ui.layers_frame import Frame, asked, explain, framed, introduce, reasons, theatre
from segdemo.ui.layers_parts import meaning_of_colours
from segdemo.ui.layers_settings import choice_setting, number_setting, switch_setting

__all__ = ["SETTINGS", "show_coverage"]

SETTINGS = ("part", "k", "s", "n", "p", "size", "a", "b", "first", "second", "third", "layers")
LARGEST_OUTPUT = 24


def show_coverage() -> None:
    """Two sentences, the theatre with its controls, the counts as a profile and a table, and the explanation."""
    words = st.container()
    frame = framed()
    with frame.top:
        part = choice_setting(
            "part", _("Which"), {"checkerboard": _("Checkerboard"), "gridding": _("Gridding")}, "checkerboard", compact=True,
            hide_label=True, help=_("Outputs under a transposed convolution, or inputs under stacked dilated ones."),
        )  # fmt: skip
    covered = _checkerboard(frame) if part == "checkerboard" else _gridding(frame)
    with words:
        introduce(_introduction(part, covered))
    _explain()


def _introduction(part: str, covered: bool) -> str:
    """Two sentences about the part; while its question is open, without the rule that answers it."""
    if part == "checkerboard":
        first = _("A transposed convolution lays its kernel over the output once for each input cell, a stride apart: before any "
                  "weight is learned, that decides how often a cell is covered.")  # fmt: skip
        rule = _("Where the stride does not divide the kernel, cells are covered unevenly, and a checkerboard can be seen in the "
                 "result.")  # fmt: skip
    else:
        first = _("A dilated convolution leaves gaps between the cells that its kernel looks at; the rate is their distance, and "
                  "stacked layers see a wide field of the input.")  # fmt: skip
        rule = _("Where all rates have a common factor, some of its cells are never looked at: that is gridding.")
    return first if covered else f"{first} {rule}"


# ---- transposed convolution ----------------------------------------------------------------------------------------------------


def _checkerboard(frame: Frame) -> bool:
    """The theatre and the counts; whether they are covered until the question is answered."""
    with frame.side:
        kernel = number_setting("k", _("Kernel"), 1, 7, 3, help=_("Cells along each side of the kernel."))
        stride = number_setting("s", _("Stride"), 1, 5, 2, help=_("Distance between the kernels on the output."))
        most = min(8, (LARGEST_OUTPUT - kernel) // stride + 1)
        why = _("The output is kept to {n} cells a side, so that its counts can be read.", n=LARGEST_OUTPUT) if most < 8 else ""
        size = number_setting("n", _("Input size"), 2, most, min(5, most), help=_("Cells along each side of the input."), why=why)
        limit = min(kernel - 1, ((size - 1) * stride + kernel - 1) // 2)
        cut = _("Padding cuts off {n} cells at most: what the kernels hang over the edge.", n=limit)
        padding = number_setting("p", _("Padding"), 0, limit, 0, help=_("Cells cut off the output on every side."), why=cut)
        reasons([why, cut])
    with frame.place:
        scene = checkerboard_scene(size, kernel, stride, padding)
        even = is_even(kernel, stride)
        covered = asked(frame.top, _("Is every inner cell covered equally often?"), {"yes": _("Yes"), "no": _("No")},
                        "yes" if even else "no", _verdict(kernel, stride))  # fmt: skip
        theatre(
            scene, "layers_theatre", label=_("Coverage of a transposed convolution"), covered=covered, autoplay=False, speed=8
        )
        if not covered:
            _profile(kernel, stride, size, padding)
    return covered


def _verdict(kernel: int, stride: int) -> str:
    counts = sorted(set(inner_counts(kernel, stride).tolist()))
    if len(counts) == 1:
        return _("{s} divides {k}: every inner cell is covered {n} × {n} = {square} times.", s=stride, k=kernel, n=counts[0],
                 square=counts[0] ** 2)  # fmt: skip
    low, high = counts
    return _("{s} does not divide {k}: along a row cells are covered {low} or {high} times, in the picture from {low2} to "
             "{high2}: a checkerboard.", s=stride, k=kernel, low=low, high=high, low2=low**2, high2=high**2)  # fmt: skip


def _profile(kernel: int, stride: int, size: int, padding: int) -> None:
    even = is_even(kernel, stride)
    st.caption(meaning_of_colours("count"))
    (st.success if even else st.warning)(_verdict(kernel, stride), icon=":material/grid_on:" if even else ":material/grid_view:")
    st.html(counts_panel(kernel, stride, transposed_counts(size, kernel, stride, padding).tolist()))


# ---- dilated convolutions ------------------------------------------------------------------------------------------------------


def _gridding(frame: Frame) -> bool:
    """The theatre and the table; whether they are covered until the question is answered."""
    with frame.side:
        kernel = int(choice_setting("size", _("Kernel"), {"3": "3 × 3", "5": "5 × 5"}, "3", compact=True, help=_(
            "The same for all layers. Each has a stride of 1.")))  # fmt: skip
        first = stack_setting("a", _("Rates"), "1_2_4", kernel, own=True)
        layered = switch_setting("layers", _("Layer by layer"), help=_(
            "From the output down to the input: each count is the sum of those that look at it."))  # fmt: skip
        second = None if layered else stack_setting("b", _("Against"), "2_2_2", kernel, own=False)
    with frame.place:
        share = unseen_share(first, kernel)
        words = ", ".join(map(str, first))
        why = _("With rates {rates}, {share:.0%} of the {n} × {n} cells of the field are never seen.", rates=words, share=share,
                n=len(dilated_counts(first, kernel)))  # fmt: skip
        covered = asked(frame.top, _("With rates {rates}: does an output see every cell of its field?", rates=words),
                        {"yes": _("Yes"), "no": _("No")}, "no" if share else "yes", why)  # fmt: skip
        scene = layers_scene(first, kernel) if second is None else gridding_scene([first, second], kernel, told=not covered)
        theatre(
            scene,
            "layers_theatre",
            label=_("What one output sees through dilated convolutions"),
            covered=covered,
            autoplay=False,
            speed=8,
        )
        if not covered:
            ways = _("A count says on how many ways a cell reaches the output, whose own place is the middle. Striped cells "
                     "reach it on none.")  # fmt: skip
            st.caption(f"{ways} {meaning_of_colours('count')}")
            st.markdown(field_table([first, *([second] if second else [])], kernel))
    return covered


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
