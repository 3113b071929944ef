"""U-Net++: the skips of a U-Net filled with convolutions, so that what is joined has been processed alike.

Zhou, Siddiquee, Tajbakhsh, Liang, "UNet++: A Nested U-Net Architecture for Medical Image Segmentation", DLMIA 2018,
arXiv:1807.10165, and IEEE TMI 2020, arXiv:1912.05074.

    x0_0 ─── x0_1 ─── x0_2 ─── x0_3 ─── x0_4 ─ head ▶ logits      level 0, H
       ╲    ╱    ╲   ╱    ╲   ╱    ╲   ╱
        x1_0 ─── x1_1 ─── x1_2 ─── x1_3                            level 1, H/2
           ╲    ╱    ╲   ╱    ╲   ╱
            x2_0 ─── x2_1 ─── x2_2                                 level 2, H/4
               ╲    ╱    ╲   ╱
                x3_0 ─── x3_1                                      level 3, H/8
                   ╲    ╱
                    x4_0                                           level 4, H/16

Node x{i}_{j} joins all nodes left of it on its level with the enlarged node below it, x{i+1}_{j-1}. With deep
supervision every x0_j has a head, and the network can be cut after any of them: `pruned_at=2` builds and runs only the
triangle left of x0_2 (the paper's L2). The logits are those of the last head that is built, the paper's fast mode.

As published, convolutions have no normalisation and up-sampling is transposed; `normalization` and `upsampling` change
that. The paper's dropout is left out unless `dropout` is given.
"""

from typing import Any, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segdemo.models.blocks import (
    ConvStyle,
    UpsamplingKind,
    check_choice,
    check_width,
    double_conv,
    fit_size,
    upsample,
    upsampled_channels,
    upsampling_step,
)
from segdemo.models.supervision import Supervision
from segdemo.types import Stage

__all__ = ["UNetPlusPlus"]


class UNetPlusPlus(nn.Module):
    """image (N, in_channels, H, W) → logits (N, num_classes, H, W).

    width: channels of level 0, doubled at each of `depth` levels; pruned_at: the last column that is built, 1 to depth.
    Raises SettingError for a setting that does not exist.
    """

    def __init__(
        self,
        in_channels: int = 3,
        num_classes: int = 1,
        *,
        width: int = 32,
        depth: int = 4,
        deep_supervision: bool = False,
        pruned_at: int | None = None,
        upsampling: UpsamplingKind = "transposed",
        **style: Any,
    ) -> None:
        super().__init__()
        check_choice("upsampling", upsampling, get_args(UpsamplingKind))
        check_width(width, depth)
        check_choice("pruned_at", pruned_at, (None, *range(1, depth + 1)))
        self.depth = pruned_at or depth
        self.upsampling: UpsamplingKind = upsampling
        conv = ConvStyle(**{"normalization": "none", **style})
        widths = [width * 2**level for level in range(self.depth + 1)]  # 32, 64, 128, 256, 512
        self.nodes = nn.ModuleDict()
        self.upsample = nn.ModuleDict()
        for level, (channels, out) in enumerate(zip([in_channels, *widths], widths, strict=False)):
            self.nodes[f"x{level}_0"] = double_conv(channels, out, conv)
        for level, column in self._nested():
            out, deeper = widths[level], widths[level + 1]
            self.upsample[f"x{level}_{column}"] = upsample(deeper, upsampling, out)
            enlarged = upsampled_channels(deeper, upsampling, out)
            self.nodes[f"x{level}_{column}"] = double_conv(column * out + enlarged, out, conv)
        columns = range(1, self.depth + 1) if deep_supervision else [self.depth]
        self.heads = nn.ModuleDict({f"head{column}": nn.Conv2d(width, num_classes, 1) for column in columns})

    def _nested(self) -> list[tuple[int, int]]:
        """(level, column) of every node but the encoder's, column by column from the top: each after what it joins."""
        return [(level, column) for column in range(1, self.depth + 1) for level in range(self.depth + 1 - column)]

    def forward(self, image: Tensor) -> Tensor:  # (N, in_channels, H, W)
        x = self._features(image)
        return self.heads[f"head{self.depth}"](x[f"x0_{self.depth}"])  # type: ignore[no-any-return]

    def supervise(self, image: Tensor) -> Supervision:
        """Every head, weighted alike."""
        x = self._features(image)
        heads = [head(x[f"x0_{name.removeprefix('head')}"]) for name, head in reversed(list(self.heads.items()))]
        return Supervision(heads, [1 / len(heads)] * len(heads))

    def _features(self, image: Tensor) -> dict[str, Tensor]:
        x: dict[str, Tensor] = {}
        inner = image
        for level in range(self.depth + 1):
            x[f"x{level}_0"] = self.nodes[f"x{level}_0"](inner)  # (N, width·2^level, H/2^level, W/2^level)
            inner = F.max_pool2d(x[f"x{level}_0"], 2) if level < self.depth else inner
        for level, column in self._nested():
            name = f"x{level}_{column}"
            row = [x[f"x{level}_{j}"] for j in range(column)]
            enlarged = fit_size(self.upsample[name](x[f"x{level + 1}_{column - 1}"]), row[0])
            x[name] = self.nodes[name](torch.cat([*row, enlarged], dim=1))
        return x

    def stages(self) -> list[Stage]:
        """encoder1 … encoder4, bottleneck, the nested nodes column by column (decoder1 is x0_4), head."""
        encoders = [Stage(self._stage(level, 0), "encoder", f"nodes.x{level}_0") for level in range(self.depth)]
        bottleneck = Stage(self._stage(self.depth, 0), "bottleneck", f"nodes.x{self.depth}_0")
        up = upsampling_step(self.upsampling)
        nested = [
            Stage(
                self._stage(level, column), "decoder", f"nodes.x{level}_{column}",
                tuple(self._stage(level, j) for j in range(column)), "concat", up, after=self._stage(level + 1, column - 1),
            )
            for level, column in self._nested()
        ]  # fmt: skip
        head = Stage("head", "head", f"heads.head{self.depth}", after=self._stage(0, self.depth))
        return [*encoders, bottleneck, *nested, head]

    def _stage(self, level: int, column: int) -> str:
        """The field's name where a node has one: the first column is the encoder, the diagonal the U-Net's decoder."""
        if column == 0:
            return "bottleneck" if level == self.depth else f"encoder{level + 1}"
        return f"decoder{level + 1}" if level + column == self.depth else f"x{level}_{column}"
