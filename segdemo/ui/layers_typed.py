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
from segdemo.ui.layers_settings import choice_setting, keep, say, setting, short_number

__all__ = ["LARGEST_TYPED", "Cells", "parse_cells", "pattern_setting", "typed", "write_cells", "write_numbers"]

Float = NDArray[np.float64]
LARGEST_TYPED = 99.0
SEED = 8
NUMBER = r"-?[0-9]{1,4}(?:\.[0-9]{1,4})?"


@dataclass(frozen=True)
class Typing:
    """What was typed: of `count` cells those of `changed`, by their number from 0."""

    count: int
    changed: Mapping[int, float]


def parse_cells(text: str) -> Typing:
    """All numbers, or the changed ones, as they stand in the address. Raises SettingError."""
    if re.fullmatch(rf"{NUMBER}(?:_{NUMBER})*", text):
        return Typing(text.count("_") + 1, dict(enumerate(map(float, text.split("_")))))
    found = re.fullmatch(rf"of([0-9]{{1,4}})((?:_[0-9]{{1,4}}_{NUMBER})+)", text)
    if not found:
        raise SettingError(_("In the address, numbers are written as 1_0_-0.5, with underscores between them."))
    parts = found[2].split("_")[1:]
    return Typing(int(found[1]), {int(at): float(value) for at, value in zip(parts[::2], parts[1::2], strict=True)})


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
        """Write a cell's new number into the address. One beyond ±most becomes the nearest, and that is said."""
        inside = min(max(value, -most), most)
        if inside != value:
            say(_("Numbers go from −{most} to {most} here: {value} has become {inside}.", most=short_number(most),
                  value=f"{value:g}".replace("-", "−"), inside=f"{inside:g}".replace("-", "−")))  # fmt: skip
        changed = self.values.copy()
        changed[place] = inside
        keep(self.name, write_cells(self.usual, changed) or None)


def typed(name: str, usual: Float, most: float = LARGEST_TYPED) -> Cells:
    """The grid with what was typed over it, where that was said of as many cells as there are now."""
    found = setting(name, Typing(0, {}), parse_cells)
    values = usual.copy()
    if found.count == usual.size:
        for at, value in found.changed.items():
            if at < usual.size:
                values.flat[at] = min(max(value, -most), most)
    return Cells(name, usual, values)


def pattern_setting(
    shape: tuple[int, ...], label: str, more: Mapping[str, str] | None = None, *, to_nine: bool = False
) -> tuple[str, Float]:
    """The choice of what the cells hold, and the numbers, (channels, …). A new choice takes back what was typed over the last.

    more: further choices, whose numbers the view makes itself. to_nine: digits up to 9, so that few are equal.
    """
    words = {"digits": _("digits"), "dot": _("a single 1"), "edge": _("an edge"), "stripes": _("stripes"), "ramp": _("a ramp")}
    chosen = choice_setting("of", label, {**words, **(more or {})}, "digits", clears=("x",), help=_(
        "What the cells hold. Double-click one to type another number."))  # fmt: skip
    known: NumberPattern = next((name for name in NUMBERS if name == chosen), "digits")
    if known == "digits" and to_nine:
        return chosen, np.random.default_rng(SEED).integers(0, 10, shape).astype(np.float64)
    return chosen, number_grid(known, shape)
