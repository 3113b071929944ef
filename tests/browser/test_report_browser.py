"""The report alone in a browser: it asks for nothing, complains about nothing, sorts, and fits a phone in both themes."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from segdemo.evaluation.examples import make_example
from segdemo.evaluation.report.page import report_html
from tests.evaluation.hand_made import CLASSES, square, two_candidates

pytestmark = pytest.mark.browser
NAMES = ("a", "b", "c", "d", "<script>document.title = 'broken'</script>", "very_long_" * 12 + ".png")


@pytest.fixture
def report(tmp_path: Path) -> str:
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    examples = [make_example(name, image, square(4, 4), {0: square(4, 4), 1: square(4, 7)}, CLASSES) for name in NAMES[-2:]]
    path = tmp_path / "report.html"
    path.write_text(report_html(two_candidates(NAMES), examples, title="Nuclei"), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(report: str, browser: Browser) -> Iterator[Page]:
    """The report on a phone, in the dark. Whatever it asks for or complains about fails the test."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    found = context.new_page()
    complaints: list[str] = []
    found.on("console", lambda message: complaints.append(message.text))
    found.on("pageerror", lambda error: complaints.append(str(error)))
    found.on("request", lambda request: complaints.append(request.url) if not request.url.startswith("data:") else None)
    found.goto(report)
    yield found
    context.close()
    assert complaints == [report]


def first_column(page: Page) -> list[str]:
    return page.locator("table.sortable").last.locator("tbody tr th").all_inner_texts()


def test_the_report_opens_alone(page: Page) -> None:
    assert page.title() == "Nuclei"
    assert page.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    assert page.locator("svg").count() == 4
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="light")
    assert (dark, page.evaluate("getComputedStyle(document.body).backgroundColor")) == ("rgb(17, 22, 28)", "rgb(255, 255, 255)")


def test_a_table_sorts_by_the_heading_that_is_pressed(page: Page) -> None:
    worst_first = first_column(page)
    assert worst_first[0] == NAMES[-1]
    heading = page.locator("table.sortable").last.get_by_role("button", name="SegNet")
    heading.click()
    heading.press("Enter")
    assert first_column(page) == worst_first[::-1]
    assert page.locator("th[aria-sort=descending]").count() == 1
    page.locator("table.sortable").last.get_by_role("button", name="Picture").click()
    assert first_column(page)[1:5] == list("abcd")


def test_paper_shows_what_is_folded(page: Page) -> None:
    assert not page.evaluate("document.querySelector('details').open")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.querySelector('details').open")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
