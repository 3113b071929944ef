"""Colours of classes: told apart by people with every kind of colour vision, black for the background.

Okabe & Ito, "Color Universal Design" (2008), first; then the colours of Paul Tol's qualitative schemes (muted, bright,
dark, light; personal.sron.nl/~pault) that lie farthest from all before them, in CIEDE2000, for normal vision and for
simulated protanopia and deuteranopia (Machado et al. 2009). The nearest pair of the 21 is 10 apart for normal vision
and 5 for red- or green-blind people, so a legend and a label on hovering still belong to every picture.
"""

import colorsys

from segdemo.errors import SettingError
from segdemo.text import _

__all__ = ["BACKGROUND", "QUALITATIVE", "VOC_COLORS", "colors_of", "distinct_colors"]

RGB = tuple[int, int, int]  # 0–255


def _rgb(code: str) -> RGB:
    return int(code[0:2], 16), int(code[2:4], 16), int(code[4:6], 16)


BACKGROUND: RGB = (0, 0, 0)

# Farthest first: a network with k classes that takes the first k has the best k.
QUALITATIVE: tuple[RGB, ...] = tuple(
    _rgb(code)
    for code in (
        "E69F00 56B4E9 009E73 F0E442 0072B2 D55E00 CC79A7 "  # Okabe–Ito
        "332288 663333 DDDDDD 225555 AA3377 666633 FFAABB EE6677 CC3311 99DDFF 225522 999933 DDCC77"  # Paul Tol
    ).split()
)

# Classes that share a picture most often take the colours that are farthest apart.
_VOC_BY_FREQUENCY = (
    "person", "car", "chair", "bicycle", "diningtable", "dog", "bottle", "sofa", "bus", "cat",
    "motorbike", "tvmonitor", "horse", "pottedplant", "train", "bird", "boat", "cow", "sheep", "aeroplane",
)  # fmt: skip

VOC_COLORS: dict[str, RGB] = {"__background__": BACKGROUND, **dict(zip(_VOC_BY_FREQUENCY, QUALITATIVE, strict=True))}


def colors_of(num_classes: int) -> tuple[RGB, ...]:
    """Colours of that many classes, background first. Raises SettingError beyond the 21 that can be told apart."""
    colors = (BACKGROUND, *QUALITATIVE)
    if not 1 <= num_classes <= len(colors):
        raise SettingError(_("Between 1 and {n} classes can be told apart by colour, not {k}.", n=len(colors), k=num_classes))
    return colors[:num_classes]


def distinct_colors(num_classes: int) -> tuple[RGB, ...]:
    """As `colors_of`, for any number of classes: beyond the 21, no two are the same, but some are close."""
    colors = list((BACKGROUND, *QUALITATIVE)[:num_classes])
    for number in range(len(colors), num_classes):
        hue, tone = (number * 0.618034) % 1, number % 3  # the golden ratio spreads hues evenly, however many there are
        red, green, blue = colorsys.hls_to_rgb(hue, (0.35, 0.55, 0.75)[tone], 0.65)
        colors.append((round(255 * red), round(255 * green), round(255 * blue)))
    return tuple(colors)
