"""What a race has shown so far: curves of every loss, and masks at some of the steps, in bounded memory.

Curves keep every value (a few numbers a step). Masks are kept as one bit a pixel, of at most `limit` steps: when there
are more, every second one is dropped, and from then on only every second one is kept. Step 0 and the newest stay.
"""

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Curves", "Scores", "Snapshots"]

Mask = NDArray[np.bool_]  # (P, S, S)


@dataclass(frozen=True)
class Scores:
    """Of the foreground, over all validation pixels together; 0–1, NaN where there is nothing to score."""

    dice: float
    iou: float
    precision: float
    recall: float


@dataclass(frozen=True)
class Curves:
    """Of one loss. `loss[i]` is the training loss in step i + 1; `scores[k]` was measured after `scored[k]` steps."""

    loss: tuple[float, ...] = ()
    scored: tuple[int, ...] = ()
    scores: tuple[Scores, ...] = ()

    def at(self, step: int) -> Scores | None:
        """The scores measured last, up to that step; None where there are none."""
        known = [k for k, measured in enumerate(self.scored) if measured <= step]
        return self.scores[known[-1]] if known else None


class Snapshots:
    """Written by the threads that train, read by the page. Safe for both at once."""

    def __init__(self, lanes: int, limit: int = 80) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._loss: list[list[float]] = [[] for _lane in range(lanes)]
        self._scores: list[dict[int, Scores]] = [{} for _lane in range(lanes)]
        self._masks: dict[int, dict[int, NDArray[np.uint8]]] = {}  # by step, then lane; packed bits
        self._shape: tuple[int, ...] = ()
        self._lost: dict[int, int] = {}
        self._kept_every = 1
        self._order: list[int] = []  # every step that was scored by any lane, ascending

    def add_loss(self, lane: int, value: float) -> None:
        """The training loss of the lane's next step."""
        with self._lock:
            self._loss[lane].append(value)

    def add_scores(self, lane: int, step: int, scores: Scores, masks: Mask) -> None:
        """What the lane scores after `step` steps, and its masks (P, S, S)."""
        packed = np.packbits(masks)
        with self._lock:
            self._shape = masks.shape
            self._scores[lane][step] = scores
            if step not in self._order:
                self._order = sorted([*self._order, step])
            self._masks.setdefault(step, {})[lane] = packed
            self._thin()

    def lose(self, lane: int, step: int) -> None:
        """The lane left the race in that step: its loss was no number any more."""
        with self._lock:
            self._lost[lane] = step

    def _thin(self) -> None:
        """Drop steps that are not a multiple of the stride, in the order of scoring, except the newest that all lanes have."""
        while True:
            place = {step: k for k, step in enumerate(self._order)}
            newest = max(self._complete(), default=0)
            spare = [s for s in self._masks if place[s] % self._kept_every and s < newest]
            for step in spare:
                del self._masks[step]
            if len(self._masks) <= self.limit:
                return
            self._kept_every *= 2

    def _complete(self) -> list[int]:
        """Steps of which the masks of all lanes that were in the race are there, ascending."""
        lanes = range(len(self._loss))
        return sorted(
            step for step, found in self._masks.items()
            if all(lane in found or self._lost.get(lane, step + 1) <= step for lane in lanes)
        )  # fmt: skip

    @property
    def steps(self) -> list[int]:
        """Steps whose masks can be shown for all lanes, ascending."""
        with self._lock:
            return self._complete()

    @property
    def lost(self) -> dict[int, int]:
        """The step in which a lane's loss was no number any more, by lane."""
        with self._lock:
            return dict(self._lost)

    def curves(self) -> list[Curves]:
        """Of every lane, as of now."""
        with self._lock:
            return [
                Curves(tuple(loss), tuple(scores), tuple(scores.values()))
                for loss, scores in zip(self._loss, self._scores, strict=True)
            ]

    def masks(self, step: int) -> list[Mask | None]:
        """(P, S, S) of every lane at a step of `steps`; None for a lane that has none there."""
        with self._lock:
            found = dict(self._masks.get(step, {}))
            count, shape = int(np.prod(self._shape)), self._shape
        lanes = range(len(self._loss))
        return [np.unpackbits(found[i], count=count).reshape(shape).astype(bool) if i in found else None for i in lanes]

    @property
    def nbytes(self) -> int:
        """What the masks take."""
        with self._lock:
            return sum(packed.nbytes for found in self._masks.values() for packed in found.values())
