"""The stages of smp's networks: found in the network itself for the encoders, written down for the twelve decoders.

A network is tried once on a copy without memory, every module watched. The module whose output is, as an object, the
feature that the decoder gets is the stage of the encoder. What each decoder does with the features is in its paper and
in its order of modules; whether a map grows on the way is again seen in the trial.
"""

import copy
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from segdemo.errors import SettingError
from segdemo.text import _
from segdemo.types import JoinKind, Size, Stage, UpsamplingStep

__all__ = ["BUILD_ERRORS", "DECODERS", "Trial", "list_stages", "shown_size", "try_out", "unfit"]

# How smp and timm say that options do not work together.
BUILD_ERRORS = (KeyError, ValueError, RuntimeError, AssertionError, AttributeError, IndexError)

Source = int | str  # a feature of the encoder by its place, or a module by its path


@dataclass(frozen=True)
class Trial:
    """What a pass through a network has shown.

    size: of the picture that it took; features: place → the module whose output that feature is; shapes of all outputs;
    idle: parameters that nothing depends on.
    """

    size: Size
    features: dict[int, str]
    shapes: dict[Source, torch.Size]
    idle: list[str]


def try_out(model: nn.Module, in_channels: int, sizes: Iterable[Size]) -> Trial:
    """Watch the network on the first of `sizes` that it takes. Raises SettingError where it takes none.

    model: with an `encoder`, and `taps` "0", "1" … for its features and "logits". Neither its weights nor its hooks
    are touched.
    """
    failure: Exception = AssertionError()
    for size in sizes:
        try:
            with torch.inference_mode(False), torch.enable_grad():
                trial = _watched(_on_meta(model), in_channels, size)
            break
        except (TypeError, *BUILD_ERRORS) as error:
            failure = error
    else:
        raise unfit(failure) from failure
    height, width = trial.shapes["segmentation_head"][-2:]
    if (height, width) != trial.size:
        raise SettingError(
            _('With these options a picture of {size} gets logits of {got}: "upsampling" has to fit the encoder\'s depth.',
              size=shown_size(trial.size), got=shown_size((height, width)))
        )  # fmt: skip
    return trial


def list_stages(architecture: str, decoder: nn.Module, trial: Trial) -> list[Stage]:
    """All stages in order. Nodes without channels, which some encoders bring about, are none."""
    count = max(trial.features) + 1
    steps = [step for step in DECODERS[architecture](decoder, count) if trial.shapes[step.module][1]]
    encoder = [f"encoder{i + 1}" for i in range(len(trial.features) - 1)]
    names: dict[Source, str] = dict(zip(trial.features, [*encoder, "bottleneck"], strict=True))
    names |= {step.module: f"decoder{len(steps) - i}" for i, step in enumerate(steps)}
    stages = [
        Stage(names[place], "bottleneck" if names[place] == "bottleneck" else "encoder", module)
        for place, module in trial.features.items()
    ]
    for step in steps:
        stages.append(_stage(step, names, trial.shapes, previous=stages[-1].name))
    enlarged = trial.shapes["segmentation_head"][-1] > trial.shapes[steps[-1].module][-1]
    return [*stages, Stage("head", "head", "taps.logits", upsampling="bilinear" if enlarged else None)]


def unfit(error: Exception) -> SettingError:
    """What went wrong, as a sentence."""
    reason = str(error.args[0] if error.args else error).strip().rstrip(".")
    return SettingError(_("These options do not work together: {reason}.", reason=reason))


def shown_size(size: Size) -> str:
    """(height, width) as people write it: width×height."""
    return f"{size[1]}×{size[0]}"


# The trial: what a network does, seen from outside.


def _watched(twin: nn.Module, in_channels: int, size: Size) -> Trial:
    seen: list[tuple[str, Tensor, int]] = []  # a module's path, its output, and how often that had been overwritten
    for path, module in twin.named_modules():
        module.register_forward_hook(partial(_note, seen, path))
    image = torch.empty(1, in_channels, *size, device="meta", dtype=next(twin.parameters()).dtype)
    with _Copies() as copies:
        logits = twin(image)
    outputs = {path: output for path, output, _version in seen}
    shapes: dict[Source, torch.Size] = {path: output.shape for path, output in outputs.items()}
    features = {}
    for place in range(sum(path.startswith("taps.") for path in outputs) - 1):
        feature = outputs[f"taps.{place}"]
        shapes[place] = feature.shape
        if feature.shape[1] and feature is not image:
            features[place] = _maker(seen, copies.original(feature)) or f"taps.{place}"
    logits.sum().backward()
    idle = [name for name, parameter in twin.named_parameters() if parameter.grad is None]
    return Trial(size, features, shapes, idle)


def _on_meta(model: nn.Module) -> nn.Module:
    """A copy in evaluation mode whose weights have shapes but no memory."""
    memo: dict[int, Any] = {}
    for parameter in model.parameters():
        memo[id(parameter)] = nn.Parameter(torch.empty_like(parameter, device="meta"), parameter.requires_grad)
    for buffer in model.buffers():
        memo[id(buffer)] = torch.empty_like(buffer, device="meta")
    return copy.deepcopy(model, memo).eval()


def _note(seen: list[tuple[str, Tensor, int]], path: str, _module: nn.Module, _inputs: Any, output: Any) -> None:
    if isinstance(output, Tensor):
        seen.append((path, output, output._version))


def _maker(seen: list[tuple[str, Tensor, int]], feature: Tensor) -> str | None:
    """The largest module of the encoder that ran once, gave out `feature`, and did not see it overwritten afterwards."""
    made = [path for path, output, version in seen if output is feature and version == feature._version]
    runs = Counter(path for path, _output, _version in seen)
    made = [path for path in made if path.startswith("encoder.") and runs[path] == 1]
    return made[-1] if made else None  # the outermost comes last


class _Copies(TorchFunctionMode):
    """Remembers which map another is a mere copy of in memory order."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[tuple[Tensor, Tensor]] = []

    def original(self, tensor: Tensor) -> Tensor:
        """The map that `tensor` was copied from, or itself."""
        return next((source for made, source in self.pairs if made is tensor), tensor)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func is Tensor.contiguous and result is not args[0]:
            self.pairs.append((result, args[0]))
        return result


# The decoders: which modules run, in order, on what. `count` is the number of features; the last is the deepest.


@dataclass(frozen=True)
class _Step:
    """A module of the decoder, what it takes, and what joins that. `mode` is how it would enlarge, if it did."""

    module: str
    takes: Source
    joins: tuple[Source, ...] = ()
    join: JoinKind | None = None
    mode: str | None = None


def _stage(step: _Step, names: dict[Source, str], shapes: dict[Source, torch.Size], previous: str) -> Stage:
    joins = tuple(source for source in step.joins if source in names)
    grows = shapes[step.module][-1] > min(shapes[source][-1] for source in (step.takes, *joins))
    return Stage(
        names[step.module], "decoder", step.module,
        skip_from=tuple(names[source] for source in joins),
        join=step.join if joins else None,
        upsampling=cast(UpsamplingStep, step.mode) if grows and step.mode else None,
        after=None if names[step.takes] == previous else names[step.takes],
    )  # fmt: skip


def _unet(decoder: Any, count: int) -> list[_Step]:
    """Also MAnet, whose blocks weigh the skip and the enlarged map by attention before joining them."""
    steps = [] if isinstance(decoder.center, nn.Identity) else [_Step("decoder.center", count - 1)]
    for i, block in enumerate(decoder.blocks):
        takes = steps[-1].module if steps else count - 1
        skips = (count - 2 - i,) if count - 2 - i > 0 else ()
        steps.append(_Step(f"decoder.blocks.{i}", takes, skips, "concat", block.interpolation_mode))
    return steps


def _unet_plus_plus(decoder: Any, count: int) -> list[_Step]:
    """Nodes x_row_column: each takes the node (or feature) before it in its row, and all others of its column join."""
    nodes = [(row, row + layer) for layer in range(decoder.depth) for row in range(decoder.depth - layer)]
    steps = []
    for row, column in nodes:
        takes: Source = _node(row, column - 1) if column > row else count - 1 - row
        joins: tuple[Source, ...] = (*(_node(other, column) for other in range(row + 1, column + 1)), count - 2 - column)
        mode = decoder.blocks[f"x_{row}_{column}"].interpolation_mode
        steps.append(_Step(_node(row, column), takes, joins, "concat", mode))
    last = decoder.blocks[f"x_0_{decoder.depth}"]
    takes = _node(0, decoder.depth - 1) if decoder.depth else count - 1
    return [*steps, _Step(_node(0, decoder.depth), takes, mode=last.interpolation_mode)]


def _node(row: int, column: int) -> str:
    return f"decoder.blocks.x_{row}_{column}"


def _linknet(decoder: Any, count: int) -> list[_Step]:
    steps: list[_Step] = []
    for i in range(len(decoder.blocks)):
        skips = (count - 2 - i,) if count - 2 - i > 0 else ()
        takes = steps[-1].module if steps else count - 1
        steps.append(_Step(f"decoder.blocks.{i}", takes, skips, "sum", "transposed"))
    return steps


def _fpn(decoder: Any, count: int) -> list[_Step]:
    """Down the pyramid p5 … p2; each level is enlarged on its own; then all are merged."""
    levels = ["decoder.p5", "decoder.p4", "decoder.p3", "decoder.p2"]
    steps = [_Step(levels[0], count - 1)]
    for i, level in enumerate(levels[1:], start=1):
        mode = getattr(decoder, level.removeprefix("decoder.")).interpolation_mode
        steps.append(_Step(level, levels[i - 1], (count - 1 - i,), "sum", mode))
    blocks = [f"decoder.seg_blocks.{i}" for i in range(4)]
    steps += [_Step(block, level, mode="bilinear") for block, level in zip(blocks, levels, strict=True)]
    join: JoinKind = "sum" if decoder.merge.policy == "add" else "concat"
    return [*steps, _Step("decoder.merge", blocks[-1], tuple(blocks[:-1]), join)]


def _pspnet(_decoder: Any, count: int) -> list[_Step]:
    return [_Step("decoder.psp", count - 1), _Step("decoder.conv", "decoder.psp")]


def _deeplab(_decoder: Any, count: int) -> list[_Step]:
    return [_Step("decoder.aspp", count - 1), _Step("decoder.relu", "decoder.aspp")]


def _deeplab_plus(_decoder: Any, count: int) -> list[_Step]:
    return [_Step("decoder.aspp", count - 1), _Step("decoder.block2", "decoder.aspp", (2,), "concat", "bilinear")]


def _pan(decoder: Any, count: int) -> list[_Step]:
    """Pyramid attention on the deepest feature; then each skip, weighed by the deeper map, is added to it."""
    steps = [_Step("decoder.fpa", count - 1)]
    for level in (3, 2, 1):
        if hasattr(decoder, f"gau{level}"):
            mode = getattr(decoder, f"gau{level}").interpolation_mode
            steps.append(_Step(f"decoder.gau{level}", steps[-1].module, (level + 1,), "sum", mode))
    return steps


def _upernet(decoder: Any, count: int) -> list[_Step]:
    """Pyramid pooling; down the pyramid; each level is smoothed; then all are joined at the finest resolution."""
    levels = range(len(decoder.fpn_conv_blocks))
    steps = [_Step("decoder.psp", count - 1)]
    for i in levels:
        steps.append(_Step(f"decoder.fpn_lateral_blocks.{i}", steps[-1].module, (count - 2 - i,), "sum", "bilinear"))
    smooth = [f"decoder.fpn_conv_blocks.{i}" for i in levels]
    steps += [_Step(smooth[i], f"decoder.fpn_lateral_blocks.{i}") for i in levels]
    return [*steps, _Step("decoder.fusion_block", smooth[-1], ("decoder.psp", *smooth[:-1]), "concat", "bilinear")]


def _segformer(decoder: Any, count: int) -> list[_Step]:
    """Each feature is projected, the deepest first; then all are joined at 1/4 of the picture."""
    projections = [f"decoder.mlp_stage.{i}" for i in range(len(decoder.mlp_stage))]
    steps = [_Step(projection, count - 1 - i) for i, projection in enumerate(projections)]
    return [*steps, _Step("decoder.fuse_stage", projections[-1], tuple(projections[:-1]), "concat", "bilinear")]


def _dpt(_decoder: Any, count: int) -> list[_Step]:
    """Features of one resolution are reassembled at 1/4, 1/8, 1/16, 1/32; then fused from the coarsest to the finest."""
    maps = [f"decoder.reassemble_blocks.{i}" for i in range(count)]
    fusions = [f"decoder.fusion_blocks.{i}" for i in range(count)]
    steps = [_Step(path, i, mode="transposed") for i, path in enumerate(maps)]
    steps.append(_Step(fusions[0], maps[-1], mode="bilinear"))
    for i in range(1, count):
        steps.append(_Step(fusions[i], fusions[i - 1], (maps[count - 1 - i],), "sum", "bilinear"))
    return steps


DECODERS: dict[str, Callable[[Any, int], list[_Step]]] = {
    "smp/unet": _unet, "smp/unetplusplus": _unet_plus_plus, "smp/manet": _unet, "smp/linknet": _linknet, "smp/fpn": _fpn,
    "smp/pspnet": _pspnet, "smp/deeplabv3": _deeplab, "smp/deeplabv3plus": _deeplab_plus, "smp/pan": _pan,
    "smp/upernet": _upernet, "smp/segformer": _segformer, "smp/dpt": _dpt,
}  # fmt: skip
