"""Downloads: one file at a time each, resumed where they broke off, and in place only when whole and checked.

    server ──Range──▶ <file>.part ──hash──▶ <file>      (moved in one step, so a file that exists is complete)

A part that turns out to belong to another version of the file is caught by the hash, like any other damage.
"""

import errno
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import requests

from segdemo.errors import DownloadError
from segdemo.text import _
from segdemo.types import WeightsEntry
from segdemo.weights.catalogue import is_intact, weights_path

__all__ = ["Cancelled", "Progress", "fetch", "is_present"]

Progress = Callable[[int, int], None]  # (bytes done, bytes in total)
Cancelled = Callable[[], bool]

TIMEOUT_S = (10.0, 30.0)  # to connect, and between two pieces of the answer
CHUNK_BYTES = 64 * 1024
WAIT_S = 0.2  # between two looks at a download that someone else started
MAX_BYTES = 1_000_000_000  # where the size is not known beforehand

_turns: dict[Path, threading.Lock] = {}


def is_present(entry: WeightsEntry) -> bool:
    """Whether the weights can be loaded without a download. Looks for the file only, so it is cheap to ask."""
    return weights_path(entry).is_file()


def fetch(entry: WeightsEntry, on_progress: Progress | None = None, cancelled: Cancelled | None = None) -> Path:
    """The file of `entry`, downloaded if it is not there yet; whoever asks meanwhile waits for the same download.

    `on_progress` is told (bytes done, bytes in total); `cancelled` is asked whether to stop, at least every 30 s.
    Raises DownloadError; what has arrived is kept and the next call continues there, unless it was the wrong file.
    """
    report, stopped = on_progress or (lambda done, total: None), cancelled or (lambda: False)
    path = weights_path(entry)
    with _explained_disk_errors(path.parent), _turn(entry, path, report, stopped):
        if path.is_file():
            return path
        if entry.file is not None:
            raise DownloadError(_("The file {name} is no longer there: import it again.", name=path.name))
        if entry.url is None:
            raise DownloadError(_("{name} belongs to this program, but its file is missing: install again.", name=path.name))
        path.parent.mkdir(parents=True, exist_ok=True)
        part = _part(path)
        _download(entry, entry.url, part, report, stopped)
        if not is_intact(part, entry):
            part.unlink()
            raise DownloadError(_("What arrived is not the file that was promised, so it was deleted. Try again later."))
        part.replace(path)
    return path


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


@contextmanager
def _turn(entry: WeightsEntry, path: Path, report: Progress, stopped: Cancelled) -> Iterator[None]:
    """Hold the one right in this process to download `path`; while waiting for it, pass on how far the other is."""
    lock = _turns.setdefault(path, threading.Lock())
    while not lock.acquire(timeout=WAIT_S):
        _check_stopped(stopped)
        if (part := _part(path)).exists():
            report(part.stat().st_size, entry.size_bytes)
    try:
        yield
    finally:
        lock.release()


def _download(entry: WeightsEntry, url: str, part: Path, report: Progress, stopped: Cancelled) -> None:
    """Fill `part` from where it ends, or from the start where the server cannot continue."""
    offset = part.stat().st_size if part.exists() else 0
    response = _request(url, offset)
    if offset and not _continues(response, offset):
        if response.status_code != requests.codes.ok:  # the part is no beginning of this file: as if it were not there
            response.close()
            response = _request(url, 0)
        offset = 0
    with closing(response):
        if response.status_code not in (requests.codes.ok, requests.codes.partial):
            raise DownloadError(
                _("The weights cannot be fetched: {server} answered with error {status}. Everything bundled still works.",
                  server=_server(url), status=response.status_code)
            )  # fmt: skip
        _receive(entry, response, part, offset, report, stopped)


def _request(url: str, offset: int) -> requests.Response:
    """Ask for the bytes from `offset` on. "identity", because a compressed answer could not be continued or measured."""
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={offset}-"} if offset else {})
    try:
        return requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_S)
    except requests.RequestException as error:
        raise DownloadError(
            _("The weights cannot be fetched: the server {server} cannot be reached. Everything bundled still works.",
              server=_server(url))
        ) from error  # fmt: skip


def _continues(response: requests.Response, offset: int) -> bool:
    partial = response.status_code == requests.codes.partial
    return partial and response.headers.get("Content-Range", "").startswith(f"bytes {offset}-")


def _receive(
    entry: WeightsEntry, response: requests.Response, part: Path, offset: int, report: Progress, stopped: Cancelled
) -> None:
    """Write the answer behind the first `offset` bytes of `part`."""
    length = response.headers.get("Content-Length", "")
    announced = offset + int(length) if length.isdecimal() else 0
    total = announced or entry.size_bytes
    done = offset
    try:
        with part.open("ab" if offset else "wb") as file:
            _check_size(entry, announced)
            for chunk in response.iter_content(CHUNK_BYTES):
                done += len(chunk)
                _check_size(entry, done)
                file.write(chunk)
                report(done, total)
                _check_stopped(stopped)
    except requests.RequestException as error:
        raise _broken_off(done, total) from error
    except _TooLargeError:
        part.unlink()
        raise
    if done < announced:
        raise _broken_off(done, total)


class _TooLargeError(DownloadError):
    """The server sends more than the catalogue expects; what came is of no use."""


def _check_size(entry: WeightsEntry, count: int) -> None:
    if count > (entry.size_bytes * 1.1 or MAX_BYTES):
        raise _TooLargeError(_("The server sent more than the weights should have, so the download was stopped."))


def _check_stopped(stopped: Cancelled) -> None:
    if stopped():
        raise DownloadError(_("The download was stopped. What has arrived is kept, and the next try continues there."))


def _broken_off(done: int, total: int) -> DownloadError:
    return DownloadError(
        _("The download broke off after {done:.1f} of {total:.1f} MB. That much is kept, and the next try continues there.",
          done=done / 1e6, total=total / 1e6)
    )  # fmt: skip


@contextmanager
def _explained_disk_errors(folder: Path) -> Iterator[None]:
    """Say what to do about a full disk or a folder that cannot be written."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DownloadError(_("The disk is full: free some space for {folder}, then try again.", folder=folder)) from error
        reason = error.strerror or type(error).__name__
        raise DownloadError(_("The weights cannot be kept in {folder}: {reason}.", folder=folder, reason=reason)) from error


def _server(url: str) -> str:
    return urlsplit(url).netloc
