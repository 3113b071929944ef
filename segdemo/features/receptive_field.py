"""Receptive field: how much of the picture one position of a stage can depend on, and how far neighbours lie apart.

A forward pass on "meta" is watched operation by operation while `reach.py` carries along, for every position, the first
and last input pixel it depends on. Nothing is estimated: strides, dilation, crops, interpolation and skips are followed
exactly. Normalisation is taken as it is at prediction with fixed statistics; instance normalisation too is treated as
if it acted on each position alone, although its mean is that of the whole map. A view's `certainty` says so.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from segdemo.errors import SettingError
from segdemo.features import reach
from segdemo.features.field_rules import RULES, elementwise
from segdemo.features.field_view import View
from segdemo.features.reach import Axis
from segdemo.features.record import blank_image, evaluating, on_stages
from segdemo.features.shapes_only import run
from segdemo.geometry import Size

__all__ = ["ReceptiveField", "View", "receptive_field", "receptive_fields", "strides", "views"]

PROBE_SIDES = (512, 2048, 8192)  # input sizes to try, until the field fits into one twice
SIZES_TO_TRY = 64  # a network may want sizes of a certain remainder


@dataclass(frozen=True)
class ReceptiveField:
    """size: side of the largest field of a position away from the border, in input pixels; None: the whole picture.

    stride: input pixels between neighbouring positions; None with the whole picture, where it means nothing.
    at_least: the field is larger than the largest picture that was tried, `size` is what it saw of that.
    """

    size: int | None
    stride: Fraction | None
    at_least: bool = False

    @property
    def whole(self) -> bool:
        """Whether every position sees the whole picture, whatever its size."""
        return self.size is None


def receptive_field(model: nn.Module, stage: str, in_channels: int = 3) -> ReceptiveField:
    """The field of one stage's output, named as in `model.stages()`."""
    fields = receptive_fields(model, in_channels)
    if stage not in fields:
        raise SettingError(f'There is no stage "{stage}". These exist: {", ".join(fields)}.')
    return fields[stage]


def receptive_fields(model: nn.Module, in_channels: int = 3) -> dict[str, ReceptiveField]:
    """The fields of all stages, in the order in which the stages run. The model should be on "meta"."""
    found: dict[str, ReceptiveField] = {}
    order: list[str] = []
    seen: dict[str, View] = {}
    for probe in PROBE_SIDES:
        side, seen = _views_near(model, probe, in_channels)
        order = order or list(seen)
        for name, view in seen.items():
            rows, columns = view.rows, view.columns
            size = max(_largest(rows), _largest(columns))
            if name not in found and 2 * size <= side:
                found[name] = ReceptiveField(size, rows.stride)
            elif name not in found and probe > PROBE_SIDES[0] and _sees_all(rows, side) and _sees_all(columns, side):
                found[name] = ReceptiveField(None, None)
        if len(found) == len(order):
            break
    return {name: found.get(name) or _at_least(seen[name]) for name in order}


def _at_least(view: View) -> ReceptiveField:
    return ReceptiveField(max(_largest(view.rows), _largest(view.columns)), view.rows.stride, at_least=True)


def strides(model: nn.Module, in_channels: int = 3) -> dict[str, float | None]:
    """Input pixels between neighbouring positions of each stage; None where a position may see the whole picture."""
    side, seen = _views_near(model, PROBE_SIDES[0], in_channels)
    return {name: None if _sees_all(view.rows, side) else float(view.rows.stride) for name, view in seen.items()}


def _largest(axis: Axis) -> int:
    return max(0, int((axis.last - axis.first).max()) + 1)


def _sees_all(axis: Axis, side: int) -> bool:
    """Whether even the positions in the corners see all of a picture of that side."""
    return int((axis.last - axis.first).min()) + 1 >= side


def _views_near(model: nn.Module, side: int, in_channels: int) -> tuple[int, dict[str, View]]:
    """The first side of a square from `side` on that the model takes, and the views of it."""
    for extra in range(SIZES_TO_TRY):
        try:
            return side + extra, views(model, (side + extra, side + extra), in_channels)
        except SettingError:
            if extra == SIZES_TO_TRY - 1:
                raise
    raise AssertionError


def views(model: nn.Module, size: Size, in_channels: int = 3) -> dict[str, View]:
    """Stage name → what each of its rows and columns sees of an image of that size."""
    image = blank_image(model, size, in_channels)
    watcher = _Watcher()
    watcher.know(image, View(reach.identity(size[0]), reach.identity(size[1])))
    seen: dict[str, View] = {}
    keep = on_stages(model, lambda name, output: seen.__setitem__(name, watcher.view_of(output).spread(output)))
    with evaluating(model), torch.no_grad(), watcher, keep:
        model(image)
    return seen


class _Watcher(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Knows the view of every map that has come from the image. Maps are kept alive, so that an id means one map."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.known: dict[int, tuple[Tensor, View]] = {}

    def know(self, tensor: Tensor, view: View) -> None:
        self.known[id(tensor)] = (tensor, view)

    def view_of(self, tensor: Tensor) -> View:
        return self.known[id(tensor)][1]

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        output = run(op, args, kwargs)
        sources = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor) and id(leaf) in self.known]
        if sources:
            rule = RULES.get(op.overloadpacket.__name__, elementwise)
            for tensor in (leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor) and leaf.numel()):
                named = {a.name: v for a, v in zip(op._schema.arguments, args, strict=False)} | kwargs
                self.know(tensor, rule([(s, self.view_of(s)) for s in sources], tensor, named))
        return output
