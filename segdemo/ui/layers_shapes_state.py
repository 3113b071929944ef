"""The network of the Shape walk: kept in the address, as the name of an example or as its lines; changes can be undone."""

from collections.abc import Sequence

from segdemo.layerlab.shape_examples import EXAMPLES, example_lines, example_name
from segdemo.layerlab.shape_language import Line, write_token
from segdemo.layerlab.shape_reading import parse_token
from segdemo.text import _
from segdemo.ui.layers_parameter import keep, say, setting
from segdemo.ui.layers_row import row_number
from segdemo.ui.layers_undo import remember

__all__ = ["choose", "line_now", "lines_now", "replace_lines"]

DEFAULT = "mnist"
Lines = tuple[Line, ...]


def _parsed(text: str) -> Lines:
    return () if text == "-" else example_lines(text) if text in EXAMPLES else parse_token(text)


def _written(lines: Sequence[Line]) -> str:
    return example_name(lines) or write_token(lines) or "-"


def lines_now() -> tuple[Lines, str]:
    """The lines, and the key of the example that they are, or ""."""
    lines = setting("lines", _parsed(DEFAULT), _parsed)
    text = _written(lines)
    return lines, text if text in EXAMPLES else ""


def replace_lines(lines: Sequence[Line], chosen: int | None = None) -> None:
    """Another network, one step that can be undone. chosen: the line that is looked at then."""
    remember(("lines", "line"))
    keep("lines", _written(lines), DEFAULT)
    choose(min(setting("line", 1, row_number) - 1 if chosen is None else chosen, len(lines) - 1))


def line_now(count: int) -> int:
    """The line that is looked at, from 0, of so many; the last one where the address names one that there is not."""
    number = setting("line", 1, row_number)
    if number > count > 0:
        say(_("There is no line {n}: the network has {count}. The last one is shown.", n=number, count=count))
        choose(count - 1)
    return max(0, min(number, count) - 1)


def choose(line: int) -> None:
    """Look at another line, numbered from 0; in the address from 1."""
    keep("line", max(0, line) + 1, 1)
