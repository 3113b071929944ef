"""What ships: every architecture of ours has weights for both data sets, small enough, and better than chance."""

import numpy as np
import pytest
import torch
from torch import nn

from segdemo.data.nuclei_like import draw_nuclei
from segdemo.data.preprocessing import from_output, to_input
from segdemo.data.shapes import SHAPE_CLASSES, draw_shapes
from segdemo.metrics import confusion_matrix, iou_per_class, mean_iou
from segdemo.models import create_model
from segdemo.models.labels import labels_of_logits
from segdemo.training.validation import judge_presence
from segdemo.types import LabelMap, RGBImage, WeightsEntry
from segdemo.ui.losses_trained import TRAINED
from segdemo.weights import get_weights, list_weights, load_model, weights_path

pytestmark = pytest.mark.usefixtures("one_thread")

OURS = [
    "unet", "unet_plus_plus", "unet3_plus", "nnunet", "segnet", "dilatednet", "fcn32s", "fcn16s", "fcn8s",
    "encoder_decoder", "autoencoder", "mnist_cnn",
]  # fmt: skip
BUNDLED = [entry for entry in list_weights() if entry.bundled]
BUDGET = {"steps": 2000, "batch_size": 8, "crop": 128, "loss": "bce_dice", "seed": 0, "learning_rate": 2e-3}
LARGER = {"unet/nuclei", "unet/shapes"}  # trained for longer: what the Segment page opens with
CONTINUED = {"unet3_plus/nuclei-gated": "unet3_plus/nuclei"}  # a part added to, and trained on top of, other weights


@pytest.mark.parametrize("model", OURS)
@pytest.mark.parametrize("data", ["nuclei", "shapes"])
def test_every_architecture_ships_weights_for_both_data_sets(model: str, data: str) -> None:
    assert any(entry.weights_id.startswith(f"{model}/{data}") for entry in BUNDLED)


def test_all_bundled_weights_together_stay_below_60_mb() -> None:
    assert sum(weights_path(entry).stat().st_size for entry in BUNDLED) < 60_000_000


@pytest.mark.parametrize("entry", [e for e in BUNDLED if e.weights_id not in LARGER | set(CONTINUED)], ids=lambda e: e.weights_id)
def test_one_budget_for_all(entry: WeightsEntry) -> None:
    settings = entry.card["settings"]
    assert isinstance(settings, dict)
    allowed = {**BUDGET, "loss": settings["loss"]} if entry.weights_id in TRAINED.values() else BUDGET
    assert {key: settings[key] for key in BUDGET} == allowed
    if entry.model not in ("mnist_cnn", "autoencoder"):  # at the size that it always has; with a task of its own
        assert 500_000 < entry.params < 1_000_000


@pytest.mark.parametrize(("added", "base"), CONTINUED.items())
def test_weights_that_continue_others_differ_only_in_what_was_added(added: str, base: str) -> None:
    weights, before = (load_model(get_weights(name)).state_dict() for name in (added, base))
    assert set(before) < set(weights)
    assert all(torch.equal(weights[name], value) for name, value in before.items())


def test_the_gate_tells_pictures_with_nuclei_from_those_without() -> None:
    """As its card says, on generated pictures: what it was trained on were others."""
    entry = get_weights("unet3_plus/nuclei-gated")
    network = load_model(entry)
    pictures = [(image, True) for image, _target in scenes("nuclei")] + [(image, False) for image, _target in scenes("shapes")]
    found = judge_presence(network, pictures, entry.preprocessing)
    assert found["present"]["right"] == found["absent"]["right"] == 1.0


@pytest.mark.parametrize("entry", [e for e in BUNDLED if e.task == "segment"], ids=lambda e: e.weights_id)
def test_a_class_has_one_colour_everywhere(entry: WeightsEntry) -> None:
    expected = SHAPE_CLASSES if "shapes" in entry.weights_id else get_weights("unet/nuclei").classes
    assert entry.classes == expected


def scenes(data: str) -> list[tuple[RGBImage, LabelMap]]:
    if data == "shapes":
        return [draw_shapes(160, 160, seed=seed, foreground_share=0.35) for seed in (3, 17, 40)]  # of the validation's seeds
    return [draw_nuclei(160, 160, seed=seed) for seed in (1, 2, 3)]  # a generator that no training has seen


@torch.inference_mode()
def score(model: nn.Module, entry: WeightsEntry) -> float:
    """IoU over the scenes, of an autoencoder the share of variance."""
    total = np.zeros((len(entry.classes), len(entry.classes)), np.int64)
    explained = []
    for image, target in scenes("shapes" if "shapes" in entry.weights_id else "nuclei"):
        tensor, geometry = to_input(image, entry.preprocessing)
        output = from_output(model(tensor)[0], geometry)
        if entry.task == "reconstruct":
            seen = from_output(tensor[0], geometry)
            explained.append(1 - float((output - seen).square().mean() / seen.var()))
            continue
        total += confusion_matrix(labels_of_logits(output).to(torch.uint8).numpy(), target, len(entry.classes))
    if explained:
        return float(np.mean(explained))
    return float(iou_per_class(total)[1]) if len(entry.classes) == 2 else mean_iou(total)


@pytest.mark.parametrize("entry", BUNDLED, ids=lambda e: e.weights_id)
def test_training_helped(entry: WeightsEntry) -> None:
    torch.manual_seed(0)
    untrained = create_model(entry.model, **dict(entry.options)).eval()
    before, after = score(untrained, entry), score(load_model(entry), entry)
    assert after > before + 0.1
