"""The charts of an evaluation: what they draw is what was counted, and titles stay text."""

import numpy as np
import pytest

from segdemo.evaluation.colours import CANDIDATE_COLOURS, DASHES
from segdemo.evaluation.scores.measures import measure_of
from segdemo.evaluation.scores.series import curve_floor, known_curve
from segdemo.evaluation.scores.summary import summary_rows
from segdemo.inference.agreement import ERROR_KINDS
from segdemo.metrics import average_precision
from segdemo.ui.compare_colours import SYMBOLS, colour_of_candidate
from segdemo.ui.compare_cost_figures import Point, cost_scatter
from segdemo.ui.compare_disagreement import Consensus, matrix_figure
from segdemo.ui.compare_scores_figures import object_figure, precision_recall_figure, reliability_figure
from segdemo.ui.compare_scores_pictures import picture_table
from segdemo.ui.compare_scores_tables import Look, headline_table
from segdemo.ui.words import plot_text

from ..evaluation.hand_made import THREE, evaluation_of, result_of, square, two_candidates

TITLES = ("U-Net", "<b>bold</b> & co")


def test_precision_against_recall_marks_the_best_threshold_and_the_one_in_use() -> None:
    evaluation = two_candidates()
    figure = precision_recall_figure(evaluation, TITLES, CANDIDATE_COLOURS)
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert [trace.line.color for trace in lines] == list(CANDIDATE_COLOURS[:2])
    assert [trace.line.dash for trace in lines] == ["solid", "7px,3px"]
    curve = known_curve(evaluation, evaluation.results[1])
    assert curve is not None
    assert curve.thresholds[curve.in_use] == 0.3
    assert 0.2 <= curve.thresholds[curve.best] < 0.9  # the scores of `hand_made` are 0.2 and 0.9
    assert curve.iou[curve.best] == pytest.approx(264 / 504)
    assert curve.average_precision == average_precision(evaluation.results[1].threshold_counts)
    stars = [trace for trace in figure.data if trace.mode == "markers" and trace.marker.symbol == "star"]
    assert [(t.x[0], t.y[0]) for t in stars] == [(1, 1), (pytest.approx(264 / 384), pytest.approx(264 / 384))]


def test_a_candidate_without_a_threshold_has_no_curve() -> None:
    pairs = {"a": (square(4, 4, value=2), square(4, 4))}
    evaluation = evaluation_of([result_of("unet/nuclei", pairs, THREE)], THREE)
    assert not precision_recall_figure(evaluation, TITLES[:1], CANDIDATE_COLOURS).data
    assert curve_floor([known_curve(evaluation, evaluation.results[0])]) == 0
    nothing = np.zeros((8, 8), np.uint8)
    empty = evaluation_of([result_of("unet/nuclei", {"a": (nothing, nothing)})])
    assert known_curve(empty, empty.results[0]) is None
    assert not object_figure(empty, TITLES[:1], CANDIDATE_COLOURS).data


def test_reliability_shows_bins_that_hold_pixels() -> None:
    figure = reliability_figure(two_candidates(), TITLES, CANDIDATE_COLOURS)
    exact = next(trace for trace in figure.data if trace.name and trace.name.startswith("U-Net · ECE"))
    assert list(exact.x) == pytest.approx([0.2, 0.9]) and list(exact.y) == [0, 1]
    assert list(exact.customdata) == [6 * (1024 - 64), 6 * 64]
    assert figure.layout.paper_bgcolor == "rgba(0, 0, 0, 0)"


def test_objects_fall_as_more_overlap_is_asked_for() -> None:
    perfect, shifted = object_figure(two_candidates(), TITLES, CANDIDATE_COLOURS).data
    assert list(perfect.y) == [1] * len(perfect.x) and (np.diff(shifted.y) <= 0).all() and shifted.y[-1] < 1
    assert (perfect.marker.symbol, shifted.marker.symbol) == SYMBOLS[:2]


def test_titles_are_text_in_every_chart() -> None:
    assert plot_text("a & <b>%{x}") == "a &amp; &lt;b&gt;%\u200b{x}"
    evaluation = two_candidates()
    for figure in (precision_recall_figure, reliability_figure, object_figure):
        drawn = figure(evaluation, TITLES, CANDIDATE_COLOURS)
        words = " ".join(f"{trace.name} {trace.hovertemplate}" for trace in drawn.data)
        assert "&lt;b&gt;bold&lt;/b&gt; &amp; co" in words and "<b>" not in words
    point = Point(TITLES[1], "#009e73", 1, 1, 1, 0.5, "<i>data</i>")
    other = Point("b", "#009e73", 2, 2, 2, 0.6, "other")
    assert "<i>" not in (text := cost_scatter([point, other], "Time", "ms", "<u>IoU</u>").to_json()) and "<u>" not in text
    assert "bold<" not in text and "u003cb" not in text
    consensus = Consensus(np.zeros((2, 2), np.float32), np.zeros((2, 2), np.uint8), ("<b>", "c"), np.ones((2, 2)), 1)
    assert matrix_figure(consensus).data[0].x[0] == "&lt;b&gt; "


def test_a_name_that_a_spreadsheet_would_compute_is_harmless_in_the_tables_own_download() -> None:
    evaluation = two_candidates(["ok", "=1+1", "c"])
    look = Look([result.candidate.key for result in evaluation.results], TITLES, CANDIDATE_COLOURS[:2])
    frame = picture_table(evaluation, look, measure_of("iou"))
    assert set(frame.iloc[:, 0]) == {"ok", "'=1+1", "c"} and set(frame.index) == {"ok", "=1+1", "c"}


def test_pictures_stand_in_the_order_of_the_mean_that_is_shown() -> None:
    first = {"a": (square(4, 4), square(4, 4)), "b": (square(4, 8), square(4, 4)), "c": (square(4, 4), square(4, 4))}
    second = {"a": (square(4, 8), square(4, 4)), "b": (square(4, 8), square(4, 4)), "c": (square(4, 4), square(4, 4))}
    both = evaluation_of([result_of("unet/nuclei", first), result_of("segnet/nuclei", second)])
    look = Look([result.candidate.key for result in both.results], TITLES, CANDIDATE_COLOURS[:2])
    frame = picture_table(both, look, measure_of("iou"))
    assert list(frame.columns) == ["Picture", "Mean", *TITLES]
    assert list(frame.index) == ["b", "a", "c"] and list(frame["Mean"]) == pytest.approx([1 / 3, 2 / 3, 1])
    alone = picture_table(evaluation_of(both.results[:1]), look, measure_of("iou"))
    assert list(alone.columns) == ["Picture", "U-Net"]


@pytest.mark.parametrize(("pictures", "marked"), [("abc", True), ("a", False)])
def test_the_best_is_marked_only_among_scores_of_the_same_pictures(pictures: str, marked: bool) -> None:
    worse = {name: (square(4, 9), square(4, 4)) for name in "abc"}
    exact = {name: (square(4, 4), square(4, 4)) for name in pictures}
    evaluation = evaluation_of([result_of("unet/nuclei", worse), result_of("segnet/nuclei", exact)])
    look = Look([result.candidate.key for result in evaluation.results], TITLES, CANDIDATE_COLOURS[:2])
    table = headline_table(evaluation, summary_rows(evaluation), [measure_of("iou")], look)
    assert ("font-weight: 700" in table.to_html()) is marked


def test_candidates_have_six_colours_of_their_own_on_the_page_as_in_the_report() -> None:
    def shown(color: tuple[int, int, int]) -> str:
        return "#{:02x}{:02x}{:02x}".format(*color)

    assert [colour_of_candidate(i) for i in range(6)] == list(CANDIDATE_COLOURS)
    assert len(set(CANDIDATE_COLOURS)) == len(set(DASHES)) == len(set(SYMBOLS)) == 6
    assert not {shown(kind.color) for kind in ERROR_KINDS} & {colour.lower() for colour in CANDIDATE_COLOURS}
