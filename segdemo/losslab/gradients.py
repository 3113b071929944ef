"""Losses and scores of one prediction of one mask, and what each loss asks of every pixel.

All values come from the functions that networks are trained with; nothing here computes a loss by itself. A gradient is
∂loss/∂logit: where it is positive, a step of training makes the pixel less likely to be foreground.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segdemo.losses import FACTS, LOSSES, EmptyPolicy
from segdemo.losslab.damage import Logits, Mask
from segdemo.metrics import (
    boundary_counts,
    boundary_f1,
    confusion_matrix,
    dice_per_class,
    iou_per_class,
    pixel_accuracy,
    precision,
    recall,
)

__all__ = ["Knobs", "Scores", "Settings", "gradient_of", "score", "settings_of", "value_of"]

Settings = Mapping[str, float | str | bool]  # keyword arguments of a loss
FOCAL = ("focal", "focal_dice", "unet3_plus")
TVERSKY = ("tversky", "focal_tversky")


@dataclass(frozen=True)
class Knobs:
    """The settings that several losses share, each by its own name for it."""

    gamma: float = 2.0  # of Focal, alone and in mixtures
    focal_alpha: float = 0.25
    alpha: float = 0.3  # of both Tversky losses: weight of false positives
    beta: float = 0.7  # … of false negatives
    smooth: float = 1.0
    empty: EmptyPolicy = "smooth"


class Scores(NamedTuple):
    """Scores of the foreground at a threshold of ½, 0–1; NaN where there is nothing to score."""

    dice: float
    iou: float
    precision: float
    recall: float
    boundary_f1: float  # within 2 pixels
    accuracy: float


def settings_of(name: str, knobs: Knobs) -> Settings:
    """The keyword arguments that a loss takes from the shared settings."""
    known = {option.name for option in FACTS[name].options}
    found: dict[str, float | str | bool] = {}
    if name in FOCAL:
        found |= {"gamma": knobs.gamma, "alpha": knobs.focal_alpha}
    if name in TVERSKY:
        found |= {"alpha": knobs.alpha, "beta": knobs.beta}
    if "smooth" in known:
        found["smooth"] = knobs.smooth
    if "empty" in known:
        found["empty"] = knobs.empty
    return found


def value_of(name: str, logits: Logits, truth: Mask, settings: Settings) -> float:
    """The loss of logits (H, W) on a mask (H, W). Raises SettingError as the loss does."""
    with torch.inference_mode():
        return float(_loss(name, torch.from_numpy(logits), truth, settings))


def gradient_of(name: str, logits: Logits, truth: Mask, settings: Settings) -> NDArray[np.float32]:
    """∂loss/∂logit (H, W) by autograd of the loss itself; 0 where it does not depend on the prediction."""
    leaf = torch.from_numpy(logits).clone().requires_grad_()
    loss = _loss(name, leaf, truth, settings)
    if not loss.requires_grad:
        return np.zeros_like(logits)
    (gradient,) = torch.autograd.grad(loss, leaf)
    return gradient.numpy()


def score(preds: Mask, truth: Mask) -> Scores:
    """What the metrics say of a predicted mask (H, W)."""
    labels, target = preds.astype(np.uint8), truth.astype(np.uint8)
    matrix = confusion_matrix(labels, target, 2)
    outline = boundary_f1(boundary_counts(labels, target, 2))
    dice, iou, right, found = (float(measure(matrix)[1]) for measure in (dice_per_class, iou_per_class, precision, recall))
    return Scores(dice, iou, right, found, float(outline[1]), pixel_accuracy(matrix))


def _loss(name: str, logits: Tensor, truth: Mask, settings: Settings) -> Tensor:
    """Softmax cross entropy gets the two logits 0 and z that one logit z stands for."""
    z = logits[None, None]
    if FACTS[name].channels == "several":
        z = torch.cat([torch.zeros_like(z), z], dim=1)
    return LOSSES[name](z, torch.from_numpy(truth.astype(np.int64))[None], **settings)
