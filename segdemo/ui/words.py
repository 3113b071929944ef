"""Words and numbers as they are shown: what comes from outside is made safe, shares get sensible digits."""

import unicodedata
from html import escape

__all__ = ["compact_number", "percent", "plain", "plot_text"]

MARKUP = r"\`*_{}[]()<>#+-.!|~$:"


def plain(text: str, limit: int = 48) -> str:
    """The text with nothing in it read as Markdown, cut in the middle beyond `limit` characters.

    Control and formatting characters go: one that turns the writing direction would turn ours as well.
    """
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf") or c == "\n")
    half = limit // 2
    short = text if len(text) <= limit else f"{text[:half]}…{text[-(half - 4) :]}"
    return "".join(f"\\{c}" if c in MARKUP else c for c in short.replace("\n", " "))


def plot_text(text: str) -> str:
    """The text as a label of a plot, which would read a little HTML in it, and `%{…}` as a field."""
    return escape(text, quote=False).replace("%{", "%\u200b{")


def percent(share: float) -> str:
    """A share 0–1 in percent; what is there but rounds to nothing is not shown as nothing."""
    return f"{100 * share:.1f} %" if share >= 0.001 or share == 0 else "< 0.1 %"


def compact_number(value: float) -> str:
    """1234567 → 1.23 M, three digits that count."""
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= 0.9995 * size:
            return f"{value / size:#.3g}".rstrip(".") + f" {unit}"
    return f"{value:.0f}"
