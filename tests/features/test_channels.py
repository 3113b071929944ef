"""Numbers about channels, against plain loops in float64."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segdemo.errors import SettingError
from segdemo.features.channels import SATURATED_SHARE, histogram, ordered, statistics_of, summary


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(5, 7, 9), (1, 1, 1), (3000, 2, 3), (2, 1, 4096), (3, 600, 600)])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_statistics_equal_loops(shape: tuple[int, int, int], offset: float) -> None:
    maps = noise(*shape) + offset
    found = statistics_of(maps[None])
    for channel in range(0, shape[0], max(1, shape[0] // 50)):
        values = maps[channel].double().numpy()
        assert found.mean[channel] == pytest.approx(values.mean(), rel=1e-6, abs=1e-5)
        assert found.variance[channel] == pytest.approx(values.var(), rel=1e-4, abs=1e-9)
        assert (found.minimum[channel], found.maximum[channel]) == (values.min(), values.max())
    assert not found.dead.any() and not found.saturated.any() and not found.not_finite.any()


def test_dead_and_saturated_channels_are_told_from_living_ones() -> None:
    maps = noise(8, 20, 20).abs() + 0.1
    maps[1] = 0
    maps[2] = 1e-9  # nothing beside the others
    maps[3] = 6  # all of it at ReLU6's upper end
    maps[4].view(-1)[20:] = 6  # 95 %
    maps[5].view(-1)[21:] = 6  # a little less
    maps[6].view(-1)[1:] = 0  # alive at one position
    maps[7].view(-1)[torch.randperm(400, generator=torch.Generator().manual_seed(0))[:390]] = 2  # not at an end
    found = statistics_of(maps)
    assert found.dead.tolist() == [False, True, True, False, False, False, False, False]
    assert found.saturated.tolist() == [False, False, False, True, True, False, False, True]


@settings(deadline=None, max_examples=80)
@given(st.integers(2, 400), st.integers(0, 20), st.integers(1, 60), st.integers(0, 2**31))
def test_saturation_is_found_wherever_the_other_values_lie(count: int, others: int, period: int, seed: int) -> None:
    """Also where they repeat, in step with a sparse sample."""
    values = torch.full((count,), 3.0)
    places = (torch.arange(others) * period + seed) % count
    values[places] = torch.linspace(-5, 2, others) if others else torch.empty(0)
    share = float((values == 3).double().mean())
    assert statistics_of(values.reshape(1, 1, -1)).saturated[0] == (share >= SATURATED_SHARE)


def test_a_single_position_is_never_saturated() -> None:
    assert not statistics_of(torch.full((4, 1, 1), 2.0)).saturated.any()
    assert statistics_of(torch.zeros(4, 1, 1)).dead.all()


def test_only_finite_values_count() -> None:
    maps = torch.tensor([[[1.0, math.nan, 3.0]], [[math.inf] * 3], [[0.0, 0.0, -math.inf]], [[1.0, 2.0, 3.0]]])
    found = statistics_of(maps)
    assert found.mean.tolist() == [2, 0, 0, 2]
    assert found.variance[:3].tolist() == [1, 0, 0] and found.variance[3] == pytest.approx(2 / 3)
    assert found.minimum.tolist() == [1, 0, 0, 1] and found.maximum.tolist() == [3, 0, 0, 3]
    assert found.not_finite.tolist() == [1, 3, 1, 0]
    assert not found.dead.any() and not found.saturated.any()


def test_orders_fall_and_ties_keep_the_index() -> None:
    maps = torch.tensor([[[1.0, 1.0]], [[0.0, 4.0]], [[1.0, 1.0]], [[5.0, 5.0]]])
    found = statistics_of(maps)
    assert ordered(found, "index") == (0, 1, 2, 3)
    assert ordered(found, "mean") == (3, 1, 0, 2)
    assert ordered(found, "variance") == (1, 0, 2, 3)
    assert ordered(found, "contribution", [0.1, math.nan, -3, 0.1]) == (0, 3, 2, 1)
    for contribution in (None, [1.0]):
        with pytest.raises(SettingError, match="4 channels"):
            ordered(found, "contribution", contribution)


def test_a_histogram_counts_every_finite_value() -> None:
    values = noise(50, 40)
    values[0, :3] = torch.tensor([math.nan, math.inf, -math.inf])
    counts, edges = histogram(values, bins=13)
    finite = values[torch.isfinite(values)].double().numpy()
    expected, expected_edges = np.histogram(finite, bins=13)
    assert counts.tolist() == expected.tolist()
    assert edges == pytest.approx(expected_edges)
    assert counts.sum() == values.numel() - 3


@pytest.mark.parametrize("value", [0.0, 3.0, -1e30, 1e-30])
def test_a_histogram_of_a_constant_holds_it_in_the_middle(value: float) -> None:
    counts, edges = histogram(torch.full((4, 4), value), bins=5)
    assert counts.tolist() == [0, 0, 16, 0, 0] and (np.diff(edges) > 0).all()


def test_a_histogram_of_nothing_is_empty() -> None:
    counts, edges = histogram(torch.full((2, 2), math.nan))
    assert counts.sum() == 0 and len(edges) == 41
    with pytest.raises(SettingError, match="bin"):
        histogram(torch.zeros(2, 2), bins=0)


def test_maps_over_all_channels_equal_numpy() -> None:
    maps = noise(11, 5, 6)
    values = maps.double().numpy()
    for how, expected in (("mean", values.mean(0)), ("max", values.max(0)), ("std", values.std(0))):
        assert summary(maps[None], how).numpy() == pytest.approx(expected, rel=1e-5, abs=1e-6)  # type: ignore[arg-type]
    assert (summary(maps[:1], "std") == 0).all()


def test_maps_over_all_channels_leave_out_what_is_no_number() -> None:
    maps = torch.tensor([[[1.0, math.nan, math.inf]], [[3.0, 2.0, math.nan]]])
    assert summary(maps, "mean")[0].tolist()[:2] == [2, 2]
    assert summary(maps, "max")[0].tolist()[:2] == [3, 2]
    assert summary(maps, "std")[0].tolist()[:2] == [1, 0]
    assert all(math.isnan(float(summary(maps, how)[0, 2])) for how in ("mean", "max", "std"))  # type: ignore[arg-type]


def test_other_shapes_get_a_sentence() -> None:
    for call in (statistics_of, lambda maps: summary(maps, "mean")):
        with pytest.raises(SettingError, match="channels, rows and columns"):
            call(torch.zeros(4, 4))
