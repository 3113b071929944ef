"""Scores of a network over a validation split: one confusion matrix for all of it, and one for each kind of picture.

Of a network that draws its input again, the share of the variance that it explains stands in place of the IoU.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from segdemo.data.preprocessing import from_output, to_input
from segdemo.data.sources import Source
from segdemo.errors import DataSetError
from segdemo.geometry import resize_nearest
from segdemo.metrics import (
    Reliability,
    boundary_counts,
    boundary_f1,
    confusion_matrix,
    dice_per_class,
    iou_per_class,
    mean_iou,
    precision,
    recall,
    reliability,
)
from segdemo.models.labels import labels_of_logits
from segdemo.models.supervision import Supervision
from segdemo.text import _
from segdemo.types import IGNORE_INDEX, Preprocessing, RGBImage

__all__ = ["Validation", "foreground_reliability", "judge_presence", "validate", "validate_drawing"]


@dataclass(frozen=True)
class Validation:
    """Data-set-level scores. Of a binary network the foreground's, of a multi-class one the mean over all classes."""

    score: float  # IoU; of a drawing 1 − squared error / variance, at least 0
    score_by_kind: dict[str, float]
    dice: float
    precision: float
    recall: float
    iou_by_class: tuple[float, ...]
    pictures: int
    boundary_f1: float = float("nan")  # within 2 pixels

    def __str__(self) -> str:
        kinds = ", ".join(f"{kind} {score:.4f}" for kind, score in self.score_by_kind.items())
        return f"IoU {self.score:.4f} ({kinds}), Dice {self.dice:.4f}, boundary F1 {self.boundary_f1:.4f}"


def _headline(matrix: np.ndarray, values: np.ndarray) -> float:
    return float(values[1]) if matrix.shape[0] == 2 else float(np.nanmean(values))


@torch.inference_mode()
def validate(model: nn.Module, source: Source, preprocessing: Preprocessing, device: torch.device) -> Validation:
    """Run `model` over whole validation pictures, as the engine would see them, and score the label maps."""
    num_classes = len(source.class_names)
    matrices: dict[str, np.ndarray] = defaultdict(lambda: np.zeros((num_classes, num_classes), np.int64))
    boundaries = np.zeros((num_classes, 4), np.int64)
    pictures = 0
    for image, target, kind in source.validation():
        tensor, geometry = to_input(image, preprocessing)
        logits = from_output(model(tensor.to(device))[0], geometry)
        preds = resize_nearest(labels_of_logits(logits).to(torch.uint8).cpu().numpy(), geometry.full)
        matrices[kind] += confusion_matrix(preds, target, num_classes)
        boundaries += boundary_counts(preds, target, num_classes)
        pictures += 1
    total = sum(matrices.values(), np.zeros((num_classes, num_classes), np.int64))
    return Validation(
        score=float(iou_per_class(total)[1]) if num_classes == 2 else mean_iou(total),
        score_by_kind={kind: _headline(m, iou_per_class(m)) for kind, m in sorted(matrices.items())},
        dice=_headline(total, dice_per_class(total)),
        precision=_headline(total, precision(total)),
        recall=_headline(total, recall(total)),
        iou_by_class=tuple(float(v) for v in iou_per_class(total)),
        pictures=pictures,
        boundary_f1=_headline(total, boundary_f1(boundaries)),
    )


@torch.inference_mode()
def foreground_reliability(model: nn.Module, source: Source, preprocessing: Preprocessing) -> Reliability:
    """How honest a binary network is on the whole validation split: pixels by the probability that it gave them."""
    total: Reliability | None = None
    for image, target, _kind in source.validation():
        tensor, geometry = to_input(image, preprocessing)
        probs = from_output(model(tensor)[0], geometry).sigmoid()[0].numpy()
        truth = resize_nearest(target, geometry.working)
        bins = reliability(probs[truth != IGNORE_INDEX], truth[truth != IGNORE_INDEX] == 1)
        total = bins if total is None else total + bins
    if total is None:
        raise DataSetError(_("There are no validation pictures."))
    return total


@torch.inference_mode()
def validate_drawing(model: nn.Module, source: Source, preprocessing: Preprocessing, device: torch.device) -> Validation:
    """Run `model` over whole validation pictures and compare what it draws with what it saw, in normalised units."""
    shares: dict[str, list[float]] = defaultdict(list)
    for image, _target, kind in source.validation():
        tensor, geometry = to_input(image, preprocessing)
        seen = from_output(tensor[0], geometry)
        drawn = from_output(model(tensor.to(device))[0], geometry).cpu().float()
        share = 1 - float((drawn - seen).square().mean()) / max(float(seen.var(unbiased=False)), 1e-6)
        shares[kind].append(share)
    nothing = float("nan")
    by_kind = {kind: float(np.mean(values)) for kind, values in sorted(shares.items())}
    every = [share for values in shares.values() for share in values]
    return Validation(max(0.0, float(np.mean(every))), by_kind, nothing, nothing, nothing, (), len(every))


@torch.inference_mode()
def judge_presence(
    model: nn.Module, pictures: Iterable[tuple[RGBImage, bool]], preprocessing: Preprocessing
) -> dict[str, dict[str, float]]:
    """How often a network with a classifier is right about whether the first foreground class occurs in a picture.

    "present" and "absent": the number of such pictures, and the share of them that is judged right at one half.
    """
    right: dict[str, list[bool]] = {"present": [], "absent": []}
    for image, occurs in pictures:
        supervision: Supervision = model.supervise(to_input(image, preprocessing)[0])  # type: ignore[operator]
        if supervision.presence is None:
            return {}
        judged = bool(supervision.presence[0, 0] > 0)
        right["present" if occurs else "absent"].append(judged == occurs)
    return {kind: {"pictures": len(found), "right": float(np.mean(found))} for kind, found in right.items() if found}
