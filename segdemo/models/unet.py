"""U-Net: an encoder that halves the resolution, a decoder that doubles it, and a skip between each pair of equals.

Ronneberger, Fischer, Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation", MICCAI 2015,
arXiv:1505.04597.

    image ─ encoder1 ───────────────skip──────────────▶ decoder1 ─ head ▶ logits
               ╲ max-pool 2×2                              ╱ up 2×2
              encoder2 ─────────────skip────────────▶ decoder2
                  ╲                                      ╱
                 encoder3 ──────────skip──────────▶ decoder3
                     ╲                                ╱
                    encoder4 ───────skip────────▶ decoder4
                        ╲                            ╱
                         ───────▶ bottleneck ───────▶

`padding="valid"` is the paper's network: no padding, so 572×572 gives 388×388 and every skip is cropped by
4, 16, 40 and 88 pixels a side; no batch normalisation; a side of the input must be 12 more than a multiple of 16.

`padding="same"`, the default, differs from the paper in two ways that most users of U-Net know: convolutions are
padded, so that logits have the image's size, and batch normalisation follows each of them. `upsampling="bilinear"`
replaces the learned up-convolution; the widths below it are halved so that channels still fit, or stay as they are
with "bilinear_wide", where each decoder stage takes three times its width. The paper's dropout
at the end of the encoder is left out; `dropout` puts one after every convolution instead.
"""

from typing import Any, get_args

from torch import Tensor, nn

from segdemo.errors import SettingError
from segdemo.models.blocks import (
    ConvStyle,
    Normalization,
    PaddingKind,
    Pooling,
    UpsamplingKind,
    check_choice,
    check_width,
    double_conv,
    join,
    pool,
    upsample,
    upsampling_step,
)  # fmt: skip
from segdemo.text import _
from segdemo.types import Stage

__all__ = ["UNet"]


class UNet(nn.Module):
    """image (N, in_channels, H, W) → logits (N, num_classes, H, W), or smaller by the border with padding="valid".

    width: channels of the first stage, doubled at each of `depth` poolings. `style` are the further options of
    ConvStyle. Raises SettingError for a setting that does not exist, or an image that a network without padding
    cannot halve evenly.
    """

    def __init__(
        self,
        in_channels: int = 3,
        num_classes: int = 1,
        *,
        width: int = 64,
        depth: int = 4,
        padding: PaddingKind = "same",
        upsampling: UpsamplingKind = "transposed",
        pooling: Pooling = "max",
        normalization: Normalization | None = None,
        **style: Any,
    ) -> None:
        super().__init__()
        check_choice("upsampling", upsampling, get_args(UpsamplingKind))
        check_choice("pooling", pooling, get_args(Pooling))
        check_width(width, depth, even=upsampling == "bilinear")
        self.padding: PaddingKind = padding
        self.pooling: Pooling = pooling
        self.upsampling: UpsamplingKind = upsampling
        norm: Normalization = normalization or ("batch" if padding == "same" else "none")
        conv = ConvStyle(normalization=norm, padding=padding, **style)
        widths = [width * 2**level for level in range(depth + 1)]  # 64, 128, 256, 512, 1024
        halve = 2 if upsampling == "bilinear" else 1
        self.encoder = nn.ModuleList()
        self.upsample = nn.ModuleList()
        self.decoder = nn.ModuleList()
        channels = in_channels
        for out in widths[:-1]:
            self.encoder.append(double_conv(channels, out, conv))
            channels = out
        self.bottleneck = double_conv(channels, widths[-1] // halve, conv)
        for level in reversed(range(depth)):
            deeper = widths[level + 1]
            out = widths[level] // (halve if level else 1)
            mid = deeper // 2 if upsampling == "bilinear" else None
            self.upsample.append(upsample(deeper, upsampling))
            joined = widths[level] + deeper if upsampling == "bilinear_wide" else deeper
            self.decoder.append(double_conv(joined, out, conv, mid_channels=mid))
        self.segmentation_head = nn.Conv2d(width, num_classes, 1)

    def forward(self, image: Tensor) -> Tensor:  # (N, in_channels, H, W)
        if self.padding == "valid":
            _check_valid_size(image.shape[-2], image.shape[-1], len(self.encoder))
        skips = []
        x = image
        for encoder in self.encoder:
            x = encoder(x)  # (N, width·2^level, H/2^level, W/2^level)
            skips.append(x)
            x = pool(x, self.pooling)
        x = self.bottleneck(x)  # (N, 1024, H/16, W/16)
        for up, decoder, skip in zip(self.upsample, self.decoder, reversed(skips), strict=True):
            x = decoder(join(skip, up(x), self.padding))  # resolution doubled, channels halved
        return self.segmentation_head(x)  # type: ignore[no-any-return]

    def stages(self) -> list[Stage]:
        """encoder1 … encoder4, bottleneck, decoder4 … decoder1, head."""
        depth = len(self.encoder)
        up = upsampling_step(self.upsampling)
        encoders = [Stage(f"encoder{i + 1}", "encoder", f"encoder.{i}") for i in range(depth)]
        decoders = [
            Stage(f"decoder{depth - i}", "decoder", f"decoder.{i}", (f"encoder{depth - i}",), "concat", up) for i in range(depth)
        ]
        return [*encoders, Stage("bottleneck", "bottleneck", "bottleneck"), *decoders, Stage("head", "head", "segmentation_head")]


def _check_valid_size(height: int, width: int, depth: int) -> None:
    for side in (height, width):
        size = side - 4
        for _level in range(depth):
            if size < 2 or size % 2:
                raise SettingError(
                    _(
                        "A U-Net without padding cannot halve {side} pixels {depth} times: "
                        "sides must be 12 more than a multiple of 16 for depth 4, at least 188, such as 572.",
                        side=side,
                        depth=depth,
                    )
                )
            size = size // 2 - 4
        if size < 1:
            raise SettingError(
                _("{side} pixels are too few for a U-Net without padding of depth {depth}.", side=side, depth=depth)
            )
