"""The walk: a picture's way through a network as a clickable diagram, one thumbnail a stage, from the picture to the mask."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segdemo.features import fit_basis, kind_of, project, summary, to_rgb, value_range
from segdemo.features.colour import coloured
from segdemo.inference.cache import BoundedCache
from segdemo.inference.export import blend
from segdemo.text import _
from segdemo.types import RGBImage
from segdemo.ui.components import network_walk
from segdemo.ui.diagram_layout import INPUT, OUTPUT, before, grid_of, shape_text
from segdemo.ui.drawing import Encoded, encode_small
from segdemo.ui.features_parts import CLIP
from segdemo.ui.media import media_url
from segdemo.ui.study import Study, strides_of_network

__all__ = ["MASK", "Off", "node_images", "show_walk", "stage_picture"]

THUMBNAIL_PIXELS = 96  # of the longer side; twice what is seen, for screens with fine pixels
MASK = "mask"
THUMBNAIL_MEMORY_BYTES = 40_000_000

_thumbnails: BoundedCache[tuple[object, ...], Encoded] = BoundedCache(THUMBNAIL_MEMORY_BYTES, lambda e: len(e.data))


@dataclass(frozen=True)
class Off:
    """What is switched off: stages, and skips as (from, to)."""

    stages: frozenset[str] = frozenset()
    skips: frozenset[tuple[str, str]] = frozenset()


def show_walk(study: Study, chosen: str, key: str, *, look: str = "colours", compact: bool = False, off: Off | None = None,
              mask: RGBImage | None = None, on_chosen: object = None) -> None:  # fmt: skip
    """The diagram. `mask` takes the place of the network's own at the end of the walk."""
    off = off or Off()
    height, width = study.seen.shape[:2]
    network_walk(key=key, on_chosen_change=on_chosen, data={
        "label": _("The walk of {picture} through {network}", picture=study.picture.name, network=study.entry.weights_id),
        "nodes": _nodes(study, look, off.stages, mask), "edges": _edges(study, off), "chosen": chosen,
        "aspect": min(3.0, max(1 / 3, width / height)), "compact": compact,
    })  # fmt: skip


def _nodes(study: Study, look: str, off: Collection[str], mask: RGBImage | None) -> list[dict[str, object]]:
    grid = dict(grid_of(study.anatomy, strides_of_network(study.entry.weights_id)))
    last = max(column for column, _row in grid.values())
    end = grid.get(OUTPUT, (last + 1, 0))
    images = node_images(study, look, mask)
    parts = {part.stage.name: part for part in study.anatomy.parts}
    height, width = study.seen.shape[:2]
    nodes = [_node(INPUT, _("picture"), f"{width} × {height}", "data", grid[INPUT], images[INPUT])]
    for name in study.stages:
        part = parts[name]
        nodes.append(
            _node(name, name, shape_text(part.shape), part.stage.kind, grid[name], images[name])
            | {"off": name in off, "clickable": True, "hint": _hint(study, name)}
        )
    if MASK in images:
        title = _("drawn picture") if study.drawn is not None else _("mask")
        nodes.append(_node(MASK, title, "", "data", end, images[MASK]))
    return nodes


def _node(key: str, title: str, note: str, kind: str, place: tuple[int, int], image: Encoded) -> dict[str, object]:
    return {
        "key": key, "title": title, "note": note, "kind": kind, "column": place[0], "row": place[1],
        "image": media_url(image.data, image.mime), "off": False, "clickable": False, "hint": title,
    }  # fmt: skip


def _hint(study: Study, name: str) -> str:
    part = study.anatomy.part(name)
    return _("{name}: {shape}, {n} parameters", name=name, shape=shape_text(part.shape), n=f"{part.params:,}")


def _edges(study: Study, off: Off) -> list[dict[str, object]]:
    edges: list[dict[str, object]] = []
    recorded = {INPUT, *study.stages}
    for index, part in enumerate(study.anatomy.parts):
        name = part.stage.name
        if name not in recorded:
            continue
        edges.append({"from": before(study.anatomy, index), "to": name, "kind": "main", "join": None, "off": False})
        edges += [
            {"from": source, "to": name, "kind": "skip", "join": part.stage.join, "off": (source, name) in off.skips}
            for source in part.stage.skip_from if source in recorded
        ]  # fmt: skip
    if study.prediction is not None or study.drawn is not None:
        edges.append({"from": study.stages[-1], "to": MASK, "kind": "main", "join": None, "off": False})
    return edges


def node_images(study: Study, look: str, mask: RGBImage | None = None) -> Mapping[str, Encoded]:
    """The thumbnail of every node, the picture's first, drawn once and remembered."""
    height, width = thumbnail_size(study)
    images = {INPUT: _remembered((study.key, INPUT), lambda: _resized(study.seen, height, width))}
    for name in study.stages:
        images[name] = _remembered((study.key, name, look), lambda: stage_picture(study, name, look, (height, width)))  # noqa: B023
    if mask is not None:
        images[MASK] = encode_small(_resized(mask, height, width))
    elif study.drawn is not None or study.prediction is not None:
        images[MASK] = _remembered((study.key, MASK), lambda: _resized(_end_of(study), height, width))
    return images


def _remembered(key: tuple[object, ...], draw: object) -> Encoded:
    return _thumbnails.get_or_make(key, lambda: encode_small(draw()))  # type: ignore[operator]


def thumbnail_size(study: Study) -> tuple[int, int]:
    """(height, width) of the thumbnails: the picture's proportions."""
    height, width = study.seen.shape[:2]
    scale = THUMBNAIL_PIXELS / max(height, width)
    return max(8, round(height * scale)), max(8, round(width * scale))


def stage_picture(study: Study, name: str, look: str, size: tuple[int, int]) -> RGBImage:
    """A stage's map in colours, laid over the place of the picture that it belongs to, at that size."""
    activation = study.recording.maps[name]
    if look == "colours":
        basis = fit_basis([activation])
        drawn = to_rgb(project(activation, basis), basis)
    else:
        mean = summary(activation, "mean")
        kind = kind_of(mean)
        drawn = coloured(mean, *value_range([mean], kind, CLIP), kind)
    return on_picture(drawn, study, name, size)


def on_picture(drawn: NDArray[np.uint8], study: Study, name: str, size: tuple[int, int]) -> RGBImage:
    """A drawn map (h, w, 3) as seen through the picture: for each of size's pixels the nearest position of the map."""
    place, border = study.places[name], study.preprocessing.border
    height, width = study.geometry.working
    ys = (np.arange(size[0]) + 0.5) * height / size[0] + border
    xs = (np.arange(size[1]) + 0.5) * width / size[1] + border
    rows, columns = _nearest(place.row_centre, ys), _nearest(place.column_centre, xs)
    return np.ascontiguousarray(drawn[rows][:, columns])


def _nearest(centres: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.intp]:
    """For each point the index of the centre that lies nearest."""
    return np.asarray(np.abs(centres[None, :] - points[:, None]).argmin(axis=1))


def _resized(image: RGBImage, height: int, width: int) -> RGBImage:
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _end_of(study: Study) -> RGBImage:
    if study.drawn is not None:
        return study.drawn
    assert study.prediction is not None
    return blend(study.seen, study.prediction.preds, study.prediction.classes, 0.6)
