"""The catalogue: every set of weights there is, bundled ones first, and where its file lies or would lie.

What a visitor uploaded is found by its name but not listed: the pages list it to the session that brought it.
"""

from functools import cache
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from segdemo.errors import SettingError
from segdemo.models import list_models
from segdemo.text import _
from segdemo.types import WeightsEntry
from segdemo.weights.cards import file_sha256, read_card
from segdemo.weights.imported import find_import, folder_entries
from segdemo.weights.places import BUNDLED_DIR, cache_folder
from segdemo.weights.smp_weights import smp_entries
from segdemo.weights.torchvision_weights import torchvision_entries

__all__ = ["BUNDLED_DIR", "get_weights", "is_intact", "list_weights", "weights_path"]

NAMED = 6  # of the weights that exist, in the sentence about some that do not
BUNDLED_FIRST = ("nuclei", "shapes")


def list_weights(model: str | None = None) -> list[WeightsEntry]:
    """All sets of weights, or those of one architecture: bundled ones, downloads from small to large, then those that
    were imported from the folder in $SEGDEMO_WEIGHTS_DIR."""
    return [entry for entry in (*_catalogue(), *folder_entries()) if model in (None, entry.model)]


def get_weights(weights_id: str) -> WeightsEntry:
    """The entry of a name such as "unet/nuclei". Raises SettingError naming what exists."""
    for entry in _catalogue():
        if entry.weights_id == weights_id:
            return entry
    if (imported := find_import(weights_id)) is not None:
        return imported
    listed = [entry.weights_id for entry in list_weights()]
    known = ", ".join([*listed[:NAMED], "…"] if len(listed) > NAMED else listed)
    raise SettingError(_('There are no weights "{name}". These exist: {known}.', name=weights_id, known=known))


def weights_path(entry: WeightsEntry) -> Path:
    """The bundled or imported file, or the place in the cache folder where a download lies once it is complete."""
    if entry.file is not None:
        return entry.file
    if entry.url is None:
        return BUNDLED_DIR / f"{entry.weights_id}.safetensors"
    return cache_folder() / entry.weights_id / PurePosixPath(urlsplit(entry.url).path).name


def is_intact(path: Path, entry: WeightsEntry) -> bool:
    """Whether a file's SHA-256 begins with what is known of it: 64 digits of bundled files, 8 of torchvision's.

    A file of which nothing is known is not called intact.
    """
    return bool(entry.sha256) and file_sha256(path).startswith(entry.sha256)


@cache
def _catalogue() -> tuple[WeightsEntry, ...]:
    bundled = [read_card(path) for path in BUNDLED_DIR.glob("*/*.json")]
    return (
        *sorted(bundled, key=_bundled_order),
        *sorted([*torchvision_entries(), *smp_entries()], key=lambda entry: entry.size_bytes),
    )


def _bundled_order(entry: WeightsEntry) -> tuple[int, int, str]:
    """By what they are for, and then as the architectures are listed."""
    name = entry.weights_id.rpartition("/")[2]
    purpose = BUNDLED_FIRST.index(name) if name in BUNDLED_FIRST else len(BUNDLED_FIRST)
    return purpose, list_models().index(entry.model), entry.weights_id
