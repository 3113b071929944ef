"""A data set from a stranger: paired by name, coded by its values, reported pair by pair, and never a danger."""

import io
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from segdemo.data import archive_limits
from segdemo.data.archive_limits import FolderStore, ZipStore
from segdemo.data.mask_coding import KEPT, MaskStatistics, MaskValues, decide, read_mask_values
from segdemo.data.open_set import open_data_set
from segdemo.data.pairing import pair_up
from segdemo.data.uploaded_set import PairedSource
from segdemo.errors import DataSetError, ImageError

Png = Callable[[np.ndarray], bytes]
RNG = np.random.default_rng(0)
MASK = np.zeros((20, 24), np.uint8)
MASK[4:12, 5:15] = 1


def picture(height: int = 20, width: int = 24) -> np.ndarray:
    return RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def zipped(tmp_path: Path, png: Png) -> Callable[[dict[str, np.ndarray | bytes]], Path]:
    """A ZIP of these files, arrays as PNG."""

    def make(files: dict[str, np.ndarray | bytes], name: str = "cells.zip") -> Path:
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for key, content in files.items():
                archive.writestr(key, content if isinstance(content, bytes) else png(content))
        return tmp_path / name

    return make


Zipped = Callable[..., Path]


def pairs(mask: np.ndarray = MASK * 255, count: int = 5) -> dict[str, np.ndarray | bytes]:
    files: dict[str, np.ndarray | bytes] = {}
    for number in range(count):
        files[f"images/{number}.png"] = picture()
        files[f"masks/{number}.png"] = mask
    return files


def problems(source: PairedSource) -> dict[str, str]:
    return {pair.name: pair.problem.text for pair in source.report.wrong if pair.problem}


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("images/a.jpg", "masks/a.png"),
        ("set/Images/a.jpg", "set/Masks/A.PNG"),
        ("a.jpg", "a_mask.png"),
        ("a.png", "a-labels.png"),
        ("x/a.tif", "x/mask_a.tif"),
        ("train/images/a.jpg", "train/masks/a_mask.png"),
        ("images/train/a.jpg", "annotations/train/a.png"),
        ("JPEGImages/a.jpg", "SegmentationClass/a.png"),
        ("images/a.jpg", "annotations/trimaps/a.png"),
        ("images/a_image.png", "images/a_mask.png"),
        ("data\\images\\a.png", "data\\masks\\a.png"),
    ],
)
def test_names_that_belong_together(image: str, mask: str) -> None:
    names = [image.replace("\\", "/"), mask.replace("\\", "/"), "README.md", "notes.txt"]
    pairing = pair_up(names)
    assert [(pair.image, pair.mask) for pair in pairing.pairs] == [tuple(names[:2])]
    assert not pairing.problems


def test_names_that_do_not() -> None:
    pairing = pair_up(["images/a.png", "masks/b.png", "images/c.png", "images/c.jpg", "masks/c.png"])
    assert [pair.key for pair in pairing.pairs] == ["c"]
    assert {name for name, _problem in pairing.problems} == {"images/a.png", "masks/b.png", "images/c.png"}


def test_splits_are_read_from_folders() -> None:
    names = [f"{split}/{kind}/{n}.png" for split in ("train", "val") for kind in ("images", "masks") for n in range(2)]
    assert [pair.split for pair in pair_up(names).pairs] == ["train", "train", "val", "val"]


def test_pairs_are_read_and_split(zipped: Zipped) -> None:
    source = PairedSource(zipped(pairs()))
    assert source.name == "cells" and source.class_names == ("background", "foreground")
    assert len(source.train) == 4 and len(source.val) == 1 and not set(source.train) & set(source.val)
    image, target, _kind = source.draw(np.random.default_rng(0))
    assert image.shape == (20, 24, 3)
    np.testing.assert_array_equal(target, MASK)
    assert not source.report.wrong and source.report.shares == pytest.approx((1 - 80 / 480, 80 / 480))
    assert "5" in source.report.notices[0].text
    assert source.describe()["sizes"] == {"24×20": 5}


def test_lists_of_the_archive_decide_the_split_and_the_names(zipped: Zipped) -> None:
    files = pairs() | {"train.txt": b"0\n1\n2\n", "val.txt": b"3\n4.png\n", "classes.txt": b"ground\ndisc\n"}
    source = PairedSource(zipped(files))
    assert (source.train, source.val) == (["0", "1", "2"], ["3", "4"])
    assert source.class_names == ("ground", "disc")
    assert PairedSource(zipped(files), ("a", "b")).class_names == ("a", "b")
    with pytest.raises(DataSetError, match="2 classes, and 3 names"):
        PairedSource(zipped(files), ("a", "b", "c"))


@pytest.mark.parametrize("folder", ["test", "val", "train"])
def test_a_split_with_one_side_empty_is_passed_over(zipped: Zipped, folder: str) -> None:
    source = PairedSource(zipped({f"{folder}/{name}": content for name, content in pairs().items()}))
    assert len(source.train) == 4 and len(source.val) == 1 and not set(source.train) & set(source.val)
    assert "every pair on one side" in source.report.notices[0].text


def test_a_listed_name_counts_in_every_folder(zipped: Zipped) -> None:
    files = {f"{folder}/{name}": content for folder in "ab" for name, content in pairs(count=2).items()}
    source = PairedSource(zipped(files | {"val.txt": b"b\\images\\1.png\n"}))
    assert (source.train, source.val) == (["a/0", "b/0"], ["a/1", "b/1"])


def test_a_damaged_list_is_reported_and_passed_over(zipped: Zipped) -> None:
    path = zipped(pairs() | {"classes.txt": b"ground\ndisc\n" * 20})
    data = bytearray(path.read_bytes())
    data[data.index(b"classes.txt") + len("classes.txt") + 2] ^= 0xFF
    path.write_bytes(data)
    source = PairedSource(path)
    assert "damaged" in problems(source)["classes.txt"]
    assert len(source.report.fine) == 5 and source.class_names == ("background", "foreground")


def test_one_pair_is_trained_and_measured_on(zipped: Zipped) -> None:
    source = PairedSource(zipped(pairs(count=1)))
    assert source.train == source.val == ["0"]
    assert "one pair only" in source.report.notices[0].text


def test_what_does_not_fit_is_named_and_the_rest_is_used(zipped: Zipped, png: Png) -> None:
    files = pairs() | {
        "images/large.png": picture(30, 24),
        "masks/large.png": MASK,
        "images/broken.png": b"no picture",
        "masks/broken.png": MASK * 255,
        "images/cut.png": picture(),
        "masks/cut.png": png(MASK)[:40],
        "images/alone.png": picture(),
        "masks/lonely.png": MASK,
        "__MACOSX/images/._0.png": b"clutter",
        "images/.DS_Store": b"clutter",
    }
    source = PairedSource(zipped(files))
    assert len(source.report.fine) == 5
    found = problems(source)
    assert set(found) == {"images/large.png", "images/broken.png", "images/cut.png", "images/alone.png", "masks/lonely.png"}
    assert found["images/large.png"] == "The image has 24 × 30 pixels, the mask 24 × 20."
    assert "no mask" in found["images/alone.png"] and "no image" in found["masks/lonely.png"]
    assert found["images/cut.png"].startswith("Mask: ")


def test_no_pairs_and_no_fitting_pairs(zipped: Zipped) -> None:
    with pytest.raises(DataSetError, match="No image has a mask of its name"):
        PairedSource(zipped({"a.png": picture(), "b.png": picture()}))
    with pytest.raises(DataSetError, match="No image has a mask"):
        PairedSource(zipped({}))
    with pytest.raises(DataSetError, match="Not one of 1 pairs can be used"):
        PairedSource(zipped({"images/a.png": picture(9, 9), "masks/a.png": MASK}))
    with pytest.raises(DataSetError, match="No mask can be read"):
        PairedSource(zipped({"images/a.png": picture(), "masks/a.png": b"nothing"}))


def coded(zipped: Zipped, *masks: np.ndarray | bytes) -> PairedSource:
    files: dict[str, np.ndarray | bytes] = {}
    for number, mask in enumerate(masks):
        files |= {f"images/{number}.png": picture(), f"masks/{number}.png": mask}
    return PairedSource(zipped(files))


def labels(source: PairedSource, number: int = 0) -> np.ndarray:
    return source.pictures(9)[number][1]


@pytest.mark.parametrize("values", [(0, 1), (0, 255), (0, 128), (0, 7)])
def test_two_values_are_background_and_foreground(zipped: Zipped, values: tuple[int, int]) -> None:
    source = coded(zipped, np.where(MASK > 0, *values[::-1]).astype(np.uint8), np.full_like(MASK, values[0]))
    np.testing.assert_array_equal(labels(source), MASK)
    assert not labels(source, 1).any() and len(source.class_names) == 2


def test_masks_with_1_beside_masks_with_255(zipped: Zipped) -> None:
    source = coded(zipped, MASK, MASK * 255)
    assert (labels(source) == MASK).all() and (labels(source, 1) == MASK).all()


def test_one_bit_masks(zipped: Zipped) -> None:
    buffer = io.BytesIO()
    Image.fromarray(MASK > 0).save(buffer, "PNG")
    np.testing.assert_array_equal(labels(coded(zipped, buffer.getvalue())), MASK)


def test_class_numbers_and_ignored_pixels(zipped: Zipped) -> None:
    mask = MASK * 3
    mask[0, 0], mask[0, 1] = 255, 1
    source = coded(zipped, mask, MASK)
    np.testing.assert_array_equal(labels(source), mask)
    assert len(source.class_names) == 4
    assert "class 2" in source.report.notices[0].text, "no pixel has it"


def test_greys_are_classes_in_their_order(zipped: Zipped) -> None:
    mask = MASK * 128
    mask[15:] = 255
    np.testing.assert_array_equal(labels(coded(zipped, mask)), np.where(mask == 255, 2, mask // 128))


def test_colours_are_classes(zipped: Zipped) -> None:
    mask = np.zeros((20, 24, 3), np.uint8)
    mask[4:12, 5:15] = (255, 0, 0)
    mask[14:18] = (0, 128, 255)
    empty = np.zeros((20, 24), np.uint8)  # saved as grey by whoever made it
    source = coded(zipped, mask, empty)
    assert source.class_names == ("background", "#0080ff", "#ff0000")
    assert labels(source)[5, 6] == 2 and labels(source)[15, 0] == 1 and not labels(source, 1).any()


def test_smoothed_colours_go_to_the_nearest_class(zipped: Zipped) -> None:
    mask = np.zeros((200, 24, 3), np.uint8)
    mask[40:120] = (255, 0, 0)
    mask[39, :2] = (90, 10, 0)
    files: dict[str, np.ndarray | bytes] = {"images/0.png": picture(200), "masks/0.png": mask}
    source = PairedSource(zipped(files))
    assert len(source.class_names) == 2 and labels(source)[39, 0] == 0 and labels(source)[60, 0] == 1
    assert "nearest class" in source.report.notices[0].text


def test_palettes_in_another_order_mean_colours(zipped: Zipped) -> None:
    def paletted(colours: list[int]) -> bytes:
        image = Image.fromarray(MASK).convert("P")
        image.putpalette(colours)
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        return buffer.getvalue()

    red, green, same = paletted([0, 0, 0, 255, 0, 0]), paletted([0, 0, 0, 0, 255, 0]), paletted([0, 0, 0, 255, 0, 0])
    assert coded(zipped, red, same).class_names == ("background", "foreground")
    source = coded(zipped, red, green)
    assert source.class_names == ("background", "#00ff00", "#ff0000")
    assert labels(source).max() == 2 and labels(source, 1).max() == 1


def test_a_void_border_counts_nowhere(zipped: Zipped) -> None:
    mask = np.zeros((20, 24, 3), np.uint8)
    mask[4:12], mask[3] = (128, 0, 0), (224, 224, 192)
    source = coded(zipped, mask)
    assert source.class_names == ("background", "foreground")
    assert (labels(source)[3] == 255).all() and (labels(source)[5] == 1).all()
    assert source.report.shares == pytest.approx((11 / 19, 8 / 19))


@pytest.mark.parametrize("place", [np.s_[32:64, 32:64], np.s_[35:61, 30:70]])
def test_a_jpeg_mask_is_cut_at_half(zipped: Zipped, place: tuple[slice, slice]) -> None:
    large = np.zeros((96, 96), np.uint8)
    large[place] = 255
    buffer = io.BytesIO()
    Image.fromarray(large).save(buffer, "JPEG", quality=70)
    values = np.asarray(Image.open(io.BytesIO(buffer.getvalue())))
    assert 1 in values, "not black any more"
    source = PairedSource(zipped({"images/a.png": picture(96, 96), "masks/a.jpg": buffer.getvalue()}))
    np.testing.assert_array_equal(labels(source), values > 127)
    assert "cut at half" in source.report.notices[0].text


def test_numbered_objects_are_foreground(zipped: Zipped) -> None:
    numbers = np.zeros((20, 24), np.uint16)
    numbers.flat[:300] = np.arange(1, 301)
    source = coded(zipped, numbers.astype(np.uint16))
    np.testing.assert_array_equal(labels(source), (numbers > 0).astype(np.uint8))
    assert "every object counts as foreground" in source.report.notices[0].text


def test_very_many_objects_take_neither_a_table_nor_memory() -> None:
    mask = MaskValues(np.arange(65_536, dtype=np.int32).reshape(256, 256))
    statistics = mask.statistics()
    assert len(statistics.counts) == KEPT + 1 and sum(statistics.counts.values()) == 65_536
    coding = decide([statistics])
    assert coding.objects and not coding.table
    np.testing.assert_array_equal(coding.labels(mask), mask.values > 0)


def test_a_mask_of_very_many_values_is_none() -> None:
    with pytest.raises(DataSetError, match="10000 colours"):
        MaskValues(np.arange(10_000, dtype=np.int32)[None], colour=True).statistics()
    with pytest.raises(DataSetError, match="90000 different greys"):
        MaskValues(np.arange(90_000, dtype=np.int32)[None]).statistics()


def test_of_many_rare_colours_little_is_kept() -> None:
    values = np.zeros((1000, 100), np.int32)
    values[:500], values.flat[:1000] = 0xFF0000, np.arange(1, 1001)
    mask = MaskValues(values, colour=True)
    statistics = mask.statistics()
    assert len(statistics.counts) == KEPT and sum(statistics.counts.values()) + statistics.others == values.size
    coding = decide([statistics])
    assert "nearest class" in coding.notices[0].text
    labels = coding.labels(mask)
    assert not labels[:10].any() and labels[10:500].all() and not labels[500:].any()


def encoded(pixels: np.ndarray, kind: str = "TIFF") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", [np.float32, np.uint16, np.int32])
def test_deep_masks_keep_their_numbers(zipped: Zipped, kind: type[np.number]) -> None:
    numbers = MASK.astype(kind) * kind(2)
    numbers[0, 0] = 1
    np.testing.assert_array_equal(read_mask_values(encoded(numbers), max_pixels=1000).values, numbers)
    files: dict[str, np.ndarray | bytes] = {"images/a.png": picture(), "masks/a.tif": encoded(numbers)}
    np.testing.assert_array_equal(labels(PairedSource(zipped(files))), numbers)


@pytest.mark.parametrize(("value", "words"), [(0.5, "not whole"), (-1, "below 0"), (np.nan, "not whole"), (3e9, "not whole")])
def test_floats_that_are_no_numbers_of_classes(value: float, words: str) -> None:
    numbers = MASK.astype(np.float32)
    numbers[0, 0] = value
    with pytest.raises(ImageError, match=words):
        read_mask_values(encoded(numbers), max_pixels=1000)


@pytest.mark.parametrize("ending", [".png", ".tiff"])
def test_colours_of_16_bits_are_no_mask(ending: str) -> None:
    colours = np.repeat(MASK[..., None], 3, axis=2).astype(np.uint16)
    with pytest.raises(ImageError, match="16 bits"):
        read_mask_values(cv2.imencode(ending, colours)[1].tobytes(), max_pixels=1000)


def test_photographs_are_no_masks() -> None:
    with pytest.raises(DataSetError, match="different greys"):
        decide([MaskStatistics({value: 5 for value in range(0, 256, 2)})])
    with pytest.raises(DataSetError, match="300 colours"):
        decide([MaskStatistics({value * 7: 5 for value in range(300)}, colour=True)])
    with pytest.raises(DataSetError, match="nothing to learn"):
        decide([MaskStatistics({0: 100}), MaskStatistics({0: 100})])


def test_a_large_picture_is_kept_at_the_size_that_networks_are_given(zipped: Zipped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segdemo.data.uploaded_set.WORKING_PIXELS", 120)
    source = coded(zipped, MASK)
    image, target, _kind = source.pictures(1)[0]
    assert image.shape[:2] == target.shape and target.size <= 130
    assert source.report.fine[0].size == (20, 24)


def test_pairs_beyond_the_cache_are_read_again(zipped: Zipped) -> None:
    path = zipped(pairs())
    kept, bare = PairedSource(path), PairedSource(path, cache_bytes=0)
    for one, other in zip(kept.pictures(5), bare.pictures(5), strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def test_progress_is_told(zipped: Zipped) -> None:
    told: list[float] = []
    PairedSource(zipped(pairs()), on_progress=told.append)
    assert told == sorted(told) and told[0] == 0 and 0.8 < told[-1] < 1


# Hostile archives.


def test_names_that_lead_out_are_refused_and_nothing_is_written(zipped: Zipped, tmp_path: Path) -> None:
    evil = {f"{way}masks/0.png": MASK for way in ("../", "/", "C:/", "images/../../")}
    path = zipped(pairs() | evil)
    before = sorted(tmp_path.rglob("*"))
    found = problems(PairedSource(path))
    assert len(found) == 4 and all("leads out" in problem for problem in found.values())
    assert sorted(tmp_path.rglob("*")) == before


def test_two_members_of_one_name(tmp_path: Path, png: Png) -> None:
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("images/a.png", "masks/a.png", "masks/a.png"):
            archive.writestr(name, png(picture() if "images" in name else MASK))
    assert "two files" in problems(PairedSource(tmp_path / "a.zip"))["masks/a.png"]


def test_links_and_other_packings_are_refused(tmp_path: Path, png: Png) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        link = zipfile.ZipInfo("images/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("images/a.png", png(picture()))
        archive.writestr("masks/a.png", png(MASK), zipfile.ZIP_LZMA)
    store = ZipStore(tmp_path / "a.zip")
    assert store.names() == ["images/a.png"]
    assert {name: notice.text.split(",")[0] for name, notice in store.refused} == {
        "images/link.png": "This is a link",
        "masks/a.png": "This file is packed in a way that is not read here: make an ordinary ZIP.",
    }


def test_an_encrypted_member_is_refused(zipped: Zipped) -> None:
    path = zipped(pairs(count=1))
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\1\2")
    data[entry + 8] |= 1
    path.write_bytes(data)
    assert "encrypted" in ZipStore(path).refused[0][1].text


def test_a_bomb_is_known_by_its_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images/a.bmp", bytes(3_000_000))
    monkeypatch.setattr(archive_limits, "SMALL_BYTES", 1_000_000)
    with pytest.raises(DataSetError, match="times its size"):
        ZipStore(path)
    monkeypatch.setattr(archive_limits, "MAX_UNPACKED_BYTES", 2_000_000)
    with pytest.raises(DataSetError, match=r"takes 0\.0 GB"):
        ZipStore(path)


def test_a_member_that_lies_about_its_size_is_not_unpacked_further(tmp_path: Path) -> None:
    path = tmp_path / "lie.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images/a.bmp", bytes(3_000_000))
    data = bytearray(path.read_bytes())
    struct.pack_into("<L", data, data.index(b"PK\1\2") + 24, 1000)
    path.write_bytes(data)
    with pytest.raises(DataSetError, match="damaged in the archive"):
        ZipStore(path).read("images/a.bmp")


def test_a_member_alone_too_large_is_refused(zipped: Zipped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_limits, "MAX_MEMBER_BYTES", 500)
    store = ZipStore(zipped(pairs(count=1)))
    assert store.names() == ["masks/0.png"] and "larger than" in store.refused[0][1].text


def test_too_many_members_or_too_long_a_directory(zipped: Zipped, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(pairs())
    monkeypatch.setattr(archive_limits, "MAX_DIRECTORY_BYTES", 100)
    with pytest.raises(DataSetError, match="list of files in this ZIP takes"):
        ZipStore(path)
    monkeypatch.undo()
    monkeypatch.setattr(archive_limits, "MAX_MEMBERS", 9)
    with pytest.raises(DataSetError, match="more than 9 files"):
        ZipStore(path)


def test_the_format_of_very_large_archives(zipped: Zipped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    with pytest.raises(DataSetError, match="ZIP64"):
        ZipStore(zipped(pairs()))


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all" * 10, b"PK\5\6" + bytes(10)])
def test_what_is_no_zip(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataSetError, match="not a ZIP"):
        ZipStore(tmp_path / "a.zip")


def test_a_zip_cut_anywhere_is_a_sentence(zipped: Zipped, tmp_path: Path) -> None:
    data = zipped(pairs(count=2)).read_bytes()
    for place in range(0, len(data), 97):
        (tmp_path / "cut.zip").write_bytes(data[place:])
        try:
            PairedSource(tmp_path / "cut.zip")
        except DataSetError as error:
            assert str(error)
        (tmp_path / "cut.zip").write_bytes(data[:place])
        with pytest.raises(DataSetError):
            PairedSource(tmp_path / "cut.zip")


def test_limits_on_pairs_and_pixels(zipped: Zipped, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(pairs())
    monkeypatch.setattr("segdemo.data.uploaded_set.MAX_PAIRS", 3)
    source = PairedSource(path)
    assert len(source.report.fine) == 3 and "first 3 pairs" in source.report.notices[0].text
    monkeypatch.setattr("segdemo.data.uploaded_set.MAX_PIXELS", 1000)
    with pytest.raises(DataSetError, match="megapixels"):
        PairedSource(path)


# Folders, and whatever a command line names.


def test_a_folder_is_read_like_a_zip_and_links_are_not_followed(tmp_path: Path, png: Png) -> None:
    for name, content in pairs(count=3).items():
        path = tmp_path / "cells" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(content) if isinstance(content, np.ndarray) else content)
    (tmp_path / "cells" / "images" / "x.png").symlink_to(tmp_path / "cells" / "images" / "0.png")
    assert "images/x.png" not in FolderStore(tmp_path / "cells").names()
    source = open_data_set(str(tmp_path / "cells"))
    assert isinstance(source, PairedSource) and source.name == "cells" and len(source.report.fine) == 3
    assert not source.report.wrong


def test_generated_sets_by_name() -> None:
    source = open_data_set("nuclei")
    image, target, kind = source.draw(np.random.default_rng(3))
    again = source.draw(np.random.default_rng(3))
    np.testing.assert_array_equal(image, again[0])
    assert image.shape[:2] == target.shape and kind in ("fluorescence", "stained") and target.max() == 1
    assert open_data_set("shapes").name == "shapes"
    with pytest.raises(DataSetError, match="There is no"):
        open_data_set("nothing")
