"""One colour and one title for each candidate, the same on every view of the Compare page."""

from collections.abc import Sequence

from segdemo.evaluation.candidate import Candidate, entry_of
from segdemo.models import TITLES
from segdemo.text import _

__all__ = ["colour_of_candidate", "short_titles", "title_of_candidate"]

# Okabe–Ito without black and yellow, which vanish on one of the two themes; last the three that also mean found, false
# alarm and missed.
COLOURS = ("#0072B2", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#E69F00")
SEPARATOR = " · "
MADE = 2  # the place of how it was made among a title's parts


def colour_of_candidate(index: int) -> str:
    """The colour of the candidate in that place, as "#rrggbb"."""
    return COLOURS[index % len(COLOURS)]


def title_of_candidate(candidate: Candidate) -> str:
    """Architecture and weights, then the settings that are not the usual ones: "U-Net · Shapes · scale 0.5"."""
    entry = entry_of(candidate)
    settings = [
        _("threshold {value}", value=f"{candidate.threshold:g}") if candidate.threshold != 0.5 else "",
        candidate.precision if candidate.precision != "auto" else "",
        _("scale {value}", value=f"{candidate.scale:g}") if candidate.scale != 1 else "",
    ]
    return SEPARATOR.join([TITLES.get(entry.model, entry.model), _(entry.title), *filter(None, settings)])


def short_titles(candidates: Sequence[Candidate]) -> list[str]:
    """Titles of only what tells them apart: "U-Net" and "FCN-8s", or "threshold 0.3" and "threshold 0.5".

    The whole title where that is nothing, or where two would be called the same.
    """
    parts = _without_common_start([_parts(candidate) for candidate in candidates])
    differs = [len({part[i] for part in parts}) > 1 for i in range(len(parts[0]))] if parts else []
    short = [SEPARATOR.join(text for text, shown in zip(part, differs, strict=True) if shown and text) for part in parts]
    return [
        text if text and short.count(text) == 1 else parts[i][0] if not text and short.count("") == 1
        else title_of_candidate(candidates[i])
        for i, text in enumerate(short)
    ]  # fmt: skip


def _parts(candidate: Candidate) -> tuple[str, ...]:
    """Architecture, data, how they were made, threshold, precision, scale."""
    entry = entry_of(candidate)
    data, _comma, made = _(entry.title).partition(", ")
    return (
        TITLES.get(entry.model, entry.model), data, made, _("threshold {value}", value=f"{candidate.threshold:g}"),
        _("automatic precision") if candidate.precision == "auto" else candidate.precision,
        _("scale {value}", value=f"{candidate.scale:g}"),
    )  # fmt: skip


def _without_common_start(parts: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Where all of them say how they were made in the same first words, without those: "trained with Dice" is "Dice"."""
    made = [part[MADE].split() for part in parts]
    shared = 0
    while all(len(words) > shared + 1 for words in made) and len({words[shared] for words in made}) == 1:
        shared += 1
    return [(*part[:MADE], " ".join(words[shared:]), *part[MADE + 1 :]) for part, words in zip(parts, made, strict=True)]
