"""The Segment page: a picture beside its segmentation, and what the segmentation holds.

A forward pass happens only where the picture or the weights change. Opacity, style, threshold and the legend redraw.
"""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from segdemo.errors import ImageError, SegdemoError
from segdemo.inference import rethreshold, shared_engine
from segdemo.inference.export import Result
from segdemo.text import _
from segdemo.types import LabelMap, WeightsEntry
from segdemo.ui.controls import view_controls
from segdemo.ui.downloads import download_menu
from segdemo.ui.drawing import display_size, encode_photograph
from segdemo.ui.fetching import offer_download
from segdemo.ui.frame import choose_weights
from segdemo.ui.panels import object_panel, score_panel
from segdemo.ui.redrawn import show_redrawn
from segdemo.ui.state import Choice, active_choice, choices, chosen_weights, open_choice, truth_for
from segdemo.ui.strip import show_strip
from segdemo.ui.viewer import show_viewer
from segdemo.ui.words import plain
from segdemo.weights import get_weights, is_present, list_weights

__all__ = ["show_segment_page"]


def show_segment_page() -> None:
    """Everything on the page: the picture first, its controls beside it, numbers under it."""
    entry = chosen_weights()
    available = choices()
    active = active_choice(available)
    if entry.task == "reconstruct" and is_present(entry):
        show_redrawn(available, active, entry)
        return
    _headline()
    if not is_present(entry):
        offer_download(entry)
        _unsegmented(active)
        return
    picture_column, control_column = st.columns([3, 1], gap="medium")
    with picture_column:
        stage = st.container()
        strip = st.container()
    result = _segmented(active, entry, stage)
    truth = truth_for(active, result.prediction.size, entry.classes, stage) if result else None
    with control_column:
        view = view_controls(entry.binary, truth is not None)
        _promise(active, entry)
        controls = st.container()
    if result is not None:
        result = Result(result.picture, rethreshold(result.prediction, view.threshold))
        with stage:
            show_viewer(result, truth, view)
            _caption(active, entry)
        with controls:
            download_menu(result, available, entry, view)
    with strip:
        show_strip(available, active, entry)
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
    st.image(photograph.data, width=max(1, min(width, 560 * width // height)), alt=picture.name)


def _segmented(choice: Choice, entry: WeightsEntry, place: DeltaGenerator) -> Result | None:
    """The picture and its prediction, remembered by its hash; or the sentence of what went wrong, in `place`."""
    try:
        with place, st.spinner(_("Segmenting {name} …", name=plain(choice.name)), show_time=True):
            picture = open_choice(choice)
            return Result(picture, shared_engine().segment(picture, entry.weights_id))
    except SegdemoError as error:
        place.error(f"**{plain(choice.name)}**: {error}", icon=":material/broken_image:")
        return None


def _headline() -> None:
    """The question this page answers, and what a newcomer can do."""
    st.title(_("What is where in this picture?"))
    st.markdown(
        _("A trained network labels every pixel. Drag the divider to compare, point anywhere for probabilities, "
          "and add your own pictures in the sidebar.")
    )  # fmt: skip


def _caption(choice: Choice, entry: WeightsEntry) -> None:
    """The picture's name, and what to look for in a sample with the weights meant for it."""
    sample = choice.sample
    note = sample.note if sample is not None and sample.suggested == entry.weights_id else ""
    st.markdown(f"**{plain(choice.name)}**" + (f" · {note}" if note else ""))


def _promise(choice: Choice, entry: WeightsEntry) -> None:
    """What the weights are for, who made the picture, and one click to weights that suit it better."""
    st.caption(f"**{_('Trained on')}** {_(entry.trained_on)}. {_('Other pictures may come out wrong.')}")
    if choice.sample is None:
        return
    st.caption(f"**{_('Picture')}** {choice.sample.credit}")
    better = _suited(get_weights(choice.sample.suggested), entry)
    if better.weights_id != entry.weights_id:
        st.button(
            _("Use “{title}”", title=_(better.title)), key="suggestion", icon=":material/lightbulb:", width="stretch",
            on_click=choose_weights, args=(better.weights_id,), help=_("Weights that were trained on pictures like this one."),
        )  # fmt: skip


def _suited(suggested: WeightsEntry, entry: WeightsEntry) -> WeightsEntry:
    """Weights for these pictures: the chosen ones if they know the classes, else others of the same architecture."""
    candidates = [entry, *list_weights(entry.model), suggested]
    return next(e for e in candidates if e.classes == suggested.classes and e.task == suggested.task)


def _numbers(result: Result | None, truth: LabelMap | None, choice: Choice) -> None:
    left, right = st.columns(2, gap="large")
    if result is not None:
        with left:
            object_panel(result)
        with right:
            score_panel(result, truth, choice)
