"""Numbers that can be typed over, cell by cell: what the cells hold at first, and what of it stands in the address.

Of a grid of n cells the address holds all numbers, "1_0_-0.5", or, where that is shorter, only the cells that were changed:
"of25_12_3.5_13_-7" says that of 25 cells the thirteenth is 3.5 and the fourteenth −7. Numbers for another count of cells have
no say, and are kept for when the grid has that many again.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.layerlab.patches import NUMBERS, NumberPattern, number_grid
from segdemo.text import _
from segdemo.ui.layers_parameter import keep, say, setting, short_number
from segdemo.ui.layers_settings import choice_setting, nearest

__all__ = ["LARGEST_TYPED", "Cells", "parse_cells", "pattern_setting", "typed", "write_cells", "write_numbers"]

Float = NDArray[np.float64]
LARGEST_TYPED = 99.0
SEED = 8
NUMBER = r"-?[0-9]{1,4}(?:\.[0-9]{1,4})?"


@dataclass(frozen=True)
class Typing:
    """What was typed: of `count` cells those of `changed`, by their number from 0. `again`: a cell that is named twice."""

    count: int
    changed: Mapping[int, float]
    again: int | None = None


def parse_cells(text: str) -> Typing:
    """All numbers, or the changed ones, as they stand in the address. Raises SettingError."""
    if re.fullmatch(rf"{NUMBER}(?:_{NUMBER})*", text):
        return Typing(text.count("_") + 1, dict(enumerate(map(float, text.split("_")))))
    found = re.fullmatch(rf"of([0-9]{{1,4}})((?:_[0-9]{{1,4}}_{NUMBER})+)", text)
    if not found:
        raise SettingError(_("In the address, numbers are written as 1_0_-0.5, with underscores between them."))
    parts = found[2].split("_")[1:]
    places = [int(at) for at in parts[::2]]
    again = next((at for number, at in enumerate(places) if at in places[:number]), None)
    return Typing(int(found[1]), dict(zip(places, map(float, parts[1::2]), strict=True)), again)


def write_numbers(values: Sequence[float]) -> str:
    """All numbers; four decimals at most."""
    return "_".join(map(short_number, values))


def write_cells(usual: Float, values: Float) -> str:
    """The text that `parse_cells` reads: all numbers, or those that are not the usual ones, whichever is shorter; "" for none."""
    pairs = [f"{at}_{short_number(values.flat[at])}" for at in np.flatnonzero(values != usual)]
    return min("_".join([f"of{usual.size}", *pairs]), write_numbers(values.ravel().tolist()), key=len) if pairs else ""


@dataclass(frozen=True)
class Cells:
    """A grid whose cells can be typed over: the usual numbers, and those that are shown."""

    name: str
    usual: Float
    values: Float

    @property
    def own(self) -> bool:
        """Whether anything was typed."""
        return not np.array_equal(self.usual, self.values)

    def type_over(self, place: int | tuple[int, ...], value: float, most: float = LARGEST_TYPED) -> None:
        """Write a cell's new number into the address: the nearest that it can hold, and where that is another, it is said."""
        changed = self.values.copy()
        changed[place] = _possible(value, most)
        keep(self.name, write_cells(self.usual, changed) or None)


def _possible(value: float, most: float) -> float:
    """The nearest number that a cell can have: from −most to most, four decimals."""
    inside = nearest(_("A cell"), value, -most, most, _(
        "Numbers go from −{most} to {most} here.", most=short_number(most)))  # fmt: skip
    kept = float(short_number(inside))
    return nearest(_("A cell"), inside, kept, kept, _("Numbers are kept to four decimals."))


def typed(name: str, usual: Float, most: float = LARGEST_TYPED) -> Cells:
    """The grid with what was typed over it, where that was said of as many cells as there are now.

    What the address says of no cell, or twice of one, or too large, is said and mended.
    """
    found = setting(name, Typing(0, {}), parse_cells)
    values = usual.copy()
    if found.count != usual.size:
        return Cells(name, usual, values)
    for at, value in found.changed.items():
        if at < usual.size:
            values.flat[at] = _possible(value, most)
    if found.again is not None:
        say(_("In the address, cell {n} is named twice. The last number counts.", n=found.again))
    if outside := [at for at in found.changed if at >= usual.size]:
        say(_("There is no cell {n}: they are counted from 0 to {last}.", n=outside[0], last=usual.size - 1))
    if outside or found.again is not None or any(abs(value) > most for value in found.changed.values()):
        keep(name, write_cells(usual, values) or None)
    return Cells(name, usual, values)


def pattern_setting(
    shape: tuple[int, ...], label: str, more: Mapping[str, str] | None = None, *, usual: NumberPattern = "digits",
    to_nine: bool = False,
) -> tuple[str, Float]:  # fmt: skip
    """The choice of what the cells hold, and the numbers, (channels, …). A new choice takes back what was typed over the last.

    more: further choices, whose numbers the view makes itself. usual: what they hold at first. to_nine: digits up to 9, so that
    few are equal.
    """
    words = {"digits": _("digits"), "dot": _("a single 1"), "edge": _("an edge"), "stripes": _("stripes"), "ramp": _("a ramp")}
    chosen = choice_setting("of", label, {**words, **(more or {})}, usual, clears=("x",), help=_(
        "What the cells hold. Double-click one to type another number."))  # fmt: skip
    known: NumberPattern = next((name for name in NUMBERS if name == chosen), usual)
    if known == "digits" and to_nine:
        return chosen, np.random.default_rng(SEED).integers(0, 10, shape).astype(np.float64)
    return chosen, number_grid(known, shape)
