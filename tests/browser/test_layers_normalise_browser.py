"""Normalise and activate in a real browser: all four parts by mouse and keyboard, by touch at phone width, in both themes."""

import pytest

from .layers_theatre import OpenPage
from .layers_views import DEVICES, Look, Slide, go_through

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("device", DEVICES)
def test_every_part_is_gone_through(open_page: OpenPage, device: str) -> None:
    go_through(open_page, device, "normalise", "part", [
        Look("", ("output0_0", 0, 0), r"^\(6 − 3\.833\) / √\(10\.972 \+ 0\.00001\) · 1 \+ 0 = 0\.654$"),
        Slide("Activations", "at", "at:1.1"),
        Look("Softmax", ("gradient", 0, 0), r"^0\.705 · \(1 − 0\.705\) / 1 = 0\.208$"),
        Look("Dropout", ("output", 0, 2), "^4 · 2 = 8$"),
    ])  # fmt: skip
