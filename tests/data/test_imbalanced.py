"""Pictures for a race: the share that was asked for, seeds that repeat, and crops of one's own whose halves stay apart."""

import numpy as np
import pytest

from segdemo.data.crops import crop_set
from segdemo.data.imbalanced import draw_cells, imbalanced_set
from segdemo.errors import DataSetError, SettingError


@pytest.mark.parametrize("size", [64, 128])
@pytest.mark.parametrize("share", [0.005, 0.02, 0.1, 0.5])
def test_the_share_is_what_was_asked_for(share: float, size: int) -> None:
    found = imbalanced_set(share, size, seed=3)
    assert found.foreground_share == pytest.approx(share, rel=0.07)
    assert (found.validation_targets == 1).mean() == pytest.approx(share, rel=0.1)
    assert (found.validation_targets == 1).any(axis=(1, 2)).all(), "every picture holds something to find"


def test_shapes_types_and_that_nobody_can_write_into_a_shared_set() -> None:
    found = imbalanced_set(0.05, 32, train=5, validation=2)
    assert (found.images.shape, found.images.dtype) == ((5, 32, 32, 3), np.uint8)
    assert (found.targets.shape, found.targets.dtype) == ((5, 32, 32), np.uint8)
    assert (found.validation_images.shape[0], found.size) == (2, 32)
    with pytest.raises(ValueError, match="read-only"):
        found.images[0] = 0


def test_a_seed_repeats_and_another_differs() -> None:
    first, again, other = (imbalanced_set(0.05, 32, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.images, again.images) and np.array_equal(first.targets, again.targets)
    assert not np.array_equal(first.targets, other.targets)


def test_training_and_validation_share_no_picture() -> None:
    found = imbalanced_set(0.05, 32)
    learned = {image.tobytes() for image in found.images}
    assert not any(image.tobytes() in learned for image in found.validation_images)


def test_cells_are_warmer_than_what_lies_around_them() -> None:
    image, mask = draw_cells(96, 0.2, np.random.default_rng(0))
    warmth = image[..., 0].astype(float) - image[..., 2]
    assert warmth[mask == 1].mean() > warmth[mask == 0].mean() + 20


@pytest.mark.parametrize(("share", "size"), [(0.0, 64), (0.9, 64), (float("nan"), 64), (0.1, 16), (0.1, 512)])
def test_what_cannot_be_drawn_is_refused(share: float, size: int) -> None:
    with pytest.raises(SettingError):
        imbalanced_set(share, size)


def marked(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture whose red is its column and whose mask has stripes of class 2, with an ignored corner."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.linspace(0, 255, width).astype(np.uint8)
    mask = np.zeros((height, width), np.uint8)
    mask[:, ::7] = 2
    mask[:4, :4] = 255
    return image, mask


def test_one_picture_is_split_where_training_cannot_see_validation() -> None:
    found = crop_set([marked(90, 240)], 32, train=30, validation=10)
    assert found.images[..., 0].max() < found.validation_images[..., 0].min()
    assert set(np.unique(found.targets)) <= {0, 1, 255}
    assert (found.targets == 1).any()


def test_of_several_pictures_the_last_quarter_validates() -> None:
    pairs = [(np.full((40, 40, 3), i, np.uint8), np.eye(40, dtype=np.uint8)) for i in range(8)]
    found = crop_set(pairs, 32, train=12, validation=4)
    assert set(np.unique(found.images)) == set(range(6))
    assert set(np.unique(found.validation_images)) == {6, 7}


@pytest.mark.parametrize("shape", [(10, 300), (300, 10), (31, 33), (2000, 1500), (1, 1)])
def test_any_shape_of_picture_gives_crops(shape: tuple[int, int]) -> None:
    found = crop_set([(np.zeros((*shape, 3), np.uint8), np.ones(shape, np.uint8))], 32, train=3, validation=2)
    assert found.images.shape == (3, 32, 32, 3) and found.validation_targets.shape == (2, 32, 32)


def test_what_cannot_be_cut_is_said() -> None:
    image = np.zeros((40, 40, 3), np.uint8)
    for pairs, sentence in [
        ([], "no picture"), ([(image, np.zeros((40, 41), np.uint8))], "same size"),
        ([(image, np.zeros((40, 40), np.uint8))], "no foreground"),
    ]:  # fmt: skip
        with pytest.raises(DataSetError, match=sentence):
            crop_set(pairs, 32)
