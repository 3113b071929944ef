"""A small language for networks, one layer a line: "conv 64 k3 p1 bn relu as e1". What its lines are and how they are written.

input 1 28 28              channels, height, width
conv 32 k3 s1 p1 d1 g1     filters; kernel, stride, padding, dilation, groups; in32: the channels it expects
upconv 32 k2 s2 p0         transposed convolution           words of both and of linear: nobias, bn, relu
maxpool k2 s2 p0, avgpool, gap (global average), upsample s2 (bilinear), bn, relu, dropout, flatten
linear 10                  in3136: the numbers it expects
concat e1, add e1          with an earlier line that ends in "as e1"; crop or pad where sizes differ
take e1                    go on from that line instead: the start of a second branch
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from segdemo.text import N_

__all__ = [
    "KINDS", "LIMITS", "MOST_LINES", "NAME", "Bounds", "Kind", "Line", "bounds_of", "write_line", "write_lines", "write_token",
]  # fmt: skip

MOST_LINES = 60
NAME = "[a-z][a-z0-9]{0,11}"  # what a line can be called
LIMITS: dict[str, int] = {
    "channels": 4096, "height": 4096, "width": 4096, "out": 16384, "k": 64, "s": 16, "p": 64, "d": 32, "g": 4096,
    "in": 1_000_000,
}  # fmt: skip


class Bounds(NamedTuple):
    """The least and the most that a number of a line can be."""

    low: int
    most: int


def bounds_of(name: str) -> Bounds:
    """Of a number or an option, where it is written at all: a padding can be 0, everything else starts at 1."""
    return Bounds(0 if name == "p" else 1, LIMITS[name])


@dataclass(frozen=True)
class Kind:
    """What can be said of a kind of line. numbers: what stands first; options: letter → usual value (0: follows from others).

    example: a whole line that is right, for the sentences about one that is not.
    """

    title: str
    example: str
    numbers: tuple[str, ...] = ()
    options: Mapping[str, int] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    joins: bool = False


_POOL = {"k": 2, "s": 0, "p": 0}
_FILTERS = ("nobias", "bn", "relu")
KINDS: dict[str, Kind] = {
    "input": Kind(N_("Input"), "input 3 64 64", ("channels", "height", "width")),
    "conv": Kind(N_("Convolution"), "conv 32 k3 p1 relu", ("out",), {"k": 3, "s": 1, "p": 0, "d": 1, "g": 1, "in": 0},
                 _FILTERS),
    "upconv": Kind(N_("Transposed convolution"), "upconv 32 k2 relu", ("out",), {"k": 2, "s": 2, "p": 0, "in": 0}, _FILTERS),
    "maxpool": Kind(N_("Max-pooling"), "maxpool k2", (), _POOL, ("ceil",)),
    "avgpool": Kind(N_("Average pooling"), "avgpool k2", (), _POOL),
    "gap": Kind(N_("Global average"), "gap"),
    "upsample": Kind(N_("Up-sampling"), "upsample s4 bilinear", (), {"s": 2}, ("bilinear",)),
    "bn": Kind(N_("Batch normalisation"), "bn"),
    "relu": Kind(N_("ReLU"), "relu"),
    "dropout": Kind(N_("Dropout"), "dropout"),
    "flatten": Kind(N_("Flatten"), "flatten"),
    "linear": Kind(N_("Linear"), "linear 10", ("out",), {"in": 0}, ("nobias", "relu")),
    "concat": Kind(N_("Concatenate"), "concat e1", words=("crop", "pad"), joins=True),
    "add": Kind(N_("Add"), "add e1", words=("crop", "pad"), joins=True),
    "take": Kind(N_("Continue from"), "take e1", joins=True),
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One layer. numbers and options as in its kind, options only where they are not the usual ones.

    words: those that were said, in the kind's order. other: the name of the line that is joined. name: its own, or "".
    """

    kind: str
    numbers: tuple[int, ...] = ()
    options: tuple[tuple[str, int], ...] = ()
    words: tuple[str, ...] = ()
    other: str = ""
    name: str = ""

    def option(self, letter: str) -> int:
        """The value of an option, the usual one where nothing was said; a pooling's stride is then its kernel."""
        value = dict(self.options).get(letter, KINDS[self.kind].options[letter])
        return self.option("k") if letter == "s" and value == 0 else value

    def having(self, options: Mapping[str, int]) -> "Line":
        """The same with other options, value by letter. What is the usual value is left out."""
        usual, wanted = KINDS[self.kind].options, {**dict(self.options), **options}
        kept = tuple((letter, wanted[letter]) for letter in usual if letter in wanted and wanted[letter] != usual[letter])
        return replace(self, options=kept)

    def saying(self, word: str, said: bool = True) -> "Line":
        """The same with a word, or without it."""
        words = {w for w in self.words if w != word} | ({word} if said else set())
        return replace(self, words=tuple(w for w in KINDS[self.kind].words if w in words))


def write_lines(lines: Sequence[Line]) -> str:
    """The text that `shape_reading.parse_lines` reads."""
    return "\n".join(map(write_line, lines))


def write_line(line: Line) -> str:
    """One line as it is written; the kernel is always said, everything else where it is not usual."""
    parts = [line.kind, *map(str, line.numbers), *([line.other] if line.other else [])]
    kernel = [f"k{line.option('k')}"] if "k" in KINDS[line.kind].options else []
    parts += [*kernel, *(f"{letter}{value}" for letter, value in line.options if letter != "k")]
    return " ".join([*parts, *line.words, *(["as", line.name] if line.name else [])])


def write_token(lines: Sequence[Line]) -> str:
    """The lines as one word for an address: letters, digits, "_" between words and "." between lines."""
    return write_lines(lines).replace(" ", "_").replace("\n", ".")
