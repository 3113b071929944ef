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

__all__ = [
    "confusion_matrix", "dice_per_class", "iou_per_class", "mean_iou", "pixel_accuracy", "precision", "recall",
]  # fmt: skip
