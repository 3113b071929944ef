"""The few controls of the Architectures page. What they choose stands in the session, and most of it in the address."""

import streamlit as st

from segdemo.errors import SettingError
from segdemo.features.history import Choice, architecture_of, setting_of
from segdemo.models import TITLES
from segdemo.text import N_, _
from segdemo.types import Size
from segdemo.ui.architectures_data import Request, families
from segdemo.ui.url import parse_input
from segdemo.ui.words import plain

__all__ = ["controls", "open_request", "requests"]

PRESETS = ("224", "256", "360x480", "512", "572", "1024")
MESSAGE_KEY = "input_message"
PAPERS_SIZE = N_("as in the paper")


def open_request(name: str) -> None:
    """Put a network on the page, as its paper has it."""
    st.session_state["net"] = name
    st.session_state["options"] = ""


def controls(name: str) -> None:
    """Variant, options, picture size, channels and classes, and the network beside it."""
    _drop_unknown_options(name)
    _variant(name)
    for choice in architecture_of(name).choices:
        _option(name, choice)
    _size(name)
    registered = [n for _entry, names in families() for n in names]
    st.selectbox(
        _("Compare with"), ["", *(n for n in registered if n != name)], key="beside", persist_state="session",
        format_func=lambda n: TITLES[n] if n else _("nothing"),
        help=_("Lays a second network beside this one, as its paper has it."),
    )  # fmt: skip
    _ends(name)


def requests(name: str, beside: str) -> tuple[Request, Request]:
    """What the controls ask for: the chosen network with its options, and the other as its paper has it."""
    typed = _typed_size()
    first, second = Request.of_paper(name), Request.of_paper(beside or name)
    options = {**dict(first.options), **_chosen_options(name)}
    channels = st.session_state.get(f"channels_{name}", first.in_channels)
    classes = st.session_state.get(f"classes_{name}", first.num_classes)
    return (
        Request(name, typed or first.size, channels, classes, tuple(options.items())),
        Request(second.name, typed or second.size, second.in_channels, second.num_classes, second.options),
    )


def _variant(name: str) -> None:
    entry, names = next((entry, names) for entry, names in families() if name in names)
    if len(names) < 2:
        return
    key = f"variant_{names[0]}"
    st.session_state[key] = name
    st.selectbox(
        _("Variant"), names, key=key, format_func=lambda n: TITLES[n].removeprefix(f"{entry.title} · "),
        on_change=_variant_changed, args=(key,), help=_("Networks of one family, which differ in size or in one part."),
    )  # fmt: skip


def _variant_changed(key: str) -> None:
    st.session_state["net"] = st.session_state[key]


def _option(name: str, choice: Choice) -> None:
    """One option of the model; the state is the text that stands in the address."""
    key = f"option_{name}_{choice.option}"
    paper = setting_of(name).options.get(choice.option, choice.values[0])
    st.session_state[key] = _chosen_options(name).get(choice.option, paper)
    words = {True: _("yes"), False: _("no"), "paper": _("as in the paper"), "same": _("same size"), "valid": _("none (valid)")}
    st.selectbox(
        _(choice.label), choice.values, key=key, on_change=_option_changed, args=(name, choice.option, key),
        format_func=lambda value: words.get(value, str(value)) if isinstance(value, bool | str) else str(value),
        help=_("An option of this network; the drawing and all numbers follow."),
    )  # fmt: skip


def _option_changed(name: str, option: str, key: str) -> None:
    chosen = {**_chosen_options(name), option: st.session_state[key]}
    paper = {c.option: setting_of(name).options.get(c.option, c.values[0]) for c in architecture_of(name).choices}
    st.session_state["options"] = ",".join(f"{o}:{v}" for o, v in chosen.items() if v != paper[o])


def _chosen_options(name: str) -> dict[str, str | int | bool]:
    """The options in the session's text that this network has, with their values; others are left out."""
    chosen: dict[str, str | int | bool] = {}
    pairs = dict(part.split(":", 1) for part in str(st.session_state.get("options", "")).split(",") if ":" in part)
    for choice in architecture_of(name).choices:
        for value in choice.values:
            if pairs.get(choice.option) == str(value):
                chosen[choice.option] = value
    return chosen


def _drop_unknown_options(name: str) -> None:
    """Options in the address that this network does not have are said once and then left out."""
    chosen = _chosen_options(name)
    if len(list(filter(None, str(st.session_state.get("options", "")).split(",")))) > len(chosen):
        known = ", ".join(f"{c.option} ({', '.join(map(str, c.values))})" for c in architecture_of(name).choices)
        st.warning(plain(_("{title} has these options: {options}.", title=TITLES[name], options=known or _("none")), 300))
        st.session_state["options"] = ",".join(f"{option}:{value}" for option, value in chosen.items())


def _size(name: str) -> None:
    current = st.session_state.get("input", "")
    height, width = setting_of(name).size
    # The words for the paper's size are the same for all networks: the browser sends back what it shows, also late.
    st.selectbox(
        _("Picture size"), list(dict.fromkeys(["", *PRESETS, current])), key="input", persist_state="session",
        accept_new_options=True, on_change=_size_changed,
        format_func=lambda text: text.replace("x", " × ") if text else _(PAPERS_SIZE),
        help=_("Height and width in pixels; the paper has {size}. Choose one, or type your own, such as 300 or 300x400.",
               size=f"{height} × {width}"),
    )  # fmt: skip
    if message := st.session_state.pop(MESSAGE_KEY, ""):
        st.warning(message)


def _size_changed() -> None:
    """What was typed is checked at once; what cannot be a size is said and not kept."""
    typed = str(st.session_state["input"] or "")
    try:
        text = "" if typed == _(PAPERS_SIZE) else typed.lower().replace(" ", "").replace("×", "x")
        st.session_state["input"] = parse_input(text)
    except SettingError as error:
        st.session_state[MESSAGE_KEY] = plain(str(error), 200)
        st.session_state["input"] = ""


def _typed_size() -> Size | None:
    text = str(st.session_state.get("input") or "")
    if not text:
        return None
    height, _sign, width = text.partition("x")
    return int(height), int(width or height)


def _ends(name: str) -> None:
    paper = setting_of(name)
    for key, value in ((f"channels_{name}", paper.in_channels), (f"classes_{name}", paper.num_classes)):
        st.session_state.setdefault(key, value)
    with st.popover(_("Channels and classes"), width="stretch"):
        st.number_input(_("Input channels"), 1, 16, key=f"channels_{name}", persist_state="session",
                        help=_("3 for colour pictures, 1 for grey ones."))  # fmt: skip
        st.number_input(_("Classes"), 1, 1000, key=f"classes_{name}", persist_state="session",
                        help=_("How many logits every position gets."))  # fmt: skip
