"""The command line that repeats a training: each choice that differs from the command's own default."""

import json
import shlex
from dataclasses import fields

from segdemo.data.augment import Augmentation
from segdemo.training.loop import TrainingSettings
from segdemo.training.run_spec import RunSpec

__all__ = ["command_of"]

PLAIN = (
    "steps", "minutes", "batch_size", "crop", "learning_rate", "weight_decay", "warmup_steps", "loss", "optimizer", "momentum",
    "schedule", "validate_every", "seed",
)  # fmt: skip


def command_of(spec: RunSpec) -> str:
    """`python -m segdemo train …` with every word quoted for a shell."""
    words = ["python", "-m", "segdemo", "train", "--data", spec.data_name or spec.data, "--model", spec.model]
    words += ["--width", str(spec.width), "--name", "trained"]
    for name, value in spec.recipe.options.items():
        words += ["--option", f"{name}={_text(value)}"]
    words += ["--multiple-of", str(spec.recipe.multiple_of)]
    if spec.title:
        words += ["--title", spec.title]
    if spec.classes:
        words += ["--classes", ",".join(spec.classes)]
    words += ["--validation-pixels", str(spec.validation_pixels)]
    settings = spec.settings
    for name in PLAIN:
        if name == "steps" or getattr(settings, name) != getattr(TrainingSettings(), name):
            words += [_flag(name), _text(getattr(settings, name))]
    for name, value in settings.loss_options.items():
        words += ["--loss-option", f"{name}={_text(value)}"]
    return shlex.join([*words, *_augmentation(settings.augmentation)])


def _augmentation(augmentation: Augmentation) -> list[str]:
    words: list[str] = []
    usual = Augmentation()
    for field in fields(Augmentation):
        value = getattr(augmentation, field.name)
        if value == getattr(usual, field.name):
            continue
        if field.name == "scale":
            words += ["--scale", str(value[0]), str(value[1])]
        elif isinstance(value, bool):
            words.append(_flag(field.name) if value else _flag(f"no_{field.name}"))
        else:
            words += [_flag(field.name), _text(value)]
    return words


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _text(value: object) -> str:
    """As `--option` reads it: JSON, or the word itself."""
    return value if isinstance(value, str) else json.dumps(value)
