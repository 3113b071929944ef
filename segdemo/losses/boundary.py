"""Distances to outlines: the boundary loss, and U-Net's weights that keep touching objects apart.

Distances are exact, straight-line and in pixels. They depend on the target alone and have no gradient.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segdemo.losses.common import check_number, checked, mean_over, probs_and_truth

__all__ = ["boundary_loss", "separation_weights", "signed_distance"]

Mask = NDArray[np.bool_]  # (H, W)
Distance = NDArray[np.float32]  # (H, W), pixels


def boundary_loss(logits: Tensor, target: Tensor, *, ignore_index: int = 255) -> Tensor:
    """Σφp / number of pixels, φ the signed distance to the true outline: p costs where it lies outside, and how far.

    Kervadec et al., arXiv:1812.07032, eq. 5. In pixels, −∞ … ∞: φ is negative within the object, so that the best value
    is below 0. Several logits: the mean over the foreground classes 1 … C − 1; two are then as good as one. A class that
    fills the target or is absent from it has no outline and costs nothing (φ = 0), which is why the paper adds a region
    loss. Ignored pixels are neither inside nor outside; all ignored: a differentiable 0.
    logits (N, C, H, W), target (N, H, W) or (N, 1, H, W). Raises SettingError for wrong shapes and labels.
    """
    logits, target, valid = checked(logits, target, ignore_index)
    probs, _ = probs_and_truth(logits, target, valid)
    first = min(1, logits.shape[1] - 1)  # of several classes, 0 is the background
    phi = _signed_distances(target, valid, max(1, logits.shape[1] - 1)).to(probs)
    return mean_over((phi * probs[:, first:]).mean(dim=1), valid)


def signed_distance(inside: Mask, outside: Mask) -> Distance:
    """φ (H, W): outside, the distance to the nearest pixel inside; inside, 1 − that to the nearest outside; elsewhere 0.

    The object's outermost pixels have 0. All 0 where there is nothing inside or nothing outside. The same masks always
    give the same bits, up to distances of about 1000 pixels.
    """
    if not inside.any() or not outside.any():
        return np.zeros(inside.shape, np.float32)
    return np.where(outside, _distance_to(inside), np.where(inside, 1 - _distance_to(outside), np.float32(0)))


def separation_weights(target: Tensor, *, ignore_index: int = 255, w0: float = 10.0, sigma: float = 5.0) -> Tensor:
    """w (N, H, W) float32: 1 + w0 exp(−(d₁ + d₂)²/2σ²), d₁ and d₂ the distances to the two nearest objects.

    Ronneberger et al., arXiv:1505.04597, eq. 2, with 1 in place of its class weights: narrow gaps between objects weigh
    up to 1 + w0. Objects are 8-connected regions of label 1; where there are fewer than two, w is 1. For the
    `weight_map` of `weighted_bce_loss`. target (N, H, W). Raises SettingError for w0 < 0 or σ < 0.01.
    """
    check_number("w0", w0, 0)
    check_number("sigma", sigma, 0.01)
    foreground = ((target == 1) & (target != ignore_index)).cpu().numpy()
    gaps = np.stack([_two_nearest(mask) for mask in foreground])
    return torch.from_numpy(1 + w0 * np.exp(-(gaps**2) / (2 * sigma**2))).float().to(target.device)


def _signed_distances(target: Tensor, valid: Tensor, classes: int) -> Tensor:
    """φ of the foreground classes 1 … classes: (N, classes, H, W)."""
    labels, known = target.cpu().numpy(), valid.cpu().numpy()
    maps = [
        [signed_distance((row == c) & seen, (row != c) & seen) for c in range(1, classes + 1)]
        for row, seen in zip(labels, known, strict=True)
    ]
    return torch.from_numpy(np.array(maps, np.float32).reshape(len(labels), classes, *labels.shape[1:]))


def _distance_to(mask: Mask) -> Distance:
    """Distance of every pixel to the nearest one of the mask, which has some: √n, n a whole number.

    OpenCV's own differs in its last bits from one call to the next; the nearest √n does not, up to about 1000 pixels.
    """
    distance = np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)
    return np.asarray(np.sqrt(np.rint(distance * distance)), np.float32)


def _two_nearest(foreground: Mask) -> NDArray[np.float64]:
    """d₁ + d₂ (H, W); infinite with fewer than two objects."""
    count, objects = cv2.connectedComponents(foreground.astype(np.uint8))
    first, second = np.full((2, *foreground.shape), np.inf)
    for index in range(1, count):
        distance = _distance_to(np.asarray(objects) == index)
        second = np.minimum(second, np.maximum(first, distance))
        first = np.minimum(first, distance)
    return np.asarray(first + second)
