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
DIGITS = "of:digits,n:5,ph:1,pw:1"  # 5×5 digits with padding: settings with which every cell says something
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
    page = opened(open_page("/layers?set=n:5,ph:1,pw:1,of:digits"))
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
    page = opened(open_page("/layers?set=n:5,ph:1,pw:1,mode:reflect"))
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
    assert parse_qs(urlsplit(page.url).query)["set"][0].split("x:")[1].split(",")[0] == "of25_0_-7.5"
    expect(stage).to_be_focused()


def test_the_slider_goes_to_the_step_it_is_put_to(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers?set=n:5,ph:1,pw:1,of:digits"))
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
    page = opened(open_page("/layers?set=n:5,ph:1,pw:1,c:2,f:1"))
    place, part = page.locator(f"{THEATRE} .place"), page.locator(f"{THEATRE} .part")
    hover(page, "input0_0", 1, 1)
    expect(place).to_have_text("Input channel 0, row 0, column 0")
    hover(page, "input0_0", 0, 1)
    expect(place).to_have_text("Input channel 0, border")
    hover(page, "output0_0", 2, 2)
    expect(part).to_have_text(re.compile("^Kernel, channel 0: (.+·.+ \\+ ){8}"))


def test_a_chosen_cell_stays_when_settings_change(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers?set=n:5,ph:1,pw:1,of:digits"))
    page.mouse.click(*centre(page, ("output0_0", 1, 2)))
    expect(root(page)).to_have_attribute("data-playing", "false")
    page.locator(".st-key-layers_convolution_kh input[type=range]").press("ArrowLeft")
    expect(root(page)).to_have_attribute("data-inputs", "6")
    shows(page, "output0_0:1:2")
    expect(page.locator(f"{THEATRE} .formula")).to_contain_text(
        "Output height: ⌊(input 5 + 2·padding 1 − kernel 2) / stride 1⌋ + 1 = 6"
    )
    page.locator(f"{THEATRE} .control.onward").click()
    shows(page, "output0_0:1:3")
    page.locator(f"{THEATRE} .control.back").click()
    shows(page, "output0_0:1:2")


def test_predict_first_covers_the_output(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers?set=n:7,sh:2,sw:2"))
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
    page = phone("/layers?set=n:5,ph:1,pw:1,c:2,f:2", dark)
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


def address(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query).get("set", [""])[0]


def test_a_link_carries_the_cell_at_which_it_stands(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers?set=f:2"))
    page.mouse.click(*centre(page, ("output1_0", 1, 2)))
    page.wait_for_url("**cell*output1_0.1.2")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    stood = "output1_0.2.3"
    page.wait_for_url(f"**cell*{stood}")
    link = page.url
    other = opened(open_page(f"/layers?{urlsplit(link).query}"))
    shows(other, stood.replace(".", ":"))
    expect(root(other)).to_have_attribute("data-playing", "false")
    assert address(other) == f"f:2,cell:{stood}"
    other.wait_for_timeout(900)
    shows(other, stood.replace(".", ":"))
    other.locator(f"{THEATRE} .control.play").click()
    expect(root(other)).to_have_attribute("data-playing", "true")
    other.wait_for_url(lambda url: "cell" not in url)
    expect(root(other)).to_have_attribute("data-playing", "true")
    other.locator(f"{THEATRE} .control.play").click()  # stands where the play came to, with what has not grown yet
    other.wait_for_url("**.growing")
    stood = address(other).split("cell:")[1]
    other.get_by_role("button", name="Reset").click()
    other.wait_for_url(lambda url: "set" not in url)
    expect(root(other)).to_have_attribute("data-playing", "true")
    again = opened(open_page(f"/layers?set=f:2,cell:{stood}"))
    shows(again, stood.removesuffix(".growing").replace(".", ":"))
    expect(root(again)).to_have_attribute("data-playing", "false")
    again.wait_for_timeout(700)
    assert address(again) == f"f:2,cell:{stood}"


def test_a_cell_in_the_address_goes_with_the_settings(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers?set=n:6,cell:output0_0.3.3"))
    size = page.locator(".st-key-layers_convolution_n input[type=range]")
    size.press("ArrowRight")
    settle(page)
    shows(page, "output0_0:3:3")
    assert "cell:output0_0.3.3" in address(page)
    for _ in range(2):
        size.press("ArrowLeft")
        settle(page)
    page.wait_for_url(lambda url: "cell" not in url)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    page.goto(page.url.split("?")[0] + "?set=cell:output0_0.30.3")
    settle(page)
    expect(page.get_by_test_id("stAlert")).to_contain_text("output0_0.30.3")


def test_nothing_is_drawn_while_all_is_still(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers?set=n:9,ph:1,pw:1"))
    page.evaluate("""() => { const ask = window.requestAnimationFrame; window.asked = 0;
      window.requestAnimationFrame = (draw) => { window.asked += 1; return ask(draw); }; }""")

    def asked(milliseconds: int) -> int:
        page.evaluate("window.asked = 0")
        page.wait_for_timeout(milliseconds)
        return int(page.evaluate("window.asked"))

    page.locator(f"{THEATRE} .speed").select_option("0.5")
    page.wait_for_timeout(400)
    assert asked(1000) <= 30, "between two steps there is only the glide"
    hover(page, "output0_0", 1, 1)
    page.wait_for_timeout(400)
    expect(root(page)).to_have_attribute("data-playing", "true")
    assert asked(1000) <= 1, "nothing moves while a cell is hovered"
    page.mouse.move(5, 5)
    page.locator(f"{THEATRE} .speed").select_option("16")
    page.wait_for_timeout(300)
    assert 8 <= asked(1000) <= 24, "a frame a step, and no glides at this pace"
    page.locator(f"{THEATRE} .stage").evaluate("stage => { stage.style.marginTop = '3000px'; }")  # out of sight
    page.wait_for_timeout(300)
    assert asked(1000) <= 1
    page.locator(f"{THEATRE} .stage").evaluate("stage => { stage.style.marginTop = '0'; }")
    page.wait_for_timeout(300)
    assert asked(1000) >= 8


def test_the_window_stays_in_the_input_when_rows_change(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers?layer=pooling&set=kind:average,k:3,s:1"))
    page.locator(f"{THEATRE} .speed").select_option("16")
    outside = """async canvas => {
      const stage = canvas.parentNode, boxes = JSON.parse(stage.dataset.boxes), pen = canvas.getContext("2d");
      const scale = canvas.width / canvas.clientWidth, [, left, top, side] = boxes.find(([key]) => key === "input0");
      let found = 0;
      for (const end = performance.now() + 1800; performance.now() < end;) {
        await new Promise(requestAnimationFrame);
        found += pen.getImageData(0, 0, Math.max(1, (left - 4) * scale), canvas.height).data.some((part) => part > 0);
      }
      return found; }"""
    assert page.locator(f"{THEATRE} canvas.over").evaluate(outside) == 0, "nothing is drawn left of the input"


def test_the_keys_are_described(open_page: Callable[..., Page]) -> None:
    page = opened(open_page("/layers"))
    described = page.locator(f"{THEATRE} .stage").get_attribute("aria-description") or ""
    assert all(key in described for key in ("Page up", "Home", "End", "Escape", "Enter"))
    expect(page.locator(f"{THEATRE} .hint")).to_contain_text("Page ↑↓")
    page.locator(f"{THEATRE} .stage").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**cell**")
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "cell" not in url)
