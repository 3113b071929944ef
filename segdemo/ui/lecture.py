"""The walk as one HTML file for a lecture: pictures, numbers and source inside, nothing fetched from anywhere."""

import base64
from html import escape

from segdemo.features import draw_mosaic, statistics_of
from segdemo.text import _
from segdemo.ui.diagram import COLOURS
from segdemo.ui.diagram_layout import INPUT, grid_of, shape_text
from segdemo.ui.features_parts import CLIP, number
from segdemo.ui.features_walk import MASK, node_images
from segdemo.ui.study import Study, fields_of_network, strides_of_network

__all__ = ["lecture_html"]

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 1180px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .3rem; border-left: 6px solid; padding-left: .6rem; }
.walk { display: grid; gap: 14px 8px; overflow-x: auto; justify-content: start; }
.walk a { text-decoration: none; color: inherit; font-size: 12px; text-align: center; display: block; }
.walk img { display: block; border-top: 4px solid; border-radius: 3px; width: 88px; }
.mosaic { max-width: 100%; image-rendering: pixelated; }
p.facts { margin: .2rem 0 .6rem; opacity: .85; }
pre { overflow-x: auto; padding: .8rem; border: 1px solid #8886; border-radius: 6px; font-size: 13px; }
"""


def lecture_html(study: Study, source: str) -> str:
    """One page: the walk, then every stage with all its channels, then `source`, the lines that recorded them."""
    title = _("{picture} through {network}", picture=study.picture.name, network=study.entry.weights_id)
    body = [f"<h1>{escape(title)}</h1>", f"<p>{escape(_settings(study))}</p>", _walk(study)]
    body += [_stage(study, name) for name in study.stages]
    body.append(f"<h2>{escape(_('How this was recorded'))}</h2><pre>{escape(source)}</pre>")
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><meta name="viewport" content="width=device-width">'
    return f"<!doctype html><html>{head}<style>{STYLE}</style><body>{''.join(body)}</body></html>"


def _settings(study: Study) -> str:
    height, width = study.seen.shape[:2]
    sha = study.entry.sha256[:16] or _("none")
    return _(
        "Picture SHA-256 {picture}…; weights SHA-256 {weights}; recorded at {w} × {h} pixels in float32. Made with segdemo.",
        picture=study.picture.sha256[:16], weights=sha, w=width, h=height,
    )  # fmt: skip


def _walk(study: Study) -> str:
    grid = grid_of(study.anatomy, strides_of_network(study.entry.weights_id))
    images = node_images(study, "colours")
    last = 1 + max(column for column, _row in grid.values())
    cells = []
    for name, image in images.items():
        column, row = grid.get(name, (last, 0))
        kind = "data" if name in (INPUT, MASK) else study.anatomy.part(name).stage.kind
        data = base64.b64encode(image.data).decode()
        cells.append(
            f'<a href="#{escape(name)}" style="grid-column:{column + 1};grid-row:{row + 1}">'
            f'<img style="border-color:{COLOURS[kind]}" alt="" src="data:{image.mime};base64,{data}">{escape(name)}</a>'
        )
    return f'<div class="walk">{"".join(cells)}</div>'


def _stage(study: Study, name: str) -> str:
    part, activation = study.anatomy.part(name), study.recording.maps[name]
    drawn, statistics = draw_mosaic(activation, clip=CLIP), statistics_of(activation)
    field = fields_of_network(study.entry.weights_id)[name]
    sees = _("the whole picture") if field.whole else f"{field.size} × {field.size} px"
    facts = _(
        "{shape} · {params} parameters · each position sees {sees} · values {low} to {high} · {dead} dead channels",
        shape=shape_text(part.shape), params=f"{part.params:,}", sees=sees, low=number(drawn.raw[0]), high=number(drawn.raw[1]),
        dead=int(statistics.dead.sum()),
    )  # fmt: skip
    data = base64.b64encode(drawn.png).decode()
    alt = escape(_("All channels of {stage}", stage=name))
    return (
        f'<h2 id="{escape(name)}" style="border-color:{COLOURS[part.stage.kind]}">{escape(name)}</h2>'
        f'<p class="facts">{escape(facts)}</p><img class="mosaic" alt="{alt}" src="data:image/png;base64,{data}">'
    )
