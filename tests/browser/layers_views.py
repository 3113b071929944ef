"""Views of the Layers page as a visitor goes through them: every part opened, a cell looked at, its neighbour by key."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Page, expect

from .conftest import settle

__all__ = ["DEVICES", "Look", "Slide", "go_through"]

THEATRE = ".st-key-layers_theatre"
DEVICES = [(dark, phone) for dark in (False, True) for phone in (False, True)]


@dataclass(frozen=True)
class Look:
    """A part with a theatre, "" for the one that is open: the cell that is looked at, its line, and the cell to its right."""

    part: str
    cell: tuple[str, int, int]
    line: str


@dataclass(frozen=True)
class Slide:
    """A part with charts: its slider that is moved by a key, and what then stands in the address."""

    part: str
    slider: str
    address: str


def go_through(
    server: str, browser: Browser, dark: bool, phone: bool, layer: str, row: str, parts: Sequence[Look | Slide]
) -> None:
    """A view in one theme, by mouse and keyboard on a laptop or by touch on a phone. row: the setting of its row of parts."""
    size = {"width": 390, "height": 844} if phone else {"width": 1366, "height": 768}
    context = browser.new_context(viewport=size, has_touch=phone, color_scheme="dark" if dark else "light")  # type: ignore[arg-type]
    try:
        page = context.new_page()
        page.set_default_timeout(45_000)
        page.goto(f"{server}/layers?layer={layer}")
        page.wait_for_selector(f"{THEATRE} .root[data-ready]")
        settle(page)
        for part in parts:
            if part.part:
                button = page.locator(f".st-key-layers_{layer}_{row} button", has_text=part.part).first
                (button.tap if phone else button.click)()
                settle(page)
            _look(page, part, phone) if isinstance(part, Look) else _slide(page, part, layer)
            _nothing_is_cut_off(page, size["width"])
    finally:
        context.close()


def _look(page: Page, look: Look, phone: bool) -> None:
    stage, root = page.locator(f"{THEATRE} .stage"), page.locator(f"{THEATRE} .root")
    key, row, column = look.cell
    expect(stage).to_have_attribute("data-boxes", re.compile(f'"{key}"'))
    x, y, cell = {name: box for name, *box in json.loads(stage.get_attribute("data-boxes") or "[]")}[key]
    (stage.tap if phone else stage.hover)(position={"x": x + (column + 0.5) * cell, "y": y + (row + 0.5) * cell})
    expect(root).to_have_attribute("data-cell", f"{key}:{row}:{column}")
    expect(page.locator(f"{THEATRE} .sum")).to_have_text(re.compile(look.line))
    stage.focus()
    page.keyboard.press("ArrowRight")
    expect(root).to_have_attribute("data-cell", f"{key}:{row}:{column + 1}")
    expect(page.locator(f"{THEATRE} .play")).to_be_visible()


def _slide(page: Page, slide: Slide, layer: str) -> None:
    page.locator(f".st-key-layers_{layer}_{slide.slider} input[type=range]").press("ArrowRight")
    settle(page)
    expect(page.locator("[data-testid=stPlotlyChart]").first).to_be_visible()
    page.wait_for_url(lambda url: slide.address in parse_qs(urlsplit(url).query).get("set", [""])[0].split(","))


def _nothing_is_cut_off(page: Page, width: int) -> None:
    """The page is as wide as the screen, and so is all that can be operated."""
    sideways = (
        "[document.documentElement, document.querySelector('[data-testid=stMain]')].map(e => e.scrollWidth - e.clientWidth)"
    )
    assert max(page.evaluate(sideways)) <= 0
    boxes = page.locator(".st-key-layers_side [data-testid=stElementContainer], .st-key-layers_theatre .bar > *").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect()).filter(box => box.width).map(box => [box.left, box.right])"
    )
    assert boxes
    assert all(left >= 0 and right <= width for left, right in boxes)
