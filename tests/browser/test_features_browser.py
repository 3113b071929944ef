"""The Feature maps page in a real browser: from a dropped picture through the walk to a probe and an ablation."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from segdemo.data.nuclei_like import draw_nuclei

from .conftest import settle
from .test_upload_browser import drop

pytestmark = pytest.mark.browser


def lens(page: Page, name: str) -> None:
    page.locator(".st-key-lens").get_by_text(name, exact=True).click()
    settle(page)


@pytest.mark.parametrize(
    ("weights", "skip"),
    [
        ("unet/nuclei-small", "encoder1 → decoder1"),
        ("unet_plus_plus/nuclei", "encoder1 → decoder1"),
        ("segnet/nuclei", "encoder1 → decoder1"),
    ],
)
def test_from_drop_to_ablation(
    open_page: Callable[..., Page], png: Callable[[np.ndarray], bytes], tmp_path: Path, weights: str, skip: str
) -> None:
    page = open_page(f"/features?weights={weights}")
    (tmp_path / "mine.png").write_bytes(png(draw_nuclei(128, 160, seed=5)[0]))
    drop(page, tmp_path / "mine.png")
    expect(page.get_by_text("Recorded in one pass at 160 × 128 px")).to_be_visible(timeout=30_000)
    settle(page)

    page.locator(".st-key-walk .node .title").get_by_text("bottleneck", exact=True).click()
    expect(page.get_by_text(re.compile(r"^bottleneck ·"))).to_be_visible()
    settle(page)

    lens(page, "Probe a pixel")
    picture = page.locator(".st-key-probe_0 [role=application]")
    box = picture.bounding_box()
    assert box is not None
    picture.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    expect(page.get_by_text(re.compile(r"^bottleneck from pixel x (79|80|81), y (63|64|65)"))).to_be_visible(timeout=30_000)

    lens(page, "What if")
    expect(page.get_by_text("Click a skip or a stage above")).to_be_visible()
    page.locator(".st-key-switch_skips").get_by_text(skip, exact=True).click()
    expect(page.locator("[data-testid=stMetricValue]").first).not_to_have_text("1.000")
    expect(page.locator(".st-key-switch_skips").get_by_text(f"{skip} · zero")).to_be_visible()


def test_a_cell_opens_its_channel_and_the_keys_walk_on(open_page: Callable[..., Page]) -> None:
    page = open_page("/features?weights=unet/nuclei-small&sample=nuclei-fluorescence&stage=encoder2")
    mosaic = page.locator(".st-key-channels_0_mosaic img").first
    mosaic.wait_for()
    box = mosaic.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.98, box["y"] + box["height"] * 0.02)
    settle(page)
    expect(page.get_by_text("What this unit looks at")).to_be_visible()
    assert page.locator(".st-key-channel input").input_value() != "0"
    page.keyboard.press("n")
    expect(page.get_by_text(re.compile(r"^encoder3 ·"))).to_be_visible()


@pytest.mark.parametrize(("width", "height", "dark"), [(1366, 768, False), (390, 844, True)])
def test_the_walk_fits_and_shows_every_stage(open_page: Callable[..., Page], width: int, height: int, dark: bool) -> None:
    page = open_page("/features?weights=unet3_plus/nuclei&sample=nuclei-stained", width=width, height=height, dark=dark)
    page.wait_for_selector(".st-key-walk img")
    names = ["encoder1", "encoder2", "encoder3", "encoder4", "bottleneck", "decoder4", "decoder3", "decoder2", "decoder1", "head"]
    for name in names:
        expect(page.locator(".st-key-walk .node .title").get_by_text(name, exact=True)).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator(".st-key-walk img").first.evaluate("(image) => image.naturalWidth > 0")


def test_two_networks_walk_linked(open_page: Callable[..., Page]) -> None:
    page = open_page("/features?weights=unet/nuclei-small&second=segnet/nuclei&sample=nuclei-fluorescence")
    page.locator(".st-key-walk_second .node .title").get_by_text("decoder3", exact=True).click()
    for key in ("walk", "walk_second"):
        expect(page.locator(f'.st-key-{key} [aria-current="true"]')).to_contain_text("decoder3")
