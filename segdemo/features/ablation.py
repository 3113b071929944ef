"""Ablation: what the network would say if a stage, a skip or a kind of layer were another.

A recording holds every stage's map, a course the operations between them. A change is followed through the graph of
stages: a stage that sees it is computed again from the recorded maps of those that do not, and no other is. Weights are
read, never written; no module is called, so nothing is hooked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from segdemo.errors import SettingError
from segdemo.features.cones import run_cone
from segdemo.features.course import Course
from segdemo.features.joins import POOLING
from segdemo.features.maps import as_map
from segdemo.features.recording import Recording
from segdemo.features.replay import Replay
from segdemo.features.rewiring import Enlargement, enlarges, normalised_by_itself, normalises, with_enlargement
from segdemo.features.substitutes import Way, substitute
from segdemo.features.tape import LOGITS, Step
from segdemo.text import _

__all__ = ["Allowed", "Changes", "Switch", "Switchable", "Way", "allows", "recomputed", "run_changed", "switchable"]


@dataclass(frozen=True)
class Switch:
    """Another map in the place of a stage's: everywhere, or with `skip_to` only where it feeds that later stage as a skip."""

    stage: str
    skip_to: str | None = None
    way: Way = "zero"


@dataclass(frozen=True)
class Changes:
    """switches; `upsampling`: enlarge everywhere by that mode; `own_statistics`: batch normalisation by the picture's own
    mean and variance instead of the learned ones."""

    switches: tuple[Switch, ...] = ()
    upsampling: Enlargement | None = None
    own_statistics: bool = False


@dataclass(frozen=True)
class Switchable:
    """A stage, or its skip to a later one, that can be switched in these ways.

    A skip that hands on only the places of maxima has no "mean": on a flat map the first place of each window is the
    largest, as with "zero". With "noise" the places are random ones. A map of one position has neither mean nor noise.
    """

    stage: str
    skip_to: str | None
    ways: tuple[Way, ...]


@dataclass(frozen=True)
class Allowed:
    """Whether a network has enlargements to swap, and batch normalisation by learned statistics."""

    upsampling: bool
    own_statistics: bool


def switchable(recording: Recording, course: Course) -> tuple[Switchable, ...]:
    """All that changes the logits when it is switched: stages in running order, each followed by its skips."""
    matters = _leading_to(course, LOGITS)
    found = []
    for name in recording.maps:
        if name not in matters:
            continue
        single = recording.maps[name][0].numel() == 1
        found.append(Switchable(name, None, ("zero", "other") if single else ("zero", "mean", "noise", "other")))
        for stage in recording.stages:
            if name in stage.skip_from and stage.name in matters and _feeds(course, name, stage.name):
                no_mean = stage.join == "indices" or single
                ways: tuple[Way, ...] = ("zero", *(() if no_mean else ("mean",)), *(() if single else ("noise",)), "other")
                found.append(Switchable(name, stage.name, ways))
    return tuple(found)


def allows(course: Course) -> Allowed:
    """Which of the two changes of layers the network has anything to change by."""
    steps = [course.tape.steps[i] for i in {i for cone in course.cones.values() for i in cone.steps}]
    return Allowed(any(map(enlarges, steps)), any(map(normalises, steps)))


def recomputed(course: Course, changes: Changes) -> tuple[str, ...]:
    """The stages that the changes make it necessary to compute again, in running order; "logits" for what follows the last."""
    whole = {switch.stage for switch in changes.switches if switch.skip_to is None}
    cut = {switch.skip_to for switch in changes.switches}
    changed: set[str] = set()
    again = []
    for name, cone in course.cones.items():
        rewired = any(_changes_step(course.tape.steps[i], changes) for i in cone.steps)
        if name in whole:
            changed.add(name)
        elif name in cut or rewired or changed & set(cone.leaves.values()):
            changed.add(name)
            again.append(name)
    needed = {LOGITS}
    for name in reversed(again):
        needed |= set(course.cones[name].leaves.values()) if name in needed else set()
    return tuple(name for name in again if name in needed)


def run_changed(
    model: nn.Module, recording: Recording, course: Course, changes: Changes, *, other: Recording | None = None, seed: int = 0
) -> Tensor:
    """Logits (C, h, w) float32 on the CPU, as the network that was recorded would give them with the changes.

    `course` is that of the recorded picture, or one for all of its shape; of `model` only the weights are read. `other` is
    the recording of another picture with the same network, for the way "other". What takes a map's place is made from the
    map as recorded, whatever else is switched. Without changes: the recorded logits. Raises SettingError where a stage or
    skip cannot be switched like that.
    """
    with torch.inference_mode(False), torch.no_grad():  # in this order: the first alone would switch gradients on
        _check(recording, course, changes)
        others = other.raw if other else None
        replay = Replay(model, recording, course)
        cuts: dict[str, dict[str, Tensor]] = {}
        for switch in changes.switches:
            put = replay.back(substitute(switch.stage, recording.raw[switch.stage], switch.way, others, seed))
            if switch.skip_to is None:
                replay.changed[switch.stage] = put
            else:
                cuts.setdefault(switch.skip_to, {})[switch.stage] = put
        for name in recomputed(course, changes):
            replay.changed[name] = _again(replay, name, cuts.get(name, {}), changes)
        logits = replay.changed.get(LOGITS)
        return recording.logits if logits is None else as_map(logits.to("cpu", torch.float32))


def _again(replay: Replay, name: str, cut: Mapping[str, Tensor], changes: Changes) -> Tensor:
    """One stage, from the maps of those that lead to it. A skip that hands on only places is cut where they are looked for."""
    cone = replay.course.cones[name]
    of_places = any(s.name == name and s.join == "indices" for s in replay.recording.stages)
    places = {number: cut[stage] for number, stage in cone.leaves.items() if stage in cut} if of_places else {}
    taken = replay.taken(cone, None if of_places else cut)
    return run_cone(replay.course.tape, cone, taken, partial(_run, changes, places))


def _run(changes: Changes, instead: Mapping[int, Tensor], step: Step, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """An operation as the changes have it. `instead`: number → the map in which a pooling is to look for its maxima."""
    if changes.upsampling is not None and enlarges(step):
        return with_enlargement(step, args, kwargs, changes.upsampling)
    if changes.own_statistics and normalises(step):
        return normalised_by_itself(step, args, kwargs)
    output = step.operation(*args, **kwargs)
    if instead and step.name == POOLING and step.args[0] in instead:
        return [output[0], step.operation(instead[step.args[0]], *args[1:], **kwargs)[1]]
    return output


def _changes_step(step: Step, changes: Changes) -> bool:
    return (changes.upsampling is not None and enlarges(step)) or (changes.own_statistics and normalises(step))


def _leading_to(course: Course, target: str) -> set[str]:
    """The stages that a map comes from, near and far."""
    reached, open_names = {target}, [target]
    while open_names:
        before = set(course.cones[open_names.pop()].leaves.values()) - reached
        reached |= before
        open_names += before
    return reached


def _feeds(course: Course, stage: str, skip_to: str) -> bool:
    return stage in course.cones[skip_to].leaves.values()


def _check(recording: Recording, course: Course, changes: Changes) -> None:
    possible = {(s.stage, s.skip_to): s.ways for s in switchable(recording, course)}
    for switch in changes.switches:
        if switch.way not in possible.get((switch.stage, switch.skip_to), ()):
            raise SettingError(_('"{stage}" cannot be switched like that in this network.', stage=switch.stage))
