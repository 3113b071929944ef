"""The tables of the report as rows of written numbers, each with what it sorts by and, where undefined, why."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

from segdemo.evaluation.report.context import candidates_of, names_of
from segdemo.evaluation.scores.measures import MEASURES, Measure, best_of, explained, group_titles, measure_of, shown, titled
from segdemo.evaluation.scores.results import Evaluation
from segdemo.evaluation.scores.rows import class_rows, picture_scores
from segdemo.evaluation.scores.series import ordered_pictures
from segdemo.evaluation.scores.summary import SummaryRow, ranked, same_pictures, summary_rows
from segdemo.text import _

__all__ = ["Cell", "Column", "class_table", "measure_groups", "picture_table", "ranking_of", "undefined_reasons"]

MAX_PICTURES = 2000
CLASS_FIELDS = ("iou", "dice", "precision", "recall", "boundary_f1", "hausdorff95")


@dataclass(frozen=True)
class Cell:
    """A number as written, as sorted by ("" if undefined), why it is undefined (""), and whether it is the best of its line."""

    text: str
    raw: str
    why: str = ""
    best: bool = False


@dataclass(frozen=True)
class Column:
    """A heading of a sortable table, and whether numbers stand below it."""

    title: str
    number: bool = True


def _cell(value: float, measure: Measure, best: bool = False) -> Cell:
    undefined = isnan(value)
    return Cell(shown(value, measure), "" if undefined else f"{value:.6g}", _(measure.undefined) if undefined else "", best)


def _plain(value: float) -> Cell:
    return Cell(f"{value:,}", str(value))


def ranking_of(evaluation: Evaluation) -> list[dict[str, object]]:
    """The candidates, the best IoU first, with the few numbers that say most."""
    candidates, rows = candidates_of(evaluation), summary_rows(evaluation)
    chosen = [measure_of(field) for field in ("dice", "boundary_f1", "object_ap")]
    return [
        {
            "candidate": candidates[index], "iou": _cell(rows[index].iou, measure_of("iou")),
            "percent": 0.0 if isnan(rows[index].iou) else round(100 * rows[index].iou, 2),
            "numbers": [(_(m.short or m.title), _with_unit(getattr(rows[index], m.field), m)) for m in chosen],
        }
        for index in ranked(evaluation)
    ]  # fmt: skip


def _with_unit(value: float, measure: Measure) -> Cell:
    cell = _cell(value, measure)
    return Cell(f"{cell.text} {measure.unit}", cell.raw) if measure.unit and not cell.why else cell


def measure_groups(evaluation: Evaluation, *, per_image: bool) -> list[tuple[str, list[dict[str, object]]]]:
    """Groups of lines, a column for each candidate. The means over pictures are of those measures only that have one."""
    rows = summary_rows(evaluation, per_image=per_image)
    groups = []
    for group, title in group_titles().items():
        measures = [m for m in MEASURES if m.group == group and (not per_image or m.group == "Area" or m.field == "boundary_f1")]
        if measures:
            groups.append((title, [_line(evaluation, measure, rows) for measure in measures]))
    return groups


def _line(evaluation: Evaluation, measure: Measure, rows: Sequence[SummaryRow]) -> dict[str, object]:
    values = [float(getattr(row, measure.field)) for row in rows]
    best = best_of(values, measure) if same_pictures(evaluation) else set()
    words = explained(measure, evaluation.settings)
    one_sided = max((row.one_sided for row in rows), default=0)
    if measure.field == "hausdorff95" and one_sided:
        counts = ", ".join(str(row.one_sided) for row in rows)
        words += " " + _("(where only one of them has one there is no distance, and it is left out: {n} times)", n=counts)
    return {"title": titled(measure), "explanation": words,
            "cells": [_cell(value, measure, i in best) for i, value in enumerate(values)]}  # fmt: skip


def undefined_reasons(evaluation: Evaluation) -> list[str]:
    """Why some candidates lack a measure: each reason once, after the measures that it is of."""
    rows, found = summary_rows(evaluation), dict[str, list[str]]()
    for measure in MEASURES:
        if any(isnan(float(getattr(row, measure.field))) for row in rows):
            found.setdefault(_(measure.undefined), []).append(_(measure.title))
    return [f"{', '.join(titles)}: {reason}" for reason, titles in found.items()]


def class_table(evaluation: Evaluation) -> dict[str, object]:
    """Every class and candidate, classes together, the background last."""
    candidates = {candidate["key"]: candidate for candidate in candidates_of(evaluation)}
    rows = sorted(class_rows(evaluation), key=lambda row: (row.class_index == 0, row.class_index))
    measures = [measure_of(field) for field in CLASS_FIELDS]
    columns = [Column(_("Class"), False), Column(_("Network"), False), *(Column(titled(m)) for m in measures),
               Column(_("True px")), Column(_("Predicted px"))]  # fmt: skip
    found = [
        {
            "name": _(row.class_name), "colour": "rgb({}, {}, {})".format(*evaluation.classes[row.class_index].color),
            "candidate": candidates[row.key],
            "cells": [*(_cell(getattr(row, m.field), m) for m in measures), _plain(row.target_pixels), _plain(row.preds_pixels)],
        }
        for row in rows
    ]  # fmt: skip
    return {"class_columns": columns, "class_rows": found}


def picture_table(evaluation: Evaluation) -> dict[str, object]:
    """A row for each picture, the worst first: the IoU of each candidate, and how far they are apart; then those without any."""
    scores, titles = picture_scores(evaluation), names_of(evaluation)
    names = ordered_pictures(evaluation)
    names += [name for name in scores if not scores[name]]
    several = len(titles) > 1
    columns = [Column(_("Picture"), False), *(Column(title) for title in titles), *([Column(_("Spread"))] if several else [])]
    note = _("IoU of each network on each picture.")
    if len(names) > MAX_PICTURES:
        note = _("The {n} worst of {total} pictures; the CSV file holds all.", n=MAX_PICTURES, total=len(names))
    rows = [{"name": name, "cells": _picture_cells(scores[name], len(titles))} for name in names[:MAX_PICTURES]]
    return {"picture_columns": columns, "picture_rows": rows, "pictures_note": note}


def _picture_cells(scores: dict[int, float], count: int) -> list[Cell]:
    nan, iou = float("nan"), measure_of("iou")
    cells = [_cell(scores.get(index, nan), iou) for index in range(count)]
    if count > 1:
        cells.append(_cell(max(scores.values()) - min(scores.values()) if len(scores) > 1 else nan, iou))
    return cells
