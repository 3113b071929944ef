"""Joins: what a stage with skips puts together, found on the tape.

Within the cone of a stage, every map is known by the stages that it comes from. The join is the first concatenation,
sum or unpooling that brings all of them together; chains of sums or concatenations count as one. A skip is shown as it
arrives there: pooled, convolved, cropped.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

from segdemo.features.cones import Cone
from segdemo.features.tape import Tape
from segdemo.types import JoinKind, Stage

__all__ = ["AS_IT_IS", "JOINING", "POOLING", "Join", "Junction", "find_junction"]

JOINING: dict[JoinKind, tuple[str, ...]] = {"concat": ("cat",), "sum": ("add", "add_", "stack"), "indices": ("max_unpool2d",)}
POOLING = "max_pool2d_with_indices"
AS_IT_IS = -1  # in place of a number: the stage's own map


@dataclass(frozen=True)
class Join:
    """What a stage with skips puts together, before its convolutions.

    main: (C, h, w), what came along the main way as it arrives, enlarged; None where it could not be told apart.
    skips: stage → (C, h, w), its map as it arrives. Where only the places of maxima are handed on ("indices"), the skip is
    the map whose maxima they are, and main is what the unpooling makes of them: the pooled values at those places.
    """

    main: Tensor | None
    skips: Mapping[str, Tensor]
    kind: JoinKind


@dataclass(frozen=True)
class Junction:
    """Where on the tape a join lies: (step, number) of the main way's map, and of each skip's, AS_IT_IS for the stage's own."""

    main: tuple[int, int] | None
    skips: Mapping[str, tuple[int, int]]


def find_junction(tape: Tape, cone: Cone, stage: Stage, main: str) -> Junction | None:
    """The join of a stage whose main way comes from the stage `main`; None where its skips do not come together."""
    if stage.join is None:
        return None
    names = JOINING[stage.join]
    feeding = set(cone.leaves.values())
    wanted = set(stage.skip_from) & feeding
    everything = wanted | ({main} & feeding)
    sources = {number: frozenset({leaf}) for number, leaf in cone.leaves.items()}
    for index in cone.steps:
        step = tape.steps[index]
        joined = frozenset().union(*(sources.get(n, frozenset()) for n in step.takes()))
        if step.name in names and wanted and everything <= joined:
            if stage.join == "indices":
                return Junction((index, step.outputs[0]), dict.fromkeys(wanted, (index, AS_IT_IS)))
            if len(joined) > 1:
                return _sorted_out(list(_terms(tape, cone, index, sources, names)), sources, wanted, main)
        for number in (*step.outputs, *step.writes):
            sources[number] = joined
    return None


def _terms(
    tape: Tape, cone: Cone, index: int, sources: Mapping[int, frozenset[str]], names: tuple[str, ...]
) -> Iterator[tuple[int, int]]:
    """(step, number) of what a chain of joins puts together."""
    for number in tape.steps[index].takes():
        before = tape.made.get(number)
        chained = before is not None and before in cone.steps and number not in cone.leaves
        if chained and tape.steps[before].name in names and len(sources.get(number, ())) > 1:  # type: ignore[index]
            yield from _terms(tape, cone, before, sources, names)  # type: ignore[arg-type]
        elif number in sources:
            yield index, number


def _sorted_out(
    terms: list[tuple[int, int]], sources: Mapping[int, frozenset[str]], wanted: set[str], main: str
) -> Junction | None:
    """Each skip is the term that comes from it and from as little else as possible; so is the main way, among the others."""

    def purest(stage: str, taken: set[tuple[int, int]]) -> tuple[int, int] | None:
        held = [term for term in terms if term not in taken and stage in sources[term[1]]]
        return min(held, key=lambda term: len(sources[term[1]]), default=None)

    skips = {stage: term for stage in sorted(wanted) if (term := purest(stage, set())) is not None}
    return Junction(purest(main, set(skips.values())), skips) if skips else None
