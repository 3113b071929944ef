"""What the Architectures page knows about a network, computed without memory and remembered: its parts, fields, sizes."""

import inspect
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from segdemo.errors import SettingError
from segdemo.features import Anatomy, ReceptiveField, dissect, receptive_fields, strides, without_memory
from segdemo.features.history import HISTORY, Architecture, architecture_of, setting_of
from segdemo.models import create_model, list_models
from segdemo.text import _
from segdemo.types import Size
from segdemo.ui.diagram import draw_thumbnail

__all__ = [
    "Request",
    "anatomy_of",
    "families",
    "fields_of",
    "nearest_sizes",
    "residual_block_of",
    "source_of",
    "thumbnail_of",
    "warm_gallery",
]

SEARCHED = 20  # pixels down from a size that does not work: remainders repeat within 16
SEARCHED_ABOVE = 96  # up, also past what is too small


@dataclass(frozen=True)
class Request:
    """A network as it is asked for. Hashable, so that what is computed from it can be remembered."""

    name: str
    size: Size
    in_channels: int
    num_classes: int
    options: tuple[tuple[str, str | int | bool], ...] = ()

    @classmethod
    def of_paper(cls, name: str) -> "Request":
        """The network as its paper has it."""
        setting = setting_of(name)
        options = tuple(setting.options.items())
        return cls(name, setting.size, setting.in_channels, setting.num_classes, options)  # type: ignore[arg-type]


def families() -> list[tuple[Architecture, list[str]]]:
    """The steps of the history with those of their networks that exist here; then what the history does not know."""
    registered = list_models()
    known = {architecture_of(name).key: architecture_of(name) for name in registered}
    found = [(entry, [name for name in entry.names if name in registered]) for entry in known.values()]
    return sorted(found, key=lambda pair: (pair[0].year or 9999, _place(pair[0])))


def _place(entry: Architecture) -> int:
    return HISTORY.index(entry) if entry in HISTORY else len(HISTORY)


_one_at_a_time = threading.Lock()


@lru_cache(maxsize=32)
def _model(name: str, in_channels: int, num_classes: int, options: tuple[tuple[str, str | int | bool], ...]) -> nn.Module:
    with without_memory():
        return create_model(name, in_channels=in_channels, num_classes=num_classes, **dict(options)).eval()


def _built(request: Request) -> nn.Module:
    return _model(request.name, request.in_channels, request.num_classes, request.options)


@contextmanager
def _alone_with(request: Request) -> Iterator[nn.Module]:
    """The network, which visitors share, to run and to hook: a pass over it must not meet the hooks of another."""
    model = _built(request)
    with _one_at_a_time:
        yield model


@lru_cache(maxsize=256)
def anatomy_of(request: Request) -> Anatomy:
    """The network taken apart. Raises SettingError with a sentence where the size or an option does not work."""
    try:
        with _alone_with(request) as model:
            return dissect(model, request.size, request.in_channels)
    except SettingError:
        raise
    except (RuntimeError, ValueError) as error:  # torch's own words: a map has become too small
        raise SettingError(_("A picture of {h} × {w} pixels is too small for this network.",
                             h=request.size[0], w=request.size[1])) from error  # fmt: skip


@lru_cache(maxsize=256)
def fields_of(request: Request) -> dict[str, ReceptiveField]:
    """The receptive fields of all stages; they do not depend on the picture's size."""
    with _alone_with(request) as model:
        return receptive_fields(model, request.in_channels)


@lru_cache(maxsize=64)
def nearest_sizes(request: Request) -> tuple[Size, ...]:
    """The closest sizes below and above that work, both sides changed alike; none, one or two."""
    below = next((s for step in range(1, SEARCHED) if _works(request, s := _changed(request, -step))), None)
    above = next((s for step in range(1, SEARCHED_ABOVE) if _works(request, s := _changed(request, step))), None)
    return tuple(size for size in (below, above or _large_enough(request)) if size)


def _changed(request: Request, by: int) -> Size:
    return request.size[0] + by, request.size[1] + by


def _large_enough(request: Request) -> Size | None:
    """The smallest size that works, of a network that wants larger pictures; halving the interval it lies in."""
    low, high = 0, next((by for by in (64, 128, 256, 512, 1024) if _works(request, _changed(request, by))), 0)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _works(request, _changed(request, middle)) else (middle, high)
    return _changed(request, high) if high else None


def _works(request: Request, size: Size) -> bool:
    if min(size) < 1:
        return False
    try:
        with _alone_with(request) as model, without_memory():
            model(torch.empty(1, request.in_channels, *size))
    except (RuntimeError, ValueError):
        return False
    return True


@cache
def thumbnail_of(name: str) -> str:
    """The silhouette of a network as its paper has it; empty where it cannot be drawn."""
    request = Request.of_paper(name)
    try:
        anatomy = anatomy_of(request)
        with _alone_with(request) as model:
            return draw_thumbnail(anatomy, strides(model, request.in_channels))
    except (SettingError, RuntimeError):
        return ""


def warm_gallery() -> None:
    """Draw all silhouettes ahead of the first visitor; for the server's start."""
    for _entry, names in families():
        thumbnail_of(names[0])


@cache
def source_of(name: str) -> tuple[str, str]:
    """The name and the text of the file that a network is written in."""
    path = Path(inspect.getsourcefile(type(_built(Request.of_paper(name)))) or "")
    return path.name, path.read_text(encoding="utf-8")


def residual_block_of(request: Request) -> tuple[str, str] | None:
    """The name and the source of the residual block that a network is stacked from, or None."""
    for module in _built(request).modules():
        if isinstance(module, BasicBlock | Bottleneck):
            return type(module).__name__, inspect.getsource(type(module))
    return None
