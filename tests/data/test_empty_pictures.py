"""Pictures without the class: really empty, other ones for training than for judging, and as many as was asked for."""

import numpy as np

from segdemo.data.empty_pictures import HELD_OUT, LEARNED_FROM, WithEmptyPictures, empty_pictures
from segdemo.data.sources import ShapesSource


def test_the_share_of_empty_pictures_is_the_one_that_was_asked_for() -> None:
    source = WithEmptyPictures(ShapesSource(size=64, validation_count=2), share=0.5)
    rng = np.random.default_rng(0)
    kinds = [source.draw(rng)[2] for _ in range(60)]
    assert 18 <= kinds.count("empty") <= 42
    assert len(list(source.validation())) == 2
    assert source.describe()["share_of_empty_pictures"] == 0.5


def test_an_empty_picture_has_an_empty_mask_of_its_size() -> None:
    source, rng = WithEmptyPictures(ShapesSource(size=64), share=1.0), np.random.default_rng(1)
    for _ in range(8):
        image, target, kind = source.draw(rng)
        assert kind == "empty"
        assert target.shape == image.shape[:2]
        assert not target.any()


def test_the_pictures_for_judging_are_not_among_those_for_training() -> None:
    assert not set(HELD_OUT) & set(LEARNED_FROM)
    found = list(empty_pictures())
    assert len(found) == 43
    assert all(np.array_equal(a, b) for a, b in zip(found, empty_pictures(), strict=True))
