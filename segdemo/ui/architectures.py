"""The Architectures page: networks in order of history, each drawn from its own stages, one or two at a time.

Nothing here runs a network on pixels: shapes, costs and fields come from passes without memory.
"""

from dataclasses import replace

import streamlit as st

from segdemo.errors import SettingError
from segdemo.features import Anatomy
from segdemo.features.history import Architecture, architecture_of
from segdemo.models import TITLES
from segdemo.text import _
from segdemo.ui.architectures_controls import controls, open_request, requests
from segdemo.ui.architectures_data import (
    Request,
    anatomy_of,
    families,
    fields_of,
    nearest_sizes,
    residual_block_of,
    source_of,
    thumbnail_of,
)  # fmt: skip
from segdemo.ui.architectures_tables import comparison_table, facts_table, field_text, stage_table
from segdemo.ui.diagram import draw_diagram, legend_of
from segdemo.ui.diagram_component import network_diagram, network_gallery
from segdemo.ui.diagram_layout import shape_text
from segdemo.ui.scores import show_scores
from segdemo.ui.words import compact_number

__all__ = ["show_architectures_page"]

WIDTH, WIDTH_BESIDE, HEIGHT = 760, 476, 408


def show_architectures_page() -> None:
    """Gallery, diagram with its controls, numbers, and what there is to read."""
    st.title(_("How is this network built, and what did it add?"))
    name, beside = st.session_state["net"], st.session_state.get("beside") or ""
    _gallery(name)
    if beside:
        shown = _two(name, beside)
    else:
        picture, side = st.columns([4, 1], gap="medium")
        with side:
            controls(name)
        with picture:
            shown = [_drawn(requests(name, "")[0], "diagram", WIDTH)]
    for request in dict.fromkeys(shown):
        _told(request)
    show_scores()


def _two(name: str, beside: str) -> list[Request]:
    """Two diagrams with one row of controls above them, and a table of what they differ in."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        controls(name)
    shown = []
    for column, request, key in zip(st.columns(2), requests(name, beside), ("diagram", "diagram_beside"), strict=True):
        with column:
            shown.append(_drawn(request, key, WIDTH_BESIDE))
    st.subheader(_("Side by side"))
    anatomies = [anatomy_of(request) for request in shown]
    seen = [field_text(fields_of(r)[a.parts[-1].stage.name]) for r, a in zip(shown, anatomies, strict=True)]
    comparison_table([TITLES[request.name] for request in shown], anatomies, seen)
    if anatomies[0].input_shape[1:] != anatomies[1].input_shape[1:]:
        st.caption(_("Each has the input of its paper here, so costs cannot be compared: choose one picture size for both."))
    return shown


def _gallery(name: str) -> None:
    with st.spinner(_("Drawing the networks …")):
        items = _gallery_items()
    data = {"items": items, "chosen": architecture_of(name).key, "label": _("Networks in order of history")}
    network_gallery(key="gallery", data=data, on_chosen_change=_chosen)


def _gallery_items() -> list[dict[str, str]]:
    return [
        {
            "key": entry.key, "title": entry.title, "year": str(entry.year or "–"), "hint": f"{entry.title}: {_(entry.added)}",
            "svg": thumbnail_of(names[0]),
        }
        for entry, names in families()
    ]  # fmt: skip


def _chosen() -> None:
    key = st.session_state["gallery"].get("chosen")
    for entry, names in families():
        if entry.key == key:
            open_request(names[0])


def _drawn(request: Request, key: str, width: int) -> Request:
    """The diagram and its figures. Where the picture's size does not work it says why, and draws the nearest that does."""
    try:
        anatomy = anatomy_of(request)
    except SettingError as error:
        request = _explained(request, str(error))
        anatomy = anatomy_of(request)
    fields, title = fields_of(request), TITLES[request.name]
    svg = draw_diagram(anatomy, fields, title, width=width, height=HEIGHT)
    label = _("Diagram of {title}; the table of stages below says the same in words.", title=title)
    network_diagram(key=key, data={"svg": svg, "legend": legend_of(anatomy), "label": label})
    _figures(request, anatomy, field_text(fields[anatomy.parts[-1].stage.name]))
    return request


def _figures(request: Request, anatomy: Anatomy, seen: str) -> None:
    """One line of totals under the diagram."""
    there = f"{shape_text(anatomy.input_shape)} → {shape_text(anatomy.logits_shape)}"
    st.markdown(
        f"**{TITLES[request.name]}** · {there} · "
        + _("**{params}** parameters · **{macs}** MACs · receptive field **{field}**",
            params=compact_number(anatomy.params), macs=compact_number(anatomy.macs), field=seen)
    )  # fmt: skip


def _explained(request: Request, sentence: str) -> Request:
    """Why a size does not work, and the nearest ones that do, each one click away. Returns what can be drawn."""
    working = [replace(request, size=size) for size in nearest_sizes(request)] or [Request.of_paper(request.name)]
    st.error(f"**{TITLES[request.name]}**: {sentence}", icon=":material/straighten:")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_("Nearest sizes that work:"), width="content")
        for near in working:
            (height, width), logits = near.size, anatomy_of(near).logits_shape
            st.button(
                f"{height} × {width} → {' × '.join(map(str, logits[1:])) or logits[0]}", key=f"size_{near.name}_{height}_{width}",
                on_click=_use_size, args=(f"{height}x{width}" if height != width else str(height),),
            )  # fmt: skip
        st.caption(_("The first one is drawn."), width="content")
    return working[0]


def _use_size(text: str) -> None:
    st.session_state["input"] = text


def _told(request: Request) -> None:
    """What a network added, its facts, its stages and its source."""
    entry = architecture_of(request.name)
    st.subheader(f"{TITLES[request.name]}" + (f" · {entry.year}" if entry.year else ""))
    left, right = st.columns(2, gap="large")
    with left:
        _story(entry)
        st.markdown(f"#### {_('Published and ours')}")
        facts_table(request.name)
    with right:
        st.markdown(f"#### {_('Stages')}")
        stage_table(anatomy_of(request), fields_of(request), key=f"stages_{request.name}")
    with st.expander(_("Source code"), icon=":material/code:", key=f"source_{request.name}", on_change="rerun") as source:
        if source.open:
            file, text = source_of(request.name)
            st.caption(f"`segdemo/models/{file}`")
            st.code(text, language="python", height=480)
            if block := residual_block_of(request):
                plain_block = _("Its plain residual block, two 3×3 convolutions, from torchvision")
                bottleneck_block = _("Its bottleneck block, 1×1, 3×3 and 1×1 convolutions, from torchvision")
                st.caption(plain_block if block[0] == "BasicBlock" else bottleneck_block)
                st.code(block[1], language="python", height=480)


def _story(entry: Architecture) -> None:
    st.markdown(f"**{_('What it added')}.** {_(entry.added)}")
    ancestors = [known.title for known, _names in families() if known.key in entry.ancestors]
    lines = [
        _("Builds on {ancestors}.", ancestors=", ".join(ancestors)) if ancestors else "",
        _(entry.sizes),
        f"{entry.authors}: [{entry.paper}]({entry.link})." if entry.link else _("There is no canonical paper."),
    ]
    st.caption("  \n".join(line for line in lines if line))
