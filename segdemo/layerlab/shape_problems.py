"""What does not fit in a network that is built line by line: a sentence with its numbers, and what would help."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from segdemo.layerlab.shape_language import LIMITS, Line
from segdemo.layerlab.sizes import extent
from segdemo.text import _

__all__ = [
    "MOST_SIDE", "Fix", "LineError", "check_channels", "check_groups", "check_join", "check_kernel", "check_list", "check_map",
    "check_pool_padding", "check_side", "removed",
]  # fmt: skip

Lines = Sequence[Line]
MOST_SIDE = 16384  # rows or columns of a map: as many as four times the largest input

MOST_NAMED = 6  # lines in a sentence, the last ones


@dataclass(frozen=True)
class Fix:
    """What would help: its name for a button, and all lines as they would then be."""

    label: str
    lines: tuple[Line, ...]


class LineError(Exception):
    """A line that does not fit what arrives at it. Never leaves the room: `walk` makes a Problem of it."""

    def __init__(self, sentence: str, fixes: tuple[Fix, ...] = ()) -> None:
        super().__init__(sentence)
        self.sentence, self.fixes = sentence, fixes


def _changed(lines: Lines, at: int, line: Line, label: str) -> Fix:
    return Fix(label, (*lines[:at], line, *lines[at + 1 :]))


def _inserted(lines: Lines, at: int, line: Line, label: str) -> Fix:
    return Fix(label, (*lines[:at], line, *lines[at:]))


def removed(lines: Lines, at: int) -> Fix:
    """The network without the line."""
    return Fix(_("Remove the line"), (*lines[:at], *lines[at + 1 :]))


def check_map(lines: Lines, at: int, shape: tuple[int, ...]) -> None:
    """What works on rows and columns needs some."""
    if len(shape) != 3:
        fixes = [Fix(_("Remove “flatten”"), (*lines[: at - 1], *lines[at:]))] if lines[at - 1].kind == "flatten" else []
        raise LineError(_("This layer works on rows and columns, but a list of {n} numbers arrives.", n=shape[0]),
                        (*fixes, removed(lines, at)))  # fmt: skip


def check_side(lines: Lines, at: int, size: Sequence[int]) -> None:
    """Rows and columns that a line makes: no more than can be followed pixel by pixel."""
    if max(size) > MOST_SIDE:
        sentence = _("The map would be {h} × {w}; here a map can have at most {most} rows and columns.", h=size[0], w=size[1],
                     most=MOST_SIDE)  # fmt: skip
        raise LineError(sentence, (removed(lines, at),))


def check_list(lines: Lines, at: int, shape: tuple[int, ...]) -> None:
    """A linear layer is meant to read one list of numbers."""
    if len(shape) != 1:
        sentence = _("A linear layer reads a list of numbers, but a map of {shape} arrives: flatten it first.",
                     shape=" × ".join(map(str, shape)))  # fmt: skip
        raise LineError(sentence, (_inserted(lines, at, Line("flatten"), _("Flatten first")),))


def check_channels(lines: Lines, at: int, arriving: int) -> None:
    """Where the line says how much it expects, as much has to arrive."""
    line = lines[at]
    expected = line.option("in")
    if expected in (0, arriving):
        return
    fix = _changed(lines, at, line.having({"in": arriving}), _("Expect {n}", n=arriving))
    if line.kind != "linear":
        raise LineError(_("The layer expects {n} channels, but {m} arrive.", n=expected, m=arriving), (fix,))
    flat = lines[at - 1].kind == "flatten"
    sentence = _("Flattened {m}, but the linear layer expects {n}.", m=arriving, n=expected) if flat else _(
        "The linear layer expects {n} numbers, but {m} arrive.", m=arriving, n=expected)  # fmt: skip
    raise LineError(sentence, (fix,))


def check_groups(lines: Lines, at: int, channels: int) -> None:
    """Groups divide the channels on both sides."""
    line = lines[at]
    groups, out = line.option("g"), line.numbers[0]
    if channels % groups == 0 == out % groups:
        return
    common = math.gcd(channels, out)
    near = min((g for g in range(1, common + 1) if common % g == 0), key=lambda g: (abs(g - groups), g))
    fixes = [_changed(lines, at, line.having({"g": near}), _("Make it {n} groups", n=near) if near > 1 else _("Without groups"))]
    if channels % groups == 0:  # only the filters are in the way
        fitting = -(-out // groups) * groups
        fixes += [_changed(lines, at, replace(line, numbers=(fitting,)), _("Make it {n} filters", n=fitting))]
    raise LineError(
        _("{g} groups do not divide {c} input channels and {f} filters evenly.", g=groups, c=channels, f=out), tuple(fixes)
    )


def check_kernel(lines: Lines, at: int, shape: tuple[int, ...]) -> None:
    """The kernel fits into the map and its padding."""
    line, smaller = lines[at], min(shape[1:])
    kernel, padding = line.option("k"), line.option("p")
    dilation = line.option("d") if line.kind == "conv" else 1
    span = extent(kernel, dilation)
    spare = smaller + 2 * padding - span
    if spare >= 0 or ("ceil" in line.words and spare > -line.option("s")):  # rounded up, a window may hang over
        return
    needed, fixes = -(-(span - smaller) // 2), []
    if needed <= (LIMITS["p"] if line.kind == "conv" else kernel // 2):
        fixes = [_changed(lines, at, line.having({"p": needed}), _("Pad by {n}", n=needed))]
    fits = (smaller + 2 * padding - 1) // dilation + 1
    if 1 <= fits < kernel and padding <= (LIMITS["p"] if line.kind == "conv" else fits // 2):
        fixes += [_changed(lines, at, line.having({"k": fits}), _("Make the kernel {n}", n=fits))]
    sentence = _("A kernel that spans {span} does not fit into a map of {h} × {w}, padded by {p}.", span=span, h=shape[1],
                 w=shape[2], p=padding)  # fmt: skip
    raise LineError(sentence, (*fixes, removed(lines, at)))


def check_pool_padding(lines: Lines, at: int) -> None:
    """Every window of a pooling has to touch the map."""
    line = lines[at]
    kernel, padding = line.option("k"), line.option("p")
    if padding > kernel // 2:
        raise LineError(_("Pooling can be padded by at most half its kernel: {n}, not {p}.", n=kernel // 2, p=padding),
                        (_changed(lines, at, line.having({"p": kernel // 2}), _("Pad by {n}", n=kernel // 2)),))  # fmt: skip


def check_join(lines: Lines, at: int, shapes: Sequence[tuple[int, ...]]) -> int:
    """The number of the line that is joined, where its shape allows that."""
    line = lines[at]
    names = [other.name for other in lines[:at]]
    if line.other not in names:
        known = [name for name in names if name]
        sentence = (
            _(
                "No earlier line is called {name}. These have a name: {names}.",
                name=line.other,
                names=", ".join(known[-MOST_NAMED:]),
            )
            if known
            else _("No earlier line is called {name}. No line has a name yet: end one with “as e1”.", name=line.other)
        )
        fixes = tuple(_changed(lines, at, replace(line, other=name), _("Use {name}", name=name)) for name in known[-2:])
        raise LineError(sentence, (*fixes, removed(lines, at)))
    number = names.index(line.other)
    if line.kind == "take":
        return number
    _check_sizes(lines, at, shapes[number], shapes[-1])
    if line.kind == "add" and shapes[number][0] != shapes[-1][0]:
        _cannot_add(lines, at, shapes[number], shapes[-1])
    return number


def _check_sizes(lines: Lines, at: int, other: tuple[int, ...], given: tuple[int, ...]) -> None:
    line = lines[at]
    if len(other) != len(given):
        raise LineError(_("A map of rows and columns and a list of numbers cannot be joined."), (removed(lines, at),))
    if other[1:] == given[1:] or {"crop", "pad"} & {*line.words}:
        return
    differ = next((a, b) for a, b in zip(other[1:], given[1:], strict=True) if a != b)
    a, b = differ
    sentence = (
        _("These two cannot be concatenated: {a} and {b}; crop or pad.", a=a, b=b)
        if line.kind == "concat"
        else _("These two cannot be added: {a} and {b}; crop or pad.", a=a, b=b)
    )
    crop = _changed(lines, at, line.saying("crop"), _("Crop the larger"))
    raise LineError(sentence, (crop, _changed(lines, at, line.saying("pad"), _("Pad the smaller"))))


def _cannot_add(lines: Lines, at: int, other: tuple[int, ...], given: tuple[int, ...]) -> None:
    fixes = [_changed(lines, at, replace(lines[at], kind="concat"), _("Concatenate instead"))]
    if len(given) == 3:
        matching = Line("conv", (other[0],), (("k", 1),))
        fixes.insert(0, _inserted(lines, at, matching, _("A 1×1 convolution to {n} channels first", n=other[0])))
    raise LineError(_("{a} channels cannot be added to {b}: a sum needs the same number.", a=given[0], b=other[0]), tuple(fixes))
