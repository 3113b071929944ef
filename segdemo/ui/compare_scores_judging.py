"""The judging itself, beside the page: on threads that all visitors share, for as long as the visitor is there."""

import threading
from collections.abc import Callable
from functools import lru_cache
from time import monotonic

from streamlit.runtime import exists, get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

from segdemo.evaluation.evaluate import Evaluator, JudgedPicture
from segdemo.jobs import Job, Jobs

__all__ = ["AT_ONCE", "Judging", "shared_judges", "still_connected"]

AT_ONCE = 2  # evaluations; the others wait in line


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
        self.pictures = self._first = evaluator.done
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
