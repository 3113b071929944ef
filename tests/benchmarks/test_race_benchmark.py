"""How far four losses race in 30 seconds. Prints the load, because on a busy machine the numbers speak of the neighbours."""

import os
import time
from collections.abc import Callable

import pytest

from segdemo.data.imbalanced import imbalanced_set
from segdemo.devices import cpu_has_bf16
from segdemo.inference.pool import cpu_count
from segdemo.jobs import Jobs
from segdemo.training.race import Race
from segdemo.training.race_settings import RaceSettings

pytestmark = pytest.mark.benchmark
SECONDS = 30.0
FOUR = ("bce", "dice", "focal", "weighted_bce")


class Timed(Race):
    """A race that knows how much processor time its steps took, whoever else was on the machine."""

    busy_s = 0.0

    def take(self) -> Callable[[], None] | None:
        """The next step, timed."""
        work = super().take()
        return None if work is None else lambda: self._timed(work)

    def _timed(self, work: Callable[[], None]) -> None:
        start = time.thread_time()
        work()
        self.busy_s += time.thread_time() - start


@pytest.mark.parametrize(("size", "wanted"), [(64, 100), (128, 40)])
def test_four_losses_in_half_a_minute(size: int, wanted: int) -> None:
    """Base width 16, batches of 8, scoring included. Counts steps that all four have done; where others keep the machine
    busy, what the processor time of a step leaves room for."""
    race = Timed(imbalanced_set(0.05, size), RaceSettings(FOUR, steps=2000))
    jobs, load = Jobs(cpu_count()), os.getloadavg()[0]
    job = jobs.submit(race)
    start = time.monotonic()
    while time.monotonic() - start < SECONDS:
        time.sleep(0.5)
        jobs.renew(job)
    steps, seconds = race.step, time.monotonic() - start
    jobs.cancel(job)
    assert job.closed.wait(60)
    each = race.busy_s / max(1, sum(len(curve.loss) for curve in race.shown.curves()))
    possible = SECONDS * cpu_count() / (len(FOUR) * each)
    print(
        f"\n{size}²: {steps} steps of each of {len(FOUR)} losses in {seconds:.1f} s on {cpu_count()} cores in "
        f"{'bfloat16' if cpu_has_bf16() else 'float32'}; {1000 * each:.0f} ms of processor time a step, which leaves room for "
        f"{possible:.0f}; load before {load:.1f}, after {os.getloadavg()[0]:.1f}"
    )
    assert (possible if load > 0.5 * cpu_count() else steps) >= wanted
