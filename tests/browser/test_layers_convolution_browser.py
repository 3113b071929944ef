"""The Convolution view's controls in a browser: what is folded keeps nothing wrong, the patch is moved in the small picture."""

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import settle
from .layers_theatre import OpenPage, expect_settings, opened

pytestmark = pytest.mark.browser


def press(page: Page, control: str, key: str) -> None:
    page.locator(f"[class*=st-key-layers_convolution_{control}] input[type=range]").first.press(key)
    settle(page)


def small(page: Page) -> Locator:
    return page.locator(".st-key-layers_patch_column .frame")


def test_what_was_opened_once_keeps_nothing_that_nobody_chose(open_page: OpenPage) -> None:
    page = opened(open_page("/layers?set=on:picture"))
    page.get_by_role("button", name="Which patch").click()
    expect(page.locator(".st-key-layers_convolution_down")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_text("First layer", exact=True).click()
    expect(page.locator(".st-key-layers_convolution_filter")).to_be_visible()
    settle(page)
    press(page, "filter", "ArrowRight")
    expect_settings(page, {"on:network", "filter:1"})  # the place of the picture's patch is not that of the network's
    page.get_by_text("1×1 and blocks", exact=True).click()
    expect(page.get_by_text("Mix channels", exact=True)).to_be_visible()
    settle(page)
    expect_settings(page, set())
    assert not page.locator("[data-testid=stException]").count()
    page.get_by_text("Convolution", exact=True).click()
    settle(page)
    expect_settings(page, {"on:network", "filter:1"})


def test_reset_takes_back_what_is_folded_for_good(open_page: OpenPage) -> None:
    page = opened(open_page("/layers"))
    page.get_by_role("button", name="Channels").click()
    press(page, "c", "ArrowRight")
    page.keyboard.press("Escape")
    expect_settings(page, {"c:2"})
    page.get_by_role("button", name="Reset").first.click()
    settle(page)
    press(page, "n", "ArrowRight")
    expect_settings(page, {"n:7"})


def test_the_patch_is_moved_in_the_small_picture(open_page: OpenPage) -> None:
    page = opened(open_page("/layers?set=on:picture"))
    box = small(page).bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 2, box["y"] + 2)
    settle(page)
    expect_settings(page, {"on:picture", "down:0", "right:0"})
    small(page).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    expect_settings(page, {"on:picture", "down:1", "right:10"})
    page.get_by_role("button", name="Which patch").click()
    expect(page.locator(".st-key-layers_patch_popover .root")).to_have_attribute("data-at", "1 10")
    press(page, "down", "ArrowRight")
    expect(page.locator(".st-key-layers_patch_popover .root")).to_have_attribute("data-at", "2 10")
    expect(page.locator(".st-key-layers_patch_column .root")).to_have_attribute("data-at", "2 10")


def test_the_patch_is_moved_by_touch(open_page: OpenPage) -> None:
    page = opened(open_page("/layers?set=on:picture,zoom:8", dark=True, phone=True))
    small(page).scroll_into_view_if_needed()
    box = small(page).bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + box["width"] - 2, box["y"] + box["height"] - 2)
    expect_settings(page, {"on:picture", "zoom:8", "down:100", "right:100"})
