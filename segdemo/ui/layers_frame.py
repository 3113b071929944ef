"""What all views of the Layers page share: two sentences, the theatre, a question to predict, the explanation."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from segdemo.layerlab.scene import Scene, scene_data
from segdemo.text import _
from segdemo.ui.components import cell_theatre
from segdemo.ui.layers_cell import cell_setting, keep_cell, settings_without_cell
from segdemo.ui.layers_colours import cell_scales
from segdemo.ui.layers_parameter import key_of, short_number
from segdemo.ui.layers_settings import switch_setting
from segdemo.ui.layers_typed import LARGEST_TYPED

__all__ = [
    "Frame", "asked", "cover", "explain", "framed", "introduce", "predict", "reasons", "theatre", "two_columns",
    "wants_to_predict",
]  # fmt: skip

Edit = Callable[[int, int, int, float], None]
THEATRE = "layers_theatre"  # the one of a view
COVER_HEIGHT = 300  # pixels of what stands in for a hidden chart


@dataclass(frozen=True)
class Frame:
    """Where the pieces of a view go: `top` is the row above the stage, `place` the stage, `side` the column of the controls."""

    top: DeltaGenerator
    place: DeltaGenerator
    side: DeltaGenerator


def introduce(text: str) -> None:
    """The two sentences above a view."""
    with st.container(key="layers_lead"):
        st.markdown(text)


def framed() -> Frame:
    """The wide column of the theatre with a row above it, and the narrow column of its controls."""
    stage, side = st.columns([7, 2], gap="medium")
    with stage:
        top = st.container(horizontal=True, vertical_alignment="center", gap="small")
        place = st.container()
    return Frame(top, place, side.container(key="layers_side"))


def two_columns() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Places for two narrow controls side by side, in the column of the controls; the style keeps them so on a phone."""
    left, right = st.columns(2, gap="small")
    return left, right


def reasons(sentences: Sequence[str]) -> None:
    """Why sliders end where they do, once each."""
    if found := list(dict.fromkeys(filter(None, sentences))):
        st.caption(" ".join(found))


def theatre(
    scene: Scene, *, label: str, covered: bool = False, editable: Sequence[int] = (), on_edit: Edit | None = None,
    autoplay: bool = True, speed: float = 2.0, most: float = LARGEST_TYPED,
) -> None:  # fmt: skip
    """The scene, drawn and animated in the browser.

    covered: the target is hidden behind a question mark, with the arithmetic and the formula. editable: numbers of the grids
    whose cells can be typed over; on_edit(grid, row, column, value) is then called. speed: steps a second at the start.
    most: numbers from −most to most can be typed. The cell at which it stands still is the setting `cell`.
    """
    data: dict[str, Any] = scene_data(scene)
    data |= {
        "label": label, "words": _words(most), "cell": cell_setting(scene),
        "scales": cell_scales(), "autoplay": autoplay, "speed": speed, "covered": covered,
        "editable": [*editable],
    }  # fmt: skip

    def last(event: str) -> dict[str, Any] | None:
        """What the theatre told; nothing where it came late, from one that is no longer shown."""
        told: dict[str, Any] | None = st.session_state.get(THEATRE, {}).get(event)
        return told

    def edited() -> None:
        if (change := last("edited")) and on_edit:
            on_edit(int(change["grid"]), int(change["row"]), int(change["col"]), float(change["value"]))

    def stood() -> None:
        if change := last("stood"):
            keep_cell(str(change["cell"]))

    cell_theatre(key=THEATRE, data=data, on_edited_change=edited, on_stood_change=stood)


def _words(most: float) -> dict[str, str]:
    return {
        "play": _("Play (space)"), "pause": _("Pause (space)"), "back": _("One step back"), "onward": _("One step forward"),
        "speed": _("Steps per second"), "perSecond": _("{n} per second"), "steps": _("Step"),
        "place": _("row {row}, column {column}"), "column": _("column {column}"), "border": _("border"),
        "noNumber": _("That is not a number. Numbers from −{most} to {most} can be typed; nothing was changed.",
                      most=short_number(most)),
        "covered": _("What comes out? Predict first."),
        "hint": _("Hover a cell: what makes it, what it feeds. Arrows walk, Page ↑↓ changes the grid, space plays (rows and "
                  "columns count from 0)."),
        "keys": _("Arrow keys go from cell to cell, Page up and Page down to the previous and next grid, Home and End to a "
                  "grid's first and last cell. Space plays, Escape releases a cell."),
        "keysEdit": _("Enter changes a number."), "each": _("each times {weight}"),
        "touch": _("Tap a cell: what it is made of, or what it feeds (rows and columns count from 0)."),
        "edit": _("Double-click or Enter changes a number."), "editTouch": _("Tap it again to change its number."),
        "value": _("New value"), "feeds": _("{value} feeds {n} cells of the output"),
        "feedsOne": _("{value} feeds one cell of the output"), "feedsNone": _("{value} feeds no cell of the output"),
        "meets": _("{value} meets {n} cells of the input"), "repeats": _("padding, repeats {place}"),
        "zero": _("padding, always 0"), "never": _("padding, −∞: it never wins"), "outside": _("no cell, and not counted"),
        "products": _("Products"), "code": _("The same in PyTorch"), "copy": _("Copy"), "copied": _("Copied"),
    }  # fmt: skip


def wants_to_predict() -> bool:
    """The switch of the optional question."""
    return switch_setting(
        "predict", _("Predict first"), help=_("Hides the result until you have guessed it. A link keeps this too.")
    )


def predict(question: str, choices: Mapping[str, str], answer: str, why: str, about: str | None = None) -> bool:
    """A question about the output; whether the output has to stay covered until it is answered.

    choices: what can be chosen, by key; answer: the right key; why: the sentence that explains it. Another setting asks anew;
    where only some of them matter, `about` is what they say, and the others leave the answer as it is.
    """
    key = f"{key_of('guess')}_{settings_without_cell() if about is None else about}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(question, width="content")
        chosen = st.pills(question, list(choices), key=key, format_func=lambda c: choices[c], label_visibility="collapsed")
    if chosen is None:
        return True
    if chosen == answer:
        st.success(f"{_('Right.')} {why}", icon=":material/check_circle:")
    else:
        said = _("You chose {guess}; the answer is {answer}.", guess=choices[chosen], answer=choices[answer])
        st.info(f"{said} {why}", icon=":material/lightbulb:")
    return False


def asked(
    top: DeltaGenerator, question: str, choices: Mapping[str, str], answer: str, why: str, about: str | None = None
) -> bool:  # fmt: skip
    """The switch of the question in the row at the top, and the question; whether the result has to stay covered."""
    with top:
        asking = wants_to_predict()
    return asking and predict(question, choices, answer, why, about)


def cover() -> None:
    """What stands where a chart will be once the question is answered."""
    with st.container(border=True, height=COVER_HEIGHT, horizontal_alignment="center", vertical_alignment="center"):
        st.markdown(_("**Answer the question above to see it.**"), width="content")


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
