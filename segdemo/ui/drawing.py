"""What the viewer shows, as encoded pictures at display size: the photograph, its labels, and its probabilities."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segdemo.geometry import Size, resize_nearest
from segdemo.inference.export import Result, blend
from segdemo.types import LabelMap, Prediction, RGBImage

__all__ = [
    "DISPLAY_PIXELS",
    "Encoded",
    "display_size",
    "encode_grey",
    "encode_labels",
    "encode_photograph",
    "encode_probabilities",
    "encode_small",
    "overlay_thumbnail",
    "thumbnail",
]  # fmt: skip

DISPLAY_PIXELS = 1_200_000  # about what fits a laptop's screen; the downloads keep every pixel
PROBE_PIXELS = 65_536
THUMBNAIL: Size = (144, 196)


@dataclass(frozen=True)
class Encoded:
    """Bytes of a picture file, and what they are."""

    data: bytes
    mime: str


def _encode(extension: str, pixels: NDArray[np.uint8], *options: int) -> bytes:
    done, data = cv2.imencode(extension, pixels, list(options))
    if not done:
        raise ValueError(f"OpenCV cannot write {extension} of shape {pixels.shape}.")
    return data.tobytes()


def _png(pixels: NDArray[np.uint8]) -> Encoded:
    return Encoded(_encode(".png", pixels, cv2.IMWRITE_PNG_COMPRESSION, 1), "image/png")


def display_size(size: Size, limit: int = DISPLAY_PIXELS) -> Size:
    """The size (height, width) a picture is shown at: its own, or less."""
    scale = min(1.0, math.sqrt(limit / (size[0] * size[1])))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def encode_photograph(image: RGBImage, full: Size) -> Encoded:
    """JPEG at display size of a picture that is `full` large; small ones are lossless, because they are enlarged."""
    height, width = display_size(full)
    if image.shape[:2] != (height, width):
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    bgr = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), dtype=np.uint8)
    if height * width <= 65_536:
        return _png(bgr)
    return Encoded(_encode(".jpg", bgr, cv2.IMWRITE_JPEG_QUALITY, 90), "image/jpeg")


def encode_labels(labels: LabelMap) -> Encoded:
    """Grey PNG at display size whose values are class indices; the browser colours them."""
    return _png(resize_nearest(labels, display_size((labels.shape[0], labels.shape[1]))))


def encode_probabilities(prediction: Prediction) -> Encoded:
    """PNG for the pointer's probe. Binary: grey, the foreground's probability × 255. Otherwise the three likeliest
    classes, three planes side by side, blue 0, green the probability × 255, red the class. Sized for the probe."""
    height, width = prediction.scores.shape[1:]
    small = display_size((height, width), 4 * PROBE_PIXELS if prediction.binary else PROBE_PIXELS)
    if prediction.binary:
        return _png(np.rint(resize_nearest(prediction.scores[1], small) * 255).astype(np.uint8))
    scores = np.ascontiguousarray(resize_nearest(prediction.scores, small).transpose(1, 2, 0))  # (h, w, C)
    count = min(3, scores.shape[2])
    top = np.argpartition(scores, -count, axis=-1)[..., -count:]
    values = np.take_along_axis(scores, top, axis=-1)
    order = np.argsort(-values, axis=-1)
    top, values = np.take_along_axis(top, order, -1), np.take_along_axis(values, order, -1)
    planes = np.zeros((small[0], 3 * small[1], 3), np.uint8)
    for k in range(count):
        columns = np.s_[:, k * small[1] : (k + 1) * small[1]]
        planes[columns] = np.stack([np.zeros(small), np.rint(values[..., k] * 255), top[..., k]], axis=-1)  # B, G, R
    return _png(planes)


def thumbnail(image: RGBImage) -> Encoded:
    """A small picture (H, W, 3) for the filmstrip."""
    return _small_jpeg(_shrunk(image))


def overlay_thumbnail(result: Result) -> Encoded:
    """A small overlay for the filmstrip."""
    small = _shrunk(result.picture.pixels)
    labels = resize_nearest(result.prediction.preds, (small.shape[0], small.shape[1]))
    return _small_jpeg(blend(small, labels, result.prediction.classes, 0.55))


def _shrunk(image: RGBImage) -> RGBImage:
    scale = max(THUMBNAIL[0] / image.shape[0], THUMBNAIL[1] / image.shape[1])
    height, width = max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale))
    if height * width > 8 * THUMBNAIL[0] * THUMBNAIL[1]:  # a very long strip of a picture: only its middle is seen
        height, width = THUMBNAIL
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def encode_small(image: NDArray[np.uint8]) -> Encoded:
    """A small picture, lossless: RGB (h, w, 3), or with how opaque it is (h, w, 4)."""
    order = cv2.COLOR_RGBA2BGRA if image.shape[2] == 4 else cv2.COLOR_RGB2BGR
    return _png(np.asarray(cv2.cvtColor(image, order), dtype=np.uint8))


def encode_grey(values: NDArray[np.uint8]) -> Encoded:
    """Values (h, w), lossless."""
    return _png(values)


def _small_jpeg(image: RGBImage) -> Encoded:
    return Encoded(_encode(".jpg", np.ascontiguousarray(image[..., ::-1]), cv2.IMWRITE_JPEG_QUALITY, 80), "image/jpeg")
