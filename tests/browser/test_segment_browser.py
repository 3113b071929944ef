"""The main job in a real browser: open, drop, look, slide, download."""

import io
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from skimage import data as skimage_data

from segdemo.data import open_picture, read_image
from segdemo.data.nuclei_like import draw_nuclei
from segdemo.inference import Engine

from .conftest import settle, wait_for_viewer

pytestmark = pytest.mark.browser
OpenPage = Callable[..., Page]


def passes(server: str) -> int:
    with urllib.request.urlopen(f"{server}/api/ready") as answer:
        return int(json.load(answer)["passes"])


def drop(page: Page, *files: tuple[str, bytes]) -> None:
    """Put files into the uploader of the sidebar."""
    payload = [{"name": name, "mimeType": "application/octet-stream", "buffer": data} for name, data in files]
    page.locator(".st-key-uploads input[type=file]").set_input_files(payload)
    for name, _data in files:
        page.get_by_text(name, exact=False).first.wait_for()
    settle(page)


def wait_for_picture(page: Page, name: str) -> None:
    """Wait until the viewer shows the picture of that name."""
    expect(page.locator(".st-key-viewer img")).to_have_attribute("alt", re.compile("^" + re.escape(name)), timeout=30_000)
    wait_for_viewer(page)


def download(page: Page, label: str) -> bytes:
    page.locator(".st-key-downloads button").first.click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name=label).click()
    return Path(waiting.value.path()).read_bytes()


def encoded(image: np.ndarray, kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind)
    return buffer.getvalue()


def overlay_pixels(page: Page) -> dict[str, int]:
    """How many pixels of the overlay are painted, and in how many colours."""
    return page.locator(".st-key-viewer canvas").evaluate(  # type: ignore[no-any-return]
        """host => {
            const {data} = host.getContext('2d').getImageData(0, 0, host.width, host.height);
            const colours = new Set(); let painted = 0;
            for (let i = 0; i < data.length; i += 4) {
                if (data[i + 3]) { painted++; colours.add(data.slice(i, i + 3).join()); }
            }
            return {painted, colours: colours.size, width: host.width, height: host.height};
        }"""
    )


def test_first_view_is_a_segmented_picture(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_viewer(page)
    drawn = overlay_pixels(page)
    assert drawn["painted"] > 100
    assert drawn["colours"] == 1
    image = page.locator(".st-key-viewer img")
    assert image.evaluate("e => e.complete && e.naturalWidth > 0")
    assert "nucleus" in (image.get_attribute("alt") or "")
    box = image.bounding_box()
    assert box and box["y"] + box["height"] <= 768, "the picture must lie above the fold of a laptop"
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


@pytest.mark.parametrize("path", ["/", "/weights", "/?weights=unet%2Fshapes"])
def test_cold_deep_links_show_the_shared_frame(open_page: OpenPage, path: str) -> None:
    page = open_page(path)
    expect(page.locator(".st-key-weights")).to_be_visible()
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


@pytest.mark.parametrize("dark", [False, True])
def test_a_photograph_and_a_micrograph_are_dropped_and_the_mask_is_the_engines(open_page: OpenPage, dark: bool) -> None:
    photograph = encoded(skimage_data.coffee(), "JPEG")
    micrograph = encoded(draw_nuclei(300, 413, seed=77)[0], "PNG")
    page = open_page(dark=dark)
    for name, picture in (("coffee.jpg", photograph), ("cells.png", micrograph)):
        drop(page, (name, picture))
        wait_for_viewer(page)
        wait_for_picture(page, name)
        labels = np.asarray(Image.open(io.BytesIO(download(page, "Label map (PNG)"))))
        expected = Engine("cpu").predict(read_image(picture), "unet/nuclei").preds
        np.testing.assert_array_equal(labels, expected)
        page.keyboard.press("Escape")


def test_a_bad_file_among_many_is_named_and_the_rest_go_on(open_page: OpenPage) -> None:
    deep = (draw_nuclei(128, 128, seed=8)[0][..., 0].astype(np.uint16) * 13 + 500).astype(np.uint16)
    tiff = io.BytesIO()
    Image.fromarray(deep).save(tiff, "TIFF")
    good = encoded(draw_nuclei(128, 160, seed=9)[0], "PNG")
    page = open_page()
    drop(page, ("deep.tif", tiff.getvalue()), ("broken.png", good[: len(good) // 2]), ("good.png", good))
    wait_for_viewer(page)
    expect(page.get_by_text("damaged or cut off")).to_be_visible()
    strip = page.locator(".st-key-strip .strip button")
    expect(strip).to_have_count(3)  # the sample and the two good ones
    wait_for_picture(page, "deep.tif")
    labels = np.asarray(Image.open(io.BytesIO(download(page, "Label map (PNG)"))))
    np.testing.assert_array_equal(labels, Engine("cpu").predict(read_image(tiff.getvalue()), "unet/nuclei").preds)
    page.keyboard.press("Escape")
    strip.nth(2).click()
    settle(page)
    wait_for_picture(page, "good.png")


def test_redrawing_runs_no_network(open_page: OpenPage, server: str) -> None:
    page = open_page()
    wait_for_viewer(page)
    before = passes(server)
    page.locator(".st-key-style button", has_text="Contour").click()
    settle(page)
    thumb = page.locator(".st-key-threshold input[type=range]")
    thumb.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    settle(page)
    page.locator(".st-key-viewer .legend button").first.hover()
    page.locator(".st-key-viewer .frame").hover(position={"x": 200, "y": 150})
    expect(page.locator(".st-key-viewer .probe")).to_contain_text("%")
    assert passes(server) == before
    page.wait_for_url("**/?style=contour&threshold=55")


def test_the_divider_works_by_keyboard_and_by_mouse(open_page: OpenPage) -> None:
    page = open_page()
    wait_for_viewer(page)
    divider = page.locator(".st-key-viewer .divider")
    divider.focus()
    page.keyboard.press("Home")
    expect(divider).to_have_attribute("aria-valuenow", "0")
    page.keyboard.press("PageUp")
    expect(divider).to_have_attribute("aria-valuenow", "20")
    box = page.locator(".st-key-viewer .frame").bounding_box()
    handle = divider.bounding_box()
    assert box and handle
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, handle["y"] + 20, steps=4)
    page.mouse.up()
    assert abs(int(divider.get_attribute("aria-valuenow") or 0) - 75) <= 2


def test_the_legend_isolates_a_class(open_page: OpenPage) -> None:
    page = open_page("/?sample=shapes&weights=unet%2Fshapes")
    wait_for_viewer(page)
    everything = overlay_pixels(page)
    entry = page.locator(".st-key-viewer .legend button", has_text="star")
    entry.click()
    expect(entry).to_have_attribute("aria-pressed", "true")
    assert everything["colours"] >= 3
    assert overlay_pixels(page)["colours"] == 2  # the star's own, and the dark over all the rest


def test_uploads_survive_switching_pages(open_page: OpenPage) -> None:
    page = open_page()
    drop(page, ("mine.png", encoded(draw_nuclei(96, 96, seed=3)[0], "PNG")))
    page.get_by_role("link", name="Weights").click()
    settle(page)
    expect(page.get_by_role("heading", name="Weights", exact=True)).to_be_visible()
    page.get_by_role("link", name="Segment").click()
    wait_for_viewer(page)
    wait_for_picture(page, "mine.png")


def test_values_typed_into_the_url_are_checked(open_page: OpenPage) -> None:
    page = open_page("/?sample=nothing&weights=unet%2Fnone&threshold=900&opacity=-5&style=glitter")
    wait_for_viewer(page)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
    assert overlay_pixels(page)["width"] > 0


def test_weights_that_cannot_be_fetched_leave_everything_else_usable(open_page: OpenPage) -> None:
    page = open_page("/?weights=lraspp_mobilenet_v3_large%2Fcoco-voc")
    page.get_by_role("button", name="Fetch these weights, 13 MB").click()
    expect(page.get_by_text("bundled still works", exact=False)).to_be_visible(timeout=60_000)


def test_headers_and_unknown_media(server: str) -> None:
    with urllib.request.urlopen(server) as answer:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{server}/api/media/{'0' * 64}")


@pytest.mark.parametrize("path", ["/", "/weights"])
def test_nothing_is_wider_than_a_phone(open_page: OpenPage, path: str) -> None:
    page = open_page(path, width=390, height=844)
    settle(page)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390


def test_a_photograph_decoded_at_reduced_size_keeps_its_own_size(open_page: OpenPage) -> None:
    large = np.tile(skimage_data.coffee(), (6, 6, 1))  # 2400 × 3600, 8.6 megapixels
    data = encoded(large, "JPEG")
    page = open_page()
    drop(page, ("large.jpg", data))
    wait_for_viewer(page)
    wait_for_picture(page, "large.jpg")
    labels = np.asarray(Image.open(io.BytesIO(download(page, "Label map (PNG)"))))
    picture = open_picture(data, reduce_to=2_100_000)
    assert labels.shape == large.shape[:2]
    np.testing.assert_array_equal(labels, Engine("cpu").predict(picture, "unet/nuclei").preds)
