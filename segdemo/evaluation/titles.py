"""What candidates are called: by what tells them apart, on the Compare page and in the report."""

from collections.abc import Sequence

from segdemo.evaluation.candidate import Candidate, entry_of
from segdemo.models import TITLES
from segdemo.text import _

__all__ = ["short_titles", "title_of_candidate"]

SEPARATOR = " · "
MADE = 2  # the place of how it was made among a title's parts


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
    """Titles of only what tells them apart: "U-Net" and "FCN-8s", or "threshold 0.3" and "threshold 0.5", or "U-Net @0.3".

    The whole title where two would be called the same.
    """
    parts = _without_common_start([_parts(candidate) for candidate in candidates])
    differs = [len({part[i] for part in parts}) > 1 for i in range(len(parts[0]))] if parts else []
    if sum(differs) == 1:
        short = [part[differs.index(True)] or part[0] for part in parts]
    else:
        short = [_name_with_settings(candidate, part, differs) for candidate, part in zip(candidates, parts, strict=True)]
    return [text if short.count(text) == 1 else title_of_candidate(candidates[i]) for i, text in enumerate(short)]


def _name_with_settings(candidate: Candidate, parts: tuple[str, ...], differs: Sequence[bool]) -> str:
    """What differs of its name, or its architecture, and the settings that are not the usual ones: "U-Net @0.3 ×0.5"."""
    name = SEPARATOR.join(text for text, shown in zip(parts[: MADE + 1], differs, strict=False) if shown and text) or parts[0]
    settings = (
        f"@{candidate.threshold:g}" if candidate.threshold != 0.5 else "",
        candidate.precision if candidate.precision != "auto" else "",
        f"×{candidate.scale:g}" if candidate.scale != 1 else "",
    )
    shown = (text for text, different in zip(settings, differs[MADE + 1 :], strict=True) if different)
    return " ".join(filter(None, (name, *shown)))


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
