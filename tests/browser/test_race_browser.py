"""The Race view in a real browser: run a race, scrub, stop; go to another page and come back; close the page."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import ROOT, START_SECONDS, settle

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
PATIENCE_MS, LOADED_MS = 120_000, 45_000
LEASE_MS = 8_000  # longer than a race of this server lives without a page that renews it


class Server:
    """The view's server: where it is, and how many workers it has."""

    def __init__(self, address: str, pid: int) -> None:
        self.address, self.pid = address, pid

    def racing_threads(self) -> int:
        """Threads of a lower priority than the first one: the workers, and nothing else there is."""
        niceness = {}
        for stat in Path(f"/proc/{self.pid}/task").glob("*/stat"):
            with suppress(OSError):  # it has ended meanwhile
                niceness[stat.parent.name] = int(stat.read_text().rpartition(")")[2].split()[16])
        return sum(nice > niceness[str(self.pid)] for nice in niceness.values())


@pytest.fixture(scope="module")
def race_server() -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = Path(__file__).with_name("race_app.py")
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port), "--server.address", "127.0.0.1"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _healthy(address):
            assert process.poll() is None and time.monotonic() < deadline, "The server of the race did not start."
            time.sleep(0.2)
        yield Server(address, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
            return True
    except OSError:
        return False


@pytest.fixture
def open_race(race_server: Server, browser: Browser) -> Iterator[Open]:
    contexts = []

    def open_view(path: str = "", width: int = 1366, height: int = 1400, dark: bool = False) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(45_000)
        page.goto(f"{race_server.address}/{path}")
        settle(page)
        return page

    yield open_view
    for context in contexts:
        context.close()


def press(page: Page, name: str) -> None:
    page.locator(f".st-key-race_{name} button:visible").first.click()


def step_shown(page: Page) -> int:
    found = re.search(r"After step (\d+)", page.locator('[data-testid="stMain"]').inner_text())
    return int(found[1]) if found else -1


def masks(page: Page) -> str:
    """Address of the sheet of masks; another sheet has another one."""
    return page.locator('img[alt^="Masks of each loss"]').get_attribute("src") or ""


def wait_for_step(page: Page, step: int) -> None:
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while step_shown(page) < step:
        assert time.monotonic() < deadline, f"Step {step} was not reached."
        page.wait_for_timeout(200)


def test_run_scrub_pause_stop_reset(open_race: Open, race_server: Server) -> None:
    page = open_race()
    expect(page.get_by_text("Nothing has been trained yet")).to_be_visible()
    empty = masks(page)
    press(page, "start")
    wait_for_step(page, 10)
    assert masks(page) != empty
    assert race_server.racing_threads() >= 1

    press(page, "pause")
    expect(page.get_by_text(re.compile(r"Paused at step \d+"))).to_be_visible(timeout=PATIENCE_MS)
    settle(page)
    newest, newest_masks = step_shown(page), masks(page)
    slider = page.get_by_role("slider", name=re.compile("Look back"))
    slider.focus()
    page.keyboard.press("Home")
    expect(page.get_by_text("After step 0")).to_be_visible()
    assert masks(page) != newest_masks
    page.keyboard.press("End")
    expect(page.get_by_text(f"After step {newest}", exact=True)).to_be_visible()

    press(page, "resume")
    wait_for_step(page, newest + 5)
    press(page, "stop")
    expect(page.get_by_text(re.compile(r"Stopped at step \d+"))).to_be_visible(timeout=PATIENCE_MS)
    gone(race_server)
    press(page, "reset")
    expect(page.get_by_text("Nothing has been trained yet")).to_be_visible()


def gone(server: Server) -> None:
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while server.racing_threads():
        assert time.monotonic() < deadline, "Threads are left."
        time.sleep(0.2)


def test_it_goes_on_while_another_page_is_open(open_race: Open) -> None:
    page = open_race()
    press(page, "start")
    wait_for_step(page, 1)
    page.get_by_role("link", name="Elsewhere").click()
    expect(page.get_by_role("heading", name="Elsewhere")).to_be_visible()
    page.wait_for_timeout(LEASE_MS)
    page.get_by_role("link", name="Race").click()
    settle(page)
    expect(page.get_by_text(re.compile("Racing, step|Finished after"))).to_be_visible(timeout=PATIENCE_MS)
    press(page, "reset")
    settle(page)


def test_a_reload_goes_on_where_it_was(open_race: Open, race_server: Server) -> None:
    page = open_race()
    press(page, "start")
    wait_for_step(page, 5)
    expect(page).to_have_url(re.compile(r"race=[0-9a-f]{16}"))
    page.reload()
    settle(page)
    wait_for_step(page, 10)
    page.wait_for_timeout(LEASE_MS)
    expect(page.get_by_text(re.compile("Racing, step"))).to_be_visible()
    press(page, "stop")
    expect(page.get_by_text(re.compile(r"Stopped at step \d+"))).to_be_visible(timeout=PATIENCE_MS)
    gone(race_server)


def test_a_closed_page_ends_its_race_and_no_other(open_race: Open, race_server: Server) -> None:
    mine, yours = open_race(), open_race()
    for page in (mine, yours):
        press(page, "start")
        wait_for_step(page, 1)
    yours.context.close()
    mine.wait_for_timeout(LEASE_MS)
    wait_for_step(mine, step_shown(mine) + 5)
    press(mine, "reset")
    expect(mine.get_by_text("Nothing has been trained yet")).to_be_visible()
    gone(race_server)


@pytest.mark.parametrize(("width", "height", "dark"), [(1366, 768, False), (390, 844, True)])
def test_the_view_fits_every_screen(open_race: Open, width: int, height: int, dark: bool) -> None:
    page = open_race("wide", width, height, dark)
    expect(page.locator(".st-key-race_start button:visible").first).to_be_in_viewport(timeout=LOADED_MS)
    sheet = page.locator('img[alt^="Masks of each loss"]')
    expect(sheet).to_be_visible(timeout=LOADED_MS)
    assert sheet.evaluate("(image) => image.naturalWidth > 0")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
