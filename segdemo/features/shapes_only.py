"""Passes without memory, made fast: on "meta" only shapes matter, and for most operations they are plain to see.

torch works out the shapes of some operations in Python, batch normalisation above all; a ResNet-152 took seconds.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["ShapesOnly", "run", "without_memory"]

# Keep the shape of their first argument, and its type.
SAME_SHAPE = frozenset({
    "relu", "leaky_relu", "elu", "gelu", "silu", "hardswish", "hardsigmoid", "hardtanh", "sigmoid", "tanh", "clone",
})  # fmt: skip
# Change a tensor in place, and not its shape.
IN_PLACE = frozenset({
    "relu_", "leaky_relu_", "elu_", "gelu_", "silu_", "hardswish_", "hardsigmoid_", "hardtanh_", "sigmoid_",
    "add_", "sub_", "mul_", "div_", "clamp_", "erfinv_", "normal_", "uniform_", "fill_", "zero_", "copy_",
})  # fmt: skip


def run(op: Any, args: Any, kwargs: Any) -> Any:
    """The operation's output; on "meta" by the shortest way there is."""
    first = args[0] if args else None
    if not isinstance(first, Tensor) or not first.is_meta:
        return op(*args, **kwargs)
    name = op.overloadpacket.__name__
    if name in IN_PLACE:
        return first
    if name in SAME_SHAPE and not kwargs:
        return first.detach()
    if name == "native_batch_norm":
        return first.detach(), torch.empty(0, device="meta"), torch.empty(0, device="meta")
    if name == "add" and isinstance(args[1], Tensor) and first.shape == args[1].shape and first.dtype == args[1].dtype:
        return first.detach()
    return op(*args, **kwargs)


class ShapesOnly(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is on, operations on "meta" take that way."""

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return run(op, args, kwargs or {})


@contextmanager
def without_memory() -> Iterator[None]:
    """Networks and tensors that are made here have shapes and no values."""
    with torch.device("meta"), torch.no_grad(), ShapesOnly():  # type: ignore[no-untyped-call]
        yield
