"""The tables of an evaluation, all in one place: summary, classes, pictures, differences, and the same as CSV and JSON."""

from segdemo.evaluation.differences import Comparison, differences, sentence, verdict
from segdemo.evaluation.rows import ClassRow, PictureRow, class_rows, picture_rows, picture_scores, pictures_behind
from segdemo.evaluation.score_files import scores_csv, scores_json
from segdemo.evaluation.summary import SummaryRow, summary_rows

__all__ = [
    "ClassRow", "Comparison", "PictureRow", "SummaryRow", "class_rows", "differences", "picture_rows", "picture_scores",
    "pictures_behind", "scores_csv", "scores_json", "sentence", "summary_rows", "verdict",
]  # fmt: skip
