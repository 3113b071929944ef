"""The hard decision of a network: from logits to class indices, the same for validation and for the check of half precision."""

from torch import Tensor

__all__ = ["labels_of_logits"]


def labels_of_logits(logits: Tensor) -> Tensor:
    """logits (C, h, w) → (h, w): the likeliest class, or for C = 1 where the foreground's probability exceeds one half."""
    return logits[0] > 0 if logits.shape[0] == 1 else logits.argmax(dim=0)
