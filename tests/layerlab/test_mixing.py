"""1×1 convolution, counts of blocks and the residual block, against PyTorch in float64 and against its own modules."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from segdemo.errors import SettingError
from segdemo.layerlab.block_counts import BLOCKS, block_at, code_of
from segdemo.layerlab.mixing import COLOUR_MIXES, as_columns, mix, mixing_weights
from segdemo.layerlab.mixing_scene import mixing_scene
from segdemo.layerlab.residual import branch_gradient, chain_gradients, residual, residual_gradient
from segdemo.layerlab.residual_scene import residual_scene
from segdemo.layerlab.scene import Scene, scene_data

pytestmark = pytest.mark.usefixtures("one_thread")
Float = NDArray[np.float64]
SIZES = st.integers(1, 5)


def floats(*shape: int) -> st.SearchStrategy[Float]:
    return arrays(np.float64, shape, elements=st.floats(-9, 9))


@st.composite
def mixtures(draw: st.DrawFn) -> tuple[Float, Float, Float | None]:
    channels, filters, height, width = (draw(SIZES) for _axis in range(4))
    bias = draw(st.none() | floats(filters))
    return draw(floats(channels, height, width)), draw(floats(filters, channels)), bias


def near(ours: Float, theirs: torch.Tensor) -> None:
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-10, atol=1e-10)


@given(mixtures())
def test_mixing_is_torchs_convolution_and_a_product_of_matrices(case: tuple[Float, Float, Float | None]) -> None:
    image, weight, bias = case
    theirs = F.conv2d(
        torch.tensor(image)[None], torch.tensor(weight)[:, :, None, None], None if bias is None else torch.tensor(bias)
    )
    ours = mix(image, weight, bias)
    near(ours, theirs[0])
    by_matrices = weight @ as_columns(image) + (0 if bias is None else bias[:, None])
    np.testing.assert_allclose(as_columns(ours), by_matrices, atol=1e-10)


def test_channels_that_do_not_match_are_refused_with_both_numbers() -> None:
    with pytest.raises(SettingError, match="mix 3 channels, but the input has 2"):
        mix(np.zeros((2, 1, 1)), np.zeros((1, 3)))


def adds_up(scene: Scene, outputs: str, biases: Float | None = None) -> None:
    """Every cell of the grids named so is the sum of its products, and the products are input times weight."""
    for (grid, row, column), taps in scene.taps.items():
        if not scene.grids[grid].key.startswith(outputs):
            continue
        for tap in taps:
            assert tap.weight_at is not None and tap.weight is not None
            place, kernel_row, kernel_column = tap.weight_at
            assert scene.grids[place].values[kernel_row, kernel_column] == tap.weight
            assert tap.product == pytest.approx(scene.grids[tap.grid].values[tap.row, tap.col] * tap.weight)
        total = sum(tap.product or 0 for tap in taps) + (0 if biases is None else biases[row])
        assert scene.grids[grid].values[row, column] == pytest.approx(total, abs=1e-9)


@given(mixtures())
@settings(max_examples=30)
def test_both_scenes_show_the_same_numbers(case: tuple[Float, Float, Float | None]) -> None:
    image, weight, bias = case
    maps, matrix = mixing_scene(image, weight, bias), mixing_scene(image, weight, bias, seen="matrix")
    drawn = np.stack([grid.values for grid in maps.grids if grid.key.startswith("output")])
    np.testing.assert_array_equal(drawn, mix(image, weight, bias))
    np.testing.assert_array_equal(as_columns(drawn), matrix.grids[matrix.target].values)
    assert len(maps.taps) == len(matrix.taps) == drawn.size
    adds_up(matrix, "output", bias)
    if bias is None:
        adds_up(maps, "output")
    assert len(scene_data(maps)["cells"]) == drawn.size


def printed(code: str) -> list[torch.Tensor]:
    """What the code of a scene prints."""
    found: list[torch.Tensor] = []
    exec(code, {"print": found.append})
    return found


def test_the_code_beside_the_scene_gives_its_numbers() -> None:
    image, weight, bias = np.arange(12.0).reshape(3, 2, 2) / 10, mixing_weights(2, 3) * 0.7, np.array([0.1, -0.7])
    both = printed(mixing_scene(image, weight, bias).code)
    assert len(both) == 2
    for theirs in both:
        np.testing.assert_allclose(mix(image, weight, bias), theirs[0].numpy(), rtol=1e-12, atol=1e-15)


def test_known_mixes_of_colours_are_what_they_say() -> None:
    grey = mix(np.ones((3, 1, 1)), np.array(COLOUR_MIXES["grey"].rows))
    assert grey.item() == pytest.approx(1)
    assert not mix(np.full((3, 2, 2), 0.7), np.array(COLOUR_MIXES["opponents"].rows)).any()


# ---- counts -----------------------------------------------------------------------------------------------------------------


@given(st.sampled_from(BLOCKS), st.integers(1, 24))
@settings(max_examples=40, deadline=None)
def test_weights_are_those_of_torchs_modules(name: str, channels: int) -> None:
    block = block_at(name, channels)
    module = eval(code_of(block), {"nn": nn})
    assert block.weights == sum(parameter.numel() for parameter in module.parameters())
    square = {"one5": 25, "two3": 18, "plain": 18, "bottleneck": 17, "plain_wide": 288}[name]
    assert block.weights == square * channels**2


@given(st.sampled_from(BLOCKS), st.integers(1, 24))
@settings(max_examples=30, deadline=None)
def test_with_biases_there_are_as_many_more_as_torchs_modules_have(name: str, channels: int) -> None:
    block = block_at(name, channels)
    module = eval(code_of(block).replace("bias=False", "bias=True"), {"nn": nn})
    assert block.weights + block.biases == sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("name", BLOCKS)
def test_multiply_adds_and_field_are_those_of_a_run(name: str) -> None:
    block = block_at(name, 3)
    module = eval(code_of(block), {"nn": nn}).double()
    for parameter in module.parameters():
        nn.init.ones_(parameter)
    image = torch.zeros(1, block.layers[0].inputs, 9, 9, dtype=torch.float64, requires_grad=True)
    out = module(image)
    assert out.shape == (1, block.layers[-1].outputs, 9, 9)
    assert block.macs(9, 9) == sum(layer.weight.numel() * 81 for layer in module)
    out[0, 0, 4, 4].backward()
    assert image.grad is not None
    assert int((image.grad[0, 0].sum(0) != 0).sum()) == block.field


def test_the_papers_blocks_cost_about_the_same() -> None:
    assert block_at("plain", 64).weights == 73_728
    assert block_at("bottleneck", 64).weights == 69_632
    assert [layer.outputs for layer in block_at("bottleneck", 64).layers] == [64, 64, 256]


# ---- residual ---------------------------------------------------------------------------------------------------------------


@st.composite
def maps_and_kernels(draw: st.DrawFn) -> tuple[Float, Float]:
    return draw(floats(draw(SIZES), draw(SIZES))), draw(floats(3, 3))


def torch_block(x: torch.Tensor, kernel: Float) -> torch.Tensor:
    return x + F.conv2d(x[None, None], torch.tensor(kernel)[None, None], padding=1)[0, 0]


@given(maps_and_kernels())
@settings(max_examples=30, deadline=None)
def test_a_residual_block_forwards_and_backwards(case: tuple[Float, Float]) -> None:
    x, kernel = case
    near(residual(x, kernel), torch_block(torch.tensor(x), kernel))
    start = torch.zeros(x.shape, dtype=torch.float64, requires_grad=True)
    torch_block(start, kernel).backward(torch.tensor(x))
    assert start.grad is not None
    near(residual_gradient(x, kernel), start.grad)


def test_without_weights_the_block_is_the_identity_and_the_gradient_passes_whole() -> None:
    x = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(residual(x, np.zeros((3, 3))), x)
    np.testing.assert_array_equal(residual_gradient(x, np.zeros((3, 3))), x)
    assert not branch_gradient(x, np.zeros((3, 3))).any()


@given(st.floats(-1.5, 1.5), st.integers(1, 30))
@settings(deadline=None)
def test_gradients_of_chains_are_autograds(slope: float, depth: int) -> None:
    ours = chain_gradients(slope, depth)
    for line, identity in zip(ours, (0.0, 1.0), strict=True):
        first = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
        last = first
        for _layer in range(depth):
            last = identity * last + slope * last
        last.backward()
        assert first.grad is not None
        assert line[-1] == pytest.approx(abs(float(first.grad)), rel=1e-9, abs=1e-300)
        assert line[0] == 1 and len(line) == depth + 1


@pytest.mark.parametrize("backward", [False, True])
def test_the_scene_of_a_residual_block(backward: bool) -> None:
    x, kernel = np.arange(12.0).reshape(3, 4) / 10, (np.arange(9.0).reshape(3, 3) - 4) * 0.7
    scene = residual_scene(x, kernel, backward=backward)
    expected = residual_gradient(x, kernel) if backward else residual(x, kernel)
    np.testing.assert_allclose(scene.grids[scene.target].values, expected, rtol=1e-12)
    theirs = np.squeeze(printed(scene.code)[0].detach().numpy())
    np.testing.assert_allclose(theirs, expected, rtol=1e-12, atol=1e-14)
    adds_up(scene, "branch")
    for row, column in np.ndindex(x.shape):
        around, added = scene.taps[scene.target, row, column]
        total = sum(scene.grids[tap.grid].values[tap.row, tap.col] for tap in (around, added))
        assert expected[row, column] == pytest.approx(total)
