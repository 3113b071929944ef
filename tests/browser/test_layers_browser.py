"""The cell theatre in a real browser: by mouse, keyboard and touch, in both themes, without asking the server."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from .conftest import settle
from .layers_theatre import (
    DIGITS,
    THEATRE,
    OpenPage,
    address,
    boxes,
    centre,
    expect_setting,
    expect_settings,
    hover,
    is_not_cut_off,
    line,
    next_frame,
    opened,
    overlay,
    root,
    shows,
)

pytestmark = pytest.mark.browser


def test_hovering_explains_and_pauses_and_the_server_is_not_asked(open_page: OpenPage) -> None:
    page = opened(open_page(f"/layers?set={DIGITS}"))
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


def test_keys_walk_play_and_type_a_number(open_page: OpenPage) -> None:
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
    expect_setting(page, "x:of25_0_-7.5")
    expect(stage).to_be_focused()


def test_the_slider_goes_to_the_step_it_is_put_to(open_page: OpenPage) -> None:
    page = opened(open_page(f"/layers?set={DIGITS}"))
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


def test_places_are_counted_as_pytorch_counts_them(open_page: OpenPage) -> None:
    page = opened(open_page("/layers?set=n:5,ph:1,pw:1,c:2,f:1"))
    place, part = page.locator(f"{THEATRE} .place"), page.locator(f"{THEATRE} .part")
    hover(page, "input0_0", 1, 1)
    expect(place).to_have_text("Input channel 0, row 0, column 0")
    hover(page, "input0_0", 0, 1)
    expect(place).to_have_text("Input channel 0, border")
    hover(page, "output0_0", 2, 2)
    expect(part).to_have_text(re.compile("^Kernel, channel 0: (.+·.+ \\+ ){8}"))


def test_a_chosen_cell_stays_when_settings_change(open_page: OpenPage) -> None:
    page = opened(open_page(f"/layers?set={DIGITS}"))
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


def test_predict_first_covers_the_output(open_page: OpenPage) -> None:
    page = opened(open_page("/layers?set=n:7,sh:2,sw:2"))
    page.get_by_text("Predict first").click()
    expect(page.locator(f"{THEATRE} .place")).to_have_text(re.compile("Predict first"))
    expect(page.locator(f"{THEATRE} .formula")).to_be_hidden()
    expect(page.locator(f"{THEATRE} .bar")).to_be_hidden()
    page.get_by_text("3 × 3", exact=True).click()
    expect(page.get_by_text("Right.")).to_be_visible()
    expect(page.locator(f"{THEATRE} .formula")).to_contain_text("= 3")
    expect(root(page)).to_have_attribute("data-playing", "true")


def test_a_phone_is_tapped_and_nothing_is_cut_off(open_page: OpenPage) -> None:
    page = opened(open_page("/layers?set=n:5,ph:1,pw:1,c:2,f:2", dark=True, phone=True))
    page.touchscreen.tap(*centre(page, ("output1_0", 1, 1)))
    shows(page, "output1_0:1:1")
    expect(root(page)).to_have_attribute("data-inputs", "18")
    expect(root(page)).to_have_attribute("data-playing", "false")
    page.touchscreen.tap(*centre(page, ("input0_0", 2, 2)))
    shows(page, "input0_0:2:2")
    expect(root(page)).to_have_attribute("data-outputs", "18")
    is_not_cut_off(page, 390)
    stage = page.locator(f"{THEATRE} .stage").bounding_box()
    assert stage is not None and stage["x"] >= 0 and stage["x"] + stage["width"] <= 390
    assert all(box.x >= 0 and box.right <= stage["width"] for box in boxes(page).values())


def test_both_themes_are_drawn_in_their_colours(open_page: OpenPage) -> None:
    read = """(canvas, top) => { const { data } = canvas.getContext('2d').getImageData(0, top, canvas.width, 18);
                          const inked = [...data.keys()].filter(i => i % 4 === 0 && data[i + 3] > 200).map(i => data[i]);
                          return inked.reduce((sum, value) => sum + value, 0) / inked.length; }"""
    page = opened(open_page("/layers"))
    above = int(boxes(page)["input0_0"].y) - 20  # where the titles stand
    light = page.locator(f"{THEATRE} .base").evaluate(read, above)
    page.emulate_media(color_scheme="dark")
    page.reload()
    dark = opened(page).locator(f"{THEATRE} .base").evaluate(read, above)
    assert light < 110, "titles are dark on light"
    assert dark > 170, "and light on dark"


def test_a_link_carries_the_cell_at_which_it_stands(open_page: OpenPage) -> None:
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
    other.wait_for_timeout(900)  # in which it would play on, and tell another cell
    shows(other, stood.replace(".", ":"))
    assert address(other) == f"f:2,cell:{stood}"
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
    page.goto(f"{page.url.split('?')[0]}?set=f:2,cell:{stood}")
    opened(page)
    shows(page, stood.removesuffix(".growing").replace(".", ":"))
    expect(root(page)).to_have_attribute("data-playing", "false")
    page.wait_for_timeout(700)
    assert address(page) == f"f:2,cell:{stood}"


def test_a_cell_in_the_address_goes_with_the_settings(open_page: OpenPage) -> None:
    page = opened(open_page("/layers?set=n:6,cell:output0_0.3.3"))
    size = page.locator(".st-key-layers_convolution_n input[type=range]")
    size.press("ArrowRight")
    expect_settings(page, {"n:7"})
    settle(page)
    shows(page, "output0_0:3:3")
    expect_setting(page, "cell:output0_0.3.3")
    for _ in range(2):
        size.press("ArrowLeft")
        settle(page)
    page.wait_for_url(lambda url: "cell" not in url)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    page.goto(page.url.split("?")[0] + "?set=cell:output0_0.30.3")
    settle(page)
    expect(page.get_by_test_id("stAlert")).to_contain_text("output0_0.30.3")


def test_nothing_is_drawn_while_all_is_still(open_page: OpenPage) -> None:
    page = opened(open_page("/layers?set=n:9,ph:1,pw:1"))
    page.evaluate("""() => { const ask = window.requestAnimationFrame; window.asked = 0;
      window.requestAnimationFrame = (draw) => { window.asked += 1; return ask(draw); }; }""")

    def is_still() -> None:
        next_frame(page)
        page.evaluate("window.asked = 0")
        page.wait_for_timeout(500)
        assert page.evaluate("window.asked") <= 1

    def is_drawn() -> None:
        page.evaluate("window.asked = 0")
        page.wait_for_function("window.asked >= 8", polling=50)

    page.locator(f"{THEATRE} .speed").select_option("16")
    hover(page, "output0_0", 1, 1)
    shows(page, "output0_0:1:1")
    expect(root(page)).to_have_attribute("data-playing", "true")
    is_still()  # while a cell is hovered
    page.mouse.move(5, 5)
    expect(root(page)).not_to_have_attribute("data-cell", "output0_0:1:1")
    is_drawn()
    page.locator(f"{THEATRE} .stage").evaluate("stage => { stage.style.marginTop = '3000px'; }")
    expect(page.locator(f"{THEATRE} .stage")).not_to_be_in_viewport()
    is_still()  # while it is out of sight
    page.locator(f"{THEATRE} .stage").evaluate("stage => { stage.style.marginTop = '0'; }")
    is_drawn()


# What is drawn left of the input, and what in it, while seven cells are played.
SIDES = """async canvas => {
  const stage = canvas.parentNode, boxes = JSON.parse(stage.dataset.boxes), pen = canvas.getContext("2d"), seen = new Set();
  const scale = canvas.width / canvas.clientWidth, [, left, top, side] = boxes.find(([key]) => key === "input0");
  const inked = (...place) => pen.getImageData(...place.map((part) => part * scale)).data.some((part) => part > 0);
  let outside = 0, inside = 0;
  for (const end = performance.now() + 15000; seen.size < 7 && performance.now() < end;) {
    await new Promise(requestAnimationFrame);
    seen.add(canvas.closest(".root").dataset.cell);
    outside += inked(0, 0, Math.max(1, left - 4), canvas.clientHeight);
    inside += inked(left, top, side, side);
  }
  return [seen.size, inside, outside]; }"""


def test_the_window_stays_in_the_input_when_rows_change(open_page: OpenPage) -> None:
    page = opened(open_page("/layers?layer=pooling&set=kind:average,n:5,k:3,s:1"))
    page.locator(f"{THEATRE} .speed").select_option("4")  # the fastest at which it glides
    cells, inside, outside = overlay(page).evaluate(SIDES)
    assert cells == 7 and inside > 0 and outside == 0


def test_the_keys_are_described(open_page: OpenPage) -> None:
    page = opened(open_page("/layers"))
    described = page.locator(f"{THEATRE} .stage").get_attribute("aria-description") or ""
    assert all(key in described for key in ("Page up", "Home", "End", "Escape", "Enter"))
    expect(page.locator(f"{THEATRE} .hint")).to_contain_text("Page ↑↓")
    page.locator(f"{THEATRE} .stage").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**cell**")
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "cell" not in url)
