"""Downloads: the label map is exact, names are safe, and the scores against a truth are the hand-counted ones."""

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from segdemo.data.images import Picture, read_labels
from segdemo.errors import ImageError
from segdemo.inference.agreement import compare, error_map
from segdemo.inference.export import (
    Result,
    blend,
    contours,
    file_stem,
    label_png,
    overlay_png,
    probabilities_npz,
    results_zip,
    summary,
    unique_stems,
)
from segdemo.types import ClassInfo, Latency, Prediction

CLASSES = (ClassInfo("background", (0, 0, 0)), ClassInfo("cell", (230, 159, 0)), ClassInfo("other", (86, 180, 233)))


def make_result(preds: np.ndarray, name: str = "a.png") -> Result:
    scores = np.eye(3, dtype=np.float32)[preds].transpose(2, 0, 1)
    picture = Picture(name, "0" * 64, np.full((*preds.shape, 3), 100, np.uint8), preds.shape)
    return Result(picture, Prediction(preds.astype(np.uint8), scores, CLASSES, Latency(1, 2, 3), "x/y"))


PREDS = np.array([[0, 1, 1, 0], [0, 1, 2, 2], [0, 0, 2, 2]])
TARGET = np.array([[0, 1, 0, 1], [0, 1, 1, 2], [0, 255, 2, 0]], np.uint8)


def test_label_png_is_exact_and_indexed() -> None:
    data = label_png(make_result(PREDS).prediction)
    assert Image.open(io.BytesIO(data)).mode == "P"
    np.testing.assert_array_equal(read_labels(data), PREDS)
    assert Image.open(io.BytesIO(data)).convert("RGB").getpixel((1, 0)) == (230, 159, 0)


def test_scores_and_errors_by_hand() -> None:
    result = make_result(PREDS)
    cell, other = compare(result.prediction, TARGET)
    # cell: TP 2, FP 1, FN 2; other: TP 2, FP 2, FN 0
    assert (cell.iou, cell.dice, cell.precision, cell.recall) == pytest.approx((2 / 5, 4 / 7, 2 / 3, 1 / 2))
    assert (other.iou, other.dice, other.precision, other.recall) == pytest.approx((1 / 2, 2 / 3, 1 / 2, 1.0))
    expected = [[0, 1, 2, 3], [0, 1, 4, 1], [0, 0, 1, 2]]
    np.testing.assert_array_equal(error_map(result.prediction, TARGET), expected)


@pytest.mark.parametrize(
    ("target", "words"), [(np.zeros((2, 2), np.uint8), "must be equal"), (np.full((3, 4), 7, np.uint8), "class 7")]
)
def test_masks_that_do_not_fit_are_a_sentence(target: np.ndarray, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        compare(make_result(PREDS).prediction, target)


def test_blend_leaves_the_background_alone() -> None:
    image = np.full((1, 2, 3), 100, np.uint8)
    drawn = blend(image, np.array([[0, 1]], np.uint8), CLASSES, 0.5)
    np.testing.assert_array_equal(drawn, [[[100, 100, 100], [165, 130, 50]]])


def test_contours_keep_only_borders() -> None:
    labels = np.zeros((9, 9), np.uint8)
    labels[2:7, 2:7] = 1
    edges = contours(labels, 1)
    assert edges[4, 4] == 0 and edges[2, 2] == 1 and edges.sum() == 16


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("cell 1.png", "cell_1"),
        ("../../etc/passwd", "passwd"),
        ("..", "picture"),
        ("a" * 300 + ".png", "a" * 60),
        ("세포.tif", "세포"),
    ],
)
def test_file_names_are_safe(name: str, stem: str) -> None:
    assert file_stem(name) == stem


def test_equal_names_do_not_overwrite_each_other() -> None:
    assert list(unique_stems(["a.png", "A.jpg", "a.tif"])) == ["a", "A-2", "a-3"]
    archive = zipfile.ZipFile(io.BytesIO(results_zip([make_result(PREDS), make_result(PREDS.T)])))
    assert sorted(archive.namelist()) == sorted(
        f"{stem}{end}" for stem in ("a", "a-2") for end in ("-labels.png", "-overlay.png", ".json")
    )
    np.testing.assert_array_equal(read_labels(archive.read("a-2-labels.png")), PREDS.T)


def test_probabilities_and_summary() -> None:
    result = make_result(PREDS)
    arrays = np.load(io.BytesIO(probabilities_npz(result.prediction)))
    assert arrays["probs"].shape == (3, 3, 4)
    assert arrays["classes"].tolist() == ["background", "cell", "other"]
    facts = json.loads(json.dumps(summary(result)))
    assert [c["pixels"] for c in facts["classes"]] == [5, 3, 4]
    assert facts["latency_ms"]["forward"] == 2


def test_overlay_has_the_pictures_size() -> None:
    assert Image.open(io.BytesIO(overlay_png(make_result(PREDS), 0.5, True))).size == (4, 3)
