"""Metrics: counts and ratios; conventions, thresholds, calibration; boundaries; objects; several models and their differences."""

from segdemo.metrics.bootstrap import (
    RESAMPLES,
    Difference,
    Statistic,
    mean_of_values,
    paired_difference,
    values_as_counts,
)
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
from segdemo.metrics.consensus import Tie, disagreement, majority_vote, pairwise_iou
from segdemo.metrics.conventions import Averaging, Convention, EmptyMask, ScoreName, class_scores, score_under
from segdemo.metrics.counts import class_counts, foreground_score, mean_of_known, ratio, scores_of_counts
from segdemo.metrics.matching import (
    CHALLENGE_THRESHOLDS,
    MATCH,
    ObjectCounts,
    challenge_precision,
    challenge_precisions,
    instance_counts,
    object_counts,
)
from segdemo.metrics.objects import class_shares, object_areas
from segdemo.metrics.ranking import average_precision, best_threshold, curve, place_of_best
from segdemo.metrics.surface import hausdorff95
from segdemo.metrics.sweep import threshold_counts

__all__ = [
    "CHALLENGE_THRESHOLDS", "MATCH", "RESAMPLES", "Averaging", "Convention", "Difference", "EmptyMask", "ObjectCounts",
    "Reliability", "ScoreName", "Statistic", "Tie", "average_precision", "best_threshold", "boundary_counts", "boundary_f1",
    "challenge_precision", "challenge_precisions", "class_counts", "class_scores", "class_shares", "confusion_matrix", "curve",
    "dice_per_class", "disagreement", "expected_calibration_error", "foreground_score", "hausdorff95", "instance_counts",
    "iou_per_class", "majority_vote", "mean_iou", "mean_of_known", "mean_of_values", "object_areas", "object_counts",
    "paired_difference", "pairwise_iou", "pixel_accuracy", "place_of_best", "precision", "ratio", "recall", "reliability",
    "score_under", "scores_of_counts", "threshold_counts", "top_label", "values_as_counts",
]  # fmt: skip
