"""segdemo.features.record: the outputs of all stages, and no hook that stays."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from segdemo.features import record
from segdemo.features.record import evaluating
from segdemo.models import create_model
from segdemo.types import Stage

pytestmark = pytest.mark.usefixtures("one_thread")


class Chain(nn.Module):
    """Two stages; the second changes the first one's map in place, as many networks do."""

    def __init__(self, fails: bool = False) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 2, 3, padding=1)
        self.act = nn.ReLU(inplace=True)
        self.second = nn.Conv2d(2, 1, 1)
        self.fails = fails

    def forward(self, image: Tensor) -> Tensor:
        x = self.act(self.first(image))
        if self.fails:
            raise ValueError("broken")
        return self.second(x)  # type: ignore[no-any-return]

    def stages(self) -> list[Stage]:
        return [Stage("encoder1", "encoder", "first"), Stage("head", "head", "second")]


def hooks(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


def test_outputs_are_the_stages_own_even_where_they_are_overwritten() -> None:
    torch.manual_seed(0)
    model, image = Chain().eval(), torch.randn(1, 1, 6, 5)
    maps = record(model, image)
    assert list(maps) == ["encoder1", "head"]
    assert torch.equal(maps["encoder1"], model.first(image))
    assert (maps["encoder1"] < 0).any()
    assert torch.equal(maps["head"], model(image))
    assert not maps["head"].requires_grad
    assert hooks(model) == 0


def test_no_hook_remains_after_an_error() -> None:
    model = Chain(fails=True)
    with pytest.raises(ValueError, match="broken"):
        record(model, torch.zeros(1, 1, 4, 4))
    assert hooks(model) == 0


def test_no_hook_remains_where_a_stage_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Chain()
    stages = [*model.stages(), Stage("gone", "head", "nowhere")]
    monkeypatch.setattr(model, "stages", lambda: stages)
    with pytest.raises(AttributeError):
        record(model, torch.zeros(1, 1, 4, 4))
    assert hooks(model) == 0


def test_works_without_memory() -> None:
    with torch.device("meta"):
        model, image = create_model("unet", in_channels=1, num_classes=2, padding="valid"), torch.empty(1, 1, 572, 572)
    shapes = {name: tuple(output.shape[1:]) for name, output in record(model.eval(), image).items()}
    assert shapes["bottleneck"] == (1024, 28, 28)
    assert shapes["head"] == (2, 388, 388)


def test_evaluating_restores_every_part() -> None:
    model: Any = nn.Sequential(nn.Dropout(), nn.BatchNorm2d(1))
    model.train()
    model[0].eval()
    with pytest.raises(RuntimeError), evaluating(model):
        assert not any(module.training for module in model.modules())
        raise RuntimeError
    assert [module.training for module in model.modules()] == [True, False, True]
