"""What a part of a network needs to be run again: recorded maps as it had them, its weights, and the picture."""

from collections.abc import Mapping

from torch import Tensor, nn

from segdemo.features.cones import Cone
from segdemo.features.course import Course
from segdemo.features.recording import Recording
from segdemo.features.tape import named_tensors

__all__ = ["Replay"]


class Replay:
    """A recording and the course that its picture took, over the weights of `model`, which is not called.

    `changed`: stage → the map that it has instead. Raises ValueError for a course of pictures of another shape.
    """

    def __init__(self, model: nn.Module, recording: Recording, course: Course) -> None:
        if course.shape != recording.input.shape:
            raise ValueError(f"a course for pictures {tuple(course.shape)}, and a recording of {tuple(recording.input.shape)}")
        self.recording, self.course = recording, course
        self.changed: dict[str, Tensor] = {}
        self._weights = named_tensors(model)

    def back(self, tensor: Tensor) -> Tensor:
        """As the network has it: on its device and in its precision."""
        return tensor.to(self.recording.device, self.recording.dtype)

    def map_of(self, stage: str) -> Tensor:
        """The changed map, else the recorded one."""
        return self.changed[stage] if stage in self.changed else self.back(self.recording.raw[stage])

    def taken(self, cone: Cone, instead: Mapping[str, Tensor] | None = None) -> dict[int, Tensor]:
        """Number → all that a cone takes. `instead`: stage → another map in its place, here only."""
        maps = {n: instead[stage] if instead and stage in instead else self.map_of(stage) for n, stage in cone.leaves.items()}
        return {number: self._given(number) for number in cone.given} | maps

    def _given(self, number: int) -> Tensor:
        tape = self.course.tape
        if number in tape.weights:
            return self._weights[tape.weights[number]]
        return tape.constants[number] if number in tape.constants else self.back(self.recording.input)
