"""Bring your own weights: a file in, what it was recognised as, what it cannot say itself, and a preview of the answers.

uploader | folder ─▶ recognised ─▶ answers ─▶ preview ─▶ "Use these weights"
                  ╰▶ unknown ─▶ difference, another try
"""

import threading
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import streamlit as st

from segdemo.errors import CheckpointError, SegdemoError, UnknownLayoutError
from segdemo.inference import shared_engine
from segdemo.inference.export import Result
from segdemo.models import TITLES
from segdemo.text import _
from segdemo.types import Notice, WeightsEntry
from segdemo.ui.controls import View
from segdemo.ui.frame import SEGMENT_PAGE, use_import
from segdemo.ui.importing_answers import Answers, ask
from segdemo.ui.importing_difference import show_difference
from segdemo.ui.state import active_choice, choices, open_choice
from segdemo.ui.viewer import show_viewer
from segdemo.ui.words import plain
from segdemo.weights import answered, draft_of_file, draft_of_upload, folder_files, import_checkpoint, register

__all__ = ["show_importing"]

TYPES = ["pt", "pth", "safetensors", "ckpt", "bin"]
DRAFTS_KEY = "import_drafts"
_readers = threading.BoundedSemaphore(2)  # a class of thirty drops its files at once, and each needs twice its size


@dataclass(frozen=True)
class Source:
    """A file to import: an upload's bytes, or a path in the folder. `key` changes when the file does."""

    key: str
    name: str
    content: bytes | Path


@dataclass(frozen=True)
class Draft:
    """What a file was recognised as, with guesses for answers."""

    entry: WeightsEntry
    layout_title: str
    notes: tuple[Notice, ...]


def show_importing() -> None:
    """The uploader, and below it whatever there is to say about the file."""
    with st.container(border=True, key="own_weights"):
        st.subheader(_("Your own weights"), anchor=False)
        source = _chosen_source()
        if source is None:
            st.session_state.pop(DRAFTS_KEY, None)
            return
        outcome = _outcome(source)
        if isinstance(outcome, Draft):
            _recognised(outcome)
        elif isinstance(outcome, UnknownLayoutError):
            if model := show_difference(outcome, source.key):
                _drafts()[source.key] = _read(source, model)
                st.rerun()
        else:
            st.error(f"**{plain(source.name)}**: {outcome}", icon=":material/broken_image:")


def _chosen_source() -> Source | None:
    """The upload, or else the file chosen from the folder."""
    upload = st.file_uploader(
        _("A checkpoint of PyTorch (.pt, .pth) or safetensors"), type=TYPES, key="own_weights_file",
        help=_("U-Nets and other segmentation networks of well-known projects are recognised by the names of their tensors. "
               "Nothing in the file is run, and only you see it in the lists."),
    )  # fmt: skip
    if upload is not None:
        return Source(upload.file_id, upload.name, upload.getvalue())
    files = {str(path): path for path in folder_files()}
    if not files:
        return None
    chosen = st.selectbox(
        _("Or a file of this server's folder"), list(files), index=None, key="own_weights_path",
        format_func=lambda path: files[path].name, placeholder=_("{n} files", n=len(files)),
        help=_("The folder in SEGDEMO_WEIGHTS_DIR. What you answer is kept beside the file."),
    )  # fmt: skip
    if chosen not in files:
        return None
    path = files[chosen]
    return Source(f"{path.name}-{path.stat().st_mtime_ns}", path.name, path)


def _drafts() -> dict[str, Draft | CheckpointError]:
    """What was read from the file on screen, so that it is read once and not at each change of an answer."""
    drafts: dict[str, Draft | CheckpointError] = st.session_state.setdefault(DRAFTS_KEY, {})
    return drafts


def _outcome(source: Source) -> Draft | CheckpointError:
    drafts = _drafts()
    if source.key not in drafts:
        drafts.clear()
        drafts[source.key] = _read(source)
    return drafts[source.key]


def _read(source: Source, model: str | None = None) -> Draft | CheckpointError:
    try:
        with st.spinner(_("Reading {name} …", name=plain(source.name)), show_time=True), _readers:
            imported = import_checkpoint(source.content, model=model)
            if isinstance(source.content, Path):
                entry = draft_of_file(imported, source.content)
            else:
                entry = draft_of_upload(imported, source.name)
    except CheckpointError as error:
        return error
    return Draft(entry, imported.layout_title, imported.notes)


def _recognised(draft: Draft) -> None:
    """What it is and the way on; then what comes of the answers, and beside it the questions."""
    summary, action = st.columns([3, 2], gap="medium", vertical_alignment="center")
    preview, form = st.columns([3, 2], gap="medium")
    with summary:
        _summary(draft)
    with form:
        answers = ask(draft.entry)
    with action:
        _use_button(answers)
    with preview:
        _preview(draft.entry, answers)


def _use_button(answers: Answers) -> None:
    final = answers.classes and answered(answers.entry, answers.classes)
    if st.button(
        _("Use these weights"), key="use_import", type="primary", icon=":material/play_arrow:", width="stretch",
        disabled=not final, on_click=use_import, args=(final,),
        help=_("Adds them to your lists, with your answers, and opens the Segment page."),
    ):  # fmt: skip
        st.switch_page(SEGMENT_PAGE)


def _summary(draft: Draft) -> None:
    entry = draft.entry
    layout = f" · {_('named as in {project}', project=draft.layout_title)}" if draft.layout_title else ""
    known = ("in_channels", "num_classes")
    options = [f"{name.replace('_', ' ')} {value}" for name, value in entry.options.items() if name not in known]
    facts = _("{m:.2f} M parameters · {inputs} channels in, {outputs} out", m=entry.params / 1e6,
              inputs=entry.options["in_channels"], outputs=entry.options["num_classes"])  # fmt: skip
    lines = [" · ".join([facts, *options]), *(f":material/info: {plain(notice.text, 300)}" for notice in draft.notes)]
    st.markdown(f":material/check_circle: **{TITLES[entry.model]}**{layout}")
    st.caption("  \n".join(lines))


def _preview(draft: WeightsEntry, answers: Answers) -> None:
    """The sidebar's picture with these answers. Names do not matter to the network, so they cost no new pass."""
    choice = active_choice(choices())
    entry = answered(replace(answers.entry, title=draft.title, trained_on=draft.trained_on), draft.classes)
    try:
        register(entry)
        with st.spinner(_("Segmenting {name} …", name=plain(choice.name)), show_time=True):
            picture = open_choice(choice)
            prediction = shared_engine().segment(picture, entry.weights_id)
    except SegdemoError as error:
        st.error(f"**{plain(choice.name)}**: {error}", icon=":material/broken_image:")
        return
    show_viewer(Result(picture, replace(prediction, classes=answers.classes or draft.classes)), None, View())
    if len(np.unique(prediction.preds)) == 1:
        st.info(_("The whole picture is one class. Try other values or channels, or a picture like those of the training."),
                icon=":material/tune:")  # fmt: skip
    else:
        st.caption(_("The sidebar's picture with these answers. Where it looks wrong, try other values or channels first."))
