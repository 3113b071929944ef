"""Keeping a trained network: safetensors with parameters in half precision, and a card with scores measured on what was saved."""

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from segdemo.data.empty_pictures import WithEmptyPictures, empty_pictures
from segdemo.data.sources import Sample, Source
from segdemo.models import create_model
from segdemo.training.loop import TrainingSettings
from segdemo.training.validation import Validation, judge_presence, validate, validate_drawing
from segdemo.types import ClassInfo, Preprocessing
from segdemo.weights.cards import file_sha256, write_card

__all__ = ["WeightsIdentity", "save_with_card", "score_name_of"]


@dataclass(frozen=True)
class WeightsIdentity:
    """What a set of weights is called and shown as."""

    weights_id: str
    title: str
    trained_on: str
    classes: tuple[ClassInfo, ...]
    model: str
    options: dict[str, Any]
    licence: str


def save_with_card(
    folder: Path,
    identity: WeightsIdentity,
    weights: dict[str, Tensor],
    source: Source,
    preprocessing: Preprocessing,
    settings: TrainingSettings,
    command: str,
    *,
    scores: Validation | None = None,
    on_picture: Callable[[], None] | None = None,
) -> Validation:
    """Write `folder/<weights_id>.safetensors` and `.json`; the scores are those of the rounded weights, in float32.

    With `scores`, those of a validation that was done already are believed. Whoever reads the files at the same time
    finds whole ones. `on_picture` is called before each picture that is measured; what it raises ends this, and an
    earlier card stays as it was.
    """
    path = folder / f"{identity.weights_id}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    save_file({name: _rounded(name, value) for name, value in weights.items()}, part)
    part.replace(path)
    restored = {k: v.float() if v.is_floating_point() else v for k, v in load_file(path).items()}
    model = create_model(identity.model, **identity.options)
    model.load_state_dict(restored)
    if scores is None:
        judge = validate if settings.task == "segment" else validate_drawing
        measured = _Announced(source, on_picture) if on_picture else source
        scores = judge(model.eval(), measured, preprocessing, torch.device("cpu"))
    presence = _presence(model.eval(), source, preprocessing)
    write_card(part, {
        **asdict(identity),
        "preprocessing": asdict(preprocessing),
        "task": settings.task,
        "score_name": score_name_of(settings, len(identity.classes)),
        "scores": _without_nan(asdict(scores)),
        **({"presence": presence} if presence else {}),
        "data": {"name": source.name, "licence": source.licence, **source.describe()},
        "settings": asdict(settings),
        "command": command,
        "params": sum(p.numel() for p in model.parameters()),
        "sha256": file_sha256(path),
        "size_bytes": path.stat().st_size,
        "trained_with": f"torch {torch.__version__}",
    })  # fmt: skip
    part.replace(path.with_suffix(".json"))
    return scores


class _Announced:
    """A source that calls somebody before each validation picture."""

    def __init__(self, source: Source, on_picture: Callable[[], None]) -> None:
        self.source, self.on_picture = source, on_picture
        self.name, self.class_names, self.licence = source.name, source.class_names, source.licence

    def draw(self, rng: np.random.Generator) -> Sample:
        return self.source.draw(rng)

    def validation(self) -> Iterator[Sample]:
        for sample in self.source.validation():
            self.on_picture()
            yield sample

    def describe(self) -> dict[str, object]:
        return self.source.describe()


def _presence(model: nn.Module, source: Source, preprocessing: Preprocessing) -> dict[str, dict[str, float]]:
    """Whether a network that was trained with empty pictures tells them from those of the validation."""
    if not isinstance(source, WithEmptyPictures) or not hasattr(model, "supervise"):
        return {}
    pictures = [(image, bool((target == 1).any())) for image, target, _kind in source.validation()]
    return judge_presence(model, [*pictures, *((image, False) for image in empty_pictures())], preprocessing)


def _without_nan(scores: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN: what was not measured is null."""
    return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in scores.items()}


def score_name_of(settings: TrainingSettings, classes: int) -> str:
    """What the score of a validation is called."""
    if settings.task == "reconstruct":
        return "variance explained"
    return "IoU" if classes == 2 else "mean IoU"


def _rounded(name: str, value: Tensor) -> Tensor:
    """Half precision for what is learned. Running variances stay as they are: they can exceed half's 65,504."""
    keep = not value.is_floating_point() or name.rpartition(".")[2].startswith("running_")
    return value.contiguous() if keep else value.half().contiguous()
