"""The scored pictures as a strip, and their scores under every convention as dots on one axis. HTML that fits any width."""

import base64
import html
from collections.abc import Sequence

import numpy as np

from segdemo.inference.agreement import ERROR_KINDS
from segdemo.text import _
from segdemo.ui.loss_colours import colour_of
from segdemo.ui.losses_honesty_words import Row

__all__ = ["Scored", "convention_rows", "picture_strip"]

Scored = tuple[Row, float, float]  # a convention, its Dice and its IoU
DICE, IOU = colour_of("dice"), colour_of("iou")
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
ROW_STYLE = f"""
<style>
.hon-rows {{ font-size: .88rem; }}
.hon-group {{ font-size: .8rem; font-weight: 600; opacity: .8; margin: .45rem 0 .1rem .3rem; }}
.hon-rows summary {{ display: grid; grid-template-columns: 19rem 1fr; gap: .2rem 1rem; align-items: center; cursor: pointer;
  padding: .16rem .3rem; border-radius: 6px; list-style: none; }}
.hon-rows summary::-webkit-details-marker {{ display: none; }}
.hon-rows summary b {{ font-weight: 400; }}
.hon-rows summary b::before {{ content: "›"; display: inline-block; width: .9em; opacity: .6; transform-origin: 30% 58%;
  transition: transform .15s; }}
.hon-rows details[open] summary b::before {{ transform: rotate(90deg); }}
.hon-rows summary:hover, .hon-rows details[open] summary {{ background: rgba(128, 128, 128, .12); }}
.hon-rows p {{ margin: .1rem .3rem .4rem 1.2rem; opacity: .85; font-size: .84rem; }}
.hon-track {{ position: relative; height: 1.3rem; margin: 0 3.4rem;
  background: linear-gradient(90deg, rgba(128, 128, 128, .28) 1px, transparent 1px) 0 0 / 20% 100%;
  border-right: 1px solid rgba(128, 128, 128, .28); box-sizing: content-box; }}
.hon-track i {{ position: absolute; top: 50%; width: 11px; height: 11px; margin: -5.5px; border-radius: 50%; }}
.hon-track u {{ position: absolute; top: 50%; height: 3px; margin-top: -1.5px; background: rgba(128, 128, 128, .7); }}
.hon-track span {{ position: absolute; top: 0; line-height: 1.3rem; font-size: .78rem; font-variant-numeric: tabular-nums; }}
.hon-axis .hon-track span {{ transform: translateX(-50%); opacity: .7; }}
.hon-axis .hon-track {{ background: none; border-color: transparent; }}
.hon-axis {{ display: grid; grid-template-columns: 19rem 1fr; gap: 1rem; padding: 0 .3rem; }}
.hon-axis i, .hon-key i.d {{ border-radius: 50%; }}
@media (max-width: 900px) {{ .hon-rows summary, .hon-axis {{ grid-template-columns: 1fr; gap: 0; }} }}
.hon-dice {{ background: {DICE}; }}
.hon-iou {{ background: {IOU}; }}
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


def convention_rows(table: Sequence[Scored]) -> str:
    """A row a convention that opens on who counts so: IoU and Dice on an axis from 0 to 1."""
    parts, group = [], None
    for row, dice, iou in table:
        if row.group != group:
            group = row.group
            parts.append(f'<div class="hon-group">{html.escape(group)}</div>')
        summary = f"<summary><b>{html.escape(row.title)}</b>{_track(dice, iou)}</summary>"
        parts.append(f"<details>{summary}<p>{html.escape(row.who)}</p></details>")
    ticks = "".join(f'<span style="left: {100 * tick:g}%">{tick:g}</span>' for tick in (0, 0.2, 0.4, 0.6, 0.8, 1))
    key = '<span class="hon-key"><i class="d hon-iou"></i>IoU<i class="d hon-dice"></i>Dice</span>'
    axis = f'<div class="hon-axis">{key}<div class="hon-track">{ticks}</div></div>'
    return f'{ROW_STYLE}<div class="hon-rows">{axis}{"".join(parts)}</div>'


def _track(dice: float, iou: float) -> str:
    """Two dots with their numbers; IoU is never above Dice."""
    if np.isnan(dice) or np.isnan(iou):
        return f'<div class="hon-track"><span>{html.escape(_("nothing to score"))}</span></div>'
    left, right = 100 * iou, 100 * dice
    return (
        f'<div class="hon-track"><u style="left: {left:.2f}%; width: {right - left:.2f}%"></u>'
        f'<i class="hon-iou" style="left: {left:.2f}%"></i><i class="hon-dice" style="left: {right:.2f}%"></i>'
        f'<span style="right: calc({100 - left:.2f}% + 10px)">{iou:.3f}</span>'
        f'<span style="left: calc({right:.2f}% + 10px)">{dice:.3f}</span></div>'
    )
