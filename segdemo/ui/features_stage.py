"""A stage's view: all channels as a mosaic, one channel large, what they have in common, and what feeds the stage."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from torch import Tensor

from segdemo.features import (
    ChannelStatistics,
    Mosaic,
    draw_mosaic,
    histogram,
    kind_of,
    ordered,
    statistics_of,
    summary,
    value_range,
)  # fmt: skip
from segdemo.features.colour import Kind, Scope, coloured
from segdemo.inference.cache import BoundedCache
from segdemo.text import _
from segdemo.ui.components import channel_mosaic
from segdemo.ui.features_joins import show_join
from segdemo.ui.features_parts import CLIP, colour_bar, number, scope_words, show_picture
from segdemo.ui.features_pca import pca_controls, show_pca
from segdemo.ui.features_units import Unit, chosen_unit, show_unit, unit_clicked
from segdemo.ui.features_walk import on_picture
from segdemo.ui.features_why import class_picker, contributions_of
from segdemo.ui.media import media_url
from segdemo.ui.study import Study

__all__ = ["StageView", "show_stage", "stage_controls"]

VIEWS = ("channels", "one", "summary", "colours", "join")
SORTS = ("index", "mean", "variance", "contribution")
SCOPES: tuple[Scope, ...] = ("stage", "map", "all")
STATISTICS = 64  # stages that are remembered
MOSAIC_MEMORY_BYTES = 60_000_000

_mosaics: BoundedCache[tuple[object, ...], Mosaic] = BoundedCache(MOSAIC_MEMORY_BYTES, lambda m: len(m.png))


@dataclass(frozen=True)
class StageView:
    """How a stage is looked at; the same for both networks where two walk side by side."""

    view: str
    sort: str
    scope: Scope
    channel: int
    opacity: float
    class_index: int
    reference: str | None  # whose colours a principal component picture takes: a stage or a picture, None: its own


def stage_controls(study: Study, stage: str) -> StageView:
    """The widgets of the view."""
    words = {
        "channels": _("All channels"), "one": _("One channel"), "summary": _("Mean, max, spread"), "colours": _("As colours"),
        "join": _("What feeds it"),
    }  # fmt: skip
    joins = bool(study.recording.joins.get(stage))
    shown = [v for v in VIEWS if v != "join" or joins]
    if st.session_state.get("stage_view") not in shown:
        st.session_state["stage_view"] = shown[0]
    view = st.radio(
        _("Show"), shown, key="stage_view", persist_state="session", format_func=lambda v: words[v],
        help=_("Different ways to look at the same numbers; none runs the network again."),
    )  # fmt: skip
    channels = study.recording.maps[stage].shape[0]
    sort, scope, channel, opacity, class_index, reference = "index", SCOPES[0], 0, 0.0, 1, None
    if view == "channels":
        sort = _sort_control(study)
        class_index = class_picker(study, "sort_class") if sort == "contribution" else 1
    if view == "one":
        channel = _channel_control(channels)
    if view in ("channels", "one", "summary"):
        scope = _scope_control()
    if view == "colours":
        reference = pca_controls(study, stage)
    if view in ("one", "summary", "colours"):
        opacity = st.slider(
            _("Over the picture"), 0, 100, step=5, format="%d %%", key="map_opacity", persist_state="session",
            help=_("0 % shows the map alone; more lays it over the picture and lets that shine through less."),
        ) / 100  # fmt: skip
    return StageView(view, sort, scope, channel, opacity, class_index, reference)


def _sort_control(study: Study) -> str:
    words = {"index": _("number"), "mean": _("mean"), "variance": _("variance"), "contribution": _("contribution to a class")}
    usable = SORTS if study.prediction is not None else SORTS[:-1]
    return st.selectbox(
        _("Order of channels"), usable, key="channel_sort", persist_state="session", format_func=lambda s: words[s],
        help=_("Contribution: how much each channel adds to a class's score, from the gradient."),
    )  # fmt: skip


def _scope_control() -> Scope:
    words = {"stage": _("this stage"), "map": _("each channel"), "all": _("all stages")}
    return st.selectbox(
        _("Colours span"), SCOPES, key="colour_scope", persist_state="session", format_func=lambda s: words[s],
        help=_("Over which values the colour scale is stretched. Each channel by itself shows the most, and misleads the "
               "most: noise in a weak channel looks as strong as a signal."),
    )  # fmt: skip


def _channel_control(channels: int) -> int:
    st.session_state["channel"] = min(max(0, int(st.session_state.get("channel", 0))), channels - 1)
    return int(st.number_input(
        _("Channel"), 0, channels - 1, key="channel", persist_state="session", help=_("0 to {n}.", n=channels - 1),
    ))  # fmt: skip


def show_stage(study: Study, stage: str, view: StageView, key: str) -> None:
    """The picture of the view, and the numbers under it."""
    activation = study.recording.maps[stage]
    match view.view:
        case "one":
            _one_channel(study, stage, min(view.channel, activation.shape[0] - 1), view, key)
        case "summary":
            _summaries(study, stage, view)
        case "colours":
            show_pca(study, stage, view.reference, view.opacity)
        case "join" if stage in study.recording.joins:
            show_join(study, stage)
        case _:
            _all_channels(study, stage, view, key)


@lru_cache(maxsize=STATISTICS)
def _statistics(key: tuple[object, ...], stage: str, _activation: "Identity") -> ChannelStatistics:
    return statistics_of(_activation.tensor)


class Identity:
    """A tensor as an argument that a memory does not look at: all are equal."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity)

    def __hash__(self) -> int:
        return 0


def _all_range(study: Study) -> tuple[float, float]:
    maps = list(study.recording.maps.values())
    return value_range(maps, kind_of(maps), CLIP)


def _mosaic(study: Study, stage: str, view: StageView, statistics: ChannelStatistics) -> Mosaic:
    activation = study.recording.maps[stage]
    contribution = contributions_of(study, stage, view.class_index) if view.sort == "contribution" else None
    order = ordered(statistics, view.sort, contribution)  # type: ignore[arg-type]
    spans = _all_range(study) if view.scope == "all" else None
    kind = "diverging" if spans and spans[0] < 0 else None
    key = (study.key, stage, view.sort, view.scope, view.class_index)
    return _mosaics.get_or_make(
        key,
        lambda: draw_mosaic(activation, order=order, scope=view.scope, all_range=spans, kind=kind, clip=CLIP),  # type: ignore[arg-type]
    )


def _all_channels(study: Study, stage: str, view: StageView, key: str) -> None:
    activation = study.recording.maps[stage]
    statistics = _statistics(study.key, stage, Identity(activation))
    drawn = _mosaic(study, stage, view, statistics)
    name = f"{key}_mosaic"
    channel_mosaic(key=name, on_unit_change=lambda: unit_clicked(name, stage, switch=True), data={
        "label": _("All channels of {stage}", stage=stage), "image": media_url(drawn.png, "image/png"),
        "width": drawn.width, "height": drawn.height, "columns": drawn.columns, "rows": drawn.rows,
        "cellWidth": drawn.cell_width, "cellHeight": drawn.cell_height, "gap": drawn.gap, "order": list(drawn.order),
        "notes": [_note(statistics, channel) for channel in drawn.order],
        "marked": [int(c) for c in np.flatnonzero(statistics.dead)], "chosen": None,
        "pixelated": activation.shape[-1] < drawn.cell_width, "mapWidth": activation.shape[2], "mapHeight": activation.shape[1],
        "hint": _("Click a cell to see that channel large, and what the unit under the pointer looks at."),
        "words": _mosaic_words(),
    })  # fmt: skip
    with st.container(gap="xsmall"):
        low, high = drawn.ranges[0] if view.scope != "map" else drawn.raw
        if view.scope == "map":
            st.caption(_("Each channel is stretched over its own range: compare shapes, not strengths. "
                         "Raw values of the stage: {low} to {high}.", low=number(low), high=number(high)))  # fmt: skip
        else:
            colour_bar(low, high, drawn.kind, scope_words(view.scope), drawn.raw)
        _health(statistics)


def _mosaic_words() -> dict[str, str]:
    """The braces are filled in the browser."""
    return {"channel": _("channel {channel}"), "place": _("row {row}, column {column}")}


def _note(statistics: ChannelStatistics, channel: int) -> str:
    if statistics.dead[channel]:
        return _("dead: zero everywhere")
    mean, high = statistics.mean[channel], statistics.maximum[channel]
    return _("mean {mean} · max {high}", mean=number(float(mean)), high=number(float(high)))


def _health(statistics: ChannelStatistics) -> None:
    dead, saturated = int(statistics.dead.sum()), int(statistics.saturated.sum())
    st.caption(
        _("{dead} of {n} channels dead, {stuck} saturated", dead=dead, stuck=saturated, n=len(statistics.dead)),
        help=_("Dead: zero at every position of this picture. Saturated: the same other value at 95 % of the positions."),
    )  # fmt: skip


def _one_channel(study: Study, stage: str, channel: int, view: StageView, key: str) -> None:
    activation = study.recording.maps[stage]
    feature_map = activation[channel]
    kind = kind_of(activation)
    spans = {"map": [feature_map], "stage": [activation]}.get(view.scope)
    low, high = value_range(spans, kind, CLIP) if spans else _all_range(study)
    kind = "diverging" if low < 0 < high and not spans else kind
    left, right = st.columns(2, gap="medium")
    with left:
        _channel_picture(study, stage, channel, (low, high, kind), view, key)
        colour_bar(low, high, kind, scope_words(view.scope), value_range([feature_map], "sequential"))
        st.plotly_chart(_histogram(feature_map), config={"displayModeBar": False}, key=f"{key}_histogram")
    with right:
        unit = chosen_unit(study, stage, channel)
        show_unit(study, unit or Unit.strongest(stage, channel, feature_map), given=unit is not None)


def _channel_picture(
    study: Study, stage: str, channel: int, scale: tuple[float, float, Kind], view: StageView, key: str
) -> None:  # fmt: skip
    """The map alone, where a click chooses a unit, or over the picture."""
    low, high, kind = scale
    feature_map = study.recording.maps[stage][channel]
    if view.opacity:
        drawn = on_picture(coloured(feature_map, low, high, kind), study, stage, study.seen.shape[:2])
        mixed = np.rint(view.opacity * drawn + (1 - view.opacity) * study.seen).astype(np.uint8)
        show_picture(mixed, _("Channel {n} of {stage} over the picture", n=channel, stage=stage))
        return
    single = draw_mosaic(
        feature_map[None], scope="all", all_range=(low, high), kind=kind, max_width=640, aspect=1.0
    )  # fmt: skip
    name = f"{key}_channel"
    channel_mosaic(key=name, on_unit_change=lambda: unit_clicked(name, stage, switch=False), data={
        "label": _("Channel {n} of {stage}", n=channel, stage=stage), "image": media_url(single.png, "image/png"),
        "width": single.width, "height": single.height, "columns": 1, "rows": 1, "cellWidth": single.cell_width,
        "cellHeight": single.cell_height, "gap": single.gap, "order": [channel], "notes": [""], "marked": [], "chosen": None,
        "pixelated": True, "mapWidth": feature_map.shape[1], "mapHeight": feature_map.shape[0],
        "hint": _("Click a place to see what that unit looks at."), "words": _mosaic_words(),
    })  # fmt: skip


def _histogram(feature_map: Tensor) -> go.Figure:
    counts, edges = histogram(feature_map)
    figure = go.Figure(go.Bar(x=(edges[:-1] + edges[1:]) / 2, y=counts, width=np.diff(edges), marker_line_width=0))
    figure.update_layout(height=170, margin={"l": 0, "r": 0, "t": 8, "b": 0}, showlegend=False, bargap=0)
    figure.update_xaxes(title=_("Value"))
    figure.update_yaxes(title=_("Positions"), rangemode="tozero")
    return figure


def _summaries(study: Study, stage: str, view: StageView) -> None:
    """Mean, maximum and standard deviation over the channels, each at every position."""
    activation = study.recording.maps[stage]
    words = {"mean": _("Mean over channels"), "max": _("Largest channel"), "std": _("Standard deviation over channels")}
    maps = {how: summary(activation, how) for how in words}  # type: ignore[arg-type]
    for column, (how, title) in zip(st.columns(3), words.items(), strict=True):
        feature_map = maps[how]
        kind = kind_of(feature_map)
        together = {"map": [feature_map], "stage": list(maps.values())}.get(view.scope)
        low, high = value_range(together, kind_of(together), CLIP) if together else _all_range(study)
        kind = "diverging" if low < 0 else "sequential"
        with column:
            st.markdown(f"**{title}**")
            if view.opacity:
                drawn = on_picture(coloured(feature_map, low, high, kind), study, stage, study.seen.shape[:2])
                show_picture(np.rint(view.opacity * drawn + (1 - view.opacity) * study.seen).astype(np.uint8), title)
            else:
                show_picture(coloured(feature_map, low, high, kind), title)
            colour_bar(low, high, kind, scope_words(view.scope) if view.scope != "map" else _("this map's own range"))
