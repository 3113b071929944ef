"""What a training on the Training page is: every choice of the visitor, checked, as JSON, and as a command line.

page ─▶ RunSpec ─▶ checked ─▶ spec.json ─▶ child process
                         ╰──▶ `python -m segdemo train …`, which does the same
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from segdemo.data.augment import Augmentation
from segdemo.errors import SettingError
from segdemo.losses import FACTS, LossOption
from segdemo.text import _
from segdemo.training.loop import TrainingSettings
from segdemo.training.schedule import OPTIMIZERS, SCHEDULES

__all__ = [
    "BOUNDS", "MAX_MINUTES", "RECIPES", "Recipe", "RunSpec", "check_loss", "checked", "losses_for", "spec_from_json",
    "spec_to_json",
]  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """How an architecture is built for a training from nothing: its options beside the width, and its stride."""

    options: Mapping[str, Any]
    multiple_of: int
    width: int  # to begin with: about 0.8 million parameters
    widest: int


RECIPES: dict[str, Recipe] = {
    "unet": Recipe({}, 16, 16, 64),
    "unet_plus_plus": Recipe({"deep_supervision": True, "normalization": "batch"}, 16, 9, 32),
    "unet3_plus": Recipe({"deep_supervision": True}, 16, 11, 32),
    "nnunet": Recipe({"depth": 5}, 32, 10, 32),
    "segnet": Recipe({}, 32, 10, 64),
    "dilatednet": Recipe({"classifier_width": 80, "padding": "same", "normalization": "batch"}, 16, 11, 32),
    "fcn8s": Recipe({"classifier_width": 80, "padding": "same", "normalization": "batch"}, 32, 11, 32),
    "encoder_decoder": Recipe({}, 16, 11, 64),
}

MAX_MINUTES = 120  # of any training, also of one whose steps were set

BOUNDS: dict[str, tuple[float, float]] = {
    "steps": (1, 20_000), "minutes": (0, MAX_MINUTES), "batch_size": (1, 32), "crop": (32, 512), "learning_rate": (1e-6, 1.0),
    "momentum": (0, 0.999), "weight_decay": (0, 1), "warmup_steps": (0, 5000), "ema_decay": (0, 0.9999), "seed": (0, 2**31 - 1),
    "validate_every": (1, 20_000), "brightness": (0, 1), "contrast": (0, 1), "color": (0, 0.5), "blur": (0, 1), "noise": (0, 1),
}  # fmt: skip
SCALES = (0.25, 4.0)
NARROWEST = 4
CROP_STEP = 32  # what the deepest of the networks halves
MAX_WORK = 16 * 512 * 512 * 16  # batch × crop² × width
BYTES_PER_WORK = 100  # of memory: measured with a U-Net
MAX_TITLE, MAX_CLASS_NAME, MAX_CLASSES = 60, 60, 21


@dataclass(frozen=True)
class RunSpec:
    """One training. `data` is what `open_data_set` reads, `data_name` what the command line calls it ("" for the same),
    `classes` the visitor's names for its classes, background first (empty: the data's own)."""

    data: str = "nuclei"
    data_name: str = ""
    classes: tuple[str, ...] = ()
    model: str = "unet"
    width: int = 16
    title: str = ""
    validation_pixels: int = 300_000  # of the pictures that are scored while it runs; 0: all
    tensorboard: bool = False
    settings: TrainingSettings = field(default_factory=lambda: TrainingSettings(steps=300, crop=128, validate_every=25))

    @property
    def recipe(self) -> Recipe:
        """How the architecture is built."""
        return RECIPES[self.model]


def spec_to_json(spec: RunSpec) -> str:
    """As text."""
    return json.dumps(asdict(spec), indent=1)


def spec_from_json(text: str) -> RunSpec:
    """The checked spec in a text. Raises SettingError for anything else."""
    try:
        values = json.loads(text)
        settings = values.pop("settings")
        augmentation = settings.pop("augmentation")
        augmentation["scale"] = tuple(augmentation["scale"])
        classes = tuple(values.pop("classes"))
        return checked(
            RunSpec(**values, classes=classes, settings=TrainingSettings(**settings, augmentation=Augmentation(**augmentation)))
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, SettingError):
            raise
        raise SettingError(_("The settings of this training cannot be read.")) from error


def losses_for(num_classes: int) -> list[str]:
    """Losses that can train a network for that many classes: two need one logit, more need several."""
    refused = "several" if num_classes == 2 else "one"
    return [name for name, facts in FACTS.items() if facts.channels != refused]


def checked(spec: RunSpec, num_classes: int | None = None) -> RunSpec:
    """The same spec, if everything in it is possible; with the number of classes, the loss as well. Raises SettingError."""
    if spec.model not in RECIPES:
        raise SettingError(_('"{name}" cannot be trained here. These can: {names}.', name=spec.model, names=", ".join(RECIPES)))
    settings = spec.settings
    values = {**asdict(settings), **asdict(settings.augmentation)}
    for name, (low, high) in BOUNDS.items():
        _check_within(name, values[name], low, high)
    _check_within("width", spec.width, NARROWEST, spec.recipe.widest)
    _check_choice("optimizer", settings.optimizer, OPTIMIZERS)
    _check_choice("schedule", settings.schedule, SCHEDULES)
    if settings.crop % CROP_STEP:
        raise SettingError(_("The side of the crops is a multiple of {n}.", n=CROP_STEP))
    _check_scale(settings.augmentation)
    _check_memory(spec)
    check_loss(settings.loss, settings.loss_options, num_classes)
    _check_words(spec)
    return replace(spec, classes=tuple(spec.classes))


def _check_within(name: str, value: object, low: float, high: float) -> None:
    """NaN is not within anything. Whole numbers stay whole where both bounds are."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise SettingError(_("{name} lies between {low} and {high}.", name=name, low=f"{low:g}", high=f"{high:g}"))


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise SettingError(_("{name} is one of: {choices}.", name=name, choices=", ".join(choices)))


def _check_scale(augmentation: Augmentation) -> None:
    low, high = augmentation.scale
    if not SCALES[0] <= low <= high <= SCALES[1]:
        raise SettingError(_("The zoom lies between {low:g} and {high:g}, the smaller one first.", low=SCALES[0], high=SCALES[1]))


def _check_memory(spec: RunSpec) -> None:
    work = spec.settings.batch_size * spec.settings.crop**2 * spec.width
    if work > MAX_WORK:
        message = _("Batch, crop and width together need about {need:.0f} GB of memory, and {most:.0f} GB are the limit.",
                    need=work * BYTES_PER_WORK / 1e9, most=MAX_WORK * BYTES_PER_WORK / 1e9)  # fmt: skip
        raise SettingError(message)


def check_loss(name: str, options: Mapping[str, Any], num_classes: int | None = None) -> None:
    """Raises SettingError where there is no such loss, it does not fit the classes, or an option of it is impossible."""
    if name not in FACTS:
        raise SettingError(_('There is no loss "{name}". These exist: {names}.', name=name, names=", ".join(FACTS)))
    if num_classes is not None and name not in (fitting := losses_for(num_classes)):
        raise SettingError(_('The loss "{name}" does not fit {n} classes. These do: {names}.',
                             name=name, n=num_classes, names=", ".join(fitting)))  # fmt: skip
    known = {option.name: option for option in FACTS[name].options}
    for key, value in options.items():
        if key not in known:
            raise SettingError(_('The loss "{name}" has no option "{option}".', name=name, option=key))
        _check_option(known[key], value)


def _check_option(option: LossOption, value: object) -> None:
    if option.choices:
        _check_choice(option.name, str(value), option.choices)
    elif isinstance(option.default, bool):
        if not isinstance(value, bool):
            raise SettingError(_("{name} is either true or false.", name=option.name))
    elif value is not None or option.default is not None:
        _check_within(option.name, value, option.low or 0.0, option.high if option.high is not None else float("inf"))


def _check_words(spec: RunSpec) -> None:
    if len(spec.title) > MAX_TITLE or len(spec.classes) > MAX_CLASSES or any(len(n) > MAX_CLASS_NAME for n in spec.classes):
        raise SettingError(_("Names have up to {n} characters, and there are up to {k} classes.", n=MAX_TITLE, k=MAX_CLASSES))
    if len(set(spec.classes)) != len(spec.classes):
        raise SettingError(_("Two classes have the same name."))
