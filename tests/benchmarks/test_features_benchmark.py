"""What recording and ablating cost beside plain forward passes: ratios of neighbours in time, median over the rounds.

Recording is what a visitor pays through the engine but for the queue: a private copy of the network, and the pass.
On a machine that others use too, the median of many pairs is what can be relied on; the fastest rounds are printed too.
"""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import pytest
import torch
from torch import nn

from segdemo.features.ablation import Changes, Switch, recomputed, run_changed
from segdemo.features.course import Course, trace
from segdemo.features.record import on_stages
from segdemo.features.recording import Recording, record_all
from segdemo.models import create_model
from segdemo.models.private import private_copy
from segdemo.weights import get_weights, load_model

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


@dataclass(frozen=True)
class Compared:
    """ratio: the median of ours / plain over the rounds; the others are the median and the fastest rounds in seconds."""

    ratio: float
    plain: float
    fastest: float
    fastest_plain: float


def compare(rounds: int, ours: Callable[[], object], plain: Callable[[], object]) -> Compared:
    """Ours beside plain; they take turns in going first."""
    ours(), plain()
    mine, base = [], []
    for i in range(rounds):
        first = seconds(plain) if i % 2 else None
        mine.append(seconds(ours))
        base.append(seconds(plain) if first is None else first)
    median = statistics.median(a / b for a, b in zip(mine, base, strict=True))
    return Compared(median, statistics.median(base), min(mine), min(base))


def make(name: str, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    return create_model(name, num_classes=2, **options).eval()


def forward(model: nn.Module, image: torch.Tensor) -> Callable[[], object]:
    def run() -> object:
        with torch.inference_mode():
            return model(image)

    return run


BUILT: list[tuple[str, dict[str, Any], int]] = [
    ("unet", {}, 15), ("segnet", {}, 9), ("unet_plus_plus", {}, 9), ("unet3_plus", {}, 7),
    ("smp/unet", {"encoder_name": "resnet18"}, 41), ("lraspp_mobilenet_v3_large", {}, 101),
    ("deeplabv3_mobilenet_v3_large", {}, 71),
]  # fmt: skip
BUNDLED = [("unet/nuclei", 31), ("unet/nuclei-small", 101), ("fcn8s/nuclei", 151), ("mnist_cnn/nuclei", 151)]


@pytest.mark.parametrize(("name", "options", "rounds"), BUILT)
def test_recording_all_stages(name: str, options: dict[str, Any], rounds: int) -> None:
    measure(name, make(name, **options), torch.rand(1, 3, 256, 256), rounds)


@pytest.mark.parametrize(("name", "rounds"), BUNDLED)
def test_recording_all_stages_of_bundled_weights(name: str, rounds: int) -> None:
    entry = get_weights(name)
    measure(name, load_model(entry).eval(), torch.rand(1, entry.preprocessing.channels, 256, 256), rounds)


def measure(name: str, model: nn.Module, image: torch.Tensor, rounds: int) -> None:
    """Every picture but a network's first, which learns which maps have to be copied."""
    own = private_copy(model)  # as the engine hands it to a job
    found = compare(rounds, lambda: record_all(own, image), forward(model, image))
    copied = min(seconds(lambda: private_copy(model)) for _ in range(20))
    print(
        f"\n{name} at 256²: recording {found.ratio:.2f}× of a plain forward of {1000 * found.plain:.1f} ms, median of {rounds}; "
        f"fastest {1000 * found.fastest:.1f} of {1000 * found.fastest_plain:.1f} ms; the copy before it {1000 * copied:.2f} ms"
    )
    assert found.ratio <= 1.15


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
    recording, course = record_all(model, image), trace(model, image)
    plain = forward(model, image)
    before = ["", *recording.maps]
    skips = [(s.skip_from[0], s.name) for s in recording.stages if s.skip_from]
    print()
    failed = []
    for stage, skip_to in [*((s, None) for s in recording.maps if s != "head"), *skips]:
        # What a skip feeds begins to run when the stage before has given out its map.
        part = share_after(model, image, stage if skip_to is None else before[before.index(skip_to) - 1])
        cost = compare(rounds, lambda: ablate(model, recording, course, stage, skip_to), plain).ratio  # noqa: B023
        again = recomputed(course, Changes((Switch(stage, skip_to),)))
        print(f"{name} {stage} → {skip_to or 'all'}: {cost:.2f} of a forward, the part after {part:.2f}, {len(again)} stages")
        if cost > 1.1 * part + 0.02:  # the clock's own unrest, in forward passes
            failed.append((stage, skip_to, cost, part))
    assert not failed


def ablate(model: nn.Module, recording: Recording, course: Course, stage: str, skip_to: str | None) -> object:
    return run_changed(model, recording, course, Changes((Switch(stage, skip_to, "zero"),)))
