"""Event files for TensorBoard, where its package is installed: it is not one that segdemo needs."""

from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from segdemo.training.loop import TrainingStep

__all__ = ["EventWriter", "tensorboard_is_installed"]


def tensorboard_is_installed() -> bool:
    """Whether event files can be written: `pip install tensorboard`."""
    return find_spec("tensorboard") is not None


class EventWriter:
    """Writes steps to a folder; to None, or without the package, it writes nothing. `score_name`: of a validation's score."""

    def __init__(self, folder: Path | None, score_name: str = "IoU") -> None:
        self._writer: Any = None
        self._score_name = score_name
        if folder is not None and tensorboard_is_installed():
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(folder))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(self, step: TrainingStep) -> None:
        """Loss and learning rate of a step, and of its validation, if it had one, what could be measured."""
        if self._writer is None:
            return
        values = {"loss": step.loss, "learning_rate": step.learning_rate, **self._scores(step)}
        for tag, value in values.items():
            self._writer.add_scalar(tag, value, step.step)

    def _scores(self, step: TrainingStep) -> dict[str, float]:
        if (found := step.validation) is None:
            return {}
        scores = {self._score_name: found.score, "Dice": found.dice, "precision": found.precision, "recall": found.recall}
        return {f"validation/{name}": value for name, value in scores.items() if isfinite(value)}
