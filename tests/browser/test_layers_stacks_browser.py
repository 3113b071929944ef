"""Receptive field and Shape walk in a browser: mouse, touch, keyboard, play, both themes, a phone; nothing complains."""

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import settle
from .layers_theatre import OpenPage, address, expect_setting, is_not_cut_off

pytestmark = pytest.mark.browser
FIELD, WALK = ".st-key-layers_field_stack", ".st-key-layers_shapes_walk"


def expect_focus(page: Page, view: str) -> None:
    """What has the focus inside of a component shows that by an outline."""
    found = page.locator(f"{view} :focus-visible").first
    expect(found).to_be_visible()
    assert found.evaluate("(node) => getComputedStyle(node).outlineStyle") == "solid"


def number(page: Page, view: str) -> Locator:
    """The number of the layer or line that is looked at."""
    return page.locator(f"{view} tr[aria-selected=true] td").first


def mean_ink(page: Page) -> float:
    """How much of the input's canvas is in the colour of the field that is looked at, once it has stopped growing."""
    return float(
        page.locator(f"{FIELD} canvas").evaluate("""async (canvas) => {
        const ink = () => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let found = 0;
          const away = (n) => Math.abs(data[n] - 213) + Math.abs(data[n + 1] - 94) + data[n + 2];
          for (let n = 0; n < data.length; n += 4) found += away(n) < 12;
          return found / canvas.width;
        };
        const wait = () => new Promise((done) => setTimeout(() => requestAnimationFrame(done), 120));
        let before = -1, now = 0;
        for (let turn = 0; turn < 50 && now !== before; turn++) { before = now; await wait(); now = ink(); }
        return now;
    }""")
    )


def test_the_field_grows_by_keyboard_mouse_and_play(open_page: OpenPage) -> None:
    page = open_page("/layers?layer=field&set=stack:pooled")
    rows = page.locator(f"{FIELD} tbody tr")
    expect(rows).to_have_count(7)
    expect(number(page, FIELD)).to_have_text("7")
    rows.nth(6).focus()
    page.keyboard.press("Home")
    expect(number(page, FIELD)).to_have_text("1")
    small = mean_ink(page)
    page.keyboard.press("End")
    assert mean_ink(page) > 3 * small > 0
    rows.nth(2).hover()
    expect(number(page, FIELD)).to_have_text("3")
    page.mouse.move(5, 5)
    expect(number(page, FIELD)).to_have_text("7")
    assert page.locator(f"{FIELD} .said").inner_text().startswith("Conv 3×3 sees 38")  # what the mouse passed was not said
    page.locator(f"{FIELD} .control").click()
    expect(page.locator(f"{FIELD} .control")).to_have_attribute("aria-label", "Pause")
    expect(number(page, FIELD)).to_have_text("2")
    assert "at:" not in address(page)  # while it plays
    page.locator(f"{FIELD} .control").click()
    expect(page.locator(f"{FIELD} .control")).to_have_attribute("aria-label", "Watch it grow")
    stopped = number(page, FIELD).inner_text()
    expect_setting(page, f"at:{stopped}")


def test_both_views_by_mouse_and_keyboard_on_a_screen(open_page: OpenPage) -> None:
    page = open_page("/layers?layer=field&set=stack:pooled")
    is_not_cut_off(page, 1366)
    row = page.locator(f"{FIELD} tbody tr").nth(1)
    row.click()
    expect(page.locator(f"{FIELD} .line")).to_contain_text("Max-pool 2×2 sees 4 × 4 px")
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"{FIELD} .line")).to_contain_text("Conv 3×3 sees 8 × 8 px")
    expect_focus(page, FIELD)
    expect_setting(page, "at:3")
    settle(page)
    expect(number(page, FIELD)).to_have_text("3")
    expect_focus(page, FIELD)  # still, after the address was written
    page.get_by_text("Shape walk", exact=True).click()
    settle(page)
    is_not_cut_off(page, 1366)
    page.locator(f"{WALK} tbody tr").nth(1).click()
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"{WALK} .line")).to_contain_text("3 Max-pooling")
    expect_setting(page, "line:3")
    settle(page)
    expect_focus(page, WALK)
    page.locator(f"{WALK} .drawing").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(f"{WALK} .line")).to_contain_text("4 Convolution")
    expect_focus(page, WALK)


def test_both_views_by_touch_on_a_phone(open_page: OpenPage) -> None:
    page = open_page("/layers?layer=field&set=stack:pooled", dark=True, phone=True)
    is_not_cut_off(page, 390)
    page.locator(f"{FIELD} tbody tr").nth(2).tap()
    expect(page.locator(f"{FIELD} .line")).to_contain_text("Conv 3×3 sees 8 × 8 px")
    expect_setting(page, "at:3")
    assert page.locator(f"{FIELD} .table").evaluate("(box) => box.scrollWidth - box.clientWidth") <= 0
    page.locator(f"{FIELD} .acts .remove").tap()
    expect(page.locator(f"{FIELD} tbody tr")).to_have_count(6)
    settle(page)
    page.get_by_role("button", name="Undo").tap()
    expect(page.locator(f"{FIELD} tbody tr")).to_have_count(7)
    expect(number(page, FIELD)).to_have_text("3")
    page.get_by_text("Shape walk", exact=True).tap()
    settle(page)
    is_not_cut_off(page, 390)
    page.locator(f"{WALK} tbody tr").nth(3).tap()
    expect(page.locator(f"{WALK} .line")).to_contain_text("4 Convolution")
    settle(page)
    row = page.locator(f"{WALK} tbody tr").nth(3)
    right = page.locator(f"{WALK} .table").evaluate("(box) => box.getBoundingClientRect().right")
    for text in ("64 × 14 × 14", "18,496", "49.0 KiB", "3.61 M", "8 px"):  # nothing of a line is out of sight
        cell = row.get_by_text(text, exact=True)
        expect(cell).to_be_visible()
        assert cell.evaluate("(node) => node.getBoundingClientRect().right") <= right
    boxes = page.locator(f"{WALK} svg g > text").evaluate_all("(all) => all.map((node) => node.getBoundingClientRect().toJSON())")
    assert len(boxes) == 7 and min(box["height"] for box in boxes) >= 11
    for n, one in enumerate(boxes):
        assert one["left"] >= 0 and one["right"] <= 390
        assert not any(
            one["left"] < other["right"] and other["left"] < one["right"]
            and one["top"] < other["bottom"] and other["top"] < one["bottom"]
            for other in boxes[:n]
        )  # fmt: skip


def test_an_encoder_is_asked_about_by_touch_on_a_phone(open_page: OpenPage) -> None:
    page = open_page("/layers?layer=field&set=from:network,predict:1,ask:encoder3", phone=True)
    cells = page.locator(".st-key-layers_field_network tbody tr td:nth-child(3)")
    expect(cells).to_have_text(["5", "14", "?", "?", "?"])
    page.get_by_text("32 × 32", exact=True).first.tap()
    settle(page)
    expect(cells.nth(2)).to_have_text("32")
    expect(page.get_by_text("Right.", exact=False).first).to_be_visible()
    page.locator(".st-key-layers_field_network tbody tr").nth(1).tap()
    expect_setting(page, "look:encoder2")
    settle(page)
    expect(page.get_by_text("Right.", exact=False).first).to_be_visible()  # another stage is looked at, and nothing else asked
    is_not_cut_off(page, 390)


def test_a_text_that_cannot_be_read_dims_the_network_and_says_so(open_page: OpenPage) -> None:
    page = open_page("/layers?layer=shapes&set=edit:text")
    page.locator("textarea").first.fill("input 1 28 28\nconv 32 =a")
    page.locator("textarea").first.press("Control+Enter")
    settle(page)
    expect(page.locator(f"{WALK} .note")).to_have_text("The last network that could be read")
    assert float(page.locator(f"{WALK} .table").evaluate("(box) => getComputedStyle(box).opacity")) < 0.6


def test_layers_are_moved_and_removed(open_page: OpenPage) -> None:
    page = open_page("/layers?layer=field&set=stack:c3.m2")
    page.locator(f"{FIELD} .acts .up").click()
    settle(page)
    expect(page.locator(f"{FIELD} tbody tr td:nth-child(2)").first).to_have_text("Max-pool 2×2")
    expect(number(page, FIELD)).to_have_text("1")
    expect_setting(page, "stack:m2.c3")
    page.locator(f"{FIELD} tr[aria-selected=true]").press("Delete")
    settle(page)
    expect(page.locator(f"{FIELD} tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    settle(page)
    expect(page.locator(f"{FIELD} tbody tr")).to_have_count(2)
    expect(number(page, FIELD)).to_have_text("1")


def test_a_link_opens_at_its_layer_and_a_later_choice_of_the_visitor_counts(open_page: OpenPage) -> None:
    page = open_page("/layers?layer=field&set=stack:pooled,at:2")
    expect(number(page, FIELD)).to_have_text("2")
    page.locator(f"{FIELD} tbody tr").nth(4).click()
    page.wait_for_timeout(600)  # sent: while the answer is on its way another one is chosen
    page.locator(f"{FIELD} tbody tr").nth(5).click()
    expect_setting(page, "at:6")
    expect(number(page, FIELD)).to_have_text("6")


def test_a_line_is_chosen_in_table_and_drawing(open_page: OpenPage) -> None:
    page = open_page("/layers?layer=shapes")
    page.locator(f"{WALK} tbody tr").nth(3).click()
    settle(page)
    expect(page.get_by_label("Out", exact=False).first).to_have_value("64")
    page.keyboard.press("Tab")
    page.locator(f"{WALK} tr[aria-selected=true]").focus()
    page.keyboard.press("ArrowDown")
    settle(page)
    expect(number(page, WALK)).to_have_text("5")
    page.locator(f"{WALK} g.block").nth(1).click()
    settle(page)
    expect(number(page, WALK)).to_have_text("2")
    expect_setting(page, "line:2")


def test_on_a_phone_nothing_is_cut_off_and_taps_work(open_page: OpenPage) -> None:
    page = open_page("/layers?layer=shapes&set=lines:odd,line:18", dark=True, phone=True)
    expect(page.locator(f"{WALK} tr.wrong")).to_contain_text("57 and 56; crop or pad")
    is_not_cut_off(page, 390)
    assert page.locator(f"{WALK} .table").evaluate("(box) => box.scrollWidth - box.clientWidth") <= 1
    chosen = page.locator(f"{WALK} g.block[aria-current=true]").bounding_box()
    assert chosen is not None and chosen["x"] >= 0 and chosen["x"] + chosen["width"] <= 390  # the drawing was moved there
    page.get_by_role("button", name="Crop the larger").tap()
    settle(page)
    expect(page.locator(f"{WALK} tbody tr").last).to_contain_text("2 × 56 × 56")


def test_the_line_is_where_quick_arrow_keys_left_it(open_page: OpenPage) -> None:
    page = open_page("/layers?layer=shapes")
    page.locator(f"{WALK} tbody tr").first.click()
    for _press in range(4):
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(60)
    expect(number(page, WALK)).to_have_text("5")
    expect_setting(page, "line:5")
    settle(page)
    expect(number(page, WALK)).to_have_text("5")
    expect(page.locator(f"{WALK} tbody tr td.text").nth(4)).to_have_text("maxpool k2")
