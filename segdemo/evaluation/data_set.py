"""Pictures with their truth, one after another: a folder, a ZIP, a generator, or what a page holds. Never all in memory.

Every picture has a name, because results are told by picture, and is read when its turn comes, by whichever thread has
time. What cannot be used is left out with the reason.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal

from segdemo.data import read_image
from segdemo.data.drawn_sets import NucleiSource
from segdemo.data.open_set import find_data_set
from segdemo.data.sources import FolderSource, ShapesSource
from segdemo.data.uploaded_set import ABSENT, LEFT_OUT, MAX_IMAGE_PIXELS, PairedSource
from segdemo.errors import DataSetError
from segdemo.text import N_, _
from segdemo.types import LabelMap, Notice, RGBImage

__all__ = [
    "LabelledPicture", "LabelledSet", "SplitChoice", "from_files", "from_folder", "from_generator", "from_pairs",
    "open_labelled_set",
]  # fmt: skip

SplitChoice = Literal["val", "train", "all"]
NO_TRUTH = N_("It has no true mask to be compared with.")
MISSING = N_("The list of pictures names it, but it has no image or no mask.")


@dataclass(frozen=True)
class LabelledPicture:
    """image (H, W, 3) uint8 RGB; target (H, W) uint8 of the data's classes, IGNORE_INDEX where nothing counts."""

    name: str
    image: RGBImage
    target: LabelMap


@dataclass(frozen=True)
class LabelledSet:
    """A data set by its pictures' names. `read` decodes the picture at a place, from any thread, or raises ImageError or
    DataSetError. left_out: file → why it cannot be used. notices: what else is to be known about the data."""

    name: str
    class_names: tuple[str, ...]
    names: tuple[str, ...]
    read: Callable[[int], LabelledPicture]
    left_out: Mapping[str, Notice] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[LabelledPicture]:
        return (self.read(place) for place in range(len(self)))

    def first(self, count: int) -> "LabelledSet":
        """The same with no more than so many pictures."""
        return replace(self, names=self.names[:count])


def open_labelled_set(
    data: str,
    *,
    split: SplitChoice | None = None,
    class_names: tuple[str, ...] = (),
    on_progress: Callable[[float], None] | None = None,
) -> LabelledSet:
    """ "nuclei" or "shapes" for the generators' validation scenes, else the path of a ZIP or folder of images and masks.

    Without a `split`, the validation pictures of a folder that lists them, and all pairs of any other. Without
    `class_names`, the data's own. `on_progress` is told the share that has been checked, 0–1. Raises DataSetError.
    """
    found = find_data_set(data)
    if isinstance(found, NucleiSource | ShapesSource):
        return from_generator(found)
    if (found / "train.txt").is_file():
        return from_folder(found, split or "val", class_names)
    return from_pairs(found, split or "all", class_names, on_progress)


def from_folder(root: Path, split: SplitChoice = "val", class_names: tuple[str, ...] = ()) -> LabelledSet:
    """A folder with images/, masks/, train.txt and val.txt. Raises DataSetError where no picture of the split is there."""
    source = FolderSource(root, class_names, cache_bytes=0, skip_missing=True)
    wanted = ("train", "val") if split == "all" else (split,)
    names = tuple(dict.fromkeys(name for part in wanted for name in source.splits[part]))
    if not names:
        raise DataSetError(_("The lists of {name} name no picture that is there.", name=source.name))
    missing = {name: Notice(MISSING) for part in wanted for name in source.missing[part]}
    return LabelledSet(source.name, source.class_names, names, _reader(names, lambda name: source.read(name)[:2]), missing)


def from_pairs(
    path: Path,
    split: SplitChoice = "all",
    class_names: tuple[str, ...] = (),
    on_progress: Callable[[float], None] | None = None,
) -> LabelledSet:
    """A ZIP or folder of images and masks, paired by name, at their own sizes. Raises DataSetError where no pair fits."""
    source = PairedSource(path, class_names, on_progress=on_progress, cache_bytes=0, working_pixels=MAX_IMAGE_PIXELS)
    keys = {"all": list(source.images), "val": source.val, "train": source.train}[split]
    names = tuple(source.images[key] for key in keys)
    by_name = dict(zip(names, keys, strict=True))
    left_out = {report.name: report.problem for report in source.report.wrong if report.problem}
    told = tuple(notice for notice in source.report.notices if notice.message in (ABSENT, LEFT_OUT))
    read = _reader(names, lambda name: source.read(by_name[name])[:2])
    return LabelledSet(source.name, source.class_names, names, read, left_out, (*source.coding.notices, *told))


def from_generator(source: NucleiSource | ShapesSource) -> LabelledSet:
    """The validation scenes of a generator, by their numbers."""
    names = tuple(f"{source.name}-{seed:03d}" for seed in range(source.validation_count))
    read = _reader(names, lambda name: source.scene(int(name.rpartition("-")[2]))[:2])
    return LabelledSet(source.name, source.class_names, names, read)


def from_files(
    name: str,
    class_names: Sequence[str],
    files: Sequence[tuple[str, bytes, LabelMap | None]],
    left_out: Mapping[str, Notice] = {},
) -> LabelledSet:
    """Pictures that a page holds: name, the file's bytes, target (H, W). What has no target is left out."""
    known = {file: (data, target) for file, data, target in files if target is not None}
    without = {file: Notice(NO_TRUTH) for file, _data, target in files if target is None}
    return LabelledSet(
        name, tuple(class_names), tuple(known), _reader(tuple(known), partial(_decoded, known)), {**left_out, **without}
    )


def _decoded(known: Mapping[str, tuple[bytes, LabelMap]], name: str) -> tuple[RGBImage, LabelMap]:
    data, target = known[name]
    image = read_image(data)
    if image.shape[:2] != target.shape:
        raise DataSetError(_("The image has {w} × {h} pixels, the mask {W} × {H}.", w=image.shape[1], h=image.shape[0],
                             W=target.shape[1], H=target.shape[0]))  # fmt: skip
    return image, target


def _reader(names: tuple[str, ...], read: Callable[[str], tuple[RGBImage, LabelMap]]) -> Callable[[int], LabelledPicture]:
    return lambda place: LabelledPicture(names[place], *read(names[place]))
