"""Sweeps: every chosen loss against the amount of one damage, the size of an object, or the share of foreground."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.geometry import Size
from segdemo.losslab.damage import Damage, Logits, Mask, Paint, count_objects, spoil, to_logits
from segdemo.losslab.gradients import Knobs, gradient_of, settings_of, value_of
from segdemo.losslab.truths import disc
from segdemo.metrics import confusion_matrix, dice_per_class
from segdemo.text import _

__all__ = [
    "DIAMETERS", "SHARES", "Quantity", "Sweep", "amounts_of", "missing", "normalised", "sweep_damage", "sweep_imbalance",
    "sweep_size", "swept_fields",
]  # fmt: skip

Quantity = Literal["value", "gradient"]  # of a gradient its largest magnitude at any pixel
Values = NDArray[np.float64]

SIDE: Size = (128, 128)  # of the masks drawn for the sweeps of size and imbalance
DIAMETERS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96)  # pixels
SHARES = (0.5, 0.3, 0.2, 0.1, 0.05, 0.03, 0.02, 0.01, 0.005, 0.002, 0.001)


@dataclass(frozen=True)
class Sweep:
    """`amounts` (K,) of what was varied; of every loss its values (K,); the Dice of the K predicted masks, NaN for none."""

    amounts: Values
    curves: dict[str, Values]
    dice: Values


def swept_fields() -> tuple[str, ...]:
    """The damages whose amount can be swept."""
    return ("dx", "dy", "angle", "grow", "drop", "add", "salt", "blur", "temperature")


def amounts_of(field: str, truth: Mask) -> Values:
    """The amounts a sweep of that damage takes on a mask. Raises SettingError for a damage that cannot be swept."""
    ranges: dict[str, Sequence[float]] = {
        "dx": (0, 1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64), "dy": (0, 1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64),
        "angle": (0, 5, 10, 20, 30, 45, 60, 90, 120, 150, 180), "grow": (-12, -8, -6, -4, -2, -1, 0, 1, 2, 4, 6, 8, 12),
        "add": (0, 1, 2, 3, 4, 6, 8, 12, 16, 20), "salt": (0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5),
        "blur": (0, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12), "temperature": (0.25, 0.35, 0.5, 0.7, 1, 1.4, 2, 2.8, 4, 5.6, 8),
    }  # fmt: skip
    if field == "drop":
        return np.unique(np.rint(np.linspace(0, count_objects(truth), 11)))
    if field not in ranges:
        raise SettingError(_("{field} cannot be swept; these can: {names}.", field=field, names=", ".join(swept_fields())))
    return np.array(ranges[field], np.float64)


def sweep_damage(
    truth: Mask, damage: Damage, field: str, names: Sequence[str], knobs: Knobs, paint: Paint | None = None
) -> Sweep:
    """Each loss against the amount of one damage, while all other damages stay as they are."""
    whole = isinstance(getattr(Damage(), field, None), int)

    def prediction(amount: float) -> tuple[Logits, Mask]:
        now = replace(damage, **{field: int(amount) if whole else float(amount)})  # type: ignore[arg-type]
        return to_logits(spoil(truth, now, paint), truth, now), truth

    return _sweep(amounts_of(field, truth), prediction, names, knobs, "value")


def sweep_size(damage: Damage, names: Sequence[str], knobs: Knobs, quantity: Quantity = "value") -> Sweep:
    """Each loss against the diameter of one disc in a picture of 128 × 128 pixels that is damaged as stated.

    Objects are neither dropped nor added. With "gradient": the largest magnitude of ∂loss/∂logit at any pixel.
    """
    damage = replace(damage, drop=0, add=0)

    def prediction(diameter: float) -> tuple[Logits, Mask]:
        truth = disc(SIDE, diameter)
        return to_logits(spoil(truth, damage), truth, damage), truth

    return _sweep(np.array(DIAMETERS, np.float64), prediction, names, knobs, quantity)


def sweep_imbalance(
    missed: float, damage: Damage, names: Sequence[str], knobs: Knobs, quantity: Quantity = "value"
) -> Sweep:  # fmt: skip
    """Each loss against the share of foreground, 50 % to 0.1 %, when the same share of it is missed everywhere.

    The Dice of the predicted mask is then nearly the same at every share. Of `damage` only the confidences and the
    temperature count. missed: 0–1. Raises SettingError outside that.
    """
    if not 0 <= missed <= 1:
        raise SettingError(_("The share that is missed lies between 0 and 1, not at {missed}.", missed=missed))
    sure = Damage(right=damage.right, wrong=damage.wrong, temperature=damage.temperature)

    def prediction(share: float) -> tuple[Logits, Mask]:
        truth = disc(SIDE, 2 * np.sqrt(share * SIDE[0] * SIDE[1] / np.pi))
        return to_logits(missing(truth, missed), truth, sure), truth

    return _sweep(np.array(SHARES, np.float64), prediction, names, knobs, quantity)


def missing(truth: Mask, share: float) -> Mask:
    """The mask without that share of its pixels (rounded), those farthest to the left."""
    places = np.argwhere(truth.T)  # sorted by column
    lost = places[: round(share * len(places))]
    found = truth.copy()
    found[lost[:, 1], lost[:, 0]] = False
    return found


def normalised(values: Values) -> Values:
    """Between the best (0) and the worst (1) of the sweep; all 0 where they are the same."""
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def _sweep(
    amounts: Values, prediction: Callable[[float], tuple[Logits, Mask]], names: Sequence[str], knobs: Knobs, quantity: Quantity
) -> Sweep:
    made = [prediction(float(amount)) for amount in amounts]
    curves = {
        name: np.array([_measured(quantity, name, *pair, knobs) for pair in made], np.float64) for name in names
    }  # fmt: skip
    return Sweep(amounts, curves, np.array([_dice(logits > 0, truth) for logits, truth in made], np.float64))


def _dice(preds: Mask, truth: Mask) -> float:
    return float(dice_per_class(confusion_matrix(preds.astype(np.uint8), truth.astype(np.uint8), 2))[1])


def _measured(quantity: Quantity, name: str, logits: Logits, truth: Mask, knobs: Knobs) -> float:
    settings = settings_of(name, knobs)
    if quantity == "value":
        return value_of(name, logits, truth, settings)
    return float(np.abs(gradient_of(name, logits, truth, settings)).max())
