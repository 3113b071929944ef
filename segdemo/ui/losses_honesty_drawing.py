"""The scored pictures as a strip, and their scores under every convention as dots on one axis."""

import base64
import html
from collections.abc import Sequence

import numpy as np

from segdemo.inference.agreement import ERROR_KINDS
from segdemo.text import _
from segdemo.ui.loss_colours import colour_of
from segdemo.ui.losses_honesty_words import Row

__all__ = ["Scored", "convention_data", "picture_strip"]

Scored = tuple[Row, float, float]  # a convention, its Dice and its IoU
STRIP_STYLE = """
<style>
.hon-strip { display: flex; flex-wrap: wrap; gap: .6rem; margin: 0 0 .2rem; }
.hon-strip figure { margin: 0; font-size: .8rem; line-height: 1.25; }
.hon-strip img { height: 88px; border-radius: 6px; display: block; margin-bottom: .25rem; max-width: 240px; object-fit: cover; }
.hon-strip figcaption span { display: block; max-width: 130px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.hon-key { font-size: .8rem; opacity: .85; }
.hon-key i { display: inline-block; width: .7em; height: .7em; border-radius: 2px; margin: 0 .35em 0 .9em; }
.hon-key i:first-child { margin-left: 0; }
</style>
"""


def picture_strip(pictures: Sequence[tuple[str, str, bytes]], *, binary: bool) -> str:
    """Name, score and PNG of each picture, with what the colours of the errors mean; binary: no class can be confused."""
    figures = []
    for name, score, png in pictures:
        safe, alt = html.escape(name), html.escape(_("{name}: where the prediction is right and wrong", name=name))
        source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
        figures.append(
            f'<figure><img src="{source}" alt="{alt}"><figcaption><span title="{safe}">{safe}</span>'
            f"<span><b>{html.escape(score)}</b></span></figcaption></figure>"
        )
    words = [_("found"), _("false alarm"), _("missed"), *([] if binary else [_("wrong class")])]
    key = "".join(
        f'<i style="background: rgb{kind.color}"></i>{html.escape(word)}'
        for kind, word in zip(ERROR_KINDS[1:], words, strict=False)
    )
    return f'{STRIP_STYLE}<div class="hon-strip">{"".join(figures)}</div><div class="hon-key">{key}</div>'


def convention_data(table: Sequence[Scored]) -> dict[str, object]:
    """What the component draws: a row a convention that opens on who counts so, IoU and Dice on an axis from 0 to 1."""
    rows = [
        {"group": row.group, "title": row.title, "who": row.who, "dice": _known(dice), "iou": _known(iou)}
        for row, dice, iou in table
    ]
    return {"rows": rows, "nothing": _("nothing to score"), "colours": {"iou": colour_of("iou"), "dice": colour_of("dice")}}


def _known(score: float) -> float | None:
    return None if np.isnan(score) else score
