"""Recording: everything that the stages of a network say about one picture, from one forward pass.

Maps are kept by reference, so that a recording costs little more than the pass. Where the network overwrites a map in
place later on, as ReLU may do, it is copied as soon as its stage has run. Which maps these are, the first pass finds
out: it copies all of them, and sees in the end which have changed since.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from segdemo.features.maps import as_map, bytes_of
from segdemo.features.record import evaluating, first_tensor, on_stages, stages_of
from segdemo.types import Stage

__all__ = ["Recording", "plain", "record_all"]

WASTE = 1.5  # a view of more than so many times its own memory is copied, so that the rest can be freed

# A network's first weight, which its private copies share → the stages whose maps it overwrites. Holds no weight alive.
_overwritten: WeakTensorKeyDictionary = WeakTensorKeyDictionary()


@dataclass(frozen=True)
class Recording:
    """What one pass has shown. Everything is float32 on the CPU, whatever the network ran in; nothing may be modified.

    maps: stage → (C, h, w) in running order; of classification networks, vectors are (C, 1, 1). logits: (C, h, w).
    input: (1, C, H', W'). stages: as the network lists them. raw: what `maps` are views of, in the shape that the network
    uses; device, dtype: what it ran in.
    """

    maps: Mapping[str, Tensor]
    logits: Tensor
    input: Tensor
    stages: tuple[Stage, ...] = field(repr=False)
    raw: Mapping[str, Tensor] = field(repr=False)
    device: torch.device = field(repr=False)
    dtype: torch.dtype = field(repr=False)

    @property
    def nbytes(self) -> int:
        """Bytes of all maps; memory that several share counts once."""
        return bytes_of(*self.maps.values(), self.logits, self.input)


def record_all(model: nn.Module, image: Tensor) -> Recording:
    """One forward pass over image (1, C, H', W'), in evaluation mode, in the device and precision of the weights.

    `model` is the caller's alone, such as a `private_copy` or what the engine gives to a study: it is hooked while it
    runs, and afterwards as it was, whatever happens. Raises what the network itself raises.
    """
    first = next(model.parameters(), None)
    with torch.inference_mode(False), torch.no_grad(), evaluating(model):
        given = image if first is None else image.to(first.device, first.dtype)
        given = given.clone() if given.is_inference() else given.detach()
        known: Collection[str] | None = None if first is None else _overwritten.get(first)  # type: ignore[no-untyped-call]
        seen = _pass(model, given, known)
        if known is not None and seen.overwritten:
            known = None  # another network over the same first weight
            seen = _pass(model, given, known)
        if known is None and first is not None:
            _overwritten[first] = seen.overwritten
        return _recording(seen, given, tuple(stages_of(model)))


class _Seen(NamedTuple):
    """maps: as they were when their stage had run; overwritten: the stages of which that was no longer so in the end."""

    maps: dict[str, Tensor]
    logits: Tensor
    overwritten: set[str]


def _pass(model: nn.Module, image: Tensor, known: Collection[str] | None) -> _Seen:
    """One pass that copies the maps of the `known` stages, or of all. Each tensor counts how often it is overwritten."""
    copies: dict[str, Tensor] = {}
    maps: dict[str, Tensor] = {}
    versions: dict[str, int] = {}

    def note(name: str, output: Tensor) -> None:
        if known is None or name in known:
            copies[name] = output.clone()
        maps.pop(name, None)  # a stage that runs twice: its last map, in its last place
        maps[name] = copies[name] if known is not None and name in known else output.detach()
        versions[name] = maps[name]._version

    with on_stages(model, note):
        logits = first_tensor(model(image.clone()))
    overwritten = {name for name, tensor in maps.items() if tensor._version != versions[name]}
    as_they_were = {name: copies[name] if name in copies and name in overwritten else maps[name] for name in maps}
    return _Seen(as_they_were, logits, overwritten)


def _recording(seen: _Seen, image: Tensor, stages: tuple[Stage, ...]) -> Recording:
    """Everything that was kept, in float32 on the CPU."""
    shared: dict[tuple[object, ...], Tensor] = {}

    def once(tensor: Tensor) -> Tensor:
        """Maps that are the same memory stay so: the logits often are the last stage's."""
        key = (tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype)
        if key not in shared:
            shared[key] = plain(tensor)
        return shared[key]

    raw = {name: once(tensor) for name, tensor in seen.maps.items()}
    maps = {name: as_map(tensor) for name, tensor in raw.items()}
    return Recording(maps, as_map(once(seen.logits)), once(image), stages, raw, image.device, image.dtype)


def plain(tensor: Tensor) -> Tensor:
    """In float32 on the CPU; a part of something much larger is copied out of it."""
    moved = tensor.detach().to("cpu", torch.float32)
    held = moved.untyped_storage().nbytes()
    return moved.clone() if held > WASTE * moved.numel() * moved.element_size() else moved
