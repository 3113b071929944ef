"""DilatedNet: instead of shrinking the picture further, the kernels are spread, and a context module looks around.

Yu, Koltun, "Multi-Scale Context Aggregation by Dilated Convolutions", ICLR 2016, arXiv:1511.07122.

    image ─ VGG16 to pool3 ─ block4 ─ block5, dilation 2 ─ fc6, dilation 4 ─ fc7 ─ scores at 1/8
          ─ context: 3×3 with dilations 1, 1, 2, 4, 8, 16, 1, then 1×1 ─ ×8 ▶ logits

The front end is VGG16 with pool4 and pool5 dropped and the later convolutions dilated in their place, so that their
weights still fit. `padding="paper"` has no padding in the front end: the picture is mirrored by 186 pixels on each side
instead, where it is smaller than that its border is repeated. `padding="same"` pads every convolution with zeros and
spares that border. The context module, "basic" with C channels throughout or "large" with 2C … 32C, starts as the
identity; with random values it does not train. Its ReLUs let only positive scores through, so scores begin around 1, and
a binary network carries two of them, background and foreground, whose difference is the logit. Scores are enlarged
bilinearly.

What is not in the paper: `width`, `classifier_width` and `normalization` (of the front end).
"""

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segdemo.models.backbones import convolutional_classifier, vgg_block
from segdemo.models.blocks import ConvStyle, check_choice, check_width
from segdemo.types import Stage

__all__ = ["DilatedNet"]

STRIDE = 8
BORDER = 186  # what the unpadded front end loses on each side
DILATIONS = (1, 1, 2, 4, 8, 16, 1)
CONTEXT_WIDTHS = {"basic": (1,) * 7, "large": (2, 2, 4, 8, 16, 32, 32)}


class DilatedNet(nn.Module):
    """image (N, in_channels, H, W) → logits (N, num_classes, H, W).

    context: "basic", "large" or "none" (the front end alone). width: channels of the first block; classifier_width: of
    fc6 and fc7, 64 × width if not given. Raises SettingError for a setting that does not exist.
    """

    def __init__(
        self,
        in_channels: int = 3,
        num_classes: int = 1,
        *,
        context: Literal["none", "basic", "large"] = "basic",
        padding: Literal["paper", "same"] = "paper",
        width: int = 64,
        classifier_width: int | None = None,
        **style: Any,
    ) -> None:
        super().__init__()
        check_choice("context", context, ("none", *CONTEXT_WIDTHS))
        check_choice("padding", padding, ("paper", "same"))
        check_width(width)
        check_width(classifier_width or 1)
        self.padding = padding
        conv = ConvStyle(**{"normalization": "none", **style, "padding": "same" if padding == "same" else "valid"})
        a, b, c, d = (width * factor for factor in (1, 2, 4, 8))
        self.encoder = nn.ModuleList([
            vgg_block([in_channels, a, a], conv),
            vgg_block([a, b, b], conv),
            vgg_block([b, c, c, c], conv),
            vgg_block([c, d, d, d], conv, pooled=False),
            vgg_block([d, d, d, d], conv, pooled=False, dilation=2),
        ])  # fmt: skip
        wide = classifier_width or 64 * width
        self.bottleneck = convolutional_classifier(d, wide, 7, dilation=4, padded=padding == "same")
        scores = num_classes if context == "none" else max(2, num_classes)
        self.decoder = nn.ModuleList([nn.Conv2d(wide, scores, 1)])
        self.segmentation_head: nn.Module = nn.Identity()
        if context != "none":
            nn.init.ones_(self.decoder[0].bias)  # type: ignore[arg-type]
            self.segmentation_head = _context(scores, num_classes, CONTEXT_WIDTHS[context])

    def forward(self, image: Tensor) -> Tensor:  # (N, in_channels, H, W)
        height, width = image.shape[-2:]
        x = _with_border(image) if self.padding == "paper" else image
        for encoder in self.encoder:
            x = encoder(x)
        x = self.segmentation_head(self.decoder[0](self.bottleneck(x)))  # (N, num_classes, ⌈H/8⌉, ⌈W/8⌉)
        x = F.interpolate(x, scale_factor=STRIDE, mode="bilinear", align_corners=False)
        return x[..., :height, :width]

    def stages(self) -> list[Stage]:
        """encoder1 … encoder5, bottleneck (fc7), decoder1 (the front end's scores), head (the context module)."""
        return [
            *(Stage(f"encoder{i + 1}", "encoder", f"encoder.{i}") for i in range(len(self.encoder))),
            Stage("bottleneck", "bottleneck", "bottleneck"),
            Stage("decoder1", "decoder", "decoder.0"),
            Stage("head", "head", "segmentation_head", upsampling="bilinear"),
        ]


def _context(scores: int, num_classes: int, factors: tuple[int, ...]) -> nn.Sequential:
    """scores (N, C, h, w) → logits (N, num_classes, h, w), at first the same; of a binary network their difference."""
    widths = [scores, *(scores * factor for factor in factors)]
    layers: list[nn.Module] = []
    for channels, out, dilation in zip(widths, widths[1:], DILATIONS, strict=False):
        conv = nn.Conv2d(channels, out, 3, padding=dilation, dilation=dilation)
        layers += [_as_identity(conv, scores), nn.ReLU(inplace=True)]
    last = nn.Conv2d(widths[-1], num_classes, 1)
    return nn.Sequential(*layers, _as_identity(last, scores) if num_classes == scores else _as_difference(last))


@torch.no_grad()
def _as_identity(conv: nn.Conv2d, num_classes: int) -> nn.Conv2d:
    """Each class's share of the outputs is the mean of its share of the inputs; a little noise tells the copies apart."""
    centre = conv.kernel_size[0] // 2
    outs = torch.arange(conv.out_channels, device="cpu") * num_classes // conv.out_channels
    ins = torch.arange(conv.in_channels, device="cpu") * num_classes // conv.in_channels
    same = (outs[:, None] == ins[None, :]).float()
    weight = torch.randn(conv.weight.shape, device="cpu") * (0.01 / conv.in_channels)
    weight[:, :, centre, centre] += same * num_classes / conv.in_channels
    conv.weight.copy_(weight)
    if conv.bias is not None:
        conv.bias.zero_()
    return conv


@torch.no_grad()
def _as_difference(conv: nn.Conv2d) -> nn.Conv2d:
    """Foreground minus background: the mean of the second half of the inputs minus that of the first."""
    half = conv.in_channels // 2
    conv.weight.copy_(torch.cat([torch.full((half,), -1.0 / half), torch.full((half,), 1.0 / half)]).view(1, -1, 1, 1))
    if conv.bias is not None:
        conv.bias.zero_()
    return conv


def _with_border(image: Tensor) -> Tensor:
    """(N, C, H, W) → (N, C, 8⌈H/8⌉ + 372, 8⌈W/8⌉ + 372)."""
    below, right = -image.shape[-2] % STRIDE, -image.shape[-1] % STRIDE
    pads = [BORDER, BORDER + right, BORDER, BORDER + below]
    small = min(image.shape[-2:]) <= BORDER + STRIDE
    return F.pad(image, pads, mode="replicate" if small else "reflect")
