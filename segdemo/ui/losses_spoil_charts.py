"""The plots of "Spoil the mask": all losses now against the untouched prediction, and sweeps."""

from collections.abc import Mapping

import plotly.graph_objects as go

from segdemo.losslab.sweeps import Sweep, normalised
from segdemo.text import _
from segdemo.ui.features_parts import number
from segdemo.ui.loss_colours import colour_of, title_of
from segdemo.ui.words import percent

__all__ = ["changes_figure", "sweep_figure"]

TICKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64)
QUIET = "rgba(128, 128, 128, 0.75)"


def changes_figure(now: Mapping[str, float], untouched: Mapping[str, float], logarithmic: bool) -> go.Figure:
    """A row a loss: a hollow dot for the untouched prediction, a full one for now. A logarithmic axis drops 0 and below."""
    names = list(now)[::-1]
    titles, colours = [title_of(name) for name in names], [colour_of(name) for name in names]
    moved = [
        {"x": [untouched[name], now[name]], "y": [title, title], "mode": "lines", "line": {"color": colour, "width": 3},
         "opacity": 0.55, "hoverinfo": "skip"}
        for name, title, colour in zip(names, titles, colours, strict=True)
    ]  # fmt: skip
    before = {
        "x": [untouched[name] for name in names], "y": titles, "mode": "markers", "cliponaxis": False,
        "marker": {"symbol": "circle-open", "size": 11, "color": colours, "line": {"width": 2}},
        "hovertemplate": _("%{y}, untouched: %{x:.4g}") + "<extra></extra>",
    }  # fmt: skip
    after = {
        "x": [now[name] for name in names], "y": titles, "mode": "markers+text", "cliponaxis": False,
        "marker": {"size": 13, "color": colours}, "text": [f" {number(now[name])} " for name in names],
        "textposition": ["middle right" if now[name] >= untouched[name] else "middle left" for name in names],
        "hovertemplate": _("%{y}, now: %{x:.4g}") + "<extra></extra>",
    }  # fmt: skip
    axis = _("Loss: ○ untouched, ● now (logarithmic)") if logarithmic else _("Loss: ○ untouched, ● now")
    return go.Figure([*moved, before, after], {
        "height": 56 + 25 * max(4, len(names)), "margin": {"l": 0, "r": 60, "t": 6, "b": 0}, "showlegend": False,
        "xaxis": {"title": {"text": axis}, "type": "log" if logarithmic else "linear", "rangemode": "tozero"},
        "yaxis": {"ticks": "", "showgrid": True},
    })  # fmt: skip


def sweep_figure(sweep: Sweep, axis: str, quantity: str, *, scale: bool, current: float | None, logarithmic: bool) -> go.Figure:
    """All losses over one amount. `scale` draws each between its own best and worst; `current` marks where the picture is.

    `axis` and `quantity` are the axes' titles; `logarithmic` is of the amounts.
    """
    figure = go.Figure()
    for name, values in sweep.curves.items():
        drawn = normalised(values) if scale else values
        figure.add_scatter(
            x=sweep.amounts, y=drawn, name=title_of(name), mode="lines+markers", line={"color": colour_of(name), "width": 2.5},
            marker={"size": 6}, customdata=values, hovertemplate="%{x:.4g}: %{customdata:.4g}",
        )  # fmt: skip
    if not scale and not quantity.startswith("|"):
        figure.add_scatter(x=sweep.amounts, y=1 - sweep.dice, name=_("1 − Dice of the mask"), mode="lines",
                           line={"color": QUIET, "width": 2, "dash": "dot"}, hovertemplate="%{x:.4g}: %{y:.4g}")  # fmt: skip
    if current is not None:
        figure.add_vline(x=current, line={"color": QUIET, "width": 1.5, "dash": "dash"}, annotation_text=_("now"),
                         annotation_position="top")  # fmt: skip
    figure.update_layout(height=360, margin={"l": 0, "r": 0, "t": 22, "b": 0}, hovermode="x unified",
                         legend={"orientation": "h", "y": -0.22, "yanchor": "top"})  # fmt: skip
    figure.update_xaxes(title=axis, type="log" if logarithmic else "linear")
    if logarithmic:
        ticks = [amount for amount in TICKS if sweep.amounts.min() <= amount <= sweep.amounts.max()]
        shares = sweep.amounts.max() < 1
        figure.update_xaxes(tickvals=ticks, ticktext=[percent(tick) if shares else f"{tick:g}" for tick in ticks],
                            autorange="reversed" if shares else True)  # fmt: skip
    figure.update_yaxes(title=_("Between its best and its worst") if scale else quantity)
    if quantity.startswith("|") and not scale:
        figure.update_yaxes(type="log", exponentformat="power", dtick=1)
    return figure
