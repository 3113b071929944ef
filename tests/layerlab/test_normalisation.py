"""The four normalisations against PyTorch in float64, running statistics against its module, and the scene."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from segdemo.errors import SettingError
from segdemo.layerlab.normalisation import EPS, KINDS, Kind, normalise, running_statistics, sharing, statistics
from segdemo.layerlab.normalisation_scene import batch_of_numbers, normalisation_scene
from segdemo.layerlab.scene import scene_data

pytestmark = pytest.mark.usefixtures("one_thread")
Float = NDArray[np.float64]
ROUNDING = np.finfo(np.float64).eps
SPREAD_OUT = 1e-2  # variances from which on rounding is not magnified by more than a few thousand


def assume_spread_out(x: Float, kind: Kind, groups: int) -> None:
    """The values that share a mean are not nearly the same: otherwise their differences are mostly rounding."""
    assume(statistics(x, kind, groups)[1].min() > SPREAD_OUT)


@st.composite
def batches(draw: st.DrawFn) -> tuple[Float, Float, Float, int]:
    """x (N, C, H, W) with at least two cells a map, γ and β, and groups that divide the channels."""
    pictures, channels = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    height, width = draw(st.integers(1, 4)), draw(st.integers(2, 4))
    x = draw(arrays(np.float64, (pictures, channels, height, width), elements=st.floats(-50, 50, width=32)))
    gamma, beta = (draw(arrays(np.float64, channels, elements=st.floats(-3, 3))) for _which in range(2))
    return x, gamma, beta, draw(st.sampled_from([n for n in range(1, channels + 1) if channels % n == 0]))


def by_torch(x: Float, kind: Kind, gamma: Float, beta: Float, groups: int) -> torch.Tensor:
    image, weight, bias = torch.tensor(x), torch.tensor(gamma), torch.tensor(beta)
    if kind == "batch":
        return F.batch_norm(image, None, None, weight, bias, training=True)
    if kind == "instance":
        return F.instance_norm(image, weight=weight, bias=bias)
    if kind == "layer":
        each = [values[:, None, None].expand(x.shape[1:]).contiguous() for values in (weight, bias)]
        return F.layer_norm(image, x.shape[1:], *each)
    return F.group_norm(image, groups, weight, bias)


@given(batches(), st.sampled_from(KINDS))
@settings(deadline=None, max_examples=150)
def test_all_four_are_torchs(case: tuple[Float, Float, Float, int], kind: Kind) -> None:
    x, gamma, beta, groups = case
    assume_spread_out(x, kind, groups)
    ours = normalise(x, kind, gamma, beta, groups=groups)
    np.testing.assert_allclose(ours.output, by_torch(x, kind, gamma, beta, groups).numpy(), rtol=1e-11, atol=1e-11)


@given(st.floats(-50, 50), st.floats(0, 1e-3), st.sampled_from(KINDS), st.integers(0, 99))
@settings(deadline=None, max_examples=100)
def test_nearly_constant_batches_differ_by_no_more_than_rounding(level: float, noise: float, kind: Kind, seed: int) -> None:
    """Each x − mean is off by some roundings of |x|, and is then multiplied by 1 / √(variance + ε), at most 1 / √ε = 316.

    The variance moves by what its distances do, and √(variance + ε) by less; x̂ itself stays below √n.
    """
    x = level + noise * np.random.default_rng(seed).standard_normal((2, 4, 2, 3))
    one, zero = np.ones(4), np.zeros(4)
    ours, theirs = normalise(x, kind, one, zero, groups=2).output, by_torch(x, kind, one, zero, 2).numpy()
    roundings = x.size  # of a sum of that many values, at worst
    bound = 4 * roundings * ROUNDING * max(1.0, float(np.abs(x).max())) / np.sqrt(EPS)
    assert bound < 1e-8
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=bound)


@given(batches(), st.sampled_from(KINDS))
@settings(deadline=None, max_examples=50)
def test_what_shares_a_mean_comes_out_with_mean_0_and_variance_1(case: tuple[Float, Float, Float, int], kind: Kind) -> None:
    x, gamma, _beta, groups = case
    assume_spread_out(x, kind, groups)
    done = normalise(x, kind, np.ones_like(gamma), np.zeros_like(gamma), groups=groups)
    shared = sharing(done.output.shape, kind, groups)  # type: ignore[arg-type]
    assert set(shared.ravel()) == set(range(done.mean.size))
    for number, variance in enumerate(done.variance.ravel()):
        cells = done.output[shared == number]
        assert abs(cells.mean()) < 1e-11
        assert cells.var() == pytest.approx(variance / (variance + EPS), rel=1e-11)


@given(batches(), st.integers(0, 8), st.sampled_from([0.0, 0.1, 0.5, 1.0]))
@settings(deadline=None, max_examples=60)
def test_running_statistics_and_evaluation_are_those_of_torchs_module(
    case: tuple[Float, Float, Float, int], seen: int, momentum: float
) -> None:
    x, gamma, beta, _groups = case
    assume_spread_out(x, "batch", 1)
    module = nn.BatchNorm2d(x.shape[1], momentum=momentum).double()
    with torch.no_grad():
        module.weight.copy_(torch.tensor(gamma))
        module.bias.copy_(torch.tensor(beta))
        for _batch in range(seen):
            module(torch.tensor(x))
        theirs = module.eval()(torch.tensor(x))
    means, variances = running_statistics(x, momentum, seen)
    assert module.running_mean is not None and module.running_var is not None
    np.testing.assert_allclose(means[-1], module.running_mean.numpy(), rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(variances[-1], module.running_var.numpy(), rtol=1e-11, atol=1e-11)
    ours = normalise(x, "batch", gamma, beta, running=(means[-1], variances[-1]))
    np.testing.assert_allclose(ours.output, theirs.numpy(), rtol=1e-11, atol=1e-11)


def test_who_shares_with_whom() -> None:
    counts = {kind: np.unique(sharing((3, 4, 2, 2), kind, 2)).size for kind in KINDS}
    assert counts == {"batch": 4, "instance": 12, "layer": 3, "group": 6}
    two_kinds = sharing((1, 4, 2, 2), "batch"), sharing((1, 4, 2, 2), "instance")
    np.testing.assert_array_equal(*two_kinds)  # of a single picture they are the same
    np.testing.assert_array_equal(sharing((3, 4, 2, 2), "group", 1), sharing((3, 4, 2, 2), "layer"))


def test_evaluation_changes_only_batch_normalisation() -> None:
    x = batch_of_numbers((2, 2, 2, 2), "plain")
    one, zero = np.ones(2), np.zeros(2)
    running = (np.array([5.0, -5.0]), np.array([4.0, 9.0]))
    for kind in KINDS:
        training, evaluation = normalise(x, kind, one, zero), normalise(x, kind, one, zero, running=running)
        assert np.array_equal(training.output, evaluation.output) == (kind != "batch")


def test_what_cannot_be_normalised_is_refused() -> None:
    with pytest.raises(SettingError, match="single value"):
        statistics(np.zeros((1, 3, 1, 1)), "batch")
    with pytest.raises(SettingError, match="3 groups do not divide 4 channels"):
        sharing((1, 4, 2, 2), "group", 3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("evaluation", [False, True])
def test_the_scene_and_its_code(kind: Kind, evaluation: bool) -> None:
    x = batch_of_numbers((2, 4, 2, 3), "loud") / 10
    gamma, beta = np.array([0.1, 0.7, 1 / 3, -1.0]), np.arange(4.0) * 0.7
    running = (np.full(4, 0.2), np.full(4, 0.3)) if evaluation else None
    scene = normalisation_scene(x, kind, gamma, beta, groups=2, running=running)
    expected = normalise(x, kind, gamma, beta, groups=2, running=running).output
    drawn = np.stack([grid.values for grid in scene.grids if grid.key.startswith("output")]).reshape(x.shape)
    np.testing.assert_array_equal(drawn, expected)
    hidden = normalisation_scene(x, kind, gamma, beta, groups=2, running=running, told=False)
    assert {grid.key: grid.values.shape for grid in hidden.grids if grid.key in ("mean", "variance")} == {
        "mean": (1, 1), "variance": (1, 1)}  # fmt: skip
    assert "unning" not in str(scene_data(hidden)) and not any(hidden.sums.values()) and not hidden.code + hidden.formula
    assert [grid.key for grid in hidden.grids] == [grid.key for grid in scene.grids]  # the same numbers, for typing
    assert {int(tint) for grid in hidden.grids if grid.key.startswith(("input", "output")) for tint in grid.tints.flat} == {0}
    found: list[torch.Tensor] = []
    exec(scene.code, {"print": found.append})
    np.testing.assert_allclose(found[0].numpy(), expected, rtol=1e-12, atol=1e-14)
    for (grid, row, column), taps in scene.taps.items():
        key = scene.grids[grid].key
        values = [scene.grids[tap.grid].values[tap.row, tap.col] for tap in taps]
        if key == "mean":
            assert scene.grids[grid].values[row, column] == pytest.approx(np.mean(values))
        elif key == "variance":
            assert scene.grids[grid].values[row, column] == pytest.approx(np.var(values))
        else:
            value, mean, variance, scale, shift = values
            made = (value - mean) / np.sqrt(variance + EPS) * scale + shift
            assert scene.grids[grid].values[row, column] == pytest.approx(made)
    assert ("running" in scene.formula) == (evaluation and kind == "batch")
    assert any(scene.grids[grid].key == "mean" for grid, _row, _column in scene.taps) != (evaluation and kind == "batch")
    assert all("tints" in grid for grid in scene_data(scene)["grids"] if grid["key"][0] in "iomv")


def test_patterns_of_a_batch() -> None:
    plain, bright, loud = (batch_of_numbers((2, 3, 2, 2), name) for name in ("plain", "bright", "loud"))
    np.testing.assert_array_equal(bright - plain, np.broadcast_to(np.array([20.0, 0.0])[:, None, None, None], plain.shape))
    np.testing.assert_array_equal(loud[:, 2], 3 * plain[:, 2])
    assert plain.min() >= 0 and plain.max() <= 9
