"""Reading the small language for networks, word by word; nothing is executed. What is no line gets a sentence with an example."""

import re
from difflib import get_close_matches

from segdemo.errors import SettingError
from segdemo.layerlab.shape_language import KINDS, MOST_LINES, NAME, Kind, Line, bounds_of
from segdemo.text import N_, _, quoted

__all__ = ["check_name", "parse_lines", "parse_token"]

MEANINGS = {
    "channels": N_("channels"), "height": N_("height"), "width": N_("width"), "out": N_("outputs"), "k": N_("kernel"),
    "s": N_("stride"), "p": N_("padding"), "d": N_("dilation"), "g": N_("groups"), "in": N_("inputs expected"),
}  # fmt: skip


def parse_lines(text: str) -> tuple[Line, ...]:
    """The lines of a text; empty ones and what follows # are left out.

    Raises SettingError with the line's number, the word that is wrong, what can stand there, and an example.
    """
    rows = [row.split("#")[0].strip() for row in text.splitlines()]
    filled = [(number, row) for number, row in enumerate(rows, start=1) if row]
    if len(filled) > MOST_LINES:
        raise SettingError(_("A network can have at most {most} lines here; this one has {n}.", most=MOST_LINES, n=len(filled)))
    return tuple(_parse(row.split(), number) for number, row in filled)


def parse_token(text: str) -> tuple[Line, ...]:
    """What `shape_language.write_token` wrote. Raises SettingError."""
    return parse_lines(text.replace(".", "\n").replace("_", " "))


def check_name(text: str) -> str:
    """A name that somebody typed, as it stands in a line; "" for none. Raises SettingError with the sentence."""
    name = text.strip().lower()
    if name and not re.fullmatch(NAME, name):
        raise SettingError(_("A name is a letter followed by letters or digits, at most twelve in all, such as e1."))
    return name


def _parse(words: list[str], number: int) -> Line:
    try:
        return _line([word.lower() for word in words])
    except SettingError as error:
        raise SettingError(_("Line {n}: {sentence}", n=number, sentence=error)) from error


def _line(words: list[str]) -> Line:
    kind, *rest = words
    if kind not in KINDS:
        raise SettingError(_no_layer(kind))
    spec = KINDS[kind]
    rest, name = _named(kind, rest)
    numbers, rest = _numbers(kind, spec, rest)
    other, rest = _other(kind, rest) if spec.joins else ("", rest)
    line = Line(kind, numbers, other=other, name=name)
    for word in rest:
        line = _with_word(line, word)
    return line


def _no_layer(word: str) -> str:
    """The layers that exist, and the one that was probably meant."""
    near = get_close_matches(word, KINDS, 1)
    kinds, word = ", ".join(KINDS), quoted(word)
    if near:
        return _("“{word}” is not a layer. Did you mean {near}, as in “{example}”? The layers are: {kinds}.",
                 word=word, near=near[0], example=KINDS[near[0]].example, kinds=kinds)  # fmt: skip
    return _("“{word}” is not a layer. A line begins with one of: {kinds}; for example “{example}”.", word=word, kinds=kinds,
             example=KINDS["conv"].example)  # fmt: skip


def _named(kind: str, words: list[str]) -> tuple[list[str], str]:
    """What stands before "as", and the name after it."""
    if "as" not in words:
        return words, ""
    at = words.index("as")
    if len(words) != at + 2 or not re.fullmatch(NAME, words[-1]):
        sentence = _("After “as” comes one name of your choice, and then the line ends: a letter, then letters or digits, "
                     "at most twelve in all. For example “{example} as skip1”.", example=KINDS[kind].example)  # fmt: skip
        raise SettingError(sentence)
    return words[:at], words[-1]


def _numbers(kind: str, spec: Kind, words: list[str]) -> tuple[tuple[int, ...], list[str]]:
    """The whole numbers that stand first, a size also written with crosses, and the words after them."""
    count = len(spec.numbers)
    texts, rest = words[:count], words[count:]
    if count > 1 and words and len(crossed := words[0].split("x")) == count:
        texts, rest = crossed, words[1:]
    if wrong := [text for text in texts if not re.fullmatch("[0-9]{1,6}", text)]:
        raise SettingError(_("{kind} needs whole numbers ({names}), and “{word}” is not one. For example “{example}”.",
                             kind=kind, names=_meanings(spec), word=quoted(wrong[0]), example=spec.example))  # fmt: skip
    if len(texts) < count:
        raise SettingError(_("{kind} needs whole numbers ({names}), and there are too few. For example “{example}”.",
                             kind=kind, names=_meanings(spec), example=spec.example))  # fmt: skip
    return tuple(_within(spec, name, int(text), text) for name, text in zip(spec.numbers, texts, strict=True)), rest


def _meanings(spec: Kind) -> str:
    return ", ".join(_(MEANINGS[name]) for name in spec.numbers)


def _other(kind: str, words: list[str]) -> tuple[str, list[str]]:
    """The name of the line that is joined, and what follows it."""
    if not words or not re.fullmatch(NAME, words[0]):
        raise SettingError(_("{kind} needs the name of an earlier line. For example “{example}”, where an earlier line "
                             "ends in “as e1”.", kind=kind, example=KINDS[kind].example))  # fmt: skip
    return words[0], words[1:]


def _with_word(line: Line, word: str) -> Line:
    spec = KINDS[line.kind]
    if word in spec.words:
        return line.saying(word)
    found = re.fullmatch("(in|[kspdg])=?([0-9]{1,7})", word)
    if not found or found[1] not in spec.options:
        raise SettingError(_not_known(line.kind, quoted(word)))
    letter, value = found[1], int(found[2])
    return line.having({letter: _within(spec, letter, value, word)})


def _not_known(kind: str, word: str) -> str:
    """What can stand in a line of the kind, where something else does."""
    spec = KINDS[kind]
    options = [f"{letter}{usual or 2} ({_(MEANINGS[letter])})" for letter, usual in spec.options.items()]
    allowed = ", ".join([*options, *spec.words])
    if not allowed:
        return _("{kind} does not know “{word}”. Only “as” and a name of your choice can follow. For example “{example}”.",
                 kind=kind, word=word, example=spec.example)  # fmt: skip
    return _("{kind} does not know “{word}”. What can follow: {allowed}; and at the end “as” and a name of your choice. For "
             "example “{example}”.", kind=kind, word=word, allowed=allowed, example=spec.example)  # fmt: skip


def _within(spec: Kind, name: str, value: int, word: str) -> int:
    """The number, where it can be that."""
    low, most = bounds_of(name)
    if not low <= value <= most:
        raise SettingError(_("“{word}” does not work: {meaning} is a number from {low} to {most}. For example “{example}”.",
                             word=word, meaning=_(MEANINGS[name]), low=low, most=most, example=spec.example))  # fmt: skip
    return value
