"""Spoil the mask in a real browser: strokes by mouse, touch and keys change the Dice, are taken back, and outlive the page."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .conftest import serving, settle

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

APP = """
from pathlib import Path
import streamlit as st
from starlette.routing import Route
from segdemo.ui.media import serve_media
app = st.App(Path(__file__).with_name("page.py"), routes=[Route("/api/media/{token:str}", serve_media)])
"""
PAGE = """
import streamlit as st
from segdemo.ui.losses_spoil import show_spoil
st.set_page_config(layout="wide")
if st.toggle("Elsewhere", key="elsewhere"):
    st.write("Another page.")
else:
    show_spoil()
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that shows this view and nothing else."""
    folder = tmp_path_factory.mktemp("painter")
    (folder / "app.py").write_text(APP)
    (folder / "page.py").write_text(PAGE)
    with serving(folder / "app.py", folder) as address:
        yield address


@pytest.fixture
def show(demo: str, browser: Browser) -> Iterator[Open]:
    """Open the view; whatever the browser complains about fails the test."""
    contexts, complaints = [], []

    def open_view(width: int = 1366, touch: bool = False) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 768}, has_touch=touch)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.set_default_timeout(30_000)
        page.goto(demo)
        settle(page)
        page.wait_for_selector(".st-key-spoil_painter .root[data-ready]")
        return page

    yield open_view
    for context in contexts:
        context.close()
    assert not complaints


def dice(page: Page) -> Locator:
    return page.locator('.st-key-spoil_scores [data-testid="stMetricValue"]').first


def frame(page: Page, panel: str = "prediction") -> Locator:
    return page.locator(f".st-key-spoil_painter figure[data-key={panel}] .frame")


def tool(page: Page, name: str) -> Locator:
    return page.locator(f".st-key-spoil_painter .tool.{name}")


def drag(page: Page, target: Locator, *places: tuple[float, float]) -> None:
    """With the button held, through places in fractions of an element."""
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box
    points = [(box["x"] + fx * box["width"], box["y"] + fy * box["height"]) for fx, fy in places]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=6)
    page.mouse.up()


def changes(page: Page, act: Callable[[], object]) -> str:
    """The Dice once an action has changed it."""
    before = dice(page).inner_text()
    act()
    expect(dice(page)).not_to_have_text(before)
    settle(page)
    return dice(page).inner_text()


def choose(page: Page, title: str) -> None:
    box = page.locator(".st-key-spoil_truth").get_by_role("combobox")
    box.click()
    box.fill(title)
    box.press("Enter")
    settle(page)


def test_a_stroke_changes_dice_and_is_taken_back(show: Open) -> None:
    page = show()
    start = dice(page).inner_text()
    expect(tool(page, "undo")).to_be_disabled()
    painted = changes(page, lambda: drag(page, frame(page), (0.05, 0.5), (0.95, 0.5)))
    assert float(painted) < float(start)
    opaque = "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((v, i) => i % 4 === 3 && v).length"
    pixels = frame(page).locator("canvas").evaluate(opaque)
    assert pixels == 0, "what the server has is no longer drawn on top"
    tool(page, "erase").click()
    expect(tool(page, "erase")).to_have_attribute("aria-pressed", "true")
    erased = changes(page, lambda: drag(page, frame(page), (0.05, 0.3), (0.95, 0.3)))
    assert changes(page, lambda: tool(page, "undo").click()) == painted != erased
    assert changes(page, lambda: tool(page, "clear").click()) == start


def test_many_strokes_at_once_all_arrive(show: Open) -> None:
    page = show()
    for k in range(8):
        drag(page, frame(page), (0.1, 0.1 + 0.1 * k), (0.9, 0.1 + 0.1 * k))
    note = page.locator(".st-key-spoil_painter figure[data-key=prediction] .note")
    expect(note).to_have_text(re.compile(r"painted strokes: 8"))


def test_keys_paint_as_well(show: Open) -> None:
    page = show()
    start = dice(page).inner_text()
    frame(page).focus()
    for _press in range(4):
        page.keyboard.press("Shift+ArrowLeft")

    def line() -> None:
        page.keyboard.press("Enter")
        for _step in range(6):
            page.keyboard.press("Shift+ArrowDown")
        page.keyboard.press("Enter")

    drawn = changes(page, line)
    assert float(drawn) < float(start)
    page.keyboard.press("e")
    expect(tool(page, "erase")).to_have_attribute("aria-pressed", "true")
    for _press in range(10):
        page.keyboard.press("]")
    expect(page.locator(".st-key-spoil_painter .size b")).to_have_text("29 px")
    changes(page, lambda: page.keyboard.press("Space"))
    changes(page, lambda: page.keyboard.press("Control+z"))
    assert changes(page, lambda: page.keyboard.press("Control+z")) == start
    expect(frame(page)).to_have_attribute("aria-label", re.compile("Arrow keys move the brush"))


def test_a_truth_of_ones_own_and_a_prediction_of_it_by_touch(show: Open) -> None:
    page = show(width=600, touch=True)
    choose(page, "Painted by you")
    expect(dice(page)).to_have_text("–")

    def tap() -> None:
        frame(page, "truth").scroll_into_view_if_needed()
        box = frame(page, "truth").bounding_box()
        assert box
        page.touchscreen.tap(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])

    found = changes(page, tap)
    assert 0 < float(found) < 1  # shifted, as the page opens
    before = page.locator(".st-key-spoil_painter figure[data-key=prediction] img").get_attribute("src")
    changes(page, lambda: drag(page, frame(page), (0.2, 0.2), (0.8, 0.8)))
    assert page.locator(".st-key-spoil_painter figure[data-key=prediction] img").get_attribute("src") != before


def test_strokes_and_settings_outlive_the_page_and_a_story_starts_clean(show: Open) -> None:
    page = show()
    start = dice(page).inner_text()
    painted = changes(page, lambda: drag(page, frame(page), (0.05, 0.5), (0.95, 0.5)))
    page.locator(".st-key-elsewhere label").first.click()
    settle(page)
    expect(frame(page)).to_have_count(0)
    page.locator(".st-key-elsewhere label").first.click()
    settle(page)
    expect(dice(page)).to_have_text(painted)
    changes(page, lambda: drag(page, frame(page), (0.05, 0.2), (0.95, 0.2)))  # a painter that was made anew counts from 1 again
    changes(page, lambda: tool(page, "undo").click())
    assert changes(page, lambda: tool(page, "clear").click()) == start
    page.locator(".st-key-story_happy button").first.click()
    settle(page)
    expect(dice(page)).to_have_text("0.000")
    expect(page.get_by_text("yet cross entropy is 0.06")).to_be_visible()
    changes(page, lambda: drag(page, frame(page), (0.2, 0.3), (0.3, 0.3)))
    expect(page.get_by_text("yet cross entropy is 0.06")).to_have_count(0)
    page.locator(".st-key-story_happy button").first.click()
    expect(page.get_by_text("yet cross entropy is 0.06")).to_be_visible()
