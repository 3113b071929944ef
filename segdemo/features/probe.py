"""The pixel probe: one pixel of the picture, and what every stage says at the position that lies nearest to it."""

from collections.abc import Mapping

from torch import Tensor

from segdemo.features.placement import Placement

__all__ = ["values_at"]


def values_at(maps: Mapping[str, Tensor], placed: Mapping[str, Placement], y: int, x: int) -> dict[str, Tensor]:
    """Stage → its channels (C,) at the position whose centre is nearest to the pixel in row y, column x of the input.

    maps: stage → (C, h, w) as recorded of one picture; placed: the placements for that picture's size. In the order of
    `maps`; a stage that is not placed has no entry.
    """
    found = {}
    for name, activation in maps.items():
        if name in placed:
            row, column = placed[name].position_at(y, x)
            found[name] = activation[:, row, column]
    return found
