"""Parts of the Gridding view: stacks of dilated convolutions to choose from, and what each of them sees as a table."""

from collections.abc import Sequence

import numpy as np

from segdemo.layerlab.coverage import dilated_counts, unseen_share
from segdemo.text import _
from segdemo.ui.layers_settings import choice_setting, number_setting

__all__ = ["STACKS", "field_table", "stack_setting"]

Rates = tuple[int, ...]
STACKS: tuple[Rates, ...] = ((1, 2, 4), (2, 2, 2), (1, 2, 5), (1, 2, 3), (1, 1, 1), (2, 4), (4, 4), (1, 2, 2))
OWN = ("first", "second", "third")
LARGEST_RATE = 5
LARGEST_FIELD = 33  # cells along a side; all stacks fit with a kernel of 5


def _words(rates: Sequence[int]) -> str:
    return ", ".join(map(str, rates))


def stack_setting(name: str, label: str, default: str, kernel: int, *, own: bool) -> Rates:
    """Dilation rates of a stack, in the order of its layers. own: rates of one's own can be set as well.

    The kernel's size says how far these can go, so that the field stays small enough to be drawn.
    """
    options = {"_".join(map(str, rates)): _words(rates) for rates in STACKS}
    if own:
        options["own"] = _("my own")
    chosen = choice_setting(name, label, options, default, help=_("For each layer, from the input to the output."))
    if chosen != "own":
        return tuple(int(rate) for rate in chosen.split("_"))
    rates: list[int] = []
    why = _("The field is kept to {n} cells per side, so that it can be drawn.", n=LARGEST_FIELD)
    for number, (key, usual) in enumerate(zip(OWN, (1, 3, 4), strict=True), start=1):
        left = (LARGEST_FIELD - 1) // (kernel - 1) - sum(rates) - (len(OWN) - number)  # every layer needs 1
        words = _("Distance between the cells that its kernel looks at.")
        rates.append(number_setting(key, _("Layer {n}", n=number), 1, min(LARGEST_RATE, left), usual, help=words, why=why))
    return tuple(rates)


def field_table(stacks: Sequence[Rates], kernel: int) -> str:
    """Markdown: field, cells seen and not seen, and how uneven the counts are, for the chosen stacks and the usual ones."""
    every = [*dict.fromkeys([*stacks, *STACKS[:3]])]
    head = (_("Dilation rates"), _("Field"), _("Cells seen"), _("Never seen"), _("Ways to the busiest cell"))
    rows = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for rates in every:
        counts = dilated_counts(rates, kernel)
        field, seen = len(counts), np.count_nonzero(counts) ** 2
        cells = (_words(rates), f"{field} × {field}", f"{seen} / {field**2}", f"{unseen_share(rates, kernel):.0%}",
                 str(int(counts.max()) ** 2))  # fmt: skip
        rows.append(f"| {' | '.join(f'**{cell}**' if rates in stacks else cell for cell in cells)} |")
    return "\n".join(rows)
