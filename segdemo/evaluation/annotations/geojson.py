"""Label maps as GeoJSON (RFC 7946): one Feature for each object, with the properties that QuPath reads and writes.

Coordinates are pixels from the picture's top left corner, x to the right, y down, as QuPath has them, not degrees of longitude
and latitude. "classification" is the class with its colour, "measurements" the area and the mean probability. Outlines run
along pixel edges, so the file holds exactly the label map.
https://qupath.readthedocs.io/en/stable/docs/advanced/exporting_annotations.html
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdemo.errors import ImageError
from segdemo.evaluation.annotations.filling import Shape, paint
from segdemo.evaluation.annotations.outlines import Polygon, Ring, labelled_polygons
from segdemo.evaluation.annotations.regions import AnnotatedPicture, find_regions
from segdemo.text import _
from segdemo.types import ClassInfo, LabelMap, Size

__all__ = ["geojson_text", "labels_from_geojson"]


def _closed(ring: Ring) -> list[list[int]]:
    """Positions of a linear ring: the first is repeated as the last."""
    positions: list[list[int]] = ring.tolist()
    return [*positions, positions[0]]


def _geometry(polygons: Sequence[Polygon]) -> dict[str, object]:
    """Polygon, or MultiPolygon of parts that touch by corners."""
    coordinates = [[_closed(ring) for ring in polygon.rings] for polygon in polygons]
    if len(coordinates) == 1:
        return {"type": "Polygon", "coordinates": coordinates[0]}
    return {"type": "MultiPolygon", "coordinates": coordinates}


def _features(picture: AnnotatedPicture) -> Iterator[dict[str, object]]:
    regions = find_regions(picture)
    outlines = labelled_polygons(regions.ids, len(regions.areas))
    for i, polygons in enumerate(outlines):
        info = picture.classes[regions.class_indices[i]]
        measurements: dict[str, float] = {"Area px^2": int(regions.areas[i])}
        if regions.scores is not None:
            measurements["Mean probability"] = round(float(regions.scores[i]), 6)
        classification = {"name": info.name, "color": list(info.color)}
        properties = {"objectType": "annotation", "classification": classification, "measurements": measurements}
        yield {"type": "Feature", "geometry": _geometry(polygons), "properties": properties}


def geojson_text(picture: AnnotatedPicture) -> str:
    """A FeatureCollection with one Feature, on one line, for each connected object of the label map but the background.

    Raises SettingError where a label has no class.
    """
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False, separators=(",", ":")) for feature in _features(picture))
    return f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n'


def _ring(positions: Any) -> NDArray[np.float64]:
    """Corners (K, 2) of a linear ring. Raises ImageError."""
    corners = [(float(x), float(y)) for x, y, *_height in positions]
    if not all(math.isfinite(number) for corner in corners for number in corner):
        raise ImageError(_("This GeoJSON file has corners that are not numbers."))
    return np.array(corners, np.float64).reshape(-1, 2)


def _polygons(geometry: Mapping[str, Any]) -> list[list[NDArray[np.float64]]]:
    """The rings of each polygon of a geometry. Raises ImageError for points and lines, which have no area."""
    match geometry["type"]:
        case "Polygon":
            parts = [geometry["coordinates"]]
        case "MultiPolygon":
            parts = geometry["coordinates"]
        case other:
            raise ImageError(_("This GeoJSON file has a {kind}; only Polygon and MultiPolygon have an area.", kind=other))
    return [[_ring(ring) for ring in part] for part in parts]


def _shapes(document: Any, index_of: Mapping[str, int]) -> Iterator[Shape]:
    """Label and rings of every polygon in a FeatureCollection, a Feature, or a list of Features."""
    match document:
        case {"features": features}:
            pass
        case {"type": "Feature"}:
            features = [document]
        case _:
            features = document
    for feature in features:
        name = feature["properties"]["classification"]["name"]
        if name not in index_of:
            raise ImageError(_("This GeoJSON file has the class “{name}”, which is none of: {known}.",
                               name=name, known=", ".join(index_of)))  # fmt: skip
        for rings in _polygons(feature["geometry"]):
            yield index_of[name], rings


def labels_from_geojson(text: str, size: Size, classes: Sequence[ClassInfo], background: int = 0) -> LabelMap:
    """The label map (H, W) of a picture of this size: classes by name, pixels whose centre lies in a polygon.

    Later features lie over earlier ones; what no feature covers is `background`. What `geojson_text` wrote comes back exactly,
    but for pixels that count nowhere. Raises ImageError.
    """
    index_of = {info.name: index for index, info in enumerate(classes)}
    try:
        shapes = list(_shapes(json.loads(text), index_of))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise ImageError(_("This is not a GeoJSON file of classified polygons.")) from error
    labels = np.full(size, background, np.uint8)
    paint(shapes, labels)
    return labels
