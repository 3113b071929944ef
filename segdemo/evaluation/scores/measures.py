"""The measures of an evaluation: what each is called, which way is better, how it is written, and why it can be undefined."""

import math
from dataclasses import dataclass
from typing import Literal

from segdemo.evaluation.scores.results import EvaluationSettings
from segdemo.metrics import CHALLENGE_THRESHOLDS, MATCH
from segdemo.text import N_, _

__all__ = [
    "DASH", "GROUPS", "MEASURES", "Measure", "best_of", "explained", "group_titles", "headed", "measure_of", "shown", "titled",
]  # fmt: skip

DASH = "–"
Better = Literal["higher", "lower", ""]


@dataclass(frozen=True)
class Measure:
    """One line of the summary: the field of `SummaryRow` that holds it, its words (marked with N_), and how it is written.

    decimals: behind the point. better: "" where neither is. undefined: why it can be NaN. short: the title where there is
    little room; "" where it is short already.
    """

    field: str
    group: str
    title: str
    explanation: str
    better: Better = "higher"
    decimals: int = 3
    unit: str = ""
    undefined: str = N_("There is nothing to score.")
    short: str = ""


NOT_BINARY = N_("Only networks with one foreground class and a threshold have it, on data with one foreground class.")
NO_OBJECTS = N_("Neither the truth nor the prediction holds an object.")
GROUPS = (N_("Area"), N_("Outline"), N_("Objects"), N_("Probabilities"), N_("Speed"))

MEASURES = (
    Measure("iou", "Area", N_("IoU"), N_("Overlap divided by union, mean over the classes without the background"),
            undefined=N_("No foreground class occurs, neither in the truth nor in the prediction.")),
    Measure("iou_with_background", "Area", N_("IoU with background"),
            N_("The same mean with the background as one more class, as “mean IoU” often means")),
    Measure("dice", "Area", N_("Dice"), N_("Twice the overlap divided by the sum of both areas, mean without the background")),
    Measure("precision", "Area", N_("Precision"), N_("Of the pixels said to be of a class, the share that is"),
            undefined=N_("No foreground class was ever predicted.")),
    Measure("recall", "Area", N_("Recall"), N_("Of the pixels of a class, the share that was found"),
            undefined=N_("The truth holds no foreground class.")),
    Measure("boundary_f1", "Outline", N_("Boundary F1"),
            N_("Share of outline pixels with a true one within {tolerance:g} pixels, and the other way round"),
            undefined=N_("Neither the truth nor the prediction has an outline.")),
    Measure("hausdorff95", "Outline", N_("Hausdorff 95"),
            N_("Distance within which 95\u00a0% of the outline lies, mean over the pictures where both have one"), "lower", 1,
            "px",
            undefined=N_("On no picture do truth and prediction both hold the class, so there is no distance.")),
    Measure("matched", "Objects", N_("Matched"), N_("True objects found with IoU of at least {match:g}"), decimals=0),
    Measure("missed", "Objects", N_("Missed"), N_("True objects that none of the predicted ones matches"), "lower", 0),
    Measure("false", "Objects", N_("False"), N_("Predicted objects that match no true one"), "lower", 0),
    Measure("split", "Objects", N_("Split"), N_("True objects that were found in several pieces"), "lower", 0),
    Measure("merged", "Objects", N_("Merged"), N_("Predicted objects that cover several true ones"), "lower", 0),
    Measure("object_ap", "Objects", N_("Object AP, mean over pictures"),
            N_("TP / (TP + FP + FN) of objects at IoU {first:.2f} to {last:.2f}, as in the nuclei challenge of 2018"),
            undefined=NO_OBJECTS, short=N_("Object AP")),
    Measure("object_ap_pooled", "Objects", N_("Object AP, pooled"),
            N_("The same from the objects of all pictures counted together"), undefined=NO_OBJECTS),
    Measure("pixel_ap", "Probabilities", N_("Average precision of pixels"),
            N_("Area under the precision–recall curve, over the thresholds tried"), undefined=NOT_BINARY),
    Measure("threshold", "Probabilities", N_("Threshold in use"), N_("Above this probability a pixel is foreground"), "", 2,
            undefined=N_("The likeliest class is chosen; there is no threshold.")),
    Measure("best_threshold", "Probabilities", N_("Best threshold"),
            N_("Where IoU is highest on these very pictures: too good for others"), "", 2, undefined=NOT_BINARY),
    Measure("best_iou", "Probabilities", N_("IoU there"), N_("What the best threshold would give"), undefined=NOT_BINARY),
    Measure("ece", "Probabilities", N_("Calibration error (ECE)"),
            N_("How far a stated probability is from how often it was so, on average"), "lower",
            undefined=N_("No pixel was scored.")),
    Measure("latency_ms", "Speed", N_("Time under load"),
            N_("Mean of all phases while several pictures were judged side by side: one alone is faster. The Cost view of the "
               "Compare page measures times that can be compared"), "", 0, "ms", undefined=N_("No picture was timed.")),
)  # fmt: skip


_BY_FIELD = {measure.field: measure for measure in MEASURES}


def titled(measure: Measure) -> str:
    """Its name, with the unit where it has one."""
    return f"{_(measure.title)} [{measure.unit}]" if measure.unit else _(measure.title)


def headed(measure: Measure) -> str:
    """The same for the head of a narrow column."""
    title = _(measure.short or measure.title)
    return f"{title} [{measure.unit}]" if measure.unit else title


def measure_of(field: str) -> Measure:
    """The measure of this field. Raises KeyError for another."""
    return _BY_FIELD[field]


def explained(measure: Measure, settings: EvaluationSettings) -> str:
    """Its explanation, with the settings filled in."""
    first, last = CHALLENGE_THRESHOLDS[[0, -1]]
    return _(measure.explanation, tolerance=settings.boundary_tolerance, match=MATCH, first=first, last=last)


def group_titles() -> dict[str, str]:
    """Groups and their translated titles, in order."""
    return {group: _(group) for group in GROUPS}


def shown(value: float, measure: Measure) -> str:
    """The number as it is written; a dash for NaN, which is never shown as 0. Infinity is written as ∞."""
    if math.isnan(value):
        return DASH
    return "∞" if math.isinf(value) else f"{value:,.{measure.decimals}f}"


def best_of(values: list[float], measure: Measure) -> set[int]:
    """Which of several are best as they are written; none where all are, where neither is better, or where one is alone."""
    known = [round(value, measure.decimals) for value in values if not math.isnan(value)]
    if not measure.better or len(values) < 2 or len(set(known)) < 2:
        return set()
    best = max(known) if measure.better == "higher" else min(known)
    return {i for i, value in enumerate(values) if not math.isnan(value) and round(value, measure.decimals) == best}
