"""What a network with more than one output hands to its training: deep supervision, and a classifier's opinion."""

from dataclasses import dataclass

from torch import Tensor

__all__ = ["Supervision"]


@dataclass(frozen=True)
class Supervision:
    """`heads`: logits (N, C, h, w) of each head, finest first; `weights`: their shares in the loss, which sum to 1;
    `presence`: logits (N, foreground classes) that each class occurs in the picture, where the network judges that."""

    heads: list[Tensor]
    weights: list[float]
    presence: Tensor | None = None
