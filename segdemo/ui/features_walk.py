"""The walk: a picture's way through a network as a clickable diagram, one thumbnail a stage, from the picture to the mask."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segdemo.features import Basis, fit_basis, project, to_rgb
from segdemo.inference.cache import BoundedCache
from segdemo.inference.export import blend
from segdemo.text import _
from segdemo.types import RGBImage, Size
from segdemo.ui.components import network_walk
from segdemo.ui.diagram_layout import INPUT, OUTPUT, before, grid_of, shape_text
from segdemo.ui.drawing import Encoded, encode_small
from segdemo.ui.media import media_url
from segdemo.ui.study import Study, strides_of_network

__all__ = ["MASK", "Off", "basis_of", "node_images", "on_picture", "show_walk", "walk_edges", "walk_nodes"]

THUMBNAIL_PIXELS = 96  # of the longer side; twice what is seen, for screens with fine pixels
MASK = "mask"
THUMBNAIL_MEMORY_BYTES = 40_000_000
BASIS_MEMORY_BYTES = 10_000_000

_thumbnails: BoundedCache[tuple[object, ...], Encoded] = BoundedCache(THUMBNAIL_MEMORY_BYTES, lambda e: len(e.data))
_bases: BoundedCache[tuple[object, ...], Basis] = BoundedCache(BASIS_MEMORY_BYTES, lambda basis: basis.components.nbytes)


@dataclass(frozen=True)
class Off:
    """What is switched off: stages, and skips as (from, to)."""

    stages: frozenset[str] = frozenset()
    skips: frozenset[tuple[str, str]] = frozenset()


def show_walk(
    study: Study, chosen: str, key: str, *, on_chosen: Callable[[], None], compact: bool = False, off: Off | None = None,
    mask: RGBImage | None = None,
) -> None:  # fmt: skip
    """The diagram. `mask` takes the place of the network's own at the end of the walk."""
    off = off or Off()
    height, width = study.seen.shape[:2]
    network_walk(key=key, on_chosen_change=on_chosen, data={
        "label": _("The walk of {picture} through {network}", picture=study.picture.name, network=study.entry.weights_id),
        "nodes": walk_nodes(study, off.stages, mask), "edges": walk_edges(study, off), "chosen": chosen,
        "aspect": min(3.0, max(1 / 3, width / height)), "compact": compact, "legend": _legend(study),
    })  # fmt: skip


def _legend(study: Study) -> list[dict[str, str]]:
    """What colours and signs of this network's diagram mean."""
    kinds = {"encoder": _("encoder"), "bottleneck": _("bottleneck"), "decoder": _("decoder"), "head": _("head")}
    joins = {"concat": _("concatenated"), "sum": _("summed"), "indices": _("places of the maxima")}
    stages = [part.stage for part in study.anatomy.parts]
    return [
        *({"kind": kind, "text": text} for kind, text in kinds.items() if any(s.kind == kind for s in stages)),
        *({"join": join, "text": text} for join, text in joins.items() if any(s.join == join for s in stages)),
    ]


def walk_nodes(study: Study, off: Collection[str] = (), mask: RGBImage | None = None) -> list[dict[str, object]]:
    """Every node of the diagram in order, the picture first: where it stands, what it is called, how it looks."""
    grid = dict(grid_of(study.anatomy, strides_of_network(study.entry.weights_id)))
    last = max(column for column, _row in grid.values())
    end = grid.get(OUTPUT, (last + 1, 0))
    images = node_images(study, mask)
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


def walk_edges(study: Study, off: Off | None = None) -> list[dict[str, object]]:
    """Every way and every skip of the diagram."""
    skips_off = off.skips if off else frozenset()
    edges: list[dict[str, object]] = []
    recorded = {INPUT, *study.stages}
    for index, part in enumerate(study.anatomy.parts):
        name = part.stage.name
        if name not in recorded:
            continue
        edges.append({"from": before(study.anatomy, index), "to": name, "kind": "main", "join": None, "off": False})
        edges += [
            {"from": source, "to": name, "kind": "skip", "join": part.stage.join, "off": (source, name) in skips_off}
            for source in part.stage.skip_from if source in recorded
        ]  # fmt: skip
    if study.prediction is not None or study.drawn is not None:
        edges.append({"from": study.stages[-1], "to": MASK, "kind": "main", "join": None, "off": False})
    return edges


def node_images(study: Study, mask: RGBImage | None = None) -> Mapping[str, Encoded]:
    """The thumbnail of every node, the picture's first, drawn once and remembered."""
    height, width = _thumbnail_size(study)
    images = {INPUT: _remembered((study.key, INPUT), lambda: _resized(study.seen, height, width))}
    for name in study.stages:
        images[name] = _remembered((study.key, name), lambda: _stage_picture(study, name, (height, width)))  # noqa: B023
    if mask is not None:
        images[MASK] = encode_small(_resized(mask, height, width))
    elif study.drawn is not None or study.prediction is not None:
        images[MASK] = _remembered((study.key, MASK), lambda: _resized(_end_of(study), height, width))
    return images


def _remembered(key: tuple[object, ...], draw: Callable[[], RGBImage]) -> Encoded:
    return _thumbnails.get_or_make(key, lambda: encode_small(draw()))


def _thumbnail_size(study: Study) -> Size:
    """(height, width) of the thumbnails: the picture's proportions."""
    height, width = study.seen.shape[:2]
    scale = THUMBNAIL_PIXELS / max(height, width)
    return max(8, round(height * scale)), max(8, round(width * scale))


def basis_of(study: Study, name: str) -> Basis:
    """The principal components of a stage's map, found once."""
    return _bases.get_or_make((study.key, name), lambda: fit_basis([study.recording.maps[name]]))


def _stage_picture(study: Study, name: str, size: Size) -> RGBImage:
    """A stage's principal components as colours, laid over the place of the picture that it belongs to, at that size."""
    basis = basis_of(study, name)
    return on_picture(to_rgb(project(study.recording.maps[name], basis), basis), study, name, size)


def on_picture(drawn: NDArray[np.uint8], study: Study, name: str, size: Size) -> RGBImage:
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
