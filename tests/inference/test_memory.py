"""The peak of memory: what a hand computes, and what PyTorch's own record of allocations says."""

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from segdemo.inference import Engine
from segdemo.inference.loaded import LoadedModel
from segdemo.inference.memory import peak_bytes
from segdemo.weights import get_weights

SMALL = "unet/nuclei-small"


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
