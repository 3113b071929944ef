"""Where weights lie: bundled ones in the package, downloads and uploads in a cache, the visitor's own in a folder of theirs."""

import os
from pathlib import Path

# pooch's own retrieve() can neither resume a broken download nor check a prefix of a hash, which is
# all that torchvision publishes; so only its choice of a cache folder per operating system is used.
import pooch

__all__ = ["BUNDLED_DIR", "cache_folder", "weights_folder"]

BUNDLED_DIR = Path(__file__).parents[2] / "assets" / "weights"


def cache_folder() -> Path:
    """$SEGDEMO_CACHE, or the operating system's place for files that can be fetched again."""
    chosen = os.environ.get("SEGDEMO_CACHE")
    return Path(chosen) if chosen else Path(pooch.os_cache("segdemo"))


def weights_folder() -> Path | None:
    """$SEGDEMO_WEIGHTS_DIR, the folder with weights of one's own; None where there is none."""
    chosen = os.environ.get("SEGDEMO_WEIGHTS_DIR")
    return Path(chosen) if chosen and Path(chosen).is_dir() else None
