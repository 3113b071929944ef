"""What is judged on: pictures that are drawn, the visitor's own with their masks, or a ZIP."""

import hashlib
from dataclasses import replace
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from segdemo.data.open_set import open_data_set
from segdemo.data.uploaded_set import MAX_PAIRS
from segdemo.errors import SegdemoError, SettingError
from segdemo.evaluation.candidate import Candidate, entry_of
from segdemo.evaluation.data_set import LabelledSet, from_generator, from_pairs
from segdemo.evaluation.label_space import space_of_data
from segdemo.inference.cache import BoundedCache
from segdemo.text import _
from segdemo.ui.compare_scores_own import choose_own
from segdemo.ui.compare_scores_run import ChosenSet
from segdemo.ui.training_data import LAYOUT, example_zip, keep_zip
from segdemo.ui.words import plain

__all__ = ["choose_set"]

KINDS = ("generated", "own", "zip")
ZIP_KEY = "scores_zip"
MAX_CLASS_NAME = 40
MAX_CLASSES_TEXT = 2000
_sets: BoundedCache[tuple[str, tuple[str, ...]], LabelledSet] = BoundedCache(8, lambda _data: 1)


def choose_set(candidates: tuple[Candidate, ...]) -> ChosenSet | None:
    """The controls, and the set; None, with what to do, where there is none yet."""
    words = {"generated": _("Generated set"), "own": _("My pictures"), "zip": _("A ZIP")}
    with st.container(horizontal=True, vertical_alignment="center", key="scores_judged_on"):
        st.markdown(f"**{_('Judged on')}**", width="content")
        kind = st.segmented_control(
            _("Judged on"), KINDS, key="scores_data", default="generated", persist_state="session", required=True,
            format_func=lambda name: words[name], label_visibility="collapsed",
            help=_("Pictures whose truth is known: drawn ones, your own with masks, or a ZIP of images and masks."),
        )  # fmt: skip
        note = st.container()
    try:
        chosen = {"generated": _generated, "own": choose_own, "zip": _zip}[kind or "generated"](candidates)
    except SegdemoError as error:
        st.error(plain(str(error), 600), icon=":material/folder_off:")
        if kind == "zip":
            _explain()
        return None
    if chosen is not None:
        note.caption(_described(kind or "generated", chosen))
    return chosen


def _described(kind: str, chosen: ChosenSet) -> str:
    count = len(chosen.data)
    if kind == "generated":
        if chosen.key == "shapes":
            return _("{n} drawn scenes of shapes with exact masks; no network was trained on them.", n=count)
        return _("{n} drawn micrographs with exact masks; no network was trained on them.", n=count)
    left_out = len(chosen.data.left_out)
    found = _("{n} pictures with their truth", n=count)
    return found + (" · " + _("{n} files left out", n=left_out) if left_out else "")


def _generated(candidates: tuple[Candidate, ...]) -> ChosenSet:
    """The drawn set whose classes most of the candidates know."""
    entries = list({candidate.weights_id: entry_of(candidate) for candidate in candidates}.values())
    names = min(("nuclei", "shapes"), key=lambda name: len(space_of_data(entries, _drawn(name).class_names).refused))
    return ChosenSet(names, _drawn(names), names)


def _drawn(name: str) -> LabelledSet:
    return from_generator(open_data_set(name))  # type: ignore[arg-type]  # of these names it is a generator


def _zip(_candidates: tuple[Candidate, ...]) -> ChosenSet | None:
    """The ZIP that was dropped last; it is kept on disk, so that it is still there after a look at another page."""
    left, right = st.columns([3, 2], gap="medium")
    upload = left.file_uploader(
        _("Images and masks in a ZIP"), type=["zip"], key="scores_upload",
        help=_("Folders images/ and masks/ with the same names, or cell.png beside cell_mask.png, nested as you like. "
               "Masks: class numbers, black and white, or one colour a class."),
    )  # fmt: skip
    if upload is not None and st.session_state.get(ZIP_KEY, ("", "", ""))[0] != upload.file_id:
        st.session_state[ZIP_KEY] = (upload.file_id, str(keep_zip(upload.getvalue())), upload.name)
    if ZIP_KEY not in st.session_state:
        _explain()
        return None
    _file_id, kept, name = st.session_state[ZIP_KEY]
    if not Path(kept).is_file():
        raise SettingError(_("{name} is not kept any more: drop it again.", name=plain(name)))
    if upload is None:
        left.caption(_("Kept from before: {name}", name=plain(name)))
    found = _checked(kept, ())
    with right:
        names = _names(kept, found.class_names)
    data = found if names == found.class_names else _checked(kept, names)
    short = Path(name.replace("\\", "/")).name[-120:] or "data.zip"
    given = names if names != found.class_names else ()
    return ChosenSet(kept, replace(data, name=short), short, given)


def _checked(path: str, names: tuple[str, ...]) -> LabelledSet:
    """Every pair looked at once, for all visitors who bring the same."""
    known = _sets.get((path, names))
    if known is not None:
        return known
    words = _("Checking every pair …")
    bar = st.progress(0.0, words)
    try:
        found = from_pairs(Path(path), class_names=names, on_progress=lambda share: _tell(bar, share, words))
    finally:
        bar.empty()
    _sets.put((path, names), found)
    return found


def _tell(bar: DeltaGenerator, share: float, words: str) -> None:
    bar.progress(min(1.0, share), words)


def _names(path: str, found: tuple[str, ...]) -> tuple[str, ...]:
    """What the visitor calls the classes. Networks are told by these names which class is which."""
    key = "scores_classes_" + hashlib.sha256(repr((path, found)).encode()).hexdigest()[:16]
    text = st.text_input(
        _("Class names, background first"), ", ".join(found), key=key, max_chars=MAX_CLASSES_TEXT,
        help=_("Separated by commas, in the order of the masks' numbers. A network is judged on the classes whose names it "
               "knows, such as: background, nucleus."),
    )  # fmt: skip
    names = tuple("".join(c for c in word if c.isprintable()).strip()[:MAX_CLASS_NAME] for word in text.split(","))
    if len(names) != len(found) or not all(names):
        st.error(_("There are {n} classes, and {k} names.", n=len(found), k=len([name for name in names if name])),
                 icon=":material/error:")  # fmt: skip
        return found
    return names


def _explain() -> None:
    """What a ZIP should hold, and one to try it with."""
    st.info(_("Drop a ZIP with images and masks into its field. What does not fit is named and left out; the rest is scored."),
            icon=":material/folder_zip:")  # fmt: skip
    st.code(LAYOUT, language=None)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(_("An example"), example_zip, "cells.zip", "application/zip", key="scores_example",
                           icon=":material/download:", on_click="ignore",
                           help=_("Ten drawn micrographs with their masks."))  # fmt: skip
        st.caption(_("Masks hold class numbers, black and white, or one colour for each class, and are as large as their "
                     "images. Up to {pairs} pairs; larger sets, and folders, on the command line.", pairs=MAX_PAIRS))  # fmt: skip
