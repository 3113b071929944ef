"""The architectures in order of history: who, when, what each added to its ancestor, and how the paper set it up.

Facts only, in our own words. What can be counted is not written here but in `history_facts.py`, beside the number that
was published.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from segdemo.text import N_
from segdemo.types import Size

__all__ = ["HISTORY", "Architecture", "Choice", "Setting", "architecture_of", "setting_of"]


@dataclass(frozen=True)
class Setting:
    """What a network is shown with first: the paper's picture size, channels and classes, and options of the model."""

    size: Size = (512, 512)
    in_channels: int = 3
    num_classes: int = 21
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """An option of a model that changes its drawing, with the values worth seeing."""

    option: str
    label: str  # N_
    values: tuple[str | int | bool, ...]


@dataclass(frozen=True)
class Architecture:
    """One step of the history: a network, or a family of networks that differ in size or in one part."""

    key: str
    title: str
    year: int
    names: tuple[str, ...]  # in MODELS, the one to show first in front
    authors: str
    paper: str
    link: str  # empty where there is no canonical paper
    ancestors: tuple[str, ...]  # keys
    added: str  # N_, one or two sentences
    sizes: str  # N_, which pictures it takes
    setting: Setting = Setting()
    choices: tuple[Choice, ...] = ()


def _arxiv(number: str) -> str:
    return f"https://arxiv.org/abs/{number}"


BACKBONE = Choice("backbone", N_("Backbone"), ("vgg16", "vgg19", "alexnet", "resnet18", "resnet34", "resnet50", "resnet101"))
UPSAMPLING = Choice("upsampling", N_("Up-sampling"), ("transposed", "bilinear"))

HISTORY: tuple[Architecture, ...] = (
    Architecture(
        "mnist_cnn", "MNIST CNN", 1998, ("mnist_cnn",), "LeCun, Bottou, Bengio, Haffner",
        "Gradient-based learning applied to document recognition", "https://doi.org/10.1109/5.726791", (),
        N_("The first lesson, after the pattern of LeNet: convolutions find strokes wherever they are, pooling makes maps "
           "smaller, and one last layer names the digit. Written as a convolution, that layer answers for every window."),
        N_("Any size from 28 pixels on; larger pictures give a map of answers."), Setting((28, 28), 1, 10),
    ),
    Architecture(
        "autoencoder", "Autoencoder", 2006, ("autoencoder",), "Hinton, Salakhutdinov",
        "Reducing the dimensionality of data with neural networks", "https://doi.org/10.1126/science.1127647", (),
        N_("Learns without labels: the picture is squeezed through a narrow map and drawn again from it. Decoders that "
           "enlarge step by step come from here."),
        N_("Any size."), Setting((256, 256), 3, 3), (Choice("latent", N_("Latent channels"), (16, 4, 64)),),
    ),
    Architecture(
        "alexnet", "AlexNet", 2012, ("alexnet",), "Krizhevsky, Sutskever, Hinton",
        "One weird trick for parallelizing convolutional neural networks (the one-tower variant)", _arxiv("1404.5997"),
        ("mnist_cnn",),
        N_("The same pattern at scale: five convolutions, ReLU and dropout, trained on 1.2 million photographs. "
           "Most of its parameters sit in the fully connected layers."),
        N_("Any size from 63 pixels on; the paper's is 224."), Setting((224, 224), 3, 1000),
    ),
    Architecture(
        "vgg", "VGG", 2014, ("vgg16", "vgg19"), "Simonyan, Zisserman",
        "Very deep convolutional networks for large-scale image recognition", _arxiv("1409.1556"), ("alexnet",),
        N_("Only 3×3 convolutions, two or three in a row: the field of one large kernel with fewer parameters and more "
           "non-linear steps. It became the encoder of FCN, SegNet and DilatedNet."),
        N_("Any size from 32 pixels on; the paper's is 224."), Setting((224, 224), 3, 1000),
    ),
    Architecture(
        "fcn", "FCN", 2014, ("fcn8s", "fcn16s", "fcn32s"), "Long, Shelhamer, Darrell",
        "Fully convolutional networks for semantic segmentation", _arxiv("1411.4038"), ("vgg", "alexnet"),
        N_("Reads the fully connected layers of a classifier as convolutions, so that it answers for every place. "
           "Skips add the scores of finer maps: 32s has none, 16s one, 8s two."),
        N_("Any size: a border of 100 pixels is added."), Setting((500, 500)),
        (BACKBONE, Choice("padding", N_("Padding"), ("paper", "same"))),
    ),
    Architecture(
        "unet", "U-Net", 2015, ("unet",), "Ronneberger, Fischer, Brox",
        "U-Net: convolutional networks for biomedical image segmentation", _arxiv("1505.04597"), ("fcn",),
        N_("A decoder as wide as the encoder, and skips that hand over whole feature maps instead of scores. Trained with "
           "few pictures, it still draws sharp borders."),
        N_("Without padding it needs sizes ≡ 12 mod 16: 572 → 388. With padding, any size from 16 pixels on."),
        Setting((572, 572), 1, 2, {"padding": "valid"}),
        (Choice("padding", N_("Padding"), ("valid", "same")), UPSAMPLING),
    ),
    Architecture(
        "encoder_decoder", "Encoder–decoder", 2015, ("encoder_decoder",), "",
        "", "", ("autoencoder", "fcn"),
        N_("The plain pattern without skips: everything that the decoder knows has passed the bottleneck. It is our padded "
           "U-Net with its skips cut, so laid beside it, it shows what skips do."),
        N_("Any size from 16 pixels on."), Setting((512, 512), 3, 1), (UPSAMPLING,),
    ),
    Architecture(
        "segnet", "SegNet", 2015, ("segnet",), "Badrinarayanan, Kendall, Cipolla",
        "SegNet: a deep convolutional encoder–decoder architecture for image segmentation", _arxiv("1511.00561"),
        ("vgg", "encoder_decoder"),
        N_("Skips carry no features, only where each maximum was found; the decoder puts values back to these places. "
           "That keeps borders and costs hardly any memory."),
        N_("Any size from 32 pixels on; the paper's is 360×480."), Setting((360, 480), 3, 11),
    ),
    Architecture(
        "dilatednet", "DilatedNet", 2015, ("dilatednet",), "Yu, Koltun",
        "Multi-scale context aggregation by dilated convolutions", _arxiv("1511.07122"), ("fcn",),
        N_("Drops the last two poolings and spreads the kernels instead: maps stay at an eighth of the size while fields "
           "still grow. A context module of growing dilations looks around each place."),
        N_("Any size from 8 pixels on."), Setting((500, 500)),
        (Choice("context", N_("Context module"), ("basic", "large", "none")),
         Choice("padding", N_("Padding"), ("paper", "same"))),
    ),
    Architecture(
        "resnet", "ResNet", 2015, ("resnet50", "resnet18", "resnet34", "resnet101", "resnet152"), "He, Zhang, Ren, Sun",
        "Deep residual learning for image recognition", _arxiv("1512.03385"), ("vgg",),
        N_("Each block adds a correction to what it was given, so that gradients pass a hundred layers unhindered. "
           "The usual encoder ever since."),
        N_("Any size from 32 pixels on; the paper's is 224."), Setting((224, 224), 3, 1000),
    ),
    Architecture(
        "fcn_resnet", "FCN · ResNet", 2017, ("fcn_resnet50", "fcn_resnet101"), "torchvision, after Long and others",
        "torchvision's variant of FCN", _arxiv("1411.4038"), ("fcn", "resnet", "dilatednet"),
        N_("FCN on a ResNet whose last two stages are dilated, so that it stays at an eighth of the size and needs no skips."),
        N_("Any size from 8 pixels on."), Setting((520, 520)),
    ),
    Architecture(
        "deeplabv3", "DeepLabV3", 2017, ("deeplabv3_resnet50", "deeplabv3_resnet101", "deeplabv3_mobilenet_v3_large"),
        "Chen, Papandreou, Schroff, Adam", "Rethinking atrous convolution for semantic image segmentation", _arxiv("1706.05587"),
        ("dilatednet", "resnet"),
        N_("Looks at the last map through several dilations at once and through the mean of the whole picture (ASPP), so "
           "that objects of all sizes fit one of them."),
        N_("Any size from 8 pixels on."), Setting((520, 520)),
    ),
    Architecture(
        "unet_plus_plus", "U-Net++", 2018, ("unet_plus_plus",), "Zhou, Siddiquee, Tajbakhsh, Liang",
        "UNet++: a nested U-Net architecture for medical image segmentation", _arxiv("1807.10165"), ("unet",),
        N_("Fills the skips with convolutions, so that what is joined has been processed alike. Every column is a complete "
           "U-Net; with deep supervision each has its own head and the network can be cut."),
        N_("Any size from 16 pixels on."), Setting((512, 512), 1, 1),
        (Choice("deep_supervision", N_("Deep supervision"), (False, True)), UPSAMPLING),
    ),
    Architecture(
        "nnunet", "nnU-Net", 2018, ("nnunet",), "Isensee, Jaeger, Kohl, Petersen, Maier-Hein",
        "nnU-Net: a self-configuring method for deep learning-based biomedical image segmentation",
        "https://doi.org/10.1038/s41592-020-01008-z", ("unet",),
        N_("No new layer: rules choose depth, patch and normalisation of a plain U-Net from the data. Strides replace "
           "pooling, and halving goes on until 4 pixels are left."),
        N_("Any size of which one side has more than 128 pixels."), Setting((512, 512), 1, 2),
        (Choice("depth", N_("Stages"), (8, 7, 6)),),
    ),
    Architecture(
        "lraspp", "LR-ASPP", 2019, ("lraspp_mobilenet_v3_large",), "Howard and others", "Searching for MobileNetV3",
        _arxiv("1905.02244"), ("deeplabv3",),
        N_("A head for telephones: one branch, weighted by a mean over the picture, plus the scores of one finer map."),
        N_("Any size from 16 pixels on."), Setting((520, 520)),
    ),
    Architecture(
        "unet3_plus", "U-Net 3+", 2020, ("unet3_plus",), "Huang and others",
        "UNet 3+: a full-scale connected UNet for medical image segmentation", _arxiv("2004.08790"), ("unet", "unet_plus_plus"),
        N_("Every decoder stage takes all five scales: finer maps pooled, deeper ones enlarged, 64 channels each. Fewer "
           "parameters than U-Net, many more multiplications."),
        N_("Any size from 16 pixels on."), Setting((320, 320), 3, 1),
        (Choice("deep_supervision", N_("Deep supervision"), (False, True)),
         Choice("classification_guided", N_("Guided by a classifier"), (False, True))),
    ),
    Architecture(
        "segformer", "SegFormer", 2021, ("segformer",), "Xie, Wang, Yu, Anandkumar, Alvarez, Luo",
        "SegFormer: simple and efficient design for semantic segmentation with transformers", _arxiv("2105.15203"),
        ("fcn_resnet",),
        N_("The encoder attends instead of convolving: from the first stage on, every place sees the whole picture. "
           "The decoder only mixes the four scales."),
        N_("Any size."), Setting((512, 512), 3, 150),
    ),
    Architecture(
        "smp", "smp's decoders", 2021, (
            "smp/unet", "smp/unetplusplus", "smp/manet", "smp/linknet", "smp/fpn", "smp/pspnet", "smp/deeplabv3",
            "smp/deeplabv3plus", "smp/pan", "smp/upernet", "smp/segformer", "smp/dpt",
        ),
        "Iakubovskii", "Segmentation Models Pytorch, a library", "https://github.com/qubvel-org/segmentation_models.pytorch",
        ("unet", "deeplabv3", "resnet"),
        N_("Takes architectures apart: any of its decoders on any of its encoders. Shown on its default encoder."),
        N_("Any size; it is filled up to a multiple of 32."), Setting((512, 512), 3, 1),
    ),
)  # fmt: skip


def architecture_of(name: str) -> Architecture:
    """The step of the history that a name in MODELS belongs to; a name the history does not know stands for itself."""
    for entry in HISTORY:
        if name in entry.names:
            return entry
    return Architecture(name, name, 0, (name,), "", "", "", (), "", "")


def setting_of(name: str) -> Setting:
    """What a network is shown with first."""
    return architecture_of(name).setting
