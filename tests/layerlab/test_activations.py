"""Activations, softmax and dropout against PyTorch in float64, their gradients against autograd."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from torch.nn import functional as F

from segdemo.layerlab.activations import ACTIVATIONS
from segdemo.layerlab.dropout import dropout, mean_of_draws
from segdemo.layerlab.dropout_scene import dropout_scene
from segdemo.layerlab.softmax import softmax, softmax_gradient
from segdemo.layerlab.softmax_scene import softmax_scene

pytestmark = pytest.mark.usefixtures("one_thread")
Float = NDArray[np.float64]
THEIRS = {
    "relu": lambda x, slope: F.relu(x), "leaky_relu": F.leaky_relu, "sigmoid": lambda x, slope: torch.sigmoid(x),
    "tanh": lambda x, slope: torch.tanh(x), "gelu": lambda x, slope: F.gelu(x),
}  # fmt: skip


@given(st.sampled_from(list(ACTIVATIONS)), arrays(np.float64, 8, elements=st.floats(-700, 700)), st.floats(0, 1))
@settings(deadline=None, max_examples=150)
def test_values_and_gradients_are_torchs(name: str, x: Float, slope: float) -> None:
    ours, point = ACTIVATIONS[name], torch.tensor(x, requires_grad=True)
    theirs = THEIRS[name](point, slope)
    theirs.sum().backward()
    assert point.grad is not None
    np.testing.assert_allclose(ours.value(x, slope), theirs.detach().numpy(), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(ours.gradient(x, slope), point.grad.numpy(), rtol=1e-9, atol=1e-13)


def test_at_zero_and_at_its_steepest() -> None:
    zero = np.zeros(1)
    assert ACTIVATIONS["relu"].gradient(zero, 0.3) == 0
    assert ACTIVATIONS["leaky_relu"].gradient(zero, 0.3) == 0.3
    assert ACTIVATIONS["sigmoid"].gradient(zero, 0) == 0.25
    assert ACTIVATIONS["tanh"].gradient(zero, 0) == 1


LOGITS = arrays(np.float64, st.integers(2, 5), elements=st.floats(-50, 50))
TEMPERATURES = st.floats(0.05, 20)


@given(LOGITS, TEMPERATURES)
@settings(deadline=None)
def test_softmax_and_its_gradient(logits: Float, temperature: float) -> None:
    def theirs(z: torch.Tensor) -> torch.Tensor:
        return torch.softmax(z / temperature, dim=0)

    z = torch.tensor(logits)
    np.testing.assert_allclose(softmax(logits, temperature), theirs(z).numpy(), rtol=1e-9, atol=1e-15)
    jacobian = torch.autograd.functional.jacobian(theirs, z)
    np.testing.assert_allclose(softmax_gradient(logits, temperature), jacobian.numpy(), rtol=1e-8, atol=1e-13)


def test_the_scene_of_softmax() -> None:
    logits = np.array([0.1, -0.7, 1 / 3])  # none of them the same in float32
    scene = softmax_scene(logits, 0.3)
    found: list[torch.Tensor] = []
    exec(scene.code, {"print": found.append})
    np.testing.assert_allclose(scene.grids[2].values[:, 0], found[0].numpy(), rtol=1e-12)
    np.testing.assert_allclose(scene.grids[3].values, found[1].numpy(), rtol=1e-12, atol=1e-15)
    assert len(scene.taps) == len(scene.sums) == 3 + 3 + 9
    powers = scene.grids[1].values[:, 0]
    for row in range(3):
        values = [scene.grids[tap.grid].values[tap.row, tap.col] for tap in scene.taps[2, row, 0]]
        assert values[0] / sum(values) == pytest.approx(scene.grids[2].values[row, 0])
    assert powers.max() == 1
    assert scene.sums[1, 0, 0].startswith("exp((0.1 − 0.333) / 0.3) = 0.459 · minus max z")
    assert scene.formula.startswith("p₀ = exp(0.1 / 0.3) / (exp(0.1 / 0.3) + exp((−0.7) / 0.3) + exp(0.333 / 0.3)) ≈ 0.308")
    np.testing.assert_array_equal(scene.grids[0].tints, scene.grids[2].tints)  # a class has one colour


@given(
    arrays(np.float64, (3, 5), elements=st.floats(-9, 9)),
    st.integers(0, 95).map(lambda p: p / 100),
    st.integers(0, 999),
    st.booleans(),
)
@settings(deadline=None)
def test_dropout_drops_the_cells_that_torch_drops(x: Float, p: float, seed: int, training: bool) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        theirs = F.dropout(torch.tensor(x), p, training)
    np.testing.assert_allclose(dropout(x, p, seed, training), theirs.numpy(), rtol=1e-12)


def test_many_draws_come_close_to_what_went_in() -> None:
    x = np.arange(1.0, 13).reshape(3, 4)
    few, many = (np.abs(mean_of_draws(x, 0.5, 0, n) / x - 1).max() for n in (5, 2000))
    assert many < 0.1 < few
    np.testing.assert_array_equal(mean_of_draws(x, 0.5, 4, 1), dropout(x, 0.5, 4))


@pytest.mark.parametrize("training", [True, False])
def test_the_scene_of_dropout(training: bool) -> None:
    x = np.arange(1.0, 13).reshape(3, 4) / 10 - 0.77  # no zero, and none the same in float32
    scene = dropout_scene(x, 0.4, 7, training, draws=20)
    found: list[torch.Tensor] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        theirs = F.dropout(torch.tensor(x), 0.4, training).numpy()
        exec(scene.code, {"print": found.append})
    np.testing.assert_allclose(scene.grids[2].values, theirs, rtol=1e-12)
    np.testing.assert_allclose(found[0].numpy(), theirs, rtol=1e-12)
    np.testing.assert_array_equal(scene.grids[1].values == 0, theirs == 0)
    assert (theirs == 0).any() == training
    hidden = dropout_scene(x, 0.4, 7, training, draws=20, told=False)
    np.testing.assert_array_equal(hidden.grids[1].values, theirs != 0)  # neither factors nor means
    assert [grid.key for grid in hidden.grids] == ["input", "factors", "output"]
    assert [grid.key for grid in scene.grids] == ["input", "factors", "output", *(["mean"] if training else [])]
