"""A plane to draw a chart on, as SVG that a browser, a printer and both themes can use: colours of text and lines are the page's.

A few hundred bytes a chart, where a plotting library would bring megabytes; the interactive charts stand on the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import isfinite

__all__ = ["Plane", "drawing"]


@dataclass(frozen=True)
class Plane:
    """A rectangle of the drawing (left, top, width, height, in its own units) and the ranges of numbers that it shows."""

    left: float
    top: float
    width: float
    height: float
    x_range: tuple[float, float] = (0.0, 1.0)
    y_range: tuple[float, float] = (0.0, 1.0)

    def x(self, value: float) -> float:
        """Where a number lies from left to right."""
        low, high = self.x_range
        return round(self.left + (value - low) / (high - low) * self.width, 1)

    def y(self, value: float) -> float:
        """Where a number lies from top to bottom; large ones are at the top."""
        low, high = self.y_range
        return round(self.top + (high - value) / (high - low) * self.height, 1)

    def horizontal_ticks(self, values: Sequence[float], labels: Sequence[str], title: str = "") -> str:
        """Lines from bottom to top with their labels below, and the axis's title."""
        bottom = self.top + self.height
        lines = "".join(f'<path class="grid" d="M{self.x(v)} {self.top}V{bottom}"/>' for v in values)
        texts = "".join(
            f'<text x="{self.x(v)}" y="{bottom + 16}" text-anchor="middle">{escape(label)}</text>'
            for v, label in zip(values, labels, strict=True)
        )
        middle = self.left + self.width / 2
        return f'{lines}{texts}<text class="axis" x="{middle}" y="{bottom + 35}" text-anchor="middle">{escape(title)}</text>'

    def vertical_ticks(self, values: Sequence[float], labels: Sequence[str], title: str = "") -> str:
        """Lines from left to right with their labels at the left, and the axis's title turned beside them."""
        lines = "".join(f'<path class="grid" d="M{self.left} {self.y(v)}h{self.width}"/>' for v in values)
        texts = "".join(
            f'<text x="{self.left - 7}" y="{self.y(v) + 4}" text-anchor="end">{escape(label)}</text>'
            for v, label in zip(values, labels, strict=True)
        )
        middle = self.top + self.height / 2
        turned = f'<text class="axis" transform="translate({self.left - 42} {middle}) rotate(-90)" text-anchor="middle">'
        return f"{lines}{texts}{turned}{escape(title)}</text>" if title else lines + texts

    def line(self, xs: Sequence[float], ys: Sequence[float], colour: str, *, dash: str = "", width: float = 2.0) -> str:
        """A line through the points that are numbers, with gaps where they are not."""
        steps, pen = [], "M"
        for x, y in zip(xs, ys, strict=True):
            if not (isfinite(x) and isfinite(y)):
                pen = "M"
                continue
            steps.append(f"{pen}{self.x(x)} {self.y(y)}")
            pen = "L"
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        return f'<path class="line" d="{"".join(steps)}" stroke="{colour}" stroke-width="{width}"{dashes}/>'

    def dot(self, x: float, y: float, colour: str, title: str, *, radius: float = 3.5, hollow: bool = False) -> str:
        """A disc or a ring that says its title on hovering."""
        look = f'fill="none" stroke="{colour}" stroke-width="2"' if hollow else f'fill="{colour}"'
        return f'<circle cx="{self.x(x)}" cy="{self.y(y)}" r="{radius}" {look}><title>{escape(title)}</title></circle>'

    def star(self, x: float, y: float, colour: str, title: str) -> str:
        """A five-pointed star that says its title on hovering."""
        points = "0,-8 2.1,-2.8 7.6,-2.5 3.3,1.1 4.7,6.5 0,3.4 -4.7,6.5 -3.3,1.1 -7.6,-2.5 -2.1,-2.8"
        place = f'transform="translate({self.x(x)} {self.y(y)})"'
        return f'<polygon class="star" points="{points}" {place} fill="{colour}"><title>{escape(title)}</title></polygon>'


def drawing(width: float, height: float, label: str, *parts: str) -> str:
    """The finished `<svg>`, that scales with the page and says to screen readers what it shows."""
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
