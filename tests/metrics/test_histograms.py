"""The quick way to place values between thresholds says what numpy says, on, beside and between them."""

import numpy as np
import pytest

from segdemo.metrics.histograms import count_places, exceeded

HUNDREDTHS = np.arange(1, 100) / 100


def tricky(thresholds: np.ndarray, dtype: type[np.floating]) -> np.ndarray:
    """Each threshold and each edge of a cell, its neighbours among the numbers of a type, 0, 1, beyond, and many others."""
    marks = np.concatenate([thresholds, np.arange(257) / 256]).astype(dtype)
    around = [marks, np.nextafter(marks, dtype(2)), np.nextafter(marks, dtype(-2))]
    rest = np.random.default_rng(0).random(6000).astype(dtype)
    return np.concatenate([*around, rest, np.array([0, 1, -0.5, 1.5, -np.inf, np.inf], dtype)])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    "thresholds",
    [HUNDREDTHS, np.linspace(0, 1, 16)[1:-1], np.array([0.0, 0.5, 1.0]), np.array([0.5]), np.zeros(0), np.linspace(0, 1, 500),
     np.array([0.3, 0.3001, 0.7])],
    ids=["hundredths", "bins", "ends", "one", "none", "many", "close"],
)  # fmt: skip
def test_as_searchsorted(thresholds: np.ndarray, dtype: type[np.floating]) -> None:
    rising = thresholds.astype(dtype)
    values = tricky(thresholds, dtype)
    np.testing.assert_array_equal(exceeded(values, rising), np.searchsorted(rising, values, side="left"))


def test_few_values_and_whole_numbers() -> None:
    assert exceeded(np.array([0.2, 0.9]), HUNDREDTHS).tolist() == [19, 89]
    ones = np.tile([0, 1], 4000)
    np.testing.assert_array_equal(exceeded(ones, np.array([0])), ones)


def test_places_are_counted_apart() -> None:
    places, chosen = np.array([0, 2, 2, 1, 2], np.uint8), np.array([True, True, False, False, True])
    assert count_places(places, chosen, 4).tolist() == [[0, 1, 1, 0], [1, 0, 2, 0]]
