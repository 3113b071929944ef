"""Pictures come in by a real drop and by a real paste, as the browser's own events."""

import base64
import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from segdemo.data.nuclei_like import draw_nuclei

from .conftest import wait_for_viewer

pytestmark = pytest.mark.browser

GIVE_FILE = """(zone, [kind, data]) => {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], `${kind}ed.png`, { type: 'image/png' }));
    const shared = { bubbles: true, cancelable: true, composed: true };
    if (kind === 'past') zone.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, ...shared }));
    else for (const type of ["dragenter", "dragover", "drop"])
        zone.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, ...shared }));
}"""


@pytest.mark.parametrize("kind", ["past", "dropp"])
def test_a_picture_is_pasted_or_dropped(open_page: Callable[..., Page], png: Callable[[np.ndarray], bytes], kind: str) -> None:
    page = open_page()
    data = base64.b64encode(png(draw_nuclei(96, 96, seed=2)[0])).decode()
    page.locator(".st-key-uploads [data-testid=stFileUploaderDropzone]").evaluate(GIVE_FILE, [kind, data])
    picture = page.locator(".st-key-viewer img")
    expect(picture).to_have_attribute("alt", re.compile(f"^{kind}ed.png, segmented"), timeout=30_000)
    wait_for_viewer(page)
