"""A stage's view: all channels as a mosaic, one channel large, what they have in common, and what feeds the stage."""

from dataclasses import dataclass, replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from torch import Tensor

from segdemo.features import (
    ChannelStatistics,
    Mosaic,
    draw_mosaic,
    histogram,
    ordered,
    statistics_of,
    summary,
    value_range,
)  # fmt: skip
from segdemo.features.channels import Order, Summary
from segdemo.features.colour import Scope, coloured
from segdemo.inference.cache import BoundedCache
from segdemo.text import _
from segdemo.types import RGBImage
from segdemo.ui.components import channel_mosaic
from segdemo.ui.features_joins import show_join
from segdemo.ui.features_parts import CLIP, Scale, colour_bar, number, over, scale_over, scope_words, show_picture
from segdemo.ui.features_pca import pca_controls, show_pca
from segdemo.ui.features_scales import scale_of_all
from segdemo.ui.features_targets import class_picker, same_class
from segdemo.ui.features_units import Unit, chosen_unit, show_unit, unit_clicked
from segdemo.ui.features_walk import on_picture
from segdemo.ui.features_why import contributions_of
from segdemo.ui.media import media_url
from segdemo.ui.study import Study

__all__ = ["StageView", "show_stage", "stage_controls"]

VIEWS = ("channels", "one", "summary", "colours", "join")
SORTS: tuple[Order, ...] = ("index", "mean", "variance", "contribution")
SCOPES: tuple[Scope, ...] = ("stage", "map", "all")
STATISTICS_MEMORY_BYTES = 10_000_000
MOSAIC_MEMORY_BYTES = 60_000_000

_mosaics: BoundedCache[tuple[object, ...], Mosaic] = BoundedCache(MOSAIC_MEMORY_BYTES, lambda m: len(m.png))
_statistics: BoundedCache[tuple[object, ...], ChannelStatistics] = BoundedCache(
    STATISTICS_MEMORY_BYTES, lambda statistics: 50 * len(statistics.mean)
)


@dataclass(frozen=True)
class StageView:
    """How a stage is looked at; the same for both networks where two walk side by side."""

    view: str
    sort: Order
    scope: Scope
    channel: int
    opacity: float
    class_index: int
    paired: bool  # two networks share the width
    reference: str | None  # whose colours a principal component picture takes: a stage or a picture, None: its own


def stage_controls(study: Study, stage: str, *, wide: bool = False) -> StageView:
    """The widgets of the view; `wide` where they stand in a row."""
    words = {
        "channels": _("All channels"), "one": _("One channel"), "summary": _("Mean, max, spread"), "colours": _("As colours"),
        "join": _("What feeds it"),
    }  # fmt: skip
    joins = _has_join(study, stage)
    shown = [v for v in VIEWS if v != "join" or joins]
    if st.session_state.get("stage_view") not in shown:
        st.session_state["stage_view"] = shown[0]
    view = st.radio(
        _("Show"), shown, key="stage_view", persist_state="session", format_func=lambda v: words[v], horizontal=wide,
        help=_("Different ways to look at the same numbers; none runs the network again."),
    )  # fmt: skip
    channels = study.recording.maps[stage].shape[0]
    sort: Order = "index"
    scope, channel, opacity, class_index, reference = SCOPES[0], int(st.session_state.get("channel", 0)), 0.0, 1, None
    if view == "channels":
        sort = _sort_control(study)
        class_index = class_picker(study, "sort_class") if sort == "contribution" else 1
    if view == "one":
        channel = _channel_control(channels)
    if view in ("channels", "one"):
        scope = _scope_control()
    if view == "summary" and st.toggle(
        _("One scale for all stages"), key="summary_shared", persist_state="session",
        help=_("Otherwise each of the three maps is stretched over its own values."),
    ):  # fmt: skip
        scope = "all"
    if view == "colours":
        reference = pca_controls(study, stage)
    if view in ("one", "summary", "colours"):
        opacity = st.slider(
            _("Over the picture"), 0, 100, step=5, format="%d %%", key="map_opacity", persist_state="session",
            help=_("0 % shows the map alone; more lays it over the picture and lets that shine through less."),
        ) / 100  # fmt: skip
    return StageView(view, sort, scope, channel, opacity, class_index, wide, reference)


def _has_join(study: Study, stage: str) -> bool:
    part = study.anatomy.part(stage)
    return part.stage.join is not None and bool(part.stage.skip_from)


def _sort_control(study: Study) -> Order:
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


def show_stage(study: Study, stage: str, view: StageView, key: str, first: Study) -> None:
    """The picture of the view, and the numbers under it. Classes are counted as in the `first` network's."""
    activation = study.recording.maps[stage]
    match view.view:
        case "one":
            _one_channel(study, stage, min(view.channel, activation.shape[0] - 1), view, key)
        case "summary":
            _summaries(study, stage, view)
        case "colours":
            show_pca(study, stage, view.reference, view.opacity, beside=not view.paired)
        case "join" if _has_join(study, stage):
            show_join(study, stage)
        case _:
            _all_channels(study, stage, view, key, first)


def _mosaic(study: Study, stage: str, view: StageView, statistics: ChannelStatistics, class_index: int | None) -> Mosaic:
    activation = study.recording.maps[stage]
    order_by: Order = "index" if view.sort == "contribution" and class_index is None else view.sort
    given = contributions_of(study, stage, class_index) if order_by == "contribution" and class_index is not None else None
    order = ordered(statistics, order_by, None if given is None else given.tolist())
    scale = scale_of_all(study) if view.scope == "all" else None
    key = (study.key, stage, order_by, view.scope, class_index if order_by == "contribution" else None)
    return _mosaics.get_or_make(key, lambda: draw_mosaic(
        activation, order=order, scope=view.scope, all_range=(scale.low, scale.high) if scale else None,
        kind=scale.kind if scale else None, clip=CLIP,
    ))  # fmt: skip


def _all_channels(study: Study, stage: str, view: StageView, key: str, first: Study) -> None:
    activation = study.recording.maps[stage]
    statistics = _statistics.get_or_make((study.key, stage), lambda: statistics_of(activation))
    class_index = same_class(study, first, view.class_index) if view.sort == "contribution" else None
    if view.sort == "contribution" and class_index is None:
        st.caption(_("This network does not have the class: its channels stand by number."))
    drawn = _mosaic(study, stage, view, statistics, class_index)
    name = f"{key}_mosaic"
    channel_mosaic(key=name, on_unit_change=lambda: unit_clicked(name, stage, drawn, switch=True), data={
        "label": _("All channels of {stage}", stage=stage), "image": media_url(drawn.png, "image/png"),
        "width": drawn.width, "height": drawn.height, "columns": drawn.columns, "rows": drawn.rows,
        "cellWidth": drawn.cell_width, "cellHeight": drawn.cell_height, "gap": drawn.gap, "order": list(drawn.order),
        "notes": [_note(statistics, channel) for channel in drawn.order],
        "marked": [int(c) for c in np.flatnonzero(statistics.dead)], "chosen": view.channel,
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
    scale = scale_of_all(study) if view.scope == "all" else scale_over(activation if view.scope == "stage" else feature_map)
    left, right = st.columns(2, gap="medium")
    with left:
        _channel_picture(study, stage, channel, scale, view, key)
        raw = value_range([feature_map], "sequential")
        colour_bar(scale.low, scale.high, scale.kind, scope_words(view.scope), raw)
        st.plotly_chart(_histogram(feature_map), config={"displayModeBar": False}, key=f"{key}_histogram",
                        alt=_("Histogram of the channel's values"))  # fmt: skip
    with right:
        unit = chosen_unit(study, stage, channel)
        show_unit(study, unit or Unit.strongest(stage, channel, feature_map), given=unit is not None)


def _channel_picture(study: Study, stage: str, channel: int, scale: Scale, view: StageView, key: str) -> None:
    """The map alone, where a click chooses a unit, or over the picture."""
    feature_map = study.recording.maps[stage][channel]
    if view.opacity:
        title = _("Channel {n} of {stage} over the picture", n=channel, stage=stage)
        show_picture(_over_picture(study, stage, feature_map, scale, view.opacity), title)
        return
    single = draw_mosaic(
        feature_map[None], scope="all", all_range=(scale.low, scale.high), kind=scale.kind, max_width=640, aspect=1.0
    )
    shown, name = replace(single, order=(channel,)), f"{key}_channel"
    channel_mosaic(key=name, on_unit_change=lambda: unit_clicked(name, stage, shown, switch=False), data={
        "label": _("Channel {n} of {stage}", n=channel, stage=stage), "image": media_url(single.png, "image/png"),
        "width": single.width, "height": single.height, "columns": 1, "rows": 1, "cellWidth": single.cell_width,
        "cellHeight": single.cell_height, "gap": single.gap, "order": [channel], "notes": [""], "marked": [], "chosen": None,
        "pixelated": True, "mapWidth": feature_map.shape[1], "mapHeight": feature_map.shape[0],
        "hint": _("Click a place to see what that unit looks at."), "words": _mosaic_words(),
    })  # fmt: skip


def _over_picture(study: Study, stage: str, feature_map: Tensor, scale: Scale, opacity: float) -> RGBImage:
    drawn = coloured(feature_map, scale.low, scale.high, scale.kind)
    return over(on_picture(drawn, study, stage, (study.seen.shape[0], study.seen.shape[1])), study.seen, opacity)


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
    words: dict[Summary, str] = {
        "mean": _("Mean over channels"), "max": _("Largest channel"), "std": _("Standard deviation over channels"),
    }  # fmt: skip
    maps = {how: summary(activation, how) for how in words}
    shared = scale_of_all(study) if view.scope == "all" else None
    for column, (how, title) in zip(st.columns(3), words.items(), strict=True):
        scale = shared or scale_over(maps[how])
        with column:
            st.markdown(f"**{title}**")
            if view.opacity:
                show_picture(_over_picture(study, stage, maps[how], scale, view.opacity), title)
            else:
                show_picture(coloured(maps[how], scale.low, scale.high, scale.kind), title)
            label = scope_words("all") if shared else _("this map's own range")
            colour_bar(scale.low, scale.high, scale.kind, label, value_range([maps[how]], "sequential"))
