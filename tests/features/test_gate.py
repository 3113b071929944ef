"""segdemo.features.gate: what U-Net 3+ says with and without its classifier."""

from typing import Any

import pytest
import torch
from torch import nn

from segdemo.features.gate import Gate, inspect_gate
from segdemo.features.record import record
from segdemo.models import create_model

pytestmark = pytest.mark.usefixtures("one_thread")


def guided(num_classes: int, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    return create_model("unet3_plus", num_classes=num_classes, width=4, classification_guided=True, **options).eval()


def inspected(model: nn.Module, image: torch.Tensor) -> Gate:
    found = inspect_gate(model, image)
    assert found is not None
    assert not any(module._forward_hooks for module in model.modules())
    return found


@pytest.mark.parametrize("deep_supervision", [False, True])
@pytest.mark.parametrize("num_classes", [1, 4])
def test_before_and_after(num_classes: int, deep_supervision: bool) -> None:
    model, image = guided(num_classes, deep_supervision=deep_supervision), torch.rand(1, 3, 48, 32)
    found = inspected(model, image)
    ungated = create_model("unet3_plus", num_classes=num_classes, width=4, deep_supervision=deep_supervision).eval()
    ungated.load_state_dict({key: value for key, value in model.state_dict().items() if "classifier" not in key})

    with torch.no_grad():
        before, after = ungated(image)[0], model(image)[0]
    if num_classes == 1:
        assert torch.equal(found.before, torch.cat([1 - before.sigmoid(), before.sigmoid()]))
        assert torch.equal(found.after, torch.cat([1 - after.sigmoid(), after.sigmoid()]))
    else:
        assert torch.equal(found.before, before.softmax(0)) and torch.equal(found.after, after.softmax(0))
    assert found.presence.shape == (max(1, num_classes - 1),)
    torch.testing.assert_close(found.after[1:], found.presence[:, None, None] * found.before[1:])
    torch.testing.assert_close(found.after.sum(dim=0), torch.ones(48, 32))


def test_presence_is_the_classifiers_softmax() -> None:
    model, image = guided(3), torch.rand(1, 3, 32, 32)
    scores = record(model, image)["bottleneck"]
    with torch.no_grad():
        pairs = model.classifier(scores).view(2, 2).softmax(dim=1)  # type: ignore[operator]  # per class: absent, present
    torch.testing.assert_close(inspected(model, image).presence, pairs[:, 1])


def test_a_class_that_is_absent_disappears() -> None:
    model, image = guided(1), torch.rand(1, 3, 32, 32)
    layer = model.classifier[1]  # type: ignore[index]
    with torch.no_grad():
        layer.bias.copy_(torch.tensor([20.0, -20.0]))  # type: ignore[union-attr]
    found = inspected(model, image)
    assert found.presence.item() < 1e-3
    assert found.after[1].max() < 1e-3 < found.before[1].max()


@pytest.mark.parametrize("name", ["unet", "unet3_plus"])
def test_other_networks_have_none(name: str) -> None:
    assert inspect_gate(create_model(name, width=2).eval(), torch.rand(1, 3, 32, 32)) is None
