"""The pictures of a race: generated, shared between visitors with the same settings, or cut from a visitor's own."""

import hashlib

from segdemo.data import read_labels
from segdemo.data.crops import Pair, crop_set
from segdemo.data.imbalanced import PictureSet, imbalanced_set
from segdemo.errors import DataSetError, ImageError
from segdemo.geometry import resize_nearest
from segdemo.inference.cache import BoundedCache
from segdemo.text import _
from segdemo.ui.state import Choice, choices, masks, open_choice
from segdemo.ui.words import plain

__all__ = ["generated_set", "own_choices", "own_set"]

MEMORY_BYTES = 64_000_000
MOST_PICTURES = 12  # of the visitor's own, so that one race does not decode fifty photographs

_sets: BoundedCache[tuple[object, ...], PictureSet] = BoundedCache(
    MEMORY_BYTES, lambda found: found.images.nbytes + found.targets.nbytes + found.validation_images.nbytes
)


def generated_set(share: float, size: int, seed: int) -> PictureSet:
    """Round cells among debris with that foreground share. Raises SettingError."""
    return _sets.get_or_make(("generated", share, size, seed), lambda: imbalanced_set(share, size, seed=seed))


def own_choices() -> list[Choice]:
    """The visitor's pictures that have a mask, in the order they came, as many as a race takes."""
    return [choice for choice in choices()[1:] if choice.key in masks()][:MOST_PICTURES]


def own_set(size: int, seed: int) -> PictureSet:
    """Crops of the visitor's own pictures. Raises DataSetError or ImageError with a sentence."""
    found = own_choices()
    if not found:
        raise DataSetError(_("None of your pictures has a mask yet."))
    marks = tuple((choice.sha256, hashlib.sha256(masks()[choice.key]).hexdigest()) for choice in found)
    return _sets.get_or_make(("own", marks, size, seed), lambda: crop_set([_pair(choice) for choice in found], size, seed=seed))


def _pair(choice: Choice) -> Pair:
    picture, mask = open_choice(choice), read_labels(masks()[choice.key])
    if mask.shape != picture.full_size:
        (height, width), (own_height, own_width) = mask.shape, picture.full_size
        raise ImageError(
            _("The mask of {name} has {w} × {h} pixels and the picture {W} × {H}; they must be equal.",
              name=plain(choice.name), w=width, h=height, W=own_width, H=own_height)
        )  # fmt: skip
    return picture.pixels, resize_nearest(mask, (picture.pixels.shape[0], picture.pixels.shape[1]))
