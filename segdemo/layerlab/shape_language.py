"""A small language for networks, one layer a line: "conv 64 k3 p1 bn relu as e1". Read by us, word by word; nothing is executed.

input 1 28 28              channels, height, width
conv 32 k3 s1 p1 d1 g1     filters; kernel, stride, padding, dilation, groups; in32: the channels it expects
upconv 32 k2 s2 p0         transposed convolution           words of both and of linear: nobias, bn, relu
maxpool k2 s2 p0, avgpool, gap (global average), upsample s2 (bilinear), bn, relu, dropout, flatten
linear 10                  in3136: the numbers it expects
concat e1, add e1          with an earlier line that ends in "as e1"; crop or pad where sizes differ
take e1                    go on from that line instead: the start of a second branch
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from segdemo.errors import SettingError
from segdemo.text import N_, _

__all__ = [
    "KINDS",
    "LIMITS",
    "MOST_LINES",
    "Kind",
    "Line",
    "check_name",
    "parse_lines",
    "parse_token",
    "write_line",
    "write_lines",
    "write_token",
]

MOST_LINES = 60
NAME = "[a-z][a-z0-9]{0,11}"
LIMITS: dict[str, int] = {
    "channels": 4096, "side": 4096, "out": 16384, "k": 64, "s": 16, "p": 64, "d": 32, "g": 4096, "in": 1_000_000,
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """What can be said of a kind of line. numbers: what stands first; options: letter → usual value (0: follows from others)."""

    title: str
    numbers: tuple[str, ...] = ()
    options: Mapping[str, int] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    joins: bool = False


_POOL = {"k": 2, "s": 0, "p": 0}
KINDS: dict[str, Kind] = {
    "input": Kind(N_("Input"), ("channels", "height", "width")),
    "conv": Kind(N_("Convolution"), ("out",), {"k": 3, "s": 1, "p": 0, "d": 1, "g": 1, "in": 0}, ("nobias", "bn", "relu")),
    "upconv": Kind(N_("Transposed convolution"), ("out",), {"k": 2, "s": 2, "p": 0, "in": 0}, ("nobias", "bn", "relu")),
    "maxpool": Kind(N_("Max-pooling"), (), _POOL, ("ceil",)),
    "avgpool": Kind(N_("Average pooling"), (), _POOL),
    "gap": Kind(N_("Global average")),
    "upsample": Kind(N_("Up-sampling"), (), {"s": 2}, ("bilinear",)),
    "bn": Kind(N_("Batch normalisation")),
    "relu": Kind(N_("ReLU")),
    "dropout": Kind(N_("Dropout")),
    "flatten": Kind(N_("Flatten")),
    "linear": Kind(N_("Linear"), ("out",), {"in": 0}, ("nobias", "relu")),
    "concat": Kind(N_("Concatenate"), words=("crop", "pad"), joins=True),
    "add": Kind(N_("Add"), words=("crop", "pad"), joins=True),
    "take": Kind(N_("Go on from"), joins=True),
}


@dataclass(frozen=True)
class Line:
    """One layer. numbers and options as in its kind, options only where they are not the usual ones.

    words: those that were said, in the kind's order. other: the name of the line that is joined. name: its own, or "".
    """

    kind: str
    numbers: tuple[int, ...] = ()
    options: tuple[tuple[str, int], ...] = ()
    words: tuple[str, ...] = ()
    other: str = ""
    name: str = ""

    def option(self, letter: str) -> int:
        """The value of an option, the usual one where nothing was said; a pooling's stride is then its kernel."""
        value = dict(self.options).get(letter, KINDS[self.kind].options[letter])
        return self.option("k") if letter == "s" and value == 0 else value

    def having(self, **options: int) -> "Line":
        """The same with other options. What is the usual value is left out."""
        usual, wanted = KINDS[self.kind].options, dict(self.options) | {k.removesuffix("_"): v for k, v in options.items()}
        kept = tuple((letter, wanted[letter]) for letter in usual if letter in wanted and wanted[letter] != usual[letter])
        return replace(self, options=kept)

    def saying(self, word: str, said: bool = True) -> "Line":
        """The same with a word, or without it."""
        words = {w for w in self.words if w != word} | ({word} if said else set())
        return replace(self, words=tuple(w for w in KINDS[self.kind].words if w in words))


def parse_lines(text: str) -> tuple[Line, ...]:
    """The lines of a text; empty ones and what follows # are left out. Raises SettingError with the line's number and why."""
    rows = [row.split("#")[0].strip() for row in text.splitlines()]
    filled = [(number, row) for number, row in enumerate(rows, start=1) if row]
    if len(filled) > MOST_LINES:
        raise SettingError(_("A network has at most {most} lines here.", most=MOST_LINES))
    return tuple(_parse(row.split(), number) for number, row in filled)


def write_lines(lines: Sequence[Line]) -> str:
    """The text that `parse_lines` reads."""
    return "\n".join(map(write_line, lines))


def write_line(line: Line) -> str:
    """One line as it is written; the kernel is always said, everything else where it is not usual."""
    parts = [line.kind, *map(str, line.numbers), *([line.other] if line.other else [])]
    kernel = [f"k{line.option('k')}"] if "k" in KINDS[line.kind].options else []
    parts += [*kernel, *(f"{letter}{value}" for letter, value in line.options if letter != "k")]
    return " ".join([*parts, *line.words, *(["as", line.name] if line.name else [])])


def write_token(lines: Sequence[Line]) -> str:
    """The lines as one word for an address: letters, digits, "_" between words and "." between lines."""
    return write_lines(lines).replace(" ", "_").replace("\n", ".")


def parse_token(text: str) -> tuple[Line, ...]:
    """What `write_token` wrote. Raises SettingError."""
    return parse_lines(text.replace(".", "\n").replace("_", " "))


def _parse(words: list[str], number: int) -> Line:
    try:
        return _line([word.lower() for word in words])
    except SettingError as error:
        raise SettingError(_("Line {n}: {sentence}", n=number, sentence=error)) from error


def _line(words: list[str]) -> Line:
    kind, *rest = words
    if kind not in KINDS:
        raise SettingError(_("there is no layer {name}. These exist: {names}.", name=kind[:20], names=", ".join(KINDS)))
    rest, name = _named(rest)
    spec = KINDS[kind]
    count = len(spec.numbers)
    numbers = rest[0].split("x") if count > 1 and rest else rest[:count]
    rest = rest[1:] if count > 1 and len(numbers) == count else rest[count:]
    numbers = numbers if len(numbers) == count else words[1 : 1 + count]
    if len(numbers) < count or not all(re.fullmatch("[0-9]{1,6}", text) for text in numbers):
        raise SettingError(_("{kind} is followed by whole numbers: {names}.", kind=kind, names=", ".join(spec.numbers)))
    other, rest = (rest[0], rest[1:]) if spec.joins and rest else ("", rest)
    if spec.joins and not re.fullmatch(NAME, other):
        raise SettingError(_("{kind} is followed by the name of an earlier line, as in “{kind} e1”.", kind=kind))
    line = Line(kind, tuple(_within(spec.numbers[i], int(text)) for i, text in enumerate(numbers)), other=other, name=name)
    for word in rest:
        line = _with_word(line, word)
    return line


def _named(words: list[str]) -> tuple[list[str], str]:
    """What stands before "as", and the name after it."""
    if "as" not in words:
        return words, ""
    at = words.index("as")
    if len(words) != at + 2 or not re.fullmatch(NAME, words[-1]):
        raise SettingError(_("after “as” stands one name: letters and digits, such as e1."))
    return words[:at], words[-1]


def check_name(text: str) -> str:
    """A name that somebody typed, as it stands in a line; "" for none. Raises SettingError with the sentence."""
    name = text.strip().lower()
    if name and not re.fullmatch(NAME, name):
        raise SettingError(_("A name is a letter, and then letters and digits, twelve at most, such as e1."))
    return name


def _with_word(line: Line, word: str) -> Line:
    spec = KINDS[line.kind]
    if word in spec.words:
        return line.saying(word)
    found = re.fullmatch("(in|[kspdg])([0-9]{1,7})", word)
    if not found or found[1] not in spec.options:
        known = [*(f"{letter}{usual or 2}" for letter, usual in spec.options.items()), *spec.words, "as e1"]
        raise SettingError(_("{kind} does not know “{word}”. It knows: {names}.", kind=line.kind, word=word[:20],
                             names=", ".join(known)))  # fmt: skip
    letter, value = found[1], int(found[2])
    return line.having(**{letter if letter != "in" else "in_": _within(letter, value)})


def _within(name: str, value: int) -> int:
    most = LIMITS["side" if name in ("height", "width") else name]
    if not (0 if name == "p" else 1) <= value <= most:
        raise SettingError(_("{name} is a number from {low} to {most}, not {value}.", name=name, low=0 if name == "p" else 1,
                             most=most, value=value))  # fmt: skip
    return value
