"""Every layout: a file with another project's names becomes our network, which computes what that project's computes."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor
from torchvision.models import segmentation

from segdemo.models import MODELS, TITLES, create_model, smp_models
from segdemo.weights import UnknownLayoutError, import_checkpoint
from segdemo.weights.importing import ImportedCheckpoint
from segdemo.weights.layouts import LAYOUTS, nearest, recognise

from .reference_networks import (
    Recorder,
    jvanvugt,
    mateuszbuda,
    milesial,
    nested_unet,
    nnunet,
    pytorch_fcn,
    segnet,
    unet3_plus,
    unet_of_nested_unet,
)  # fmt: skip

pytestmark = pytest.mark.usefixtures("one_thread")

# (reference, in_channels, its settings, layout, model)
CASES = [
    (milesial, 3, {"width": 4, "classes": 2}, "milesial", "unet"),
    (milesial, 1, {"width": 8, "classes": 1, "bias": True}, "milesial", "unet"),
    (milesial, 3, {"width": 6, "classes": 5, "bilinear": True, "bias": True}, "milesial", "unet"),
    (milesial, 4, {"width": 4, "classes": 3, "depth": 3}, "milesial", "unet"),
    (mateuszbuda, 3, {"width": 4, "classes": 1}, "mateuszbuda", "unet"),
    (mateuszbuda, 1, {"width": 6, "classes": 4}, "mateuszbuda", "unet"),
    (jvanvugt, 1, {"width": 4, "classes": 2}, "jvanvugt", "unet"),
    (jvanvugt, 3, {"width": 6, "classes": 3, "norm": False, "depth": 5}, "jvanvugt", "unet"),
    (jvanvugt, 3, {"width": 4, "classes": 1, "upsample": True, "depth": 4}, "jvanvugt", "unet"),
    (nested_unet, 3, {"width": 4, "classes": 1}, "nested_unet", "unet_plus_plus"),
    (unet_of_nested_unet, 3, {"width": 4, "classes": 1}, "unet_of_nested_unet", "unet"),
    (unet_of_nested_unet, 1, {"width": 6, "classes": 3}, "unet_of_nested_unet", "unet"),
    (nested_unet, 1, {"width": 6, "classes": 3, "supervised": True}, "nested_unet", "unet_plus_plus"),
    (unet3_plus, 3, {"width": 4, "classes": 1}, "unet3_plus", "unet3_plus"),
    (unet3_plus, 1, {"width": 6, "classes": 3, "supervised": True}, "unet3_plus", "unet3_plus"),
    (unet3_plus, 3, {"width": 4, "classes": 1, "supervised": True, "guided": True}, "unet3_plus", "unet3_plus"),
    (nnunet, 1, {"width": 4, "classes": 2}, "nnunet", "nnunet"),
    (nnunet, 3, {"width": 6, "classes": 4, "depth": 4, "convolutions": 3}, "nnunet", "nnunet"),
    (segnet, 3, {"width": 4, "classes": 11}, "segnet", "segnet"),
    (segnet, 1, {"width": 6, "classes": 2}, "segnet", "segnet"),
    (pytorch_fcn, 3, {"width": 4, "classes": 21, "stride": 32}, "pytorch_fcn", "fcn32s"),
    (pytorch_fcn, 3, {"width": 4, "classes": 5, "stride": 16}, "pytorch_fcn", "fcn16s"),
    (pytorch_fcn, 1, {"width": 6, "classes": 2, "stride": 8}, "pytorch_fcn", "fcn8s"),
]
case_names = [f"{layout}-{'-'.join(f'{k}{v}' for k, v in settings.items())}" for _f, _c, settings, layout, _m in CASES]


def logits_of(imported: ImportedCheckpoint, image: Tensor) -> Tensor:
    model = create_model(imported.model, **imported.options)
    model.load_state_dict(imported.state)
    with torch.inference_mode():
        return model.eval()(image)  # type: ignore[no-any-return]


def check_same(ours: Tensor, theirs: Tensor) -> None:
    assert theirs.std() > 0.01, "a network that says the same everywhere proves nothing"
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4 * float(theirs.abs().max()))


@pytest.mark.parametrize(("reference", "channels", "settings", "layout", "model"), CASES, ids=case_names)
def test_imported_network_computes_the_same(
    reference: Callable[..., Tensor], channels: int, settings: dict[str, int], layout: str, model: str, tmp_path: Path
) -> None:
    net, image = Recorder(seed=len(settings)), torch.randn(1, channels, 64, 96)
    expected = reference(net, image, **settings)
    torch.save(net.state, tmp_path / "w.pth")
    imported = import_checkpoint(tmp_path / "w.pth")
    assert (imported.layout, imported.model) == (layout, model)
    assert imported.options["in_channels"] == channels == imported.preprocessing.channels
    assert imported.options["num_classes"] == settings["classes"]
    assert imported.options["width"] == settings["width"]
    assert len(imported.classes) == max(2, settings["classes"])
    assert imported.params == sum(p.numel() for p in create_model(model, **imported.options).parameters())
    check_same(logits_of(imported, image), expected)


@pytest.mark.parametrize(
    "name",
    ["fcn_resnet50", "deeplabv3_resnet101", "deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large"],
)
def test_torchvision_networks(name: str, tmp_path: Path) -> None:
    aux = {} if name.startswith("lraspp") else {"aux_loss": True}
    theirs = getattr(segmentation, name)(weights=None, weights_backbone=None, num_classes=4, **aux).eval()
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    imported = import_checkpoint(tmp_path / "w.pth")
    assert (imported.layout, imported.model) == ("torchvision", name)
    image = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(logits_of(imported, image), theirs(image)["out"])


OWN = [
    ("unet", {"width": 4}),
    ("unet", {"width": 4, "depth": 3, "upsampling": "bilinear", "normalization": "none"}),
    ("unet", {"width": 4, "upsampling": "bilinear_conv", "normalization": "instance", "in_channels": 1, "dropout": 0.2}),
    ("unet", {"width": 4, "depth": 3, "upsampling": "bilinear_wide"}),
    ("unet", {"width": 4, "norm_after_activation": True, "bias": True}),
    ("encoder_decoder", {"width": 4, "bottleneck": 10}),
    ("encoder_decoder", {"width": 4, "upsampling": "bilinear"}),
    ("unet_plus_plus", {"width": 4, "deep_supervision": True}),
    ("unet_plus_plus", {"width": 4, "depth": 3, "upsampling": "bilinear", "normalization": "batch"}),
    ("unet3_plus", {"width": 4, "deep_supervision": True, "classification_guided": True}),
    ("nnunet", {"width": 4, "depth": 4, "convolutions": 3, "deep_supervision": False}),
    ("segnet", {"width": 4}),
    ("fcn32s", {"backbone": "resnet18"}),
    ("fcn8s", {"width": 2, "classifier_width": 8}),
    ("fcn16s", {"width": 2, "classifier_width": 8, "backbone": "vgg19"}),
    ("fcn32s", {"width": 4, "classifier_width": 8, "backbone": "alexnet"}),
    ("dilatednet", {"width": 2, "classifier_width": 8, "context": "large"}),
    ("dilatednet", {"width": 2, "classifier_width": 8, "context": "none"}),
    ("dilatednet", {"width": 2, "classifier_width": 8, "num_classes": 1}),
]


@pytest.mark.parametrize(("model", "options"), OWN)
def test_own_networks_are_recognised_with_their_options(model: str, options: dict[str, object], tmp_path: Path) -> None:
    options = {"num_classes": 3, **options}
    theirs = create_model(model, **options).eval()  # type: ignore[arg-type]
    torch.save({"model_state_dict": theirs.state_dict(), "epoch": 3}, tmp_path / "w.pth")
    imported = import_checkpoint(tmp_path / "w.pth")
    assert (imported.layout, imported.model) == ("own", model)
    assert imported.options["num_classes"] == options["num_classes"]
    image = torch.randn(1, imported.options["in_channels"], 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(logits_of(imported, image), theirs(image))


def state_of(reference: Callable[..., Tensor], **settings: int) -> dict[str, Tensor]:
    net = Recorder()
    reference(net, torch.randn(1, 3, 32, 32), **settings)
    return net.state


def test_a_missing_layer_is_named_in_the_files_own_words(tmp_path: Path) -> None:
    state = {k: v for k, v in state_of(milesial, width=4, classes=2).items() if not k.startswith("up2.conv.double_conv.3")}
    state["extra.weight"] = torch.ones(1, 1, 1, 1)
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(UnknownLayoutError) as caught:
        import_checkpoint(tmp_path / "w.pth")
    assert caught.value.nearest == "Pytorch-UNet (milesial)"
    assert caught.value.missing == ("up2.conv.double_conv.3.weight",)
    assert caught.value.unknown == ("extra.weight",)
    assert caught.value.shapes["extra.weight"] == (1, 1, 1, 1)


def test_other_widths_are_named(tmp_path: Path) -> None:
    state = state_of(mateuszbuda, width=4, classes=1)
    state["bottleneck.bottleneckconv1.weight"] = torch.ones(60, 32, 3, 3)
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(UnknownLayoutError) as caught:
        import_checkpoint(tmp_path / "w.pth")
    assert caught.value.mismatched == ("bottleneck.bottleneckconv1.weight 60×32×3×3 ≠ 64×32×3×3",)


SETTINGS = {pytorch_fcn: {"stride": 8}}
REFERENCES = {layout: reference for reference, _channels, _settings, layout, _model in CASES}


@pytest.mark.parametrize("name", REFERENCES)
def test_a_layout_follows_its_own_pattern(name: str) -> None:
    reference = REFERENCES[name]
    shapes = {k: tuple(v.shape) for k, v in state_of(reference, width=4, classes=2, **SETTINGS.get(reference, {})).items()}
    assert recognise(shapes) is LAYOUTS[name] is nearest(shapes)
    assert LAYOUTS[name].likeness(shapes) == 1


SMP = [
    ("unet", "resnet18", {}),
    ("unet", "resnet34", {"decoder_channels": (128, 64, 32, 16), "encoder_depth": 4, "decoder_attention_type": "scse"}),
    ("unet", "efficientnet-b0", {"in_channels": 1}),
    ("unet", "mit_b0", {}),
    ("unetplusplus", "resnet18", {}),
    ("manet", "resnet18", {}),
    ("linknet", "mobilenet_v2", {}),
    ("fpn", "resnet18", {}),
    ("pspnet", "resnet18", {}),
    ("deeplabv3", "resnet18", {}),
    ("deeplabv3plus", "resnet18", {}),
    ("pan", "resnet18", {}),
    ("upernet", "resnet18", {}),
    ("segformer", "mit_b0", {}),
]


@pytest.fixture
def smp(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The package, where it is installed, with its networks among ours."""
    for name, builder in smp_models.BUILDERS.items():
        monkeypatch.setitem(MODELS, name, builder)
        monkeypatch.setitem(TITLES, name, smp_models.TITLES[name])
    return pytest.importorskip("segmentation_models_pytorch")  # type: ignore[no-any-return]


@pytest.mark.parametrize(("decoder", "encoder", "options"), SMP)
def test_smp_networks_are_recognised(
    smp: ModuleType, decoder: str, encoder: str, options: dict[str, object], tmp_path: Path
) -> None:
    build = partial(smp.MODEL_ARCHITECTURES_MAPPING[decoder], encoder_name=encoder, encoder_weights=None, classes=3, **options)
    with torch.device("cpu" if encoder.startswith("mit") else "meta"):
        state = build().state_dict()
    torch.save({key: torch.zeros(value.shape, dtype=value.dtype) for key, value in state.items()}, tmp_path / "w.pth")
    imported = import_checkpoint(tmp_path / "w.pth")
    assert (imported.layout, imported.model) == ("smp", f"smp/{decoder}")
    assert set(imported.state) == set(state)
    expected = {"encoder_name": encoder, "num_classes": 3, "in_channels": 3, **options}
    assert expected.items() <= imported.options.items()


def test_an_smp_network_computes_the_same(smp: ModuleType, tmp_path: Path) -> None:
    theirs = smp.Unet("resnet18", encoder_weights=None, classes=3).eval()
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    image = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(logits_of(import_checkpoint(tmp_path / "w.pth"), image), theirs(image), rtol=1e-4, atol=1e-4)
