"""segdemo.models.smp_models: smp's networks keep our contract, and are still smp's own."""

import copy
import re
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from segdemo.errors import SettingError
from segdemo.models.smp_models import BUILDERS, TITLES, SmpSegmentation
from segdemo.models.smp_stages import DECODERS

smp = pytest.importorskip("segmentation_models_pytorch")

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:`timm-` encoders are deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Encoder does not have prefix tokens:UserWarning"),
]

CLASSES = 3
RANK = {"encoder": 0, "bottleneck": 1, "decoder": 2, "head": 3}
VIT = "tu-vit_tiny_patch16_224"
CONVOLUTIONAL = [name for name in BUILDERS if name != "smp/dpt"]

# One of each family.
ENCODERS = [
    "resnet18", "dpn68", "vgg11_bn", "se_resnet50", "densenet121", "inceptionv4", "efficientnet-b0", "mobilenet_v2", "xception",
    "timm-efficientnet-b0", "timm-skresnet18", "mit_b0", "mobileone_s4", "tu-convnext_atto",
    "tu-mobilenetv3_small_050", "tu-swin_tiny_patch4_window7_224", "tu-hiera_tiny_224", "tu-inception_v3",
]  # fmt: skip
# Encoders whose features no module gives out: joined from two by a function, or turned from (N, H, W, D) to (N, D, H, W).
TAPPED = {"dpn68": 3, "tu-swin_tiny_patch4_window7_224": 4, "tu-hiera_tiny_224": 4}
SMALL_SWIN: dict[str, Any] = {
    "encoder_name": "tu-swin_tiny_patch4_window7_224", "embed_dim": 16, "depths": (2, 1, 1, 1), "num_heads": (1, 2, 2, 2)
}  # fmt: skip


def make(name: str, **options: Any) -> SmpSegmentation:
    torch.manual_seed(0)
    options = {"encoder_name": VIT if name == "smp/dpt" else "resnet18", **options}
    model = BUILDERS[name](num_classes=CLASSES, **options).eval()
    assert isinstance(model, SmpSegmentation)
    return model


def make_on_meta(name: str, **options: Any) -> SmpSegmentation:
    with torch.device("meta"):
        return make(name, **options)


def picture(*size: int) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module", params=list(BUILDERS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def model(name: str) -> SmpSegmentation:
    return make(name)


def theirs(name: str, model: SmpSegmentation) -> nn.Module:
    """smp's own network with the weights of ours."""
    architecture = smp.MODEL_ARCHITECTURES_MAPPING[name.removeprefix("smp/")]
    options: dict[str, Any] = {"encoder_name": "resnet18"}
    if name == "smp/dpt":
        options = {"encoder_name": VIT, "dynamic_img_size": True}
    with torch.device("meta"):
        net: nn.Module = architecture(encoder_weights=None, classes=CLASSES, **options).eval()
    net.load_state_dict(model.state_dict(), assign=True)
    return net


def check_order(model: SmpSegmentation) -> list[str]:
    """The rules that every list of stages keeps; returns the names."""
    stages = model.stages()
    names = [stage.name for stage in stages]
    kinds = [stage.kind for stage in stages]
    assert len(set(names)) == len(names) == len({stage.module for stage in stages})
    assert kinds == sorted(kinds, key=RANK.__getitem__) and kinds.count("bottleneck") == kinds.count("head") == 1
    assert [n for n in names if n.startswith("encoder")] == [f"encoder{i + 1}" for i in range(kinds.count("encoder"))]
    assert [n for n in names if n.startswith("decoder")] == [f"decoder{i}" for i in range(kinds.count("decoder"), 0, -1)]
    for place, stage in enumerate(stages):
        assert set(stage.skip_from) <= set(names[:place]) and len(set(stage.skip_from)) == len(stage.skip_from)
        assert bool(stage.skip_from) == (stage.join is not None)
        assert stage.after is None or stage.after in names[: place - 1]
        assert stage.after not in stage.skip_from
    return names


class TestEveryDecoder:
    @pytest.mark.parametrize("size", [(64, 64), (65, 49), (1, 3)])
    @torch.inference_mode()
    def test_logits_have_the_size_of_the_image(self, model: SmpSegmentation, size: tuple[int, int]) -> None:
        logits = model(picture(1, 3, *size))
        assert logits.shape == (1, CLASSES, *size)
        assert logits.isfinite().all()

    @pytest.mark.parametrize("in_channels", [1, 4])
    def test_other_input_channels(self, name: str, in_channels: int) -> None:
        model = make_on_meta(name, in_channels=in_channels)
        assert model(torch.empty(2, in_channels, 65, 49, device="meta")).shape == (2, CLASSES, 65, 49)

    @torch.inference_mode()
    def test_is_smps_own_network(self, name: str, model: SmpSegmentation) -> None:
        net = theirs(name, model)
        assert list(net.state_dict()) == list(model.state_dict())
        image = picture(1, 3, 128, 160)
        assert torch.equal(net(image), model(image))

    @torch.inference_mode()
    def test_a_picture_is_filled_up_with_zeros(self, model: SmpSegmentation) -> None:
        image = picture(1, 3, 100, 70)
        sides = [max(model.min_side, -(-side // model.multiple) * model.multiple) for side in (100, 70)]
        padded = torch.zeros(1, 3, *sides)
        padded[..., :100, :70] = image
        assert torch.equal(model(image), model(padded)[..., :100, :70])

    @torch.inference_mode()
    def test_stages_run_in_order(self, model: SmpSegmentation) -> None:
        names = check_order(model)
        ran: list[str] = []
        maps: dict[str, Tensor] = {}

        def recorder(stage_name: str) -> Any:
            def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
                ran.append(stage_name)
                maps[stage_name] = output.clone()

            return hook

        handles = [model.get_submodule(s.module).register_forward_hook(recorder(s.name)) for s in model.stages()]
        logits = model(picture(1, 3, 128, 96))
        for handle in handles:
            handle.remove()
        assert ran == names
        assert torch.equal(maps["head"], logits)
        assert all(maps[n].ndim == 4 and maps[n].shape[1] for n in names)
        sides = [maps[s.name].shape[-1] for s in model.stages() if s.kind in ("encoder", "bottleneck")]
        assert sides == sorted(sides, reverse=True)
        before = {name: names[place - 1] for place, name in enumerate(names)}
        for stage in model.stages():
            if stage.kind == "decoder":  # the resolution grows exactly where a stage says how
                inputs = [stage.after or before[stage.name], *stage.skip_from]
                assert (maps[stage.name].shape[-1] > min(maps[i].shape[-1] for i in inputs)) == bool(stage.upsampling)

    def test_backward_reaches_every_parameter_that_learns(self, model: SmpSegmentation) -> None:
        before = {key: value.clone() for key, value in model.named_buffers()}
        model.train()
        model(picture(2, 3, 64, 48)).square().mean().backward()
        model.eval()
        learned = {key: p for key, p in model.named_parameters() if p.requires_grad}
        unreached = [key for key, p in learned.items() if p.grad is None or not p.grad.isfinite().all()]
        flat = [key for key, p in learned.items() if p.ndim == 4 and p.grad is not None and not p.grad.any()]
        model.zero_grad(set_to_none=True)
        for key, value in model.named_buffers():
            value.copy_(before[key])
        assert not unreached
        assert not flat, "a convolution with no gradient at all is cut off"

    @torch.inference_mode()
    def test_state_dict_round_trip(self, name: str, model: SmpSegmentation) -> None:
        twin = make_on_meta(name)
        assert all(p.is_meta for p in twin.parameters())
        twin.load_state_dict(model.state_dict(), assign=True)
        image = picture(1, 3, 64, 48)
        assert torch.equal(twin(image), model(image))

    def test_a_copy_keeps_its_stages_and_no_hook(self, model: SmpSegmentation) -> None:
        assert copy.deepcopy(model).stages() == model.stages()
        assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


@pytest.mark.parametrize("encoder", ENCODERS)
def test_unet_with_every_family_of_encoders(encoder: str) -> None:
    small = SMALL_SWIN if encoder == SMALL_SWIN["encoder_name"] else {}
    model = make_on_meta("smp/unet", **{"encoder_name": encoder, **small})
    names = check_order(model)
    assert "bottleneck" in names and names[-2:] == ["decoder1", "head"]
    tapped = [stage for stage in model.stages()[:-1] if stage.module.startswith("taps.")]
    assert len(tapped) == TAPPED.get(encoder, 0)
    size = (224, 200) if model.fixed_size else (65, 49)
    assert model(torch.empty(2, 3, *size, device="meta")).shape == (2, CLASSES, *size)


# By smp: networks that cannot be dilated, or that have no map at half the picture's resolution.
REFUSED = {
    "vgg11": {"smp/deeplabv3", "smp/deeplabv3plus", "smp/pan"},
    "mit_b0": {"smp/unetplusplus", "smp/linknet"},
}


@pytest.mark.parametrize(
    ("name", "encoder"), [(name, encoder) for encoder in REFUSED for name in CONVOLUTIONAL if name not in REFUSED[encoder]]
)
def test_stages_of_every_decoder_on_several_encoders(name: str, encoder: str) -> None:
    model = make_on_meta(name, encoder_name=encoder)
    names = check_order(model)
    encoders = {"vgg11": 5, "mit_b0": 3}[encoder]  # VGG begins at full resolution, a transformer at 1/4
    assert names.index("bottleneck") == (encoders - 2 if name == "smp/pspnet" else encoders)


@pytest.mark.parametrize("encoder", ["dpn68", "vgg11", "densenet121", "mit_b0", "timm-skresnet18"])
@torch.inference_mode()
def test_what_a_stage_gives_out_is_what_the_decoder_gets(encoder: str) -> None:
    model = make("smp/unet", encoder_name=encoder)
    maps: dict[str, Tensor] = {}
    features: list[Tensor] = []
    for stage in model.stages():
        hook = lambda _module, _inputs, output, key=stage.name: maps.__setitem__(key, output.clone())  # noqa: E731
        model.get_submodule(stage.module).register_forward_hook(hook)
    for place in range(len(model.taps) - 1):
        model.taps[str(place)].register_forward_hook(lambda _module, _inputs, output: features.append(output))
    image = picture(1, 3, *(model.fixed_size or (64, 64)))
    model(image)
    expected = [f for f in features if f.shape[1] and f is not image]
    stages = [s.name for s in model.stages() if s.kind in ("encoder", "bottleneck")]
    assert len(stages) == len(expected)
    assert all(torch.equal(maps[stage], feature) for stage, feature in zip(stages, expected, strict=True))


def stages_of(name: str, **options: Any) -> dict[str, tuple[Any, ...]]:
    model = make_on_meta(name, **options)
    return {s.module.removeprefix("decoder."): (s.name, s.skip_from, s.join, s.upsampling, s.after) for s in model.stages()}


def test_the_walk_of_a_unet() -> None:
    walk = stages_of("smp/unet")
    assert walk["encoder.layer4"][0] == "bottleneck"
    assert walk["blocks.0"] == ("decoder5", ("encoder4",), "concat", "nearest", None)
    assert walk["blocks.4"] == ("decoder1", (), None, "nearest", None)
    assert stages_of("smp/unet", decoder_interpolation="bilinear")["blocks.0"][3] == "bilinear"
    assert stages_of("smp/unet", encoder_name="vgg11")["center"] == ("decoder6", (), None, None, None)


def test_the_walk_of_a_linknet_and_a_deeplab() -> None:
    assert stages_of("smp/linknet")["blocks.0"] == ("decoder5", ("encoder4",), "sum", "transposed", None)
    assert stages_of("smp/deeplabv3plus")["block2"] == ("decoder1", ("encoder2",), "concat", "bilinear", None)
    assert stages_of("smp/deeplabv3")["taps.logits"] == ("head", (), None, "bilinear", None)


def test_the_walk_of_a_nested_unet() -> None:
    walk = stages_of("smp/unetplusplus")
    x = {key.removeprefix("blocks."): value for key, value in walk.items() if key.startswith("blocks.x")}
    assert len(x) == 11
    assert x["x_1_1"] == ("decoder10", ("encoder3",), "concat", "nearest", "encoder4")
    assert x["x_0_1"][1] == (x["x_1_1"][0], "encoder3")
    assert x["x_0_3"][1] == (*(x[node][0] for node in ("x_1_3", "x_2_3", "x_3_3")), "encoder1")
    assert x["x_0_3"][4] == x["x_0_2"][0]


def test_the_walk_of_pyramids() -> None:
    fpn = stages_of("smp/fpn")
    assert fpn["p4"] == ("decoder8", ("encoder4",), "sum", "nearest", None)
    assert fpn["seg_blocks.0"][3:] == ("bilinear", fpn["p5"][0]) and fpn["seg_blocks.3"][3:] == (None, fpn["p2"][0])
    assert fpn["merge"][1:3] == (tuple(fpn[f"seg_blocks.{i}"][0] for i in range(3)), "sum")
    assert stages_of("smp/fpn", decoder_merge_policy="cat")["merge"][2] == "concat"
    upernet = stages_of("smp/upernet")
    assert upernet["fusion_block"][1] == tuple(upernet[k][0] for k in ("psp", "fpn_conv_blocks.0", "fpn_conv_blocks.1"))
    pan = stages_of("smp/pan")
    assert pan["gau3"][1:] == (("encoder4",), "sum", None, None), "the dilated encoder keeps 1/16"
    assert pan["gau2"][1:] == (("encoder3",), "sum", "bilinear", None)


def test_the_walk_of_transformers() -> None:
    segformer = stages_of("smp/segformer", encoder_name="mit_b0")
    assert segformer["encoder.norm1"][0] == "encoder1" and segformer["encoder.norm4"][0] == "bottleneck"
    assert segformer["mlp_stage.3"] == ("decoder2", (), None, None, "encoder1")
    assert segformer["fuse_stage"][1:3] == (("decoder5", "decoder4", "decoder3"), "concat")
    dpt = stages_of("smp/dpt")
    assert dpt["reassemble_blocks.0"] == ("decoder8", (), None, "transposed", "encoder1")
    assert dpt["fusion_blocks.0"] == ("decoder4", (), None, "bilinear", None)
    assert dpt["fusion_blocks.3"] == ("decoder1", ("decoder8",), "sum", "bilinear", None)


def test_parameters_that_nothing_depends_on_do_not_learn() -> None:
    pspnet = make_on_meta("smp/pspnet")
    idle = {name.split(".")[1] for name, p in pspnet.named_parameters() if not p.requires_grad}
    assert idle == {"layer3", "layer4"}, "PSPNet uses three of the encoder's five halvings"
    assert all(p.requires_grad for p in make_on_meta("smp/unet").parameters())


@torch.inference_mode()
def test_constants_survive_a_network_without_memory() -> None:
    """Swin's tables of relative positions are in no checkpoint."""
    whole, twin = make("smp/unet", **SMALL_SWIN), make_on_meta("smp/unet", **SMALL_SWIN)
    twin.load_state_dict(whole.state_dict(), assign=True)
    assert not any(buffer.is_meta for buffer in twin.buffers())
    assert list(twin.state_dict()) == list(whole.state_dict())
    image = picture(1, 3, 70, 50)
    assert torch.equal(twin(image), whole(image))


@torch.inference_mode()
def test_transformers_for_any_size_answer_alike_at_their_own() -> None:
    for name, options in (("dpt", {"encoder_name": VIT, "decoder_fusion_channels": 32}), ("unet", SMALL_SWIN)):
        model = make(f"smp/{name}", **options)
        net = smp.MODEL_ARCHITECTURES_MAPPING[name](encoder_weights=None, classes=CLASSES, **options).eval()
        net.load_state_dict(model.state_dict())
        image = picture(1, 3, 224, 224)
        assert torch.allclose(net(image), model(image), atol=1e-5)


def test_an_encoder_of_one_size_takes_no_larger_picture() -> None:
    model = make_on_meta("smp/dpt", encoder_name="tu-beit_base_patch16_224")
    assert model.fixed_size == (224, 224)
    assert model(torch.empty(1, 3, 99, 224, device="meta")).shape == (1, CLASSES, 99, 224)
    with pytest.raises(SettingError, match="300×99"):
        model(torch.empty(1, 3, 99, 300, device="meta"))
    assert make_on_meta("smp/dpt", encoder_name="tu-beit_base_patch16_224", img_size=320).fixed_size == (320, 320)


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("smp/unet", {"encoder_name": "resnet17"}, "resnet17"),
        ("smp/unet", {"encoder_name": "tu-resnet17"}, "resnet17"),
        ("smp/unet", {"encoder_name": "tu-hf-hub:timm/resnet18"}, "hf-hub"),
        ("smp/unet", {"encoder_name": "tu-vit_tiny_patch16_224"}, "downsampling"),
        ("smp/unet", {"colour": "red"}, "colour"),
        ("smp/unet", {"encoder_weights": "imagenet"}, "encoder_weights"),
        ("smp/unet", {"encoder_name": "tu-resnet18", "checkpoint_path": "/etc/passwd"}, "checkpoint_path"),
        ("smp/unet", {"activation": "sigmoid"}, "activation"),
        ("smp/unet", {"aux_params": {"classes": 2}}, "aux_params"),
        ("smp/unet", {"decoder_channels": (8, 4)}, "depth"),
        ("smp/unet", {"in_channels": 0}, "input channel"),
        ("smp/fpn", {"upsampling": 2}, "16×16"),
        ("smp/pspnet", {"encoder_depth": 4}, "8×8"),
        ("smp/linknet", {"encoder_name": "mit_b0"}, "mit_b0"),
        ("smp/deeplabv3", {"encoder_name": "vgg11"}, "VGG"),
        ("smp/dpt", {"encoder_name": "resnet18"}, "tu-"),
        ("smp/dpt", {"encoder_name": "tu-vit_small_patch14_dinov2"}, "14"),
        ("smp/dpt", {"encoder_name": "tu-cait_xxs24_224"}, "prefix"),
    ],
)
def test_what_cannot_work_is_a_sentence(name: str, options: dict[str, Any], sentence: str) -> None:
    with torch.device("meta"), pytest.raises(SettingError, match=re.escape(sentence)):
        BUILDERS[name](**{"encoder_name": VIT if name == "smp/dpt" else "resnet18", **options})


def test_an_option_that_timm_does_not_know_is_a_type_error() -> None:
    """As for every other network; `create_model` makes a sentence of it."""
    with torch.device("meta"), pytest.raises(TypeError, match="colour"):
        BUILDERS["smp/unet"](encoder_name="tu-resnet18", colour="red")


def test_options_that_are_none_are_as_if_not_given() -> None:
    """As smp writes them into the configuration of a checkpoint."""
    options = {"encoder_weights": None, "aux_params": None, "activation": None}
    assert make_on_meta("smp/unet", **options).stages() == make_on_meta("smp/unet").stages()


def test_all_of_smps_decoders_are_there() -> None:
    assert set(BUILDERS) == set(TITLES) == set(DECODERS)
    assert {name.removeprefix("smp/") for name in BUILDERS} == set(smp.MODEL_ARCHITECTURES_MAPPING)


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    code = (
        "import sys, segdemo.models, segdemo.models.smp_models, segdemo.models.segformer;"
        "print({'segmentation_models_pytorch', 'timm', 'transformers', 'huggingface_hub'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
