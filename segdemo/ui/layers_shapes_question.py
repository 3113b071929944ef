"""The question of the Shape walk: a number that no line says, so that it has to be worked out.

That is how long a list gets; or the last shape that follows from a kernel, a stride or a join; or, where lines say all shapes,
the parameters of a layer. Wrong choices are what a slip would give.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from segdemo.layerlab.shape_language import KINDS, write_line
from segdemo.layerlab.shape_walk import Shape, Step, Walk
from segdemo.text import _
from segdemo.ui.layers_shapes_data import shape_text

__all__ = ["Question", "question_of"]

Number = TypeVar("Number", Shape, int)
WRONG = 3  # choices beside the right one
SIZING = ("conv", "upconv", "maxpool", "avgpool", "upsample")  # lines that can change height and width


@dataclass(frozen=True)
class Question:
    """What is asked about line `at`, from 0. whole: from there on nothing is shown; otherwise only what the layer costs is
    hidden. choices: by key; answer: the key of the right one; why: how it comes about."""

    at: int
    whole: bool
    text: str
    choices: Mapping[str, str]
    answer: str
    why: str


def question_of(found: Walk) -> Question | None:
    """The question of a network; None where something in it does not fit, or nothing is worth asking."""
    steps = found.steps
    if found.problem or len(steps) < 2:
        return None
    if (at := _untold(steps)) is not None:
        return _about_shape(steps, at)
    weighty = [at for at, step in enumerate(steps) if step.macs]
    return _about_parameters(steps, weighty[-1]) if weighty else None


def _untold(steps: Sequence[Step]) -> int | None:
    """The last line whose shape neither its own words nor a later line's tell."""
    for at in range(len(steps) - 1, 0, -1):
        step, before = steps[at], steps[at - 1].shape
        kind, numbers = step.line.kind, len(before) > 1 and math.prod(before[1:]) > 1
        sized = kind in SIZING and step.shape[1:] != before[1:]
        if kind == "concat" or sized or (kind == "flatten" and numbers):
            return at
        if kind in ("add", "take", "flatten", "gap") or ("in" in KINDS[kind].options and step.line.option("in")):
            return None  # an equal shape stands elsewhere
    return None


def _about_shape(steps: Sequence[Step], at: int) -> Question:
    step, before = steps[at], steps[at - 1].shape
    if step.line.kind == "flatten":
        text = _("How many numbers leave line {n}, `{line}`?", n=at + 1, line=write_line(step.line))
    else:
        text = _("What shape leaves line {n}, `{line}`?", n=at + 1, line=write_line(step.line))
    wrong = _list_slips(before, step.shape[0]) if len(step.shape) == 1 else _map_slips(before, step.shape)
    shapes = sorted({step.shape, *_differing(wrong, step.shape)})
    choices = {"-".join(map(str, shape)): shape_text(shape) for shape in shapes}
    return Question(at, True, text, choices, "-".join(map(str, step.shape)), _why_shape(steps, at))


def _list_slips(before: Shape, right: int) -> list[Shape]:
    """Of a list: one side forgotten, the channels forgotten, all added."""
    return [(math.prod(before[:2]),), (math.prod(before[1:]),), (sum(before),), (2 * right,)]


def _map_slips(before: Shape, right: Shape) -> list[Shape]:
    """Of a map: the shape before, its sides, the sides one less, twice the channels."""
    channels, *size = right
    less = [(channels, *(n - 1 for n in size))] if min(size) > 1 else []
    return [before, (channels, *before[1:]), *less, (2 * channels, *size), (channels, *(2 * n for n in size))]


def _differing(slips: Iterable[Number], right: Number) -> list[Number]:
    return [slip for slip in dict.fromkeys(slips) if slip != right][:WRONG]


def _why_shape(steps: Sequence[Step], at: int) -> str:
    step = steps[at]
    if step.line.kind == "flatten":
        said = _("Flatten puts all numbers of the map into one list: {note}.", note=step.note)
        after = next((other for other in steps[at + 1 :] if other.line.kind == "linear"), None)
        return f"{said} {_linear_reason(after, step.shape[0])}" if after else said
    if step.line.kind == "concat":
        said = _("A concatenation stacks the channels of both: {note}.", note=step.note)
        return said if step.line.words else f"{said} {_('Height and width agree and stay.')}"
    size = _("Height: {note}.", note=step.note)
    if step.line.kind in ("conv", "upconv"):
        return f"{size} {_('The channels are the {out} filters of the line.', out=step.shape[0])}"
    return f"{size} {_('The channels stay, because each is treated by itself.')}"


def _about_parameters(steps: Sequence[Step], at: int) -> Question:
    step, given = steps[at], steps[at - 1].shape[0]
    text = _("How many parameters does line {n}, `{line}`, have?", n=at + 1, line=write_line(step.line))
    out = step.shape[0]
    area = 1 if step.line.kind == "linear" else step.line.option("k") ** 2
    slips = (_weights(step, given), _weights(step, given) + out, out * area + out, given * area + out, given + out)
    numbers = sorted({step.params, *_differing(slips, step.params)})
    why = _linear_reason(step, given) if step.line.kind == "linear" else _convolution_reason(step, given)
    return Question(at, False, text, {str(n): f"{n:,}" for n in numbers}, str(step.params), why)


def _weights(step: Step, given: int) -> int:
    """Those of the kernel, or of the matrix, without what is added to the outputs."""
    line = step.line
    if line.kind == "linear":
        return given * step.shape[0]
    return given * step.shape[0] * line.option("k") ** 2 // (line.option("g") if line.kind == "conv" else 1)


def _linear_reason(step: Step, given: int) -> str:
    out = step.shape[0]
    said = _("Linear {out} gives {out} numbers, one per output unit.", out=out)
    if step.params == given * out:
        return f"{said} {_('Its parameters: {c}·{out} weights = {all}.', c=given, out=out, all=f'{step.params:,}')}"
    counted = _("Its parameters: {c}·{out} weights + {out} biases = {all}.", c=given, out=out, all=f"{step.params:,}")
    return f"{said} {counted}"


def _convolution_reason(step: Step, given: int) -> str:
    """The weights factor by factor, and what comes on top for each filter."""
    line, out = step.line, step.shape[0]
    groups = line.option("g") if line.kind == "conv" else 1
    k = line.option("k")
    parts = [_("{c}·{out}·{k}·{k} weights", c=given // groups, out=out, k=k)]
    parts += [_("{n} biases", n=out)] if "nobias" not in line.words else []
    parts += [_("{n} of the batch norm (a scale and a shift each)", n=2 * out)] if "bn" in line.words else []
    return _("Each of the {out} filters has {k} × {k} weights for every channel that it reads: {sum} = {all}.",
             out=out, k=k, sum=" + ".join(parts), all=f"{step.params:,}")  # fmt: skip
