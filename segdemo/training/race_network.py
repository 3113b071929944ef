"""What every lane of a race computes with: batches that a seed decides, one initial network, and scores."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from segdemo.data.imbalanced import PictureSet
from segdemo.devices import cpu_has_bf16
from segdemo.metrics import confusion_matrix, dice_per_class, iou_per_class, precision, recall
from segdemo.models import create_model
from segdemo.training.race_settings import RaceSettings
from segdemo.training.snapshots import Scores
from segdemo.types import IGNORE_INDEX

__all__ = ["batch_of", "logits_of", "racing_network", "scores_of", "to_input"]


def scores_of(preds: NDArray[np.uint8], target: NDArray[np.uint8]) -> Scores:
    """Of the foreground, over all pixels of preds and target (N, S, S) together; 255 in the target is ignored."""
    matrix = confusion_matrix(preds, target, 2, IGNORE_INDEX)
    found = (dice_per_class(matrix), iou_per_class(matrix), precision(matrix), recall(matrix))
    return Scores(*(float(values[1]) for values in found))


def batch_of(pictures: PictureSet, settings: RaceSettings, step: int) -> tuple[Tensor, Tensor]:
    """The batch of a step, the same for every lane: image (N, 3, S, S) float32, target (N, S, S) int64, mirrored at random."""
    rng = np.random.default_rng([settings.seed, step])
    chosen = rng.integers(len(pictures.images), size=settings.batch_size)
    images, targets = pictures.images[chosen], pictures.targets[chosen]
    for i, (rows, columns) in enumerate(rng.choice((-1, 1), size=(settings.batch_size, 2))):
        images[i], targets[i] = images[i, ::rows, ::columns].copy(), targets[i, ::rows, ::columns].copy()
    return to_input(images), torch.from_numpy(targets).long()


def to_input(images: NDArray[np.uint8]) -> Tensor:
    """(N, S, S, 3) uint8 → (N, 3, S, S) float32 around 0, channels_last."""
    return torch.from_numpy((images.astype(np.float32) - 127.5) / 64).permute(0, 3, 1, 2)


def logits_of(model: nn.Module, image: Tensor) -> Tensor:
    """(N, 1, S, S) float32; convolutions in bfloat16 where the processor has it."""
    with torch.autocast("cpu", torch.bfloat16, enabled=cpu_has_bf16()):
        logits: Tensor = model(image)
    return logits.float()


def racing_network(settings: RaceSettings) -> tuple[nn.Module, torch.optim.Optimizer]:
    """The network every lane begins with, a copy of its own, and its optimiser."""
    with torch.device("meta"):
        model = create_model("unet", width=settings.width)
    model.to_empty(device="cpu")
    # Not torch.manual_seed: the global generator is everybody's, and other visitors' threads draw from it meanwhile.
    generator = torch.Generator().manual_seed(settings.seed)
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
            module.track_running_stats = False
            module.running_mean = module.running_var = module.num_batches_tracked = None
    model.train().to(memory_format=torch.channels_last)
    return model, torch.optim.AdamW(model.parameters(), settings.learning_rate, weight_decay=1e-4)
