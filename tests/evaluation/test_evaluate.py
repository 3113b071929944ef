"""Judging a data set: the counts are those of the metrics, in order, whatever fails; and pixels are forgotten."""

import gc
import io
import threading
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segdemo.errors import CheckpointError, DataSetError, ImageError
from segdemo.evaluation.candidate import Candidate
from segdemo.evaluation.data_set import LabelledPicture, LabelledSet, from_files, from_folder, open_labelled_set
from segdemo.evaluation.evaluate import Evaluator
from segdemo.evaluation.exporting import PredictionFiles
from segdemo.evaluation.kept_examples import KeptExamples
from segdemo.evaluation.results import Evaluation, EvaluationSettings
from segdemo.inference import Engine
from segdemo.metrics import boundary_counts, confusion_matrix, hausdorff95, threshold_counts
from segdemo.types import Latency, Prediction
from segdemo.weights import get_weights

Png = Callable[[np.ndarray], bytes]
CLASSES = ("background", "nucleus")
A, B = Candidate("unet/nuclei"), Candidate("fcn8s/nuclei")
SHAPES = Candidate("unet/shapes")


class Oracle:
    """In place of an engine: probabilities are the picture's own red, so that every count is known. `log` are its passes."""

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
    assert [scores.picture for scores in one.pictures] == ["p0", "p2", "p3"] and not one.failed
    assert [scores.picture for scores in other.pictures] == ["p0", "p3"] and other.failed == {"p2": "This one is too much."}
    assert evaluation.refused["segnet/nuclei"] == "These weights are torn."
    assert "circle" in evaluation.refused["unet/shapes"]


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
    assert evaluator.snapshot().done == 40
    assert kept[2] - kept[1] < 18 * 20_000


class Bright:
    """An engine's stand-in that finds one square."""

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


def test_predictions_become_files(tmp_path: Path) -> None:
    data = in_memory(pictures(3))
    evaluator = Evaluator(data, (A, B), Oracle(), with_predictions=True)  # type: ignore[arg-type]
    folders = {"masks": tmp_path / "m", "geojson": tmp_path / "g", "coco": tmp_path / "c" / "all.json"}
    with PredictionFiles(data.names, (A.key, B.key), **folders) as files:
        for step in evaluator.steps():
            assert step.judged is not None
            files.add(step.judged)
            labels = np.asarray(Image.open(io.BytesIO((tmp_path / "m" / "unet-nuclei" / f"{step.name}.png").read_bytes())))
            np.testing.assert_array_equal(labels, step.judged.predictions[A.key].preds)
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == ["all-fcn8s-nuclei.json", "all-unet-nuclei.json"]
    assert len(list((tmp_path / "g").glob("*/*.geojson"))) == 6
