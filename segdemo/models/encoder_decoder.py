"""Encoder–decoder without skips: everything that the decoder knows has come through the bottleneck.

    image ─ encoder1 ─ … ─ encoder4 ─ bottleneck ─ decoder4 ─ … ─ decoder1 ─ head ▶ logits
              ÷2              ÷2                      ×2             ×2

There is no canonical paper. It is the padded U-Net of this package with its skips cut, so that comparing the two shows
what skips do, and nothing else. `bottleneck` names the channels of the narrowest map.
"""

from typing import Any, get_args

from torch import Tensor, nn

from segdemo.models.blocks import (
    ConvStyle,
    Pooling,
    UpsamplingKind,
    check_choice,
    check_width,
    double_conv,
    fit_size,
    pool,
    upsample,
    upsampled_channels,
    upsampling_step,
)
from segdemo.types import Stage

__all__ = ["EncoderDecoder"]


class EncoderDecoder(nn.Module):
    """image (N, in_channels, H, W) → logits (N, num_classes, H, W).

    width: channels of the first stage, doubled at each of `depth` poolings; bottleneck: channels of the map at
    H/2^depth, width·2^depth if not given. Raises SettingError for a setting that does not exist.
    """

    def __init__(
        self,
        in_channels: int = 3,
        num_classes: int = 1,
        *,
        width: int = 64,
        depth: int = 4,
        bottleneck: int | None = None,
        upsampling: UpsamplingKind = "transposed",
        pooling: Pooling = "max",
        **style: Any,
    ) -> None:
        super().__init__()
        check_choice("upsampling", upsampling, get_args(UpsamplingKind))
        check_choice("pooling", pooling, get_args(Pooling))
        check_width(width, depth)
        check_width(bottleneck or 1)
        self.pooling: Pooling = pooling
        self.upsampling: UpsamplingKind = upsampling
        conv = ConvStyle(**style)
        widths = [width * 2**level for level in range(depth)]
        self.encoder = nn.ModuleList(
            double_conv(channels, out, conv) for channels, out in zip([in_channels, *widths], widths, strict=False)
        )
        channels = bottleneck or width * 2**depth
        self.bottleneck = double_conv(widths[-1], channels, conv)
        self.upsample = nn.ModuleList()
        self.decoder = nn.ModuleList()
        for out in reversed(widths):
            self.upsample.append(upsample(channels, upsampling, out))
            self.decoder.append(double_conv(upsampled_channels(channels, upsampling, out), out, conv))
            channels = out
        self.segmentation_head = nn.Conv2d(width, num_classes, 1)

    def forward(self, image: Tensor) -> Tensor:  # (N, in_channels, H, W)
        sizes = []
        x = image
        for encoder in self.encoder:
            sizes.append(x)  # of which only the height and the width are used
            x = pool(encoder(x), self.pooling)
        x = self.bottleneck(x)  # (N, bottleneck, H/16, W/16)
        for up, decoder, before in zip(self.upsample, self.decoder, reversed(sizes), strict=True):
            x = decoder(fit_size(up(x), before))
        return self.segmentation_head(x)  # type: ignore[no-any-return]

    def stages(self) -> list[Stage]:
        """encoder1 … encoder4, bottleneck, decoder4 … decoder1, head."""
        depth = len(self.encoder)
        up = upsampling_step(self.upsampling)
        return [
            *(Stage(f"encoder{i + 1}", "encoder", f"encoder.{i}") for i in range(depth)),
            Stage("bottleneck", "bottleneck", "bottleneck"),
            *(Stage(f"decoder{depth - i}", "decoder", f"decoder.{i}", upsampling=up) for i in range(depth)),
            Stage("head", "head", "segmentation_head"),
        ]
