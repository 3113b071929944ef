"""What the report says of errors and gaps: what is taken for what and on which pictures, what was left out and why."""

from collections.abc import Sequence
from math import isnan

import numpy as np
from numpy.typing import NDArray

from segdemo.evaluation.report.context import candidates_of
from segdemo.evaluation.scores.measures import DASH
from segdemo.evaluation.scores.remarks import class_remarks, omissions
from segdemo.evaluation.scores.results import Evaluation
from segdemo.evaluation.scores.rows import pictures_behind
from segdemo.evaluation.scores.series import row_shares
from segdemo.text import _

__all__ = ["matrices_of", "omissions_of"]

MAX_ROWS = 200  # of what was left out
MAX_CONFUSIONS, MAX_SOURCES = 4, 3
FULL_MATRIX = 6  # classes: beyond it, cells hold their share in whole percent alone


def matrices_of(evaluation: Evaluation) -> dict[str, object]:
    """A confusion matrix for each candidate, and the pictures behind its largest confusions."""
    names = [_(info.name) for info in evaluation.classes]
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
        return DASH
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
    found = [
        {"title": part.title, "rows": part.rows[:MAX_ROWS],
         "more": _("And {n} more.", n=len(part.rows) - MAX_ROWS) if len(part.rows) > MAX_ROWS else ""}
        for part in omissions(evaluation, {c["key"]: c["name"] for c in candidates_of(evaluation)})
    ]  # fmt: skip
    return {"omissions": found, "class_notes": class_remarks(evaluation)}
