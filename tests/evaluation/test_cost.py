"""Costs: counted exactly where they can be, measured in paired rounds where they cannot, and the Pareto front."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from segdemo.data import Picture
from segdemo.data.nuclei_like import draw_nuclei
from segdemo.devices import cpu_has_bf16
from segdemo.evaluation.candidate import Candidate
from segdemo.evaluation.cost import Cost, macs_at, measure_costs, relative_time
from segdemo.evaluation.pareto import pareto_front
from segdemo.inference import Engine
from segdemo.inference.loaded import LoadedModel
from segdemo.inference.memory import peak_bytes
from segdemo.inference.speed import paired_rounds
from segdemo.types import Latency
from segdemo.weights import get_weights, weights_path

SMALL = "unet/nuclei-small"
NAN = float("nan")


def drawn(side: int = 48) -> Picture:
    return Picture("drawn", f"{side}", draw_nuclei(side, side, seed=4)[0], (side, side))


class Skipping(nn.Module):
    """Keeps the first map until the end, as a skip connection does."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.last = nn.Conv2d(8, 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        first = self.first(image)
        second = self.second(self.second(first))
        return self.last(first + second)


def loaded(module: nn.Module, half: bool = False) -> LoadedModel:
    entry = get_weights(SMALL)
    module = module.eval().to(torch.bfloat16 if half else torch.float32)
    return LoadedModel(entry, module, torch.device("cpu"), "bfloat16" if half else "float32")


def image(side: int) -> Tensor:
    return torch.zeros(1, 3, side, side).to(memory_format=torch.channels_last)


PIXELS = 16 * 16
MAP = 8 * PIXELS * 4  # bytes of eight channels in float32


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: nn.Conv2d(3, 8, 3, padding=1), MAP),
        (lambda: nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 1)), 2 * MAP),
        (lambda: nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(8, 1, 1)), MAP + MAP // 8),
        (Skipping, 3 * MAP + MAP // 8),  # first, second and their sum are held when the last is made
        (nn.Identity, 0),
        (lambda: nn.Flatten(0, 1), 0),  # a view
    ],
)
def test_the_peak_is_what_a_hand_computes(make: Callable[[], nn.Module], expected: int) -> None:
    assert peak_bytes(loaded(make()), image(16)) == expected


def test_half_precision_takes_half_and_a_copy_of_the_picture() -> None:
    model = loaded(nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 1)), half=True)
    assert peak_bytes(model, image(16)) == MAP + 3 * PIXELS * 2


def test_counting_again_gives_the_same_and_the_allocator_agrees() -> None:
    """PyTorch's own record of allocations, of a network with skips, pooling and interpolation."""
    model = Engine("cpu").with_model(SMALL, lambda model: model, precision="float32")
    picture = image(256)
    assert peak_bytes(model, picture) == (counted := peak_bytes(model, picture))
    with torch.inference_mode(), torch.profiler.profile(profile_memory=True) as profile:
        model(picture)
    events = [e for e in profile.profiler.kineto_results.events() if e.name() == "[memory]"]  # type: ignore[union-attr]
    changes = [e.nbytes() for e in sorted(events, key=lambda e: e.start_ns())]
    assert counted == pytest.approx(max(itertools.accumulate(changes)), rel=0.01)


def test_every_round_runs_each_once_and_begins_with_another() -> None:
    ran: list[str] = []
    runs = [lambda name=name: (ran.append(name), name.upper())[1] for name in "abc"]
    assert list(paired_rounds(runs, 3)) == [["A", "B", "C"]] * 3
    assert ["".join(ran[i : i + 3]) for i in range(0, 12, 3)] == ["abc", "bca", "cab", "abc"]


def test_measured_costs_are_exact_where_they_can_be() -> None:
    engine, picture = Engine("cpu"), drawn()
    candidates = (Candidate(SMALL, precision="float32"), Candidate(SMALL, precision="float32", scale=2.0))
    reports = list(measure_costs(engine, candidates, picture, 3))
    assert [(r.done, r.total) for r in reports] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert [len(c.latencies) for c in reports[2].costs] == [2, 2]
    small, large = reports[-1].costs
    entry = get_weights(SMALL)
    assert (small.input_size, large.input_size) == ((48, 48), (96, 96))
    assert large.macs == 4 * small.macs > 0
    assert small.params == large.params == entry.params
    assert small.file_bytes == weights_path(entry).stat().st_size
    assert small.weights_bytes == pytest.approx(4 * entry.params, rel=0.01)
    assert large.peak_bytes == pytest.approx(4 * small.peak_bytes, rel=0.05)
    spread = large.spread("forward")
    assert 0 < spread.low_ms <= spread.median_ms <= spread.high_ms
    assert spread.rounds == 3
    assert engine.passes == 2 * 4  # with the round that warms up


def test_multiplications_are_those_on_the_card() -> None:
    assert macs_at(SMALL, (256, 256)) == get_weights(SMALL).card["macs"]


@pytest.mark.skipif(not cpu_has_bf16(), reason="this CPU has no bfloat16")
def test_half_precision_needs_less_memory() -> None:
    candidates = [Candidate(SMALL, precision="float32"), Candidate(SMALL, precision="bfloat16")]
    exact, half = next(iter(measure_costs(Engine("cpu"), candidates, drawn(), 1))).costs
    assert half.weights_bytes * 2 == exact.weights_bytes
    assert half.peak_bytes < 0.6 * exact.peak_bytes


def test_a_later_measurement_adds_its_rounds_and_thresholds_share_theirs() -> None:
    engine, picture = Engine("cpu"), drawn()
    candidates = (Candidate(SMALL), Candidate(SMALL, threshold=0.3))
    first = list(measure_costs(engine, candidates, picture, 2))[-1].costs
    assert first[0].latencies == first[1].latencies
    assert [c.candidate for c in first] == list(candidates)
    assert engine.passes == 3
    again = list(measure_costs(engine, candidates, picture, 1, before=first))[-1].costs
    assert again[0].latencies[:2] == first[0].latencies
    assert len(again[0].latencies) == 3


def test_what_cannot_be_measured_is_a_sentence_and_the_others_are_measured() -> None:
    candidates = (Candidate(SMALL), Candidate("autoencoder/nuclei"), Candidate("unet/none"))
    costs = list(measure_costs(Engine("cpu"), candidates, drawn(), 1))[-1].costs
    assert [bool(c.failure) for c in costs] == [False, True, True]
    assert len(costs[0].latencies) == 1
    assert np.isnan(costs[1].spread().median_ms)


def test_relative_time_is_the_median_of_the_ratios() -> None:
    candidate = Candidate(SMALL)
    slow = Cost(candidate, latencies=tuple(Latency(0, t, 0) for t in (2.0, 200.0, 6.0)))
    fast = Cost(candidate, latencies=tuple(Latency(0, t, 0) for t in (1.0, 100.0, 1.0)))
    assert relative_time(slow, fast) == 2
    assert np.isnan(relative_time(slow, Cost(candidate)))


@pytest.mark.parametrize(
    ("cost", "score", "front"),
    [
        ([1, 2, 3], [0.1, 0.2, 0.3], [0, 1, 2]),
        ([3, 1, 2], [0.3, 0.1, 0.05], [1, 0]),
        ([1, 1, 2], [0.5, 0.6, 0.6], [1]),  # the same cost, and the same score for more
        ([1, 1, 2], [0.5, 0.5, 0.7], [0, 1, 2]),  # equal points stay together
        ([1, NAN, 2, 0.5], [0.5, 0.9, NAN, 0.4], [3, 0]),
        ([NAN], [1.0], []),
        ([], [], []),
    ],
)
def test_pareto_front(cost: list[float], score: list[float], front: list[int]) -> None:
    assert pareto_front(cost, score) == front


def test_the_front_is_what_comparing_all_pairs_gives() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        cost, score = rng.integers(0, 6, 12).astype(float), rng.integers(0, 6, 12).astype(float)
        beaten = [
            any(cost[j] <= cost[i] and score[j] >= score[i] and (cost[j], score[j]) != (cost[i], score[i]) for j in range(12))
            for i in range(12)
        ]
        assert sorted(pareto_front(cost.tolist(), score.tolist())) == [i for i in range(12) if not beaten[i]]
