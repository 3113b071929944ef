"""The tables of an evaluation: numbers by hand, undefined values, differences in words, and files that harm nobody."""

import csv
import io
import json
import math
from dataclasses import replace
from time import process_time

import numpy as np
import pytest

from segdemo.errors import SettingError
from segdemo.evaluation.scores.differences import differences, sentence, verdict
from segdemo.evaluation.scores.files import scores_csv, scores_json
from segdemo.evaluation.scores.measures import MEASURES, best_of, shown
from segdemo.evaluation.scores.rows import class_rows, picture_rows, picture_scores, pictures_behind
from segdemo.evaluation.scores.summary import SummaryRow, ranked, summary_rows
from segdemo.metrics import boundary_f1, challenge_precision, mean_of_known, score_under, scores_of_counts
from segdemo.metrics.conventions import Convention

from .hand_made import THREE, evaluation_of, notice, result_of, square, two_candidates

BY_FIELD = {measure.field: measure for measure in MEASURES}


def test_every_measure_is_a_column_of_the_summary() -> None:
    assert {measure.field for measure in MEASURES} <= set(SummaryRow.__dataclass_fields__)


def test_summary_by_hand() -> None:
    exact, shifted = summary_rows(two_candidates())
    assert (exact.iou, exact.dice, exact.boundary_f1, exact.hausdorff95) == (1, 1, 1, 0)
    # 6 squares of 64 pixels, shifted by 0 … 5 columns of 8: TP = 8·(8 + 7 + 6 + 5 + 4 + 3), as many false as missed
    tp, wrong = 8 * 33, 8 * 15
    assert shifted.iou == pytest.approx(tp / (tp + 2 * wrong))
    assert shifted.precision == shifted.recall == pytest.approx(tp / (tp + wrong))
    assert shifted.hausdorff95 == pytest.approx(np.mean(range(6)))
    assert (shifted.matched, shifted.missed, shifted.false) == (3, 3, 3)  # IoU 1, 7/9, 6/10, then below a half
    assert (exact.threshold, shifted.threshold) == (0.5, 0.3)
    assert exact.best_iou == 1 and exact.pixel_ap == pytest.approx(1)
    assert exact.latency_ms == 6


def test_means_over_pictures_follow_the_convention_of_the_metrics() -> None:
    pairs = {"a": (square(0, 0, 16), square(0, 0, 8)), "b": (square(2, 2, value=2), square(2, 4, value=2)),
             "c": (square(1, 1), square(20, 20, value=2))}  # fmt: skip
    evaluation = evaluation_of([result_of("unet/nuclei", pairs, THREE)], THREE)
    matrices = np.zeros((3, 3, 3), np.int64)
    for matrix, scores in zip(matrices, evaluation.results[0].pictures, strict=True):
        matrix[scores.cells[:, 0], scores.cells[:, 1]] = scores.cells[:, 2]
    for per_image in (False, True):
        row = summary_rows(evaluation, per_image=per_image)[0]
        for averaging, value in (("foreground", row.iou), ("all", row.iou_with_background)):
            assert value == pytest.approx(score_under(matrices, "iou", Convention(per_image, averaging)))


def test_what_is_undefined_is_nan_and_a_dash_never_zero() -> None:
    nothing = np.zeros((8, 8), np.uint8)
    row = summary_rows(evaluation_of([result_of("unet/nuclei", {"empty": (nothing, nothing)})]))[0]
    for field in ("iou", "dice", "precision", "recall", "boundary_f1", "hausdorff95", "object_ap", "pixel_ap", "best_threshold"):
        assert math.isnan(getattr(row, field)), field
        assert shown(getattr(row, field), BY_FIELD[field]) == "–"
    assert row.iou_with_background == 1
    assert row.one_sided == 0


def test_a_class_that_only_one_side_holds_has_no_distance_and_is_counted() -> None:
    nothing = np.zeros((32, 32), np.uint8)
    pairs = {"missed": (nothing, square(4, 4)), "found": (square(4, 5), square(4, 4))}
    row = summary_rows(evaluation_of([result_of("unet/nuclei", pairs)]))[0]
    assert (row.hausdorff95, row.one_sided) == (1, 1)


def test_a_candidate_without_pictures_has_no_scores() -> None:
    row = summary_rows(evaluation_of([result_of("unet/nuclei", {}, failed={"x": notice("too large")})]))[0]
    assert row.failed == 1 and row.pictures == 0
    numbers = [getattr(row, m.field) for m in MEASURES if m.field != "threshold"]
    assert all(math.isnan(number) for number in numbers)


def test_class_rows_and_picture_rows() -> None:
    evaluation = two_candidates()
    rows = [row for row in class_rows(evaluation) if row.class_index == 1]
    assert [(row.class_name, row.target_pixels, row.preds_pixels) for row in rows] == [("nucleus", 384, 384)] * 2
    pictures = picture_rows(evaluation)
    assert [row.picture for row in pictures[:3]] == ["f", "e", "d"]
    assert pictures[0].iou == pytest.approx(3 / 13)
    assert pictures[-1].iou == 1


def test_rows_of_pictures_are_what_each_picture_says() -> None:
    pairs = {"a": (square(0, 0, 16), square(0, 0, 8)), "b": (square(2, 2, value=2), square(2, 4, value=2)),
             "c": (square(1, 1), square(20, 20, value=2)), "d": (square(0, 0, 0), square(0, 0, 0))}  # fmt: skip
    evaluation = evaluation_of([result_of("unet/nuclei", pairs, THREE)], THREE)
    rows = {row.picture: row for row in picture_rows(evaluation)}
    by_name = picture_scores(evaluation, "dice")
    for scores in evaluation.results[0].pictures:
        row, area = rows[scores.picture], scores_of_counts(scores.counts[1:])
        for name, values in area.items():
            assert getattr(row, name) == pytest.approx(float(mean_of_known(values)), nan_ok=True)
        assert row.boundary_f1 == pytest.approx(float(mean_of_known(boundary_f1(scores.boundary[1:]))), nan_ok=True)
        assert row.hausdorff95 == pytest.approx(float(mean_of_known(scores.hausdorff95[1:])), nan_ok=True)
        assert row.object_ap == pytest.approx(challenge_precision(scores.objects.at_thresholds), nan_ok=True)
        assert by_name[scores.picture] == ({} if math.isnan(row.dice) else {0: row.dice})


def test_the_best_comes_first_and_who_has_no_score_last() -> None:
    exact, shifted = two_candidates().results
    evaluation = evaluation_of([result_of("fcn8s/nuclei", {}), shifted, exact])
    assert ranked(evaluation) == [2, 1, 0]


def test_a_long_data_set_is_summed_up_in_a_moment() -> None:
    """2,000 pictures of six candidates took eight seconds when each picture was looked at by itself."""
    pictures = two_candidates().results[1].pictures
    many = tuple(replace(pictures[i % 6], picture=f"{i}") for i in range(2000))
    result = replace(two_candidates().results[1], pictures=many)
    evaluation = evaluation_of([replace(result, candidate=replace(result.candidate, threshold=k / 10)) for k in range(6)])
    start = process_time()
    for per_image in (False, True):
        assert summary_rows(evaluation, per_image=per_image)[0].pictures == 2000
    assert len(picture_rows(evaluation)) == 12_000 and len(picture_scores(evaluation)) == 2000
    assert process_time() - start < 2
    assert 500_000 < result.size_bytes < 10_000_000


def test_pictures_behind_a_cell() -> None:
    evaluation = two_candidates()
    assert pictures_behind(evaluation, 1, 1, 0) == [("f", 40), ("e", 32), ("d", 24), ("c", 16), ("b", 8)]
    assert pictures_behind(evaluation, 0, 1, 0) == []


def test_a_difference_is_said_in_words() -> None:
    evaluation = two_candidates()
    better, worse = differences(evaluation, 0, 1), differences(evaluation, 1, 0)
    assert better.points == pytest.approx(-worse.points) == pytest.approx(100 * (1 - 264 / 504))
    assert 0 < better.low <= better.points <= better.high
    assert (verdict(better), verdict(worse)) == ("better", "worse")
    low, high = f"{better.low:.1f}", f"{better.high:.1f}"  # the interval reaches further down than up
    assert sentence(better).startswith(f"unet/nuclei is better than segnet/nuclei@threshold=0.3 by 47.6 ({low} to {high}) ")
    assert sentence(better).endswith(" IoU points on these 6 pictures.")
    assert sentence(worse).startswith(f"segnet/nuclei@threshold=0.3 is worse than unet/nuclei by 47.6 ({low} to {high}) ")
    even = replace(
        better, difference=replace(better.difference, low=better.difference.mean - 0.1, high=better.difference.mean + 0.11)
    )
    assert "by 47.6 ± 10.5 IoU points" in sentence(even)
    few = replace(better, difference=replace(better.difference, pictures=4))
    assert verdict(few) == "undefined" and "too few pictures" in sentence(few)
    same = differences(evaluation, 0, 0, "dice", per_image=True)
    assert verdict(same) == "unclear" and "cannot be told apart on these 6 pictures" in sentence(same)


def test_only_pictures_that_both_scored_are_compared() -> None:
    own = {"a": (square(4, 4), square(4, 4)), "b": (square(4, 6), square(4, 4))}
    other = {"b": (square(4, 4), square(4, 4)), "x": (square(9, 9), square(4, 4))}
    evaluation = evaluation_of([result_of("unet/nuclei", own), result_of("segnet/nuclei", other)])
    found = differences(evaluation, 0, 1)
    assert found.difference.pictures == 1 and found.points == pytest.approx(100 * (6 / 10 - 1))
    assert verdict(found) == "undefined" and "cannot be compared" in sentence(found)
    with pytest.raises(SettingError, match="iou, dice"):
        differences(evaluation, 0, 1, "speed")


def test_the_best_is_marked_only_where_there_is_one() -> None:
    assert best_of([0.5, 0.9, float("nan"), 0.9001], BY_FIELD["iou"]) == {1, 3}
    assert best_of([3.0, 1.0], BY_FIELD["hausdorff95"]) == {1}
    assert best_of([0.9, 0.9], BY_FIELD["iou"]) == best_of([0.9], BY_FIELD["iou"]) == set()
    assert best_of([0.1, 0.2], BY_FIELD["best_threshold"]) == set()


def test_csv_is_a_long_table_that_no_spreadsheet_computes() -> None:
    names = ["=1+1", "+x", "-x", "@x", "\tx", 'quote", and comma']
    rows = list(csv.DictReader(io.StringIO(scores_csv(two_candidates(names)), newline="")))
    assert len(rows) == 2 * 6 * 2  # candidates, pictures, classes
    assert [row["picture"] for row in rows[1:12:2]] == ["'=1+1", "'+x", "'-x", "'@x", "'\tx", 'quote", and comma']
    last = rows[-1]
    assert (last["candidate"], last["class"]) == ("segnet/nuclei@threshold=0.3", "nucleus")
    assert float(last["iou"]) == pytest.approx(3 / 13, abs=1e-5)
    assert (last["tp_px"], last["fp_px"], last["fn_px"]) == ("24", "40", "40")


def test_csv_leaves_undefined_scores_empty() -> None:
    nothing = np.zeros((8, 8), np.uint8)
    rows = csv.DictReader(io.StringIO(scores_csv(evaluation_of([result_of("unet/nuclei", {"empty": (nothing, nothing)})]))))
    assert [row["iou"] for row in rows] == ["1", ""]


def test_json_holds_settings_hashes_and_no_nan() -> None:
    nothing = np.zeros((8, 8), np.uint8)
    pairs = {"empty": (nothing, nothing)}
    evaluation = evaluation_of([result_of("unet/nuclei", pairs), result_of("unet/nuclei@threshold=0.3", pairs)])
    found = json.loads(scores_json(evaluation), parse_constant=pytest.fail)
    assert found["summary"][0]["iou"] is None
    assert [c["threshold"] for c in found["candidates"]] == [0.5, 0.3]
    assert len(found["candidates"][0]["sha256"]) == 64
    assert found["settings"]["boundary_tolerance"] == 2
    assert {"segdemo", "torch"} <= set(found["versions"]) and found["machine"] == ""
    assert found["differences"][0]["verdict"] == "undefined"
