"""Architectures: `create_model(name, …)` builds any network of the registry `MODELS`, with random weights.

Every model maps image (N, C, H, W) float32 to logits (N, num_classes, h, w) and lists its `stages()` in order.
"""

from collections.abc import Callable
from typing import Any

from torch import nn

from segdemo.errors import SettingError
from segdemo.models import classifiers, fcn, segformer, smp_models, torchvision_models
from segdemo.models.autoencoder import Autoencoder
from segdemo.models.dilatednet import DilatedNet
from segdemo.models.encoder_decoder import EncoderDecoder
from segdemo.models.mnist_cnn import MnistCNN
from segdemo.models.nnunet import NNUNet
from segdemo.models.segnet import SegNet
from segdemo.models.unet import UNet
from segdemo.models.unet3_plus import UNet3Plus
from segdemo.models.unet_plus_plus import UNetPlusPlus
from segdemo.text import _

__all__ = ["MODELS", "TITLES", "create_model", "list_models"]

MODELS: dict[str, Callable[..., nn.Module]] = {
    "unet": UNet,
    "unet_plus_plus": UNetPlusPlus,
    "unet3_plus": UNet3Plus,
    "nnunet": NNUNet,
    "segnet": SegNet,
    "dilatednet": DilatedNet,
    **fcn.BUILDERS,
    "encoder_decoder": EncoderDecoder,
    "autoencoder": Autoencoder,
    "mnist_cnn": MnistCNN,
    **classifiers.BUILDERS,
    **torchvision_models.BUILDERS,
    **smp_models.BUILDERS,
    **segformer.BUILDERS,
}

TITLES: dict[str, str] = {
    "unet": "U-Net",
    "unet_plus_plus": "U-Net++",
    "unet3_plus": "U-Net 3+",
    "nnunet": "nnU-Net",
    "segnet": "SegNet",
    "dilatednet": "DilatedNet",
    **fcn.TITLES,
    "encoder_decoder": "Encoder–decoder",
    "autoencoder": "Autoencoder",
    "mnist_cnn": "MNIST CNN",
    **classifiers.TITLES,
    **torchvision_models.TITLES,
    **smp_models.TITLES,
    **segformer.TITLES,
}


def list_models() -> list[str]:
    """Names that `create_model` knows."""
    return list(MODELS)


def create_model(name: str, *, in_channels: int = 3, num_classes: int = 1, **options: Any) -> nn.Module:
    """A network with random weights. Raises SettingError for a name or an option that does not exist."""
    if name not in MODELS:
        raise SettingError(_('There is no architecture "{name}". These exist: {names}.', name=name, names=", ".join(MODELS)))
    try:
        return MODELS[name](in_channels=in_channels, num_classes=num_classes, **options)
    except TypeError as error:
        raise SettingError(_('"{name}" does not take these options: {error}.', name=name, error=error)) from error
