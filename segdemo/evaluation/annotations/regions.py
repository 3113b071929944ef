"""The connected objects of a label map, each with its class, place, area and mean probability: what annotation files list."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.evaluation.label_space import background_of
from segdemo.geometry import resize_nearest
from segdemo.text import _
from segdemo.types import IGNORE_INDEX, ClassInfo, LabelMap, Prediction, ProbabilityMap, Size

__all__ = ["AnnotatedPicture", "Regions", "annotated", "find_regions"]


@dataclass(frozen=True)
class AnnotatedPicture:
    """A picture's name and label map, as it goes into an annotation file.

    `scores` (C, h, w) are the probabilities behind `labels` (H, W), at the size at which the network saw the picture
    (`Prediction.scores`); None for ground truth. `background` is the class that no object belongs to, None where every
    class is something.
    """

    name: str
    labels: LabelMap
    classes: tuple[ClassInfo, ...]
    scores: ProbabilityMap | None = None
    background: int | None = 0

    @property
    def size(self) -> Size:
        """(height, width) of the picture."""
        return self.labels.shape[0], self.labels.shape[1]


def annotated(name: str, prediction: Prediction) -> AnnotatedPicture:
    """What a network says about the picture of this name, for an annotation file."""
    background = background_of([info.name for info in prediction.classes])
    return AnnotatedPicture(name, prediction.preds, prediction.classes, prediction.scores, background)


@dataclass(frozen=True)
class Regions:
    """Objects 1 … N of a label map: connected regions of one class, corners included, ordered by class.

    `ids` (H, W) int32 says to which object a pixel belongs, 0 to none. Row i of the others is object i + 1:
    `class_indices` (N,), `areas` (N,) in pixels, `boxes` (N, 4) as x, y, width, height in pixels, and `scores` (N,), the
    mean probability of the object's class over its pixels, or None where no probabilities were given.
    """

    ids: NDArray[np.int32]
    class_indices: NDArray[np.intp]
    areas: NDArray[np.int64]
    boxes: NDArray[np.int64]
    scores: NDArray[np.float64] | None = None


def _components(labels: LabelMap, of_classes: Sequence[int]) -> tuple[NDArray[np.int32], list[NDArray[np.int32]]]:
    """8-connected regions, numbered from 1 on class by class: (H, W) numbers, and OpenCV's statistics (n, 5) for each class."""
    ids = np.zeros(labels.shape, np.int32)
    tables, found = [], 0
    for index in of_classes:
        mask = (labels == index).astype(np.uint8)
        _count, numbers, table, _centres = cv2.connectedComponentsWithStats(mask, connectivity=8)
        numbers[numbers > 0] += found
        ids += numbers
        tables.append(table[1:])  # row 0 is everything else
        found += len(table) - 1
    return ids, tables


def find_regions(picture: AnnotatedPicture) -> Regions:
    """The objects of a picture. Background and pixels that count nowhere (IGNORE_INDEX) belong to none.

    Raises SettingError where the label map is not (H, W) uint8 or has a label without a class.
    """
    labels, classes = picture.labels, picture.classes
    if labels.ndim != 2 or labels.dtype != np.uint8:
        raise SettingError(_("A label map has two dimensions and whole numbers from 0 to 255."))
    present = [int(i) for i in np.flatnonzero(np.bincount(labels.ravel(), minlength=256)) if i != IGNORE_INDEX]
    if present and present[-1] >= len(classes):
        message = _("The label map has label {label}, but there are only {n} classes.", label=present[-1], n=len(classes))
        raise SettingError(message)
    named = [i for i in present if i != picture.background]
    ids, tables = _components(labels, named)
    stats = np.concatenate([*tables, np.zeros((0, 5), np.int32)]).astype(np.int64)
    class_indices = np.repeat(np.array(named, np.intp), [len(table) for table in tables])
    regions = Regions(ids, class_indices, stats[:, cv2.CC_STAT_AREA], stats[:, :4])
    if picture.scores is None:
        return regions
    means = _mean_probabilities(regions, picture.scores, picture.size)
    return Regions(ids, class_indices, regions.areas, regions.boxes, means)


def _mean_probabilities(regions: Regions, scores: ProbabilityMap, size: Size) -> NDArray[np.float64]:
    """(N,) mean over each object of the probability of its own class; one class at a time is in memory at full size."""
    sums = np.zeros(len(regions.areas))
    for index in np.unique(regions.class_indices):
        plane = resize_nearest(scores[index], size)
        per_object = np.bincount(regions.ids.ravel(), plane.ravel(), len(sums) + 1)[1:]
        own = regions.class_indices == index
        sums[own] = per_object[own]
    return sums / regions.areas
