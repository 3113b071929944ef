"""The Scores view in a real browser: from the drop of a ZIP that is not all right to the report, which opens alone."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from segdemo.data.nuclei_like import draw_nuclei

from .conftest import settle

pytestmark = pytest.mark.browser

ADDRESS = "/compare?compare=scores&models=mnist_cnn/nuclei,unet/nuclei-small"
WAIT = 90_000  # ms
COVERING = """e => {
    const { left, right, top, bottom } = e.getBoundingClientRect();
    const shares = [0.1, 0.3, 0.5, 0.7, 0.9], at = (share, low, high) => low + share * (high - low);
    const places = shares.flatMap(x => shares.map(y => [at(x, left, right), at(y, top, bottom)]));
    const seen = places.map(place => document.elementFromPoint(...place));
    return seen.filter(found => found?.closest('[data-testid=stElementToolbar]')).map(found => found.outerHTML);
}"""  # what of tables' tools lies over an element


@pytest.fixture
def cells(tmp_path: Path, png: Callable[[np.ndarray], bytes]) -> Path:
    """Five micrographs with masks; an image without one, a mask of another size, and a file that is no picture."""
    path = tmp_path / "my *cells*.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for seed in range(5):
            image, mask = draw_nuclei(64, 64, seed=seed, count=8)
            archive.writestr(f"images/{seed}.png", png(image))
            archive.writestr(f"masks/{seed}.png", png(mask * 255))
        archive.writestr("images/alone.png", png(image))
        archive.writestr("images/large.png", png(image))
        archive.writestr("masks/large.png", png(np.zeros((32, 64), np.uint8)))
        archive.writestr("images/broken.png", b"no picture")
        archive.writestr("masks/broken.png", png(mask * 255))
    return path


def drop(page: Page, file: Path) -> None:
    """Drag a file over the field and let it go, through the browser's own protocol."""
    zone = page.locator(".st-key-scores_upload [data-testid=stFileUploaderDropzone]")
    zone.scroll_into_view_if_needed()
    box = zone.bounding_box()
    assert box is not None
    browser = page.context.new_cdp_session(page)
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    for kind in ("dragEnter", "dragOver", "drop"):
        dragged = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
        browser.send("Input.dispatchDragEvent", {"type": kind, **place, "data": dragged})


def test_from_the_drop_of_a_zip_to_the_report(open_page: Callable[..., Page], cells: Path, tmp_path: Path) -> None:
    page = open_page(ADDRESS)
    page.locator(".st-key-scores_data").get_by_text("A ZIP", exact=True).click()
    expect(page.get_by_text("Drop a ZIP with images and masks")).to_be_visible(timeout=WAIT)
    drop(page, cells)
    expect(page.get_by_text("5 pictures with their truth · 3 files left out")).to_be_visible(timeout=WAIT)
    expect(page.get_by_text(re.compile(r"IoU points on these 5 pictures|cannot be told apart"))).to_be_visible(timeout=WAIT)
    settle(page)
    expect(page.get_by_text("3 files were left out")).to_be_visible()
    expect(page.locator(".st-key-scores_opened canvas").first).to_be_visible(timeout=WAIT)
    expect(page.locator(".st-key-scores_opened")).to_contain_text("missed (FN)")
    page.locator(".st-key-scores_section").get_by_text("Confusions", exact=True).click()
    expect(page.get_by_text("taken for")).to_be_visible(timeout=WAIT)
    choose_cell(page)
    page.locator(".st-key-scores_export_menu button").first.click()
    with page.expect_download(timeout=WAIT) as download:
        page.locator(".st-key-scores_report button:visible").click()
    report = tmp_path / "report.html"
    download.value.save_as(report)
    assert download.value.suggested_filename == "my_cells-scores.html"
    alone(page, report)


def choose_cell(page: Page) -> None:
    """A click into the matrix shows other pictures: those where background was rightly found."""
    matrix = page.locator(".st-key-scores_matrix_0 canvas").first
    matrix.scroll_into_view_if_needed()
    box = matrix.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + 35 * 1.5)  # a canvas, which has no parts to click
    expect(page.get_by_text("background, found: the pictures")).to_be_visible(timeout=WAIT)
    settle(page)


def alone(page: Page, report: Path) -> None:
    """The file by itself, without a network: headline, what was left out, and pictures that are there."""
    fresh = page.context.browser.new_context(offline=True) if page.context.browser else None
    assert fresh is not None
    opened = fresh.new_page()
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(report.as_uri())
    expect(opened.locator("body")).to_contain_text("images/alone.png")
    expect(opened.locator("body")).to_contain_text("mnist_cnn/nuclei")
    broken = opened.evaluate("[...document.images].filter((image) => !image.naturalWidth).length")
    assert opened.locator("img").count() >= 8 and broken == 0
    assert all(url.startswith(("file:", "data:")) for url in asked)
    fresh.close()


def test_by_touch_the_tools_of_tables_cover_nothing(open_page: Callable[..., Page]) -> None:
    page = open_page(f"{ADDRESS},unet/nuclei-small@threshold=0.3", phone=True)
    page.wait_for_selector(".st-key-scores_section", timeout=WAIT)
    settle(page)
    assert page.locator("[data-testid=stElementToolbar]:visible").count() == 2, "without a mouse they always stand there"
    for covered in (".st-key-scores_export_menu button:visible", ".st-key-scores_by_picture [data-testid=stSelectbox]"):
        found = page.locator(covered).first
        found.scroll_into_view_if_needed()
        assert found.evaluate(COVERING) == [], covered
    table = page.locator("[data-testid=stDataFrame]").first.bounding_box()
    below = page.locator(".st-key-scores_section").bounding_box()
    assert table and below and table["y"] + table["height"] <= below["y"], "the room is above the table, not taken from it"


def test_on_a_phone_nothing_is_wider_than_the_screen(open_page: Callable[..., Page]) -> None:
    page = open_page(ADDRESS, width=390, height=844, dark=True)
    page.wait_for_selector(".st-key-scores_section", timeout=WAIT)
    settle(page)
    wide = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth - window.innerWidth")
    assert wide <= 0
    page.locator(".st-key-scores_section").get_by_text("Threshold", exact=True).click()
    expect(page.locator(".st-key-scores_thresholds_chart .main-svg").first).to_be_visible(timeout=WAIT)
    page.get_by_role("button", name=re.compile("Use [0-9]+ %")).first.click()
    expect(page).to_have_url(re.compile("threshold"), timeout=WAIT)
