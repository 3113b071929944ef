"""Anatomy: what each stage of a network puts out, and what it costs in parameters and multiplications.

One forward pass is watched operation by operation. Everything that runs after one stage's output and before the next
one's belongs to the stage that it feeds, so that the stages add up to the whole network exactly.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from segdemo.features.record import blank_image, evaluating, first_tensor, on_stages, stages_of
from segdemo.features.resampling import Resampling, resampling_of
from segdemo.features.shapes_only import run
from segdemo.geometry import Size
from segdemo.types import Stage

__all__ = ["Anatomy", "Part", "dissect"]


@dataclass(frozen=True)
class Part:
    """One stage and its share of the network."""

    stage: Stage
    shape: tuple[int, ...]  # of its output for one image, without the batch: (C, h, w)
    params: int
    macs: int  # multiply-accumulate operations of convolutions and matrix products, for one image
    resampling: tuple[Resampling, ...]  # each kind once, in the order in which they first ran
    dilations: tuple[int, ...]  # of its convolutions, beyond 1, from small to large


@dataclass(frozen=True)
class Anatomy:
    """A network taken apart. `unused` are parameters that a prediction does not touch: heads for training, spare stages."""

    parts: tuple[Part, ...]
    input_shape: tuple[int, int, int]  # (C, H, W)
    logits_shape: tuple[int, ...]  # (classes, h, w)
    params: int
    macs: int
    unused: int
    finally_resampled: tuple[Resampling, ...]  # between the last stage and the logits

    def part(self, name: str) -> Part:
        """The stage of that name."""
        return next(part for part in self.parts if part.stage.name == name)


@dataclass
class _Account:
    """What has been spent since the account was last closed."""

    params: int = 0
    macs: int = 0
    resampling: dict[Resampling, None] = field(default_factory=dict)
    dilations: set[int] = field(default_factory=set)

    def add(self, other: "_Account") -> None:
        self.params += other.params
        self.macs += other.macs
        self.resampling |= other.resampling
        self.dilations |= other.dilations


class _Meter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts multiplications, notes changes of resolution, and which operation is the first to use a parameter."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.unused: dict[int, int] = {id(p): p.numel() for p in model.parameters()}
        self.account = _Account()

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        output = run(op, args, kwargs)
        self.account.params += sum(self.unused.pop(id(leaf), 0) for leaf in tree_leaves((args, kwargs)))
        if (count := flop_registry.get(op.overloadpacket)) is not None:
            self.account.macs += int(count(*args, **kwargs, out_val=output)) // 2  # one addition, one multiplication
        if op.overloadpacket.__name__ == "convolution":
            self.account.dilations |= {d for d in args[5] if d > 1}
        if (change := resampling_of(op, args, kwargs, output)) is not None:
            self.account.resampling[change] = None
        return output

    def close(self) -> _Account:
        """What was spent since the last call."""
        closed, self.account = self.account, _Account()
        return closed


def dissect(model: nn.Module, size: Size, in_channels: int) -> Anatomy:
    """Take a network apart for one image of size (H, W). On "meta" this needs neither memory nor arithmetic.

    Only convolutions and matrix products are counted as multiplications; biases, normalisation, pooling and
    interpolation are not. What follows the last stage belongs to it. The model's own errors pass through.
    """
    image = blank_image(model, size, in_channels)
    accounts = {stage.name: _Account() for stage in stages_of(model)}
    shapes: dict[str, tuple[int, ...]] = {}
    meter = _Meter(model)

    def book(name: str, output: Tensor) -> None:
        shapes[name] = tuple(output.shape[1:])
        accounts[name].add(meter.close())

    with evaluating(model), torch.no_grad(), meter, on_stages(model, book):
        logits = model(image)
    rest = meter.close()
    last = accounts[next(reversed(shapes))]
    last.params, last.macs = last.params + rest.params, last.macs + rest.macs
    parts = tuple(
        Part(stage, shapes[stage.name], a.params, a.macs, tuple(a.resampling), tuple(sorted(a.dilations)))
        for stage, a in zip(stages_of(model), accounts.values(), strict=True) if stage.name in shapes
    )  # fmt: skip
    return Anatomy(
        parts, (in_channels, *size), tuple(first_tensor(logits).shape[1:]), sum(p.numel() for p in model.parameters()),
        sum(part.macs for part in parts), sum(meter.unused.values()), tuple(rest.resampling),
    )  # fmt: skip
