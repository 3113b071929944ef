"""Cones: each stage as a function of earlier stages, cut out of the tape, and run again by itself.

The cone of a stage holds the operations that lead to its map from the maps of other stages, and no more. A network thus
becomes a graph of stages; to change one of them, only the cones that see the change have to be computed again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from segdemo.features.tape import Mark, Step, Tape, filled, tensors_in

__all__ = ["Cone", "Runner", "cone_to", "cones_of", "run_cone"]

Runner = Callable[[Step, tuple[Any, ...], Mapping[str, Any]], Any]


@dataclass(frozen=True)
class Cone:
    """`steps`: the operations by their places on the tape. `leaves`: number → stage whose map is taken. `given`: numbers of
    weights, constants and the picture. `overwritten`: leaves that a step changes in place. `ends`: step → numbers that
    nothing needs after it."""

    target: int
    steps: tuple[int, ...]
    leaves: Mapping[int, str]
    given: tuple[int, ...]
    overwritten: frozenset[int]
    ends: Mapping[int, tuple[int, ...]]


def cones_of(tape: Tape) -> dict[str, Cone]:
    """Stage → its cone, the logits' last."""
    return {mark.stage: cone_to(tape, mark.number, mark.time, tape.marks[:place]) for place, mark in enumerate(tape.marks)}


def cone_to(tape: Tape, target: int, time: int, stops: Sequence[Mark]) -> Cone:
    """The cone of the map `target` as it is before the step `time`; it stops at the maps of `stops`."""
    earlier: dict[int, list[Mark]] = {}
    for mark in stops:
        earlier.setdefault(mark.number, []).append(mark)
    leaves: dict[int, str] = {}
    given: dict[int, None] = {}
    steps: set[int] = set()
    asked: set[tuple[int, int]] = set()
    open_requests = [(target, time)]  # a map, and as of when
    while open_requests:
        request = open_requests.pop()
        if request in asked:
            continue
        asked.add(request)
        number, until = request
        start = -1
        if known := [mark for mark in earlier.get(number, ()) if mark.time <= until]:
            leaves[number], start = known[-1].stage, known[-1].time
        elif number in tape.made:
            start = tape.made[number]
        else:
            given[number] = None
        needed = [step for step in tape.writes.get(tape.base[number], ()) if start <= step < until]
        if not known and number in tape.made:
            needed.append(start)
        for step in needed:
            if step not in steps:
                steps.add(step)
                open_requests += [(taken, step) for taken in tape.steps[step].takes()]
    order = tuple(sorted(steps))
    changed = {tape.base[number] for step in order for number in tape.steps[step].writes}
    overwritten = frozenset(number for number in (*leaves, *given) if tape.base[number] in changed)
    return Cone(target, order, leaves, tuple(given), overwritten, _ends(tape, order, target))


def _ends(tape: Tape, order: tuple[int, ...], target: int) -> dict[int, tuple[int, ...]]:
    last: dict[int, int] = {}
    for index in order:
        step = tape.steps[index]
        last |= dict.fromkeys((*step.takes(), *step.outputs), index)
    ends: dict[int, tuple[int, ...]] = {}
    for number, index in last.items():
        if number not in (target, -1):
            ends[index] = (*ends.get(index, ()), number)
    return ends


def run_cone(tape: Tape, cone: Cone, tensors: Mapping[int, Tensor], run: Runner) -> Tensor:
    """The map of a cone's stage from its leaves and what is given, by number. `run` does the operations; it may do others."""
    now = {n: tensors[n].clone() if n in cone.overwritten else tensors[n] for n in (*cone.leaves, *cone.given)}
    for index in cone.steps:
        step = tape.steps[index]
        args = filled(step.args, now)
        kwargs = {key: filled(value, now) for key, value in step.kwargs.items()}
        output = run(step, args, kwargs)
        if not step.writes:
            now |= {n: t for n, t in zip(step.outputs, tensors_in(output), strict=True) if t is not None}
        for number in cone.ends.get(index, ()):
            now.pop(number, None)
    return now[cone.target]
