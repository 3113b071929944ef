"""What a candidate costs for a picture of one size: parameters, multiplications, bytes, memory and milliseconds.

Everything but the milliseconds is exact. The milliseconds come from paired, interleaved rounds of whole predictions: each
round runs every candidate once, as jobs of the engine, so that what disturbs the machine disturbs all alike, and
other visitors are served in between. Their quartiles say how far to trust them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Literal

import numpy as np

from segdemo.data import Picture
from segdemo.data.preprocessing import to_input
from segdemo.errors import SegdemoError
from segdemo.evaluation.candidate import Candidate, entry_of
from segdemo.features import anatomy_at
from segdemo.geometry import Size
from segdemo.inference import Engine
from segdemo.inference.loaded import LoadedModel
from segdemo.inference.memory import peak_bytes
from segdemo.inference.speed import paired_rounds
from segdemo.types import Latency, Notice, WeightsEntry
from segdemo.weights import weights_path

__all__ = ["Cost", "CostReport", "Phase", "Spread", "measure_costs", "relative_time"]

Phase = Literal["preprocess", "forward", "postprocess", "total"]


@dataclass(frozen=True)
class Spread:
    """Median of `rounds` measurements in milliseconds, and the quartiles between which the middle half of them lies."""

    median_ms: float
    low_ms: float
    high_ms: float
    rounds: int


@dataclass(frozen=True)
class Cost:
    """What one candidate costs. input_size: (height, width) of the network's input, padding and border included.

    macs: multiply–accumulates of one pass. file_bytes: the weights on disk. weights_bytes: parameters and buffers in the
    precision that was used. peak_bytes: what a pass takes beside them, see `segdemo.inference.memory`.
    latencies: one of each round. failure: why it could not be measured; then the numbers are
    zero.
    """

    candidate: Candidate
    input_size: Size = (0, 0)
    params: int = 0
    macs: int = 0
    file_bytes: int = 0
    weights_bytes: int = 0
    peak_bytes: int = 0
    device: str = ""
    precision: str = ""
    latencies: tuple[Latency, ...] = ()
    failure: Notice | None = None

    def spread(self, phase: Phase = "total") -> Spread:
        """A phase's milliseconds over the rounds so far; NaN before the first."""
        times = [getattr(latency, f"{phase}_ms") for latency in self.latencies]
        low, middle, high = np.percentile(times, [25, 50, 75]).tolist() if times else (float("nan"),) * 3
        return Spread(middle, low, high, len(times))


@dataclass(frozen=True)
class CostReport:
    """How far a measurement has come: `done` of `total` steps, and all costs as they are known by then."""

    costs: tuple[Cost, ...]
    done: int
    total: int


def measure_costs(
    engine: Engine, candidates: Sequence[Candidate], picture: Picture, rounds: int, before: Sequence[Cost] = ()
) -> Iterator[CostReport]:
    """Measure the candidates on a picture; one report after the exact figures, then one after each round.

    `before` are the costs of an earlier call on a picture of the same size, which this one adds its rounds to. A
    candidate that fails is reported with the reason and left out of the rounds; what differs in the threshold only
    runs once and has the same cost.
    """
    known = {_work(cost.candidate): cost for cost in before if not cost.failure}
    for candidate in candidates:
        if _work(candidate) not in known:
            known[_work(candidate)] = _exact_costs(engine, candidate, picture)
    yield _report(candidates, known, 0, rounds)
    sound = [work for work, cost in known.items() if not cost.failure and work in map(_work, candidates)]
    runs: list[Callable[[], Latency | Notice]] = [partial(_latency, engine, known[work].candidate, picture) for work in sound]
    for done, taken in enumerate(paired_rounds(runs, rounds if sound else 0), start=1):
        for work, outcome in zip(sound, taken, strict=True):
            known[work] = _with_round(known[work], outcome)
        for place, work in enumerate(sound):
            if (failure := known[work].failure) is not None:  # it is not run again
                runs[place] = partial(_same, failure)
        yield _report(candidates, known, done, rounds)


def relative_time(cost: Cost, reference: Cost) -> float:
    """How many times as long as the reference it takes: the median of the rounds' ratios; NaN without common rounds.

    Both slow down alike when the machine is busy, so that their ratio is steadier than either.
    """
    pairs = zip(cost.latencies, reference.latencies, strict=False)
    return median([a.total_ms / b.total_ms for a, b in pairs] or [float("nan")])


def _work(candidate: Candidate) -> Candidate:
    """What is to be computed, without the threshold, which comes after it."""
    return replace(candidate, threshold=0.5)


def _same(failure: Notice) -> Notice:
    return failure


def _with_round(cost: Cost, outcome: Latency | Notice) -> Cost:
    if cost.failure:
        return cost
    if isinstance(outcome, Notice):
        return Cost(cost.candidate, failure=outcome)
    return replace(cost, latencies=(*cost.latencies, outcome))


def _report(candidates: Sequence[Candidate], known: dict[Candidate, Cost], done: int, rounds: int) -> CostReport:
    return CostReport(tuple(replace(known[_work(c)], candidate=c) for c in candidates), done, rounds)


def _exact_costs(engine: Engine, candidate: Candidate, picture: Picture) -> Cost:
    try:
        entry = entry_of(candidate)
        image = to_input(picture.pixels, entry.preprocessing, picture.full_size, scale=candidate.scale)[0]

        def look(model: LoadedModel) -> tuple[int, int, str, str]:
            return peak_bytes(model, image), model.size_bytes, model.device.type, model.precision

        size = (image.shape[-2], image.shape[-1])
        peak, weights_bytes, device, precision = engine.with_model(entry.weights_id, look, precision=candidate.precision)
        return Cost(
            candidate, size, entry.params, anatomy_at(entry.weights_id, size).macs, _file_bytes(entry), weights_bytes, peak,
            device, precision,
        )  # fmt: skip
    except SegdemoError as error:
        return Cost(candidate, failure=Notice.of(error))


def _file_bytes(entry: WeightsEntry) -> int:
    path = weights_path(entry)
    return path.stat().st_size if path.is_file() else entry.size_bytes


def _latency(engine: Engine, candidate: Candidate, picture: Picture) -> Latency | Notice:
    """The phases of one prediction, or why there is none that could be compared."""
    try:
        found = engine.predict(picture, candidate.weights_id, precision=candidate.precision, scale=candidate.scale)
    except SegdemoError as error:
        return Notice.of(error)
    return found.notices[0] if found.degraded else found.latency
