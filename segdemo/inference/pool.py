"""Who computes when: a bounded set of workers, so that thirty visitors wait in line instead of slowing each other down.

Measured on two cores: one picture is fastest with all cores on it; several at once are served fastest, and most fairly,
by one single-threaded worker a core. So a job that finds the engine idle gets all cores, and others one core each.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

import torch

__all__ = ["WorkerPool", "cpu_count"]

T = TypeVar("T")


def cpu_count() -> int:
    """Cores this process may use, which can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class WorkerPool:
    """`run` computes a job on a worker and waits for it. `parallel` False: one at a time, as a GPU wants it."""

    def __init__(self, cores: int | None = None, parallel: bool = True) -> None:
        self.cores = cores or cpu_count()
        self._parallel = parallel and self.cores > 1
        self._all_cores = self._executor(1, self.cores, "all-cores")
        self._one_core = self._executor(self.cores, 1, "one-core") if self._parallel else self._all_cores
        self._lock = threading.Lock()
        self._running = 0

    @staticmethod
    def _executor(workers: int, threads: int, name: str) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(workers, f"segdemo-{name}", initializer=_use_threads, initargs=(threads,))

    def run(self, job: Callable[[], T]) -> T:
        """The job's result, or what it raised."""
        with self._lock:
            executor = self._all_cores if self._running == 0 else self._one_core
            self._running += 1
        try:
            return executor.submit(copy_context().run, job).result()  # the visitor's language goes along
        finally:
            with self._lock:
                self._running -= 1


def _use_threads(threads: int) -> None:
    """Set this worker's number of torch threads. A thread takes over the last number set anywhere when it first asks;
    asking before setting keeps another worker's number from overwriting this one's later."""
    torch.get_num_threads()
    torch.set_num_threads(threads)
