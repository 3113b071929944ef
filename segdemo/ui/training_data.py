"""The data of a training on the Training page: drawn, the visitor's ZIP, or a folder of the server; looked at first."""

import hashlib
import io
import os
import threading
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import cv2
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from segdemo.data.archive_limits import MAX_MEMBERS
from segdemo.data.nuclei_like import draw_nuclei
from segdemo.data.open_set import GENERATED, open_data_set
from segdemo.data.sources import FolderSource, Source
from segdemo.data.uploaded_set import MAX_PAIRS, PairedSource
from segdemo.errors import SegdemoError, SettingError
from segdemo.inference.cache import BoundedCache
from segdemo.text import _
from segdemo.training.run_folder import write_whole
from segdemo.ui.words import plain
from segdemo.weights.places import cache_folder

__all__ = ["LAYOUT", "ChosenData", "choose_data", "example_zip", "keep_zip"]

Report = Callable[[PairedSource, str], None]
ZIP_KEY = "training_zip"
LAYOUT = """cells.zip     or  cells.zip
├── images        ├── a.jpg
│   ├── a.jpg     ├── a_mask.png
│   └── b.jpg     ├── b.jpg
└── masks         └── b_mask.png
    ├── a.png
    └── b.png"""
MAX_SETS_BYTES = 2_000_000_000
MAX_LISTED = 200
UNCHANGING = (0, 0)  # the stamp of what is always the same under its name: a generator, a ZIP named by its hash
PAGE_CACHE_BYTES = 30_000_000  # of a set's decoded pairs: enough for the pictures on the page
_readers = threading.BoundedSemaphore(2)
_sources: BoundedCache[tuple[str, int, int], Source] = BoundedCache(8, lambda _source: 1)


@dataclass(frozen=True)
class ChosenData:
    """What to train on. `data` is what a spec takes, `name` what the command line says; `file` must be kept for the run."""

    data: str
    name: str
    source: Source
    file: Path | None = None


def choose_data(report: Report, place: DeltaGenerator, found: DeltaGenerator) -> ChosenData | None:
    """The controls. What is being read and what is wrong is said in `place`, the `report` of what was found in `found`."""
    folder = data_folder()
    words = {"drawn": _("Drawn"), "zip": _("ZIP"), "folder": _("Server")}
    kinds = [kind for kind in words if kind != "folder" or folder]
    if st.session_state.get("training_data") not in kinds:
        st.session_state["training_data"] = kinds[0]
    kind = st.segmented_control(
        _("Data"), kinds, key="training_data", persist_state="session", required=True, format_func=lambda name: words[name],
        help=_("Drawn sets are generated with exact masks. A ZIP holds your own images and masks."),
    )  # fmt: skip
    try:
        if kind == "zip":
            return _zip(report, place, found)
        if kind == "folder" and folder:
            return _listed(folder, report, place, found)
    except SegdemoError as error:
        place.error(str(error), icon=":material/folder_off:")
        if kind == "zip":
            _explain(place)
        return None
    return _drawn()


def _drawn() -> ChosenData:
    titles = {"nuclei": _("Cell nuclei"), "shapes": _("Shapes")}
    data = st.selectbox(
        _("Set"), GENERATED, key="training_drawn", persist_state="session", format_func=lambda name: titles[name],
        help=_("Cell nuclei: two classes, learned within a minute. Shapes: five classes, which take longer."),
    )  # fmt: skip
    return ChosenData(data, data, _source(data, UNCHANGING, None))


def _zip(report: Report, place: DeltaGenerator, found: DeltaGenerator) -> ChosenData | None:
    """The ZIP that was dropped last; it is kept on disk, so that it is still there after a look at another page."""
    upload = st.file_uploader(
        _("Images and masks in a ZIP"), type=["zip"], key="training_upload",
        help=_("Folders images/ and masks/ with the same names, or cell.png beside cell_mask.png, nested as you like. "
               "Masks: class numbers, black and white, or one colour a class."),
    )  # fmt: skip
    if upload is not None and st.session_state.get(ZIP_KEY, ("", "", ""))[0] != upload.file_id:
        path = keep_zip(upload.getvalue())
        st.session_state[ZIP_KEY] = (upload.file_id, str(path), upload.name)
    if ZIP_KEY not in st.session_state:
        _explain(place)
        return None
    _file_id, kept, name = st.session_state[ZIP_KEY]
    path = Path(kept)
    if not path.is_file():
        raise SettingError(_("{name} is not kept any more: drop it again.", name=plain(name)))
    if upload is None:
        st.caption(_("Kept from before: {name}", name=plain(name)))
    source = _source(kept, UNCHANGING, place)
    if isinstance(source, PairedSource):
        with found:
            report(source, name)
    return ChosenData(kept, Path(name.replace("\\", "/")).name[-120:] or "data.zip", source, path)


def _explain(place: DeltaGenerator) -> None:
    """What a ZIP should hold, and one to look into."""
    with place:
        st.info(_("Drop a ZIP with images and masks into its field. Each pair is checked before anything is trained."),
                icon=":material/folder_zip:")  # fmt: skip
        st.code(LAYOUT, language=None)
        st.caption(_("Masks hold class numbers, black and white, or one colour for each class, and are as large as their images. "
                     "Up to {pairs} pairs; a fifth is held out to measure on.", pairs=MAX_PAIRS))  # fmt: skip
        st.download_button(_("An example"), example_zip, "cells.zip", "application/zip", key="training_example",
                           icon=":material/download:", on_click="ignore", help=_("Ten drawn micrographs."))  # fmt: skip


def example_zip() -> bytes:
    """A small data set as it should be: ten micrographs with black and white masks."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for seed in range(10):
            image, mask = draw_nuclei(192, 192, seed=seed, count=30, kind="stained" if seed % 2 else "fluorescence")
            for name, pixels in ((f"images/{seed:02d}.png", image[..., ::-1]), (f"masks/{seed:02d}.png", mask * 255)):
                archive.writestr(name, cv2.imencode(".png", pixels)[1].tobytes())
    return buffer.getvalue()


def data_folder() -> Path | None:
    """$SEGDEMO_DATA_DIR, the folder with data sets of the server's; None where there is none."""
    chosen = os.environ.get("SEGDEMO_DATA_DIR")
    return Path(chosen) if chosen and Path(chosen).is_dir() else None


def _listed(folder: Path, report: Report, place: DeltaGenerator, found: DeltaGenerator) -> ChosenData | None:
    """A data set of the server's folder, by its name there: nobody types a path."""
    names = sorted(path.name for path in folder.iterdir() if path.is_dir() or path.suffix.lower() == ".zip")[:MAX_LISTED]
    names = [name for name in names if not name.startswith(".")]
    name = st.selectbox(
        _("Set"), names, key="training_listed", persist_state="session",
        help=_("The folders and ZIPs in SEGDEMO_DATA_DIR."), placeholder=_("Nothing there yet"),
    )  # fmt: skip
    if name not in names:
        return None
    path = folder / name
    source = _source(str(path), _stamp(path), place)
    if isinstance(source, PairedSource):
        with found:
            report(source, name)
    return ChosenData(str(path), name, source)


def _stamp(path: Path) -> tuple[int, int]:
    """When a ZIP, or anything in a folder, was changed last, and how many files there are: another stamp, other data."""
    newest, count = path.stat().st_mtime_ns, 0
    for folder, _folders, files in os.walk(path):
        for name in ("", *files):
            with suppress(OSError):  # gone since
                newest = max(newest, os.lstat(os.path.join(folder, name)).st_mtime_ns)
        count += len(files)
        if count > MAX_MEMBERS:
            break
    return newest, count


def _source(data: str, stamp: tuple[int, int], place: DeltaGenerator | None) -> Source:
    """The data set, read once for all visitors who bring the same."""
    return _sources.get_or_make((data, *stamp), lambda: _read(data, place))


def _read(data: str, place: DeltaGenerator | None) -> Source:
    if place is None:
        return open_data_set(data)
    words = _("Checking every pair …")
    bar = place.progress(0.0, words)
    try:
        with _readers:
            path = Path(data)
            if path.is_dir() and (path / "train.txt").is_file():
                return FolderSource(path)
            return PairedSource(path, on_progress=_teller(bar, words), cache_bytes=PAGE_CACHE_BYTES)
    finally:
        bar.empty()


def _teller(bar: DeltaGenerator, words: str) -> Callable[[float], None]:
    """Moves the bar, ten times a second at most."""
    last = 0.0

    def on_progress(share: float) -> None:
        nonlocal last
        if monotonic() - last > 0.1:
            last = monotonic()
            bar.progress(share, words)

    return on_progress


def keep_zip(data: bytes) -> Path:
    """Write an upload under its hash. Raises SettingError where that is not possible."""
    folder = cache_folder() / "training-sets"
    path = folder / f"{hashlib.sha256(data).hexdigest()}.zip"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make_room(folder, len(data))
            write_whole(path, data)
        path.touch()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SettingError(_("The ZIP cannot be kept on this machine: {reason}.", reason=reason)) from error
    return path


def _make_room(folder: Path, size: int) -> None:
    """Delete the oldest sets beyond the bound; a training that uses one has a link of its own to it."""
    files = sorted(folder.glob("*.zip"), key=lambda path: path.stat().st_mtime)
    used = size + sum(path.stat().st_size for path in files)
    for path in files:
        if used <= MAX_SETS_BYTES:
            break
        used -= path.stat().st_size
        path.unlink(missing_ok=True)
