"""A prediction as files: exact label map, overlay, probabilities, summary, and all of them in one ZIP."""

import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import tee

import cv2
import numpy as np
from PIL import Image

from segdemo.data import Picture
from segdemo.geometry import resize_nearest
from segdemo.metrics import class_shares, object_areas
from segdemo.types import ClassInfo, LabelMap, Prediction, RGBImage

__all__ = [
    "Result",
    "blend",
    "contours",
    "file_stem",
    "label_png",
    "overlay_png",
    "probabilities_npz",
    "result_files",
    "results_zip",
    "summary",
    "summary_json",
    "unique_stems",
]


@dataclass(frozen=True)
class Result:
    """A picture and what a network said about it."""

    picture: Picture
    prediction: Prediction


def file_stem(name: str) -> str:
    """A file name's stem, safe on every system: letters, digits, '.', '_' and '-', at most 60 of them."""
    base = re.split(r"[\\/]", name)[-1]
    stem = re.sub(r"[^\w.-]+", "_", base.rsplit(".", 1)[0]).strip("._")
    return stem[:60] or "picture"


def _palette(classes: Iterable[ClassInfo]) -> list[int]:
    """768 bytes R, G, B, R, … for an indexed PNG; indices without a class are black."""
    colors = [channel for info in classes for channel in info.color]
    return colors + [0] * (768 - len(colors))


def label_png(prediction: Prediction) -> bytes:
    """Indexed PNG whose pixel values are exactly `prediction.preds`, with the classes' colours as its palette."""
    image = Image.fromarray(prediction.preds).convert("L")
    image.putpalette(_palette(prediction.classes))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def contours(labels: LabelMap, thickness: int = 2) -> LabelMap:
    """The label map with only the borders of its regions left, `thickness` pixels inwards."""
    kernel = np.ones((3, 3), np.uint8)
    low, high = cv2.erode(labels, kernel, iterations=thickness), cv2.dilate(labels, kernel, iterations=thickness)
    return np.where(low != high, labels, 0).astype(np.uint8)


def blend(image: RGBImage, labels: LabelMap, classes: Iterable[ClassInfo], opacity: float) -> RGBImage:
    """The picture with each class but the background (index 0) laid over it in its colour."""
    lookup = np.zeros((256, 3), np.float32)
    for index, info in enumerate(classes):
        lookup[index] = info.color
    alpha = (labels > 0)[..., None] * np.float32(opacity)
    return np.rint(image * (1 - alpha) + lookup[labels] * alpha).astype(np.uint8)


def overlay_png(result: Result, opacity: float, contour: bool) -> bytes:
    """The picture, at the size it was decoded to, with the classes over it."""
    image = result.picture.pixels
    labels = resize_nearest(result.prediction.preds, (image.shape[0], image.shape[1]))
    drawn = blend(image, contours(labels) if contour else labels, result.prediction.classes, 1.0 if contour else opacity)
    return bytes(cv2.imencode(".png", drawn[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 3])[1])


def probabilities_npz(prediction: Prediction) -> bytes:
    """`probs` (C, h, w) float16 at the size the network worked at, `classes`, and `size` (H, W) of the picture."""
    buffer = io.BytesIO()
    names = np.array([info.name for info in prediction.classes])
    np.savez_compressed(buffer, probs=prediction.scores.astype(np.float16), classes=names, size=np.array(prediction.size))
    return buffer.getvalue()


def summary(result: Result) -> dict[str, object]:
    """What a script wants to know: classes with area and objects, settings, hashes, latency in milliseconds."""
    prediction = result.prediction
    shares = class_shares(prediction.preds, len(prediction.classes))
    classes = [
        {"index": i, "name": info.name, "color": info.color, "pixels": round(float(shares[i]) * prediction.preds.size),
         "share": float(shares[i]), "objects": len(object_areas(prediction.preds, i)) if i else None}
        for i, info in enumerate(prediction.classes) if shares[i] > 0 or i == 0
    ]  # fmt: skip
    latency = prediction.latency
    return {
        "file": result.picture.name,
        "sha256": result.picture.sha256,
        "width": prediction.size[1],
        "height": prediction.size[0],
        "weights": prediction.weights_id,
        "threshold": prediction.threshold if prediction.binary else None,
        "classes": classes,
        "device": prediction.device,
        "precision": prediction.precision,
        "latency_ms": {
            "preprocess": latency.preprocess_ms, "forward": latency.forward_ms, "postprocess": latency.postprocess_ms,
        },
        "notices": [n.text for n in (*result.picture.notices, *prediction.notices)],
    }  # fmt: skip


def summary_json(result: Result) -> str:
    """`summary` as text."""
    return json.dumps(summary(result), indent=2, ensure_ascii=False) + "\n"


def unique_stems(names: Iterable[str]) -> Iterator[str]:
    """`file_stem` of each name; equal ones get a number."""
    used: set[str] = set()
    for name in names:
        stem = base = file_stem(name)
        number = 2
        while stem.lower() in used:  # some file systems do not tell case apart
            stem, number = f"{base}-{number}", number + 1
        used.add(stem.lower())
        yield stem


def result_files(result: Result, stem: str, opacity: float = 0.55, contour: bool = False) -> dict[str, bytes]:
    """Label map, overlay and summary of a result by file name."""
    return {
        f"{stem}-labels.png": label_png(result.prediction),
        f"{stem}-overlay.png": overlay_png(result, opacity, contour),
        f"{stem}.json": summary_json(result).encode(),
    }


def results_zip(results: Iterable[Result], opacity: float = 0.55, contour: bool = False) -> bytes:
    """The files of all results in one ZIP; one result at a time is in memory."""
    buffer = io.BytesIO()
    results, named = tee(results)  # in step, so that only one result at a time is held
    stems = unique_stems(result.picture.name for result in named)
    with zipfile.ZipFile(buffer, "w") as archive:  # stored: PNG is compressed already
        for result, stem in zip(results, stems, strict=True):
            for name, data in result_files(result, stem, opacity, contour).items():
                archive.writestr(name, data)
    return buffer.getvalue()
