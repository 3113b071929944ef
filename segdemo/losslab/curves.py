"""Loss curves: what a loss costs, and how hard it pulls, for every predicted probability p. From the losses themselves.

Two scenes. A pixel alone: the losses that judge each pixel by itself. A region: 1,000 pixels of which a share is foreground,
all foreground pixels with one p and all background pixels with another, so that losses of a pixel and of a region can be
compared: pixel losses are then the mean over the same pixels. A loss that asks where pixels lie has no place in either.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import vmap

from segdemo.errors import SettingError
from segdemo.losses import FACTS, LOSSES
from segdemo.text import _

__all__ = [
    "PIXELS", "PIXEL_LOSSES", "REGION_LOSSES", "SEE_PLACES", "Curve", "Options", "Region", "Surround", "Truth", "pixel_curve",
    "region_curve",
]  # fmt: skip

Truth = Literal["foreground", "background"]
Surround = Literal["same", "fixed", "mirror"]
Options = tuple[tuple[str, float | str | None], ...]  # keywords of a loss and their values
Line = NDArray[np.float64]  # (K,)

PIXELS = 1000  # of the region
SEE_PLACES = ("boundary", "ms_ssim", "unet3_plus")  # their value depends on where the pixels lie
PIXEL_LOSSES = tuple(name for name, facts in FACTS.items() if facts.kind == "pixel" and name not in SEE_PLACES)
REGION_LOSSES = tuple(name for name in FACTS if name not in SEE_PLACES)
BRANCH_ON_VALUES = ("ohem", "lovasz")  # python decides by their values, so they are called once for each p
TAIL = (0.0005, 0.001, 0.002, 0.005)


@dataclass(frozen=True)
class Region:
    """PIXELS pixels, a `share` (0–1) of them foreground. Foreground pixels are predicted with p.

    surround, what the background is predicted with: "same": p as well, one constant for the whole picture; "fixed":
    `background` (0–1, not 0 or 1) whatever p is; "mirror": 1 − p, so that p is the probability of the truth everywhere.
    """

    share: float = 0.05
    surround: Surround = "same"
    background: float = 0.1

    @property
    def foreground(self) -> int:
        """Number of foreground pixels."""
        return round(self.share * PIXELS)


@dataclass(frozen=True)
class Curve:
    """A loss against p (K,). `value` has one line a pixel's truth, or one for the "region".

    by_logit and by_prob: the gradient with respect to one pixel's logit, and to its probability, times the number of
    pixels (1 for the pixel alone): a mean over pixels then shows what it gives each, BCE's by the logit p − y. Of equal
    pixels, the mean over them. Below 0 it pulls p up. There is no line for a truth that no pixel has.
    """

    name: str
    p: Line
    value: Mapping[str, Line]
    by_logit: Mapping[Truth, Line]
    by_prob: Mapping[Truth, Line]

    @property
    def lowest(self) -> float:
        """p where the region's loss is lowest, on this grid; the middle of a flat stretch."""
        value = self.value["region"]
        flat = self.p[value <= value.min() + 1e-9]
        return float(flat[len(flat) // 2])


@lru_cache(maxsize=256)
def pixel_curve(name: str, options: Options = ()) -> Curve:
    """Value and gradient of a loss for one foreground and one background pixel, each alone.

    OHEM keeps no easy pixel (k = 0), and weighted BCE needs its weight: alone, a pixel has no batch to be held against.
    Raises SettingError for a loss that is none of PIXEL_LOSSES, and for what the loss refuses.
    """
    _check(name, PIXEL_LOSSES)
    settings = {**dict(options), "min_kept": 0} if name == "ohem" else dict(options)
    p = _grid(0.5)
    both: dict[Truth, _Answer] = {
        "foreground": _answer(name, settings, 1, 1, p, p), "background": _answer(name, settings, 0, 1, p, p)
    }  # fmt: skip
    return Curve(
        name, p, {truth: _locked(answer.value) for truth, answer in both.items()},
        {truth: answer.by_logit[truth] for truth, answer in both.items()},
        {truth: answer.by_prob[truth] for truth, answer in both.items()},
    )  # fmt: skip


@lru_cache(maxsize=512)
def region_curve(name: str, region: Region, options: Options = ()) -> Curve:
    """Value of a loss over a region, and the gradient that one of its foreground and background pixels gets.

    Raises SettingError for a loss that is none of REGION_LOSSES, for a share or background outside 0–1, and for what the
    loss refuses.
    """
    _check(name, REGION_LOSSES)
    if not (0 <= region.share <= 1 and 0 < region.background < 1):
        raise SettingError(_("The share of foreground lies between 0 and 1, and so does the background's probability."))
    p = _grid(region.share)
    around = {"same": p, "fixed": np.full_like(p, region.background), "mirror": 1 - p}[region.surround]
    answer = _answer(name, dict(options), region.foreground, PIXELS, p, around)
    return Curve(name, p, {"region": _locked(answer.value)}, answer.by_logit, answer.by_prob)


@dataclass(frozen=True)
class _Answer:
    value: Line
    by_logit: dict[Truth, Line]
    by_prob: dict[Truth, Line]


def _answer(name: str, options: dict[str, float | str | None], foreground: int, pixels: int, p: Line, around: Line) -> _Answer:
    """The loss of `pixels` pixels, the first `foreground` of them foreground with p (K,), the others with `around` (K,)."""
    probs = [torch.tensor(line, requires_grad=True) for line in (p, around)]
    logits = [torch.logit(line) for line in probs]
    one = partial(_loss, name, options, foreground, pixels)
    if name in BRANCH_ON_VALUES:
        value = torch.stack([one(z, around_z) for z, around_z in zip(*logits, strict=True)])
    else:
        value = vmap(one)(*logits)
    gradients = torch.autograd.grad(value.sum(), [*logits, *probs])  # each value has its own p, so the sum mixes nothing
    counts: dict[Truth, int] = {"foreground": foreground, "background": pixels - foreground}
    scaled = [
        {truth: _locked(slope * pixels / count) for (truth, count), slope in zip(counts.items(), pair, strict=True) if count}
        for pair in (gradients[:2], gradients[2:])
    ]
    return _Answer(_locked(value), scaled[0], scaled[1])


def _loss(name: str, options: dict[str, float | str | None], foreground: int, pixels: int, z: Tensor, around: Tensor) -> Tensor:
    """The loss, a scalar, where foreground pixels have the logit z () and background pixels the logit `around` ()."""
    target = (torch.arange(pixels) < foreground).long()[None, None]  # (1, 1, P)
    logits = torch.where(target == 1, z, around)[None]  # (1, 1, 1, P)
    if FACTS[name].channels == "several":
        logits = torch.cat([torch.zeros_like(logits), logits], dim=1)  # one logit speaks for two classes: 0 and z
    return LOSSES[name](logits, target, **options)


def _grid(share: float) -> Line:
    """p (K,), every hundredth, closer at the ends, and the share itself where a constant guess is best."""
    inner = np.arange(1, 100) / 100
    exact = [share] if 0 < share < 1 else []
    return _locked(np.unique(np.concatenate([inner, TAIL, 1 - np.array(TAIL), exact]).round(6)))


def _locked(line: Tensor | Line) -> Line:
    """As an array that visitors can share."""
    array = np.asarray(line.detach().numpy() if isinstance(line, Tensor) else line, np.float64)
    array.setflags(write=False)
    return array


def _check(name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise SettingError(_('The loss "{name}" has no such curve. These have: {known}.', name=name, known=", ".join(known)))
