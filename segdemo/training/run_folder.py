"""What a training leaves on disk while it runs, so that any page, now or after a restart, can find and follow it.

spec.json   what was asked for            curve.tsv    step, loss, learning rate
state.json  how far it is, atomically     scores.tsv   step, IoU, Dice
stop        exists: end after this step   samples/     pictures.png, truth.png, and <step>.png with the labels
log.txt     the process, no page's      weights/     the best network so far and its card
"""

import json
import os
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from segdemo.text import N_

__all__ = ["CLOSED", "ENDED", "LOST", "Phase", "RunFolder", "RunState"]

Phase = Literal["waiting", "reading", "running", "saving", "finished", "withdrawn", "failed"]
PHASES: tuple[Phase, ...] = get_args(Phase)
ENDED: tuple[Phase, ...] = ("finished", "withdrawn", "failed")  # withdrawn: by the visitor, before its first step
LOST = N_("The server was restarted while this training ran or waited. What it had learned until then is kept.")
CLOSED = N_("The server was stopped while this training ran or waited. What it had learned until then is kept.")
Table = NDArray[np.float64]


@dataclass(frozen=True)
class RunState:
    """How far a training is. Times in seconds; `best` is the best validation score so far, None before the first."""

    phase: Phase = "waiting"
    step: int = 0
    steps: int = 0
    share: float = 0.0  # of the run, or of the data while it is read, 0–1
    seconds: float = 0.0
    images_per_second: float = 0.0
    best: float | None = None
    best_step: int = 0
    score_name: str = "IoU"
    device: str = ""
    pid: int = 0
    stopped: bool = False  # by the visitor or the limit of time, before its end
    error: str = ""  # of a failed run: a sentence
    updated: float = 0.0  # seconds since 1970

    @property
    def seconds_left(self) -> float | None:
        """A guess from the share that is done; None where it is too early for one."""
        return self.seconds * (1 - self.share) / self.share if self.share > 0.01 else None


class RunFolder:
    """One training's folder. Writing is the child's and its keeper's; pages read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spec, self.log, self.stop = path / "spec.json", path / "log.txt", path / "stop"
        self.samples, self.weights, self.events = path / "samples", path / "weights", path / "events"
        self.curve, self.scores = path / "curve.tsv", path / "scores.tsv"

    def state(self) -> RunState:
        """The last state that was written; that of a waiting run where there is none."""
        with suppress(OSError, ValueError, TypeError):
            state = RunState(**json.loads((self.path / "state.json").read_text(encoding="utf-8")))
            if state.phase in PHASES:
                return state
        return RunState()

    def change(self, **changes: Any) -> RunState:
        """Write the state with some values changed: at once, or not at all."""
        state = replace(self.state(), **{**changes, "updated": time.time()})
        write_whole(self.path / "state.json", json.dumps(asdict(state)).encode())
        return state

    def table(self, path: Path, columns: int) -> Table:
        """Rows of numbers (N, columns). A line that is being written at this moment is left out."""
        rows = []
        with suppress(OSError):
            for line in path.read_text(encoding="ascii", errors="replace").split("\n")[:-1]:
                with suppress(ValueError):
                    if len(row := [float(word) for word in line.split("\t")]) == columns:
                        rows.append(row)
        return np.array(rows, dtype=np.float64).reshape(len(rows), columns)

    def sample_steps(self) -> list[int]:
        """Steps after which sample predictions were kept, in order."""
        with suppress(OSError):
            return sorted(int(path.stem) for path in self.samples.glob("*.png") if path.stem.isdecimal())
        return []


def append(path: Path, *numbers: float) -> None:
    """Add a row to a table, as one write."""
    with path.open("a", encoding="ascii") as file:
        file.write("\t".join(f"{number:.7g}" for number in numbers) + "\n")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that nobody ever reads half of it."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
