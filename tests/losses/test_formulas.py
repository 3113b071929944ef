"""Each loss against values by hand, brute-force forms of its definition, and the libraries that agree with it."""

import math
from typing import Any

import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch
from monai.losses import BoundaryLoss, DiceCELoss, DiceFocalLoss, DiceLoss, FocalLoss, TverskyLoss
from scipy.ndimage import distance_transform_bf
from torch import Tensor
from torch.nn import functional as F
from torchmetrics.functional.image import (
    multiscale_structural_similarity_index_measure as torchmetrics_ms_ssim,
)
from torchmetrics.functional.image import structural_similarity_index_measure as torchmetrics_ssim
from torchvision.ops import sigmoid_focal_loss

from segdemo.errors import SettingError
from segdemo.losses import (
    bce_dice_loss,
    bce_loss,
    boundary_loss,
    cross_entropy_loss,
    dice_loss,
    focal_dice_loss,
    focal_loss,
    focal_tversky_loss,
    iou_loss,
    lovasz_loss,
    ms_ssim_loss,
    ohem_loss,
    separation_weights,
    signed_distance,
    tversky_loss,
    unet3_plus_loss,
    weighted_bce_loss,
)
from segdemo.losses.ms_ssim import SCALE_WEIGHTS, _exponents

pytestmark = pytest.mark.usefixtures("one_thread")
close = torch.testing.assert_close


def sample(channels: int, size: int = 7, batch: int = 2) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(channels)
    logits = torch.randn(batch, channels, size, size, generator=generator, dtype=torch.float64) * 2
    return logits, torch.randint(0, max(2, channels), (batch, size, size), generator=generator)


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def activation(channels: int) -> dict[str, Any]:
    """What MONAI is told about the logits."""
    return {"sigmoid": True} if channels == 1 else {"softmax": True, "to_onehot_y": True}


def mode(channels: int) -> str:
    """What smp is told about them."""
    return "binary" if channels == 1 else "multiclass"


# Hand values: p = 0.8, 0.4 against truth 1, 0. TP = 0.8, FP = 0.4, FN = 0.2.
BINARY = torch.tensor([[[[logit(0.8), logit(0.4)]]]], dtype=torch.float64)
TRUTH = torch.tensor([[[1, 0]]])
HAND = [
    (bce_loss, {}, (-math.log(0.8) - math.log(0.6)) / 2),
    (weighted_bce_loss, {"pos_weight": 3.0}, (-3 * math.log(0.8) - math.log(0.6)) / 2),
    (weighted_bce_loss, {"weight_map": torch.tensor([[[5.0, 2.0]]])}, (-5 * math.log(0.8) - 2 * math.log(0.6)) / 2),
    (focal_loss, {}, (-0.25 * 0.2**2 * math.log(0.8) - 0.75 * 0.4**2 * math.log(0.6)) / 2),
    (focal_loss, {"gamma": 0.5, "alpha": None}, (-(0.2**0.5) * math.log(0.8) - 0.4**0.5 * math.log(0.6)) / 2),
    (ohem_loss, {}, -math.log(0.6)),
    (ohem_loss, {"min_kept": 2}, (-math.log(0.8) - math.log(0.6)) / 2),
    (ohem_loss, {"threshold": 0.0, "min_kept": 1}, -math.log(0.6)),
    (ohem_loss, {"threshold": 0.5, "min_kept": 0}, 0.0),
    (dice_loss, {"smooth": 0}, 1 - 2 * 0.8 / (1.2 + 1)),
    (dice_loss, {}, 1 - (2 * 0.8 + 1) / (1.2 + 1 + 1)),
    (dice_loss, {"smooth": 0, "squared": True}, 1 - 2 * 0.8 / (0.8**2 + 0.4**2 + 1)),
    (iou_loss, {"smooth": 0}, 1 - 0.8 / 1.4),
    (iou_loss, {}, 1 - 1.8 / 2.4),
    (tversky_loss, {"smooth": 0, "alpha": 0.25, "beta": 2.0}, 1 - 0.8 / (0.8 + 0.25 * 0.4 + 2 * 0.2)),
    (tversky_loss, {}, 1 - 1.8 / (1.8 + 0.3 * 0.4 + 0.7 * 0.2)),
    (focal_tversky_loss, {"smooth": 0, "gamma": 0.5}, (1 - 0.8 / (0.8 + 0.3 * 0.4 + 0.7 * 0.2)) ** 0.5),
    # Errors: 1 + logit(0.4) = 0.59 for the background, none for the foreground (logit 1.39 > 1). J: ½ once it is wrong.
    (lovasz_loss, {}, (1 + logit(0.4)) / 2),
    (boundary_loss, {}, 0.4 / 2),  # φ = 0 inside, 1 beside it
]


@pytest.mark.parametrize(("loss", "options", "expected"), HAND)
def test_by_hand(loss: Any, options: dict[str, Any], expected: float) -> None:
    assert loss(BINARY, TRUTH, **options).item() == pytest.approx(expected, abs=1e-12)


def test_several_classes_by_hand() -> None:
    logits = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64).log().view(1, 3, 1, 1) + 4
    target = torch.tensor([[[1]]])
    assert cross_entropy_loss(logits, target).item() == pytest.approx(-math.log(0.3))
    assert cross_entropy_loss(logits, target, class_weights=[9, 2, 9]).item() == pytest.approx(-2 * math.log(0.3))
    assert focal_loss(logits, target).item() == pytest.approx(-0.25 * 0.7**2 * math.log(0.3))
    assert focal_loss(logits, 0 * target).item() == pytest.approx(-0.75 * 0.8**2 * math.log(0.2))
    assert dice_loss(logits, target, smooth=0).item() == pytest.approx((1 + (1 - 0.6 / 1.3) + 1) / 3)
    assert dice_loss(logits, target, smooth=0, empty="skip").item() == pytest.approx(1 - 0.6 / 1.3)
    assert dice_loss(logits, target, smooth=0, empty="zero").item() == pytest.approx((1 - 0.6 / 1.3) / 3)
    assert lovasz_loss(logits, target).item() == pytest.approx(0.7)


# Pixels.
def test_bce_agrees_with_torch() -> None:
    logits, target = sample(1)
    close(bce_loss(logits, target), F.binary_cross_entropy_with_logits(logits[:, 0], target.double()))
    weight = torch.tensor(5.0)
    expected = F.binary_cross_entropy_with_logits(logits[:, 0], target.double(), pos_weight=weight)
    close(weighted_bce_loss(logits, target, pos_weight=5), expected)


def test_balanced_weight_is_background_to_foreground() -> None:
    logits, target = sample(1, size=10)
    target[:] = 0
    target[0, 0, :6] = 1
    target[1, 5:] = 255
    close(weighted_bce_loss(logits, target), weighted_bce_loss(logits, target, pos_weight=144 / 6))
    for label in (0, 1):  # of one class alone there is nothing to balance
        alone = torch.full_like(target, label)
        close(weighted_bce_loss(logits, alone), bce_loss(logits, alone))


def test_weights_of_ignored_pixels_do_not_matter() -> None:
    logits, target = sample(1)
    target[0] = 255
    weights = torch.rand(2, 7, 7)
    expected = weighted_bce_loss(logits, target, weight_map=weights)
    weights[0] = math.nan
    close(weighted_bce_loss(logits, target, weight_map=weights), expected)


def test_cross_entropy_agrees_with_torch() -> None:
    logits, target = sample(4)
    target[0, :3] = 255
    close(cross_entropy_loss(logits, target), F.cross_entropy(logits, target, ignore_index=255))
    weights = torch.tensor([0.5, 1.0, 2.0, 3.0], dtype=torch.float64)
    total = F.cross_entropy(logits, target, weights, ignore_index=255, reduction="sum")
    close(cross_entropy_loss(logits, target, class_weights=weights), total / (target != 255).sum())


def test_two_weighted_classes_are_weighted_bce() -> None:
    logits, target = sample(1)
    two = cross_entropy_loss(torch.cat([0 * logits, logits], dim=1), target, class_weights=(1, 3))
    close(two, weighted_bce_loss(logits, target, pos_weight=3))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 3.5])
@pytest.mark.parametrize("alpha", [0.0, 0.25, 0.9, None])
def test_focal_agrees_with_torchvision_smp_and_monai(alpha: float | None, gamma: float) -> None:
    logits, target = sample(1)
    focal = focal_loss(logits, target, alpha=alpha, gamma=gamma)
    close(focal, sigmoid_focal_loss(logits[:, 0], target.double(), -1 if alpha is None else alpha, gamma, "mean"))
    close(focal, smp.losses.FocalLoss("binary", alpha, gamma)(logits, target))
    logits, target = sample(4)
    oracle = FocalLoss(gamma=gamma, alpha=alpha, use_softmax=True, to_onehot_y=True)(logits, target[:, None])
    ours = focal_loss(logits.float(), target, alpha=alpha, gamma=gamma)
    close(ours, 4 * oracle)  # MONAI also divides by the classes


def test_focal_without_focus_is_cross_entropy() -> None:
    for channels, cross_entropy in ((1, bce_loss), (4, cross_entropy_loss)):
        logits, target = sample(channels)
        close(focal_loss(logits, target, alpha=None, gamma=0), cross_entropy(logits, target))
        close(focal_loss(logits, target, alpha=0.5, gamma=0), cross_entropy(logits, target) / 2)


def ohem_by_sorting(logits: Tensor, target: Tensor, threshold: float, k: int) -> float:
    """The definition: sort all pixels by p of the true class, keep those below the threshold and at least k."""
    if logits.shape[1] == 1:
        logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
    probs = logits.softmax(dim=1).movedim(1, -1).flatten(0, 2)
    truth = target.flatten().tolist()
    p = sorted(row[label].item() for row, label in zip(probs, truth, strict=True) if label != 255)
    kept = [value for rank, value in enumerate(p) if value <= threshold or rank < k]
    return -sum(map(math.log, kept)) / len(kept) if kept else 0.0


@pytest.mark.parametrize("k", [0, 1, 10, 97, 98, 10**6])
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_ohem_agrees_with_sorting(channels: int, threshold: float, k: int) -> None:
    logits, target = sample(channels)
    for _ in range(2):
        loss = ohem_loss(logits, target, threshold=threshold, min_kept=k)
        assert loss.item() == pytest.approx(ohem_by_sorting(logits, target, threshold, k))
        target[0, :, 3:] = 255


def test_ohem_of_an_easy_batch_keeps_its_hardest_pixels() -> None:
    easy = torch.linspace(3, 9, 100, dtype=torch.float64).view(1, 1, 10, 10)
    target = torch.ones(1, 10, 10, dtype=torch.int64)
    surprise = -F.logsigmoid(easy).flatten()
    assert ohem_loss(easy, target, min_kept=4).item() == pytest.approx(surprise[:4].mean().item())
    assert ohem_loss(easy, target, min_kept=0.031).item() == pytest.approx(surprise[:4].mean().item())  # rounded up
    assert ohem_loss(easy, target, min_kept=0) == 0
    close(ohem_loss(easy, target, min_kept=100), bce_loss(easy, target))


def test_ohem_keeps_all_that_are_equal() -> None:
    same = torch.full((1, 1, 10, 10), 40.0, requires_grad=True)
    loss = ohem_loss(same, torch.ones(1, 10, 10, dtype=torch.int64), min_kept=1)
    loss.backward()
    assert same.grad is not None and (same.grad == same.grad.flatten()[0]).all()


# Regions.
@pytest.mark.parametrize("smooth", [1.0, 1e-3])
@pytest.mark.parametrize("per_image", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_overlap_agrees_with_monai(channels: int, per_image: bool, smooth: float) -> None:
    logits, target = sample(channels)
    truth = target[:, None].double()
    told = activation(channels) | {"batch": not per_image, "smooth_nr": smooth, "smooth_dr": smooth}
    ours = {"smooth": smooth, "per_image": per_image}
    close(dice_loss(logits, target, **ours), DiceLoss(**told)(logits, truth))
    close(dice_loss(logits, target, squared=True, **ours), DiceLoss(**told, squared_pred=True)(logits, truth))
    ours_of_iou = ours | {"smooth": smooth / 2}  # MONAI computes 2TP/2(TP + FP + FN)
    close(iou_loss(logits, target, **ours_of_iou), DiceLoss(**told, jaccard=True)(logits, truth))
    oracle = TverskyLoss(**told, alpha=0.2, beta=0.9)
    close(tversky_loss(logits, target, alpha=0.2, beta=0.9, **ours), oracle(logits, truth))


@pytest.mark.parametrize("channels", [1, 4])
def test_overlap_agrees_with_smp(channels: int) -> None:
    logits, target = sample(channels)
    oracle = smp.losses.DiceLoss(mode(channels), smooth=0.5)  # which is added to TP, not to 2TP
    close(dice_loss(logits, target), oracle(logits, target))
    close(iou_loss(logits, target), smp.losses.JaccardLoss(mode(channels), smooth=1)(logits, target))
    oracle = smp.losses.TverskyLoss(mode(channels), smooth=1, alpha=0.2, beta=0.9)
    close(tversky_loss(logits, target, alpha=0.2, beta=0.9), oracle(logits, target))


def test_overlap_losses_are_one_family() -> None:
    logits, target = sample(4)
    close(tversky_loss(logits, target, alpha=1, beta=1), iou_loss(logits, target))
    close(tversky_loss(logits, target, alpha=0.5, beta=0.5, smooth=0.5), dice_loss(logits, target))
    close(focal_tversky_loss(logits, target, gamma=1), tversky_loss(logits, target))


def test_alpha_weighs_what_is_marked_too_much_and_beta_what_is_missed() -> None:
    target = torch.zeros(1, 8, 8, dtype=torch.int64)
    target[:, 2:6, 2:6] = 1
    larger, smaller = (torch.full((1, 1, 8, 8), -50.0) for _ in range(2))
    larger[..., 1:7, 1:7], smaller[..., 3:5, 3:5] = 50, 50
    assert tversky_loss(larger, target, alpha=1, beta=0) > 0.5 > tversky_loss(larger, target, alpha=0, beta=1) + 0.4
    assert tversky_loss(smaller, target, alpha=0, beta=1) > 0.5 > tversky_loss(smaller, target, alpha=1, beta=0) + 0.4


def test_focal_tversky_near_perfection() -> None:
    """Its gradient grows towards the perfect prediction for γ < 1, and stays finite."""
    target = torch.ones(1, 4, 4, dtype=torch.int64)
    for by in (5.0, 10.0, 15.0, 16.0, 17.0, 40.0):
        logits = torch.full((1, 1, 4, 4), by, requires_grad=True)
        focal_tversky_loss(logits, target, gamma=0.25, smooth=0).backward()
        assert logits.grad is not None and logits.grad.isfinite().all()
        assert logits.grad.any() or by > 16


def test_dice_pools_over_the_batch() -> None:
    logits, target = sample(1)
    pooled = dice_loss(logits, target, smooth=0)
    close(pooled, dice_loss(torch.cat(list(logits), dim=1)[None], torch.cat(list(target), dim=0)[None], smooth=0))


@pytest.mark.parametrize(("empty", "silent", "loud"), [("smooth", 0, 0.99), ("skip", 0, 0), ("zero", 0, 0), ("one", 1, 1)])
@pytest.mark.parametrize("loss", [dice_loss, iou_loss, tversky_loss, focal_tversky_loss])
def test_policies_of_an_empty_target(loss: Any, empty: Any, silent: float, loud: float) -> None:
    empty_target = torch.zeros(1, 64, 64, dtype=torch.int64)
    for by, expected in ((-100.0, silent), (100.0, loud)):
        value = loss(torch.full((1, 1, 64, 64), by), empty_target, empty=empty).item()
        assert value == pytest.approx(expected, abs=0.011)
    assert loss(torch.full((1, 1, 64, 64), -100.0), empty_target, smooth=0) == 1  # 0/0 counts as no overlap


def lovasz_by_levels(errors: Tensor, truth: Tensor) -> float:
    """Lovász extension without sorting: ∫ Δ({errors ≥ t}) dt, Δ the Jaccard loss if just those pixels are wrong."""
    total, below = 0.0, 0.0
    for level in errors.unique().tolist():
        wrong = errors >= level
        preds = truth ^ wrong
        union = (preds | truth).sum().item()
        total += (level - below) * (1 - (preds & truth).sum().item() / union if union else 0.0)
        below = level
    return total


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("ties", [False, True])
def test_lovasz_hinge_is_its_definition(share: float, ties: bool) -> None:
    generator = torch.Generator().manual_seed(7)
    logits = torch.randn(1, 1, 5, 9, generator=generator, dtype=torch.float64) * 2
    logits = logits.round() if ties else logits
    truth = torch.rand(5, 9, generator=generator) < share
    errors = (1 - logits[0, 0] * (2 * truth.double() - 1)).relu()
    assert lovasz_loss(logits, truth[None].long()).item() == pytest.approx(lovasz_by_levels(errors, truth))


def test_lovasz_softmax_is_its_definition() -> None:
    logits, target = sample(4, batch=1)
    target[target == 2] = 1  # an absent class leaves the mean
    probs = logits.softmax(dim=1)[0]
    terms = [lovasz_by_levels(((target[0] == c).double() - probs[c]).abs(), target[0] == c) for c in (0, 1, 3)]
    assert lovasz_loss(logits, target).item() == pytest.approx(sum(terms) / 3)


def test_lovasz_of_hard_predictions_is_one_minus_iou() -> None:
    _, target = sample(4)
    preds = target.flip(0).clone()
    logits = F.one_hot(preds, 4).movedim(-1, 1).double() * 1000
    ious = [((preds == c) & (target == c)).sum() / ((preds == c) | (target == c)).sum() for c in range(4)]
    assert lovasz_loss(logits, target).item() == pytest.approx(1 - float(sum(ious)) / 4)


@pytest.mark.parametrize("per_image", [False, True])
@pytest.mark.parametrize("channels", [1, 4])
def test_lovasz_agrees_with_the_authors_code_in_smp(channels: int, per_image: bool) -> None:
    logits, target = sample(channels)
    target[0, :3] = 255
    oracle = smp.losses.LovaszLoss(mode(channels), per_image=per_image, ignore_index=255)
    close(lovasz_loss(logits, target, per_image=per_image).float(), oracle(logits.float(), target))


def test_lovasz_steps_keep_their_digits() -> None:
    """In float32 and at full size the gradient is that in float64: differences of neighbouring J lose 1 % there."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(1, 1, 512, 512, generator=generator)
    target = (torch.rand(1, 512, 512, generator=generator) < 0.3).long()
    gradients = []
    for dtype in (torch.float32, torch.float64):
        x = logits.clone().to(dtype).detach().requires_grad_()
        lovasz_loss(x, target).backward()
        assert x.grad is not None
        gradients.append(x.grad)
    # Pixels whose errors differ by less than float32 can tell may change places.
    close(gradients[0].double(), gradients[1], rtol=1e-4, atol=1e-10)


# Outlines and windows.
@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_distances_agree_with_brute_force(share: float) -> None:
    rng = np.random.default_rng(3)
    mask = rng.random((33, 41)) < share
    seen = rng.random((33, 41)) < 0.8
    inside, outside = mask & seen, ~mask & seen
    expected = np.where(outside, distance_transform_bf(~inside), np.where(inside, 1 - distance_transform_bf(~outside), 0))
    np.testing.assert_allclose(signed_distance(inside, outside), expected, rtol=1e-5)


def test_signed_distance_by_hand() -> None:
    inside = np.array([[False, True, True, True, False, False]])
    assert signed_distance(inside, ~inside).tolist() == [[1, 0, -1, 0, 1, 2]]
    for mask in (inside & False, inside | True):
        assert not signed_distance(mask, ~mask).any()


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_boundary_agrees_with_monai(channels: int) -> None:
    logits, target = sample(channels, size=12)
    oracle = BoundaryLoss(**activation(channels), include_background=channels == 1)
    close(boundary_loss(logits, target), oracle(logits, target[:, None]))


def test_boundary_moves_with_the_object() -> None:
    target = torch.zeros(1, 40, 40, dtype=torch.int64)
    target[:, 10:18, 12:20] = 1
    logits = torch.full((1, 1, 40, 40), -1e4)
    logits[..., 9:20, 9:20] = torch.randn(11, 11, generator=torch.Generator().manual_seed(0))
    close(boundary_loss(logits.roll((5, 7), (2, 3)), target.roll((5, 7), (1, 2))), boundary_loss(logits, target))
    further = torch.stack([boundary_loss(20 * target[:, None].roll(shift, 3).float() - 10, target) for shift in range(6)])
    assert (further.diff() > 0).all()


def test_separation_weights_by_hand() -> None:
    target = torch.zeros(2, 1, 9, dtype=torch.int64)
    target[0, 0, 0] = target[0, 0, 4] = 1
    target[1, 0, 2] = 1  # alone
    weights = separation_weights(target, w0=10, sigma=5)
    sums = torch.tensor([0 + 4, 1 + 3, 2 + 2, 3 + 1, 4 + 0, 1 + 5, 2 + 6, 3 + 7, 4 + 8])
    close(weights[0, 0], 1 + 10 * torch.exp(-(sums**2) / 50))
    assert (weights[1] == 1).all()
    with pytest.raises(SettingError):
        separation_weights(target, sigma=0)


def smooth_pictures(size: int) -> tuple[Tensor, Tensor]:
    """Logits and a target with regions, as MS-SSIM wants to see."""
    generator = torch.Generator().manual_seed(size)
    field = F.interpolate(torch.randn(2, 1, 9, 9, generator=generator, dtype=torch.float64), (size, size), mode="bicubic")
    logits = 3 * field + torch.randn(2, 1, size, size, generator=generator, dtype=torch.float64)
    return logits, (field[:, 0] > 0.3).long()


def ms_ssim_by_torchmetrics(p: Tensor, g: Tensor, exponents: list[float]) -> Tensor:
    """Its maps, scale by scale; the coarsest without the margin that it adds by reflection, which Wang does not have."""
    product = torch.ones(len(p), dtype=p.dtype)
    for scale, exponent in enumerate(exponents, start=1):
        _, structure = torchmetrics_ssim(p, g, data_range=1.0, reduction="none", return_contrast_sensitivity=True)
        _, whole = torchmetrics_ssim(p, g, data_range=1.0, reduction="none", return_full_image=True)
        last = scale == len(exponents)
        product *= (whole[..., 5:-5, 5:-5].mean(dim=(1, 2, 3)) if last else structure) ** exponent
        p, g = F.avg_pool2d(p, 2), F.avg_pool2d(g, 2)
    return product


@pytest.mark.parametrize(("size", "scales"), [(16, 1), (23, 2), (64, 3), (90, 4), (177, 5), (256, 5)])
def test_ms_ssim_agrees_with_torchmetrics(size: int, scales: int) -> None:
    logits, target = smooth_pictures(size)
    p, g = logits.sigmoid(), target[:, None].double()
    exponents = _exponents(size, 11, 5)
    assert len(exponents) == scales and sum(exponents) == pytest.approx(sum(SCALE_WEIGHTS))
    close(ms_ssim_loss(logits, target), 1 - ms_ssim_by_torchmetrics(p, g, exponents).mean(), rtol=1e-6, atol=0)
    if size == 256:
        whole = torchmetrics_ms_ssim(p, g, data_range=1.0, betas=SCALE_WEIGHTS)
        assert ms_ssim_loss(logits, target).item() == pytest.approx(1 - whole.item(), abs=0.01)


def test_ms_ssim_of_several_classes_is_the_mean_of_each() -> None:
    logits, _ = smooth_pictures(64)
    logits = torch.cat([logits, logits.flip(2), logits.flip(3)], dim=1)
    target = (logits + 0.1).argmax(dim=1)
    probs = logits.softmax(dim=1)
    alone = [ms_ssim_loss(probs[:, [c]].logit(), (target == c).long()) for c in range(3)]
    close(ms_ssim_loss(logits, target), torch.stack(alone).mean())


def test_ms_ssim_gradient_over_several_scales() -> None:
    logits, target = smooth_pictures(24)
    target[0, :5] = 255
    assert torch.autograd.gradcheck(lambda x: ms_ssim_loss(x, target), logits[:, :, :, :].requires_grad_(), fast_mode=True)


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (2, 5), (10, 11), (175, 12)])
def test_ms_ssim_of_small_pictures(size: tuple[int, int]) -> None:
    target = (torch.arange(size[0] * size[1]).view(1, *size) % 3 == 0).long()
    right = 20.0 * (2 * target[:, None] - 1)
    assert 0 <= ms_ssim_loss(right, target) < 1e-5 < ms_ssim_loss(right.flip(3) * 0.1, target) + 1e-3


# Mixtures.
def test_mixtures_are_sums() -> None:
    logits, target = sample(4, size=24)
    target[0, :5] = 255
    cross_entropy, focal, dice = (loss(logits, target) for loss in (cross_entropy_loss, focal_loss, dice_loss))
    close(bce_dice_loss(logits, target), cross_entropy + dice)
    close(bce_dice_loss(logits, target, bce_weight=0.5, dice_weight=3), 0.5 * cross_entropy + 3 * dice)
    close(focal_dice_loss(logits, target, focal_weight=2, dice_weight=0.5), 2 * focal + 0.5 * dice)
    parts = focal, ms_ssim_loss(logits, target), iou_loss(logits, target)
    close(unet3_plus_loss(logits, target), sum(parts))
    weighted = unet3_plus_loss(logits, target, focal_weight=0, ms_ssim_weight=2, iou_weight=0.5)
    close(weighted, 2 * parts[1] + 0.5 * parts[2])
    assert bce_dice_loss(BINARY, TRUTH).item() == pytest.approx((bce_loss(BINARY, TRUTH) + dice_loss(BINARY, TRUTH)).item())


def test_mixtures_agree_with_monai() -> None:
    logits, target = sample(1)
    same = {"sigmoid": True, "batch": True, "smooth_nr": 1.0, "smooth_dr": 1.0}
    close(bce_dice_loss(logits, target), DiceCELoss(**same)(logits, target[:, None].double()))
    oracle = DiceFocalLoss(**same, gamma=1.5, alpha=0.4, lambda_focal=3.0, lambda_dice=0.5)
    ours = focal_dice_loss(logits, target, gamma=1.5, alpha=0.4, focal_weight=3, dice_weight=0.5)
    close(ours, oracle(logits, target[:, None].double()))
