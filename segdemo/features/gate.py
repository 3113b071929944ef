"""U-Net 3+'s gate: does the picture hold the class at all, and what becomes of the segmentation if it does not?

Huang et al., arXiv:2004.08790, section 2.3: a classifier on the deepest map judges the whole picture, and its verdict
multiplies the segmentation. Both are read off one pass; nothing is computed anew.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segdemo.features.gradients import given_to
from segdemo.features.readout import probabilities_of
from segdemo.features.record import on_stages
from segdemo.models.unet3_plus import UNet3Plus

__all__ = ["Gate", "inspect_gate"]


@dataclass(frozen=True, eq=False)
class Gate:
    """presence: (foreground classes,) the probability that each occurs in the picture. before, after: (C, h, w) class
    probabilities at the logits' size, C counting the background, without the gate and as the network gives them."""

    presence: Tensor
    before: Tensor
    after: Tensor


def inspect_gate(model: nn.Module, image: Tensor) -> Gate | None:
    """The gate's work on image (1, C, H, W); None for a network that has none."""
    if not isinstance(model, UNet3Plus) or model.classifier is None:
        return None
    ungated: dict[str, Tensor] = {}
    with torch.no_grad(), on_stages(model, ungated.__setitem__):
        supervision = model.supervise(given_to(model, image))
    assert supervision.presence is not None  # the classifier is there
    return Gate(
        supervision.presence[0].float().sigmoid().cpu(),
        probabilities_of(ungated["head"][0]),
        probabilities_of(supervision.heads[0][0]),
    )
