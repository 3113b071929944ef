"""Pictures to look at: which of a data set to show, and each reduced to what a report can hold."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from segdemo.evaluation.scores.results import Evaluation
from segdemo.evaluation.scores.rows import picture_scores
from segdemo.geometry import Size, resize_nearest
from segdemo.types import ClassInfo, LabelMap, RGBImage

__all__ = ["EXAMPLE_SIDE", "PictureExample", "make_example", "worst_pictures"]

EXAMPLE_SIDE = 320  # pixels of the longer side, at most


@dataclass(frozen=True)
class PictureExample:
    """One picture of the data set, its truth and what the candidates said, reduced to one small size (h, w).

    image (h, w, 3); target and preds (h, w) label maps of the evaluation's classes, 255 is ignored; preds by the
    candidate's index in `Evaluation.results`, without those that failed. full_size: the picture's own (H, W).
    """

    name: str
    image: RGBImage
    target: LabelMap
    preds: Mapping[int, LabelMap]
    classes: tuple[ClassInfo, ...]
    full_size: Size


def make_example(
    name: str, image: RGBImage, target: LabelMap, preds: Mapping[int, LabelMap], classes: tuple[ClassInfo, ...],
    *, longest_side: int = EXAMPLE_SIDE,
) -> PictureExample:  # fmt: skip
    """Reduce a picture (H, W, 3), its truth (H, W) and the predictions (H, W) by candidate to `longest_side` pixels.

    The photograph is averaged, label maps are taken at the nearest pixel; what is small already stays as it is.
    """
    height, width = target.shape
    scale = min(1.0, longest_side / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    small = np.asarray(image)
    if small.shape[:2] != size:
        small = np.asarray(cv2.resize(small, (size[1], size[0]), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    reduced = {index: resize_nearest(labels, size) for index, labels in preds.items()}
    return PictureExample(name, small, resize_nearest(target, size), reduced, classes, (height, width))


def worst_pictures(evaluation: Evaluation, count: int) -> list[str]:
    """Names of up to `count` pictures worth a look, two thirds of them where the candidates' mean IoU is lowest, worst first;
    then those on which they differ most. Pictures on which nothing can be scored are left out."""
    scores = picture_scores(evaluation)
    mean = {name: sum(values.values()) / len(values) for name, values in scores.items() if values}
    spread = {name: max(values.values()) - min(values.values()) for name, values in scores.items() if values}
    lowest = sorted(mean, key=mean.__getitem__)[: math.ceil(2 * count / 3)]
    apart = sorted((name for name in spread if spread[name] > 0 and name not in lowest), key=lambda name: -spread[name])
    chosen = lowest + apart[: max(0, count - len(lowest))]
    rest = [name for name in sorted(mean, key=mean.__getitem__) if name not in chosen]
    return (chosen + rest)[:count]
