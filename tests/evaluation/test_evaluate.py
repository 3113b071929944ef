"""Judging a data set: the counts are those of the metrics, in order, whatever fails; and pixels are forgotten."""

import gc
import json
import threading
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segdemo.errors import CheckpointError, DataSetError, ImageError, SettingError
from segdemo.evaluation.annotations.coco_reading import labels_from_coco
from segdemo.evaluation.annotations.geojson import labels_from_geojson
from segdemo.evaluation.candidate import Candidate
from segdemo.evaluation.data_set import LabelledPicture, LabelledSet, from_files, from_folder, open_labelled_set
from segdemo.evaluation.evaluate import Evaluator, Kept
from segdemo.evaluation.exporting import PredictionFiles, candidate_file_name
from segdemo.evaluation.kept_examples import KeptExamples
from segdemo.evaluation.scores.results import Evaluation, EvaluationSettings
from segdemo.inference import Engine
from segdemo.metrics import boundary_counts, confusion_matrix, hausdorff95, threshold_counts
from segdemo.types import ClassInfo, Latency, Prediction
from segdemo.weights import get_weights

Png = Callable[[np.ndarray], bytes]
CLASSES = ("background", "nucleus")
A, B = Candidate("unet/nuclei"), Candidate("fcn8s/nuclei")
SHAPES = Candidate("unet/shapes")


class Oracle:
    """In place of an engine: probabilities are the picture's own red, so that every count is known. `log` are its passes."""

    device_label = "An oracle"

    def __init__(self, pause_s: float = 0.0) -> None:
        self.log: list[tuple[str, float]] = []
        self.pause_s = pause_s

    def predict(self, image: np.ndarray, weights_id: str, *, threshold: float, precision: str, scale: float) -> Prediction:
        self.log.append((weights_id, threshold))
        time.sleep(self.pause_s * (image[0, 0, 2] % 3))
        if weights_id == B.weights_id and image[0, 0, 1] == 99:
            raise ImageError("This one is too much.")
        if weights_id == "segnet/nuclei":
            raise CheckpointError("These weights are torn.")
        entry = get_weights(weights_id)
        red = image[::2, ::2, 0].astype(np.float32) / 255  # the network works at half the picture's size
        scores = np.zeros((len(entry.classes), *red.shape), np.float32)
        scores[0], scores[1] = 1 - red, red
        preds = (scores[1] > threshold if entry.binary else scores.argmax(0)).astype(np.uint8).repeat(2, 0).repeat(2, 1)
        return Prediction(preds, scores, entry.classes, Latency(1, 2, 3), weights_id, threshold, entry.binary)


def pictures(count: int, side: int = 16) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    found = []
    for i in range(count):
        image = rng.integers(0, 256, (side // 2, side // 2, 3), np.uint8).repeat(2, 0).repeat(2, 1)
        image[0, 0, 1:] = 0, i
        found.append((image, (rng.random((side, side)) < 0.4).astype(np.uint8)))
    return found


def in_memory(items: Sequence[tuple[np.ndarray, np.ndarray]], classes: tuple[str, ...] = CLASSES) -> LabelledSet:
    names = tuple(f"p{i}" for i in range(len(items)))
    return LabelledSet("drawn", classes, names, lambda i: LabelledPicture(names[i], *items[i]))


def judged(data: LabelledSet, *candidates: Candidate, engine: object = None, **options: object) -> Evaluation:
    evaluator = Evaluator(data, candidates, engine or Oracle(), **options)  # type: ignore[arg-type]
    assert [step.done for step in evaluator.steps()] == list(range(1, len(data) + 1))
    return evaluator.snapshot()


def test_counts_are_those_of_the_metrics() -> None:
    items = pictures(5)
    items[1][1][:3] = 255  # counts nowhere
    settings = EvaluationSettings(boundary_tolerance=1.0, bins=5, thresholds=(0.25, 0.5, 0.75))
    result = judged(in_memory(items), A, settings=settings).results[0]
    preds = [(image[..., 0] / np.float32(255) > 0.5).astype(np.uint8) for image, _target in items]
    matrices = [confusion_matrix(p, target, 2) for p, (_image, target) in zip(preds, items, strict=True)]
    np.testing.assert_array_equal(result.matrix, sum(matrices))
    for scores, matrix, p, (_image, target) in zip(result.pictures, matrices, preds, items, strict=True):
        rebuilt = np.zeros((2, 2), np.int64)
        rebuilt[scores.cells[:, 0], scores.cells[:, 1]] = scores.cells[:, 2]
        np.testing.assert_array_equal(rebuilt, matrix)
        np.testing.assert_array_equal(scores.counts[1], [matrix[1, 1], matrix[0, 1], matrix[1, 0]])
        np.testing.assert_array_equal(scores.boundary, boundary_counts(p, target, 2, tolerance=1.0))
        np.testing.assert_array_equal(scores.hausdorff95, hausdorff95(p, target, 2))
    valid = [target != 255 for _image, target in items]
    probs = np.concatenate([image[v, 0] for (image, _target), v in zip(items, valid, strict=True)]) / np.float32(255)
    truth = np.concatenate([target[v] for (_image, target), v in zip(items, valid, strict=True)]) == 1
    np.testing.assert_array_equal(result.threshold_counts, threshold_counts(probs, truth, np.array([0.25, 0.5, 0.75])))
    assert result.threshold_counts is not None
    tp, fp, fn = result.threshold_counts[1]
    np.testing.assert_array_equal(result.matrix[1], [fn, tp])
    assert result.matrix[0, 1] == fp
    assert result.reliability.count.sum() == result.matrix.sum() == truth.size
    assert result.reliability.hits.sum() == truth.sum()


def test_results_keep_the_data_sets_order_though_threads_do_not() -> None:
    data = in_memory(pictures(12))
    evaluator = Evaluator(data, (A, B), Oracle(pause_s=0.01), workers=4)  # type: ignore[arg-type]
    assert tuple(step.name for step in evaluator.steps()) == data.names
    for result in evaluator.snapshot().results:
        assert tuple(scores.picture for scores in result.pictures) == data.names


def test_thresholds_of_one_network_share_a_forward_pass() -> None:
    engine = Oracle()
    evaluation = judged(
        in_memory(pictures(3)), A, Candidate(A.weights_id, 0.25), Candidate(A.weights_id, scale=0.5), engine=engine
    )
    assert len(engine.log) == 3 * 2
    loose, strict = evaluation.results[1].matrix, evaluation.results[0].matrix
    assert loose[:, 1].sum() > strict[:, 1].sum()
    at_quarter = evaluation.results[0].threshold_counts[24]  # type: ignore[index]
    np.testing.assert_array_equal(at_quarter, [loose[1, 1], loose[0, 1], loose[1, 0]])


def test_what_fails_is_told_and_the_rest_goes_on() -> None:
    items = pictures(4)
    items[2][0][0, 0, 1] = 99
    data = in_memory(items)

    def read(place: int) -> LabelledPicture:
        if place == 1:
            raise ImageError("This picture is damaged.")
        return LabelledPicture(data.names[place], *items[place])

    evaluation = judged(LabelledSet("drawn", CLASSES, data.names, read), A, B, Candidate("segnet/nuclei"), SHAPES)
    assert {name: notice.text for name, notice in evaluation.left_out.items()} == {"p1": "This picture is damaged."}
    one, other = evaluation.results
    failed = {name: notice.text for name, notice in other.failed.items()}
    assert [scores.picture for scores in one.pictures] == ["p0", "p2", "p3"] and not one.failed
    assert [scores.picture for scores in other.pictures] == ["p0", "p3"] and failed == {"p2": "This one is too much."}
    assert evaluation.refused["segnet/nuclei"].text == "These weights are torn."
    assert "circle" in evaluation.refused["unet/shapes"].text
    assert evaluation.machine == "An oracle"


def test_classes_that_one_side_lacks_are_background() -> None:
    items = pictures(3)
    for _image, target in items:
        target[:4] = 2
    data = in_memory(items, ("background", "circle", "comet"))
    result = judged(data, SHAPES).results[0]
    assert result.unknown == ("comet",) and result.extra == ("square", "triangle", "star")
    assert result.matrix.shape == (2, 2) and result.matrix.sum() == 3 * 16 * 16
    assert result.threshold_counts is None
    assert result.reliability.hits.sum() == np.trace(result.matrix)


def test_cancelled_it_ends_and_can_go_on() -> None:
    evaluator = Evaluator(in_memory(pictures(9)), (A,), Oracle(), workers=2)  # type: ignore[arg-type]
    seen: list[int] = []
    for step in evaluator.steps(lambda: len(seen) >= 3):
        seen.append(step.done)
    assert seen == [1, 2, 3] and evaluator.snapshot().done == 3
    assert [step.done for step in evaluator.steps()] == [4, 5, 6, 7, 8, 9]
    assert len(evaluator.snapshot().results[0].pictures) == 9


def test_left_early_no_thread_goes_on() -> None:
    engine = Oracle()
    evaluator = Evaluator(in_memory(pictures(40)), (A,), engine, workers=2)  # type: ignore[arg-type]
    steps = evaluator.steps()
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    asked = len(engine.log)
    time.sleep(0.05)
    assert len(engine.log) == asked < 40
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("segdemo-evaluate")]


def test_a_snapshot_stays_as_it_was() -> None:
    evaluator = Evaluator(in_memory(pictures(4)), (A,), Oracle())  # type: ignore[arg-type]
    steps = evaluator.steps()
    next(steps)
    early = evaluator.snapshot()
    pixels = early.results[0].matrix.sum()
    assert len(list(steps)) == 3
    assert early.done == 1 and len(early.results[0].pictures) == 1 and early.results[0].matrix.sum() == pixels == 256


def test_memory_does_not_grow_with_the_pictures() -> None:
    """What a picture leaves behind is a few kB, of 300 kB that it takes with truth and probabilities."""
    image, target = pictures(1, side=160)[0]
    names = tuple(f"p{i}" for i in range(40))
    data = LabelledSet("drawn", CLASSES, names, lambda i: LabelledPicture(names[i], image.copy(), target.copy()))
    evaluator = Evaluator(data, (A,), Bright(), workers=2)  # type: ignore[arg-type]
    kept = []
    tracemalloc.start()
    try:
        for until in (4, 22, 40):
            for step in evaluator.steps(lambda: evaluator.snapshot().done >= until):  # noqa: B023
                assert step.judged is not None
            del step
            gc.collect()
            kept.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert evaluator.done == 40
    assert kept[2] - kept[1] < 18 * 20_000


class Bright:
    """An engine's stand-in that finds one square."""

    device_label = "A lamp"

    def predict(self, image: np.ndarray, weights_id: str, **_settings: object) -> Prediction:
        entry = get_weights(weights_id)
        scores = np.full((2, *image.shape[:2]), 0.5, np.float32)
        scores[1, 60:120, 60:120] = 0.9
        preds = (scores[1] > 0.5).astype(np.uint8)
        return Prediction(preds, scores, entry.classes, Latency(), weights_id, binary=True)


def test_the_engine_itself(one_thread: None) -> None:
    """What the engine says of a picture is what is scored, at the picture's own size, in every precision and scale."""
    data = open_labelled_set("nuclei").first(2)
    engine = Engine("cpu")
    candidates = (Candidate("unet/nuclei-small", 0.4, "float32", 0.5), Candidate("unet/nuclei-small", 0.4))
    evaluation = judged(data, *candidates, engine=engine)
    for result in evaluation.results:
        expected = np.zeros((2, 2), np.int64)
        for picture in data:
            candidate = result.candidate
            preds = engine.predict(
                picture.image, "unet/nuclei-small", threshold=0.4, precision=candidate.precision, scale=candidate.scale
            ).preds
            expected += confusion_matrix(preds, picture.target, 2)
        np.testing.assert_array_equal(result.matrix, expected)
    assert not np.array_equal(evaluation.results[0].matrix, evaluation.results[1].matrix)


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_a_zip_with_faults_is_scored_without_them(tmp_path: Path, png: Png) -> None:
    items = pictures(5)
    files = {f"set/images/{i}.png": png(image) for i, (image, _target) in enumerate(items)}
    files |= {f"set/masks/{i}.png": png(255 * target) for i, (_image, target) in enumerate(items)}
    files["set/masks/other.png"] = files.pop("set/masks/0.png")  # names that do not match
    files["set/masks/1.png"] = png(255 * items[1][1][:8])  # another size
    files["set/images/2.png"] = files["set/images/2.png"][:60]  # cut off
    evaluation = judged(open_labelled_set(str(zipped(tmp_path / "set.zip", files))), A)
    assert [scores.picture for scores in evaluation.results[0].pictures] == ["set/images/3.png", "set/images/4.png"]
    assert set(evaluation.left_out) == {f"set/images/{n}.png" for n in range(3)} | {"set/masks/other.png"}
    assert "16 × 8" in evaluation.left_out["set/images/1.png"].text
    assert "damaged" in evaluation.left_out["set/images/2.png"].text


def test_a_listed_folder_gives_its_validation_pictures(tmp_path: Path, png: Png) -> None:
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for i, (image, target) in enumerate(pictures(4)):
        (tmp_path / "images" / f"{i}.png").write_bytes(png(image))
        (tmp_path / "masks" / f"{i}.png").write_bytes(png(255 * target))
    (tmp_path / "train.txt").write_text("0\n1\n")
    (tmp_path / "val.txt").write_text("2\n3\nnowhere\n")
    (tmp_path / "classes.txt").write_text("background\ncell\n")
    data = open_labelled_set(str(tmp_path))
    assert data.names == ("2", "3") and data.class_names == ("background", "cell") and set(data.left_out) == {"nowhere"}
    assert from_folder(tmp_path, "train").names == ("0", "1") and len(from_folder(tmp_path, "all")) == 4
    (tmp_path / "val.txt").write_text("nowhere\n")
    with pytest.raises(DataSetError):
        from_folder(tmp_path)


def test_large_pictures_of_a_zip_keep_their_size(tmp_path: Path, png: Png, monkeypatch: pytest.MonkeyPatch) -> None:
    from segdemo.data import uploaded_set

    monkeypatch.setattr(uploaded_set, "WORKING_PIXELS", 64)
    image, target = pictures(1)[0]
    data = open_labelled_set(str(zipped(tmp_path / "a.zip", {"a.png": png(image), "a_mask.png": png(255 * target)})))
    np.testing.assert_array_equal(data.read(0).image, image)
    np.testing.assert_array_equal(data.read(0).target, target)


def test_a_pages_pictures(png: Png) -> None:
    (image, target), (other, _truth) = pictures(2)
    files = [("a", png(image), target), ("b", png(other), None), ("c", png(other), target[:4]), ("d", b"no picture", target)]
    evaluation = judged(from_files("page", CLASSES, files), A)
    assert [scores.picture for scores in evaluation.results[0].pictures] == ["a"]
    assert set(evaluation.left_out) == {"b", "c", "d"} and evaluation.total == 3


def test_examples_are_the_worst_and_few() -> None:
    evaluator = Evaluator(in_memory(pictures(20)), (A, Candidate(A.weights_id, 0.9)), Oracle())  # type: ignore[arg-type]
    kept = KeptExamples(evaluator.space.classes, 3)
    for step in evaluator.steps():
        assert step.judged is not None
        kept.add(step.judged)
        assert len(kept) <= 6
    evaluation = evaluator.snapshot()
    means = {scores.picture: 0.0 for scores in evaluation.results[0].pictures}
    for result in evaluation.results:
        for scores in result.pictures:
            means[scores.picture] += scores.counts[1, 0] / scores.counts[1].sum()
    chosen = kept.chosen(evaluation)
    assert len(chosen) == 3 and chosen[0].name == min(means, key=means.__getitem__)
    place = int(chosen[0].name[1:])
    np.testing.assert_array_equal(chosen[0].target, pictures(20)[place][1])
    np.testing.assert_array_equal(chosen[0].preds[1], pictures(20)[place][0][..., 0] / np.float32(255) > 0.9)


def test_steps_run_once_at_a_time() -> None:
    """A second caller would count pictures twice."""
    evaluator = Evaluator(in_memory(pictures(6)), (A,), Oracle(), workers=2)  # type: ignore[arg-type]
    first = evaluator.steps()
    assert next(first).done == 1
    with pytest.raises(SettingError, match="running already"):
        next(evaluator.steps())
    assert next(first).done == 2, "the refused one has stopped nothing"
    first.close()  # type: ignore[attr-defined]
    assert [step.done for step in evaluator.steps()] == [3, 4, 5, 6]
    assert [scores.picture for scores in evaluator.snapshot().results[0].pictures] == [f"p{i}" for i in range(6)]


def test_an_error_of_the_program_frees_it_for_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluator = Evaluator(in_memory(pictures(3)), (A,), Oracle())  # type: ignore[arg-type]
    with monkeypatch.context() as patch:
        patch.setattr(Evaluator, "_ask", lambda *_args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            list(evaluator.steps())
    assert [step.done for step in evaluator.steps()] == [1, 2, 3]


@pytest.mark.parametrize(("kept", "preds", "predictions"), [("counts", 0, 0), ("labels", 2, 0), ("predictions", 2, 2)])
def test_steps_bring_what_was_asked_for(kept: Kept, preds: int, predictions: int) -> None:
    evaluator = Evaluator(in_memory(pictures(2)), (A, B), Oracle(), kept=kept)  # type: ignore[arg-type]
    assert evaluator.keys == (A.key, B.key) and evaluator.done == 0
    for step in evaluator.steps():
        assert step.judged is not None and len(step.judged.scores) == 2
        assert (len(step.judged.preds), len(step.judged.predictions)) == (preds, predictions)


@pytest.mark.parametrize(
    "wrong",
    [{"boundary_tolerance": -1}, {"boundary_tolerance": float("nan")}, {"bins": 0}, {"thresholds": (0.5, 0.2)},
     {"thresholds": (0.5, 0.5)}, {"thresholds": (0.5, 1.5)}, {"thresholds": (float("nan"),)}],
)  # fmt: skip
def test_impossible_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        EvaluationSettings(**wrong)


class Rooms(Oracle):
    """Its classes are wall, floor and door: none is the background. The red of a picture says which."""

    entry = replace(
        get_weights("unet/shapes"), weights_id="a/rooms",
        classes=tuple(ClassInfo(name, (9, i, i)) for i, name in enumerate(("wall", "floor", "door"))),
    )  # fmt: skip

    def predict(self, image: np.ndarray, weights_id: str, **settings: Any) -> Prediction:
        preds = np.minimum(image[..., 0] // 100, 2).astype(np.uint8)
        scores = np.stack([preds == i for i in range(3)]).astype(np.float32)
        return Prediction(preds, scores, self.entry.classes, Latency(), weights_id)


def test_predictions_become_files(tmp_path: Path) -> None:
    """Read back, every file holds exactly what the network said."""
    data = in_memory(pictures(3))
    evaluator = Evaluator(data, (A, B), Oracle(), kept="predictions")  # type: ignore[arg-type]
    check_files(tmp_path, evaluator, "nucleus")


def test_a_network_without_background_loses_no_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segdemo.evaluation.evaluate.entry_of", lambda _candidate: Rooms.entry)
    data = in_memory(pictures(3), ("wall", "floor", "door"))
    candidates = (Candidate("a/rooms"),)
    check_files(tmp_path, Evaluator(data, candidates, Rooms(), kept="predictions"), "wall")  # type: ignore[arg-type]


def check_files(folder: Path, evaluator: Evaluator, first: str) -> None:
    names, keys = evaluator.data.names, evaluator.keys
    said: dict[str, dict[str, Prediction]] = {}
    with PredictionFiles(
        names, keys, masks=folder / "m", geojson=folder / "g", coco=folder / "c" / "all.json"
    ) as files:  # fmt: skip
        assert not list(folder.iterdir()), "nothing is opened before the first picture"
        for step in evaluator.steps():
            assert step.judged is not None
            files.add(step.judged)
            said[step.name] = dict(step.judged.predictions)
    assert files.bytes_written == sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    for key in keys:
        stem = candidate_file_name(key)
        coco = (folder / "c" / ("all.json" if len(keys) == 1 else f"all-{stem}.json")).read_text()
        assert first in {category["name"] for category in json.loads(coco)["categories"]}
        for number, name in enumerate(names, start=1):
            prediction = said[name][key]
            labels = np.asarray(Image.open(folder / "m" / stem / f"{name}.png"))
            np.testing.assert_array_equal(labels, prediction.preds)
            text = (folder / "g" / stem / f"{name}.geojson").read_text()
            np.testing.assert_array_equal(labels_from_geojson(text, prediction.size, prediction.classes), labels)
            np.testing.assert_array_equal(labels_from_coco(coco, number, prediction.classes), labels)


def test_what_cannot_be_written_is_a_sentence_and_leaves_no_thread(tmp_path: Path) -> None:
    (tmp_path / "all-fcn8s-nuclei.json").mkdir()  # the second file cannot be opened
    evaluator = Evaluator(in_memory(pictures(2)), (A, B), Oracle(), kept="predictions")  # type: ignore[arg-type]
    files = PredictionFiles(evaluator.data.names, evaluator.keys, coco=tmp_path / "all.json")
    step = next(evaluator.steps())
    assert step.judged is not None
    with pytest.raises(SettingError, match=r"all-fcn8s-nuclei\.json cannot be written"), files:
        files.add(step.judged)
    files.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "segdemo-coco"]


def test_files_that_never_began_hold_nothing(tmp_path: Path) -> None:
    """Where the work cannot even be submitted, there is nothing to close."""
    before = threading.active_count()
    files = PredictionFiles(("a",), (A.key,), coco=tmp_path / "c" / "all.json", masks=tmp_path / "m")
    assert threading.active_count() == before and not list(tmp_path.iterdir()) and files.bytes_written == 0
    files.close()
    files.close()


def test_what_goes_wrong_while_a_file_is_written_is_told_at_the_next_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for a writer that has given up, and the error is the writer's own."""

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device", "all.json")

    monkeypatch.setattr("segdemo.evaluation.exporting.write_coco", full)
    evaluator = Evaluator(in_memory(pictures(30)), (A,), Oracle(), kept="predictions")  # type: ignore[arg-type]
    files = PredictionFiles(evaluator.data.names, evaluator.keys, coco=tmp_path / "all.json")
    with pytest.raises(SettingError, match="No space left"), files:
        for step in evaluator.steps():
            assert step.judged is not None
            files.add(step.judged)
            files._coco[A.key]._thread.join(0.05)
    assert evaluator.done < 30
    assert not [thread for thread in threading.enumerate() if thread.name in ("segdemo-coco", "segdemo-evaluate_0")]
