"""What one training step pays for each loss: forward and backward at 8 × 1 × 128², all losses interleaved in one run."""

import statistics
from time import perf_counter

import pytest
import torch
from torch.nn import functional as F

from segdemo.losses import FACTS, LOSSES

pytestmark = pytest.mark.benchmark
ROUNDS = 15


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("channels", [1, 4])
def test_forward_and_backward(channels: int) -> None:
    generator = torch.Generator().manual_seed(0)
    field = F.interpolate(torch.randn(8, channels, 9, 9, generator=generator), (128, 128), mode="bicubic")
    target = (field[:, 0] > 0.7).long() if channels == 1 else field.argmax(dim=1)
    logits = (3 * field + torch.randn(field.shape, generator=generator)).requires_grad_()
    takes = {"one": channels == 1, "several": channels > 1, "any": True}
    names = [name for name, facts in FACTS.items() if takes[facts.channels]]
    times: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(ROUNDS + 2):
        for name in names:
            logits.grad = None
            start = perf_counter()
            LOSSES[name](logits, target).backward()
            times[name].append(1000 * (perf_counter() - start))
    print(f"\n8 × {channels} × 128²: median ms of forward + backward, one thread")
    for name in names:
        print(f"{name:>14} {statistics.median(times[name][2:]):7.2f}")
