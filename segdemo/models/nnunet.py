"""nnU-Net's plain convolutional U-Net: instance normalisation, leaky ReLU, and strides instead of pooling.

Isensee et al., "nnU-Net: a self-configuring method for deep learning-based biomedical image segmentation", Nature
Methods 18 (2021), doi:10.1038/s41592-020-01008-z; arXiv:1809.10486.

    image ─ encoder1 ────skip────▶ decoder1 ─ head ▶ logits
              ╲ stride 2             ╱ transposed 2×2
             encoder2 ──skip──▶ decoder2
                …                  …

nnU-Net is a method that chooses settings for a data set; its network is deliberately simple. Channels double up to a
limit; the number of stages is chosen so that the smallest map keeps at least 4 pixels a side: 8 stages for 512×512.
Every decoder stage has a head, trained with weights 1, 1/2, 1/4 … that are normalised, the lowest head not at
all (`deep_supervision`); without it only the finest head is built. The planning of patch sizes and batch sizes, the
ensembles and the 3-D networks of nnU-Net are not here.
"""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from segdemo.errors import SettingError
from segdemo.models.blocks import ConvStyle, check_width, conv_unit, fit_size
from segdemo.models.supervision import Supervision
from segdemo.text import _
from segdemo.types import Stage

__all__ = ["NNUNet"]


class NNUNet(nn.Module):
    """image (N, in_channels, H, W) → logits (N, num_classes, H, W).

    width: channels of the first stage, doubled at each of `depth` stages up to max_width; convolutions: per stage.
    Raises SettingError for a setting that does not exist, or a picture of which the last stage sees one number only:
    instance normalisation would make it zero.
    """

    def __init__(
        self,
        in_channels: int = 3,
        num_classes: int = 1,
        *,
        width: int = 32,
        max_width: int = 512,
        depth: int = 8,
        convolutions: int = 2,
        deep_supervision: bool = True,
        **style: Any,
    ) -> None:
        super().__init__()
        check_width(width, depth - 1, deepest=9)
        check_width(max_width)
        check_width(convolutions)
        conv = ConvStyle(**{"normalization": "instance", "activation": "leaky_relu", "bias": True, **style})
        self.instance_normalised = conv.normalization == "instance"
        widths = [min(width * 2**level, max_width) for level in range(depth)]  # 32, 64, 128, 256, 512, 512, 512, 512
        ins = [in_channels, *widths]
        blocks = [_block([ins[level]] + [out] * convolutions, conv, stride=2 if level else 1) for level, out in enumerate(widths)]
        self.encoder, self.bottleneck = nn.ModuleList(blocks[:-1]), blocks[-1]
        self.upsample = nn.ModuleList(
            nn.ConvTranspose2d(deep, out, 2, stride=2) for deep, out in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.decoder = nn.ModuleList(_block([2 * out] + [out] * convolutions, conv) for out in widths[-2::-1])
        headed = widths[-2::-1] if deep_supervision else widths[:1]
        self.heads = nn.ModuleList(nn.Conv2d(out, num_classes, 1) for out in headed)  # deepest first

    def forward(self, image: Tensor) -> Tensor:  # (N, in_channels, H, W)
        return self.heads[-1](self._features(image)[-1])  # type: ignore[no-any-return]

    def supervise(self, image: Tensor) -> Supervision:
        """Every head, each at its own resolution H, H/2, H/4 …, weighted 1, 1/2, 1/4 … and the deepest 0."""
        features = self._features(image)[-len(self.heads) :]
        logits = [head(x) for head, x in zip(self.heads, features, strict=True)][::-1]
        shares = [0.5**i for i in range(len(logits))]
        if len(shares) > 1:
            shares[-1] = 0.0
        return Supervision(logits, [share / sum(shares) for share in shares])

    def _features(self, image: Tensor) -> list[Tensor]:
        """The decoder's maps, deepest first."""
        smallest = 2 ** len(self.encoder)
        if max(image.shape[-2:]) <= smallest and self.instance_normalised:
            raise SettingError(
                _("This network halves a picture {n} times, so one side must be longer than {side} pixels.",
                  n=len(self.encoder), side=smallest)
            )  # fmt: skip
        skips = []
        x = image
        for encoder in self.encoder:
            x = encoder(x)  # (N, widths[level], H/2^level, W/2^level)
            skips.append(x)
        x = self.bottleneck(x)
        features = []
        for up, decoder, encoded in zip(self.upsample, self.decoder, reversed(skips), strict=True):
            x = decoder(torch.cat([fit_size(up(x), encoded), encoded], dim=1))
            features.append(x)
        return features

    def stages(self) -> list[Stage]:
        """encoder1 … encoder7, bottleneck, decoder7 … decoder1, head."""
        depth = len(self.encoder)
        return [
            *(Stage(f"encoder{i + 1}", "encoder", f"encoder.{i}") for i in range(depth)),
            Stage("bottleneck", "bottleneck", "bottleneck"),
            *(
                Stage(f"decoder{depth - i}", "decoder", f"decoder.{i}", (f"encoder{depth - i}",), "concat", "transposed")
                for i in range(depth)
            ),
            Stage("head", "head", f"heads.{len(self.heads) - 1}"),
        ]


def _block(channels: list[int], conv: ConvStyle, stride: int = 1) -> nn.Sequential:
    """A convolution from each number of channels to the next; the first one strides."""
    layers: list[nn.Module] = []
    for i, (channels_in, out) in enumerate(pairwise(channels)):
        layers += conv_unit(channels_in, out, conv, stride=1 if i else stride)
    return nn.Sequential(*layers)
