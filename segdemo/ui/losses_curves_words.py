"""What the Curves view says: the sentence of what to see, the numbers at one p, and what has no curve and why."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from segdemo.losslab.curves import PIXELS, SEE_PLACES, Curve, Region
from segdemo.text import _
from segdemo.ui.loss_colours import title_of
from segdemo.ui.losses_curves_figures import Respect

__all__ = ["nothing_there", "numbers", "what_to_see"]

NEAR = 0.005


def what_to_see(curves: Sequence[Curve], region: Region | None) -> str:
    """Two sentences that hold for what is drawn."""
    if region is None:
        return _("Solid: a foreground pixel, dotted: a background pixel. **Below 0 a gradient pulls p up, above 0 it pushes p "
                 "down**; where it is flat at 0, a loss has nothing left to teach this pixel.")  # fmt: skip
    scale = _("Solid: the pull on one foreground pixel, dotted: on one background pixel, times the {n:,} pixels; by the logit, "
              "cross entropy then reads p − y.", n=PIXELS)  # fmt: skip
    if region.surround != "same":
        return scale + " " + _("Where a loss of a mean over pixels pulls each alike, a loss of overlap shares its pull among the "
                               "{n} foreground pixels: **the smaller the object, the harder each is pulled**.",
                               n=region.foreground)  # fmt: skip
    return f"{_liked(curves, region)} {scale}"


def _liked(curves: Sequence[Curve], region: Region) -> str:
    """Which constant for the whole picture each loss likes best."""
    groups: dict[str, list[str]] = {}
    for curve in curves:
        groups.setdefault(_place(curve.lowest, region), []).append(title_of(curve.name))
    parts = [f"**{', '.join(titles)}**: {place}" for place, titles in groups.items()]
    return _("Which constant does each loss like best (dots)?") + " " + "; ".join(parts) + "."


def _place(p: float, region: Region) -> str:
    if 0 < region.share < 1 and abs(p - region.share) < min(NEAR, region.share / 2):
        return _("p = {p:.3g}, the share itself", p=p)
    if p > 1 - NEAR:
        return _("all foreground")
    if p < NEAR:
        return _("no foreground at all")
    return _("p = {p:.2g}", p=p)


def numbers(curves: Sequence[Curve], at: float, respect: Respect) -> None:
    """A table: value and gradient of each loss at one p."""
    rows = []
    for curve in curves:
        slopes = curve.by_logit if respect == "logit" else curve.by_prob
        row = {_("At p = {p:g}", p=at): title_of(curve.name)}
        if "region" in curve.value:
            row[_("Loss")] = _read(curve, curve.value["region"], at)
        else:
            row[_("Loss, foreground")] = _read(curve, curve.value["foreground"], at)
            row[_("Loss, background")] = _read(curve, curve.value["background"], at)
        row[_("Gradient, foreground")] = _read(curve, slopes["foreground"], at) if "foreground" in slopes else "–"
        row[_("Gradient, background")] = _read(curve, slopes["background"], at) if "background" in slopes else "–"
        if "region" in curve.value:
            row[_("Lowest at p")] = f"{curve.lowest:.3g}"
        rows.append(row)
    st.dataframe(rows, hide_index=True, key="curves_numbers", height="content")


def _read(curve: Curve, line: np.ndarray[tuple[int, ...], np.dtype[np.float64]], at: float) -> str:
    return f"{np.interp(at, curve.p, line):.3g}".replace("-", "−")


def nothing_there(region: bool) -> str:
    """Which losses have no curve here, and where to see them."""
    places = ", ".join(title_of(name) for name in SEE_PLACES)
    shapes = _("{names} ask where pixels lie, not only how many: an even region tells nothing about them. “Spoil the mask” "
               "shows them on real shapes.", names=places)  # fmt: skip
    if region:
        return shapes
    return shapes + " " + _("Overlap losses and mixtures judge many pixels together: see “A region”. OHEM is shown "
                            "without its reserve of easy pixels, which a single pixel has not.")  # fmt: skip
