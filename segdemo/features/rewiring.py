"""Other operations in the place of a network's own: enlarging without learned kernels or remembered places, and batch
normalisation by the picture's own statistics. Each says what the network owes to the one that it has.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from segdemo.features.tape import Step

__all__ = ["Enlargement", "enlarge", "enlarges", "normalised_by_itself", "normalises", "with_enlargement"]

Enlargement = Literal["nearest", "bilinear"]
INTERPOLATIONS = {
    "upsample_nearest2d": "nearest", "_upsample_nearest_exact2d": "nearest-exact", "upsample_bilinear2d": "bilinear",
    "_upsample_bilinear2d_aa": "bilinear", "upsample_bicubic2d": "bicubic", "_upsample_bicubic2d_aa": "bicubic",
}  # fmt: skip
LEARNED_STATISTICS = (
    "native_batch_norm", "_native_batch_norm_legit_no_training", "_batch_norm_no_update", "_batch_norm_with_update",
    "cudnn_batch_norm", "miopen_batch_norm",
)  # fmt: skip


def enlarges(step: Step) -> bool:
    """Whether an operation is one that `with_enlargement` knows: interpolation, transposed convolution, unpooling.

    Rearranging channels into space (pixel shuffle) is not: its channels are different maps.
    """
    return step.name in INTERPOLATIONS or step.name == "max_unpool2d" or (step.name == "convolution" and bool(step.args[6]))


def normalises(step: Step) -> bool:
    """Whether an operation is batch normalisation by learned statistics; by a picture's own there is nothing to change."""
    return step.name in LEARNED_STATISTICS and not _named(step, step.args, step.kwargs).get("training", False)


def with_enlargement(step: Step, args: Sequence[Any], kwargs: Mapping[str, Any], mode: Enlargement) -> Tensor:
    """The output of an enlarging operation, as large as it would be, by `mode` instead.

    An interpolation takes the other mode. A transposed convolution becomes a 1×1 convolution with the sum of its kernel
    divided by its stride², so that a flat map comes out as bright as before, and then the enlargement, each cell where the
    kernel was centred. Unpooling becomes its value spread evenly over its window, so that the sum is the same.
    """
    named = _named(step, args, kwargs)
    if step.name == "convolution":
        return _instead_of_transposed(named, mode)
    x: Tensor = named["self"] if "self" in named else named["input"]
    height, width = named["output_size"] or step.operation(*args, **kwargs).shape[-2:]
    if step.name == "max_unpool2d":
        window = round(height / x.shape[-2]) * round(width / x.shape[-1])
        return enlarge(x / window, (height, width), mode)
    if INTERPOLATIONS[step.name].startswith(mode):
        return step.operation(*args, **kwargs)  # type: ignore[no-any-return]
    return enlarge(x, (height, width), mode)


def enlarge(x: Tensor, size: Sequence[int], mode: Enlargement) -> Tensor:
    """(N, C, h, w) → (N, C, *size)."""
    return F.interpolate(x, size=list(size), mode=mode, **({} if mode == "nearest" else {"align_corners": False}))


def normalised_by_itself(step: Step, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Batch normalisation by mean and variance of the map itself; nothing is remembered of them.

    A map of one position has no variance: what comes out is the layer's bias.
    """
    named = _named(step, args, kwargs)
    x = named["input"]
    eps = named.get("eps", named.get("epsilon", 1e-5))
    output = torch.native_batch_norm(x, named.get("weight"), named.get("bias"), None, None, True, 0.0, eps)[0]
    return [output, *([None] * (len(step.outputs) - 1))]


def _instead_of_transposed(named: Mapping[str, Any], mode: Enlargement) -> Tensor:
    x, weight, groups = named["input"], named["weight"], named["groups"]
    strides, kernel = named["stride"], weight.shape[2:]
    mixed = weight.sum((2, 3)) / (strides[0] * strides[1])  # (in, out / groups)
    mixed = mixed.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1)  # (out, in / groups)
    x = F.conv2d(x, mixed[..., None, None].to(x.dtype), named["bias"], groups=groups)
    for axis, dim in enumerate((-2, -1)):
        stride, pad = strides[axis], named["padding"][axis]
        extent = named["dilation"][axis] * (kernel[axis] - 1) + 1
        length = (x.shape[dim] - 1) * stride - 2 * pad + extent + named["output_padding"][axis]
        x = _sampled(x, dim, length, stride, (extent - 1) / 2 - pad, mode)
    return x


def _sampled(x: Tensor, dim: int, length: int, stride: int, start: float, mode: Enlargement) -> Tensor:
    """One dimension enlarged: cell i lies at i·stride + start; beyond the outermost cells their values go on."""
    at = ((torch.arange(length, device=x.device, dtype=torch.float64) - start) / stride).clamp(0, x.shape[dim] - 1)
    if mode == "nearest":
        return x.index_select(dim, (at + 0.5).floor().long().clamp(max=x.shape[dim] - 1))
    low = at.floor().long()
    share = (at - low).to(x.dtype)[:, None] if dim == -2 else (at - low).to(x.dtype)
    above = x.index_select(dim, (low + 1).clamp(max=x.shape[dim] - 1))
    return torch.lerp(x.index_select(dim, low), above, share)


def _named(step: Step, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {a.name: value for a, value in zip(step.operation._schema.arguments, args, strict=False)} | dict(kwargs)
