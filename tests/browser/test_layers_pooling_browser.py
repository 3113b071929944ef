"""Pooling, Up-sampling and Checkerboard in a browser: by mouse, keyboard and touch, in both themes, on a phone."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import settle
from .test_layers_browser import THEATRE, centre, hover, line, opened, root, shows

pytestmark = pytest.mark.browser
GLOW = (0xD6, 0x33, 0x8A)  # of arrows, in both themes


def arrows(page: Page) -> int:
    """Pixels of the upper canvas in the colour of arrows."""
    return int(
        page.locator(f"{THEATRE} canvas.over").evaluate(
            """(canvas, [r, g, b]) => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let found = 0;
            for (let n = 0; n < data.length; n += 4)
              found += data[n + 3] > 200 && Math.abs(data[n] - r) + Math.abs(data[n + 1] - g) + Math.abs(data[n + 2] - b) < 24;
            return found;
        }""",
            GLOW,
        )
    )


@pytest.fixture
def open_phone(server: str, browser: Browser) -> Iterator[Callable[[str], Page]]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, color_scheme="dark")

    def open_path(path: str) -> Page:
        page = context.new_page()
        page.goto(server + path)
        settle(page)
        return opened(page)

    yield open_path
    context.close()


def test_a_maximum_points_to_where_it_was_found(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers?layer=pooling&set=x:0_0_0_0_0_0_0_5_0,n:3,k:3,s:1,p:1"))
    hover(page, "output0", 1, 1)
    shows(page, "output0:1:1")
    expect(line(page)).to_have_text("max(0, 0, 0, 0, 0, 0, 0, 5, 0) = 5")
    page.wait_for_timeout(400)
    assert arrows(page) > 40
    hover(page, "input0", 0, 0)
    expect(line(page)).to_contain_text("it never wins")
    page.wait_for_timeout(400)
    assert arrows(page) == 0


def test_unpooling_is_walked_by_keyboard(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers?layer=upsampling&set=how:unpool"))
    page.locator(f"{THEATRE} .stage").focus()
    page.keyboard.press(" ")
    page.keyboard.press("Home")
    while not (root(page).get_attribute("data-cell") or "").startswith("map:"):
        page.keyboard.press("PageDown")
    page.keyboard.press("Home")
    shows(page, "map:0:0")
    expect(root(page)).to_have_attribute("data-inputs", "4")
    page.wait_for_timeout(400)
    assert arrows(page) > 80  # from the encoder and onwards
    page.keyboard.press("ArrowRight")
    shows(page, "map:0:1")


def test_touching_a_cell_lights_it_in_every_method(open_phone: Callable[[str], Page]) -> None:
    page = open_phone("/layers?layer=upsampling")
    page.touchscreen.tap(*centre(page, ("map", 1, 1)))
    shows(page, "map:1:1")
    assert int(root(page).get_attribute("data-outputs") or 0) > 30
    overflow = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth - innerWidth")
    assert overflow <= 0


def test_counts_multiply_in_the_dark(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers?layer=coverage&set=k:4", dark=True))
    expect(root(page)).to_have_attribute("data-playing", "false")
    hover(page, "map", 4, 4)
    expect(line(page)).to_have_text("2 across · 2 down = 4")
