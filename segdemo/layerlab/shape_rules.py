"""What each kind of line makes of what arrives at it: the shape, what its positions see, weights and multiplications."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from segdemo.layerlab.shape_language import Line
from segdemo.layerlab.shape_problems import (
    Fix,
    LineError,
    check_channels,
    check_groups,
    check_join,
    check_kernel,
    check_list,
    check_map,
    check_pool_padding,
    check_side,
)
from segdemo.layerlab.shape_reach import Reach, everything, fitted, joined, sampled, spread, windows
from segdemo.layerlab.sizes import (
    convolved_formula,
    convolved_size,
    pooled_formula,
    pooled_size,
    transposed_formula,
    transposed_size,
)
from segdemo.text import _

__all__ = ["RULES", "Map", "Result", "Shape", "join"]

Shape = tuple[int, ...]  # without the batch: (C, H, W), or (n,)
Lines = Sequence[Line]
Seen = tuple[Reach, Reach] | None  # along rows and along columns; None where nobody asks


@dataclass(frozen=True)
class Map:
    """What goes from line to line: a shape, and what its positions see along both axes, where that is followed."""

    shape: Shape
    seen: Seen

    def through(self, rule: Callable[[Reach, int], Reach], size: Sequence[int]) -> Seen:
        """What is seen after a rule that makes `size` rows and columns, each axis by itself."""
        return None if self.seen is None else (rule(self.seen[0], size[0]), rule(self.seen[1], size[1]))

    def all_seen(self) -> Seen:
        """One position that sees what any saw."""
        return self.through(lambda reach, _size: everything(reach), (1, 1))


@dataclass(frozen=True)
class Result:
    """What a line makes: its map, its weights and multiplications, how the shape came about, and the line that it joined."""

    map: Map
    params: int = 0
    macs: int = 0
    note: str = ""
    joins: int | None = None


def _convolution(lines: Lines, at: int, given: Map) -> Result:
    line, (out,) = lines[at], lines[at].numbers
    check_map(lines, at, given.shape)
    check_channels(lines, at, given.shape[0])
    check_groups(lines, at, given.shape[0])
    check_kernel(lines, at, given.shape)
    kernel, stride, padding, dilation, groups = (line.option(letter) for letter in "kspdg")
    height, width = size = [convolved_size(n, kernel, stride, padding, dilation) for n in given.shape[1:]]
    check_side(lines, at, size)
    seen = given.through(lambda reach, n: windows(reach, n, kernel, stride, padding, dilation), size)
    weights = out * (given.shape[0] // groups) * kernel**2
    note = convolved_formula(given.shape[1], kernel, stride, padding, dilation)
    return Result(Map((out, height, width), seen), weights + _extra(line), weights * height * width, note)


def _transposed(lines: Lines, at: int, given: Map) -> Result:
    line, (out,) = lines[at], lines[at].numbers
    check_map(lines, at, given.shape)
    check_channels(lines, at, given.shape[0])
    kernel, stride, padding = (line.option(letter) for letter in "ksp")
    height, width = size = [transposed_size(n, kernel, stride, padding) for n in given.shape[1:]]
    check_side(lines, at, size)
    if min(height, width) < 1:
        fix = Fix(_("Without padding"), (*lines[:at], line.having({"p": 0}), *lines[at + 1 :]))
        sentence = _("A padding of {p} cuts off everything: nothing is left of {n} positions.", p=padding, n=given.shape[1])
        raise LineError(sentence, (fix,))
    seen = given.through(lambda reach, n: spread(reach, n, kernel, stride, padding), size)
    weights = out * given.shape[0] * kernel**2
    note = transposed_formula(given.shape[1], kernel, stride, padding)
    macs = weights * given.shape[1] * given.shape[2]
    return Result(Map((out, height, width), seen), weights + _extra(line), macs, note)


def _extra(line: Line) -> int:
    """Biases, and the scale and shift of a batch normalisation."""
    return line.numbers[0] * (("nobias" not in line.words) + 2 * ("bn" in line.words))


def _pooling(lines: Lines, at: int, given: Map) -> Result:
    line = lines[at]
    check_map(lines, at, given.shape)
    check_pool_padding(lines, at)
    check_kernel(lines, at, given.shape)
    kernel, stride, padding = (line.option(letter) for letter in "ksp")
    ceil = "ceil" in line.words
    height, width = size = [pooled_size(n, kernel, stride, padding, 1, ceil) for n in given.shape[1:]]
    seen = given.through(lambda reach, n: windows(reach, n, kernel, stride, padding), size)
    note = pooled_formula(given.shape[1], kernel, stride, padding, 1, ceil)
    return Result(Map((given.shape[0], height, width), seen), note=note)


def _global(lines: Lines, at: int, given: Map) -> Result:
    check_map(lines, at, given.shape)
    note = _("the mean of {n} positions", n=given.shape[1] * given.shape[2])
    return Result(Map((given.shape[0], 1, 1), given.all_seen()), note=note)


def _enlarging(lines: Lines, at: int, given: Map) -> Result:
    check_map(lines, at, given.shape)
    factor, bilinear = lines[at].option("s"), "bilinear" in lines[at].words
    shape = (given.shape[0], given.shape[1] * factor, given.shape[2] * factor)
    check_side(lines, at, shape[1:])
    seen = given.through(lambda reach, _size: sampled(reach, factor, bilinear), shape[1:])
    return Result(Map(shape, seen), note=f"{given.shape[1]}·{factor} = {shape[1]}")


def _normalising(lines: Lines, at: int, given: Map) -> Result:
    check_map(lines, at, given.shape)
    return Result(given, params=2 * given.shape[0], note=_("a scale and a shift for each channel"))


def _same(_lines: Lines, _at: int, given: Map) -> Result:
    return Result(given)


def _flatten(_lines: Lines, _at: int, given: Map) -> Result:
    numbers = math.prod(given.shape)
    return Result(replace(given, shape=(numbers,)), note=f"{'·'.join(map(str, given.shape))} = {numbers}")


def _linear(lines: Lines, at: int, given: Map) -> Result:
    line, (out,) = lines[at], lines[at].numbers
    check_list(lines, at, given.shape)
    check_channels(lines, at, given.shape[0])
    weights = out * given.shape[0]
    bias = 0 if "nobias" in line.words else out
    note = f"{given.shape[0]}·{out}" + (f" + {out}" if bias else "")
    return Result(Map((out,), given.all_seen()), weights + bias, weights, note)


def join(lines: Lines, at: int, maps: Sequence[Map]) -> Result:
    """A line that is joined with an earlier one, of which the maps are given; the last of them is what arrives."""
    line, given = lines[at], maps[-1]
    number = check_join(lines, at, [m.shape for m in maps])
    if line.kind == "take":
        return Result(maps[number], joins=number)
    other, size = maps[number], maps[number].shape[1:]
    if size != given.shape[1:]:
        pick = max if "pad" in line.words else min
        size = tuple(pick(pair) for pair in zip(given.shape[1:], size, strict=True))
    channels = other.shape[0] + given.shape[0] if line.kind == "concat" else given.shape[0]
    note = f"{other.shape[0]} + {given.shape[0]} = {channels}" if line.kind == "concat" else ""
    return Result(Map((channels, *size), _both(given.seen, other.seen, size)), note=note, joins=number)


def _both(one: Seen, other: Seen, size: Sequence[int]) -> Seen:
    """What either sees, after both were cropped or padded to `size`; of two lists of numbers, which have none, what all see."""
    if one is None or other is None:
        return None
    if not size:
        rows, columns = (joined(everything(a), everything(b)) for a, b in zip(one, other, strict=True))
    else:
        rows, columns = (joined(fitted(a, n), fitted(b, n)) for a, b, n in zip(one, other, size, strict=True))
    return rows, columns


RULES: dict[str, Callable[[Lines, int, Map], Result]] = {
    "conv": _convolution, "upconv": _transposed, "maxpool": _pooling, "avgpool": _pooling, "gap": _global, "upsample": _enlarging,
    "bn": _normalising, "relu": _same, "dropout": _same, "flatten": _flatten, "linear": _linear,
}  # fmt: skip
