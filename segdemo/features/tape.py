"""The tape: every operation that a network runs on one picture, written down so that any part of it can be run again.

Maps have numbers. An operation is written with the numbers of what it takes and gives; weights are written by name, so
that a tape holds none of them alive. At evaluation a network runs the same operations on every picture of one size,
therefore the tape is the network's exact course, however its modules are written.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from torch import Tensor, nn

__all__ = [
    "LOGITS", "Mark", "Ref", "Signature", "Step", "Tape", "filled", "named_tensors", "numbers_in", "signature", "tensors_in",
]  # fmt: skip

LOGITS = "logits"  # the name of the mark behind the last operation


class Ref(int):
    """In the place of a tensor among an operation's arguments: its number."""


class Step(NamedTuple):
    """One operation: its arguments with numbers in place of tensors, and the numbers of its outputs, in their order.

    `writes` are the numbers of the maps that it changes in place.
    """

    operation: Any
    name: str  # without its variant, such as "convolution"
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    outputs: tuple[int, ...]
    writes: tuple[int, ...]

    def takes(self) -> Iterator[int]:
        """The numbers among its arguments."""
        yield from numbers_in(self.args)
        yield from numbers_in(tuple(self.kwargs.values()))


@dataclass(frozen=True, slots=True)
class Mark:
    """A stage had run: the number of its map, and how many operations stood on the tape by then."""

    stage: str
    number: int
    time: int


@dataclass
class Tape:
    """steps in order; marks in order, the last one of the logits. Of each number: `made`, the step that made it; `base`, the
    number whose memory it shares. `writes`: base → steps that change this memory. `weights`: number → name of a
    parameter or buffer; `constants`: tensors of the network that are neither."""

    steps: list[Step] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    made: dict[int, int] = field(default_factory=dict)
    base: dict[int, int] = field(default_factory=dict)
    writes: dict[int, list[int]] = field(default_factory=dict)
    weights: dict[int, str] = field(default_factory=dict)
    constants: dict[int, Tensor] = field(default_factory=dict)


class Signature(NamedTuple):
    """What an operation is called, which arguments it changes (places or keywords), and whether it gives a view."""

    name: str
    writes: tuple[int | str, ...]
    view: bool


@lru_cache(maxsize=4096)
def signature(operation: Any) -> Signature:
    """Read off once an operation."""
    writes: list[int | str] = []
    for place, argument in enumerate(operation._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            writes.append(argument.name if argument.kwarg_only else place)
    view = any(r.alias_info is not None and not r.alias_info.is_write for r in operation._schema.returns)
    return Signature(operation.overloadpacket.__name__, tuple(writes), view)


def filled(value: Any, tensors: Mapping[int, Tensor]) -> Any:
    """Arguments with tensors in place of their numbers."""
    if type(value) is Ref:
        return tensors[value]
    if type(value) in (tuple, list):
        return type(value)(filled(inner, tensors) for inner in value)
    return value


def numbers_in(value: Any) -> Iterator[int]:
    """The numbers among arguments."""
    if type(value) is Ref:
        yield value
    elif type(value) in (tuple, list):
        for inner in value:
            yield from numbers_in(inner)


def tensors_in(output: Any) -> list[Tensor | None]:
    """What an operation gave, flat: one entry an output, None for what is no tensor."""
    if isinstance(output, Tensor):
        return [output]
    if isinstance(output, tuple | list):
        return [tensor for inner in output for tensor in tensors_in(inner)]
    return [None]


def named_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Every parameter and buffer by its name."""
    return {
        f"{path}.{name}": tensor
        for path, module in model.named_modules()
        for name, tensor in (*module._parameters.items(), *module._buffers.items())
        if tensor is not None
    }
