"""Up-sampling and Checkerboard in a real browser: by mouse and keyboard, by touch at phone width, in both themes."""

import pytest

from .layers_theatre import OpenPage
from .layers_views import DEVICES, Look, go_through

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("device", DEVICES)
def test_every_method_is_looked_at(open_page: OpenPage, device: str) -> None:
    go_through(open_page, device, "upsampling", "how", [
        Look("", ("map", 1, 1), "^1 goes into: nearest 4 cells, bilinear 16 and 16, unpooled 1, transposed 16, shuffled 4$", 31),
        Look("Transposed", ("map", 0, 1), "^3 × kernel = 3 6 9 / 12 15 18 / 21 24 27, added to what is already there$"),
        Look("Shuffle", ("shuffled", 1, 0), r"^channel 2 = 1·2 \+ 0: place \(1, 0\) of the block, = "),
    ])  # fmt: skip


@pytest.mark.parametrize("device", DEVICES)
def test_both_kinds_of_coverage_are_looked_at(open_page: OpenPage, device: str) -> None:
    go_through(open_page, device, "coverage", "part", [
        Look("", ("map", 2, 2), "^2 across · 2 down = 4$"),
        Look("Gridding", ("map1", 6, 6), "^7 across · 7 down = 49$"),
    ])  # fmt: skip
