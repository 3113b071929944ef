"""How long networks take, measured side by side so that they can be compared."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import median
from time import perf_counter
from typing import TypeVar

import torch

from segdemo.geometry import Size
from segdemo.inference.loaded import LoadedModel, prepare
from segdemo.types import WeightsEntry

__all__ = ["cpu_latencies_ms", "paired_rounds"]

T = TypeVar("T")


def paired_rounds(runs: Sequence[Callable[[], T]], rounds: int) -> Iterator[list[T]]:
    """What every run returned, round by round, in the order of `runs`; a first round that warms up is left out.

    Every round runs each once, so that a disturbance of the machine falls on all alike. Each round begins with another
    one, so that none always profits from what the one before left behind.
    """
    for turn in range(rounds + 1):
        found: dict[int, T] = {}
        for place in range(len(runs)):
            index = (place + turn) % len(runs)
            found[index] = runs[index]()
        if turn:
            yield [found[index] for index in range(len(runs))]


def cpu_latencies_ms(entries: Sequence[WeightsEntry], size: Size, rounds: int) -> list[float]:
    """Median milliseconds of a forward pass of each network on the CPU, as the engine runs it, on one input (1, C, *size)."""
    runs = [partial(_forward_ms, prepare(entry, torch.device("cpu")), size) for entry in entries]
    with torch.inference_mode():
        taken = list(paired_rounds(runs, rounds))
    return [median(times) for times in zip(*taken, strict=True)]


def _forward_ms(model: LoadedModel, size: Size) -> float:
    image = torch.zeros(1, int(model.entry.options.get("in_channels", 3)), *size)
    start = perf_counter()
    model(image)
    return 1000 * (perf_counter() - start)
