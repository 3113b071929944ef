"""All channels of a stage in one picture: its three principal components as colours.

Pearson (1901), Hotelling (1933): the directions among the channels along which the positions differ most. Every position
of a map is one sample with C numbers. The first component becomes lightness, the second and third two pairs of opposite
hues (CIELAB), so that what is alike looks alike. Signs are fixed: the largest number of each direction is positive.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import scipy.linalg
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from segdemo.errors import SettingError
from segdemo.features.colour import NOT_FINITE_COLOUR
from segdemo.features.maps import all_finite, as_maps
from segdemo.text import _
from segdemo.types import RGBImage

__all__ = ["DEVIATIONS", "Basis", "aligned", "fit_basis", "project", "to_rgb"]

Scores = NDArray[np.float32]  # (3, h, w)

DEVIATIONS = 2.5  # standard deviations of a component that its colours span, on either side of the mean
EXACT_PRODUCTS = 1_000_000_000  # up to this many multiplications the covariance is computed in float64
MOST_PRODUCTS = 2_500_000_000  # beyond this, positions are left out, evenly
NOTHING = 1e-6  # of the first component's variance: what rounding leaves of a direction in which nothing varies


@dataclass(frozen=True)
class Basis:
    """Where three principal components of C channels lie. Missing ones, of fewer channels or flat maps, are zero.

    mean (C,); components (3, C), rows of length 1; explained (3,), shares of the total variance; scale (3,), standard
    deviations of the scores.
    """

    mean: NDArray[np.float64]
    components: NDArray[np.float64]
    explained: NDArray[np.float64]
    scale: NDArray[np.float64]


def fit_basis(activations: Sequence[Tensor]) -> Basis:
    """The principal components of all positions of maps (C, h, w) of the same stage, of one picture or several.

    Exact but for two bounds on the work: see EXACT_PRODUCTS and MOST_PRODUCTS. Positions with a value that is not
    finite are left out. Raises SettingError without maps, or for maps of different numbers of channels.
    """
    samples = _samples(activations)  # (C, n)
    channels, count = samples.shape
    smaller, larger = sorted((channels, count))
    if smaller * smaller * larger <= EXACT_PRODUCTS:
        samples = samples.double()
    mean = samples.mean(1, keepdim=True, dtype=torch.float64)
    centred = samples - mean.to(samples.dtype)
    by_channel = channels <= count
    products = (centred @ centred.T if by_channel else centred.T @ centred).double().numpy() / count
    total = float(np.trace(products))
    variances, vectors = _largest(products, min(3, smaller))
    kept = variances > NOTHING * max(variances[0], 1e-60)
    variances, vectors = variances[kept], vectors[:, kept]
    directions = vectors.T if by_channel else (centred.double().numpy() @ vectors / np.sqrt(variances * count)).T
    components, scale = np.zeros((3, channels)), np.zeros(3)
    components[: len(directions)] = _signed(directions)
    scale[: len(variances)] = np.sqrt(variances)
    return Basis(mean.flatten().numpy(), components, scale**2 / (total or 1.0), scale)


def _samples(activations: Sequence[Tensor]) -> Tensor:
    """(C, n): all positions of all maps side by side, or so many, evenly chosen, as MOST_PRODUCTS allows."""
    maps = [as_maps(activation).flatten(1) for activation in activations]
    if not maps or len({len(flat) for flat in maps}) > 1:
        raise SettingError(_("Principal components need at least one stage's maps, all with the same number of channels."))
    samples = torch.cat(maps, 1) if len(maps) > 1 else maps[0]
    if not all_finite(samples):
        samples = samples[:, torch.isfinite(samples).all(0)]
    if samples.shape[1] == 0:
        return torch.zeros(samples.shape[0], 1)
    most = max(1, MOST_PRODUCTS // samples.shape[0] ** 2)
    if samples.shape[1] > most:
        samples = samples[:, torch.linspace(0, samples.shape[1] - 1, most).long()]
    return samples


def _largest(matrix: NDArray[np.float64], count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The `count` largest eigenvalues of a symmetric matrix, falling, and their vectors as columns."""
    size = len(matrix)
    values, vectors = scipy.linalg.eigh(matrix, subset_by_index=(size - count, size - 1), check_finite=False)
    return values[::-1], vectors[:, ::-1]


def _signed(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row, or its opposite, so that its number of the largest magnitude is positive."""
    largest = np.take_along_axis(directions, np.abs(directions).argmax(1, keepdims=True), 1)
    return np.asarray(np.where(largest < 0, -directions, directions))


def project(activation: Tensor, basis: Basis) -> Scores:
    """Scores (3, h, w) of an activation (C, h, w): how far each position lies from the mean along each component.

    Raises SettingError for another number of channels than the basis has.
    """
    maps = as_maps(activation)
    if len(maps) != len(basis.mean):
        raise SettingError(
            _(
                "These principal components are of {expected} channels, the stage has {found}.",
                expected=len(basis.mean), found=len(maps),
            )
        )  # fmt: skip
    mean, components = (torch.from_numpy(values).to(torch.float32) for values in (basis.mean, basis.components))
    scores = components @ (maps.flatten(1) - mean[:, None])
    return np.asarray(scores.reshape(3, *maps.shape[1:]).numpy(), dtype=np.float32)


def to_rgb(scores: Scores, basis: Basis) -> RGBImage:
    """(h, w, 3) of scores (3, h, w): the mean is a medium grey, DEVIATIONS standard deviations away colours end.

    The first component goes from dark to light, the second from green to magenta, the third from blue to yellow.
    """
    scale = np.where(basis.scale > 0, basis.scale * DEVIATIONS, np.inf)[:, None, None]
    finite = np.isfinite(scores).all(0)
    share = np.clip(np.where(finite, scores, 0) / scale, -1, 1)
    lab = np.stack([58 + 34 * share[0], 48 * share[1], 48 * share[2]], axis=-1).astype(np.float32)
    rgb = np.asarray(np.rint(np.clip(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), 0, 1) * 255), dtype=np.uint8)
    rgb[~finite] = NOT_FINITE_COLOUR
    return rgb


def aligned(scores: Scores, reference: Scores) -> Scores:
    """Scores (3, h, w) turned so that they follow `reference` (3, h', w') of another stage, in the reference's units.

    Orthogonal Procrustes (Schönemann 1966): both are brought to one size and each component to unit deviation; of all
    turns and reflections, the one after which they differ least is applied. Mean and deviation are then the
    reference's, so that `to_rgb` with the reference's basis gives what is alike in both the same colour.
    """
    source, _mean, _deviation = _standardised(scores)
    goal, _mean, _deviation = _standardised(_resized(reference, (scores.shape[1], scores.shape[2])))
    _units, mean, deviation = _standardised(reference)
    left, _values, right = np.linalg.svd(np.nan_to_num(goal) @ np.nan_to_num(source).T)
    turned = (left @ right @ source) * deviation + mean
    return np.asarray(turned.reshape(scores.shape), dtype=np.float32)


def _resized(scores: Scores, size: tuple[int, int]) -> Scores:
    """Means over areas where a side shrinks, bilinear where both grow."""
    maps = torch.from_numpy(np.ascontiguousarray(scores))[None]
    if maps.shape[-2] > size[0] or maps.shape[-1] > size[1]:
        resized = F.adaptive_avg_pool2d(maps, size)
    else:
        resized = F.interpolate(maps, size, mode="bilinear", align_corners=False)
    return np.asarray(resized[0].numpy())


def _standardised(scores: Scores) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(3, n) with mean 0 and deviation 1 (0 where nothing varies), and what was taken away, (3, 1) each."""
    flat = scores.reshape(3, -1).astype(np.float64)
    finite = np.isfinite(flat)
    count = np.maximum(finite.sum(axis=1, keepdims=True), 1)
    mean = flat.sum(axis=1, keepdims=True, where=finite) / count
    centred = np.where(finite, flat - mean, np.nan)
    deviation = np.sqrt(np.square(centred).sum(axis=1, keepdims=True, where=finite) / count)
    return centred / np.where(deviation > 0, deviation, 1), mean, deviation
