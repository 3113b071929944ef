"""Metric honesty: the generated data set, ignored outlines, and counts that agree with the confusion matrix."""

import cv2
import numpy as np
import pytest

from segdemo.losslab.honesty import (
    THRESHOLDS,
    Case,
    SceneKind,
    best_threshold,
    every_convention,
    matrix_of,
    mean_dice_sweep,
    scenes,
    score_range,
    tally,
    without_outlines,
)
from segdemo.metrics import confusion_matrix, dice_per_class, expected_calibration_error, score_under, scores_of_counts
from segdemo.types import ClassInfo, Latency, Prediction


def matrices_of(cases: list[Case], width: int = 0) -> np.ndarray:
    return np.stack([matrix_of(case, width) for case in cases])


def sweep_counts(cases: list[Case]) -> np.ndarray:
    return np.stack([tally(case).sweep for case in cases])


CLASSES = (ClassInfo("background", (0, 0, 0)), ClassInfo("nucleus", (0, 0, 255)))


def case(seed: int, *, empty: bool = False, truth: np.ndarray | None = None) -> Case:
    """A random prediction of 24 × 30 pixels that leans towards its truth."""
    rng = np.random.default_rng(seed)
    if truth is None:
        truth = np.zeros((24, 30), np.uint8)
        if not empty:
            truth[5:15, 8:20] = 1
    foreground = (0.55 * (truth == 1) + 0.45 * rng.random(truth.shape)).astype(np.float32)
    scores = np.stack([1 - foreground, foreground])
    preds = (foreground > 0.5).astype(np.uint8)
    image = np.zeros((*truth.shape, 3), np.uint8)
    return Case(str(seed), str(seed), image, Prediction(preds, scores, CLASSES, Latency(), "none", 0.5, True), truth)


@pytest.mark.parametrize("kind", ["nuclei", "shapes"])
def test_the_data_set_has_full_small_and_empty_pictures(kind: SceneKind) -> None:
    shares = [float((scene.truth > 0).mean()) for scene in scenes(kind)]
    assert shares.count(0) == 2
    assert 0 < min(share for share in shares if share) < 0.05
    assert max(shares) > 0.2
    assert {scene.image.shape for scene in scenes(kind)} == {(192, 192, 3)}
    assert len({scene.title for scene in scenes(kind)}) == 6


def test_outlines_are_ignored_on_both_sides() -> None:
    truth = np.zeros((20, 20), np.uint8)
    truth[6:14, 6:14] = 1
    assert without_outlines(truth, 0) is truth
    ignored = without_outlines(truth, 2) == 255
    distance = np.minimum(
        cv2.distanceTransform((truth == 0).astype(np.uint8), cv2.DIST_C, 3) + (truth == 1) * 99,
        cv2.distanceTransform(truth, cv2.DIST_C, 3) + (truth == 0) * 99,
    )
    np.testing.assert_array_equal(ignored, distance <= 2)
    np.testing.assert_array_equal(without_outlines(truth, 2)[~ignored], truth[~ignored])


def test_ignoring_outlines_only_takes_pixels_away() -> None:
    whole, without = matrices_of([case(1), case(2)]), matrices_of([case(1), case(2)], 1)
    assert whole.shape == (2, 2, 2)
    assert whole.sum() == 2 * 24 * 30
    assert (without <= whole).all()
    assert without.sum() < whole.sum()


def test_ignored_pixels_of_the_truth_count_nowhere() -> None:
    truth = np.zeros((24, 30), np.uint8)
    truth[5:15, 8:20] = 1
    truth[:, 15:] = 255
    one = case(3, truth=truth)
    assert matrices_of([one]).sum() == 24 * 15
    assert sweep_counts([one])[0, 0].sum() <= 24 * 15
    assert tally(one).of_class.count.sum() == tally(one).of_label.count.sum() == 24 * 15


def test_conventions_are_all_different_and_span_the_range() -> None:
    conventions = every_convention()
    assert len(set(conventions)) == len(conventions) == 16
    counts = matrices_of([case(1), case(2), case(3, empty=True)])
    scores = [score_under(counts, "iou", convention) for convention in conventions]
    assert score_range([counts], "iou") == (min(scores), max(scores), 16)
    assert score_range([counts, counts], "iou")[2] == 32


def test_a_sweep_counts_what_the_confusion_matrix_counts() -> None:
    cases = [case(1), case(2, empty=True)]
    counts = sweep_counts(cases)
    assert counts.shape == (2, len(THRESHOLDS), 3)
    for place in (0, 49, 98):
        for row, one in zip(counts, cases, strict=True):
            preds = (one.prediction.scores[1] > THRESHOLDS[place]).astype(np.uint8)
            matrix = confusion_matrix(preds, one.truth, 2)
            assert row[place].tolist() == [matrix[1, 1], matrix[0, 1], matrix[1, 0]]


def test_the_best_threshold_is_the_highest_and_the_middle_of_equal_ones() -> None:
    scores = np.zeros(len(THRESHOLDS))
    scores[40:51] = 1
    assert best_threshold(scores) == pytest.approx(THRESHOLDS[45])
    assert best_threshold(np.full(len(THRESHOLDS), np.nan)) == 0.5
    counts = sweep_counts([case(1)])
    dice = scores_of_counts(counts.sum(axis=0))["dice"]
    assert dice[np.isclose(THRESHOLDS, best_threshold(dice))] == np.nanmax(dice)


def test_the_mean_sweep_leaves_out_pictures_without_the_class() -> None:
    cases = [case(1), case(2), case(3, empty=True)]
    mean = mean_dice_sweep(sweep_counts(cases))
    at_half = [dice_per_class(matrix)[1] for matrix in matrices_of(cases[:2])]
    assert mean[49] == pytest.approx(np.mean(at_half))
    assert np.isnan(mean_dice_sweep(sweep_counts([case(3, empty=True)]))).all()


def test_the_likelier_of_two_classes_has_at_least_one_half() -> None:
    counted = tally(case(1))
    assert counted.of_label.count[:7].sum() == 0
    assert 0 < expected_calibration_error(counted.of_class + tally(case(2)).of_class) < 1


def test_a_mask_that_is_all_ignored_is_scored_by_policies_alone() -> None:
    counts = matrices_of([case(1, truth=np.full((24, 30), 255, np.uint8))])
    assert score_range([counts], "dice") == (0.0, 1.0, 6)  # one, zero and smooth, without and with the background
