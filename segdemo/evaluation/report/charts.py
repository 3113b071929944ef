"""The charts of the report: curves, calibration, dots of each picture, intervals of differences. SVG without any library."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import count
from math import ceil, floor, isfinite, log10
from textwrap import wrap

from segdemo.evaluation.colours import DASHES
from segdemo.evaluation.report.context import names_of
from segdemo.evaluation.report.svg import Plane, drawing
from segdemo.evaluation.scores.differences import Comparison
from segdemo.evaluation.scores.results import Evaluation
from segdemo.evaluation.scores.rows import picture_scores
from segdemo.evaluation.scores.series import calibration_means, curve_floor, known_curve, ordered_pictures
from segdemo.text import _

__all__ = ["difference_chart", "picture_chart", "precision_recall_chart", "reliability_chart"]

FIFTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
TENTHS = tuple(k / 10 for k in range(11))
ROW, LINE = 48.0, 18.0  # of a difference, and of each line of its name after the first
MAX_LINE = 52  # letters that surely fit beside each other
MAX_HOVERED = 600  # pictures that name themselves on hovering


def _labels(values: Sequence[float], form: str = "{:.1f}") -> list[str]:
    return [form.format(value) for value in values]


def precision_recall_chart(evaluation: Evaluation, colours: Sequence[str]) -> str:
    """Precision against recall, a star at the best threshold, a ring at the one in use; "" where no candidate has a curve."""
    curves = [known_curve(evaluation, result) for result in evaluation.results]
    low = curve_floor(curves)
    plane = Plane(58, 12, 450, 300, x_range=(low, 1), y_range=(low, 1))
    ticks = [value for value in TENTHS if value >= low and (low > 0.4 or value in FIFTHS)]
    parts = [plane.horizontal_ticks(ticks, _labels(ticks), _("Recall")),
             plane.vertical_ticks(ticks, _labels(ticks), _("Precision"))]  # fmt: skip
    marks, names = [], names_of(evaluation)
    for index, curve in enumerate(curves):
        if curve is None:
            continue
        parts.append(plane.line(curve.recall.tolist(), curve.precision.tolist(), colours[index], dash=DASHES[index]))
        for place, mark in ((curve.in_use, plane.dot), (curve.best, plane.star)):
            if place is not None:
                words = _("{key}, threshold {t}: IoU {iou}", key=names[index], t=f"{curve.thresholds[place]:.2f}",
                          iou=f"{curve.iou[place]:.3f}")  # fmt: skip
                where = (float(curve.recall[place]), float(curve.precision[place]), colours[index], words)
                marks.append(plane.star(*where) if mark == plane.star else plane.dot(*where, radius=5, hollow=True))
    return drawing(520, 356, _("Precision against recall of each network"), *parts, *marks) if marks else ""


def reliability_chart(evaluation: Evaluation, colours: Sequence[str]) -> str:
    """How often it was so against the probability said, and below how many pixels each bin holds, on a logarithmic axis."""
    most = max((int(r.reliability.count.max(initial=0)) for r in evaluation.results), default=0)
    decades = max(1, ceil(log10(max(most, 2))))
    above, below = Plane(58, 12, 450, 228), Plane(58, 256, 450, 56, y_range=(0, decades))
    marked = [k for k in range(decades + 1) if k in (0, decades) or decades <= 3]
    parts = [above.horizontal_ticks(FIFTHS, [""] * 6), above.vertical_ticks(FIFTHS, _labels(FIFTHS), _("Share that was so")),
             below.horizontal_ticks(FIFTHS, _labels(FIFTHS), _("Probability said")),
             below.vertical_ticks(marked, [_power(k) for k in marked], _("Pixels")),
             above.line([0, 1], [0, 1], "var(--soft)", dash="4 4", width=1.3)]  # fmt: skip
    names = names_of(evaluation)
    for index, result in enumerate(evaluation.results):
        said, was, pixels = calibration_means(result.reliability)
        parts.append(above.line(said.tolist(), was.tolist(), colours[index], dash=DASHES[index]))
        parts += [
            above.dot(s, w, colours[index], _("{key}: said {said}, was so {so}, {n} pixels", key=names[index],
                                              said=f"{s:.3f}", so=f"{w:.3f}", n=f"{n:,}"), radius=3)
            for s, w, n in zip(said.tolist(), was.tolist(), pixels.tolist(), strict=True)
        ]  # fmt: skip
        parts.append(below.line(*_steps(result.reliability.count.tolist()), colours[index], width=1.5))
    return drawing(520, 356, _("Calibration of each network"), *parts)


def _power(exponent: int) -> str:
    return "10" + "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in str(exponent))


def _steps(counts: list[int]) -> tuple[list[float], list[float]]:
    """A histogram's outline: both corners of each bin, its height as a power of ten, nothing where it is empty."""
    bins = len(counts)
    xs = [corner / bins for k in range(bins) for corner in (k, k + 1)]
    ys = [log10(pixels) if pixels else float("nan") for pixels in counts for _corner in range(2)]
    return xs, ys


def picture_chart(evaluation: Evaluation, colours: Sequence[str]) -> str:
    """The IoU of each candidate on each picture, sorted by the pictures' mean, the worst at the left; "" without any."""
    names, scores = ordered_pictures(evaluation), picture_scores(evaluation)
    if not names:
        return ""
    plane = Plane(58, 12, 1000, 250, x_range=(0.5, len(names) + 0.5))
    ticks = sorted({1, len(names), *(round(len(names) * part / 5) for part in range(1, 5) if len(names) >= 10)})
    parts = [plane.horizontal_ticks(ticks, _labels(ticks, "{:.0f}"), _("Pictures, the worst first")),
             plane.vertical_ticks(FIFTHS, _labels(FIFTHS), "IoU")]  # fmt: skip
    keys = names_of(evaluation)
    size = max(3.0, min(9.0, 1800 / len(names)))
    for index in range(len(keys)):
        points = "".join(
            f"M{plane.x(place)} {plane.y(scores[name][index])}h0" for place, name in enumerate(names, 1) if index in scores[name]
        )
        parts.append(f'<path class="dots" d="{points}" stroke="{colours[index]}" stroke-width="{size:.1f}"/>')
    parts += [_column(plane, place, name, keys, scores[name]) for place, name in enumerate(names[:MAX_HOVERED], 1)]
    return drawing(1066, 306, _("IoU of each network on each picture"), *parts)


def _column(plane: Plane, place: int, name: str, keys: Sequence[str], scores: dict[int, float]) -> str:
    words = "\n".join([name, *(f"{keys[index]}: {value:.3f}" for index, value in sorted(scores.items()))])
    width = plane.x(place + 0.5) - plane.x(place - 0.5)
    return (
        f'<rect class="column" x="{plane.x(place - 0.5)}" y="{plane.top}" width="{width:.1f}" height="{plane.height}">'
        f"<title>{escape(words)}</title></rect>"
    )


def difference_chart(comparisons: Sequence[Comparison], colours: Sequence[str]) -> str:
    """Each difference in points with its 95 % interval, around zero; "" where no interval is known."""
    known = [c for c in comparisons if isfinite(c.points) and isfinite(c.low)]
    if not known:
        return ""
    low, high = min(-0.2, *(c.low for c in known)), max(0.2, *(c.high for c in known))
    space = 0.06 * (high - low)
    step = next(s for s in _round_steps() if (high - low) / s < 7)
    ticks = [k * step for k in range(ceil((low - space) / step), floor((high + space) / step) + 1)]
    named = [_name_lines(c) for c in known]
    height = ROW + LINE * (max(map(len, named)) - 1)
    plane = Plane(12, 8, 496, height * len(known), x_range=(low - space, high + space))
    words = [f"{t:+.4g}".replace("-", "−") if t else "0" for t in ticks]
    rows = [_interval(plane, c, lines, plane.top + height * row, colours)
            for row, (c, lines) in enumerate(zip(known, named, strict=True))]  # fmt: skip
    zero = f'<path class="zero" d="M{plane.x(0)} {plane.top}v{plane.height}"/>'
    return drawing(
        520, plane.top + plane.height + 44, _("Differences with their intervals"),
        plane.horizontal_ticks(ticks, words, _("Points of IoU")), zero,
        *rows,
    )  # fmt: skip


def _round_steps() -> Iterator[float]:
    """0.1, 0.2, 0.5, 1, 2, 5, 10 …"""
    return (mantissa * 10.0**power for power in count(-1) for mantissa in (1, 2, 5))


def _name_lines(comparison: Comparison) -> list[str]:
    """ "U-Net − FCN-8s" in as many lines as it needs; a word that is too long for a line is broken."""
    whole = f"{comparison.a_key} − {comparison.b_key}"
    parts = [whole] if len(whole) <= MAX_LINE else [comparison.a_key, f"− {comparison.b_key}"]
    return [line for part in parts for line in wrap(part, MAX_LINE)]


def _interval(plane: Plane, comparison: Comparison, lines: Sequence[str], top: float, colours: Sequence[str]) -> str:
    middle = top + 34 + LINE * (len(lines) - 1)
    low, high, dot = (plane.x(value) for value in (comparison.low, comparison.high, comparison.points))
    colour = colours[comparison.a]
    title = "".join(
        f'<text class="name" x="{plane.left}" y="{top + 18 + LINE * place}">{escape(line)}</text>'
        for place, line in enumerate(lines)
    )
    return (
        f"{title}"
        f'<path class="line" d="M{low} {middle}H{high}" stroke="{colour}" stroke-width="4" stroke-linecap="round"/>'
        f'<circle cx="{dot}" cy="{middle}" r="6.5" fill="{colour}"/>'
    )
