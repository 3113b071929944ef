"""The Scores view, headlessly: what is judged on, the job beside the page, every table, and what can be taken away."""

import io
import json
import math
import re
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from segdemo.data.drawn_sets import NucleiSource
from segdemo.data.nuclei_like import draw_nuclei
from segdemo.errors import ImageError, SettingError
from segdemo.evaluation.candidate import parse_candidates
from segdemo.evaluation.evaluate import Evaluator
from segdemo.inference import shared_engine
from segdemo.inference.cache import BoundedCache
from segdemo.jobs import Jobs
from segdemo.ui import compare_export, compare_scores, compare_scores_judging, compare_scores_opened, compare_scores_run
from segdemo.ui.compare_export import command_line
from segdemo.ui.compare_scores import scores_by_candidate
from segdemo.ui.compare_scores_judging import shared_judges
from segdemo.ui.compare_scores_pictures import shown_share
from segdemo.ui.compare_scores_run import Run

pytestmark = pytest.mark.usefixtures("one_thread")

MAIN = Path(__file__).parents[2] / "segdemo" / "ui" / "main.py"
PAGE = str(MAIN.parents[2] / "pages" / "compare.py")
SMALL, OTHER, SHAPES = "unet/nuclei-small", "mnist_cnn/nuclei", "mnist_cnn/shapes"
SECTIONS = ("pictures", "thresholds", "calibration", "confusions", "classes", "objects", "all")
SCRIPT = """
import streamlit as st
from segdemo.ui.compare_picker import chosen_candidates
from segdemo.ui.compare_scores import scores_by_candidate, show_scores
st.session_state.setdefault("models", "mnist_cnn/nuclei,unet/nuclei-small")
show_scores(chosen_candidates())
st.session_state["scores"] = scores_by_candidate(chosen_candidates())
"""
Png = Callable[[np.ndarray], bytes]


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cache of its own, few and small drawn pictures, nothing known from other tests, and a visitor who stays."""
    monkeypatch.setenv("SEGDEMO_CACHE", str(tmp_path))
    monkeypatch.setattr(NucleiSource.__init__, "__defaults__", (64, 4))
    for module, name in ((compare_scores_run, "_known"), (compare_scores_opened, "_pictures")):
        monkeypatch.setattr(module, name, BoundedCache(10, lambda _value: 1))
    monkeypatch.setattr(compare_scores_judging, "still_connected", lambda: lambda: True)
    shared_judges.cache_clear()
    yield
    shared_judges.cache_clear()


def view(models: str = f"{OTHER},{SMALL}", **state: object) -> AppTest:
    app = AppTest.from_string(SCRIPT, default_timeout=60)
    app.session_state["models"] = models
    for key, value in state.items():
        app.session_state[key] = value
    return finished(app)


def finished(app: AppTest) -> AppTest:
    """Run until nothing is under way."""
    sound(app.run())
    deadline = time.monotonic() + 90
    while (job := getattr(run_of(app), "job", None)) is not None and job.live and time.monotonic() < deadline:
        time.sleep(0.05)
    return sound(app.run())


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def run_of(app: AppTest) -> Run | None:
    run: Run | None = app.session_state["scores_run"] if "scores_run" in app.session_state else None  # noqa: SIM401  # it has no get
    return run


def known_run(app: AppTest) -> Run:
    run = run_of(app)
    assert run is not None
    return run


def table(app: AppTest, *columns: str) -> pd.DataFrame:
    """The first table that has these columns."""
    return next(frame.value for frame in app.dataframe if set(columns) <= set(frame.value.columns))


def said(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.info, *app.warning, *app.error]
    return " ".join(part.value for part in parts).replace("\\", "")


def bar(app: AppTest) -> str:
    """What the progress bar says."""
    return " ".join(str(element.proto.text) for element in app.get("progress"))


def section(app: AppTest, name: str) -> AppTest:
    return sound(app.segmented_control(key="scores_section").set_value(name).run())


def zipped(png: Png, count: int = 4, **more: bytes) -> bytes:
    """Micrographs with masks; one image alone, one mask of another size, one file that is none; and more files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for seed in range(count):
            image, mask = draw_nuclei(64, 64, seed=seed, count=8)
            archive.writestr(f"images/{seed}.png", png(image))
            archive.writestr(f"masks/{seed}.png", png(mask * 255))
        archive.writestr("images/alone.png", png(image))
        archive.writestr("images/large.png", png(image))
        archive.writestr("masks/large.png", png(np.zeros((32, 64), np.uint8)))
        archive.writestr("images/broken.png", b"no picture")
        archive.writestr("masks/broken.png", png(mask * 255))
        for name, data in more.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def dropped(app: AppTest, content: bytes, name: str = "my cells.zip") -> AppTest:
    sound(app.segmented_control(key="scores_data").set_value("zip").run())
    app.file_uploader(key="scores_upload").set_value((name, content, "application/zip"))
    return finished(app)


def test_a_drawn_set_is_judged_by_itself_and_looking_around_runs_nothing() -> None:
    engine = shared_engine()
    before = engine.passes
    app = view()
    run = known_run(app)
    assert engine.passes == before + 2 * 4 + 2, "four pictures with two networks, and the worst picture opened"
    headline = table(app, "IoU", "Boundary F1", "Pictures")
    assert headline["Pictures"].tolist() == [4, 4] and headline["IoU"].between(0.1, 1).all() and headline["IoU"][1] > 0.7
    assert "too few pictures" in said(app), "an interval of four pictures would mean nothing"
    assert app.session_state["scores"] == pytest.approx(dict(zip((OTHER, SMALL), headline["IoU"], strict=True)))
    for name in SECTIONS:
        section(app, name)
    sound(app.segmented_control(key="scores_mean").set_value("mean").run())
    mean = table(app, "IoU", "Boundary F1", "Pictures")["IoU"]
    assert mean.tolist() != headline["IoU"].tolist()
    section(app, "pictures")
    for field in app.selectbox(key="scores_by_picture").options:
        index = app.selectbox(key="scores_by_picture").options.index(field)
        sound(app.selectbox(key="scores_by_picture").select_index(index).run())
    assert run is known_run(app)
    opened = len({p for p in compare_scores_opened._pictures._values})
    assert engine.passes == before + 2 * 4 + 2 * opened, "only pictures that were opened have run"


def test_the_worst_picture_comes_first_and_a_row_opens_its_picture() -> None:
    app = view()
    frame = table(app, "Picture", "MNIST CNN")
    means = frame.iloc[:, 1:].mean(axis=1)
    assert means.is_monotonic_increasing and len(frame) == 4
    assert frame.iloc[0, 0] in said(app)
    before = shared_engine().passes
    app.session_state["scores_pictures_iou"] = {"selection": {"rows": [2], "columns": [], "cells": []}}
    sound(app.run())
    assert f"**{frame.iloc[2, 0]}**" in said(app)
    assert shared_engine().passes == before + 2
    sound(app.run())
    assert shared_engine().passes == before + 2, "it is remembered"


def test_a_zip_is_scored_without_what_does_not_fit(png: Png) -> None:
    app = dropped(view(), zipped(png))
    assert table(app, "IoU", "Pictures")["Pictures"].tolist() == [4, 4]
    why = dict(table(app, "File", "Why")[["File", "Why"]].itertuples(index=False))
    assert why["images/alone.png"] == "There is no mask of this name."
    assert "64 × 64 pixels, the mask 64 × 32" in why["images/large.png"]
    assert "images/broken.png" in why and len(why) == 3
    assert "3 files were left out" in app.expander[0].label and "4 pictures with their truth" in said(app)
    assert "my cells.zip" in command_line(known_run(app)) and "--classes" not in command_line(known_run(app))
    app.segmented_control(key="scores_data").set_value("generated").run()
    app.segmented_control(key="scores_data").set_value("zip").run()
    assert "Kept from before" in said(finished(app)) and len(table(app, "File", "Why")) == 3


def test_class_names_are_the_visitors(png: Png) -> None:
    app = dropped(view(), zipped(png))
    field = next(w for w in app.text_input if w.key and w.key.startswith("scores_classes_"))
    sound(field.set_value("one").run())
    assert "There are 2 classes, and 1 names." in said(app)
    field = next(w for w in app.text_input if w.key and w.key.startswith("scores_classes_"))
    field.set_value("nothing, boat")
    finished(app)
    assert "knows none of the data's classes" in said(app) and "Nothing could be scored" in said(app)
    assert command_line(known_run(app)).endswith("--classes nothing,boat --out report.html")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\3\4 cut"])
def test_what_is_no_zip_is_a_sentence(content: bytes) -> None:
    app = dropped(view(), content)
    assert app.error and "cells.zip" in app.code[0].value and "Up to" in said(app)


def test_without_a_zip_it_says_what_to_drop() -> None:
    app = view()
    sound(app.segmented_control(key="scores_data").set_value("zip").run())
    assert "Drop a ZIP" in app.info[0].value and app.download_button(key="scores_example")


def test_another_candidate_is_judged_alone() -> None:
    app = view(OTHER + "," + SMALL)
    before = shared_engine().passes
    app.session_state["models"] = f"{OTHER},{SMALL},{SMALL}@threshold=0.2"
    finished(app)
    assert shared_engine().passes == before + 4
    headline = table(app, "IoU", "Pictures")
    assert headline["Pictures"].tolist() == [4, 4, 4] and headline["IoU"][1] != headline["IoU"][2]
    app.session_state["models"] = f"{SMALL},{OTHER}"
    finished(app)
    assert shared_engine().passes == before + 4
    assert table(app, "IoU", "Pictures")["IoU"].tolist() == headline["IoU"][[1, 0]].tolist()


def test_the_sentence_compares_what_the_table_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NucleiSource.__init__, "__defaults__", (64, 6))
    app = view()
    pooled = app.markdown[1].value
    assert re.search(r"(is better than|is worse than|cannot be told apart).* 6 pictures", pooled.replace("\\", ""))
    evaluation = known_run(app).evaluation()
    sound(app.segmented_control(key="scores_mean").set_value("mean").run())
    mean = app.markdown[1].value
    assert mean != pooled and "per\\-picture IoU points" in mean and "Each picture counts the same" in app.markdown[1].help
    assert known_run(app).evaluation() is evaluation, "what was computed of it is remembered with it"


def test_two_others_are_compared() -> None:
    app = view(f"{OTHER},{SMALL},{SMALL}@threshold=0.05")
    fields = [w for w in app.selectbox if w.key and w.key.startswith(("scores_a_", "scores_b_"))]
    sound(fields[0].select_index(0).run())
    fields = [w for w in app.selectbox if w.key and w.key.startswith("scores_b_")]
    sound(fields[0].select_index(2).run())
    assert "MNIST CNN" in app.markdown[1].value and "0.05" in app.markdown[1].value.replace("\\", "")
    fields = [w for w in app.selectbox if w.key and w.key.startswith("scores_b_")]
    sound(fields[0].select_index(0).run())
    assert "Choose two different networks" in said(app)


def test_the_best_threshold_goes_into_the_picker() -> None:
    app = section(view(f"{OTHER},{SMALL}@threshold=0.95"), "thresholds")
    assert app.button(key=f"scores_use_{SMALL}@threshold=0.95")
    app.button(key=f"scores_use_{SMALL}@threshold=0.95").click()
    finished(app)
    chosen = parse_candidates(app.session_state["models"].split(","))
    assert chosen[0].weights_id == OTHER and 0 < chosen[1].threshold < 0.95
    key = chosen[1].key
    assert app.button(key=f"scores_use_{key}").disabled
    scores = known_run(app).evaluation().results[1].threshold_counts
    assert scores is not None
    iou = scores[:, 0] / scores.sum(axis=1)
    assert iou[round(100 * chosen[1].threshold) - 1] == pytest.approx(iou.max())


def test_cells_of_the_confusion_matrix_lead_to_pictures() -> None:
    app = section(view(), "confusions")
    result = known_run(app).evaluation().results[0]
    for cell, (true, said_class) in ((("nucleus"), (0, 1)), (("background"), (1, 0))):
        app.session_state["scores_matrix_0"] = {"selection": {"rows": [], "columns": [], "cells": [(true, cell)]}}
        sound(app.run())
        behind = table(app, "Picture", "Pixels")
        assert behind["Pixels"].sum() == result.matrix[true, said_class] and behind["Pixels"].is_monotonic_decreasing
        assert f"**{behind['Picture'][0]}**" in said(app)
    shares = table(app, "background", "nucleus")
    assert shares.iloc[0, 0] == shown_share(result.matrix[0, 0] / result.matrix[0].sum())
    sound(app.selectbox(key="scores_confused").select_index(1).run())
    assert (shown_share(math.nan), shown_share(0.0), shown_share(1e-5)) == ("–", "0 %", "< 0.1 %")


def test_who_shares_no_class_is_refused_and_the_rest_goes_on() -> None:
    app = view(f"{SMALL},{SHAPES}")
    assert "knows none of the data's classes" in said(app)
    assert table(app, "IoU", "Pictures")["Pictures"].tolist() == [4]
    assert app.session_state["scores"].keys() == {SMALL}


def test_of_several_classes_there_is_no_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    from segdemo.data.sources import ShapesSource

    monkeypatch.setattr(ShapesSource, "validation_count", 2, raising=False)
    app = AppTest.from_string(SCRIPT, default_timeout=60)
    app.session_state["models"] = f"{SHAPES},{SHAPES}@scale=0.5"
    app = section(finished(app), "thresholds")
    assert "no threshold to choose" in said(app) and "scenes of shapes" in said(app)
    assert len(section(app, "classes").dataframe[-1].value) == 2 * len(known_run(app).evaluation().classes)
    shown = [frame.value.to_string() for frame in section(app, "all").table]
    assert any("–" in text and "there is no threshold" in text for text in shown)


class Gate:
    """Lets pictures through one by one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = threading.Event()
        self.passed = threading.Semaphore(0)
        judge = Evaluator._judge

        def judged(evaluator: Evaluator, place: int, stop: threading.Event) -> object:
            if not self.open.is_set():
                self.passed.acquire(timeout=30)
            return judge(evaluator, place, stop)

        monkeypatch.setattr(Evaluator, "_judge", judged)


def judged_by(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (compare_scores_judging, compare_scores_run, compare_scores, compare_export):
        monkeypatch.setattr(module, "shared_judges", lambda: jobs)


def test_it_is_cancelled_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch)
    app = AppTest.from_string(SCRIPT, default_timeout=60).run()
    run = known_run(app)
    assert run.live and "Judging: 0 of 4 pictures" in bar(app)
    gate.passed.release()
    while run.judging is not None and run.judging.pictures < 1:
        time.sleep(0.02)
    sound(app.run())
    assert "So far" in said(app) and table(app, "IoU", "Pictures")["Pictures"].tolist() == [1, 1]
    assert app.session_state["scores"] is None, "what is not complete is no score"
    gate.open.set()
    threading.Timer(0.3, lambda: gate.passed.release(20)).start()
    app.button(key="scores_cancel").click().run()
    sound(app.run())
    assert run.job is not None and run.job.closed.wait(20)
    done = run.evaluation().done
    if done < 4:
        assert f"Stopped after {done} of 4 pictures" in said(app)
        app.button(key="scores_begin").click()
        finished(app)
    assert known_run(app) is run and run.complete
    assert table(app, "IoU", "Pictures")["Pictures"].tolist() == [4, 4]


def test_going_on_waits_for_the_pictures_that_were_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that judge the same pictures at once would count them twice."""
    monkeypatch.setattr(compare_scores_run, "CLOSING_S", 0.05)
    gate = Gate(monkeypatch)
    app = AppTest.from_string(SCRIPT, default_timeout=60).run()
    run = known_run(app)
    app.button(key="scores_cancel").click().run()
    first = run.job
    assert first is not None and not run.live and not first.closed.is_set()
    sound(app.button(key="scores_begin").click().run())
    assert "still being finished" in said(app) and run.job is first
    gate.open.set()
    gate.passed.release(50)
    assert first.closed.wait(20)
    sound(app.button(key="scores_begin").click().run())
    assert run.job is not first
    assert table(finished(app), "IoU", "Pictures")["Pictures"].tolist() == [4, 4]


def test_while_no_picture_is_done_nothing_is_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, asked, snapshot = Gate(monkeypatch), [], Evaluator.snapshot
    monkeypatch.setattr(Evaluator, "snapshot", lambda evaluator: asked.append(1) or snapshot(evaluator))  # type: ignore[func-returns-value]
    app = AppTest.from_string(SCRIPT, default_timeout=60).run()
    before = len(asked)
    for _look in range(3):
        sound(app.run())
    assert len(asked) == before
    gate.open.set()
    gate.passed.release(50)
    assert known_run(finished(app)).complete


def test_others_wait_in_line_and_a_full_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, jobs = Gate(monkeypatch), Jobs(2, running=1, waiting=1)
    judged_by(jobs, monkeypatch)
    first, second, third = (AppTest.from_string(SCRIPT, default_timeout=60).run() for _visitor in range(3))
    assert known_run(first).live and "Number 1 in line" in bar(second)
    assert "others are waiting already" in said(third) and third.button(key="scores_begin")
    gate.open.set()
    gate.passed.release(50)
    for app in (first, second):
        finished(app)
        assert known_run(app).complete
    third.button(key="scores_begin").click()
    assert table(finished(third), "IoU", "Pictures")["Pictures"].tolist() == [4, 4]


def test_who_has_gone_does_not_hold_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, jobs = Gate(monkeypatch), Jobs(2, running=1, lease_s=0.3)
    judged_by(jobs, monkeypatch)
    monkeypatch.setattr(compare_scores_judging, "still_connected", lambda: lambda: False)
    app = AppTest.from_string(SCRIPT, default_timeout=60).run()
    job = known_run(app).job
    assert job is not None
    assert job.cancelled.wait(10)
    gate.passed.release(50)
    assert job.closed.wait(20) and job.state == "stopped"
    gate.open.set()
    assert "the page was closed" in said(sound(app.run()))


def test_what_fails_unforeseen_says_so_and_can_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = Evaluator._judge

    def broken(_evaluator: Evaluator, _place: int, _stop: threading.Event) -> object:
        raise ValueError("broken")

    monkeypatch.setattr(Evaluator, "_judge", broken)
    app = view()
    assert "not foreseen" in said(app) and app.session_state["scores"] is None
    monkeypatch.setattr(Evaluator, "_judge", judge)
    app.button(key="scores_begin").click()
    assert table(finished(app), "IoU", "Pictures")["Pictures"].tolist() == [4, 4]


def test_large_sets_wait_for_a_click(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare_scores, "AUTOMATIC", 7)
    before = shared_engine().passes
    app = view()
    assert "4 pictures with 2 networks" in said(app) and shared_engine().passes == before
    app.button(key="scores_begin").click()
    assert len(table(finished(app), "IoU", "Pictures")) == 2


def test_the_visitors_own_pictures_are_judged_by_their_masks(png: Png) -> None:
    app = AppTest.from_file(str(MAIN), default_timeout=60)
    app.query_params["models"], app.query_params["compare"] = f"{OTHER},{SMALL}", "scores"
    app.switch_page(PAGE)
    app.session_state["scores_data"] = "own"
    sound(app.run())
    pictures, masks = [], []
    for seed in (1, 2, 3):
        image, mask = draw_nuclei(64, 64, seed=seed, count=8)
        pictures.append((f"cell {seed}.png", png(image), "image/png"))
        masks.append((f"cell {seed}_mask.png", png(mask * 255), "image/png"))
    app.file_uploader(key="uploads").set_value(pictures).run()
    masks[2] = ("stranger.png", masks[2][1], "image/png")
    app.file_uploader(key="scores_masks").set_value(masks)
    finished(app)
    assert "stranger.png" in said(app) and "There is no image of this name." in said(app)
    evaluation = known_run(app).evaluation()
    pictures_before = {p.picture for p in evaluation.results[0].pictures}
    assert pictures_before >= {"cell 1.png", "cell 2.png"}
    assert evaluation.left_out["cell 3.png"].text == "It has no true mask to be compared with."
    assert "FOLDER" in command_line(known_run(app))
    app.file_uploader(key="scores_masks").set_value([masks[1]])
    finished(app)
    assert {p.picture for p in known_run(app).evaluation().results[0].pictures} == pictures_before - {"cell 1.png"}
    app.segmented_control(key="scores_data").set_value("generated").run()
    app.segmented_control(key="scores_data").set_value("own").run()
    finished(app)
    assert {p.picture for p in known_run(app).evaluation().results[0].pictures} == pictures_before - {"cell 1.png"}


def test_tables_and_report_hold_the_evaluation(png: Png) -> None:
    app = dropped(view(), zipped(png, 3))
    run = known_run(app)
    evaluation = run.evaluation()
    look = compare_scores.Look([c.key for c in run.candidates], ["MNIST CNN", "U-Net"], ["#E69F00", "#56B4E9"])
    before = shared_engine().passes
    report = compare_export._report(run, evaluation, look)
    assert shared_engine().passes == before + 2 * 2, "the worst was open, two others were run for it"
    assert report.startswith("<!doctype html>") and report.count("data:image/") >= 3 * 4 and "images/alone.png" in report
    assert len(compare_export.examples(run, evaluation, look, 2)[0]) == 2
    assert all(app.download_button(key=f"scores_{kind}") for kind in ("report", "csv", "json"))


def test_predictions_are_prepared_and_packed(png: Png) -> None:
    app = dropped(view(), zipped(png, 2))
    app.button(key="scores_prepare").click().run()
    export = app.session_state[compare_export.EXPORT_KEY]
    assert export.job.closed.wait(60) and export.ready
    assert app.run().download_button(key="scores_predictions")
    run = known_run(app)
    with zipfile.ZipFile(export.zip) as archive:
        names = archive.namelist()
        assert "label-maps/unet-nuclei-small/0.png" in names, names
        labels = cv2.imdecode(np.frombuffer(archive.read("label-maps/unet-nuclei-small/0.png"), np.uint8), cv2.IMREAD_UNCHANGED)
        coco = json.loads(archive.read("coco-unet-nuclei-small.json"))
    assert sum(name.endswith(".png") for name in names) == 4 and sum(name.endswith(".geojson") for name in names) == 4
    assert labels.shape[:2] == (64, 64) and len(coco["images"]) == 2
    folder = export.zip.parent
    app.session_state["models"] = f"{OTHER},{SMALL}@scale=2"
    finished(app)
    assert run is not known_run(app) and app.button(key="scores_prepare")
    del export
    assert scores_by_candidate is not None and folder.name.startswith("segdemo-export-")


def test_the_report_names_what_could_not_be_opened_again(png: Png, monkeypatch: pytest.MonkeyPatch) -> None:
    app = dropped(view(), zipped(png, 3))
    run = known_run(app)
    look = compare_scores.Look([c.key for c in run.candidates], ["MNIST CNN", "U-Net"], ["#2f86d1", "#d55e00"])

    def gone(_run: Run, name: str) -> object:
        raise ImageError(f"{name} is gone.")

    monkeypatch.setattr(compare_export, "labelled_picture", gone)
    found, names = compare_export.examples(run, run.evaluation(), look)
    assert not found and len(names) == 3
    assert "could not be opened again: images/" in compare_export._report(run, run.evaluation(), look)


def test_an_export_that_cannot_begin_leaves_nothing(png: Png, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: compare_scores_judging.Judging) -> object:
        raise SettingError("Too many *others* are waiting already.")

    app = dropped(view(), zipped(png, 2))
    monkeypatch.setattr(compare_scores_judging.Judging, "submit", full)
    sound(app.button(key="scores_prepare").click().run())
    assert app.toast[0].value == "Too many \\*others\\* are waiting already\\."
    assert compare_export.EXPORT_KEY not in app.session_state
    assert not [thread for thread in threading.enumerate() if thread.name == "segdemo-coco"]


def test_an_export_that_grows_too_large_says_so(png: Png, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare_export, "MOST_BYTES", 10)
    app = dropped(view(), zipped(png, 2))
    app.button(key="scores_prepare").click().run()
    export = app.session_state[compare_export.EXPORT_KEY]
    assert export.job.closed.wait(60)
    assert "command line writes them without a limit" in said(sound(app.run()))
    assert app.button(key="scores_prepare")
