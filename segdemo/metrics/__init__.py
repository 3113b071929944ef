"""Metrics: one confusion matrix and everything derived from it; conventions, thresholds, calibration; boundaries; objects."""

from segdemo.metrics.boundary import boundary_counts, boundary_f1
from segdemo.metrics.calibration import Reliability, expected_calibration_error, reliability, top_label
from segdemo.metrics.confusion import (
    confusion_matrix,
    dice_per_class,
    iou_per_class,
    mean_iou,
    pixel_accuracy,
    precision,
    recall,
)
from segdemo.metrics.conventions import Averaging, Convention, EmptyMask, ScoreName, class_scores, score_under
from segdemo.metrics.objects import class_shares, object_areas
from segdemo.metrics.sweep import sweep_scores, threshold_counts

__all__ = [
    "Averaging", "Convention", "EmptyMask", "Reliability", "ScoreName", "boundary_counts", "boundary_f1", "class_scores",
    "class_shares", "confusion_matrix", "dice_per_class", "expected_calibration_error", "iou_per_class", "mean_iou",
    "object_areas", "pixel_accuracy", "precision", "recall", "reliability", "score_under", "sweep_scores", "threshold_counts",
    "top_label",
]  # fmt: skip
