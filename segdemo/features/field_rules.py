"""What each operation of torch does to the view of a map: one rule a kind, by the operation's name.

A rule is given the tensors that come from the picture with their views, the operation's output, and its arguments by
name. What has no rule works position by position, or, where shapes do not allow that, from everything to everything;
then, and wherever else a rule says more than a value may see, the view says that it is an upper bound.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from segdemo.features import reach
from segdemo.features.field_view import MAP, View, doubted, everything, joined, moved, reshaped

__all__ = ["RULES", "Rule", "elementwise"]

Known = list[tuple[Tensor, View]]
Rule = Callable[[Known, Tensor, dict[str, Any]], View]


def elementwise(known: Known, output: Tensor, _named: dict[str, Any]) -> View:
    """Each position from the same position of the inputs."""
    return joined([view for _tensor, view in known], output)


def mixing(known: Known, _output: Tensor, _named: dict[str, Any]) -> View:
    """Every value from every value."""
    return everything([view for _tensor, view in known])


def unfollowed(known: Known, _output: Tensor, _named: dict[str, Any]) -> View:
    """At most every value from every value."""
    return everything([view for _tensor, view in known], at_most=True)


def on_maps(rule: Callable[[View, Tensor, dict[str, Any]], View]) -> Rule:
    """A rule for layers that read (N, C, H, W). What sees the same everywhere stays so; others are not followed."""

    def checked(known: Known, output: Tensor, named: dict[str, Any]) -> View:
        view = known[0][1]
        if view.place == MAP:
            return rule(view, output, named)
        return unfollowed(known, output, named) if view.place else mixing(known, output, named)

    return checked


def _pair(values: Sequence[int] | int | None, default: Sequence[int]) -> Sequence[int]:
    values = [values] if isinstance(values, int) else list(values or default)
    return values * 2 if len(values) == 1 else values


def _convolution(view: View, output: Tensor, named: dict[str, Any]) -> View:
    kernel = named["weight"].shape[2:]
    layer = reach.transposed if named["transposed"] else reach.window
    stride, padding, dilation = (named[key] for key in ("stride", "padding", "dilation"))
    return view.on(lambda axis, i: layer(axis, output.shape[2 + i], kernel[i], stride[i], padding[i], dilation[i]))


def _pooling(view: View, output: Tensor, named: dict[str, Any]) -> View:
    kernel = _pair(named["kernel_size"], [])
    stride, padding = _pair(named.get("stride"), kernel), _pair(named.get("padding"), [0])
    dilation = _pair(named.get("dilation"), [1])
    return view.on(lambda axis, i: reach.window(axis, output.shape[-2 + i], kernel[i], stride[i], padding[i], dilation[i]))


def _adaptive(view: View, output: Tensor, _named: dict[str, Any]) -> View:
    return view.on(lambda axis, i: reach.pooled_bins(axis, output.shape[-2 + i]))


def _nearest(view: View, output: Tensor, _named: dict[str, Any]) -> View:
    return view.on(lambda axis, i: reach.sampled(axis, output.shape[-2 + i], linear=False))


def _interpolation(taps: int) -> Callable[[View, Tensor, dict[str, Any]], View]:
    def rule(view: View, output: Tensor, named: dict[str, Any]) -> View:
        corners = bool(named["align_corners"])
        return view.on(lambda axis, i: reach.sampled(axis, output.shape[-2 + i], linear=True, align_corners=corners, reach=taps))

    return rule


def _unpooling(known: Known, output: Tensor, named: dict[str, Any]) -> View:
    """Values and the places they go to both depend on the window that was pooled; the last one may be cut short."""
    pooled, sides = joined([view for _tensor, view in known], known[0][0]), output.shape[-2:]

    def spread(axis: reach.Axis, i: int) -> reach.Axis:
        side = -(-sides[i] // len(axis))
        return reach.transposed(axis, sides[i], side, side, 0, 1)

    return pooled.on(spread) if pooled.place == MAP else unfollowed(known, output, named)


def _padding(mode: str) -> Callable[[View, Tensor, dict[str, Any]], View]:
    def rule(view: View, _output: Tensor, named: dict[str, Any]) -> View:
        amounts = [*(named.get("pad") or named["padding"]), 0, 0, 0, 0][:4]
        return view.on(lambda axis, i: reach.pad(axis, amounts[2 - 2 * i], amounts[3 - 2 * i], mode))

    return rule


def _reduction(known: Known, output: Tensor, named: dict[str, Any]) -> View:
    """Mean, sum, maximum over dimensions: those of the picture become one position, others leave the view as it is."""
    tensor, view = known[0]
    dims = named.get("dim")
    reduced = {d % tensor.ndim for d in ([dims] if isinstance(dims, int) else dims or range(tensor.ndim))}
    if met := reduced & {d % tensor.ndim for d in view.place}:
        return everything([view], at_most=len(met) < len(view.place))
    kept = [d for d in range(tensor.ndim) if d not in reduced]
    return view if named.get("keepdim") else _placed(view, tensor.ndim, kept)


def _placed(view: View, before: int, kept: Sequence[int]) -> View:
    """After dimensions were dropped: the view where its dimensions lie among those that are left."""
    return replace(view, place=tuple(kept.index(d % before) - len(kept) for d in view.place))


def _slice(known: Known, output: Tensor, named: dict[str, Any]) -> View:
    tensor, view = known[0]
    dim, step = named.get("dim", 0) % tensor.ndim - tensor.ndim, named.get("step", 1)
    if dim not in view.place:
        return view
    if view.place != MAP:
        return everything([view], at_most=True)
    start = named.get("start") or 0
    start = max(0, start + tensor.shape[dim]) if start < 0 else start
    return view.on(lambda axis, i: reach.window(axis, output.shape[dim], 1, step, -start, 1) if i == dim + 2 else axis)


def _selection(known: Known, _output: Tensor, named: dict[str, Any]) -> View:
    tensor, view = known[0]
    dim = named.get("dim", 0) % tensor.ndim
    if dim - tensor.ndim in view.place:
        return everything([view], at_most=True)
    return _placed(view, tensor.ndim, [d for d in range(tensor.ndim) if d != dim])


def _concatenation(known: Known, output: Tensor, named: dict[str, Any]) -> View:
    dim = named.get("dim", 0) % output.ndim - output.ndim
    whole = any(dim in view.place for _tensor, view in known)
    return unfollowed(known, output, named) if whole else elementwise(known, output, named)


def _softmax(known: Known, output: Tensor, named: dict[str, Any]) -> View:
    whole = (named.get("dim", -1) % output.ndim - output.ndim,) == known[0][1].place
    return mixing(known, output, named) if whole else _concatenation(known, output, named)


def _batch_norm(known: Known, output: Tensor, named: dict[str, Any]) -> View:
    """With fixed statistics position by position; with the map's own, as instance normalisation has them, not only."""
    view = elementwise(known, output, named)
    return doubted(view, "convolutions only") if named.get("training") else view


def _group_norm(known: Known, output: Tensor, named: dict[str, Any]) -> View:
    return doubted(elementwise(known, output, named), "convolutions only")


def _layer_norm(known: Known, output: Tensor, named: dict[str, Any]) -> View:
    """Over channels alone, position by position; over rows and columns as well, by the map's own statistics."""
    view = elementwise(known, output, named)
    within = any(d >= -len(named["normalized_shape"]) for d in view.place)
    return doubted(view, "convolutions only") if within else view


def _reshape(known: Known, output: Tensor, _named: dict[str, Any]) -> View:
    tensor, view = known[0]
    return reshaped(view, tensor.shape, output.shape)


def _permutation(known: Known, _output: Tensor, named: dict[str, Any]) -> View:
    tensor, view = known[0]
    order = list(range(tensor.ndim))
    if "dims" in named:
        order = [d % tensor.ndim for d in named["dims"]]
    else:  # transpose(dim0, dim1), or t()
        a, b = named.get("dim0", 0) % tensor.ndim, named.get("dim1", -1) % tensor.ndim
        order[a], order[b] = order[b], order[a]
    return moved(view, order)


def _product(known: Known, output: Tensor, named: dict[str, Any]) -> View:
    """A matrix product with weights acts on each token alone; one of two maps, as in attention, mixes everything."""
    if len(known) == 1:
        tensor, view = known[0]
        left = named.get("self") is tensor or named.get("mat1") is tensor
        if left and view.place == (-2,):
            return joined([view], output)
        if left and tensor.shape[:-1] == (1,) and view.certainty == "upper bound":
            view = replace(view, certainty="exact")  # a list of all values of all positions, each of which counts
            return everything([view])
    return mixing(known, output, named)


RULES: dict[str, Rule] = {
    "convolution": on_maps(_convolution),
    "max_pool2d_with_indices": on_maps(_pooling), "max_pool2d": on_maps(_pooling), "avg_pool2d": on_maps(_pooling),
    "_adaptive_avg_pool2d": on_maps(_adaptive), "adaptive_max_pool2d": on_maps(_adaptive),
    "mean": _reduction, "sum": _reduction, "amax": _reduction, "max": _reduction,
    "upsample_nearest2d": on_maps(_nearest), "_upsample_nearest_exact2d": on_maps(_nearest),
    "upsample_bilinear2d": on_maps(_interpolation(1)), "upsample_bicubic2d": on_maps(_interpolation(2)),
    "max_unpool2d": _unpooling,
    "constant_pad_nd": on_maps(_padding("constant")), "reflection_pad2d": on_maps(_padding("reflect")),
    "replication_pad2d": on_maps(_padding("replicate")),
    "slice": _slice, "select": _selection, "cat": _concatenation,
    "_softmax": _softmax, "_safe_softmax": _softmax,
    "native_batch_norm": _batch_norm, "native_group_norm": _group_norm, "native_layer_norm": _layer_norm,
    "view": _reshape, "_unsafe_view": _reshape, "reshape": _reshape, "unsqueeze": _reshape, "squeeze": _reshape,
    "permute": _permutation, "transpose": _permutation, "t": _permutation,
    "mm": _product, "addmm": _product, "bmm": _product, "baddbmm": _product, "linear": _product,
    "roll": unfollowed, "flip": unfollowed, "index": unfollowed, "gather": unfollowed, "pixel_shuffle": unfollowed,
    "scaled_dot_product_attention": mixing, "_scaled_dot_product_attention_math": mixing,
}  # fmt: skip
