"""Joins: what a stage with skips puts together, found on the tape, and computed again from the recorded maps.

Within the cone of a stage, every map is known by the stages that it comes from. The join is the first concatenation,
sum or unpooling that brings all of them together; chains of sums or concatenations count as one. A skip is shown as it
arrives there: pooled, convolved, cropped. Only what leads from the recorded maps to the join is run.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segdemo.features.cones import Cone, cone_to, run_cone
from segdemo.features.course import Course
from segdemo.features.maps import as_map, bytes_of
from segdemo.features.recording import Recording, plain
from segdemo.features.replay import Replay
from segdemo.features.tape import Tape
from segdemo.types import JoinKind, Stage

__all__ = ["POOLING", "Join", "join_at"]

JOINING: dict[JoinKind, tuple[str, ...]] = {"concat": ("cat",), "sum": ("add", "add_", "stack"), "indices": ("max_unpool2d",)}
POOLING = "max_pool2d_with_indices"

Moment = tuple[int, int]  # the number of a map, as it is before that step


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

    @property
    def nbytes(self) -> int:
        """Bytes that it holds in memory, some of which may be a recording's own."""
        return bytes_of(*self.skips.values(), *(() if self.main is None else (self.main,)))


def join_at(model: nn.Module, recording: Recording, course: Course, stage: str) -> Join | None:
    """What comes together at a stage, float32 on the CPU; None where it has no skips, or they do not come together.

    `course` is that of the recorded picture, or one for all of its shape; of `model` only the weights are read.
    """
    names = [s.name for s in recording.stages]
    declared = recording.stages[names.index(stage)]
    if declared.join is None or stage not in course.cones:
        return None
    before = declared.after or names[names.index(stage) - 1]
    found = _find_junction(course.tape, course.cones[stage], declared, before)
    if found is None:
        return None
    with torch.inference_mode(False), torch.no_grad():
        replay = Replay(model, recording, course)

        def arriving(moment: Moment) -> Tensor:
            return as_map(plain(_at(replay, stage, moment)))

        main = None if found.main is None else arriving(found.main)
        skips = {name: recording.maps[name] if at is None else arriving(at) for name, at in found.skips.items()}
    return Join(main, skips, declared.join)


def _at(replay: Replay, stage: str, moment: Moment) -> Tensor:
    """A map on the way to a stage, from the recorded maps of earlier ones."""
    tape = replay.course.tape
    place = next(i for i in reversed(range(len(tape.marks))) if tape.marks[i].stage == stage)
    cone = cone_to(tape, *moment, tape.marks[:place])
    return run_cone(tape, cone, replay.taken(cone), lambda step, args, kwargs: step.operation(*args, **kwargs))


@dataclass(frozen=True)
class _Junction:
    """Where on the tape a join lies: the main way's map, and each skip's; None for the stage's own map."""

    main: Moment | None
    skips: Mapping[str, Moment | None]


def _find_junction(tape: Tape, cone: Cone, stage: Stage, main: str) -> _Junction | None:
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
                return _Junction((step.outputs[0], index + 1), dict.fromkeys(sorted(wanted)))
            if len(joined) > 1:
                return _sorted_out(list(_terms(tape, cone, index, sources, names)), sources, wanted, main)
        for number in (*step.outputs, *step.writes):
            sources[number] = joined
    return None


def _terms(tape: Tape, cone: Cone, index: int, sources: Mapping[int, frozenset[str]], names: tuple[str, ...]) -> Iterator[Moment]:
    """What a chain of joins puts together, each when it is taken."""
    for number in tape.steps[index].takes():
        before = tape.made.get(number)
        chained = before is not None and before in cone.steps and number not in cone.leaves
        if chained and tape.steps[before].name in names and len(sources.get(number, ())) > 1:  # type: ignore[index]
            yield from _terms(tape, cone, before, sources, names)  # type: ignore[arg-type]
        elif number in sources:
            yield number, index


def _sorted_out(terms: list[Moment], sources: Mapping[int, frozenset[str]], wanted: set[str], main: str) -> _Junction | None:
    """Each skip is the term that comes from it and from as little else as possible; so is the main way, among the others."""

    def purest(stage: str, taken: set[Moment]) -> Moment | None:
        held = [term for term in terms if term not in taken and stage in sources[term[0]]]
        return min(held, key=lambda term: len(sources[term[0]]), default=None)

    skips: dict[str, Moment | None] = {stage: term for stage in sorted(wanted) if (term := purest(stage, set())) is not None}
    return _Junction(purest(main, {term for term in skips.values() if term is not None}), skips) if skips else None
