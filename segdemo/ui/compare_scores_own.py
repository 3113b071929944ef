"""The visitor's own pictures, and the chosen sample, as a set: those whose truth is known."""

import hashlib
from collections.abc import Sequence

import streamlit as st

from segdemo.data.pairing import pair_up
from segdemo.errors import SegdemoError
from segdemo.evaluation.candidate import Candidate, entry_of
from segdemo.evaluation.data_set import from_files
from segdemo.text import _
from segdemo.types import ClassInfo, LabelMap, Notice
from segdemo.ui.compare_scores_run import ChosenSet
from segdemo.ui.state import Choice, choices, masks, open_choice, truth_for
from segdemo.ui.words import plain
from segdemo.weights import get_weights

__all__ = ["choose_own"]

GIVEN_KEY = "scores_masks_given"  # the picture that each file in the field is the mask of


def choose_own(candidates: tuple[Candidate, ...]) -> ChosenSet | None:
    """The sidebar's pictures that have a mask, and a field for more masks. None where none has one."""
    available = choices()
    _mask_field(available)
    classes = _classes(available[0], candidates)
    names: set[str] = set()
    files: list[tuple[str, bytes, LabelMap | None]] = []
    left_out: dict[str, Notice] = {}
    for choice in available:
        name = _unused(choice.name, names)
        try:
            truth = truth_for(choice, open_choice(choice).full_size, classes, st.container())
        except SegdemoError as error:
            left_out[name] = Notice("{sentence}", {"sentence": str(error)})
            continue
        files.append((name, choice.data, truth))
    data = from_files(_("My pictures"), [info.name for info in classes], files, left_out)
    if not len(data):
        st.info(_("None of your pictures has a known truth yet. Add pictures in the sidebar: a field for their masks then "
                  "appears here. Generated samples have their truth already."), icon=":material/fact_check:")  # fmt: skip
        return None
    content = repr(
        [(n, hashlib.sha256(d).hexdigest(), None if t is None else hashlib.sha256(t.tobytes()).hexdigest()) for n, d, t in files]
    )
    return ChosenSet("own " + hashlib.sha256((content + repr(data.class_names)).encode()).hexdigest(), data)


def _classes(sample: Choice, candidates: tuple[Candidate, ...]) -> tuple[ClassInfo, ...]:
    """A mask's numbers are read as the first network's classes, or as the sample's where no mask was given."""
    entries = [entry for entry in map(entry_of, candidates) if entry.task == "segment"]
    if not masks() and sample.sample is not None:
        return get_weights(sample.sample.suggested).classes
    return entries[0].classes if entries else ()


def _unused(name: str, names: set[str]) -> str:
    """The name, with a number where another picture has the same."""
    found, number = name, 1
    while found in names:
        number += 1
        found = f"{name} ({number})"
    names.add(found)
    return found


def _mask_field(available: Sequence[Choice]) -> None:
    """Masks for several pictures at once, brought together by their names."""
    uploads = [choice for choice in available if choice.sample is None]
    if not uploads:
        return
    given = st.file_uploader(
        _("Masks of my pictures"), type=["png", "tif", "tiff", "bmp", "gif"], accept_multiple_files=True, key="scores_masks",
        on_change=_forget_removed,
        help=_("Named as their pictures, such as cell.png or cell_mask.png for cell.jpg. Black and white, or the class "
               "numbers of the first network."),
    )  # fmt: skip
    if not given:
        st.session_state.pop(GIVEN_KEY, None)  # the field is a new one, after another view: what it gave before stays
    by_path = {f"masks/{mask.name}": mask for mask in given or []}
    pictures = {f"images/{choice.name}": choice for choice in uploads}
    pairing = pair_up([*pictures, *by_path])
    for pair in pairing.pairs:
        mask, picture = by_path[pair.mask], pictures[pair.image]
        masks()[picture.key] = mask.getvalue()
        st.session_state.setdefault(GIVEN_KEY, {})[mask.file_id] = picture.key
    for path, reason in pairing.problems:
        if path in by_path:
            st.warning(f"**{plain(by_path[path].name)}**: {reason.text}", icon=":material/link_off:")


def _forget_removed() -> None:
    """A mask goes with its file; called where the visitor has changed what is in the field."""
    given: dict[str, str] = st.session_state.get(GIVEN_KEY, {})
    here = {mask.file_id for mask in st.session_state.get("scores_masks") or []}
    for file_id in [file_id for file_id in given if file_id not in here]:
        masks().pop(given.pop(file_id), None)
