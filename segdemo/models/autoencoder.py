"""Convolutional autoencoder: squeezes a picture through a latent map of named size and draws it again.

    image ─ encoder1 ─ encoder2 ─ encoder3 ─ latent (N, latent, H/8, W/8) ─ decoder3 ─ decoder2 ─ decoder1 ─ head ▶ image
              ÷2          ÷2          ÷2                                      ×2          ×2          ×2

There is no canonical paper; the idea is Hinton, Salakhutdinov, Science 313 (2006), doi:10.1126/science.1127647. It has
no labels to learn from: its target is its own input, so `num_classes` is the number of channels it draws (3 for a
colour picture, in the units of the normalised input). With depth 3, each 8×8 block of 192 numbers becomes `latent`
numbers; strided convolutions shrink and nothing skips the bottleneck.
"""

from typing import Any

from torch import Tensor, nn

from segdemo.models.blocks import ConvStyle, check_width, conv_unit, fit_size, upsample
from segdemo.types import Stage

__all__ = ["Autoencoder"]


class Autoencoder(nn.Module):
    """image (N, in_channels, H, W) → picture (N, num_classes, H, W).

    width: channels after the first of `depth` halvings, doubled at each; latent: channels of the narrowest map.
    Raises SettingError for a setting that does not exist.
    """

    def __init__(
        self, in_channels: int = 3, num_classes: int = 1, *, width: int = 64, depth: int = 3, latent: int = 16, **style: Any
    ) -> None:
        super().__init__()
        check_width(width, depth)
        check_width(latent)
        conv = ConvStyle(**style)
        widths = [width * 2**level for level in range(depth)]
        self.encoder = nn.ModuleList(
            nn.Sequential(*conv_unit(channels, out, conv, stride=2), *conv_unit(out, out, conv))
            for channels, out in zip([in_channels, *widths], widths, strict=False)
        )
        self.latent = nn.Conv2d(widths[-1], latent, 1)
        self.upsample = nn.ModuleList()
        self.decoder = nn.ModuleList()
        channels = latent
        for out in reversed(widths):
            self.upsample.append(upsample(channels, "transposed", out))
            self.decoder.append(nn.Sequential(*conv_unit(out, out, conv), *conv_unit(out, out, conv)))
            channels = out
        self.drawing_head = nn.Conv2d(width, num_classes, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:  # (N, in_channels, H, W)
        sizes = []
        x = image
        for encoder in self.encoder:
            sizes.append(x)  # of which only the height and the width are used
            x = encoder(x)
        x = self.latent(x)  # (N, latent, H/8, W/8)
        for up, decoder, before in zip(self.upsample, self.decoder, reversed(sizes), strict=True):
            x = decoder(fit_size(up(x), before))
        return self.drawing_head(x)  # type: ignore[no-any-return]

    def stages(self) -> list[Stage]:
        """encoder1 … encoder3, bottleneck (the latent map), decoder3 … decoder1, head."""
        depth = len(self.encoder)
        return [
            *(Stage(f"encoder{i + 1}", "encoder", f"encoder.{i}") for i in range(depth)),
            Stage("bottleneck", "bottleneck", "latent"),
            *(Stage(f"decoder{depth - i}", "decoder", f"decoder.{i}", upsampling="transposed") for i in range(depth)),
            Stage("head", "head", "drawing_head"),
        ]
