"""segdemo.data.shapes: the same seed gives the same scene, and the mask is exact."""

import numpy as np
import pytest

from segdemo.data.shapes import SHAPE_CLASSES, draw_shapes
from segdemo.errors import SettingError


def test_the_same_seed_gives_the_same_scene() -> None:
    first, second, other = draw_shapes(64, 80, seed=3), draw_shapes(64, 80, seed=3), draw_shapes(64, 80, seed=4)
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    assert (first[0] != other[0]).any()


@pytest.mark.parametrize("size", [(8, 8), (8, 200), (65, 33)])
@pytest.mark.parametrize("share", [0, 0.2, 0.9])
def test_sizes_types_and_labels(size: tuple[int, int], share: float) -> None:
    image, labels = draw_shapes(*size, seed=1, foreground_share=share)
    assert image.shape == (*size, 3) and labels.shape == size
    assert image.dtype == labels.dtype == np.uint8
    assert labels.max() < len(SHAPE_CLASSES)


@pytest.mark.parametrize("share", [0.1, 0.4, 0.8])
def test_the_foreground_has_the_share_asked_for(share: float) -> None:
    covered = np.mean([np.count_nonzero(draw_shapes(128, 128, seed=s, foreground_share=share)[1]) / 128**2 for s in range(6)])
    assert share <= covered < share + 0.12


def test_no_share_is_background_only() -> None:
    assert not draw_shapes(32, 32, foreground_share=0)[1].any()


def test_every_class_occurs() -> None:
    seen = {int(v) for seed in range(6) for v in np.unique(draw_shapes(128, 128, seed=seed)[1])}
    assert seen == set(range(len(SHAPE_CLASSES)))


def test_the_mask_follows_the_paint() -> None:
    """Without noise the background is one texture: drawn once with shapes and once without, it differs on the mask alone."""
    plain, _ = draw_shapes(96, 96, seed=5, foreground_share=0, noise=0)
    scene, labels = draw_shapes(96, 96, seed=5, foreground_share=0.4, noise=0)
    changed = (plain != scene).any(axis=2)
    assert not changed[labels == 0].any()
    assert changed[labels > 0].mean() > 0.99


def test_noise_is_on_the_picture_alone() -> None:
    clean, noisy = draw_shapes(64, 64, seed=2, noise=0), draw_shapes(64, 64, seed=2, noise=0.1)
    np.testing.assert_array_equal(clean[1], noisy[1])
    assert np.std(clean[0].astype(float) - noisy[0]) > 10


@pytest.mark.parametrize(
    "settings", [{"height": 7}, {"width": 5000}, {"foreground_share": 0.95}, {"foreground_share": -0.1}, {"noise": 2}]
)
def test_settings_out_of_range_are_sentences(settings: dict[str, float]) -> None:
    with pytest.raises(SettingError, match="between"):
        draw_shapes(**settings)  # type: ignore[arg-type]
