"""Mosaics: the file is exactly the palette at the right levels, every click finds its position, any shape fits the bounds."""

import io
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from segdemo.errors import SettingError
from segdemo.features.colour import GAP, MIDDLE, NOT_FINITE, STEPS, palette
from segdemo.features.mosaic import Mosaic, draw_mosaic, mosaic
from segdemo.features.mosaic_grid import plan_grid


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def indices_of(drawn: Mosaic) -> np.ndarray:
    with Image.open(io.BytesIO(drawn.png)) as file:
        assert file.mode == "P" and file.size == (drawn.width, drawn.height)
        return np.asarray(file)


def by_loops(maps: np.ndarray, drawn: Mosaic) -> np.ndarray:
    """The palette entries of a mosaic, position by position, in float64."""
    result = np.full((drawn.height, drawn.width), float(GAP))
    (tall, wide), (down, across) = drawn.enlarged, drawn.reduced
    for place, channel in enumerate(drawn.order):
        left = place % drawn.columns * (drawn.cell_width + drawn.gap)
        top = place // drawn.columns * (drawn.cell_height + drawn.gap)
        low, high = drawn.ranges[place] if drawn.scope == "map" else drawn.ranges[0]
        for i in range(drawn.cell_height):
            for j in range(drawn.cell_width):
                first, second = i // tall * down, j // wide * across
                mean = maps[channel, first : first + down, second : second + across].astype(float).mean()
                share = 0.5 if high == low else (mean - low) / (high - low)
                result[top + i, left + j] = min(max(share, 0), 1) * (STEPS - 1)
    return result


@pytest.mark.parametrize("scope", ["map", "stage", "all"])
@pytest.mark.parametrize(
    ("shape", "max_width"),
    [
        ((7, 5, 6), 1600),
        ((1, 1, 1), 1600),
        ((5, 13, 17), 20),
        ((6, 12, 16), 20),
        ((3, 1, 50), 20),
        ((3, 50, 1), 20),
        ((40, 2, 3), 200),
    ],
)
def test_a_mosaic_is_what_loops_would_draw(shape: tuple[int, int, int], max_width: int, scope: str) -> None:
    maps = noise(*shape)
    drawn = draw_mosaic(maps, scope=scope, all_range=(-5, 5), max_width=max_width)  # type: ignore[arg-type]
    found = indices_of(drawn)
    assert drawn.levels == STEPS
    assert np.abs(found - by_loops(maps.numpy(), drawn)).max() <= 0.51
    assert drawn.width <= max(max_width, 4)


def test_file_and_picture_show_the_same_and_gaps_are_transparent() -> None:
    maps = noise(5, 8, 8)
    drawn = draw_mosaic(maps)
    indices = indices_of(drawn)
    assert (mosaic(maps) == palette("diverging")[indices]).all()
    with Image.open(io.BytesIO(drawn.png)) as file:
        rgba = np.asarray(file.convert("RGBA"))
    assert ((rgba[..., 3] == 0) == (indices == GAP)).all() and (indices == GAP).any()
    assert set(np.unique(rgba[..., 3])) == {0, 255}
    assert (rgba[..., :3] == palette("diverging")[indices]).all()


def test_order_and_selection_move_cells_but_not_the_stage_range() -> None:
    maps = noise(6, 8, 8)
    everything, some = draw_mosaic(maps), draw_mosaic(maps, order=[4, 1])
    assert some.order == (4, 1) and some.ranges == everything.ranges
    left, top, right, bottom = some.box(1)
    found = indices_of(some)[top:bottom, left:right][:: some.enlarged[0], :: some.enlarged[1]]
    left, top, right, bottom = everything.box(1)
    assert (found == indices_of(everything)[top:bottom, left:right][:: everything.enlarged[0], :: everything.enlarged[1]]).all()


def test_ranges_say_what_the_colours_span() -> None:
    maps = torch.stack([torch.tensor([[0.0, 1.0]]), torch.tensor([[2.0, 4.0]])])
    assert draw_mosaic(maps, scope="map", order=[1, 0]).ranges == ((2, 4), (0, 1))
    assert draw_mosaic(maps, scope="map", order=[1, 0]).range_of(0) == (0, 1)
    stage = draw_mosaic(maps, scope="stage")
    assert stage.ranges == ((0, 4),) and stage.raw == (0, 4) and stage.kind == "sequential" and stage.range_of(1) == (0, 4)
    assert draw_mosaic(maps, scope="all", all_range=(0, 9)).ranges == ((0, 9),)
    signed = draw_mosaic(maps - 3)
    assert signed.ranges == ((-3, 3),) and signed.raw == (-3, 1) and signed.kind == "diverging"
    assert draw_mosaic(maps - 3, scope="map").ranges == ((-3, 3), (-1, 1))


def test_clipping_narrows_the_range_and_keeps_the_raw_one() -> None:
    maps = torch.rand(8, 40, 40, generator=torch.Generator().manual_seed(0))
    maps[0, 0, 0] = 100
    drawn = draw_mosaic(maps, clip=0.01)
    assert drawn.raw[1] == 100 and drawn.ranges[0][1] == pytest.approx(0.99, abs=0.01)
    assert draw_mosaic(maps, clip=0.01, scope="map").range_of(0)[1] < 1


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 40), st.integers(1, 70), st.integers(1, 70), st.integers(8, 400), st.floats(0.2, 5), st.data()
)  # fmt: skip
def test_a_click_finds_the_position_that_is_drawn_there(
    count: int, height: int, width: int, max_width: int, aspect: float, data: st.DataObject
) -> None:
    grid = plan_grid(count, (height, width), aspect, max_width)
    place = data.draw(st.integers(0, count - 1))
    row, column = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    x, y = grid.pixel(place, row, column)
    found = grid.at(x, y)
    assert found is not None and found[0] == place
    assert found[1] // grid.reduced[0] == row // grid.reduced[0] and found[2] // grid.reduced[1] == column // grid.reduced[1]
    if grid.reduced == (1, 1):
        assert found == (place, row, column) == grid.at(x + 0.9, y + 0.9)
    assert 0 <= found[1] < height and 0 <= found[2] < width


def test_clicks_beside_the_cells_find_nothing() -> None:
    drawn = draw_mosaic(noise(5, 8, 8), order=[3, 1, 0, 2, 4], max_width=100)
    assert drawn.locate(0, 0) == (3, 0, 0)
    assert drawn.columns * drawn.rows > 5  # the last place is empty
    assert drawn.locate(drawn.width - 1, drawn.height - 1) is None
    assert drawn.locate(drawn.cell_width, 0) is None
    for x, y in ((-1, 0), (0, -0.5), (drawn.width, 0), (0, drawn.height)):
        assert drawn.locate(x, y) is None
    left, top, right, bottom = drawn.box(4)
    assert drawn.locate(left, top) == (4, 0, 0) and drawn.locate(right - 1, bottom - 1) == (4, 7, 7)


@pytest.mark.parametrize(
    "shape",
    [(64, 256, 256), (256, 64, 64), (512, 32, 32), (1024, 32, 32), (1024, 64, 64), (256, 32, 32), (3000, 7, 9), (1, 1, 4096),
     (100, 1, 4096), (100, 4096, 1), (1024, 1, 1), (64, 301, 227), (1, 8, 8)],
)  # fmt: skip
@pytest.mark.parametrize("scope", ["stage", "map"])
def test_even_noise_fits_the_bounds(shape: tuple[int, int, int], scope: str) -> None:
    uniform = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    drawn = draw_mosaic(uniform, scope=scope)  # type: ignore[arg-type]
    assert len(drawn.png) <= 700_000
    assert drawn.width <= 1600 and min(drawn.cell_width, drawn.cell_height) >= 4
    assert drawn.columns * drawn.rows >= shape[0]
    assert np.isin(np.unique(indices_of(drawn)), [*range(STEPS), GAP]).all()


def test_fewer_steps_keep_zero_and_both_ends_and_are_told() -> None:
    maps = torch.rand(1024, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    maps[0] = torch.tensor([-1.0, 0.0, 1.0, 0.0]).repeat(256).reshape(32, 32)
    drawn = draw_mosaic(maps)
    used = np.unique(indices_of(drawn))
    assert drawn.levels < STEPS and len(used) == drawn.levels + 1  # and the gap
    assert {0, MIDDLE, STEPS - 1} <= set(used.tolist())


def test_the_shape_is_near_the_one_asked_for() -> None:
    for aspect in (1.0, 2.4):
        drawn = draw_mosaic(noise(128, 16, 16), aspect=aspect)
        assert drawn.width / drawn.height == pytest.approx(aspect, rel=0.35)
    assert draw_mosaic(noise(24, 30, 38)).columns * draw_mosaic(noise(24, 30, 38)).rows == 24


def test_constant_dead_and_broken_maps_are_drawn() -> None:
    maps = torch.zeros(4, 6, 6)
    assert set(np.unique(indices_of(draw_mosaic(maps)))) == {0, GAP}
    maps[1], maps[2, 2, 2], maps[3] = 5, math.nan, math.inf
    for scope in ("map", "stage"):
        drawn = draw_mosaic(maps, scope=scope)  # type: ignore[arg-type]
        indices = indices_of(drawn)
        assert drawn.raw == (0, 5)
        left, top, right, bottom = drawn.box(3)
        assert (indices[top:bottom, left:right] == NOT_FINITE).all()
        x, y = drawn.pixel(2, 2, 2)
        assert indices[y, x] == NOT_FINITE
        x, y = drawn.pixel(2, 0, 0)
        assert indices[y, x] == 0


def test_a_batch_of_one_other_types_and_other_layouts_are_read_alike() -> None:
    maps = noise(6, 9, 7)
    expected = draw_mosaic(maps).png
    assert draw_mosaic(maps[None]).png == expected
    assert draw_mosaic(maps[None].to(memory_format=torch.channels_last).requires_grad_()).png == expected
    assert draw_mosaic(maps.double()).png == expected


@pytest.mark.parametrize("shape", [(2, 3, 4, 4), (4, 4), (4,), (0, 3, 3), (3, 0, 3)])
def test_other_shapes_get_a_sentence(shape: tuple[int, ...]) -> None:
    with pytest.raises(SettingError, match="channels, rows and columns"):
        mosaic(torch.zeros(shape))


@pytest.mark.parametrize(
    ("settings_", "words"),
    [({"order": []}, "at least one"), ({"order": [0, 0]}, "once"), ({"order": [3]}, "0 to 2"), ({"order": [-1]}, "0 to 2"),
     ({"scope": "all"}, "all stages"), ({"scope": "all", "all_range": (1, 0)}, "all stages"),
     ({"scope": "all", "all_range": (math.nan, 0)}, "all stages"), ({"aspect": 0}, "positive"), ({"clip": 0.6}, "share")],
)  # fmt: skip
def test_settings_that_make_no_mosaic_get_a_sentence(settings_: dict[str, object], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        draw_mosaic(torch.zeros(3, 2, 2), **settings_)  # type: ignore[arg-type]
