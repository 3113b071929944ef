"""The Compare page in a real browser: panes that look at the same place, by mouse, by keys and by touch, without the server."""

import io
import json
import re
import urllib.request
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from segdemo.data.nuclei_like import draw_nuclei

from .conftest import settle

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]
TWO = "models=unet%2Fnuclei-small%2Cmnist_cnn%2Fnuclei&sample=nuclei-stained"


def passes(server: str) -> int:
    with urllib.request.urlopen(f"{server}/api/ready") as answer:
        return int(json.load(answer)["passes"])


def root(page: Page, key: str = "panes") -> Locator:
    """The component, once it shows what it was last given."""
    settle(page)
    found = page.locator(f".st-key-{key} .root[data-ready]")
    found.wait_for()
    return found


def compared(open_page: OpenPage, query: str = TWO, **size: int) -> tuple[Page, Locator]:
    page = open_page(f"/compare?{query}", **size)
    return page, root(page)


def drawn(panes: Locator) -> list[str]:
    """What each canvas shows, as one text each; after the frame in which it is drawn."""
    return panes.evaluate(  # type: ignore[no-any-return]
        """root => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() =>
            done([...root.querySelectorAll('canvas')].map(canvas => canvas.toDataURL())))))"""
    )


def set_range(slider: Locator, value: float) -> None:
    slider.evaluate("(e, v) => { e.value = v; e.dispatchEvent(new Event('input')); }", value)


def zoom(panes: Locator) -> float:
    drawn(panes)
    return float(panes.get_attribute("data-zoom") or 0)


def hover(page: Page, canvas: Locator, fx: float, fy: float) -> None:
    box = canvas.bounding_box()
    assert box
    page.mouse.move(box["x"] + fx * box["width"], box["y"] + fy * box["height"])


def test_all_panes_zoom_move_and_answer_together_without_the_server(open_page: OpenPage, server: str) -> None:
    page, panes = compared(open_page)
    before = passes(server)
    overlaid = drawn(panes)
    assert len(overlaid) == 2
    assert overlaid[0] != overlaid[1], "two networks see different things"
    set_range(panes.get_by_role("slider", name="Opacity"), 0)
    whole = drawn(panes)
    assert whole[0] == whole[1], "under both lies the same picture"
    hover(page, panes.locator("canvas").nth(0), 0.7, 0.3)
    expect(panes.locator(".answer:visible")).to_have_count(2)
    expect(panes.locator(".status")).to_contain_text("Truth:")
    assert "%" in panes.locator(".answer").nth(1).inner_text()
    page.mouse.wheel(0, -240)
    assert zoom(panes) > 1.2
    closer = drawn(panes)
    assert closer[0] == closer[1] != whole[0]
    page.mouse.down()
    hover(page, panes.locator("canvas").nth(0), 0.4, 0.5)
    page.mouse.up()
    there = drawn(panes)
    assert there[0] == there[1] != closer[0]
    near = zoom(panes)
    for mode in ("Outlines", "Difference", "Errors", "Areas"):
        panes.get_by_role("button", name=mode, exact=True).click()
        assert zoom(panes) == near
    assert passes(server) == before, "looking asks no network"


def test_each_way_to_draw_shows_what_it_says(open_page: OpenPage) -> None:
    page, panes = compared(open_page)
    legend, mouse_away = panes.locator(".legend"), lambda: page.mouse.move(2, 2)
    expect(legend).to_have_text("nucleus")
    shown = [drawn(panes)]
    for mode, words in (("Outlines", "nucleus"), ("Difference", "only here"), ("Errors", "missed (FN)")):
        panes.get_by_role("button", name=mode, exact=True).click()
        mouse_away()
        expect(legend).to_contain_text(words)
        shown.append(drawn(panes))
    assert len({canvases[1] for canvases in shown}) == 4
    assert shown[2][0] == shown[0][0], "the reference of a difference is shown as it is"
    panes.get_by_role("button", name="Truth", exact=True).click()
    expect(panes.locator("figure")).to_have_count(3)
    panes.get_by_role("button", name="Picture", exact=True).click()
    expect(panes.locator("figure")).to_have_count(4)


def test_keys_zoom_move_probe_and_blink(open_page: OpenPage) -> None:
    page, panes = compared(open_page)
    panes.locator(".grid").focus()
    for _press in range(3):
        page.keyboard.press("+")
    assert zoom(panes) > 2
    before = drawn(panes)
    page.keyboard.press("ArrowRight")
    assert drawn(panes) != before
    page.keyboard.press("Shift+ArrowRight")
    expect(panes.locator(".said")).to_contain_text("U-Net · small:")
    expect(panes.locator(".answer:visible")).to_have_count(2)
    page.keyboard.press("Escape")
    page.keyboard.press("0")
    assert zoom(panes) == 1
    page.keyboard.press("Space")
    name = panes.locator(".side.left")
    expect(name).to_have_text("MNIST CNN")
    expect(name).to_have_text("U-Net · small")
    page.keyboard.press("Space")
    expect(panes.get_by_role("button", name="Blink (space)")).to_be_visible()
    still = name.inner_text()
    page.wait_for_timeout(900)
    assert name.inner_text() == still, "space stops it"
    page.keyboard.press("Enter")
    expect(name).not_to_have_text(still)


def test_space_after_a_click_on_blink_stops_and_goes_on(open_page: OpenPage) -> None:
    page, panes = compared(open_page)
    panes.get_by_role("button", name="Blink", exact=True).click()
    expect(panes.get_by_role("button", name="Stop (space)")).to_be_visible()
    page.keyboard.press("Space")
    expect(panes.get_by_role("button", name="Blink (space)")).to_be_visible()
    page.keyboard.press("Space")
    expect(panes.get_by_role("button", name="Stop (space)")).to_be_visible()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(panes.locator("canvas")).to_have_count(2)


def test_a_drag_that_the_browser_takes_away_lets_go(open_page: OpenPage) -> None:
    page, panes = compared(open_page)
    for name in ("Arrangement", "Drawn over the picture", "More panes", "Zoom"):
        expect(panes.get_by_role("group", name=name, exact=True)).to_have_count(1)
    panes.get_by_role("button", name="Zoom in (+)").click()
    frame = panes.locator(".frame").nth(0)
    hover(page, frame, 0.5, 0.5)
    page.mouse.down()
    hover(page, frame, 0.3, 0.4)
    expect(panes.locator(".frame.held")).to_have_count(1)
    frame.evaluate("e => e.dispatchEvent(new PointerEvent('pointercancel', { pointerId: 1, pointerType: 'mouse' }))")
    expect(panes.locator(".frame.held")).to_have_count(0)
    page.mouse.up()


def test_a_picture_that_cannot_be_fetched_is_said_and_logged(open_page: OpenPage) -> None:
    page = open_page("/")
    logged: list[str] = []
    page.on("console", lambda message: logged.append(message.text) if message.type == "error" else None)
    page.route("**/media/**", lambda route: route.abort())
    page.goto(page.url.split("?")[0].rstrip("/") + f"/compare?{TWO}")
    expect(page.locator(".st-key-panes .status")).to_contain_text("could not be loaded", timeout=60_000)
    assert any("Failed to load resource" not in text for text in logged), "the reason, too"


def test_before_and_after_with_any_two(open_page: OpenPage) -> None:
    page, panes = compared(open_page)
    panes.get_by_role("button", name="Before / after").click()
    panes.get_by_label("First", exact=True).select_option(label="Picture")
    panes.get_by_label("Second", exact=True).select_option(label="Truth")
    expect(panes.locator(".side.left")).to_have_text("Picture")
    expect(panes.locator(".side.right")).to_have_text("Truth")
    middle = drawn(panes)
    handle = panes.get_by_role("slider", name="Divider between the two")
    handle.focus()
    page.keyboard.press("Home")
    expect(handle).to_have_attribute("aria-valuenow", "0")
    assert drawn(panes) != middle
    box, frame = handle.bounding_box(), panes.locator("canvas").bounding_box()
    assert box and frame
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(frame["x"] + 0.25 * frame["width"], frame["y"] + 60)
    page.mouse.up()
    expect(handle).to_have_attribute("aria-valuenow", "25")


def test_by_touch_on_a_phone(open_page: Callable[..., Page]) -> None:
    page = open_page(f"/compare?{TWO}", phone=True)
    panes = root(page)
    first, second = (panes.locator("canvas").nth(i).bounding_box() for i in range(2))
    assert first and second
    assert abs(first["y"] - second["y"]) < 2, "two columns"
    assert second["x"] + second["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    panes.locator("canvas").nth(0).scroll_into_view_if_needed()
    box = panes.locator("canvas").nth(0).bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.touchscreen.tap(x, y)
    expect(panes.locator(".answer:visible")).to_have_count(2)
    touch = page.context.new_cdp_session(page)

    def fingers(kind: str, apart: int) -> None:
        points = [] if kind == "touchEnd" else [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", 15)
    for apart in (20, 30, 45):
        fingers("touchMove", apart)
    fingers("touchEnd", 0)
    assert zoom(panes) > 2


def test_settings_keep_the_zoom_and_a_new_line_up_fills_the_widgets_anew(open_page: OpenPage) -> None:
    page, panes = compared(open_page)
    panes.get_by_role("button", name="Zoom in (+)").click()
    near = zoom(panes)
    assert near > 1
    page.locator("[class*=st-key-candidate_0_] button:visible").click()
    page.get_by_role("slider", name="Threshold").press("ArrowRight")
    page.wait_for_url("**threshold%3D0.51**")
    panes = root(page)
    assert zoom(panes) == near
    expect(panes.locator("figure").nth(0)).to_contain_text("IoU")
    page.keyboard.press("Escape")
    page.locator("[class*=st-key-lineups_] button:visible").click()
    page.get_by_role("button", name="U-Net at three thresholds").click()
    expect(panes.locator("figure")).to_have_count(3)
    page.get_by_text("Disagreement", exact=True).click()
    heat = root(page, "disagreement_panes")
    assert "models=unet%2Fnuclei%40threshold%3D0.3%2Cunet%2Fnuclei%2Cunet%2Fnuclei%40threshold%3D0.7" in page.url
    assert zoom(heat) == near, "another view looks at the same place"
    hover(page, heat.locator("canvas").nth(0), 0.5, 0.5)
    expect(heat.locator(".answer").nth(0)).to_contain_text("of pairs differ")


def test_a_picture_of_ones_own_goes_through_all_networks(open_page: OpenPage) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(draw_nuclei(120, 160, seed=5)[0])).save(buffer, "PNG")
    page, panes = compared(open_page)
    before = drawn(panes)
    page.locator(".st-key-uploads input[type=file]").set_input_files(
        [{"name": "mine.png", "mimeType": "image/png", "buffer": buffer.getvalue()}]
    )
    page.get_by_text("mine.png").first.wait_for()
    expect(page.locator(".st-key-compare_mask")).to_be_visible()
    panes = root(page)
    assert drawn(panes) != before
    expect(panes.locator("figure")).to_have_count(2)
    expect(panes.get_by_role("button", name="Errors", exact=True)).to_have_count(0)


@pytest.mark.parametrize("views", [["Cost", "Panes"], ["Disagreement", "Scores", "Cost", "Panes"]])
def test_a_chip_opened_late_shows_its_candidates_settings_and_writes_only_what_is_changed(
    open_page: OpenPage, views: list[str]
) -> None:
    page, _panes = compared(open_page, "models=unet/nuclei-small,mnist_cnn/nuclei@threshold=0.7@scale=0.5&sample=nuclei-stained")
    for view in views:
        page.locator(".st-key-compare").get_by_text(view, exact=True).click()
        settle(page)
    root(page)
    page.locator("[class*=st-key-candidate_1_] button:visible").click()
    threshold = page.get_by_role("slider", name="Threshold")
    expect(threshold).to_have_value("70")
    expect(page.get_by_role("slider", name="Input scale")).to_have_attribute("aria-valuetext", "0.5 ×")
    popover = page.locator("[data-testid=stPopoverBody]:visible")
    expect(popover.locator("input").first).to_have_value(re.compile("^MNIST"))
    expect(popover.locator("[aria-checked=true]")).to_have_text("automatic")
    threshold.press("ArrowRight")
    page.wait_for_url("**threshold%3D0.71**")
    settle(page)
    models = parse_qs(urlsplit(page.url).query)["models"]
    assert models == ["unet/nuclei-small,mnist_cnn/nuclei@threshold=0.71@scale=0.5"]
    expect(threshold).to_have_value("71")


def test_panes_fill_their_rows_and_the_last_row_is_in_the_middle(open_page: OpenPage) -> None:
    cuts = ",".join(f"mnist_cnn/nuclei@threshold={cut}" for cut in (0.3, 0.4, 0.5))
    _page, panes = compared(open_page, f"models={cuts}&sample=nuclei-stained", width=390, height=844)
    boxes = [panes.locator("figure").nth(i).bounding_box() for i in range(3)]
    (left, right, last) = (box for box in boxes if box)
    assert left["y"] == right["y"] < last["y"]
    assert last["x"] + last["width"] / 2 == pytest.approx((left["x"] + right["x"] + right["width"]) / 2, abs=1)
