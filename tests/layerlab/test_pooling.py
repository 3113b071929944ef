"""Pooling against torch in float64, over every setting that torch takes; scenes whose taps add up to their cells."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import settings as options
from hypothesis import strategies as st

from segdemo.errors import SettingError
from segdemo.layerlab.pooling import Pooling, average_pool, max_pool, windows
from segdemo.layerlab.pooling_layer import Shrinking, moved, shrunk
from segdemo.layerlab.pooling_scene import pooling_scene, shift_scene
from segdemo.layerlab.scene import scene_data
from segdemo.layerlab.sizes import pooled_size, transposed_size
from segdemo.layerlab.unpooling import max_unpool


def tensor(image):
    return torch.from_numpy(np.ascontiguousarray(image))[None, None]


@st.composite
def cases(draw, dilated=True):
    """A picture and windows, whether or not they go together."""
    pair = lambda low, high: st.tuples(st.integers(low, high), st.integers(low, high))  # noqa: E731
    shape, kernel, stride, padding = draw(pair(1, 9)), draw(pair(1, 5)), draw(pair(1, 4)), draw(pair(0, 3))
    dilation = draw(pair(1, 3)) if dilated else (1, 1)
    settings = Pooling(kernel, stride, padding, dilation, draw(st.booleans()), draw(st.booleans()))
    lot = np.random.default_rng(draw(st.integers(0, 9999)))
    image = lot.integers(-3, 4, shape).astype(float) if draw(st.booleans()) else lot.standard_normal(shape)
    return image, settings


def torch_max(image, s):
    return F.max_pool2d(tensor(image), s.kernel, s.stride, s.padding, s.dilation, s.ceil_mode, return_indices=True)


@given(cases())
def test_maximum_and_its_places_are_those_of_torch(case):
    image, settings = case
    try:
        output, winners = max_pool(image, settings)
    except SettingError:
        assume(False)
    expected, indices = torch_max(image, settings)
    assert np.array_equal(output, expected[0, 0].numpy())
    assert np.array_equal(winners[..., 0] * image.shape[1] + winners[..., 1], indices[0, 0].numpy())


@given(cases())
def test_what_is_refused_is_refused_by_torch_or_sees_only_padding(case):
    image, settings = case
    try:
        max_pool(image, settings)
    except SettingError as error:
        try:
            expected, _indices = torch_max(image, settings)
        except RuntimeError:
            return
        assert "nothing but padding" in str(error)
        assert torch.isinf(expected).any()


@given(cases(dilated=False))
def test_average_is_that_of_torch(case):
    image, s = case
    try:
        output = average_pool(image, s)
    except SettingError:
        with pytest.raises(RuntimeError):
            F.avg_pool2d(tensor(image), s.kernel, s.stride, s.padding, s.ceil_mode, s.count_include_pad)
        return
    expected = F.avg_pool2d(tensor(image), s.kernel, s.stride, s.padding, s.ceil_mode, s.count_include_pad)
    np.testing.assert_allclose(output, expected[0, 0].numpy(), rtol=1e-12, atol=1e-12)


@given(cases())
def test_global_average_and_sizes(case):
    image, s = case
    whole = Pooling(kernel=image.shape, stride=(1, 1))
    expected = F.adaptive_avg_pool2d(tensor(image), 1)[0, 0].numpy()
    np.testing.assert_allclose(average_pool(image, whole), expected, rtol=1e-12, atol=1e-12)
    for axis, size in enumerate(image.shape):
        each = (size, s.kernel[axis], s.stride[axis], s.padding[axis], s.dilation[axis], s.ceil_mode)
        assert len(windows(size, s, axis)) == max(0, pooled_size(*each))


@options(deadline=None, max_examples=30)
@given(cases(), st.sampled_from(["max", "average", "global", "strided"]), st.booleans())
def test_every_tap_of_a_scene_adds_up_to_its_cell(case, kind, picture):
    image, settings = case
    weight = np.arange(float(np.prod(settings.kernel))).reshape(settings.kernel) - 2 if kind == "strided" else None
    layer = Shrinking(kind, settings, weight)
    try:
        output = shrunk(image, layer)
    except SettingError:
        assume(False)
    scene = pooling_scene(image, layer, picture=picture)
    assert np.array_equal(scene.grids[scene.target].values, output)
    for row, column in np.ndindex(output.shape):
        taps = scene.taps[scene.target, row, column]
        values = [scene.grids[tap.grid].values[tap.row, tap.col] for tap in taps]
        if kind == "max":
            assert np.nanmax(values) == output[row, column]
        else:
            total = sum(value * tap.weight for value, tap in zip(values, taps, strict=True) if tap.weight)
            np.testing.assert_allclose([total, sum(tap.product for tap in taps)], output[row, column], rtol=1e-9, atol=1e-9)
    for start, end in scene.links:
        assert scene.grids[start[0]].values[start[1:]] == scene.grids[end[0]].values[end[1:]]
        assert scene.grids[start[0]].marked[start[1:]]
    json.dumps(scene_data(scene), allow_nan=False)
    size = output.shape[0]
    assert f"= {size}" in scene.formula or f"→ {size}" in scene.formula


def test_windows_that_stick_out_are_drawn_and_not_counted():
    image = np.arange(25.0).reshape(5, 5)
    scene = pooling_scene(image, Shrinking("average", Pooling((2, 2), (2, 2), ceil_mode=True)))
    assert scene.grids[0].values.shape == (6, 6)
    assert np.isnan(scene.grids[0].values[5]).all()
    last = scene.taps[1, 2, 2]
    assert [tap.weight for tap in last] == [1.0, 0.0, 0.0, 0.0]
    assert scene.sums[1, 2, 2] == "(24) / 1 = 24"
    assert "⌈" in scene.formula


@pytest.mark.parametrize("kind", ["max", "average", "global", "strided"])
def test_code_of_a_scene_gives_its_numbers(kind):
    image = np.random.default_rng(0).standard_normal((5, 6))
    layer = Shrinking(
        kind, Pooling((3, 2), (2, 1), (1, 0), ceil_mode=kind == "max"), np.ones((3, 2)) if kind == "strided" else None
    )
    scene = pooling_scene(image, layer)
    found = {}
    exec(scene.code.replace("print(", "found['y'] = ("), {"found": found})
    result = found["y"][0] if kind == "max" else found["y"]
    np.testing.assert_allclose(scene.grids[1].values, result[0, 0].numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", ["max", "average", "strided"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_moving_by_the_stride_moves_the_output_by_a_cell(kind, stride):
    wide = np.random.default_rng(1).standard_normal((7, 11))
    layer = Shrinking(kind, Pooling((3, 3), (stride, stride)), np.ones((3, 3)) * np.arange(3) if kind == "strided" else None)
    before, after = moved(wide, stride, 4)
    np.testing.assert_allclose(shrunk(after, layer)[:, 1:], shrunk(before, layer)[:, :-1])


def test_shift_scene_marks_what_changed():
    wide = np.random.default_rng(2).integers(0, 3, (6, 10)).astype(float)
    layer = Shrinking("max", Pooling((2, 2), (2, 2)))
    scene = shift_scene(wide, layer, 1, 4)
    before, after = (torch_max(picture, layer.settings)[0][0, 0].numpy() for picture in (wide[:, 4:], wide[:, 3:-1]))
    assert np.array_equal(scene.grids[3].marked, before != after)
    assert f"{(before != after).sum()} of 9" in scene.grids[3].title
    assert not scene.grids[1].marked.any()
    still = shift_scene(wide, layer, 0, 4)
    assert not still.grids[3].marked.any()


@given(cases())
def test_unpooling_is_that_of_torch(case):
    image, s = case
    s = Pooling(s.kernel, s.kernel, (0, 0))  # windows that do not overlap; torch leaves open which of two values stays
    try:
        pooled, switches = max_pool(image, s)
    except SettingError:
        assume(False)
    values = np.random.default_rng(3).standard_normal(pooled.shape)  # a decoder puts back other values than the maxima
    _expected, indices = torch_max(image, s)
    result = F.max_unpool2d(tensor(values), indices, s.kernel, s.kernel, (0, 0), output_size=image.shape)
    assert np.array_equal(max_unpool(values, switches, image.shape), result[0, 0].numpy())
    usual = tuple(transposed_size(n, k, k) for n, k in zip(pooled.shape, s.kernel, strict=True))
    if (switches < np.array(usual)).all():
        assert np.array_equal(max_unpool(values, switches, usual), _usual(values, switches, image, usual, s.kernel))


def _usual(values, switches, image, usual, kernel):
    flat = torch.from_numpy(switches[..., 0] * usual[1] + switches[..., 1])[None, None]
    return F.max_unpool2d(tensor(values), flat, kernel)[0, 0].numpy()


def test_a_switch_outside_is_refused():
    with pytest.raises(SettingError, match="outside"):
        max_unpool(np.ones((1, 1)), np.array([[[2, 0]]]), (2, 2))


def test_an_average_has_no_dilation():
    with pytest.raises(SettingError, match="dilation"):
        average_pool(np.ones((5, 5)), Pooling((2, 2), (1, 1), dilation=(2, 2)))
