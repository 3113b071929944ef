"""What `python -m segdemo evaluate` does: judge candidates on a data set with a bar, write the files, print the table."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Column, Table

from segdemo.errors import SettingError
from segdemo.evaluation.candidate import Candidate
from segdemo.evaluation.data_set import LabelledSet
from segdemo.evaluation.evaluate import Evaluator
from segdemo.evaluation.examples import PictureExample
from segdemo.evaluation.exporting import PredictionFiles
from segdemo.evaluation.kept_examples import KeptExamples
from segdemo.evaluation.results import Evaluation, EvaluationSettings
from segdemo.inference import Engine
from segdemo.text import N_, _

__all__ = ["MAX_IN_TABLE", "Outputs", "print_results", "remarks", "run_evaluation"]

MAX_IN_TABLE = 40  # candidates; a report shows as many as a page compares
COLUMNS = {
    "iou": N_("IoU"), "dice": N_("Dice"), "precision": N_("Prec."), "recall": N_("Recall"), "boundary_f1": N_("B. F1"),
    "hausdorff95": N_("H95 px"), "object_ap": N_("Obj. AP"), "latency_ms": N_("ms"),
}  # fmt: skip
MAX_TABLE_WIDTH = 200  # characters
SHOWN_LEFT_OUT, SHOWN_NAMES, EXAMPLES = 20, 8, 9
Writer = Callable[[Evaluation, Sequence[PictureExample]], str]


@dataclass(frozen=True)
class Outputs:
    """Where results go. files: reports and tables, told apart by .html, .csv and .json. Raises SettingError for others."""

    files: tuple[Path, ...] = ()
    masks: Path | None = None
    coco: Path | None = None
    geojson: Path | None = None

    def __post_init__(self) -> None:
        for path in self.files:
            if path.suffix.lower() not in WRITERS:
                endings = ", ".join(WRITERS)
                raise SettingError(
                    _("{path}: what is written is told by its ending, one of {endings}.", path=path, endings=endings)
                )

    @property
    def has_report(self) -> bool:
        """Whether pictures are wanted."""
        return any(path.suffix.lower() == ".html" for path in self.files)

    @property
    def has_predictions(self) -> bool:
        """Whether label maps or objects are wanted."""
        return any((self.masks, self.coco, self.geojson))


def run_evaluation(
    data: LabelledSet,
    candidates: Sequence[Candidate],
    engine: Engine,
    settings: EvaluationSettings,
    outputs: Outputs,
    progress: Progress,
) -> Evaluation:
    """Judge all pictures and write what is wanted. Raises SettingError where nothing could be scored."""
    evaluator = Evaluator(data, candidates, engine, settings, with_predictions=outputs.has_predictions)
    kept = KeptExamples(evaluator.space.classes, EXAMPLES if outputs.has_report else 0)
    with _prediction_files(data, evaluator, outputs) as files, progress:
        task = progress.add_task(_("Judging"), total=len(data))
        for step in evaluator.steps():
            progress.update(task, completed=step.done)
            if step.judged is not None:
                kept.add(step.judged)
                if files is not None:
                    files.add(step.judged)
    evaluation = evaluator.snapshot()
    print_results(progress.console, evaluation)
    if not any(result.pictures for result in evaluation.results):
        raise SettingError(_("Nothing could be scored."))
    examples = kept.chosen(evaluation)
    for path in outputs.files:
        _write(path, WRITERS[path.suffix.lower()](evaluation, examples))
        progress.console.print(_("Written: {path}", path=path), markup=False)
    return evaluation


def _prediction_files(data: LabelledSet, evaluator: Evaluator, outputs: Outputs) -> "PredictionFiles | nullcontext[None]":
    if not outputs.has_predictions:
        return nullcontext()
    keys = [result.candidate.key for result in evaluator.snapshot().results]
    return PredictionFiles(data.names, keys, masks=outputs.masks, coco=outputs.coco, geojson=outputs.geojson)


def print_results(console: Console, evaluation: Evaluation) -> None:
    """The table, and what was left out, with the reasons."""
    from segdemo.evaluation.measures import MEASURES, shown
    from segdemo.evaluation.tables import summary_rows

    chosen = [measure for measure in MEASURES if measure.field in COLUMNS]
    headings = [Column(_(COLUMNS[measure.field]), justify="right") for measure in chosen]
    table = Table(Column(_("weights"), no_wrap=True), *headings, box=None, padding=(0, 1, 0, 0))
    for row in summary_rows(evaluation):
        table.add_row(escape(row.key), *(shown(getattr(row, measure.field), measure) for measure in chosen))
    if evaluation.results:
        whole = console.measure(table, options=console.options.update(width=MAX_TABLE_WIDTH)).maximum
        # A name cut in two cannot be copied, and no console prints wider than itself.
        Console(file=console.file, width=max(console.width, whole)).print(table)
        text = _("Scores over all pixels but the background. Pictures: {n}. Classes: {names}. Outline: {tolerance:g} px.",
                 n=max(len(result.pictures) for result in evaluation.results), tolerance=evaluation.settings.boundary_tolerance,
                 names=_listed([info.name for info in evaluation.classes[1:]]))  # fmt: skip
        console.print(text, markup=False, soft_wrap=True)
    for line in remarks(evaluation):
        console.print(line, markup=False, soft_wrap=True)


def remarks(evaluation: Evaluation) -> list[str]:
    """What a reader of the table must know besides: candidates that were refused, classes that count as background,
    pictures that were left out."""
    lines = [_("Not compared: {reason}", reason=reason) for reason in evaluation.refused.values()]
    for result in evaluation.results:
        key = result.candidate.key
        if result.unknown:
            names = _listed(result.unknown)
            lines.append(_("{key} does not know {names}; these pixels count as background.", key=key, names=names))
        if result.extra:
            names = _listed(result.extra)
            lines.append(_("{key} also knows {names}; where it says so, it counts as background.", key=key, names=names))
        if result.shrunk:
            lines.append(_("{key} saw {names} smaller than it should, because memory was short.",
                           key=key, names=_listed(result.shrunk)))  # fmt: skip
        lines += [_("{key} could not segment {name}: {reason}", key=key, name=n, reason=r) for n, r in result.failed.items()]
    lines += [notice.text for notice in evaluation.notices]
    if evaluation.left_out:
        lines.append(_("Left out, {n}:", n=len(evaluation.left_out)))
    left_out = [f"  {name}: {notice.text}" for name, notice in evaluation.left_out.items()]
    return lines + left_out[:SHOWN_LEFT_OUT] + (["  …"] if len(left_out) > SHOWN_LEFT_OUT else [])


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN_NAMES]) + (", …" if len(names) > SHOWN_NAMES else "")


def _report(evaluation: Evaluation, examples: Sequence[PictureExample]) -> str:
    from segdemo.evaluation.report import report_html

    return report_html(evaluation, examples)


def _csv(evaluation: Evaluation, _examples: Sequence[PictureExample]) -> str:
    from segdemo.evaluation.tables import scores_csv

    return scores_csv(evaluation)


def _json(evaluation: Evaluation, _examples: Sequence[PictureExample]) -> str:
    from segdemo.evaluation.tables import scores_json

    return scores_json(evaluation)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingError(_("{path} cannot be written: {reason}.", path=path, reason=error.strerror or error)) from error


WRITERS: dict[str, Writer] = {".html": _report, ".csv": _csv, ".json": _json}
