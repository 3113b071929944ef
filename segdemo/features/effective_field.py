"""Effective receptive field: the pixels that a unit really listens to, which are far fewer than those it could see.

Luo, Li, Urtasun, Zemel, "Understanding the Effective Receptive Field in Deep Convolutional Neural Networks", NeurIPS
2016, arXiv:1701.04128: the gradient of one unit with respect to the picture. There it is averaged over random inputs;
here it is that of the picture at hand, so it shows what this unit answers to in this picture.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segdemo.errors import SettingError
from segdemo.features.gradients import differentiable, given_to, gradient, up_to
from segdemo.features.placement import Placement
from segdemo.text import _

__all__ = ["HELD", "EffectiveField", "effective_field"]

HELD = 0.95  # the share of the whole that disc and square hold


@dataclass(frozen=True, eq=False)
class EffectiveField:
    """How much each pixel of the input moves a unit.

    heat: (H, W) float32, ≥ 0, sums to 1; all zeros where nothing moves it, as behind a ReLU that is off (`silent`).
    centre: (y, x) of the unit, the first pixel's centre at (0.5, 0.5). radius_px: of the smallest disc around the
    centre that holds the middles of pixels with 95 % of the heat; side_px: of the smallest square around it that holds
    such pixels whole. Both are 0 for a silent unit.
    """

    heat: Tensor
    centre: tuple[float, float]
    radius_px: float
    side_px: float

    @property
    def silent(self) -> bool:
        """Whether no pixel moves the unit."""
        return not bool(self.heat.any())


def effective_field(
    model: nn.Module, image: Tensor, stage: str, row: int, column: int, channel: int | None = None,
    *, placement: Placement | None = None,
) -> EffectiveField:  # fmt: skip
    """Σ over input channels of |∂ unit / ∂ image|, for image (1, C, H, W) and one position of a stage.

    The unit is one channel there, or the mean over all of them. `placement` is that of the stage and tells where the
    unit lies; without it, disc and square lie around the heat's own centre of mass. Costs a pass up to the stage and
    back. Raises SettingError for a stage, a position or a channel that does not exist.
    """
    with differentiable():
        leaf = given_to(model, image).requires_grad_()
        unit = _unit(up_to(model, leaf, stage), row, column, channel)
        heat = gradient(unit, leaf, leaf)[0].cpu().double().abs().sum(dim=0)  # (H, W)
    total = heat.sum()
    heat = heat / total if total > 0 else heat
    centre = placement.centre(row, column) if placement else _centre_of_mass(heat)
    radius, half = _reach(heat, centre)
    return EffectiveField(heat.float(), centre, radius, 2 * half + 1 if total > 0 else 0.0)


def _unit(activation: Tensor, row: int, column: int, channel: int | None) -> Tensor:
    channels, height, width = activation.shape
    if not (0 <= row < height and 0 <= column < width):
        raise SettingError(
            _("The map has {h} rows and {w} columns; there is no position {row}, {column}.",
              h=height, w=width, row=row, column=column)
        )  # fmt: skip
    if channel is not None and not 0 <= channel < channels:
        raise SettingError(
            _("The stage has channels 0 to {last}; there is no channel {channel}.", last=channels - 1, channel=channel)
        )
    values = activation[:, row, column]
    return values.mean() if channel is None else values[channel]


def _grid(heat: Tensor) -> tuple[Tensor, Tensor]:
    """(H, 1) and (1, W): where the centres of the pixels lie."""
    height, width = heat.shape
    return (torch.arange(height).double() + 0.5)[:, None], (torch.arange(width).double() + 0.5)[None]


def _centre_of_mass(heat: Tensor) -> tuple[float, float]:
    if not heat.any():
        return heat.shape[0] / 2, heat.shape[1] / 2
    y, x = _grid(heat)
    return float((heat * y).sum()), float((heat * x).sum())


def _reach(heat: Tensor, centre: tuple[float, float]) -> tuple[float, float]:
    """The radius of the smallest disc and half the side of the smallest square around the centre that hold enough."""
    y, x = _grid(heat)
    down, across = (y - centre[0]).abs(), (x - centre[1]).abs()
    return _holding(heat, (down**2 + across**2).sqrt()), _holding(heat, torch.maximum(down, across))


def _holding(heat: Tensor, distance: Tensor) -> float:
    """The smallest distance within which enough of the heat lies; 0 where there is none."""
    ordered, order = distance.flatten().sort()
    held = heat.flatten()[order].cumsum(0)
    enough = int((held >= HELD * held[-1] * (1 - 1e-12)).to(torch.uint8).argmax())
    found = float(ordered[enough])
    return found if held[-1] > 0 and math.isfinite(found) else 0.0
