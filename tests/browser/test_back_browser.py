"""Back and forward in the browser's history bring back what was chosen."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from .conftest import settle, wait_for_viewer

pytestmark = pytest.mark.browser


def test_back_returns_to_the_sample_before(open_page: Callable[..., Page]) -> None:
    page = open_page("/?sample=nuclei-stained")
    wait_for_viewer(page)
    page.locator(".st-key-sample input").click()
    page.get_by_role("option", name=re.compile("^Cell")).click()
    settle(page)
    page.wait_for_url(re.compile("sample=cell"))
    page.go_back()
    expect(page.locator(".st-key-viewer img")).to_have_attribute("alt", re.compile("^Nuclei, stained"), timeout=20_000)
    assert "sample=nuclei-stained" in page.url
