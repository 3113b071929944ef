"""The filmstrip: every picture of the visitor with its own result; one bad file is named, and the rest go on.

What the strip shows of a result is small and is remembered apart from it, so that many large pictures are not segmented
again when their results have left the engine's memory.
"""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from segdemo.errors import SegdemoError
from segdemo.inference import shared_engine
from segdemo.inference.cache import BoundedCache
from segdemo.inference.export import Result
from segdemo.metrics import class_shares
from segdemo.text import _
from segdemo.types import WeightsEntry
from segdemo.ui.components import picture_strip
from segdemo.ui.drawing import Encoded, overlay_thumbnail, thumbnail
from segdemo.ui.media import media_url
from segdemo.ui.state import Choice, activate, open_choice
from segdemo.ui.words import percent, plain

__all__ = ["show_strip"]

STRIP_MEMORY_BYTES = 30_000_000


@dataclass(frozen=True)
class Frame:
    """What the strip shows of a picture."""

    image: Encoded
    share: float  # of the picture's area that is foreground; of its variance that was drawn again


_frames: BoundedCache[tuple[str, str], Frame] = BoundedCache(STRIP_MEMORY_BYTES, lambda frame: len(frame.image.data))


def show_strip(available: list[Choice], active: Choice, entry: WeightsEntry) -> None:
    """The strip, if there is more than one picture; new pictures are segmented here, with a progress bar."""
    if len(available) < 2:
        return
    items, bad, waiting = [], [], st.empty()
    for number, choice in enumerate(available):
        if (choice.sha256, entry.weights_id) not in _frames:
            waiting.progress(number / len(available), _("Segmenting {i} of {n}", i=number + 1, n=len(available)))
        try:
            frame = _frames.get_or_make((choice.sha256, entry.weights_id), lambda: _frame(choice, entry))  # noqa: B023
        except SegdemoError as error:
            if choice.key != active.key:  # the active one's sentence stands where its picture would
                bad.append(f"**{plain(choice.name)}**: {error}")
            continue
        share = percent(frame.share)
        note = _("{share} foreground", share=share) if entry.task == "segment" else _("{share} explained", share=share)
        image = media_url(frame.image.data, frame.image.mime)
        name = _("Sample: {title}", title=choice.name) if choice.sample else choice.name
        items.append({"key": choice.key, "name": name, "note": note, "image": image})
    waiting.empty()
    data = {"items": items, "active": active.key, "label": _("Your pictures")}
    picture_strip(key="strip", data=data, on_chosen_change=_chosen)
    if bad:
        st.error("  \n".join(bad), icon=":material/broken_image:")


def _frame(choice: Choice, entry: WeightsEntry) -> Frame:
    picture = open_choice(choice)
    if entry.task == "reconstruct":
        redrawn = shared_engine().reconstruct(picture, entry.weights_id)
        return Frame(thumbnail(redrawn.drawn), max(0.0, float(np.nan_to_num(redrawn.explained))))
    prediction = shared_engine().segment(picture, entry.weights_id)
    shares = class_shares(prediction.preds, len(prediction.classes))
    return Frame(overlay_thumbnail(Result(picture, prediction)), float(shares[1:].sum()))


def _chosen() -> None:
    key = st.session_state["strip"].get("chosen")
    if isinstance(key, str):
        activate(key)
