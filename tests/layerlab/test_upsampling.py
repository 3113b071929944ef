"""Up-sampling against torch in float64, over sizes, strides, paddings and dilations; every scene adds up."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from segdemo.errors import SettingError
from segdemo.layerlab.scene import scene_data
from segdemo.layerlab.transposed import (
    Transposed,
    bilinear_kernel,
    check_transposed,
    fcn_settings,
    scatter,
    stretched_convolution,
)
from segdemo.layerlab.transposed_scene import scatter_scene, stretch_scene
from segdemo.layerlab.upsampling import bilinear, linear_weights, nearest, pixel_shuffle
from segdemo.layerlab.upsampling_all_scene import everything_scene, picture_of_maxima
from segdemo.layerlab.upsampling_scene import bilinear_scene, channel_weights, nearest_scene, shuffle_scene

sides = st.integers(1, 9)


def pair(low, high):
    return st.tuples(st.integers(low, high), st.integers(low, high))


def picture(shape, seed):
    return np.random.default_rng(seed).standard_normal(shape)


def tensor(array):
    return torch.from_numpy(np.ascontiguousarray(array))[None]


@given(pair(1, 9), pair(1, 24), st.integers(0, 99))
def test_nearest_is_that_of_torch(shape, target, seed):
    image = picture(shape, seed)
    assert np.array_equal(nearest(image, target), F.interpolate(tensor(image[None]), target, mode="nearest")[0, 0].numpy())


@given(pair(1, 9), pair(1, 24), st.booleans(), st.integers(0, 99))
def test_bilinear_is_that_of_torch(shape, target, aligned, seed):
    image = picture(shape, seed)
    expected = F.interpolate(tensor(image[None]), target, mode="bilinear", align_corners=aligned)[0, 0].numpy()
    np.testing.assert_allclose(bilinear(image, target, aligned), expected, rtol=1e-11, atol=1e-11)


@given(st.integers(1, 40), st.integers(1, 80), st.booleans())
def test_bilinear_shares_are_shares(size, target, aligned):
    for place in range(target):
        weights = linear_weights(place, size, target, aligned)
        assert sum(share for _cell, share in weights) == pytest.approx(1, abs=1e-12)
        assert all(0 <= cell < size and 0 < share <= 1 for cell, share in weights)


@given(st.integers(1, 3), st.integers(1, 4), pair(1, 5), st.integers(0, 99))
def test_pixel_shuffle_is_that_of_torch(channels, factor, shape, seed):
    image = picture((channels * factor**2, *shape), seed)
    assert np.array_equal(pixel_shuffle(image, factor), F.pixel_shuffle(tensor(image), factor)[0].numpy())


def test_pixel_shuffle_needs_enough_channels():
    with pytest.raises(SettingError, match="multiple of 4"):
        pixel_shuffle(np.ones((3, 2, 2)), 2)


@given(pair(1, 5), pair(1, 5), pair(1, 4), pair(0, 5), pair(0, 3), pair(1, 3), pair(1, 3), st.integers(0, 99))
def test_both_transposed_convolutions_are_that_of_torch(shape, kernel, stride, padding, extra, dilation, channels, seed):
    image, weight = picture((channels[0], *shape), seed), picture((*channels, *kernel), seed + 1)
    moves = Transposed(stride, padding, extra, dilation)
    try:
        check_transposed(shape, kernel, moves)
    except SettingError:
        with pytest.raises(RuntimeError):
            F.conv_transpose2d(tensor(image), torch.from_numpy(weight), None, stride, padding, extra, 1, dilation)
        return
    expected = F.conv_transpose2d(tensor(image), torch.from_numpy(weight), None, stride, padding, extra, 1, dilation)[0].numpy()
    np.testing.assert_allclose(scatter(image, weight, moves), expected, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(stretched_convolution(image, weight, moves), expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_the_start_of_fcn_interpolates(factor):
    kernel, moves = fcn_settings(factor)
    image = np.arange(25.0).reshape(1, 5, 5)
    output = scatter(image, bilinear_kernel(kernel, factor)[None, None], moves)[0]
    assert output.shape == (5 * factor, 5 * factor)
    inner = slice(factor, -factor)
    np.testing.assert_allclose(output[inner, inner], bilinear(image[0], (5 * factor,) * 2)[inner, inner])


def adds_up(scene):
    for (number, row, column), taps in scene.taps.items():
        total = sum(scene.grids[tap.grid].values[tap.row, tap.col] * tap.weight for tap in taps)
        expected = scene.grids[number].values[row, column]
        np.testing.assert_allclose([total, sum(tap.product for tap in taps)], expected, rtol=1e-9, atol=1e-9)
        for tap in taps:
            if tap.weight_at:
                grid, *place = tap.weight_at
                assert scene.grids[grid].values[tuple(place)] == tap.weight
    data = scene_data(scene)
    json.dumps(data, allow_nan=False)
    assert set(scene.sums) == set(scene.taps)


maps = st.builds(
    lambda shape, seed: np.random.default_rng(seed).integers(-3, 9, shape).astype(float), pair(1, 4), st.integers(0, 99)
)


@settings(deadline=None, max_examples=30)
@given(maps, st.integers(2, 4), st.booleans())
def test_scenes_of_a_factor_add_up(image, factor, alike):
    weights = channel_weights(factor, alike)
    scenes = [nearest_scene(image, factor), bilinear_scene(image, factor),
              shuffle_scene(image, factor, weights), everything_scene(image, factor, alike)]  # fmt: skip
    for scene in scenes:
        adds_up(scene)
        assert scene.grids[scene.target].values.shape == (image.shape[0] * factor, image.shape[1] * factor)
        sizes = [line for line in scene.formula.split("\n") if line.startswith("Output")]
        assert sizes[0].endswith(f"{image.shape[0]}·{factor} = {image.shape[0] * factor}")
        assert sizes[-1].endswith(f"{image.shape[1]}·{factor} = {image.shape[1] * factor}")


@settings(deadline=None, max_examples=15)
@given(maps, st.integers(2, 4))
def test_all_methods_say_in_how_many_of_their_cells_a_cell_of_the_map_has_a_share(image, factor):
    scene = everything_scene(image, factor, True)
    for row, column in np.ndindex(image.shape):
        shares = [
            sum((tap.row, tap.col) == (row, column) for cell, taps in scene.taps.items() if cell[0] == grid for tap in taps)
            for grid in range(1, 7)
        ]
        expected = "nearest {} cells, bilinear {} and {}, unpooled {}, transposed {}, shuffled {}".format(*shares)
        assert scene.told[0, row, column].endswith(expected)
        assert shares[0] == shares[5] == factor**2 and shares[3] == 1
    sizes = [int(line.rsplit("= ", 1)[1]) for line in scene.formula.split("\n")]
    assert set(sizes) == {size * factor for size in image.shape}


def test_a_scattered_cell_says_the_multiple_of_the_kernel_that_it_adds():
    kernel = np.arange(1.0, 10).reshape(3, 3)
    told = scatter_scene(np.array([[3.0, -1], [0.5, 0]]), kernel, Transposed((2, 2))).told
    assert told[0, 0, 0] == "3 × kernel = 3 6 9 / 12 15 18 / 21 24 27, added to what is already there"
    assert told[0, 0, 1].startswith("(−1) × kernel = −1 −2 −3 / −4 −5 −6 / −7 −8 −9, added")
    assert told[0, 1, 0].startswith("0.5 × kernel = 0.5 1 1.5 / ")
    cut = scatter_scene(np.array([[3.0, -1], [0.5, 0]]), kernel, Transposed((2, 2), (1, 1))).told
    assert cut[0, 0, 0].endswith("there; 5 of 9 are cut off by padding")
    wide = scatter_scene(np.ones((2, 2)), np.arange(1.0, 26).reshape(5, 5), Transposed((2, 2))).told
    assert wide[0, 0, 0] == "1 × kernel = 1 2 3 4 5 / … / 21 22 23 24 25, added to what is already there"


@given(maps, st.integers(2, 4))
def test_a_picture_has_the_map_as_its_maxima(image, factor):
    wide = picture_of_maxima(image, factor)
    assert np.array_equal(F.max_pool2d(tensor(wide[None]), factor)[0, 0].numpy(), image)


@settings(deadline=None, max_examples=30)
@given(maps, pair(1, 4), pair(1, 3), pair(0, 3), pair(0, 2), pair(1, 2))
def test_transposed_scenes_add_up_and_are_torch(image, kernel, stride, padding, extra, dilation):
    weight, moves = picture(kernel, 7), Transposed(stride, padding, extra, dilation)
    try:
        check_transposed(image.shape, kernel, moves)
    except SettingError:
        with pytest.raises(SettingError):
            scatter_scene(image, weight, moves)
        return
    scattered, stretched = scatter_scene(image, weight, moves), stretch_scene(image, weight, moves)
    for scene in (scattered, stretched):
        adds_up(scene)
    expected = F.conv_transpose2d(
        tensor(image[None]), torch.from_numpy(weight)[None, None], None, stride, padding, extra, 1, dilation
    )[0, 0].numpy()
    np.testing.assert_allclose(stretched.grids[3].values, expected, rtol=1e-11, atol=1e-11)
    drawn = scattered.grids[2]
    np.testing.assert_allclose(drawn.values[~drawn.border], expected.ravel(), rtol=1e-11, atol=1e-11)
    assert f"= {expected.shape[0]}" in scattered.formula


@pytest.mark.parametrize("name", ["nearest", "bilinear", "shuffle", "all", "scatter", "stretch"])
def test_code_of_a_scene_gives_its_numbers(name):
    image = np.array([[1.0, 2, 0], [3, 5, 4], [2, 1, 0.5]])
    kernel, moves = picture((3, 2), 1), Transposed((2, 2), (1, 0), (1, 0))
    scene = {
        "nearest": lambda: nearest_scene(image, 2), "bilinear": lambda: bilinear_scene(image, 3),
        "shuffle": lambda: shuffle_scene(image, 2, channel_weights(2, False)),
        "all": lambda: everything_scene(image, 2, False), "scatter": lambda: scatter_scene(image, kernel, moves),
        "stretch": lambda: stretch_scene(image, kernel, moves),
    }[name]()  # fmt: skip
    printed = []
    exec(scene.code, {"print": printed.append})
    grids = {"bilinear": scene.grids[1:], "all": scene.grids[1:]}.get(name, scene.grids[-1:])
    if name == "scatter":
        grids = [scene.grids[2].values[~scene.grids[2].border].reshape(printed[0][0, 0].shape)]
    elif name == "stretch":
        grids = [scene.grids[3], scene.grids[3]]
    for grid, result in zip(grids, printed, strict=True):
        np.testing.assert_allclose(getattr(grid, "values", grid), result[0, 0].numpy(), rtol=1e-9, atol=1e-9)
