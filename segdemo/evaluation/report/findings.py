"""What the report says of errors and gaps: what is taken for what and on which pictures, what was left out and why."""

from collections.abc import Sequence
from math import isnan

import numpy as np
from numpy.typing import NDArray

from segdemo.evaluation.report_context import candidates_of
from segdemo.evaluation.results import Evaluation
from segdemo.evaluation.rows import pictures_behind
from segdemo.evaluation.series import row_shares
from segdemo.text import _

__all__ = ["matrices_of", "omissions_of"]

MAX_ROWS = 200  # of what was left out
MAX_CONFUSIONS, MAX_SOURCES = 4, 3
FULL_MATRIX = 6  # classes: beyond it, cells hold their share in whole percent alone


def matrices_of(evaluation: Evaluation) -> dict[str, object]:
    """A confusion matrix for each candidate, and the pictures behind its largest confusions."""
    names = [info.name for info in evaluation.classes]
    found = [
        {"candidate": candidate, "rows": _matrix_rows(result.matrix, names),
         "sources": _sources(evaluation, index, names)}
        for index, (candidate, result) in enumerate(zip(candidates_of(evaluation), evaluation.results, strict=True))
    ]  # fmt: skip
    return {"matrices": found, "class_names": names, "many_classes": len(names) > FULL_MATRIX}


def _matrix_rows(matrix: NDArray[np.int64], names: Sequence[str]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for truth, (shares, pixels) in enumerate(zip(row_shares(matrix).tolist(), matrix.tolist(), strict=True)):
        cells = [
            {"share": "0" if isnan(share) else f"{share:.3f}", "percent": _written(share, len(names) > FULL_MATRIX),
             "pixels": f"{count:,} px", "title": f"{names[truth]} → {names[said]}: {count:,} px"}
            for said, (share, count) in enumerate(zip(shares, pixels, strict=True))
        ]  # fmt: skip
        rows.append({"name": names[truth], "cells": cells})
    return rows


def _written(share: float, many: bool) -> str:
    if isnan(share):
        return "–"
    return f"{share:.1%}" if not many else f"{100 * share:.0f}" if share >= 0.005 else ""


def _sources(evaluation: Evaluation, index: int, names: Sequence[str]) -> list[str]:
    matrix = evaluation.results[index].matrix.copy()
    np.fill_diagonal(matrix, 0)
    lines = []
    for place in np.argsort(matrix, axis=None)[::-1][:MAX_CONFUSIONS]:
        truth, said = (int(i) for i in np.unravel_index(place, matrix.shape))
        if matrix[truth, said] and (behind := pictures_behind(evaluation, index, truth, said)):
            pictures = ", ".join(f"{name} ({pixels:,} px)" for name, pixels in behind[:MAX_SOURCES])
            lines.append(
                _("{truth} taken for {said}, most in {pictures}", truth=names[truth], said=names[said], pictures=pictures)
            )
    return lines


def omissions_of(evaluation: Evaluation) -> dict[str, object]:
    """Files, networks and pictures that are not in the scores, each with its reason; and how classes were brought together."""
    parts = [(_("Files of the data"), {name: notice.text for name, notice in evaluation.left_out.items()}),
             (_("Networks"), dict(evaluation.refused))]  # fmt: skip
    for result in evaluation.results:
        key = result.candidate.key
        parts.append((_("Pictures that {key} could not segment", key=key), dict(result.failed)))
        reason = _("Seen smaller than it should be, because memory was short; it is in the scores.")
        parts.append((_("Pictures that {key} saw reduced", key=key), dict.fromkeys(result.shrunk, reason)))
    found = [
        {"title": title, "rows": list(rows.items())[:MAX_ROWS],
         "more": _("And {n} more.", n=len(rows) - MAX_ROWS) if len(rows) > MAX_ROWS else ""}
        for title, rows in parts if rows
    ]  # fmt: skip
    return {"omissions": found, "class_notes": [*_class_notes(evaluation), *(notice.text for notice in evaluation.notices)]}


def _class_notes(evaluation: Evaluation) -> list[str]:
    notes = []
    for result in evaluation.results:
        key, unknown, extra = result.candidate.key, ", ".join(result.unknown), ", ".join(result.extra)
        if unknown:
            notes.append(_("{key} does not know these classes of the data, which count as background for all networks: {names}.",
                           key=key, names=unknown))  # fmt: skip
        if extra:
            notes.append(_("Where {key} says one of these classes, which are not compared, it counts as background: {names}.",
                           key=key, names=extra))  # fmt: skip
    return notes
