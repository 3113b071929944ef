"""How soon a changed setting of the Layers page is on screen, beside a page that is a slider and its number.

The bare page is the least that Streamlit and the browser need; both are measured in turns in one run, while the layer plays.
"""

import statistics
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from ..browser.conftest import browser, open_page, server, serving, settle

__all__ = ["browser", "open_page", "server"]  # fixtures

pytestmark = pytest.mark.benchmark
ROUNDS, PARTS = 16, 3
BARE = """
import streamlit as st
value = st.slider("A number", 3, 9, 5)
st.markdown(f"⌊{value}⌋")
"""
# What a key does, to the first frame in which a formula has changed. A theatre's text stands behind a shadow root.
WATCH = """() => {
  const formulas = (node) => [node.shadowRoot, ...node.childNodes].filter(Boolean).map((child) =>
    child.nodeType === Node.TEXT_NODE ? (child.data.includes("⌊") ? child.data : "") : formulas(child)).join("");
  const main = document.querySelector('[data-testid="stMain"]');
  window.times = [];
  addEventListener("keydown", () => {
    const start = performance.now(), before = formulas(main);
    const look = () => (formulas(main) === before ? requestAnimationFrame(look) : window.times.push(performance.now() - start));
    look();
  }, true);
}"""
FRAMES = """() => new Promise((resolve) => {
  const times = [], between = () => times.slice(1).map((time, i) => time - times[i]);
  const frame = (now) => (times.push(now) < 181 ? requestAnimationFrame(frame) : resolve(between()));
  requestAnimationFrame(frame);
})"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("bare")
    (folder / "app.py").write_text(BARE)
    with serving(folder / "app.py", folder) as address:
        yield address


def on_screen_ms(page: Page) -> list[float]:
    """Milliseconds from each press of an arrow key on the first slider to the frame with the new formula."""
    page.wait_for_timeout(1500)
    page.locator('[data-testid="stSlider"]').first.locator('[role="slider"], input').first.focus()
    page.evaluate(WATCH)
    for index in range(ROUNDS):
        page.keyboard.press("ArrowLeft" if index % 2 else "ArrowRight")
        page.wait_for_function("n => window.times.length > n", arg=index)
        page.wait_for_timeout(250)
    times: list[float] = page.evaluate("window.times")
    return times[2:]


def told(what: str, times: list[float]) -> None:
    print(f"\n{what} {statistics.median(times):.1f} ms, nine of ten within {statistics.quantiles(times, n=10)[-1]:.1f}", end="")


def test_a_changed_setting_against_a_bare_page(open_page: Callable[..., Page], bare: str) -> None:
    ours: list[float] = []
    least: list[float] = []
    for _part in range(PARTS):
        page = open_page("/layers")
        ours += on_screen_ms(page)
        page.goto(bare)
        settle(page)
        least += on_screen_ms(page)
        page.context.close()
    told("Layers: key to screen", ours)
    told("bare page: key to screen", least)
    print(f"\nratio of the medians {statistics.median(ours) / statistics.median(least):.2f}")
    assert statistics.median(ours) < 4 * statistics.median(least)


def test_frames_while_the_layer_plays_against_a_page_at_rest(open_page: Callable[..., Page], bare: str) -> None:
    page = open_page("/layers")
    page.wait_for_timeout(1500)
    playing: list[float] = page.evaluate(FRAMES)
    page.goto(bare)
    settle(page)
    resting: list[float] = page.evaluate(FRAMES)
    told("frames while playing", playing)
    told("frames at rest", resting)
    assert statistics.median(playing) < 1.1 * statistics.median(resting)
