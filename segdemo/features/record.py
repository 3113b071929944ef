"""Recording: what every stage of a network hands on, by forward hooks that never outlive the pass."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from segdemo.geometry import Size
from segdemo.types import Stage

__all__ = ["blank_image", "evaluating", "first_tensor", "on_stages", "record", "stages_of"]


def stages_of(model: nn.Module) -> list[Stage]:
    """The model's own list of its stages, in the order in which they run."""
    stages: list[Stage] = model.stages()  # type: ignore[operator]
    return stages


def blank_image(model: nn.Module, size: Size, in_channels: int) -> Tensor:
    """(1, in_channels, H, W) of no particular values, where and of the kind that the model's parameters are."""
    parameter = next(model.parameters(), None)
    if parameter is None:
        return torch.empty(1, in_channels, *size)
    return torch.empty(1, in_channels, *size, device=parameter.device, dtype=parameter.dtype)


def record(model: nn.Module, image: Tensor) -> dict[str, Tensor]:
    """Stage name → its output (N, C, h, w) for image (N, C, H, W), in the order in which the stages ran.

    Outputs are copies, because networks overwrite their maps in place. Works without memory too, on "meta".
    No hook remains on the model, whatever happens.
    """
    maps: dict[str, Tensor] = {}
    with torch.no_grad(), on_stages(model, lambda name, output: maps.__setitem__(name, output.detach().clone())):
        model(image)
    return maps


@contextmanager
def on_stages(model: nn.Module, call: Callable[[str, Tensor], None]) -> Iterator[None]:
    """Call with a stage's name and output whenever it has run, for as long as the context lasts."""

    def hook_of(name: str) -> Callable[..., None]:
        return lambda _module, _inputs, output: call(name, first_tensor(output))

    handles = []
    try:
        for stage in stages_of(model):
            handles.append(model.get_submodule(stage.module).register_forward_hook(hook_of(stage.name)))
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode for as long as the context lasts; then every part is as it was. Next to free where it is on already."""
    training = [module for module in model.modules() if module.training]
    try:
        for module in training:
            module.training = False
        yield
    finally:
        for module in training:
            module.training = True


def first_tensor(output: Any) -> Tensor:
    """The map among what a module returns: itself, or the first of several (a pooling's indices come second)."""
    while not isinstance(output, Tensor):
        output = next(iter(output.values())) if isinstance(output, dict) else output[0]
    return output
