"""segdemo.training: a run learns, repeats itself, and what it keeps is what was measured."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from segdemo.data.augment import Augmentation
from segdemo.data.sources import FolderSource, Sample
from segdemo.models import create_model
from segdemo.models.supervision import Supervision
from segdemo.training.loop import TrainingSettings, TrainingStep, train
from segdemo.training.objective import supervised_loss
from segdemo.training.save import WeightsIdentity, save_with_card
from segdemo.training.validation import judge_presence, validate
from segdemo.types import ClassInfo, Preprocessing
from segdemo.weights.cards import file_sha256, read_card

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")
PREPROCESSING = Preprocessing(normalization="per-image")
SETTINGS = TrainingSettings(
    steps=24, batch_size=4, crop=32, learning_rate=1e-2, warmup_steps=2, validate_every=8,
    augmentation=Augmentation(scale=(1, 1), blur=0, noise=0),
)  # fmt: skip
IDENTITY = WeightsIdentity(
    "unet/discs",
    "Discs",
    "bright discs",
    (ClassInfo("background", (0, 0, 0)), ClassInfo("disc", (230, 159, 0))),
    "unet",
    {"width": 4},
    "CC0-1.0",
)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> FolderSource:
    """Bright discs on dark noise."""
    root = tmp_path_factory.mktemp("discs")
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:40, 0:48]
    for name in ("images", "masks"):
        (root / name).mkdir()
    for i in range(6):
        row, column = rng.integers(10, 30, 2)
        mask = ((rows - row) ** 2 + (columns - column) ** 2 < 64).astype(np.uint8)
        image = np.clip(rng.normal(60, 12, (40, 48, 3)) + 110 * mask[..., None], 0, 255).astype(np.uint8)
        Image.fromarray(image).save(root / "images" / f"{i}.png")
        Image.fromarray(mask * 255).save(root / "masks" / f"{i}.png")
    (root / "train.txt").write_text("0\n1\n2\n3\n")
    (root / "val.txt").write_text("4\n5\n")
    (root / "kinds.tsv").write_text("4\teasy\n5\thard\n")
    return FolderSource(root, ("background", "disc"))


def fresh() -> nn.Module:
    torch.manual_seed(0)
    return create_model("unet", width=4)


@pytest.fixture(scope="module")
def steps(source: FolderSource) -> list[TrainingStep]:
    return list(train(fresh(), source, PREPROCESSING, SETTINGS, CPU))


def best(steps: list[TrainingStep]) -> dict[str, Tensor]:
    return next(step.weights for step in reversed(steps) if step.weights is not None)


def test_the_loss_falls(steps: list[TrainingStep]) -> None:
    losses = [step.loss for step in steps]
    assert [step.step for step in steps] == list(range(1, 25))
    assert np.mean(losses[-4:]) < 0.7 * np.mean(losses[:4])
    assert np.isfinite(losses).all()


def test_the_same_seed_gives_the_same_losses(source: FolderSource, steps: list[TrainingStep]) -> None:
    again = train(fresh(), source, PREPROCESSING, SETTINGS, CPU)
    assert [next(again).loss for _ in range(5)] == [step.loss for step in steps[:5]]


def test_validation_comes_when_asked_for_and_weights_when_better(steps: list[TrainingStep]) -> None:
    assert [step.step for step in steps if step.validation] == [8, 16, 24]
    kept = [step.validation.score for step in steps if step.weights is not None and step.validation is not None]
    assert kept and all(a < b for a, b in pairwise(kept))
    assert kept[-1] == max(step.validation.score for step in steps if step.validation)
    assert set(best(steps)) == set(fresh().state_dict())


def test_the_learning_rate_warms_up_and_falls(steps: list[TrainingStep]) -> None:
    rates = [step.learning_rate for step in steps]
    assert max(rates) <= SETTINGS.learning_rate
    assert rates[-1] < 0.05 * SETTINGS.learning_rate


def test_kept_weights_do_not_change_as_training_goes_on(source: FolderSource) -> None:
    run = train(fresh(), source, PREPROCESSING, SETTINGS, CPU)
    weights = next(step.weights for step in run if step.weights is not None)
    before = {name: value.clone() for name, value in weights.items()}
    next(run)
    assert all(torch.equal(before[name], value) for name, value in weights.items())


class NothingToFind:
    """A split without any foreground: neither IoU nor Dice can be told."""

    name, class_names, licence = "nothing", ("background", "disc"), "none"
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8), np.zeros((32, 32), np.uint8), "all"

    def draw(self, _rng: np.random.Generator) -> Sample:
        return self.picture

    def validation(self) -> Iterator[Sample]:
        yield self.picture

    def describe(self) -> dict[str, object]:
        return {}


class Background(nn.Module):
    """Calls everything background."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.tensor(-30.0))

    def forward(self, image: Tensor) -> Tensor:
        return image[:, :1] * 0 + self.bias


def test_a_split_without_foreground_still_gives_weights() -> None:
    settings = TrainingSettings(steps=2, batch_size=1, crop=32, validate_every=1)
    steps = list(train(Background(), NothingToFind(), PREPROCESSING, settings, CPU))
    assert steps[0].validation is not None and np.isnan(steps[0].validation.score)
    assert steps[0].weights is not None and steps[1].weights is None


def test_validation_of_a_network_that_knows_the_answer(source: FolderSource) -> None:
    class Brightness(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return image.mean(dim=1, keepdim=True) - 1

    scores = validate(Brightness(), source, Preprocessing(normalization="per-image", multiple_of=32), CPU)
    assert scores.score > 0.97 and scores.pictures == 2
    assert set(scores.score_by_kind) == {"easy", "hard"}
    assert scores.dice == pytest.approx(2 * scores.score / (1 + scores.score))
    assert len(scores.iou_by_class) == 2 and "easy" in str(scores)


@pytest.fixture
def saved(tmp_path: Path, source: FolderSource, steps: list[TrainingStep]) -> Path:
    save_with_card(tmp_path, IDENTITY, best(steps), source, PREPROCESSING, SETTINGS, "python -m segdemo train")
    return tmp_path / "unet" / "discs.safetensors"


def test_what_is_saved_is_what_was_measured(saved: Path, source: FolderSource, steps: list[TrainingStep]) -> None:
    entry = read_card(saved.with_suffix(".json"))
    assert (entry.weights_id, entry.model, entry.classes) == ("unet/discs", "unet", IDENTITY.classes)
    assert entry.preprocessing == PREPROCESSING and entry.bundled and entry.binary
    assert entry.sha256 == file_sha256(saved) and entry.size_bytes == saved.stat().st_size
    model = create_model(entry.model, **entry.options)
    assert entry.params == sum(p.numel() for p in model.parameters())
    model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in load_file(saved).items()})
    assert validate(model.eval(), source, PREPROCESSING, CPU).score == entry.score
    for name, value in best(steps).items():
        torch.testing.assert_close(model.state_dict()[name].to(value.dtype), value, rtol=1e-3, atol=1e-6)


def test_the_card_is_plain_json(saved: Path) -> None:
    card = json.loads(saved.with_suffix(".json").read_text(encoding="utf-8"))
    assert card["settings"]["augmentation"]["scale"] == [1, 1]
    assert card["command"] == "python -m segdemo train"
    assert card["data"]["train"] == 4


def test_a_large_running_variance_survives_saving(tmp_path: Path, source: FolderSource) -> None:
    """It once overflowed half precision, and the network saw nothing any more."""
    weights = fresh().state_dict()
    name = next(n for n in weights if n.endswith("running_var"))
    weights[name].fill_(1e5)
    save_with_card(tmp_path, IDENTITY, weights, source, PREPROCESSING, SETTINGS, "")
    restored = load_file(tmp_path / "unet" / "discs.safetensors")
    assert torch.equal(restored[name], weights[name])
    assert restored["segmentation_head.weight"].dtype == torch.float16


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("unet_plus_plus", {"width": 4, "deep_supervision": True, "normalization": "batch"}),
        ("unet3_plus", {"width": 4, "deep_supervision": True, "classification_guided": True}),
        ("nnunet", {"width": 4, "depth": 3}),
    ],
)
def test_deep_supervision_trains_every_head(source: FolderSource, name: str, options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model = create_model(name, **options)
    before = {key: value.clone() for key, value in model.named_parameters()}
    losses = [step.loss for step in train(model, source, PREPROCESSING, replace(SETTINGS, steps=12), CPU)]
    assert np.mean(losses[-3:]) < np.mean(losses[:3])
    still = {key for key, value in model.named_parameters() if torch.equal(value, before[key]) and value.ndim == 4}
    assert still <= {"heads.0.weight"}, "only the deepest head of nnU-Net has weight 0"


def test_the_supervised_loss_by_hand() -> None:
    fine, coarse = torch.zeros(1, 1, 4, 4), torch.full((1, 1, 2, 2), 3.0)
    target = torch.zeros(1, 4, 4, dtype=torch.int64)
    presence = torch.tensor([[2.0]])
    loss = supervised_loss(Supervision([fine, coarse], [0.75, 0.25], presence), target, lambda z, _t: z.mean())
    assert loss.item() == pytest.approx(0.75 * 0 + 0.25 * 3 + math.log1p(math.exp(2)))  # nothing occurs: −log(1 − σ(2))
    target[0, 0, 0] = 255
    unknown = supervised_loss(Supervision([fine], [1.0], presence), target, lambda z, _t: z.mean())
    assert unknown.item() == 0, "the class may lie under the ignored pixel"
    target[0, 1, 1] = 1
    occurs = supervised_loss(Supervision([fine], [1.0], presence), target, lambda z, _t: z.mean())
    assert occurs.item() == pytest.approx(math.log1p(math.exp(-2)))


def test_a_network_without_skips_learns_to_draw_its_input(source: FolderSource, tmp_path: Path) -> None:
    torch.manual_seed(0)
    options = {"width": 8, "depth": 2, "latent": 8, "num_classes": 3}
    settings = replace(SETTINGS, task="reconstruct", steps=40)
    steps = list(train(create_model("autoencoder", **options), source, PREPROCESSING, settings, CPU))
    scores = [step.validation.score for step in steps if step.validation]
    assert scores[-1] > max(0.3, scores[0])
    identity = replace(IDENTITY, weights_id="autoencoder/discs", model="autoencoder", options=options)
    saved = save_with_card(tmp_path, identity, best(steps), source, PREPROCESSING, settings, "")
    entry = read_card(tmp_path / "autoencoder" / "discs.json")
    assert entry.score_name == "variance explained"
    assert entry.score == pytest.approx(saved.score) and entry.score > 0.3


def test_only_the_named_part_is_trained(source: FolderSource) -> None:
    torch.manual_seed(0)
    model = create_model("unet3_plus", width=2, classification_guided=True)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    settings = replace(SETTINGS, steps=3, validate_every=3, only="classifier")
    (kept,) = [s.weights for s in train(model, source, PREPROCESSING, settings, CPU) if s.weights]
    changed = {name for name, value in kept.items() if not torch.equal(value, before[name])}
    assert changed
    assert all(name.startswith("classifier") for name in changed)


def test_a_gate_is_judged_on_pictures_with_and_without_the_class(source: FolderSource) -> None:
    torch.manual_seed(0)
    model = create_model("unet3_plus", width=2, classification_guided=True).eval()
    pictures = [(image, occurs) for image, _target, _kind in source.validation() for occurs in (True, False)]
    model.classifier[1].bias.data = torch.tensor([-50.0, 50.0])  # absent | present
    found = judge_presence(model, pictures, PREPROCESSING)
    assert found["present"] == {"pictures": len(pictures) // 2, "right": 1.0}
    assert found["absent"]["right"] == 0.0
    assert judge_presence(create_model("unet3_plus", width=2).eval(), pictures, PREPROCESSING) == {}


def test_what_a_network_holds_fixed_is_not_trained(source: FolderSource) -> None:
    torch.manual_seed(0)
    model = create_model("fcn32s", width=2, padding="same", backbone="vgg16", normalization="batch", classifier_width=8)
    fixed = {name: p.clone() for name, p in model.named_parameters() if not p.requires_grad}
    assert fixed
    next(iter(train(model, source, PREPROCESSING, replace(SETTINGS, steps=1), CPU)))
    assert all(torch.equal(p, fixed[name]) for name, p in model.named_parameters() if name in fixed)
