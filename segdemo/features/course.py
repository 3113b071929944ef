"""The course that a picture takes through a network: all its operations, and how each stage follows from earlier ones.

Written down by one more pass, and only when somebody asks what a change would do, or what comes together at a stage:
watching every operation costs several milliseconds, which for a small network is a good part of its pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from segdemo.features.cones import Cone, cones_of
from segdemo.features.maps import bytes_of
from segdemo.features.record import evaluating, first_tensor, on_stages, stages_of
from segdemo.features.tape import LOGITS, Step, Tape, named_tensors
from segdemo.features.tracer import Tracer
from segdemo.types import Stage

__all__ = ["Course", "trace"]

BYTES_PER_STEP = 2000  # of a tape and its cones, which took 700 to 1600


@dataclass(frozen=True)
class Course:
    """tape: the operations. stages: as the network lists them. shape: (1, C, H', W') of the pictures that it is for.

    general: it is the same for all pictures of that shape. It is not, where an operation tells Python about values, as
    `item` and `nonzero` do, or where a constant was made on the way, which may have been computed from the picture.
    """

    tape: Tape = field(repr=False)
    stages: tuple[Stage, ...] = field(repr=False)
    shape: torch.Size
    general: bool

    @cached_property
    def cones(self) -> Mapping[str, Cone]:
        """Stage → the operations between it and the stages that it comes from; those of the logits last."""
        return cones_of(self.tape)

    @property
    def nbytes(self) -> int:
        """About what it holds in memory. It keeps no network and no map alive, only constants."""
        return len(self.tape.steps) * BYTES_PER_STEP + bytes_of(*self.tape.constants.values())


def trace(model: nn.Module, image: Tensor) -> Course:
    """One pass over image (1, C, H', W') with every operation written down; `model` is the caller's alone, as for `record_all`.

    Raises what the network itself raises.
    """
    first = next(model.parameters(), image)
    with torch.inference_mode(False), torch.no_grad(), evaluating(model):
        given = image.to(first.device, first.dtype).clone()
        tracer = Tracer(named_tensors(model), given)
        with tracer, on_stages(model, tracer.mark):
            logits = first_tensor(model(given))
        tracer.mark(LOGITS, logits)
    return Course(tracer.tape, tuple(stages_of(model)), image.shape, _is_general(tracer.tape, model))


def _is_general(tape: Tape, model: nn.Module) -> bool:
    held = {id(value) for module in model.modules() for value in vars(module).values() if isinstance(value, Tensor)}
    return all(id(constant) in held for constant in tape.constants.values()) and not any(map(_tells_values, tape.steps))


def _tells_values(step: Step) -> bool:
    """Whether Python learns from an operation what the values are, and not only of which shape and kind."""
    return torch.Tag.data_dependent_output in step.operation.tags or torch.Tag.dynamic_output_shape in step.operation.tags
