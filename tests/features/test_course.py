"""segdemo.features.course: when the operations written down for one picture are those of every picture of its size."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from segdemo.features.ablation import Changes, Switch, run_changed
from segdemo.features.course import trace
from segdemo.features.joins import join_at
from segdemo.features.recording import record_all
from segdemo.types import Stage

pytestmark = pytest.mark.usefixtures("one_thread")


class Net(nn.Module):
    """A convolution, and something that is done to its map with a constant of the network's at hand."""

    def __init__(self, between: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 1, 1)
        self.between, self.constant = between, torch.tensor([2.0, 3.0]).view(1, 2, 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.second(self.between(self.first(image), self.constant))  # type: ignore[no-any-return]

    def stages(self) -> list[Stage]:
        return [Stage("encoder1", "encoder", "first"), Stage("head", "head", "second")]


def picture(seed: int, size: int = 6) -> Tensor:
    return torch.randn(1, 1, size, size, generator=torch.Generator().manual_seed(seed))


GENERAL: list[Callable[[Tensor, Tensor], Tensor]] = [
    lambda x, constant: x * constant,
    lambda x, _constant: x * torch.arange(x.shape[-1]),
    lambda x, _constant: torch.where(x > x.mean(), x, -x),
]
NOT_GENERAL: list[Callable[[Tensor, Tensor], Tensor]] = [
    lambda x, _constant: x * float(x.max()),
    lambda x, _constant: -x if x.sum() > 0 else 3 * x,
    lambda x, _constant: x * torch.tensor(x.flatten().tolist()).view(x.shape),  # no operation tells
    lambda x, _constant: x * len(x[x > 0]),
]


@pytest.mark.parametrize("between", GENERAL)
@torch.no_grad()
def test_a_course_for_every_picture_of_its_size(between: Callable[[Tensor, Tensor], Tensor]) -> None:
    net = Net(between).eval()
    course = trace(net, picture(1))
    assert course.general
    recording = record_all(net, picture(2))
    again = run_changed(net, recording, course, Changes((Switch("encoder1", None, "other"),)), other=recording)
    assert torch.equal(again, net(picture(2))[0])


@pytest.mark.parametrize("between", NOT_GENERAL)
def test_what_depends_on_the_picture_is_the_course_of_that_picture_only(between: Callable[[Tensor, Tensor], Tensor]) -> None:
    net = Net(between).eval()
    first = [trace(net, picture(seed)) for seed in (1, 2)]
    assert not any(course.general for course in first)
    recording = record_all(net, picture(2))
    itself = Changes((Switch("encoder1", None, "other"),))
    assert torch.equal(run_changed(net, recording, first[1], itself, other=recording), recording.logits)


def test_a_course_of_another_size_is_refused() -> None:
    net = Net(GENERAL[0]).eval()
    recording, course = record_all(net, picture(1)), trace(net, picture(1, 8))
    with pytest.raises(ValueError, match=r"\(1, 1, 8, 8\)"):
        run_changed(net, recording, course, Changes((Switch("encoder1"),)))


def test_a_stage_without_skips_joins_nothing() -> None:
    net = Net(GENERAL[0]).eval()
    assert join_at(net, record_all(net, picture(1)), trace(net, picture(1)), "head") is None


def test_what_a_course_holds_is_counted() -> None:
    net = Net(GENERAL[0]).eval()
    small = trace(net, picture(1)).nbytes
    net.constant = torch.zeros(1, 2, 100, 100)[..., :1, :1]
    assert trace(net, picture(1)).nbytes == small + 4 * 2 * 100**2 - 4 * 2, "a view holds the whole of it"
