"""One training run as a generator: each `next` does one optimiser step and reports it; stopping is just not asking.

AdamW or SGD, a learning rate that warms up and then follows its schedule, and an exponential moving average of the
weights, which is what is validated and kept: it reaches in one run what averaging several snapshots would.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from copy import deepcopy
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segdemo.data.augment import Augmentation, augment
from segdemo.data.preprocessing import arranged, image_statistics
from segdemo.data.sources import Source
from segdemo.devices import cpu_has_bf16
from segdemo.training.objective import create_objective
from segdemo.training.schedule import OptimizerName, Schedule, create_optimizer, learning_rate_factor
from segdemo.training.validation import Validation, validate, validate_drawing
from segdemo.types import Preprocessing, Task

__all__ = ["TrainingSettings", "TrainingStep", "train"]


@dataclass(frozen=True)
class TrainingSettings:
    """Everything that decides a run, apart from the data and the architecture; goes into the card."""

    steps: int = 3000
    batch_size: int = 8
    crop: int = 256  # pixels a side
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    warmup_steps: int = 100
    ema_decay: float = 0.998
    task: Task = "segment"  # "reconstruct": the picture itself is the target, by mean squared error
    loss: str = "bce_dice"
    loss_options: Mapping[str, Any] = field(default_factory=dict)
    optimizer: OptimizerName = "adamw"
    momentum: float = 0.9  # of SGD
    schedule: Schedule = "cosine"
    minutes: float = 0.0  # the run ends after so many even if steps are left; 0: no such limit
    seed: int = 0
    validate_every: int = 500
    only: str = ""  # train only this part, such as "classifier"; everything else stays exactly as it is
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True)
class TrainingStep:
    """What one step did. `validation` is set on the steps that ended with one; `weights`, the averaged state dict on
    the CPU, on those whose score beat all before."""

    step: int  # from 1
    loss: float
    learning_rate: float  # that it was done with
    validation: Validation | None = None
    weights: dict[str, Tensor] | None = None


def train(
    model: nn.Module,
    source: Source,
    preprocessing: Preprocessing,
    settings: TrainingSettings,
    device: torch.device,
    *,
    stop: Callable[[], bool] = lambda: False,
    on_validation: Callable[[int, nn.Module], None] | None = None,
) -> Iterator[TrainingStep]:
    """Train `model` in place, one step a `next`. The same settings on the same device draw the same batches.

    Once `stop()` says so, the step at hand is the last and is validated. `on_validation` is given the step and the
    averaged network after each validation; it must leave the network as it is.
    """
    rng = np.random.default_rng(settings.seed)
    model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = deepcopy(model).eval().requires_grad_(False)
    objective = create_objective(settings.task, settings.loss, **settings.loss_options)
    judge = validate if settings.task == "segment" else validate_drawing
    learned = _learned(model, settings.only)
    optimizer = create_optimizer(
        settings.optimizer, learned, settings.learning_rate, weight_decay=settings.weight_decay, momentum=settings.momentum
    )
    start = monotonic()
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: learning_rate_factor(
            step, _expected_steps(step, settings, monotonic() - start), settings.warmup_steps, settings.schedule
        ),
    )
    best_score = -1.0
    for step in range(1, settings.steps + 1):
        _train_mode(model, settings.only)
        image, target = _batch(source, preprocessing, settings, rng, device)
        with _mixed_precision(device):
            loss = objective(model, image, target)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(learned, 5.0)
        rate = float(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
        _update_average(average, model, min(settings.ema_decay, (1 + step) / (10 + step)))
        validation = None
        last = step == settings.steps or stop() or _time_is_over(settings, monotonic() - start)
        if last or step % settings.validate_every == 0:
            with _mixed_precision(device):
                validation = judge(average, source, preprocessing, device)
            if on_validation is not None:
                on_validation(step, average)
        weights = None
        score = -1.0 if validation is None else float(np.nan_to_num(validation.score, nan=0.0))  # NaN: nothing to score
        if score > best_score:
            best_score = score
            weights = {name: value.detach().cpu().clone() for name, value in average.state_dict().items()}
        yield TrainingStep(step, loss.item(), rate, validation, weights)
        if last:
            return


def _time_is_over(settings: TrainingSettings, seconds: float) -> bool:
    return 0 < settings.minutes * 60 <= seconds


def _expected_steps(step: int, settings: TrainingSettings, seconds: float) -> int:
    """How many steps the whole run will have: as many as were set, or fewer where its minutes run out before."""
    if not settings.minutes or not step:
        return settings.steps
    return min(settings.steps, max(step, round(step * settings.minutes * 60 / max(seconds, 1e-3))))


def _learned(model: nn.Module, only: str) -> list[nn.Parameter]:
    """The parameters that are trained; gradients of all others are switched off. What the network itself holds fixed,
    as FCN's bilinear enlargement, stays so."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(parameter.requires_grad and _belongs(name, only))
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def _train_mode(model: nn.Module, only: str) -> None:
    """Training mode for the parts of that name; the others keep their statistics as they are."""
    for name, module in model.named_modules():
        module.training = _belongs(name, only)


def _belongs(name: str, part: str) -> bool:
    """Whether a dotted name is that part, or lies within it; everything lies within ""."""
    return not part or name == part or name.startswith(f"{part}.")


def _mixed_precision(device: torch.device) -> AbstractContextManager[object]:
    """bfloat16 for the convolutions where the hardware has it; losses, norms and weights stay in float32."""
    enabled = device.type == "cuda" or (device.type == "cpu" and cpu_has_bf16())
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


def _batch(
    source: Source, preprocessing: Preprocessing, settings: TrainingSettings, rng: np.random.Generator, device: torch.device
) -> tuple[Tensor, Tensor]:
    """image (N, 3, crop, crop) float32 in channels_last order, larger by the border; target (N, crop, crop) int64."""
    images, targets = [], []
    for _ in range(settings.batch_size):
        image, target, _kind = source.draw(rng)
        image = arranged(image, preprocessing)
        mean, std = image_statistics(image, preprocessing)
        pixels, labels = augment(image, target, settings.crop, mean, std, settings.augmentation, rng)
        images.append(pixels)
        targets.append(labels)
    batch = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    if preprocessing.border:
        batch = F.pad(batch, [preprocessing.border] * 4, mode="reflect")
    return batch.to(device, non_blocking=True), torch.from_numpy(np.stack(targets)).to(device).long()


@torch.no_grad()
def _update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the averaged weights towards the current ones; counters are taken over as they are."""
    for weight, current in zip(average.parameters(), model.parameters(), strict=True):
        weight.lerp_(current, 1 - decay)
    for kept, buffer in zip(average.buffers(), model.buffers(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(buffer, 1 - decay)
        else:
            kept.copy_(buffer)
