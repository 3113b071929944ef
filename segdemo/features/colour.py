"""Colours for numbers: which scale a map takes, between which values, and the coloured picture itself.

Signed values take a diverging scale centred on zero, blue to orange over near-white; values that are never negative take
Matplotlib's "viridis". In both, lightness alone tells the values apart on either side, for colour-blind people too.
A palette has 256 entries: 253 steps of the scale, so that zero has the one in the middle, and colours with a meaning.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segdemo.features.maps import all_finite, inner_extremes
from segdemo.types import RGBImage

__all__ = [
    "GAP", "MIDDLE", "NOT_FINITE", "SIGN_TOLERANCE", "STEPS",
    "Kind", "Scope", "coloured", "kind_of", "palette", "to_levels", "value_range",
]  # fmt: skip

Kind = Literal["diverging", "sequential"]
Scope = Literal["map", "stage", "all"]  # whose values the scale spans: each channel's own, the stage's, all stages'

STEPS = 253  # palette entries 0 … 252 are the scale
MIDDLE = STEPS // 2  # zero of a diverging scale
NOT_FINITE, GAP = 254, 255  # palette entries of values that are no numbers, and of what lies between maps
NOT_FINITE_COLOUR, GAP_COLOUR = (230, 0, 160), (128, 128, 128)
SIGN_TOLERANCE = 1e-4  # negative values down to this share of the largest magnitude are rounding, not a sign

# ColorBrewer's blues of "RdBu" and oranges of "PuOr", from the middle outwards (Harrower and Brewer 2003).
_MIDDLE_COLOUR = "f7f7f7"
_BLUES = ("d1e5f0", "92c5de", "4393c3", "2166ac", "053061")
_ORANGES = ("fee0b6", "fdb863", "e08214", "b35806", "7f3b08")


@lru_cache(maxsize=2)
def palette(kind: Kind) -> NDArray[np.uint8]:
    """(256, 3) RGB, read-only: entries 0 … STEPS − 1 from low to high, then those of NOT_FINITE and GAP."""
    scale = _diverging() if kind == "diverging" else _sequential()
    entries = np.vstack([scale, np.repeat(scale[-1:], 256 - STEPS, axis=0)])
    entries[NOT_FINITE], entries[GAP] = NOT_FINITE_COLOUR, GAP_COLOUR
    entries.setflags(write=False)
    return entries


def _sequential() -> NDArray[np.uint8]:
    ramp = np.rint(np.linspace(0, 255, STEPS)).astype(np.uint8)[:, None]
    return np.asarray(cv2.applyColorMap(ramp, cv2.COLORMAP_VIRIDIS)[:, 0, ::-1], dtype=np.uint8)


def _diverging() -> NDArray[np.uint8]:
    """Interpolated in CIELAB, where equal steps look equal; both arms are given the same lightness."""
    blue, orange = (_lab((_MIDDLE_COLOUR, *arm)) for arm in (_BLUES, _ORANGES))
    lightness = np.linspace(blue[0, 0], (blue[-1, 0] + orange[-1, 0]) / 2, MIDDLE + 1)
    arms = []
    for anchors in (blue, orange):
        hue = [np.interp(-lightness, -anchors[:, 0], anchors[:, i]) for i in (1, 2)]
        arms.append(np.stack([lightness, *hue], axis=1))
    lab = np.concatenate([arms[0][:0:-1], arms[1]]).astype(np.float32)
    rgb = cv2.cvtColor(lab[None], cv2.COLOR_Lab2RGB)[0]
    return np.asarray(np.rint(np.clip(rgb, 0, 1) * 255), dtype=np.uint8)


def _lab(colours: Sequence[str]) -> NDArray[np.float32]:
    rgb = np.array([list(bytes.fromhex(colour)) for colour in colours], dtype=np.float32) / 255
    return np.asarray(cv2.cvtColor(rgb[None], cv2.COLOR_RGB2Lab)[0], dtype=np.float32)


def kind_of(activations: Tensor | Sequence[Tensor]) -> Kind:
    """The scale that suits the values: diverging as soon as one lies below zero by more than SIGN_TOLERANCE."""
    low, high = _extent([activations] if isinstance(activations, Tensor) else activations)
    return "diverging" if low < -SIGN_TOLERANCE * max(abs(low), abs(high)) else "sequential"


def value_range(activations: Sequence[Tensor], kind: Kind, clip: float = 0.0) -> tuple[float, float]:
    """(low, high) for the ends of the scale over all finite values of tensors of any shape; (0, 0) if there is none.

    Sequential: the raw extremes. Diverging: the larger magnitude on both sides of zero. With `clip`, that share of the
    values at each end lies beyond, so that a few outliers do not leave all others in the dark. Raises SettingError for a
    share outside 0 to 0.5.
    """
    low, high = _extent(activations, clip)
    reach = max(abs(low), abs(high))
    return (-reach, reach) if kind == "diverging" else (low, high)


def _extent(activations: Sequence[Tensor], clip: float = 0.0) -> tuple[float, float]:
    finite = [values.detach().to(torch.float32) for values in activations if values.numel()]
    finite = [values if all_finite(values) else values[torch.isfinite(values)] for values in finite]
    ends = [inner_extremes(values.reshape(1, 1, -1), clip) for values in finite if values.numel()]
    return (float(min(low[0] for low, _ in ends)), float(max(high[0] for _, high in ends))) if ends else (0.0, 0.0)


def to_levels(
    activation: Tensor, low: float | Tensor, high: float | Tensor, kind: Kind = "sequential"
) -> NDArray[np.uint8]:  # fmt: skip
    """Palette entries (…, h, w) of values (…, h, w): evenly from `low` to `high`, what lies beyond at the ends.

    `low` and `high` are numbers or tensors that broadcast, (C, 1, 1) for a range a channel. A range without width, as
    of a constant map, lies in the middle, but at the lower end of a sequential scale if it is zero. Values that are not
    finite become NOT_FINITE.
    """
    values = activation.detach().to(torch.float32)
    start, end = (torch.as_tensor(value, dtype=torch.float64) for value in (low, high))
    flat = end <= start
    # The bound keeps 0 × factor a number where a range is narrower than float32 can divide by.
    factor = torch.where(flat, 0, ((STEPS - 1) / (end - start)).clamp(max=1e37)).to(torch.float32)
    offset = torch.where(flat, torch.where((start == 0) & (kind == "sequential"), 0, MIDDLE), 0).to(torch.float32)
    levels = values.sub(start.to(torch.float32)).mul_(factor).add_(offset).clamp_(0, STEPS - 1).round_()
    if not all_finite(values):
        levels[~torch.isfinite(values)] = NOT_FINITE
    return levels.to(torch.uint8).numpy()


def coloured(feature_map: Tensor, low: float, high: float, kind: Kind) -> RGBImage:
    """(h, w, 3) of one map (h, w)."""
    return np.take(palette(kind), to_levels(feature_map, low, high, kind), axis=0)
