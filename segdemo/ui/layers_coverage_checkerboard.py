"""How often the kernels of a transposed convolution cover each output cell: the theatre, its controls, the counts."""

import streamlit as st

from segdemo.layerlab.coverage import inner_counts, is_even, transposed_counts
from segdemo.layerlab.coverage_scene import checkerboard_scene
from segdemo.text import _
from segdemo.ui.layers_coverage_counts import counts_panel
from segdemo.ui.layers_frame import Frame, asked, reasons, theatre
from segdemo.ui.layers_parts import meaning_of_colours
from segdemo.ui.layers_settings import number_setting

__all__ = ["show_checkerboard"]

LARGEST_OUTPUT = 24


def show_checkerboard(frame: Frame) -> bool:
    """The theatre and the counts; whether they are covered until the question is answered."""
    with frame.side:
        kernel = number_setting("k", _("Kernel"), 1, 7, 3, help=_("Cells along each side of the kernel."))
        stride = number_setting("s", _("Stride"), 1, 5, 2, help=_("Distance between the kernels on the output."))
        most = min(8, (LARGEST_OUTPUT - kernel) // stride + 1)
        why = _("The output is kept to {n} cells per side, so that its counts can be read.", n=LARGEST_OUTPUT) if most < 8 else ""
        size = number_setting("n", _("Input size"), 2, most, min(5, most), help=_("Cells along each side of the input."), why=why)
        limit = min(kernel - 1, ((size - 1) * stride + kernel - 1) // 2)
        cut = _("Padding cuts off at most {n} cells per side: as many as the kernels overhang.", n=limit)
        padding = number_setting("p", _("Padding"), 0, limit, 0, help=_("Cells cut off the output on every side."), why=cut)
        reasons([why, cut])
    with frame.place:
        scene = checkerboard_scene(size, kernel, stride, padding)
        even = is_even(kernel, stride)
        covered = asked(frame.top, _("Is every inner cell covered equally often?"), {"yes": _("Yes"), "no": _("No")},
                        "yes" if even else "no", _verdict(kernel, stride))  # fmt: skip
        theatre(scene, label=_("Coverage of a transposed convolution"), covered=covered, autoplay=False, speed=8)
        if not covered:
            _profile(kernel, stride, size, padding)
    return covered


def _verdict(kernel: int, stride: int) -> str:
    counts = sorted(set(inner_counts(kernel, stride).tolist()))
    if len(counts) == 1:
        return _("{s} divides {k}: every inner cell is covered {n} × {n} = {square} times.", s=stride, k=kernel, n=counts[0],
                 square=counts[0] ** 2)  # fmt: skip
    low, high = counts
    return _("{s} does not divide {k}: along a row, cells are covered {low} or {high} times, in the picture {low2} to "
             "{high2} times: a checkerboard.", s=stride, k=kernel, low=low, high=high, low2=low**2, high2=high**2)  # fmt: skip


def _profile(kernel: int, stride: int, size: int, padding: int) -> None:
    even = is_even(kernel, stride)
    st.caption(meaning_of_colours("count"))
    (st.success if even else st.warning)(_verdict(kernel, stride), icon=":material/grid_on:" if even else ":material/grid_view:")
    st.html(counts_panel(kernel, stride, transposed_counts(size, kernel, stride, padding).tolist()))
