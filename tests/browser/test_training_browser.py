"""The Training page in a real browser: a ZIP in, a network trained apart from the page, found again, and used to segment."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from segdemo.data.nuclei_like import draw_nuclei

from .conftest import settle, wait_for_viewer

pytestmark = pytest.mark.browser

START = ".st-key-training_start button:visible"
WAIT = 150_000  # ms; a training steps back behind everything else that the machine does


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where this test starts the server, its trainings do not wait for the rest of a busy machine."""
    monkeypatch.setenv("SEGDEMO_TRAINING_NICENESS", "0")


@pytest.fixture
def cells(tmp_path: Path, png: Callable[[np.ndarray], bytes]) -> Path:
    """Six micrographs with masks, and an image without one, in a ZIP with markup in its name."""
    path = tmp_path / "my *cells*.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for seed in range(6):
            image, mask = draw_nuclei(64, 64, seed=seed, count=8)
            archive.writestr(f"images/{seed}.png", png(image))
            archive.writestr(f"masks/{seed}.png", png(mask * 255))
        archive.writestr("images/alone.png", png(image))
    return path


def set_up(page: Page, steps: int) -> None:
    """The smallest crops and batches, so that the machine's speed hardly matters."""
    for key, choice in (("training_model", "Encoder–decoder"), ("training_crop", "64"), ("training_batch", "2")):
        field = page.locator(f".st-key-{key} input")
        field.click()
        field.fill(choice)
        page.keyboard.press("Enter")
        settle(page)
        expect(field).to_have_value(choice)
    page.locator(".st-key-training_steps input").fill(str(steps))
    page.keyboard.press("Enter")
    settle(page)


def test_a_zip_is_trained_on_and_segments(open_page: Callable[..., Page], cells: Path) -> None:
    page = open_page("/training")
    expect(page.locator("h1")).to_contain_text("Train a network")
    page.locator(".st-key-training_data").get_by_text("ZIP", exact=True).click()
    expect(page.get_by_text("Drop a ZIP with images and masks")).to_be_visible()
    page.locator(".st-key-training_upload input[type=file]").set_input_files(cells)
    expect(page.get_by_text("6 pairs fit · 1 files do not")).to_be_visible(timeout=30_000)
    settle(page)
    set_up(page, 12)
    page.locator(START).first.click()
    expect(page.locator("h1")).to_have_text(re.compile("Getting ready|Waiting|Training|Measuring|Trained"), timeout=30_000)
    expect(page).to_have_url(re.compile(r"run=[0-9a-f]{16}"))
    page.reload()
    expect(page.locator("h1")).to_have_text(re.compile("^Trained"), timeout=WAIT)
    settle(page)
    expect(page.locator(".st-key-training_loss_curve .main-svg").first).to_be_visible()
    with page.expect_download() as download:
        page.locator(".st-key-training_weights button:visible").first.click()
    assert Path(download.value.path()).read_bytes()[8:9] == b"{", "a safetensors file"
    page.locator(".st-key-training_use button:visible").first.click()
    wait_for_viewer(page)
    expect(page.locator(".st-key-weights input")).to_have_value("Encoder–decoder, my *cells*")
    expect(page.locator(".st-key-viewer img")).to_have_attribute("alt", re.compile("segmented"))


def test_a_run_is_stopped_and_keeps_what_it_has(open_page: Callable[..., Page]) -> None:
    page = open_page("/training")
    set_up(page, 5000)
    page.locator(START).first.click()
    stop = page.locator(".st-key-training_stop button:visible").first
    step = page.get_by_text(re.compile(r"Step \d+ of 5000"))
    expect(step).to_be_visible(timeout=WAIT)
    page.get_by_role("link", name="Weights").click()  # it goes on while another page is looked at
    settle(page)
    page.get_by_role("link", name="Training").click()
    expect(step).to_be_visible(timeout=WAIT)
    stop.click()
    expect(page.locator("h1")).to_have_text(re.compile("^Trained"), timeout=WAIT)
    expect(page.get_by_text("Stopped before its time.")).to_be_visible()


@pytest.mark.parametrize(("width", "height", "dark"), [(1366, 768, False), (390, 844, True)])
def test_it_opens_on_pictures_and_fits(open_page: Callable[..., Page], width: int, height: int, dark: bool) -> None:
    page = open_page("/training", width=width, height=height, dark=dark)
    picture = page.locator(".stMain [data-testid=stImage] img").first
    expect(picture).to_be_visible()
    box = picture.bounding_box()
    assert box is not None and box["y"] + box["height"] < height
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert "with their masks" in str(picture.get_attribute("alt"))
    expect(page.locator(START).first).to_be_enabled()
