"""Candidates have colours of their own, the same on the page and in the report, and none that says right or wrong."""

from segdemo.evaluation.candidate import MAX_CANDIDATES
from segdemo.evaluation.colours import CANDIDATE_COLOURS, DASHES
from segdemo.evaluation.report.page import report_html
from segdemo.inference.agreement import ERROR_KINDS
from segdemo.ui.compare_colours import colour_of_candidate

from .hand_made import two_candidates


def test_each_candidate_has_a_colour_that_marks_nothing_else() -> None:
    assert len(set(CANDIDATE_COLOURS)) == len(set(DASHES)) == MAX_CANDIDATES
    marks = {"#{:02x}{:02x}{:02x}".format(*kind.color) for kind in ERROR_KINDS}
    assert not marks & {colour.lower() for colour in CANDIDATE_COLOURS}


def test_the_page_and_the_report_have_the_same() -> None:
    assert [colour_of_candidate(index) for index in range(MAX_CANDIDATES)] == list(CANDIDATE_COLOURS)
    report = report_html(two_candidates())
    assert [colour in report for colour in CANDIDATE_COLOURS] == [True, True, False, False, False, False]
