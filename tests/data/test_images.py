"""segdemo.data.images: every format pixel for pixel, and anything else as one sentence, never as another exception."""

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pillow_heif
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from segdemo.data import FORMATS, open_picture, read_image, read_labels
from segdemo.data.contrast import to_eight_bits
from segdemo.errors import ImageError

Array = NDArray[Any]
RNG = np.random.default_rng(0)
HEIGHT, WIDTH = 12, 17
NOISE = RNG.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
ROWS, COLUMNS = np.mgrid[0:64, 0:80]
SMOOTH = np.stack([ROWS * 3, COLUMNS * 3, 255 - ROWS - COLUMNS], axis=2).astype(np.uint8)  # survives lossy coding
GREY_8 = NOISE[..., 0]
GREY_16 = RNG.integers(0, 65_536, (HEIGHT, WIDTH), dtype=np.uint16)
COLOUR_16 = RNG.integers(0, 65_536, (HEIGHT, WIDTH, 3), dtype=np.uint16)


def saved(image: Image.Image | Array, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, file_format, **options)
    return buffer.getvalue()


def tiff(array: Array, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **options)
    return buffer.getvalue()


def opencv_png(array: Array) -> bytes:
    """A PNG of 16 bits a channel, which Pillow cannot write; channels as RGB or RGBA."""
    order = [2, 1, 0, 3][: array.shape[2]]
    done, data = cv2.imencode(".png", np.ascontiguousarray(array[..., order]))
    assert done
    return data.tobytes()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def stretched(values: Array) -> Array:
    """The contrast rule as its module states it, written down a second time."""
    low, high = np.percentile(values.astype(np.float64), [0.1, 99.9])
    return np.rint(((values.astype(np.float64) - low) * 255 / (high - low)).clip(0, 255)).astype(np.uint8)


def in_three(grey: Array) -> Array:
    return np.repeat(grey[..., None], 3, axis=2)


def over_white(rgb: Array, alpha: Array) -> Array:
    share = alpha[..., None].astype(np.float64) / np.iinfo(alpha.dtype).max
    return rgb * share + 255 * (1 - share)


@pytest.mark.parametrize(
    ("file_format", "options"),
    [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("WEBP", {"lossless": True})],
)
def test_lossless_formats_pixel_for_pixel(file_format: str, options: dict[str, Any]) -> None:
    pixels = read_image(saved(NOISE, file_format, **options))
    np.testing.assert_array_equal(pixels, NOISE)
    assert pixels.dtype == np.uint8 and pixels.flags.c_contiguous


@pytest.mark.parametrize("file_format", ["JPEG", "WEBP", "AVIF", "HEIF"])
def test_lossy_formats_nearly(file_format: str) -> None:
    pillow_heif.register_heif_opener()
    pixels = read_image(saved(SMOOTH, file_format, quality=95))
    assert pixels.shape == SMOOTH.shape
    assert np.abs(pixels.astype(int) - SMOOTH).mean() < 4


def test_every_format_that_is_promised_is_tested() -> None:
    assert set(FORMATS) == {"JPEG", "PNG", "WEBP", "AVIF", "HEIF", "BMP", "GIF", "TIFF"}


def test_gif_gives_the_first_frame_and_says_so() -> None:
    frames = [Image.new("P", (WIDTH, HEIGHT), i) for i in (0, 1, 2)]
    for frame in frames:
        frame.putpalette([200, 10, 20, 0, 255, 0, 0, 0, 255])
    picture = open_picture(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]), "moving.gif")
    np.testing.assert_array_equal(picture.pixels, np.full((HEIGHT, WIDTH, 3), (200, 10, 20)))
    assert "several frames" in picture.notices[0].text


def test_tiff_of_many_pages_gives_the_first_and_says_so() -> None:
    picture = open_picture(tiff(np.stack([NOISE, 255 - NOISE]), photometric="rgb"), "stack.tif")
    np.testing.assert_array_equal(picture.pixels, NOISE)
    assert "several pages" in picture.notices[0].text
    assert open_picture(tiff(NOISE, photometric="rgb")).notices == ()


@pytest.mark.parametrize("make", [lambda a: saved(a, "PNG"), lambda a: saved(a, "TIFF"), tiff], ids=["png", "tiff", "tifffile"])
def test_eight_bit_grey_stays_as_it_is(make: Callable[[Array], bytes]) -> None:
    np.testing.assert_array_equal(read_image(make(GREY_8)), in_three(GREY_8))


@pytest.mark.parametrize(
    "make",
    [lambda a: saved(a, "PNG"), lambda a: saved(a, "TIFF"), tiff, lambda a: tiff(a, byteorder=">"),
     lambda a: tiff(a, compression="zlib")],
    ids=["png", "tiff", "tifffile", "big-endian", "zlib"],
)  # fmt: skip
@pytest.mark.parametrize("highest", [65_535, 4095, 300])
def test_sixteen_bit_grey_by_the_rule(make: Callable[[Array], bytes], highest: int) -> None:
    values = (GREY_16.astype(np.uint32) * highest // 65_535).astype(np.uint16)
    np.testing.assert_array_equal(read_image(make(values)), in_three(stretched(values)))


@pytest.mark.parametrize("make", [opencv_png, lambda a: tiff(a, photometric="rgb"),
                                  lambda a: tiff(a, photometric="rgb", byteorder=">", compression="zlib")],
                         ids=["png", "tiff", "big-endian"])  # fmt: skip
def test_sixteen_bit_colour_by_the_rule(make: Callable[[Array], bytes]) -> None:
    np.testing.assert_array_equal(read_image(make(COLOUR_16)), stretched(COLOUR_16))


@pytest.mark.parametrize(
    "make", [opencv_png, lambda a: tiff(a, photometric="rgb", extrasamples=["unassalpha"])], ids=["png", "tiff"]
)
def test_sixteen_bit_colour_with_alpha_over_white(make: Callable[[Array], bytes]) -> None:
    alpha = RNG.integers(0, 65_536, (HEIGHT, WIDTH), dtype=np.uint16)
    pixels = read_image(make(np.dstack([COLOUR_16, alpha])))
    np.testing.assert_array_equal(pixels, np.rint(over_white(stretched(COLOUR_16), alpha)))


def test_sixteen_bit_grey_with_alpha_over_white() -> None:
    alpha = RNG.integers(0, 65_536, (HEIGHT, WIDTH), dtype=np.uint16)
    rows = np.dstack([GREY_16, alpha]).astype(">u2")
    header = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, 4, 0, 0, 0))
    body = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    pixels = read_image(header + chunk(b"IDAT", body) + chunk(b"IEND", b""))
    np.testing.assert_array_equal(pixels, np.rint(over_white(in_three(stretched(GREY_16)), alpha)))


def test_float_tiff_with_undefined_pixels() -> None:
    values = RNG.normal(-3, 0.01, (HEIGHT, WIDTH)).astype(np.float32)
    expected = stretched(values)
    np.testing.assert_array_equal(read_image(tiff(values)), in_three(expected))
    holes = values.copy()
    holes[0, 0], holes[3, 4], holes[5, 5] = np.nan, np.inf, -np.inf
    known = np.isfinite(holes)
    expected = np.zeros_like(GREY_8)
    expected[known] = stretched(holes[known])
    np.testing.assert_array_equal(read_image(tiff(holes)), in_three(expected))


def test_a_picture_of_undefined_pixels_only_is_refused() -> None:
    with pytest.raises(ImageError, match="NaN"):
        read_image(tiff(np.full((5, 5), np.nan, np.float32)))


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_a_flat_picture_is_mid_grey(dtype: Any) -> None:
    assert (read_image(tiff(np.full((5, 5), 700, dtype))) == 128).all()


def test_contrast_of_extreme_values() -> None:
    assert to_eight_bits(GREY_8) is not None and to_eight_bits(GREY_8).tolist() == GREY_8.tolist()
    extremes = np.array([[-1e38, 1e38]], np.float32)
    np.testing.assert_array_equal(to_eight_bits(extremes), [[0, 255]])
    np.testing.assert_array_equal(to_eight_bits(np.array([[-32_768, 32_767]], np.int16)), [[0, 255]])


def test_palette_is_looked_up() -> None:
    image = Image.fromarray(GREY_8 % 3).convert("L")
    indexed = Image.frombytes("P", image.size, image.tobytes())
    palette = np.array([[255, 0, 0], [0, 200, 0], [0, 0, 100]], np.uint8)
    indexed.putpalette(palette.tobytes())
    np.testing.assert_array_equal(read_image(saved(indexed, "PNG")), palette[GREY_8 % 3])
    see_through = palette.copy()
    see_through[1] = 255
    np.testing.assert_array_equal(read_image(saved(indexed, "PNG", transparency=1)), see_through[GREY_8 % 3])


def test_black_and_white() -> None:
    image = Image.fromarray(GREY_8 > 127)
    np.testing.assert_array_equal(read_image(saved(image, "PNG")), in_three((GREY_8 > 127) * np.uint8(255)))


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_cmyk(file_format: str) -> None:
    cmyk = Image.new("CMYK", (WIDTH, HEIGHT), (0, 255, 255, 0))
    pixels = read_image(saved(cmyk, file_format)).astype(int)
    assert (np.abs(pixels - (255, 0, 0)) < 12).all(), "no cyan and full magenta and yellow is red"


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_alpha_is_laid_over_white(file_format: str) -> None:
    alpha = RNG.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
    options = {"lossless": True, "exact": True} if file_format == "WEBP" else {}
    pixels = read_image(saved(np.dstack([NOISE, alpha]), file_format, **options))
    assert np.abs(pixels - over_white(NOISE, alpha)).max() <= 1
    np.testing.assert_array_equal(pixels[alpha == 0], 255)


UPRIGHT: dict[int, Callable[[Array], Array]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


def with_exif(png: bytes, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return png[:33] + chunk(b"eXIf", exif.tobytes()[6:]) + png[33:]


@pytest.mark.parametrize("orientation", UPRIGHT)
class TestOrientation:
    def check(self, data: bytes, expected: Array, tolerance: float = 0) -> None:
        picture = open_picture(data)
        assert picture.pixels.shape == expected.shape
        assert picture.full_size == expected.shape[:2]
        assert np.abs(picture.pixels.astype(int) - expected).mean() <= tolerance

    @pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
    def test_eight_bits(self, orientation: int, file_format: str) -> None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options = {"JPEG": {"quality": 98}, "WEBP": {"lossless": True}}.get(file_format, {})
        data = saved(SMOOTH, file_format, exif=exif, **options)
        self.check(data, UPRIGHT[orientation](SMOOTH), 3 if file_format == "JPEG" else 0)

    def test_reduced_jpeg(self, orientation: int) -> None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        large = cv2.resize(SMOOTH, (1600, 1280))
        picture = open_picture(saved(large, "JPEG", exif=exif), reduce_to=100_000)
        upright = UPRIGHT[orientation](large)
        assert picture.full_size == upright.shape[:2]
        small = picture.pixels.shape[:2]
        assert small[0] * small[1] >= 100_000 and small[0] == upright.shape[0] // 4
        assert np.abs(cv2.resize(upright, small[::-1], interpolation=cv2.INTER_AREA).astype(int) - picture.pixels).mean() < 3

    def test_sixteen_bit_grey(self, orientation: int) -> None:
        expected = UPRIGHT[orientation](in_three(stretched(GREY_16)))
        self.check(with_exif(saved(GREY_16, "PNG"), orientation), expected)
        self.check(tiff(GREY_16, extratags=[(274, "H", 1, orientation, True)]), expected)

    def test_sixteen_bit_colour(self, orientation: int) -> None:
        expected = UPRIGHT[orientation](stretched(COLOUR_16))
        self.check(with_exif(opencv_png(COLOUR_16), orientation), expected)
        self.check(tiff(COLOUR_16, photometric="rgb", extratags=[(274, "H", 1, orientation, True)]), expected)


PNG, JPEG = saved(NOISE, "PNG"), saved(cv2.resize(NOISE, (170, 120)), "JPEG")
REJECTED = {
    "empty": b"",
    "text": b"Dear reader, this is no picture.",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    "pdf": b"%PDF-1.7\n1 0 obj <<>> endobj",
    "pdf from Pillow": saved(NOISE, "PDF"),
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "PNG cut off": PNG[: len(PNG) // 2],
    "PNG header only": png_header(5, 5),
    "JPEG cut off": JPEG[: len(JPEG) // 2],
    "JPEG header only": JPEG[:200],
    "null bytes": bytes(1000),
    "bomb": png_header(60_000, 60_000) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""),
    "enormous": png_header(2**31 - 1, 2**31 - 1),
    "strip": png_header(2_000_000_000, 1) + chunk(b"IDAT", b""),
    "no width": png_header(0, 5),
}


@pytest.mark.parametrize("data", REJECTED.values(), ids=REJECTED)
def test_what_is_no_picture_is_one_sentence(data: bytes) -> None:
    for read in (read_image, open_picture, read_labels):
        with pytest.raises(ImageError) as error:
            read(data)
        assert str(error.value).endswith(".") and len(str(error.value)) > 30


def test_a_bomb_is_refused_by_its_header() -> None:
    with pytest.raises(ImageError, match="megapixels"):
        read_image(REJECTED["bomb"])


def test_the_limit_is_the_callers() -> None:
    assert read_image(PNG, max_pixels=HEIGHT * WIDTH).shape == NOISE.shape
    with pytest.raises(ImageError, match=f"{WIDTH} × {HEIGHT} pixels"):
        read_image(PNG, max_pixels=HEIGHT * WIDTH - 1)


SEEDS: dict[str, bytes] = {
    "png": PNG,
    "jpeg": saved(NOISE, "JPEG"),
    "webp": saved(NOISE, "WEBP"),
    "gif": saved(Image.fromarray(NOISE).convert("P"), "GIF"),
    "bmp": saved(NOISE, "BMP"),
    "tiff": saved(NOISE, "TIFF", compression="tiff_lzw"),
    "png16": opencv_png(COLOUR_16),
    "tiff16": tiff(COLOUR_16, photometric="rgb", compression="zlib"),
    "float": tiff(GREY_16.astype(np.float32)),
    "avif": saved(NOISE, "AVIF"),
}


@pytest.mark.parametrize("data", SEEDS.values(), ids=SEEDS)
def test_flipped_bytes_decode_or_are_refused(data: bytes) -> None:
    rng = np.random.default_rng(len(data))
    for _ in range(60):
        broken = np.frombuffer(data, np.uint8).copy()
        for place in rng.integers(0, min(len(broken), int(rng.choice([64, len(broken)]))), int(rng.integers(1, 9))):
            broken[place] = rng.integers(256)
        for read in (read_image, read_labels):
            try:
                array = read(broken.tobytes(), max_pixels=1_000_000)
            except ImageError:
                continue
            assert array.dtype == np.uint8 and array.size > 0


def test_a_path_is_read_and_a_missing_one_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), NOISE)
    np.testing.assert_array_equal(read_image(str(tmp_path / "a.png")), NOISE)
    for path in (tmp_path / "b.png", tmp_path):
        with pytest.raises(ImageError, match="cannot be read"):
            read_image(path)


def test_pictures_are_named_by_their_bytes() -> None:
    first, second = open_picture(PNG, "a"), open_picture(PNG, "b")
    assert first.sha256 == second.sha256 and len(first.sha256) == 64
    assert (first.name, second.name) == ("a", "b")


def test_labels_of_a_palette_are_its_indices() -> None:
    indexed = Image.frombytes("P", (WIDTH, HEIGHT), (GREY_8 % 21).tobytes())
    indexed.putpalette(RNG.integers(0, 256, 63, dtype=np.uint8).tobytes())
    np.testing.assert_array_equal(read_labels(saved(indexed, "PNG")), GREY_8 % 21)


def test_labels_of_grey_and_of_black_and_white() -> None:
    np.testing.assert_array_equal(read_labels(saved(GREY_8 % 9, "PNG")), GREY_8 % 9)
    foreground = GREY_8 > 99
    np.testing.assert_array_equal(read_labels(saved(foreground * np.uint8(255), "PNG")), foreground)
    np.testing.assert_array_equal(read_labels(saved(Image.fromarray(foreground), "PNG")), foreground)
    np.testing.assert_array_equal(read_labels(saved(in_three(GREY_8 % 9), "PNG")), GREY_8 % 9)
    np.testing.assert_array_equal(read_labels(saved((GREY_16 % 200), "PNG")), GREY_16 % 200)


def test_a_mask_of_two_grey_classes_is_not_black_and_white() -> None:
    np.testing.assert_array_equal(read_labels(saved(np.full((4, 4), 1, np.uint8), "PNG")), 1)
    assert not read_labels(saved(np.zeros((4, 4), np.uint8), "PNG")).any()


def test_masks_with_colours_or_large_values_are_refused() -> None:
    with pytest.raises(ImageError, match="colours"):
        read_labels(PNG)
    with pytest.raises(ImageError, match="beyond 255"):
        read_labels(saved(GREY_16, "PNG"))


def test_labels_hold_no_more_than_the_limit() -> None:
    with pytest.raises(ImageError, match="megapixels"):
        read_labels(saved(GREY_8, "PNG"), max_pixels=10)


def test_reading_warns_about_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for data in SEEDS.values():
            read_image(data)
