"""What decides a race of losses, and how far and fast its lanes may go."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from segdemo.errors import SettingError
from segdemo.losses import FACTS
from segdemo.text import _
from segdemo.training.run_spec import check_loss

__all__ = ["FEWEST", "MOST", "Pace", "RaceSettings", "racing_losses"]

FEWEST, MOST = 2, 6  # losses in one race
FIRST_SCORED = 3  # the beginning is watched step by step


def racing_losses() -> list[str]:
    """Losses that take one logit a pixel, as the racing networks give."""
    return [name for name, facts in FACTS.items() if facts.channels != "several"]


@dataclass(frozen=True)
class RaceSettings:
    """Everything that decides a race, apart from its pictures. Raises SettingError outside what works."""

    losses: tuple[str, ...]
    steps: int = 200  # 1–2000
    batch_size: int = 8  # 1–16
    width: int = 16  # channels of the first stage: 4–16
    learning_rate: float = 2e-3
    seed: int = 0
    score_every: int = 5  # steps
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # of a loss by its name, where not the usual ones

    def __post_init__(self) -> None:
        if not FEWEST <= len(set(self.losses)) == len(self.losses) <= MOST:
            raise SettingError(_("A race takes {low} to {high} different losses.", low=FEWEST, high=MOST))
        for name in self.losses:
            if name not in racing_losses():
                raise SettingError(_('The loss "{name}" cannot race: the networks give one logit a pixel.', name=name))
            check_loss(name, self.options.get(name, {}))
        within = (
            1 <= self.steps <= 2000 and 1 <= self.batch_size <= 16 and 4 <= self.width <= 16
            and 0 < self.learning_rate <= 1 and self.seed >= 0 and self.score_every >= 1
        )  # fmt: skip
        if not within:
            raise SettingError(_("A race has 1 to 2000 steps, batches of 1 to 16, and networks 4 to 16 channels wide."))

    def scored(self, step: int) -> bool:
        """Whether the networks are measured after that many steps."""
        return step <= FIRST_SCORED or step % self.score_every == 0 or step == self.steps


class Pace:
    """How far and how fast the lanes may go; set by the page, asked by the workers."""

    def __init__(self, steps: int) -> None:
        self._most = steps
        self.limit = steps  # no lane goes beyond it
        self.per_second: float | None = None  # steps at most, of each lane; None: as fast as it goes
        self._earliest = 0.0

    def pause_at(self, step: int) -> None:
        """Go on to that step and rest there."""
        self.limit = min(self._most, step)

    def go(self) -> None:
        """Go on to the end."""
        self.limit = self._most

    def allows(self, step: int, now: float, first: bool) -> bool:
        """Whether a lane may do the step of that number (from 1); the `first` lane to do it waits for its time."""
        if step > self.limit:
            return False
        if self.per_second is None or not first:
            return True
        if now < self._earliest:
            return False
        self._earliest = now + 1 / self.per_second
        return True
