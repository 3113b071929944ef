"""Sweeps: their points are single measurements, and they rise where they must."""

import numpy as np
import pytest

from segdemo.errors import SettingError
from segdemo.losses import LOSSES
from segdemo.losslab.damage import Damage, spoil, to_logits
from segdemo.losslab.gradients import Knobs, gradient_of, settings_of, value_of
from segdemo.losslab.sweeps import (
    DIAMETERS,
    SHARES,
    SIDE,
    amounts_of,
    missing,
    normalised,
    sweep_damage,
    sweep_imbalance,
    sweep_size,
    swept_fields,
)
from segdemo.losslab.truths import disc, scene

pytestmark = pytest.mark.usefixtures("one_thread")
FEW = ("bce", "focal", "dice", "iou", "tversky", "lovasz")


@pytest.mark.parametrize("field", swept_fields())
def test_every_point_is_a_measurement_of_its_own(field: str) -> None:
    truth, base = scene("nuclei-stained"), Damage(dx=2, right=0.95)
    sweep = sweep_damage(truth, base, field, ["bce", "dice"], Knobs())
    place = len(sweep.amounts) // 2
    settings = vars(base) | {field: type(getattr(base, field))(sweep.amounts[place])}
    now = Damage(**settings)
    logits = to_logits(spoil(truth, now), truth, now)
    for name, curve in sweep.curves.items():
        assert len(curve) == len(sweep.amounts) == len(sweep.dice)
        assert curve[place] == value_of(name, logits, truth, settings_of(name, Knobs()))


@pytest.mark.parametrize(("field", "names"), [
    ("dx", FEW), ("dy", FEW), ("salt", ("bce", "focal", "dice", "iou", "tversky")), ("drop", FEW), ("add", FEW),
])  # fmt: skip
def test_more_damage_costs_more(field: str, names: tuple[str, ...]) -> None:
    truth = scene("disc") if field in ("dx", "dy") else scene("nuclei-fluorescence")
    for name, curve in sweep_damage(truth, Damage(wrong=0.99), field, names, Knobs()).curves.items():
        assert (np.diff(curve) > -1e-6).all(), (field, name, curve)
        assert curve[-1] > curve[0]


def test_growing_costs_more_in_both_directions() -> None:
    truth = scene("disc")
    sweep = sweep_damage(truth, Damage(), "grow", FEW, Knobs())
    middle = int(np.flatnonzero(sweep.amounts == 0)[0])
    for curve in sweep.curves.values():
        assert (np.diff(curve[: middle + 1]) < 0).all() and (np.diff(curve[middle:]) > 0).all()


def test_dropping_goes_from_none_to_all() -> None:
    truth = scene("nuclei-stained")
    amounts = amounts_of("drop", truth)
    assert amounts[0] == 0 and amounts[-1] == 36
    assert amounts_of("drop", scene("empty")).tolist() == [0]
    dice = sweep_damage(truth, Damage(), "drop", ["dice"], Knobs()).dice
    assert dice[0] == 1 and dice[-1] == 0 and (np.diff(dice) < 0).all()


def test_objects_of_all_sizes_and_their_gradients() -> None:
    damage = Damage(grow=-1, drop=5, add=3, right=0.999)
    sweep = sweep_size(damage, ["bce", "dice"], Knobs(), "gradient")
    assert sweep.amounts.tolist() == list(DIAMETERS)
    shown = Damage(grow=-1, right=0.999)
    for place in (2, -1):
        truth = disc(SIDE, DIAMETERS[place])
        logits = to_logits(spoil(truth, shown), truth, shown)
        assert sweep.curves["dice"][place] == np.abs(gradient_of("dice", logits, truth, settings_of("dice", Knobs()))).max()


@pytest.mark.parametrize("missed", [0.0, 0.3, 1.0])
def test_the_rarer_the_class_the_less_cross_entropy_minds(missed: float) -> None:
    sweep = sweep_imbalance(missed, Damage(), ["bce", "focal", "dice"], Knobs())
    for share, dice in zip(SHARES, sweep.dice, strict=True):
        truth = disc(SIDE, 2 * np.sqrt(share * SIDE[0] * SIDE[1] / np.pi))
        assert truth.mean() == pytest.approx(share, rel=0.35)
        expected = 2 * (1 - missed) / (2 - missed)  # Dice: nothing is found that is not there
        assert dice == pytest.approx(expected, abs=0.04)
    if missed:
        assert (np.diff(sweep.curves["bce"]) < 0).all() and (np.diff(sweep.curves["focal"]) < 0).all()
        assert (np.diff(sweep.curves["dice"]) > -1e-3).all(), "the haze of small probabilities drowns a small object"


def test_exactly_the_share_is_missed() -> None:
    truth = disc((40, 40), 20)
    for share in (0, 0.25, 1):
        found = missing(truth, share)
        assert found.sum() == truth.sum() - round(share * truth.sum())
        assert not (found & ~truth).any()
    left, right = np.argwhere(truth & ~missing(truth, 0.25))[:, 1], np.argwhere(missing(truth, 0.25))[:, 1]
    assert left.max() <= right.min()


def test_normalised_lies_between_best_and_worst() -> None:
    assert normalised(np.array([3.0, 5.0, 4.0])).tolist() == [0, 1, 0.5]
    assert normalised(np.array([2.0, 2.0])).tolist() == [0, 0]


def test_all_losses_can_be_swept() -> None:
    sweep = sweep_imbalance(0.3, Damage(), list(LOSSES), Knobs())
    assert list(sweep.curves) == list(LOSSES)
    assert all(np.isfinite(curve).all() for curve in sweep.curves.values())


def test_what_cannot_be_swept_is_refused() -> None:
    with pytest.raises(SettingError, match="temperature"):
        sweep_damage(scene("disc"), Damage(), "seed", ["bce"], Knobs())
    with pytest.raises(SettingError, match="between 0 and 1"):
        sweep_imbalance(1.5, Damage(), ["bce"], Knobs())
