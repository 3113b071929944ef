"""The catalogue: every set of weights there is, bundled ones first, and where its file lies or would lie."""

import os
from functools import cache
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

# pooch's own retrieve() can neither resume a broken download nor check a prefix of a hash, which is
# all that torchvision publishes; so only its choice of a cache folder per operating system is used.
import pooch

from segdemo.errors import SettingError
from segdemo.text import _
from segdemo.types import WeightsEntry
from segdemo.weights.cards import file_sha256, read_card
from segdemo.weights.torchvision_weights import torchvision_entries

__all__ = ["cache_folder", "get_weights", "is_intact", "list_weights", "weights_path"]

BUNDLED_DIR = Path(__file__).parents[2] / "assets" / "weights"
BUNDLED_FIRST = ("nuclei", "shapes")


def list_weights(model: str | None = None) -> list[WeightsEntry]:
    """All sets of weights, or those of one architecture: bundled ones, then downloads from small to large."""
    return [entry for entry in _catalogue() if model in (None, entry.model)]


def get_weights(weights_id: str) -> WeightsEntry:
    """The entry of a name such as "unet/nuclei". Raises SettingError naming what exists."""
    for entry in _catalogue():
        if entry.weights_id == weights_id:
            return entry
    known = ", ".join(entry.weights_id for entry in _catalogue())
    raise SettingError(_('There are no weights "{name}". These exist: {known}.', name=weights_id, known=known))


def weights_path(entry: WeightsEntry) -> Path:
    """The bundled file, or the place in the cache folder where a download lies once it is complete."""
    if entry.url is None:
        return BUNDLED_DIR / f"{entry.weights_id}.safetensors"
    return cache_folder() / entry.model / PurePosixPath(urlsplit(entry.url).path).name


def cache_folder() -> Path:
    """$SEGDEMO_CACHE, or the operating system's place for files that can be fetched again."""
    chosen = os.environ.get("SEGDEMO_CACHE")
    return Path(chosen) if chosen else Path(pooch.os_cache("segdemo"))


def is_intact(path: Path, entry: WeightsEntry) -> bool:
    """Whether a file's SHA-256 begins with what is known of it: 64 digits of bundled files, 8 of torchvision's.

    A file of which nothing is known is not called intact.
    """
    return bool(entry.sha256) and file_sha256(path).startswith(entry.sha256)


@cache
def _catalogue() -> tuple[WeightsEntry, ...]:
    bundled = [read_card(path) for path in BUNDLED_DIR.glob("*/*.json")]
    return (*sorted(bundled, key=_bundled_order), *torchvision_entries())


def _bundled_order(entry: WeightsEntry) -> tuple[int, str]:
    name = entry.weights_id.rpartition("/")[2]
    return BUNDLED_FIRST.index(name) if name in BUNDLED_FIRST else len(BUNDLED_FIRST), entry.weights_id
