"""segdemo.data.sources: folders and generators look the same; what is wrong with a folder is named."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segdemo.data.sources import FolderSource, ShapesSource, open_source
from segdemo.errors import DataSetError

RNG = np.random.default_rng(0)


def write(root: Path, identifier: str, size: tuple[int, int] = (20, 24), highest: int = 1) -> None:
    Image.fromarray(RNG.integers(0, 256, (*size, 3), dtype=np.uint8)).save(root / "images" / f"{identifier}.png")
    mask = np.zeros(size, np.uint8)
    mask[2:9, 3:9] = highest
    Image.fromarray(mask).save(root / "masks" / f"{identifier}.png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "cells"
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    for identifier in ("a 1", "b", "c", "d", "e", "f"):
        write(root, identifier)
    (root / "train.txt").write_text("\ufeffa 1\r\nb\r\nc\r\n\r\nd\r\n", encoding="utf-8")
    (root / "val.txt").write_text("e\nf\n", encoding="utf-8")
    (root / "kinds.tsv").write_text("a 1\trare\nb\tcommon\nc\tcommon\nd\tcommon\ne\tcommon\nnonsense\n", encoding="utf-8")
    (root / "README.md").write_text("# Cells\n\nLicence: CC0-1.0, as far as we know\n", encoding="utf-8")
    return root


def test_a_folder_gives_pictures_and_exact_targets(folder: Path) -> None:
    source = open_source(str(folder))
    assert (source.name, source.licence) == ("cells", "CC0-1.0")
    samples = list(source.validation())
    assert [kind for _, _, kind in samples] == ["common", "all"]
    image, target, _ = samples[0]
    np.testing.assert_array_equal(image, np.asarray(Image.open(folder / "images" / "e.png")))
    assert target.sum() == 42 and target.dtype == np.uint8
    assert source.describe() == {
        "train": 4, "validation": 2, "train_kinds": {"common": 3, "rare": 1}, "validation_kinds": {"all": 1, "common": 1},
    }  # fmt: skip


def test_ids_may_hold_spaces(folder: Path) -> None:
    assert FolderSource(folder).splits["train"] == ["a 1", "b", "c", "d"]


def test_rare_kinds_are_drawn_more_often(folder: Path) -> None:
    source, rng = FolderSource(folder), np.random.default_rng(0)
    drawn = Counter(source.draw(rng)[2] for _ in range(600))
    # One rare and three common pictures, square root: 1 to 3/√3.
    assert drawn["rare"] / 600 == pytest.approx(1 / (1 + 3**0.5), abs=0.05)


def test_the_same_seed_draws_the_same_pictures(folder: Path) -> None:
    first, second = ([s.draw(rng)[0].sum() for _ in range(9)] for s, rng in
                     ((FolderSource(folder), np.random.default_rng(5)) for _ in range(2)))  # fmt: skip
    assert first == second


def test_without_readme_and_kinds(folder: Path) -> None:
    (folder / "README.md").unlink()
    (folder / "kinds.tsv").unlink()
    source = FolderSource(folder)
    assert source.licence == "not stated"
    assert {kind for _, _, kind in source.validation()} == {"all"}


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "no train.txt": (lambda root: (root / "train.txt").unlink(), "train.txt is missing"),
    "no val.txt": (lambda root: (root / "val.txt").unlink(), "val.txt is missing"),
    "empty split": (lambda root: (root / "val.txt").write_text("\n \n"), "lists no pictures"),
    "no images": (lambda root: (root / "images").rename(root / "pictures"), "images is missing"),
    "no masks": (lambda root: (root / "masks").rename(root / "labels"), "masks is missing"),
    "image missing": (lambda root: (root / "images" / "b.png").unlink(), "train.txt names b,"),
    "mask missing": (lambda root: (root / "masks" / "f.png").unlink(), "val.txt names f,"),
    "split of another encoding": (lambda root: (root / "train.txt").write_bytes(b"\xff\xfe\xe9\n"), "train.txt names"),
}


@pytest.mark.parametrize(("spoil", "words"), BROKEN.values(), ids=BROKEN)
def test_the_first_thing_that_is_wrong_is_named(folder: Path, spoil: Callable[[Path], object], words: str) -> None:
    spoil(folder)
    with pytest.raises(DataSetError, match=words):
        FolderSource(folder)


def test_a_mask_of_another_size(folder: Path) -> None:
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(folder / "masks" / "e.png")
    with pytest.raises(DataSetError, match="of e have different sizes"):
        list(FolderSource(folder).validation())


def test_a_class_beyond_those_named(folder: Path) -> None:
    write(folder, "f", highest=3)
    with pytest.raises(DataSetError, match="of f holds class 3"):
        list(FolderSource(folder).validation())
    assert len(list(FolderSource(folder, ("background", "a", "b", "c")).validation())) == 2


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match="no folder"):
        open_source(str(tmp_path / "nowhere"))


def test_generated_scenes_look_the_same_as_a_folder() -> None:
    source = ShapesSource(size=32, validation_count=3)
    first, second = list(source.validation()), list(source.validation())
    assert len(first) == 3
    assert all((a[0] == b[0]).all() and (a[1] == b[1]).all() for a, b in zip(first, second, strict=True))
    image, target, kind = source.draw(np.random.default_rng(0))
    assert image.shape == (32, 32, 3) and target.shape == (32, 32) and kind == "scene"
    assert source.describe()["validation"] == 3
    assert open_source("shapes").name == "shapes"
