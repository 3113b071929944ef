"""The controls of one line of the Shape walk: what it does, its numbers, its words, the line it joins, its name."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from segdemo.errors import SettingError
from segdemo.layerlab.shape_language import KINDS, Line, bounds_of
from segdemo.layerlab.shape_reading import check_name
from segdemo.text import _
from segdemo.ui.layers_parameter import key_of
from segdemo.ui.layers_shapes_state import replace_lines

__all__ = ["line_controls"]

USUAL_NUMBERS = {"input": (3, 64, 64), "conv": (32,), "upconv": (32,), "linear": (10,)}
Lines = Sequence[Line]


def line_controls(lines: Lines, at: int) -> None:
    """The controls of line `at`, from 0; each change makes another network."""
    line, spec = lines[at], KINDS[lines[at].kind]
    names = [line.name for line in lines[:at] if line.name]
    kinds = ["input"] if at == 0 else [name for name, kind in KINDS.items() if name != "input" and (names or not kind.joins)]
    if line.kind not in kinds:
        kinds.append(line.kind)
    key = _widget("kind", at, line.kind)
    st.selectbox(_("Line {n}", n=at + 1), kinds, key=key, format_func=lambda name: _(KINDS[name].title),
                 on_change=lambda: _changed(lines, at, _of_kind(st.session_state[key], line, names)),
                 help=_("What this line does."))  # fmt: skip
    fields = [*spec.numbers, *spec.options]
    for left in range(0, len(fields), 3 if len(spec.numbers) == 3 else 2):
        row = fields[left : left + (3 if len(spec.numbers) == 3 else 2)]
        for column, name in zip(st.columns(len(row)) if len(row) > 1 else [st.container()], row, strict=True):
            with column:
                _number(lines, at, name)
    if spec.joins:
        joined = _widget("other", at, line.other if line.other in names else None)
        st.selectbox(_("With line"), names, key=joined, help=_("An earlier line that has a name."),
                     on_change=lambda: _changed(lines, at, replace(line, other=st.session_state[joined])))  # fmt: skip
    if spec.words:
        _words_of(lines, at)
    _name(lines, at)


def _key(name: str, at: int) -> str:
    """Of a control of line `at`. Lines have controls of their own: what the browser still sends of those of a line that was just
    left says nothing of the next."""
    return key_of(f"{name}_{at + 1}")


def _widget(name: str, at: int, value: object) -> str:
    """The control's key, after it was given the value."""
    key = _key(name, at)
    st.session_state[key] = value
    return key


def _number(lines: Lines, at: int, name: str) -> None:
    line, spec = lines[at], KINDS[lines[at].kind]
    labels = {
        "channels": _("Channels"), "height": _("Height"), "width": _("Width"), "out": _("Out"), "k": _("Kernel"),
        "s": _("Stride"), "p": _("Padding"), "d": _("Dilation"), "g": _("Groups"), "in": _("Expects"),
    }  # fmt: skip
    place = spec.numbers.index(name) if name in spec.numbers else None
    value = line.numbers[place] if place is not None else line.option(name)
    key = _widget(f"number_{name}", at, value)
    low, most = bounds_of(name)
    low = 0 if name == "in" else low
    tip = _("How many have to arrive; 0: any number.") if name == "in" else None

    def changed() -> None:
        new = int(st.session_state[key])
        numbers = (*line.numbers[:place], new, *line.numbers[place + 1 :]) if place is not None else line.numbers
        options = {} if place is not None else {name: new}
        _changed(lines, at, replace(line, numbers=numbers).having(options))

    label = _("Factor") if line.kind == "upsample" and name == "s" else labels[name]
    st.number_input(label, low, most, key=key, on_change=changed, help=tip)


def _words_of(lines: Lines, at: int) -> None:
    line, spec = lines[at], KINDS[lines[at].kind]
    words = {
        "nobias": _("no bias"), "bn": _("batch norm"), "relu": _("ReLU"), "ceil": _("ceil"), "bilinear": _("bilinear"),
        "crop": _("crop"), "pad": _("pad"),
    }  # fmt: skip
    key = _widget("words", at, list(line.words))

    def changed() -> None:
        said = set(st.session_state[key])
        if spec.joins and len(said) > 1:  # one or the other
            said -= set(line.words)
        _changed(lines, at, replace(line, words=tuple(word for word in spec.words if word in said)))

    st.pills(_("And"), spec.words, selection_mode="multi", key=key, format_func=lambda word: words[word],
             on_change=changed, help=_("What else this line does."))  # fmt: skip


def _name(lines: Lines, at: int) -> None:
    line = lines[at]
    key = _widget("name", at, line.name)

    def changed() -> None:
        try:
            name = check_name(st.session_state[key])
        except SettingError as error:
            st.session_state[key_of("refused")] = str(error)
            return
        joining = [replace(o, other=name) if o.other == line.name and line.name and name else o for o in lines]
        joining[at] = replace(lines[at], name=name)
        replace_lines(joining)

    st.text_input(_("Name"), key=key, max_chars=12, placeholder="e1", on_change=changed,
                  help=_("Later lines can be joined with a line that has a name."))  # fmt: skip


def _of_kind(kind: str, before: Line, names: Sequence[str]) -> Line:
    """A line of another kind that keeps what both know."""
    spec = KINDS[kind]
    numbers = before.numbers if len(before.numbers) == len(spec.numbers) else USUAL_NUMBERS.get(kind, ())
    options = {letter: value for letter, value in before.options if letter in spec.options and letter != "in"}
    words = tuple(word for word in spec.words if word in before.words)
    return replace(
        Line(kind, numbers, name=before.name, words=words, other=names[-1] if spec.joins and names else "").having(options)
    )


def _changed(lines: Lines, at: int, line: Line) -> None:
    replace_lines((*lines[:at], line, *lines[at + 1 :]))
