"""Generated micrographs: seeded, exact, and refusing what cannot be drawn."""

import numpy as np
import pytest

from segdemo.data.nuclei_like import Stain, draw_nuclei
from segdemo.errors import SettingError


@pytest.mark.parametrize("kind", ["fluorescence", "stained"])
def test_the_mask_marks_what_differs_from_the_ground(kind: Stain) -> None:
    image, target = draw_nuclei(128, 160, seed=3, kind=kind)
    assert image.shape == (128, 160, 3) and target.shape == (128, 160)
    assert set(np.unique(target)) == {0, 1}
    inside, outside = image[target == 1].mean(), image[target == 0].mean()
    assert inside > 2 * outside if kind == "fluorescence" else inside < 0.8 * outside


def test_the_same_seed_gives_the_same_micrograph() -> None:
    first, second, other = (draw_nuclei(64, 64, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first[0], second[0])
    assert (first[0] != other[0]).any()


def test_no_nuclei_give_an_empty_mask() -> None:
    assert not draw_nuclei(64, 64, count=0)[1].any()


@pytest.mark.parametrize("options", [{"height": 4}, {"width": 9999}, {"count": -1}, {"noise": 2}, {"kind": "x"}])
def test_impossible_settings_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(SettingError):
        draw_nuclei(**options)
