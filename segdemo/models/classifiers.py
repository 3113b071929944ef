"""The classification networks that became encoders, from torchvision: AlexNet, VGG and ResNet.

AlexNet: Krizhevsky, arXiv:1404.5997 (torchvision's one-tower variant of the NIPS 2012 network). VGG: Simonyan,
Zisserman, arXiv:1409.1556. ResNet: He et al., arXiv:1512.03385; ResNet-18 and -34 stack plain residual blocks of two
3×3 convolutions, the deeper ones bottleneck blocks of 1×1, 3×3, 1×1. They say one thing about a whole picture, so the
logits are a map of one pixel. The state dict has torchvision's own keys.
"""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn
from torchvision import models

from segdemo.models.blocks import replace_stem
from segdemo.types import Stage

__all__ = ["BUILDERS", "TITLES", "Classifier"]

TITLES = {
    "alexnet": "AlexNet",
    "vgg16": "VGG16",
    "vgg19": "VGG19",
    "resnet18": "ResNet-18",
    "resnet34": "ResNet-34",
    "resnet50": "ResNet-50",
    "resnet101": "ResNet-101",
    "resnet152": "ResNet-152",
}
# The layer of `features` that ends each block: its pooling.
BLOCK_ENDS = {"alexnet": (2, 5, 12), "vgg16": (4, 9, 16, 23, 30), "vgg19": (4, 9, 18, 27, 36)}


class Classifier(nn.Module):
    """image (N, in_channels, H, W), sides of 64 pixels or more → logits (N, num_classes, 1, 1)."""

    def __init__(self, architecture: str, in_channels: int = 3, num_classes: int = 1000) -> None:
        super().__init__()
        net = getattr(models, architecture)(weights=None, num_classes=num_classes)
        if in_channels != 3:
            replace_stem(net, in_channels)
        for name, child in net.named_children():
            self.add_module(name, child)
        self.architecture = architecture

    def forward(self, image: Tensor) -> Tensor:  # (N, in_channels, H, W)
        x = image
        for name, child in self.named_children():
            x = child(x.flatten(1) if name in ("classifier", "fc") else x)
        return x[..., None, None]

    def stages(self) -> list[Stage]:
        """encoder1 …, bottleneck (the deepest map), head (the classifier)."""
        ends = BLOCK_ENDS.get(self.architecture)
        paths = [f"features.{i}" for i in ends] if ends else ["relu", "layer1", "layer2", "layer3", "layer4"]
        encoders = [Stage(f"encoder{i + 1}", "encoder", path) for i, path in enumerate(paths[:-1])]
        head = "classifier" if ends else "fc"
        return [*encoders, Stage("bottleneck", "bottleneck", paths[-1]), Stage("head", "head", head)]


BUILDERS: dict[str, Callable[..., nn.Module]] = {name: partial(Classifier, name) for name in TITLES}
