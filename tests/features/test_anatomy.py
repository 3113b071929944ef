"""segdemo.features.anatomy: shapes, parameters and multiplications by stage, against numbers worked out by hand."""

import pytest
import torch
from torch import Tensor, nn

from segdemo.errors import SettingError
from segdemo.features import Anatomy, Resampling, dissect
from segdemo.models import create_model, list_models
from segdemo.types import Size, Stage

pytestmark = pytest.mark.usefixtures("one_thread")


def anatomy(name: str, size: Size, in_channels: int = 3, num_classes: int = 21, **options: object) -> Anatomy:
    with torch.device("meta"):
        model = create_model(name, in_channels=in_channels, num_classes=num_classes, **options)
    return dissect(model, size, in_channels)


class Small(nn.Module):
    """Each cost once: a grouped and strided convolution, pooling, a transposed convolution, a linear layer, an extra head."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=2), nn.BatchNorm2d(8))
        self.up = nn.ConvTranspose2d(8, 6, 2, stride=2)
        self.mix = nn.Conv2d(6, 6, 3, padding=2, dilation=2, bias=False)
        self.scale = nn.Parameter(torch.ones(6, 1, 1))
        self.score = nn.Linear(6, 5)
        self.extra = nn.Conv2d(8, 5, 1)

    def forward(self, image: Tensor) -> Tensor:
        x = self.mix(self.up(self.down(image))) * self.scale
        return self.score(x.mean((2, 3)))[..., None, None]  # type: ignore[no-any-return]

    def stages(self) -> list[Stage]:
        return [Stage("encoder1", "encoder", "down"), Stage("decoder1", "decoder", "mix"), Stage("head", "head", "score")]


def test_costs_are_those_worked_out_by_hand() -> None:
    found = dissect(Small(), (10, 12), 4)
    encoder, decoder, head = found.parts
    assert encoder.shape == (8, 5, 6) and decoder.shape == (6, 10, 12) and head.shape == (5,)
    assert encoder.params == 8 * 2 * 9 + 8 + 2 * 8
    assert encoder.macs == 8 * 5 * 6 * 2 * 9
    assert decoder.params == (8 * 6 * 4 + 6) + 6 * 6 * 9, "the up-convolution belongs to the stage that it feeds"
    assert decoder.macs == 5 * 6 * 8 * 6 * 4 + 10 * 12 * 6 * 6 * 9
    assert head.params == 6 + 6 * 5 + 5
    assert head.macs == 6 * 5
    assert encoder.resampling == (Resampling("strided", 2),)
    assert decoder.resampling == (Resampling("transposed", 2),)
    assert head.resampling == (Resampling("global_pool", 1),)
    assert (encoder.dilations, decoder.dilations) == ((), (2,))
    assert found.unused == 8 * 5 + 5
    assert found.logits_shape == (5, 1, 1)


def test_a_pass_leaves_the_model_as_it_was() -> None:
    model = Small().train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    dissect(model, (10, 12), 4)
    assert model.training and model.down.training
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize("name", list_models())
def test_stages_add_up_to_the_whole_network(name: str) -> None:
    with torch.device("meta"):
        model = create_model(name, in_channels=3, num_classes=4)
    found = dissect(model, (256, 224), 3)
    assert sum(part.params for part in found.parts) + found.unused == sum(p.numel() for p in model.parameters())
    assert sum(part.macs for part in found.parts) == found.macs > 0
    assert [part.stage for part in found.parts] == model.stages()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("name", "macs_m"),
    [("resnet18", 1814), ("resnet50", 4089), ("vgg16", 15_470), ("alexnet", 714), ("resnet152", 11_514)],
)
def test_classifiers_cost_what_torchvision_publishes(name: str, macs_m: int) -> None:
    assert anatomy(name, (224, 224), 3, 1000).macs / 1e6 == pytest.approx(macs_m, abs=1)


def test_the_papers_unet() -> None:
    found = anatomy("unet", (572, 572), 1, 2, padding="valid")
    assert [part.shape[-1] for part in found.parts] == [568, 280, 136, 64, 28, 52, 100, 196, 388, 388]
    assert found.part("encoder1").macs == 570**2 * 64 * 9 + 568**2 * 64 * 64 * 9
    assert found.part("decoder4").macs == 28**2 * 1024 * 512 * 4 + 54**2 * 1024 * 512 * 9 + 52**2 * 512 * 512 * 9
    assert found.part("head").macs == 388**2 * 64 * 2


def test_how_resolution_changes_is_read_off_the_operations() -> None:
    segnet = anatomy("segnet", (360, 480), 3, 11)
    assert segnet.part("encoder2").resampling == (Resampling("max_pool", 2),)
    assert segnet.part("decoder1").resampling == (Resampling("unpooling", 2),)
    lraspp = anatomy("lraspp_mobilenet_v3_large", (256, 256))
    assert lraspp.finally_resampled == (Resampling("bilinear", 8),)
    dilated = anatomy("dilatednet", (256, 256))
    assert dilated.part("encoder5").dilations == (2,)
    assert dilated.part("head").dilations == (2, 4, 8, 16)


def test_a_size_that_cannot_work_keeps_the_models_sentence() -> None:
    with pytest.raises(SettingError, match="512"):
        anatomy("unet", (512, 512), 1, 2, padding="valid")
