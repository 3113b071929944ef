"""Multi-scale structural similarity of the probability map and the true mask, as U-Net 3+ uses it.

Wang, Simoncelli, Bovik, "Multi-scale structural similarity for image quality assessment", Asilomar 2003, eq. 7. Through
a Gaussian window the two maps are compared by their structure (do they vary together?) and, at the coarsest scale, their
luminance (are they equally bright?). Every scale halves the maps.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from segdemo.losses.common import check_number, checked, probs_and_truth

__all__ = ["SCALE_WEIGHTS", "ms_ssim_loss"]

SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # from fine to coarse, measured by the authors on viewers
C1, C2 = 0.01**2, 0.03**2  # keep the ratios defined where nothing is seen or nothing varies


def ms_ssim_loss(
    logits: Tensor, target: Tensor, *, ignore_index: int = 255, window: int = 11, sigma: float = 1.5, scales: int = 5
) -> Tensor:
    """1 − l_M^β_M · Π_j cs_j^β_j, mean over pictures and classes; 0 … 1.

    U-Net 3+: Huang et al., arXiv:2004.08790, sec. 2.2. l = (2μ_pμ_g + C₁)/(μ_p² + μ_g² + C₁) is the luminance and
    cs = (2σ_pg + C₂)/(σ_p² + σ_g² + C₂) the structure, each the mean over all places where the window fits (a pixel at the
    picture's edge is seen by few of them).
    Scales: as many as fit, the coarsest map at least a window wide, at most `scales` (five need 176 pixels); fewer share
    the exponents of all. In a picture smaller than the window the window shrinks to its shorter side.
    Ignored pixels leave the windows, whose weights are then those of the others; pictures all ignored leave the mean, and
    all ignored is a differentiable 0. An empty target is nothing special. A mean cs below 0 (a prediction that is dark
    where the truth is bright) counts as almost 0 and has no gradient.
    logits (N, C, H, W), C = 1 binary, target (N, H, W) or (N, 1, H, W). Raises SettingError for wrong shapes and labels,
    window < 1, σ < 0.1, or scales outside 1 … 5.
    """
    logits, target, valid = checked(logits, target, ignore_index)
    check_number("window", window, 1)
    check_number("sigma", sigma, 0.1)
    check_number("scales", scales, 1, len(SCALE_WEIGHTS))
    p, g = probs_and_truth(logits, target, valid)
    if not valid.any():
        return 0 * p.sum()
    weight = valid[:, None].to(p.dtype).expand_as(p)
    exponents = _exponents(min(p.shape[2:]), int(window), int(scales))
    kernel = _gaussian(min(int(window), *p.shape[2:]), sigma).to(p)
    with torch.autocast(p.device.type, enabled=False):  # which would turn the convolutions to half precision
        similarity = _ms_ssim(p, g, weight, kernel, exponents)
    known = valid.flatten(1).any(dim=1)[:, None].expand_as(similarity)
    return ((1 - similarity) * known).sum() / known.sum().clamp(min=1)


def _ms_ssim(p: Tensor, g: Tensor, weight: Tensor, kernel: Tensor, exponents: list[float]) -> Tensor:
    """(N, C): the product over the scales of maps (N, C, H, W)."""
    similarity = torch.ones_like(p[:, :, 0, 0])
    for scale, exponent in enumerate(exponents, start=1):
        luminance, structure, seen = _compare(p, g, weight, kernel)
        terms = luminance * structure if scale == len(exponents) else structure
        mean = (seen * terms).sum(dim=(2, 3)) / _above_zero(seen.sum(dim=(2, 3)))
        similarity = similarity * _above_zero(mean) ** exponent
        if scale < len(exponents):
            p, g, weight = _halve(p, g, weight)
    return similarity


def _compare(p: Tensor, g: Tensor, weight: Tensor, kernel: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """l and cs in every window, (N, C, h, w), and the share of each window that is not ignored."""
    maps = torch.stack([weight, weight * p, weight * g, weight * p * p, weight * g * g, weight * p * g])
    blurred = _blur(maps.flatten(0, 2), kernel)
    seen, *sums = blurred.reshape(*maps.shape[:3], *blurred.shape[1:])
    mu_p, mu_g, pp, gg, pg = (total / _above_zero(seen) for total in sums)
    luminance = (2 * mu_p * mu_g + C1) / (mu_p**2 + mu_g**2 + C1)
    structure = (2 * (pg - mu_p * mu_g) + C2) / ((pp - mu_p**2) + (gg - mu_g**2) + C2)
    return luminance, structure, seen


def _blur(maps: Tensor, kernel: Tensor) -> Tensor:
    """Maps (K, H, W) through the window wherever it fits: along rows, then columns. As groups, 18 times as fast as a batch."""
    across = kernel.expand(len(maps), 1, 1, -1)
    return F.conv2d(F.conv2d(maps, across, groups=len(maps)), across.mT, groups=len(maps))


def _halve(p: Tensor, g: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Means of 2×2 pixels without the ignored ones, and what share of them was not ignored."""
    share = F.avg_pool2d(weight, 2)
    return F.avg_pool2d(weight * p, 2) / _above_zero(share), F.avg_pool2d(weight * g, 2) / _above_zero(share), share


def _exponents(side: int, window: int, scales: int) -> list[float]:
    """β of the scales whose maps are at least a window wide, together as much as all five."""
    fitting = sum(side >> scale >= window for scale in range(scales)) or 1
    used = SCALE_WEIGHTS[:fitting]
    return [weight * sum(SCALE_WEIGHTS) / sum(used) for weight in used]


def _gaussian(size: int, sigma: float) -> Tensor:
    """(size,), sums to 1."""
    offsets = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    bell = torch.exp(-(offsets**2) / (2 * sigma**2))
    return bell / bell.sum()


def _above_zero(x: Tensor) -> Tensor:
    return x.clamp(min=torch.finfo(x.dtype).eps)
