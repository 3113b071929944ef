"""Live work of several visitors in one process: a bounded number of jobs that take fair turns on a few quiet threads.

A job is work that can be cut into slices of a fraction of a second. Workers, daemon threads with one torch thread each and
a low priority, do a slice at a time of the job that has had the least computing time. They start with the first job and
end with the last. A job lives as long as its visitor does: the page renews a lease, and what is not renewed is stopped.
"""

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic, perf_counter
from typing import Literal, Protocol, TypeVar

import torch

from segdemo.errors import SegdemoError, SettingError
from segdemo.text import N_, _

__all__ = ["Job", "JobState", "Jobs", "Work"]

T = TypeVar("T")
JobState = Literal["waiting", "running", "finished", "stopped", "failed"]
LIVE = ("waiting", "running")
NICENESS = 5  # of the workers: whoever waits for a page goes first
THROTTLED_S, IDLE_S = 0.02, 0.25  # how long a worker without a slice sleeps
GONE = N_("It was stopped because the page was closed.")
RESTED = N_("It was stopped because it was paused for long while others waited.")
BROKE = N_("It failed in a way that was not foreseen; the server's log says how.")


class Work(Protocol):
    """What a job does. `take`, `finished` and `paused` are asked often and answer at once."""

    def take(self) -> Callable[[], None] | None:
        """A slice that may run now, at the same time as others of this work; None where there is none right now."""

    @property
    def finished(self) -> bool:
        """Whether all is done."""

    @property
    def paused(self) -> bool:
        """Whether the visitor lets it rest."""

    def close(self) -> None:
        """Free what is large. Called once, when no slice is under way."""


class Job:
    """One visitor's work. Read it from any thread; change it through `Jobs`."""

    def __init__(self, work: Work, alive: Callable[[], bool] | None, lease_until: float) -> None:
        self.work = work
        self.state: JobState = "waiting"
        self.reason = ""  # a sentence marked with N_, or the one of the error: why it ended early
        self.cancelled = threading.Event()
        self.closed = threading.Event()  # set once nothing is under way and everything large is free
        self.used_s = 0.0  # computing time so far, where others' jobs count too: see `Jobs._next`
        self._alive = alive
        self._lease_until = lease_until
        self._paused_since: float | None = None
        self._under_way = 0
        self._slice_s = 0.0

    @property
    def live(self) -> bool:
        """Whether it waits or runs."""
        return self.state in LIVE


class Jobs:
    """At most `running` jobs at a time and `waiting` in line. `lease_s`: seconds a job lives without being renewed.

    A paused job keeps its place, but after `pause_s` seconds gives it up to others who wait.
    """

    def __init__(
        self, workers: int, *, running: int = 4, waiting: int = 32, lease_s: float = 15.0, pause_s: float = 300.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:  # fmt: skip
        self.workers, self.running, self.waiting = workers, running, waiting
        self.lease_s, self.pause_s = lease_s, pause_s
        self._clock = clock
        self._jobs: list[Job] = []  # in the order they came; the first `running` of them run
        self._threads: set[threading.Thread] = set()
        self._changed = threading.Condition()

    def submit(self, work: Work, alive: Callable[[], bool] | None = None) -> Job:
        """Begin, or stand in line. `alive` is asked, from a worker, before a lease that has run out ends the job.

        Raises SettingError where the line is full, or no thread can be started.
        """
        with self._changed:
            if len(self._jobs) >= self.running + self.waiting:
                raise SettingError(_("{n} others are waiting already. Try again in a minute.", n=self.waiting))
            job = Job(work, alive, self._clock() + self.lease_s)
            self._jobs.append(job)
            self._promote()
            while len(self._threads) < self.workers:
                thread = threading.Thread(target=self._serve, name="segdemo-live", daemon=True)
                try:
                    thread.start()  # it waits for the lock
                except RuntimeError:
                    if self._threads:
                        break  # those that are there do the work
                    self._jobs.remove(job)
                    raise SettingError(_("This computer has no room for one more task now. Try again in a minute.")) from None
                self._threads.add(thread)
            self._changed.notify_all()
        return job

    def renew(self, job: Job) -> None:
        """The visitor is still there. Also wakes the workers, who may have a slice to take."""
        with self._changed:
            job._lease_until = self._clock() + self.lease_s
            self._changed.notify_all()

    def cancel(self, job: Job, reason: str = "") -> None:
        """End it: no slice begins any more. `job.closed` is set when the one under way has ended."""
        with self._changed:
            self._end(job, "stopped", reason)
            self._changed.notify_all()

    def position(self, job: Job) -> int:
        """How many are in line before it, itself included; 0 for one that runs or has ended."""
        with self._changed:
            waiting = [other for other in self._jobs if other.state == "waiting"]
            return waiting.index(job) + 1 if job in waiting else 0

    @property
    def count(self) -> int:
        """Jobs that wait, run or are just ending."""
        return len(self._jobs)

    @property
    def threads(self) -> int:
        """Workers that are there."""
        return len(self._threads)

    def _serve(self) -> None:
        """A worker's life."""
        try:
            _quiet()
            while (turn := self._next()) is not None:
                job, work = turn
                start, failure = perf_counter(), ""
                try:
                    work()
                except Exception as error:
                    failure = _reason(error)
                del work
                self._settle(job, perf_counter() - start, failure)
                del job, turn
        finally:  # also after an error in here: the next job then starts another worker
            with self._changed:
                self._threads.discard(threading.current_thread())

    def _next(self) -> tuple[Job, Callable[[], None]] | None:
        """The next slice, of the running job with the least computing time; waits for one. None when no job is left."""
        with self._changed:
            while True:
                self._review()
                if not self._jobs:
                    self._threads.discard(threading.current_thread())
                    return None
                running = [job for job in self._jobs if job.state == "running"]
                for job in sorted(running, key=lambda job: job.used_s + job._under_way * job._slice_s):
                    if (work := self._ask(job, job.work.take, None)) is not None:
                        job._under_way += 1
                        return job, work
                resting = all(self._paused(job) for job in running)
                self._changed.wait(IDLE_S if resting else THROTTLED_S)

    def _settle(self, job: Job, seconds: float, failure: str) -> None:
        with self._changed:
            job._under_way -= 1
            job._slice_s = seconds
            job.used_s += seconds
            if failure:
                self._end(job, "failed", failure)
            self._review()
            self._changed.notify_all()

    def _review(self) -> None:
        """End what is finished, left or rested too long; close what has ended; let the next in line run."""
        now = self._clock()
        for job in list(self._jobs):
            if job.live:
                self._review_one(job, now)
            if not job.live and not job._under_way:
                self._jobs.remove(job)
                self._ask(job, job.work.close, None)
                job.closed.set()
        self._promote()

    def _review_one(self, job: Job, now: float) -> None:
        if self._ask(job, lambda: job.work.finished, False):
            self._end(job, "finished", "")
        elif now > job._lease_until:
            if _still_there(job):
                job._lease_until = now + self.lease_s
            else:
                self._end(job, "stopped", GONE)
        elif self._rested(job, now):
            self._end(job, "stopped", RESTED)

    def _ask(self, job: Job, question: Callable[[], T], otherwise: T) -> T:
        """What the job's work answers. Where it raises, the job has failed, and no worker or other job is harmed."""
        try:
            return question()
        except Exception as error:
            self._end(job, "failed", _reason(error))
            return otherwise

    def _paused(self, job: Job) -> bool:
        return self._ask(job, lambda: job.work.paused, False)

    def _rested(self, job: Job, now: float) -> bool:
        """Whether a paused job holds a place that others have waited for, for too long."""
        if job.state != "running" or not self._paused(job):
            job._paused_since = None
            return False
        job._paused_since = now if job._paused_since is None else job._paused_since
        return now - job._paused_since > self.pause_s and any(other.state == "waiting" for other in self._jobs)

    def _promote(self) -> None:
        """Fill the free places from the line. Who is new has had as much computing time as who has had least."""
        running = [job for job in self._jobs if job.state == "running"]
        for job in [job for job in self._jobs if job.state == "waiting"][: max(0, self.running - len(running))]:
            job.state = "running"
            job.used_s = min((other.used_s for other in running), default=0.0)

    @staticmethod
    def _end(job: Job, state: JobState, reason: str) -> None:
        if job.live:
            job.state, job.reason = state, reason
            job.cancelled.set()


def _reason(error: Exception) -> str:
    """The sentence a visitor reads about an error; one that was not foreseen goes to the log."""
    if isinstance(error, SegdemoError):
        return str(error)
    logging.getLogger(__name__).error("A live job failed", exc_info=error)
    return BROKE


def _still_there(job: Job) -> bool:
    """Whether the visitor is known to be there although no page renews the lease."""
    try:
        return job._alive is not None and job._alive()
    except Exception:
        logging.getLogger(__name__).exception("Nobody could say whether a visitor is still there")
        return False


def _quiet() -> None:
    """One torch thread for this worker, and a low priority. Asking for the number first keeps what other threads set away."""
    torch.get_num_threads()
    torch.set_num_threads(1)
    with suppress(OSError, AttributeError):  # of this thread alone on Linux; elsewhere workers stay as they are
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
