"""What the component of the Shape walk is given: a row a line, with its shape, its costs and how they compare."""

from collections.abc import Sequence
from typing import Any, Protocol

from segdemo.layerlab.shape_language import KINDS, Line, write_line
from segdemo.layerlab.shape_walk import Step, Walk
from segdemo.text import _
from segdemo.ui.layers_colours import BLUE, GREEN, GREY, ORANGE, PINK, VERMILION
from segdemo.ui.words import compact_number

__all__ = ["shape_text", "walk_data"]

COLOURS = {  # by what a line does
    "input": GREY, "conv": BLUE, "pool": VERMILION, "up": ORANGE, "join": GREEN, "list": PINK, "same": GREY,
}  # fmt: skip
FAMILIES = {
    "conv": "conv", "maxpool": "pool", "avgpool": "pool", "gap": "pool", "upconv": "up", "upsample": "up", "concat": "join",
    "add": "join", "take": "join", "flatten": "list", "linear": "list", "input": "input",
}  # fmt: skip
BROKEN = VERMILION
SHARES = ("paramsShare", "memoryShare", "macsShare")


class Covered(Protocol):
    """What is hidden: from line `at` on, from 0, everything; or, where not `whole`, what that line costs."""

    @property
    def at(self) -> int: ...
    @property
    def whole(self) -> bool: ...


def shape_text(shape: Sequence[int]) -> str:
    """64 × 7 × 7, or 3136."""
    return " × ".join(map(str, shape))


def _memory_text(size: int) -> str:
    """Bytes as KiB, MiB or GiB."""
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= factor:
            return f"{size / factor:#.3g}".rstrip(".") + f" {unit}"
    return f"{size} B"


def walk_data(lines: Sequence[Line], found: Walk, chosen: int, covered: Covered | None, stale: bool = False) -> dict[str, Any]:
    """All lines: those that were reached, the one that does not fit, the rest.

    covered: what is asked for and stays hidden, with all that would tell it. stale: other lines were typed that cannot be read.
    """
    known = found.steps[: covered.at] if covered and covered.whole else found.steps
    shown = [step for number, step in enumerate(known) if not covered or number != covered.at]
    most = [max((getattr(step, name) for step in shown), default=0) or 1 for name in ("params", "memory_bytes", "macs")]
    rows = []
    for number, line in enumerate(lines):
        row: dict[str, Any] = {"text": write_line(line), "title": _(KINDS[line.kind].title), "colour": COLOURS[_family(line)]}
        row["takes"] = line.kind == "take"
        if number < len(known):
            row |= _reached(found.steps[number], most)
            if covered and number == covered.at:
                row |= _costs_hidden(found.steps[number])
        elif number < len(found.steps):  # nothing that would tell its shape is sent
            row |= dict.fromkeys(("shapeText", "params", "memory", "macs", "sees", "says"), "?") | dict.fromkeys(SHARES, 0)
            row |= {"covered": True, "joins": found.steps[number].joins}
        elif found.problem:
            row |= {"wrong": found.problem.sentence if number == found.problem.at else "", "joins": _wanted(lines, number)}
            row |= {"says": _("is not reached")}
        rows.append(row)
    used = dict.fromkeys(_family(line) for line in lines)
    return {
        "rows": rows, "chosen": chosen, "legend": _legend(used), "broken": BROKEN, "join": COLOURS["join"], "words": _words(),
        "label": _("The network line by line: blocks and a table of the same"),
        "total": _total(found) | dict.fromkeys(_unknown(covered), "?"), "stale": stale,
    }  # fmt: skip


def _unknown(covered: Covered | None) -> tuple[str, ...]:
    """The totals that would tell what is asked for."""
    return () if covered is None else ("params", "memory", "macs") if covered.whole else ("params", "macs")


def _costs_hidden(step: Step) -> dict[str, Any]:
    """Over a row whose shape is known, and whose parameters are asked for."""
    says = f"{shape_text(step.shape)} · {_memory_text(step.memory_bytes)}"
    return {"params": "?", "macs": "?", "paramsShare": 0, "macsShare": 0, "memoryShare": 0, "note": "", "says": says}


def _total(found: Walk) -> dict[str, str]:
    return {"params": f"{found.params:,}", "memory": _memory_text(found.memory_bytes), "macs": compact_number(found.macs)}


def _family(line: Line) -> str:
    return FAMILIES.get(line.kind, "same")


def _wanted(lines: Sequence[Line], number: int) -> int | None:
    """The line that a join asks for, where there is one."""
    names = [line.name for line in lines[:number]]
    other = lines[number].other
    return names.index(other) if other and other in names else None


def _reached(step: Step, most: Sequence[int]) -> dict[str, Any]:
    values = (step.params, step.memory_bytes, step.macs)
    shares = [value / largest for value, largest in zip(values, most, strict=True)]
    sees = _("all") if step.sees_all else f"{step.field_px} px"
    costs = [_("{n} parameters", n=f"{step.params:,}")] if step.params else []
    costs += [_("{n} multiply-adds", n=compact_number(step.macs))] if step.macs else []
    says = " · ".join([shape_text(step.shape), _memory_text(step.memory_bytes), *costs, _("sees {what}", what=sees)])
    return {
        "shape": list(step.shape), "shapeText": shape_text(step.shape), "params": f"{step.params:,}" if step.params else "–",
        "memory": _memory_text(step.memory_bytes), "macs": compact_number(step.macs) if step.macs else "–", "sees": sees,
        "paramsShare": shares[0], "memoryShare": shares[1], "macsShare": shares[2], "joins": step.joins, "note": step.note,
        "says": says, "enlarges": step.line.kind in ("upconv", "upsample"),
    }  # fmt: skip


def _legend(used: Sequence[str] | dict[str, None]) -> list[dict[str, str]]:
    first = _("input, or same shape as before") if "same" in used else _("input")  # both are grey
    words = {"input": first, "conv": _("convolution"), "pool": _("pooling"), "up": _("up-sampling"),
             "join": _("joins an earlier line"), "list": _("list of numbers")}  # fmt: skip
    entries = [{"colour": COLOURS[name], "text": text} for name, text in words.items() if name in used]
    sizes = [_("map: height grows with the resolution, width with the channels")]
    sizes += [_("list: height grows with its length")] if "list" in used else []
    return [*entries, *({"text": text} for text in sizes)]


def _words() -> dict[str, str]:
    return {"line": _("Line"), "shape": _("Shape, C × H × W"), "params": _("Parameters"), "memory": _("Output"),
            "macs": _("Multiply-adds"), "sees": _("Sees"), "total": _("All"),
            "stale": _("The last network that could be read")}  # fmt: skip
