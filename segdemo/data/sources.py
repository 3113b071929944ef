"""Where training pictures come from: a folder of images and masks, or a generator. Both look the same to a training.

A folder holds `images/ID.*`, `masks/ID.*` (0 = background, anything else of a 1-bit or 0/255 mask = class 1; otherwise
class indices), the splits `train.txt` and `val.txt` with one ID a line, and optionally `kinds.tsv` (ID, kind): with it
rare kinds are drawn more often, and scores are reported by kind; and `classes.txt`, the names of the classes.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from segdemo.data.images import read_image, read_labels
from segdemo.data.shapes import SHAPE_CLASSES, draw_shapes
from segdemo.errors import DataSetError
from segdemo.text import _
from segdemo.types import IGNORE_INDEX, LabelMap, RGBImage

__all__ = ["FolderSource", "Sample", "ShapesSource", "Source", "open_source"]

Sample = tuple[RGBImage, LabelMap, str]  # image, target, kind
FOLDER_CLASSES = ("background", "nucleus")
CACHE_BYTES = 1_500_000_000


class Source(Protocol):
    """Pictures with exact targets, for training and for validation."""

    name: str
    class_names: tuple[str, ...]
    licence: str

    def draw(self, rng: np.random.Generator) -> Sample:
        """A random training picture."""

    def validation(self) -> Iterator[Sample]:
        """Every validation picture, always in the same order."""

    def describe(self) -> dict[str, object]:
        """Sizes and kinds of the splits, for the card."""


class ShapesSource:
    """Generated scenes; training and validation come from disjoint seeds."""

    name = "shapes"
    class_names = tuple(c.name for c in SHAPE_CLASSES)
    licence = "generated, no rights reserved"

    def __init__(self, size: int = 192, validation_count: int = 60) -> None:
        self.size = size
        self.validation_count = validation_count

    def draw(self, rng: np.random.Generator) -> Sample:
        share = float(rng.uniform(0.05, 0.6))
        scene = draw_shapes(self.size, self.size, seed=int(rng.integers(1 << 40)) + 1_000_000, foreground_share=share)
        return *scene, "scene"

    def validation(self) -> Iterator[Sample]:
        return (self.scene(seed) for seed in range(self.validation_count))

    def scene(self, seed: int) -> Sample:
        """The validation scene of a seed from 0 to `validation_count` − 1: the later, the fuller."""
        share = 0.05 + 0.55 * seed / max(1, self.validation_count - 1)
        return *draw_shapes(self.size, self.size, seed=seed, foreground_share=share), "scene"

    def describe(self) -> dict[str, object]:
        return {"train": "generated without end", "validation": self.validation_count, "size": f"{self.size}×{self.size}"}


class FolderSource:
    """A data-set folder. Raises DataSetError, naming the first thing that is missing or does not fit.

    `class_names` are the folder's `classes.txt`, one a line, where none are given, or else background and nucleus. Decoded
    pictures are kept up to `cache_bytes`. With `skip_missing`, what a list names and is not there goes to `missing` instead
    of being an error.
    """

    def __init__(
        self, root: Path, class_names: tuple[str, ...] = (), *, cache_bytes: int = CACHE_BYTES, skip_missing: bool = False
    ) -> None:
        self.root = root
        self.name = root.resolve().name
        self.class_names = class_names or _read_class_names(root) or FOLDER_CLASSES
        self._cache_bytes = cache_bytes
        self.licence = _first_licence_line(root)
        self.splits = {split: _read_ids(root, split) for split in ("train", "val")}
        self.images, self.masks = _index(root / "images"), _index(root / "masks")
        self.missing = {s: [i for i in ids if i not in self.images or i not in self.masks] for s, ids in self.splits.items()}
        for split, missing in self.missing.items():
            if missing and not skip_missing:
                raise DataSetError(_("{split}.txt names {id}, which has no image or no mask.", split=split, id=missing[0]))
            absent = set(missing)
            self.splits[split] = [i for i in self.splits[split] if i not in absent]
        self.kinds = _read_kinds(root)
        counts = Counter(self._kind(i) for i in self.splits["train"])
        # Square root: rare kinds are drawn more often than they occur, without being repeated beyond measure.
        share = {kind: 1 / (count**0.5) for kind, count in counts.items()}
        weights = np.array([share[self._kind(i)] for i in self.splits["train"]])
        self.probabilities = weights / weights.sum()
        self._cache: OrderedDict[str, tuple[RGBImage, LabelMap]] = OrderedDict()
        self._cached_bytes = 0

    def _kind(self, identifier: str) -> str:
        return self.kinds.get(identifier, "all")

    def read(self, identifier: str) -> Sample:
        """One picture by its ID. Raises ImageError, or DataSetError where image and mask do not fit each other."""
        if identifier not in self._cache:
            image, target = read_image(self.images[identifier]), read_labels(self.masks[identifier])
            if image.shape[:2] != target.shape:
                raise DataSetError(_("Image and mask of {id} have different sizes.", id=identifier))
            if (beyond := target[(target >= len(self.class_names)) & (target != IGNORE_INDEX)]).size:
                message = _("The mask of {id} holds class {n}, beyond the classes named.", id=identifier, n=int(beyond[0]))
                raise DataSetError(message)
            if self._cached_bytes + image.nbytes + target.nbytes > self._cache_bytes:
                return image, target, self._kind(identifier)
            self._cache[identifier] = (image, target)
            self._cached_bytes += image.nbytes + target.nbytes
        return *self._cache[identifier], self._kind(identifier)

    def draw(self, rng: np.random.Generator) -> Sample:
        return self.read(self.splits["train"][int(rng.choice(len(self.probabilities), p=self.probabilities))])

    def validation(self) -> Iterator[Sample]:
        return (self.read(identifier) for identifier in self.splits["val"])

    def describe(self) -> dict[str, object]:
        kinds = {s: dict(sorted(Counter(self._kind(i) for i in ids).items())) for s, ids in self.splits.items()}
        return {
            "train": len(self.splits["train"]), "validation": len(self.splits["val"]),
            "train_kinds": kinds["train"], "validation_kinds": kinds["val"],
        }  # fmt: skip


def open_source(data: str, class_names: tuple[str, ...] = ()) -> Source:
    """ "shapes" for the generator, otherwise a folder whose classes have these names, background first."""
    if data == "shapes":
        return ShapesSource()
    if not Path(data).is_dir():
        raise DataSetError(_('There is no folder "{data}"; give a data-set folder, or "shapes".', data=data))
    return FolderSource(Path(data), class_names)


def _read_ids(root: Path, split: str) -> list[str]:
    path = root / f"{split}.txt"
    if not path.is_file():
        raise DataSetError(_("{path} is missing: it lists the pictures of that split, one a line.", path=path))
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    if not (ids := [line.strip() for line in lines if line.strip()]):
        raise DataSetError(_("{path} lists no pictures.", path=path))
    return ids


def _read_class_names(root: Path) -> tuple[str, ...]:
    path = root / "classes.txt"
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines() if path.is_file() else []
    return tuple(line.strip() for line in lines if line.strip())


def _index(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise DataSetError(_("The folder {path} is missing.", path=folder))
    return {path.stem: path for path in sorted(folder.iterdir()) if path.is_file()}


def _read_kinds(root: Path) -> dict[str, str]:
    path = root / "kinds.tsv"
    if not path.is_file():
        return {}
    rows = (line.split("\t") for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines())
    return {row[0]: row[1] for row in rows if len(row) >= 2}


def _first_licence_line(root: Path) -> str:
    readme = root / "README.md"
    lines = readme.read_text(encoding="utf-8", errors="replace").splitlines() if readme.is_file() else []
    return next((line.partition("Licence:")[2].strip().split(",")[0] for line in lines if "Licence:" in line), "not stated")
