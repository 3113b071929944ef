"""How long networks take on this machine's CPU, measured side by side so that they can be compared."""

from collections.abc import Sequence
from statistics import median
from time import perf_counter

import torch

from segdemo.geometry import Size
from segdemo.inference.loaded import LoadedModel, prepare
from segdemo.types import WeightsEntry

__all__ = ["cpu_latencies_ms"]


def cpu_latencies_ms(entries: Sequence[WeightsEntry], size: Size, rounds: int) -> list[float]:
    """Median milliseconds of a forward pass of each network, as the engine runs it, on one input (1, C, *size).

    Every round runs every network once, so that a disturbance of the machine falls on all alike; a first round warms up.
    """
    models = [prepare(entry, torch.device("cpu")) for entry in entries]
    times: list[list[float]] = [[] for _ in models]
    with torch.inference_mode():
        for turn in range(rounds + 1):
            for model, taken in zip(models, times, strict=True):
                milliseconds = _forward_ms(model, size)
                if turn:
                    taken.append(milliseconds)
    return [median(taken) for taken in times]


def _forward_ms(model: LoadedModel, size: Size) -> float:
    image = torch.zeros(1, int(model.entry.options.get("in_channels", 3)), *size)
    start = perf_counter()
    model(image)
    return 1000 * (perf_counter() - start)
