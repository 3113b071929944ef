"""Under the checkerboard: the counts along a row as bars, and beside them those of every kernel and stride as a table in colour.

Plain HTML in one element: it is there as soon as the page is, and follows the theme by the text's own colour.
"""

from collections.abc import Sequence
from html import escape

from segdemo.layerlab.coverage import inner_counts
from segdemo.text import _

__all__ = ["KERNELS", "STRIDES", "counts_panel", "even_table", "profile_bars"]

KERNELS, STRIDES = range(1, 8), range(1, 6)
MOST_NUMBERED = 24  # bars with a number in each
EVEN, UNEVEN = "0, 114, 178", "230, 159, 0"  # blue and orange of Okabe and Ito
STYLE = """<style>
.counts { display: flex; flex-wrap: wrap; gap: 1.25rem 2.5rem; align-items: stretch; }
.counts figure { display: flex; flex-direction: column; margin: 0; min-width: 0; flex: 1 1 18rem; }
.counts figcaption { font-weight: 600; margin-bottom: .5rem; }
.counts .bars { display: flex; align-items: flex-end; gap: 2px;
  flex: 1; min-height: 11rem; border-bottom: 1px solid rgba(128, 128, 128, .6); }
.counts .bars div { flex: 1; background: rgb(0, 114, 178); border-radius: 2px 2px 0 0; color: #fff; text-align: center;
  font-size: .8rem; line-height: 1.5; min-width: 0; overflow: hidden; }
.counts .bars .none { background: none; color: inherit; }
.counts small { opacity: .75; font-size: .85rem; margin-top: .35rem; line-height: 1.45; }
.counts table { border-collapse: separate; border-spacing: 2px; width: 100%; table-layout: fixed; font-size: .9rem;
  font-variant-numeric: tabular-nums; margin: 0; }
.counts th, .counts td { border: 0; text-align: center; padding: .22rem 0; font-weight: 400; white-space: nowrap; }
.counts th { opacity: .8; }
.counts td { border-radius: 4px; }
.counts td.even { font-weight: 600; }
.counts td[aria-current] { outline: 2px solid currentColor; outline-offset: -1px; font-weight: 700; }
</style>"""


def counts_panel(kernel: int, stride: int, counts: Sequence[int]) -> str:
    """HTML: both halves beside each other, on a phone above each other. counts: kernels on each cell along a row."""
    return f'{STYLE}<div class="counts">{profile_bars(counts)}{even_table(kernel, stride)}</div>'


def profile_bars(counts: Sequence[int]) -> str:
    """HTML: a bar a cell along a row of the output, as high as kernels land on it, with the number in it."""
    most = max(counts)
    bars = "".join(_bar(cell, count, most, numbered=len(counts) <= MOST_NUMBERED) for cell, count in enumerate(counts))
    label = escape(_("Kernels on each cell along a row: {counts}", counts=", ".join(map(str, counts))))
    head, foot = _("Profile along a row"), _("A bar for each output cell: how many kernels land on it.")
    return (f'<figure><figcaption>{escape(head)}</figcaption><div class="bars" role="img" aria-label="{label}">{bars}</div>'
            f"<small>{escape(foot)}</small></figure>")  # fmt: skip


def _bar(cell: int, count: int, most: int, numbered: bool) -> str:
    height, kind = (100 * count / most, "some") if count else (12, "none")
    title = escape(_("cell {x}: {y} kernels", x=cell, y=count))
    return f'<div class="{kind}" style="height:{height:.4g}%" title="{title}">{count if numbered else ""}</div>'


def even_table(kernel: int, stride: int) -> str:
    """HTML: the counts away from the border, strides across and kernels down; the chosen pair has a frame."""
    head = "".join(f'<th scope="col">{"s = " if s == STRIDES[0] else ""}{s}</th>' for s in STRIDES)
    rows = "".join(_row(k, stride if k == kernel else None) for k in KERNELS)
    caption = _("Inside, for each kernel k and stride s")
    foot = _("Kernels on a cell away from the border. Blue: all cells equally. Orange: unevenly, the stronger the more so; with "
             "0, some cells get nothing. Framed: the current choice.")  # fmt: skip
    return (f"<figure><figcaption>{escape(caption)}</figcaption><table><thead><tr><td></td>{head}</tr></thead>"
            f"<tbody>{rows}</tbody></table><small>{escape(foot)}</small></figure>")  # fmt: skip


def _row(kernel: int, chosen: int | None) -> str:
    cells = "".join(_cell(kernel, stride, stride == chosen) for stride in STRIDES)
    return f'<tr><th scope="row">{"k = " if kernel == KERNELS[0] else ""}{kernel}</th>{cells}</tr>'


def _cell(kernel: int, stride: int, chosen: bool) -> str:
    counts = inner_counts(kernel, stride).tolist()
    low, high = min(counts), max(counts)
    even = low == high
    share = 0.3 if even else 0.1 + 0.5 * (1 - (low / high) ** 2)  # in the picture counts are squared
    text = str(low) if even else f"{low}–{high}"
    words = ' aria-current="true"' if chosen else ""
    return (f'<td class="{"even" if even else "uneven"}" style="background:rgba({EVEN if even else UNEVEN},{share:.2f})"{words}>'
            f"{text}</td>")  # fmt: skip
