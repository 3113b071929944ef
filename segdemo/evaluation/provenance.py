"""With what an evaluation was made: versions, and nothing that names the machine or its owner."""

import hashlib
import platform
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

__all__ = ["source_digest", "versions"]

PACKAGE = Path(__file__).parents[1]
LIBRARIES = ("torch", "torchvision", "numpy", "opencv-python-headless", "segmentation-models-pytorch")


@lru_cache(maxsize=1)
def source_digest() -> str:
    """SHA-256 of segdemo's own Python files with their names, 64 hex digits: the exact version of the program."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Versions by name: of segdemo the start of `source_digest`, of Python, of the libraries."""
    found = {"segdemo": source_digest()[:12], "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = torch.__version__ if name == "torch" else version(name)
        except PackageNotFoundError:  # one that comes under another name, such as OpenCV
            continue
    return found
