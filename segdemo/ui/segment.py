"""The Segment page: a picture beside its segmentation, and what the segmentation holds.

A forward pass happens only where the picture or the weights change. Opacity, style, threshold and the legend redraw.
"""

from time import perf_counter

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from segdemo.errors import ImageError, SegdemoError
from segdemo.inference import shared_engine
from segdemo.inference.agreement import ERROR_KINDS, error_map
from segdemo.inference.export import Result
from segdemo.metrics import class_shares
from segdemo.text import _
from segdemo.types import ClassInfo, LabelMap, WeightsEntry
from segdemo.ui.components import picture_strip, picture_viewer
from segdemo.ui.controls import View, view_controls
from segdemo.ui.downloads import download_menu
from segdemo.ui.drawing import display_size, encode_labels, encode_photograph, encode_probabilities, thumbnail
from segdemo.ui.fetching import offer_download
from segdemo.ui.media import media_url
from segdemo.ui.panels import object_panel, score_panel
from segdemo.ui.state import Choice, activate, active_choice, choices, chosen_weights, open_choice, truth_for
from segdemo.weights import is_present

__all__ = ["show_segment_page"]


def show_segment_page() -> None:
    """Everything on the page: the picture first, its controls beside it, numbers under it."""
    entry = chosen_weights()
    available = choices()
    active = active_choice(available)
    if not is_present(entry):
        offer_download(entry)
        _unsegmented(active)
        return
    picture_column, control_column = st.columns([3, 1], gap="medium")
    with picture_column:
        stage = st.container()
        strip = st.container()
    result = _segmented(active, entry, stage)
    truth = truth_for(active, result.prediction, stage) if result else None
    with control_column:
        view = view_controls(entry.binary, truth is not None)
        st.caption(f"**{_('Trained on')}** {entry.trained_on}. {_('Other pictures may come out wrong.')}")
        controls = st.container()
    if result is not None:
        result = _at_threshold(result, active, entry, view)
        with stage:
            _headline(active)
            _picture(result, truth, view)
    with strip:
        others = _strip(available, active, entry, result)
    if result is not None:
        with controls:
            download_menu([result, *others], view)
        _numbers(result, truth, active)


def _unsegmented(choice: Choice) -> None:
    """The picture alone, while its network is not there yet."""
    try:
        picture = open_choice(choice)
    except ImageError as error:
        st.error(f"**{plain(choice.name)}**: {error}", icon=":material/broken_image:")
        return
    photograph = encode_photograph(picture.pixels, picture.full_size)
    height, width = display_size(picture.full_size)
    st.image(photograph.data, width=min(width, 560 * width // height + 1), alt=picture.name)


def _segmented(choice: Choice, entry: WeightsEntry, place: DeltaGenerator) -> Result | None:
    """The picture and its prediction, remembered by its hash; or the sentence of what went wrong, in `place`."""
    try:
        with place, st.spinner(_("Segmenting {name} …", name=choice.name), show_time=True):
            picture = open_choice(choice)
            return Result(picture, shared_engine().segment(picture, entry.weights_id))
    except SegdemoError as error:
        place.error(f"**{plain(choice.name)}**: {error}", icon=":material/broken_image:")
        return None


def _headline(choice: Choice) -> None:
    """The picture's name, and what to look for in a sample; for a newcomer, what the divider does."""
    note = choice.sample.note if choice.sample else ""
    hint = _("Drag the divider to compare; point at the picture for probabilities.")
    st.markdown(f"**{plain(choice.name)}** · {note or hint}")


def _at_threshold(result: Result, choice: Choice, entry: WeightsEntry, view: View) -> Result:
    prediction = shared_engine().segment(result.picture, entry.weights_id, threshold=view.threshold)
    return Result(result.picture, prediction)


def plain(name: str) -> str:
    """A file name as text: nothing in it is read as Markdown, and a very long one is cut in the middle."""
    short = name if len(name) <= 48 else f"{name[:24]}…{name[-20:]}"
    return "".join(f"\\{c}" if c in r"\`*_{}[]()<>#+-.!|~$:" else c for c in short)


def _picture(result: Result, truth: LabelMap | None, view: View) -> None:
    """The viewer, and one quiet line about what it cost."""
    start = perf_counter()
    prediction, picture = result.prediction, result.picture
    errors = view.errors and truth is not None
    labels = error_map(prediction, truth) if errors and truth is not None else prediction.preds
    classes: tuple[ClassInfo, ...] = ERROR_KINDS if errors else prediction.classes
    shares = class_shares(labels, len(classes))
    photograph, label_picture = encode_photograph(picture.pixels, picture.full_size), encode_labels(labels)
    probabilities = encode_probabilities(prediction)
    covered = ", ".join(f"{c.name} {100 * s:.0f} %" for c, s in zip(classes, shares, strict=True) if s >= 0.005)
    data = {
        "image": media_url(photograph.data, photograph.mime),
        "labels": media_url(label_picture.data, label_picture.mime),
        "probs": None if errors else media_url(probabilities.data, probabilities.mime),
        "binary": prediction.binary, "errors": errors, "contour": view.contour, "opacity": view.opacity,
        "fullWidth": prediction.size[1], "fullHeight": prediction.size[0],
        "classes": [
            {"name": _(c.name), "color": c.color, "shown": bool(s > 0), "share": _share(float(s))}
            for c, s in zip(classes, shares, strict=True)
        ],
        "alt": _("{name}, segmented: {covered}.", name=picture.name, covered=covered),
        "words": {
            "before": _("Picture"), "after": _("Errors") if errors else _("Segmentation"),
            "divider": _("Divider between picture and segmentation"), "legend": _("Classes"),
            "isolate": _("Hover to see this class alone, click to keep it"),
        },
    }  # fmt: skip
    picture_viewer(key="viewer", data=data)
    drawn_ms = 1000 * (perf_counter() - start)
    for notice in (*picture.notices, *prediction.notices):
        st.caption(f":material/info: {notice.text}")
    _cost_line(result, drawn_ms)


def _share(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.001 or share == 0 else "< 0.1 %"


def _cost_line(result: Result, drawn_ms: float) -> None:
    latency, prediction = result.prediction.latency, result.prediction
    parts = [
        f"{_('Network')} **{latency.forward_ms:.0f} ms**", f"{_('decoding')} {result.picture.decode_ms:.0f}",
        f"{_('preparing')} {latency.preprocess_ms:.0f}", f"{_('labels')} {latency.postprocess_ms:.0f}",
        f"{_('drawing')} {drawn_ms:.0f} ms", f"{prediction.device.upper()}, {prediction.precision}",
        f"{prediction.size[1]} × {prediction.size[0]} px",
    ]  # fmt: skip
    st.caption(" · ".join(parts))


def _strip(available: list[Choice], active: Choice, entry: WeightsEntry, shown: Result | None) -> list[Result]:
    """The filmstrip of all pictures, each with its own result; one bad file is named and the rest go on."""
    if len(available) < 2:
        return []
    items, results, bad = [], [], []
    waiting = st.empty()
    for number, choice in enumerate(available):
        waiting.progress((number + 1) / len(available), _("Segmenting {i} of {n}", i=number + 1, n=len(available)))
        try:
            picture = open_choice(choice)
            result = (
                shown
                if choice.key == active.key and shown
                else Result(picture, shared_engine().segment(picture, entry.weights_id))
            )
        except SegdemoError as error:
            if choice.key != active.key:
                bad.append((choice.name, str(error)))
            continue
        if choice.key != active.key:
            results.append(result)
        image = thumbnail(result)
        shares = class_shares(result.prediction.preds, len(entry.classes))
        note = _("{percent} foreground", percent=_share(float(shares[1:].sum())))
        items.append({"key": choice.key, "name": choice.name, "note": note, "image": media_url(image.data, image.mime)})
    waiting.empty()
    for name, sentence in bad:
        st.error(f"**{plain(name)}**: {sentence}", icon=":material/broken_image:")
    picture_strip(
        key="strip", data={"items": items, "active": active.key, "label": _("Your pictures")}, on_chosen_change=_strip_chosen
    )
    return results


def _strip_chosen() -> None:
    chosen = st.session_state["strip"].get("chosen")
    if isinstance(chosen, str):
        activate(chosen)


def _numbers(result: Result, truth: LabelMap | None, choice: Choice) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        object_panel(result)
    with right:
        score_panel(result, truth, choice)
