"""The paired bootstrap against SciPy's, and how often its interval holds the truth."""

from functools import partial

import numpy as np
import pytest
from scipy.stats import bootstrap

from segdemo.errors import SettingError
from segdemo.metrics import (
    RESAMPLES,
    foreground_score,
    mean_of_values,
    paired_difference,
    scores_of_counts,
    values_as_counts,
)


def pictures(number: int, seed: int = 0, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """TP, FP, FN (I, C, 3) of two models: hard pictures are hard for both, and A is a little better."""
    rng = np.random.default_rng(seed)
    hard = rng.uniform(50, 400, (number, classes, 1))
    a, b = (rng.poisson(np.concatenate([hard * 0 + 600, hard, hard], axis=-1) * [1, worse, worse]) for worse in (1.0, 1.15))
    return a, b


def test_the_difference_is_the_data_sets() -> None:
    a, b = pictures(8)
    found = paired_difference(a, b, foreground_score)
    expected = scores_of_counts(a.sum(axis=0))["iou"][1:].mean() - scores_of_counts(b.sum(axis=0))["iou"][1:].mean()
    assert found.mean == pytest.approx(expected)
    assert found.low < found.mean < found.high
    assert (found.resamples, found.pictures) == (RESAMPLES, 8)
    assert 0.5 < found.share_above <= 1


@pytest.mark.parametrize("statistic", [foreground_score, partial(foreground_score, score="dice")])
def test_as_scipy(statistic) -> None:  # type: ignore[no-untyped-def]
    a, b = pictures(30, seed=1)

    def of_pictures(chosen: np.ndarray, axis: int) -> np.ndarray:
        return statistic(a[chosen].sum(axis=-3)) - statistic(b[chosen].sum(axis=-3))

    theirs = bootstrap(
        (np.arange(30),), of_pictures, n_resamples=6000, method="percentile", rng=np.random.default_rng(2), confidence_level=0.9
    )
    ours = paired_difference(a, b, statistic, resamples=6000, confidence=0.9)
    width = theirs.confidence_interval.high - theirs.confidence_interval.low
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.05 * width)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.05 * width)


def test_pairing_narrows_the_interval() -> None:
    a, b = pictures(40, seed=3)
    paired = paired_difference(a, b, foreground_score)
    mixed = paired_difference(a, b[::-1], foreground_score)
    assert paired.mean == pytest.approx(mixed.mean)
    assert paired.high - paired.low < 0.6 * (mixed.high - mixed.low)


def test_nine_of_ten_intervals_hold_the_truth() -> None:
    """Values of known mean: 90 % intervals of 40 pictures miss 0.3 in about a tenth of 300 trials."""
    rng = np.random.default_rng(4)
    held = 0
    for trial in range(300):
        b = rng.normal(size=40)
        a = b + rng.normal(0.3, 0.5, 40)
        found = paired_difference(
            values_as_counts(a), values_as_counts(b), mean_of_values, resamples=400, confidence=0.9, seed=trial
        )
        held += found.low <= 0.3 <= found.high
    assert 0.84 <= held / 300 <= 0.95  # the percentile interval is known to be a little short


def test_the_same_seed_gives_the_same_interval() -> None:
    a, b = pictures(6)
    assert paired_difference(a, b, foreground_score) == paired_difference(a, b, foreground_score)
    assert paired_difference(a, b, foreground_score) != paired_difference(a, b, foreground_score, seed=1)


def test_blocks_of_resamples_are_as_good_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = pictures(6)
    whole = paired_difference(a, b, foreground_score, resamples=50)
    monkeypatch.setattr("segdemo.metrics.bootstrap.WEIGHTS_AT_ONCE", 42)  # 7 resamples at once
    assert paired_difference(a, b, foreground_score, resamples=50) == whole


def test_turned_round_it_is_the_negative_and_equal_models_do_not_differ() -> None:
    a, b = pictures(6)
    forth, back = paired_difference(a, b, foreground_score), paired_difference(b, a, foreground_score)
    assert (forth.low, forth.high) == pytest.approx((-back.high, -back.low))
    assert forth.share_above == pytest.approx(1 - back.share_above)
    same = paired_difference(a, a, foreground_score)
    assert (same.mean, same.low, same.high, same.share_above) == (0, 0, 0, 0)


@pytest.mark.parametrize("number", [0, 1])
def test_fewer_than_two_pictures_have_no_interval(number: int) -> None:
    a, b = (counts[:number] for counts in pictures(2))
    found = paired_difference(a, b, foreground_score)
    assert np.isnan([found.low, found.high, found.share_above]).all()
    assert np.isnan(found.mean) == (number == 0)


def test_undefined_scores() -> None:
    nothing = np.zeros((5, 2, 3))
    found = paired_difference(nothing, nothing, partial(foreground_score, score="dice"))
    assert np.isnan([found.mean, found.low, found.high]).all() and found.resamples == 0
    rare = nothing.copy()
    rare[0, 1] = [10, 2, 3]  # the class is in one picture of five, drawn in 1 − 0.8⁵ of the resamples
    found = paired_difference(rare, rare * [1, 2, 2], foreground_score)
    assert found.low == found.high == pytest.approx(10 / 15 - 10 / 20)
    assert found.resamples == pytest.approx(2000 * (1 - 0.8**5), rel=0.05)


def test_helper_statistics_by_hand() -> None:
    counts = np.array([[[9, 9, 9], [3, 2, 1], [0, 0, 0]], [[9, 9, 9], [0, 0, 0], [0, 0, 0]]])
    np.testing.assert_allclose(foreground_score(counts), [1 / 2, np.nan])
    np.testing.assert_allclose(foreground_score(counts, "dice"), [2 / 3, np.nan])
    values = np.array([0.5, np.nan, 0.7])
    assert values_as_counts(values).tolist() == [[0.5, 1], [0, 0], [0.7, 1]]
    assert mean_of_values(values_as_counts(values).sum(axis=0)) == pytest.approx(0.6)


def test_settings_that_cannot_be() -> None:
    a, b = pictures(4)
    with pytest.raises(SettingError, match="one shape"):
        paired_difference(a, b[:3], foreground_score)
    for settings in ({"resamples": 0}, {"confidence": 1.0}, {"confidence": 0.0}):
        with pytest.raises(SettingError, match="bootstrap"):
            paired_difference(a, b, foreground_score, **settings)  # type: ignore[arg-type]
