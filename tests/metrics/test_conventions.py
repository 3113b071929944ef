"""Conventions and sweeps against hand values, torchmetrics and MONAI."""

import numpy as np
import pytest
import torch
from monai.metrics.meandice import DiceMetric
from torchmetrics.functional.classification import binary_precision_recall_curve, multiclass_f1_score, multiclass_jaccard_index

from segdemo.metrics import (
    Convention,
    ScoreName,
    class_scores,
    confusion_matrix,
    pixel_accuracy,
    score_under,
    scores_of_counts,
    threshold_counts,
)

# Rows = truth, columns = prediction: a good picture, an empty one found empty, an empty one with a false alarm.
GOOD, EMPTY, ALARM = [[80, 5], [3, 12]], [[100, 0], [0, 0]], [[90, 10], [0, 0]]
MATRICES = np.array([GOOD, EMPTY, ALARM])
DICE, IOU = 24 / 32, 12 / 20


def maps(classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and truths (5, 12, 14); not every class is in every picture."""
    rng = np.random.default_rng(seed)
    target = np.stack([rng.integers(0, 1 + i % classes, (12, 14)) for i in range(1, 6)])
    preds = np.where(rng.random(target.shape) < 0.7, target, rng.integers(0, classes, target.shape))
    return preds, target


def matrices(preds: np.ndarray, target: np.ndarray, classes: int) -> np.ndarray:
    return np.stack([confusion_matrix(p, t, classes) for p, t in zip(preds, target, strict=True)])


@pytest.mark.parametrize(
    ("empty", "rest"),
    [("both", [0.0]), ("truth", []), ("one", [1.0, 0.0]), ("zero", [0.0, 0.0]), ("smooth", [1.0, 1 / 11])],
)
def test_empty_masks_by_hand(empty: str, rest: list[float]) -> None:
    dice, iou = (25 / 33, 13 / 21) if empty == "smooth" else (DICE, IOU)
    convention = Convention(True, empty=empty)  # type: ignore[arg-type]
    assert score_under(MATRICES, "dice", convention) == pytest.approx(np.mean([dice, *rest]))
    assert score_under(MATRICES, "iou", convention) == pytest.approx(np.mean([iou, *rest]))


def test_pooled_by_hand() -> None:
    assert score_under(MATRICES, "dice", Convention()) == pytest.approx(24 / 42)
    assert score_under(MATRICES, "iou", Convention()) == pytest.approx(12 / 30)
    background = 270 / 288
    assert score_under(MATRICES, "iou", Convention(averaging="all")) == pytest.approx((12 / 30 + background) / 2)
    assert score_under(MATRICES, "iou", Convention(averaging="frequency")) == pytest.approx((15 * 0.4 + 285 * background) / 300)
    assert score_under(MATRICES, "iou", Convention(averaging="micro")) == pytest.approx(282 / 318)


@pytest.mark.parametrize(("averaging", "theirs"), [("all", "macro"), ("micro", "micro"), ("frequency", "weighted")])
def test_pooled_as_torchmetrics(averaging: str, theirs: str) -> None:
    preds, target = maps(4)
    convention = Convention(averaging=averaging)  # type: ignore[arg-type]
    expected = multiclass_jaccard_index(torch.tensor(preds), torch.tensor(target), 4, average=theirs)  # type: ignore[arg-type]
    assert score_under(matrices(preds, target, 4), "iou", convention) == pytest.approx(float(expected), abs=1e-6)


def test_dice_is_the_f1_score_of_torchmetrics() -> None:
    preds, target = maps(4, seed=3)
    counts = matrices(preds, target, 4)
    for averaging, theirs in (("all", "macro"), ("micro", "micro"), ("frequency", "weighted")):
        expected = multiclass_f1_score(torch.tensor(preds), torch.tensor(target), 4, average=theirs)  # type: ignore[arg-type]
        ours = score_under(counts, "dice", Convention(averaging=averaging))  # type: ignore[arg-type]
        assert ours == pytest.approx(float(expected), abs=1e-6)
    each = multiclass_f1_score(torch.tensor(preds), torch.tensor(target), 4, average="none")
    assert score_under(counts, "dice", Convention()) == pytest.approx(float(each[1:].mean()), abs=1e-6)


@pytest.mark.parametrize(("ignore_empty", "empty"), [(True, "truth"), (False, "one")])
def test_each_picture_as_monai(ignore_empty: bool, empty: str) -> None:
    preds, target = maps(3, seed=1)
    preds[0] = target[0] = 0  # nothing there and nothing found
    one_hot = [torch.nn.functional.one_hot(torch.tensor(x).long(), 3).movedim(-1, 1) for x in (preds, target)]
    metric = DiceMetric(include_background=True, reduction="none", ignore_empty=ignore_empty)
    theirs = metric(*one_hot)
    ours = class_scores(matrices(preds, target, 3), "dice", empty)  # type: ignore[arg-type]
    np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-6)


def test_micro_dice_is_pixel_accuracy() -> None:
    assert score_under(MATRICES, "dice", Convention(averaging="micro")) == pytest.approx(pixel_accuracy(MATRICES.sum(axis=0)))


def test_one_picture_is_its_own_data_set() -> None:
    one = np.array([GOOD])
    scores: tuple[ScoreName, ...] = ("dice", "iou")
    for score in scores:
        for averaging in ("foreground", "all", "micro", "frequency"):
            pooled, single = (score_under(one, score, Convention(per, averaging)) for per in (False, True))  # type: ignore[arg-type]
            assert pooled == single


def test_nothing_to_score_is_not_a_number() -> None:
    nothing = np.array([EMPTY])
    assert np.isnan(score_under(nothing, "dice", Convention()))
    assert np.isnan(score_under(nothing, "iou", Convention(True, empty="truth")))
    assert score_under(nothing, "iou", Convention(True, empty="one")) == 1
    assert np.isnan(score_under(np.zeros((1, 2, 2), np.int64), "dice", Convention(averaging="micro")))


def test_a_sweep_as_brute_force_and_as_torchmetrics() -> None:
    rng = np.random.default_rng(2)
    probs = rng.integers(0, 21, 3000).astype(np.float32) / 20  # many lie on a threshold
    truth = rng.random(3000) < probs
    thresholds = np.arange(1, 20) / 20
    counts = threshold_counts(probs, truth, thresholds)
    for threshold, (tp, fp, fn) in zip(thresholds, counts, strict=True):
        positive = probs > float(threshold)
        assert (tp, fp, fn) == ((positive & truth).sum(), (positive & ~truth).sum(), (~positive & truth).sum())
    between = thresholds + 0.025  # torchmetrics takes ≥
    scores = scores_of_counts(threshold_counts(probs, truth, between))
    precision, recall, _ = binary_precision_recall_curve(
        torch.tensor(probs), torch.tensor(truth).long(), thresholds=torch.tensor(between).float()
    )
    np.testing.assert_allclose(scores["precision"][:-1], precision[:-2], atol=1e-6)
    np.testing.assert_allclose(scores["recall"], recall[:-1], atol=1e-6)
    np.testing.assert_allclose(scores["iou"], scores["dice"] / (2 - scores["dice"]))


def test_a_sweep_over_nothing_has_no_scores() -> None:
    counts = threshold_counts(np.zeros(4, np.float32), np.zeros(4, bool), np.array([0.5]))
    assert counts.tolist() == [[0, 0, 0]]
    assert all(np.isnan(values).all() for values in scores_of_counts(counts).values())
