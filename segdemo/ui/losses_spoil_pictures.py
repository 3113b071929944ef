"""The pictures of "Spoil the mask": truth, prediction and errors under one brush, and the gradient maps on one scale."""

from collections.abc import Mapping

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from segdemo.features.colour import palette, to_levels
from segdemo.features.palette_png import palette_png
from segdemo.inference.agreement import ERROR_KINDS
from segdemo.losslab.damage import Logits, Mask
from segdemo.text import _
from segdemo.ui.components import mask_painter
from segdemo.ui.drawing import Encoded, encode_grey
from segdemo.ui.features_parts import colour_bar, number
from segdemo.ui.loss_colours import title_of
from segdemo.ui.losses_spoil_state import PAINTED, Truth
from segdemo.ui.losses_spoil_strokes import PROBLEM_KEY, acknowledged, strokes_of, take_operations
from segdemo.ui.media import media_url
from segdemo.ui.words import percent

__all__ = ["errors_of", "gradient_panels", "show_pictures"]

PAINTER = "spoil_painter"
Maps = Mapping[str, NDArray[np.float32]]


def show_pictures(truth: Truth, logits: Logits, words: str) -> None:
    """Truth, prediction and errors side by side; the prediction, and a truth of one's own, can be painted on.

    `words` say what was done to the prediction.
    """
    paints = ("truth", "prediction") if truth.scene == PAINTED else ("prediction",)
    height, width = truth.mask.shape

    def reported() -> None:
        if (message := st.session_state[PAINTER].get("ops")) is not None:
            take_operations(message, truth.scene, (height, width), paints)

    panels = [_truth_panel(truth, paints), _prediction_panel(truth, logits, words), _error_panel(truth.mask, logits > 0)]
    mask_painter(key=PAINTER, on_ops_change=reported, data={
        "width": width, "height": height, "scene": truth.scene, "ack": acknowledged(), "panels": panels,
        "words": {**_words(), "hint": _hint(truth)},
    })  # fmt: skip
    if problem := st.session_state.pop(PROBLEM_KEY, ""):
        st.warning(problem, icon=":material/brush:")


def _words() -> dict[str, str]:
    return {
        "add": _("Paint"), "erase": _("Erase"), "addTip": _("Paint foreground (E switches)"),
        "eraseTip": _("Erase foreground (E switches)"), "undoTool": _("Undo"), "clearTool": _("Clear"), "size": _("Brush"),
        "undo": _("The last stroke is taken back."), "clear": _("All strokes are taken off."), "tools": _("Brush"),
        "keys": _("Arrow keys move the brush, Space dabs, Enter lowers and lifts it, E switches to erasing, the brackets "
                  "change its size, Control Z takes back."),
        "failed": _("A picture could not be loaded. Reload the page to try again."),
    }  # fmt: skip


def _hint(truth: Truth) -> str:
    if truth.scene == PAINTED and not truth.mask.any():
        return _("Paint the ground truth in the left picture: the prediction follows, and can be painted on as well.")
    return ""


def _panel(key: str, title: str, encoded: Encoded, **more: object) -> dict[str, object]:
    return {"key": key, "title": title, "image": media_url(encoded.data, encoded.mime), "paint": False, **more}


def _truth_panel(truth: Truth, paints: tuple[str, ...]) -> dict[str, object]:
    share = percent(float(truth.mask.mean()))
    return _panel(
        "truth", _("Ground truth"), encode_grey(truth.mask.astype(np.uint8) * 255), paint="truth" in paints,
        strokes=len(strokes_of(truth.scene, "truth")), note=_("{share} foreground", share=share),
        alt=_("Ground truth: {share} of the picture is foreground.", share=share),
    )  # fmt: skip


def _prediction_panel(truth: Truth, logits: Logits, words: str) -> dict[str, object]:
    probs = 1 / (1 + np.exp(-logits))
    share = percent(float((logits > 0).mean()))
    return _panel(
        "prediction", _("Prediction"), encode_grey(np.rint(255 * probs).astype(np.uint8)), paint=True,
        strokes=len(strokes_of(truth.scene, "prediction")), note=words,
        alt=_("Probability of foreground, from black to white; {share} of the picture is predicted foreground.", share=share),
    )  # fmt: skip


def errors_of(preds: Mask, truth: Mask) -> NDArray[np.uint8]:
    """(H, W) indices into ERROR_KINDS: right background, found, false alarm, missed."""
    return np.asarray(np.select([preds & truth, preds & ~truth, ~preds & truth], [1, 2, 3], 0), dtype=np.uint8)


def _error_panel(truth: Mask, preds: Mask) -> dict[str, object]:
    errors = errors_of(preds, truth)
    counts = np.bincount(errors.ravel(), minlength=4)
    colours = np.array([kind.color for kind in ERROR_KINDS[:4]], np.uint8)
    legend = [
        {"text": f"{short} {count}", "color": list(ERROR_KINDS[i].color)}
        for i, (short, count) in enumerate(zip(("TP", "FP", "FN"), counts[1:], strict=True), start=1)
    ]
    alt = _("Found {tp} pixels, false alarms {fp}, missed {fn}.", tp=counts[1], fp=counts[2], fn=counts[3])
    return _panel("errors", _("Errors"), Encoded(palette_png(errors, colours), "image/png"), legend=legend, alt=alt)


def _signed(values: NDArray[np.float32], end: float) -> Encoded:
    """Values (H, W) on the diverging scale from −end to end."""
    levels = to_levels(torch.from_numpy(values), -end, end, "diverging")
    return Encoded(palette_png(levels, palette("diverging")), "image/png")


def gradient_panels(maps: Maps, root: bool) -> None:
    """∂loss/∂logit of every pixel, all maps between the same two ends; with `root`, by signed square roots.

    Times the number of pixels, so that cross entropy is p − g and lies between −1 and 1.
    """
    scaled = {name: gradient * gradient.size for name, gradient in maps.items()}
    reach = max((float(np.abs(values).max()) for values in scaled.values()), default=0.0)
    height, width = next(iter(scaled.values())).shape
    panels = []
    for name, values in scaled.items():
        drawn = np.sign(values) * np.sqrt(np.abs(values)) if root else values
        end = float(np.sqrt(reach)) if root else reach
        most = number(float(np.abs(values).max()))
        panels.append(_panel(
            name, title_of(name), _signed(drawn, end),
            note=_("up to {most}", most=most), alt=_("Gradient of {loss}, up to {most}.", loss=title_of(name), most=most),
        ))  # fmt: skip
    mask_painter(key="spoil_gradients", data={
        "width": width, "height": height, "scene": "gradients", "ack": None, "words": _words(), "panels": panels,
        "columns": len(panels),
    })  # fmt: skip
    label = _("∂loss/∂logit × number of pixels, one scale for all maps: blue makes foreground likelier, orange less likely")
    colour_bar(-reach, reach, "diverging", label + (_("; drawn by square roots") if root else ""))
