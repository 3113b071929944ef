"""A network line by line: what shape leaves each, and what it costs; where two things do not fit, why, and what would help.

Nothing is run: every shape follows from the formulas that `torch.nn` documents, and the tests compare them with torch.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from segdemo.layerlab.shape_language import KINDS, LIMITS, Line
from segdemo.layerlab.shape_problems import Fix, LineError, removed
from segdemo.layerlab.shape_reach import identity
from segdemo.layerlab.shape_rules import RULES, Map, Result, Shape, join
from segdemo.text import _, current_language

__all__ = ["Problem", "Shape", "Step", "Walk", "other_size", "walk"]

FLOAT_BYTES = 4
SIZES_TRIED = 16  # pixels up and down: four halvings repeat within as many


@dataclass(frozen=True)
class Step:
    """What leaves a line, for one picture. memory_bytes: of its output as float32. macs: multiplications with an addition, of
    convolutions and linear layers. field_px: pixels of the input along the longer side of what one number depends on."""

    line: Line
    shape: Shape
    params: int
    macs: int
    memory_bytes: int
    field_px: int
    sees_all: bool
    joins: int | None = None
    """Number of the line that is joined, from 0."""
    note: str = ""
    """How the shape came about, with its numbers."""


@dataclass(frozen=True)
class Problem:
    """Why the walk ends at line `at` (from 0), in a sentence; and what would help, the whole network as it would then be."""

    at: int
    sentence: str
    fixes: tuple[Fix, ...]


@dataclass(frozen=True)
class Walk:
    """The lines as far as they fit, and what stands in the way of the rest."""

    steps: tuple[Step, ...]
    problem: Problem | None = None

    @property
    def params(self) -> int:
        """Of all lines that were reached."""
        return sum(step.params for step in self.steps)

    @property
    def macs(self) -> int:
        """Of all lines that were reached."""
        return sum(step.macs for step in self.steps)

    @property
    def memory_bytes(self) -> int:
        """Of all outputs together, as training keeps them."""
        return sum(step.memory_bytes for step in self.steps)


def walk(lines: Sequence[Line]) -> Walk:
    """All lines, or as far as they fit."""
    return _walked(tuple(lines), current_language())


@lru_cache(maxsize=128)
def _walked(lines: tuple[Line, ...], _language: str) -> Walk:
    """Remembered, for a page asks again for every change of anything."""
    results, problem = _results(lines, fields=True)
    return Walk(tuple(_step(line, result, results[0].map) for line, result in zip(lines, results, strict=False)), problem)


def _results(lines: tuple[Line, ...], fields: bool) -> tuple[list[Result], Problem | None]:
    """What every line makes, and the problem that ends it. fields: also what every position sees, which takes longer."""
    results: list[Result] = []
    for at in range(len(lines)):
        try:
            results.append(_result(lines, at, [result.map for result in results], fields))
        except LineError as error:
            return results, Problem(at, error.sentence, error.fixes)
    if not lines:
        return [], Problem(0, _("There are no lines yet: a network starts with an input."), (
            Fix(_("Start with a picture"), (Line("input", (3, 64, 64)),)),))  # fmt: skip
    return results, None


def other_size(lines: Sequence[Line]) -> Fix | None:
    """The nearest size of the input with which all lines fit, both sides changed alike; None where none near does."""
    return _other_size(tuple(lines), current_language())


@lru_cache(maxsize=128)
def _other_size(lines: tuple[Line, ...], _language: str) -> Fix | None:
    if not lines or lines[0].kind != "input":
        return None
    channels, height, width = lines[0].numbers
    for by in (sign * step for step in range(1, SIZES_TRIED + 1) for sign in (-1, 1)):
        if min(height, width) + by >= 1 and max(height, width) + by <= min(LIMITS["height"], LIMITS["width"]):
            changed = (replace(lines[0], numbers=(channels, height + by, width + by)), *lines[1:])
            if _results(changed, fields=False)[1] is None:
                return Fix(_("Make the input {h} × {w}", h=height + by, w=width + by), changed)
    return None


def _result(lines: Sequence[Line], at: int, maps: Sequence[Map], fields: bool) -> Result:
    line = lines[at]
    if (line.kind == "input") != (at == 0):
        raise LineError(_("The first line, and only the first, is the input."), () if at == 0 else (removed(lines, at),))
    if line.name and line.name in (other.name for other in lines[:at]):
        raise LineError(_("Two lines are called {name}.", name=line.name),
                        (Fix(_("Drop the second name"), (*lines[:at], replace(line, name=""), *lines[at + 1 :])),))  # fmt: skip
    if at == 0:
        height, width = line.numbers[1:]
        return Result(Map(line.numbers, (identity(height), identity(width)) if fields else None))
    if KINDS[line.kind].joins:
        return join(lines, at, maps)
    return RULES[line.kind](lines, at, maps[-1])


def _step(line: Line, result: Result, image: Map) -> Step:
    rows, columns = (reach.widest for reach in result.map.seen or ())
    field, whole = max(rows, columns), (rows, columns) == image.shape[1:]
    return Step(line, result.map.shape, result.params, result.macs, FLOAT_BYTES * math.prod(result.map.shape), field, whole,
                result.joins, result.note)  # fmt: skip
