"""segdemo.data.augment and preprocessing: image and target move alike, and the input is what the weights expect."""

import numpy as np
import pytest

from segdemo.data.augment import Augmentation, augment
from segdemo.data.preprocessing import MIN_STD, image_statistics, to_input
from segdemo.types import Preprocessing

PLAIN = Augmentation(scale=(1, 1), flips=False, quarter_turns=False, brightness=0, contrast=0, color=0, blur=0, noise=0)
TURNS = Augmentation(scale=(0.6, 1.7), brightness=0, contrast=0, color=0, blur=0, noise=0)
ZERO, ONE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


def scene(height: int = 60, width: int = 90) -> tuple[np.ndarray, np.ndarray]:
    """Blocks of classes, each with its own grey: 40 times the label."""
    labels = np.random.default_rng(0).integers(0, 6, (height // 10, width // 10), dtype=np.uint8)
    labels = labels.repeat(10, axis=0).repeat(10, axis=1)
    return np.repeat((labels * 40)[..., None], 3, axis=2), labels


@pytest.mark.parametrize("settings", [PLAIN, TURNS])
@pytest.mark.parametrize("crop", [32, 48])
def test_image_and_target_move_alike(settings: Augmentation, crop: int) -> None:
    image, labels = scene()
    for seed in range(20):
        pixels, target = augment(image, labels, crop, ZERO, ONE, settings, np.random.default_rng(seed))
        assert pixels.shape == (crop, crop, 3) and target.shape == (crop, crop)
        assert pixels.dtype == np.float32 and target.dtype == np.uint8 and target.flags.c_contiguous
        agree = np.abs(pixels[..., 0] * 255 - target * 40.0) < 20
        assert agree.mean() > (0.999 if settings is PLAIN else 0.85), "only the blurred edges of blocks may differ"
        assert set(np.unique(target)) <= set(np.unique(labels))


def test_a_small_picture_is_continued_by_reflection() -> None:
    image, labels = scene(20, 30)
    pixels, target = augment(image, labels, 64, ZERO, ONE, PLAIN, np.random.default_rng(0))
    np.testing.assert_array_equal(target[-20:, -30:], labels)
    np.testing.assert_array_equal(target[-38:-20, -30:], labels[::-1][1:19])
    np.testing.assert_allclose(pixels[..., 1] * 255, target * 40, atol=1e-3)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 2)])
def test_tiny_pictures(size: tuple[int, int]) -> None:
    pixels, target = augment(np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8), 32, ZERO, ONE, Augmentation(),
                             np.random.default_rng(0))  # fmt: skip
    assert pixels.shape == (32, 32, 3) and np.isfinite(pixels).all() and not target.any()


def test_flips_and_turns_all_occur() -> None:
    image, labels = scene(32, 32)
    settings = Augmentation(scale=(1, 1), brightness=0, contrast=0, color=0, blur=0, noise=0)
    seen = {augment(image, labels, 30, ZERO, ONE, settings, np.random.default_rng(s))[1].tobytes() for s in range(300)}
    assert len(seen) >= 8


def test_the_same_generator_state_gives_the_same_sample() -> None:
    image, labels = scene()
    first, second = (augment(image, labels, 32, ZERO, ONE, Augmentation(), np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


def test_light_does_not_touch_the_target() -> None:
    image, labels = scene()
    still = {"scale": (1.0, 1.0), "flips": False, "quarter_turns": False}
    pixels, target = augment(image, labels, 32, ZERO, ONE, Augmentation(**still), np.random.default_rng(1))  # type: ignore[arg-type]
    _, plain = augment(image, labels, 32, ZERO, ONE, PLAIN, np.random.default_rng(1))
    np.testing.assert_array_equal(target, plain)
    assert pixels.dtype == np.float32


def test_normalisation_is_the_one_given() -> None:
    image, labels = scene()
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.25, 2.0)
    raw, _ = augment(image, labels, 32, ZERO, ONE, PLAIN, np.random.default_rng(2))
    pixels, _ = augment(image, labels, 32, mean, std, PLAIN, np.random.default_rng(2))
    np.testing.assert_allclose(pixels, (raw - mean) / std, atol=1e-5)


def test_statistics_fixed_and_per_image() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    fixed = Preprocessing()
    assert image_statistics(image, fixed) == (fixed.mean, fixed.std)
    mean, std = image_statistics(image, Preprocessing(normalization="per-image"))
    np.testing.assert_allclose(mean, [(image / 255).mean()] * 3)
    np.testing.assert_allclose(std, [(image / 255).std()] * 3)


def test_a_flat_picture_is_not_blown_up() -> None:
    _, std = image_statistics(np.full((9, 9, 3), 77, np.uint8), Preprocessing(normalization="per-image"))
    assert std == (MIN_STD,) * 3


def test_network_input_is_normalised_and_reflected() -> None:
    image = np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    settings = Preprocessing(multiple_of=16)
    tensor, geometry = to_input(image, settings)
    assert tensor.shape == (1, 3, 32, 32) and geometry.padding == (12, 2)
    expected = (image / 255 - settings.mean) / settings.std
    np.testing.assert_allclose(tensor[0, :, :20, :30].permute(1, 2, 0), expected, atol=1e-5)
    np.testing.assert_array_equal(tensor[0, :, 20:, :], tensor[0, :, 7:19, :].flip(1))


def test_network_input_is_scaled() -> None:
    image = np.repeat(np.arange(0, 200, 2, dtype=np.uint8)[None, :, None], 50, axis=0).repeat(3, axis=2)
    tensor, geometry = to_input(image, Preprocessing(mean=ZERO, std=ONE, short_side=25, multiple_of=1))
    assert geometry.working == (25, 50) and tensor.shape == (1, 3, 25, 50)
    np.testing.assert_allclose(tensor[0, 0, 0] * 255, np.arange(1, 200, 4), atol=1)
