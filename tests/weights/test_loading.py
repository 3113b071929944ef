"""Loading: what fits arrives exactly, what does not is named, and nothing in a file is ever run."""

import os
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from segdemo.models import create_model
from segdemo.types import WeightsEntry
from segdemo.weights import CheckpointError, DownloadError, get_weights, load_model, tensorfiles, weights_path, wrappers
from segdemo.weights.cards import file_sha256

State = dict[str, Tensor]


@pytest.fixture
def entry() -> WeightsEntry:
    """A network of a few kilobytes; the hash of its file is not known."""
    return replace(get_weights("unet/nuclei"), options={"width": 2, "depth": 1, "num_classes": 1}, sha256="")


@pytest.fixture
def state(entry: WeightsEntry) -> State:
    return create_model("unet", **entry.options).state_dict()  # type: ignore[arg-type]


def _save_old(state: State, path: Path) -> None:
    torch.save(state, path, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize(("save", "name"), [(save_file, "w.safetensors"), (torch.save, "w.pth")])
def test_round_trip(entry: WeightsEntry, state: State, tmp_path: Path, save: Callable[..., None], name: str) -> None:
    halved = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
    save(halved, tmp_path / name)
    model = load_model(entry, tmp_path / name)
    (tmp_path / name).write_bytes(b"")  # the network must not depend on the file any more
    for key, value in model.state_dict().items():
        assert value.dtype == (torch.float32 if state[key].is_floating_point() else torch.int64)
        assert torch.equal(value, halved[key].to(value.dtype))
    assert not model.training and not any(p.requires_grad for p in model.parameters())
    assert model(torch.zeros(1, 3, 16, 16)).shape == (1, 1, 16, 16)


def test_auxiliary_classifier_is_dropped(entry: WeightsEntry, state: State, tmp_path: Path) -> None:
    torch.save(state | {"aux_classifier.0.weight": torch.ones(1)}, tmp_path / "w.pth")
    assert set(load_model(entry, tmp_path / "w.pth").state_dict()) == set(state)


def test_torchvision_checkpoint_loads_as_published(tmp_path: Path) -> None:
    from torchvision.models import segmentation

    published = segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None).eval()
    torch.save(published.state_dict(), tmp_path / "w.pth")
    model = load_model(replace(get_weights("lraspp_mobilenet_v3_large/coco-voc"), sha256=""), tmp_path / "w.pth")
    image = torch.rand(1, 3, 40, 56)
    with torch.inference_mode():
        torch.testing.assert_close(model(image), published(image)["out"])


def test_older_format_is_read_too(entry: WeightsEntry, state: State, tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    _save_old(state, path)
    for key, value in load_model(entry, path).state_dict().items():
        assert torch.equal(value, state[key])


def test_differences_are_named(entry: WeightsEntry, state: State, tmp_path: Path) -> None:
    changed = {key: value for key, value in state.items() if not key.startswith("bottleneck")}
    changed |= {
        "segmentation_head.weight": torch.ones(1, 5, 1, 1),
        "segmentation_head.bias": torch.ones(1).long(),
        "x": torch.ones(1),
    }
    save_file(changed, tmp_path / "w.safetensors")
    with pytest.raises(CheckpointError) as caught:
        load_model(entry, tmp_path / "w.safetensors")
    sentence = str(caught.value)
    assert "missing: bottleneck.0.weight" in sentence and "and 9 more" in sentence
    assert "unknown: x" in sentence and "segmentation_head.bias" in sentence
    assert "segmentation_head.weight 1×5×1×1 ≠ 1×2×1×1" in sentence


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
@pytest.mark.parametrize("keep", [0, 4, 100, 0.5, 0.99])
def test_truncated_file(entry: WeightsEntry, state: State, tmp_path: Path, name: str, keep: float) -> None:
    path = tmp_path / name
    save_file(state, path) if name.endswith("safetensors") else torch.save(state, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep if keep >= 1 else keep * len(content))])
    with pytest.raises(CheckpointError):
        load_model(entry, path)


class Malicious:
    """Unpickled without care, it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("kind", ["zip", "old", "plain pickle"])
def test_code_in_a_file_is_not_run(entry: WeightsEntry, state: State, tmp_path: Path, kind: str) -> None:
    path, folder = tmp_path / "w.pth", tmp_path / "was-run"
    content = {**state, "x": Malicious(folder)}
    if kind == "plain pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=kind == "zip")
    for known in ("", file_sha256(path)):
        with pytest.raises(CheckpointError):
            load_model(replace(entry, sha256=known), path)
    assert not folder.exists()


def test_file_that_claims_a_terabyte(entry: WeightsEntry, state: State, tmp_path: Path) -> None:
    torch.save(state | {"segmentation_head.bias": torch.zeros(1).expand(2**40)}, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match="larger than the file"):
        load_model(entry, tmp_path / "w.pth")


def test_packed_archive_is_refused(entry: WeightsEntry, state: State, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "w.pth")
    with zipfile.ZipFile(tmp_path / "w.pth") as plain, zipfile.ZipFile(tmp_path / "p.pth", "w", zipfile.ZIP_DEFLATED) as packed:
        for member in plain.namelist():
            packed.writestr(member, plain.read(member))
    with pytest.raises(CheckpointError, match="packed"):
        load_model(entry, tmp_path / "p.pth")


def test_too_many_tensors(entry: WeightsEntry, state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_file(state, tmp_path / "w.safetensors")
    for module in (wrappers, tensorfiles):
        monkeypatch.setattr(module, "MAX_TENSORS", 5)
    with pytest.raises(CheckpointError, match="more than 5 tensors"):
        load_model(entry, tmp_path / "w.safetensors")
    monkeypatch.setattr(tensorfiles, "MAX_DIRECTORY_BYTES", 50)
    monkeypatch.setattr(tensorfiles, "load_file", lambda path: pytest.fail("was read"))
    with pytest.raises(CheckpointError, match="more than 5 tensors"):
        load_model(entry, tmp_path / "w.safetensors")


@pytest.mark.parametrize("content", [[torch.ones(1)], {"model": {"a": torch.ones(1)}}, {1: torch.ones(1)}, 3])
def test_something_else_than_named_tensors(entry: WeightsEntry, tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match="something other"):
        load_model(entry, tmp_path / "w.pth")


def test_file_must_have_its_hash(entry: WeightsEntry, state: State, tmp_path: Path) -> None:
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(CheckpointError, match="damaged"):
        load_model(replace(entry, sha256="0" * 64), tmp_path / "w.safetensors")
    with pytest.raises(CheckpointError, match="does not exist"):
        load_model(entry, tmp_path / "absent.safetensors")


def test_damaged_download_makes_way_for_the_next(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEGDEMO_CACHE", str(tmp_path))
    entry = get_weights("lraspp_mobilenet_v3_large/coco-voc")
    with pytest.raises(DownloadError, match="not been downloaded"):
        load_model(entry)
    path = weights_path(entry)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="has been removed"):
        load_model(entry)
    assert not path.exists()
