"""Our own names: what this program's trainings save. The options are read off the tensors that only they bring.

What leaves no trace in a tensor (pooling, activation, padding) is taken to be the architecture's default; the card that
a training writes beside its file knows better.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from segdemo.types import Preprocessing
from segdemo.weights.layouts.base import Layout, Reading, Shapes, numbers

__all__ = ["OWN"]

Options = dict[str, Any]
RESNETS = {(2, 2): "resnet18", (6, 2): "resnet34", (6, 3): "resnet50", (23, 3): "resnet101", (36, 3): "resnet152"}


def _read(shapes: Shapes) -> Reading:
    reader = next(reader for landmark, reader in READERS.items() if landmark in shapes)
    model, options, halvings = reader(shapes)
    return Reading(model, options, preprocessing=Preprocessing("per-image", multiple_of=2**halvings))


def _unet(shapes: Shapes) -> tuple[str, Options, int]:
    """U-Net, or the encoder–decoder, whose decoder takes no more channels than are upsampled; or SegNet."""
    depth = len(numbers(shapes, r"encoder\.(\d+)\."))
    if shapes["segmentation_head.weight"][2] == 3:
        return "segnet", _common(shapes, "encoder.0", "segmentation_head"), 5
    options = _common(shapes, "encoder.0", "segmentation_head")
    options |= {"depth": depth, "upsampling": _upsampling(shapes, "upsample.0")}
    deep = list(_convolutions(shapes, "bottleneck"))[-1][1][0]
    if options["upsampling"] == "transposed":
        upsampled = shapes["upsample.0.weight"][1]
    else:
        upsampled = shapes.get("upsample.0.1.weight", (deep,))[0]
    if shapes["decoder.0.0.weight"][1] > upsampled:
        if options["upsampling"] == "bilinear" and deep == options["width"] * 2**depth:
            options["upsampling"] = "bilinear_wide"
        return "unet", options, depth
    return "encoder_decoder", options | {"bottleneck": deep}, depth


def _unet_plus_plus(shapes: Shapes) -> tuple[str, Options, int]:
    depth = max(numbers(shapes, r"nodes\.x(\d+)_0\."))
    options = _common(shapes, "nodes.x0_0", f"heads.head{depth}")
    options |= {"depth": depth, "deep_supervision": "heads.head1.weight" in shapes and depth > 1}
    return "unet_plus_plus", options | {"upsampling": _upsampling(shapes, "upsample.x0_1")}, depth


def _unet3_plus(shapes: Shapes) -> tuple[str, Options, int]:
    options = _common(shapes, "encoder.0", "segmentation_head")
    options |= {"deep_supervision": "side_heads.0.weight" in shapes, "classification_guided": "classifier.1.weight" in shapes}
    return "unet3_plus", options, 4


def _nnunet(shapes: Shapes) -> tuple[str, Options, int]:
    depth = len(numbers(shapes, r"encoder\.(\d+)\.")) + 1
    heads = numbers(shapes, r"heads\.(\d+)\.")
    options = _common(shapes, "encoder.0", f"heads.{heads[-1]}") | {
        "depth": depth,
        "max_width": list(_convolutions(shapes, "bottleneck"))[-1][1][0],
        "convolutions": len(list(_convolutions(shapes, "encoder.0"))),
        "deep_supervision": len(heads) == depth - 1,
    }
    return "nnunet", options, depth - 1


def _fcn(shapes: Shapes) -> tuple[str, Options, int]:
    stride = 32 >> (len(numbers(shapes, r"decoder\.(\d+)\.")) - 1)
    kernel = shapes["encoder.0.0.weight"][2]
    options: Options = {"in_channels": shapes["encoder.0.0.weight"][1], "num_classes": shapes["decoder.0.weight"][0]}
    if kernel == 7:
        blocks = len(numbers(shapes, r"encoder\.3\.(\d+)\."))
        convolutions = 3 if "encoder.3.0.conv3.weight" in shapes else 2
        return f"fcn{stride}s", options | {"backbone": RESNETS[blocks, convolutions]}, 5
    options |= {"classifier_width": shapes["bottleneck.0.weight"][0], "width": shapes["encoder.0.0.weight"][0]}
    if kernel == 11:
        return f"fcn{stride}s", options | {"backbone": "alexnet"}, 5
    style = _common(shapes, "encoder.0", "decoder.0")
    deep = len(list(_convolutions(shapes, "encoder.4")))
    return f"fcn{stride}s", options | style | {"backbone": "vgg19" if deep == 4 else "vgg16"}, 5


def _dilatednet(shapes: Shapes) -> tuple[str, Options, int]:
    """A binary network has two scores, of which its context module makes one."""
    options = _common(shapes, "encoder.0", "decoder.0") | {"classifier_width": shapes["bottleneck.0.weight"][0]}
    context = list(_convolutions(shapes, "segmentation_head"))
    if not context:
        return "dilatednet", options | {"context": "none"}, 3
    (_place, (out, first_in, *_)), (_place, (num_classes, *_)) = context[0], context[-1]
    return "dilatednet", options | {"context": "large" if out > first_in else "basic", "num_classes": num_classes}, 3


def _common(shapes: Shapes, block: str, head: str) -> Options:
    """What all networks have: channels in and out, the width, and what stands around a convolution of `block`."""
    places = [place for place, _shape in _convolutions(shapes, block)]
    width, in_channels = shapes[f"{block}.0.weight"][:2]
    norms = [place for place in (1, 2) if len(shapes.get(f"{block}.{place}.weight", ())) == 1]
    options: Options = {"in_channels": in_channels, "num_classes": shapes[f"{head}.weight"][0], "width": width}
    kind = "batch" if norms and f"{block}.{norms[0]}.running_mean" in shapes else "instance"
    options |= {"normalization": kind if norms else "none", "bias": f"{block}.0.bias" in shapes}
    if norms == [2]:
        options["norm_after_activation"] = True
    if len(places) > 1 and places[1] > (3 if norms else 2):
        options["dropout"] = 0.1  # there was some; how much matters to training alone
    return options


def _convolutions(shapes: Shapes, block: str) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Place and shape of each convolution of a block, in order."""
    for place in numbers(shapes, re.escape(block) + r"\.(\d+)\.weight$"):
        if len(shape := shapes[f"{block}.{place}.weight"]) == 4:
            yield place, shape


def _upsampling(shapes: Shapes, name: str) -> str:
    if f"{name}.weight" in shapes:
        return "transposed"
    return "bilinear_conv" if f"{name}.1.weight" in shapes else "bilinear"


# The first that a file holds decides.
READERS: dict[str, Callable[[Shapes], tuple[str, Options, int]]] = {
    "nodes.x0_0.0.weight": _unet_plus_plus,
    "parts.0.0.0.weight": _unet3_plus,
    "heads.0.weight": _nnunet,
    "segmentation_head.deconvolution.weight": _fcn,
    "segmentation_head.weight": _unet,
    "decoder.0.weight": _dilatednet,
}


class _Own(Layout):
    def recognises(self, shapes: Shapes) -> bool:
        """One of our networks' landmarks, and the encoder that they all have."""
        named = "encoder.0.0.weight" in shapes or "nodes.x0_0.0.weight" in shapes
        return named and any(landmark in shapes for landmark in READERS)


OWN = _Own(
    "own",
    "segdemo",
    (),
    re.compile(r"(encoder|bottleneck|upsample|decoder|parts)\.[\d.]+\.|nodes\.x\d|heads\.|segmentation_head\.|side_heads\."),
    _read,
)
