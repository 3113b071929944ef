"""Views of the Layers page as a visitor goes through them: every part opened, a cell looked at, its neighbour by key."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from .conftest import settle
from .layers_theatre import THEATRE, OpenPage, boxes, expect_setting, is_not_cut_off, line, opened, root, shows

__all__ = ["DEVICES", "Look", "Slide", "go_through"]

DEVICES = ["light laptop", "dark phone"]  # both themes, both widths, mouse and touch


@dataclass(frozen=True)
class Look:
    """A part with a theatre, "" for the one that is open: the cell that is looked at, its line, and the cell to its right.

    lights: how many outputs the cell lights at least.
    """

    part: str
    cell: tuple[str, int, int]
    line: str
    lights: int = 0


@dataclass(frozen=True)
class Slide:
    """A part with charts: its slider that is moved by a key, and what then stands in the address."""

    part: str
    slider: str
    address: str


def go_through(open_page: OpenPage, device: str, layer: str, row: str, parts: Sequence[Look | Slide]) -> None:
    """A view on one of DEVICES, by mouse and keyboard or by touch. row: the setting of its row of parts."""
    phone = "phone" in device
    page = opened(open_page(f"/layers?layer={layer}", dark="dark" in device, phone=phone))
    for part in parts:
        if part.part:
            button = page.locator(f".st-key-layers_{layer}_{row} button", has_text=part.part).first
            (button.tap if phone else button.click)()
            settle(page)
        _look(page, part, phone) if isinstance(part, Look) else _slide(page, part, layer)
        _nothing_is_cut_off(page, 390 if phone else 1366)


def _look(page: Page, look: Look, phone: bool) -> None:
    stage = page.locator(f"{THEATRE} .stage")
    key, row, column = look.cell
    expect(stage).to_have_attribute("data-boxes", re.compile(f'"{key}"'))
    box = boxes(page)[key]
    (stage.tap if phone else stage.hover)(position={"x": box.x + (column + 0.5) * box.cell, "y": box.y + (row + 0.5) * box.cell})
    shows(page, f"{key}:{row}:{column}")
    expect(line(page)).to_have_text(re.compile(look.line))
    assert int(root(page).get_attribute("data-outputs") or 0) >= look.lights
    stage.focus()
    page.keyboard.press("ArrowRight")
    shows(page, f"{key}:{row}:{column + 1}")
    expect(page.locator(f"{THEATRE} .play")).to_be_visible()
    right = root(page).evaluate("root => root.clientWidth")
    assert all(box.x >= 0 and box.right <= right for box in boxes(page).values())


def _slide(page: Page, slide: Slide, layer: str) -> None:
    page.locator(f".st-key-layers_{layer}_{slide.slider} input[type=range]").press("ArrowRight")
    settle(page)
    expect(page.locator("[data-testid=stPlotlyChart]").first).to_be_visible()
    expect_setting(page, slide.address)


def _nothing_is_cut_off(page: Page, width: int) -> None:
    """The page is as wide as the screen, and so is all that can be operated."""
    is_not_cut_off(page, width)
    sides = page.locator(".st-key-layers_side [data-testid=stElementContainer], .st-key-layers_theatre .bar > *").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect()).filter(box => box.width).map(box => [box.left, box.right])"
    )
    assert sides
    assert all(left >= 0 and right <= width for left, right in sides)
