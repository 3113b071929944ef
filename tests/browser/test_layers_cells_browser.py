"""How the cells of the Layers page are drawn: large enough to be read, in colours that tell numbers apart, with room to touch."""

from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from .conftest import settle
from .layers_theatre import DIGITS, THEATRE, OpenPage, boxes, centre, is_not_cut_off, opened, overlay, root, shows

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


def cells(page: Page, key: str, columns: int, rows: int) -> list[tuple[float, float, float]]:
    """Left, top and side of each cell of a grid, row by row."""
    x, y, side, _columns = boxes(page)[key]
    return [(x + column * side, y + row * side, side) for row in range(rows) for column in range(columns)]


def corners(page: Page, key: str, columns: int, rows: int) -> list[tuple[int, int, int]]:
    """The colours of a grid's cells, beside their numbers."""
    found = page.locator(f"{THEATRE} canvas.base").evaluate(CORNER, cells(page, key, columns, rows))
    return [tuple(colour) for colour in found]


def test_cells_are_as_large_as_the_stage_allows(open_page: OpenPage) -> None:
    page = open_page("/layers")
    path = page.url.split("?")[0]
    for settings, least in (
        ("n:3,kh:5,kw:5", 30),
        ("n:5,kh:7,kw:7,ph:4,pw:4", READABLE),
        ("n:9,ph:4,pw:4", READABLE),
        ("axes:3,ca:2", READABLE),
        ("c:4,f:4", READABLE),
    ):
        page.goto(f"{path}?set={settings}")
        found = boxes(opened(page)).values()
        assert min(box.cell for box in found) >= least, settings
        stage = page.locator(f"{THEATRE} .stage").bounding_box()
        assert stage is not None and all(box.x >= 0 and box.right <= stage["width"] for box in found), settings


def far(a: tuple[int, int, int], b: tuple[int, int, int]) -> int:
    return sum(abs(x - y) for x, y in zip(a, b, strict=True))


def test_one_very_large_number_leaves_the_small_ones_apart(open_page: OpenPage) -> None:
    page = opened(open_page("/layers?set=n:5,x:99_-1_1_2_3_-3_0_1_2_3_0_0_0_0_0_0_0_0_0_0_0_0_0_0_0"))
    large, less, one, two, three, low, zero, *again = corners(page, "input0_0", 5, 5)[:10]
    assert again == [one, two, three], "equal numbers have equal colours"
    shades = [large, three, two, one, zero, less, low]
    assert min(far(a, b) for a, b in pairwise(shades)) > 20
    assert min(red - blue for red, _green, blue in (one, two, three)) > 20  # orange above 0
    assert min(blue - red for red, _green, blue in (less, low)) > 20  # blue below


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_digits_stand_out_on_every_colour_and_on_the_border(open_page: OpenPage, dark: bool) -> None:
    page = opened(open_page("/layers?set=n:3,ph:1,pw:1,mode:replicate,x:1_-1_3_-7_9_2_-3_5_-9", dark=dark))
    contrast = page.locator(f"{THEATRE} canvas.base").evaluate(CONTRAST, cells(page, "input0_0", 5, 5))
    assert min(contrast) >= 4.5, contrast


def test_settings_of_two_axes_stay_beside_each_other_on_a_phone(open_page: OpenPage) -> None:
    page = opened(open_page(f"/layers?set={DIGITS}", phone=True))
    for name in ("k", "s", "p", "d"):
        left, right = (page.locator(f".st-key-layers_convolution_{name}{axis}").bounding_box() for axis in "hw")
        assert left and right and left["y"] == right["y"] and left["x"] + left["width"] <= right["x"]
        assert min(left["width"], right["width"]) > 150
    is_not_cut_off(page, 390)
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
    expect(root(page)).to_have_attribute("data-inputs", "21")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_zero_is_near_the_background_and_signs_leave_it(open_page: OpenPage, dark: bool) -> None:
    page = opened(open_page("/layers?set=n:3,ph:0,pw:0,x:0_1_-1_3_-3_2_-2_0_9", dark=dark))
    zero, one, less, three, low, two, lower, again, most = corners(page, "input0_0", 3, 3)
    paper = (14, 17, 23) if dark else (255, 255, 255)
    assert again == zero and far(zero, paper) < 70
    for near, middle, strong in ((one, two, three), (less, lower, low)):
        assert 20 < far(near, zero) < far(middle, zero) < far(strong, zero)
    assert min(red - blue for red, _green, blue in (one, two, three, most)) > 20
    assert min(blue - red for red, _green, blue in (less, lower, low)) > 20
    kinds = ((key, 3, 3) for key in ("input0_0", "kernel0_0_0"))
    found = [page.locator(f"{THEATRE} canvas.base").evaluate(CONTRAST, cells(page, *kind)) for kind in kinds]
    assert min(min(contrast) for contrast in found) >= 4.5, found


def test_the_first_screen_of_a_phone_shows_the_theatre(open_page: OpenPage) -> None:
    page = opened(open_page("/layers", phone=True))
    stage = page.locator(f"{THEATRE} .stage").bounding_box()
    assert stage is not None and stage["y"] < 450
    signal, kernel = boxes(page)["input0_0"], boxes(page)["kernel0_0_0"]
    assert kernel.x > signal.right and kernel.y < signal.y + 5 * signal.cell and min(signal.cell, kernel.cell) >= READABLE
    page.touchscreen.tap(*centre(page, ("output0_0", 0, 1)))
    shows(page, "output0_0:0:1")
    words = page.locator(f"{THEATRE} .line").bounding_box()
    _across, down = centre(page, ("output0_0", 0, 1))
    assert words is not None and down + signal.cell / 2 <= words["y"] and words["y"] + words["height"] <= 844


@pytest.mark.parametrize(("layer", "name"), [("convolution", "Convolution"), ("shapes", "Shape walk")])
def test_the_views_are_one_row_with_the_chosen_one_in_sight(open_page: OpenPage, layer: str, name: str) -> None:
    page = open_page(f"/layers?layer={layer}", phone=True)
    views = page.locator(".st-key-layers_view [role=radio]")
    expect(views).to_have_count(8)
    assert len({round(view.bounding_box()["y"]) for view in views.all()}) == 1  # type: ignore[index]
    chosen = views.filter(has_text=name)
    expect(chosen).to_have_attribute("aria-checked", "true")
    box = chosen.bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 370
    row = page.locator(".st-key-layers_view [role=radiogroup]")
    assert row.evaluate("row => row.scrollWidth > row.clientWidth")
    is_not_cut_off(page, 390)


def test_the_last_view_is_reached_by_moving_the_row(open_page: OpenPage) -> None:
    page = open_page("/layers?layer=pooling", phone=True)
    page.locator(".st-key-layers_view [role=radiogroup]").evaluate("row => { row.scrollLeft = row.scrollWidth }")
    last = page.locator(".st-key-layers_view [role=radio]").last
    box = last.bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    settle(page)
    expect(last).to_have_attribute("aria-checked", "true")


INKED = """(canvas, places) => { const scale = canvas.width / canvas.clientWidth, pen = canvas.getContext("2d");
  return places.map((place) => { const [x, y, wide] = place.map((part) => part * scale);
    return pen.getImageData(x, y, wide, wide).data.some((part) => part > 0); }); }"""


def inked(page: Page, places: list[tuple[float, float, float]]) -> list[bool]:
    """Whether anything is drawn over each of some squares of the stage, given as left, top and side, once anything is drawn."""
    over = overlay(page)
    everywhere = [(0, 0, over.evaluate("canvas => canvas.clientWidth"))]
    page.wait_for_function(f"([canvas, places]) => ({INKED})(canvas, places)[0]", arg=[over.element_handle(), everywhere])
    return [bool(found) for found in over.evaluate(INKED, places)]


@pytest.mark.parametrize("settings", ["kind:global,n:6", "kind:average,k:3,s:1"])
def test_equal_weights_are_said_once_and_cover_no_number(open_page: OpenPage, settings: str) -> None:
    page = opened(open_page(f"/layers?layer=pooling&set={settings},cell:output0.0.0"))
    expect(page.locator(f"{THEATRE} .part")).to_contain_text("each times 0.")
    x, y, side, _columns = boxes(page)["input0"]
    assert inked(page, [(x + side, y + side, side), (x + side + 5, y + side + 5, side - 10)]) == [True, False]  # its edge alone


def test_arrows_leave_the_numbers_of_both_cells_free(open_page: OpenPage) -> None:
    page = opened(open_page("/layers?layer=pooling&set=n:4,k:2,s:2,x:9_1_1_1_1_1_1_1_1_1_1_1_1_1_1_1,cell:output0.0.0"))
    signal, pooled = boxes(page)["input0"], boxes(page)["output0"]
    between = (signal.right + 4, signal.y, min(pooled.x - signal.right - 8, 4 * signal.cell))
    connected = [cells(page, "input0", 4, 4)[0], cells(page, "output0", 2, 2)[0]]
    numbers = [(x + 0.38 * side, y + 0.38 * side, 0.24 * side) for x, y, side in connected]
    assert inked(page, [between, *numbers]) == [True, False, False]
