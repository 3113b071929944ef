"""The work of a training's process: steps, and after each what a page wants to know about them."""

import math
import os
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from torch import Tensor

from segdemo.devices import device_label, pick_device
from segdemo.errors import SegdemoError
from segdemo.text import _
from segdemo.training.loop import TrainingStep, train
from segdemo.training.run_events import EventWriter
from segdemo.training.run_folder import RunFolder, append
from segdemo.training.run_make import Prepared, prepare
from segdemo.training.run_samples import SamplePictures
from segdemo.training.run_spec import MAX_MINUTES, spec_from_json

__all__ = ["PATIENCE", "Report", "TrainingBrokeOffError", "work"]

CURVE_POINTS = 600
REPORT_SECONDS = 0.3
PATIENCE = 20  # steps in a row whose loss is no number
MAX_SECONDS = 60.0 * MAX_MINUTES  # of reading and training together
MEASURING_SECONDS = 300.0  # beyond that, for the result on all held-out pictures


class TrainingBrokeOffError(SegdemoError):
    """The training cannot go on; the message is for the visitor."""


class _WithdrawnError(Exception):
    """The visitor has said stop before the first step."""


class _EnoughError(Exception):
    """The result is not measured any further."""


def work(run: RunFolder) -> None:
    """Train as the folder's spec says and leave the best weights there. Raises what `prepare` raises, and the above."""
    end = monotonic() + MAX_SECONDS
    spec = spec_from_json(run.spec.read_text(encoding="utf-8"))
    try:
        prepared = prepare(spec, _reading(run, end))
    except _WithdrawnError:
        run.change(phase="withdrawn", stopped=True)
        return
    device = pick_device(os.environ.get("SEGDEMO_DEVICE", "auto"))
    print(device_label(device), prepared.command, sep="\n", flush=True)
    run.change(phase="running", steps=spec.settings.steps, share=0.0, device=device_label(device))
    samples = SamplePictures(prepared.live, prepared.preprocessing, device, run.samples)
    samples.keep(0, prepared.network.to(device).eval())
    report = Report(run, prepared)
    with EventWriter(run.events if spec.tensorboard else None, prepared.score_name) as events:
        steps = train(
            prepared.network, prepared.live, prepared.preprocessing, spec.settings, device,
            stop=lambda: run.stop.exists() or monotonic() > end, on_validation=samples.keep,
        )  # fmt: skip
        for step in steps:
            report.take(step)
            events.write(step)
    _finish(run, prepared, report, end)


def _reading(run: RunFolder, end: float) -> Callable[[float], None]:
    """Tells how much of the data was read, a few times a second at most. Breaks off where it is to stop, or too late."""
    last = 0.0

    def on_progress(share: float) -> None:
        nonlocal last
        if run.stop.exists():
            raise _WithdrawnError
        if monotonic() > end:
            raise TrainingBrokeOffError(_("Reading the data took longer than a training may: {n} minutes.", n=MAX_MINUTES))
        if monotonic() - last > REPORT_SECONDS:
            last = monotonic()
            run.change(share=share)

    return on_progress


class Report:
    """Turns steps into rows and states, not more of them than can be seen."""

    def __init__(self, run: RunFolder, prepared: Prepared) -> None:
        self.run, self.settings, self.prepared = run, prepared.settings, prepared
        self.start = self.reported = monotonic()
        self.losses: list[float] = []
        self.best: dict[str, Tensor] | None = None
        self.best_score: float | None = None
        self.best_step = self.lost_steps = self.last_step = 0

    def take(self, step: TrainingStep) -> None:
        self.lost_steps = 0 if math.isfinite(step.loss) else self.lost_steps + 1
        if self.lost_steps >= PATIENCE:
            raise TrainingBrokeOffError(
                _("The loss is no number any more: the steps were too large. Try a tenth of the learning rate.")
            )
        self.losses.append(step.loss)
        self.last_step = step.step
        if step.validation or step.step % max(1, self.settings.steps // CURVE_POINTS) == 0:
            append(self.run.curve, step.step, sum(self.losses) / len(self.losses), step.learning_rate)
            self.losses.clear()
        if step.validation:
            append(self.run.scores, step.step, step.validation.score, step.validation.dice)
        if step.weights:
            self.best, self.best_step = step.weights, step.step
            self.best_score = step.validation.score if step.validation else None
            self.prepared.keep(self.run.weights, step.weights, step.validation)
        if step.validation or monotonic() - self.reported > REPORT_SECONDS:
            self._state(step.step)

    def _state(self, step: int) -> None:
        self.reported = monotonic()
        seconds = self.reported - self.start
        share = max(step / self.settings.steps, min(1.0, seconds / (60 * (self.settings.minutes or MAX_MINUTES))))
        best = self.best_score if self.best_score is None or math.isfinite(self.best_score) else None
        self.run.change(
            step=step, share=share, seconds=seconds, images_per_second=step * self.settings.batch_size / seconds,
            best=best, best_step=self.best_step, score_name=self.prepared.score_name,
        )  # fmt: skip


def _finish(run: RunFolder, prepared: Prepared, report: Report, end: float) -> None:
    """Measure the best weights on all held-out pictures. If the visitor says stop (again) meanwhile, or it takes too long,
    the card keeps its scores on the pictures of the last validation."""
    assert report.best is not None, "the last step is always validated"
    stopped_at = _stopped_at(run)
    early = bool(stopped_at) or monotonic() > end
    run.change(phase="saving", step=report.last_step, share=1.0, stopped=early)

    def on_picture() -> None:
        if _stopped_at(run) != stopped_at or monotonic() > end + MEASURING_SECONDS:
            raise _EnoughError

    best = report.best_score
    with suppress(_EnoughError):
        best = prepared.keep(run.weights, report.best, on_picture=on_picture).score
    run.change(phase="finished", best=None if best is None or math.isnan(best) else best)


def _stopped_at(run: RunFolder) -> int:
    """When the visitor last said so, in nanoseconds; 0: never."""
    with suppress(OSError):
        return run.stop.stat().st_mtime_ns
    return 0
