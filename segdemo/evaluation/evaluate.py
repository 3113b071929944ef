"""Several networks on a data set: pictures run side by side over the cores, results come one after another in their order.

    picture ─▶ thread: read ─ engine, one candidate after another ─ count ─▶ in the data's order ─▶ step, snapshot

A picture is in memory while it is under way, and until the step that tells of it is over; what remains are counts.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal

from segdemo.errors import ImageError, SegdemoError, SettingError
from segdemo.evaluation.candidate import Candidate, entry_of
from segdemo.evaluation.data_set import LabelledPicture, LabelledSet
from segdemo.evaluation.label_space import LabelSpace, space_of_data
from segdemo.evaluation.scores.results import Evaluation, EvaluationSettings, PictureScores
from segdemo.evaluation.scoring import Scored, score_prediction
from segdemo.evaluation.tally import Tally
from segdemo.inference import Engine, rethreshold
from segdemo.inference.pool import cpu_count
from segdemo.text import _
from segdemo.types import LabelMap, Notice, Prediction

__all__ = ["EvaluationStep", "Evaluator", "JudgedPicture", "Kept"]

Kept = Literal["counts", "labels", "predictions"]
AHEAD: dict[Kept, int] = {"counts": 2, "labels": 2, "predictions": 1}  # pictures per thread that may wait for an earlier one
PATIENCE_S = 0.1  # after which it is asked again whether to go on


@dataclass(frozen=True)
class JudgedPicture:
    """A picture that has just been judged, by the candidates' keys: for whoever writes masks or draws examples.

    picture: its target is in the common classes, as `preds` (H, W) are; `predictions` have the networks' own. Both are
    empty where the evaluator was not asked to keep them.
    """

    picture: LabelledPicture
    preds: Mapping[str, LabelMap]
    predictions: Mapping[str, Prediction]
    scores: Mapping[str, PictureScores]


@dataclass(frozen=True)
class EvaluationStep:
    """One picture is done. done, total: pictures. judged: None where the picture could not be read."""

    done: int
    total: int
    name: str
    judged: JudgedPicture | None


class _State(Enum):
    PENDING = "not done yet"
    BROKEN_OFF = "told to stop"


@dataclass
class _Outcome:
    """What a thread has to say of a picture."""

    name: str
    problem: Notice | None = None
    picture: LabelledPicture | None = None
    preds: dict[str, LabelMap] = field(default_factory=dict)
    predictions: dict[str, Prediction] = field(default_factory=dict)
    scored: dict[str, Scored] = field(default_factory=dict)
    shrunk: set[str] = field(default_factory=set)
    failed: dict[str, SegdemoError] = field(default_factory=dict)


Said = _Outcome | _State


class Evaluator:
    """Judges candidates on labelled pictures. `steps` does the work; `snapshot` tells, at any time and from any thread,
    what is known by then."""

    def __init__(
        self,
        data: LabelledSet,
        candidates: Sequence[Candidate],
        engine: Engine,
        settings: EvaluationSettings = EvaluationSettings(),  # noqa: B008
        *,
        workers: int | None = None,
        kept: Kept = "labels",
    ) -> None:
        """workers: threads; as many as there are cores, if not given. kept: what steps bring along besides the counts;
        "predictions" hold the label maps too, and take the most memory. Raises SettingError for unknown weights."""
        self.data, self.engine, self.settings = data, engine, settings
        entries = {candidate.weights_id: entry_of(candidate) for candidate in candidates}
        self.space: LabelSpace = space_of_data(tuple(entries.values()), data.class_names)
        self._workers, self._kept = workers or cpu_count(), kept
        self._running, self._lock = threading.Lock(), threading.Lock()
        self._done = 0
        self._left_out = dict(data.left_out)
        self._refused = {c.key: self.space.refused[c.weights_id] for c in candidates if c.weights_id in self.space.refused}
        judged = [c for c in dict.fromkeys(candidates) if c.key not in self._refused]
        self._tallies = {c.key: Tally(c, entries[c.weights_id], self.space, settings) for c in judged}

    @property
    def done(self) -> int:
        """Pictures that have been judged, or could not be read."""
        return self._done

    @property
    def keys(self) -> tuple[str, ...]:
        """Of the candidates that are judged; those that were refused are not among them."""
        with self._lock:
            return tuple(key for key in self._tallies if key not in self._refused)

    def steps(self, cancelled: Callable[[], bool] = lambda: False) -> Iterator[EvaluationStep]:
        """Judge what is left to judge, a step for each picture in the data's order. Ends early where `cancelled`; called
        again, it goes on with the next picture. Raises SettingError while earlier steps are still under way."""
        if not self._running.acquire(blocking=False):
            raise SettingError(_("This evaluation is running already."))
        stop = threading.Event()
        waiting = iter(range(self._done, len(self.data) if self._tallies else 0))
        under_way: deque[Future[Said]] = deque()
        pool = ThreadPoolExecutor(self._workers, "segdemo-evaluate")
        try:
            while not cancelled():
                while len(under_way) < AHEAD[self._kept] * self._workers and (place := next(waiting, None)) is not None:
                    under_way.append(pool.submit(copy_context().run, self._judge, place, stop))
                if not under_way:
                    return
                outcome = _said(under_way[0])
                if isinstance(outcome, _Outcome):
                    under_way.popleft()
                    yield self._take(outcome)
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            self._running.release()

    def snapshot(self) -> Evaluation:
        """What has been found so far."""
        with self._lock:
            results = tuple(tally.result() for key, tally in self._tallies.items() if key not in self._refused)
            return Evaluation(
                self.data.name, self.space.classes, results, self._done, len(self.data), self.settings,
                dict(self._left_out), dict(self._refused), self.data.notices, self.engine.device_label,
            )  # fmt: skip

    def _judge(self, place: int, stop: threading.Event) -> Said:
        """Read a picture and ask every candidate, in a thread of its own."""
        if stop.is_set():
            return _State.BROKEN_OFF
        outcome = _Outcome(self.data.names[place])
        try:
            picture = self.data.read(place)
        except SegdemoError as error:
            outcome.problem = Notice.of(error)
            return outcome
        outcome.picture = replace(picture, target=self.space.target(picture.target))
        for group in self._groups():
            if stop.is_set():
                return _State.BROKEN_OFF
            self._ask(group, outcome.picture, outcome)
        return outcome

    def _groups(self) -> list[list[Candidate]]:
        """Candidates that differ in their threshold only stand together: they need one forward pass."""
        groups: dict[tuple[str, str, float], list[Candidate]] = {}
        for key in self.keys:
            candidate = self._tallies[key].candidate
            groups.setdefault((candidate.weights_id, candidate.precision, candidate.scale), []).append(candidate)
        return list(groups.values())

    def _ask(self, group: list[Candidate], picture: LabelledPicture, outcome: _Outcome) -> None:
        first = group[0]
        try:
            prediction = self.engine.predict(
                picture.image, first.weights_id, threshold=first.threshold, precision=first.precision, scale=first.scale
            )
        except SegdemoError as error:
            outcome.failed |= {candidate.key: error for candidate in group}
            return
        for candidate in group:
            cut = rethreshold(prediction, candidate.threshold)
            preds = self.space.labels(candidate.weights_id, cut.preds)
            outcome.scored[candidate.key] = score_prediction(picture.name, cut, preds, picture.target, self.space, self.settings)
            if self._kept != "counts":
                outcome.preds[candidate.key] = preds
            if self._kept == "predictions":
                outcome.predictions[candidate.key] = cut
            if cut.degraded:
                outcome.shrunk.add(candidate.key)

    def _take(self, outcome: _Outcome) -> EvaluationStep:
        with self._lock:
            self._done += 1
            if outcome.problem is not None:
                self._left_out[outcome.name] = outcome.problem
            for key, scored in outcome.scored.items():
                self._tallies[key].add(scored, key in outcome.shrunk)
            for key, error in outcome.failed.items():
                if isinstance(error, ImageError):
                    self._tallies[key].failed[outcome.name] = Notice.of(error)
                else:  # not this picture is at fault but the weights, or a setting
                    self._refused[key] = Notice.of(error)
            judged = None if outcome.picture is None else JudgedPicture(
                outcome.picture, outcome.preds, outcome.predictions, {key: s.scores for key, s in outcome.scored.items()}
            )  # fmt: skip
            return EvaluationStep(self._done, len(self.data), outcome.name, judged)


def _said(future: "Future[Said]") -> Said:
    """What the thread found, or that it is not done yet."""
    try:
        return future.result(timeout=PATIENCE_S)
    except TimeoutError:
        return future.result() if future.done() else _State.PENDING  # done by now, or with such an error of its own
