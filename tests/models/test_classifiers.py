"""The classification networks are torchvision's: keys, parameters, answers."""

import pytest
import torch
from torch import nn
from torchvision import models

from segdemo.models import classifiers, create_model

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("name", list(classifiers.TITLES))
def test_keys_and_parameters_are_torchvisions(name: str) -> None:
    with torch.device("meta"):
        theirs = getattr(models, name)(weights=None)
        ours = create_model(name, num_classes=1000)
        assert {k: v.shape for k, v in ours.state_dict().items()} == {k: v.shape for k, v in theirs.state_dict().items()}
        assert create_model(name, in_channels=1, num_classes=7)(torch.empty(2, 1, 97, 65)).shape == (2, 7, 1, 1)


@pytest.mark.parametrize("name", ["alexnet", "resnet18", "resnet50"])
@torch.inference_mode()
def test_answers_are_torchvisions(name: str) -> None:
    theirs: nn.Module = getattr(models, name)(weights=None, num_classes=5).eval()
    ours = create_model(name, num_classes=5).eval()
    ours.load_state_dict(theirs.state_dict())
    image = torch.rand(1, 3, 96, 80)
    torch.testing.assert_close(ours(image)[..., 0, 0], theirs(image))


@pytest.mark.parametrize("name", list(classifiers.TITLES))
def test_stages_run_in_order(name: str) -> None:
    with torch.device("meta"):
        model = create_model(name, num_classes=10)
        stages = model.stages()  # type: ignore[operator]
        ran: list[tuple[str, int]] = []
        for stage in stages:
            hook = lambda _m, _i, out, name=stage.name: ran.append((name, out.shape[-1]))  # noqa: E731
            model.get_submodule(stage.module).register_forward_hook(hook)
        model(torch.empty(1, 3, 224, 224))
    assert [name for name, _side in ran] == [stage.name for stage in stages]
    assert [side for _name, side in ran][-2] in (6, 7)
    assert {s.kind for s in stages} == {"encoder", "bottleneck", "head"}
