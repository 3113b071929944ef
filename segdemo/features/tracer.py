"""Writes the tape of a pass: every operation as torch runs it, whatever the modules around it are called."""

import weakref
from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from segdemo.features.tape import Mark, Ref, Step, Tape, numbers_in, signature, tensors_in

__all__ = ["Tracer"]


class Tracer(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is on, every operation is written on `tape`. `weights`: the network's tensors by name; `image`: number 0."""

    def __init__(self, weights: Mapping[str, Tensor], image: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.tape = Tape()
        self._names = {id(tensor): name for name, tensor in weights.items()}
        self._weights = {id(tensor): tensor for tensor in weights.values()}
        self._numbers: dict[int, tuple[weakref.ref[Tensor], Ref]] = {}
        self._count = 0
        self._new_number(image)

    def mark(self, stage: str, tensor: Tensor) -> None:
        """A stage has given out this map."""
        self.tape.marks.append(Mark(stage, self._number_of(tensor), len(self.tape.steps)))

    def _number_of(self, tensor: Tensor) -> Ref:
        """The number of a map; one that no operation has made is a weight or a constant."""
        seen = self._numbers.get(id(tensor))
        if seen is not None and seen[0]() is tensor:  # an id may be given out again
            return seen[1]
        number = self._new_number(tensor)
        if self._weights.get(id(tensor)) is tensor:
            self.tape.weights[number] = self._names[id(tensor)]
        else:
            self.tape.constants[number] = tensor
        return number

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name, changed, view = signature(op)
        taken = tuple([self._written(value) for value in args])
        taken_by_name = {key: self._written(value) for key, value in kwargs.items()}
        writes = self._changed(changed, taken, taken_by_name) if changed else ()
        output = op(*args, **kwargs)
        index = len(self.tape.steps)
        source = next(numbers_in(taken), None) if view else None
        outputs = tensors_in(output)
        numbers = tuple([-1 if t is None else self._output_number(t, index, source, writes) for t in outputs])
        self.tape.steps.append(Step(op, name, taken, taken_by_name, numbers, writes))
        for number in writes:
            self.tape.writes.setdefault(self.tape.base[number], []).append(index)
        return output

    def _changed(self, changed: tuple[int | str, ...], args: Any, kwargs: Any) -> tuple[int, ...]:
        values = [kwargs.get(place) if isinstance(place, str) else args[place] for place in changed]
        return tuple(numbers_in(tuple(values)))

    def _written(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self._number_of(value)
        if type(value) in (list, tuple):
            return type(value)([self._written(inner) for inner in value])
        return value

    def _new_number(self, tensor: Tensor) -> Ref:
        number = Ref(self._count)
        self._count += 1
        self._numbers[id(tensor)] = (weakref.ref(tensor), number)
        self.tape.base[number] = number
        return number

    def _output_number(self, tensor: Tensor, index: int, source: int | None, writes: tuple[int, ...]) -> int:
        seen = self._numbers.get(id(tensor))
        if seen is not None and seen[0]() is tensor and (seen[1] in writes or seen[1] == source):
            return seen[1]  # changed in place, or handed through
        number = self._new_number(tensor)
        self.tape.made[number] = index
        if source is not None:
            self.tape.base[number] = self.tape.base[source]
        return number
