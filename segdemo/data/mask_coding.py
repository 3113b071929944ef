"""What the values of masks mean, told from all masks of a data set at once.

0 and 255, 0 and 1, 1 bit        background and foreground
0, 1, 2, … (grey or palette)     class numbers; 255 counts nowhere
up to 21 greys or colours        one class each, black the background
nearly black and white           smoothed by scaling or JPEG: cut at half
0, 1, 2, … beyond 20             numbered objects: every one is foreground
"""

import io
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from segdemo.data.images import FORMATS, read_image
from segdemo.errors import DataSetError, ImageError
from segdemo.text import N_, _
from segdemo.types import IGNORE_INDEX, LabelMap, Notice, Size

__all__ = ["Coding", "MaskStatistics", "MaskValues", "decide", "read_mask_values"]

Values = NDArray[np.int32]
MAX_CLASSES = 21  # as many as can be told apart by colour
VOC_BORDER = 0xE0E0C0  # Pascal VOC draws around objects what counts nowhere
NEARLY = 16  # greys from black or white that still count as such
SMOOTHED_SHARE = 0.95
RARE = 0.001  # of a mask's pixels: a colour that is rarer in every mask is a smoothed edge
RARE_TOGETHER = 0.03

CUT = N_("The masks are not only black and white; they were cut at half. Save masks as PNG, without smoothing.")
OBJECTS = N_("The masks number their objects; every object counts as foreground.")
SNAPPED = N_("Rare colours between the classes were counted to the nearest class. Save masks as PNG, without smoothing.")


@dataclass(frozen=True)
class MaskStatistics:
    """What `decide` needs of a mask: how often each value occurs. The rest as in MaskValues."""

    counts: dict[int, int]
    colour: bool = False
    palette: tuple[int, ...] | None = None
    lossy: bool = False

    def as_colours(self) -> "MaskStatistics":
        """The same with greys and palette indices as the colours they are shown in."""
        if self.colour:
            return self
        counts: Counter[int] = Counter()
        for value, count in self.counts.items():
            counts[_colour_of(value, self.palette)] += count
        return MaskStatistics(dict(counts), colour=True)


@dataclass(frozen=True)
class MaskValues:
    """One mask as it is in the file: greys or palette indices (H, W), or colours 0xRRGGBB. `palette` gives the colour of
    each of 256 indices where there is one. Of a `lossy` file no value is exact."""

    values: Values
    colour: bool = False
    palette: tuple[int, ...] | None = None
    lossy: bool = False

    @property
    def size(self) -> Size:
        """(height, width) in pixels."""
        return self.values.shape[0], self.values.shape[1]

    def statistics(self) -> MaskStatistics:
        """How often each value occurs."""
        values, counts = np.unique(self.values, return_counts=True)
        found = dict(zip(values.tolist(), counts.tolist(), strict=True))
        return MaskStatistics(found, self.colour, self.palette, self.lossy)


def _colour_of(value: int, palette: tuple[int, ...] | None) -> int:
    return palette[value] if palette is not None else min(255, value) * 0x010101


@dataclass(frozen=True)
class Coding:
    """How values become classes. `table` maps each known value; any other takes the class of the nearest one."""

    table: dict[int, int]
    class_names: tuple[str, ...]
    colours: bool = False
    notices: tuple[Notice, ...] = ()

    def labels(self, mask: MaskValues) -> LabelMap:
        """Class indices (H, W)."""
        found, places = np.unique(mask.values, return_inverse=True)
        if self.colours and not mask.colour:
            found = np.array([_colour_of(value, mask.palette) for value in found.tolist()], np.int32)
        known = np.array(sorted(self.table), np.int32)
        classes = np.array([self.table[value] for value in known.tolist()], np.uint8)
        nearest = classes[_distances(found, known, self.colours).argmin(axis=1)]
        return np.asarray(nearest[places].reshape(mask.size), np.uint8)


def read_mask_values(data: bytes, *, max_pixels: int) -> MaskValues:
    """Read a mask. Raises ImageError as `read_image` does, which sees every file first."""
    pixels = read_image(data, max_pixels=max_pixels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        opened = Image.open(io.BytesIO(data), formats=FORMATS)
        image = ImageOps.exif_transpose(opened)
    if image.mode == "P":
        return MaskValues(np.asarray(image).astype(np.int32), palette=_palette(image))
    if image.mode in ("I;16", "I;16B", "I;16L", "I"):
        values = np.asarray(image).astype(np.int32)
        if values.min() < 0:
            raise ImageError(_("This mask holds values below 0."))
        return MaskValues(values)
    red, green, blue = (pixels[..., channel].astype(np.int32) for channel in range(3))
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return MaskValues(red, lossy=opened.format == "JPEG")
    return MaskValues(red << 16 | green << 8 | blue, colour=True)


def _palette(image: Image.Image) -> tuple[int, ...]:
    """Colours 0xRRGGBB of all 256 indices."""
    flat = (image.getpalette("RGB") or [])[:768]
    flat = flat + [0] * (768 - len(flat))
    return tuple(flat[i] << 16 | flat[i + 1] << 8 | flat[i + 2] for i in range(0, 768, 3))


def decide(masks: Sequence[MaskStatistics]) -> Coding:
    """The coding of all masks of a data set. Raises DataSetError where they are no masks."""
    if any(mask.colour for mask in masks) or _palettes_differ(masks):
        return _colours([mask.as_colours() for mask in masks])
    total: Counter[int] = Counter()
    for mask in masks:
        total.update(mask.counts)
    values = sorted(total)
    if len(values) == 1:
        raise DataSetError(_("Every mask is one and the same value all over: there is nothing to learn."))
    if any(mask.lossy for mask in masks):
        return _many_greys(total, values)
    return _two_values(values, masks) or _numbers(total, values)


def _two_values(values: list[int], masks: Sequence[MaskStatistics]) -> Coding | None:
    """Background and foreground, however they are written."""
    if set(values) <= {0, 1} or (len(values) == 2 and values[0] == 0):
        return Coding({0: 0, values[1]: 1}, _names(2))
    if values == [0, 1, IGNORE_INDEX] and not any({1, IGNORE_INDEX} <= mask.counts.keys() for mask in masks):
        return Coding({0: 0, 1: 1, IGNORE_INDEX: 1}, _names(2))  # some masks are written with 1, others with 255
    return None


def _numbers(total: Counter[int], values: list[int]) -> Coding:
    """Class numbers, or a few greys of which each is a class."""
    known = [value for value in values if value != IGNORE_INDEX]
    if known[-1] < MAX_CLASSES:
        return Coding({**{value: value for value in known}, IGNORE_INDEX: IGNORE_INDEX}, _names(known[-1] + 1))
    if len(values) <= MAX_CLASSES:
        return Coding({value: place for place, value in enumerate(values)}, _names(len(values)))
    return _many_greys(total, values)


def _many_greys(total: Counter[int], values: list[int]) -> Coding:
    extreme = sum(count for value, count in total.items() if value < NEARLY or 255 - NEARLY < value <= 255)
    if values[-1] <= 255 and extreme >= SMOOTHED_SHARE * total.total():
        return Coding({value: int(value > 127) for value in range(256)}, _names(2), notices=(Notice(CUT),))
    if values[-1] > 255 or values == list(range(values[0], values[0] + len(values))):
        return Coding({value: int(value > 0) for value in values}, _names(2), notices=(Notice(OBJECTS),))
    raise DataSetError(_("The masks hold {n} different greys. A mask holds class numbers, or one grey or colour for each of "
                         "up to {most} classes.", n=len(values), most=MAX_CLASSES))  # fmt: skip


def _colours(masks: Sequence[MaskStatistics]) -> Coding:
    total: Counter[int] = Counter()
    kept: set[int] = set()
    for mask in masks:
        total.update(mask.counts)
        kept |= {value for value, count in mask.counts.items() if count >= RARE * sum(mask.counts.values())}
    left_out = sum(count for value, count in total.items() if value not in kept)
    classes = kept - {VOC_BORDER}
    if len(classes) > MAX_CLASSES or left_out > RARE_TOGETHER * total.total():
        raise DataSetError(_("The masks hold {n} colours. A mask has one colour for each of up to {most} classes, and is saved "
                             "as PNG.", n=len(total), most=MAX_CLASSES))  # fmt: skip
    if len(classes) < 2:
        raise DataSetError(_("Every mask is one and the same value all over: there is nothing to learn."))
    background = 0 if 0 in classes else max(classes, key=lambda value: total[value])
    ordered = [background, *sorted(classes - {background})]
    table = {value: place for place, value in enumerate(ordered)}
    if VOC_BORDER in kept:
        table[VOC_BORDER] = IGNORE_INDEX
    names = ("background", *(f"#{value:06x}" for value in ordered[1:])) if len(ordered) > 2 else _names(2)
    return Coding(table, names, colours=True, notices=(Notice(SNAPPED),) if left_out else ())


def _palettes_differ(masks: Sequence[MaskStatistics]) -> bool:
    """Whether an index means one colour here and another there: a program chose the order of each palette anew."""
    known: dict[int, int] = {}
    for mask in masks:
        if mask.palette is not None:
            for value in mask.counts:
                if known.setdefault(value, mask.palette[value]) != mask.palette[value]:
                    return True
    return False


def _distances(found: Values, known: Values, colours: bool) -> NDArray[np.float64]:
    """How far each found value is from each known one, (found, known)."""
    if not colours:
        return np.abs(found[:, None].astype(np.float64) - known[None])
    channels = [(found >> shift & 255)[:, None] - (known >> shift & 255)[None] for shift in (16, 8, 0)]
    return np.asarray(sum(np.square(difference.astype(np.float64)) for difference in channels))


def _names(count: int) -> tuple[str, ...]:
    return ("background", "foreground") if count == 2 else ("background", *(f"class {n}" for n in range(1, count)))
