"""What can be taken away from an evaluation: tables, the report, the predictions themselves, and the command that repeats it."""

import shlex
import shutil
import tempfile
import weakref
import zipfile
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import streamlit as st

from segdemo.errors import SegdemoError, SettingError
from segdemo.evaluation.evaluate import Evaluator, JudgedPicture
from segdemo.evaluation.examples import PictureExample, make_example, worst_pictures
from segdemo.evaluation.exporting import PredictionFiles
from segdemo.evaluation.report.page import report_html
from segdemo.evaluation.scores.files import scores_csv, scores_json
from segdemo.evaluation.scores.results import Evaluation
from segdemo.inference import shared_engine
from segdemo.inference.export import file_stem
from segdemo.text import N_, _, set_language
from segdemo.types import Notice
from segdemo.ui.compare_scores_judging import Judging, shared_judges
from segdemo.ui.compare_scores_opened import compared, labelled_picture
from segdemo.ui.compare_scores_run import Run
from segdemo.ui.compare_scores_tables import Look
from segdemo.ui.words import plain

__all__ = ["Export", "command_line", "examples", "show_export"]

EXAMPLES = 9
EXPORT_KEY = "scores_export"
MOST_BYTES = 400_000_000  # of the files of one export: the ZIP passes through memory on its way to the browser
TICK_S = 0.5


def show_export(run: Run, evaluation: Evaluation, look: Look) -> None:
    """The menu."""
    stem = file_stem(evaluation.data_name) + "-scores"
    with st.popover(_("Take away"), icon=":material/download:", key="scores_export_menu"):
        st.download_button(
            _("Report (HTML)"), partial(_report, run, evaluation, look), f"{stem}.html", "text/html", key="scores_report",
            on_click="ignore", width="stretch", icon=":material/description:",
            help=_("One file that opens alone: tables, charts, the worst pictures, settings, hashes of the weights."),
        )  # fmt: skip
        st.download_button(
            _("Table (CSV)"), partial(scores_csv, evaluation), f"{stem}.csv", "text/csv", key="scores_csv", on_click="ignore",
            width="stretch", icon=":material/table:", help=_("A row for each network, picture and class."),
        )  # fmt: skip
        st.download_button(
            _("Everything (JSON)"), partial(scores_json, evaluation), f"{stem}.json", "application/json", key="scores_json",
            on_click="ignore", width="stretch", icon=":material/data_object:",
            help=_("All numbers with their settings, for programs."),
        )  # fmt: skip
        _predictions(run, stem)
        st.caption(_("The same on the command line"))
        st.code(command_line(run), language="bash", wrap_lines=True)
        if not run.chosen.command:
            st.caption(_("With your pictures in a folder, in images/ and masks/."))


def command_line(run: Run) -> str:
    """The command that repeats the evaluation."""
    data = run.chosen.command or _("FOLDER")
    words = ["--data", data, "--weights", *(candidate.key for candidate in run.candidates)]
    if run.chosen.names_given:
        words += ["--classes", ",".join(run.chosen.names_given)]
    return "python -m segdemo evaluate " + shlex.join([*words, "--out", "report.html"])


def examples(run: Run, evaluation: Evaluation, look: Look, count: int = EXAMPLES) -> tuple[list[PictureExample], list[str]]:
    """The worst pictures with what each network said, and the names of those that could not be opened again; the engine
    remembers those that were opened."""
    found, gone = [], []
    for name in worst_pictures(evaluation, count):
        try:
            labelled = labelled_picture(run, name)
            comparison = compared(run, look, labelled)
        except SegdemoError:
            gone.append(name)  # since it was judged
            continue
        place_of = {result.candidate.key: place for place, result in enumerate(evaluation.results)}
        preds = {place_of[o.candidate.key]: comparison.labels(o) for o in comparison.comparable if o.candidate.key in place_of}
        target = run.space.target(labelled.target)
        found.append(make_example(name, labelled.image, target, preds, evaluation.classes))
    return found, gone


def _report(run: Run, evaluation: Evaluation, look: Look) -> str:
    found, gone = examples(run, evaluation, look)
    if gone:
        notice = Notice(
            N_("Scored, but not shown here, because they could not be opened again: {names}."), {"names": ", ".join(gone)}
        )
        evaluation = replace(evaluation, notices=(*evaluation.notices, notice))
    return report_html(evaluation, found)


class Export:
    """Predictions that are being written into a folder of their own, which goes with this."""

    def __init__(self, run: Run) -> None:
        self.run_key = run.key
        self._folder = Path(tempfile.mkdtemp(prefix="segdemo-export-"))
        self.zip = self._folder / "predictions.zip"
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        accepted = [candidate for candidate in run.candidates if candidate.weights_id in run.space.tables]
        evaluator = Evaluator(run.chosen.data, accepted, shared_engine(), kept="predictions")
        self._made = self._folder / "files"
        self._files = PredictionFiles(
            run.chosen.data.names, [candidate.key for candidate in accepted], masks=self._made / "label-maps",
            coco=self._made / "coco.json", geojson=self._made / "geojson",
        )  # fmt: skip
        self.judging = Judging(evaluator, self._add, self._pack, self._close)
        try:
            self.job = self.judging.submit()
        except SegdemoError:
            self._close()
            raise

    def _add(self, judged: JudgedPicture) -> None:
        self._files.add(judged)
        if self._files.bytes_written > MOST_BYTES:
            raise SettingError(_("The predictions take more than {mb:.0f} MB. The command line writes them without a limit.",
                                 mb=MOST_BYTES / 1e6))  # fmt: skip

    def _close(self) -> None:
        """Whatever has ended it: nobody waits for a file any more."""
        with suppress(SegdemoError):
            self._files.close()

    def _pack(self) -> None:
        self._files.close()
        with zipfile.ZipFile(self.zip, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(self._made.rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(self._made).as_posix())

    @property
    def ready(self) -> bool:
        """Whether the ZIP is there."""
        return self.judging.finished and self.zip.is_file()


def _begin(run: Run) -> None:
    try:
        st.session_state[EXPORT_KEY] = Export(run)
    except (SegdemoError, OSError) as error:
        st.toast(plain(str(error), 400), icon=":material/error:")


def _predictions(run: Run, stem: str) -> None:
    """Label maps, COCO and GeoJSON: the networks run once more, so that nothing of that size was kept for it."""
    export: Export | None = st.session_state.get(EXPORT_KEY)
    if export is not None and export.run_key != run.key:
        shared_judges().cancel(export.job)
        export = st.session_state[EXPORT_KEY] = None
    if export is not None and export.ready:
        st.download_button(
            _("Predictions (ZIP, {mb:.1f} MB)", mb=export.zip.stat().st_size / 1e6), export.zip.read_bytes,
            f"{stem}-predictions.zip", "application/zip", key="scores_predictions", on_click="ignore", width="stretch",
            icon=":material/folder_zip:", help=_("label-maps/, coco.json and geojson/, for each network by itself."),
        )  # fmt: skip
        return
    if export is not None and export.job.live:
        st.fragment(_preparing, run_every=TICK_S)(export, len(run.chosen.data))
        return
    st.button(
        _("Prepare the predictions (ZIP)"), key="scores_prepare", icon=":material/folder_zip:", width="stretch",
        on_click=_begin, args=(run,),
        help=_("Label maps as PNG, objects as COCO and GeoJSON for annotation tools. All networks run once more."),
    )  # fmt: skip
    if export is not None and export.job.reason:
        st.error(plain(_(export.job.reason), 400), icon=":material/error:")


def _preparing(export: Export, total: int) -> None:
    set_language(st.context.locale)
    if not export.job.live:
        st.rerun()
    shared_judges().renew(export.job)
    done = export.judging.pictures
    st.progress(min(1.0, done / max(1, total)), _("Preparing: {done} of {total} pictures", done=done, total=total))
