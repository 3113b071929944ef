"""Scores by picture, the worst first, and the confusion matrix: both lead to the pictures themselves."""

import math

import numpy as np
import pandas as pd
import streamlit as st

from segdemo.evaluation.scores.files import harmless
from segdemo.evaluation.scores.measures import DASH, MEASURES, Measure, shown
from segdemo.evaluation.scores.results import Evaluation
from segdemo.evaluation.scores.rows import picture_rows, pictures_behind
from segdemo.evaluation.scores.series import row_shares
from segdemo.text import _
from segdemo.ui.compare_scores_opened import show_opened
from segdemo.ui.compare_scores_run import Run
from segdemo.ui.compare_scores_tables import Look
from segdemo.ui.words import plain

__all__ = ["confusion_table", "picture_table", "show_confusions", "show_pictures"]

BY_PICTURE = ("iou", "dice", "precision", "recall", "boundary_f1", "hausdorff95", "object_ap")
BESIDE = 2  # networks whose columns fit beside the picture
TABLE_HEIGHT, WIDE_HEIGHT = 420, 248
TINT = "rgba(47, 134, 209, {alpha:.2f})"
WRONG = "rgba(213, 94, 0, {alpha:.2f})"


def show_pictures(run: Run, evaluation: Evaluation, look: Look) -> None:
    """The table, and beside it the chosen picture, without a choice the worst one; below it where there are more columns than
    fit beside a picture."""
    wide = len(evaluation.results) > BESIDE
    left, right = (st.container(), st.container()) if wide else st.columns([4, 8], gap="medium")
    measures = {measure.field: measure for measure in MEASURES if measure.field in BY_PICTURE}
    with left:
        field = st.selectbox(
            _("Score of a picture"), list(measures), key="scores_by_picture", persist_state="session",
            format_func=lambda name: _(measures[name].title), help=_("By which the pictures are ordered, the worst first."),
            width=320 if wide else "stretch",
        )  # fmt: skip
        table = picture_table(evaluation, look, measures[field])
        if table.empty:
            st.info(_("No picture was scored."), icon=":material/info:")
            return
        writers = dict.fromkeys(table.columns[1:], lambda value: shown(float(value), measures[field]))
        event = st.dataframe(
            table.style.format(writers), hide_index=True, key=f"scores_pictures_{field}",
            height=min(WIDE_HEIGHT if wide else TABLE_HEIGHT, 38 + 35 * len(table)),
            on_select="rerun", selection_mode="single-row", alt=_("Scores of each picture"),
            column_config={
                _("Picture"): st.column_config.TextColumn(pinned=True),
                **{name: st.column_config.NumberColumn(width=None if wide else 76, help=name) for name in table.columns[1:]},
            },
        )  # fmt: skip
        order = _("Sorted by the mean over the networks, the worst first.") if len(evaluation.results) > 1 else ""
        st.caption(f"{order} {_('Choose a row to open its picture. “{dash}”: nothing to score.', dash=DASH)}".lstrip())
    with right:
        place = _chosen(event["selection"]["rows"], len(table))
        show_opened(run, look, str(table.index[place]), key="scores_opened")


def _chosen(rows: list[int], count: int) -> int:
    """The row that is selected; the first where none is, or where the table has become shorter."""
    return rows[0] if rows and rows[0] < count else 0


def picture_table(evaluation: Evaluation, look: Look, measure: Measure) -> pd.DataFrame:
    """A row a picture, the mean by which they are sorted if there are several candidates, and a column a candidate: the worst
    first, what cannot be scored last. The index has the names."""
    found: dict[str, dict[str, float]] = {}
    for row in picture_rows(evaluation):
        found.setdefault(row.picture, {})[row.key] = float(getattr(row, measure.field))
    keys = [result.candidate.key for result in evaluation.results]
    titles, _colours = look.of(evaluation)
    sign = -1.0 if measure.better == "lower" else 1.0
    order = sorted(found, key=lambda name: _rank(list(found[name].values()), sign))
    columns: dict[str, list[object]] = {_("Picture"): [harmless(name) for name in order]}
    if len(keys) > 1:
        columns[_("Mean")] = [_mean(list(found[name].values())) for name in order]
    for key, title in zip(keys, titles, strict=True):
        columns[title if title not in columns else key] = [found[name].get(key, math.nan) for name in order]
    return pd.DataFrame(columns, index=order)


def _rank(values: list[float], sign: float) -> tuple[bool, float]:
    mean = _mean(values)
    return math.isnan(mean), 0.0 if math.isnan(mean) else sign * mean


def _mean(values: list[float]) -> float:
    """Of those that are known, NaN of none."""
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan


def show_confusions(run: Run, evaluation: Evaluation, look: Look) -> None:
    """A candidate's confusion matrix; a cell leads to the pictures behind it, and each of these opens."""
    if not evaluation.results:
        st.info(_("No picture was scored."), icon=":material/info:")
        return
    titles, _colours = look.of(evaluation)
    left, right = st.columns([7, 5], gap="large")
    with left:
        index = 0
        if len(titles) > 1:
            index = st.selectbox(_("Network"), range(len(titles)), key="scores_confused", format_func=lambda i: titles[i],
                                 help=_("Whose confusions are shown."))  # fmt: skip
        true_class, said_class = _matrix(evaluation, index)
    names = [_(info.name) for info in evaluation.classes]
    behind = pictures_behind(evaluation, index, true_class, said_class)
    with right:
        right_one = true_class == said_class
        st.markdown(
            _("**{name}**, found: the pictures", name=plain(names[true_class])) if right_one else
            _("**{true}**, taken for **{said}**: the pictures", true=plain(names[true_class]), said=plain(names[said_class]))
        )  # fmt: skip
        if not behind:
            st.caption(_("No pixel of any picture."))
            return
        event = st.dataframe(
            pd.DataFrame({_("Picture"): [harmless(name) for name, _n in behind], _("Pixels"): [n for _name, n in behind]}),
            hide_index=True, key=f"scores_behind_{index}_{true_class}_{said_class}", on_select="rerun",
            selection_mode="single-row", height=min(260, 38 + 35 * len(behind)), alt=_("Pictures behind this cell"),
            column_config={_("Pixels"): st.column_config.NumberColumn(format="localized")},
        )  # fmt: skip
    show_opened(run, look, behind[_chosen(event["selection"]["rows"], len(behind))][0], key="scores_confused_opened")


def _matrix(evaluation: Evaluation, index: int) -> tuple[int, int]:
    """The matrix, and its cell that is selected (true class, predicted class); at first the largest confusion."""
    table, marks = confusion_table(evaluation, index)
    event = st.dataframe(
        table.style.apply(lambda _table: marks, axis=None), key=f"scores_matrix_{index}", on_select="rerun",
        selection_mode="single-cell", height="content", alt=_("Confusion matrix: rows are true, columns predicted classes"),
    )  # fmt: skip
    st.caption(_("Rows: what is true. Columns: what the network said. Each cell: its share of the row's pixels. Choose a "
                 "cell to see the pictures behind it."))  # fmt: skip
    cells = event["selection"]["cells"]
    columns = list(table.columns)
    if cells and cells[0][1] in columns and cells[0][0] < len(columns):
        return int(cells[0][0]), columns.index(cells[0][1])
    wrong = evaluation.results[index].matrix.copy()
    np.fill_diagonal(wrong, -1)
    true_class, said_class = np.unravel_index(int(wrong.argmax()), wrong.shape)
    return int(true_class), int(said_class)


def confusion_table(evaluation: Evaluation, index: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Shares of the row in percent, and the tint of each cell: blue where right, orange where wrong, by its share."""
    matrix = evaluation.results[index].matrix
    shares, names = row_shares(matrix), _distinct([_(info.name) for info in evaluation.classes])
    rows = pd.Index([_("{name}, true", name=name) for name in names])
    text = [[shown_share(s) for s in row] for row in shares]
    tints = [
        [f"background-color: {(TINT if i == j else WRONG).format(alpha=0.6 * s)}" if s > 0 else "" for j, s in enumerate(row)]
        for i, row in enumerate(shares)
    ]  # fmt: skip
    return pd.DataFrame(text, index=rows, columns=names), pd.DataFrame(tints, index=rows, columns=names)


def shown_share(share: float) -> str:
    """In percent; a dash in a row without a pixel."""
    return DASH if math.isnan(share) else "0 %" if share == 0 else f"{100 * share:.1f} %" if share >= 0.001 else "< 0.1 %"


def _distinct(names: list[str]) -> list[str]:
    return [name if names.count(name) == 1 else f"{name} ({i})" for i, name in enumerate(names)]
