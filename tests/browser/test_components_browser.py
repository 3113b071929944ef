"""The components by themselves, with made-up data: by mouse, by keys, by touch; what they draw and what they report."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from segdemo.ui.components import FOLDER
from segdemo.ui.diagram import COLOURS

from .conftest import serving, settle

pytestmark = pytest.mark.browser
Show = Callable[..., Page]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that shows the components and nothing else."""
    with serving(Path(__file__).with_name("components_app.py"), tmp_path_factory.mktemp("cache")) as address:
        yield address


@pytest.fixture
def show(demo: str, browser: Browser) -> Iterator[Show]:
    """Open one component at a width; whatever the browser complains about fails the test."""
    contexts, complaints = [], []

    def open_component(name: str, width: int = 1080, touch: bool = False) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 760}, has_touch=touch)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.set_default_timeout(20_000)
        page.goto(f"{demo}/?show={name}")
        settle(page)
        page.wait_for_selector(f".st-key-{name} .root[data-ready]")
        return page

    yield open_component
    for context in contexts:
        context.close()
    assert not complaints


def says(page: Page, text: str) -> None:
    """Wait for what a component has reported to Python."""
    expect(page.get_by_text(text, exact=True)).to_be_visible()


def click_at(page: Page, target: Locator, fx: float, fy: float, touch: bool = False) -> None:
    """At a place in fractions of an element."""
    box = target.bounding_box()
    assert box
    x, y = box["x"] + fx * box["width"], box["y"] + fy * box["height"]
    if touch:
        page.touchscreen.tap(x, y)
    else:
        page.mouse.click(x, y)


def test_the_walk_has_the_colours_of_the_diagrams() -> None:
    css = (FOLDER / "walk.css").read_text()
    assert {kind: re.search(rf"--{kind}: (#\w+)", css)[1] for kind in COLOURS} == COLOURS  # type: ignore[index]


def test_walk_by_mouse_and_keys(show: Show) -> None:
    page = show("walk")
    nodes = page.locator(".st-key-walk .node")
    assert nodes.evaluate_all("all => all.map(node => node.dataset.key)") == [
        "image", "encoder1", "bottleneck", "decoder1", "head", "mask",
    ]  # fmt: skip
    boxes = [node.bounding_box() for node in nodes.all()]
    assert all(a and b and a["x"] + a["width"] / 2 < b["x"] + b["width"] / 2 for a, b in pairwise(boxes))
    expect(page.locator(".st-key-walk .edge.skip.off .stop")).to_have_count(1)
    expect(page.locator(".st-key-walk .node.off .cross")).to_be_visible()

    page.locator(".st-key-walk .node[data-key=decoder1]").click()
    says(page, "walk.chosen = decoder1")
    page.keyboard.press("ArrowRight")
    says(page, "walk.chosen = head")
    page.keyboard.press("ArrowRight")  # the mask cannot be chosen: it stays
    page.keyboard.press("Home")
    says(page, "walk.chosen = encoder1")
    chosen = page.locator(".st-key-walk .node[aria-current=true]")
    expect(chosen).to_have_attribute("data-key", "encoder1")
    expect(chosen).to_be_focused()
    assert page.locator(".st-key-walk .node[tabindex='0']").count() == 1, "one stop for the tab key"

    page.locator(".st-key-walk .node[data-key=head]").hover()
    lit = page.locator(".st-key-walk .node.lit").evaluate_all("all => all.map(node => node.dataset.key)")
    assert lit == ["decoder1", "head", "mask"]


def test_walk_keeps_its_elements_when_pictures_change(show: Show) -> None:
    page = show("walk")
    image = page.locator(".st-key-walk .node[data-key=head] img")
    before = image.get_attribute("src")
    image.evaluate("element => { element.kept = true; }")
    page.get_by_text("Other pictures").click()
    expect(image).not_to_have_attribute("src", before or "")
    assert image.evaluate("element => element.kept")


def test_walk_is_a_film_strip_on_a_phone(show: Show) -> None:
    page = show("walk", width=390, touch=True)
    expect(page.locator(".st-key-walk .walk.film.more-right")).to_have_count(1)
    tops = {round(box["y"]) for node in page.locator(".st-key-walk .node").all() if (box := node.bounding_box())}
    assert len(tops) == 1
    page.locator(".st-key-walk .node[data-key=encoder1]").focus()
    page.keyboard.press("End")
    says(page, "walk.chosen = head")
    head = page.locator(".st-key-walk .node[data-key=head]")
    expect(head).to_be_in_viewport(ratio=0.9)


@pytest.mark.parametrize("touch", [False, True], ids=["mouse", "touch"])
def test_mosaic_by_pointer(show: Show, touch: bool) -> None:
    page = show("mosaic", width=390 if touch else 1080, touch=touch)
    sheet = page.locator(".st-key-mosaic .sheet")
    width, height = 68, 46
    click_at(page, sheet, (2 + 2 * 22 + 5) / width, (2 + 22 + 15) / height, touch)  # the last cell, a quarter in, three down
    reported = page.get_by_text(re.compile(r"mosaic\.unit = "))
    expect(reported).to_be_visible()
    unit = re.findall(r"[\d.]+", (reported.text_content() or "").split("=")[1])
    assert unit[0] == "0"
    assert [float(value) for value in unit[1:]] == pytest.approx([0.25, 0.75], abs=0.03)
    tip = page.locator(".st-key-mosaic .tip")
    expect(tip).to_contain_text("channel 0")
    expect(tip).to_contain_text(re.compile("row 7, column 2.*mean 0"))


def test_mosaic_by_keys(show: Show) -> None:
    page = show("mosaic")
    expect(page.locator(".st-key-mosaic .marks .dead")).to_have_count(1)
    page.locator(".st-key-mosaic .sheet").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "Enter"):  # from 5 to 4, to 1, and no further
        page.keyboard.press(key)
    says(page, "mosaic.unit = {'channel': 1, 'x': 0.5, 'y': 0.5}")
    expect(page.locator(".st-key-mosaic .ring.chosen")).to_have_attribute("aria-label", "channel 1, mean 1")
    expect(page.locator(".st-key-mosaic [role=status]")).to_have_text("channel 1, mean 1")


def numbers(node: Locator, *names: str) -> list[float]:
    """Attributes of an element of a drawing."""
    return [float(node.get_attribute(name) or "nan") for name in names]


def test_prober_follows_the_pointer_without_the_server(show: Show) -> None:
    page = show("prober")
    box = page.locator(".st-key-prober .frame").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 48.5 / 64, box["y"] + box["height"] * 24.5 / 48)
    expect(page.locator(".st-key-prober .place")).to_have_text("x 48, y 24")
    expect(page.locator(".st-key-prober .row").first).to_have_text(re.compile(r"cell.*76\.1 %"))  # 48/63 of 255 as whole numbers
    field = page.locator(".st-key-prober .field:not(.under)")
    assert numbers(field, "x", "y", "width", "height") == [46, 21.5, 8, 8]
    expect(page.locator(".st-key-prober .sees")).to_have_text("8 × 8 px")
    assert page.get_by_text("prober.pinned").count() == 0

    page.locator(".st-key-prober .plot button").nth(1).hover()
    expect(page.locator(".st-key-prober .sees")).to_have_text("24 × 24 px")
    page.locator(".st-key-prober .plot button").nth(2).click()
    says(page, "prober.stage = head")
    expect(page.locator(".st-key-prober .sees")).to_have_text("whole")


def test_prober_pins_by_click_and_moves_by_keys(show: Show) -> None:
    page = show("prober")
    frame = page.locator(".st-key-prober .frame")
    click_at(page, frame, 10.5 / 64, 5.5 / 48)
    says(page, "prober.pinned = {'x': 10, 'y': 5}")
    expect(page.locator(".st-key-prober .state.on")).to_have_text("pinned")
    frame.focus()
    for key in ("Shift+ArrowRight", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    says(page, "prober.pinned = {'x': 21, 'y': 4}")
    expect(page.locator(".st-key-prober .cross").first).to_be_visible()
    expect(page.locator(".st-key-prober [role=status]")).to_contain_text("x 21, y 4")
    page.keyboard.press("Escape")
    says(page, "prober.pinned = {'off': True}")
    expect(page.locator(".st-key-prober .cross").first).to_be_hidden()


def painted(page: Page) -> Any:
    """How opaque the mask is at a quarter and three quarters of its middle row."""
    read = "canvas => [16, 48].map(x => canvas.getContext('2d').getImageData(x, 24, 1, 1).data[3])"
    return page.locator(".st-key-frames .frame canvas").evaluate(read)


def test_frames_by_slider_and_thumbnail(show: Show) -> None:
    page = show("frames")
    assert painted(page) == [128, 128], "it opens on the result"
    page.locator(".st-key-frames input[type=range]").focus()
    page.keyboard.press("ArrowLeft")
    assert painted(page) == [128, 0]
    expect(page.locator(".st-key-frames .heading")).to_have_text("frame 1Dice 0.52 of 3")
    page.locator(".st-key-frames .strip button").first.click()
    assert painted(page) == [0, 0]
    expect(page.locator(".st-key-frames .control.back")).to_be_disabled()
    expect(page.locator(".st-key-frames .chart svg")).to_have_attribute("aria-label", re.compile("frame 2 1.00"))


def test_frames_play_to_the_end(show: Show) -> None:
    page = show("frames")
    play = page.locator(".st-key-frames .control.play")
    play.click()  # from the end it begins anew
    expect(play).to_have_attribute("aria-label", "pause")
    assert painted(page) == [0, 0]
    expect(play).to_have_attribute("aria-label", "play", timeout=5000)
    assert painted(page) == [128, 128]


def test_an_opened_convention_stays_open_while_numbers_change(show: Show) -> None:
    page = show("conventions")
    rows = page.locator(".st-key-conventions details")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("nothing to score")
    rows.nth(0).locator("summary").click()
    expect(page.get_by_text("Some count so.")).to_be_visible()
    expect(rows.nth(0)).to_contain_text("0.500")
    page.get_by_role("slider", name="Score").press("ArrowRight")
    expect(rows.nth(0)).to_contain_text("0.600")
    expect(page.get_by_text("Some count so.")).to_be_visible()
    expect(page.get_by_text("Others count so.")).to_be_hidden()
    expect(rows.nth(0)).to_contain_text("one <b>")
    left = [
        page.evaluate("(dot) => dot.style.left", rows.nth(0).locator(f"i.{name}").element_handle()) for name in ("iou", "dice")
    ]
    assert left == ["30%", "60%"]
    rows.nth(0).locator("summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Some count so.")).to_be_hidden()
