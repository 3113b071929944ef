"""Coverage counts against transposed and dilated convolutions of ones by torch; the facts that the view tells."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from segdemo.layerlab.coverage import dilated_counts, inner_counts, is_even, landings, transposed_counts, unseen_share
from segdemo.layerlab.coverage_scene import checkerboard_scene, gridding_scene, layers_scene
from segdemo.layerlab.scene import scene_data


def torch_coverage(size, kernel, stride, padding):
    ones = torch.ones(1, 1, size, size, dtype=torch.float64)
    weight = torch.ones(1, 1, kernel, kernel, dtype=torch.float64)
    return F.conv_transpose2d(ones, weight, None, stride, padding)[0, 0].numpy()


def torch_ways(rates, kernel):
    """How often each input reaches one output: the gradient of a stack of convolutions with ones."""
    size = 1 + sum(rate * (kernel - 1) for rate in rates)
    image = torch.ones(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    weight = torch.ones(1, 1, kernel, kernel, dtype=torch.float64)
    output = image
    for rate in rates:
        output = F.conv2d(output, weight, dilation=rate)
    assert output.numel() == 1
    output.sum().backward()
    return image.grad[0, 0].numpy()


@given(st.integers(1, 8), st.integers(1, 7), st.integers(1, 5), st.integers(0, 3))
def test_coverage_of_a_transposed_convolution_is_that_of_torch(size, kernel, stride, padding):
    assume((size - 1) * stride - 2 * padding + kernel > 0)
    counts = transposed_counts(size, kernel, stride, padding)
    assert np.array_equal(np.outer(counts, counts), torch_coverage(size, kernel, stride, padding))
    assert np.array_equal(landings(size, kernel, stride, padding).sum(axis=0), counts)


@given(st.integers(1, 7), st.integers(1, 5))
def test_the_inner_pattern_repeats_away_from_the_border(kernel, stride):
    margin = kernel - 1
    counts = transposed_counts(2 * kernel + 4 * stride, kernel, stride)
    inner = counts[margin : len(counts) - margin]
    pattern = inner_counts(kernel, stride)
    assert all(count == pattern[(margin + place) % stride] for place, count in enumerate(inner))
    assert is_even(kernel, stride) == (len(set(inner.tolist())) == 1)


@given(st.integers(1, 12), st.integers(1, 6))
def test_even_where_the_stride_divides_the_kernel(kernel, stride):
    assert is_even(kernel, stride) == (kernel % stride == 0)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.sampled_from([2, 3, 5]))
def test_ways_through_dilated_convolutions_are_the_gradient(rates, kernel):
    assume(1 + sum(rate * (kernel - 1) for rate in rates) <= 45)
    counts, expected = dilated_counts(rates, kernel), torch_ways(rates, kernel)
    assert np.array_equal(np.outer(counts, counts), expected)
    assert unseen_share(rates, kernel) == pytest.approx(np.mean(expected == 0), abs=1e-12)


def test_the_stacks_that_are_compared():
    assert [len(dilated_counts(rates)) for rates in ((1, 2, 4), (2, 2, 2), (1, 2, 5))] == [15, 13, 17]
    assert unseen_share((1, 2, 4)) == 0
    assert unseen_share((1, 2, 5)) == 0
    assert unseen_share((2, 2, 2)) == pytest.approx(1 - 49 / 169)


def adds_up(scene):
    for (number, row, column), taps in scene.taps.items():
        total = sum(scene.grids[tap.grid].values[tap.row, tap.col] * tap.weight for tap in taps)
        assert total == sum(tap.product for tap in taps) == scene.grids[number].values[row, column]
    assert set(scene.sums) == set(scene.taps)
    json.dumps(scene_data(scene), allow_nan=False)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 4), st.integers(0, 2))
def test_checkerboard_scenes_add_up(size, kernel, stride, padding):
    assume((size - 1) * stride - 2 * padding + kernel > 0)
    scene = checkerboard_scene(size, kernel, stride, padding)
    adds_up(scene)
    assert np.array_equal(scene.grids[2].values, torch_coverage(size, kernel, stride, padding))
    assert scene.formula.endswith(f"= {scene.grids[2].values.shape[0]}")


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_gridding_scenes_add_up(first, second):
    against, layered = gridding_scene([first, second]), layers_scene(first)
    for scene in (against, layered):
        adds_up(scene)
    assert np.array_equal(against.grids[1].values, torch_ways(first, 3))
    assert np.array_equal(against.grids[3].values, torch_ways(second, 3))
    assert np.array_equal(layered.grids[-1].values, torch_ways(first, 3))


def test_code_of_a_scene_gives_its_numbers():
    for scene in (checkerboard_scene(4, 3, 2, 1), layers_scene((1, 2, 3)), gridding_scene([(2, 2), (1, 2)])):
        printed = []
        exec(scene.code, {"print": printed.append})
        assert np.array_equal(printed[0][0, 0].numpy(), scene.grids[scene.target].values)
