"""FCN-32s, FCN-16s, FCN-8s: a classification network read as convolutions, its scores enlarged to the picture's size.

Long, Shelhamer, Darrell, "Fully Convolutional Networks for Semantic Segmentation", CVPR 2015, arXiv:1411.4038.

    image ─ encoder1 ─ … ─ encoder5 ─ fc6, fc7 ─ score ────────────────────────▶ ×32 ▶ logits   FCN-32s
                       ╲ pool4 ─ score ─────────── + ◀─ ×2 ────────────────────▶ ×16 ▶ logits   FCN-16s
               ╲ pool3 ─ score ─────────────────────────── + ◀─ ×2 ────────────▶ ×8  ▶ logits   FCN-8s

`padding="paper"` is the published network on VGG16: 100 pixels of zeros around the picture, poolings that round up, fc6
as a 7×7 convolution without padding, dense deconvolutions that begin as bilinear interpolation; the ×2 ones are
learned, the last is fixed. Maps are laid over each other by cropping; here the offsets (19, 27 and 31 for the logits, 5
and 9 for the skips) follow from the geometry of the backbone instead of being written down.

What is not in the paper: `padding="same"`, which pads every convolution by half its kernel and so spares the wide
border; `normalization`, `width` and `classifier_width`; 16s and 8s on AlexNet, and all ResNets (their last map is
scored directly, a deconvolution kernel is one shorter where the grids are centred on pixels).
"""

from functools import partial
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from segdemo.models.backbones import Grid, convolutional_classifier, create_backbone
from segdemo.models.blocks import ConvStyle, check_choice, check_width
from segdemo.types import Stage

__all__ = ["BUILDERS", "FCN", "TITLES", "Upscore", "bilinear_kernel"]

TITLES = {"fcn32s": "FCN-32s", "fcn16s": "FCN-16s", "fcn8s": "FCN-8s"}


class FCN(nn.Module):
    """image (N, in_channels, H, W) → logits (N, num_classes, H, W).

    stride: 32, 16 or 8, the finest map that is scored. backbone: "vgg16", "vgg19", "alexnet" or a ResNet. width:
    channels of the backbone's first block; classifier_width: of fc6 and fc7, 64 × width if not given. Raises
    SettingError for a setting that does not exist.
    """

    def __init__(
        self,
        in_channels: int = 3,
        num_classes: int = 1,
        *,
        stride: int = 32,
        backbone: str = "vgg16",
        padding: Literal["paper", "same"] = "paper",
        width: int = 64,
        classifier_width: int | None = None,
        **style: Any,
    ) -> None:
        super().__init__()
        check_choice("padding", padding, ("paper", "same"))
        check_width(width)
        check_width(classifier_width or 1)
        conv = ConvStyle(**{"normalization": "none", **style})
        half_kernel = 5 if backbone == "alexnet" else 1
        base = create_backbone(backbone, in_channels, width, 100 if padding == "paper" else half_kernel, conv)
        self.encoder = nn.ModuleList(base.blocks if base.classifier_kernel else base.blocks[:-1])
        grid = base.grids[-1]
        if base.classifier_kernel:
            deep = classifier_width or 64 * width
            kernel, padded = base.classifier_kernel, padding == "same"
            self.bottleneck = convolutional_classifier(base.channels[-1], deep, kernel, padded=padded)
            pad = kernel // 2 if padded else 0
            grid = grid.through(kernel, 1, pad)
        else:
            self.bottleneck = cast(nn.Sequential, base.blocks[-1])
            deep = base.channels[-1]
        self.decoder = nn.ModuleList([_score(deep, num_classes)])
        self.sources = [i for i, g in enumerate(base.grids) if stride <= g.stride < 32][::-1]
        for source in self.sources:
            fuse = Fuse(num_classes, base.channels[source], grid, base.grids[source])
            self.decoder.append(fuse)
            grid = fuse.grid
        self.segmentation_head = Upscore(num_classes, grid, Grid())
        self.segmentation_head.deconvolution.requires_grad_(False)

    def forward(self, image: Tensor) -> Tensor:  # (N, in_channels, H, W)
        deep, skips = self._features(image)
        return self._enlarged(deep, skips, len(skips), image)

    def scores(self, image: Tensor) -> dict[int, Tensor]:
        """Stride → logits (N, num_classes, H, W) that know the places down to that stride only: 32, then 16, then 8.

        Of finer skips the scores' mean is added, one number a class, because the deeper scores were trained to be
        added to them. Everything is enlarged as in the whole network; so the last are its logits.
        """
        deep, skips = self._features(image)
        return {32 >> used: self._enlarged(deep, skips, used, image) for used in range(len(skips) + 1)}

    def _features(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The deepest scores, and the maps that skip to the sums, the deepest first."""
        maps = []
        x = image
        for encoder in self.encoder:
            x = encoder(x)
            maps.append(x)
        x = self.decoder[0](self.bottleneck(x))  # (N, num_classes, H/32, W/32)
        return x, [maps[source] for source in self.sources]

    def _enlarged(self, deep: Tensor, skips: list[Tensor], used: int, image: Tensor) -> Tensor:
        """Logits (N, num_classes, H, W) from the first `used` skips and the mean scores of the others."""
        x = deep
        for i, (fuse, skip) in enumerate(zip(self.decoder[1:], skips, strict=True)):
            x = fuse(x, skip, flat=i >= used)  # (N, num_classes, H/16, W/16), then H/8
        return self.segmentation_head(x, image.shape[-2:])  # type: ignore[no-any-return]

    def stages(self) -> list[Stage]:
        """encoder1 …, bottleneck (fc7, or a ResNet's last layer), decoder3 … decoder1 (scores), head (the enlargement)."""
        count = len(self.decoder)
        encoders = [Stage(f"encoder{i + 1}", "encoder", f"encoder.{i}") for i in range(len(self.encoder))]
        fuses = [
            Stage(f"decoder{count - 1 - i}", "decoder", f"decoder.{i + 1}", (f"encoder{source + 1}",), "sum", "transposed")
            for i, source in enumerate(self.sources)
        ]
        return [
            *encoders,
            Stage("bottleneck", "bottleneck", "bottleneck"),
            Stage(f"decoder{count}", "decoder", "decoder.0"),
            *fuses,
            Stage("head", "head", "segmentation_head", upsampling="transposed"),
        ]


class Upscore(nn.Module):
    """Enlarge scores (N, C, h, w) by a deconvolution that begins as bilinear interpolation, laid on the target's grid."""

    def __init__(self, num_classes: int, grid: Grid, target: Grid) -> None:
        super().__init__()
        factor = grid.stride // target.stride
        # An even kernel where the coarse cells lie between the fine ones, an odd one where they lie on them.
        between = ((grid.start - target.start) / target.stride) % 1 != 0
        kernel = 2 * factor if between else 2 * factor - 1
        self.deconvolution = nn.ConvTranspose2d(num_classes, num_classes, kernel, factor, bias=False)
        with torch.no_grad():
            _fill_bilinear(self.deconvolution.weight, factor)
        self.grid = Grid(grid.start - (kernel - 1) / 2 * target.stride, target.stride)

    def forward(self, scores: Tensor, size: tuple[int, int]) -> Tensor:
        """scores (N, C, h, w) → (N, C, *size), cropped where the grid says that the picture begins."""
        offset = round(-self.grid.start)
        enlarged: Tensor = self.deconvolution(scores)
        return enlarged[..., offset : offset + size[0], offset : offset + size[1]]


class Fuse(nn.Module):
    """Scores at twice their resolution, plus the scores of a skip."""

    def __init__(self, num_classes: int, skip_channels: int, grid: Grid, skip_grid: Grid) -> None:
        super().__init__()
        self.up = Upscore(num_classes, grid, skip_grid)
        self.score = _score(skip_channels, num_classes)
        # In cells: how far the enlarged map begins after the skip. Where negative, the enlarged map is cropped instead.
        self.offset = round((self.up.grid.start - skip_grid.start) / skip_grid.stride)
        self.grid = Grid(skip_grid.start + max(self.offset, 0) * skip_grid.stride, skip_grid.stride)

    def forward(self, deep: Tensor, skip: Tensor, flat: bool = False) -> Tensor:
        """deep (N, C, h, w), skip (N, D, ≈2h, ≈2w) → their sum (N, C, ≈2h, ≈2w); flat: of the skip's scores only the mean."""
        up, scores = self.up.deconvolution(deep), self.score(skip)
        up = up[..., max(-self.offset, 0) :, max(-self.offset, 0) :]
        scores = scores[..., max(self.offset, 0) :, max(self.offset, 0) :]
        height, width = min(up.shape[-2], scores.shape[-2]), min(up.shape[-1], scores.shape[-1])
        up, scores = up[..., :height, :width], scores[..., :height, :width]
        return up + (scores.mean(dim=(2, 3), keepdim=True) if flat else scores)  # type: ignore[no-any-return]


def bilinear_kernel(kernel: int, factor: int) -> Tensor:
    """(kernel, kernel) weights with which a deconvolution enlarges by `factor` with linear interpolation."""
    centre = (kernel - 1) / 2
    line = 1 - (torch.arange(kernel, device="cpu") - centre).abs() / factor
    return torch.outer(line, line)


def _fill_bilinear(weight: Tensor, factor: int) -> None:
    """In place, channel by channel, none into another; a weight without memory ("meta") stays as it is."""
    if weight.is_meta:
        return
    weight.zero_()
    for channel in range(weight.shape[0]):
        weight[channel, channel] = bilinear_kernel(weight.shape[-1], factor)


def _score(channels: int, num_classes: int) -> nn.Conv2d:
    """1×1 convolution from features to class scores; it begins close to zero, as in the paper, which has it at zero."""
    layer = nn.Conv2d(channels, num_classes, 1)
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.zeros_(cast(Tensor, layer.bias))
    return layer


BUILDERS = {f"fcn{stride}s": partial(FCN, stride=stride) for stride in (32, 16, 8)}
