"""Scores as files: a long table for spreadsheets, and everything with its settings and hashes as JSON."""

import csv
import io
import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from segdemo.evaluation.provenance import versions
from segdemo.evaluation.scores.differences import differences, sentence, verdict
from segdemo.evaluation.scores.results import CandidateResult, Evaluation, PictureScores
from segdemo.evaluation.scores.rows import class_rows
from segdemo.evaluation.scores.summary import summary_rows
from segdemo.metrics import boundary_f1, scores_of_counts

__all__ = ["harmless", "scores_csv", "scores_json"]

COLUMNS = (
    "candidate", "picture", "class", "height", "width", "iou", "dice", "precision", "recall", "boundary_f1", "hausdorff95_px",
    "tp_px", "fp_px", "fn_px", "latency_ms",
)  # fmt: skip
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # what a spreadsheet may take for a formula


def scores_csv(evaluation: Evaluation) -> str:
    """A row for each candidate, picture and class, the background included; undefined scores are empty.

    Names that a spreadsheet would compute get an apostrophe in front.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for result in evaluation.results:
        for scores in result.pictures:
            writer.writerows(_rows(evaluation, result, scores))
    return buffer.getvalue()


def _rows(evaluation: Evaluation, result: CandidateResult, scores: PictureScores) -> Iterator[list[object]]:
    area, outline = scores_of_counts(scores.counts), boundary_f1(scores.boundary)
    for c, info in enumerate(evaluation.classes):
        numbers = [area["iou"][c], area["dice"][c], area["precision"][c], area["recall"][c], outline[c], scores.hausdorff95[c]]
        yield [
            harmless(result.candidate.key), harmless(scores.picture), harmless(info.name), *scores.size,
            *("" if math.isnan(number) else f"{number:.6g}" for number in numbers), *scores.counts[c].tolist(),
            f"{scores.latency.total_ms:.2f}",
        ]  # fmt: skip


def harmless(text: str) -> str:
    """The text; with an apostrophe in front where a spreadsheet would compute it."""
    return f"'{text}" if text.startswith(RISKY) else text


def scores_json(evaluation: Evaluation) -> str:
    """Everything: settings, candidates with their hashes, versions, summaries, classes, pictures, differences, what was left
    out. Undefined is null."""
    pairs = [(a, b) for a in range(len(evaluation.results)) for b in range(a + 1, len(evaluation.results))]
    found = {
        "data": evaluation.data_name, "pictures_done": evaluation.done, "pictures_total": evaluation.total,
        "versions": versions(), "machine": evaluation.machine, "settings": asdict(evaluation.settings),
        "classes": [{"name": info.name, "color": info.color} for info in evaluation.classes],
        "candidates": [_candidate(result) for result in evaluation.results],
        "summary": [asdict(row) for row in summary_rows(evaluation)],
        "summary_per_image": [asdict(row) for row in summary_rows(evaluation, per_image=True)],
        "by_class": [asdict(row) for row in class_rows(evaluation)],
        "differences": [_difference(evaluation, a, b) for a, b in pairs],
        "pictures": [_picture(result, scores) for result in evaluation.results for scores in result.pictures],
        "left_out": {name: notice.text for name, notice in evaluation.left_out.items()},
        "refused": {key: notice.text for key, notice in evaluation.refused.items()},
        "notices": [notice.text for notice in evaluation.notices],
    }  # fmt: skip
    return json.dumps(_without_nan(found), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _candidate(result: CandidateResult) -> dict[str, object]:
    entry, candidate = result.entry, result.candidate
    return {
        "key": candidate.key, **asdict(candidate), "binary": entry.binary, "title": entry.title, "trained_on": entry.trained_on,
        "licence": entry.licence, "params": entry.params, "sha256": entry.sha256, "size_bytes": entry.size_bytes,
        "failed": {name: notice.text for name, notice in result.failed.items()},
        "classes_unknown_to_it": result.unknown, "classes_unknown_to_the_data": result.extra,
        "shrunk": result.shrunk, "confusion_matrix": result.matrix.tolist(),
    }  # fmt: skip


def _difference(evaluation: Evaluation, a: int, b: int) -> dict[str, object]:
    found = differences(evaluation, a, b)
    return {"a": found.a_key, "b": found.b_key, "score": found.score, **asdict(found.difference), "verdict": verdict(found),
            "sentence": sentence(found)}  # fmt: skip


def _picture(result: CandidateResult, scores: PictureScores) -> dict[str, object]:
    objects = scores.objects
    return {
        "candidate": result.candidate.key, "picture": scores.picture, "size": scores.size, "counts": scores.counts.tolist(),
        "hausdorff95": scores.hausdorff95.tolist(), "latency_ms": scores.latency.total_ms,
        "objects": {name: int(getattr(objects, name)) for name in ("matched", "missed", "false", "split", "merged")},
    }  # fmt: skip


def _without_nan(value: Any) -> Any:
    """The same with None for numbers that JSON has no word for."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
