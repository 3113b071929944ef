"""Writes the tape of a pass, and keeps the maps that a recording wants without copying them.

A kept map is a reference. Only when an operation is about to overwrite its memory, as ReLU in place does, is it copied.
"""

import weakref
from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from segdemo.features.tape import Mark, Ref, Step, Tape, numbers_in, signature, tensors_in

__all__ = ["Kept", "Tracer"]


class Kept:
    """A map as it was at one moment."""

    __slots__ = ("__weakref__", "tensor")

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


class Tracer(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While it is on, every operation is written on `tape`. `weights`: the network's tensors by name.

    `wanted`: names of operations; all maps that they take and give are kept in `at_joins` until `forget` is called.
    """

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.tape = Tape()
        self.wanted: tuple[str, ...] = ()
        self.at_joins: dict[int, dict[int, Kept]] = {}  # step → number → map
        self._names = {id(tensor): name for name, tensor in weights.items()}
        self._weights = {id(tensor): tensor for tensor in weights.values()}
        self._numbers: dict[int, tuple[weakref.ref[Tensor], Ref]] = {}
        self._count = 0
        self._kept: dict[int, weakref.WeakValueDictionary[int, Kept]] = {}  # base → number → map

    def keep(self, tensor: Tensor) -> Kept:
        """Hold a map as it is now."""
        number = self.number_of(tensor)
        by_number = self._kept.setdefault(self.tape.base[number], weakref.WeakValueDictionary())
        kept = by_number.get(number)
        if kept is None:
            kept = by_number[number] = Kept(tensor)
        return kept

    def mark(self, stage: str, tensor: Tensor) -> None:
        """A stage has given out this map."""
        self.tape.marks.append(Mark(stage, self.number_of(tensor), len(self.tape.steps)))

    def forget(self) -> None:
        """Let go of what was kept for steps."""
        self.at_joins.clear()

    def number_of(self, tensor: Tensor) -> Ref:
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

    def know_input(self, image: Tensor) -> Kept:
        """Number 0, which is neither."""
        self._new_number(image)
        return self.keep(image)

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name, changed, view = signature(op)
        taken = tuple([self._written(value) for value in args])
        taken_by_name = {key: self._written(value) for key, value in kwargs.items()}
        writes = self._changed(changed, taken, taken_by_name) if changed else ()
        wanted = name in self.wanted
        kept = self._keep_all(args) if wanted else {}
        for number in writes:
            self._before_change(self.tape.base[number])
        output = op(*args, **kwargs)
        index = len(self.tape.steps)
        source = next(numbers_in(taken), None) if view else None
        outputs = tensors_in(output)
        numbers = tuple([-1 if t is None else self._output_number(t, index, source, writes) for t in outputs])
        self.tape.steps.append(Step(op, name, taken, taken_by_name, numbers, writes))
        for number in writes:
            self.tape.writes.setdefault(self.tape.base[number], []).append(index)
        if wanted:
            self.at_joins[index] = kept if writes else kept | self._keep_all(output)
        return output

    def _keep_all(self, value: Any) -> dict[int, Kept]:
        return {self.number_of(tensor): self.keep(tensor) for tensor in tensors_in(value) if tensor is not None}

    def _changed(self, changed: tuple[int | str, ...], args: Any, kwargs: Any) -> tuple[int, ...]:
        values = [kwargs.get(place) if isinstance(place, str) else args[place] for place in changed]
        return tuple(numbers_in(tuple(values)))

    def _written(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self.number_of(value)
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

    def _before_change(self, base: int) -> None:
        for kept in self._kept.pop(base, {}).values():
            kept.tensor = kept.tensor.clone()
