"""How the cells of the Layers page are drawn: large enough to be read, in colours that tell numbers apart, with room to touch."""

import json
from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import settle
from .test_layers_browser import THEATRE, centre, opened

pytestmark = pytest.mark.browser
READABLE = 17  # pixels of a cell that has room for its number
CORNER = """(canvas, places) => places.map(([x, y, side]) => {
  const pen = canvas.getContext("2d"), scale = canvas.width / canvas.clientWidth, at = (start) => Math.round((start + 0.12 * side) * scale);
  return [...pen.getImageData(at(x), at(y), 1, 1).data].slice(0, 3);
})"""  # noqa: E501
# Of each cell the largest contrast (WCAG 2.2) between its corner and any pixel in it, as they lie over the page.
CONTRAST = """(canvas, places) => {
  const pen = canvas.getContext("2d"), scale = canvas.width / canvas.clientWidth;
  const paper = getComputedStyle(canvas).getPropertyValue("--st-background-color").match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16));
  const linear = (value) => (value <= 10 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const light = (data, i) => [0.2126, 0.7152, 0.0722].reduce((sum, share, c) => {
    const part = data[i + 3] / 255;
    return sum + share * linear(part * data[i + c] + (1 - part) * paper[c]);
  }, 0);
  return places.map(([x, y, side]) => {
    const inside = (side - 8) * scale, { data } = pen.getImageData(Math.ceil((x + 4) * scale), Math.ceil((y + 4) * scale), inside, inside);
    const all = [...data.keys()].filter((i) => i % 4 === 0).map((i) => light(data, i));
    return Math.max(...all.map((other) => (Math.max(other, all[0]) + 0.05) / (Math.min(other, all[0]) + 0.05)));
  });
}"""  # noqa: E501


def boxes(page: Page) -> dict[str, tuple[float, float, float]]:
    """Left, top and a cell's side of each grid, by its key."""
    told = json.loads(page.locator(f"{THEATRE} .stage").get_attribute("data-boxes") or "[]")
    return {key: (x, y, cell) for key, x, y, cell in told}


def cells(page: Page, key: str, columns: int, rows: int) -> list[tuple[float, float, float]]:
    """Left, top and side of each cell of a grid, row by row."""
    x, y, side = boxes(page)[key]
    return [(x + column * side, y + row * side, side) for row in range(rows) for column in range(columns)]


def corners(page: Page, key: str, columns: int, rows: int) -> list[tuple[int, int, int]]:
    """The colours of a grid's cells, beside their numbers."""
    found = page.locator(f"{THEATRE} canvas.base").evaluate(CORNER, cells(page, key, columns, rows))
    return [tuple(colour) for colour in found]


@pytest.mark.parametrize(
    ("settings", "least"),
    [
        ("n:3,kh:5,kw:5", 30),
        ("n:5,kh:7,kw:7,ph:4,pw:4", READABLE),
        ("n:9,ph:4,pw:4", READABLE),
        ("axes:3,ca:2", READABLE),
        ("c:4,f:4", READABLE),
    ],
)
def test_cells_are_as_large_as_the_stage_allows(open_page: Callable[..., Page], settings: str, least: int) -> None:
    page = opened(open_page(f"/layers?set={settings}"))
    found = boxes(page)
    assert min(cell for _x, _y, cell in found.values()) >= least
    width = page.locator(f"{THEATRE} .stage").bounding_box()
    assert width is not None and all(x >= 0 and x + cell <= width["width"] for x, _y, cell in found.values())


def far(a: tuple[int, int, int], b: tuple[int, int, int]) -> int:
    return sum(abs(x - y) for x, y in zip(a, b, strict=True))


def test_one_very_large_number_leaves_the_small_ones_apart(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers?set=ph:0,pw:0,x:99_-1_1_2_3_-3_0_1_2_3_0_0_0_0_0_0_0_0_0_0_0_0_0_0_0"))
    large, less, one, two, three, low, zero, *again = corners(page, "input0_0", 5, 5)[:10]
    assert again == [one, two, three], "equal numbers have equal colours"
    shades = [large, three, two, one, zero, less, low]
    assert min(far(a, b) for a, b in pairwise(shades)) > 20
    assert min(red - blue for red, _green, blue in (one, two, three)) > 20  # orange above 0
    assert min(blue - red for red, _green, blue in (less, low)) > 20  # blue below


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_digits_stand_out_on_every_colour_and_on_the_border(open_page: Callable[..., Page], dark: bool) -> None:
    page = opened(open_page("/layers?set=n:3,mode:replicate,x:1_-1_3_-7_9_2_-3_5_-9", dark=dark))
    contrast = page.locator(f"{THEATRE} canvas.base").evaluate(CONTRAST, cells(page, "input0_0", 5, 5))
    assert min(contrast) >= 4.5, contrast


def test_settings_of_two_axes_stay_beside_each_other_on_a_phone(server: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{server}/layers")
    settle(page)
    opened(page)
    for name in ("k", "s", "p", "d"):
        left, right = (page.locator(f".st-key-layers_convolution_{name}{axis}").bounding_box() for axis in "hw")
        assert left and right and left["y"] == right["y"] and left["x"] + left["width"] <= right["x"]
        assert min(left["width"], right["width"]) > 150
    assert page.locator("[data-testid=stMain]").evaluate("main => main.scrollWidth") <= 390
    slider = page.locator(".st-key-layers_convolution_kw")
    slider.scroll_into_view_if_needed()
    thumb = slider.locator("div:has(> [data-testid=stSliderThumbValue])")
    reach = """thumb => { const { x, y, width, height } = thumb.getBoundingClientRect(), mine = (dx, dy) =>
      thumb.contains(document.elementFromPoint(x + width / 2 + dx, y + height / 2 + dy));
      return [[-12, 0], [12, 0], [0, 12]].every(([dx, dy]) => mine(dx, dy)); }"""
    assert thumb.evaluate(reach), "24 pixels hold it"
    label = slider.locator("[data-testid=stWidgetLabel] p")
    assert label.evaluate("node => node.scrollWidth <= node.clientWidth + 1"), "the label is not cut off"
    track = slider.locator("[role=group]").bounding_box()
    assert track is not None
    page.touchscreen.tap(track["x"] + track["width"] - 8, track["y"] + track["height"] / 2)
    expect(slider.locator("input")).to_have_value("7")
    settle(page)
    page.touchscreen.tap(*centre(page, ("output0_0", 0, 0)))
    expect(page.locator(f"{THEATRE} .root")).to_have_attribute("data-inputs", "21")
    context.close()
