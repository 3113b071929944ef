"""The visitor's race: begun, paused, stopped, looked at. The thing itself lives in the process, on threads of its own."""

from collections import deque
from dataclasses import dataclass, field
from functools import lru_cache
from time import monotonic
from typing import Literal

import streamlit as st
from streamlit.runtime import exists, get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

from segdemo.data.imbalanced import PictureSet
from segdemo.errors import SegdemoError
from segdemo.inference.pool import cpu_count
from segdemo.text import _
from segdemo.training.jobs import Job, Jobs
from segdemo.training.race import Race
from segdemo.training.race_settings import RaceSettings

__all__ = ["Run", "Status", "current_run", "reason_of", "reset", "shared_jobs", "start", "stop", "take_message"]

RUN_KEY, NUMBER_KEY, MESSAGE_KEY = "race_run", "race_number", "race_message"
PACE_S = 6.0  # seconds over which the speed is averaged

Status = Literal["waiting", "running", "paused", "finished", "stopped", "failed"]


@lru_cache(maxsize=1)
def shared_jobs() -> Jobs:
    """The process's live jobs: one worker a core, so that one race alone uses the whole machine, at low priority."""
    return Jobs(cpu_count())


@dataclass
class Run:
    """One race of this session. `number` counts the session's races; widgets that belong to one carry it in their key."""

    number: int
    race: Race
    job: Job
    marks: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=40))

    @property
    def status(self) -> Status:
        """What the page says about it."""
        if self.job.state == "running":
            resting = self.race.paused and self.race.step >= self.race.pace.limit
            return "paused" if resting else "running"
        return self.job.state

    def renew(self) -> None:
        """Say that the visitor is still there."""
        shared_jobs().renew(self.job)

    def steps_per_second(self) -> float | None:
        """Steps of all lanes, over the last seconds; None while that is not known. Asking makes a mark."""
        now, step = monotonic(), max(0, self.race.step)
        self.marks.append((now, step))
        while len(self.marks) > 2 and now - self.marks[0][0] > PACE_S:
            self.marks.popleft()
        (since, before), _newest = self.marks[0], self.marks[-1]
        return (step - before) / (now - since) if now - since > 1 and step > before else None


def current_run() -> Run | None:
    """The session's race, live or over."""
    run: Run | None = st.session_state.get(RUN_KEY)
    return run


def start(pictures: PictureSet, settings: RaceSettings, per_second: float | None) -> None:
    """Begin a race in place of the one before. Where that is not possible, `take_message` has the sentence."""
    reset()
    race = Race(pictures, settings)
    race.pace.per_second = per_second
    try:
        job = shared_jobs().submit(race, _visitor_check())
    except SegdemoError as error:
        st.session_state[MESSAGE_KEY] = str(error)
        return
    number = st.session_state.get(NUMBER_KEY, 0) + 1
    st.session_state[NUMBER_KEY] = number
    st.session_state[RUN_KEY] = Run(number, race, job)


def stop() -> None:
    """End it; what it has shown stays."""
    if (run := current_run()) is not None:
        shared_jobs().cancel(run.job)


def reset() -> None:
    """End it and forget what it has shown."""
    stop()
    st.session_state.pop(RUN_KEY, None)


def take_message() -> str:
    """Why the last start did not work, once; "" otherwise."""
    return str(st.session_state.pop(MESSAGE_KEY, ""))


class _VisitorCheck:
    """Whether the visitor's page is still connected: also while another page of ours, which renews nothing, is open.

    Asks Streamlit's runtime, which answers to any thread.
    """

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id

    def __call__(self) -> bool:
        return exists() and get_instance().is_active_session(self.session_id)


def _visitor_check() -> _VisitorCheck | None:
    context = get_script_run_ctx()
    return None if context is None else _VisitorCheck(context.session_id)


def reason_of(run: Run) -> str:
    """Why it ended early, in the visitor's language; "" where it did not."""
    return _(run.job.reason) if run.job.reason else ""
