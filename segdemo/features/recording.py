"""Recording: everything that the stages of a network say about one picture, from one forward pass.

The pass runs on a private copy of the tree of modules, so the shared network is never hooked. Maps are kept by
reference, and written down with them is the tape of operations, from which `ablation` computes what changes would do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from segdemo.features.cones import Cone, cone_of, cones_of
from segdemo.features.joins import AS_IT_IS, JOINING, Join, Junction, find_junction
from segdemo.features.record import first_tensor, on_stages, stages_of
from segdemo.features.tape import LOGITS, Tape, named_tensors
from segdemo.features.tracer import Kept, Tracer
from segdemo.models.private import private_copy
from segdemo.types import JoinKind, Stage

__all__ = ["Recording", "as_map", "record_all"]

WASTE = 1.5  # a view of more than so many times its own memory is copied, so that the rest can be freed


@dataclass(frozen=True)
class Recording:
    """What one pass has shown. Everything is float32 on the CPU, whatever the network ran in; nothing may be modified.

    maps: stage → (C, h, w) in running order; of classification networks, vectors are (C, 1, 1). joins: of the stages
    whose skips were found coming together. logits: (C, h, w). input: (1, C, H', W'). stages: as the network lists them.
    raw: what `maps` are views of, in the shape that the network uses; tape: the operations, see `ablation`.
    """

    maps: Mapping[str, Tensor]
    joins: Mapping[str, Join]
    logits: Tensor
    input: Tensor
    stages: tuple[Stage, ...] = field(repr=False)
    raw: Mapping[str, Tensor] = field(repr=False)
    tape: Tape = field(repr=False)
    device: torch.device = field(repr=False)
    dtype: torch.dtype = field(repr=False)

    @cached_property
    def cones(self) -> Mapping[str, Cone]:
        """Stage → the operations between it and the stages that it comes from; those of the logits last."""
        return cones_of(self.tape)

    @property
    def nbytes(self) -> int:
        """Bytes of all maps; memory that several share counts once."""
        joined = [t for join in self.joins.values() for t in (join.main, *join.skips.values()) if t is not None]
        held = {}
        for tensor in (*self.maps.values(), *joined, self.logits, self.input):
            storage = tensor.untyped_storage()
            held[storage.data_ptr()] = storage.nbytes()
        return sum(held.values())


def record_all(model: nn.Module, image: Tensor) -> Recording:
    """One forward pass over image (1, C, H', W'), in evaluation mode, in the device and precision of the weights.

    `model` is neither hooked nor switched, and may be shared by threads. Raises what the network itself raises.
    """
    twin = private_copy(model).eval()
    weights = named_tensors(model)
    first = next(model.parameters(), image)
    with torch.inference_mode(False), torch.no_grad():
        given = image.to(first.device, first.dtype)
        given = given.clone() if given.is_inference() else given.detach()
        scribe = _Scribe(twin, weights, given)
        with scribe.tracer, on_stages(twin, scribe.note):
            logits = first_tensor(twin(given))
        scribe.tracer.mark(LOGITS, logits)
        return scribe.recording(logits, image)


class _Scribe:
    """Keeps the stages' maps while a pass runs, and finds each join as soon as its stage has run."""

    def __init__(self, twin: nn.Module, weights: Mapping[str, Tensor], image: Tensor) -> None:
        self.image = image
        self.stages = stages_of(twin)
        self.maps: dict[str, Kept] = {}
        self.joins: dict[str, tuple[Kept | None, dict[str, Kept], JoinKind]] = {}
        self.tracer = Tracer(weights)
        self.given = self.tracer.know_input(image)
        self._await(0)

    def note(self, name: str, output: Tensor) -> None:
        """A stage has run."""
        tracer = self.tracer
        tracer.mark(name, output)
        self.maps[name] = tracer.keep(output)
        place = next(i for i, stage in enumerate(self.stages) if stage.name == name)
        stage = self.stages[place]
        if stage.join is not None:
            cone = cone_of(tracer.tape, len(tracer.tape.marks) - 1)
            found = find_junction(tracer.tape, cone, stage, stage.after or self.stages[place - 1].name)
            if found is not None:
                self.joins[name] = self._kept_of(found, stage.join)
        tracer.forget()
        self._await(place + 1)

    def _await(self, place: int) -> None:
        """What may be the join of the stage at that place shall be kept."""
        stage = self.stages[place] if place < len(self.stages) else None
        self.tracer.wanted = JOINING[stage.join] if stage is not None and stage.join is not None else ()

    def _kept_of(self, found: Junction, kind: JoinKind) -> tuple[Kept | None, dict[str, Kept], JoinKind]:
        at = self.tracer.at_joins
        main = at.get(found.main[0], {}).get(found.main[1]) if found.main else None
        skips = {
            stage: kept for stage, (step, number) in found.skips.items()
            if (kept := self.maps[stage] if number == AS_IT_IS else at.get(step, {}).get(number)) is not None
        }  # fmt: skip
        return main, skips, kind

    def recording(self, logits: Tensor, image: Tensor) -> Recording:
        """Everything that was kept, on the CPU."""
        moved: dict[int, Tensor] = {}

        def plain(tensor: Tensor) -> Tensor:
            """Once each, because skips often are the very maps."""
            if id(tensor) not in moved:
                moved[id(tensor)] = _plain(tensor)
            return moved[id(tensor)]

        tape = self.tracer.tape
        raw = {name: plain(kept.tensor) for name, kept in self.maps.items()} | {LOGITS: plain(logits)}
        joins = {
            name: Join(
                None if main is None else as_map(plain(main.tensor)),
                {stage: as_map(plain(kept.tensor)) for stage, kept in skips.items()}, kind,
            )
            for name, (main, skips, kind) in self.joins.items() if skips
        }  # fmt: skip
        maps = {name: as_map(tensor) for name, tensor in raw.items() if name != LOGITS}
        return Recording(
            maps, joins, as_map(raw[LOGITS]), plain(self.given.tensor), tuple(self.stages), raw, tape,
            self.image.device, self.image.dtype,
        )  # fmt: skip


def as_map(raw: Tensor) -> Tensor:
    """(1, C, h, w) → (C, h, w); a vector (1, C) → (C, 1, 1); tokens (1, L, C) → (C, L, 1)."""
    inner = raw[0]
    if inner.ndim == 2:
        inner = inner.T
    return inner[(...,) + (None,) * (3 - inner.ndim)]


def _plain(tensor: Tensor) -> Tensor:
    """In float32 on the CPU; a part of something much larger is copied out of it."""
    plain = tensor.detach().to("cpu", torch.float32)
    held = plain.untyped_storage().nbytes()
    return plain.clone() if held > WASTE * plain.numel() * plain.element_size() else plain
