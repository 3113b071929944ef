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
from segdemo.ui.layers_coverage_parts import even_table, field_table, profile_figure, stack_setting
from segdemo.ui.layers_frame import Frame, asked, explain, framed, introduce, reasons, theatre
from segdemo.ui.layers_settings import choice_setting, number_setting, switch_setting

__all__ = ["SETTINGS", "show_coverage"]

SETTINGS = ("part", "k", "s", "n", "p", "size", "a", "b", "first", "second", "third", "layers")
LARGEST_OUTPUT = 24


def show_coverage() -> None:
    """Two sentences, the theatre with its controls, the counts as a profile and a table, and the explanation."""
    introduce(_("Before any weight is learned, the settings decide who is seen how often. A transposed convolution whose "
                "stride does not divide its kernel covers cells unevenly; dilated convolutions with a common factor never look "
                "at some cells."))  # fmt: skip
    frame = framed()
    with frame.top:
        part = choice_setting(
            "part", _("Which"), {"checkerboard": _("Checkerboard"), "gridding": _("Gridding")}, "checkerboard", compact=True,
            hide_label=True, help=_("Outputs under a transposed convolution, or inputs under stacked dilated ones."),
        )  # fmt: skip
    if part == "checkerboard":
        _checkerboard(frame)
    else:
        _gridding(frame)
    _explain()


# ---- transposed convolution ----------------------------------------------------------------------------------------------------


def _checkerboard(frame: Frame) -> None:
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
    counts = sorted(set(inner_counts(kernel, stride).tolist()))
    with frame.place:
        scene = checkerboard_scene(size, kernel, stride, padding)
        even = is_even(kernel, stride)
        covered = asked(frame.top, _("Is every inner cell covered equally often?"), {"yes": _("Yes"), "no": _("No")},
                        "yes" if even else "no", _verdict(kernel, stride))  # fmt: skip
        theatre(
            scene, "layers_theatre", label=_("Coverage of a transposed convolution"), covered=covered, autoplay=False, speed=8
        )
        if not covered:
            _profile(kernel, stride, size, padding, counts)


def _verdict(kernel: int, stride: int) -> str:
    counts = sorted(set(inner_counts(kernel, stride).tolist()))
    if len(counts) == 1:
        return _("{s} divides {k}: every inner cell is covered {n} × {n} = {square} times.", s=stride, k=kernel, n=counts[0],
                 square=counts[0] ** 2)  # fmt: skip
    low, high = counts
    return _("{s} does not divide {k}: along a row cells are covered {low} or {high} times, in the picture from {low2} to "
             "{high2}: a checkerboard.", s=stride, k=kernel, low=low, high=high, low2=low**2, high2=high**2)  # fmt: skip


def _profile(kernel: int, stride: int, size: int, padding: int, counts: list[int]) -> None:
    even = len(counts) == 1
    (st.success if even else st.warning)(_verdict(kernel, stride), icon=":material/grid_on:" if even else ":material/grid_view:")
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown(f"**{_('Profile along a row')}**")
        st.plotly_chart(
            profile_figure(transposed_counts(size, kernel, stride, padding)), key="layers_profile",
            config={"displayModeBar": False},
            alt=_("Bars: how many kernels land on each cell along a row of the output."),
        )  # fmt: skip
    with right:
        st.markdown(f"**{_('Counts inside, per kernel and stride')}**")
        st.markdown(even_table(kernel, stride))


# ---- dilated convolutions ------------------------------------------------------------------------------------------------------


def _gridding(frame: Frame) -> None:
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
        scene = layers_scene(first, kernel) if second is None else gridding_scene([first, second], kernel)
        theatre(
            scene,
            "layers_theatre",
            label=_("What one output sees through dilated convolutions"),
            covered=covered,
            autoplay=False,
            speed=8,
        )
        if not covered:
            st.caption(_("A count says on how many ways a cell reaches the output, whose own place is the middle. "
                         "Striped cells reach it on none."))  # fmt: skip
            st.markdown(field_table([first, *([second] if second else [])], kernel))


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
