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
)
from segdemo.layerlab.shape_reach import Reach, everything, fitted, joined, sampled, spread, windows
from segdemo.text import _

__all__ = ["RULES", "Map", "Result", "Shape", "join"]

Shape = tuple[int, ...]  # without the batch: (C, H, W), or (n,)
Lines = Sequence[Line]


@dataclass(frozen=True)
class Map:
    """What goes from line to line: a shape, and what its positions see along both axes."""

    shape: Shape
    rows: Reach
    columns: Reach


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
    height, width = ((n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1 for n in given.shape[1:])
    rows, columns = (windows(reach, n, kernel, stride, padding, dilation)
                     for reach, n in ((given.rows, height), (given.columns, width)))  # fmt: skip
    weights = out * (given.shape[0] // groups) * kernel**2
    note = f"⌊({given.shape[1]} + 2·{padding} − {dilation}·({kernel} − 1) − 1)/{stride}⌋ + 1 = {height}"
    return Result(Map((out, height, width), rows, columns), weights + _extra(line), weights * height * width, note)


def _transposed(lines: Lines, at: int, given: Map) -> Result:
    line, (out,) = lines[at], lines[at].numbers
    check_map(lines, at, given.shape)
    check_channels(lines, at, given.shape[0])
    kernel, stride, padding = (line.option(letter) for letter in "ksp")
    height, width = ((n - 1) * stride - 2 * padding + kernel for n in given.shape[1:])
    if min(height, width) < 1:
        fix = Fix(_("Without padding"), (*lines[:at], line.having(p=0), *lines[at + 1 :]))
        sentence = _("A padding of {p} cuts everything away: nothing is left of {n} positions.", p=padding, n=given.shape[1])
        raise LineError(sentence, (fix,))
    rows, columns = (spread(reach, n, kernel, stride, padding) for reach, n in ((given.rows, height), (given.columns, width)))
    weights = out * given.shape[0] * kernel**2
    note = f"({given.shape[1]} − 1)·{stride} − 2·{padding} + {kernel} = {height}"
    macs = weights * given.shape[1] * given.shape[2]
    return Result(Map((out, height, width), rows, columns), weights + _extra(line), macs, note)


def _extra(line: Line) -> int:
    """Biases, and the scale and shift of a batch normalisation."""
    return line.numbers[0] * (("nobias" not in line.words) + 2 * ("bn" in line.words))


def _pooling(lines: Lines, at: int, given: Map) -> Result:
    line = lines[at]
    check_map(lines, at, given.shape)
    check_pool_padding(lines, at)
    check_kernel(lines, at, given.shape)
    kernel, stride, padding = (line.option(letter) for letter in "ksp")
    height, width = (_pooled(n, kernel, stride, padding, "ceil" in line.words) for n in given.shape[1:])
    rows, columns = (windows(reach, n, kernel, stride, padding) for reach, n in ((given.rows, height), (given.columns, width)))
    brackets = "⌈⌉" if "ceil" in line.words else "⌊⌋"
    note = f"{brackets[0]}({given.shape[1]} + 2·{padding} − {kernel})/{stride}{brackets[1]} + 1 = {height}"
    return Result(Map((given.shape[0], height, width), rows, columns), note=note)


def _pooled(size: int, kernel: int, stride: int, padding: int, ceil: bool) -> int:
    """With ceil the last window may hang over the edge, but must start within the map or its padding on the left."""
    spare = size + 2 * padding - kernel
    if not ceil:
        return spare // stride + 1
    places = -(-spare // stride) + 1
    return places - ((places - 1) * stride >= size + padding)


def _global(lines: Lines, at: int, given: Map) -> Result:
    check_map(lines, at, given.shape)
    note = _("the mean of {n} positions", n=given.shape[1] * given.shape[2])
    return Result(Map((given.shape[0], 1, 1), everything(given.rows), everything(given.columns)), note=note)


def _enlarging(lines: Lines, at: int, given: Map) -> Result:
    check_map(lines, at, given.shape)
    factor, bilinear = lines[at].option("s"), "bilinear" in lines[at].words
    shape = (given.shape[0], given.shape[1] * factor, given.shape[2] * factor)
    rows, columns = sampled(given.rows, factor, bilinear), sampled(given.columns, factor, bilinear)
    return Result(Map(shape, rows, columns), note=f"{given.shape[1]}·{factor} = {shape[1]}")


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
    return Result(Map((out,), everything(given.rows), everything(given.columns)), weights + bias, weights, note)


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
    rows, columns = ((joined(fitted(a, n), fitted(b, n)) for a, b, n in
                     ((given.rows, other.rows, size[0]), (given.columns, other.columns, size[1])))
                     if len(size) == 2 else (joined(given.rows, other.rows), joined(given.columns, other.columns)))  # fmt: skip
    note = f"{other.shape[0]} + {given.shape[0]} = {channels}" if line.kind == "concat" else ""
    return Result(Map((channels, *size), rows, columns), note=note, joins=number)


RULES: dict[str, Callable[[Lines, int, Map], Result]] = {
    "conv": _convolution, "upconv": _transposed, "maxpool": _pooling, "avgpool": _pooling, "gap": _global, "upsample": _enlarging,
    "bn": _normalising, "relu": _same, "dropout": _same, "flatten": _flatten, "linear": _linear,
}  # fmt: skip
