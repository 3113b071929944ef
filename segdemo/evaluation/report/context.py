"""What the report says besides its tables: the verdict, who was compared and how, the worst pictures."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from math import isnan
from typing import TypedDict

from segdemo.evaluation.colours import CANDIDATE_COLOURS
from segdemo.evaluation.examples import PictureExample
from segdemo.evaluation.provenance import versions
from segdemo.evaluation.report.pictures import bounded_panels
from segdemo.evaluation.scores.differences import Comparison, counted_pictures, differences, sentence, verdict
from segdemo.evaluation.scores.remarks import limits, listed
from segdemo.evaluation.scores.results import CandidateResult, Evaluation
from segdemo.evaluation.scores.rows import picture_scores
from segdemo.evaluation.scores.summary import ranked, summary_rows
from segdemo.evaluation.titles import short_titles, title_of_candidate
from segdemo.inference.agreement import ERROR_KINDS
from segdemo.metrics import MATCH, RESAMPLES
from segdemo.text import _

__all__ = [
    "ReportCandidate",
    "candidates_of",
    "comparisons_of",
    "examples_of",
    "facts_of",
    "names_of",
    "settings_of",
    "verdict_of",
]

SHOWN_CLASSES = 7


class ReportCandidate(TypedDict):
    """A candidate's words in the report. name: what tells it from the others; title: all of it; key: as the command line has
    it."""

    key: str
    name: str
    colour: str
    title: str
    trained_on: str
    threshold: str
    scale: str
    precision: str
    params: str
    sha256: str


def names_of(evaluation: Evaluation) -> list[str]:
    """What the candidates are called, in the evaluation's order: as on the page."""
    return short_titles([result.candidate for result in evaluation.results])


def candidates_of(evaluation: Evaluation) -> list[ReportCandidate]:
    """The candidates in the evaluation's order."""
    return [
        _candidate(result, name, CANDIDATE_COLOURS[index])
        for index, (result, name) in enumerate(zip(evaluation.results, names_of(evaluation), strict=True))
    ]


def _candidate(result: CandidateResult, name: str, colour: str) -> ReportCandidate:
    entry, candidate = result.entry, result.candidate
    return {
        "key": candidate.key, "name": name, "colour": colour, "title": title_of_candidate(candidate),
        "trained_on": entry.trained_on,
        "threshold": f"{candidate.threshold:g}" if entry.binary else _("likeliest class"), "scale": f"{candidate.scale:g} ×",
        "precision": candidate.precision, "params": f"{entry.params:,}", "sha256": entry.sha256,
    }  # fmt: skip


def comparisons_of(evaluation: Evaluation) -> list[Comparison]:
    """The best candidate against each of the others, in their order, by their names."""
    names, (best, *others) = names_of(evaluation), ranked(evaluation) or [0]
    return [replace(differences(evaluation, best, other), a_key=names[best], b_key=names[other]) for other in others]


def facts_of(evaluation: Evaluation, created: datetime) -> list[str]:
    """Data, pictures, networks, classes and date, as short phrases."""
    names = listed([info.name for info in evaluation.classes[1:]], SHOWN_CLASSES)
    return [
        _("Data: {name}", name=evaluation.data_name), _("Pictures: {n} of {total}", n=evaluation.done, total=evaluation.total),
        _("Networks: {n}", n=len(evaluation.results)), _("Classes: {names}", names=names), f"{created:%Y-%m-%d %H:%M %Z}".strip(),
    ]  # fmt: skip


def verdict_of(evaluation: Evaluation, comparisons: Sequence[Comparison]) -> list[str]:
    """Who is best, and whether that is more than luck; then what limits the answer."""
    order, rows = ranked(evaluation), summary_rows(evaluation)
    said = [" ".join(limits(evaluation))] if limits(evaluation) else []
    if not order or isnan(rows[order[0]].iou):
        return [_("Nothing could be scored."), *said]
    best = rows[order[0]]
    values = {"key": names_of(evaluation)[order[0]], "iou": f"{best.iou:.3f}", "pictures": counted_pictures(best.pictures)}
    first = _("{key} reaches an IoU of {iou} on {pictures}.", **values)
    if comparisons:
        first = _("{key} scores highest, with an IoU of {iou} on {pictures}.", **values)
        equals = [c.b_key for c in comparisons if verdict(c) == "unclear"]
        first += " " + (
            _("It cannot be told apart from {names}.", names=", ".join(equals)) if equals else sentence(comparisons[0])
        )
    return [first, *said]


def examples_of(evaluation: Evaluation, worst: Sequence[PictureExample]) -> dict[str, object]:
    """Rows of pictures with their scores, as many as fit, and the key to their colours."""
    candidates, scores = candidates_of(evaluation), picture_scores(evaluation)
    rows = []
    for example, panels in zip(worst, bounded_panels(worst, [c["name"] for c in candidates]), strict=False):
        values = scores.get(example.name, {})
        shown = [
            {"source": p.source, "alt": p.alt, "words": p.words, "width": p.width, "height": p.height, "small": p.small,
             "candidate": None if p.candidate is None else candidates[p.candidate],
             "score": f"{values[p.candidate]:.3f}" if p.candidate in values else ""}
            for p in panels
        ]  # fmt: skip
        height, width = example.full_size
        rows.append({"name": example.name, "note": f"{width} × {height} px", "panels": shown})
    several = len(evaluation.classes) > 2
    words = [_("found"), _("false alarm"), _("missed"), *([_("wrong class")] if several else [])]
    key = [{"word": word, "colour": "rgb({}, {}, {})".format(*kind.color)}
           for word, kind in zip(words, ERROR_KINDS[1:], strict=False)]  # fmt: skip
    short = len(worst) - len(rows)
    note = _("{n} more pictures would have made this file too large.", n=short) if short else ""
    return {"examples": rows, "error_key": key, "examples_note": note}


def settings_of(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Settings, conventions and versions, by name."""
    settings, thresholds = evaluation.settings, evaluation.settings.thresholds
    return [
        (_("Scores"), _("From one confusion matrix over all pixels of all pictures. Ignored pixels (255) are left out. A class "
                        "that is nowhere has no score and is left out of means.")),
        (_("Boundary tolerance"), _("{n:g} pixels", n=settings.boundary_tolerance)),
        (_("Objects"), _("8-connected regions of a class, matched at an IoU of {n:g}", n=MATCH)),
        (_("Calibration"), _("{n} bins of one width", n=settings.bins)),
        (_("Thresholds tried"), _("{n}, from {low:g} to {high:g}", n=len(thresholds), low=min(thresholds, default=0.0),
                                  high=max(thresholds, default=0.0))),
        (_("Differences"), _("Paired bootstrap over the pictures that both networks scored, {n:,} resamples, 95 % interval",
                             n=RESAMPLES)),
        (_("Machine"), evaluation.machine),
        (_("Versions"), ", ".join(f"{name} {version}" for name, version in versions().items())),
    ]  # fmt: skip
