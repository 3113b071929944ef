"""Max-unpooling against torch in float64: windows that overlap, stand edge to edge or leave gaps, with and without padding."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from segdemo.errors import SettingError
from segdemo.layerlab.pooling import Pooling, check_pooling, max_pool
from segdemo.layerlab.scene import Scene, scene_data
from segdemo.layerlab.sizes import transposed_size
from segdemo.layerlab.unpooling import max_unpool
from segdemo.layerlab.unpooling_scene import unpooling_scene

Array = np.ndarray
PAIRS = st.tuples(st.integers(1, 5), st.integers(1, 5))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Array, Pooling]:
    """Pictures with many equal numbers, and settings that work, also where the last windows do not reach the end."""
    kernel, stride = draw(PAIRS), draw(PAIRS)
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    shape = draw(st.tuples(st.integers(1, 14), st.integers(1, 14)))
    whole = draw(st.booleans())
    lot = np.random.default_rng(draw(st.integers(0, 99)))
    picture = lot.integers(-3, 4, shape).astype(float) if whole else lot.standard_normal(shape)
    windows = Pooling(kernel, stride, (padding[0], padding[1]))
    assume(all(n + 2 * p >= k for n, p, k in zip(shape, padding, kernel, strict=True)))
    try:
        check_pooling(shape, windows)
    except SettingError:
        assume(False)
    return picture, windows


def by_torch(picture: Array, windows: Pooling) -> tuple[Array, Array, Array]:
    """Maxima, flat switches and the unpooled picture by nn.MaxPool2d and nn.MaxUnpool2d."""
    moves = (windows.kernel, windows.stride, windows.padding)
    pooled, switches = torch.nn.MaxPool2d(*moves, return_indices=True)(torch.from_numpy(picture)[None, None])
    back = torch.nn.MaxUnpool2d(*moves)(pooled, switches, output_size=picture.shape)
    return pooled[0, 0].numpy(), switches[0, 0].numpy(), back[0, 0].numpy()


@settings(deadline=None)
@given(cases())
def test_there_and_back_is_that_of_torch(case: tuple[Array, Pooling]) -> None:
    picture, windows = case
    pooled, switches = max_pool(picture, windows)
    expected, flat, back = by_torch(picture, windows)
    assert np.array_equal(pooled, expected)
    assert np.array_equal(switches[..., 0] * picture.shape[1] + switches[..., 1], flat)
    assert np.array_equal(max_unpool(pooled, switches, picture.shape), back)


@settings(deadline=None, max_examples=40)
@given(cases())
def test_a_scene_has_torchs_numbers_and_says_who_writes_them(case: tuple[Array, Pooling]) -> None:
    picture, windows = case
    scene = unpooling_scene(picture, windows)
    _pooled, flat, back = by_torch(picture, windows)
    assert np.array_equal(scene.grids[2].values, back)
    marked = scene.grids[2].marked
    assert marked is not None and set(np.flatnonzero(marked)) == set(flat.ravel().tolist())
    for row, column in np.ndindex(back.shape):
        taps = scene.taps[2, row, column]
        assert len(taps) == int((flat == row * back.shape[1] + column).sum())
        assert all(scene.grids[1].values[tap.row, tap.col] == back[row, column] for tap in taps)
        assert f"of {len(taps)} windows" in scene.sums[2, row, column] or len(taps) < 2
    json.dumps(scene_data(scene), allow_nan=False)
    sizes = [int(line.rsplit("= ", 1)[1]) for line in scene.formula.split("\n")]
    assert sizes == list(picture.shape)[-len(sizes) :]
    assert_code(scene)


def assert_code(scene: Scene) -> None:
    printed: list[torch.Tensor] = []
    exec(scene.code, {"print": printed.append})
    assert printed[0].dtype == torch.float64
    assert np.array_equal(printed[0][0, 0].numpy(), scene.grids[2].values)


@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 4), st.integers(0, 2))
def test_the_size_of_the_way_back_is_torchs(size: int, kernel: int, stride: int, padding: int) -> None:
    assume(2 * padding <= kernel)
    side = transposed_size(size, kernel, stride, padding)
    assume(side > 0)
    maxima, places = torch.zeros(1, 1, size, size), torch.zeros(1, 1, size, size, dtype=torch.int64)
    assert F.max_unpool2d(maxima, places, kernel, stride, padding).shape[-2:] == (side, side)


def test_a_cell_that_wins_twice_is_written_once() -> None:
    picture = np.zeros((5, 5))
    picture[2, 2] = 7
    scene = unpooling_scene(picture, Pooling((3, 3), (2, 2)))
    assert scene.grids[1].values.tolist() == [[7, 7], [7, 7]]
    assert scene.grids[2].values.sum() == 7
    assert "the maximum of 4 windows, written once and not added" in scene.sums[2, 2, 2]


def test_a_switch_outside_is_refused() -> None:
    with pytest.raises(SettingError, match="outside"):
        max_unpool(np.ones((1, 1)), np.array([[[0, 3]]]), (2, 2))
