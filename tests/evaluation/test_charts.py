"""The charts: what they draw is what was counted, and names from files stay text."""

import numpy as np
import pytest

from segdemo.evaluation.charts import (
    CANDIDATE_COLOURS,
    confusion_figure,
    picture_figure,
    precision_recall_figure,
    reliability_figure,
)
from segdemo.evaluation.series import curve_floor, known_curve, ordered_pictures, row_shares
from segdemo.metrics import average_precision

from .hand_made import CLASSES, THREE, evaluation_of, result_of, square, two_candidates


def test_precision_against_recall_marks_the_best_threshold_and_the_one_in_use() -> None:
    evaluation = two_candidates()
    figure = precision_recall_figure(evaluation, CANDIDATE_COLOURS)
    lines = [trace for trace in figure.data if trace.mode != "markers"]
    assert [trace.line.color for trace in lines] == list(CANDIDATE_COLOURS[:2])
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
    assert not precision_recall_figure(evaluation, CANDIDATE_COLOURS).data
    assert curve_floor([known_curve(evaluation, evaluation.results[0])]) == 0
    nothing = np.zeros((8, 8), np.uint8)
    empty = evaluation_of([result_of("unet/nuclei", {"a": (nothing, nothing)})])
    assert known_curve(empty, empty.results[0]) is None


def test_reliability_shows_bins_that_hold_pixels() -> None:
    evaluation = two_candidates()
    figure = reliability_figure(evaluation, CANDIDATE_COLOURS, font="serif")
    exact = next(trace for trace in figure.data if trace.name and trace.name.startswith("unet/nuclei · ECE"))
    assert list(exact.x) == pytest.approx([0.2, 0.9]) and list(exact.y) == [0, 1]
    assert list(exact.customdata) == [6 * (1024 - 64), 6 * 64]
    assert figure.layout.font.family == "serif"
    assert figure.layout.paper_bgcolor == "rgba(0, 0, 0, 0)"


def test_confusion_shows_shares_of_the_row_and_its_cells_name_their_classes() -> None:
    evaluation = two_candidates()
    heat = confusion_figure(evaluation, 1, CANDIDATE_COLOURS).data[0]
    assert heat.z[1] == pytest.approx([120 / 384, 264 / 384])
    assert heat.customdata[1][0].tolist() == [1, 0]
    assert "120" in heat.text[1][0]
    assert np.isnan(row_shares(np.array([[0, 0], [1, 3]]))[0]).all()


def test_pictures_are_sorted_the_worst_first_and_their_names_are_text() -> None:
    evaluation = two_candidates(["ok", "<b>bold</b>", "c & d"])
    assert ordered_pictures(evaluation) == ["c & d", "<b>bold</b>", "ok"]
    figure = picture_figure(evaluation, CANDIDATE_COLOURS)
    shifted = figure.data[1]
    assert list(shifted.text) == ["c &amp; d", "&lt;b&gt;bold&lt;/b&gt;", "ok"]
    assert list(shifted.customdata) == ["c & d", "<b>bold</b>", "ok"]
    assert list(shifted.y) == pytest.approx([6 / 10, 7 / 9, 1])
    assert len(figure.to_json()) < 20_000


def test_candidates_have_six_colours_of_their_own() -> None:
    assert len(set(CANDIDATE_COLOURS)) == 6
    assert not {"#{:02x}{:02x}{:02x}".format(*info.color) for info in CLASSES} & set(CANDIDATE_COLOURS)
