"""From logits to what a visitor sees: probabilities, labels, and labels again at another threshold."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from segdemo.data.preprocessing import from_output
from segdemo.errors import SettingError
from segdemo.geometry import Geometry, resize_nearest
from segdemo.text import _
from segdemo.types import LabelMap, Prediction, ProbabilityMap

__all__ = ["check_threshold", "labels_of", "rethreshold", "scores_of"]


def check_threshold(threshold: float) -> float:
    """The threshold. Raises SettingError outside 0–1."""
    if not 0 <= threshold <= 1:  # also false for NaN
        raise SettingError(_("The threshold is a probability between 0 and 1, not {threshold}.", threshold=threshold))
    return float(threshold)


def scores_of(logits: Tensor, geometry: Geometry) -> ProbabilityMap:
    """logits (C, h', w') as the network gave them → probabilities (C, h, w) at the working size; C = 1 becomes 2.

    The memory is laid out with the classes last, where softmax and argmax of many classes are four times faster.
    """
    inner = from_output(logits, geometry).permute(1, 2, 0)  # (h, w, C)
    if inner.shape[-1] == 1:
        foreground = inner[..., 0].sigmoid().cpu().numpy()
        return np.stack([1 - foreground, foreground])
    return inner.contiguous().softmax(dim=-1).cpu().permute(2, 0, 1).numpy()


def labels_of(scores: ProbabilityMap, binary: bool, threshold: float) -> LabelMap:
    """(C, h, w) → (h, w): the likeliest class, or the foreground where its probability exceeds the threshold."""
    if binary:
        return np.asarray(scores[1] > threshold, dtype=np.uint8)
    return torch.from_numpy(scores.transpose(1, 2, 0)).argmax(dim=-1).to(torch.uint8).numpy()


def rethreshold(prediction: Prediction, threshold: float) -> Prediction:
    """The same prediction cut at another threshold, without a forward pass. Multi-class predictions have none."""
    check_threshold(threshold)
    if not prediction.binary or threshold == prediction.threshold:
        return prediction
    labels = labels_of(prediction.scores, True, threshold)
    return replace(prediction, preds=resize_nearest(labels, prediction.size), threshold=threshold)
