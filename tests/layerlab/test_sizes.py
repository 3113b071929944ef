"""Sizes of convolution, pooling and transposed convolution against torch, and the formulas that are shown of them."""

import re

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from segdemo.layerlab.convolution import Arithmetic
from segdemo.layerlab.convolution_scene import convolution_scene
from segdemo.layerlab.coverage_scene import checkerboard_scene
from segdemo.layerlab.pooling import Pooling
from segdemo.layerlab.pooling_layer import Shrinking
from segdemo.layerlab.pooling_scene import pooling_scene
from segdemo.layerlab.shape_reading import parse_lines
from segdemo.layerlab.shape_walk import walk
from segdemo.layerlab.sizes import (
    convolved_formula,
    convolved_size,
    each_axis,
    extent,
    pooled_formula,
    pooled_size,
    transposed_formula,
    transposed_size,
)  # fmt: skip
from segdemo.layerlab.transposed import Transposed
from segdemo.layerlab.transposed_scene import stretch_scene

SIDES, KERNELS, STRIDES, PADDINGS, DILATIONS = (st.integers(low, high) for low, high in ((1, 40), (1, 7), (1, 5), (0, 4), (1, 4)))


def counted(formula: str) -> int:
    """What the left side of a formula comes to, without the words in it; its division rounds down."""
    left = re.sub(r"[a-z]", "", formula.partition(" = ")[0]).replace("·", "*").replace("−", "-").replace("/", "//")
    return int(eval(left))


def test_the_terms_are_named_and_what_changes_nothing_is_left_out() -> None:
    assert convolved_formula(6, 3, 1, 0) == "⌊(input 6 + 2·padding 0 − kernel 3) / stride 1⌋ + 1 = 4"
    assert convolved_formula(9, 3, 2, 1, 2) == "⌊(input 9 + 2·padding 1 − dilation 2·(kernel 3 − 1) − 1) / stride 2⌋ + 1 = 4"
    assert pooled_formula(5, 2, 2, 0, 1, True) == "⌈(input 5 + 2·padding 0 − kernel 2) / stride 2⌉ + 1 = 3"
    assert transposed_formula(3, 3, 2, 1, 1) == "(input 3 − 1)·stride 2 − 2·padding 1 + kernel 3 + output padding 1 = 6"
    assert transposed_formula(3, 3, 2, 0, 0, 2) == "(input 3 − 1)·stride 2 − 2·padding 0 + dilation 2·(kernel 3 − 1) + 1 = 9"


@settings(deadline=None)
@given(SIDES, KERNELS, STRIDES, PADDINGS, DILATIONS)
def test_a_convolution_is_as_large_as_torchs(n: int, k: int, s: int, p: int, d: int) -> None:
    assume(extent(k, d) <= n + 2 * p)
    found = F.conv1d(torch.zeros(1, 1, n, device="meta"), torch.zeros(1, 1, k, device="meta"), None, s, p, d).shape[2]
    assert convolved_size(n, k, s, p, d) == found
    formula = convolved_formula(n, k, s, p, d)
    assert formula.endswith(f" = {found}") and counted(formula.replace("⌊", "(").replace("⌋", ")")) == found


@settings(deadline=None)
@given(SIDES, KERNELS, STRIDES, PADDINGS, DILATIONS, st.booleans())
def test_a_pooling_is_as_large_as_torchs(n: int, k: int, s: int, p: int, d: int, ceil: bool) -> None:
    assume(extent(k, d) <= n + 2 * p and 2 * p <= k)
    found = F.max_pool1d(torch.zeros(1, 1, n), k, s, p, d, ceil).shape[2]
    assert pooled_size(n, k, s, p, d, ceil) == found
    formula = pooled_formula(n, k, s, p, d, ceil)
    assert f"= {found}" in formula and formula.startswith("⌈" if ceil else "⌊")
    room = (n + 2 * p - d * (k - 1) - 1) / s
    assert ("− 1 =" in formula) == (ceil and -(-room // 1) + 1 != found)


@settings(deadline=None)
@given(SIDES, KERNELS, STRIDES, PADDINGS, DILATIONS, st.integers(0, 4))
def test_a_transposed_convolution_is_as_large_as_torchs(n: int, k: int, s: int, p: int, d: int, extra: int) -> None:
    assume(extra < max(s, d) and transposed_size(n, k, s, p, extra, d) >= 1)
    x, w = torch.zeros(1, 1, n, device="meta"), torch.zeros(1, 1, k, device="meta")
    found = F.conv_transpose1d(x, w, None, s, p, extra, 1, d).shape[2]
    assert transposed_size(n, k, s, p, extra, d) == found
    assert counted(transposed_formula(n, k, s, p, extra, d)) == found
    assert ("output padding" in transposed_formula(n, k, s, p, extra, d)) == bool(extra)


def test_axes_are_named_where_they_differ() -> None:
    assert each_axis(["a", "a", "a"]) == "Output size: a"
    assert each_axis(["a", "b"]) == "Output height: a\nOutput width: b"
    assert each_axis(["a", "a", "b"]).splitlines() == ["Output depth: a", "Output height: a", "Output width: b"]


@pytest.mark.parametrize(("line", "formula"), [
    ("conv 1 k3 s2 p1 d2", lambda x, w: convolution_scene(x[None], w, None, Arithmetic((2, 2), (1, 1), (2, 2))).formula),
    ("maxpool k3 s2 p1 ceil", lambda x, _w: pooling_scene(
        x, Shrinking("max", Pooling((3, 3), (2, 2), (1, 1), ceil_mode=True))).formula),
    ("avgpool k3 s2 p1", lambda x, _w: pooling_scene(x, Shrinking("average", Pooling((3, 3), (2, 2), (1, 1)))).formula),
    ("upconv 1 k3 s2 p1", lambda x, w: stretch_scene(x, w[0, 0], Transposed((2, 2), (1, 1))).formula),
    ("upconv 1 k3 s2 p1", lambda x, _w: checkerboard_scene(len(x), 3, 2, 1).formula),
])  # fmt: skip
def test_a_scene_and_the_shape_walk_say_the_same(line, formula) -> None:  # type: ignore[no-untyped-def]
    x, w = torch.zeros(6, 6, dtype=torch.float64).numpy(), torch.ones(1, 1, 3, 3, dtype=torch.float64).numpy()
    note = walk(parse_lines(f"input 1 6 6\n{line}")).steps[-1].note
    assert formula(x, w) == f"Output size: {note}"
