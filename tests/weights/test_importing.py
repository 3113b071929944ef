"""Importing: what surrounds a state dict is taken off, what it says is kept, and the catalogue finds it again."""

import io
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from segdemo.data.preprocessing import to_input
from segdemo.errors import SettingError
from segdemo.inference import Engine
from segdemo.models import create_model
from segdemo.types import Preprocessing
from segdemo.weights import (
    CheckpointError,
    UnknownLayoutError,
    answered,
    draft_of_file,
    draft_of_upload,
    folder_files,
    get_weights,
    import_checkpoint,
    is_present,
    keep,
    list_weights,
    load_model,
    register,
    weights_path,
)  # fmt: skip
from segdemo.weights import imported as registry
from segdemo.weights.class_names import guess_classes, named_classes
from segdemo.weights.palette import QUALITATIVE, distinct_colors

from .reference_networks import Recorder, jvanvugt, milesial

State = dict[str, Tensor]


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache and a folder of the visitor's own, both empty; nothing registered."""
    monkeypatch.setenv("SEGDEMO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SEGDEMO_WEIGHTS_DIR", str(tmp_path / "mine"))
    registry._registered.clear()
    (tmp_path / "mine").mkdir()
    return tmp_path / "mine"


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(1)
    return create_model("unet", width=4, depth=2, num_classes=3)


@pytest.fixture
def state(network: nn.Module) -> State:
    return dict(network.state_dict())


def saved(content: object, current: bool = True) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=current)
    return buffer.getvalue()


WRAPPINGS: dict[str, Callable[[State], object]] = {
    "plain": lambda s: s,
    "state_dict": lambda s: {"state_dict": s, "epoch": 5, "best": 0.5},
    "model_state_dict": lambda s: {"optimizer": {"state": {0: {"m": torch.ones(3)}}}, "model_state_dict": s},
    "model": lambda s: {"model": s},
    "network_weights": lambda s: {"network_weights": s, "logging": {"loss": [1.0, 2.0]}},
    "nested": lambda s: {"checkpoint": 1, "state_dict": {"model": s}},
    "data parallel": lambda s: {f"module.{k}": v for k, v in s.items()},
    "compiled, parallel": lambda s: {f"module._orig_mod.{k}": v for k, v in s.items()},
    "lightning": lambda s: {"state_dict": {f"model.{k}": v for k, v in s.items()}, "pytorch-lightning_version": "2.4"},
    "parameters": lambda s: {k: nn.Parameter(v) if v.is_floating_point() else v for k, v in s.items()},
    "with numbers of numpy": lambda s: {"state_dict": s, "score": np.float64(0.9), "array": np.ones(3)},
    "with what is no tensor": lambda s: {**s, "mask_values": [0, 1]},
}


@pytest.mark.parametrize("current", [True, False], ids=["zip", "older format"])
@pytest.mark.parametrize("wrapping", WRAPPINGS.values(), ids=WRAPPINGS)
def test_what_surrounds_the_state_dict_is_taken_off(wrapping: Callable[[State], object], current: bool, state: State) -> None:
    imported = import_checkpoint(saved(wrapping(state), current))
    assert imported.model == "unet" and imported.options["depth"] == 2
    assert set(imported.state) == set(state)
    assert all(torch.equal(imported.state[key], value) for key, value in state.items())


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_version_of_pickle(protocol: int, state: State) -> None:
    buffer = io.BytesIO()
    torch.save({"state_dict": state}, buffer, pickle_protocol=protocol)
    assert set(import_checkpoint(buffer.getvalue()).state) == set(state)


def test_a_network_saved_as_a_whole(network: nn.Module, state: State) -> None:
    imported = import_checkpoint(saved(network))
    assert all(torch.equal(imported.state[key], value) for key, value in state.items())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("ending", ["pth", "safetensors", "bin"])
def test_other_precisions_become_float32_whatever_the_ending(
    dtype: torch.dtype, ending: str, state: State, tmp_path: Path
) -> None:
    other = {key: value.to(dtype) if value.is_floating_point() else value for key, value in state.items()}
    path = tmp_path / f"w.{ending}"
    save_file(other, path) if ending == "bin" else torch.save(other, path)  # endings are not what tells them apart
    imported = import_checkpoint(str(path))
    assert {v.dtype for v in imported.state.values()} == {torch.float32, torch.int64}
    assert all(torch.equal(imported.state[key], value.to(imported.state[key].dtype)) for key, value in other.items())


def test_views_and_shared_memory_arrive_as_they_are(state: State) -> None:
    state["segmentation_head.weight"] = torch.randn(4, 3, 1, 1).transpose(0, 1)
    imported = import_checkpoint(saved(state))
    assert torch.equal(imported.state["segmentation_head.weight"], state["segmentation_head.weight"])


def test_the_result_does_not_depend_on_the_file(state: State, tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    torch.save(state, path)
    imported = import_checkpoint(path)
    path.write_bytes(b"gone")
    assert all(torch.equal(imported.state[key], value) for key, value in state.items())


def test_counters_of_old_checkpoints_may_be_missing(state: State) -> None:
    without = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    assert set(import_checkpoint(saved(without)).state) == set(state)


def test_what_the_visitor_should_know_is_said(state: State) -> None:
    said = " ".join(notice.text for notice in import_checkpoint(saved({**state, "epoch": 3})).notes)
    assert "left out: epoch" in said
    state["segmentation_head.bias"] = torch.tensor([float("nan"), 0, 1])
    with pytest.raises(CheckpointError, match="not numbers"):
        import_checkpoint(saved(state))
    four = create_model("unet", width=4, depth=1, in_channels=4).state_dict()
    assert "takes 4 channels" in " ".join(notice.text for notice in import_checkpoint(saved(four)).notes)


def test_unknown_names_can_be_matched_by_order(state: State) -> None:
    renamed = {f"part{i}.{key.rpartition('.')[2]}": value for i, (key, value) in enumerate(state.items())}
    with pytest.raises(UnknownLayoutError) as caught:
        import_checkpoint(saved(renamed))
    assert caught.value.nearest == "" and len(caught.value.shapes) == len(renamed)
    with pytest.raises(UnknownLayoutError, match="SegNet") as caught:
        import_checkpoint(saved(renamed), model="segnet")
    assert caught.value.mismatched or caught.value.missing
    imported = import_checkpoint(saved(renamed), model="unet")
    assert all(torch.equal(imported.state[key], value) for key, value in state.items())
    assert "order and shapes" in imported.notes[0].text
    with pytest.raises(SettingError, match="no architecture"):
        import_checkpoint(saved(renamed), model="none")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [({"w": torch.ones(3, 3, 3, 3, 3)}, "volumes"), ({"w": torch.ones(3, 3)}, "no convolution"), ({}, "something other")],
)
def test_networks_of_another_kind(content: object, sentence: str) -> None:
    with pytest.raises(CheckpointError, match=sentence):
        import_checkpoint(saved(content))


def test_too_many_classes_or_channels() -> None:
    with pytest.raises(CheckpointError, match="300 classes"):
        import_checkpoint(saved(create_model("unet", width=2, depth=1, num_classes=300).state_dict()))


def test_a_bias_of_another_length_than_what_would_take_it_in() -> None:
    net = Recorder()
    milesial(net, torch.randn(1, 3, 32, 32), width=4, classes=2, depth=2)
    bias, mean = "inc.double_conv.0.bias", net.state["inc.double_conv.1.running_mean"]
    imported = import_checkpoint(saved({**net.state, bias: torch.ones(4)}))
    assert torch.equal(imported.state["encoder.0.1.running_mean"], mean - 1)
    with pytest.raises(UnknownLayoutError) as caught:
        import_checkpoint(saved({**net.state, bias: torch.ones(5)}))
    assert caught.value.mismatched == (f"{bias} 5 ≠ 4",)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        import_checkpoint(tmp_path / "none.pth")


# ── In the catalogue ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_upload_is_found_loaded_and_used_but_not_listed(state: State, network: nn.Module) -> None:
    draft = draft_of_upload(import_checkpoint(saved(state)), "cells.pth")
    entry = answered(draft, named_classes(["background", "cell", "wall"]))
    register(entry)
    assert entry.weights_id.startswith("unet/imported-") and len(entry.weights_id) == len("unet/imported-") + 16
    assert get_weights(entry.weights_id) is entry and is_present(entry) and not entry.bundled
    assert entry not in list_weights()
    image = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(load_model(entry)(image), network.eval()(image))
    prediction = Engine("cpu").predict(np.zeros((40, 50, 3), np.uint8), entry.weights_id)
    assert prediction.preds.shape == (40, 50) and [c.name for c in prediction.classes] == ["background", "cell", "wall"]


def test_other_answers_are_other_weights_and_the_same_are_the_same(state: State) -> None:
    draft = draft_of_upload(import_checkpoint(saved(state)), "cells.pth")
    first = answered(draft, draft.classes)
    assert answered(draft, draft.classes) == first
    others = [
        answered(replace(draft, preprocessing=replace(draft.preprocessing, channel_order="bgr")), draft.classes),
        answered(replace(draft, title="b"), draft.classes),
        answered(draft, named_classes(["x", "y", "z"])),
    ]
    assert len({entry.weights_id for entry in (first, *others)}) == 4


def test_a_kept_upload_outlives_the_process(state: State) -> None:
    draft = draft_of_upload(import_checkpoint(saved(state)), "cells.pth")
    entry = answered(replace(draft, preprocessing=replace(draft.preprocessing, short_side=64)), draft.classes)
    assert keep(entry)
    registry._registered.clear()  # as after a restart
    again = get_weights(entry.weights_id)
    assert (again.preprocessing, again.classes, again.file) == (entry.preprocessing, entry.classes, entry.file)
    assert load_model(again)
    with pytest.raises(SettingError):
        get_weights("unet/imported-../../etc")


def test_a_file_of_the_folder_stays_as_it_is_and_has_a_card_beside_it(places: Path) -> None:
    net, image = Recorder(), torch.randn(1, 3, 32, 32)
    expected = jvanvugt(net, image, width=4, classes=2)
    path = places / "vessels.pth"
    torch.save(net.state, path)
    content = path.read_bytes()
    draft = draft_of_file(import_checkpoint(path), path)
    entry = answered(draft, draft.classes)
    assert [p.name for p in places.iterdir()] == ["vessels.pth"], "looking writes nothing"
    assert keep(entry) and path.read_bytes() == content
    registry._registered.clear()
    (listed,) = [e for e in list_weights() if e.file]
    assert listed.weights_id == entry.weights_id and weights_path(listed) == path
    with torch.inference_mode():
        torch.testing.assert_close(load_model(listed)(image), expected, rtol=1e-3, atol=1e-3)


def test_a_file_that_was_exchanged_is_not_used_with_old_answers(places: Path, state: State) -> None:
    path = places / "w.pth"
    torch.save(state, path)
    draft = draft_of_file(import_checkpoint(path), path)
    keep(answered(draft, draft.classes))
    torch.save({key: value + 1 for key, value in state.items()}, path)
    (listed,) = [e for e in list_weights() if e.file]
    with pytest.raises(CheckpointError, match="not the one that its card describes"):
        load_model(listed)


def test_the_folder_may_hold_anything(places: Path) -> None:
    (places / "notes.txt").write_text("text")
    (places / "bad.pth").write_bytes(b"bad")
    (places / "bad.pth.segdemo.json").write_text(json.dumps([1]))
    (places / "sub.pth").mkdir()
    assert [path.name for path in folder_files()] == ["bad.pth"]
    assert [entry for entry in list_weights() if entry.file] == []


def test_a_folder_that_cannot_be_written_to(places: Path, state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object) -> None:
        raise PermissionError(13, "no")

    torch.save(state, places / "w.pth")
    draft = draft_of_file(import_checkpoint(places / "w.pth"), places / "w.pth")
    monkeypatch.setattr(registry, "write_card", fail)
    assert not keep(draft) and get_weights(draft.weights_id) is draft, "for as long as this process lives"


def test_a_cache_that_cannot_be_written_to(state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("SEGDEMO_CACHE", str(tmp_path / "file"))
    draft = draft_of_upload(import_checkpoint(saved(state)), "w.pth")
    assert draft.file is not None and draft.file.is_file() and tmp_path not in draft.file.parents


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), SafetensorError("I/O error")])
def test_what_could_not_be_saved_leaves_nothing_behind(
    error: Exception, state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_state: State, path: Path) -> None:
        path.write_bytes(b"half")
        raise error

    monkeypatch.setattr(registry, "save_file", fail)
    with pytest.raises(CheckpointError, match=r"cannot be kept on this machine: (No space left|SafetensorError)"):
        draft_of_upload(import_checkpoint(saved(state)), "w.pth")
    assert not list((tmp_path / "cache" / "imported").iterdir())


def test_what_others_left_behind_is_swept(state: State, tmp_path: Path) -> None:
    draft = draft_of_upload(import_checkpoint(saved(state)), "w.pth")
    entry = answered(draft, draft.classes)
    assert keep(entry) and draft.file is not None
    folder = draft.file.parent
    draft.file.unlink()
    (folder / "old.part").write_bytes(b"half")
    os.utime(folder / "old.part", (0, 0))
    (folder / "new.part").write_bytes(b"being written")
    state["segmentation_head.bias"] = torch.ones(3)
    other = draft_of_upload(import_checkpoint(saved(state)), "w.pth")
    assert other.file is not None and keep(answered(other, other.classes))
    draft_of_upload(import_checkpoint(saved({**state, "segmentation_head.bias": torch.zeros(3)})), "w.pth")
    names = {path.name for path in folder.iterdir()}
    assert "old.part" not in names and f"{entry.weights_id.rpartition('/')[2]}.json" not in names
    assert {"new.part", other.file.name, f"{answered(other, other.classes).weights_id.rpartition('/')[2]}.json"} <= names


def test_a_name_belongs_to_one_entry(state: State) -> None:
    draft = draft_of_upload(import_checkpoint(saved(state)), "cells.pth")
    entry = answered(draft, draft.classes)
    assert keep(entry)
    register(replace(entry, card={}))  # the same answers
    for _restart in range(2):
        with pytest.raises(CheckpointError, match="have the name"):
            register(replace(entry, title="another"))
        with pytest.raises(CheckpointError, match="have the name"):
            keep(replace(entry, title="another"))
        registry._registered.clear()
    assert get_weights(entry.weights_id).title == entry.title


def test_the_oldest_uploads_make_room(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts = []
    for number in range(3):
        state["segmentation_head.bias"] = torch.full((3,), float(number))
        drafts.append(draft_of_upload(import_checkpoint(saved(state)), "w.pth"))
        os.utime(str(drafts[-1].file), (number, number))
        monkeypatch.setattr(registry, "MAX_KEPT_BYTES", 2.5 * drafts[0].size_bytes)
    assert [is_present(draft) for draft in drafts] == [False, True, True]


def test_what_is_guessed_about_classes() -> None:
    assert [c.name for c in guess_classes(1)] == ["background", "foreground"]
    assert guess_classes(21)[15].name == "person" and guess_classes(19)[0].name == "road"
    assert [c.name for c in guess_classes(4)] == ["background", "class 1", "class 2", "class 3"]
    assert all(len(set(distinct_colors(n))) == n for n in (2, 21, 60, 254))
    assert distinct_colors(21)[1:] == QUALITATIVE


# ── Preprocessing ─────────────────────────────────────────────────────────────────────────────────────────────────────

IMAGE = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
PIXELS = torch.from_numpy(IMAGE.astype(np.float32)).permute(2, 0, 1)[None]


def prepared(**settings: object) -> Tensor:
    return to_input(IMAGE, Preprocessing(multiple_of=1, **settings))[0]  # type: ignore[arg-type]


def test_blue_first_with_the_mean_in_the_networks_order() -> None:
    tensor = prepared(mean=(104.0, 116.0, 122.0), std=(1.0, 1.0, 1.0), value_range=255, channel_order="bgr")
    expected = PIXELS.flip(1) - torch.tensor([104.0, 116.0, 122.0])[:, None, None]
    torch.testing.assert_close(tensor, expected, rtol=1e-5, atol=1e-4)


def test_raw_bytes() -> None:
    torch.testing.assert_close(prepared(mean=(0.0,) * 3, std=(1.0,) * 3, value_range=255), PIXELS, rtol=1e-6, atol=1e-4)


def test_each_channel_by_itself() -> None:
    tensor = prepared(normalization="per-channel")
    torch.testing.assert_close(tensor.mean((2, 3)), torch.zeros(1, 3), rtol=0, atol=1e-5)
    torch.testing.assert_close(tensor.std((2, 3), correction=0), torch.ones(1, 3))


@pytest.mark.parametrize("normalization", ["fixed", "per-image", "per-channel"])
def test_one_channel_is_luminance_and_more_than_three_are_filled_with_zeros(normalization: str) -> None:
    grey = prepared(normalization=normalization, channels=1)
    assert grey.shape == (1, 1, 8, 8)
    five = prepared(normalization=normalization, channels=5)
    assert five.shape == (1, 5, 8, 8) and not five[:, 3:].any()
    assert torch.equal(five[:, :3], prepared(normalization=normalization))
    padded, geometry = to_input(IMAGE[:5, :7], Preprocessing(normalization, channels=1, multiple_of=8))  # type: ignore[arg-type]
    assert padded.shape == (1, 1, 8, 8) and geometry.padding == (3, 1)


def test_a_network_without_padding_runs_on_a_mirrored_border() -> None:
    """The options and the border that the page sets where the visitor says "trained without padding"."""
    net = Recorder()
    milesial(net, torch.randn(1, 3, 32, 32), width=4, classes=2, depth=2)
    draft = draft_of_upload(import_checkpoint(saved(net.state)), "w.pth")
    entry = replace(
        draft,
        options={"normalization": "batch", **draft.options, "padding": "valid"},
        preprocessing=replace(draft.preprocessing, border=6 * 4 - 4, offset=0),
    )
    entry = answered(entry, entry.classes)
    register(entry)
    prediction = Engine("cpu").predict(np.zeros((41, 50, 3), np.uint8), entry.weights_id)
    assert prediction.preds.shape == (41, 50) and prediction.scores.shape == (2, 41, 50)
