"""A network's diagram as SVG, drawn from its own stages and the shapes they put out.

Block height follows the resolution, width the channels, colour the kind of stage. Arrows carry what changes the
resolution; skips end in ⊕ where they are summed, in ‖ where they are concatenated; pooling indices are dashed.
Colours of text and lines come from the page, so that one drawing serves both themes.
"""

import math
from collections.abc import Mapping
from html import escape

from segdemo.features import Anatomy, ReceptiveField
from segdemo.text import _
from segdemo.ui.diagram_layout import Block, Layout, lay_out, shape_text
from segdemo.ui.diagram_paths import main_paths, sign, skips
from segdemo.ui.words import compact_number

__all__ = ["COLOURS", "draw_diagram", "draw_thumbnail", "legend_of"]

COLOURS = {  # Okabe–Ito
    "encoder": "#0072B2", "bottleneck": "#CC79A7", "decoder": "#E69F00", "head": "#009E73", "data": "#8a939c",
}  # fmt: skip


def draw_diagram(
    anatomy: Anatomy, fields: Mapping[str, ReceptiveField], title: str,
    *, width: float = 770, height: float = 420,
) -> str:  # fmt: skip
    """The diagram, at least `width` wide. Every block has a tooltip with its shape, parameters and multiplications."""
    layout = lay_out(anatomy, {name: float(f.stride) if f.stride else None for name, f in fields.items()}, width, height)
    body = [*_axis(layout), *main_paths(layout, anatomy), *skips(layout, anatomy), *_blocks(layout, fields)]
    return _svg(layout, body, _description(anatomy, title))


def draw_thumbnail(anatomy: Anatomy, strides: Mapping[str, float | None]) -> str:
    """Only the blocks and thin lines between them: the network's silhouette."""
    layout = lay_out(anatomy, strides, 0, 160)
    blocks = [
        f'<rect x="{b.left - 5:.0f}" y="{b.top - 2:.0f}" width="{b.width + 10:.0f}" height="{b.height + 12:.0f}" '
        f'rx="3" fill="{COLOURS[b.kind]}"/>'
        for b in layout.blocks.values()
    ]
    lines = [
        f'<path d="M{a.x:.0f} {a.y:.0f}L{b.x:.0f} {b.y:.0f}" class="thin"/>'
        for a, b in ((layout.blocks[s], layout.blocks[p.stage.name]) for p in anatomy.parts for s in p.stage.skip_from)
    ]
    head = f'viewBox="0 0 {layout.width:.0f} {layout.height:.0f}" preserveAspectRatio="none" aria-hidden="true"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {head}>{"".join(lines + blocks)}</svg>'


def _svg(layout: Layout, body: list[str], description: str) -> str:
    width, height = math.ceil(layout.width), math.ceil(layout.height)
    heads = "".join(
        f'<marker id="tip-{kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>'
        for kind, colour in {"main": "currentColor", **COLOURS}.items()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{escape(description)}"><defs>{heads}</defs>{"".join(body)}</svg>'
    )


def _description(anatomy: Anatomy, title: str) -> str:
    steps = "; ".join(f"{part.stage.name} {shape_text(part.shape)}" for part in anatomy.parts)
    return _("{title}, from the image {image} to the logits {logits}: {steps}.", title=title,
             image=shape_text(anatomy.input_shape), logits=shape_text(anatomy.logits_shape), steps=steps)  # fmt: skip


def _axis(layout: Layout) -> list[str]:
    return [f'<text x="4" y="{y + 4:.1f}" class="axis">{text}</text>' for y, text in layout.rows]


def _blocks(layout: Layout, fields: Mapping[str, ReceptiveField]) -> list[str]:
    drawn = []
    for b in layout.blocks.values():
        texts = "".join(
            f'<text x="{b.x:.1f}" y="{b.bottom + 12.5 + 13.5 * i:.1f}" class="line{i}">{escape(line)}</text>'
            for i, line in enumerate(b.lines)
        )
        drawn.append(
            f'<g class="block" data-name="{b.name}"><title>{escape(_tooltip(b, fields))}</title>'
            f'<rect x="{b.left:.1f}" y="{b.top:.1f}" width="{b.width:.1f}" height="{b.height:.1f}" rx="2.5" '
            f'fill="{COLOURS[b.kind]}"/>{texts}</g>'
        )
    return drawn


def _tooltip(block: Block, fields: Mapping[str, ReceptiveField]) -> str:
    if block.part is None:
        return " ".join(block.lines)
    part, field = block.part, fields[block.name]
    sees = _("the whole picture") if field.whole else f"{field.size} × {field.size} px"
    return "\n".join([
        block.name, shape_text(part.shape), _("{n} parameters", n=f"{part.params:,}"),
        _("{n} multiplications", n=compact_number(part.macs)), _("sees {what}", what=sees),
    ])  # fmt: skip


def legend_of(anatomy: Anatomy) -> list[dict[str, str]]:
    """What the colours and signs of one diagram mean: only those that occur."""
    kinds = {"encoder": _("encoder"), "bottleneck": _("bottleneck"), "decoder": _("decoder"), "head": _("head")}
    joins = {"concat": _("concatenated"), "sum": _("summed"), "indices": _("only where each maximum was")}
    used = {part.stage.kind for part in anatomy.parts}
    signs = {part.stage.join for part in anatomy.parts if part.stage.skip_from}
    entries = [{"color": COLOURS[kind], "text": text} for kind, text in kinds.items() if kind in used]
    entries += [{"svg": _sign_svg(join), "text": text} for join, text in joins.items() if join in signs]
    return [*entries, {"text": _("height: resolution · width: channels (both logarithmic)")}]


def _sign_svg(join: str) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 22 15" aria-hidden="true">{sign(13, 7.5, join)}</svg>'
