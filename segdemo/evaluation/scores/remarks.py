"""What a reader of the scores must know besides: what was left out and why, and which classes count as background.

In sentences, once for the page, the report and the command line; how they look is theirs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from segdemo.evaluation.scores.results import CandidateResult, Evaluation
from segdemo.text import _

__all__ = ["Omission", "class_remarks", "limits", "listed", "omissions"]

Titles = Mapping[str, str]
NO_TITLES: Titles = {}


@dataclass(frozen=True)
class Omission:
    """Things of one kind that are not in the scores, or not as they should be. rows: the name of each, and the reason."""

    title: str
    rows: tuple[tuple[str, str], ...]


def omissions(evaluation: Evaluation, titles: Titles = NO_TITLES) -> list[Omission]:
    """Files of the data, networks, and pictures of a network; only what there is any of. titles: what candidates are called,
    by their keys; the key, if not given."""
    found = [
        Omission(_("Files of the data"), tuple((name, notice.text) for name, notice in evaluation.left_out.items())),
        Omission(_("Networks"), tuple((titles.get(key, key), notice.text) for key, notice in evaluation.refused.items())),
    ]
    for result in evaluation.results:
        title = titles.get(result.candidate.key, result.candidate.key)
        failed = tuple((name, notice.text) for name, notice in result.failed.items())
        found.append(Omission(_("Pictures that {key} could not segment", key=title), failed))
        reason = _("Seen smaller than it should be, because memory was short; it is in the scores.")
        found.append(Omission(_("Pictures that {key} saw reduced", key=title), tuple((name, reason) for name in result.shrunk)))
    return [omission for omission in found if omission.rows]


def class_remarks(evaluation: Evaluation, titles: Titles = NO_TITLES, *, most: int | None = None) -> list[str]:
    """Which classes count as background, and what else is to be known about the data. most: class names in a sentence."""
    lines = [notice.text for notice in evaluation.notices]
    for result in evaluation.results:
        lines += _of_candidate(result, titles.get(result.candidate.key, result.candidate.key), most)
    return lines


def _of_candidate(result: CandidateResult, title: str, most: int | None) -> list[str]:
    lines = []
    if result.unknown:
        lines.append(_("{key} does not know {names}: for all networks, these pixels count as background.", key=title,
                       names=listed(result.unknown, most)))  # fmt: skip
    if result.extra:
        lines.append(_("{key} also knows {names}, which are not compared: where it says so, it counts as background.",
                       key=title, names=listed(result.extra, most)))  # fmt: skip
    return lines


def limits(evaluation: Evaluation) -> list[str]:
    """What limits the answer, in one sentence each: pictures, files and networks that are missing."""
    found = []
    if evaluation.done < evaluation.total:
        found.append(_("The evaluation was stopped after {n} of {total} pictures.", n=evaluation.done, total=evaluation.total))
    if evaluation.left_out:
        found.append(_("Files left out: {n}; the reasons stand below.", n=len(evaluation.left_out)))
    if evaluation.refused:
        found.append(_("Networks that could not be compared: {n}; the reasons stand below.", n=len(evaluation.refused)))
    return found


def listed(names: Sequence[str], most: int | None = None) -> str:
    """Names of classes in the reader's language, with commas; those beyond `most` are dots."""
    return ", ".join(_(name) for name in names[:most]) + (", …" if most is not None and len(names) > most else "")
