"""Receptive field and Shape walk in a browser: mouse, touch, keyboard, play, both themes, a phone; nothing complains."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import settle

pytestmark = pytest.mark.browser
FIELD, WALK = ".st-key-layers_field_stack", ".st-key-layers_shapes_walk"


@pytest.fixture
def touch_page(server: str, browser: Browser) -> Iterator[Callable[[str, bool], Page]]:
    """Open a path on a phone that has fingers and no mouse."""
    contexts = []

    def open_path(path: str, dark: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": 390, "height": 844}, color_scheme="dark" if dark else "light", has_touch=True, is_mobile=True
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(45_000)
        page.goto(server + path)
        settle(page)
        return page

    yield open_path
    for context in contexts:
        context.close()


def address(page: Page) -> str:
    return page.url.replace("%3A", ":").replace("%2C", ",")


def expect_focus(page: Page, view: str) -> None:
    """What has the focus inside of a component shows that by an outline."""
    found = page.locator(f"{view} :focus-visible").first
    expect(found).to_be_visible()
    assert found.evaluate("(node) => getComputedStyle(node).outlineStyle") == "solid"


def fits(page: Page, width: int) -> None:
    """Neither the page nor the main part scrolls sideways."""
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.get_by_test_id("stMain").evaluate("(box) => box.scrollWidth - box.clientWidth") <= 0


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
    assert page.locator(f"{FIELD} .said").inner_text().startswith("Conv 3×3 sees 38")  # what the mouse passed was not said
    page.locator(f"{FIELD} .control").click()
    expect(page.locator(f"{FIELD} .control")).to_have_attribute("aria-label", "Pause")
    expect(page.locator(f"{FIELD} tr[aria-selected=true] td").first).to_have_text("2", timeout=4000)
    assert "at:" not in address(page)  # while it plays
    page.locator(f"{FIELD} .control").click()
    expect(page.locator(f"{FIELD} .control")).to_have_attribute("aria-label", "Watch it grow")
    stopped = selected(page, FIELD)
    expect(page).to_have_url(re.compile(rf"at(:|%3A){stopped}"))


@pytest.mark.parametrize("dark", [False, True])
def test_both_views_by_mouse_and_keyboard_on_a_screen(open_page: Callable[..., Page], dark: bool) -> None:
    page = open_page("/layers?layer=field&set=stack:pooled", 1366, 768, dark)
    fits(page, 1366)
    row = page.locator(f"{FIELD} tbody tr").nth(1)
    row.click()
    expect(page.locator(f"{FIELD} .line")).to_contain_text("Max-pool 2×2 sees 4 × 4 px")
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"{FIELD} .line")).to_contain_text("Conv 3×3 sees 8 × 8 px")
    expect_focus(page, FIELD)
    expect(page).to_have_url(re.compile("at(:|%3A)3"))
    settle(page)
    assert selected(page, FIELD) == "3"
    expect_focus(page, FIELD)  # still, after the address was written
    page.get_by_text("Shape walk", exact=True).click()
    settle(page)
    fits(page, 1366)
    page.locator(f"{WALK} tbody tr").nth(1).click()
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"{WALK} .line")).to_contain_text("3 Max-pooling")
    settle(page)
    expect_focus(page, WALK)
    assert "line:3" in address(page)
    page.locator(f"{WALK} .drawing").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(f"{WALK} .line")).to_contain_text("4 Convolution")
    expect_focus(page, WALK)


@pytest.mark.parametrize("dark", [False, True])
def test_both_views_by_touch_on_a_phone(touch_page: Callable[[str, bool], Page], dark: bool) -> None:
    page = touch_page("/layers?layer=field&set=stack:pooled", dark)
    fits(page, 390)
    page.locator(f"{FIELD} tbody tr").nth(2).tap()
    expect(page.locator(f"{FIELD} .line")).to_contain_text("Conv 3×3 sees 8 × 8 px")
    expect(page).to_have_url(re.compile("at(:|%3A)3"))
    assert page.locator(f"{FIELD} .table").evaluate("(box) => box.scrollWidth - box.clientWidth") <= 0
    page.locator(f"{FIELD} .acts .remove").tap()
    expect(page.locator(f"{FIELD} tbody tr")).to_have_count(6)
    settle(page)
    page.get_by_role("button", name="Undo").tap()
    expect(page.locator(f"{FIELD} tbody tr")).to_have_count(7)
    assert selected(page, FIELD) == "3"
    page.get_by_text("Shape walk", exact=True).tap()
    settle(page)
    fits(page, 390)
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


def test_an_encoder_is_asked_about_by_touch_on_a_phone(touch_page: Callable[[str, bool], Page]) -> None:
    page = touch_page("/layers?layer=field&set=from:network,predict:1,ask:encoder3", True)
    cells = page.locator(".st-key-layers_field_network tbody tr td:nth-child(3)")
    expect(cells).to_have_text(["5", "14", "?", "?", "?"])
    page.get_by_text("32 × 32", exact=True).first.tap()
    settle(page)
    expect(cells.nth(2)).to_have_text("32")
    expect(page.get_by_text("Right.", exact=False).first).to_be_visible()
    page.locator(".st-key-layers_field_network tbody tr").nth(1).tap()
    expect(page).to_have_url(re.compile("look(:|%3A)encoder2"))
    settle(page)
    expect(page.get_by_text("Right.", exact=False).first).to_be_visible()  # another stage is looked at, and nothing else asked
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
    page.get_by_role("button", name="Undo").click()
    settle(page)
    expect(page.locator(f"{FIELD} tbody tr")).to_have_count(2)
    assert selected(page, FIELD) == "1"


def test_a_link_opens_at_its_layer_and_a_later_choice_of_the_visitor_counts(open_page: Callable[..., Page]) -> None:
    page = open_page("/layers?layer=field&set=stack:pooled,at:2")
    assert selected(page, FIELD) == "2"
    page.locator(f"{FIELD} tbody tr").nth(4).click()
    page.wait_for_timeout(600)  # sent: while the answer is on its way another one is chosen
    page.locator(f"{FIELD} tbody tr").nth(5).click()
    expect(page).to_have_url(re.compile("at(:|%3A)6"))
    assert selected(page, FIELD) == "6"


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
def test_on_a_phone_nothing_is_cut_off_and_taps_work(touch_page: Callable[[str, bool], Page], dark: bool) -> None:
    page = touch_page("/layers?layer=shapes&set=lines:odd,line:18", dark)
    expect(page.locator(f"{WALK} tr.wrong")).to_contain_text("57 against 56; crop or pad")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator(f"{WALK} .table").evaluate("(box) => box.scrollWidth - box.clientWidth") <= 1
    chosen = page.locator(f"{WALK} g.block[aria-current=true]").bounding_box()
    assert chosen is not None and chosen["x"] >= 0 and chosen["x"] + chosen["width"] <= 390  # the drawing was moved there
    page.get_by_role("button", name="Crop the larger").tap()
    settle(page)
    expect(page.locator(f"{WALK} tbody tr").last).to_contain_text("2 × 56 × 56")


def test_the_line_is_where_quick_arrow_keys_left_it(open_page: Callable[..., Page]) -> None:
    page = open_page("/layers?layer=shapes")
    page.locator(f"{WALK} tbody tr").first.click()
    for _press in range(4):
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(60)
    assert selected(page, WALK) == "5"
    expect(page).to_have_url(re.compile("line(:|%3A)5"))
    settle(page)
    assert selected(page, WALK) == "5"
    expect(page.locator(f"{WALK} tbody tr td.text").nth(4)).to_have_text("maxpool k2")
