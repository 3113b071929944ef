"""Colours follow the values: scales that colour-blind people can read, exact zero, no crash on what is no number."""

import math

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segdemo.errors import SettingError
from segdemo.features.colour import (
    GAP,
    MIDDLE,
    NOT_FINITE,
    SIGN_TOLERANCE,
    STEPS,
    coloured,
    kind_of,
    palette,
    to_levels,
    value_range,
)

# Machado, Oliveira and Fernandes (2009): how colours of linear light look without one kind of cone.
DEUTERANOPIA = np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]])
PROTANOPIA = np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]])


def lab(rgb: np.ndarray) -> np.ndarray:
    return cv2.cvtColor((rgb[None] / 255).astype(np.float32), cv2.COLOR_RGB2Lab)[0]


def seen(rgb: np.ndarray, sight: np.ndarray) -> np.ndarray:
    linear = (rgb / 255) ** 2.2 @ sight.T
    return np.clip(linear, 0, 1) ** (1 / 2.2) * 255


def test_the_diverging_scale_is_near_white_at_zero_and_falls_evenly_to_both_sides() -> None:
    lightness = lab(palette("diverging"))[:STEPS, 0]
    assert lightness[MIDDLE] > 95
    steps = np.diff(lightness)
    assert (steps[:MIDDLE] > 0).all() and (steps[MIDDLE:] < 0).all()
    assert np.abs(lightness - lightness[::-1]).max() < 1
    assert np.abs(np.abs(steps) - np.abs(steps).mean()).max() < 0.6


def test_the_sequential_scale_grows_lighter_evenly() -> None:
    steps = np.diff(lab(palette("sequential"))[:STEPS, 0])
    assert (steps > -0.2).all()
    assert abs(steps[:126].sum() - steps[126:].sum()) < 10


@pytest.mark.parametrize("sight", [np.eye(3), DEUTERANOPIA, PROTANOPIA])
def test_the_two_signs_look_different_to_everyone(sight: np.ndarray) -> None:
    scale = lab(seen(palette("diverging")[:STEPS].astype(float), sight))
    apart = np.linalg.norm(scale[:100] - scale[::-1][:100], axis=1)
    assert apart.min() > 20


def test_colours_with_a_meaning_stand_apart_from_both_scales() -> None:
    for kind in ("diverging", "sequential"):
        colours = lab(palette(kind).astype(float))
        assert np.linalg.norm(colours[:STEPS] - colours[NOT_FINITE], axis=1).min() > 40
        assert palette(kind).shape == (256, 3) and not palette(kind).flags.writeable


def test_a_sign_decides_the_kind_and_rounding_does_not() -> None:
    assert kind_of(torch.tensor([[0.0, 3.0]])) == "sequential"
    assert kind_of(torch.zeros(2, 2)) == "sequential"
    assert kind_of(torch.tensor([[-0.5 * SIGN_TOLERANCE, 1.0]])) == "sequential"
    assert kind_of(torch.tensor([[-2 * SIGN_TOLERANCE, 1.0]])) == "diverging"
    assert kind_of(torch.tensor([[-3.0, -1.0]])) == "diverging"
    assert kind_of(torch.tensor([[-math.inf, math.nan, 1.0]])) == "sequential"
    assert kind_of([torch.ones(2), -torch.ones(3, 3)]) == "diverging"


def test_ranges_are_the_raw_extremes_or_symmetric() -> None:
    maps = [torch.tensor([[-1.0, 4.0]]), torch.tensor([[[-6.0, math.nan, math.inf]]])]
    assert value_range(maps, "sequential") == (-6, 4)
    assert value_range(maps, "diverging") == (-6, 6)
    assert value_range([], "sequential") == (0, 0)
    assert value_range([torch.tensor([math.nan])], "diverging") == (0, 0)


def test_clipping_leaves_out_a_share_of_the_values_but_never_all_of_them() -> None:
    values = torch.arange(1000.0)
    assert value_range([values], "sequential", clip=0.1) == pytest.approx(np.quantile(values.numpy(), [0.1, 0.9]))
    lonely = torch.zeros(1000)
    lonely[7] = 5
    assert value_range([lonely], "sequential", clip=0.01) == (0, 5)
    with pytest.raises(SettingError, match="share"):
        value_range([values], "sequential", clip=0.5)


@settings(deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=30),
    st.floats(-1e3, 1e3, width=32),
    st.floats(0.125, 1e3, width=32),
)
def test_levels_are_even_steps_between_the_ends(values: list[float], low: float, span: float) -> None:
    levels = to_levels(torch.tensor([values]), low, low + span)
    exact = np.clip((np.array(values, dtype=np.float32).astype(float) - low) / span, 0, 1) * (STEPS - 1)
    assert np.abs(levels[0] - exact).max() <= 0.51


def test_zero_is_the_middle_and_both_ends_are_reached() -> None:
    assert to_levels(torch.tensor([[-2.0, 0.0, 2.0]]), -2, 2, "diverging").tolist() == [[0, MIDDLE, STEPS - 1]]


@pytest.mark.parametrize(
    ("value", "kind", "level"),
    [(0, "sequential", 0), (0, "diverging", MIDDLE), (3.5, "sequential", MIDDLE), (1e-42, "sequential", MIDDLE)],
)
def test_a_constant_divides_by_nothing(value: float, kind: str, level: int) -> None:
    levels = to_levels(torch.full((2, 3), value), value, value, kind)  # type: ignore[arg-type]
    assert (levels == level).all()


@pytest.mark.parametrize("low, high", [(-3e38, 3e38), (0.0, 1e-40), (1000.0, 1000.001)])
def test_extreme_ranges_stay_on_the_scale(low: float, high: float) -> None:
    levels = to_levels(torch.tensor([[low, high]]), low, high)
    assert levels[0, 0] == 0 and levels.max() < STEPS


def test_what_is_no_number_has_its_own_colour() -> None:
    values = torch.tensor([[math.nan, math.inf, -math.inf, 1.0]])
    assert to_levels(values, 0, 1).tolist() == [[NOT_FINITE] * 3 + [STEPS - 1]]
    assert (coloured(values, 0, 1, "sequential")[0, :3] == palette("sequential")[NOT_FINITE]).all()


def test_the_gap_has_an_entry_of_its_own() -> None:
    assert GAP != NOT_FINITE and GAP >= STEPS and NOT_FINITE >= STEPS
