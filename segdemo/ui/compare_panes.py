"""The Panes view: what the component of synchronised panes is given, and the words around it."""

import math

import numpy as np

from segdemo.inference.agreement import ERROR_KINDS
from segdemo.metrics import class_shares
from segdemo.text import N_, _
from segdemo.types import ClassInfo, LabelMap, Prediction
from segdemo.ui.compare_classes import colours_of_comparison
from segdemo.ui.compare_colours import colour_of_candidate
from segdemo.ui.compare_data import Outcome, PictureComparison
from segdemo.ui.components import synchronised_panes
from segdemo.ui.drawing import encode_labels, encode_photograph, encode_probabilities
from segdemo.ui.media import media_url
from segdemo.ui.words import percent

__all__ = ["DIFFERENCE_KINDS", "label_pane", "picture_pane", "show_panes", "show_these"]

# The colours of the errors, for what they mean without a truth: too much, too little, something else.
DIFFERENCE_KINDS = (
    ClassInfo(N_("the same"), (0, 0, 0)),
    ClassInfo(N_("only here"), ERROR_KINDS[2].color),
    ClassInfo(N_("only in the reference"), ERROR_KINDS[3].color),
    ClassInfo(N_("another class"), ERROR_KINDS[4].color),
)


def show_panes(comparison: PictureComparison) -> None:
    """A pane for each candidate; the picture and the truth, where it is known, one click away."""
    panes = [model_pane(comparison, i) for i in range(len(comparison.outcomes))]
    panes.append(picture_pane(comparison, optional=True))
    modes = ["overlay", "contour", "difference"]
    if comparison.truth is not None:
        modes.append("errors")
        panes.append(truth_pane(comparison))
    show_these(comparison, panes, modes, key="panes")


def show_these(comparison: PictureComparison, panes: list[dict[str, object]], modes: list[str], *, key: str) -> None:
    """The component with these panes and ways to draw over the picture."""
    picture = comparison.picture
    photograph = encode_photograph(picture.pixels, picture.full_size)
    binary = len(comparison.space.classes) <= 2
    data = {
        "pictureKey": picture.sha256, "image": media_url(photograph.data, photograph.mime),
        "width": picture.full_size[1], "height": picture.full_size[0], "panes": panes, "modes": modes,
        "legend": _legend(panes), "differenceKinds": _named(DIFFERENCE_KINDS[:3] if binary else DIFFERENCE_KINDS),
        "errorKinds": _named(ERROR_KINDS[:4] if binary else ERROR_KINDS), "words": _words(),
    }  # fmt: skip
    data["ready"] = "|".join([str(data["pictureKey"]), *(str(pane.get("labels")) for pane in panes)])
    synchronised_panes(key=key, data=data)


def model_pane(comparison: PictureComparison, index: int) -> dict[str, object]:
    """One candidate, with what it cost and is worth under its name; or the sentence of what went wrong."""
    outcome = comparison.outcomes[index]
    pane: dict[str, object] = {
        "key": outcome.candidate.key, "kind": "model", "title": outcome.title, "color": colour_of_candidate(index),
        "problem": outcome.problem or None, "note": "", "alt": outcome.title, "classes": [],
    }  # fmt: skip
    if (prediction := outcome.prediction) is None:
        return pane
    table = comparison.space.tables.get(outcome.entry.weights_id)
    probabilities = encode_probabilities(prediction)
    shares = class_shares(prediction.preds, len(prediction.classes))
    classes = _painted(prediction.classes, comparison, table)
    covered = [f"{c['name']} {percent(float(s))}" for c, s in zip(classes, shares, strict=True) if s > 0]
    return pane | {
        "classes": [{**info, "shown": float(share) > 0} for info, share in zip(classes, shares, strict=True)],
        "labels": _labels_url(prediction.preds), "probs": media_url(probabilities.data, probabilities.mime),
        "binary": prediction.binary, "table": None if table is None else table.tolist(),
        "note": _note(comparison, outcome, prediction),
        "noteHint": _("IoU against the exact mask, where one is known, and the share of the picture that is foreground."),
        "alt": _("{name}: {covered}.", name=outcome.title, covered=", ".join(covered)),
    }  # fmt: skip


def _note(comparison: PictureComparison, outcome: Outcome, prediction: Prediction) -> str:
    """IoU where the truth is known, and area. No time: one pass, perhaps a network's first, says little of what it costs."""
    share = percent(float((prediction.preds > 0).mean()))
    iou = comparison.iou(outcome)
    scored = "" if iou is None else "IoU –" if math.isnan(iou) else f"IoU {iou:.3f}"
    return " · ".join(filter(None, [scored, _("area {share}", share=share)]))


def picture_pane(comparison: PictureComparison, *, optional: bool) -> dict[str, object]:
    """The picture with nothing over it."""
    return {
        "key": "picture", "kind": "picture", "title": _("Picture"), "hint": _("A pane with the picture alone"),
        "optional": optional, "alt": comparison.picture.name, "note": "", "classes": [],
    }  # fmt: skip


def truth_pane(comparison: PictureComparison, *, optional: bool = True) -> dict[str, object]:
    """The exact mask."""
    assert comparison.truth is not None
    table = comparison.space.target_table
    pane = label_pane(_("Truth"), "truth", comparison.truth, _painted(comparison.truth_classes, comparison, table), table)
    return pane | {"kind": "truth", "optional": optional, "hint": _("A pane with the exact mask")}


def label_pane(
    title: str, key: str, labels: LabelMap, classes: list[dict[str, object]], table: np.ndarray | None, note: str = ""
) -> dict[str, object]:
    """A label map (H, W) that no network of the list made. table (256,): its labels in the shared classes."""
    shares = class_shares(np.minimum(labels, len(classes)), len(classes) + 1)
    share = percent(float(((labels > 0) & (labels < len(classes))).mean()))
    return {
        "key": key, "kind": "labels", "title": title, "labels": _labels_url(labels), "binary": False,
        "classes": [{**info, "shown": float(s) > 0} for info, s in zip(classes, shares, strict=False)],
        "table": None if table is None else table.tolist(), "note": note or _("area {share}", share=share), "alt": title,
    }  # fmt: skip


def _painted(classes: tuple[ClassInfo, ...], comparison: PictureComparison, table: np.ndarray | None) -> list[dict[str, object]]:
    """Names and colours: one colour a class name in all panes; a class that is shared goes by the shared name's."""
    shared, colours = comparison.space.classes, colours_of_comparison(comparison)
    found: list[dict[str, object]] = []
    for label, info in enumerate(classes):
        place = 0 if table is None else int(table[label])
        name = shared[place].name if 0 < place < len(shared) else info.name
        found.append({"name": _(info.name), "color": colours.get(name, info.color) if label else info.color})
    return found


def _labels_url(labels: LabelMap) -> str:
    encoded = encode_labels(labels)
    return media_url(encoded.data, encoded.mime)


def _legend(panes: list[dict[str, object]]) -> list[dict[str, object]]:
    """The classes that any pane shows, each once."""
    found: dict[str, dict[str, object]] = {}
    for pane in panes:
        classes = pane["classes"]
        assert isinstance(classes, list)
        for info in classes[1:]:
            if info["shown"]:
                found.setdefault(str(info["name"]), {"name": info["name"], "color": info["color"]})
    return list(found.values())


def _named(kinds: tuple[ClassInfo, ...]) -> list[dict[str, object]]:
    return [{"name": _(kind.name), "color": kind.color} for kind in kinds]


def _words() -> dict[str, str]:
    """Every text of the component."""
    return {
        "label": _("Panes that show the same place. Plus and minus zoom, arrows move, Shift and arrows probe, space blinks."),
        "layout": _("Arrangement"), "grid": _("Side by side"), "blink": _("Blink"), "divider": _("Before / after"),
        "gridHint": _("All panes at once"), "blinkHint": _("Two in the same place, in turn: what differs flickers (space)"),
        "dividerHint": _("Two in the same place, with a divider between them"),
        "mode": _("Drawn over the picture"), "overlay": _("Areas"), "contour": _("Outlines"),
        "difference": _("Difference"), "errors": _("Errors"),
        "overlayHint": _("What each network found, as coloured areas"),
        "contourHint": _("Only the borders, equally thin at every zoom"),
        "differenceHint": _("Only where a pane says something else than the reference"),
        "errorsHint": _("Found, missed and falsely found, against the exact mask"),
        "extras": _("More panes"), "reference": _("Reference"), "isReference": _("reference"),
        "opacity": _("Opacity"), "first": _("First"), "second": _("Second"), "speed": _("Speed"),
        "perSecond": _("{n} a second", n="{n}"), "play": _("Blink (space)"), "pause": _("Stop (space)"),
        "zoom": _("Zoom"), "zoomIn": _("Zoom in (+)"), "zoomOut": _("Zoom out (−)"), "whole": _("Whole picture (0)"),
        "handle": _("Divider between the two"), "place": _("x {x}, y {y}", x="{x}", y="{y}"),
        "differ": _("{percent} % of pairs differ", percent="{percent}"), "uncounted": _("not counted"),
        "right": _("as in the truth"), "wrong": _("not as in the truth"),
        "rampLow": _("all agree"), "rampHigh": _("every pair differs"),
        "hint": _("Point at a pixel and every pane says what it sees there. Wheel, pinch or + and − zoom, dragging moves: "
                  "all panes together."),
        "failed": _("The panes could not be loaded. Reload the page to try again."),
    }  # fmt: skip
