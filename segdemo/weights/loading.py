"""Where weights meet their network: checked against it tensor by tensor before memory is spent on them.

    file ──hash──▶ mapped tensors ──names, shapes──▶ float32 copies ──▶ network built without memory ("meta")

The copies become the network's parameters, so nothing is initialised only to be overwritten.
"""

import copy
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from torch import Tensor, nn

from segdemo.errors import CheckpointError, DownloadError
from segdemo.text import _
from segdemo.types import WeightsEntry
from segdemo.weights.catalogue import is_intact, weights_path
from segdemo.weights.fitting import copied, shown_shape
from segdemo.weights.importing import converted, network_on_meta
from segdemo.weights.tensorfiles import read_tensors

__all__ = ["build_on_meta", "load_model"]

TRAINING_ONLY = "aux_classifier."  # a second head of torchvision's networks that helps only while training
NAMED_KEYS = 3


def load_model(entry: WeightsEntry, path: Path | None = None) -> nn.Module:
    """The network of `entry` with its weights: on the CPU, float32, in eval mode, without gradients.

    `path` is another file than the catalogue's own. Raises CheckpointError where the file is not intact or does not
    fit, DownloadError where it has not been fetched yet.
    """
    file = path or weights_path(entry)
    _check_file(entry, file, cached=path is None and entry.url is not None)
    model = build_on_meta(entry)
    if entry.layout:
        state = converted(file, entry.layout, model, entry.options)
    else:
        read = {key: value for key, value in read_tensors(file).items() if not key.startswith(TRAINING_ONLY)}
        _check_fit(entry, model.state_dict(), read)
        state = {key: copied(value) for key, value in read.items()}
    model.load_state_dict(state, assign=True)
    return model.eval().requires_grad_(False)


def build_on_meta(entry: WeightsEntry) -> nn.Module:
    """The network with shapes but without memory: instant, and nothing to throw away when the weights come."""
    return copy.deepcopy(_blank(entry.model, json.dumps(entry.options, default=list)))


@lru_cache(maxsize=8)
def _blank(model: str, options: str) -> nn.Module:
    """Kept, because a network of smp takes seconds to build, and answers about imported weights are tried one by one."""
    return network_on_meta(model, json.loads(options))


def _check_file(entry: WeightsEntry, file: Path, cached: bool) -> None:
    if not file.is_file():
        if cached:
            raise DownloadError(_("These weights have not been downloaded yet: {name}.", name=entry.weights_id))
        raise CheckpointError(_("The file {name} does not exist.", name=file.name))
    if not entry.sha256 or is_intact(file, entry):
        return
    if cached:
        file.unlink()  # otherwise it would count as present for ever
        raise CheckpointError(_("The download {name} was damaged and has been removed: fetch it again.", name=file.name))
    raise CheckpointError(_("The file {name} is damaged: it is not the one that its card describes.", name=file.name))


def _check_fit(entry: WeightsEntry, expected: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> None:
    """Raise CheckpointError naming the first keys that differ."""
    shapes = [
        f"{key} {_shape(state[key])} ≠ {_shape(tensor)}"
        for key, tensor in expected.items()
        if key in state and not _same_kind(state[key], tensor)
    ]
    differences = [
        _("missing: {keys}", keys=_first(missing)) if (missing := [k for k in expected if k not in state]) else "",
        _("unknown: {keys}", keys=_first(unknown)) if (unknown := [k for k in state if k not in expected]) else "",
        _("of another shape or type: {keys}", keys=_first(shapes)) if shapes else "",
    ]
    if any(differences):
        found = "; ".join(filter(None, differences))
        raise CheckpointError(_("The weights do not fit {model}. {differences}.", model=entry.model, differences=found))


def _same_kind(value: Tensor, expected: Tensor) -> bool:
    return value.shape == expected.shape and value.is_floating_point() == expected.is_floating_point()


def _shape(tensor: Tensor) -> str:
    return shown_shape(tuple(tensor.shape)) if tensor.dim() else str(tensor.dtype).removeprefix("torch.")


def _first(keys: Iterable[str]) -> str:
    keys = list(keys)
    shown = ", ".join(key[:100] for key in keys[:NAMED_KEYS])
    return shown if len(keys) <= NAMED_KEYS else _("{shown} and {count} more", shown=shown, count=len(keys) - NAMED_KEYS)
