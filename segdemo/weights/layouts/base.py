"""What a layout is: the names that one project gives to the tensors of a network, and how they are read.

A layout looks at names and shapes only. Its reading says which of our networks has these tensors, with which options,
and which of our modules each of its modules is; everything else (comparing, converting, loading) follows from that.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from segdemo.types import Notice, Preprocessing

__all__ = ["GREY_IMAGENET", "UNIT_RANGE", "Layout", "Reading", "Shape", "Shapes", "double_conv", "numbers"]

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]  # by the names in the file

ZEROS, ONES = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
UNIT_RANGE = Preprocessing(mean=ZEROS, std=ONES)  # bytes divided by 255 and nothing else: what most trainings do
GREY_IMAGENET = Preprocessing(mean=(0.449,) * 3, std=(0.226,) * 3)  # the averages over the three channels


@dataclass(frozen=True)
class Reading:
    """What a layout makes of a file's names and shapes.

    modules: each of the file's modules → ours; None where the names are ours already. upsampled_first: our convolutions
    whose input the file has as (upsampled, skip), where ours is (skip, upsampled). dropped: beginnings of names that
    the network does not need. preprocessing: what the project's training does. notes: what the visitor should know.
    """

    model: str
    options: Mapping[str, Any]
    modules: Mapping[str, str] | None = None
    upsampled_first: frozenset[str] = frozenset()
    dropped: tuple[str, ...] = ()
    preprocessing: Preprocessing = UNIT_RANGE
    notes: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class Layout:
    """One project's names. `landmarks` are names that every file of it holds, `pattern` what all of its names match.

    `read` may raise KeyError, IndexError or ValueError where something that belongs to the layout is missing.
    """

    name: str  # kept in cards
    title: str  # for the visitor
    landmarks: tuple[str, ...]
    pattern: re.Pattern[str]
    read: Callable[[Shapes], Reading] = field(repr=False)

    def recognises(self, shapes: Shapes) -> bool:
        """Whether all landmarks are there."""
        return all(name in shapes for name in self.landmarks)

    def likeness(self, shapes: Shapes) -> float:
        """The share of the names, 0–1, that this layout could have given."""
        return sum(self.pattern.match(name) is not None for name in shapes) / max(1, len(shapes))


def numbers(shapes: Iterable[str], pattern: str) -> list[int]:
    """The different numbers below 100 that the group of `pattern` takes at the beginning of names, in order."""
    found = {int(match[1]) for name in shapes if (match := re.match(pattern, name)) and len(match[1]) <= 2}
    return sorted(found)


def double_conv(theirs: tuple[str, str, str, str], ours: str) -> dict[str, str]:
    """Convolution, norm, convolution, norm → the places they have in our `double_conv` with normalisation."""
    return dict(zip(theirs, (f"{ours}.{place}" for place in (0, 1, 3, 4)), strict=True))
