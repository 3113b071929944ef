"""COCO files: read by COCO's own reader and by ours, the same label maps again, one picture at a time."""

import io
import json
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from segdemo.data.nuclei_like import draw_nuclei
from segdemo.errors import ImageError
from segdemo.evaluation.annotations.coco import write_coco
from segdemo.evaluation.annotations.coco_reading import labels_from_coco
from segdemo.evaluation.annotations.regions import AnnotatedPicture
from segdemo.evaluation.annotations.rle import compressed, decompressed, run_lengths, runs_inside
from segdemo.types import ClassInfo, LabelMap

# pycocotools 2.0.11 makes its arrays as numpy before 2 wanted it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")

CLASSES = (ClassInfo("background", (0, 0, 0)), ClassInfo("nucleus", (230, 159, 0)), ClassInfo("debris", (0, 114, 178)))
SHAPES = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=10)
MAPS = arrays(np.uint8, SHAPES, elements={"min_value": 0, "max_value": 2})
RING = np.array([[1, 1, 1, 1, 0], [1, 0, 0, 1, 0], [1, 0, 2, 1, 0], [1, 1, 1, 0, 1]], np.uint8)
EMPTY, FULL = np.zeros((3, 2), np.uint8), np.full((2, 4), 2, np.uint8)


def pictures(*labels: LabelMap) -> list[AnnotatedPicture]:
    return [AnnotatedPicture(f"{number}.png", one, CLASSES) for number, one in enumerate(labels)]


def written(data: Sequence[AnnotatedPicture], polygons: bool = False) -> str:
    file = io.StringIO()
    write_coco(data, file, polygons=polygons)
    return file.getvalue()


def opened(text: str, folder: Path, name: str = "coco.json") -> COCO:
    (folder / name).write_text(text, encoding="utf-8")
    return COCO(folder / name)


def theirs(annotation: dict[str, Any], height: int, width: int) -> Any:
    """A segmentation as COCO's own code reads it."""
    segmentation = annotation["segmentation"]
    polygons = isinstance(segmentation, list)
    return coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width)) if polygons else segmentation


@given(MAPS, st.booleans())
def test_any_label_map_comes_back_from_their_reader_and_ours(labels: LabelMap, polygons: bool) -> None:
    text = written(pictures(labels), polygons)
    np.testing.assert_array_equal(labels_from_coco(text, 1), labels)
    np.testing.assert_array_equal(labels_from_coco(text, 1, CLASSES), labels)
    seen = np.zeros_like(labels)
    for annotation in json.loads(text)["annotations"]:
        code = theirs(annotation, *labels.shape)
        assert annotation["area"] == coco_mask.area(code)
        assert annotation["bbox"] == coco_mask.toBbox(code).tolist()
        seen[coco_mask.decode(code) > 0] = annotation["category_id"]
    np.testing.assert_array_equal(seen, labels)


@given(arrays(np.bool_, SHAPES))
def test_the_code_is_theirs(mask: Any) -> None:
    for counts in run_lengths(mask.astype(np.int32), int(mask.any())):
        expected = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
        assert compressed(counts) == expected
        np.testing.assert_array_equal(decompressed(expected), counts)


@given(st.lists(st.integers(0, 2**30), min_size=1, max_size=40))
def test_long_runs_come_back(counts: list[int]) -> None:
    assert decompressed(compressed(np.array(counts))).tolist() == counts


@given(st.text(max_size=12) | st.text(alphabet=st.characters(min_codepoint=48, max_codepoint=111), max_size=30))
def test_a_damaged_code_is_refused_or_read_but_never_written_beyond(code: str) -> None:
    try:
        inside = runs_inside(decompressed(code), 35)
    except ImageError:
        return
    assert inside.min(initial=0) >= 0 and inside.max(initial=0) <= 35


@pytest.mark.parametrize("polygons", [False, True])
def test_their_reader_opens_a_file_of_several_pictures(tmp_path: Path, polygons: bool) -> None:
    labels = [RING, EMPTY, FULL, draw_nuclei(96, 128, seed=2)[1]]
    coco = opened(written(pictures(*labels), polygons), tmp_path)
    assert [c["name"] for c in coco.loadCats(coco.getCatIds())] == ["nucleus", "debris"]
    assert [i["file_name"] for i in coco.loadImgs(coco.getImgIds())] == ["0.png", "1.png", "2.png", "3.png"]
    assert len(coco.getAnnIds(imgIds=[1])) == 2 and len(coco.getAnnIds(imgIds=[2])) == 0
    for image_id, expected in enumerate(labels, start=1):
        seen = np.zeros_like(expected)
        for annotation in coco.loadAnns(coco.getAnnIds(imgIds=[image_id], iscrowd=False)):
            seen[coco.annToMask(annotation) > 0] = annotation["category_id"]
        np.testing.assert_array_equal(seen, expected)


def test_an_object_with_a_hole_is_several_polygons_of_one_annotation() -> None:
    ring, _island = json.loads(written(pictures(RING), polygons=True))["annotations"]
    assert len(ring["segmentation"]) >= 2 and ring["area"] == (RING == 1).sum() and ring["bbox"] == [0, 0, 5, 4]


def test_predictions_are_scored_by_their_evaluation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = pictures(RING, draw_nuclei(96, 128, seed=2)[1])
    scores = np.zeros((3, 4, 5), np.float32)
    scores[1], scores[2] = 0.6, 0.9
    preds = [AnnotatedPicture("0.png", RING, CLASSES, scores), target[1]]
    found = json.loads(written(preds))["annotations"]
    assert {annotation["score"] for annotation in found if annotation["image_id"] == 1} == {0.6, 0.9}
    coco = opened(written(target), tmp_path)
    names = ("image_id", "category_id", "segmentation")
    results = [{**{name: annotation[name] for name in names}, "score": annotation.get("score", 1.0)} for annotation in found]
    evaluation = COCOeval(coco, coco.loadRes(results), "segm")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    capsys.readouterr()
    assert evaluation.stats[0] == 1.0  # average precision of the truth itself
    assert {a.get("score") for a in json.loads(written(preds))["annotations"]} == {0.6, 0.9, None}


def test_one_picture_at_a_time_is_held() -> None:
    held: list[weakref.ref[LabelMap]] = []

    def stream() -> Iterator[AnnotatedPicture]:
        for number in range(4):
            assert sum(ref() is not None for ref in held) <= 1, "all but the last are gone"
            labels = RING.copy()
            held.append(weakref.ref(labels))
            yield AnnotatedPicture(f"{number}.png", labels, CLASSES)
            del labels

    file = io.StringIO()
    write_coco(stream(), file)
    assert len(json.loads(file.getvalue())["annotations"]) == 8


def test_one_name_is_one_category_in_all_label_spaces() -> None:
    other = (ClassInfo("nothing", (0, 0, 0)), CLASSES[2], ClassInfo("cell", (1, 2, 3)))
    whole = (ClassInfo("wall", (4, 4, 4)), CLASSES[1])
    data = [
        AnnotatedPicture("a", RING, CLASSES),
        AnnotatedPicture("b", RING, other),
        AnnotatedPicture("c", RING % 2, whole, background=None),
    ]
    text = written(data)
    assert {c["name"]: c["id"] for c in json.loads(text)["categories"]} == {"nucleus": 1, "debris": 2, "cell": 3, "wall": 4}
    np.testing.assert_array_equal(labels_from_coco(text, 2), np.array([0, 2, 3], np.uint8)[RING])
    for image_id, classes, labels in ((1, CLASSES, RING), (2, other, RING), (3, whole, RING % 2)):
        np.testing.assert_array_equal(labels_from_coco(text, image_id, classes), labels)


def file_with(segmentation: object, **image: object) -> str:
    category = {"id": 1, "name": "nucleus"}
    annotation = {"id": 1, "image_id": 5, "category_id": 1, "segmentation": segmentation}
    picture = {"id": 5, "height": 2, "width": 3, **image}
    return json.dumps({"images": [picture], "annotations": [annotation], "categories": [category]})


def test_lists_of_lengths_and_fractional_polygons_of_other_tools() -> None:
    assert labels_from_coco(file_with({"size": [2, 3], "counts": [1, 2, 3]}), 5).tolist() == [[0, 1, 0], [1, 0, 0]]
    assert labels_from_coco(file_with([[0.4, -1, 2.6, -1, 2.6, 1.2, 0.4, 1.2]]), 5).tolist() == [[1, 1, 1], [0, 0, 0]]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "7", "{}", file_with(7), file_with({"size": [2, 3], "counts": [1, 2]}), file_with([[0, 1, 2]]),
     file_with({"size": [2, 3], "counts": [-1, 7]}), file_with({"size": [2, 3], "counts": [1.5, 4.5]}),
     file_with({"size": [2, 3], "counts": []}), file_with({"size": [2, 3], "counts": [2**70, 1]}),
     file_with({"size": [3, 2], "counts": [6]}), file_with({"size": [2, 3], "counts": "\ud800"}),
     file_with({"size": [2, 3], "counts": "é6"}),
     file_with({"size": [2, 3], "counts": "ooooooooooooooo"}), file_with({"size": [2, 3], "counts": ""}),
     file_with([["a"] * 6]), file_with([[0, 0, 1e999, 0, 1, 1]]), file_with([], height=10**6, width=10**6),
     file_with([], height=0), file_with([], id=6), file_with([], height="x")],
)  # fmt: skip
def test_damaged_files_are_refused(text: str) -> None:
    with pytest.raises(ImageError):
        labels_from_coco(text, 5)


def test_a_category_that_is_no_class_is_refused() -> None:
    with pytest.raises(ImageError, match="category 1"):
        labels_from_coco(file_with([]), 5, (ClassInfo("cat", (0, 0, 0)),))
