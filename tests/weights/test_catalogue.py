"""The catalogue: every entry is true, and complete enough to be loaded."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from segdemo.errors import SettingError
from segdemo.models import create_model
from segdemo.types import WeightsEntry
from segdemo.weights import get_weights, is_present, list_weights, load_model, weights_path
from segdemo.weights.cards import file_sha256
from segdemo.weights.loading import build_on_meta
from segdemo.weights.palette import BACKGROUND, QUALITATIVE
from segdemo.weights.torchvision_weights import torchvision_entries

ENTRIES = list_weights()
BUNDLED = [entry for entry in ENTRIES if entry.bundled]
every_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.weights_id)
every_bundled = pytest.mark.parametrize("entry", BUNDLED, ids=lambda entry: entry.weights_id)
every_download = pytest.mark.parametrize("entry", torchvision_entries(), ids=lambda entry: entry.weights_id)


@every_entry
def test_entry_is_complete_and_its_parameters_are_counted(entry: WeightsEntry) -> None:
    model = build_on_meta(entry)
    assert entry.params == sum(parameter.numel() for parameter in model.parameters())
    assert not [name for name, _ in model.named_buffers() if name not in model.state_dict()], "would stay without memory"
    assert entry.weights_id.startswith(f"{entry.model}/")
    assert entry.title and entry.trained_on and entry.licence and entry.score_name and entry.size_bytes > 0
    assert entry.score is None or 0 < entry.score < 1
    assert len(entry.sha256) >= 8 and set(entry.sha256) <= set("0123456789abcdef")


@every_entry
def test_classes_can_be_told_apart(entry: WeightsEntry) -> None:
    if "ade20k" not in entry.weights_id:  # where every pixel belongs to something
        assert entry.classes[0].name == "background" and entry.classes[0].color == (0, 0, 0)
    assert len({c.name for c in entry.classes}) == len({c.color for c in entry.classes}) == len(entry.classes)
    assert entry.binary or entry.task == "reconstruct" or len(entry.classes) == entry.options["num_classes"]


@every_bundled
def test_bundled_file_is_the_one_of_its_card(entry: WeightsEntry) -> None:
    path = weights_path(entry)
    assert is_present(entry) and path.stat().st_size == entry.size_bytes
    assert file_sha256(path) == entry.sha256
    assert path.with_suffix(".json").is_file()
    model = load_model(entry)
    assert not model.training and not any(p.requires_grad or p.is_meta for p in model.parameters())


@every_download
def test_download_agrees_with_torchvision(entry: WeightsEntry) -> None:
    model = create_model(entry.model, num_classes=21)
    file_bytes = 4 * sum(value.numel() for value in model.state_dict().values())
    assert file_bytes < entry.size_bytes < file_bytes * 1.15, "the file also holds the auxiliary classifier"
    assert entry.url is not None and entry.sha256 in entry.url and len(entry.sha256) == 8
    assert {"TV monitor", "potted plant", "dining table", "person"} <= {c.name for c in entry.classes}


def test_bundled_come_first_then_small_downloads() -> None:
    ids = [entry.weights_id for entry in ENTRIES]
    assert ids[0] == "unet/nuclei" and len(set(ids)) == len(ids)
    assert [entry.bundled for entry in ENTRIES] == sorted((entry.bundled for entry in ENTRIES), reverse=True)
    sizes = [entry.size_bytes for entry in ENTRIES if not entry.bundled]
    assert sizes == sorted(sizes) and len(sizes) == 8


def test_listing_by_model_and_by_name() -> None:
    assert {entry.model for entry in list_weights("unet")} == {"unet"}
    assert list_weights("no such model") == []
    assert get_weights("fcn_resnet50/coco-voc").model == "fcn_resnet50"
    with pytest.raises(SettingError, match="unet/nuclei"):
        get_weights("unet/cats")


def test_cache_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEGDEMO_CACHE", str(tmp_path))
    path = weights_path(get_weights("fcn_resnet50/coco-voc"))
    assert path == tmp_path / "fcn_resnet50" / "coco-voc" / "fcn_resnet50_coco-1167a1af.pth"


# Machado, Oliveira, Fernandes 2009, severity 1: linear RGB as red-blind and green-blind people see it.
PROTANOPIA = ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998))
DEUTERANOPIA = ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))


@pytest.mark.parametrize(
    ("vision", "least"), [(np.eye(3), 10), (PROTANOPIA, 5), (DEUTERANOPIA, 5)], ids=["normal", "red-blind", "green-blind"]
)
def test_palette_is_far_apart_for_all_kinds_of_vision(vision: object, least: float) -> None:
    rgb = np.array([BACKGROUND, *QUALITATIVE]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ np.transpose(vision)
    linear = linear.clip(0, 1)
    lab = rgb2lab(np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055))
    assert min(deltaE_ciede2000(a, b) for a, b in itertools.combinations(lab, 2)) >= least
