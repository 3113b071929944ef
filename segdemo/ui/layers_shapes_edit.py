"""Editing the network of the Shape walk: one line by its controls, or all of them as text."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from segdemo.errors import SettingError
from segdemo.layerlab.shape_language import KINDS, LIMITS, MOST_LINES, Line, check_name, parse_lines, write_lines
from segdemo.text import _
from segdemo.ui.layers_settings import key_of
from segdemo.ui.layers_shapes_state import can_undo, choose, replace_lines, undo

__all__ = ["edit_as_text", "edit_line"]

USUAL_NUMBERS = {"input": (3, 64, 64), "conv": (32,), "upconv": (32,), "linear": (10,)}
Lines = Sequence[Line]


def edit_line(lines: Lines, at: int) -> None:
    """The controls of the line that is looked at, and the buttons that move, add and remove lines."""
    if lines:
        _controls(lines, at)
    with st.container(horizontal=True, gap="small"):
        _button("add", _("Add"), _("A line below this one."), len(lines) < MOST_LINES and bool(lines), lambda: _add(lines, at))
        _button("up", _("Up"), _("Moves the line up."), at > 1, lambda: _swap(lines, at, at - 1))
        _button("down", _("Down"), _("Moves the line down."), 0 < at < len(lines) - 1, lambda: _swap(lines, at, at + 1))
        _button("remove", _("Remove"), _("Takes the line away."), at > 0, lambda: _remove(lines, at))
        _button("undo", _("Undo"), _("Back to before the last change."), can_undo(), undo)


def _button(name: str, label: str, tip: str, can: bool, act: object) -> None:
    st.button(label, key=key_of(name), help=tip, disabled=not can, on_click=act)  # type: ignore[arg-type]


def _controls(lines: Lines, at: int) -> None:
    line, spec = lines[at], KINDS[lines[at].kind]
    names = [line.name for line in lines[:at] if line.name]
    kinds = ["input"] if at == 0 else [name for name, kind in KINDS.items() if name != "input" and (names or not kind.joins)]
    if line.kind not in kinds:
        kinds.append(line.kind)
    _widget("kind", line.kind)
    st.selectbox(_("Line {n}", n=at + 1), kinds, key=key_of("kind"), format_func=lambda name: _(KINDS[name].title),
                 on_change=lambda: _changed(lines, at, _of_kind(st.session_state[key_of("kind")], line, names)),
                 help=_("What this line does."))  # fmt: skip
    fields = [*spec.numbers, *spec.options]
    for left in range(0, len(fields), 3 if len(spec.numbers) == 3 else 2):
        row = fields[left : left + (3 if len(spec.numbers) == 3 else 2)]
        for column, name in zip(st.columns(len(row)) if len(row) > 1 else [st.container()], row, strict=True):
            with column:
                _number(lines, at, name)
    if spec.joins:
        _widget("other", line.other if line.other in names else None)
        st.selectbox(_("With line"), names, key=key_of("other"), help=_("An earlier line that has a name."),
                     on_change=lambda: _changed(lines, at, replace(line, other=st.session_state[key_of("other")])))  # fmt: skip
    if spec.words:
        _words_of(lines, at)
    _name(lines, at)


def _widget(name: str, value: object) -> None:
    st.session_state[key_of(name)] = value


def _number(lines: Lines, at: int, name: str) -> None:
    line, spec = lines[at], KINDS[lines[at].kind]
    labels = {
        "channels": _("Channels"), "height": _("Height"), "width": _("Width"), "out": _("Out"), "k": _("Kernel"),
        "s": _("Stride"), "p": _("Padding"), "d": _("Dilation"), "g": _("Groups"), "in": _("Expects"),
    }  # fmt: skip
    place = spec.numbers.index(name) if name in spec.numbers else None
    value = line.numbers[place] if place is not None else line.option(name)
    key = key_of(f"number_{name}")
    st.session_state[key] = value
    low = 0 if name in ("p", "in") else 1
    tip = _("How much has to arrive; 0: whatever does.") if name == "in" else None
    most = LIMITS["side" if name in ("height", "width") else name]

    def changed() -> None:
        new = int(st.session_state[key])
        numbers = (*line.numbers[:place], new, *line.numbers[place + 1 :]) if place is not None else line.numbers
        options = {} if place is not None else {"in_" if name == "in" else name: new}
        _changed(lines, at, replace(line, numbers=numbers).having(**options))

    label = _("Factor") if line.kind == "upsample" and name == "s" else labels[name]
    st.number_input(label, low, most, key=key, on_change=changed, help=tip)


def _words_of(lines: Lines, at: int) -> None:
    line, spec = lines[at], KINDS[lines[at].kind]
    words = {
        "nobias": _("no bias"), "bn": _("batch norm"), "relu": _("ReLU"), "ceil": _("ceil"), "bilinear": _("bilinear"),
        "crop": _("crop"), "pad": _("pad"),
    }  # fmt: skip
    _widget("words", list(line.words))

    def changed() -> None:
        said = set(st.session_state[key_of("words")])
        if spec.joins and len(said) > 1:  # one or the other
            said -= set(line.words)
        _changed(lines, at, replace(line, words=tuple(word for word in spec.words if word in said)))

    st.pills(_("And"), spec.words, selection_mode="multi", key=key_of("words"), format_func=lambda word: words[word],
             on_change=changed, help=_("What else this line does."))  # fmt: skip


def _name(lines: Lines, at: int) -> None:
    line, key = lines[at], key_of("name")
    st.session_state[key] = line.name

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
    options = {f"{k}_" if k == "in" else k: v for k, v in before.options if k in spec.options and k != "in"}
    words = tuple(word for word in spec.words if word in before.words)
    return replace(
        Line(kind, numbers, name=before.name, words=words, other=names[-1] if spec.joins and names else "").having(**options)
    )


def _changed(lines: Lines, at: int, line: Line) -> None:
    replace_lines((*lines[:at], line, *lines[at + 1 :]))


def _add(lines: Lines, at: int) -> None:
    new = Line("relu") if lines[at].kind in ("flatten", "linear") else Line("conv", (32,), (("p", 1),), ("relu",))
    replace_lines((*lines[: at + 1], new, *lines[at + 1 :]), at + 1)


def _swap(lines: Lines, at: int, to: int) -> None:
    moved = [*lines]
    moved[at], moved[to] = moved[to], moved[at]
    replace_lines(moved, to)


def _remove(lines: Lines, at: int) -> None:
    replace_lines((*lines[:at], *lines[at + 1 :]), at - 1)


def edit_as_text(lines: Lines) -> None:
    """All lines as text. What cannot be read is said, and stays in the box."""
    key, shown = key_of("text"), key_of("text_of")
    if st.session_state.get(shown) != write_lines(lines) or key not in st.session_state:
        st.session_state[key] = st.session_state[shown] = write_lines(lines)
    st.text_area(_("Lines"), key=key, height=340, persist_state="session", on_change=lambda: _read(lines), help=_(
        "One layer a line. Control and Enter apply it."))  # fmt: skip
    with st.popover(_("The words"), icon=":material/help:", width="stretch"):
        st.markdown(_words_table())


def _read(lines: Lines) -> None:
    try:
        new = parse_lines(st.session_state[key_of("text")])
    except SettingError as error:
        st.session_state[key_of("refused")] = str(error)
        return
    if new != tuple(lines):
        replace_lines(new)
        choose(0)


def _words_table() -> str:
    rows = []
    for name, spec in KINDS.items():
        parts = [
            *spec.numbers,
            *(["e1"] if spec.joins else []),
            *(f"{o}{usual or ''}" for o, usual in spec.options.items()),
            *spec.words,
        ]
        rows.append(f"`{' '.join([name, *parts])}`  \n{_(spec.title)}")
    return "\n\n".join([*rows, _("`as e1` at the end of a line gives it a name. After # a remark may stand.")])
