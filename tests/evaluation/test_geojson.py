"""GeoJSON of label maps: what QuPath reads, valid geometries, and the same label map again."""

import json

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from segdemo.errors import ImageError, SettingError
from segdemo.evaluation.annotations.geojson import geojson_text, labels_from_geojson
from segdemo.evaluation.annotations.regions import AnnotatedPicture, annotated
from segdemo.types import ClassInfo, LabelMap, Latency, Prediction

CLASSES = (ClassInfo("background", (0, 0, 0)), ClassInfo("nucleus", (230, 159, 0)), ClassInfo("débris", (0, 114, 178)))
LABELS = np.array([[1, 0, 2, 2], [0, 1, 2, 2], [0, 0, 0, 1]], np.uint8)
MAPS = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=10), elements={"min_value": 0, "max_value": 2})


@given(MAPS)
def test_any_label_map_comes_back(labels: LabelMap) -> None:
    text = geojson_text(AnnotatedPicture("a.png", labels, CLASSES))
    np.testing.assert_array_equal(labels_from_geojson(text, (labels.shape[0], labels.shape[1]), CLASSES), labels)
    for feature in json.loads(text)["features"]:
        assert shapely.from_geojson(json.dumps(feature["geometry"])).is_valid


def test_features_have_what_qupath_reads() -> None:
    scores = np.zeros((3, 3, 4), np.float32)
    scores[1], scores[2] = 0.5, 0.75
    scores[1, 1, 1] = 1.0
    prediction = Prediction(LABELS, scores, CLASSES, Latency(), "unet/test")
    document = json.loads(geojson_text(annotated("a.png", prediction)))
    assert document["type"] == "FeatureCollection"
    found = [(f["geometry"]["type"], f["properties"]) for f in document["features"]]
    nucleus, debris = {"name": "nucleus", "color": [230, 159, 0]}, {"name": "débris", "color": [0, 114, 178]}

    def properties(classification: object, area: int, probability: float) -> dict[str, object]:
        measurements = {"Area px^2": area, "Mean probability": probability}
        return {"objectType": "annotation", "classification": classification, "measurements": measurements}

    assert found == [
        ("MultiPolygon", properties(nucleus, 2, 0.75)),
        ("Polygon", properties(nucleus, 1, 0.5)),
        ("Polygon", properties(debris, 4, 0.75)),
    ]
    square = document["features"][2]["geometry"]["coordinates"]
    assert len(square) == 1 and square[0][0] == square[0][-1] and len(square[0]) == 5
    assert shapely.Polygon(square[0]).equals(shapely.box(2, 0, 4, 2)) and shapely.LinearRing(square[0]).is_ccw


def test_scores_of_a_smaller_working_size_are_read_where_the_labels_came_from() -> None:
    scores = np.array([[[0.9, 0.2]], [[0.1, 0.8]]], np.float32)  # (2, 1, 2) behind a picture of 2×4
    labels = np.array([[0, 0, 1, 1]] * 2, np.uint8)
    feature = json.loads(geojson_text(AnnotatedPicture("a.png", labels, CLASSES[:2], scores)))["features"][0]
    assert feature["properties"]["measurements"] == {"Area px^2": 4, "Mean probability": pytest.approx(0.8)}


def test_a_network_without_background_names_every_pixel() -> None:
    classes = (ClassInfo("wall", (9, 9, 9)), *CLASSES[1:])
    text = geojson_text(AnnotatedPicture("a.png", LABELS, classes, background=None))
    assert {f["properties"]["classification"]["name"] for f in json.loads(text)["features"]} == {"wall", "nucleus", "débris"}
    np.testing.assert_array_equal(labels_from_geojson(text, (3, 4), classes), LABELS)


def test_pixels_that_count_nowhere_belong_to_no_object() -> None:
    labels = np.array([[255, 1], [255, 0]], np.uint8)
    text = geojson_text(AnnotatedPicture("a.png", labels, CLASSES))
    assert labels_from_geojson(text, (2, 2), CLASSES).tolist() == [[0, 1], [0, 0]]


def test_files_of_other_tools() -> None:
    ring = [[0.2, -0.4], [2.4, 0.1], [2.6, 1.9], [-3, 2.2], [0.2, -0.4]]
    classification = {"name": "nucleus", "colorRGB": -3140401}
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]},
               "properties": {"classification": classification}}  # fmt: skip
    expected = [[1, 1, 0], [1, 1, 1]]
    for document in (feature, [feature], {"type": "FeatureCollection", "features": [feature]}):
        assert labels_from_geojson(json.dumps(document), (2, 3), CLASSES).tolist() == expected


@pytest.mark.parametrize(
    "text",
    ["", "[", "7", "null", "[7]", '{"features": 3}', '{"features": [{"properties": null}]}', "[" * 100_000,
     '[{"properties": {"classification": {"name": "nucleus"}}, "geometry": {"type": "Polygon", "coordinates": [[[0, "x"]]]}}]',
     '[{"properties": {"classification": {"name": "nucleus"}}, "geometry": {"type": "Polygon", "coordinates": [[[0, NaN]]]}}]',
     '[{"properties": {"classification": {"name": "nucleus"}}, "geometry": {"type": "Point", "coordinates": [0, 0]}}]',
     '[{"properties": {"classification": {"name": "cat"}}, "geometry": {"type": "Polygon", "coordinates": []}}]',
     '[{"properties": {"classification": {"name": []}}, "geometry": {"type": "Polygon", "coordinates": []}}]'],
)  # fmt: skip
def test_what_is_no_annotation_is_refused(text: str) -> None:
    with pytest.raises(ImageError):
        labels_from_geojson(text, (2, 2), CLASSES)


def test_empty_and_full_pictures() -> None:
    empty = geojson_text(AnnotatedPicture("a.png", np.zeros((2, 3), np.uint8), CLASSES))
    assert json.loads(empty) == {"type": "FeatureCollection", "features": []}
    assert labels_from_geojson(empty, (2, 3), CLASSES).tolist() == [[0, 0, 0]] * 2
    full = geojson_text(AnnotatedPicture("a.png", np.full((2, 3), 2, np.uint8), CLASSES))
    assert labels_from_geojson(full, (2, 3), CLASSES).tolist() == [[2, 2, 2]] * 2


def test_labels_without_a_class_are_refused() -> None:
    with pytest.raises(SettingError, match="label 9"):
        geojson_text(AnnotatedPicture("a.png", np.full((2, 2), 9, np.uint8), CLASSES))
    with pytest.raises(SettingError, match="two dimensions"):
        geojson_text(AnnotatedPicture("a.png", np.zeros((2, 2, 1), np.uint8), CLASSES))
