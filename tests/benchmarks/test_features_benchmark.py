"""What recording and ablating cost beside plain forward passes: ratios of neighbours in time, median over the rounds."""

import statistics
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

import pytest
import torch
from torch import nn

from segdemo.features.ablation import Changes, Switch, recomputed, run_changed
from segdemo.features.record import on_stages
from segdemo.features.recording import Recording, record_all
from segdemo.models import create_model
from segdemo.models.private import private_copy

pytestmark = pytest.mark.benchmark


@pytest.fixture(autouse=True, scope="module")
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def ratio(rounds: int, ours: Callable[[], object], plain: Callable[[], object]) -> tuple[float, float]:
    """Median over the rounds of ours / plain, which take turns in going first; and plain's median seconds."""
    ours(), plain()
    ratios, plains = [], []
    for i in range(rounds):
        first = seconds(plain) if i % 2 else None
        mine = seconds(ours)
        base = seconds(plain) if first is None else first
        ratios.append(mine / base)
        plains.append(base)
    return statistics.median(ratios), statistics.median(plains)


def make(name: str, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    return create_model(name, num_classes=2, **options).eval()


def forward(model: nn.Module, image: torch.Tensor) -> Callable[[], object]:
    def run() -> object:
        with torch.inference_mode():
            return model(image)

    return run


NETWORKS: list[tuple[str, dict[str, Any], int]] = [
    ("unet", {}, 11), ("segnet", {}, 7), ("unet_plus_plus", {}, 7), ("unet3_plus", {}, 5),
    ("smp/unet", {"encoder_name": "resnet18"}, 15),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "rounds"), NETWORKS)
def test_recording_all_stages(name: str, options: dict[str, Any], rounds: int) -> None:
    model, image = make(name, **options), torch.rand(1, 3, 256, 256)
    cost, plain = ratio(rounds, lambda: record_all(model, image), forward(model, image))
    copied = min(seconds(lambda: private_copy(model)) for _ in range(20))
    print(f"\n{name} at 256²: recording {cost:.2f}× of a plain forward ({1000 * plain:.0f} ms); copy {1000 * copied:.1f} ms")
    assert cost <= 1.15


def share_after(model: nn.Module, image: torch.Tensor, stage: str) -> float:
    """The part of a plain forward pass that runs once a stage has given out its map."""
    shares = []
    for _ in range(5):
        at: dict[str, float] = {}
        with torch.inference_mode(), on_stages(model, lambda name, _map: at.__setitem__(name, perf_counter())):  # noqa: B023
            start = perf_counter()
            model(image)
            end = perf_counter()
        shares.append((end - at[stage]) / (end - start))
    return statistics.median(shares)


@pytest.mark.parametrize(("name", "rounds"), [("unet", 7), ("unet3_plus", 3)])
def test_ablating_costs_what_comes_after_the_stage(name: str, rounds: int) -> None:
    """Everywhere: the pass from the stage on. A skip: from the stage that it feeds on, of which the joining is a part."""
    model, image = make(name), torch.rand(1, 3, 256, 256)
    recording = record_all(model, image)
    plain = forward(model, image)
    before = ["", *recording.maps]
    skips = [(s.skip_from[0], s.name) for s in recording.stages if s.skip_from]
    print()
    failed = []
    for stage, skip_to in [*((s, None) for s in recording.maps if s != "head"), *skips]:
        # What a skip feeds begins to run when the stage before has given out its map.
        part = share_after(model, image, stage if skip_to is None else before[before.index(skip_to) - 1])
        cost, _plain = ratio(rounds, lambda: ablate(model, recording, stage, skip_to), plain)  # noqa: B023
        again = recomputed(recording, Changes((Switch(stage, skip_to),)))
        print(f"{name} {stage} → {skip_to or 'all'}: {cost:.2f} of a forward, the part after {part:.2f}, {len(again)} stages")
        if cost > 1.1 * part + 0.02:  # the clock's own unrest, in forward passes
            failed.append((stage, skip_to, cost, part))
    assert not failed


def ablate(model: nn.Module, recording: Recording, stage: str, skip_to: str | None) -> object:
    return run_changed(model, recording, Changes((Switch(stage, skip_to, "zero"),)))
