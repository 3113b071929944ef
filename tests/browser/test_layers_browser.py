"""The cell theatre in a real browser: by mouse, keyboard and touch, in both themes, without asking the server."""

import json
import re
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .conftest import settle

pytestmark = pytest.mark.browser
THEATRE = ".st-key-layers_theatre"
Place = tuple[str, int, int]


def root(page: Page) -> Locator:
    return page.locator(f"{THEATRE} .root")


def opened(page: Page) -> Page:
    page.wait_for_selector(f"{THEATRE} .root[data-ready]")
    settle(page)
    return page


def centre(page: Page, place: Place) -> tuple[float, float]:
    """Where a cell of a grid lies on the screen."""
    stage = page.locator(f"{THEATRE} .stage")
    boxes = {key: at for key, *at in json.loads(stage.get_attribute("data-boxes") or "[]")}
    (x, y, cell), (_key, row, column) = boxes[place[0]], place
    right, down = x + (column + 0.5) * cell, y + (row + 0.5) * cell
    if (box := stage.bounding_box()) and not 80 < box["y"] + down < 740:
        main = page.locator("[data-testid=stMain]")
        main.evaluate("(main, by) => main.scrollBy({ top: by, behavior: 'instant' })", box["y"] + down - 400)
        box = stage.bounding_box()
    assert box is not None
    return box["x"] + right, box["y"] + down


def hover(page: Page, *place: int | str) -> None:
    page.mouse.move(*centre(page, (str(place[0]), int(place[1]), int(place[2]))))


def shows(page: Page, cell: str) -> None:
    expect(root(page)).to_have_attribute("data-cell", cell)


def line(page: Page) -> Locator:
    return page.locator(f"{THEATRE} .sum")


def test_hovering_explains_and_pauses_and_the_server_is_not_asked(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers"))
    expect(root(page)).to_have_attribute("data-playing", "true")
    hover(page, "output0_0", 2, 2)
    shows(page, "output0_0:2:2")
    expect(root(page)).to_have_attribute("data-inputs", "9")
    left, right = (line(page).text_content() or "").replace("−", "-").split(" = ")
    assert sum(float(a) * float(b.strip("()")) for a, b in (part.split("·") for part in left.split(" + "))) == float(right)
    slider = page.locator(f"{THEATRE} .steps")
    held = slider.input_value()
    page.context.set_offline(True)
    page.wait_for_timeout(1300)
    assert slider.input_value() == held, "it waits while a cell is hovered"
    hover(page, "input0_0", 3, 3)
    shows(page, "input0_0:3:3")
    expect(line(page)).to_have_text(re.compile("feeds 9 cells of the output"))
    hover(page, "input0_0", 0, 0)
    expect(line(page)).to_have_text(re.compile("padding, always 0 · 0 feeds one cell"))
    page.mouse.move(5, 5)
    expect(slider).not_to_have_value(held)  # and goes on afterwards


def test_keys_walk_play_and_type_a_number(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers?set=mode:reflect"))
    stage = page.locator(f"{THEATRE} .stage")
    stage.focus()
    page.keyboard.press(" ")
    expect(root(page)).to_have_attribute("data-playing", "false")
    page.keyboard.press("Home")
    shows(page, "output0_0:0:0")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    shows(page, "output0_0:1:1")
    expect(page.locator(f"{THEATRE} [role=status]")).to_have_text(re.compile("Output, row 1, column 1: .* = "))
    page.keyboard.press("End")
    shows(page, "output0_0:4:4")
    page.keyboard.press("PageDown")
    shows(page, "input0_0:4:4")
    page.keyboard.press("Home")
    expect(line(page)).to_have_text(re.compile("repeats row 1, column 1"))
    page.keyboard.press("Enter")  # padding is not typed over
    expect(page.locator(f"{THEATRE} .typed")).to_have_count(0)
    for key in ("ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.keyboard.type("-7.5")
    page.keyboard.press("Enter")
    settle(page)
    expect(line(page)).to_have_text(re.compile("−7.5 feeds"))
    shows(page, "input0_0:1:1")
    assert parse_qs(urlsplit(page.url).query)["set"][0].split("x:")[1] == "of25_0_-7.5"
    expect(stage).to_be_focused()


def test_the_slider_goes_to_the_step_it_is_put_to(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers"))
    slider = page.locator(f"{THEATRE} .steps")
    slider.focus()
    page.keyboard.press("End")
    shows(page, "output0_0:4:4")
    page.keyboard.press("ArrowLeft")
    shows(page, "output0_0:4:3")
    box = slider.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    shows(page, "output0_0:2:2")
    expect(slider).to_have_value("12")


def test_places_are_counted_as_pytorch_counts_them(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers?set=c:2,f:1"))
    place, part = page.locator(f"{THEATRE} .place"), page.locator(f"{THEATRE} .part")
    hover(page, "input0_0", 1, 1)
    expect(place).to_have_text("Input channel 0, row 0, column 0")
    hover(page, "input0_0", 0, 1)
    expect(place).to_have_text("Input channel 0, border")
    hover(page, "output0_0", 2, 2)
    expect(part).to_have_text(re.compile("^Kernel, channel 0: (.+·.+ \\+ ){8}"))


def test_a_chosen_cell_stays_when_settings_change(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers"))
    page.mouse.click(*centre(page, ("output0_0", 1, 2)))
    expect(root(page)).to_have_attribute("data-playing", "false")
    page.locator(".st-key-layers_convolution_kh input[type=range]").press("ArrowLeft")
    expect(root(page)).to_have_attribute("data-inputs", "6")
    shows(page, "output0_0:1:2")
    expect(page.locator(f"{THEATRE} .formula")).to_contain_text("Output height: ⌊(5 + 2·1 − 1·(2 − 1) − 1) / 1⌋ + 1 = 6")
    page.locator(f"{THEATRE} .control.onward").click()
    shows(page, "output0_0:1:3")
    page.locator(f"{THEATRE} .control.back").click()
    shows(page, "output0_0:1:2")


def test_predict_first_covers_the_output(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers?set=sh:2,sw:2"))
    page.get_by_text("Predict first").click()
    expect(page.locator(f"{THEATRE} .place")).to_have_text(re.compile("Predict first"))
    expect(page.locator(f"{THEATRE} .formula")).to_be_hidden()
    expect(page.locator(f"{THEATRE} .bar")).to_be_hidden()
    page.get_by_text("3 × 3", exact=True).click()
    expect(page.get_by_text("Right.")).to_be_visible()
    expect(page.locator(f"{THEATRE} .formula")).to_contain_text("= 3")
    expect(root(page)).to_have_attribute("data-playing", "true")


@pytest.fixture
def phone(server: str, browser: Browser) -> Iterator[Callable[[str, bool], Page]]:
    contexts = []

    def open_phone(path: str, dark: bool) -> Page:
        context = browser.new_context(
            viewport={"width": 390, "height": 844}, has_touch=True, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(45_000)
        page.goto(server + path)
        settle(page)
        return opened(page)

    yield open_phone
    for context in contexts:
        context.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_phone_is_tapped_and_nothing_is_cut_off(phone: Callable[[str, bool], Page], dark: bool) -> None:
    page = phone("/layers?set=c:2,f:2", dark)
    page.touchscreen.tap(*centre(page, ("output1_0", 1, 1)))
    shows(page, "output1_0:1:1")
    expect(root(page)).to_have_attribute("data-inputs", "18")
    expect(root(page)).to_have_attribute("data-playing", "false")
    page.touchscreen.tap(*centre(page, ("input0_0", 2, 2)))
    shows(page, "input0_0:2:2")
    expect(root(page)).to_have_attribute("data-outputs", "18")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    boxes = json.loads(page.locator(f"{THEATRE} .stage").get_attribute("data-boxes") or "[]")
    assert all(x >= 0 and x + 3 * cell <= 390 for _key, x, _y, cell in boxes)


def test_both_themes_are_drawn_in_their_colours(open_page: Callable[..., Page]) -> None:
    read = """canvas => { const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, 20);
                          const inked = [...data.keys()].filter(i => i % 4 === 0 && data[i + 3] > 200).map(i => data[i]);
                          return inked.reduce((sum, value) => sum + value, 0) / inked.length; }"""
    light, dark = (opened(open_page("/layers", dark=dark)).locator(f"{THEATRE} .base").evaluate(read) for dark in (False, True))
    assert light < 110, "titles are dark on light"
    assert dark > 170, "and light on dark"
