"""The pictures of the report: photograph, truth and each candidate's errors side by side, as data addresses of bounded size."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from segdemo.evaluation.examples import PictureExample
from segdemo.inference.agreement import ERROR_KINDS, error_labels
from segdemo.inference.export import blend, contours
from segdemo.text import _
from segdemo.types import IGNORE_INDEX, LabelMap, RGBImage

__all__ = ["MAX_IMAGE_BYTES", "Panel", "bounded_panels", "error_picture", "panels_of"]

MAX_IMAGE_BYTES = 4_500_000  # of all pictures, as they stand in the file
QUALITY = 86
SMALL = 128  # pixels a side: below it, pixels are shown as they are


@dataclass(frozen=True)
class Panel:
    """One picture of a row. source: a data address. candidate: its index, or None for photograph and truth."""

    source: str
    alt: str
    words: str
    width: int
    height: int
    candidate: int | None = None

    @property
    def small(self) -> bool:
        return max(self.width, self.height) <= SMALL


def bounded_panels(examples: Sequence[PictureExample], keys: Sequence[str], limit: int = MAX_IMAGE_BYTES) -> list[list[Panel]]:
    """The panels of as many examples, from the first, as fit into `limit` bytes."""
    found: list[list[Panel]] = []
    used = 0
    for example in examples:
        panels = panels_of(example, keys)
        used += sum(len(panel.source) for panel in panels)
        if used > limit:
            break
        found.append(panels)
    return found


def panels_of(example: PictureExample, keys: Sequence[str]) -> list[Panel]:
    """Photograph, truth, and the errors of each candidate that segmented it. keys: of all candidates."""
    name = example.name
    known = np.where(example.target == IGNORE_INDEX, 0, example.target).astype(np.uint8)
    colours = ERROR_KINDS[:2] if len(example.classes) == 2 else example.classes  # one class has the colour of what is found
    truth = blend(example.image, known, colours, 0.55)
    panels = [
        _panel(example.image, _("The picture {name}", name=name), _("Picture")),
        _panel(truth, _("The true classes of {name}", name=name), _("Truth")),
    ]
    for index, preds in sorted(example.preds.items()):
        words = _("Where {key} is right and wrong on {name}", key=keys[index], name=name)
        panels.append(_panel(error_picture(example.image, preds, example.target), words, keys[index], index))
    return panels


def error_picture(image: RGBImage, preds: LabelMap, target: LabelMap) -> RGBImage:
    """The picture (h, w, 3) in a dark grey, with what was found, missed, invented and confused in the colours of ERROR_KINDS."""
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    dark = np.repeat((grey * 0.45 + 12).astype(np.uint8)[..., None], 3, axis=2)
    kinds = error_labels(preds, target)
    found = np.where(kinds == 1, kinds, 0).astype(np.uint8)
    shown = blend(blend(dark, found, ERROR_KINDS, 0.5), np.where(kinds > 1, kinds, 0).astype(np.uint8), ERROR_KINDS, 0.95)
    return blend(shown, contours(found, 1), ERROR_KINDS, 0.9) if min(image.shape[:2]) > SMALL else shown


def _panel(pixels: RGBImage, alt: str, words: str, candidate: int | None = None) -> Panel:
    height, width = pixels.shape[:2]
    return Panel(_address(pixels), alt, words, width, height, candidate)


def _address(pixels: RGBImage) -> str:
    """A JPEG with full colour, so that thin lines stay sharp; what is small is a PNG."""
    if max(pixels.shape[:2]) <= SMALL:
        kind, ending, options = "png", ".png", [cv2.IMWRITE_PNG_COMPRESSION, 9]
    else:
        full_colour = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
        kind, ending, options = "jpeg", ".jpg", [cv2.IMWRITE_JPEG_QUALITY, QUALITY, *full_colour]
    _done, data = cv2.imencode(ending, np.ascontiguousarray(pixels[..., ::-1]), options)
    return f"data:image/{kind};base64,{base64.b64encode(data.tobytes()).decode()}"
