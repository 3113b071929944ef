"""The papers' numbers, at the papers' sizes: parameters to the last one, crops, skips, kernels."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from segdemo.errors import SettingError
from segdemo.models import create_model, fcn
from segdemo.models.backbones import Grid
from segdemo.models.unet3_plus import gate

pytestmark = pytest.mark.usefixtures("one_thread")

CONTEXT = {"basic": 28_392, "large": 6_803_139}


def on_meta(name: str, in_channels: int, num_classes: int, **options: Any) -> nn.Module:
    with torch.device("meta"):
        return create_model(name, in_channels=in_channels, num_classes=num_classes, **options)


def params(model: nn.Module, keep: Callable[[str], bool] = lambda _name: True) -> int:
    return sum(p.numel() for name, p in model.named_parameters() if keep(name))


def without_deconvolutions(name: str) -> bool:
    return "deconvolution" not in name


@pytest.mark.parametrize(
    ("count", "name", "channels", "options"),
    [
        (136_152_917, "fcn32s", (3, 21), {}),
        (134_815_994, "fcn16s", (3, 21), {}),
        (134_489_759, "fcn8s", (3, 21), {}),
        (29_449_355, "segnet", (3, 11), {}),
        (9_041_601, "unet_plus_plus", (1, 1), {}),
        (9_041_700, "unet_plus_plus", (1, 1), {"deep_supervision": True}),
        (26_971_777, "unet3_plus", (3, 1), {}),
        (26_989_637, "unet3_plus", (3, 1), {"deep_supervision": True}),
        (26_991_687, "unet3_plus", (3, 1), {"deep_supervision": True, "classification_guided": True}),
        (134_346_581, "dilatednet", (3, 21), {"context": "none"}),
        (134_346_581 + CONTEXT["basic"], "dilatednet", (3, 21), {}),
        (134_346_581 + CONTEXT["large"], "dilatednet", (3, 21), {"context": "large"}),
        (46_324_558, "nnunet", (1, 2), {}),
        (7_759_521, "unet", (1, 1), {"width": 32, "normalization": "none"}),
    ],
)
def test_parameter_counts(count: int, name: str, channels: tuple[int, int], options: dict[str, Any]) -> None:
    assert params(on_meta(name, *channels, **options)) == count


@pytest.mark.parametrize(
    ("count", "stride", "backbone"),
    [
        (134_346_581, 32, "vgg16"), (134_357_354, 16, "vgg16"), (134_362_751, 8, "vgg16"),
        (57_089_877, 32, "alexnet"), (11_187_285, 32, "resnet18"), (23_551_061, 32, "resnet50"), (42_543_189, 32, "resnet101"),
    ],
)  # fmt: skip
def test_fcn_parameter_counts_without_deconvolutions(count: int, stride: int, backbone: str) -> None:
    assert params(on_meta(f"fcn{stride}s", 3, 21, backbone=backbone), without_deconvolutions) == count


@pytest.mark.parametrize(
    ("stride", "crop", "skip_crops", "kernels"),
    [(32, 19, [], [(64, 32)]), (16, 27, [5], [(4, 2), (32, 16)]), (8, 31, [5, 9], [(4, 2), (4, 2), (16, 8)])],
)
def test_fcn_crops_and_deconvolutions_are_the_released_ones(
    stride: int, crop: int, skip_crops: list[int], kernels: list[tuple[int, int]]
) -> None:
    model = on_meta(f"fcn{stride}s", 3, 21)
    assert model.segmentation_head.grid == Grid(-crop, 1)
    assert [fuse.offset for fuse in list(model.decoder)[1:]] == skip_crops  # type: ignore[arg-type]
    found = [(m.kernel_size[0], m.stride[0]) for m in model.modules() if isinstance(m, nn.ConvTranspose2d)]
    assert found == kernels


def test_fcn_on_alexnet_has_the_papers_crop_and_deconvolution() -> None:
    head = on_meta("fcn32s", 3, 21, backbone="alexnet").segmentation_head
    assert head.grid == Grid(-18, 1)
    assert head.deconvolution.kernel_size == (63, 63)


def test_fcn_skips_are_summed_scores_and_only_the_last_enlargement_is_fixed() -> None:
    model = create_model("fcn8s", num_classes=2, width=2, classifier_width=4)
    assert [(s.join, s.skip_from) for s in model.stages() if s.skip_from] == [  # type: ignore[operator]
        ("sum", ("encoder4",)),
        ("sum", ("encoder3",)),
    ]
    assert [n for n, p in model.named_parameters() if not p.requires_grad] == ["segmentation_head.deconvolution.weight"]


@pytest.mark.parametrize(("kernel", "factor"), [(4, 2), (64, 32), (3, 2), (63, 32)])
def test_a_fresh_deconvolution_is_bilinear(kernel: int, factor: int) -> None:
    """Away from the border a constant stays constant, and channels do not mix."""
    weight = torch.eye(2)[..., None, None] * fcn.bilinear_kernel(kernel, factor)
    out = nn.functional.conv_transpose2d(torch.ones(1, 2, 6, 6), weight, stride=factor)
    inner = out[..., 2 * factor : -2 * factor, 2 * factor : -2 * factor]
    torch.testing.assert_close(inner, torch.ones_like(inner))


@pytest.mark.parametrize("backbone", ["vgg16", "resnet18", "alexnet"])
@pytest.mark.parametrize("padding", ["paper", "same"])
def test_fcn_lays_its_maps_over_the_picture(backbone: str, padding: str) -> None:
    """What the network says of a place depends on that place: the gradient of one logit is centred on its own pixel."""
    torch.manual_seed(0)
    width = {"vgg16": 2, "resnet18": 64, "alexnet": 4}[backbone]
    model = create_model("fcn8s", backbone=backbone, padding=padding, width=width, classifier_width=4).eval()
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
        if isinstance(module, nn.MaxPool2d):
            module.forward = lambda x, m=module: nn.functional.avg_pool2d(  # type: ignore[method-assign]
                x, m.kernel_size, m.stride, ceil_mode=m.ceil_mode
            )
    image = torch.rand(1, 3, 256, 256).requires_grad_()
    model(image)[0, 0, 124:132, 124:132].sum().backward()
    assert image.grad is not None
    mass = image.grad[0].abs().sum(dim=0)
    rows = torch.arange(256.0)
    centre = (mass.sum(dim=1) @ rows / mass.sum()).item()
    assert centre == pytest.approx(127.5, abs=4)  # half a cell of the finest map


def test_segnet_skips_only_indices() -> None:
    model = create_model("segnet", num_classes=2, width=2).eval()
    decoders = [s for s in model.stages() if s.kind == "decoder"]  # type: ignore[operator]
    assert [(s.join, s.upsampling, s.skip_from[0]) for s in decoders] == [
        ("indices", "unpooling", source) for source in ("bottleneck", "encoder4", "encoder3", "encoder2", "encoder1")
    ]
    convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == 26
    assert list(model.children())[-1] is convolutions[-1], "the last convolution is bare"
    assert model(torch.rand(1, 3, 45, 60)).shape == (1, 2, 45, 60)  # 360×480, an eighth of it


def test_unet_plus_plus_pruned_is_the_same_triangle() -> None:
    torch.manual_seed(0)
    whole = create_model("unet_plus_plus", num_classes=2, width=4, deep_supervision=True).eval()
    image = torch.rand(1, 3, 64, 48)
    heads: list[Tensor] = whole.supervise(image).heads  # type: ignore[operator]
    for level in (1, 2, 3, 4):
        pruned = create_model("unet_plus_plus", num_classes=2, width=4, deep_supervision=True, pruned_at=level).eval()
        state = {key: value for key, value in whole.state_dict().items() if key in pruned.state_dict()}
        pruned.load_state_dict(state)
        torch.testing.assert_close(pruned(image), heads[4 - level])
    assert torch.equal(whole(image), heads[0])
    with pytest.raises(SettingError, match="pruned_at"):
        create_model("unet_plus_plus", pruned_at=5)


def test_unet_plus_plus_nodes_join_their_whole_row() -> None:
    stages = {s.name: s for s in on_meta("unet_plus_plus", 3, 1).stages()}  # type: ignore[operator]
    assert stages["decoder1"].skip_from == ("encoder1", "x0_1", "x0_2", "x0_3")
    assert stages["decoder1"].after == "decoder2"
    assert stages["x1_2"].skip_from == ("encoder2", "x1_1") and stages["x1_2"].after == "x2_1"
    assert sum(s.kind == "decoder" for s in stages.values()) == 10


def test_every_decoder_of_unet3_plus_sees_five_scales_of_64() -> None:
    model = on_meta("unet3_plus", 3, 1)
    for stage, parts in zip([s for s in model.stages() if s.kind == "decoder"], model.parts, strict=True):  # type: ignore[operator, arg-type]
        assert len(stage.skip_from) == 4  # and the stage before it
        assert [part[0].out_channels for part in parts] == [64] * 5  # type: ignore[union-attr, index]
    widths = [part[0].in_channels for part in model.parts[-1]]  # type: ignore[union-attr, index]
    assert widths == [64, 320, 320, 320, 1024]


def test_the_gate_multiplies_probabilities() -> None:
    logits = torch.randn(2, 1, 5, 5, dtype=torch.float64, requires_grad=True)
    presence = torch.tensor([[2.0], [-8.0]], dtype=torch.float64, requires_grad=True)
    expected = presence.sigmoid()[..., None, None] * logits.sigmoid()
    torch.testing.assert_close(gate(logits, presence).sigmoid(), expected)
    classes = torch.randn(2, 3, 5, 5, dtype=torch.float64, requires_grad=True)
    pairs = torch.tensor([[0.0, -3.0], [50.0, -50.0]], dtype=torch.float64, requires_grad=True)
    before, after = classes.softmax(dim=1), gate(classes, pairs).softmax(dim=1)
    torch.testing.assert_close(after[:, 1:], pairs.sigmoid()[..., None, None] * before[:, 1:])
    torch.testing.assert_close(after.sum(dim=1), torch.ones(2, 5, 5, dtype=torch.float64))
    assert torch.autograd.gradcheck(gate, (classes, pairs))
    assert torch.autograd.gradcheck(gate, (logits, presence))


@pytest.mark.parametrize("extreme", [200.0, -200.0])
def test_the_gate_neither_overflows_nor_stops_the_gradient(extreme: float) -> None:
    logits = torch.tensor([[[[200.0, -200.0]]]], requires_grad=True)
    presence = torch.tensor([[extreme]], requires_grad=True)
    gated = gate(logits, presence)
    gated.sum().backward()  # type: ignore[no-untyped-call]
    assert gated.isfinite().all()
    assert presence.grad is not None and presence.grad.isfinite().all()


def test_guided_unet3_plus_returns_what_its_classifier_thinks() -> None:
    model = create_model("unet3_plus", num_classes=4, width=2, deep_supervision=True, classification_guided=True)
    supervision = model.supervise(torch.rand(2, 3, 32, 32))  # type: ignore[operator]
    assert supervision.presence.shape == (2, 3)
    assert len(supervision.heads) == 5 and all(h.shape == (2, 4, 32, 32) for h in supervision.heads)
    supervision.presence.sum().backward()
    assert model.classifier[1].weight.grad.abs().sum() > 0  # type: ignore[union-attr, index, operator]


@pytest.mark.parametrize("context", ["basic", "large"])
@torch.inference_mode()
def test_the_context_module_begins_as_the_identity(context: str) -> None:
    torch.manual_seed(0)
    module = create_model("dilatednet", num_classes=3, width=2, classifier_width=4, context=context).segmentation_head
    scores = torch.rand(1, 3, 40, 40) + 1  # positive: what the ReLU between the layers lets through
    out = module(scores)
    assert ((out - scores).norm() / scores.norm()).item() < 0.1


@pytest.mark.parametrize("context", ["basic", "large"])
def test_a_binary_context_module_passes_both_signs_and_a_gradient(context: str) -> None:
    """One score alone would die in the first ReLU as soon as it is negative."""
    torch.manual_seed(0)
    head = create_model("dilatednet", num_classes=1, width=2, classifier_width=4, context=context).segmentation_head
    scores = torch.tensor([[1.5, 0.5], [0.5, 1.5]])[..., None, None].expand(2, 2, 40, 40).clone().requires_grad_()
    logits = head(scores)
    assert logits.shape == (2, 1, 40, 40)
    assert logits[0].max() < -0.5 and logits[1].min() > 0.5
    logits.sum().backward()
    assert scores.grad is not None and (scores.grad != 0).float().mean() > 0.99


def test_dilatednet_has_the_papers_dilations_and_loses_186_pixels() -> None:
    model = on_meta("dilatednet", 3, 21)
    context = [m.dilation[0] for m in model.segmentation_head.modules() if isinstance(m, nn.Conv2d)]  # type: ignore[union-attr]
    assert context == [1, 1, 2, 4, 8, 16, 1, 1]
    assert {m.dilation[0] for m in model.encoder[4].modules() if isinstance(m, nn.Conv2d)} == {2}  # type: ignore[index, union-attr]
    assert model.bottleneck[0].dilation == (4, 4)  # type: ignore[index, union-attr]
    front = nn.Sequential(*model.encoder, model.bottleneck)  # type: ignore[misc, arg-type]
    with torch.device("meta"):
        assert front(torch.empty(1, 3, 900, 900)).shape[-2:] == (66, 66)  # (900 - 2 · 186) / 8


def test_nnunet_halves_by_strides_and_weighs_its_heads() -> None:
    model = on_meta("nnunet", 1, 2)
    assert not [m for m in model.modules() if isinstance(m, nn.MaxPool2d | nn.AvgPool2d)]
    widths = [block[0].out_channels for block in [*model.encoder, model.bottleneck]]  # type: ignore[misc, union-attr, index, operator]
    assert widths == [32, 64, 128, 256, 512, 512, 512, 512]
    with torch.device("meta"):
        supervision = model.supervise(torch.empty(1, 1, 512, 512))  # type: ignore[operator]
    assert [head.shape[-1] for head in supervision.heads] == [512, 256, 128, 64, 32, 16, 8]
    assert supervision.weights[-1] == 0
    total = sum(0.5**i for i in range(6))
    assert supervision.weights[:-1] == pytest.approx([0.5**i / total for i in range(6)])


def test_nnunet_says_which_pictures_leave_nothing_to_normalise() -> None:
    model = create_model("nnunet", width=2, depth=4)
    assert model(torch.rand(1, 3, 3, 9)).shape == (1, 1, 3, 9)
    with pytest.raises(SettingError, match="longer than 8 pixels"):
        model(torch.rand(1, 3, 8, 8))


def test_the_autoencoder_squeezes_through_a_latent_of_the_named_size() -> None:
    model = create_model("autoencoder", num_classes=3, width=4, depth=3, latent=5)
    seen: list[torch.Size] = []
    model.latent.register_forward_hook(lambda _m, _i, out: seen.append(out.shape))  # type: ignore[union-attr]
    assert model(torch.rand(1, 3, 50, 64)).shape == (1, 3, 50, 64)
    assert seen == [(1, 5, 7, 8)]
    assert not [s for s in model.stages() if s.skip_from]  # type: ignore[operator]


def test_the_mnist_network_is_28_14_7_3136_10() -> None:
    model = create_model("mnist_cnn", in_channels=1, num_classes=10)
    shapes: list[torch.Size] = []
    for stage in model.stages():  # type: ignore[operator]
        model.get_submodule(stage.module).register_forward_hook(lambda _m, _i, out: shapes.append(out.shape[1:]))
    model(torch.rand(1, 1, 28, 28))
    assert shapes == [(32, 14, 14), (64, 7, 7), (10, 1, 1)]
    assert 64 * 7 * 7 == 3136
    assert params(model) == (9 * 32 + 32) + (9 * 32 * 64 + 64) + (3136 * 10 + 10)


@torch.inference_mode()
def test_the_mnist_network_on_a_larger_picture_answers_for_every_window() -> None:
    model = create_model("mnist_cnn", in_channels=1, num_classes=10).eval()
    picture = torch.rand(1, 1, 36, 40)
    answers = model(picture)
    assert answers.shape == (1, 10, 3, 4)
    for encoder in model.encoder:  # type: ignore[union-attr]
        encoder[0].bias.zero_()  # so that what is black stays black, as the padding is
    alone = torch.zeros(1, 1, 36, 40)
    alone[..., 5:31, 5:31] = picture[..., 5:31, 5:31]
    torch.testing.assert_close(model(alone)[..., 1, 1], model(alone[..., 4:32, 4:32])[..., 0, 0])
    with pytest.raises(SettingError, match="28"):
        model(torch.rand(1, 1, 27, 40))
