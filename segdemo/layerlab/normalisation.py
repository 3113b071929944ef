"""Batch, instance, layer and group normalisation: which cells share a mean and a variance, and what is done with them.

Every cell becomes γ · (x − mean) / √(variance + ε) + β; the four differ only in who shares the mean. Ioffe and Szegedy, Batch
Normalization, ICML 2015, arXiv:1502.03167; Ulyanov et al., Instance Normalization, arXiv:1607.08022; Ba et al., Layer
Normalization, arXiv:1607.06450; Wu and He, Group Normalization, ECCV 2018, arXiv:1803.08494, equations 1 to 6.

Differs from PyTorch in one thing: γ and β are one a channel in all four, as in Wu and He, while `nn.LayerNorm` over (C, H, W)
learns one an element.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import SettingError
from segdemo.text import _

__all__ = [
    "EPS", "KINDS", "Kind", "Normalised", "batch_statistics", "normalise", "running_statistics", "sharing", "statistics",
]  # fmt: skip

Float = NDArray[np.float64]
Kind = Literal["batch", "instance", "layer", "group"]
KINDS: tuple[Kind, ...] = ("batch", "instance", "layer", "group")
EPS = 1e-5


@dataclass(frozen=True)
class Normalised:
    """The result (N, C, H, W), and the mean and variance it was made with, as a table (see `_table_shape`)."""

    output: Float
    mean: Float
    variance: Float


def _table_shape(shape: tuple[int, int, int, int], kind: Kind, groups: int = 1) -> tuple[int, int]:
    """Rows and columns of the means: pictures by channels, or by groups of channels; one where all share.

    Raises SettingError where the groups do not divide the channels.
    """
    pictures, channels = shape[:2]
    if channels % groups:
        raise SettingError(_("{groups} groups do not divide {channels} channels.", groups=groups, channels=channels))
    shapes = {"batch": (1, channels), "instance": (pictures, channels), "layer": (pictures, 1), "group": (pictures, groups)}
    return shapes[kind]


def sharing(shape: tuple[int, int, int, int], kind: Kind, groups: int = 1) -> NDArray[np.int64]:
    """(N, C, H, W): for each cell the number of the mean and variance that it has part in, counted through the table."""
    rows, columns = _table_shape(shape, kind, groups)
    picture, channel, _row, _column = np.indices(shape)
    row = picture if rows > 1 else 0 * picture
    return np.asarray(row * columns + channel // (shape[1] // columns), np.int64)


def statistics(x: Float, kind: Kind, groups: int = 1) -> tuple[Float, Float]:
    """Mean, and mean squared distance from it, of the cells that share; each as a table.

    Raises SettingError where a single cell would be a group of its own: it would always become 0.
    """
    table = _table_shape(_four(x), kind, groups)
    shared = sharing(_four(x), kind, groups)
    members = [x[shared == number] for number in range(table[0] * table[1])]
    if any(len(cells) < 2 for cells in members):
        raise SettingError(
            _("The mean of a single value is that value, and nothing would be left: at least two cells have to share it.")
        )
    mean = np.array([cells.sum() / len(cells) for cells in members])
    variance = np.array([((cells - m) ** 2).sum() / len(cells) for cells, m in zip(members, mean, strict=True)])
    return mean.reshape(table), variance.reshape(table)


def normalise(
    x: Float, kind: Kind, gamma: Float, beta: Float, *, groups: int = 1, running: tuple[Float, Float] | None = None
) -> Normalised:
    """x (N, C, H, W); gamma, beta (C,). running: mean and variance (C,) to use instead of the batch's own, as in evaluation.

    The same as `torch.nn.functional.batch_norm`, `instance_norm`, `layer_norm` over (C, H, W) and `group_norm`. Only batch
    normalisation keeps running statistics; for the others evaluation is the same as training. Raises SettingError.
    """
    if running is not None and kind == "batch":
        mean, variance = (values.reshape(1, -1) for values in running)
    else:
        mean, variance = statistics(x, kind, groups)
    shared = sharing(_four(x), kind, groups)
    standard = (x - mean.ravel()[shared]) / np.sqrt(variance.ravel()[shared] + EPS)
    return Normalised(gamma[:, None, None] * standard + beta[:, None, None], mean, variance)


def batch_statistics(x: Float) -> tuple[Float, Float]:
    """Mean and variance (C,) of a batch as the running ones take them in: the variance with n − 1 below."""
    mean, variance = statistics(x, "batch")
    n = x.size // x.shape[1]
    return mean.ravel(), variance.ravel() * n / (n - 1)


def running_statistics(x: Float, momentum: float, batches: int) -> tuple[Float, Float]:
    """Running mean and variance after 0 … batches batches that are all x, each (batches + 1, C). They start at 0 and 1.

    running ← (1 − momentum) · running + momentum · batch.
    """
    mean, variance = batch_statistics(x)
    means, variances = [np.zeros_like(mean)], [np.ones_like(variance)]
    for _batch in range(batches):
        means.append((1 - momentum) * means[-1] + momentum * mean)
        variances.append((1 - momentum) * variances[-1] + momentum * variance)
    return np.stack(means), np.stack(variances)


def _four(x: Float) -> tuple[int, int, int, int]:
    pictures, channels, height, width = x.shape
    return pictures, channels, height, width
