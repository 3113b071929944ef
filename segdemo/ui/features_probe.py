"""The pixel probe: one pixel's class probabilities, what each stage sees of its surroundings, and its value through all.

Hovering is answered in the browser, from the fields of every row and column; a click asks for the effective field, which
takes a pass forward and back.
"""

import numpy as np
import streamlit as st
from torch import Tensor

from segdemo.features import summary, value_range, values_at
from segdemo.features.colour import STEPS, coloured, to_levels
from segdemo.text import _
from segdemo.ui.components import pixel_prober
from segdemo.ui.drawing import Encoded, encode_grey, encode_photograph, encode_probabilities, encode_small
from segdemo.ui.features_parts import certainty, number
from segdemo.ui.features_pixel import hold, let_go, pixel_in
from segdemo.ui.features_units import Unit, effective_of, inside_picture
from segdemo.ui.media import media_url
from segdemo.ui.study import Study

__all__ = ["show_probe"]


def show_probe(study: Study, stage: str, key: str) -> None:
    """The picture with its probe, and after a click the numbers of that pixel."""
    height, width = study.seen.shape[:2]
    pixel = pixel_in(study)
    unit = _unit_at(study, stage, pixel) if pixel else None
    with st.spinner(_("Following the gradient …"), show_time=True):
        light = _overlay(study, unit)
    pixel_prober(key=key, on_pinned_change=lambda: _pinned(key, study), on_stage_change=lambda: _stage_chosen(key, study), data={
        "label": _("Probe: every pixel and what the network says of it"),
        "image": _photograph(study), "width": width, "height": height, "probs": _probabilities(study),
        "binary": study.prediction is not None and study.prediction.binary,
        "classes": [{"name": _(info.name), "color": info.color} for info in study.entry.classes],
        "overlay": light, "stages": [_stage(study, name) for name in study.stages], "chosenStage": stage,
        "pinned": None if pixel is None else {"x": pixel[1], "y": pixel[0]},
        "words": _words(),
    })  # fmt: skip
    if pixel is None or unit is None:
        st.caption(_("Click a pixel to add the effective field: what the stage really reacts to here, from its gradient."))
        return
    _numbers(study, stage, unit, pixel, key)


def _words() -> dict[str, str]:
    """What the component says; the braces are filled in the browser."""
    return {
        "hint": _("Move over the picture; click to hold a pixel. Arrow keys move it, Escape lets it go."),
        "probabilities": _("Class probabilities"), "values": _("Mean value through the stages"),
        "scale": _("Each stage between its own lowest and highest value"), "field": _("What {stage} can see from here"),
        "sees": _("{width} × {height} px"), "whole": _("the whole picture"), "beyond": _("reaching beyond it"),
        "padding": _("only what was put around the picture"),
        "place": _("Pixel x {x}, y {y}"), "value": _("{stage}: {value} ({low} … {high})"),
        "pinned": _("Held"), "free": _("Under the pointer"), "elsewhere": _("Under the pointer; another is held"),
        "unpin": _("Let go"),
        "failed": _("The picture could not be loaded. Reload the page to try again."),
    }  # fmt: skip


def _pinned(key: str, study: Study) -> None:
    """A pixel was clicked, or let go."""
    pinned = st.session_state[key].get("pinned")
    if not isinstance(pinned, dict):
        return
    x, y = pinned.get("x"), pinned.get("y")
    if isinstance(x, int | float) and isinstance(y, int | float):
        hold(study, y, x)
    else:
        let_go()


def _stage_chosen(key: str, study: Study) -> None:
    """A stage of the plot was clicked."""
    if (stage := st.session_state[key].get("stage")) in study.stages:
        st.session_state["stage"] = stage


def _unit_at(study: Study, stage: str, pixel: tuple[int, int]) -> Unit:
    border = study.preprocessing.border
    row, column = study.places[stage].position_at(pixel[0] + border, pixel[1] + border)
    return Unit(stage, None, row, column)


def _photograph(study: Study) -> str:
    encoded = encode_photograph(study.seen, (study.seen.shape[0], study.seen.shape[1]))
    return media_url(encoded.data, encoded.mime)


def _probabilities(study: Study) -> str | None:
    if study.prediction is None:
        return None
    encoded = encode_probabilities(study.prediction)
    return media_url(encoded.data, encoded.mime)


def _overlay(study: Study, unit: Unit | None) -> dict[str, object] | None:
    """The effective field as light over the picture."""
    if unit is None:
        return None
    heat = inside_picture(effective_of(study, unit).heat, study)
    share = (heat / heat.max().clamp(min=1e-30)).sqrt()
    alpha = np.rint(share.numpy() * 230).astype(np.uint8)
    encoded = encode_small(np.dstack([coloured(share, 0.0, 1.0, "sequential"), alpha]))
    return {
        "image": media_url(encoded.data, encoded.mime), "opacity": 1.0,
        "alt": _("Effective field of {stage}", stage=unit.stage),
    }  # fmt: skip


def _stage(study: Study, name: str) -> dict[str, object]:
    """Where the rows and columns of a stage's map look, in pixels of the picture, and its mean map as a grey picture."""
    place, border = study.places[name], study.preprocessing.border
    mean = summary(study.recording.maps[name], "mean")
    low, high = value_range([mean], "sequential")
    levels = to_levels(mean, low, high)
    encoded = _grey(levels)
    return {
        "key": name, "title": name,
        "rows": (np.stack([place.row_first, place.row_last], 1) - border).tolist(),
        "columns": (np.stack([place.column_first, place.column_last], 1) - border).tolist(),
        "centresY": np.round(place.row_centre - border, 2).tolist(),
        "centresX": np.round(place.column_centre - border, 2).tolist(),
        "summary": {"image": media_url(encoded.data, encoded.mime), "low": low, "high": high},
    }  # fmt: skip


def _grey(levels: np.ndarray) -> Encoded:
    """Bytes 0–255 from low to high."""
    return encode_grey(np.rint(np.minimum(levels, STEPS - 1).astype(np.float64) * 255 / (STEPS - 1)).astype(np.uint8))


def _numbers(study: Study, stage: str, unit: Unit, pixel: tuple[int, int], key: str) -> None:
    """Both fields of the chosen stage, and how the pixel's values run through all stages."""
    field, place = effective_of(study, unit), study.places[stage]
    rect = place.field(unit.row, unit.column)
    sure = certainty(place.kind)
    st.caption(
        _("**{stage}** from pixel x {x}, y {y}: theoretical field {w:.0f} × {h:.0f} px ({sure}); effective field: 95 % of the "
          "gradient within {r:.0f} px.", stage=stage, x=pixel[1], y=pixel[0], h=rect.height, w=rect.width, sure=sure,
          r=field.radius_px)
        if not field.silent else
        _("**{stage}** from pixel x {x}, y {y}: theoretical field {w:.0f} × {h:.0f} px ({sure}). No pixel moves it: it is off.",
          stage=stage, x=pixel[1], y=pixel[0], h=rect.height, w=rect.width, sure=sure)
    )  # fmt: skip
    border = study.preprocessing.border
    found = values_at(study.recording.maps, study.places, pixel[0] + border, pixel[1] + border)
    st.dataframe([_row(name, values) for name, values in found.items()], hide_index=True, key=f"{key}_values")


def _row(name: str, values: Tensor) -> dict[str, str | int]:
    """What the channels of a stage say at the pixel."""
    return {
        _("Stage"): name, _("Mean over channels"): number(float(values.mean())), _("Smallest"): number(float(values.min())),
        _("Largest"): number(float(values.max())), _("Largest in channel"): int(values.argmax()),
    }  # fmt: skip
