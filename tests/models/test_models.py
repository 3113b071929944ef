"""segdemo.models: one body of tests over every architecture, and the published facts of the U-Net."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import segmentation

from segdemo.errors import SettingError
from segdemo.models import MODELS, TITLES, create_model, list_models
from segdemo.models.blocks import match_size
from segdemo.models.unet import UNet

pytestmark = pytest.mark.usefixtures("one_thread")

CLASSES = 3
RANK = {"encoder": 0, "bottleneck": 1, "decoder": 2, "head": 3}
# Networks that are small enough to be built again and again; the others are made once, or without memory ("meta").
OPTIONS: dict[str, dict[str, Any]] = {
    "unet": {"width": 8},
    "unet_plus_plus": {"width": 4, "deep_supervision": True},
    "unet3_plus": {"width": 4, "deep_supervision": True},
    "nnunet": {"width": 4, "depth": 5},
    "segnet": {"width": 4},
    "dilatednet": {"width": 4, "classifier_width": 16},
    **{f"fcn{stride}s": {"width": 8, "classifier_width": 32} for stride in (32, 16, 8)},
    "encoder_decoder": {"width": 8},
    "autoencoder": {"width": 8},
    "mnist_cnn": {"width": 4},
}
CLASSIFIERS = ["mnist_cnn", "alexnet", "vgg16", "vgg19", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
SEGMENTERS = [name for name in list_models() if name not in CLASSIFIERS]


def make(name: str, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    return create_model(name, num_classes=CLASSES, **{**OPTIONS.get(name, {}), **options}).eval()


def picture(*size: int) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module", params=SEGMENTERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def model(name: str) -> nn.Module:
    return make(name)


def params(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


class TestEveryModel:
    @pytest.mark.parametrize("size", [(64, 48), (65, 49)])
    @torch.inference_mode()
    def test_logits_have_the_size_of_the_image(self, model: nn.Module, size: tuple[int, int]) -> None:
        logits = model(picture(1, 3, *size))
        assert logits.shape == (1, CLASSES, *size)
        assert logits.isfinite().all()

    @pytest.mark.parametrize("in_channels", [1, 4])
    def test_other_input_channels(self, name: str, in_channels: int) -> None:
        with torch.device("meta"):
            model = make(name, in_channels=in_channels)
            assert model(torch.empty(2, in_channels, 65, 49)).shape == (2, CLASSES, 65, 49)

    @torch.inference_mode()
    def test_eval_is_deterministic_and_pictures_do_not_mix(self, model: nn.Module) -> None:
        image = picture(2, 3, 64, 48)
        logits = model(image)
        assert torch.equal(logits, model(image))
        scale = logits.abs().max()
        assert torch.allclose(logits[1:] / scale, model(image[1:]) / scale, atol=1e-4)

    @torch.inference_mode()
    def test_bf16_agrees(self, model: nn.Module) -> None:
        image = picture(1, 3, 64, 48)
        exact = model(image)
        with torch.autocast("cpu", torch.bfloat16):
            rounded = model(image).float()
        assert (rounded - exact).norm() < 0.05 * exact.norm()

    @torch.inference_mode()
    def test_stages_run_in_order(self, model: nn.Module) -> None:
        stages = model.stages()  # type: ignore[operator]
        names = [stage.name for stage in stages]
        assert len(set(names)) == len(names)
        kinds = [stage.kind for stage in stages]
        assert set(kinds) == set(RANK) and kinds.count("bottleneck") == kinds.count("head") == 1
        assert kinds == sorted(kinds, key=RANK.__getitem__)
        encoders = [n for n in names if n.startswith("encoder")]
        assert encoders == [f"encoder{i + 1}" for i in range(len(encoders))]
        decoders = [n for n in names if n.startswith("decoder")]
        assert decoders == [f"decoder{i}" for i in range(len(decoders), 0, -1)]
        for place, stage in enumerate(stages):
            assert set(stage.skip_from) <= set(names[:place])
            assert bool(stage.skip_from) == (stage.join is not None)

        ran: list[str] = []
        outputs: dict[str, Tensor] = {}

        def recorder(stage_name: str) -> Any:
            def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
                ran.append(stage_name)
                outputs[stage_name] = output

            return hook

        handles = [model.get_submodule(s.module).register_forward_hook(recorder(s.name)) for s in stages]
        logits = model(picture(1, 3, 64, 48))
        for handle in handles:
            handle.remove()
        assert ran == names
        head = nn.functional.interpolate(outputs[names[-1]], size=(64, 48), mode="bilinear")
        assert torch.equal(head, logits), "the head's output is what the visitor sees, but for the last interpolation"
        sides = [outputs[s.name].shape[-1] for s in stages if s.kind in ("encoder", "bottleneck")]
        assert sides == sorted(sides, reverse=True)

    def test_backward_reaches_every_parameter(self, model: nn.Module) -> None:
        before = {key: value.clone() for key, value in model.named_buffers()}
        model.train()
        image = picture(2, 3, 64, 48)
        outputs = model.supervise(image).heads if hasattr(model, "supervise") else [model(image)]
        sum(output.square().mean() for output in outputs).backward()  # type: ignore[union-attr]
        model.eval()
        learned = [(key, p) for key, p in model.named_parameters() if p.requires_grad]
        unreached = [key for key, p in learned if p.grad is None or not p.grad.isfinite().all()]
        flat = [key for key, p in learned if p.ndim == 4 and p.grad is not None and not p.grad.any()]
        model.zero_grad(set_to_none=True)
        for key, value in model.named_buffers():
            value.copy_(before[key])
        assert not unreached
        assert not flat, "a convolution with no gradient at all is cut off"

    @torch.inference_mode()
    def test_state_dict_round_trip(self, name: str, model: nn.Module) -> None:
        with torch.device("meta"):
            twin = make(name)
        twin.load_state_dict(model.state_dict(), assign=True)
        image = picture(1, 3, 64, 48)
        assert torch.equal(twin.eval()(image), model(image))

    def test_has_a_title(self, name: str) -> None:
        assert TITLES[name]


STYLED = ["unet", "unet_plus_plus", "unet3_plus", "nnunet", "segnet", "dilatednet", "fcn8s", "encoder_decoder", "autoencoder"]


@pytest.mark.parametrize("name", STYLED)
@pytest.mark.parametrize(
    "option",
    [
        {"normalization": "instance"}, {"normalization": "none"}, {"activation": "leaky_relu"}, {"activation": "gelu"},
        {"dropout": 0.2}, {"padding_mode": "reflect"}, {"norm_after_activation": True},
    ],
)  # fmt: skip
@torch.inference_mode()
def test_options_that_all_of_our_networks_share(name: str, option: dict[str, Any]) -> None:
    model = make(name, **option)
    assert model(picture(1, 3, 96, 64)).shape == (1, CLASSES, 96, 64)
    kinds = {type(m) for m in model.modules()}
    expected = {"leaky_relu": nn.LeakyReLU, "gelu": nn.GELU, "instance": nn.InstanceNorm2d, 0.2: nn.Dropout2d}
    for value in option.values():
        assert value not in expected or expected[value] in kinds
    if option == {"normalization": "none"}:
        assert not kinds & {nn.BatchNorm2d, nn.InstanceNorm2d}


@pytest.mark.parametrize("name", STYLED)
@pytest.mark.parametrize("option", [{"activation": "tanh"}, {"dropout": 1.0}, {"padding_mode": "mirror"}, {"width": 0}])
def test_options_that_do_not_exist_are_sentences(name: str, option: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        make(name, **option)


def test_registry_and_titles_agree() -> None:
    assert set(MODELS) == set(TITLES) == set(list_models())


def test_wrong_names_and_options_are_sentences() -> None:
    with pytest.raises(SettingError, match="unet"):
        create_model("unnet")
    with pytest.raises(SettingError, match="colour"):
        create_model("unet", colour="red")


@pytest.mark.parametrize("architecture", [n for n in list_models() if hasattr(segmentation, n)])
def test_torchvision_networks_are_torchvisions(architecture: str) -> None:
    with torch.device("meta"):
        theirs = getattr(segmentation, architecture)(
            weights=None, weights_backbone=None, num_classes=21, **({} if "lraspp" in architecture else {"aux_loss": True})
        )
        ours = create_model(architecture, num_classes=21)
    aux = theirs.aux_classifier if getattr(theirs, "aux_classifier", None) is not None else nn.Identity()
    assert params(ours) == params(theirs) - params(aux)
    keys = {key for key in theirs.state_dict() if not key.startswith("aux_classifier")}
    assert set(ours.state_dict()) == keys


UNET_COUNTS = [
    (31_030_658, {"in_channels": 1, "num_classes": 2, "padding": "valid"}),
    (31_037_698, {"in_channels": 3, "num_classes": 2}),
    (17_263_042, {"in_channels": 3, "num_classes": 2, "upsampling": "bilinear"}),
]


@pytest.mark.parametrize(("count", "options"), UNET_COUNTS)
def test_unet_parameter_counts(count: int, options: dict[str, Any]) -> None:
    with torch.device("meta"):
        assert params(UNet(**options)) == count


def test_unet_without_padding_is_the_papers() -> None:
    with torch.device("meta"):
        model = UNet(1, 2, padding="valid")
        shapes: dict[str, torch.Size] = {}
        for key, module in model.named_modules():
            module.register_forward_hook(lambda _m, _i, out, key=key: shapes.__setitem__(key, out.shape))
        assert model(torch.empty(1, 1, 572, 572)).shape == (1, 2, 388, 388)
    assert shapes["bottleneck"][-2:] == (28, 28)
    crops = [(shapes[f"encoder.{3 - i}"][-1] - shapes[f"upsample.{i}"][-1]) / 2 for i in range(4)]
    assert crops == [4, 16, 40, 88]
    assert sum(isinstance(m, nn.Conv2d | nn.ConvTranspose2d) for m in model.modules()) == 23


def test_what_was_rounded_up_is_cropped_at_the_end() -> None:
    """A strided convolution centres its cells on even pixels: the row too many lies beyond the last one."""
    upsampled = torch.arange(6.0).view(1, 1, 6, 1).expand(1, 1, 6, 2)
    assert match_size(torch.zeros(1, 1, 5, 2), upsampled, "same")[1][0, 0, :, 0].tolist() == [0, 1, 2, 3, 4]


def test_skips_are_cropped_at_their_centre() -> None:
    skip = torch.arange(64.0).view(1, 1, 8, 8)
    cropped, upsampled = match_size(skip, torch.zeros(1, 1, 4, 2), "valid")
    assert torch.equal(cropped, skip[..., 2:6, 3:5])
    assert upsampled.shape[-2:] == (4, 2)


@pytest.mark.parametrize("side", [571, 570, 574, 64, 140 - 16])
def test_unet_without_padding_refuses_other_sizes(side: int) -> None:
    with torch.device("meta"), pytest.raises(SettingError, match=str(side)):
        UNet(1, 2, width=2, padding="valid")(torch.empty(1, 1, side, side))


@pytest.mark.parametrize("upsampling", ["transposed", "bilinear"])
@pytest.mark.parametrize("depth", [1, 3, 5])
def test_unet_variants(upsampling: Any, depth: int) -> None:
    model = UNet(2, 5, width=4, depth=depth, upsampling=upsampling).eval()
    with torch.inference_mode():
        assert model(picture(1, 2, 67, 81)).shape == (1, 5, 67, 81)
    assert len(model.stages()) == 2 * depth + 2


@pytest.mark.parametrize(
    "options",
    [{"width": 0}, {"width": 3, "upsampling": "bilinear"}, {"depth": 0}, {"depth": 8},
     {"padding": "full"}, {"upsampling": "cubic"}, {"normalization": "group"}],
)  # fmt: skip
def test_unet_refuses_settings_that_do_not_exist(options: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        create_model("unet", **options)
