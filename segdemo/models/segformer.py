"""SegFormer of the transformers package: a transformer in four stages, and a decoder of nothing but 1×1 projections.

Xie, Wang, Yu, Anandkumar, Alvarez, Luo, "SegFormer: Simple and Efficient Design for Semantic Segmentation with
Transformers", NeurIPS 2021, arXiv:2105.15203.

    image ─ encoder1 ─ encoder2 ─ encoder3 ─ bottleneck      1/4, 1/8, 1/16, 1/32 of the picture
               │          │          │           │           each projected, then enlarged to 1/4
               ╰──────────┴──────────┴───────────┴─▶ decoder1 ─ head ─ ×4 ▶ logits

Same as the paper but for the last step: the logits are enlarged to the picture's size here, so that all our networks
answer alike. `variant` "b0" to "b5" is the paper's size of the encoder. Weights are random; nothing is downloaded.

transformers is an extra: it is imported when a SegFormer is asked for, and a sentence says what to install without it.
The state dict has the keys of the installed transformers. `smp/segformer` is the same architecture without this extra.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from segdemo.errors import SettingError
from segdemo.models.blocks import check_choice
from segdemo.text import _
from segdemo.types import Stage

__all__ = ["BUILDERS", "TITLES", "SegFormer"]

TITLES = {"segformer": "SegFormer"}

SMALL, WIDE = (32, 64, 160, 256), (64, 128, 320, 512)  # channels of the four stages
# Channels, transformer blocks of each stage, channels of the decoder: the paper's table 6.
VARIANTS = {
    "b0": (SMALL, (2, 2, 2, 2), 256),
    "b1": (WIDE, (2, 2, 2, 2), 256),
    "b2": (WIDE, (3, 4, 6, 3), 768),
    "b3": (WIDE, (3, 4, 18, 3), 768),
    "b4": (WIDE, (3, 8, 27, 3), 768),
    "b5": (WIDE, (3, 6, 40, 3), 768),
}
MIN_SIDE = 32  # the first stage compares every position with blocks of 8×8 positions, each 4 pixels wide


class SegFormer(nn.Module):
    """image (N, in_channels, H, W) of any size → logits (N, num_classes, H, W).

    variant: "b0" (3.7 million parameters) … "b5" (85 million); further options are those of SegformerConfig. Raises
    SettingError where transformers is not installed, or an option does not exist.
    """

    def __init__(self, in_channels: int = 3, num_classes: int = 1, *, variant: str = "b0", **options: Any) -> None:
        super().__init__()
        if min(in_channels, num_classes) < 1:
            raise SettingError(_("A network needs at least one input channel and one class."))
        check_choice("variant", variant, tuple(VARIANTS))
        net = _network(in_channels, num_classes, variant, options)
        self.segformer: nn.Module = net.segformer
        self.decode_head: nn.Module = net.decode_head

    def forward(self, image: Tensor) -> Tensor:  # (N, in_channels, H, W)
        height, width = image.shape[-2:]
        below, right = max(0, MIN_SIDE - height), max(0, MIN_SIDE - width)
        x = F.pad(image, (0, right, 0, below)) if below or right else image
        features = []
        for stage in self.segformer.stages:  # type: ignore[union-attr]
            x = stage(x)  # (N, 32, H/4, W/4), (N, 64, H/8, W/8), (N, 160, H/16, W/16), (N, 256, H/32, W/32)
            features.append(x)
        scores = self.decode_head(features)  # (N, num_classes, H/4, W/4)
        logits = F.interpolate(scores, size=(height + below, width + right), mode="bilinear", align_corners=False)
        return logits[..., :height, :width]

    def stages(self) -> list[Stage]:
        """encoder1 … encoder3, bottleneck, decoder1 (all scales in one map), head (its scores)."""
        encoders = tuple(f"encoder{i + 1}" for i in range(3))
        return [
            *(Stage(name, "encoder", f"segformer.stages.{i}") for i, name in enumerate(encoders)),
            Stage("bottleneck", "bottleneck", "segformer.stages.3"),
            Stage("decoder1", "decoder", "decode_head.activation", encoders, "concat", "bilinear"),
            Stage("head", "head", "decode_head.classifier", upsampling="bilinear"),
        ]


def _network(in_channels: int, num_classes: int, variant: str, options: dict[str, Any]) -> Any:
    try:
        from transformers import SegformerConfig, SegformerForSemanticSegmentation
    except ImportError as error:
        raise SettingError(
            _('"segformer" needs the package transformers, which is not installed: pip install "transformers>=5.23". '
              '"smp/segformer" is the same architecture without it.')
        ) from error  # fmt: skip
    widths, depths, decoder_width = VARIANTS[variant]
    known = SegformerConfig().to_dict()
    if unknown := [option for option in options if option not in known]:
        raise SettingError(_('"segformer" does not take the option "{option}".', option=unknown[0]))
    settings: dict[str, Any] = {
        "num_channels": in_channels, "num_labels": num_classes,
        "hidden_sizes": widths, "depths": depths, "decoder_hidden_size": decoder_width, **options,
    }  # fmt: skip
    try:
        return SegformerForSemanticSegmentation(SegformerConfig(**settings))
    except (ValueError, RuntimeError, LookupError, AssertionError) as error:
        raise SettingError(_("These options do not work together: {reason}.", reason=str(error).rstrip("."))) from error


BUILDERS: dict[str, Callable[..., nn.Module]] = {"segformer": SegFormer}
