"""Decoding any upload safely: bytes in, RGB pixels out, or one sentence about what is wrong and what would work.

The order matters. Pillow reads the header only, from an allow-list of formats; the size is checked before any pixel is
decoded; then the pixels are decoded, turned upright (EXIF), laid over white where transparent, and brought to 8 bits
(see `contrast.py`). Pillow rejects broken files that OpenCV accepts silently, so it always decides; OpenCV only decodes
what Pillow would cut to 8 bits (16-bit colour). torchvision.io is never used: malformed files crash it.
"""

import hashlib
import io
import math
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, TiffTags, UnidentifiedImageError

from segdemo.data.contrast import to_eight_bits
from segdemo.errors import ImageError
from segdemo.geometry import Size
from segdemo.text import N_, _
from segdemo.types import LabelMap, Notice, RGBImage

with suppress(ImportError):  # HEIC is the one format that comes from a package of its own
    from pillow_heif import register_heif_opener

    register_heif_opener()

__all__ = ["FORMATS", "MAX_PIXELS", "Picture", "open_picture", "read_bytes", "read_image", "read_labels"]

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "BMP", "GIF", "TIFF")
MAX_PIXELS = 64_000_000
WHAT_WORKS = "JPEG, PNG, WebP, AVIF, HEIC, BMP, GIF, TIFF"


@dataclass(frozen=True)
class Picture:
    """A decoded upload. `pixels` may be a reduced version of a picture that is `full_size` (height, width)."""

    name: str
    sha256: str  # of the file's bytes: the key of every cache
    pixels: RGBImage
    full_size: Size
    notices: tuple[Notice, ...] = ()
    decode_ms: float = 0.0


def read_image(source: bytes | str | Path, *, max_pixels: int = MAX_PIXELS) -> RGBImage:
    """The picture as uint8 RGB (H, W, 3), upright, at full size. Raises ImageError with a sentence for the visitor."""
    return _decode(read_bytes(source), max_pixels, reduce_to=None)[0]


def open_picture(data: bytes, name: str = "picture", *, max_pixels: int = MAX_PIXELS, reduce_to: int | None = None) -> Picture:
    """As read_image, with the name, the hash and notices. A JPEG with more than 4·`reduce_to` pixels is decoded at
    1/2, 1/4 or 1/8 of its sides, never below `reduce_to` pixels: decoding a phone's photograph is then 3× faster."""
    start = perf_counter()
    pixels, full_size, notices = _decode(data, max_pixels, reduce_to)
    decode_ms = 1000 * (perf_counter() - start)
    return Picture(name, hashlib.sha256(data).hexdigest(), pixels, full_size, notices, decode_ms)


def read_bytes(source: bytes | str | Path) -> bytes:
    """The file's bytes, or the bytes themselves. Raises ImageError where the file cannot be read."""
    if isinstance(source, bytes):
        return source
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise ImageError(_("{path} cannot be read: {reason}.", path=source, reason=error.strerror or error)) from error


def _open(data: bytes, max_pixels: int) -> Image.Image:
    """The header, checked; no pixel is decoded yet."""
    if not data:
        raise ImageError(_("The file is empty. Choose a picture: {formats}.", formats=WHAT_WORKS))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own size warning: our limit is stricter and says more
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise ImageError(_too_large(max_pixels)) from error
    except UnidentifiedImageError as error:
        raise ImageError(_("This is not a picture that can be read. What works: {formats}.", formats=WHAT_WORKS)) from error
    except Exception as error:  # decoders raise whatever they like on broken headers; no other type may reach the page
        raise ImageError(_damaged()) from error
    if image.width * image.height > max_pixels:
        raise ImageError(_too_large(max_pixels, (image.height, image.width)))
    return image


def _decode(data: bytes, max_pixels: int, reduce_to: int | None) -> tuple[RGBImage, Size, tuple[Notice, ...]]:
    image = _open(data, max_pixels)
    stored, file_format = (image.height, image.width), image.format
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata that does not touch the pixels
            notices = _page_notice(image)
            if file_format == "JPEG" and reduce_to is not None:
                _reduce(image, reduce_to)
            rgb = _rgb(image, data)
            orientation = image.getexif().get(0x0112, 1)
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError(_too_large(max_pixels, stored)) from error
    except Exception as error:  # as above: the pixels are hostile input
        raise ImageError(_damaged()) from error
    full = (stored[1], stored[0]) if orientation in (5, 6, 7, 8) else stored
    return np.ascontiguousarray(rgb), full, notices


def _too_large(max_pixels: int, size: Size | None = None) -> str:
    megapixels = f"{max_pixels / 1e6:.3g}"
    if size is None:
        return _("This picture is too large. Up to {limit} megapixels work; scale it down first.", limit=megapixels)
    message = _("This picture has {width} × {height} pixels. Up to {limit} megapixels work; scale it down first.",
                width=size[1], height=size[0], limit=megapixels)  # fmt: skip
    return message


def _damaged() -> str:
    return _("This picture is damaged or cut off. Try to open it elsewhere and save it again, as PNG for instance.")


def _page_notice(image: Image.Image) -> tuple[Notice, ...]:
    """A word about further pages or frames. They are not counted: a hostile file may have millions."""
    if not getattr(image, "is_animated", False) or image.format not in ("TIFF", "GIF", "WEBP", "PNG", "AVIF", "HEIF"):
        return ()
    if image.format == "TIFF":
        return (Notice(N_("This TIFF has several pages; the first is used.")),)
    return (Notice(N_("This picture has several frames; the first is used.")),)


def _reduce(image: Image.Image, reduce_to: int) -> None:
    """Ask the JPEG decoder for the smallest of 1/1, 1/2, 1/4, 1/8 that keeps at least `reduce_to` pixels."""
    factor = math.isqrt(image.width * image.height // max(1, reduce_to))
    if factor >= 2:
        image.draft(None, (math.ceil(image.width / factor), math.ceil(image.height / factor)))


def _bits_per_channel(image: Image.Image, data: bytes) -> int:
    if image.format == "PNG":
        return data[24]
    if image.format == "TIFF":
        bits = image.tag_v2.get(TiffTags.lookup(258).value or 258, (8,))  # type: ignore[attr-defined]
        return int(max(bits)) if isinstance(bits, tuple) else int(bits)
    return 8


def _rgb(image: Image.Image, data: bytes) -> RGBImage:
    """Decode, turn upright and bring to 8-bit RGB, whatever the mode."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        grey = to_eight_bits(np.asarray(ImageOps.exif_transpose(image)))
        return np.repeat(grey[..., None], 3, axis=2)
    if image.mode in ("RGB", "RGBA", "RGBX") and _bits_per_channel(image, data) == 16:
        return _deep_colour(image, data)
    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.has_transparency_data:
        rgba = upright.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return np.asarray(Image.alpha_composite(white, rgba).convert("RGB"))
    return np.asarray(upright if upright.mode == "RGB" else upright.convert("RGB"))


def _deep_colour(image: Image.Image, data: bytes) -> RGBImage:
    """16-bit colour, which Pillow would cut to its upper 8 bits: Pillow vouches for the file, OpenCV decodes it."""
    image.load()
    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    values: NDArray[np.number] | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if values is None or values.shape[:2] != (image.height, image.width) or values.ndim != 3:
        raise ImageError(_damaged())
    grey = image.format == "PNG" and data[25] == 4  # grey with alpha: counted once, not three times
    rgb = to_eight_bits(np.ascontiguousarray(values[..., :1] if grey else values[..., 2::-1]))
    rgb = np.repeat(rgb, 3 // rgb.shape[2], axis=2)
    if values.shape[2] == 4:
        alpha = values[..., 3:].astype(np.float64) / 65535
        rgb = np.rint(rgb * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return np.asarray(ImageOps.exif_transpose(_with_orientation(Image.fromarray(rgb), image)))


def _with_orientation(image: Image.Image, source: Image.Image) -> Image.Image:
    image.getexif()[0x0112] = source.getexif().get(0x0112, 1)
    return image


def read_labels(source: bytes | str | Path, *, max_pixels: int = MAX_PIXELS) -> LabelMap:
    """A mask as class indices (H, W) uint8: a palette's indices as they are; of grey or colour-free masks the values,
    where black and white alone (0 and 255, or 1 bit) mean 0 and 1. Raises ImageError for anything else."""
    data = read_bytes(source)
    image = _open(data, max_pixels)
    try:
        image.load()
        values = np.asarray(image if image.mode in ("P", "L", "1", "I;16", "I") else image.convert("RGB"))
    except Exception as error:
        raise ImageError(_damaged()) from error
    if values.ndim == 3:
        if not (values == values[..., :1]).all():
            raise ImageError(_("This mask has colours. A mask holds class numbers: an indexed or grey PNG, or black and white."))
        values = values[..., 0]
    if image.mode == "1" or (image.mode != "P" and set(np.unique(values).tolist()) <= {0, 255}):
        values = values > 0
    if values.max() > 255 or values.min() < 0:
        raise ImageError(_("This mask holds values beyond 255. A mask holds class numbers from 0 to 255."))
    return values.astype(np.uint8)
