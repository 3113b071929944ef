"""The lines of a network's diagram: the main way from block to block, the skips, and the signs where they come together."""

from html import escape

from segdemo.features import Anatomy, Resampling
from segdemo.text import _
from segdemo.ui.diagram_layout import ARC, ARC_STEP, LETTER, OUTPUT, Block, Layout, before

__all__ = ["RADIUS", "main_paths", "sign", "skips"]

LOWER = 0.28  # how far below the middle of a block its way down begins, as a share of its height
RADIUS = 6.5  # of the circle where inputs come together
BEND = 6.0  # of the corners


def main_paths(layout: Layout, anatomy: Anatomy) -> list[str]:
    """Each stage's way from the one it takes, and the last one's to the logits; labelled where there is room."""
    steps = [
        (layout.blocks[before(anatomy, index)], layout.blocks[part.stage.name], _step_text(layout, anatomy, index))
        for index, part in enumerate(anatomy.parts)
    ]
    if OUTPUT in layout.blocks:
        a, b = layout.blocks[anatomy.parts[-1].stage.name], layout.blocks[OUTPUT]
        steps.append((a, b, _words_for(anatomy.finally_resampled, a, b)))
    drawn, labelled = [], set()
    for a, b, text in steps:
        rises = b.row < a.row
        shown = layout.labels != "compact" and not (rises and (a.name in labelled or _crowded(layout, a, b, text)))
        drawn.append(_main_path(layout, a, b, text if shown else ""))
        labelled |= {a.name} if rises and shown else set()
    return drawn


def _crowded(layout: Layout, a: Block, b: Block, text: str) -> bool:
    """Whether the text of an arrow that rises from a would meet the next block of its row."""
    end = max(b.gate_x, a.x + a.half) + LETTER * len(text)
    return any(o.row == a.row and a.x < o.x and min(o.gate_x, o.x - o.half) < end for o in layout.blocks.values())


def _main_path(layout: Layout, a: Block, b: Block, text: str) -> str:
    """From a to b: straight on, right and down into the top, or right and up into the side."""
    if a.row == b.row:
        path = f"M{a.right:.1f} {a.y:.1f}H{b.left - 1:.1f}"
        x, y, anchor = b.x, b.top - 5, "middle"
    elif b.row > a.row:
        out = a.y + LOWER * a.height
        path = f"M{a.right:.1f} {out:.1f}H{b.x - BEND:.1f}q{BEND} 0 {BEND} {BEND}V{b.top - 1:.1f}"
        x, y, anchor = b.x - 6, b.top - 4, "end"
    else:
        turn = b.gate_x
        into_side = f"V{b.y + BEND:.1f}q0 {-BEND} {BEND} {-BEND}H{b.left - 1:.1f}"
        into_gate = f"V{b.y + RADIUS + 1:.1f}"
        end = into_gate if b.part and b.part.stage.skip_from else into_side
        path = f"M{a.right:.1f} {a.y:.1f}H{turn - BEND:.1f}q{BEND} 0 {BEND} {-BEND}{end}"
        x, y, anchor = max(turn + 3, a.x + a.half + 4), a.y + 13, "start"
        if x + LETTER * len(text) > layout.width:
            x, y, anchor = turn - 5, (a.y + b.y) / 2, "end"
    label = f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="step">{escape(text)}</text>' if text else ""
    return _edge(a, b, f'<path d="{path}" class="main" marker-end="url(#tip-main)"/>{label}')


def _edge(a: Block, b: Block, content: str) -> str:
    return f'<g class="edge" data-from="{a.name}" data-to="{b.name}">{content}</g>'


def _step_text(layout: Layout, anatomy: Anatomy, index: int) -> str:
    """What changes the resolution on the way into a stage, or keeps it where it would have changed."""
    part = anatomy.parts[index]
    a, b = layout.blocks[before(anatomy, index)], layout.blocks[part.stage.name]
    if len(b.lines) < 2:  # a node inside a U-Net++: as its neighbours on the outside
        return ""
    if a.row == b.row and not layout.flat:
        rates = "–".join(map(str, sorted({*part.dilations[:1], *part.dilations[-1:]})))
        return _("dilation {rates}", rates=rates) if rates else ""
    return _words_for(part.resampling, a, b)


def _words_for(resampling: tuple[Resampling, ...], a: Block, b: Block) -> str:
    words = {
        "max_pool": _("max-pool"), "average_pool": _("mean-pool"), "strided": _("stride"), "transposed": _("up-conv"),
        "bilinear": _("bilinear"), "nearest": _("nearest"), "bicubic": _("bicubic"), "unpooling": _("unpool"),
        "shuffle": _("shuffle"),
    }  # fmt: skip
    grows, most = b.row < a.row, 2 ** (abs(a.row - b.row) or 8)
    fitting = [r for r in resampling if r.kind in words and r.grows == grows and r.factor <= most]
    return ", ".join(f"{words[r.kind]} {'×' if r.grows else '÷'}{r.factor}" for r in fitting[:2])


def skips(layout: Layout, anatomy: Anatomy) -> list[str]:
    """All skips, each stage's followed by the sign of how they are joined."""
    drawn = []
    for part in anatomy.parts:
        target, join = layout.blocks[part.stage.name], part.stage.join or "concat"
        drawn += [_skip(layout, layout.blocks[source], target, join) for source in part.stage.skip_from]
        if part.stage.skip_from:
            drawn.append(_gate(target, join))
    return drawn


def _skip(layout: Layout, a: Block, b: Block, join: str) -> str:
    """A straight line where nothing stands between, an arc over what does, and a curve between rows."""
    between = [o for o in layout.blocks.values() if o.row == a.row and a.x < o.x < b.x]
    x = b.gate_x
    if a.row == b.row and not between:
        path = f"M{a.right:.1f} {a.y:.1f}H{x - RADIUS:.1f}"
    elif a.row == b.row:
        top = min([a.top, b.top, *(o.top for o in between)]) - ARC - ARC_STEP * len(between)
        up, down = f"Q{a.x:.1f} {top:.1f} {a.x + 14:.1f} {top:.1f}", f"Q{x:.1f} {top:.1f} {x:.1f} {b.y - RADIUS:.1f}"
        path = f"M{a.x:.1f} {a.top:.1f}{up}H{x - 14:.1f}{down}"
    else:
        bend = max(20.0, (x - a.right) / 2)
        path = f"M{a.right:.1f} {a.y:.1f}C{a.right + bend:.1f} {a.y:.1f} {x - bend:.1f} {b.y:.1f} {x - RADIUS:.1f} {b.y:.1f}"
    kind = "dashed" if join == "indices" else "solid"
    return _edge(a, b, f'<path d="{path}" class="skip {kind} from-{a.kind}" marker-end="url(#tip-{a.kind})"/>')


def _gate(b: Block, join: str) -> str:
    """Where inputs come together, left of a block: ⊕, ‖, or the four places of an unpooling."""
    onward = f'<path d="M{b.gate_x + RADIUS:.1f} {b.y:.1f}H{b.left - 1:.1f}" class="main" marker-end="url(#tip-main)"/>'
    return _edge(b, b, onward + sign(b.gate_x, b.y, join))


def sign(x: float, y: float, join: str) -> str:
    """⊕, ‖ or four places in a circle around a point."""
    lines = {
        "sum": f"M{x - 4:.1f} {y:.1f}h8M{x:.1f} {y - 4:.1f}v8",
        "concat": f"M{x - 2:.1f} {y - 4:.1f}v8M{x + 2:.1f} {y - 4:.1f}v8",
        "indices": f"M{x - 3.5:.1f} {y - 3.5:.1f}h7v7h-7zM{x:.1f} {y - 3.5:.1f}v7M{x - 3.5:.1f} {y:.1f}h7",
    }[join]
    return f'<g class="gate"><circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS}"/><path d="{lines}"/></g>'
