"""Pooling, Up-sampling and Checkerboard in a browser: by mouse and keyboard."""

import pytest
from playwright.sync_api import Page, expect

from .layers_theatre import THEATRE, OpenPage, hover, line, next_frame, opened, overlay, root, shows

pytestmark = pytest.mark.browser
GLOW = (0xD6, 0x33, 0x8A)  # of arrows, in both themes
MOST_GRIDS = 12  # of a view
INK = """(canvas, [r, g, b]) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let arrows = 0, all = 0;
  for (let n = 0; n < data.length; n += 4) {
    all += data[n + 3] > 0;
    arrows += data[n + 3] > 200 && Math.abs(data[n] - r) + Math.abs(data[n + 1] - g) + Math.abs(data[n + 2] - b) < 24;
  }
  return [arrows, all];
}"""


def ink(page: Page) -> tuple[int, int]:
    """Pixels of the upper canvas in the colour of arrows, and all that are drawn."""
    arrows, drawn = overlay(page).evaluate(INK, GLOW)
    return arrows, drawn


def expect_arrows(page: Page, least: int) -> None:
    """Arrows come to be drawn: they are, once the window has glided to its cell."""
    page.wait_for_function(
        f"([canvas, glow, least]) => ({INK})(canvas, glow)[0] > least", arg=[overlay(page).element_handle(), GLOW, least]
    )


def test_a_maximum_points_to_where_it_was_found(open_page: OpenPage) -> None:
    page = opened(open_page("/layers?layer=pooling&set=x:0_0_0_0_0_0_0_5_0,n:3,k:3,s:1,p:1"))
    hover(page, "output0", 1, 1)
    shows(page, "output0:1:1")
    expect(line(page)).to_have_text("max(0, 0, 0, 0, 0, 0, 0, 5, 0) = 5")
    expect_arrows(page, 40)
    hover(page, "input0", 0, 0)
    expect(line(page)).to_contain_text("it never wins")
    next_frame(page)
    arrows, drawn = ink(page)
    assert arrows == 0 and drawn > 0


def test_unpooling_is_walked_by_keyboard(open_page: OpenPage) -> None:
    page = opened(open_page("/layers?layer=upsampling&set=how:unpool"))
    page.locator(f"{THEATRE} .stage").focus()
    page.keyboard.press(" ")
    page.keyboard.press("Home")
    for _grid in range(MOST_GRIDS):
        if (root(page).get_attribute("data-cell") or "").startswith("map:"):
            break
        page.keyboard.press("PageDown")
    page.keyboard.press("Home")
    shows(page, "map:0:0")
    expect(root(page)).to_have_attribute("data-inputs", "4")
    expect_arrows(page, 80)  # from the encoder and onwards
    page.keyboard.press("ArrowRight")
    shows(page, "map:0:1")


def test_counts_multiply_in_the_dark(open_page: OpenPage) -> None:
    page = opened(open_page("/layers?layer=coverage&set=k:4", dark=True))
    expect(root(page)).to_have_attribute("data-playing", "false")
    hover(page, "map", 4, 4)
    expect(line(page)).to_have_text("2 across · 2 down = 4")
