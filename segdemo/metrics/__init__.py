"""Metrics: one confusion matrix and everything derived from it; boundaries; objects."""

from segdemo.metrics.boundary import boundary_counts, boundary_f1
from segdemo.metrics.confusion import (
    confusion_matrix,
    dice_per_class,
    iou_per_class,
    mean_iou,
    pixel_accuracy,
    precision,
    recall,
)
from segdemo.metrics.objects import class_shares, object_areas

__all__ = [
    "boundary_counts", "boundary_f1", "class_shares", "confusion_matrix", "dice_per_class", "iou_per_class", "mean_iou",
    "object_areas", "pixel_accuracy", "precision", "recall",
]  # fmt: skip
