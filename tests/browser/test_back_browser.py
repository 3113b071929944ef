"""Back and forward in the browser's history bring back what was chosen."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from playwright.sync_api import Page, expect

from .conftest import settle, wait_for_viewer

pytestmark = pytest.mark.browser
LOOKS_MS = 700  # that somebody looks before going back; an address of half a second ago is taken for one that is on its way


def test_back_returns_to_the_sample_before(open_page: Callable[..., Page]) -> None:
    page = open_page("/?sample=nuclei-stained")
    wait_for_viewer(page)
    page.locator(".st-key-sample input").click()
    page.get_by_role("option", name=re.compile("^Cell")).click()
    settle(page)
    page.wait_for_url(re.compile("sample=cell"))
    page.wait_for_timeout(LOOKS_MS)
    page.go_back()
    expect(page.locator(".st-key-viewer img")).to_have_attribute("alt", re.compile("^Nuclei, stained"), timeout=20_000)
    assert "sample=nuclei-stained" in page.url


def test_back_from_another_page_returns_to_the_comparison(open_page: Callable[..., Page]) -> None:
    address = "/compare?models=unet/nuclei-small,mnist_cnn/nuclei&compare=disagreement"
    page = open_page(address)
    page.locator("[data-testid=stSidebarNav] a").filter(has_text="Losses").click()
    page.wait_for_url("**/losses")
    settle(page)
    page.get_by_text("Honest metrics", exact=False).first.wait_for()
    assert "?" not in page.url, "what is as usual, and what belongs to other pages, is not in the address"
    page.wait_for_timeout(LOOKS_MS)
    page.go_back()
    page.locator(".st-key-disagreement_panes .root[data-ready]").wait_for()
    settle(page)
    assert parse_qs(urlsplit(page.url).query) == {"models": ["unet/nuclei-small,mnist_cnn/nuclei"], "compare": ["disagreement"]}


def test_the_bare_entry_of_a_page_come_to_by_a_click_loses_nothing(open_page: Callable[..., Page]) -> None:
    page = open_page("/compare?sample=nuclei-stained&models=unet/nuclei-small,mnist_cnn/nuclei&compare=disagreement")
    page.locator("[data-testid=stSidebarNav] a").filter(has_text="Losses").click()
    page.wait_for_url("**/losses?sample=nuclei-stained")
    settle(page)
    for _step in range(2):  # one entry of the navigation, one with the sample
        page.wait_for_timeout(LOOKS_MS)
        page.go_back()
        settle(page)
    page.wait_for_url("**/compare?**")
    page.locator(".st-key-disagreement_panes .root[data-ready]").wait_for()
    assert parse_qs(urlsplit(page.url).query) == {
        "sample": ["nuclei-stained"], "models": ["unet/nuclei-small,mnist_cnn/nuclei"], "compare": ["disagreement"],
    }  # fmt: skip


def test_back_while_a_change_is_under_way_leaves_address_and_page_at_one(open_page: Callable[..., Page]) -> None:
    page = open_page("/layers?layer=upsampling&set=how:unpool")
    methods = page.locator(".st-key-layers_upsampling_how")
    methods.get_by_text("Transposed", exact=True).click()
    page.wait_for_url(re.compile("how(:|%3A)transposed"))
    page.wait_for_timeout(LOOKS_MS)
    methods.get_by_text("Shuffle", exact=True).click()
    page.wait_for_timeout(40)
    page.go_back()
    settle(page)
    page.wait_for_timeout(LOOKS_MS)
    chosen = methods.locator("[aria-checked=true], [aria-pressed=true]").inner_text()
    assert f"how:{chosen.lower()}" in unquote(page.url)
    page.locator(".st-key-camera_on label").click()  # a run of the whole page
    settle(page)
    page.wait_for_timeout(LOOKS_MS)
    assert f"how:{chosen.lower()}" in unquote(page.url)
    assert methods.locator("[aria-checked=true], [aria-pressed=true]").inner_text() == chosen
