"""An evaluation of the visitor's: begun, followed, cancelled, and what it has found.

It runs beside the page, on threads that all visitors share, and goes on while other views or pages are looked at. What has
been found of a candidate is remembered for everybody: with one candidate changed, only that one is judged again.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import streamlit as st

from segdemo.errors import SegdemoError
from segdemo.evaluation.candidate import Candidate, entry_of
from segdemo.evaluation.data_set import LabelledSet
from segdemo.evaluation.evaluate import Evaluator
from segdemo.evaluation.label_space import LabelSpace, space_of_data
from segdemo.evaluation.scores.results import CandidateResult, Evaluation, EvaluationSettings
from segdemo.inference import shared_engine
from segdemo.inference.cache import BoundedCache
from segdemo.jobs import Job
from segdemo.text import _
from segdemo.types import Notice
from segdemo.ui.compare_scores_judging import Judging, shared_judges

__all__ = ["ChosenSet", "Known", "Run", "kept_run", "run_for"]

RUN_KEY = "scores_run"
CLOSING_S = 1.0  # that the page waits for a picture which was under way when one cancelled
KNOWN_BYTES = 100_000_000  # of results


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


_known: BoundedCache[tuple[object, ...], Known] = BoundedCache(KNOWN_BYTES, lambda known: known.result.size_bytes)


@dataclass
class Run:
    """One evaluation. `known` are the candidates that need no more judging; job: of the others, None before its start."""

    key: tuple[object, ...]
    chosen: ChosenSet
    candidates: tuple[Candidate, ...]
    space: LabelSpace
    known: Mapping[str, Known]
    evaluator: Evaluator
    job: Job | None = None
    judging: Judging | None = None
    message: str = ""
    _merged: Evaluation | None = None
    _merged_at: int = -1  # pictures

    @property
    def live(self) -> bool:
        """Whether it waits or runs."""
        return self.job is not None and self.job.live

    @property
    def missing(self) -> int:
        """Pictures × candidates that have not been judged."""
        return (len(self.chosen.data) - self.evaluator.done) * len(self.evaluator.keys)

    @property
    def complete(self) -> bool:
        """Whether all is judged that can be."""
        return not self.live and not self.missing

    def begin(self) -> None:
        """Judge what is left. Where that is not possible now, `message` says why."""
        self.message = ""
        if self.job is not None and not self.job.closed.wait(CLOSING_S):
            self.message = _("The pictures that were under way are still being finished. Try again in a moment.")
            return
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
        """What is known by now, of all candidates in their order; the same object until another picture is done, as it
        remembers what was computed of it."""
        done = self.evaluator.done
        if self._merged is None or self._merged_at != done:
            self._merged, self._merged_at = self._merge(), done
        return self._merged

    def _merge(self) -> Evaluation:
        now, data = self.evaluator.snapshot(), self.chosen.data
        results = {result.candidate.key: result for result in now.results}
        results |= {key: known.result for key, known in self.known.items()}
        left_out = dict(now.left_out)
        for known in self.known.values():
            left_out |= known.left_out
        refused = {c.key: self.space.refused[c.weights_id] for c in self.candidates if c.weights_id in self.space.refused}
        return replace(
            now, data_name=data.name, classes=self.space.classes, left_out=left_out, refused=refused | dict(now.refused),
            results=tuple(results[c.key] for c in self.candidates if c.key in results),
            done=now.done if now.results else len(data), total=len(data),
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
    evaluator = Evaluator(chosen.data, missing, shared_engine(), settings, kept="counts")
    if missing and not _agree(evaluator.space, space, missing):
        known, evaluator = {}, Evaluator(chosen.data, accepted, shared_engine(), settings, kept="counts")
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
