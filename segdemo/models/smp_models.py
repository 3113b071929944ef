"""segmentation_models_pytorch's twelve decoders, each on any of its encoders, behind our contract.

Iakubovskii, "Segmentation Models Pytorch", MIT licence. The papers: U-Net 1505.04597, U-Net++ 1807.10165, MAnet
doi:10.1109/ACCESS.2020.3025372, LinkNet 1707.03718, FPN for segmentation 1901.02446, PSPNet 1612.01105, DeepLabV3
1706.05587, DeepLabV3+ 1802.02611, PAN 1805.10180, UPerNet 1807.10221, SegFormer 2105.15203, DPT 2103.13413 (arXiv).

    image ─ pad ─ encoder ─ features at 1/2 … 1/32 ─ decoder ─ segmentation head ─ crop ▶ logits

What differs from smp: its networks refuse pictures whose sides are no multiples of 32 (16 or 8 where the encoder is
dilated); here the picture is filled up with zeros at the bottom and the right, and the logits are cropped. On sides
that fit, the logits are smp's own. Transformers that were trained at one size are built for any (timm's
`dynamic_img_size`); those that cannot be take pictures up to their size. Nothing is ever downloaded.

The state dict has smp's own keys, so that its checkpoints load as they are. The package is imported when a network is
asked for, not before.
"""

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from math import lcm
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from segdemo.errors import SettingError
from segdemo.models.smp_stages import BUILD_ERRORS, list_stages, shown_size, try_out, unfit
from segdemo.text import _
from segdemo.types import Size, Stage

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
        self.multiple, self.min_side = _multiple(architecture, net.encoder), 1
        # Some networks halve a map further than their encoder's stride says, so the least side is found by trying.
        sizes = [self.fixed_size] if self.fixed_size else [(side, side) for side in (self.multiple * 2**i for i in range(4))]
        trial = try_out(self, in_channels, sizes)
        self.min_side = trial.size[0]
        self._stages = list_stages(architecture, self.decoder, trial)
        for name in trial.idle:  # such as a classifier that came with the encoder
            self.get_parameter(name).requires_grad_(False)

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
                  fixed=shown_size(self.fixed_size), size=shown_size(size))
            )  # fmt: skip
        return below, right


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
    """smp's network. On "meta" the numbers that some encoders take from small tensors are computed all the same."""
    try:
        return _weightless(build).to("meta") if torch.get_default_device().type == "meta" else build()
    except BUILD_ERRORS as error:
        raise unfit(error) from error


def _weightless(build: Callable[[], Any]) -> Any:
    """The network without memory for its weights; with it, where a network computes something with them while it is built."""
    with torch.device("cpu"):
        try:
            with _Weightless():
                return build()
        except BUILD_ERRORS:
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
    with torch.device("cpu"):
        constants = dict(build().named_buffers())
    for name in lost:
        parent, _dot, leaf = name.rpartition(".")
        model.get_submodule(parent).register_buffer(leaf, constants[name], persistent=False)


def _multiple(architecture: str, encoder: Any) -> int:
    """What the sides of the padded picture must be multiples of."""
    if architecture != "smp/dpt":
        return int(encoder.output_stride)
    if any(stride & (stride - 1) for stride in encoder.output_strides):
        raise SettingError(
            _("DPT doubles and halves maps, so the patches of its encoder must be 8, 16 or 32 pixels wide, not {side}.",
              side=encoder.output_strides[-1])
        )  # fmt: skip
    return lcm(encoder.output_strides[-1], 2 ** (len(encoder.out_channels) + 1))  # its coarsest map is at 1/32


BUILDERS: dict[str, Callable[..., nn.Module]] = {name: partial(SmpSegmentation, name) for name in TITLES}
