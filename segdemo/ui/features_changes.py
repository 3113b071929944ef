"""What a network says with skips and stages switched, remembered by network, picture and switches."""

from dataclasses import dataclass

from torch import Tensor

from segdemo.features import Changes, run_changed, switchable
from segdemo.inference import shared_engine
from segdemo.inference.cache import BoundedCache
from segdemo.ui.state import open_choice, other_pictures
from segdemo.ui.study import Study, course_of, study_of

__all__ = ["WhatIf", "changed_logits"]

LOGITS_MEMORY_BYTES = 120_000_000

_logits: BoundedCache[tuple[object, ...], Tensor] = BoundedCache(LOGITS_MEMORY_BYTES, lambda t: t.numel() * 4)


@dataclass(frozen=True)
class WhatIf:
    """What is changed, and whose activation takes a map's place where "other" is chosen."""

    changes: Changes
    other: str | None  # key of a choice

    @property
    def any(self) -> bool:
        return self.changes != Changes()


def changed_logits(study: Study, what_if: WhatIf) -> Tensor:
    """Logits with the changes, remembered by network, picture and switches. Raises what recording another picture raises, and
    what `course_of` raises."""
    if not what_if.any:
        return study.recording.logits
    other = _other(study, what_if)
    changes = _fitting(study, what_if.changes)
    course, recording = course_of(study), other.recording if other else None
    return _logits.get_or_make(
        (study.key, changes, other.key if other else None),
        lambda: shared_engine().study(
            study.entry.weights_id, lambda m: run_changed(m, study.recording, course, changes, other=recording)
        ),
    )  # fmt: skip


def _fitting(study: Study, changes: Changes) -> Changes:
    """Only those switches that exist in this network: the second of two may be another one."""
    offered = {(s.stage, s.skip_to): s.ways for s in switchable(study.recording, course_of(study))}
    kept = tuple(s for s in changes.switches if s.way in offered.get((s.stage, s.skip_to), ()))
    return Changes(kept, changes.upsampling, changes.own_statistics)


def _other(study: Study, what_if: WhatIf) -> Study | None:
    """The study of the picture whose maps are put in, where one is needed."""
    if not any(switch.way == "other" for switch in what_if.changes.switches):
        return None
    choice = other_pictures(study.picture).get(what_if.other or "")
    return None if choice is None else study_of(open_choice(choice), study.entry.weights_id)
