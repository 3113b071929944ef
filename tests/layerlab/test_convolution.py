"""Convolution by readable loops against PyTorch, over the whole range of settings; and the scene that is drawn of it."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from segdemo.data.samples import get_sample, list_samples
from segdemo.errors import SettingError
from segdemo.layerlab.convolution import (
    MODES,
    MOST_TAPS,
    Arithmetic,
    border_source,
    check,
    convolve,
    inputs_of,
    largest_padding,
    pad,
    tap_count,
)  # fmt: skip
from segdemo.layerlab.convolution_scene import convolution_scene
from segdemo.layerlab.patches import (
    KERNELS,
    NUMBERS,
    busiest_place,
    edge_kernel,
    number_grid,
    patch_of,
    place_square,
    plain_kernel,
)
from segdemo.layerlab.scene import Scene, scene_data
from segdemo.layerlab.sizes import convolved_size, extent

Array = NDArray[np.float64]
Case = tuple[Array, Array, Array | None, Arithmetic]
EXACT = {"rtol": 1e-12, "atol": 1e-12}


@st.composite
def cases(draw: st.DrawFn, axes: int | None = None) -> Case:
    """An input, weights, a bias and settings that work together."""
    axes = draw(st.integers(1, 3)) if axes is None else axes
    small = 4 if axes == 3 else 7
    sizes = draw(st.lists(st.integers(1, small), min_size=axes, max_size=axes))
    mode = draw(st.sampled_from(MODES))
    groups, channels_of_group, filters_of_group = (draw(st.integers(1, 3 if axes < 3 else 2)) for _number in range(3))
    paddings, kernels, dilations, strides = [], [], [], []
    for size in sizes:
        limit = largest_padding(size, mode)
        padding = draw(st.integers(0, 3 if limit is None else min(3, limit)))
        kernel = draw(st.integers(1, min(4, size + 2 * padding)))
        most = 3 if kernel == 1 else (size + 2 * padding - 1) // (kernel - 1)
        paddings.append(padding)
        kernels.append(kernel)
        dilations.append(draw(st.integers(1, min(3, most))))
        strides.append(draw(st.integers(1, 3)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    image = rng.normal(size=(groups * channels_of_group, *sizes))
    weight = rng.normal(size=(groups * filters_of_group, channels_of_group, *kernels))
    bias = rng.normal(size=len(weight)) if draw(st.booleans()) else None
    found = Arithmetic(tuple(strides), tuple(paddings), tuple(dilations), groups, mode, draw(st.booleans()))
    return image, weight, bias, found


def torch_padded(image: Array, how: Arithmetic) -> torch.Tensor:
    sides = [p for amount in reversed(how.padding) for p in (amount, amount)]
    return F.pad(torch.from_numpy(image)[None], sides, mode="constant" if how.mode == "zeros" else how.mode)


def torch_convolved(image: Array, weight: Array, bias: Array | None, how: Arithmetic) -> Array:
    axes = image.ndim - 1
    turned = torch.from_numpy(weight)
    turned = turned.flip(tuple(range(2, 2 + axes))) if how.flipped else turned
    convolved = (F.conv1d, F.conv2d, F.conv3d)[axes - 1](
        torch_padded(image, how),
        turned,
        None if bias is None else torch.from_numpy(bias),
        how.stride,
        0,
        how.dilation,
        how.groups,
    )
    return convolved[0].numpy()


@given(cases())
@settings(max_examples=400, deadline=None)
def test_as_pytorch_over_the_whole_range_of_settings(case: Case) -> None:
    image, weight, _bias, how = case
    np.testing.assert_array_equal(pad(image, how.padding, how.mode), torch_padded(image, how)[0].numpy())
    ours = convolve(*case)
    np.testing.assert_allclose(ours, torch_convolved(*case), **EXACT)
    moves = zip(image.shape[1:], weight.shape[2:], how.stride, how.padding, how.dilation, strict=True)
    assert ours.shape == (len(weight), *(convolved_size(*move) for move in moves))


@given(st.integers(1, 9), st.integers(0, 9), st.sampled_from(MODES))
def test_a_border_cell_has_the_value_of_its_source(size: int, padding: int, mode: str) -> None:
    limit = largest_padding(size, mode)
    if limit is not None and padding > limit:
        with pytest.raises(SettingError):
            check((1, size), (1, 1, 1), Arithmetic((1,), (padding,), (1,), mode=mode))
        with pytest.raises(RuntimeError):
            F.pad(torch.zeros(1, 1, size), (padding, padding), mode=mode)
        return
    source = border_source(size, padding, mode)
    values = np.arange(1.0, size + 1)
    expected = F.pad(torch.from_numpy(values)[None, None], (padding, padding), mode="constant" if mode == "zeros" else mode)
    np.testing.assert_array_equal(np.where(source < 0, 0, values[source]), expected[0, 0].numpy())


@given(cases())
@settings(max_examples=30, deadline=None)
def test_every_sum_of_the_scene_adds_up(case: Case) -> None:
    """The taps of each output cell: input times weight is the product, and the products and the bias are the cell."""
    image, weight, bias, how = case
    scene = convolution_scene(*case)
    outputs = [grid for grid in scene.grids if grid.key.startswith("output")]
    np.testing.assert_allclose(
        np.concatenate([grid.values.ravel() for grid in outputs]), torch_convolved(image, weight, bias, how).ravel(), **EXACT
    )
    assert len(scene.taps) == sum(grid.values.size for grid in outputs)
    assert tap_count(image.shape, weight.shape, how) == sum(map(len, scene.taps.values()))
    for (grid, row, column), taps in scene.taps.items():
        total = 0.0 if bias is None else bias[(grid - scene.target) * len(weight) // len(outputs)]
        for tap in taps:
            at = scene.grids[tap.weight_at[0]].values[tap.weight_at[1:]]
            assert (tap.weight, tap.product) == (at, scene.grids[tap.grid].values[tap.row, tap.col] * at)
            total += tap.product
        assert total == pytest.approx(scene.grids[grid].values[row, column], abs=1e-9)


@given(cases())
@settings(max_examples=30, deadline=None)
def test_the_drawn_border_points_to_where_its_values_come_from(case: Case) -> None:
    scene = convolution_scene(*case)
    depth = case[0].shape[1] + 2 * case[3].padding[0] if case[0].ndim == 4 else 1
    for index, grid in enumerate(scene.grids[: len(case[0]) * depth]):
        for row, column in zip(*np.nonzero(grid.border), strict=True):
            *other, r, c = grid.source[row, column]
            origin = scene.grids[other[0] if other and r >= 0 else index]
            assert grid.values[row, column] == (0 if r < 0 else origin.values[r, c])
            if r >= 0:
                assert not origin.border[r, c]


@given(cases())
@settings(max_examples=30, deadline=None)
def test_the_code_gives_the_drawn_numbers(case: Case) -> None:
    scene = convolution_scene(*case)
    exec(scene.code.replace("print(", "result = ("), space := {})
    np.testing.assert_allclose(space["result"][0].numpy(), torch_convolved(*case), **EXACT)


@pytest.mark.parametrize(("image", "weight", "how"), [
    ((1, 9, 9), (1, 1, 7, 7), Arithmetic((1, 1), (4, 4), (1, 1))),
    ((2, 9, 9), (2, 2, 7, 7), Arithmetic((1, 1), (3, 3), (1, 1))),
    ((2, 4, 4, 4), (2, 2, 3, 3, 3), Arithmetic((1, 1, 1), (1, 1, 1), (1, 1, 1), groups=1)),
])  # fmt: skip
def test_the_largest_scenes_are_small_enough_to_be_sent(image: tuple[int, ...], weight: tuple[int, ...], how: Arithmetic) -> None:
    count = tap_count(image, weight, how)
    assert MOST_TAPS / 5 < count <= MOST_TAPS
    lot = np.random.default_rng(0)
    data = scene_data(
        convolution_scene(lot.integers(0, 4, image).astype(float), lot.integers(-1, 2, weight).astype(float), None, how)
    )
    assert len(data["at"]) == len(data["by"]) == count
    assert len(json.dumps(data, separators=(",", ":"))) < 1_000_000


def test_taps_are_counted_before_any_is_made() -> None:
    assert tap_count((1, 10**6, 10**6), (1, 1, 1, 1), Arithmetic((1, 1), (0, 0), (1, 1))) == 10**12
    assert tap_count((1, 2, 2), (1, 1, 3, 3), Arithmetic((1, 1), (0, 0), (1, 1))) == 0


def test_the_formula_is_filled_in_for_each_axis() -> None:
    assert one("zeros").formula == "Output size: ⌊(input 5 + 2·padding 1 − kernel 3) / stride 1⌋ + 1 = 5"
    how = Arithmetic((2, 1), (1, 0), (1, 2))
    lines = convolution_scene(np.zeros((1, 5, 5)), np.zeros((1, 1, 3, 2)), None, how).formula.splitlines()
    assert lines == [
        "Output height: ⌊(input 5 + 2·padding 1 − kernel 3) / stride 2⌋ + 1 = 3",
        "Output width: ⌊(input 5 + 2·padding 0 − dilation 2·(kernel 2 − 1) − 1) / stride 1⌋ + 1 = 3",
    ]


@pytest.mark.parametrize(("channels", "filters", "axes"), [(2, 1, 3), (2, 2, 3), (4, 4, 2), (1, 4, 2), (1, 1, 3)])
def test_short_titles_still_tell_the_grids_of_a_role_apart(channels: int, filters: int, axes: int) -> None:
    shape = (3,) * axes
    how = Arithmetic((1,) * axes, (1,) * axes, (1,) * axes)
    grids = convolution_scene(np.zeros((channels, *shape)), np.zeros((filters, channels, *shape)), None, how).grids
    for role in ("input", "kernel", "output"):
        titles = [grid.short or grid.title for grid in grids if grid.key.startswith(role)]
        assert len(set(titles)) == len(titles)
        assert len(titles) == 1 or max(map(len, titles)) <= 16
    assert next(grid.short for grid in grids if grid.key == f"input{channels - 1}_0") == {
        (2, 3): "c1 · slice 0", (4, 2): "c3", (1, 2): "", (1, 3): "slice 0"
    }[channels, axes]  # fmt: skip


def one(mode: str) -> Scene:
    return convolution_scene(np.ones((1, 5, 5)), np.ones((1, 1, 3, 3)), None, Arithmetic((1, 1), (1, 1), (1, 1), mode=mode))


def test_the_order_of_a_sum_and_depthwise_channels() -> None:
    how = Arithmetic((2,), (0,), (3,), groups=2)
    sources = list(inputs_of((1, 1), (2, 1, 2), how))
    assert [(s.at, s.weight) for s in sources] == [((1, 2), (1, 0, 0)), ((1, 5), (1, 0, 1))]
    flipped = list(inputs_of((0, 0), (1, 1, 2), Arithmetic((1,), (0,), (1,), flipped=True)))
    assert [(s.at, s.weight) for s in flipped] == [((0, 0), (0, 0, 1)), ((0, 1), (0, 0, 0))]
    assert extent(3, 2) == 5


@pytest.mark.parametrize(
    ("image", "weight", "how", "says"),
    [
        ((3, 5), (2, 1, 3), Arithmetic((1,), (0,), (1,), groups=2), "2 groups do not divide 3 input channels"),
        ((4, 5), (2, 1, 3), Arithmetic((1,), (0,), (1,), groups=2), "each of the 2 channels"),
        ((1, 5), (1, 1, 3), Arithmetic((1,), (5,), (1,), mode="reflect"), "by at most 4"),
        ((1, 5), (1, 1, 3), Arithmetic((1,), (0,), (3,)), "spans 7 cells does not fit into 5"),
    ],
)
def test_what_cannot_work_gets_a_sentence(image: tuple[int, ...], weight: tuple[int, ...], how: Arithmetic, says: str) -> None:
    with pytest.raises(SettingError, match=says):
        convolve(np.zeros(image), np.zeros(weight), None, how)


def test_a_blurred_picture_is_drawn_as_a_picture_and_edges_as_signs() -> None:
    def drawn(kernel: Array) -> str:
        how = Arithmetic((1, 1), (0, 0), (1, 1))
        return convolution_scene(np.ones((1, 4, 4)), kernel[None, None], None, how, picture=True).grids[-1].kind

    known = {name: drawn(kernel.values) for name, kernel in KERNELS.items()}
    assert {name for name, kind in known.items() if kind == "signed"} == {"sobel_x", "sobel_y", "edge"}
    assert drawn(np.full((3, 3), 0.1111)) == "picture", "typed with four decimals"
    assert {drawn(np.full((3, 3), typed)) for typed in (0.2, 0.08, 1.0)} == {"signed"}, "brighter or darker than the picture"


# ---- what it is shown on ------------------------------------------------------------------------------------------------------


def test_known_kernels_do_what_their_words_say() -> None:
    flat, ramp = np.full((1, 5, 5), 0.5), np.tile(np.arange(5.0), (5, 1))[None]
    how = Arithmetic((1, 1), (0, 0), (1, 1))

    def seen(name: str, image: Array) -> Array:
        return convolve(image, KERNELS[name].values[None, None], None, how)[0]

    for name in ("identity", "box", "gauss", "sharpen", "emboss"):
        np.testing.assert_allclose(seen(name, flat), 0.5)
    for name in ("sobel_x", "sobel_y", "edge"):
        np.testing.assert_allclose(seen(name, flat), 0)
    assert (seen("sobel_x", ramp) > 0).all()
    np.testing.assert_allclose(seen("sobel_y", ramp), 0)
    assert (seen("sobel_y", ramp.swapaxes(1, 2)) > 0).all()


@pytest.mark.parametrize("pattern", NUMBERS)
@pytest.mark.parametrize("shape", [(3, 5, 5), (2, 9), (2, 3, 3, 3)])
def test_channels_differ_and_numbers_are_whole(pattern: str, shape: tuple[int, ...]) -> None:
    grid = number_grid(pattern, shape)
    assert grid.shape == shape
    assert (grid == grid.round()).all()
    assert not np.array_equal(grid[0], grid[1])


@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_the_usual_kernel_finds_vertical_edges_and_the_next_horizontal_ones(length: int) -> None:
    weight = edge_kernel((4, 2, length, length))
    ramp = np.tile(np.arange(7.0), (7, 1))
    how = Arithmetic((1, 1), (0, 0), (1, 1))
    first, second = (convolve(image[None], weight[:2, :1], None, how) for image in (ramp, ramp.T))
    if length > 1:
        assert (first[0] == length * (length - 1)).all() and (first[1] == 0).all()
        assert (second[1] == length * (length - 1)).all() and (second[0] == 0).all()
    assert set(np.unique(weight)) <= {-1.0, 0.0, 1.0} and weight[:2, 0].any(axis=(1, 2)).all()
    np.testing.assert_array_equal(edge_kernel((1, 1, 3)), [[[-1, 0, 1]]])
    assert edge_kernel((2, 2, 3, 3, 3)).shape == (2, 2, 3, 3, 3)


def test_a_square_is_where_the_patch_is_cut() -> None:
    assert place_square((100, 60), 20, 0.5, 1) == (40, 40, 20)
    assert place_square((10, 60), 20, 0.5, 1) == (0, 50, 10)


def test_weights_of_filters_differ() -> None:
    weight = plain_kernel((3, 2, 3, 3))
    assert set(np.unique(weight)) <= {-1.0, 0.0, 1.0}
    assert not np.array_equal(weight[0], weight[1])
    np.testing.assert_array_equal(weight, plain_kernel((3, 2, 3, 3)))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 60), st.floats(0, 1), st.floats(0, 1), st.integers(1, 8))
@settings(max_examples=30, deadline=None)
def test_a_patch_keeps_the_mean_of_its_square(height: int, width: int, side: int, top: float, left: float, shown: int) -> None:
    pixels = np.random.default_rng(height * 41 + width).integers(0, 256, (height, width, 3)).astype(np.uint8)
    patch = patch_of(pixels, side, top, left, shown, grey=False)
    side = min(side, height, width)
    y, x = round(top * (height - side)), round(left * (width - side))
    assert patch.shape == (3, shown, shown)
    np.testing.assert_allclose(patch.mean(axis=(1, 2)), pixels[y : y + side, x : x + side].mean(axis=(0, 1)) / 255)


def test_grey_is_luma_and_the_busiest_place_is_found() -> None:
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255
    np.testing.assert_allclose(patch_of(red, 4, 0, 0, 2, grey=True), 0.299)
    flat = np.zeros((100, 60, 3), np.uint8)
    flat[70:80, 40:50] = 255
    down, right = busiest_place(flat, 20)
    y, x = round(down / 100 * 80), round(right / 100 * 40)
    assert flat[y : y + 20, x : x + 20].sum() == flat.sum()
    assert busiest_place(np.zeros((5, 7, 3), np.uint8), 16) == (0, 0)


def test_samples_give_patches() -> None:
    from segdemo.data import open_picture

    sample = get_sample(list_samples()[0].key)
    patch = patch_of(open_picture(sample.load()[0], sample.title).pixels, 64, 0.5, 0.5, 16, grey=True)
    assert patch.shape == (1, 16, 16)
    assert patch.std() > 0
