"""One colour for each class name of a comparison, also where networks with other classes meet and their colours are alike."""

from collections.abc import Iterable, Sequence
from itertools import chain

from segdemo.types import ClassInfo
from segdemo.ui.compare_data import PictureComparison
from segdemo.weights.palette import QUALITATIVE

__all__ = ["class_colours", "colours_of_comparison"]

Colour = tuple[int, int, int]


def class_colours(kinds: Iterable[Sequence[ClassInfo]]) -> dict[str, Colour]:
    """The colour of each class name, class 0 of each kind left out: its own where no name before it has that, else one that
    is left of the palette."""
    own: dict[str, Colour] = {}
    for info in chain.from_iterable(kind[1:] for kind in kinds):
        own.setdefault(info.name, info.color)
    firsts = {colour: name for name, colour in reversed(own.items())}
    spare = (colour for colour in QUALITATIVE if colour not in firsts)
    return {name: colour if firsts[colour] == name else next(spare, colour) for name, colour in own.items()}


def colours_of_comparison(comparison: PictureComparison) -> dict[str, Colour]:
    """Of all classes in a comparison's panes: the shared ones first, then each network's, then the truth's."""
    own = (outcome.prediction.classes for outcome in comparison.outcomes if outcome.prediction is not None)
    return class_colours([comparison.space.classes, *own, comparison.truth_classes])
