"""Loss curves against hand values, against the losses called one p at a time, and against differences."""

import numpy as np
import pytest
import torch

from segdemo.errors import SettingError
from segdemo.losses import FACTS, LOSSES, create_loss
from segdemo.losslab.curves import (
    PIXEL_LOSSES,
    PIXELS,
    REGION_LOSSES,
    SEE_PLACES,
    Curve,
    Options,
    Region,
    pixel_curve,
    region_curve,
)

pytestmark = pytest.mark.usefixtures("one_thread")
SURROUNDS = [Region(0.05), Region(0.2, "fixed", 0.3), Region(0.01, "mirror")]


def at(curve: Curve, line: np.ndarray, p: float) -> float:
    """The value at a p of the grid."""
    (place,) = np.flatnonzero(np.isclose(curve.p, p))
    return float(line[place])


def called(name: str, region: Region, p: float) -> float:
    """The loss of the region, from one call on pixels in a square."""
    target = (torch.arange(PIXELS) < region.foreground).long().reshape(1, 20, PIXELS // 20)
    around = {"same": p, "fixed": region.background, "mirror": 1 - p}[region.surround]
    pair = torch.tensor([around, p], dtype=torch.float64).logit()
    logits = pair[target][:, None]
    if FACTS[name].channels == "several":
        logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
    return float(create_loss(name)(logits, target))


@pytest.mark.parametrize("name", REGION_LOSSES)
@pytest.mark.parametrize("region", SURROUNDS, ids=lambda region: region.surround)
def test_a_region_costs_what_the_loss_says_of_its_pixels(name: str, region: Region) -> None:
    curve = region_curve(name, region)
    for p in (0.002, 0.1, 0.37, 0.9, 0.9995):
        assert at(curve, curve.value["region"], p) == pytest.approx(called(name, region, p), rel=1e-9, abs=1e-12)


SMOOTH = [name for name in REGION_LOSSES if name != "ohem"]  # whose set of pixels jumps


@pytest.mark.parametrize("name", SMOOTH)
def test_the_gradients_of_all_pixels_add_up_to_the_slope_of_the_curve(name: str) -> None:
    region = Region(0.05)
    curve = region_curve(name, region)
    step = 1e-6
    for p in (0.11, 0.4, 0.83):
        slope = (called(name, region, p + step) - called(name, region, p - step)) / (2 * step)
        pull = region.share * at(curve, curve.by_prob["foreground"], p) + (1 - region.share) * at(
            curve, curve.by_prob["background"], p
        )
        assert pull == pytest.approx(slope, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("name", PIXEL_LOSSES)
def test_the_gradient_by_p_is_that_by_the_logit_over_p_times_1_minus_p(name: str) -> None:
    curve = pixel_curve(name, (("pos_weight", 3.0),) if name == "weighted_bce" else ())
    for truth in ("foreground", "background"):
        inner = curve.p * (1 - curve.p)
        np.testing.assert_allclose(curve.by_prob[truth] * inner, curve.by_logit[truth], atol=1e-12)


def test_cross_entropy_reads_p_minus_y_alone_and_in_any_region() -> None:
    for curve in (pixel_curve("bce"), *(region_curve("bce", region) for region in SURROUNDS[:1])):
        np.testing.assert_allclose(curve.by_logit["foreground"], curve.p - 1, atol=1e-12)
        np.testing.assert_allclose(curve.by_logit["background"], curve.p, atol=1e-12)
    alone = pixel_curve("bce")
    np.testing.assert_allclose(alone.value["foreground"], -np.log(alone.p))
    np.testing.assert_allclose(alone.value["background"], -np.log(1 - alone.p))


def test_softmax_of_two_logits_is_cross_entropy_and_focal_has_its_formula() -> None:
    bce, softmax = pixel_curve("bce"), pixel_curve("cross_entropy")
    np.testing.assert_allclose(softmax.value["background"], bce.value["background"])
    np.testing.assert_allclose(softmax.by_logit["foreground"], bce.by_logit["foreground"], atol=1e-12)
    options: Options = (("alpha", 0.4), ("gamma", 3.0))
    focal = pixel_curve("focal", options)
    np.testing.assert_allclose(focal.value["foreground"], -0.4 * (1 - focal.p) ** 3 * np.log(focal.p))
    np.testing.assert_allclose(focal.value["background"], -0.6 * focal.p**3 * np.log(1 - focal.p))


def test_ohem_has_nothing_to_teach_a_pixel_that_is_sure_enough() -> None:
    curve = pixel_curve("ohem", (("threshold", 0.7),))
    sure = curve.p > 0.7 + 1e-9
    assert not curve.by_logit["foreground"][sure].any()
    np.testing.assert_allclose(curve.by_logit["foreground"][~sure], curve.p[~sure] - 1, atol=1e-12)
    assert curve.value["background"][curve.p < 0.3 - 1e-9].tolist() == [0.0] * int((curve.p < 0.3 - 1e-9).sum())


def test_dice_by_hand() -> None:
    curve = region_curve("dice", Region(0.05))  # 50 of 1,000 pixels, s = 1
    assert at(curve, curve.value["region"], 0.5) == pytest.approx(1 - (2 * 25 + 1) / (500 + 50 + 1))
    per_pixel = -2 / 551 + (2 * 25 + 1) / 551**2  # ∂/∂p of one foreground pixel
    assert at(curve, curve.by_prob["foreground"], 0.5) == pytest.approx(PIXELS * per_pixel)
    assert at(curve, curve.by_prob["background"], 0.5) == pytest.approx(PIXELS * 51 / 551**2)


def test_the_constant_that_each_loss_likes_best() -> None:
    assert region_curve("bce", Region(0.05)).lowest == 0.05
    assert region_curve("weighted_bce", Region(0.05)).lowest == pytest.approx(0.5)  # balanced: both classes weigh the same
    assert region_curve("dice", Region(0.05)).lowest > 0.999
    # 2F(F + s) < sN: the smoothing outweighs an object of ten pixels
    assert region_curve("dice", Region(0.01)).lowest < 0.001
    assert region_curve("dice", Region(0.01), (("smooth", 0.0),)).lowest > 0.999


def test_dice_pulls_harder_on_each_pixel_of_a_smaller_object() -> None:
    def pull(share: float) -> float:
        curve = region_curve("dice", Region(share, "fixed", 0.001), (("smooth", 0.0),))
        return abs(at(curve, curve.by_prob["foreground"], 0.5))

    assert pull(0.01) / pull(0.1) == pytest.approx(10, rel=0.2)


def test_an_empty_mask_costs_what_its_policy_says() -> None:
    for policy, cost in (("zero", 0.0), ("one", 1.0), ("skip", 0.0)):
        curve = region_curve("dice", Region(0.0), (("empty", policy),))
        assert set(curve.by_logit) == {"background"}
        assert curve.value["region"].tolist() == [cost] * len(curve.p)
        assert not curve.by_logit["background"].any()
    smooth = region_curve("dice", Region(0.0))
    assert at(smooth, smooth.value["region"], 0.1) == pytest.approx(1 - 1 / 101)
    assert set(region_curve("dice", Region(1.0)).by_prob) == {"foreground"}


def test_every_loss_has_a_curve_or_a_reason() -> None:
    assert {*REGION_LOSSES, *SEE_PLACES} == set(LOSSES)
    assert set(PIXEL_LOSSES) < set(REGION_LOSSES)


def test_what_has_no_curve_is_said() -> None:
    with pytest.raises(SettingError, match="no such curve"):
        pixel_curve("dice")
    with pytest.raises(SettingError, match="no such curve"):
        region_curve("boundary", Region())
    with pytest.raises(SettingError, match="between 0 and 1"):
        region_curve("bce", Region(1.5))
    with pytest.raises(SettingError, match="between 0 and 1"):
        region_curve("bce", Region(0.5, "fixed", 0.0))


def test_curves_are_shared_and_cannot_be_changed() -> None:
    curve = region_curve("bce", Region())
    assert curve is region_curve("bce", Region())
    with pytest.raises(ValueError, match="read-only"):
        curve.value["region"][0] = 0
