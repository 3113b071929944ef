"""SegNet: the decoder puts each value back where the encoder's max-pooling had found it.

Badrinarayanan, Kendall, Cipolla, "SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image Segmentation",
IEEE TPAMI 2017, arXiv:1511.00561.

    encoder1 ─ pool ── indices only ──▶ unpool ─ decoder1 ─ head ▶ logits
        ╲                                  ╱
       encoder2 ─ pool ── indices ──▶ unpool ─ decoder2
            …                              …
              bottleneck ─ pool ──▶ unpool ─ decoder5

The 13 convolutions of VGG16, each with batch normalisation, and their mirror image; no features skip, only the places
of the maxima. The last convolution stands bare. The fifth block, the deepest, is called bottleneck here.
"""

from itertools import pairwise
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from segdemo.models.blocks import ConvStyle, check_width, conv_unit
from segdemo.types import Stage

__all__ = ["SegNet"]

CONVOLUTIONS = (2, 2, 3, 3, 3)  # per block, as in VGG16


class SegNet(nn.Module):
    """image (N, in_channels, H, W), sides of 32 pixels or more → logits (N, num_classes, H, W).

    width: channels of the first block; the others have 2, 4, 8 and 8 times as many. Raises SettingError for a setting
    that does not exist.
    """

    def __init__(self, in_channels: int = 3, num_classes: int = 1, *, width: int = 64, **style: Any) -> None:
        super().__init__()
        check_width(width)
        conv = ConvStyle(**{"bias": True, **style})
        widths = [width * factor for factor in (1, 2, 4, 8, 8)]
        ins = [in_channels, *widths[:-1]]
        blocks = [_block([i] + [w] * n, conv) for i, w, n in zip(ins, widths, CONVOLUTIONS, strict=True)]
        self.encoder = nn.ModuleList(blocks[:-1])
        self.bottleneck = blocks[-1]
        self.decoder = nn.ModuleList(
            _block([w] * n + [out], conv) for w, n, out in zip(widths[:0:-1], CONVOLUTIONS[:0:-1], ins[:0:-1], strict=True)
        )
        self.decoder.append(_block([width, width], conv))
        self.segmentation_head = nn.Conv2d(width, num_classes, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:  # (N, in_channels, H, W)
        places, sizes = [], []
        x = image
        for encoder in [*self.encoder, self.bottleneck]:
            x = encoder(x)
            sizes.append(x.shape[-2:])
            x, indices = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
            places.append(indices)
        for decoder in self.decoder:
            # An odd side cannot be told from the pooled map, therefore the size is given.
            x = decoder(F.max_unpool2d(x, places.pop(), [2, 2], output_size=sizes.pop()))
        return self.segmentation_head(x)  # type: ignore[no-any-return]

    def stages(self) -> list[Stage]:
        """encoder1 … encoder4, bottleneck, decoder5 … decoder1, head."""
        encoders = [f"encoder{i + 1}" for i in range(4)]
        sources = ["bottleneck", *reversed(encoders)]
        return [
            *(Stage(name, "encoder", f"encoder.{i}") for i, name in enumerate(encoders)),
            Stage("bottleneck", "bottleneck", "bottleneck"),
            *(
                Stage(f"decoder{5 - i}", "decoder", f"decoder.{i}", (source,), "indices", "unpooling")
                for i, source in enumerate(sources)
            ),
            Stage("head", "head", "segmentation_head"),
        ]


def _block(channels: list[int], conv: ConvStyle) -> nn.Sequential:
    """One convolution from each number of channels to the next."""
    return nn.Sequential(*(layer for i, o in pairwise(channels) for layer in conv_unit(i, o, conv)))
