"""An evaluation of the visitor's: begun, followed, cancelled, and what it has found.

It runs beside the page, on threads that all visitors share, and goes on while other views or pages are looked at. What has
been found of a candidate is remembered for everybody: with one candidate changed, only that one is judged again.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from time import monotonic

import streamlit as st
from streamlit.runtime import exists, get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

from segdemo.errors import SegdemoError
from segdemo.evaluation.candidate import Candidate, entry_of
from segdemo.evaluation.data_set import LabelledSet
from segdemo.evaluation.evaluate import Evaluator, JudgedPicture
from segdemo.evaluation.label_space import LabelSpace, space_of_data
from segdemo.evaluation.results import CandidateResult, Evaluation, EvaluationSettings
from segdemo.inference import shared_engine
from segdemo.inference.cache import BoundedCache
from segdemo.training.jobs import Job, Jobs
from segdemo.types import Notice

__all__ = ["AT_ONCE", "ChosenSet", "Judging", "Known", "Run", "kept_run", "run_for", "shared_judges", "still_connected"]

AT_ONCE = 2  # evaluations; the others wait in line
RUN_KEY = "scores_run"
CLOSING_S = 20.0  # until a picture that was under way when one cancelled is done
KNOWN_BYTES, PICTURE_BYTES = 100_000_000, 4_000  # of results, and about what one picture of one candidate takes


@dataclass(frozen=True)
class ChosenSet:
    """Pictures with their truth. Sets of one `key` hold the same. command: what the command line calls it; "" if it cannot.

    names_given: class names that the visitor has put in place of the data's.
    """

    key: str
    data: LabelledSet
    command: str = ""
    names_given: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """What is known of one candidate on a whole set, and which pictures could not be read meanwhile."""

    result: CandidateResult
    left_out: Mapping[str, Notice]


_known: BoundedCache[tuple[object, ...], Known] = BoundedCache(
    KNOWN_BYTES, lambda known: PICTURE_BYTES * max(1, len(known.result.pictures))
)


@lru_cache(maxsize=1)
def shared_judges() -> Jobs:
    """The process's evaluations and exports. One thread more than they are, to notice that a visitor has gone."""
    return Jobs(AT_ONCE + 1, running=AT_ONCE)


def still_connected() -> Callable[[], bool]:
    """Asks, from any thread, whether the page that is being run is still open somewhere, be it at another view."""
    context = get_script_run_ctx()
    session = context.session_id if context is not None else ""
    return lambda: exists() and get_instance().is_active_session(session)


class Judging:
    """The work of a job: an evaluator's steps in one go. `judged` is told of each picture, `done` comes
    after the last, and `closed` at the end, whatever that is."""

    paused = False

    def __init__(
        self, evaluator: Evaluator, judged: Callable[[JudgedPicture], None] | None = None,
        done: Callable[[], None] | None = None, closed: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        self.evaluator = evaluator
        self.pictures = self._first = evaluator.snapshot().done
        self.cancelled = threading.Event()
        self.finished = False
        self._judged, self._done, self._closed = judged, done, closed
        self._begun: float | None = None

    def take(self) -> Callable[[], None] | None:
        """All of it, once."""
        if self._begun is not None:
            return None
        self._begun = monotonic()
        return self._run

    def close(self) -> None:
        """Nothing is under way any more: pictures have left with the steps."""
        if self._closed is not None:
            self._closed()

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None while nobody can know."""
        done, total = self.pictures - self._first, len(self.evaluator.data)
        if self._begun is None or not done:
            return None
        return (monotonic() - self._begun) / done * (total - self.pictures)

    def submit(self) -> Job:
        """Begin, or stand in line. Raises SettingError where the line is full."""
        job = shared_judges().submit(self, still_connected())
        self.cancelled = job.cancelled  # `_run` asks for it anew each time
        return job

    def _is_cancelled(self) -> bool:
        return self.cancelled.is_set()  # of the job, once there is one

    def _run(self) -> None:
        for step in self.evaluator.steps(self._is_cancelled):
            self.pictures = step.done
            if self._judged is not None and step.judged is not None:
                self._judged(step.judged)
        if not self.cancelled.is_set():
            if self._done is not None:
                self._done()
            self.finished = True


@dataclass
class Run:
    """One evaluation. `known` are the candidates that need no more judging; job: of the others, None before its start.

    memo: what has been computed of the finished evaluation, so that looking at it again costs nothing.
    """

    key: tuple[object, ...]
    chosen: ChosenSet
    candidates: tuple[Candidate, ...]
    space: LabelSpace
    known: Mapping[str, Known]
    evaluator: Evaluator
    job: Job | None = None
    judging: Judging | None = None
    message: str = ""
    memo: dict[object, object] = field(default_factory=dict)

    @property
    def live(self) -> bool:
        """Whether it waits or runs."""
        return self.job is not None and self.job.live

    @property
    def missing(self) -> int:
        """Pictures × candidates that have not been judged."""
        candidates = len(self.evaluator.snapshot().results)
        return (len(self.chosen.data) - self.evaluator.snapshot().done) * candidates

    @property
    def complete(self) -> bool:
        """Whether all is judged that can be."""
        return not self.live and not self.missing

    def begin(self) -> None:
        """Judge what is left. Where that is not possible now, `message` says why."""
        if self.job is not None:
            self.job.closed.wait(CLOSING_S)
        self.message, self.memo = "", {}
        self.judging = Judging(self.evaluator, done=self._remember)
        try:
            self.job = self.judging.submit()
        except SegdemoError as error:
            self.message = str(error)

    def renew(self) -> None:
        """Say that the visitor is still there."""
        if self.job is not None and self.job.live:
            shared_judges().renew(self.job)

    def cancel(self) -> None:
        """End it; what it has found stays."""
        if self.job is not None:
            shared_judges().cancel(self.job)

    def evaluation(self) -> Evaluation:
        """What is known by now, of all candidates in their order."""
        if (found := self.memo.get("evaluation")) is not None:
            assert isinstance(found, Evaluation)
            return found
        found = self._merged()
        if self.complete:
            self.memo["evaluation"] = found
        return found

    def _merged(self) -> Evaluation:
        now = self.evaluator.snapshot()
        results = {result.candidate.key: result for result in now.results}
        results |= {key: known.result for key, known in self.known.items()}
        left_out = dict(now.left_out)
        for known in self.known.values():
            left_out |= known.left_out
        refused = {c.key: self.space.refused[c.weights_id] for c in self.candidates if c.weights_id in self.space.refused}
        data = self.chosen.data
        done = now.done if now.results else len(data)
        order = [results[c.key] for c in self.candidates if c.key in results]
        return Evaluation(
            data.name, self.space.classes, tuple(order), done, len(data), now.settings, left_out, refused | dict(now.refused),
            data.notices,
        )  # fmt: skip

    def _remember(self) -> None:
        found = self.evaluator.snapshot()
        unreadable = {name: notice for name, notice in found.left_out.items() if name not in self.chosen.data.left_out}
        for result in found.results:
            _known.put(_signature(self.chosen, result.candidate, self.space, found.settings), Known(result, unreadable))


def _signature(chosen: ChosenSet, candidate: Candidate, space: LabelSpace, settings: EvaluationSettings) -> tuple[object, ...]:
    """What a candidate's result follows from."""
    names = tuple(info.name for info in space.classes)
    tables = space.target_table.tobytes(), space.tables[candidate.weights_id].tobytes()
    return chosen.key, candidate, entry_of(candidate).sha256, settings, names, tables


def kept_run() -> Run | None:
    """The session's evaluation, live or over; whatever it is of."""
    run: Run | None = st.session_state.get(RUN_KEY)
    return run


def run_for(chosen: ChosenSet, candidates: tuple[Candidate, ...]) -> Run:
    """The session's evaluation of these candidates on this set: the one that it has, or one that has not begun."""
    key = (chosen.key, chosen.names_given, candidates)
    run = kept_run()
    if run is not None and run.key == key:
        return run
    if run is not None:
        run.cancel()
    st.session_state[RUN_KEY] = run = _prepared(key, chosen, candidates)
    return run


def _prepared(key: tuple[object, ...], chosen: ChosenSet, candidates: tuple[Candidate, ...]) -> Run:
    settings = EvaluationSettings()
    entries = {candidate.weights_id: entry_of(candidate) for candidate in candidates}
    space = space_of_data(tuple(entries.values()), chosen.data.class_names)
    accepted = [c for c in candidates if c.weights_id in space.tables]
    known = {c.key: found for c in accepted if (found := _known.get(_signature(chosen, c, space, settings))) is not None}
    missing = [c for c in accepted if c.key not in known]
    evaluator = Evaluator(chosen.data, missing, shared_engine(), settings)
    if missing and not _agree(evaluator.space, space, missing):
        known, evaluator = {}, Evaluator(chosen.data, accepted, shared_engine(), settings)
    return Run(key, chosen, candidates, space, known, evaluator)


def _agree(own: LabelSpace, all_of_them: LabelSpace, candidates: list[Candidate]) -> bool:
    """Whether candidates by themselves are judged by the same classes as among the others."""
    with suppress(KeyError):
        return (
            [info.name for info in own.classes] == [info.name for info in all_of_them.classes]
            and bool((own.target_table == all_of_them.target_table).all())
            and all((own.tables[c.weights_id] == all_of_them.tables[c.weights_id]).all() for c in candidates)
        )
    return False
