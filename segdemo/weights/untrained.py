"""Networks before their training: what a set of weights is compared with, and all there is of some architectures.

A network is named "unet/nuclei", as the catalogue has it; "unet/nuclei~untrained", the same with random values; or
"resnet18~untrained", an architecture that has no weights here, in its paper's size.
"""

from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from segdemo.errors import SettingError
from segdemo.models import TITLES, create_model, list_models
from segdemo.models.classifiers import TITLES as CLASSIFIERS
from segdemo.text import N_, _
from segdemo.types import Preprocessing, WeightsEntry
from segdemo.weights.catalogue import get_weights
from segdemo.weights.class_names import guess_classes
from segdemo.weights.download import is_present
from segdemo.weights.loading import load_model

__all__ = ["UNTRAINED", "OwnNumbers", "get_network", "is_ready", "load_network", "untrained"]

UNTRAINED = "~untrained"
SEED = 0
SIDE, CLASSES = 224, 1000  # of classification networks: ImageNet's


def untrained(entry: WeightsEntry) -> WeightsEntry:
    """The same network, classes and preprocessing, with random values instead of learned ones."""
    return replace(
        entry, weights_id=entry.weights_id.removesuffix(UNTRAINED) + UNTRAINED, title=N_("Untrained: random values"),
        trained_on=N_("nothing"), sha256="", size_bytes=0, score=None, url=None, file=None, layout="", card={},
    )  # fmt: skip


def get_network(name: str) -> WeightsEntry:
    """The entry of a network, trained or not. Raises SettingError for a name that means none."""
    if not name.endswith(UNTRAINED):
        return get_weights(name)
    name = name.removesuffix(UNTRAINED)
    if name in list_models():
        return untrained(_without_weights(name))
    return untrained(get_weights(name))


def _without_weights(model: str) -> WeightsEntry:
    """An architecture as its paper has it, with one foreground class, or a classifier with its thousand."""
    classifies = model in CLASSIFIERS
    return WeightsEntry(
        model, model, {"num_classes": CLASSES} if classifies else {}, guess_classes(1),
        Preprocessing(short_side=SIDE if classifies else None, multiple_of=32), TITLES[model], "", "", 0, "", 0, None, "",
    )  # fmt: skip


def is_ready(entry: WeightsEntry) -> bool:
    """Whether the network can be loaded without a download."""
    return entry.weights_id.endswith(UNTRAINED) or is_present(entry)


def load_network(entry: WeightsEntry) -> nn.Module:
    """The network on the CPU, float32, in eval mode, without gradients. Untrained ones always begin with the same values.

    Raises CheckpointError and DownloadError as `load_model` does, SettingError where options do not exist.
    """
    if not entry.weights_id.endswith(UNTRAINED):
        return load_model(entry)
    with OwnNumbers(SEED):
        try:
            network = create_model(entry.model, **entry.options)
        except (RuntimeError, ValueError, TypeError) as error:
            raise SettingError(_("{model} cannot be built: {error}.", model=entry.model, error=str(error))) from error
    return network.eval().requires_grad_(False)


class OwnNumbers(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Random values within the context come from a sequence of its own: torch's is one for all threads, and a training
    that runs at the same time would neither be left alone nor leave this one alone."""

    def __init__(self, seed: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._generator = torch.Generator().manual_seed(seed)

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        draws = any(argument.name == "generator" for argument in op._schema.arguments)
        return op(*args, **((kwargs or {}) | ({"generator": self._generator} if draws else {})))
