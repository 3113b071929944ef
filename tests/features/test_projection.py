"""Principal components against numpy's singular values, colours, and the turn that brings two stages together."""

import math

import cv2
import numpy as np
import pytest
import torch

from segdemo.errors import SettingError
from segdemo.features.projection import DEVIATIONS, Basis, aligned, fit_basis, project, to_rgb


def maps_of(channels: int, height: int, width: int, seed: int = 0) -> torch.Tensor:
    """Maps with a few strong directions and noise."""
    generator = torch.Generator().manual_seed(seed)
    strong = torch.randn(channels, 4, generator=generator) * torch.tensor([8.0, 5.0, 3.0, 1.0])
    places = strong @ torch.randn(4, height * width, generator=generator)
    return (places + 0.3 * torch.randn(channels, height * width, generator=generator) + 2).reshape(channels, height, width)


def by_svd(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(components, shares, deviations) of samples (C, n) by the singular values of the centred matrix."""
    centred = samples - samples.mean(1, keepdims=True)
    left, values, _right = np.linalg.svd(centred, full_matrices=False)
    components = left.T[:3]
    largest = np.take_along_axis(components, np.abs(components).argmax(1)[:, None], 1)
    return components * np.sign(largest), (values**2 / (values**2).sum())[:3], (values / math.sqrt(samples.shape[1]))[:3]


@pytest.mark.parametrize("shape", [(5, 9, 8), (40, 12, 12), (3, 1, 9), (200, 6, 7), (600, 60, 60)])
def test_components_are_those_of_the_singular_value_decomposition(shape: tuple[int, int, int]) -> None:
    """More channels than positions, fewer, and so many that float32 has to do."""
    maps = maps_of(*shape)
    basis = fit_basis([maps])
    components, shares, deviations = by_svd(maps.flatten(1).double().numpy())
    assert basis.components == pytest.approx(components, abs=2e-4)
    assert basis.explained == pytest.approx(shares, rel=1e-4)
    assert basis.scale == pytest.approx(deviations, rel=1e-4)
    assert basis.mean == pytest.approx(maps.flatten(1).double().mean(1).numpy(), abs=1e-4)
    scores = project(maps[None], basis)
    assert scores.dtype == np.float32 and scores.shape == (3, *shape[1:])
    centred = maps.flatten(1).double().numpy() - basis.mean[:, None]
    assert scores.reshape(3, -1) == pytest.approx(basis.components @ centred, abs=1e-2)
    assert scores.reshape(3, -1).std(1) == pytest.approx(basis.scale, rel=1e-3)


def test_several_pictures_share_one_basis() -> None:
    first, second = maps_of(12, 9, 9), maps_of(12, 4, 7, seed=1)
    basis = fit_basis([first, second])
    components, shares, _ = by_svd(torch.cat([first.flatten(1), second.flatten(1)], 1).double().numpy())
    assert basis.components == pytest.approx(components, abs=1e-5)
    assert basis.explained == pytest.approx(shares)


def test_beyond_the_bound_an_even_choice_of_positions_is_close() -> None:
    maps = maps_of(1100, 64, 64)
    basis = fit_basis([maps])
    components, shares, _ = by_svd(maps.flatten(1)[:, ::7].double().numpy())
    assert np.abs((basis.components * components).sum(1)).min() > 0.98
    assert basis.explained == pytest.approx(shares, abs=0.03)
    assert (fit_basis([maps]).components == basis.components).all()


def test_signs_do_not_depend_on_the_signs_of_the_maps() -> None:
    maps = maps_of(10, 8, 8)
    assert fit_basis([-maps]).components == pytest.approx(fit_basis([maps]).components, abs=1e-9)


@pytest.mark.parametrize("channels", [1, 2])
def test_fewer_channels_than_components_leave_zeros(channels: int) -> None:
    maps = maps_of(channels, 6, 6)
    basis = fit_basis([maps])
    assert basis.components.shape == (3, channels) and (basis.components[channels:] == 0).all()
    assert basis.explained.sum() == pytest.approx(1) and (basis.scale[channels:] == 0).all()
    rgb = to_rgb(project(maps, basis), basis)
    assert len(np.unique(rgb.reshape(-1, 3), axis=0)) > 10
    if channels == 1:
        assert (np.ptp(rgb.astype(int), axis=2) <= 2).all()  # one component: greys


@pytest.mark.parametrize("shape", [(5, 4, 4), (5, 1, 1), (1, 1, 1), (1000, 40, 40)])
@pytest.mark.parametrize("value", [0.0, 1e-3, 3.7])
def test_flat_maps_are_grey(shape: tuple[int, int, int], value: float) -> None:
    maps = torch.full(shape, value)
    basis = fit_basis([maps])
    assert np.isfinite(basis.components).all() and (basis.explained <= 1).all()
    rgb = to_rgb(project(maps, basis), basis)
    assert (rgb == rgb[0, 0]).all() and np.ptp(rgb[0, 0].astype(int)) <= 2 and 110 < rgb[0, 0, 0] < 170


def test_lightness_follows_the_first_component_and_hues_the_others() -> None:
    basis = Basis(np.zeros(3), np.eye(3), np.array([0.5, 0.3, 0.2]), np.array([2.0, 1.0, 0.5]))
    steps = np.linspace(-0.5, 0.5, 11, dtype=np.float32)
    for component in range(3):
        scores = np.zeros((3, 1, 11), np.float32)
        scores[component, 0] = steps * DEVIATIONS * basis.scale[component]
        lab = cv2.cvtColor(to_rgb(scores, basis).astype(np.float32) / 255, cv2.COLOR_RGB2Lab)[0]
        assert (np.diff(lab[:, component]) > 0).all()
        for other in {0, 1, 2} - {component}:
            assert np.ptp(lab[:, other]) < 4


def test_what_is_no_number_is_left_out_and_has_its_own_colour() -> None:
    maps = maps_of(6, 8, 8)
    broken = maps.clone()
    broken[2, 0, 0], broken[4, 3, 3] = math.nan, math.inf
    kept = [place for place in range(64) if place not in (0, 27)]
    components, _, _ = by_svd(maps.flatten(1)[:, kept].double().numpy())
    basis = fit_basis([broken])
    assert basis.components == pytest.approx(components, abs=1e-5)
    rgb = to_rgb(project(broken, basis), basis)
    assert (rgb[0, 0] == rgb[3, 3]).all() and (rgb == rgb[0, 0]).all(-1).sum() == 2
    nothing = fit_basis([torch.full((4, 3, 3), math.nan)])
    assert (nothing.scale == 0).all()


def test_maps_that_do_not_go_together_get_a_sentence() -> None:
    with pytest.raises(SettingError, match="same number of channels"):
        fit_basis([torch.zeros(3, 2, 2), torch.zeros(4, 2, 2)])
    with pytest.raises(SettingError, match="at least one stage"):
        fit_basis([])
    with pytest.raises(SettingError, match="of 3 channels, the stage has 4"):
        project(torch.zeros(4, 2, 2), fit_basis([maps_of(3, 4, 4)]))


def smooth(size: int, seed: int = 0) -> np.ndarray:
    """Scores (3, size, size) that vary slowly, with the deviations 4, 2 and 1 and no correlation."""
    coarse = np.random.default_rng(seed).normal(size=(5, 5, 3))
    flat = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC).reshape(-1, 3)
    flat = np.linalg.qr(flat - flat.mean(0))[0] * math.sqrt(size * size)
    return (flat * [4, 2, 1]).T.reshape(3, size, size).astype(np.float32)


def test_turned_mirrored_and_scaled_scores_come_back_to_the_reference() -> None:
    reference = smooth(24)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    units = reference / np.array([4, 2, 1])[:, None, None]
    turned = np.tensordot(turn, units, 1).astype(np.float32) * 7
    assert aligned(turned, reference) == pytest.approx(reference, abs=1e-3)
    assert aligned(reference, reference) == pytest.approx(reference, abs=1e-3)


@pytest.mark.parametrize("size", [12, 48])
def test_another_size_comes_close_to_the_reference(size: int) -> None:
    reference = smooth(24)
    other = np.stack([cv2.resize(plane, (size, size), interpolation=cv2.INTER_AREA) for plane in reference])[[2, 0, 1]]
    found = aligned(-other, reference)
    expected = np.stack([cv2.resize(plane, (size, size), interpolation=cv2.INTER_AREA) for plane in reference])
    for plane, wanted in zip(found, expected, strict=True):
        assert np.corrcoef(plane.ravel(), wanted.ravel())[0, 1] > 0.97


def test_alignment_is_the_best_of_all_turns() -> None:
    source, reference = smooth(16, seed=3), smooth(16, seed=4)
    deviations = reference.reshape(3, -1).std(1)[:, None]

    def distance(scores: np.ndarray) -> float:
        return float(np.square((scores.reshape(3, -1) - reference.reshape(3, -1)) / deviations).sum())

    best = distance(aligned(source, reference))
    units = source.reshape(3, -1) / source.reshape(3, -1).std(1)[:, None]
    generator = np.random.default_rng(0)
    for _ in range(200):
        turn = np.linalg.qr(generator.normal(size=(3, 3)))[0]
        assert distance(turn @ units * deviations) >= best - 1e-6


def test_alignment_of_flat_scores_and_gaps_does_not_break() -> None:
    reference = smooth(8)
    flat = aligned(np.zeros((3, 4, 4), np.float32), reference)
    assert np.isfinite(flat).all() and np.ptp(flat) == pytest.approx(0, abs=1e-5)
    gaps = smooth(8, seed=2)
    gaps[:, 0, 0] = np.nan
    found = aligned(gaps, reference)
    assert np.isnan(found[:, 0, 0]).all() and np.isfinite(found[:, 1:]).all()
    assert np.isfinite(aligned(reference, np.full((3, 2, 2), np.nan, np.float32))).all()
