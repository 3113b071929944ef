"""Ground truths to spoil: the gallery's exact masks, masks drawn for a story, and any mask brought to a working size."""

from functools import lru_cache

import numpy as np

from segdemo.data.samples import get_sample
from segdemo.errors import SettingError
from segdemo.geometry import Size, resize_nearest
from segdemo.losslab.damage import Mask
from segdemo.text import _
from segdemo.types import IGNORE_INDEX, LabelMap

__all__ = ["LONGEST_SIDE", "SCENE_SIZE", "SHARED", "disc", "foreground", "scene", "scene_titles"]

LONGEST_SIDE = 256  # pixels: what a loss and its gradient answer in a moment
SCENE_SIZE: Size = (192, 256)
TINY_SIZE: Size = (48, 64)
SHARED = ("nuclei-fluorescence", "nuclei-stained", "shapes", "shapes-dense")  # keys of the gallery


def scene_titles() -> dict[str, str]:
    """The ready masks by key, in the order they are offered."""
    titles = {key: get_sample(key).title for key in SHARED}
    return {**titles, "disc": _("One large object"), "tiny": _("One tiny object"), "rare": _("1 % foreground"),
            "empty": _("No object at all")}  # fmt: skip


@lru_cache(maxsize=16)
def scene(key: str) -> Mask:
    """A ready mask (H, W), read-only, at most LONGEST_SIDE pixels a side. Raises SettingError naming what exists."""
    if key not in scene_titles():
        raise SettingError(_('There is no mask "{key}". These exist: {names}.', key=key, names=", ".join(scene_titles())))
    mask = _gallery(key) if key in SHARED else _drawn(key)
    mask.setflags(write=False)
    return mask


def foreground(labels: LabelMap) -> Mask:
    """Where labels (H, W) name any class but 0 and 255, reduced by nearest neighbour to LONGEST_SIDE pixels a side."""
    height, width = labels.shape
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    small = resize_nearest(labels, (max(1, round(height * scale)), max(1, round(width * scale))))
    return np.asarray((small > 0) & (small != IGNORE_INDEX))


def disc(size: Size, diameter: float, centre: tuple[float, float] | None = None) -> Mask:
    """A disc in a picture of that size, about its middle or a centre (y, x); pixels whose centres lie within."""
    y, x = centre or ((size[0] - 1) / 2, (size[1] - 1) / 2)
    rows, columns = np.mgrid[0 : size[0], 0 : size[1]]
    return np.asarray((rows - y) ** 2 + (columns - x) ** 2 <= (diameter / 2) ** 2)


def _gallery(key: str) -> Mask:
    labels = get_sample(key).load()[1]
    assert labels is not None, f"the generated sample {key} has an exact mask"
    return foreground(labels)


def _drawn(key: str) -> Mask:
    if key == "disc":
        return disc(SCENE_SIZE, 96)
    if key == "tiny":
        return disc(TINY_SIZE, 4)  # few pixels in all, so that each is seen
    if key == "rare":  # three discs, 1.0 % of the pixels
        places = ((52.0, 60.0), (120.0, 190.0), (150.0, 84.0))
        return np.asarray(np.any([disc(SCENE_SIZE, 14.5, place) for place in places], axis=0))
    return np.zeros(SCENE_SIZE, bool)
