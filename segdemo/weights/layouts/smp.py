"""segmentation_models_pytorch: twelve decoders, each on any of many encoders.

    encoder.* ─ decoder.* ─ segmentation_head.0

The decoder is told by a name that only it has. The encoder is told by building those that begin with the same name and
comparing all shapes; nothing is downloaded, and nothing is built before a file looks like smp's.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import torch

from segdemo.text import N_
from segdemo.types import Notice, Preprocessing
from segdemo.weights.layouts.base import GREY_IMAGENET, Layout, Reading, Shapes, numbers

__all__ = ["SMP"]

HEAD = "segmentation_head.0.weight"
INTERPOLATION = Notice(
    N_("Options of smp that leave no trace in weights, such as the interpolation, are taken to be its defaults.")
)

# SegFormer's encoders by the channels of the first stage and the blocks of the third: they cannot be built without memory.
MIT = {(32, 2): "mit_b0", (64, 2): "mit_b1", (64, 6): "mit_b2", (64, 18): "mit_b3", (64, 27): "mit_b4", (64, 40): "mit_b5"}
# The first that a file holds decides.
DECODERS = {
    "decoder.blocks.x_0_0.conv1.0.weight": "smp/unetplusplus",
    "decoder.center.top_conv.weight": "smp/manet",
    "decoder.blocks.0.conv1.0.weight": "smp/unet",
    "decoder.blocks.0.block.0.0.weight": "smp/linknet",
    "decoder.p5.weight": "smp/fpn",
    "decoder.psp.blocks.0.pool.1.0.weight": "smp/pspnet",
    "decoder.aspp.convs.0.0.weight": "smp/deeplabv3",
    "decoder.aspp.0.convs.0.0.weight": "smp/deeplabv3plus",
    "decoder.fpa.branch1.1.conv.weight": "smp/pan",
    "decoder.fpn_lateral_blocks.0.conv_norm_relu.0.weight": "smp/upernet",
    "decoder.mlp_stage.0.linear.weight": "smp/segformer",
}
# The name of an encoder's first layer → which encoders have it.
ENCODERS = {
    "encoder.conv1.weight": r"resne[x]?t.*|timm-skresne[x]?t.*|xception",
    "encoder.layer0.conv1.weight": r"se.*",
    "encoder._conv_stem.weight": r"efficientnet.*",
    "encoder.conv_stem.weight": r"timm-.*efficientnet.*",
    "encoder.features.0.0.weight": r"mobilenet_v2",
    "encoder.features.0.weight": r"vgg.*",
    "encoder.features.conv0.weight": r"densenet.*",
    "encoder.features.0.conv.weight": r"inceptionv4",
    "encoder.features.conv1_1.conv.weight": r"dpn.*",
    "encoder.stage0.rbr_conv.0.conv.weight": r"mobileone.*",
    "encoder.patch_embed1.proj.weight": r"mit_.*",
}


def _read(shapes: Shapes) -> Reading:
    model = next(name for landmark, name in DECODERS.items() if landmark in shapes)
    stem, family = next((stem, family) for stem, family in ENCODERS.items() if stem in shapes)
    in_channels = shapes[stem][1]
    options: dict[str, Any] = {"in_channels": in_channels, "num_classes": shapes[HEAD][0]}
    options["encoder_name"] = _encoder(family, {k: v for k, v in shapes.items() if k.startswith("encoder.")}, in_channels)
    if model == "smp/unet":
        blocks = numbers(shapes, r"decoder\.blocks\.(\d+)\.")
        channels = tuple(shapes[f"decoder.blocks.{block}.conv2.0.weight"][0] for block in blocks)
        options |= _unless_usual("decoder_channels", channels, (256, 128, 64, 32, 16))
        options |= _unless_usual("encoder_depth", len(channels), 5)
    if any(".attention1.attention." in name for name in shapes):
        options["decoder_attention_type"] = "scse"
    usual = GREY_IMAGENET if in_channels == 1 else Preprocessing()
    preprocessing = Preprocessing(mean=usual.mean, std=usual.std, multiple_of=32)
    return Reading(model, options, dropped=("classification_head.",), preprocessing=preprocessing, notes=(INTERPOLATION,))


def _unless_usual(option: str, value: object, usual: object) -> dict[str, object]:
    return {} if value == usual else {option: value}


def _encoder(family: str, shapes: Shapes, in_channels: int) -> str:
    """The encoder with exactly these tensors. Raises ValueError where there is none."""
    if family.startswith("mit"):
        return MIT[shapes["encoder.patch_embed1.proj.weight"][0], len(numbers(shapes, r"encoder\.block3\.(\d+)\."))]
    from segmentation_models_pytorch.encoders import encoders

    for name in filter(re.compile(family).fullmatch, encoders):
        if _encoder_shapes(name, in_channels) == shapes:
            return str(name)
    raise ValueError("an encoder that smp does not have")


@lru_cache(maxsize=128)
def _encoder_shapes(name: str, in_channels: int) -> Mapping[str, tuple[int, ...]]:
    from segmentation_models_pytorch.encoders import get_encoder

    with torch.device("meta"):
        encoder = get_encoder(name, in_channels=in_channels, weights=None)
    return {f"encoder.{key}": tuple(value.shape) for key, value in encoder.state_dict().items()}


class _Smp(Layout):
    def recognises(self, shapes: Shapes) -> bool:
        """The head, and one of the decoders; its encoder may still be an unknown one."""
        return HEAD in shapes and any(landmark in shapes for landmark in DECODERS)


SMP = _Smp(
    "smp",
    "segmentation_models_pytorch",
    (HEAD,),
    re.compile(
        r"encoder\.(conv1|bn1|layer\d|_|conv_stem|blocks|features|patch_embed|block\d|norm\d)|decoder\.[a-z]|segmentation_head\.0\."
    ),
    _read,
)
