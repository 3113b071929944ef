"""How a file's tensors become a network's: renamed, reordered, folded. Planned on names and shapes, done on numbers later.

Three differences do not change what a network computes, so they are no reason to refuse a file:
a convolution's bias in front of a normalisation shifts its mean (batch) or vanishes (instance); a layer without a bias
is one whose bias is zero; a decoder that joins (upsampled, skip) is one that joins (skip, upsampled) with its input
channels exchanged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from segdemo.weights.layouts import Reading, Shape, Shapes

__all__ = ["Difference", "Plan", "carry_out", "copied", "plan_by_names", "plan_by_order", "shown_shape"]

COUNTER = "num_batches_tracked"


@dataclass
class Plan:
    """Where each tensor of the network comes from: ours → theirs.

    subtracted: our running mean → their bias that it takes in. swapped: our weights whose input halves change places.
    What is in neither is filled with zeros.
    """

    sources: dict[str, str] = field(default_factory=dict)
    subtracted: dict[str, str] = field(default_factory=dict)
    swapped: frozenset[str] = frozenset()


@dataclass
class Difference:
    """Names of the file that are missing, unknown, or of another shape: why a plan cannot be carried out."""

    missing: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    mismatched: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.missing or self.unknown or self.mismatched)

    @property
    def size(self) -> int:
        """How many names differ."""
        return len(self.missing) + len(self.unknown) + len(self.mismatched)


def plan_by_names(shapes: Shapes, reading: Reading, network: nn.Module) -> tuple[Plan, Difference]:
    """Match a file to a network by the names that its layout gives."""
    plan = Plan(swapped=frozenset(f"{name}.weight" for name in reading.upsampled_first))
    expected, difference = network.state_dict(), Difference()
    for name in shapes:
        if name.startswith(reading.dropped):
            continue
        module, _dot, leaf = name.rpartition(".")
        ours = module if reading.modules is None else reading.modules.get(module)
        if f"{ours}.{leaf}" in expected:
            plan.sources[f"{ours}.{leaf}"] = name
        elif ours is None or (norm := _absorbed_by(ours, leaf, network)) is None:
            difference.unknown.append(name)
        elif leaf != COUNTER:
            _absorb(name, shapes[name], norm, network, plan, difference)
    theirs = {ours: module for module, ours in (reading.modules or {}).items()}
    for name, tensor in expected.items():
        module, _dot, leaf = name.rpartition(".")
        if name in plan.sources:
            if shapes[plan.sources[name]] != tensor.shape:
                difference.mismatched.append(_mismatch(plan.sources[name], shapes[plan.sources[name]], tuple(tensor.shape)))
        elif leaf != COUNTER and not (leaf == "bias" and f"{module}.weight" in plan.sources):
            difference.missing.append(f"{theirs.get(module, module)}.{leaf}")
    return plan, difference


def _absorbed_by(ours: str, leaf: str, network: nn.Module) -> str | None:
    """What takes in a tensor that the network has no place for: the normalisation behind a bias, nothing ("") for a counter."""
    if leaf == COUNTER:
        return ""
    return _next_norm(network, ours) if leaf == "bias" else None


def _absorb(name: str, shape: Shape, norm: str, network: nn.Module, plan: Plan, difference: Difference) -> None:
    """Take a bias into the mean that the normalisation subtracts (batch), or leave it out (instance)."""
    layer = network.get_submodule(norm)
    assert isinstance(layer, nn.BatchNorm2d | nn.InstanceNorm2d)
    if shape != (layer.num_features,):
        difference.mismatched.append(_mismatch(name, shape, (layer.num_features,)))
    elif isinstance(layer, nn.BatchNorm2d):
        plan.subtracted[f"{norm}.running_mean"] = name


def _next_norm(network: nn.Module, convolution: str) -> str | None:
    """The normalisation that directly follows a convolution."""
    names = [name for name, module in network.named_modules() if not any(module.children())]
    if convolution not in names[:-1]:
        return None
    following = names[names.index(convolution) + 1]
    return following if isinstance(network.get_submodule(following), nn.BatchNorm2d | nn.InstanceNorm2d) else None


def plan_by_order(shapes: Shapes, network: nn.Module) -> tuple[Plan, Difference]:
    """Match by the order and the shapes alone, whatever the names are."""
    theirs = [(name, shape) for name, shape in shapes.items() if not name.endswith(COUNTER)]
    ours = [(name, tuple(tensor.shape)) for name, tensor in network.state_dict().items() if not name.endswith(COUNTER)]
    difference = Difference()
    for (their_name, their_shape), (_our_name, our_shape) in zip(theirs, ours, strict=False):
        if their_shape != our_shape:
            difference.mismatched.append(_mismatch(their_name, their_shape, our_shape))
    difference.missing = [name for name, _shape in ours[len(theirs) :]]
    difference.unknown = [name for name, _shape in theirs[len(ours) :]]
    return Plan({our: their for (our, _), (their, _) in zip(ours, theirs, strict=False)}), difference


def carry_out(plan: Plan, state: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """The network's state dict, float32 on the CPU, in memory of its own."""
    made = {}
    for name, expected in network.state_dict().items():
        if name not in plan.sources:
            made[name] = torch.zeros(expected.shape, dtype=expected.dtype, device="cpu")
            continue
        tensor = copied(state[plan.sources[name]])
        if name in plan.swapped:
            tensor = torch.cat(tensor.chunk(2, dim=1)[::-1], dim=1)  # (upsampled, skip) → (skip, upsampled)
        if name in plan.subtracted:
            tensor -= state[plan.subtracted[name]].float()
        made[name] = tensor
    return made


def copied(value: Tensor) -> Tensor:
    """A copy that no longer depends on the file: float32, or the integers of batch normalisation's counters."""
    dtype = torch.float32 if value.is_floating_point() else torch.int64
    return value.to(dtype, copy=True, memory_format=torch.contiguous_format)


def shown_shape(shape: Shape) -> str:
    """A shape as it is written: 64×3×3×3."""
    return "×".join(map(str, shape)) or "1"


def _mismatch(name: str, theirs: Shape, ours: Shape) -> str:
    return f"{name} {shown_shape(theirs)} ≠ {shown_shape(ours)}"
