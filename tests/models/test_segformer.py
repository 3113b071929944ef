"""segdemo.models.segformer: transformers' SegFormer keeps our contract, and without transformers there is a sentence."""

import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segdemo.errors import SettingError
from segdemo.models.segformer import BUILDERS, TITLES, VARIANTS, SegFormer

transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.usefixtures("one_thread")

CLASSES = 3


def make(**options: Any) -> SegFormer:
    torch.manual_seed(0)
    return SegFormer(num_classes=CLASSES, **options).eval()


def picture(*size: int) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def model() -> SegFormer:
    return make()


@pytest.mark.parametrize("size", [(64, 48), (65, 49), (31, 200), (1, 3)])
@torch.inference_mode()
def test_logits_have_the_size_of_the_image(model: SegFormer, size: tuple[int, int]) -> None:
    logits = model(picture(1, 3, *size))
    assert logits.shape == (1, CLASSES, *size)
    assert logits.isfinite().all()


@pytest.mark.parametrize("in_channels", [1, 4])
def test_other_input_channels(in_channels: int) -> None:
    with torch.device("meta"):
        model = make(in_channels=in_channels)
        assert model(torch.empty(2, in_channels, 65, 49)).shape == (2, CLASSES, 65, 49)


@torch.inference_mode()
def test_is_transformers_own_network(model: SegFormer) -> None:
    config = transformers.SegformerConfig(num_labels=CLASSES)
    net = transformers.SegformerForSemanticSegmentation(config).eval()
    assert list(net.state_dict()) == list(model.state_dict())
    net.load_state_dict(model.state_dict())
    image = picture(1, 3, 65, 49)
    expected = F.interpolate(net(image).logits, size=(65, 49), mode="bilinear", align_corners=False)
    assert torch.equal(expected, model(image))


@torch.inference_mode()
def test_stages_run_in_order(model: SegFormer) -> None:
    maps: dict[str, Tensor] = {}

    def recorder(name: str) -> Any:
        return lambda _module, _inputs, output: maps.__setitem__(name, output.clone())

    handles = [model.get_submodule(s.module).register_forward_hook(recorder(s.name)) for s in model.stages()]
    logits = model(picture(1, 3, 64, 96))
    for handle in handles:
        handle.remove()
    assert list(maps) == [stage.name for stage in model.stages()]
    assert list(maps) == ["encoder1", "encoder2", "encoder3", "bottleneck", "decoder1", "head"]
    sizes = [(16, 24), (8, 12), (4, 6), (2, 3), (16, 24), (16, 24)]
    assert [tuple(m.shape[-2:]) for m in maps.values()] == sizes
    assert torch.equal(F.interpolate(maps["head"], size=(64, 96), mode="bilinear"), logits)
    decoder = model.stages()[4]
    assert (decoder.skip_from, decoder.join, decoder.upsampling) == (("encoder1", "encoder2", "encoder3"), "concat", "bilinear")


def test_backward_reaches_every_parameter() -> None:
    model = make().train()
    model(picture(2, 3, 64, 64)).square().mean().backward()
    assert not [key for key, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert not [key for key, p in model.named_parameters() if p.ndim == 4 and p.grad is not None and not p.grad.any()]


@torch.inference_mode()
def test_state_dict_round_trip(model: SegFormer) -> None:
    with torch.device("meta"):
        twin = make()
    twin.load_state_dict(model.state_dict(), assign=True)
    image = picture(1, 3, 64, 48)
    assert torch.equal(twin(image), model(image))
    assert not any(m._forward_hooks for m in model.modules())


# Millions, with 150 classes: the paper's table 1.
PUBLISHED = {"b0": 3.8, "b1": 13.7, "b2": 27.5, "b3": 47.3, "b4": 64.1, "b5": 84.7}


@pytest.mark.parametrize("variant", VARIANTS)
def test_parameters_are_the_papers(variant: str) -> None:
    with torch.device("meta"):
        model = SegFormer(num_classes=150, variant=variant)
    assert round(sum(p.numel() for p in model.parameters()) / 1e6, 1) == PUBLISHED[variant]


@pytest.mark.parametrize("variant", ["b0", "b2"])
def test_smps_segformer_has_as_many_parameters(variant: str) -> None:
    smp = pytest.importorskip("segmentation_models_pytorch")
    with torch.device("meta"):
        ours = SegFormer(num_classes=CLASSES, variant=variant)
    theirs = smp.Segformer(
        f"mit_{variant}", encoder_weights=None, classes=CLASSES, decoder_segmentation_channels=VARIANTS[variant][2]
    )
    assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in theirs.parameters())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"variant": "b6"}, "b5"),
        ({"colour": "red"}, "colour"),
        ({"hidden_sizes": (8,)}, "together"),
        ({"in_channels": 0}, "channel"),
    ],
)
def test_what_cannot_work_is_a_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        make(**options)


def test_without_transformers_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(SettingError, match="pip install"):
        make()


def test_is_registered_under_one_name() -> None:
    assert set(BUILDERS) == set(TITLES) == {"segformer"}
    assert isinstance(BUILDERS["segformer"](), nn.Module)
