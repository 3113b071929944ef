"""Event files for TensorBoard, where its package is installed: it is not one that segdemo needs."""

from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from segdemo.training.loop import TrainingStep

__all__ = ["EventWriter", "tensorboard_is_installed"]


def tensorboard_is_installed() -> bool:
    """Whether event files can be written: `pip install tensorboard`."""
    return find_spec("tensorboard") is not None


class EventWriter:
    """Writes steps to a folder; to None, or without the package, it writes nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._writer: Any = None
        if folder is not None and tensorboard_is_installed():
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(folder))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(self, step: TrainingStep) -> None:
        """Loss and learning rate of a step, and its validation if it had one."""
        if self._writer is None:
            return
        self._writer.add_scalar("loss", step.loss, step.step)
        self._writer.add_scalar("learning_rate", step.learning_rate, step.step)
        if step.validation is not None:
            self._writer.add_scalar("validation/IoU", step.validation.score, step.step)
            self._writer.add_scalar("validation/Dice", step.validation.dice, step.step)
