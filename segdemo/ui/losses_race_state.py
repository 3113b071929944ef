"""The visitor's race: begun, paused, stopped, looked at. The thing itself lives in the process, on threads of its own.

Its id stands in the address, so that a reloaded page, a new session, finds it again as long as its lease has not run out,
or a session that has it is still remembered.
"""

import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from time import monotonic
from typing import Literal
from weakref import WeakValueDictionary

import streamlit as st
from streamlit.runtime import exists, get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

from segdemo.data.imbalanced import PictureSet
from segdemo.errors import SegdemoError
from segdemo.inference.pool import cpu_count
from segdemo.jobs import Job, Jobs
from segdemo.text import _
from segdemo.training.race import Race
from segdemo.training.race_settings import RaceSettings

__all__ = [
    "Run", "Status", "current_run", "hidden_run", "reason_of", "reset", "shared_jobs", "show_again", "start", "stop",
    "take_message",
]  # fmt: skip

ID_KEY = "race"  # also in the address
RUN_KEY, MESSAGE_KEY = "race_run", "race_message"
PACE_S = 6.0  # seconds over which the speed is averaged

Status = Literal["waiting", "running", "paused", "finished", "stopped", "failed"]


@lru_cache(maxsize=1)
def shared_jobs() -> Jobs:
    """The process's live jobs: one worker a core, so that one race alone uses the whole machine, at low priority."""
    return Jobs(cpu_count())


class _Visitors:
    """Whether a page that shows the race is still connected: also while another page of ours, which renews nothing, is open.

    Asks Streamlit's runtime, which answers to any thread.
    """

    def __init__(self) -> None:
        self.sessions: frozenset[str] = frozenset()

    def add_this_one(self) -> None:
        """The session whose page is being run."""
        if (context := get_script_run_ctx()) is not None:
            self.sessions |= {context.session_id}

    def __call__(self) -> bool:
        return exists() and any(get_instance().is_active_session(session) for session in self.sessions)


@dataclass
class Run:
    """One race. `run_id` leads back to it, `controls` are the values of the widgets that it was begun with, by key."""

    run_id: str
    race: Race
    job: Job
    visitors: _Visitors
    controls: Mapping[str, object]
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


# Runs that are being done, or that a session has.
_runs: WeakValueDictionary[str, Run] = WeakValueDictionary()


def current_run() -> Run | None:
    """The race that the address names, live or over: this session's, or one that another session began."""
    run: Run | None = st.session_state.get(RUN_KEY)
    run_id = str(st.session_state.get(ID_KEY, ""))
    if not run_id:
        return None
    if run is None or run.run_id != run_id:
        run = _runs.get(run_id)
        if run is None:
            st.session_state[MESSAGE_KEY] = _("The race in the address is not kept any more.")
            st.session_state[ID_KEY] = ""
            return None
        _take_over(run)
    return run


def _take_over(run: Run) -> None:
    """Make it this session's race, with its widgets as they were set for it. Before those widgets are drawn."""
    run.visitors.add_this_one()
    st.session_state[RUN_KEY] = run
    st.session_state.update(run.controls)


def hidden_run() -> Run | None:
    """This session's race where it still goes on, but the address, after a step back, does not name it."""
    run: Run | None = st.session_state.get(RUN_KEY)
    return run if run is not None and run.job.live and not st.session_state.get(ID_KEY) else None


def show_again(run: Run) -> None:
    """Put it back on the page."""
    st.session_state[ID_KEY] = run.run_id


def start(pictures: PictureSet, settings: RaceSettings, per_second: float | None, controls: Mapping[str, object]) -> None:
    """Begin a race in place of the one before. Where that is not possible, `take_message` has the sentence."""
    reset()
    race, visitors = Race(pictures, settings), _Visitors()
    race.pace.per_second = per_second
    visitors.add_this_one()
    try:
        job = shared_jobs().submit(race, visitors)
    except SegdemoError as error:
        st.session_state[MESSAGE_KEY] = str(error)
        return
    run = Run(secrets.token_hex(8), race, job, visitors, controls)
    _runs[run.run_id] = st.session_state[RUN_KEY] = run
    show_again(run)


def stop() -> None:
    """End it; what it has shown stays."""
    run: Run | None = st.session_state.get(RUN_KEY)
    if run is not None:
        shared_jobs().cancel(run.job)


def reset() -> None:
    """End it and forget what it has shown."""
    stop()
    st.session_state.pop(RUN_KEY, None)
    st.session_state[ID_KEY] = ""


def take_message() -> str:
    """Why the last start did not work, once; "" otherwise."""
    return str(st.session_state.pop(MESSAGE_KEY, ""))


def reason_of(run: Run) -> str:
    """Why it ended early, in the visitor's language; "" where it did not."""
    return _(run.job.reason) if run.job.reason else ""
