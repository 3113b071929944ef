"""A 1×1 convolution as a scene: the channels of the input, the matrix, the channels of the output.

As maps, there is a grid a channel; as one product of matrices, every pixel is a column.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from segdemo.layerlab.listing import HEAD, given
from segdemo.layerlab.mixing import as_columns, mix
from segdemo.layerlab.scene import Cell, Grid, Scene, Tap, sum_line
from segdemo.text import _

__all__ = ["mixing_scene"]

Float = NDArray[np.float64]
Seen = Literal["maps", "matrix"]


def mixing_scene(
    image: Float, weight: Float, bias: Float | None, *, seen: Seen = "maps", names: Sequence[str] = (), picture: bool = False
) -> Scene:
    """image (C, H, W), weight (filters, C), bias (filters,) or None. names: of the input's channels, finished text.

    picture: the input is coloured as greys from 0 to 1. Raises SettingError as `mix` does.
    """
    output = mix(image, weight, bias)
    names = names or [_("Input channel {n}", n=number) for number in range(len(image))]
    grids = (_maps if seen == "maps" else _matrices)(image, weight, output, names, picture)
    first = {key: next(i for i, grid in enumerate(grids) if grid.key.startswith(key)) for key in ("input", "weights", "output")}
    width = image.shape[2]

    def cell(key: str, channel: int, pixel: int) -> Cell:
        return (first[key] + channel, *divmod(pixel, width)) if seen == "maps" else (first[key], channel, pixel)

    taps: dict[Cell, tuple[Tap, ...]] = {}
    sums: dict[Cell, str] = {}
    columns, results = as_columns(image), as_columns(output)
    for pixel in range(columns.shape[1]):
        for chosen, row in enumerate(weight):
            at = cell("output", chosen, pixel)
            taps[at] = tuple(
                Tap(*cell("input", c, pixel), float(w), (first["weights"], chosen, c), float(w * columns[c, pixel]))
                for c, w in enumerate(row)
            )
            sums[at] = sum_line(
                list(zip(columns[:, pixel].tolist(), row.tolist(), strict=True)), float(results[chosen, pixel]),
                None if bias is None else float(bias[chosen]),
            )  # fmt: skip
    return Scene(tuple(grids), first["output"], taps, sums, _formula(image, weight, bias), _code(image, weight, bias))


def _maps(image: Float, weight: Float, output: Float, names: Sequence[str], picture: bool) -> list[Grid]:
    light = picture and bool((weight >= 0).all())
    return [
        *(Grid(f"input{c}", names[c], sheet, "picture" if picture else "signed", place=(0, c)) for c, sheet in enumerate(image)),
        Grid("weights", _("Weights: row per filter"), weight, "signed", place=(1, 0)),
        *(Grid(f"output{f}", _("Output channel {n}", n=f), sheet, "picture" if light else "signed", place=(2, f))
          for f, sheet in enumerate(output)),
    ]  # fmt: skip


def _matrices(image: Float, weight: Float, output: Float, _names: Sequence[str], picture: bool) -> list[Grid]:
    kind: Literal["picture", "signed"] = "picture" if picture else "signed"
    return [
        Grid("input", _("X: row per channel, column per pixel"), as_columns(image), kind),
        Grid("weights", _("W: row per filter"), weight, "signed"),
        Grid("output", _("Y = W·X: row per filter"), as_columns(output), "signed"),
    ]


def _formula(image: Float, weight: Float, bias: Float | None) -> str:
    """Shapes and the number of weights, filled in."""
    (channels, height, width), filters = image.shape, len(weight)
    count = f"{filters}·{channels}" + (f" + {filters}" if bias is not None else "")
    total = weight.size + (0 if bias is None else filters)
    words = _("weights: {count} = {total}, for any height and width", count=count, total=total)
    return f"({channels}, {height}, {width}) → ({filters}, {height}, {width}); {words}"


def _code(image: Float, weight: Float, bias: Float | None) -> str:
    """PyTorch, with which the same numbers come out."""
    same = _("the same: a linear layer at every pixel")
    lines = [HEAD, given("x", image[None]), given("w", weight),
             "b = None" if bias is None else given("b", bias),
             "print(F.conv2d(x, w[:, :, None, None], b))",
             f"print(F.linear(x.movedim(1, -1), w, b).movedim(-1, 1))  # {same}"]  # fmt: skip
    return "\n".join(lines)
