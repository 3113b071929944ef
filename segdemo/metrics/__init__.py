"""Metrics: one confusion matrix, and everything derived from it."""

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
    "class_shares", "confusion_matrix", "dice_per_class", "iou_per_class", "mean_iou", "object_areas", "pixel_accuracy",
    "precision", "recall",
]  # fmt: skip
