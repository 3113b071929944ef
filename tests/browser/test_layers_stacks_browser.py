"""Receptive field and Shape walk in a browser: mouse, touch, keyboard, play, both themes, a phone; nothing complains."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import settle

pytestmark = pytest.mark.browser
FIELD, WALK = ".st-key-layers_field_stack", ".st-key-layers_shapes_walk"


def selected(page: Page, view: str) -> str:
    return page.locator(f"{view} tr[aria-selected=true] td").first.inner_text()


def mean_ink(page: Page) -> float:
    """How much of the input's canvas is in the colour of the field that is looked at."""
    return float(
        page.locator(f"{FIELD} canvas").evaluate("""(canvas) => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        let found = 0;
        for (let n = 0; n < data.length; n += 4) found += Math.abs(data[n] - 213) + Math.abs(data[n + 1] - 94) + data[n + 2] < 12;
        return found / canvas.width;
    }""")
    )


def test_the_field_grows_by_keyboard_mouse_and_play(open_page: Callable[..., Page]) -> None:
    page = open_page("/layers?layer=field&set=stack:pooled")
    rows = page.locator(f"{FIELD} tbody tr")
    expect(rows).to_have_count(7)
    assert selected(page, FIELD) == "7"
    rows.nth(6).focus()
    page.keyboard.press("Home")
    assert selected(page, FIELD) == "1"
    page.wait_for_timeout(500)
    small = mean_ink(page)
    page.keyboard.press("End")
    page.wait_for_timeout(500)
    assert mean_ink(page) > 3 * small > 0
    rows.nth(2).hover()
    assert selected(page, FIELD) == "3"
    page.mouse.move(5, 5)
    assert selected(page, FIELD) == "7"
    page.locator(f"{FIELD} .control").click()
    page.wait_for_function("document.querySelector('.st-key-layers_field_stack').querySelector('div') !== null")
    expect(page.locator(f"{FIELD} tr[aria-selected=true] td").first).to_have_text("2", timeout=4000)


def test_an_encoder_is_asked_about_by_touch_on_a_phone(open_page: Callable[..., Page]) -> None:
    page = open_page("/layers?layer=field&set=from:network,predict:1,ask:encoder3", 390, 844, True)
    cells = page.locator(".st-key-layers_field_network tbody tr td:nth-child(3)")
    expect(cells).to_have_text(["5", "14", "?", "?", "?"])
    page.get_by_text("32 × 32", exact=True).first.click()
    settle(page)
    expect(cells.nth(2)).to_have_text("32")
    expect(page.get_by_text("Right.", exact=False).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_text_that_cannot_be_read_dims_the_network_and_says_so(open_page: Callable[..., Page]) -> None:
    page = open_page("/layers?layer=shapes&set=edit:text")
    page.locator("textarea").first.fill("input 1 28 28\nconv 32 =a")
    page.locator("textarea").first.press("Control+Enter")
    settle(page)
    expect(page.locator(f"{WALK} .note")).to_have_text("The last network that could be read")
    assert float(page.locator(f"{WALK} .table").evaluate("(box) => getComputedStyle(box).opacity")) < 0.6


def test_layers_are_moved_and_removed(open_page: Callable[..., Page]) -> None:
    page = open_page("/layers?layer=field&set=stack:c3.m2")
    page.locator(f"{FIELD} .acts .up").click()
    settle(page)
    expect(page.locator(f"{FIELD} tbody tr td:nth-child(2)").first).to_have_text("Max-pool 2×2")
    assert selected(page, FIELD) == "1" and "stack:m2.c3" in page.url.replace("%3A", ":")
    page.locator(f"{FIELD} tr[aria-selected=true]").press("Delete")
    settle(page)
    expect(page.locator(f"{FIELD} tbody tr")).to_have_count(1)


def test_a_line_is_chosen_in_table_and_drawing(open_page: Callable[..., Page]) -> None:
    page = open_page("/layers?layer=shapes")
    page.locator(f"{WALK} tbody tr").nth(3).click()
    settle(page)
    expect(page.get_by_label("Out", exact=False).first).to_have_value("64")
    page.keyboard.press("Tab")
    page.locator(f"{WALK} tr[aria-selected=true]").focus()
    page.keyboard.press("ArrowDown")
    settle(page)
    assert selected(page, WALK) == "5"
    page.locator(f"{WALK} g.block").nth(1).click()
    settle(page)
    assert selected(page, WALK) == "2" and "line:2" in page.url.replace("%3A", ":")


@pytest.mark.parametrize("dark", [False, True])
def test_on_a_phone_nothing_is_cut_off_and_taps_work(open_page: Callable[..., Page], dark: bool) -> None:
    page = open_page("/layers?layer=shapes&set=lines:odd", 390, 844, dark)
    expect(page.locator(f"{WALK} tr.wrong")).to_contain_text("57 against 56; crop or pad")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator(f"{WALK} .table").evaluate("(box) => box.scrollWidth - box.clientWidth") <= 1
    page.get_by_role("button", name="Crop the larger").click()
    settle(page)
    expect(page.locator(f"{WALK} tbody tr").last).to_contain_text("2 × 56 × 56")
