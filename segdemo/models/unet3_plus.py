"""U-Net 3+: every decoder stage sees every scale, from the finest detail to the deepest meaning.

Huang et al., "UNet 3+: A Full-Scale Connected UNet for Medical Image Segmentation", ICASSP 2020, arXiv:2004.08790.

    decoder2 = 3×3( [ pooled encoder1 | encoder2 | enlarged decoder3 | enlarged decoder4 | enlarged bottleneck ] )
               each part through its own 3×3 convolution to 64 channels: 5 × 64 = 320

Finer maps come from the encoder by max-pooling, the equal one as it is, deeper ones from the decoder by bilinear
interpolation. `deep_supervision` gives every decoder stage and the bottleneck a head of its own.
`classification_guided` adds the paper's classifier on the bottleneck, which says whether the picture holds the class at
all and damps the segmentation where it does not. Where the released module has faults, this one does not follow: the
decision stays soft (a hard argmax stops the gradient), it multiplies *probabilities* (a logit of 0 means one half, not
"absent"), and the classifier's scores are returned to be trained. The convolutions keep their bias beside the batch
normalisation, as in the released network, whose parameter counts the tests hold.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segdemo.models.blocks import ConvStyle, check_width, conv_unit, double_conv
from segdemo.models.supervision import Supervision
from segdemo.types import Stage

__all__ = ["UNet3Plus", "gate"]

SCALES = 5


class UNet3Plus(nn.Module):
    """image (N, in_channels, H, W), sides of 16 pixels or more → logits (N, num_classes, H, W).

    width: channels of the first encoder stage and of each part of a decoder stage. Raises SettingError for a setting
    that does not exist.
    """

    def __init__(
        self,
        in_channels: int = 3,
        num_classes: int = 1,
        *,
        width: int = 64,
        deep_supervision: bool = False,
        classification_guided: bool = False,
        **style: Any,
    ) -> None:
        super().__init__()
        check_width(width)
        conv = ConvStyle(**{"bias": True, **style})
        widths = [width * 2**level for level in range(SCALES)]  # 64, 128, 256, 512, 1024
        ins = [in_channels, *widths]
        blocks = [double_conv(i, out, conv) for i, out in zip(ins, widths, strict=False)]
        self.encoder, self.bottleneck = nn.ModuleList(blocks[:-1]), blocks[-1]
        joined = SCALES * width  # 320
        self.parts = nn.ModuleList()  # of each decoder stage, deepest first, one convolution a scale, finest first
        self.decoder = nn.ModuleList()
        for level in reversed(range(SCALES - 1)):
            channels = [widths[s] if s <= level or s == SCALES - 1 else joined for s in range(SCALES)]
            self.parts.append(nn.ModuleList(nn.Sequential(*conv_unit(c, width, conv)) for c in channels))
            self.decoder.append(nn.Sequential(*conv_unit(joined, joined, conv)))
        self.segmentation_head = nn.Conv2d(joined, num_classes, 3, padding=1)
        sides = [widths[-1], *[joined] * (SCALES - 2)] if deep_supervision else []
        self.side_heads = nn.ModuleList(nn.Conv2d(c, num_classes, 3, padding=1) for c in sides)  # deepest first
        foreground = max(1, num_classes - 1)
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Conv2d(widths[-1], 2 * foreground, 1), nn.AdaptiveMaxPool2d(1), nn.Flatten()
        ) if classification_guided else None  # fmt: skip

    def forward(self, image: Tensor) -> Tensor:  # (N, in_channels, H, W)
        features = self._features(image)
        logits: Tensor = self.segmentation_head(features[-1])
        return logits if self.classifier is None else gate(logits, self._presence(features))

    def supervise(self, image: Tensor) -> Supervision:
        """Every head at the image's size, weighted alike, and the classifier's logits, to be trained by cross entropy."""
        features = self._features(image)
        sides = [
            _resized(head(f), (image.shape[-2], image.shape[-1])) for head, f in zip(self.side_heads, features, strict=False)
        ]
        heads = [self.segmentation_head(features[-1]), *reversed(sides)]
        presence = None if self.classifier is None else self._presence(features)
        gated = heads if presence is None else [gate(head, presence) for head in heads]
        return Supervision(gated, [1 / len(heads)] * len(heads), presence)

    def _presence(self, features: list[Tensor]) -> Tensor:
        pairs = self.classifier(features[0]).unflatten(1, (-1, 2))  # type: ignore[misc]  # (N, classes, absent | present)
        return pairs[..., 1] - pairs[..., 0]  # type: ignore[no-any-return]  # the log odds of the softmax over the pair

    def _features(self, image: Tensor) -> list[Tensor]:
        """bottleneck, decoder4 … decoder1."""
        finer = []
        x = image
        for encoder in self.encoder:
            finer.append(encoder(x))
            x = F.max_pool2d(finer[-1], 2)
        deeper = [self.bottleneck(x)]  # (N, 1024, H/16, W/16)
        for parts, decoder in zip(self.parts, self.decoder, strict=True):
            level = SCALES - 1 - len(deeper)
            size = finer[level].shape[-2:]
            same_and_finer = [F.max_pool2d(m, 2 ** (level - s)) for s, m in enumerate(finer[: level + 1])]
            scales = [*same_and_finer, *(_resized(m, size) for m in reversed(deeper))]
            joined = torch.cat([part(m) for part, m in zip(parts, scales, strict=True)], dim=1)  # type: ignore[call-overload]
            deeper.append(decoder(joined))  # (N, 320, H/2^level, W/2^level)
        return deeper

    def stages(self) -> list[Stage]:
        """encoder1 … encoder4, bottleneck, decoder4 … decoder1, head."""
        encoders = [f"encoder{i + 1}" for i in range(SCALES - 1)]
        stages = [Stage(name, "encoder", f"encoder.{i}") for i, name in enumerate(encoders)]
        stages.append(Stage("bottleneck", "bottleneck", "bottleneck"))
        deeper: list[str] = []  # beyond the stage just before, which is no skip
        for i, level in enumerate(reversed(range(SCALES - 1))):
            skips = (*encoders[: level + 1], *deeper)
            stages.append(Stage(f"decoder{level + 1}", "decoder", f"decoder.{i}", skips, "concat", "bilinear"))
            deeper.append("bottleneck" if level == SCALES - 2 else f"decoder{level + 2}")
        return [*stages, Stage("head", "head", "segmentation_head")]


def gate(logits: Tensor, presence: Tensor) -> Tensor:
    """Logits (N, C, H, W) whose foreground probabilities are multiplied by P(present) of `presence` (N, foreground) logits.

    Binary: log odds of g·σ(z). Multi-class: log (g·p) of each foreground class, and the background receives what is
    taken away. Both in a form that neither overflows nor stops the gradient.
    """
    log_gate, log_absent = F.logsigmoid(presence)[..., None, None], F.logsigmoid(-presence)[..., None, None]
    if logits.shape[1] > 1:
        log_probs = logits.log_softmax(dim=1)
        background = torch.cat([log_probs[:, :1], log_probs[:, 1:] + log_absent], dim=1).logsumexp(dim=1, keepdim=True)
        return torch.cat([background, log_probs[:, 1:] + log_gate], dim=1)
    on = log_gate + F.logsigmoid(logits)
    return on - torch.logaddexp(log_absent, log_gate + F.logsigmoid(-logits))


def _resized(x: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)
