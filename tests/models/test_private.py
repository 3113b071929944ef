"""segdemo.models.private: a tree of modules of one's own over the same weights."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from segdemo.models import create_model, list_models
from segdemo.models.private import private_copy

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:Encoder does not have prefix tokens:UserWarning"),
]


class Odd(nn.Module):
    """Holds modules in every way there is; its forward goes through all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 2, 1)
        self.second = nn.BatchNorm2d(2)
        self.listed = [self.first]
        self.by_name = {"second": (self.second,)}
        self.bound = self.second.forward
        self.half = partial(self._through, self.first)
        self.own = [self]
        self.names = {"a"}

    def _through(self, module: nn.Module, x: Tensor) -> Tensor:
        return module(x)  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        x = self.by_name["second"][0](self.listed[0](x))
        return self.bound(self.half(x[:, :1]))


@pytest.mark.parametrize("name", list_models())
def test_every_module_is_a_copy_and_every_tensor_is_not(name: str) -> None:
    options: dict[str, Any] = {"encoder_name": "tu-vit_tiny_patch16_224"} if name == "smp/dpt" else {}
    with torch.device("meta"):
        model = create_model(name, num_classes=3, **options).eval()
        twin = private_copy(model)
        image = torch.empty(1, 3, 224, 224)
    originals = {id(module) for module in model.modules()}
    assert not any(id(module) in originals for module in twin.modules())
    assert [path for path, _module in twin.named_modules()] == [path for path, _module in model.named_modules()]
    assert all(a is b for a, b in zip(model.parameters(), twin.parameters(), strict=True))
    assert all(a is b for a, b in zip(model.buffers(), twin.buffers(), strict=True))
    ran: list[str] = []
    for path, module in model.named_modules():
        module.register_forward_hook(lambda _m, _i, _o, path=path: ran.append(path))
    assert twin(image).shape == model(image).shape
    assert ran.count("") == 1, "a pass through the copy runs none of the shared modules"


def test_modules_are_exchanged_wherever_they_are_held() -> None:
    model = Odd().eval()
    twin: Any = private_copy(model)
    assert twin.listed[0] is twin.first is not model.first
    assert twin.by_name["second"][0] is twin.second is twin.bound.__self__
    assert twin.own[0] is twin and twin.half.args[0] is twin.first and twin.half.func.__self__ is twin
    assert twin.names == {"a"} and twin.names is not model.names
    assert torch.equal(twin(torch.ones(1, 1, 2, 2)), model(torch.ones(1, 1, 2, 2)))


def test_hooks_and_modes_stay_with_the_copy() -> None:
    model = Odd().eval()
    seen: list[str] = []
    model.first.register_forward_hook(lambda *_args: seen.append("shared"))
    twin: Any = private_copy(model)
    twin.train()
    twin.first.register_forward_hook(lambda *_args: seen.append("own"))
    assert len(model.first._forward_hooks) == 1 and not any(module.training for module in model.modules())
    twin.first(torch.ones(1, 1, 2, 2))
    assert seen == ["shared", "own"], "a hook that was there belongs to the copy too"
    twin.second = nn.Identity()
    assert isinstance(model.second, nn.BatchNorm2d)
