"""Pictures come in by a drop and by a paste: the drop as the browser itself hands on a file from the desktop."""

import base64
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from segdemo.data.nuclei_like import draw_nuclei

from .conftest import wait_for_viewer

pytestmark = pytest.mark.browser

DROPZONE = ".st-key-uploads [data-testid=stFileUploaderDropzone]"
PASTE = """(zone, data) => {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
    zone.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true, composed: true }));
}"""


def drop(page: Page, file: Path) -> None:
    """Drag a file over the dropzone and let it go, through the browser's own protocol: events made by a script carry
    no file of the system, and the browser does not always hand those on."""
    box = page.locator(DROPZONE).bounding_box()
    assert box is not None
    browser = page.context.new_cdp_session(page)
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    for kind in ("dragEnter", "dragOver", "drop"):
        dragged = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
        browser.send("Input.dispatchDragEvent", {"type": kind, **place, "data": dragged})


@pytest.mark.parametrize("how", ["pasted", "dropped"])
def test_a_picture_is_pasted_or_dropped(
    open_page: Callable[..., Page], png: Callable[[np.ndarray], bytes], tmp_path: Path, how: str
) -> None:
    page = open_page()
    wait_for_viewer(page)
    data = png(draw_nuclei(96, 96, seed=2)[0])
    if how == "dropped":
        (tmp_path / "dropped.png").write_bytes(data)
        drop(page, tmp_path / "dropped.png")
    else:
        page.locator(DROPZONE).evaluate(PASTE, base64.b64encode(data).decode())
    picture = page.locator(".st-key-viewer img")
    expect(picture).to_have_attribute("alt", re.compile(f"^{how}.png, segmented"), timeout=30_000)
    wait_for_viewer(page)
