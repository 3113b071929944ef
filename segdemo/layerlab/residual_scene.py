"""A residual block as a scene: input, kernel, branch, and their sum. The way back is the same with the kernel turned around."""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.convolution import inputs_of, pad
from segdemo.layerlab.listing import HEAD, given
from segdemo.layerlab.residual import SAME, branch
from segdemo.layerlab.scene import Cell, Grid, Scene, Tap, digits, sum_line
from segdemo.text import _

__all__ = ["residual_scene"]

Float = NDArray[np.float64]
INPUT, KERNEL, BRANCH, OUTPUT = range(4)


def residual_scene(x: Float, kernel: Float, *, backward: bool = False) -> Scene:
    """x (H, W) and kernel (3, 3) of the branch. backward: x is ∂L/∂y, and ∂L/∂x comes out."""
    used = kernel[::-1, ::-1] if backward else kernel
    found = branch(x, used)
    padded = pad(x[None], (1, 1), "zeros")[0]
    border = np.ones(padded.shape, np.bool_)
    border[1:-1, 1:-1] = False
    titles = _titles(backward)
    grids = (
        Grid("input", titles[INPUT], padded, "signed", border, np.full((*padded.shape, 2), -1)),
        Grid("kernel", titles[KERNEL], used, "signed"),
        Grid("branch", titles[BRANCH], found, "signed"),
        Grid("output", titles[OUTPUT], x + found, "signed"),
    )
    taps, sums = _taps(x, padded, used, found)
    height, width = x.shape
    formula = _("({h}, {w}) + ({h}, {w}) → ({h}, {w}): both need the same shape", h=height, w=width)
    return Scene(grids, OUTPUT, taps, sums, formula, _code(x, kernel, backward))


def _titles(backward: bool) -> tuple[str, str, str, str]:
    if backward:
        return _("∂L/∂y, from above"), _("Kernel, turned around"), _("Through the branch"), _("∂L/∂x = both added")
    return _("Input x"), _("Kernel of the branch"), _("Branch F(x)"), _("Output y = x + F(x)")


def _taps(image: Float, padded: Float, kernel: Float, found: Float) -> tuple[dict[Cell, tuple[Tap, ...]], dict[Cell, str]]:
    """At every place first the cell of the branch, then the sum with what came around it."""
    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    for row, column in product(*map(range, image.shape)):
        window = [
            (step.at[1], step.at[2], step.weight[2], step.weight[3]) for step in inputs_of((0, row, column), (1, 1, 3, 3), SAME)
        ]
        terms = [(float(padded[y, x]), float(kernel[u, v])) for y, x, u, v in window]
        cell = (BRANCH, row, column)
        taps[cell] = tuple(
            Tap(INPUT, y, x, weight, (KERNEL, u, v), value * weight)
            for (y, x, u, v), (value, weight) in zip(window, terms, strict=True)
        )
        sums[cell] = sum_line(terms, float(found[row, column]))
        identity, added = float(image[row, column]), float(found[row, column])
        cell = (OUTPUT, row, column)
        taps[cell] = (Tap(INPUT, row + 1, column + 1), Tap(BRANCH, row, column))
        sums[cell] = f"{digits(identity)} + {digits(added)} = {digits(identity + added, brackets=False)}"
    return taps, sums


def _code(x: Float, kernel: Float, backward: bool) -> str:
    """PyTorch, with which the same numbers come out."""
    name = "g" if backward else "x"
    lines = [HEAD, given(name, x[None, None]), given("w", kernel[None, None])]
    if backward:
        lines += ["x = torch.zeros_like(g, requires_grad=True)", "(x + F.conv2d(x, w, padding=1)).backward(g)", "print(x.grad)"]
    else:
        lines.append("print(x + F.conv2d(x, w, padding=1))")
    return "\n".join(lines)
