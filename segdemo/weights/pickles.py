"""What a pickle describes, read without building any of it: no name in it is imported and nothing in it is called.

A pickle is a small program for a stack machine. Here the machine knows lists, dictionaries, numbers, texts and the few
calls by which PyTorch writes tensors, and answers those with a `TensorClaim`: where the numbers would lie, and what
shape they claim to have. Whatever else a pickle wants called becomes an `Opaque`, which only remembers the name.

`torch.load(weights_only=True)` calls a short list of functions; among them are ones that a hostile file can ask for any
amount of memory, and it hashes whatever a file uses as a key. Here neither happens.
"""

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

__all__ = ["Opaque", "StorageClaim", "TensorClaim", "describe_pickle"]

MAX_WORK = 800_000  # steps, and what one step goes through; 10,000 tensors take most of it
MAX_GLOBAL = 200  # characters of a name to import
MAX_BITS = 128  # of a number; longer ones take their time at every use
FREE_KEY = 64  # characters; equal texts are compared to their ends, so longer keys are work
KEY_TYPES = (str, int, float, bool, type(None))  # a nested tuple can take for ever to hash
PARAMETER_CALLS = ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state")
TENSOR_CALLS = ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor")


@dataclass(frozen=True)
class StorageClaim:
    """Numbers in a row: what the file says of them, unchecked. `kind` is such as "FloatStorage"."""

    kind: str
    key: str
    count: int


@dataclass(frozen=True)
class TensorClaim:
    """A tensor as the file describes it, unchecked: offset and strides in elements of its storage."""

    storage: StorageClaim
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass
class Opaque:
    """A class or function that was not looked up, or what calling it would have given, with the state it would get."""

    name: str
    state: object = None


class PickleError(ValueError):
    """The pickle is damaged, too long, or uses what PyTorch does not write."""


def describe_pickle(stream: bytes | BinaryIO) -> tuple[object, frozenset[str]]:
    """What the next pickle of a stream describes, and the names of all that it would have had imported.

    Reads to the pickle's end and no further. Raises ValueError, or what a damaged pickle makes the machine stumble over.
    """
    machine = _Machine()
    for opcode, argument, _position in pickletools.genops(stream):
        machine.charge(1)
        machine.run(opcode.name, argument)
    return machine.stack.pop(), frozenset(machine.names)


class _Machine:
    """The stack, the marks in it, and the values that are referred to again."""

    def __init__(self) -> None:
        self.stack: list[object] = []
        self.marks: list[int] = []
        self.memo: dict[object, object] = {}
        self.names: set[str] = set()
        self.work = 0

    def charge(self, amount: int) -> None:
        """One step can have a long list gone through again, so the length of the list is charged and not the step alone."""
        self.work += amount
        if self.work > MAX_WORK:
            raise PickleError("too long")

    def run(self, name: str, argument: object) -> None:
        """One step. Constants carry their value with them; everything else has a line of its own in the tables."""
        if name in _CONSTANTS:
            large = isinstance(argument, int) and argument.bit_length() > MAX_BITS
            self.push(Opaque("a large number") if large else argument)
        elif name in _FIXED:
            self.push(_FIXED[name]())
        elif name in _STEPS:
            _STEPS[name](self, argument)
        elif name not in _IGNORED:
            raise PickleError(name)

    def push(self, value: object) -> None:
        self.stack.append(value)

    def since_mark(self) -> list[object]:
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def mark(self, _argument: object) -> None:
        self.marks.append(len(self.stack))

    def remember(self, index: object) -> None:
        self.memo[len(self.memo) if index is None else index] = self.stack[-1]

    def recall(self, index: object) -> None:
        self.push(self.memo[index])

    def drop(self, _argument: object) -> None:
        self.stack.pop()

    def drop_to_mark(self, _argument: object) -> None:
        self.since_mark()

    def tuple_of(self, count: int) -> None:
        items = tuple(self.stack[-count:])
        del self.stack[-count:]
        self.push(items)

    def name(self, text: str) -> None:
        if len(text) > MAX_GLOBAL:
            raise PickleError("a name that is none")
        self.charge(len(text))
        self.names.add(text)
        self.push(Opaque(text))

    def named(self, text: object) -> None:
        self.name(str(text).replace(" ", ".", 1))

    def named_instance(self, text: object) -> None:
        self.since_mark()
        self.named(text)

    def name_from_stack(self, _argument: object) -> None:
        attribute, module = self.stack.pop(), self.stack.pop()
        if not isinstance(attribute, str) or not isinstance(module, str):  # writing out a nested tuple can take for ever
            raise PickleError("a name that is none")
        if len(module) + len(attribute) > MAX_GLOBAL:  # before they are put together
            raise PickleError("a name that is none")
        self.name(f"{module}.{attribute}")

    def call(self, _argument: object) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        self.push(self.answer(function, arguments if isinstance(arguments, tuple) else ()))

    def call_with_keywords(self, argument: object) -> None:
        self.stack.pop()
        self.call(argument)

    def instance(self, _argument: object) -> None:
        function, *arguments = self.since_mark()
        self.push(self.answer(function, tuple(arguments)))

    def build(self, _argument: object) -> None:
        state = self.stack.pop()
        if isinstance(target := self.stack[-1], Opaque):
            target.state = state

    def storage(self, _argument: object) -> None:
        self.push(_stored(self.stack.pop()))

    def dictionary(self, _argument: object) -> None:
        items = self.since_mark()
        self.push(self.pairs(items[::2], items[1::2]))

    def extend(self, items: list[object]) -> None:
        if isinstance(target := self.stack[-1], list):
            target.extend(items)

    def update(self, items: list[object]) -> None:
        if isinstance(target := self.stack[-1], dict):
            target.update(self.pairs(items[::2], items[1::2]))

    def answer(self, function: object, arguments: tuple[object, ...]) -> object:
        """What a call gives: a dictionary, a tensor's description, or something that is not looked into."""
        name = function.name if isinstance(function, Opaque) else ""
        if name == "collections.OrderedDict":
            return self.ordered(arguments[0] if arguments and isinstance(arguments[0], list) else [])
        if name in PARAMETER_CALLS:
            return arguments[0]
        if name in TENSOR_CALLS:
            storage, offset, shape, stride = arguments[:4]
            if isinstance(storage, StorageClaim) and isinstance(offset, int):
                return TensorClaim(storage, offset, self.whole_numbers(shape), self.whole_numbers(stride))
        return Opaque(name)

    def ordered(self, listed: list[object]) -> dict[object, object]:
        """The dictionary of a list of pairs, which may be the same list at every call."""
        self.charge(len(listed))
        pairs = [pair for pair in listed if isinstance(pair, list | tuple) and len(pair) == 2]
        return self.pairs([key for key, _value in pairs], [value for _key, value in pairs])

    def pairs(self, keys: list[object], values: list[object]) -> dict[object, object]:
        self.charge(len(keys) + sum(len(key) for key in keys if isinstance(key, str)) // FREE_KEY)
        return {key: value for key, value in zip(keys, values, strict=False) if isinstance(key, KEY_TYPES)}

    def whole_numbers(self, values: object) -> tuple[int, ...]:
        if not isinstance(values, tuple):
            raise PickleError("a shape that is none")
        self.charge(len(values))
        if not all(isinstance(v, int) and v >= 0 for v in values):
            raise PickleError("a shape that is none")
        return values


def _stored(reference: object) -> object:
    """The reference to a row of numbers outside the pickle; older files refer to classes in the same way."""
    match reference:
        case ("storage", Opaque(name=kind), str(key), str(), int(count), *_):
            return StorageClaim(kind.rpartition(".")[2], key, count)
        case ("module", Opaque() as named, *_):
            return named
    raise PickleError("an unknown kind of reference")


_CONSTANTS = frozenset(
    "INT LONG LONG1 LONG4 BININT BININT1 BININT2 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE "
    "SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8".split()
)
_IGNORED = frozenset("PROTO FRAME STOP".split())
_FIXED: dict[str, Callable[[], object]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_SET": list,  # never asked for membership, so its elements need not be hashed
}
_STEPS: dict[str, Callable[[_Machine, object], None]] = {
    "MARK": _Machine.mark,
    "POP": _Machine.drop,
    "POP_MARK": _Machine.drop_to_mark,
    "DUP": lambda m, _: m.push(m.stack[-1]),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _Machine.remember),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Machine.recall),
    "TUPLE": lambda m, _: m.push(tuple(m.since_mark())),
    "TUPLE1": lambda m, _: m.tuple_of(1),
    "TUPLE2": lambda m, _: m.tuple_of(2),
    "TUPLE3": lambda m, _: m.tuple_of(3),
    **dict.fromkeys(("LIST", "FROZENSET"), lambda m, _: m.push(m.since_mark())),
    "DICT": _Machine.dictionary,
    "APPEND": lambda m, _: m.extend([m.stack.pop()]),
    **dict.fromkeys(("APPENDS", "ADDITEMS"), lambda m, _: m.extend(m.since_mark())),
    "SETITEM": lambda m, _: m.update([m.stack.pop(-2), m.stack.pop()]),
    "SETITEMS": lambda m, _: m.update(m.since_mark()),
    "GLOBAL": _Machine.named,
    "STACK_GLOBAL": _Machine.name_from_stack,
    "INST": _Machine.named_instance,
    "OBJ": _Machine.instance,
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _Machine.call),
    "NEWOBJ_EX": _Machine.call_with_keywords,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.storage,
}
