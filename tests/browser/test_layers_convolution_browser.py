"""The Convolution view's controls in a browser: what is folded keeps nothing wrong, the patch is moved in the small picture."""

from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .conftest import settle
from .test_layers_browser import opened

pytestmark = pytest.mark.browser


def pairs(page: Page) -> set[str]:
    """The settings in the address, without the cell that is looked at."""
    found = parse_qs(urlsplit(page.url).query).get("set", [""])[0]
    return {pair for pair in found.split(",") if pair and not pair.startswith("cell:")}


def press(page: Page, control: str, key: str) -> None:
    page.locator(f"[class*=st-key-layers_convolution_{control}] input[type=range]").first.press(key)
    settle(page)


def small(page: Page) -> Locator:
    return page.locator(".st-key-layers_patch_column .frame")


def test_what_was_opened_once_keeps_nothing_that_nobody_chose(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers?set=on:picture"))
    page.get_by_role("button", name="Which patch").click()
    expect(page.locator(".st-key-layers_convolution_down")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_text("First layer", exact=True).click()
    expect(page.locator(".st-key-layers_convolution_filter")).to_be_visible()
    settle(page)
    press(page, "filter", "ArrowRight")
    assert pairs(page) == {"on:network", "filter:1"}, "the place of the picture's patch is not that of the network's"
    page.get_by_text("1×1 and blocks", exact=True).click()
    expect(page.get_by_text("Mix channels", exact=True)).to_be_visible()
    settle(page)
    assert not page.locator("[data-testid=stException]").count() and pairs(page) == set()
    page.get_by_text("Convolution", exact=True).click()
    settle(page)
    assert pairs(page) == {"on:network", "filter:1"}


def test_reset_takes_back_what_is_folded_for_good(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers"))
    page.get_by_role("button", name="Channels").click()
    press(page, "c", "ArrowRight")
    page.keyboard.press("Escape")
    assert pairs(page) == {"c:2"}
    page.get_by_role("button", name="Reset").first.click()
    settle(page)
    press(page, "n", "ArrowRight")
    assert pairs(page) == {"n:7"}


def test_the_patch_is_moved_in_the_small_picture(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers?set=on:picture"))
    box = small(page).bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 2, box["y"] + 2)
    settle(page)
    assert pairs(page) == {"on:picture", "down:0", "right:0"}
    small(page).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_timeout(400)
    settle(page)
    assert pairs(page) == {"on:picture", "down:1", "right:10"}
    page.get_by_role("button", name="Which patch").click()
    expect(page.locator(".st-key-layers_patch_popover .root")).to_have_attribute("data-at", "1 10")
    press(page, "down", "ArrowRight")
    expect(page.locator(".st-key-layers_patch_popover .root")).to_have_attribute("data-at", "2 10")
    expect(page.locator(".st-key-layers_patch_column .root")).to_have_attribute("data-at", "2 10")


@pytest.fixture
def phone(server: str, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, color_scheme="dark")
    page = context.new_page()
    page.goto(f"{server}/layers?set=on:picture,zoom:8")
    settle(page)
    yield opened(page)
    context.close()


def test_the_patch_is_moved_by_touch(phone: Page) -> None:
    small(phone).scroll_into_view_if_needed()
    box = small(phone).bounding_box()
    assert box is not None
    phone.touchscreen.tap(box["x"] + box["width"] - 2, box["y"] + box["height"] - 2)
    settle(phone)
    assert pairs(phone) == {"on:picture", "zoom:8", "down:100", "right:100"}
