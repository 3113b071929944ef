"""segdemo.training.jobs: bounded, fair, cancelled when the visitor is gone, and nothing left afterwards."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import torch

from segdemo.errors import DataSetError, SettingError
from segdemo.training.jobs import Job, Jobs

PATIENCE_S = 30


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

    def __call__(self) -> float:
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
    jobs, work = Jobs(2), Counting(20)
    job = jobs.submit(work)
    assert job.closed.wait(PATIENCE_S)
    assert (job.state, work.closed, jobs.count) == ("finished", 1, 0)
    assert work.done in (20, 21)  # two workers may both have taken the last one
    assert work.threads == {1}, "a slice runs on one torch thread"
    until(lambda: jobs.threads == 0)


def test_a_second_job_starts_threads_anew() -> None:
    jobs = Jobs(1)
    assert jobs.submit(Counting(1)).closed.wait(PATIENCE_S)
    until(lambda: jobs.threads == 0)
    assert jobs.submit(Counting(1)).closed.wait(PATIENCE_S)


def test_cancelling_ends_it_within_a_slice() -> None:
    jobs, work = Jobs(1), Counting(seconds=0.05)
    job = jobs.submit(work)
    until(lambda: work.done)
    jobs.cancel(job)
    assert job.cancelled.is_set() and not job.live
    assert job.closed.wait(PATIENCE_S)
    done = work.done
    time.sleep(0.15)
    assert (work.done, work.closed, job.state) == (done, 1, "stopped")


def test_the_line_is_bounded_and_moves_up() -> None:
    jobs = Jobs(1, running=1, waiting=2)
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


def test_turns_are_fair_by_time_not_by_number() -> None:
    jobs = Jobs(1)
    quick, slow = Counting(seconds=0.004), Counting(seconds=0.02)
    jobs_of = [jobs.submit(quick), jobs.submit(slow)]
    until(lambda: slow.done >= 12)
    used = [job.used_s for job in jobs_of]
    ended(jobs, *jobs_of)
    assert quick.done > 1.5 * slow.done
    assert max(used) < 2 * min(used)


def test_who_comes_late_does_not_push_the_others_aside() -> None:
    jobs, early, late = Jobs(1), Counting(), Counting()
    first = jobs.submit(early)
    until(lambda: early.done >= 100)
    before = early.done
    second = jobs.submit(late)
    until(lambda: late.done >= 40)
    gained = early.done - before
    ended(jobs, first, second)
    assert gained > 15


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


def test_in_real_time_a_lease_ends_soon_after_it_ran_out() -> None:
    jobs, work = Jobs(1, lease_s=0.3), Counting()
    work.paused = True  # also where no worker has anything to do
    start = time.monotonic()
    assert jobs.submit(work).closed.wait(PATIENCE_S)
    assert 0.3 <= time.monotonic() - start < 5


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
    jobs, fine = Jobs(2), Counting()
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
    jobs = Jobs(1, running=1, lease_s=10**6, pause_s=300, clock=clock)
    work = Counting()
    resting = jobs.submit(work)
    work.paused = True
    time.sleep(0.6)
    clock.now = 1000
    time.sleep(0.6)
    assert resting.state == "running"
    waiting = jobs.submit(Counting())
    assert resting.closed.wait(PATIENCE_S)
    assert "paused" in resting.reason
    until(lambda: waiting.state == "running")
    ended(jobs, waiting)


def test_many_visitors_at_once_all_come_to_the_end() -> None:
    jobs = Jobs(2, running=3, waiting=30)
    started = [jobs.submit(Counting(8, 0.001)) for _ in range(20)]
    assert all(job.closed.wait(PATIENCE_S) for job in started)
    assert {job.state for job in started} == {"finished"}
