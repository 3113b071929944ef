"""segmentation_models_pytorch's twelve decoders, each on any of its encoders, behind our contract.

Iakubovskii, "Segmentation Models Pytorch", MIT licence. The papers: U-Net 1505.04597, U-Net++ 1807.10165, MAnet
doi:10.1109/ACCESS.2020.3025372, LinkNet 1707.03718, FPN for segmentation 1901.02446, PSPNet 1612.01105, DeepLabV3
1706.05587, DeepLabV3+ 1802.02611, PAN 1805.10180, UPerNet 1807.10221, SegFormer 2105.15203, DPT 2103.13413 (arXiv).

    image ─ pad ─ encoder ─ features at 1/2 … 1/32 ─ decoder ─ segmentation head ─ crop ▶ logits

What differs from smp: its networks refuse pictures whose sides are no multiples of 32 (16 or 8 where the encoder is
dilated); here the picture is filled up with zeros at the bottom and the right, and the logits are cropped. On sides
that fit, the logits are smp's own. Transformers that were trained at one size are built for any (timm's
`dynamic_img_size`); those that cannot be take pictures up to their size. Nothing is ever downloaded.

The state dict has smp's own keys, so that its checkpoints load as they are. Networks are built on the package only when
one is asked for: importing this file costs nothing.
"""

import copy
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import lcm
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from segdemo.errors import SettingError
from segdemo.text import _
from segdemo.types import JoinKind, Size, Stage, UpsamplingStep

__all__ = ["BUILDERS", "TITLES", "SmpSegmentation"]

TITLES = {
    "smp/unet": "U-Net · smp",
    "smp/unetplusplus": "U-Net++ · smp",
    "smp/manet": "MAnet · smp",
    "smp/linknet": "LinkNet · smp",
    "smp/fpn": "FPN · smp",
    "smp/pspnet": "PSPNet · smp",
    "smp/deeplabv3": "DeepLabV3 · smp",
    "smp/deeplabv3plus": "DeepLabV3+ · smp",
    "smp/pan": "PAN · smp",
    "smp/upernet": "UPerNet · smp",
    "smp/segformer": "SegFormer · smp",
    "smp/dpt": "DPT · smp",
}

# What would download, read a file of the visitor's, or give something else than logits. None is what smp writes there.
REFUSED = (
    "encoder_weights", "activation", "aux_params", "classes",
    "pretrained", "pretrained_cfg", "pretrained_cfg_overlay", "checkpoint_path", "cache_dir",
)  # fmt: skip
PROBE_SIDE = 256  # of the picture without memory that every network is tried with
BUILD_ERRORS = (KeyError, ValueError, RuntimeError, AssertionError, AttributeError, IndexError)


class SmpSegmentation(nn.Module):
    """image (N, in_channels, H, W) → logits (N, num_classes, H, W).

    architecture: a key of TITLES; encoder_name: smp's, or timm's behind "tu-"; further options are smp's. Raises
    SettingError for options that do not exist or do not work together, and for pictures that are too large for an
    encoder of fixed size.
    """

    def __init__(
        self, architecture: str, in_channels: int = 3, num_classes: int = 1, *, encoder_name: str | None = None, **options: Any
    ) -> None:
        super().__init__()
        if min(in_channels, num_classes) < 1:
            raise SettingError(_("A network needs at least one input channel and one class."))
        self.architecture = architecture
        self._build, self.fixed_size = _plan(architecture, encoder_name, options, in_channels, num_classes)
        net = _built(self._build)
        self.encoder: nn.Module = net.encoder
        self.decoder: nn.Module = net.decoder
        self.segmentation_head: nn.Module = net.segmentation_head
        # Every feature passes through one of these on its way to the decoder; they hold nothing and change nothing.
        self.taps = nn.ModuleDict({"logits": nn.Identity()})
        self.taps.update({str(i): nn.Identity() for i in range(len(net.encoder.out_channels))})
        self.multiple, self.min_side = _grid(architecture, net.encoder)
        self._stages = _tried(self, in_channels)

    def forward(self, image: Tensor) -> Tensor:  # (N, in_channels, H, W)
        height, width = image.shape[-2:]
        below, right = self._padding((height, width))
        features = self.encoder(F.pad(image, (0, right, 0, below)) if below or right else image)
        if self.architecture == "smp/dpt":  # features (N, D, H/16, W/16) and the class token of each
            maps, tokens = features
            x = self.decoder(self._tapped(maps), tokens)  # (N, 256, H/2, W/2)
        else:  # from (N, in_channels, H, W) itself to (N, D, H/32, W/32)
            x = self.decoder(self._tapped(features))
        logits = self.segmentation_head(x)  # (N, num_classes, H + below, W + right)
        return self.taps["logits"](logits[..., :height, :width])  # type: ignore[no-any-return]

    def stages(self) -> list[Stage]:
        """encoder1 …, bottleneck (the deepest feature), decoderN … decoder1 in the order in which they run, head.

        An encoder stage is the module whose output is the feature. Where there is none, because smp computes the
        feature between modules, it is the feature on its way to the decoder, under `taps`.
        """
        return list(self._stages)

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """As torch's. A network built on "meta" also gets back the constants that no checkpoint holds."""
        result = super().load_state_dict(*args, **kwargs)
        _restore_constants(self, self._build)
        return result

    def _tapped(self, features: Sequence[Tensor]) -> list[Tensor]:
        return [self.taps[str(i)](feature) for i, feature in enumerate(features)]

    def _padding(self, size: Size) -> Size:
        """Rows below and columns to the right that bring a picture to a size that the encoder can halve."""
        if self.fixed_size is None:
            wanted = [max(self.min_side, -(-side // self.multiple) * self.multiple) for side in size]
            return wanted[0] - size[0], wanted[1] - size[1]
        below, right = self.fixed_size[0] - size[0], self.fixed_size[1] - size[1]
        if min(below, right) < 0:
            raise SettingError(
                _("This encoder was built for {fixed} pixels, so a picture of {size} is too large for it.",
                  fixed=_size(self.fixed_size), size=_size(size))
            )  # fmt: skip
        return below, right


# ── Building ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _plan(
    architecture: str, encoder_name: str | None, options: dict[str, Any], in_channels: int, num_classes: int
) -> tuple[Callable[[], Any], Size | None]:
    """How to build smp's network, and the only size that it takes, if there is but one."""
    import segmentation_models_pytorch as smp

    cls = smp.MODEL_ARCHITECTURES_MAPPING[architecture.removeprefix("smp/")]
    known = inspect.signature(cls.__init__).parameters
    name = encoder_name or known["encoder_name"].default
    options = {key: value for key, value in options.items() if value is not None or key not in REFUSED}
    if refused := [key for key in options if key in REFUSED]:
        raise SettingError(_('The option "{option}" does not belong here: weights come from the catalogue, and the '
                             "network gives plain logits.", option=refused[0]))  # fmt: skip
    if unknown := [key for key in options if key not in known and not name.startswith("tu-")]:
        raise SettingError(_('"{name}" does not take the option "{option}".', name=architecture, option=unknown[0]))
    fixed = _fixed_size(name, options)
    build = partial(cls, encoder_name=name, encoder_weights=None, in_channels=in_channels, classes=num_classes, **options)
    if fixed is None or "dynamic_img_size" in options:
        return build, None if options.get("dynamic_img_size") else fixed
    any_size = partial(build, dynamic_img_size=True)
    try:
        _weightless(any_size)
    except (TypeError, *BUILD_ERRORS):  # most likely this encoder has no such option; what else is wrong will show again
        return build, fixed
    return any_size, None


def _fixed_size(encoder_name: str, options: dict[str, Any]) -> Size | None:
    """The one size that an encoder of timm takes, unless told otherwise; None for all others."""
    import timm

    if not encoder_name.startswith("tu-"):
        return None
    name = encoder_name.removeprefix("tu-")
    if ":" in name or "/" in name or not timm.is_model(name):  # a name with a colon would be looked up on the network
        raise SettingError(_('timm has no network "{name}" to be an encoder.', name=name))
    config = timm.get_pretrained_cfg(name, allow_unregistered=True)
    if config is None or not config.fixed_input_size:
        return None
    size = options.get("img_size") or config.input_size[-2:]
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _built(build: Callable[[], Any]) -> Any:
    """smp's network. On "meta" its constants are computed all the same, because some sizes follow from them."""
    try:
        return _weightless(build).to("meta") if torch.get_default_device().type == "meta" else build()
    except BUILD_ERRORS as error:
        raise _unfit(error) from error


def _weightless(build: Callable[[], Any]) -> Any:
    """The network with constants, but without memory for its weights."""
    with torch.device("cpu"), _Weightless():
        return build()


class _Weightless(TorchFunctionMode):
    """Sends to "meta" what layers reserve for their weights, `torch.empty`, and lets everything else be computed."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.empty and kwargs.get("device") is None:
            kwargs["device"] = "meta"
        return func(*args, **kwargs)


def _restore_constants(model: nn.Module, build: Callable[[], Any]) -> None:
    """Compute the buffers that are still on "meta" when all weights have arrived, such as tables of relative positions."""
    lost = [name for name, buffer in model.named_buffers() if buffer.is_meta]
    if not lost or any(p.is_meta for p in model.parameters()):
        return
    constants = dict(_weightless(build).named_buffers())
    for name in lost:
        parent, _dot, leaf = name.rpartition(".")
        model.get_submodule(parent).register_buffer(leaf, constants[name], persistent=False)


def _grid(architecture: str, encoder: Any) -> tuple[int, int]:
    """What the sides of the padded picture must be multiples of, and the least they must be."""
    if architecture == "smp/dpt":  # the coarsest map of the decoder is at 1/32 where the encoder has four features
        return lcm(encoder.output_strides[-1], 2 ** (len(encoder.out_channels) + 1)), 1
    # PAN's pyramid attention halves the deepest map three times more.
    return encoder.output_stride, 8 * encoder.output_stride if architecture == "smp/pan" else 1


def _unfit(error: Exception) -> SettingError:
    reason = str(error.args[0] if error.args else error).strip().rstrip(".")
    return SettingError(_("These options do not work together: {reason}.", reason=reason))


def _size(size: Size) -> str:
    return f"{size[1]}×{size[0]}"


# ── Stages ────────────────────────────────────────────────────────────────────────────────────────────────────────────

Source = int | str  # a feature of the encoder by its place, or a module by its path


@dataclass(frozen=True)
class _Step:
    """A module of the decoder, what it takes, and what joins that. `mode` is how it would enlarge, if it did."""

    module: str
    takes: Source
    joins: tuple[Source, ...] = ()
    join: JoinKind | None = None
    mode: str | None = None


@dataclass(frozen=True)
class _Walk:
    """One forward pass: the module whose output each feature is, and the shape of each output."""

    features: dict[int, str]
    shapes: dict[Source, torch.Size]


def _tried(model: SmpSegmentation, in_channels: int) -> list[Stage]:
    """The stages of a network that has been found to work. Raises SettingError where it does not."""
    try:
        walk = _walk(model, in_channels)
    except BUILD_ERRORS as error:
        raise _unfit(error) from error
    if (got := walk.shapes["segmentation_head"][-2:]) != (size := walk.shapes["image"][-2:]):
        raise SettingError(
            _('With these options a picture of {size} gets logits of {got}: "upsampling" has to fit the encoder\'s depth.',
              size=_size((size[0], size[1])), got=_size((got[0], got[1])))
        )  # fmt: skip
    steps = [step for step in DECODERS[model.architecture](model.decoder, len(model.taps) - 1) if walk.shapes[step.module][1]]
    names = _names(walk, steps)
    stages = [
        Stage(name, "bottleneck" if name == "bottleneck" else "encoder", walk.features[place])
        for place, name in names.items()
        if isinstance(place, int)
    ]
    for step in steps:
        stages.append(_stage(step, names, walk.shapes, previous=stages[-1].name))
    enlarged = walk.shapes["segmentation_head"][-1] > walk.shapes[steps[-1].module][-1]
    return [*stages, Stage("head", "head", "taps.logits", upsampling="bilinear" if enlarged else None)]


def _names(walk: _Walk, steps: list[_Step]) -> dict[Source, str]:
    encoder = [f"encoder{i + 1}" for i in range(len(walk.features) - 1)]
    names: dict[Source, str] = dict(zip(walk.features, [*encoder, "bottleneck"], strict=True))
    return names | {step.module: f"decoder{len(steps) - i}" for i, step in enumerate(steps)}


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


def _walk(model: SmpSegmentation, in_channels: int) -> _Walk:
    """Watch one forward pass of a copy without memory, so that neither weights nor hooks of the model are touched."""
    with torch.inference_mode(False), torch.no_grad():
        twin = _on_meta(model)
        seen: list[tuple[str, Tensor, int]] = []  # a module's path, its output, and how often that had been overwritten
        for path, module in twin.named_modules():
            module.register_forward_hook(partial(_note, seen, path))
        size = model.fixed_size or (PROBE_SIDE, PROBE_SIDE)
        with _Copies() as copies:
            twin(torch.empty(1, in_channels, *size, device="meta", dtype=next(twin.parameters()).dtype))
    outputs = {path: output for path, output, _version in seen}
    features = {}
    shapes: dict[Source, torch.Size] = {path: output.shape for path, output in outputs.items()}
    shapes["image"] = torch.Size((1, in_channels, *size))
    for place in range(len(model.taps) - 1):
        feature = outputs[f"taps.{place}"]
        shapes[place] = feature.shape
        if feature.shape[1] and not (place == 0 and feature.shape == shapes["image"]):  # neither empty nor the image itself
            features[place] = _maker(seen, copies.original(feature)) or f"taps.{place}"
    return _Walk(features, shapes)


def _on_meta(model: nn.Module) -> nn.Module:
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
    runs = [path for path, _output, _version in seen]
    made = [path for path, output, version in seen if output is feature and version == feature._version]
    made = [path for path in made if path.startswith("encoder.") and runs.count(path) == 1]
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


# ── The twelve decoders: which modules run, in order, on what. `count` is the number of features; the last is deepest ──


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
        joins = (*(_node(other, column) for other in range(row + 1, column + 1)), count - 2 - column)
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

BUILDERS: dict[str, Callable[..., nn.Module]] = {name: partial(SmpSegmentation, name) for name in TITLES}
