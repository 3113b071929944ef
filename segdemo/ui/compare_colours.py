"""One colour for each candidate, the same on every view of the Compare page."""

from segdemo.evaluation.colours import CANDIDATE_COLOURS

__all__ = ["GRID", "RULE", "SYMBOLS", "colour_of_candidate"]

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")  # of candidates, beside their colours
RULE = "rgba(128, 128, 128, 0.8)"  # what is no candidate: diagonals, fronts
GRID = "rgba(128, 128, 128, 0.2)"


def colour_of_candidate(index: int) -> str:
    """The colour of the candidate in that place, as "#rrggbb"."""
    return CANDIDATE_COLOURS[index % len(CANDIDATE_COLOURS)]
