"""Label maps as COCO JSON (https://cocodataset.org/#format-data), written picture by picture.

Every connected object of a class is an annotation. Its segmentation is a run-length code with compressed counts, which holds
any shape exactly, or polygons along the pixel edges, for tools that read nothing else. COCO's polygons know no holes, and all
polygons of an annotation are joined: an object with holes is therefore cut through them into several polygons, which
together still cover exactly its pixels. An object whose parts touch by corners has one polygon for each part.

`iscrowd` is always 0, for run-length codes as well: 1 means a group that nobody took apart, which COCO's evaluation and many
training programs leave out. pycocotools and Datumaro, with which CVAT reads, take the form of a segmentation from the
segmentation itself.

Categories are numbered from 1, because some readers take 0 for none: by the class index, or one more in a network
without background. The same name is the same category, in pictures of other networks as well.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO

from segdemo.evaluation.annotations.outlines import Polygon, labelled_polygons
from segdemo.evaluation.annotations.regions import AnnotatedPicture, Regions, find_regions
from segdemo.evaluation.annotations.rle import compressed, run_lengths

__all__ = ["write_coco"]

Record = dict[str, Any]


def _flat(polygons: Sequence[Polygon]) -> list[list[int]]:
    """x, y, x, y, … of each polygon; none has holes."""
    return [polygon.exterior.ravel().tolist() for polygon in polygons]


def _segmentations(regions: Regions, polygons: bool) -> Iterator[Record | list[list[int]]]:
    """The segmentation of each object, all of them read off in one pass."""
    count = len(regions.areas)
    if polygons:
        return (_flat(outline) for outline in labelled_polygons(regions.ids, count, holes=False))
    size = list(regions.ids.shape)
    return ({"size": size, "counts": compressed(counts)} for counts in run_lengths(regions.ids, count))


def _add_categories(picture: AnnotatedPicture, categories: dict[str, Record]) -> None:
    """Adds the classes that are not yet among the categories (by name), each under its own number where that is free."""
    for index, info in enumerate(picture.classes):
        if index == picture.background or info.name in categories:
            continue
        taken = {category["id"] for category in categories.values()}
        own = index + 1 if picture.background is None else index
        number = own if own and own not in taken else max(taken, default=0) + 1
        categories[info.name] = {"id": number, "name": info.name, "supercategory": "", "color": list(info.color)}


def _objects(picture: AnnotatedPicture, image_id: int, categories: dict[str, Record], polygons: bool = False) -> Iterator[Record]:
    """Annotations of one picture, without their own numbers and crowds."""
    _add_categories(picture, categories)
    regions = find_regions(picture)
    for i, segmentation in enumerate(_segmentations(regions, polygons)):
        category = categories[picture.classes[regions.class_indices[i]].name]["id"]
        record = {"image_id": image_id, "category_id": category, "segmentation": segmentation,
                  "area": int(regions.areas[i]), "bbox": regions.boxes[i].tolist()}  # fmt: skip
        if regions.scores is not None:
            record["score"] = round(float(regions.scores[i]), 6)
        yield record


def _line(record: Record, first: bool) -> str:
    """A record as one line of a list."""
    return ("\n" if first else ",\n") + json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def write_coco(pictures: Iterable[AnnotatedPicture], file: TextIO, *, polygons: bool = False) -> None:
    """Writes a COCO data set of these pictures, numbered from 1 in their order; ground truth or predictions with "score".

    One picture at a time is in memory, and of the others the name and size. `polygons` instead of run-length codes.
    Raises SettingError where a label has no class.
    """
    images: list[Record] = []
    categories: dict[str, Record] = {}
    number = 0
    file.write('{"info":{"description":"segdemo"},"licenses":[],\n"annotations":[')
    for image_id, picture in enumerate(pictures, start=1):
        images.append({"id": image_id, "file_name": picture.name, "height": picture.size[0], "width": picture.size[1]})
        for record in _objects(picture, image_id, categories, polygons):
            number += 1
            file.write(_line({"id": number, **record, "iscrowd": 0}, number == 1))
    for name, records in (("images", images), ("categories", list(categories.values()))):
        file.write(f'\n],\n"{name}":[')
        file.writelines(_line(record, i == 0) for i, record in enumerate(records))
    file.write("\n]}\n")
