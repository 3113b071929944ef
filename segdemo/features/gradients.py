"""Gradients inside a network: of what a stage puts out with respect to the picture, and of the logits with respect to both.

Parameters are never differentiated and keep no gradient, so a network whose parameters others share stays as it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from segdemo.errors import SettingError
from segdemo.features.maps import as_map
from segdemo.features.record import first_tensor, on_stages, stages_of
from segdemo.text import _

__all__ = ["Traced", "check_stage", "differentiable", "given_to", "gradient", "traced", "up_to"]


class _Reached(Exception):
    """The stage has run: what follows need not."""


@dataclass(frozen=True)
class Traced:
    """A forward pass that can be differentiated: the picture, a stage's output, its place in the graph, and the logits."""

    image: Tensor  # (1, C, H, W)
    activation: Tensor  # a copy, in the shape in which the stage handed it on
    edge: GradientEdge
    logits: Tensor  # (1, C, h, w) or (1, C)


def given_to(model: nn.Module, image: Tensor) -> Tensor:
    """The image as the model takes it: on the device and in the precision of its parameters."""
    like = next(model.parameters(), image)
    return image.detach().to(like.device, like.dtype, copy=True)


def check_stage(model: nn.Module, stage: str) -> None:
    """Raise SettingError for a stage that the model does not have."""
    names = [known.name for known in stages_of(model)]
    if stage not in names:
        raise SettingError(_('There is no stage "{stage}". These exist: {names}.', stage=stage, names=", ".join(names)))


@contextmanager
def differentiable() -> Iterator[None]:
    """Gradients are on, whatever the caller's mode."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


def up_to(model: nn.Module, image: Tensor, stage: str) -> Tensor:
    """(C, h, w): the stage's output for `image`; the pass ends there. Raises SettingError for an unknown stage."""
    check_stage(model, stage)
    found: list[Tensor] = []

    def stop(name: str, output: Tensor) -> None:
        if name == stage:
            found.append(output)
            raise _Reached

    try:
        with on_stages(model, stop):
            model(image)
    except _Reached:
        return as_map(found[0])
    raise SettingError(_('The stage "{stage}" does not run in a prediction.', stage=stage))


def traced(model: nn.Module, image: Tensor, stage: str) -> Traced:
    """A pass whose logits can be differentiated with respect to a stage's output. Raises SettingError as `up_to` does."""
    check_stage(model, stage)
    kept: dict[str, Any] = {}

    def keep(name: str, output: Tensor) -> None:
        if name == stage:
            # The graph's edge is taken now: what follows may overwrite the map in place.
            kept.update(activation=output.detach().clone(), edge=get_gradient_edge(output))

    leaf = given_to(model, image).requires_grad_()
    with on_stages(model, keep):
        logits = first_tensor(model(leaf))
    if not kept:
        raise SettingError(_('The stage "{stage}" does not run in a prediction.', stage=stage))
    return Traced(leaf, kept["activation"], kept["edge"], logits)


def gradient(of: Tensor, by: Tensor | GradientEdge, like: Tensor) -> Tensor:
    """∂ of / ∂ by, shaped as `like`; zeros where nothing leads from one to the other."""
    (found,) = torch.autograd.grad(of, by, allow_unused=True)
    return torch.zeros_like(like) if found is None else found.detach()
