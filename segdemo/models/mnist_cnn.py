"""The first lesson: a convolutional network of two layers that reads handwritten digits, 28 → 14 → 7 → 3136 → 10.

    digit (1, 28, 28) ─ 32 × 3×3, ReLU, pool ▶ (32, 14, 14) ─ 64 × 3×3, ReLU, pool ▶ (64, 7, 7) = 3136 numbers ─ linear ▶ 10

It follows the pattern of LeNet: LeCun, Bottou, Bengio, Haffner, Proc. IEEE 86 (1998), doi:10.1109/5.726791. The linear
layer over 7×7×64 numbers is written as a convolution with a 7×7 kernel, which is the same sum with the same weights.
That is the step from classification to segmentation (Long et al., arXiv:1411.4038): on a larger picture the same
network gives a map of answers, one for each 28×28 window, four pixels apart.
"""

from torch import Tensor, nn

from segdemo.errors import SettingError
from segdemo.models.blocks import check_width
from segdemo.text import _
from segdemo.types import Stage

__all__ = ["MnistCNN"]

SMALLEST = 28


class MnistCNN(nn.Module):
    """image (N, in_channels, H, W), sides of 28 pixels or more → logits (N, num_classes, ⌊H/4⌋-6, ⌊W/4⌋-6), 1×1 for 28×28."""

    def __init__(self, in_channels: int = 1, num_classes: int = 10, *, width: int = 32) -> None:
        super().__init__()
        check_width(width)
        self.encoder = nn.ModuleList([
            nn.Sequential(nn.Conv2d(in_channels, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            nn.Sequential(nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        ])  # fmt: skip
        self.classification_head = nn.Conv2d(2 * width, num_classes, 7)

    def forward(self, image: Tensor) -> Tensor:  # (N, in_channels, H, W)
        if min(image.shape[-2:]) < SMALLEST:
            raise SettingError(_("This network reads windows of {n} × {n} pixels; the picture is smaller.", n=SMALLEST))
        x = image
        for encoder in self.encoder:
            x = encoder(x)
        return self.classification_head(x)  # type: ignore[no-any-return]

    def stages(self) -> list[Stage]:
        """encoder1, bottleneck (the 3136 numbers), head."""
        return [
            Stage("encoder1", "encoder", "encoder.0"),
            Stage("bottleneck", "bottleneck", "encoder.1"),
            Stage("head", "head", "classification_head"),
        ]
