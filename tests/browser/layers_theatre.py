"""The Layers page as its tests read it: what the theatre shows, where its cells lie, what is drawn over them, the address."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, TimeoutError, expect

from .conftest import settle

__all__ = [
    "DIGITS",
    "THEATRE",
    "Box",
    "OpenPage",
    "address",
    "boxes",
    "centre",
    "expect_setting",
    "expect_settings",
    "hover",
    "is_not_cut_off",
    "line",
    "next_frame",
    "opened",
    "overlay",
    "pairs",
    "root",
    "shows",
]

OpenPage = Callable[..., Page]
THEATRE = ".st-key-layers_theatre"
DIGITS = "of:digits,n:5,ph:1,pw:1"  # 5×5 digits with padding: settings with which every cell says something
Place = tuple[str, int, int]
ADDRESS_MS = 15_000  # within which a choice is in the address, on a busy machine


class Box(NamedTuple):
    """Where a grid lies on the stage: left, top and a cell's side in pixels, and how many columns it has."""

    x: float
    y: float
    cell: float
    columns: int

    @property
    def right(self) -> float:
        """Where its last column ends, in pixels."""
        return self.x + self.columns * self.cell


# ---- the theatre -------------------------------------------------------------------------------------------------------------


def root(page: Page) -> Locator:
    """What carries the state: data-cell, data-playing, data-inputs, data-outputs."""
    return page.locator(f"{THEATRE} .root")


def overlay(page: Page) -> Locator:
    """The canvas on which is drawn what is lit."""
    return page.locator(f"{THEATRE} canvas.over")


def line(page: Page) -> Locator:
    """The arithmetic of the cell that is looked at."""
    return page.locator(f"{THEATRE} .sum")


def opened(page: Page) -> Page:
    """The page, once its theatre is drawn."""
    page.wait_for_selector(f"{THEATRE} .root[data-ready]")
    settle(page)
    return page


def shows(page: Page, cell: str) -> None:
    """Wait until a cell is looked at, written "grid:row:column"."""
    expect(root(page)).to_have_attribute("data-cell", cell)


def next_frame(page: Page) -> None:
    """Wait until what was asked for by now has been drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def boxes(page: Page) -> dict[str, Box]:
    """Where each grid lies on the stage, by its key."""
    told = json.loads(page.locator(f"{THEATRE} .stage").get_attribute("data-boxes") or "[]")
    return {key: Box(*box) for key, *box in told}


def centre(page: Page, place: Place) -> tuple[float, float]:
    """Where a cell of a grid lies on the screen, once it has been scrolled into sight."""
    stage = page.locator(f"{THEATRE} .stage")
    key, row, column = place
    at = boxes(page)[key]
    right, down = at.x + (column + 0.5) * at.cell, at.y + (row + 0.5) * at.cell
    if (box := stage.bounding_box()) and not 80 < box["y"] + down < 740:
        main = page.locator("[data-testid=stMain]")
        main.evaluate("(main, by) => main.scrollBy({ top: by, behavior: 'instant' })", box["y"] + down - 400)
        box = stage.bounding_box()
    assert box is not None
    return box["x"] + right, box["y"] + down


def hover(page: Page, key: str, row: int, column: int) -> None:
    """Move the mouse to a cell of a grid."""
    page.mouse.move(*centre(page, (key, row, column)))


def is_not_cut_off(page: Page, width: int) -> None:
    """Neither the page nor its main part is wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.get_by_test_id("stMain").evaluate("(main) => main.scrollWidth - main.clientWidth") <= 0


# ---- the address -------------------------------------------------------------------------------------------------------------


def address(page: Page) -> str:
    """The settings as they stand in the address, "n:5,ph:1"."""
    return _settings(page.url)


def pairs(page: Page) -> set[str]:
    """The settings in the address, without the cell that is looked at."""
    return _pairs(page.url)


def expect_settings(page: Page, only: set[str]) -> None:
    """The address comes to hold these settings and no others, except for the cell that is looked at."""
    _wait(page, lambda url: _pairs(url) == only)
    assert pairs(page) == only


def expect_setting(page: Page, pair: str) -> None:
    """A setting, with its value, comes to stand in the address among others."""
    _wait(page, lambda url: pair in _settings(url).split(","))
    assert pair in address(page).split(",")


def _settings(url: str) -> str:
    return parse_qs(urlsplit(url).query).get("set", [""])[0]


def _pairs(url: str) -> set[str]:
    return {pair for pair in _settings(url).split(",") if pair and not pair.startswith("cell:")}


def _wait(page: Page, holds: Callable[[str], bool]) -> None:
    """Until the address is so; a test that waited in vain says by its assertion what it is instead."""
    with suppress(TimeoutError):
        page.wait_for_url(holds, timeout=ADDRESS_MS)
