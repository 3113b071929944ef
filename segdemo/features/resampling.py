"""Changes of resolution, read off the operations that a network runs: by which means, and by what factor."""

from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

__all__ = ["Resampling", "ResamplingKind", "resampling_of"]

ResamplingKind = Literal[
    "max_pool", "average_pool", "strided", "global_pool", "transposed", "bilinear", "nearest", "bicubic", "unpooling", "shuffle"
]
POOLS: dict[str, ResamplingKind] = {"max_pool2d_with_indices": "max_pool", "max_pool2d": "max_pool", "avg_pool2d": "average_pool"}
INTERPOLATIONS: dict[str, ResamplingKind] = {
    "upsample_bilinear2d": "bilinear", "upsample_nearest2d": "nearest", "_upsample_nearest_exact2d": "nearest",
    "upsample_bicubic2d": "bicubic", "max_unpool2d": "unpooling", "pixel_shuffle": "shuffle",
}  # fmt: skip


@dataclass(frozen=True)
class Resampling:
    """How the resolution changes, and how many times it becomes smaller or larger (1: it depends on the picture)."""

    kind: ResamplingKind
    factor: int

    @property
    def grows(self) -> bool:
        """Whether the map becomes larger."""
        return self.kind not in ("max_pool", "average_pool", "strided", "global_pool")


def resampling_of(op: Any, args: Any, kwargs: Any, output: Any) -> Resampling | None:
    """What an operation does to the resolution of a map (N, C, H, W); None where it leaves it as it is."""
    name = op.overloadpacket.__name__
    named = {a.name: v for a, v in zip(op._schema.arguments, args, strict=False)} | kwargs
    if name == "convolution":
        stride = max(named["stride"])
        return Resampling("transposed" if named["transposed"] else "strided", stride) if stride > 1 else None
    if name in POOLS:
        stride = named.get("stride") or named["kernel_size"]
        stride = stride if isinstance(stride, int) else max(stride)
        return Resampling(POOLS[name], stride) if stride > 1 else None
    if name in INTERPOLATIONS:
        return _interpolation(INTERPOLATIONS[name], args[0], output)
    pools = name in ("mean", "_adaptive_avg_pool2d", "adaptive_max_pool2d") and isinstance(output, Tensor)
    if pools and args[0].ndim == 4 and output.numel() == args[0].shape[0] * args[0].shape[1] < args[0].numel():
        return Resampling("global_pool", 1)
    return None


def _interpolation(kind: ResamplingKind, before: Tensor, after: Tensor) -> Resampling | None:
    """Interpolation by less than half again is a correction of the size, not an enlargement."""
    factor = round(after.shape[-2] / before.shape[-2])
    return Resampling(kind, factor) if factor > 1 else None
