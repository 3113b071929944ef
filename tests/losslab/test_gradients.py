"""Values and gradients of the loss lab are those of the real losses, and agree with finite differences."""

import numpy as np
import pytest
import torch

from segdemo.losses import FACTS, LOSSES
from segdemo.losslab.damage import Damage, spoil, to_logits
from segdemo.losslab.gradients import Knobs, gradient_of, score, settings_of, value_of
from segdemo.losslab.truths import disc, scene

pytestmark = pytest.mark.usefixtures("one_thread")
KNOBS = (Knobs(), Knobs(gamma=0.5, focal_alpha=0.6, alpha=0.8, beta=0.1, smooth=10.0, empty="one"))


def case(size: int = 24) -> tuple[np.ndarray, np.ndarray]:
    truth = disc((size, size), size / 2)
    damage = Damage(dx=3, blur=1.0, right=0.9, wrong=0.7)
    return to_logits(spoil(truth, damage), truth, damage), truth


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("knobs", KNOBS)
def test_gradients_are_autograd_of_the_real_loss(name: str, knobs: Knobs) -> None:
    logits, truth = case()
    settings = settings_of(name, knobs)
    leaf = torch.tensor(logits, requires_grad=True)
    z = torch.stack([torch.zeros_like(leaf), leaf])[None] if FACTS[name].channels == "several" else leaf[None, None]
    loss = LOSSES[name](z, torch.tensor(truth).long()[None], **settings)
    loss.backward()
    assert leaf.grad is not None
    assert value_of(name, logits, truth, settings) == pytest.approx(loss.item(), rel=1e-6)
    np.testing.assert_allclose(gradient_of(name, logits, truth, settings), leaf.grad.numpy(), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_what_a_small_step_does(name: str) -> None:
    """In float64, along random directions. MS-SSIM has several scales only where the picture is large enough."""
    logits, truth = case(48)
    z, settings, step = (
        logits.astype(np.float64),
        settings_of(name, Knobs()),
        1e-4,
    )  # OpenCV's distances tremble in their last digits
    z += np.random.default_rng(5).normal(0, 0.01, z.shape)  # ties, where Lovász and OHEM have corners, are broken
    gradient = gradient_of(name, z, truth, settings)
    assert gradient.dtype == np.float64 and np.abs(gradient).max() > 0
    for seed in range(3):
        way = np.random.default_rng(seed).normal(size=z.shape)
        ahead, behind = (value_of(name, z + sign * step * way, truth, settings) for sign in (1, -1))
        assert (ahead - behind) / (2 * step) == pytest.approx(float((gradient * way).sum()), rel=2e-3, abs=1e-7)


def test_cross_entropy_pulls_every_pixel_by_p_minus_g() -> None:
    logits, truth = case()
    pull = gradient_of("bce", logits, truth, {}) * logits.size
    np.testing.assert_allclose(pull, 1 / (1 + np.exp(-logits)) - truth, atol=1e-5)


@pytest.mark.parametrize("policy", ["zero", "one", "skip"])
def test_a_loss_that_does_not_look_has_no_gradient(policy: str) -> None:
    logits, truth = case()
    empty = np.zeros_like(truth)
    assert not gradient_of("dice", logits, empty, {"empty": policy}).any()
    assert gradient_of("dice", logits, empty, {"empty": "smooth"}).any()


def test_options_go_to_the_losses_that_have_them() -> None:
    knobs = KNOBS[1]
    assert settings_of("bce", knobs) == {}
    assert settings_of("focal", knobs) == {"gamma": 0.5, "alpha": 0.6}
    assert settings_of("tversky", knobs) == {"alpha": 0.8, "beta": 0.1, "smooth": 10.0, "empty": "one"}
    assert settings_of("focal_tversky", knobs) == settings_of("tversky", knobs)
    assert settings_of("unet3_plus", knobs) == {"gamma": 0.5, "alpha": 0.6, "smooth": 10.0}
    for name in LOSSES:
        known = {option.name: option.default for option in FACTS[name].options}
        assert settings_of(name, Knobs()).items() <= known.items(), "the first setting is each loss's own default"


def test_scores_of_a_hand_made_case() -> None:
    truth, preds = np.zeros((8, 8), bool), np.zeros((8, 8), bool)
    truth[2:6, 2:6], preds[2:6, 3:7] = True, True  # 12 right, 4 false, 4 missed
    found = score(preds, truth)
    assert found[:4] == pytest.approx((0.75, 0.6, 0.75, 0.75))
    assert found.boundary_f1 == 1.0  # one pixel off, two are forgiven
    assert found.accuracy == pytest.approx(56 / 64)
    nothing = score(np.zeros((8, 8), bool), np.zeros((8, 8), bool))
    assert np.isnan(nothing[:5]).all() and nothing.accuracy == 1


def test_read_only_masks_are_fine() -> None:
    truth = scene("disc")
    assert not truth.flags.writeable
    assert value_of("bce", to_logits(truth, truth, Damage()), truth, {}) == pytest.approx(-np.log(0.99), rel=1e-4)
