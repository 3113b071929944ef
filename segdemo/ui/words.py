"""Words and numbers as they are shown: what comes from outside is made safe, shares get sensible digits."""

__all__ = ["percent", "plain"]

MARKUP = r"\`*_{}[]()<>#+-.!|~$:"


def plain(text: str, limit: int = 48) -> str:
    """The text with nothing in it read as Markdown, cut in the middle beyond `limit` characters."""
    half = limit // 2
    short = text if len(text) <= limit else f"{text[:half]}…{text[-(half - 4) :]}"
    return "".join(f"\\{c}" if c in MARKUP else c for c in short.replace("\n", " "))


def percent(share: float) -> str:
    """A share 0–1 in percent; what is there but rounds to nothing is not shown as nothing."""
    return f"{100 * share:.1f} %" if share >= 0.001 or share == 0 else "< 0.1 %"
