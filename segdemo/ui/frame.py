"""The sidebar: the picture and the weights are chosen here once, and stay while pages change."""

from pathlib import Path

import streamlit as st

from segdemo.data.samples import get_sample, list_samples
from segdemo.errors import CheckpointError
from segdemo.inference import shared_engine
from segdemo.models import TITLES, list_models
from segdemo.text import _
from segdemo.types import WeightsEntry
from segdemo.ui.state import MAX_UPLOADS, activate, chosen_weights, keep_photo
from segdemo.ui.words import compact_number
from segdemo.weights import get_weights, is_present, keep, list_weights

__all__ = ["SEGMENT_PAGE", "choose_weights", "listed_weights", "sidebar", "use_import", "weights_line"]

SEGMENT_PAGE = Path(__file__).parents[2] / "pages" / "segment.py"  # Streamlit looks for relative paths beside main.py
COMPARE_PATH = "compare"  # of the page that has several networks
IMPORTS_KEY = "imports"
UPLOAD_TYPES = ["jpg", "jpeg", "png", "webp", "avif", "heic", "heif", "bmp", "gif", "tif", "tiff"]


def sidebar(page: str = "") -> None:
    """Picture and network pickers, and what the machine is doing, at the foot. page: the path of the one that is shown."""
    with st.sidebar:
        st.subheader(_("Picture"))
        _picture_picker()
        if page == COMPARE_PATH:
            st.caption(_("The networks of a comparison are chosen on the page."))
        else:
            st.subheader(_("Network"))
            _weights_picker()
        engine = shared_engine()
        memory = _("networks in memory: {n} ({mb:.0f} MB)", n=len(engine.models), mb=engine.models.used_bytes / 1e6)
        st.caption(f"{engine.device_label} · {memory}")


def _picture_picker() -> None:
    samples = list_samples()
    st.selectbox(
        _("Sample"), [s.key for s in samples], key="sample", persist_state="session",
        format_func=lambda key: f"{get_sample(key).title} · {get_sample(key).group}",
        on_change=activate, args=("sample",),
        help=_("Pictures that come with segdemo. Generated scenes have an exact mask, so the result is scored."),
    )  # fmt: skip
    st.file_uploader(
        _("Your own pictures"), type=UPLOAD_TYPES, accept_multiple_files=True, key="uploads", on_change=_activate_newest,
        help=_("Drop files here, browse, or paste from the clipboard. Up to 64 megapixels each. "
               "They stay in this session's memory."),
    )  # fmt: skip
    if len(st.session_state.get("uploads") or []) > MAX_UPLOADS:
        st.warning(_("Only the first {n} pictures are used.", n=MAX_UPLOADS))
    if st.toggle(_("Camera"), key="camera_on", help=_("Take a picture with this device's camera.")):
        st.camera_input(_("Camera"), key="camera", label_visibility="collapsed", on_change=keep_photo)


def _activate_newest() -> None:
    uploads = st.session_state.get("uploads") or []
    seen = st.session_state.get("seen_uploads", set())
    fresh = [u.file_id for u in uploads if u.file_id not in seen]
    st.session_state["seen_uploads"] = {u.file_id for u in uploads}
    if fresh:
        activate(fresh[0])


def listed_weights(model: str | None = None) -> list[WeightsEntry]:
    """What this visitor can choose from: the catalogue, and the weights that were imported in this session."""
    listed = list_weights(model)
    names = {entry.weights_id for entry in listed}
    own = [get_weights(weights_id) for weights_id in st.session_state.get(IMPORTS_KEY, []) if weights_id not in names]
    return [*listed, *(entry for entry in own if model in (None, entry.model))]


def use_import(entry: WeightsEntry) -> None:
    """Keep imported weights with their card, list them in this session, and put them into the pickers."""
    try:
        keep(entry)
    except CheckpointError as error:
        st.toast(str(error), icon=":material/error:")
        return
    _list_in_session(entry.weights_id)
    choose_weights(entry.weights_id)


def _list_in_session(weights_id: str) -> None:
    imports: list[str] = st.session_state.setdefault(IMPORTS_KEY, [])
    if weights_id not in imports:
        imports.append(weights_id)


def _architecture_label(name: str) -> str:
    """The architecture's title, and what has to be fetched first where none of its weights is here."""
    entries = listed_weights(name)
    if any(is_present(entry) for entry in entries):
        return TITLES[name]
    return _("{title} · {mb:.0f} MB to fetch", title=TITLES[name], mb=entries[0].size_bytes / 1e6)


def _architecture_changed() -> None:
    st.session_state["weights"] = listed_weights(st.session_state["architecture"])[0].weights_id


def _weights_picker() -> None:
    chosen = st.session_state["weights"]
    if chosen not in {entry.weights_id for entry in listed_weights()}:
        _list_in_session(chosen)  # somebody who has the link to an import was meant to have it
    with_weights = {entry.model for entry in listed_weights()}
    architectures = [name for name in list_models() if name in with_weights]
    st.selectbox(
        _("Architecture"), architectures, key="architecture", format_func=_architecture_label,
        on_change=_architecture_changed, persist_state="session",
        help=_("The kind of network. Each has its own sets of weights."),
    )  # fmt: skip
    entries = listed_weights(st.session_state["architecture"])
    st.selectbox(
        _("Weights"), [e.weights_id for e in entries], key="weights", persist_state="session",
        format_func=lambda weights_id: _(get_weights(weights_id).title),
        help=_("What the network has learned, from which pictures. They fix the classes and how pictures are prepared."),
    )  # fmt: skip
    st.caption(weights_line(chosen_weights()))


def weights_line(entry: WeightsEntry) -> str:
    """One line about a set of weights: score, size, where it is, licence."""
    if entry.file is not None:
        where = _("imported")
    else:
        where = _("bundled") if entry.bundled else _("downloaded") if is_present(entry) else _("to be downloaded")
    parts = [
        _("{n} classes", n=len(entry.classes)) if entry.task == "segment" else _("no classes"),
        f"{_(entry.score_name)} {entry.score:.2f}" if entry.score is not None else "",
        _("{n} parameters", n=compact_number(entry.params)),
        f"{compact_number(entry.size_bytes)}B, {where}",
        _(entry.licence),
    ]
    return " · ".join(part for part in parts if part)


def choose_weights(weights_id: str) -> None:
    """Put weights, and with them their architecture, into the pickers."""
    st.session_state["architecture"] = get_weights(weights_id).model
    st.session_state["weights"] = weights_id
