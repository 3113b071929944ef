"""The views of 1×1 convolution and of normalisation in a real browser: by mouse, by keyboard and by touch at phone width."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import settle
from .test_layers_browser import THEATRE, centre, hover, line, opened, root, shows

pytestmark = pytest.mark.browser


def test_a_mean_lights_those_who_share_it_and_gamma_can_be_typed(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers?layer=normalise"))
    hover(page, "mean", 0, 1)
    expect(root(page)).to_have_attribute("data-inputs", "12")
    expect(line(page)).to_have_text(re.compile(r"^\(.*\) / 12 = 4\.25$"))
    hover(page, "output1_1", 0, 1)
    expect(line(page)).to_have_text(re.compile(r"^\(6 − 4\.25\) / √\(5\.188 \+ 0\.00001\) · 1 \+ 0 = 0\.768$"))
    page.mouse.dblclick(*centre(page, ("gamma", 0, 1)))
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    settle(page)
    assert parse_qs(urlsplit(page.url).query)["set"] == ["gamma:of4_1_2"]
    page.keyboard.press("PageDown")
    shows(page, "beta:0:1")
    hover(page, "output1_1", 0, 1)
    expect(line(page)).to_have_text(re.compile(r"· 2 \+ 0 = 1\.537$"))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_on_a_phone_a_tapped_pixel_shows_its_channels(server: str, browser: Browser, dark: bool) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme="dark" if dark else "light"
    )
    try:
        page = context.new_page()
        page.goto(f"{server}/layers?layer=mixing&set=co:3")
        settle(page)
        opened(page)
        page.touchscreen.tap(*centre(page, ("output0", 1, 1)))
        shows(page, "output0:1:1")
        expect(root(page)).to_have_attribute("data-inputs", "4")
        page.touchscreen.tap(*centre(page, ("input1", 0, 0)))
        expect(root(page)).to_have_attribute("data-outputs", "3")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.locator(f"{THEATRE} .stage").is_visible()
    finally:
        context.close()
