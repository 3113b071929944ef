"""Tables of an evaluation: the headline, all measures, classes and objects. The best is marked; what is undefined is a dash."""

import math
from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from segdemo.evaluation.scores.measures import DASH, MEASURES, Measure, best_of, explained, group_titles, headed, shown, titled
from segdemo.evaluation.scores.results import Evaluation
from segdemo.evaluation.scores.rows import class_rows
from segdemo.evaluation.scores.summary import SummaryRow, same_pictures, summary_rows
from segdemo.text import _
from segdemo.ui.compare_cost_data import swatch
from segdemo.ui.words import plain

__all__ = ["Look", "headline_table", "show_all_measures", "show_classes", "show_headline", "show_objects"]

HEADLINE = ("iou", "dice", "precision", "recall", "boundary_f1", "hausdorff95", "object_ap")
OBJECTS = ("matched", "missed", "false", "split", "merged", "object_ap", "object_ap_pooled")
BEST = "font-weight: 700; background-color: rgba(47, 134, 209, 0.18)"
COLOUR = " "
Writer = Callable[[float], str]


class Look:
    """Titles and colours of candidates by their key, as the chips above have them."""

    def __init__(self, keys: Sequence[str], titles: Sequence[str], colours: Sequence[str]) -> None:
        self.titles: Mapping[str, str] = dict(zip(keys, titles, strict=True))
        self.colours: Mapping[str, str] = dict(zip(keys, colours, strict=True))

    def of(self, evaluation: Evaluation) -> tuple[list[str], list[str]]:
        """Titles and colours of an evaluation's results, in their order."""
        keys = [result.candidate.key for result in evaluation.results]
        return [self.titles[key] for key in keys], [self.colours[key] for key in keys]


def show_headline(evaluation: Evaluation, look: Look, *, per_image: bool, key: str) -> None:
    """One row a candidate with the scores that matter most, and why any of them is undefined."""
    measures = [measure for measure in MEASURES if measure.field in HEADLINE]
    rows = summary_rows(evaluation, per_image=per_image)
    st.dataframe(
        headline_table(evaluation, rows, measures, look), hide_index=True, key=key, height="content",
        column_config={
            COLOUR: st.column_config.ImageColumn(width=36, pinned=True),
            _("Network"): st.column_config.TextColumn(pinned=True),
            **{headed(m): st.column_config.NumberColumn(help=explained(m, evaluation.settings)) for m in measures},
            _("Pictures"): st.column_config.NumberColumn(help=_("How many were scored.")),
        },
        alt=_("Scores of each network"),
    )  # fmt: skip
    _reasons(rows, measures, look)


def headline_table(evaluation: Evaluation, rows: Sequence[SummaryRow], measures: Sequence[Measure], look: Look) -> Styler:
    """The rows as a table, each number written as its measure is, the best in bold where all were scored on the same pictures."""
    titles, colours = look.of(evaluation)
    table = pd.DataFrame({
        COLOUR: [swatch(colour) for colour in colours], _("Network"): titles,
        **{headed(m): [float(getattr(row, m.field)) for row in rows] for m in measures},
        _("Pictures"): [row.pictures for row in rows],
    })  # fmt: skip
    return _styled(table, {headed(m): m for m in measures}, marked=same_pictures(evaluation))


def _styled(table: pd.DataFrame, measures: Mapping[str, Measure], *, marked: bool) -> Styler:
    marks = pd.DataFrame("", index=table.index, columns=table.columns)
    for column, measure in measures.items() if marked else ():
        for place in best_of(table[column].tolist(), measure):
            marks.loc[table.index[place], column] = BEST
    writers = {column: _writer(measure) for column, measure in measures.items()}
    return table.style.format(writers).apply(lambda _table: marks, axis=None)


def _writer(measure: Measure) -> Writer:
    return lambda value: shown(float(value), measure)


def _reasons(rows: Sequence[SummaryRow], measures: Sequence[Measure], look: Look) -> None:
    """Why a score is a dash, said once for each score."""
    said = []
    for measure in measures:
        without = [look.titles[row.key] for row in rows if math.isnan(float(getattr(row, measure.field)))]
        if without:
            who = "" if len(without) == len(rows) else f" ({', '.join(without)})"
            said.append(f"{_(measure.title)}{who}: {_(measure.undefined)}")
    if said:
        st.caption(f"“{DASH}” " + " ".join(said).replace("$", "\\$"))


def show_all_measures(evaluation: Evaluation, look: Look, *, per_image: bool) -> None:
    """Every measure as a row with its explanation, every candidate as a column."""
    rows = summary_rows(evaluation, per_image=per_image)
    titles, _colours = look.of(evaluation)
    columns = [plain(title, 60) for title in _unique(titles)]  # the table reads Markdown
    for group, title in group_titles().items():
        measures = [measure for measure in MEASURES if measure.group == group]
        table = pd.DataFrame({
            title: [titled(m) for m in measures],
            **{name: [shown(float(getattr(row, m.field)), m) for m in measures]
               for name, row in zip(columns, rows, strict=True)},
            _("What it says"): [_meaning(m, rows, evaluation) for m in measures],
        })  # fmt: skip
        marks = pd.DataFrame("", index=table.index, columns=table.columns)
        for place, measure in enumerate(measures if same_pictures(evaluation) else ()):
            for best in best_of([float(getattr(row, measure.field)) for row in rows], measure):
                marks.loc[place, columns[best]] = BEST
        st.table(table.style.apply(lambda _table, marks=marks: marks, axis=None), hide_index=True, border="horizontal", alt=title)


def _meaning(measure: Measure, rows: Sequence[SummaryRow], evaluation: Evaluation) -> str:
    undefined = any(math.isnan(float(getattr(row, measure.field))) for row in rows)
    better = {"higher": _("Higher is better."), "lower": _("Lower is better."), "": ""}[measure.better]
    parts = [f"{explained(measure, evaluation.settings)}.", better, f"{DASH}: {_(measure.undefined)}" if undefined else ""]
    return " ".join(part for part in parts if part)


def _unique(titles: Sequence[str]) -> list[str]:
    """Column names, of which no two are equal."""
    return [title if titles.count(title) == 1 else f"{title} ({i + 1})" for i, title in enumerate(titles)]


def show_classes(evaluation: Evaluation, look: Look) -> None:
    """Each candidate on each class, the weakest class of all first."""
    settings, rows = (
        evaluation.settings,
        sorted(class_rows(evaluation), key=lambda row: (row.class_index == 0, math.isnan(row.iou), row.iou)),
    )
    fields = [m for m in MEASURES if m.field in ("iou", "dice", "precision", "recall", "boundary_f1", "hausdorff95")]
    table = pd.DataFrame({
        COLOUR: [swatch(look.colours[row.key]) for row in rows], _("Network"): [look.titles[row.key] for row in rows],
        _("Class"): [_(row.class_name) for row in rows],
        **{titled(m): [float(getattr(row, m.field)) for row in rows] for m in fields},
        _("True pixels"): [row.target_pixels for row in rows], _("Predicted pixels"): [row.preds_pixels for row in rows],
    })  # fmt: skip
    st.dataframe(
        table.style.format({titled(m): _writer(m) for m in fields}), hide_index=True, key="scores_classes", height="content",
        column_config={
            COLOUR: st.column_config.ImageColumn(width=36),
            **{titled(m): st.column_config.NumberColumn(help=explained(m, settings)) for m in fields},
            _("True pixels"): st.column_config.NumberColumn(format="localized"),
            _("Predicted pixels"): st.column_config.NumberColumn(format="localized"),
        },
        alt=_("Scores of each network on each class"),
    )  # fmt: skip
    st.caption(_("Over all pixels of all pictures, the weakest first, the background last. Click a column's head to sort by it."))


def show_objects(evaluation: Evaluation, look: Look) -> None:
    """Found, missed and invented objects of each candidate."""
    measures = [measure for measure in MEASURES if measure.field in OBJECTS]
    rows = summary_rows(evaluation)
    st.dataframe(
        headline_table(evaluation, rows, measures, look), hide_index=True, key="scores_objects", height="content",
        column_config={
            COLOUR: st.column_config.ImageColumn(width=36, pinned=True),
            _("Network"): st.column_config.TextColumn(pinned=True),
            **{headed(m): st.column_config.NumberColumn(help=explained(m, evaluation.settings)) for m in measures},
        },
        alt=_("Objects found and missed by each network"),
    )  # fmt: skip
    _reasons(rows, measures, look)
