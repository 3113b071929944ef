"""Downloads against a server on loopback that can be told to misbehave."""

import contextlib
import errno
import hashlib
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from segdemo.types import WeightsEntry
from segdemo.weights import DownloadError, download, fetch, get_weights, is_present, weights_path

CONTENT = bytes(range(256)) * 2000  # 512 kB, eight pieces


@dataclass
class Server:
    """What the server does, and the offsets that it was asked for."""

    url: str = ""
    break_after: int | None = None  # bytes into the next answer
    ranges: bool = True
    lengths: bool = True
    status: int = 200
    content: bytes = CONTENT
    pause: threading.Event | None = None  # hold every answer until it is set
    asked: list[str | None] = field(default_factory=list)


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers["Range"]
            server.asked.append(wanted)
            if server.pause:
                server.pause.wait(10)
            start = int(re.findall(r"\d+", wanted)[0]) if wanted and server.ranges else 0
            if start and start >= len(server.content):
                return self.send_error(416)
            self.send_response(206 if start else server.status)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
            body = server.content[start:]
            if server.lengths:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # the other side may have heard enough
                self.wfile.write(body[: server.break_after])

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    monkeypatch.setenv("SEGDEMO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    behaviour = Server()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(behaviour)) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        behaviour.url = f"http://127.0.0.1:{http.server_port}/weights-12345678.pth"
        yield behaviour
        http.shutdown()
        thread.join()


@pytest.fixture
def entry(server: Server) -> WeightsEntry:
    known = hashlib.sha256(CONTENT).hexdigest()[:8]
    return replace(get_weights("lraspp_mobilenet_v3_large/coco-voc"), url=server.url, sha256=known, size_bytes=len(CONTENT))


def _part(entry: WeightsEntry) -> Path:
    path = weights_path(entry)
    return path.with_name(path.name + ".part")


def test_download_with_progress_and_only_once(server: Server, entry: WeightsEntry) -> None:
    reports: list[tuple[int, int]] = []
    assert not is_present(entry)
    path = fetch(entry, lambda done, total: reports.append((done, total)))
    assert path == weights_path(entry) and path.read_bytes() == CONTENT and is_present(entry)
    assert reports == sorted(reports) and len(reports) > 3 and reports[-1] == (len(CONTENT), len(CONTENT))
    assert not _part(entry).exists()
    assert fetch(entry) == path and server.asked == [None]


def test_broken_connection_is_resumed(server: Server, entry: WeightsEntry) -> None:
    server.break_after = 300_000
    with pytest.raises(DownloadError, match=r"broke off after 0\.\d of 0\.5 MB"):
        fetch(entry)
    kept = _part(entry).stat().st_size
    assert 0 < kept <= 300_000 and not is_present(entry)
    server.break_after = None
    reports: list[int] = []
    assert fetch(entry, lambda done, total: reports.append(done)).read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={kept}-"]
    assert reports[0] > kept


def test_server_that_cannot_resume_starts_again(server: Server, entry: WeightsEntry) -> None:
    server.ranges = False
    _part(entry).parent.mkdir(parents=True)
    _part(entry).write_bytes(CONTENT[:1000])
    assert fetch(entry).read_bytes() == CONTENT
    assert server.asked == ["bytes=1000-"]


def test_part_longer_than_the_file_starts_again(server: Server, entry: WeightsEntry) -> None:
    _part(entry).parent.mkdir(parents=True)
    _part(entry).write_bytes(CONTENT + b"more")
    assert fetch(entry).read_bytes() == CONTENT
    assert len(server.asked) == 2 and server.asked[1] is None


def test_server_without_length(server: Server, entry: WeightsEntry) -> None:
    server.lengths = False
    reports: list[tuple[int, int]] = []
    assert fetch(entry, lambda done, total: reports.append((done, total))).read_bytes() == CONTENT
    assert reports[-1] == (len(CONTENT), entry.size_bytes)


@pytest.mark.parametrize("known", ["00000000", ""], ids=["other", "unknown"])
def test_wrong_hash_is_deleted(server: Server, entry: WeightsEntry, known: str) -> None:
    with pytest.raises(DownloadError, match="not the file that was promised"):
        fetch(replace(entry, sha256=known))
    assert not _part(entry).exists() and not is_present(entry)


@pytest.mark.parametrize("lengths", [True, False], ids=["announced", "not announced"])
def test_more_than_promised_is_stopped(server: Server, entry: WeightsEntry, lengths: bool) -> None:
    server.content, server.lengths = CONTENT * 3, lengths
    received: list[int] = []
    with pytest.raises(DownloadError, match="more than the weights should have"):
        fetch(entry, lambda done, total: received.append(done))
    assert not _part(entry).exists() and max(received, default=0) < 1.1 * len(CONTENT)


def test_http_error(server: Server, entry: WeightsEntry) -> None:
    server.status = 404
    with pytest.raises(DownloadError, match="answered with error 404"):
        fetch(entry)
    assert not _part(entry).exists()


def test_nothing_listens(entry: WeightsEntry) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as closed:
        port = closed.server_port
    with pytest.raises(DownloadError, match=f"127.0.0.1:{port} cannot be reached. Everything bundled still works."):
        fetch(replace(entry, url=f"http://127.0.0.1:{port}/weights.pth"))


def test_silent_server(server: Server, entry: WeightsEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TIMEOUT_S", (0.2, 0.2))
    server.pause = threading.Event()
    with pytest.raises(DownloadError, match="cannot be reached"):
        fetch(entry)
    server.pause.set()


def test_stopping_keeps_what_arrived(server: Server, entry: WeightsEntry) -> None:
    received: list[int] = []
    with pytest.raises(DownloadError, match="was stopped"):
        fetch(entry, lambda done, total: received.append(done), lambda: len(received) >= 2)
    assert _part(entry).stat().st_size == received[-1] < len(CONTENT)
    assert fetch(entry).read_bytes() == CONTENT


def test_two_at_once_download_once(server: Server, entry: WeightsEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "WAIT_S", 0.01)
    server.pause, waited = threading.Event(), threading.Event()

    def second_is_waiting() -> bool:
        waited.set()
        return False

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(fetch, entry)
        while not server.asked:
            time.sleep(0.001)
        second = pool.submit(fetch, entry, None, second_is_waiting)
        assert waited.wait(5)
        with pytest.raises(DownloadError, match="was stopped"):
            fetch(entry, cancelled=lambda: True)
        server.pause.set()
        assert first.result(10) == second.result(10) == weights_path(entry)
    assert server.asked == [None]


@pytest.mark.parametrize(("number", "sentence"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "cannot be kept in")])
def test_disk_that_cannot_be_written(entry: WeightsEntry, monkeypatch: pytest.MonkeyPatch, number: int, sentence: str) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(DownloadError, match=sentence):
        fetch(entry)


def test_bundled_needs_no_download(server: Server) -> None:
    bundled = get_weights("unet/nuclei")
    assert fetch(bundled) == weights_path(bundled)
    with pytest.raises(DownloadError, match="install again"):
        fetch(replace(bundled, weights_id="unet/absent"))
    assert server.asked == []
