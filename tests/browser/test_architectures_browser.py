"""The Architectures page in a real browser: choose in the gallery, read the diagram, try a size, lay two side by side."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from .conftest import settle

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]


def diagram(page: Page, key: str = "diagram") -> str:
    """What the drawing says of itself, once it is there."""
    svg = page.locator(f".st-key-{key} svg[role=img]")
    expect(svg).to_be_visible(timeout=60_000)
    return svg.get_attribute("aria-label") or ""


def test_from_the_gallery_to_two_networks_side_by_side(open_page: OpenPage) -> None:
    page = open_page("/architectures")
    assert "U-Net" in diagram(page)
    box = page.locator(".st-key-diagram svg[role=img]").bounding_box()
    assert box and box["y"] + box["height"] <= 768, "the drawing must lie above the fold of a laptop"

    gallery = page.locator(".st-key-gallery button")
    assert gallery.count() >= 16
    expect(page.locator(".st-key-gallery button[aria-current=true]")).to_contain_text("U-Net")
    page.locator(".st-key-gallery button", has_text=re.compile(r"U-Net\+\+")).click()
    page.wait_for_url(re.compile("net=unet_plus_plus"))
    settle(page)
    expect(page.locator(".st-key-diagram svg[role=img]")).to_have_attribute("aria-label", re.compile(r"U-Net\+\+"))
    expect(page.locator(".st-key-gallery button[aria-current=true]")).to_contain_text("U-Net++")

    page.locator(".st-key-diagram .block[data-name=decoder1] rect").hover()
    lit = page.locator(".st-key-diagram .edge.lit")
    expect(page.locator(".st-key-diagram svg.dim")).to_have_count(1)
    assert lit.count() == 4 + 1 + 1 + 1, "its four skips, what rises to it, the sign where they meet, and the head"

    page.locator(".st-key-beside input").click()
    page.get_by_role("option", name="U-Net", exact=True).click()
    settle(page)
    expect(page.locator(".st-key-diagram_beside svg[role=img]")).to_have_attribute("aria-label", re.compile("^U-Net,"))
    expect(page.get_by_role("heading", name="Side by side")).to_be_visible()
    page.wait_for_url(re.compile("beside=unet"))
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


def test_a_typed_size_is_checked_and_explained(open_page: OpenPage) -> None:
    page = open_page("/architectures")
    diagram(page)
    for typed, expected in (("500", "12 more than a multiple of 16"), ("lots", "A picture size is a number of pixels")):
        field = page.locator(".st-key-input input")
        field.click()
        field.fill(typed)
        page.keyboard.press("Enter")
        settle(page)
        expect(page.get_by_text(expected, exact=False)).to_be_visible()
    page.wait_for_url(lambda url: "input=" not in url)


def test_the_source_unfolds(open_page: OpenPage) -> None:
    page = open_page("/architectures?net=segnet")
    diagram(page)
    page.locator(".st-key-source_segnet summary").click()
    settle(page)
    expect(page.locator(".st-key-source_segnet code").first).to_contain_text("segnet.py")
    expect(page.locator(".st-key-source_segnet pre")).to_contain_text("class SegNet")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("net", ["unet3_plus", "segnet", "resnet50"])
def test_texts_are_legible_in_both_themes(open_page: OpenPage, net: str, dark: bool) -> None:
    page = open_page(f"/architectures?net={net}", dark=dark)
    diagram(page)
    sizes = page.locator(".st-key-diagram svg[role=img] text").evaluate_all(
        "texts => texts.map(t => parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a)"
    )
    assert min(sizes) >= 11
    colours = page.locator(".st-key-diagram svg[role=img] text").first.evaluate("t => getComputedStyle(t).fill")
    channels = [int(c) for c in re.findall(r"\d+", colours)[:3]]
    assert (sum(channels) > 3 * 128) == dark


def test_nothing_is_wider_than_a_phone(open_page: OpenPage) -> None:
    page = open_page("/architectures?net=unet_plus_plus", width=390, height=844)
    diagram(page)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    scroll = page.locator(".st-key-diagram .scroll")
    assert scroll.evaluate("e => e.scrollWidth > e.clientWidth"), "the drawing scrolls in its own box"
    chosen = page.locator(".st-key-gallery button[aria-current=true]").bounding_box()
    assert chosen and 0 <= chosen["x"] <= 390 - chosen["width"], "the chosen network is in sight"
