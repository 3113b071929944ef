"""What all views of the Layers page share: two sentences, the theatre, a question to predict, the link, the explanation."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from segdemo.features.colour import STEPS, palette
from segdemo.layerlab.scene import Scene, scene_data
from segdemo.text import _
from segdemo.ui.components import cell_theatre
from segdemo.ui.layers_settings import key_of, settings_text
from segdemo.ui.url import address

__all__ = ["explain", "introduce", "link_to_view", "predict", "stage_and_side", "theatre", "wants_to_predict"]

Edit = Callable[[int, int, int, float], None]


def introduce(text: str) -> None:
    """The two sentences above a view."""
    st.markdown(text)


def stage_and_side() -> tuple[DeltaGenerator, DeltaGenerator]:
    """The wide column of the theatre, and the narrow one of its controls."""
    stage, side = st.columns([7, 2], gap="medium")
    return stage, side


def theatre(
    scene: Scene, key: str, *, label: str, covered: bool = False, editable: Sequence[int] = (), on_edit: Edit | None = None,
    autoplay: bool = True, speed: float = 2.0,
) -> None:  # fmt: skip
    """The scene, drawn and animated in the browser.

    covered: the target is hidden behind a question mark, with the arithmetic and the formula. editable: numbers of the grids
    whose cells can be typed over; on_edit(grid, row, column, value) is then called. speed: steps a second at the start.
    """
    data: dict[str, Any] = scene_data(scene)
    data |= {
        "label": label, "words": _words(), "scales": _scales(), "autoplay": autoplay, "speed": speed, "covered": covered,
        "editable": [*editable],
    }  # fmt: skip

    def edited() -> None:
        change = st.session_state[key].get("edited")
        if change and on_edit:
            on_edit(int(change["grid"]), int(change["row"]), int(change["col"]), float(change["value"]))

    cell_theatre(key=key, data=data, on_edited_change=edited)


@lru_cache(maxsize=1)
def _scales() -> dict[str, list[list[int]]]:
    """The colours of signed numbers, around zero, and of counts, from zero; the same as on the Feature maps page."""
    steps = np.linspace(0, STEPS - 1, 33).round().astype(int)
    return {"signed": palette("diverging")[steps].tolist(), "count": palette("sequential")[steps].tolist()}


def _words() -> dict[str, str]:
    return {
        "play": _("Play (space)"), "pause": _("Pause (space)"), "back": _("One step back"), "onward": _("One step on"),
        "speed": _("Steps a second"), "perSecond": _("{n} a second"), "steps": _("Step"),
        "place": _("row {row}, column {column}"), "covered": _("What comes out? Predict first."),
        "hint": _("Hover a cell: what it is made of, or what it feeds. Arrows walk, space plays."),
        "touch": _("Tap a cell: what it is made of, or what it feeds."),
        "edit": _("Double-click or Enter changes a number."), "editTouch": _("Tap it again to change its number."),
        "value": _("New value"), "feeds": _("{value} feeds {n} cells of the output"),
        "feedsOne": _("{value} feeds one cell of the output"), "feedsNone": _("{value} feeds no cell of the output"),
        "meets": _("{value} meets {n} cells of the input"), "repeats": _("padding, repeats row {row}, column {column}"),
        "zero": _("padding, always 0"), "never": _("padding, −∞: it never wins"), "outside": _("no cell, and not counted"),
        "products": _("Products"), "code": _("The same in PyTorch"), "copy": _("Copy"), "copied": _("Copied"),
    }  # fmt: skip


def wants_to_predict() -> bool:
    """The switch of the optional question."""
    return st.toggle(
        _("Predict first"), key=key_of("predict"), persist_state="session", help=_("Hides the result until you have guessed it.")
    )


def predict(question: str, choices: Mapping[str, str], answer: str, why: str) -> bool:
    """A question about the output; whether the output has to stay covered until it is answered.

    choices: what can be chosen, by key; answer: the right key; why: the sentence that explains it. Another setting asks anew.
    """
    key = f"{key_of('guess')}_{settings_text()}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(question, width="content")
        chosen = st.pills(question, list(choices), key=key, format_func=lambda c: choices[c], label_visibility="collapsed")
    if chosen is None:
        return True
    if chosen == answer:
        st.success(f"{_('Right.')} {why}", icon=":material/check_circle:")
    else:
        st.info(f"{_('It is {answer}.', answer=choices[answer])} {why}", icon=":material/lightbulb:")
    return False


def link_to_view(short: bool = False) -> None:
    """The address that restores the view exactly, ready to copy. short: of few words, where the row is full."""
    with st.popover(
        _("Link") if short else _("Link to this view"), icon=":material/link:", help=_("An address with all the settings.")
    ):
        st.code(address(), language=None, wrap_lines=True)


def explain(text: str, formulas: Sequence[str], papers: Sequence[tuple[str, str]], sources: Sequence[Callable[..., Any]]) -> None:
    """Folded under a view: words (Markdown), formulas (LaTeX), papers (title, address; "" for none), our own source."""
    with st.expander(
        _("Formula, meaning, paper and source"), icon=":material/menu_book:", key=key_of("explained"), on_change="rerun"
    ) as box:
        if not box.open:
            return
        left, right = st.columns([5, 6], gap="large")
        with left:
            for formula in formulas:
                st.latex(formula)
            for title, link in papers:
                st.caption(f"[{title}]({link})" if link else title)
        with right:
            st.markdown(text)
        for module, code in _source_files(sources).items():
            st.caption(_("`{path}`, as it runs here", path=module))
            st.code(code, language="python")


def _source_files(functions: Sequence[Callable[..., Any]]) -> dict[str, str]:
    """Source of the functions by the file they are in."""
    found: dict[str, str] = {}
    for function in functions:
        path = function.__module__.replace(".", "/") + ".py"
        found[path] = "\n\n".join(filter(None, [found.get(path, ""), inspect.getsource(function)]))
    return found
