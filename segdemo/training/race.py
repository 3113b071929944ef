"""A race of losses: one small U-Net for each, with the same initial weights and the same batches, step by step.

Lanes share nothing that changes: a batch is a function of seed and step, every lane has its own network and optimiser.
So the result does not depend on which thread did which step when, and a seed gives the same curves again (one torch
thread a step: sums are then always taken in one order).

Differs from a long training (`loop.py`): a constant learning rate, no averaged weights, and batch normalisation that
takes the statistics of the batch at hand also when it validates, because running ones would lag through the whole race.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import numpy as np
import torch
from torch import nn

from segdemo.data.imbalanced import PictureSet
from segdemo.losses import create_loss
from segdemo.training.race_network import batch_of, logits_of, racing_network, scores_of, to_input
from segdemo.training.race_settings import Pace, RaceSettings
from segdemo.training.snapshots import Snapshots

__all__ = ["SHOWN", "Race"]

SHOWN = 3  # validation pictures whose masks are kept
AHEAD = 1  # steps a lane may be ahead of the slowest: no worker waits, and the curves stay abreast

Slice = Callable[[], None]


@dataclass
class _Lane:
    """One loss with its network. `step` −1: not built yet. `busy` while a worker is at it."""

    number: int
    loss: nn.Module
    step: int = -1
    busy: bool = False
    lost: bool = False
    network: tuple[nn.Module, torch.optim.Optimizer] | None = None


class Race:
    """Work for `jobs.Jobs`: `take` hands out one step of one lane at a time. `shown` are the results so far."""

    def __init__(self, pictures: PictureSet, settings: RaceSettings) -> None:
        self.settings = settings
        self.pictures = pictures
        self.pace = Pace(settings.steps)
        self.shown = Snapshots(len(settings.losses))
        losses = [create_loss(name, **settings.options.get(name, {})) for name in settings.losses]
        self._lanes = [_Lane(i, loss) for i, loss in enumerate(losses)]
        self._lock = threading.Lock()
        self._closed = False

    def take(self) -> Slice | None:
        """The next step to do, of the lane that is furthest behind; None where nothing may be done right now."""
        with self._lock:
            racing = [lane for lane in self._lanes if not lane.lost]
            free = [lane for lane in racing if not lane.busy]
            if self._closed or not free:
                return None
            lane = min(free, key=lambda free_lane: free_lane.step)
            if lane.step - min(other.step for other in racing) > AHEAD:
                return None
            if not self.pace.allows(lane.step + 1, monotonic(), first=lane.step + 1 > self._furthest()):
                return None
            lane.busy = True
        return lambda: self._work(lane)

    def pause(self) -> None:
        """Bring all lanes to the step of the first of them, and rest there."""
        with self._lock:
            self.pace.pause_at(max(0, self._furthest()))

    def step_once(self) -> None:
        """One more step of every lane, from a pause."""
        self.pace.pause_at(self.pace.limit + 1)

    def resume(self) -> None:
        """Go on to the end."""
        self.pace.go()

    def close(self) -> None:
        """Free the networks; what was shown stays. Only when no step is under way."""
        with self._lock:
            self._closed = True
            for lane in self._lanes:
                lane.network = None

    @property
    def step(self) -> int:
        """Steps that all lanes have done; −1 before the networks are built."""
        with self._lock:
            return min((lane.step for lane in self._lanes if not lane.lost), default=self.settings.steps)

    @property
    def finished(self) -> bool:
        """Whether every lane is at the end, or out of the race."""
        return self.step >= self.settings.steps

    @property
    def paused(self) -> bool:
        """Whether the lanes rest, or will as soon as they are abreast."""
        return self.pace.limit < self.settings.steps

    def _furthest(self) -> int:
        """The step that the first lane has done or is doing."""
        return max((lane.step + lane.busy for lane in self._lanes if not lane.lost), default=0)

    def _work(self, lane: _Lane) -> None:
        step = lane.step + 1
        try:
            if lane.network is None:
                lane.network = racing_network(self.settings)
            else:
                self._learn(lane, step)
            if not lane.lost and self.settings.scored(step):
                self._score(lane, step)
        finally:
            with self._lock:
                lane.step, lane.busy = step, False

    def _learn(self, lane: _Lane, step: int) -> None:
        """One optimiser step. A lane whose loss is no number any more leaves the race."""
        assert lane.network is not None
        model, optimizer = lane.network
        image, target = batch_of(self.pictures, self.settings, step)
        loss = lane.loss(logits_of(model, image), target)
        value = float(loss.detach())
        self.shown.add_loss(lane.number, value)
        if not np.isfinite(value):
            lane.lost = True
            self.shown.lose(lane.number, step)
            return
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    @torch.no_grad()
    def _score(self, lane: _Lane, step: int) -> None:
        assert lane.network is not None
        preds = (logits_of(lane.network[0], to_input(self.pictures.validation_images))[:, 0] > 0).numpy()
        scores = scores_of(preds.astype(np.uint8), self.pictures.validation_targets)
        self.shown.add_scores(lane.number, step, scores, preds[:SHOWN])
