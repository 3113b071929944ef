"""segdemo.losses: what every loss promises, one body over the registry and its options, and the sentences of errors."""

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from segdemo.errors import SettingError
from segdemo.losses import FACTS, LOSSES, bce_loss, create_loss, cross_entropy_loss, dice_loss, weighted_bce_loss

pytestmark = pytest.mark.usefixtures("one_thread")
SEES_PLACES = {"boundary", "ms_ssim", "unet3_plus"}  # the others treat pixels as a set


class Case(NamedTuple):
    """A loss with options, and how many logits it is given."""

    name: str
    channels: int
    options: dict[str, Any]

    def __call__(self, logits: Tensor, target: Tensor, **more: Any) -> Tensor:
        return LOSSES[self.name](logits, target, **(self.options | more))

    def __str__(self) -> str:
        return " ".join([self.name, str(self.channels), *(f"{key}={value}" for key, value in self.options.items())])

    def lossless(self) -> dict[str, float]:
        """Options without smoothing, whose constant does not grow with the number of pixels."""
        return {"smooth": 0.0} if "smooth" in [option.name for option in FACTS[self.name].options] else {}


CHANNELS = {"one": (1,), "several": (2, 4), "any": (1, 2, 4)}
DEFAULTS = [Case(name, c, {}) for name, facts in FACTS.items() for c in CHANNELS[facts.channels]]
VARIANTS = [
    Case(name, c, options)
    for name, options in [
        ("weighted_bce", {"pos_weight": 7.0}),
        ("cross_entropy", {"class_weights": [0.5, 2.0, 1.0, 0.0]}),
        ("focal", {"gamma": 0.0, "alpha": None}),
        ("focal", {"gamma": 0.5}),
        ("ohem", {"min_kept": 10**9}),
        ("ohem", {"min_kept": 10, "threshold": 0.0}),
        ("ohem", {"min_kept": 0}),
        ("dice", {"squared": True}),
        ("dice", {"per_image": True, "smooth": 0.0}),
        ("dice", {"empty": "skip", "smooth": 0}),
        ("iou", {"smooth": 0.0}),
        ("iou", {"per_image": True, "empty": "zero"}),
        ("tversky", {"alpha": 0.0, "beta": 1.0, "smooth": 0.0}),
        ("tversky", {"empty": "one", "per_image": True}),
        ("focal_tversky", {"gamma": 0.5, "smooth": 0.0}),
        ("focal_tversky", {"gamma": 3.0, "per_image": True}),
        ("lovasz", {"per_image": True}),
        ("ms_ssim", {"window": 5, "scales": 1}),
        ("bce_dice", {"bce_weight": 0.0, "dice_weight": 2.0, "smooth": 0.0}),
        ("focal_dice", {"gamma": 0.5, "focal_weight": 20.0}),
        ("unet3_plus", {"gamma": 0.5, "smooth": 0.0}),
    ]
    for c in {"one": (1,), "several": (4,), "any": (1, 4)}[FACTS[name].channels]
]
every_default = pytest.mark.parametrize("loss", DEFAULTS, ids=str)
every_case = pytest.mark.parametrize("loss", DEFAULTS + VARIANTS, ids=str)


def sample(channels: int, size: int = 7, batch: int = 2, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(channels)
    logits = torch.randn(batch, channels, size, size, generator=generator, dtype=dtype) * 2
    return logits, torch.randint(0, max(2, channels), (batch, size, size), generator=generator)


def confident(target: Tensor, channels: int, by: float = 100.0) -> Tensor:
    """Logits ±`by` that are right everywhere."""
    truth = F.one_hot(target, max(2, channels)).movedim(-1, 1).double()
    return (truth[:, 1:2] if channels == 1 else truth) * 2 * by - by


def value_and_gradient(loss: Callable[..., Tensor], logits: Tensor, target: Tensor, **more: Any) -> tuple[Tensor, Tensor]:
    logits = logits.detach().clone().requires_grad_()
    value = loss(logits, target, **more)
    assert value.shape == ()
    value.backward()
    assert logits.grad is not None
    return value.detach(), logits.grad


def test_every_loss_has_facts_and_is_tested() -> None:
    assert list(LOSSES) == list(FACTS)
    assert {case.name for case in DEFAULTS} == set(LOSSES)


@every_case
class TestEveryLoss:
    def test_gradients(self, loss: Case) -> None:
        logits, target = sample(loss.channels, size=4)
        target[0, 0, 0] = 255
        assert torch.autograd.gradcheck(lambda x: loss(x, target), logits.requires_grad_())

    def test_ignored_logits_change_nothing(self, loss: Case) -> None:
        logits, target = sample(loss.channels, size=24)
        logits = logits + confident(target, loss.channels, 1.0)  # not against the truth, where MS-SSIM is flat
        target[torch.rand(target.shape, generator=torch.Generator().manual_seed(0)) < 0.2] = 255
        target[:, 15:] = 255
        value, gradient = value_and_gradient(loss, logits, target)
        ignored = (target == 255)[:, None].expand_as(logits)
        for anything in (30.0, -1e30, float("inf"), float("nan")):
            again, same = value_and_gradient(loss, logits.masked_fill(ignored, anything), target)
            assert torch.equal(value, again) and torch.equal(gradient, same)
        assert not gradient[ignored].any() and gradient[~ignored].any()

    def test_ignored_pixels_count_nowhere(self, loss: Case) -> None:
        logits, target = sample(loss.channels)
        kept = loss(logits[:, :, :4], target[:, :4])
        target[:, 4:] = 255
        if loss.name not in {"ms_ssim", "unet3_plus"}:  # whose windows reach into what is ignored
            torch.testing.assert_close(loss(logits, target), kept)

    def test_ignored_pictures_count_nowhere(self, loss: Case) -> None:
        logits, target = sample(loss.channels)
        target[1] = 255
        torch.testing.assert_close(loss(logits, target), loss(logits[:1], target[:1]))

    def test_another_ignore_index(self, loss: Case) -> None:
        logits, target = sample(loss.channels)
        target[0, 0] = 255
        expected = loss(logits, target)
        target[0, 0] = -100
        torch.testing.assert_close(loss(logits, target, ignore_index=-100), expected)

    def test_all_ignored_is_a_differentiable_zero(self, loss: Case) -> None:
        logits, target = sample(loss.channels)
        value, gradient = value_and_gradient(loss, logits, torch.full_like(target, 255))
        assert value == 0 and not gradient.any()

    def test_empty_and_full_targets(self, loss: Case) -> None:
        logits, target = sample(loss.channels)
        for label in (0, max(1, loss.channels - 1)):
            value, gradient = value_and_gradient(loss, logits, torch.full_like(target, label))
            assert value.isfinite() and gradient.isfinite().all()

    @pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
    def test_saturated_logits_are_finite(self, loss: Case, dtype: torch.dtype) -> None:
        _, target = sample(loss.channels)
        truths = target, torch.zeros_like(target), torch.full_like(target, max(1, loss.channels - 1))
        for truth, by in itertools.product(truths, (20.0, -20.0, 100.0, -100.0, 60_000.0, -60_000.0)):
            logits = confident(truth, loss.channels, by).to(dtype)
            value, gradient = value_and_gradient(loss, logits, truth)
            assert value.isfinite() and gradient.isfinite().all()

    def test_a_perfect_prediction_is_the_minimum(self, loss: Case) -> None:
        logits, target = sample(loss.channels, size=12)
        best = loss(confident(target, loss.channels), target)
        if not FACTS[loss.name].negative:
            assert best.item() == pytest.approx(0, abs=1e-7)
        for other in (logits, -logits, confident(target, loss.channels, 0.3), confident(target.flip(1), loss.channels)):
            assert loss(other, target) > best

    def test_not_below_zero(self, loss: Case) -> None:
        logits, target = sample(loss.channels)
        shaped = loss(logits, target), loss(-5 * logits, target), loss(logits, torch.zeros_like(target))
        assert FACTS[loss.name].negative or min(shaped) >= 0

    def test_a_step_down_the_gradient_goes_down(self, loss: Case) -> None:
        logits, target = sample(loss.channels)
        value, gradient = value_and_gradient(loss, logits, target)
        assert loss(logits - 1e-3 * gradient / gradient.norm(), target) < value

    def test_target_with_a_channel_and_the_class_say_the_same(self, loss: Case) -> None:
        logits, target = sample(loss.channels)
        expected = loss(logits, target)
        assert torch.equal(loss(logits, target[:, None]), expected)
        assert torch.equal(create_loss(loss.name, **loss.options)(logits, target), expected)
        for kind in (torch.uint8, torch.int32):
            assert torch.equal(loss(logits, target.to(kind)), expected)

    def test_the_same_twice_and_inputs_untouched(self, loss: Case) -> None:
        logits, target = sample(loss.channels)
        copies = logits.clone(), target.clone()
        first, second = value_and_gradient(loss, logits, target), value_and_gradient(loss, logits, target)
        assert torch.equal(first[0], second[0]) and torch.equal(first[1], second[1])
        assert torch.equal(logits, copies[0]) and torch.equal(target, copies[1])

    def test_mirroring_and_order_of_pictures(self, loss: Case) -> None:
        logits, target = sample(loss.channels)
        expected = loss(logits, target)
        torch.testing.assert_close(loss(logits.flip(3), target.flip(2)), expected)
        torch.testing.assert_close(loss(logits.mT, target.mT), expected)
        torch.testing.assert_close(loss(logits.flip(0), target.flip(0)), expected)

    def test_order_of_pixels(self, loss: Case) -> None:
        logits, target = sample(loss.channels)
        order = torch.randperm(49, generator=torch.Generator().manual_seed(0))
        mixed = logits.flatten(2)[:, :, order].view_as(logits), target.flatten(1)[:, order].view_as(target)
        same = torch.isclose(loss(*mixed), loss(logits, target))
        assert same != (loss.name in SEES_PLACES)

    def test_a_batch_of_the_same_picture_twice(self, loss: Case) -> None:
        logits, target = sample(loss.channels, batch=1)
        if isinstance(loss.options.get("min_kept"), int):
            return  # a number of pixels, not a share
        twice = logits.repeat(2, 1, 1, 1), target.repeat(2, 1, 1)
        torch.testing.assert_close(loss(*twice, **loss.lossless()), loss(logits, target, **loss.lossless()))

    def test_shapes_and_labels_that_do_not_fit(self, loss: Case) -> None:
        logits, target = sample(loss.channels)
        wrong_shapes = (target[:, :-1], target[:1], target[:, None].expand(-1, 2, -1, -1), target[..., None])
        for wrong in wrong_shapes:
            with pytest.raises(SettingError, match="do not fit"):
                loss(logits, wrong)
        with pytest.raises(SettingError, match="do not fit"):
            loss(logits[0], target)
        for label in (-1, max(2, loss.channels)):
            with pytest.raises(SettingError, match="labels must lie between 0 and"):
                loss(logits, target.masked_fill(target == 1, label))
        with pytest.raises(SettingError, match="whole class numbers"):
            loss(logits, target.double())


@every_default
class TestPrecision:
    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_half_precision_at_full_size(self, loss: Case, dtype: torch.dtype) -> None:
        logits, target = sample(loss.channels, size=512, batch=1, dtype=torch.float32)
        expected = loss(logits.to(dtype).double(), target)
        value, gradient = value_and_gradient(loss, logits.to(dtype), target)
        assert value.dtype == torch.float32
        assert value.item() == pytest.approx(expected.item(), rel=1e-4)
        assert gradient.isfinite().all()

    def test_autocast_changes_nothing(self, loss: Case) -> None:
        logits, target = sample(loss.channels, size=24, dtype=torch.float32)
        expected = loss(logits, target)
        with torch.autocast("cpu", torch.bfloat16):
            assert loss(logits, target).item() == pytest.approx(expected.item(), rel=1e-6)

    def test_float64_stays(self, loss: Case) -> None:
        assert loss(*sample(loss.channels)).dtype == torch.float64


@pytest.mark.parametrize("name", ["dice", "iou", "tversky", "focal_tversky", "lovasz"])
@pytest.mark.parametrize("channels", [1, 4])
def test_per_image_is_the_mean_of_the_pictures(name: str, channels: int) -> None:
    loss = LOSSES[name]
    logits, target = sample(channels, batch=3)
    target[0, 3:], target[2] = 255, 255
    alone = torch.stack([loss(logits[n : n + 1], target[n : n + 1]) for n in (0, 1)])
    torch.testing.assert_close(loss(logits, target, per_image=True), alone.mean())
    assert not torch.isclose(loss(logits, target), alone.mean())


@pytest.mark.parametrize("name", ["focal", "ohem", "boundary"])
def test_one_logit_is_two_whose_first_is_nothing(name: str) -> None:
    logits, target = sample(1)
    torch.testing.assert_close(LOSSES[name](torch.cat([0 * logits, logits], dim=1), target), LOSSES[name](logits, target))


def test_a_batch_without_pictures_is_nothing() -> None:
    for case in DEFAULTS:
        logits = torch.zeros(0, case.channels, 16, 16, requires_grad=True)
        assert case(logits, torch.zeros(0, 16, 16, dtype=torch.int64)) == 0


WRONG_OPTIONS = [
    ("weighted_bce", 1, {"pos_weight": -1.0}),
    ("weighted_bce", 1, {"weight_map": torch.ones(2, 7, 6)}),
    ("weighted_bce", 1, {"weight_map": -torch.ones(2, 7, 7)}),
    ("cross_entropy", 4, {"class_weights": [1.0, 1.0]}),
    ("cross_entropy", 4, {"class_weights": [1.0, 1.0, 1.0, -1.0]}),
    ("cross_entropy", 4, {"class_weights": [1.0, 1.0, 1.0, float("nan")]}),
    ("focal", 1, {"gamma": -0.1}),
    ("focal", 4, {"alpha": 1.1}),
    ("ohem", 1, {"threshold": 1.5}),
    ("ohem", 1, {"min_kept": -1}),
    ("dice", 1, {"smooth": -1.0}),
    ("dice", 1, {"smooth": float("nan")}),
    ("iou", 1, {"smooth": float("inf")}),
    ("dice", 1, {"empty": "nothing"}),
    ("tversky", 1, {"alpha": -0.1}),
    ("tversky", 1, {"beta": "much"}),
    ("focal_tversky", 1, {"gamma": -1.0}),
    ("ms_ssim", 1, {"window": 0}),
    ("ms_ssim", 1, {"sigma": 0.0}),
    ("ms_ssim", 1, {"scales": 6}),
    ("bce_dice", 1, {"bce_weight": -1.0}),
    ("focal_dice", 1, {"focal_weight": None}),
    ("unet3_plus", 1, {"iou_weight": -1.0}),
]


@pytest.mark.parametrize(("name", "channels", "options"), WRONG_OPTIONS)
def test_wrong_options_are_sentences(name: str, channels: int, options: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=r"\.$"):
        create_loss(name, **options)(*sample(channels))


def test_wrong_names_and_logits_are_sentences() -> None:
    logits, target = sample(1)
    with pytest.raises(SettingError, match="cross_entropy"):
        create_loss("crossentropy")
    with pytest.raises(SettingError, match=r'no option "gamma"\. It has: ignore_index, smooth, squared'):
        create_loss("dice", gamma=2)
    with pytest.raises(SettingError, match="at least two"):
        cross_entropy_loss(logits, target)
    for loss in (bce_loss, weighted_bce_loss):
        with pytest.raises(SettingError, match="one logit"):
            loss(sample(2)[0], target)


def test_options_are_bound() -> None:
    logits, target = sample(1)
    assert torch.equal(create_loss("dice", smooth=5.0)(logits, target), dice_loss(logits, target, smooth=5.0))
