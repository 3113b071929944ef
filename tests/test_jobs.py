"""segdemo.jobs: bounded, fair, cancelled when the visitor is gone, and nothing left afterwards."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import torch

from segdemo.errors import DataSetError, SettingError
from segdemo.jobs import Job, Jobs

PATIENCE_S = 120  # for a machine under load; what is waited for usually takes milliseconds
LONG_S = 10**6  # the lease, where it is not the subject


class Counting:
    """Work of `slices` slices that take `seconds` each; the `bad`-th raises `error`."""

    def __init__(self, slices: int = 10**9, seconds: float = 0.002, bad: int = -1, error: Exception | None = None) -> None:
        self.slices, self.seconds, self.bad, self.error = slices, seconds, bad, error
        self.done = self.closed = 0
        self.paused = False
        self.threads: set[int] = set()

    def take(self) -> Callable[[], None] | None:
        return None if self.paused or self.finished else self.work

    def work(self) -> None:
        self.threads.add(torch.get_num_threads())
        time.sleep(self.seconds)
        if self.done == self.bad and self.error is not None:
            raise self.error
        self.done += 1

    @property
    def finished(self) -> bool:
        return self.done >= self.slices

    def close(self) -> None:
        self.closed += 1


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.asked = 0

    def __call__(self) -> float:
        self.asked += 1
        return self.now


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "This did not happen in time."
        time.sleep(0.005)


def live_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "segdemo-live"]


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    until(lambda: not live_threads())


def ended(jobs: Jobs, *left: Job) -> None:
    for job in left:
        jobs.cancel(job)
    for job in left:
        assert job.closed.wait(PATIENCE_S)


def test_work_is_done_closed_once_and_the_threads_end() -> None:
    jobs, work = Jobs(2, lease_s=LONG_S), Counting(20)
    job = jobs.submit(work)
    assert job.closed.wait(PATIENCE_S)
    assert (job.state, work.closed, jobs.count) == ("finished", 1, 0)
    assert work.done in (20, 21)  # two workers may both have taken the last one
    assert work.threads == {1}, "a slice runs on one torch thread"
    until(lambda: jobs.threads == 0)


def test_a_second_job_starts_threads_anew() -> None:
    jobs = Jobs(1, lease_s=LONG_S)
    assert jobs.submit(Counting(1)).closed.wait(PATIENCE_S)
    until(lambda: jobs.threads == 0)
    assert jobs.submit(Counting(1)).closed.wait(PATIENCE_S)


def test_cancelling_ends_it_within_a_slice() -> None:
    jobs, work = Jobs(1, lease_s=LONG_S), Counting(seconds=0.05)
    job = jobs.submit(work)
    until(lambda: work.done)
    jobs.cancel(job)
    assert job.cancelled.is_set() and not job.live
    assert job.closed.wait(PATIENCE_S)
    done = work.done
    time.sleep(0.15)
    assert (work.done, work.closed, job.state) == (done, 1, "stopped")


def test_the_line_is_bounded_and_moves_up() -> None:
    jobs = Jobs(1, running=1, waiting=2, lease_s=LONG_S)
    first, second, third = (jobs.submit(Counting()) for _ in range(3))
    assert [job.state for job in (first, second, third)] == ["running", "waiting", "waiting"]
    assert [jobs.position(job) for job in (first, second, third)] == [0, 1, 2]
    with pytest.raises(SettingError, match="waiting already"):
        jobs.submit(Counting())
    jobs.cancel(first)
    until(lambda: second.state == "running")
    assert jobs.position(third) == 1
    ended(jobs, second, third)
    assert third.work.closed == 1  # type: ignore[attr-defined]


class Timed(Counting):
    """Work whose slices take `seconds` of a clock that nothing else moves; `order` keeps whose turn it was."""

    def __init__(self, clock: Clock, order: list[str], name: str, slices: int, seconds: float) -> None:
        super().__init__(slices, seconds)
        self.clock, self.order, self.name = clock, order, name
        self.then: dict[int, Callable[[], object]] = {}  # what else happens in a slice

    def work(self) -> None:
        self.clock.now += self.seconds
        self.order.append(self.name)
        self.done += 1
        self.then.get(self.done, int)()


@pytest.fixture
def computing(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that measures slices. For one worker."""
    clock = Clock()
    monkeypatch.setattr("segdemo.jobs.perf_counter", clock)
    return clock


def test_turns_are_fair_by_time_not_by_number(computing: Clock) -> None:
    jobs, order = Jobs(1, lease_s=LONG_S), list[str]()
    first = Timed(computing, order, "first", 1, 1)
    quick, slow = Timed(computing, order, "quick", 50, 4), Timed(computing, order, "slow", 10, 20)
    first.then[1] = lambda: started.extend([jobs.submit(quick), jobs.submit(slow)])  # before the worker asks again
    started: list[Job] = []
    started.append(jobs.submit(first))
    assert started[0].closed.wait(PATIENCE_S)
    assert len(started) == 3 and all(job.closed.wait(PATIENCE_S) for job in started)
    assert [job.state for job in started] == ["finished"] * 3
    assert sorted(order) == ["first"] + 50 * ["quick"] + 10 * ["slow"]
    for end in range(1, len(order)):
        assert abs(4 * order[:end].count("quick") - 20 * order[:end].count("slow")) <= 20


def test_who_comes_late_does_not_push_the_others_aside(computing: Clock) -> None:
    jobs, order = Jobs(1, lease_s=LONG_S), list[str]()
    early, late = Timed(computing, order, "early", 200, 1), Timed(computing, order, "late", 40, 1)
    came: list[Job] = []
    early.then[100] = lambda: came.append(jobs.submit(late))
    first = jobs.submit(early)
    assert first.closed.wait(PATIENCE_S) and came[0].closed.wait(PATIENCE_S)
    assert (first.state, came[0].state) == ("finished", "finished")
    assert order[:100] == 100 * ["early"]
    assert 38 <= order[100:180].count("early") <= 42, "they take turns from then on"


class Broken:
    """Work that raises when it is asked one of the questions, and otherwise has three slices."""

    def __init__(self, question: str) -> None:
        self.question, self.done = question, 0

    def _asked(self, question: str) -> None:
        if question == self.question:
            raise ZeroDivisionError("secret")

    def take(self) -> Callable[[], None]:
        self._asked("take")
        return self.work

    def work(self) -> None:
        self.done += 1

    @property
    def finished(self) -> bool:
        self._asked("finished")
        return self.done >= 3

    @property
    def paused(self) -> bool:
        self._asked("paused")
        return False

    def close(self) -> None:
        self._asked("close")


@pytest.mark.parametrize("question", ["take", "finished", "paused", "close"])
def test_work_that_cannot_answer_fails_and_harms_no_worker(question: str) -> None:
    jobs, fine = Jobs(1, lease_s=LONG_S), Counting()
    going = jobs.submit(fine)

    job = jobs.submit(Broken(question))
    assert job.closed.wait(PATIENCE_S)
    assert job.state == ("finished" if question == "close" else "failed") and "secret" not in job.reason
    done = fine.done
    until(lambda: fine.done > done + 5)
    ended(jobs, going)


def test_threads_that_cannot_start_leave_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs(2, lease_s=LONG_S)

    def full(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", full)
        with pytest.raises(SettingError, match="no room"):
            jobs.submit(Counting(1))
    assert (jobs.threads, jobs.count) == (0, 0)
    assert jobs.submit(Counting(1)).closed.wait(PATIENCE_S)


def test_a_visitor_who_is_gone_loses_the_job() -> None:
    clock = Clock()
    jobs = Jobs(1, lease_s=15, clock=clock)
    kept, left = jobs.submit(Counting()), jobs.submit(Counting())
    clock.now = 10
    jobs.renew(kept)
    clock.now = 16
    assert left.closed.wait(PATIENCE_S)
    assert left.state == "stopped" and "closed" in left.reason
    assert kept.state == "running"
    clock.now = 26
    assert kept.closed.wait(PATIENCE_S)


def test_in_real_time_a_lease_ends_after_it_ran_out() -> None:
    jobs, work = Jobs(1, lease_s=0.3), Counting()
    work.paused = True  # also where no worker has anything to do
    start = time.monotonic()
    assert jobs.submit(work).closed.wait(PATIENCE_S)
    assert time.monotonic() - start >= 0.3


def test_another_open_page_keeps_the_job() -> None:
    clock, there = Clock(), threading.Event()
    there.set()
    jobs = Jobs(1, lease_s=15, clock=clock)
    work = Counting()
    job = jobs.submit(work, there.is_set)
    clock.now = 100
    done = work.done
    until(lambda: work.done > done + 5)
    assert job.live
    there.clear()
    clock.now = 200
    assert job.closed.wait(PATIENCE_S)


def test_a_check_that_fails_counts_as_nobody_there() -> None:
    clock = Clock()
    jobs = Jobs(1, lease_s=1, clock=clock)

    def broken() -> bool:
        raise RuntimeError("no runtime")

    job = jobs.submit(Counting(), broken)
    clock.now = 2
    assert job.closed.wait(PATIENCE_S)


def test_errors_become_sentences_and_harm_nobody_else() -> None:
    jobs, fine = Jobs(2, lease_s=LONG_S), Counting()
    going = jobs.submit(fine)
    told = jobs.submit(Counting(bad=2, error=DataSetError("The masks are empty.")))
    broken = jobs.submit(Counting(bad=2, error=ZeroDivisionError("secret")))
    assert told.closed.wait(PATIENCE_S) and broken.closed.wait(PATIENCE_S)
    assert (told.state, told.reason) == ("failed", "The masks are empty.")
    assert broken.state == "failed" and "secret" not in broken.reason
    done = fine.done
    until(lambda: fine.done > done + 5)
    ended(jobs, going)


def test_a_long_pause_ends_only_where_others_wait() -> None:
    clock = Clock()
    jobs = Jobs(1, running=1, lease_s=LONG_S, pause_s=300, clock=clock)
    work = Counting()
    resting = jobs.submit(work)
    work.paused = True
    until(lambda: resting._paused_since is not None)
    clock.now = 1000
    asked = clock.asked
    until(lambda: clock.asked > asked + 2)  # the workers have looked at it again
    assert resting.state == "running"
    waiting = jobs.submit(Counting())
    assert resting.closed.wait(PATIENCE_S)
    assert "paused" in resting.reason
    until(lambda: waiting.state == "running")
    ended(jobs, waiting)


def test_many_visitors_at_once_all_come_to_the_end() -> None:
    jobs = Jobs(2, running=3, waiting=30, lease_s=LONG_S)
    started = [jobs.submit(Counting(8, 0.001)) for _ in range(20)]
    assert all(job.closed.wait(PATIENCE_S) for job in started)
    assert {job.state for job in started} == {"finished"}
