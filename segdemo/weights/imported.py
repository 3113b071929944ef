"""Imported weights in the catalogue: a file, a card with the visitor's answers, and an entry that is found by its name.

    upload ─▶ safetensors with our names ─▶ cache folder    + card once the visitor uses it
    folder ─▶ the file as it is, read through its layout    + card beside it once the visitor imports it

The name's sixteen digits are a hash of the file and of the answers, so other answers are other weights and no result of
one is ever shown for the other. Entries are found by everyone who knows the name; listing them is up to the pages.
"""

import hashlib
import json
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from segdemo.errors import CheckpointError
from segdemo.text import N_, _
from segdemo.types import ClassInfo, WeightsEntry
from segdemo.weights.cards import file_sha256, read_card, write_card
from segdemo.weights.importing import ImportedCheckpoint
from segdemo.weights.places import cache_folder, weights_folder

__all__ = [
    "answered", "card_path", "draft_of_file", "draft_of_upload", "find_import", "folder_entries", "folder_files", "keep",
    "register",
]  # fmt: skip

ENDINGS = (".pt", ".pth", ".safetensors", ".ckpt", ".bin")
MAX_FOLDER_FILES = 200
MAX_KEPT_BYTES = 5_000_000_000  # of uploads in the cache; the oldest leave first
MAX_REGISTERED = 1000
DIGITS = 16  # of a name; with eight, other answers with the same name are found within minutes
ABANDONED_SECONDS = 3600.0  # after which nobody writes to an unfinished file any more
TRAINED_ON = N_("pictures that nobody has described here")

_registered: OrderedDict[str, WeightsEntry] = OrderedDict()
_lock = threading.Lock()


def draft_of_upload(imported: ImportedCheckpoint, name: str) -> WeightsEntry:
    """Keep an upload's tensors in the cache folder and describe them with the guesses. `name` is the file's, for the title.

    Raises CheckpointError where nothing can be written.
    """
    path = _upload_folder() / f"{imported.sha256[:32]}-{imported.model.replace('/', '-')}.safetensors"
    if not path.exists():
        _save(imported.state, path)
    return _draft(imported, path, name, layout="")


def _save(state: Mapping[str, Tensor], path: Path) -> None:
    """Write the file at once or not at all. Raises CheckpointError."""
    temporary = None
    try:
        _make_room(path.parent, sum(t.numel() * t.element_size() for t in state.values()))
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
            temporary = Path(part.name)
        save_file(dict(state), temporary)
        temporary.replace(path)
    except (OSError, SafetensorError) as error:  # a full disk is the one or the other, by where it is noticed
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise CheckpointError(_("The weights cannot be kept on this machine: {reason}.", reason=reason)) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def draft_of_file(imported: ImportedCheckpoint, path: Path) -> WeightsEntry:
    """Describe a file of the visitor's folder with the guesses; it stays where it is, as it is."""
    return _draft(imported, path, path.name, imported.layout)


def _draft(imported: ImportedCheckpoint, path: Path, name: str, layout: str) -> WeightsEntry:
    return WeightsEntry(
        weights_id=imported.model,
        model=imported.model,
        options=dict(imported.options),
        classes=imported.classes,
        preprocessing=imported.preprocessing,
        title=Path(name).stem[:60] or name[:60],
        trained_on=TRAINED_ON,
        licence="",  # for whoever brought the weights to know
        params=imported.params,
        sha256=file_sha256(path),
        size_bytes=path.stat().st_size,
        score=None,
        score_name="",
        file=path,
        layout=layout,
        card={"source": name, "source_sha256": imported.sha256, "imported_as": imported.layout_title},
    )


def answered(draft: WeightsEntry, classes: Sequence[ClassInfo]) -> WeightsEntry:
    """The entry with the visitor's answers, its classes among them, and the name that belongs to these answers."""
    entry = replace(draft, classes=tuple(classes))
    return replace(entry, weights_id=f"{draft.model}/imported-{_identity(entry)[:DIGITS]}")


def _identity(entry: WeightsEntry) -> str:
    """A hash of the file and of the answers: of all that a result depends on, and of what is shown with it."""
    answers = {key: getattr(entry, key) for key in ("sha256", "model", "options", "title", "trained_on")}
    answers |= {"preprocessing": asdict(entry.preprocessing), "classes": [asdict(info) for info in entry.classes]}
    return hashlib.sha256(json.dumps(answers, sort_keys=True).encode()).hexdigest()


def register(entry: WeightsEntry) -> None:
    """Let this process find an entry by its name. Raises CheckpointError where the name is that of another one."""
    with _lock:
        known = _registered.get(entry.weights_id)
    known = known or _from_cache(entry.weights_id)
    if known is not None and _identity(known) != _identity(entry):
        raise CheckpointError(_("Other weights have the name {name} already.", name=entry.weights_id))
    _remember(entry)


def _remember(entry: WeightsEntry) -> None:
    with _lock:
        _registered[entry.weights_id] = entry
        _registered.move_to_end(entry.weights_id)
        while len(_registered) > MAX_REGISTERED:  # those in use have a card and are found again
            _registered.popitem(last=False)


def keep(entry: WeightsEntry) -> bool:
    """Register an entry and write its card beside its file. False where the folder cannot be written to.

    Raises CheckpointError as `register` does.
    """
    register(entry)
    card = {key: getattr(entry, key) for key in CARD_FIELDS} | {"scores": {"score": None}} | dict(entry.card)
    try:
        write_card(card_path(entry), card)
    except OSError:
        return False
    return True


CARD_FIELDS = (
    "weights_id", "model", "options", "classes", "preprocessing", "title", "trained_on", "licence", "params", "sha256",
    "size_bytes", "score_name", "layout",
)  # fmt: skip


def card_path(entry: WeightsEntry) -> Path:
    """Uploads have a card for each set of answers; a file of the folder has one, which names it."""
    assert entry.file is not None
    if entry.layout:
        return entry.file.with_name(entry.file.name + ".segdemo.json")
    return entry.file.with_name(f"{entry.weights_id.rpartition('/')[2]}.json")


def find_import(weights_id: str) -> WeightsEntry | None:
    """An imported entry by its name: of this process, of the folder, or of an earlier process in the cache."""
    with _lock:
        if (entry := _registered.get(weights_id)) is not None:
            return entry
    in_folder = next((entry for entry in folder_entries() if entry.weights_id == weights_id), None)
    return in_folder or _from_cache(weights_id)


def _from_cache(weights_id: str) -> WeightsEntry | None:
    name = weights_id.rpartition("/")[2]
    if not (name.startswith("imported-") and name.removeprefix("imported-").isalnum()):
        return None  # what visitors type into the address never becomes a path
    card = cache_folder() / "imported" / f"{name}.json"
    with suppress(CheckpointError, OSError):
        entry = read_card(card)
        file = _file_of(card, entry)
        if entry.weights_id == weights_id and file.is_file():
            _remember(entry := replace(entry, file=file))
            return entry
    return None


def _file_of(card: Path, entry: WeightsEntry) -> Path:
    """The upload that a card in the cache describes."""
    return card.with_name(f"{entry.card.get('source_sha256', ''):.32}-{entry.model.replace('/', '-')}.safetensors")


def folder_files() -> list[Path]:
    """The files in $SEGDEMO_WEIGHTS_DIR that could hold weights, by name. They are not opened."""
    folder = weights_folder()
    if folder is None:
        return []
    with suppress(OSError):
        files = [path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and path.is_file()]
        return sorted(files)[:MAX_FOLDER_FILES]
    return []


def folder_entries() -> list[WeightsEntry]:
    """The files of the folder that were imported before: those with a sound card."""
    entries = []
    for path in folder_files():
        card = path.with_name(path.name + ".segdemo.json")
        with suppress(CheckpointError, OSError):
            entries.append(replace(_read_once(card, card.stat().st_mtime_ns), file=path))
    return entries


@lru_cache(maxsize=2 * MAX_FOLDER_FILES)
def _read_once(card: Path, _modified_ns: int) -> WeightsEntry:
    return read_card(card)


@lru_cache(maxsize=1)
def _temporary_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="segdemo-imported-"))


def _upload_folder() -> Path:
    """In the cache folder; where that cannot be written, a folder for as long as the process lives."""
    folder = cache_folder() / "imported"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return _temporary_folder()


def _make_room(folder: Path, size_bytes: int) -> None:
    """Delete the oldest uploads beyond the bound, and what they and broken-off writing left behind."""
    files = sorted(folder.glob("*.safetensors"), key=lambda path: path.stat().st_mtime)
    used = sum(path.stat().st_size for path in files) + size_bytes
    for path in files:
        if used <= MAX_KEPT_BYTES:
            break
        used -= path.stat().st_size
        path.unlink(missing_ok=True)
    for path in (*_abandoned(folder), *_orphaned(folder)):
        path.unlink(missing_ok=True)


def _abandoned(folder: Path) -> list[Path]:
    """Unfinished files of processes that ended; younger ones may be another process's at this moment."""
    before = time.time() - ABANDONED_SECONDS
    return [path for path in folder.glob("*.part") if path.stat().st_mtime < before]


def _orphaned(folder: Path) -> list[Path]:
    """Cards whose upload is gone. Those that cannot be read may be in the middle of being written."""
    orphans = []
    for card in folder.glob("imported-*.json"):
        with suppress(CheckpointError):
            if not _file_of(card, read_card(card)).is_file():
                orphans.append(card)
    return orphans
