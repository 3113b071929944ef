"""Published numbers, and how ours are computed: each builds our network at the paper's setting, without memory.

No number of ours is written down here. Sources are the papers and their released definitions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import torch
from torch import nn

from segdemo.features.anatomy import Anatomy, dissect
from segdemo.features.receptive_field import receptive_field
from segdemo.features.shapes_only import without_memory
from segdemo.geometry import Size
from segdemo.models import create_model
from segdemo.text import N_

__all__ = ["Fact", "facts_of"]


@dataclass(frozen=True)
class Fact:
    """What is counted, the published number as text, and ours; `names` are the networks it speaks of."""

    names: tuple[str, ...]
    label: str  # N_
    published: str
    ours: Callable[[], str]
    remark: str = ""  # N_, why a number differs

    def check(self) -> tuple[str, bool]:
        """Our number, and whether it is the published one."""
        number = self.ours()
        return number, number == self.published


def build(name: str, in_channels: int, num_classes: int, **options: Any) -> nn.Module:
    """A network without memory."""
    with without_memory():
        return create_model(name, in_channels=in_channels, num_classes=num_classes, **options).eval()


@cache
def _anatomy(name: str, in_channels: int, num_classes: int, size: Size, options: tuple[tuple[str, Any], ...]) -> Anatomy:
    return dissect(build(name, in_channels, num_classes, **dict(options)), size, in_channels)


def _params(name: str, in_channels: int, num_classes: int, part: str = "", **options: Any) -> str:
    model = build(name, in_channels, num_classes, **options)
    return f"{sum(p.numel() for key, p in model.named_parameters() if key.startswith(part)):,}"


def _params_in_millions(name: str, in_channels: int, num_classes: int) -> str:
    return f"{sum(p.numel() for p in build(name, in_channels, num_classes).parameters()) / 1e6:.1f} M"


def _params_before_enlarging(name: str, **options: Any) -> str:
    """Of an FCN: all but its deconvolutions, as the released counts have it."""
    model = build(name, 3, 21, **options)
    return f"{sum(p.numel() for key, p in model.named_parameters() if 'deconvolution' not in key):,}"


def _layers(name: str, in_channels: int, num_classes: int, **options: Any) -> str:
    """Layers with weights; the convolutions that only adapt a shortcut are not counted, as the papers do."""
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    modules = build(name, in_channels, num_classes, **options).named_modules()
    return str(sum(isinstance(module, kinds) and "downsample" not in key for key, module in modules))


def _side(name: str, in_channels: int, num_classes: int, side: int, stage: str, **options: Any) -> str:
    anatomy = _anatomy(name, in_channels, num_classes, (side, side), tuple(options.items()))
    return str(anatomy.logits_shape[-1] if stage == "logits" else anatomy.part(stage).shape[-1])


def _channels(name: str, in_channels: int, num_classes: int, side: int, stage: str) -> str:
    return str(_anatomy(name, in_channels, num_classes, (side, side), ()).part(stage).shape[0])


def _numbers(name: str, side: int, stage: str) -> str:
    shape = _anatomy(name, 1, 10, (side, side), ()).part(stage).shape
    return f"{torch.Size(shape).numel():,}"


def _macs(name: str, num_classes: int, side: int) -> str:
    return f"{_anatomy(name, 3, num_classes, (side, side), ()).macs / 1e9:.1f} G"


def _field(name: str, stage: str, **options: Any) -> str:
    return str(receptive_field(build(name, 3, 21, **options), stage).size)


def _crops() -> str:
    anatomy = _anatomy("unet", 1, 2, (572, 572), (("padding", "valid"),))
    below = ["bottleneck", "decoder4", "decoder3", "decoder2"]
    pairs = [(anatomy.part(f"encoder{4 - i}"), anatomy.part(deeper)) for i, deeper in enumerate(below)]
    return ", ".join(str((skip.shape[-1] - 2 * deeper.shape[-1]) // 2) for skip, deeper in pairs)


def _dilations(name: str, stage: str, side: int) -> str:
    return ", ".join(map(str, _anatomy(name, 3, 21, (side, side), ()).part(stage).dilations))


PARAMS, LAYERS = N_("Parameters"), N_("Layers with weights")
UNET = partial(_side, "unet", 1, 2, 572, padding="valid")
FACTS: tuple[Fact, ...] = (
    Fact(("mnist_cnn",), N_("Numbers before the last layer"), "3,136", partial(_numbers, "mnist_cnn", 28, "bottleneck")),
    Fact(("mnist_cnn",), N_("Answers for a 28×28 digit"), "10", partial(_numbers, "mnist_cnn", 28, "head")),
    Fact(("alexnet",), LAYERS, "8", partial(_layers, "alexnet", 3, 1000)),
    Fact(("alexnet",), N_("Parameters, as torchvision counts them"), "61,100,840", partial(_params, "alexnet", 3, 1000)),
    Fact(("vgg16",), LAYERS, "16", partial(_layers, "vgg16", 3, 1000)),
    Fact(("vgg16",), N_("Parameters, as torchvision counts them"), "138,357,544", partial(_params, "vgg16", 3, 1000)),
    Fact(("vgg19",), LAYERS, "19", partial(_layers, "vgg19", 3, 1000)),
    Fact(("fcn32s", "fcn16s", "fcn8s"), N_("Receptive field of fc7, on VGG16"), "404", partial(_field, "fcn32s", "bottleneck")),
    Fact(("fcn32s", "fcn16s", "fcn8s"), N_("Receptive field of fc7, on AlexNet"), "355",
         partial(_field, "fcn32s", "bottleneck", backbone="alexnet")),
    *(
        Fact((name,), N_("Parameters on VGG16, 21 classes, without deconvolutions"), count,
             partial(_params_before_enlarging, name))
        for name, count in (("fcn32s", "134,346,581"), ("fcn16s", "134,357,354"), ("fcn8s", "134,362,751"))
    ),
    *(
        Fact((name,), N_("Parameters with dense deconvolutions"), count, partial(_params, name, 3, 21))
        for name, count in (("fcn32s", "136,152,917"), ("fcn16s", "134,815,994"), ("fcn8s", "134,489,759"))
    ),
    Fact(("unet",), N_("Side of the logits for a 572×572 picture"), "388", partial(UNET, "logits")),
    Fact(("unet",), N_("Side of the bottleneck"), "28", partial(UNET, "bottleneck")),
    Fact(("unet",), N_("Cropped from the skips, per side"), "4, 16, 40, 88", _crops),
    Fact(("unet",), N_("Convolutions"), "23", partial(_layers, "unet", 1, 2, padding="valid")),
    Fact(("unet",), PARAMS, "31,030,658", partial(_params, "unet", 1, 2, padding="valid")),
    Fact(("segnet",), N_("Parameters, 11 classes"), "29,449,355", partial(_params, "segnet", 3, 11)),
    Fact(("segnet",), N_("Convolutions"), "26", partial(_layers, "segnet", 3, 11)),
    Fact(("dilatednet",), N_("Parameters of the front end, 21 classes"), "134,346,581",
         partial(_params, "dilatednet", 3, 21, context="none")),
    Fact(("dilatednet",), N_("Parameters of the basic context module"), "28,392",
         partial(_params, "dilatednet", 3, 21, part="segmentation_head", context="basic")),
    Fact(("dilatednet",), N_("Parameters of the large context module"), "6,803,139",
         partial(_params, "dilatednet", 3, 21, part="segmentation_head", context="large")),
    *(Fact((f"resnet{n}",), LAYERS, str(n), partial(_layers, f"resnet{n}", 3, 1000)) for n in (18, 34, 50, 101, 152)),
    Fact(("resnet18",), N_("Multiplications at 224×224"), "1.8 G", partial(_macs, "resnet18", 1000, 224)),
    Fact(("resnet50",), N_("Multiplications at 224×224"), "3.8 G", partial(_macs, "resnet50", 1000, 224),
         N_("torchvision halves in the 3×3 convolution of a block, the paper in the 1×1 before it")),
    *(
        Fact((name,), N_("Dilations of ASPP at an eighth of the size"), "12, 24, 36", partial(_dilations, name, "decoder1", 520))
        for name in ("deeplabv3_resnet50", "deeplabv3_resnet101")
    ),
    Fact(("lraspp_mobilenet_v3_large",), N_("Parameters, as torchvision counts them"), "3,221,538",
         partial(_params, "lraspp_mobilenet_v3_large", 3, 21)),
    Fact(("unet_plus_plus",), PARAMS, "9,041,601", partial(_params, "unet_plus_plus", 1, 1)),
    Fact(("unet_plus_plus",), N_("Parameters with deep supervision"), "9,041,700",
         partial(_params, "unet_plus_plus", 1, 1, deep_supervision=True)),
    Fact(("unet_plus_plus",), N_("Parameters of the U-Net it is compared with"), "7,759,521",
         partial(_params, "unet", 1, 1, width=32, normalization="none")),
    Fact(("nnunet",), N_("Parameters of the 8-stage 2-D network"), "46,324,558", partial(_params, "nnunet", 1, 2)),
    Fact(("nnunet",), N_("Side of the smallest map for a 512×512 picture"), "4",
         partial(_side, "nnunet", 1, 2, 512, "bottleneck")),
    Fact(("unet3_plus",), PARAMS, "26,971,777", partial(_params, "unet3_plus", 3, 1)),
    Fact(("unet3_plus",), N_("Parameters with deep supervision"), "26,989,637",
         partial(_params, "unet3_plus", 3, 1, deep_supervision=True)),
    Fact(("unet3_plus",), N_("Parameters with the classifier too"), "26,991,687",
         partial(_params, "unet3_plus", 3, 1, deep_supervision=True, classification_guided=True)),
    Fact(("unet3_plus",), N_("Channels of every decoder stage"), "320", partial(_channels, "unet3_plus", 3, 1, 320, "decoder4")),
    Fact(("segformer",), N_("Parameters of B0, 150 classes"), "3.8 M", partial(_params_in_millions, "segformer", 3, 150)),
    Fact(("segformer",), N_("Multiplications of B0 at 512×512"), "8.4 G", partial(_macs, "segformer", 150, 512)),
)  # fmt: skip


@cache
def facts_of(name: str) -> tuple[tuple[Fact, str, bool], ...]:
    """The facts of one network, each with our number and whether it is the published one."""
    return tuple((fact, *fact.check()) for fact in FACTS if name in fact.names)
