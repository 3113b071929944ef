"""torchvision's segmentation networks behind our contract: logits as one tensor, stages in order.

FCN: Long, Shelhamer, Darrell, arXiv:1411.4038, on a dilated ResNet (torchvision's own variant: stride 8, no skips).
DeepLabV3: Chen et al., arXiv:1706.05587. LR-ASPP: Howard et al., arXiv:1905.02244.
"""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import segmentation

from segdemo.models.blocks import replace_stem
from segdemo.types import Stage

__all__ = ["BUILDERS", "TITLES", "TorchvisionSegmentation"]

TITLES = {
    "fcn_resnet50": "FCN · ResNet-50",
    "fcn_resnet101": "FCN · ResNet-101",
    "deeplabv3_resnet50": "DeepLabV3 · ResNet-50",
    "deeplabv3_resnet101": "DeepLabV3 · ResNet-101",
    "deeplabv3_mobilenet_v3_large": "DeepLabV3 · MobileNetV3",
    "lraspp_mobilenet_v3_large": "LR-ASPP · MobileNetV3",
}

# The last block before each halving, as torchvision counts them; dilation keeps the later ones at stride 16 or 8.
MOBILENET_STAGES = ("1", "3", "6", "12", "16")
LRASPP_STAGES = ("1", "3", "4", "12", "16")  # its skip leaves after the first block at stride 8


class TorchvisionSegmentation(nn.Module):
    """A torchvision segmentation network without its dict: image (N, 3, H, W) → logits (N, num_classes, H, W).

    The state dict has torchvision's own keys, so that its published checkpoints load as they are.
    """

    def __init__(self, architecture: str, in_channels: int = 3, num_classes: int = 21) -> None:
        super().__init__()
        net = getattr(segmentation, architecture)(weights=None, weights_backbone=None, num_classes=num_classes)
        self.backbone: nn.Module = net.backbone
        self.classifier: nn.Module = net.classifier
        self.mobilenet = "mobilenet" in architecture
        self.two_scales = architecture.startswith("lraspp")
        if in_channels != 3:
            replace_stem(self.backbone, in_channels)

    def forward(self, image: Tensor) -> Tensor:  # (N, in_channels, H, W)
        features = self.backbone(image)  # "out": (N, D, H/8, W/8); LR-ASPP: "low" at 1/8 and "high" at 1/16
        logits = self.classifier(features if self.two_scales else features["out"])
        return F.interpolate(logits, size=image.shape[-2:], mode="bilinear", align_corners=False)

    def stages(self) -> list[Stage]:
        """encoder1 … bottleneck (the deepest encoder stage), decoder1 (the classifier's features), head (its scores)."""
        mobilenet = LRASPP_STAGES if self.two_scales else MOBILENET_STAGES
        names = mobilenet if self.mobilenet else ("relu", "layer1", "layer2", "layer3", "layer4")
        encoders = [Stage(f"encoder{i + 1}", "encoder", f"backbone.{name}") for i, name in enumerate(names[:-1])]
        bottleneck = Stage("bottleneck", "bottleneck", f"backbone.{names[-1]}")
        if self.two_scales:
            # The skip joins in the head, which scores both scales and adds the scores.
            decoder = Stage("decoder1", "decoder", "classifier.cbr")
            return [*encoders, bottleneck, decoder, Stage("head", "head", "classifier", ("encoder3",), "sum", "bilinear")]
        last = len(self.classifier) - 1  # type: ignore[arg-type]
        return [
            *encoders, bottleneck,
            Stage("decoder1", "decoder", f"classifier.{last - 1}"),
            Stage("head", "head", f"classifier.{last}", upsampling="bilinear"),
        ]  # fmt: skip


BUILDERS: dict[str, Callable[..., nn.Module]] = {name: partial(TorchvisionSegmentation, name) for name in TITLES}
