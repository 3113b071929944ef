"""With which options an architecture could have these shapes: what to try where names say nothing."""

from collections.abc import Iterator
from inspect import signature
from itertools import product
from typing import Any

from segdemo.errors import SettingError
from segdemo.models import MODELS
from segdemo.text import _
from segdemo.weights.layouts import Shapes

__all__ = ["proposals"]

# In the order of how common they are. Each is tried with each where the architecture knows it.
CHOICES: dict[str, tuple[object, ...]] = {
    "depth": (4, 3, 5, 2, 6),
    "upsampling": ("transposed", "bilinear", "bilinear_conv", "bilinear_wide"),
    "deep_supervision": (False, True),
}
STYLES: tuple[dict[str, Any], ...] = (
    {"normalization": "batch", "bias": True},
    {"normalization": "batch", "bias": False},
    {"normalization": "none"},
    {"normalization": "instance", "bias": True},
)


def proposals(model: str, shapes: Shapes) -> Iterator[dict[str, Any]]:
    """Options to try, likely ones first. Raises SettingError for a model that does not exist."""
    if model not in MODELS:
        raise SettingError(_('There is no architecture "{name}". These exist: {names}.', name=model, names=", ".join(MODELS)))
    convolutions = [shape for shape in shapes.values() if len(shape) == 4]
    last = next(shape for shape in reversed(list(shapes.values())) if shape)  # a counter has no shape
    fixed = {"in_channels": convolutions[0][1], "num_classes": last[0]}
    known = signature(MODELS[model]).parameters
    named = {option: values for option, values in CHOICES.items() if option in known}
    if "width" in known:
        named["width"] = (convolutions[0][0],)
    styles: tuple[dict[str, Any], ...] = STYLES if "style" in known else ({},)
    for values in product(*named.values()):
        for style in styles:
            yield fixed | dict(zip(named, values, strict=True)) | style
