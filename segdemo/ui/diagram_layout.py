"""Where the blocks of a network's diagram stand: columns follow the walk, rows the resolution.

Networks with a decoder form a U: each halving is one row lower. Networks without one form a single row of shrinking
blocks. Lengths are in SVG units, which are pixels at the size the diagram is meant for.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from segdemo.features import Anatomy, Part
from segdemo.text import _

__all__ = [
    "ARC",
    "ARC_STEP",
    "INPUT",
    "LETTER",
    "OUTPUT",
    "Block",
    "Labels",
    "Layout",
    "before",
    "grid_of",
    "lay_out",
    "shape_text",
]

FONT = 11.5
LETTER = 0.56 * FONT  # mean width of a letter
LABEL_LINE = 13.5
MARGIN, GAP = 6.0, 10.0
GATE = 11.0  # from a block's text to where its inputs come together
AXIS = 58.0  # room for the resolutions on the left
LEAST_HEIGHT, FLAT_HEIGHT = 20.0, 240.0  # of the tallest block; of a network in one row
ARC = 6.0  # height of an arc over one block
ARC_STEP = 6.0  # and more for each further one
INPUT = "image"
OUTPUT = "logits"

Labels = Literal["full", "tight", "compact"]  # name and shape; a short name and channels; a short name


@dataclass(frozen=True)
class Block:
    """One rectangle: its centre, its size, and two lines of text under it. `part` is None for the image and the logits."""

    name: str
    kind: str  # a StageKind, or "data"
    lines: tuple[str, ...]
    row: int
    x: float
    y: float
    width: float
    height: float
    half: float = 0.0  # half of the width that it needs with its text
    part: Part | None = None

    @property
    def gate_x(self) -> float:
        """Where what feeds it comes together, left of its text: the place of ⊕ and ‖."""
        return self.x - self.half - GATE

    @property
    def left(self) -> float:
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        return self.x + self.width / 2

    @property
    def top(self) -> float:
        return self.y - self.height / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True)
class Layout:
    """All blocks by name, in the order of the walk, and the size of the picture."""

    blocks: Mapping[str, Block]
    rows: tuple[tuple[float, str], ...]  # y of each row and its resolution, where the blocks' texts do not say it
    width: float
    height: float
    flat: bool
    labels: "Labels"


@dataclass(frozen=True)
class _Place:
    """A block before it has coordinates."""

    name: str
    kind: str
    shape: tuple[int, ...]
    lines: tuple[str, ...]
    column: int
    row: int
    part: Part | None = None


def before(anatomy: Anatomy, index: int) -> str:
    """The stage, or the image, whose output a stage takes on its main way."""
    stage = anatomy.parts[index].stage
    return stage.after or (anatomy.parts[index - 1].stage.name if index else INPUT)


def grid_of(anatomy: Anatomy, strides: Mapping[str, float | None]) -> dict[str, tuple[int, int]]:
    """(column, row) of the image, every stage and, where they are enlarged at the end, the logits."""
    return {place.name: (place.column, place.row) for place in _places(anatomy, strides, _is_flat(anatomy), "compact")}


def _is_flat(anatomy: Anatomy) -> bool:
    return not any(part.stage.kind == "decoder" for part in anatomy.parts)


def lay_out(anatomy: Anatomy, strides: Mapping[str, float | None], width: float, height: float) -> Layout:
    """Blocks within about `width` × `height`, with the longest labels that fit; wider where even the shortest do not.

    strides: stage → pixels between two positions of its output, None where every position sees the whole picture.
    """
    candidates: tuple[Labels, ...] = ("full", "tight")
    for labels in candidates:
        layout = _laid_out(anatomy, strides, width, height, labels)
        if layout.width <= width:
            return layout
    return _laid_out(anatomy, strides, width, height, "compact")


def _laid_out(anatomy: Anatomy, strides: Mapping[str, float | None], width: float, height: float, labels: Labels) -> Layout:
    flat = _is_flat(anatomy)
    places = _places(anatomy, strides, flat, labels)
    rows = 1 + max(place.row for place in places)
    arcs = 6.0 + _arc_height(places, first_row=True)
    below = 4 + LABEL_LINE * (1 if labels == "compact" else 2 if flat else 3)  # the third line is the arrow's text
    below = max(below, 4 + LABEL_LINE + _arc_height(places, first_row=False) + 2)
    above = LABEL_LINE if flat and labels != "compact" else 0
    pitch = max(above + below + LEAST_HEIGHT, min((height - arcs) / rows, FLAT_HEIGHT if flat else 104.0))
    tallest = pitch - below - above
    axis = AXIS if labels == "tight" and not flat else 0.0
    xs, total = _columns(places, width, axis + MARGIN, 30.0 if labels == "compact" else 56.0 if labels == "full" else 36.0)
    middle = arcs + above + tallest / 2 + 2
    blocks = {
        p.name: Block(
            p.name, p.kind, p.lines, p.row, xs[p.column], middle + p.row * pitch, _width(p.shape),
            _height(p, places[0], tallest), _half(p), p.part,
        )
        for p in places
    }  # fmt: skip
    sizes = {p.row: "×".join(map(str, p.shape[1:])) for p in reversed(places)} if axis else {}
    axis_texts = tuple((middle + row * pitch, text) for row, text in sizes.items())
    spare = 0 if flat else LABEL_LINE  # nothing rises from below the last row
    return Layout(blocks, axis_texts, total, arcs + rows * pitch - spare + 6, flat, labels)


def _places(anatomy: Anatomy, strides: Mapping[str, float | None], flat: bool, labels: Labels) -> list[_Place]:
    column, row = {INPUT: 0}, {INPUT: 0}
    places = [_Place(INPUT, "data", anatomy.input_shape, _lines(INPUT, anatomy.input_shape, labels), 0, 0)]
    taken = {(0, 0)}
    for index, part in enumerate(anatomy.parts):
        name, previous = part.stage.name, before(anatomy, index)
        level = 0 if flat else _level(part, anatomy, strides[name], row[previous])
        col = 1 + max(column[source] for source in (previous, *part.stage.skip_from))
        while (col, level) in taken:
            col += 1
        column[name], row[name] = col, level
        taken.add((col, level))
        places.append(_Place(name, part.stage.kind, part.shape, _lines(name, part.shape, labels), col, level, part))
    if anatomy.finally_resampled:
        last = places[-1]
        lines = _lines(OUTPUT, anatomy.logits_shape, labels)
        places.append(_Place(OUTPUT, "data", anatomy.logits_shape, lines, last.column + 1, 0))
    return _without_empty_rows(places)


def _level(part: Part, anatomy: Anatomy, stride: float | None, previous: int) -> int:
    """How many halvings lie between the picture and a stage: its grid says so, where it has one."""
    if math.prod(part.shape[1:]) == 1:
        return previous
    return max(0, round(math.log2(stride or anatomy.input_shape[1] / part.shape[1])))


def _without_empty_rows(places: list[_Place]) -> list[_Place]:
    used = sorted({place.row for place in places})
    return [replace(place, row=used.index(place.row)) for place in places]


def _lines(name: str, shape: tuple[int, ...], labels: Labels) -> tuple[str, ...]:
    if labels == "full":
        return (name,) if _nested(name) else (name, shape_text(shape))
    short = {"bottleneck": "B", "head": "H", INPUT: _("in"), OUTPUT: _("out")}
    line = short.get(name) or name.replace("encoder", "E").replace("decoder", "D")
    return (line,) if labels == "compact" or _nested(name) else (line, str(shape[0]))


def _nested(name: str) -> bool:
    """A node inside the triangle of a U-Net++: its shape is that of its row."""
    return name.startswith("x")


def shape_text(shape: tuple[int, ...]) -> str:
    """(64, 572, 572) → 64 × 572², (21, 360, 480) → 21 × 360 × 480, (1000,) → 1000."""
    if len(shape) == 3 and shape[1] == shape[2]:
        return f"{shape[0]} × {shape[1]}²" if shape[1] > 1 else str(shape[0])
    return " × ".join([str(shape[0]), *("×".join(map(str, shape[1:])),)[: len(shape) - 1]])


def _height(place: _Place, image: _Place, tallest: float) -> float:
    """In proportion to the logarithm of the resolution."""
    side, largest = max(place.shape[1:2] or (1,)), max(2, image.shape[1])
    return max(5.0, tallest * math.log2(1 + side) / math.log2(1 + max(largest, side)))


def _width(shape: tuple[int, ...]) -> float:
    """In proportion to the logarithm of the channels: 3 → 7, 64 → 15, 1024 → 23."""
    return 4 + 1.9 * math.log2(1 + shape[0])


def _arc_height(places: list[_Place], *, first_row: bool) -> float:
    """How high arcs rise over the blocks that stand between two ends of a skip, in the first row or in the others."""
    row_of = {p.name: p.row for p in places}
    spans = [0]
    for place in (p for p in places if p.part and (p.row == 0) == first_row):
        for source in place.part.stage.skip_from if place.part else ():
            if row_of[source] == place.row:
                start = next(p.column for p in places if p.name == source)
                spans.append(sum(p.row == place.row and start < p.column < place.column for p in places))
    return ARC + ARC_STEP * max(spans) if max(spans) else 0.0


def _columns(places: list[_Place], width: float, start: float, least: float) -> tuple[list[float], float]:
    """x of each column, so that labels of one row do not meet; what is left of the width is spread evenly."""
    count = 1 + max(place.column for place in places)
    xs: list[float] = []
    edge: dict[int, float] = {}  # where the last label of each row ends
    ends: dict[int, float] = {}  # where the widest block of each column ends
    for column in range(count):
        here = [place for place in places if place.column == column]
        x = xs[-1] + least if xs else start
        for place in here:
            gate = GATE + 8 if place.part and place.part.stage.skip_from else 0.0
            x = max(x, edge.get(place.row, start - GAP) + GAP + gate + _half(place))
            x = max(x, ends.get(column - 1, 0.0) + GAP + GATE + _half(place))  # what rises to it passes the last block
        for place in here:
            edge[place.row] = x + _half(place)
            ends[column] = max(ends.get(column, 0.0), x + _width(place.shape) / 2)
        xs.append(x)
    natural = max(edge.values()) + MARGIN
    spare = max(0.0, width - natural) / max(1, count - 1)
    return [x + i * spare for i, x in enumerate(xs)], max(width, natural)


def _half(place: _Place) -> float:
    return max(_width(place.shape), LETTER * max(len(line) for line in place.lines)) / 2
