"""The Segment page of an autoencoder: the picture, and the same picture drawn again from its latent map."""

import io
import math

import streamlit as st
from PIL import Image
from streamlit.delta_generator import DeltaGenerator

from segdemo.errors import SegdemoError
from segdemo.inference import shared_engine
from segdemo.inference.export import file_stem
from segdemo.text import _
from segdemo.types import Reconstruction, WeightsEntry
from segdemo.ui.drawing import encode_photograph
from segdemo.ui.state import Choice, open_choice
from segdemo.ui.strip import show_strip
from segdemo.ui.words import percent, plain

__all__ = ["show_redrawn"]


def show_redrawn(available: list[Choice], active: Choice, entry: WeightsEntry) -> None:
    """Both pictures side by side, what came through the latent map, and the numbers."""
    st.title(_("What is left of this picture after the bottleneck?"))
    st.markdown(_("An autoencoder has no classes: it squeezes the picture through few numbers and draws it again from them."))
    result = _redrawn(active, entry)
    if result is None:
        show_strip(available, active, entry)
        return
    left, right = st.columns(2, gap="medium")
    _picture(left, result, drawn=False)
    _picture(right, result, drawn=True)
    show_strip(available, active, entry)
    with st.container(horizontal=True, gap="large"):
        _numbers(result, entry)
    st.caption(f"**{_('Trained on')}** {_(entry.trained_on)}.")
    buffer = io.BytesIO()
    Image.fromarray(result.drawn).save(buffer, "PNG")
    st.download_button(
        _("Drawn picture (PNG)"), buffer.getvalue(), f"{file_stem(active.name)}_redrawn.png", "image/png",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def _redrawn(choice: Choice, entry: WeightsEntry) -> Reconstruction | None:
    try:
        with st.spinner(_("Drawing {name} …", name=plain(choice.name)), show_time=True):
            return shared_engine().reconstruct(open_choice(choice), entry.weights_id)
    except SegdemoError as error:
        st.error(f"**{plain(choice.name)}**: {error}", icon=":material/broken_image:")
        return None


def _picture(column: DeltaGenerator, result: Reconstruction, drawn: bool) -> None:
    pixels = result.drawn if drawn else result.seen
    title = _("Drawn by the network") if drawn else _("Seen by the network")
    with column:
        st.markdown(f"**{title}**")
        encoded = encode_photograph(pixels, (pixels.shape[0], pixels.shape[1]))
        st.image(encoded.data, width="stretch", alt=title)


def _numbers(result: Reconstruction, entry: WeightsEntry) -> None:
    explained = "–" if math.isnan(result.explained) else percent(max(0.0, result.explained))
    st.metric(
        _("Variance explained"), explained, width="content",
        help=_("1 minus the squared error over the picture's variance. One flat grey would reach 0 %."),
    )  # fmt: skip
    block, latent = _squeeze(entry)
    st.metric(
        _("Squeezed"), _("{n} to {m}", n=3 * block * block, m=latent), width="content",
        help=_("Each block of {b} × {b} pixels in three colours becomes this many numbers.", b=block),
    )  # fmt: skip
    st.metric(_("Forward pass"), _("{ms:.0f} ms", ms=result.latency.forward_ms), width="content")


def _squeeze(entry: WeightsEntry) -> tuple[int, int]:
    """Side of a block in pixels, and the numbers it becomes: from the options, or the architecture's defaults."""
    return 2 ** int(entry.options.get("depth", 3)), int(entry.options.get("latent", 16))
