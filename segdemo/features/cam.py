"""Why here? Gradient-weighted class activation maps, each channel's contribution to a class, and saliency.

Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", ICCV 2017,
arXiv:1610.02391, equations 1 and 2: w_k is the mean over all positions of ∂y/∂A_k, the map is ReLU(Σ_k w_k A_k).
For segmentation y is the sum of a class's logits over a region: Vinogradova, Dibrov, Myers, "Towards Interpretable
Semantic Segmentation via Gradient-weighted Class Activation Mapping", AAAI 2020, arXiv:2002.11434, equation 1.
Saliency: Simonyan, Vedaldi, Zisserman, "Deep Inside Convolutional Networks", 2013, arXiv:1312.6034, section 3.

A channel's contribution is not of these papers: Σ over positions of ∂y/∂A · A, its first-order share in y. Where what
follows the stage is linear the shares and the biases add up to y, and y loses just this share without the channel.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segdemo.errors import SettingError
from segdemo.features.gradients import differentiable, given_to, gradient, traced
from segdemo.features.maps import as_map
from segdemo.features.record import first_tensor
from segdemo.text import _

__all__ = ["Cam", "Target", "contributions", "grad_cam", "saliency"]


@dataclass(frozen=True, eq=False)
class Target:
    """The number that is explained: the sum of one class's logits over a region.

    class_index counts the background: of a network with one logit, class 1 is the logit and class 0 its negative.
    region: (h, w) bool at the logits' size, None for the whole map. A classification network has no region; what is
    given is not looked at.
    """

    class_index: int
    region: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Cam:
    """What speaks for a target at one stage.

    heat: (h, w) float32 ≥ 0, in no unit, not scaled. low, high: the extremes of Σ_k w_k A_k before the ReLU; a low
    below 0 speaks against the target. weights: (C,) w_k. contributions: (C,) Σ ∂y/∂A_k · A_k, in the unit of the
    logits. score: the target's value y; pixels: over how many logits it is the sum.
    """

    heat: Tensor
    low: float
    high: float
    weights: Tensor
    contributions: Tensor
    stage: str
    target: Target
    score: float
    pixels: int


def grad_cam(model: nn.Module, image: Tensor, stage: str, target: Target) -> Cam:
    """Grad-CAM of a stage for image (1, C, H, W). One pass forward, and back to the stage.

    Raises SettingError for a stage or class that does not exist, and a region that is empty or of another size.
    """
    with differentiable():
        trace = traced(model, image, stage)
        score, pixels = _score(trace.logits, target)
        slope = as_map(gradient(score, trace.edge, trace.activation)).float().cpu()  # (C, h, w)
    activation = as_map(trace.activation).float().cpu()
    weights = slope.mean(dim=(1, 2))
    raw = torch.einsum("k,khw->hw", weights, activation)
    shares = (slope * activation).sum(dim=(1, 2))
    return Cam(raw.relu(), float(raw.min()), float(raw.max()), weights, shares, stage, target, float(score.detach()), pixels)


def contributions(model: nn.Module, image: Tensor, stage: str, target: Target) -> Tensor:
    """(C,): what each channel of a stage contributes to the target, Σ over positions of ∂y/∂A · A. Raises as `grad_cam`."""
    return grad_cam(model, image, stage, target).contributions


def saliency(model: nn.Module, image: Tensor, target: Target) -> Tensor:
    """(H, W) float32 ≥ 0 for image (1, C, H, W): the largest |∂y/∂image| among the channels. Raises as `grad_cam`."""
    with differentiable():
        leaf = given_to(model, image).requires_grad_()
        score, _pixels = _score(first_tensor(model(leaf)), target)
        slope = gradient(score, leaf, leaf)
    return slope[0].abs().amax(dim=0).float().cpu()


def _score(logits: Tensor, target: Target) -> tuple[Tensor, int]:
    """The target's value, to be differentiated, and the number of logits that it sums."""
    scores = _class_scores(as_map(logits), target.class_index)
    if target.region is None or scores.numel() == 1:
        return scores.sum(), scores.numel()
    region = torch.as_tensor(target.region, device=scores.device).bool()
    if region.shape != scores.shape:
        raise SettingError(
            _("The region is {w} × {h} pixels, the network's answer {W} × {H}.",
              w=region.shape[-1], h=region.shape[0], W=scores.shape[1], H=scores.shape[0])
        )  # fmt: skip
    if not region.any():
        raise SettingError(_("The region is empty, so there is nothing to explain: choose a class that occurs, or no region."))
    return scores[region].sum(), int(region.sum())


def _class_scores(logits: Tensor, class_index: int) -> Tensor:
    """(C, h, w) → (h, w) of one class."""
    classes = max(2, logits.shape[0])
    if not 0 <= class_index < classes:
        raise SettingError(_("The classes are 0 to {last}; there is no class {index}.", last=classes - 1, index=class_index))
    if logits.shape[0] == 1:
        return logits[0] if class_index == 1 else -logits[0]
    return logits[class_index]
