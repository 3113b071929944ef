"""segdemo.losses: hand values, a second implementation of each, gradients, and the edge cases libraries get wrong."""

import math
from typing import Any

import pytest
import torch
from monai.losses import DiceLoss
from torch import Tensor
from torch.nn import functional as F

from segdemo.errors import SettingError
from segdemo.losses import LOSSES, bce_dice_loss, bce_loss, create_loss, cross_entropy_loss, dice_loss

# Which numbers of logits each loss takes.
CHANNELS = {"bce": (1,), "cross_entropy": (2, 4), "dice": (1, 2, 4), "bce_dice": (1, 4)}
CASES = [(name, c) for name, channels in CHANNELS.items() for c in channels]


def sample(channels: int, size: int = 7, batch: int = 2, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(channels)
    logits = torch.randn(batch, channels, size, size, generator=generator, dtype=dtype) * 2
    return logits, torch.randint(0, max(2, channels), (batch, size, size), generator=generator)


def logit(p: float) -> float:
    return math.log(p / (1 - p))


def test_every_loss_is_tested() -> None:
    assert set(CHANNELS) == set(LOSSES)


# Hand values: p = 0.8, 0.4 against truth 1, 0.
BINARY = torch.tensor([[[[logit(0.8), logit(0.4)]]]], dtype=torch.float64)
TRUTH = torch.tensor([[[1, 0]]])


def test_bce_by_hand() -> None:
    assert bce_loss(BINARY, TRUTH).item() == pytest.approx((-math.log(0.8) - math.log(0.6)) / 2)


def test_dice_by_hand() -> None:
    assert dice_loss(BINARY, TRUTH, smooth=0).item() == pytest.approx(1 - 2 * 0.8 / (1.2 + 1))
    assert dice_loss(BINARY, TRUTH).item() == pytest.approx(1 - (2 * 0.8 + 1) / (1.2 + 1 + 1))


def test_cross_entropy_by_hand() -> None:
    logits = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64).log().view(1, 3, 1, 1) + 4
    assert cross_entropy_loss(logits, torch.tensor([[[1]]])).item() == pytest.approx(-math.log(0.3))


def test_bce_dice_is_the_sum() -> None:
    assert bce_dice_loss(BINARY, TRUTH).item() == pytest.approx((bce_loss(BINARY, TRUTH) + dice_loss(BINARY, TRUTH)).item())


def test_bce_agrees_with_torch() -> None:
    logits, target = sample(1)
    torch.testing.assert_close(bce_loss(logits, target), F.binary_cross_entropy_with_logits(logits[:, 0], target.double()))


def test_cross_entropy_agrees_with_torch() -> None:
    logits, target = sample(4)
    target[0, :3] = 255
    torch.testing.assert_close(cross_entropy_loss(logits, target), F.cross_entropy(logits, target, ignore_index=255))


@pytest.mark.parametrize("smooth", [1.0, 1e-3])
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_dice_agrees_with_monai(channels: int, smooth: float) -> None:
    logits, target = sample(channels)
    activation: dict[str, Any] = {"sigmoid": True} if channels == 1 else {"softmax": True, "to_onehot_y": True}
    oracle = DiceLoss(**activation, batch=True, smooth_nr=smooth, smooth_dr=smooth)
    torch.testing.assert_close(dice_loss(logits, target, smooth=smooth), oracle(logits, target[:, None]))


@pytest.mark.parametrize(("name", "channels"), CASES)
class TestEveryLoss:
    def test_gradients(self, name: str, channels: int) -> None:
        logits, target = sample(channels, size=3)
        target[0, 0, 0] = 255
        assert torch.autograd.gradcheck(lambda x: LOSSES[name](x, target), logits.requires_grad_())

    def test_ignored_pixels_count_nowhere(self, name: str, channels: int) -> None:
        logits, target = sample(channels)
        kept = LOSSES[name](logits[:, :, :4], target[:, :4])
        target[:, 4:] = 255
        logits[:, :, 4:] = 30
        logits.requires_grad_()
        loss = LOSSES[name](logits, target)
        torch.testing.assert_close(loss, kept)
        loss.backward()
        assert logits.grad is not None and not logits.grad[:, :, 4:].any() and logits.grad[:, :, :4].any()

    def test_another_ignore_index(self, name: str, channels: int) -> None:
        logits, target = sample(channels)
        target[0, 0] = 255
        expected = LOSSES[name](logits, target)
        target[0, 0] = -100
        torch.testing.assert_close(LOSSES[name](logits, target, ignore_index=-100), expected)

    def test_all_ignored_is_a_differentiable_zero(self, name: str, channels: int) -> None:
        logits, target = sample(channels)
        logits.requires_grad_()
        loss = LOSSES[name](logits, torch.full_like(target, 255))
        loss.backward()
        assert loss.item() == 0
        assert logits.grad is not None and not logits.grad.any()

    def test_empty_target_is_finite(self, name: str, channels: int) -> None:
        logits, target = sample(channels)
        logits.requires_grad_()
        loss = LOSSES[name](logits, torch.zeros_like(target))
        loss.backward()
        assert loss.isfinite() and loss > 0
        assert logits.grad is not None and logits.grad.isfinite().all()

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
    def test_saturated_logits_are_finite(self, name: str, channels: int, dtype: torch.dtype) -> None:
        logits, target = sample(channels)
        logits = (logits * 10_000).clamp(-60_000, 60_000).to(dtype).requires_grad_()  # half precision ends at 65,504
        loss = LOSSES[name](logits, target)
        loss.backward()
        assert loss.isfinite()
        assert logits.grad is not None and logits.grad.isfinite().all()

    def test_a_perfect_prediction_costs_nothing(self, name: str, channels: int) -> None:
        _, target = sample(channels)
        truth = F.one_hot(target, max(2, channels)).movedim(-1, 1).double()
        logits = (truth[:, 1:2] if channels == 1 else truth) * 200 - 100
        assert LOSSES[name](logits, target).item() == pytest.approx(0, abs=1e-9)

    def test_half_precision_at_full_size(self, name: str, channels: int) -> None:
        logits, target = sample(channels, size=512, batch=1, dtype=torch.float32)
        expected = LOSSES[name](logits.half().double(), target)
        loss = LOSSES[name](logits.half(), target)
        assert loss.item() == pytest.approx(expected.item(), rel=1e-4)

    def test_target_with_a_channel_and_the_class_say_the_same(self, name: str, channels: int) -> None:
        logits, target = sample(channels)
        expected = LOSSES[name](logits, target)
        torch.testing.assert_close(LOSSES[name](logits, target[:, None]), expected)
        torch.testing.assert_close(create_loss(name)(logits, target), expected)

    def test_shapes_that_do_not_fit(self, name: str, channels: int) -> None:
        logits, target = sample(channels)
        for wrong in (target[:, :-1], target[:1], target[:, None].expand(-1, 2, -1, -1)):
            with pytest.raises(SettingError, match="do not fit"):
                LOSSES[name](logits, wrong)


def test_dice_of_an_absent_class_without_prediction_is_nothing() -> None:
    logits = torch.full((1, 1, 64, 64), -100.0)
    assert dice_loss(logits, torch.zeros(1, 64, 64, dtype=torch.int64)).item() == pytest.approx(0, abs=1e-6)


def test_dice_pools_over_the_batch() -> None:
    logits, target = sample(1)
    pooled = dice_loss(logits, target, smooth=0)
    wide = dice_loss(torch.cat(list(logits), dim=1)[None], torch.cat(list(target), dim=0)[None], smooth=0)
    torch.testing.assert_close(pooled, wide)


def test_wrong_names_and_logits_are_sentences() -> None:
    logits, target = sample(1)
    with pytest.raises(SettingError, match="cross_entropy"):
        create_loss("crossentropy")
    with pytest.raises(SettingError, match="at least two"):
        cross_entropy_loss(logits, target)
    with pytest.raises(SettingError, match="one logit"):
        bce_loss(sample(2)[0], target)


def test_options_are_bound() -> None:
    logits, target = sample(1)
    torch.testing.assert_close(create_loss("dice", smooth=5.0)(logits, target), dice_loss(logits, target, smooth=5.0))
