"""Which mask belongs to which image, told by their names alone.

images/a.jpg        masks/a.png              the folder says which is which
a.jpg               a_mask.png               the ending of the name does
train/images/a.jpg  train/masks/a_mask.png   nested, with a split
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from segdemo.text import N_
from segdemo.types import Notice

__all__ = ["PICTURE_ENDINGS", "Pair", "Pairing", "pair_up"]

Split = Literal["train", "val", ""]
PICTURE_ENDINGS = frozenset(".jpg .jpeg .png .webp .avif .heic .heif .bmp .gif .tif .tiff".split())
MASK_FOLDERS = frozenset(
    "mask masks label labels annotation annotations groundtruth ground_truth gt target targets seg segmentation segmentations "
    "segmentationclass trimaps labelids".split()
)
IMAGE_FOLDERS = frozenset("image images img imgs input inputs jpegimages picture pictures photo photos".split())
MASK_WORD = r"masks?|labels?|gt|ground[_-]?truth|seg|segmentation|annotation|labelids"
MASK_ENDING = re.compile(rf"[_\-. ]+(?:{MASK_WORD})$")
MASK_BEGINNING = re.compile(rf"^(?:{MASK_WORD})[_\-. ]+")
IMAGE_WORD = re.compile(r"[_\-. ]+(?:image|img|rgb|sat)$|^(?:image|img)[_\-. ]+(?=.*\D)")
SPLITS: dict[str, Split] = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "val", "testing": "val",
}  # fmt: skip

NO_MASK = N_("There is no mask of this name.")
NO_IMAGE = N_("There is no image of this name.")
SAME_KEY = N_("{other} has the same name, so it is not clear which of them is meant.")
MAX_SHOWN = 80  # characters of another file's name within a sentence


@dataclass(frozen=True)
class Pair:
    """An image and its mask by their names in the data set. `split` is "" where the names do not say."""

    key: str
    image: str
    mask: str
    split: Split


@dataclass(frozen=True)
class Pairing:
    """Pairs in the order of their keys, and the files that are in none, with the reason."""

    pairs: tuple[Pair, ...]
    problems: tuple[tuple[str, Notice], ...]


@dataclass(frozen=True)
class _Named:
    name: str
    folder: str  # without the parts that say image or mask
    stem: str
    is_mask: bool
    split: Split


def pair_up(names: Iterable[str]) -> Pairing:
    """Match the pictures among these names, which have "/" between folders. Other files are passed over."""
    files = [_understood(name) for name in sorted(names) if PurePosixPath(name).suffix.lower() in PICTURE_ENDINGS]
    problems: list[tuple[str, Notice]] = []
    images = _by_key([file for file in files if not file.is_mask], problems)
    masks = _by_key([file for file in files if file.is_mask], problems)
    _bring_together(images, masks)
    pairs = [
        Pair("/".join(key).strip("/"), images[key].name, masks[key].name, images[key].split) for key in images if key in masks
    ]
    problems += [(images[key].name, Notice(NO_MASK)) for key in images if key not in masks]
    problems += [(masks[key].name, Notice(NO_IMAGE)) for key in masks if key not in images]
    return Pairing(tuple(sorted(pairs, key=lambda pair: pair.key)), tuple(sorted(problems, key=lambda problem: problem[0])))


Key = tuple[str, str]  # folder, stem


def _understood(name: str) -> _Named:
    path = PurePosixPath(name.casefold())
    folders, stem = list(path.parts[:-1]), path.stem
    role = next((part for part in reversed(folders) if part in MASK_FOLDERS or part in IMAGE_FOLDERS), "")
    bare = MASK_BEGINNING.sub("", MASK_ENDING.sub("", stem)) or stem
    is_mask = role in MASK_FOLDERS or bare != stem
    if not is_mask:
        bare = IMAGE_WORD.sub("", stem) or stem
    folder = "/".join(part for part in folders if part not in MASK_FOLDERS | IMAGE_FOLDERS)
    split: Split = next((SPLITS[part] for part in reversed(folders) if part in SPLITS), "")
    return _Named(name, folder, bare, is_mask, split)


def _by_key(files: list[_Named], problems: list[tuple[str, Notice]]) -> dict[Key, _Named]:
    """Files by folder and stem. Of two with the same key the second is a problem."""
    found: dict[Key, _Named] = {}
    for file in files:
        key = (file.folder, file.stem)
        if key in found:
            problems.append((file.name, Notice(SAME_KEY, {"other": found[key].name[-MAX_SHOWN:]})))
        else:
            found[key] = file
    return found


def _bring_together(images: dict[Key, _Named], masks: dict[Key, _Named]) -> None:
    """Where folders differ but a stem occurs once among the images and once among the masks that are left, they belong
    together: the mask takes the image's key."""
    left_images: dict[str, list[Key]] = defaultdict(list)
    left_masks: dict[str, list[Key]] = defaultdict(list)
    for left, these, those in ((left_images, images, masks), (left_masks, masks, images)):
        for key in these:
            if key not in those:
                left[key[1]].append(key)
    for stem, keys in left_images.items():
        if len(keys) == 1 and len(left_masks[stem]) == 1:
            masks[keys[0]] = masks.pop(left_masks[stem][0])
