"""Parts of the Checkerboard view: stacks of dilated convolutions to choose from, the profile as bars, tables of counts."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from segdemo.layerlab.coverage import dilated_counts, inner_counts, unseen_share
from segdemo.text import _
from segdemo.ui.layers_settings import choice_setting, number_setting

__all__ = ["STACKS", "even_table", "field_table", "profile_figure", "stack_setting"]

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
    chosen = choice_setting(name, label, options, default, help=_("Dilation of each layer, from the input to the output."))
    if chosen != "own":
        return tuple(int(rate) for rate in chosen.split("_"))
    rates: list[int] = []
    why = _("The field is kept to {n} cells a side, so that it can be drawn.", n=LARGEST_FIELD)
    for number, (key, usual) in enumerate(zip(OWN, (1, 3, 4), strict=True), start=1):
        left = (LARGEST_FIELD - 1) // (kernel - 1) - sum(rates) - (len(OWN) - number)  # every layer needs 1
        words = _("Distance between the cells that its kernel looks at.")
        rates.append(number_setting(key, _("Layer {n}", n=number), 1, min(LARGEST_RATE, left), usual, help=words, why=why))
    return tuple(rates)


def profile_figure(counts: NDArray[np.int64]) -> go.Figure:
    """Bars: kernels on each cell along a row. The colour comes from the theme."""
    bars = go.Bar(
        x=np.arange(len(counts)), y=counts, hovertemplate=_("cell {x}: {y} kernels", x="%{x}", y="%{y}") + "<extra></extra>"
    )
    figure = go.Figure(bars)
    figure.update_layout(height=210, margin={"l": 0, "r": 0, "t": 8, "b": 0}, showlegend=False, bargap=0.12)
    figure.update_xaxes(title=_("Output cell"))
    figure.update_yaxes(title=_("Kernels"), rangemode="tozero", dtick=1)
    return figure


def even_table(kernel: int, stride: int) -> str:
    """Markdown: the counts inside for kernels 1–7 and strides 2–5; the chosen pair in brackets, even ones bold."""
    strides = (2, 3, 4, 5)
    rows = [f"| {_('Kernel, by stride')} | {' | '.join(map(str, strides))} |", "|---" * (len(strides) + 1) + "|"]
    rows += [f"| {k} | {' | '.join(_cell(k, s, (kernel, stride) == (k, s)) for s in strides)} |" for k in range(1, 8)]
    return "\n".join(rows)


def _cell(kernel: int, stride: int, chosen: bool) -> str:
    counts = sorted(set(inner_counts(kernel, stride).tolist()))
    text = f"**{counts[0]}**" if len(counts) == 1 else f"{counts[0]}\u2060–\u2060{counts[-1]}"
    return f":primary-background[{text}]" if chosen else text


def field_table(stacks: Sequence[Rates], kernel: int) -> str:
    """Markdown: field, cells seen and not seen, and how uneven the counts are, for the chosen stacks and the usual ones."""
    every = [*dict.fromkeys([*stacks, *STACKS[:3]])]
    head = (_("Rates"), _("Field"), _("Cells seen"), _("Never seen"), _("Ways to the busiest cell"))
    rows = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for rates in every:
        counts = dilated_counts(rates, kernel)
        field, seen = len(counts), np.count_nonzero(counts) ** 2
        cells = (_words(rates), f"{field} × {field}", f"{seen} / {field**2}", f"{unseen_share(rates, kernel):.0%}",
                 str(int(counts.max()) ** 2))  # fmt: skip
        rows.append(f"| {' | '.join(f'**{cell}**' if rates in stacks else cell for cell in cells)} |")
    return "\n".join(rows)
