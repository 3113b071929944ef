"""The walk as one HTML file for a lecture: pictures, numbers and source inside, nothing fetched from anywhere."""

import base64
from html import escape

from segdemo.features import draw_mosaic, statistics_of
from segdemo.text import _
from segdemo.ui.diagram import COLOURS
from segdemo.ui.diagram_layout import shape_text
from segdemo.ui.drawing import Encoded
from segdemo.ui.features_beside import network_title
from segdemo.ui.features_parts import CLIP, number, sees_words
from segdemo.ui.features_walk import node_images, walk_edges, walk_nodes
from segdemo.ui.study import Study

__all__ = ["lecture_html"]

CELL_WIDTH, CELL_HEIGHT, PICTURE = 104, 96, 84  # px, of the diagram
STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 1180px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .3rem; border-left: 6px solid; padding-left: .6rem; }
.walk { overflow-x: auto; } .walk text { font-size: 12px; fill: currentColor; } .walk a:hover rect { fill-opacity: .5; }
.mosaic { max-width: 100%; image-rendering: pixelated; }
p.facts { margin: .2rem 0 .6rem; opacity: .85; }
pre { overflow-x: auto; padding: .8rem; border: 1px solid #8886; border-radius: 6px; font-size: 13px; }
"""


def lecture_html(study: Study, source: str) -> str:
    """One page: the walk, then every stage with all its channels, then `source`, the lines that recorded them."""
    title = _("{picture} through {network}", picture=study.picture.name, network=network_title(study.entry.weights_id))
    body = [f"<h1>{escape(title)}</h1>", _walk(study), *(_stage(study, name) for name in study.stages)]
    body.append(f"<h2>{escape(_('How this was recorded'))}</h2><p>{escape(_settings(study))}</p><pre>{escape(source)}</pre>")
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><meta name="viewport" content="width=device-width">'
    return f"<!doctype html><html lang='en'>{head}<style>{STYLE}</style><body>{''.join(body)}</body></html>"


def _settings(study: Study) -> str:
    height, width = study.seen.shape[:2]
    sha = study.entry.sha256[:16] or _("none")
    return _(
        "Network {network}; picture SHA-256 {picture}…; weights SHA-256 {weights}; recorded at {w} × {h} pixels in float32.",
        network=study.entry.weights_id, picture=study.picture.sha256[:16], weights=sha, w=width, h=height,
    )  # fmt: skip


def _walk(study: Study) -> str:
    """The diagram, with its ways and skips: every stage links to its section."""
    nodes, images = walk_nodes(study), node_images(study)
    at = {str(n["key"]): (CELL_WIDTH * float(str(n["column"])), CELL_HEIGHT * float(str(n["row"]))) for n in nodes}
    kinds = {str(n["key"]): str(n["kind"]) for n in nodes}
    height = max(8, round(PICTURE * study.seen.shape[0] / study.seen.shape[1]))
    height = min(height, CELL_HEIGHT - 30)
    lines = [_line(at[str(e["from"])], at[str(e["to"])], COLOURS[kinds[str(e["from"])]] if e["kind"] == "skip" else "", height)
             for e in walk_edges(study)]  # fmt: skip
    drawn = [_node(str(n["key"]), str(n["title"]), at[str(n["key"])], images[str(n["key"])], COLOURS[str(n["kind"])], height,
                   linked=bool(n["clickable"])) for n in nodes]  # fmt: skip
    width, deep = max(x for x, _y in at.values()) + PICTURE, max(y for _x, y in at.values()) + height + 20
    label = escape(_("The walk through the stages"))
    return (
        f'<nav class="walk" aria-label="{label}"><svg viewBox="-4 -12 {width + 8:.0f} '
        f'{deep + 12:.0f}" width="{width + 8:.0f}" style="max-width:100%;height:auto">{"".join(lines + drawn)}</svg></nav>'
    )


def _line(a: tuple[float, float], b: tuple[float, float], colour: str, height: int) -> str:
    """From the right side of one picture to the left side of another: straight, or curved between rows; skips in colour."""
    x0, y0, x1, y1 = a[0] + PICTURE, a[1] + height / 2, b[0], b[1] + height / 2
    bend = max(14.0, (x1 - x0) / 2)
    if y0 == y1 and x1 - x0 > CELL_WIDTH:  # over what stands between
        top = y0 - height / 2 - 6
        up = f"M{x0 - 10:.0f} {top + 6:.0f}Q{x0:.0f} {top:.0f} {x0 + 10:.0f} {top:.0f}"
        path = f"{up}H{x1 - 10:.0f}Q{x1:.0f} {top:.0f} {x1 + 8:.0f} {top + 6:.0f}"
    else:
        path = f"M{x0:.0f} {y0:.0f}C{x0 + bend:.0f} {y0:.0f} {x1 - bend:.0f} {y1:.0f} {x1:.0f} {y1:.0f}"
    style = f'stroke="{colour}" stroke-width="1.8"' if colour else 'stroke="currentColor" stroke-opacity=".55" stroke-width="1.4"'
    return f'<path d="{path}" fill="none" {style}/>'


def _node(key: str, title: str, at: tuple[float, float], image: Encoded, colour: str, height: int, *, linked: bool) -> str:
    data = base64.b64encode(image.data).decode()
    x, y = at
    drawn = (
        f'<image x="{x:.0f}" y="{y:.0f}" width="{PICTURE}" height="{height}" preserveAspectRatio="none" '
        f'href="data:{image.mime};base64,{data}"/>'
        f'<rect x="{x:.0f}" y="{y + height:.0f}" width="{PICTURE}" height="4" fill="{colour}"/>'
        f'<text x="{x + PICTURE / 2:.0f}" y="{y + height + 17:.0f}" text-anchor="middle">{escape(title)}</text>'
    )
    return f'<a href="#{escape(key)}">{drawn}</a>' if linked else drawn


def _stage(study: Study, name: str) -> str:
    part, activation = study.anatomy.part(name), study.recording.maps[name]
    drawn, statistics = draw_mosaic(activation, clip=CLIP), statistics_of(activation)
    facts = _(
        "{shape} · {params} parameters · each position sees {sees} · values {low} to {high} · {dead} dead channels",
        shape=shape_text(part.shape), params=f"{part.params:,}", sees=sees_words(study.places[name].away_from_border),
        low=number(drawn.raw[0]), high=number(drawn.raw[1]), dead=int(statistics.dead.sum()),
    )  # fmt: skip
    data = base64.b64encode(drawn.png).decode()
    alt = escape(_("All channels of {stage}", stage=name))
    return (
        f'<h2 id="{escape(name)}" style="border-color:{COLOURS[part.stage.kind]}">{escape(name)}</h2>'
        f'<p class="facts">{escape(facts)}</p><img class="mosaic" alt="{alt}" src="data:image/png;base64,{data}">'
    )
