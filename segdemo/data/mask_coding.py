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
MAX_COLOURS, MAX_GREYS = 4_096, 70_000  # different ones in a mask; beyond, it is none
KEPT = 256  # values of a mask that are remembered one by one until all masks have been seen
MAX_EXACT_FLOAT = 1 << 24  # whole numbers up to here are exact in 32-bit floats

CUT = N_("The masks are not only black and white; they were cut at half. Save masks as PNG, without smoothing.")
OBJECTS = N_("The masks number their objects; every object counts as foreground.")
SNAPPED = N_("Rare colours between the classes were counted to the nearest class. Save masks as PNG, without smoothing.")


@dataclass(frozen=True)
class MaskStatistics:
    """What `decide` needs of a mask: how often each value occurs. The rest as in MaskValues.

    Of a mask of very many values, `counts` holds the most frequent colours, and `others` is the number of pixels of all
    others; or it holds the smallest greys, and the largest one stands for all between, which are above 255 as it is.
    """

    counts: dict[int, int]
    colour: bool = False
    palette: tuple[int, ...] | None = None
    lossy: bool = False
    others: int = 0

    def as_colours(self) -> "MaskStatistics":
        """The same with greys and palette indices as the colours they are shown in."""
        if self.colour:
            return self
        counts: Counter[int] = Counter()
        for value, count in self.counts.items():
            counts[_colour_of(value, self.palette)] += count
        return MaskStatistics(dict(counts), colour=True, others=self.others)


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
        """How often each value occurs. Raises DataSetError where there are more of them than any mask has."""
        values, counts = np.unique(self.values, return_counts=True)
        if self.colour and len(values) > MAX_COLOURS:
            raise DataSetError(_("This mask holds {n} colours. A mask has one colour for each of up to {most} classes, and is "
                                 "saved as PNG.", n=len(values), most=MAX_CLASSES))  # fmt: skip
        if len(values) > MAX_GREYS:
            raise DataSetError(_("This mask holds {n} different greys. A mask holds class numbers, or one grey or colour for "
                                 "each of up to {most} classes.", n=len(values), most=MAX_CLASSES))  # fmt: skip
        others = 0
        if self.colour and len(values) > KEPT:
            frequent = np.argsort(-counts, kind="stable")[:KEPT]
            others = int(counts.sum() - counts[frequent].sum())
            values, counts = values[frequent], counts[frequent]
        elif len(values) > KEPT + 1:
            above = counts[KEPT:].sum()
            values, counts = np.append(values[:KEPT], values[-1]), np.append(counts[:KEPT], above)
        found = dict(zip(values.tolist(), counts.tolist(), strict=True))
        return MaskStatistics(found, self.colour, self.palette, self.lossy, others)


def _colour_of(value: int, palette: tuple[int, ...] | None) -> int:
    return palette[value] if palette is not None else min(255, value) * 0x010101


@dataclass(frozen=True)
class Coding:
    """How values become classes. `table` maps each known value; any other takes the class of the nearest one. Where the
    masks number their `objects` there is no table: every value above 0 is class 1."""

    table: dict[int, int]
    class_names: tuple[str, ...]
    colours: bool = False
    objects: bool = False
    notices: tuple[Notice, ...] = ()

    def labels(self, mask: MaskValues) -> LabelMap:
        """Class indices (H, W)."""
        if self.objects:
            return (mask.values > 0).astype(np.uint8)
        found, places = np.unique(mask.values, return_inverse=True)
        if self.colours and not mask.colour:
            found = np.array([_colour_of(value, mask.palette) for value in found.tolist()], np.int32)
        known = np.array(sorted(self.table), np.int32)
        nearest = np.searchsorted(known, found).clip(max=len(known) - 1)
        if len(unknown := np.flatnonzero(known[nearest] != found)):
            nearest[unknown] = _distances(found[unknown], known, self.colours).argmin(axis=1)
        classes = np.array([self.table[value] for value in known.tolist()], np.uint8)
        return np.asarray(classes[nearest][places].reshape(mask.size), np.uint8)


def read_mask_values(data: bytes, *, max_pixels: int) -> MaskValues:
    """Read a mask. Raises ImageError as `read_image` does, which sees every file first, and for values that would be
    stretched with the contrast of a picture: fractions, and colours of 16 bits."""
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
    if image.mode in ("RGB", "RGBA") and _bits(opened, data) > 8:
        raise ImageError(_("This mask has 16 bits a colour. Save it as PNG with 8 bits a colour, or as grey class numbers."))
    if image.mode == "F":
        return MaskValues(_whole_numbers(np.asarray(image)))
    red, green, blue = (pixels[..., channel].astype(np.int32) for channel in range(3))
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return MaskValues(red, lossy=opened.format == "JPEG")
    return MaskValues(red << 16 | green << 8 | blue, colour=True)


def _bits(image: Image.Image, data: bytes) -> int:
    """Bits of each colour, as the file has them."""
    if image.format == "PNG":
        return data[24]
    tags = getattr(image, "tag_v2", {}) if image.format == "TIFF" else {}
    return int(max(tags.get(258, (8,))))


def _whole_numbers(values: NDArray[np.float32]) -> Values:
    if values.min() < 0:
        raise ImageError(_("This mask holds values below 0."))
    if not ((values <= MAX_EXACT_FLOAT) & (values == np.floor(values))).all():  # not a number is neither
        raise ImageError(_("This mask holds values that are not whole numbers. A mask holds class numbers; save it as PNG."))
    return values.astype(np.int32)


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
        return Coding({}, _names(2), objects=True, notices=(Notice(OBJECTS),))
    raise DataSetError(_("The masks hold {n} different greys. A mask holds class numbers, or one grey or colour for each of "
                         "up to {most} classes.", n=len(values), most=MAX_CLASSES))  # fmt: skip


def _colours(masks: Sequence[MaskStatistics]) -> Coding:
    total: Counter[int] = Counter()
    kept: set[int] = set()
    for mask in masks:
        total.update(mask.counts)
        kept |= {value for value, count in mask.counts.items() if count >= RARE * (sum(mask.counts.values()) + mask.others)}
    others = sum(mask.others for mask in masks)
    left_out = others + sum(count for value, count in total.items() if value not in kept)
    classes = kept - {VOC_BORDER}
    if len(classes) > MAX_CLASSES or left_out > RARE_TOGETHER * (total.total() + others):
        raise DataSetError(_("The masks hold at least {n} colours. A mask has one colour for each of up to {most} classes, and "
                             "is saved as PNG.", n=len(total), most=MAX_CLASSES))  # fmt: skip
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
