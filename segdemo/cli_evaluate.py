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
from segdemo.evaluation.evaluate import Evaluator, Kept
from segdemo.evaluation.examples import PictureExample
from segdemo.evaluation.exporting import PredictionFiles
from segdemo.evaluation.kept_examples import KeptExamples
from segdemo.evaluation.scores.results import Evaluation, EvaluationSettings
from segdemo.inference import Engine
from segdemo.text import _

__all__ = ["MAX_IN_TABLE", "Outputs", "print_results", "remarks", "run_evaluation"]

MAX_IN_TABLE = 40  # candidates; a report shows as many as a page compares
COLUMNS = ("iou", "dice", "precision", "recall", "boundary_f1", "hausdorff95", "object_ap", "latency_ms")
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
    def kept(self) -> Kept:
        """What is wanted of each picture besides its counts."""
        return "predictions" if any((self.masks, self.coco, self.geojson)) else "labels" if self.has_report else "counts"


def run_evaluation(
    data: LabelledSet,
    candidates: Sequence[Candidate],
    engine: Engine,
    settings: EvaluationSettings,
    outputs: Outputs,
    progress: Progress,
) -> Evaluation:
    """Judge all pictures and write what is wanted. Raises SettingError where nothing could be scored."""
    evaluator = Evaluator(data, candidates, engine, settings, kept=outputs.kept)
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
    if outputs.kept != "predictions":
        return nullcontext()
    return PredictionFiles(data.names, evaluator.keys, masks=outputs.masks, coco=outputs.coco, geojson=outputs.geojson)


def print_results(console: Console, evaluation: Evaluation) -> None:
    """The table, and what was left out, with the reasons."""
    from segdemo.evaluation.scores.measures import headed, measure_of, shown
    from segdemo.evaluation.scores.remarks import listed
    from segdemo.evaluation.scores.summary import summary_rows

    chosen = [measure_of(field) for field in COLUMNS]
    headings = [Column(escape(headed(measure)).replace(" ", "\n"), justify="right") for measure in chosen]
    table = Table(Column(_("weights"), no_wrap=True), *headings, box=None, padding=(0, 1, 0, 0))
    for row in summary_rows(evaluation):
        table.add_row(escape(row.key), *(shown(getattr(row, measure.field), measure) for measure in chosen))
    if evaluation.results:
        whole = console.measure(table, options=console.options.update(width=MAX_TABLE_WIDTH)).maximum
        # A name cut in two cannot be copied, and no console prints wider than itself.
        Console(file=console.file, width=max(console.width, whole)).print(table)
        text = _("Scores over all pixels but the background. Pictures: {n}. Classes: {names}. Outline: {tolerance:g} px.",
                 n=max(len(result.pictures) for result in evaluation.results), tolerance=evaluation.settings.boundary_tolerance,
                 names=listed([info.name for info in evaluation.classes[1:]], SHOWN_NAMES))  # fmt: skip
        console.print(text, markup=False, soft_wrap=True)
    for line in remarks(evaluation):
        console.print(line, markup=False, soft_wrap=True)


def remarks(evaluation: Evaluation) -> list[str]:
    """What a reader of the table must know besides, a line each: classes that count as background, what was left out."""
    from segdemo.evaluation.scores.remarks import class_remarks, omissions

    lines = class_remarks(evaluation, most=SHOWN_NAMES)
    for part in omissions(evaluation):
        lines.append(_("Left out or reduced: {what}, {n}:", what=part.title, n=len(part.rows)))
        lines += [f"  {name}: {reason}" for name, reason in part.rows[:SHOWN_LEFT_OUT]]
        lines += ["  …"] if len(part.rows) > SHOWN_LEFT_OUT else []
    return lines


def _report(evaluation: Evaluation, examples: Sequence[PictureExample]) -> str:
    from segdemo.evaluation.report.page import report_html

    return report_html(evaluation, examples)


def _csv(evaluation: Evaluation, _examples: Sequence[PictureExample]) -> str:
    from segdemo.evaluation.scores.files import scores_csv

    return scores_csv(evaluation)


def _json(evaluation: Evaluation, _examples: Sequence[PictureExample]) -> str:
    from segdemo.evaluation.scores.files import scores_json

    return scores_json(evaluation)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingError(_("{path} cannot be written: {reason}.", path=path, reason=error.strerror or error)) from error


WRITERS: dict[str, Writer] = {".html": _report, ".csv": _csv, ".json": _json}
