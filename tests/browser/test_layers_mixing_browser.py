"""The view of 1×1 convolution in a real browser, and typing in that of normalisation: by mouse, by keyboard, by touch."""

import re

import pytest
from playwright.sync_api import expect

from .layers_theatre import OpenPage, centre, expect_settings, hover, line, opened, root, shows
from .layers_views import DEVICES, Look, Slide, go_through

pytestmark = pytest.mark.browser


def test_a_mean_lights_those_who_share_it_and_gamma_can_be_typed(open_page: OpenPage) -> None:
    page = opened(open_page("/layers?layer=normalise"))
    hover(page, "mean", 0, 1)
    expect(root(page)).to_have_attribute("data-inputs", "12")
    expect(line(page)).to_have_text(re.compile(r"^\(.*\) / 12 = 4\.25$"))
    hover(page, "output1_1", 0, 1)
    expect(line(page)).to_have_text(re.compile(r"^\(6 − 4\.25\) / √\(5\.188 \+ 0\.00001\) · 1 \+ 0 = 0\.768$"))
    page.mouse.dblclick(*centre(page, ("gamma", 0, 1)))
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect_settings(page, {"gamma:of4_1_2"})
    page.keyboard.press("PageDown")
    shows(page, "beta:0:1")
    hover(page, "output1_1", 0, 1)
    expect(line(page)).to_have_text(re.compile(r"· 2 \+ 0 = 1\.537$"))


@pytest.mark.parametrize("device", DEVICES)
def test_every_part_is_gone_through(open_page: OpenPage, device: str) -> None:
    go_through(open_page, device, "mixing", "part", [
        Look("", ("output0", 1, 1), r"^(\(?−?\d\)?·\(?−?\d\)?( \+ )?){4} = −?\d+$"),
        Slide("What blocks cost", "c", "c:65"),
        Look("Residual", ("output", 1, 1), r"^\d \+ \(?−?\d+\)? = −?\d+$"),
    ])  # fmt: skip
