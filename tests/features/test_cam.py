"""segdemo.features.cam: closed forms on a linear network, and a second implementation on a trained one."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor, nn

from segdemo.data.preprocessing import to_input
from segdemo.data.shapes import draw_shapes
from segdemo.errors import SettingError
from segdemo.features.cam import Target, contributions, grad_cam, saliency
from segdemo.features.recording import record_all
from segdemo.models import create_model
from segdemo.types import Stage
from segdemo.weights import get_weights, load_model

pytestmark = pytest.mark.usefixtures("one_thread")

HEIGHT, WIDTH = 5, 7


def hooks(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


@contextmanager
def left_alone(model: nn.Module) -> Iterator[None]:
    """No hook stays, and parameters neither keep gradients nor change."""
    before = [(p.clone(), p.requires_grad) for p in model.parameters()]
    yield
    assert hooks(model) == 0
    for (value, required), parameter in zip(before, model.parameters(), strict=True):
        assert parameter.grad is None and parameter.requires_grad == required and torch.equal(value, parameter)


class Chain(nn.Module):
    """image ─ 1×1 convolution ─ what comes between ─ 1×1 convolution ▶ logits."""

    def __init__(self, classes: int, between: nn.Module | None = None) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.first = nn.Conv2d(3, 4, 1)
        self.between = between or nn.Identity()
        self.second = nn.Conv2d(4, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.second(self.between(self.first(image)))  # type: ignore[no-any-return]

    def stages(self) -> list[Stage]:
        return [Stage("encoder1", "encoder", "first"), Stage("head", "head", "second")]


@pytest.fixture
def image() -> Tensor:
    torch.manual_seed(0)
    return torch.randn(1, 3, HEIGHT, WIDTH)


@pytest.fixture
def region() -> Tensor:
    mask = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    mask[1:3, 2:6] = True
    return mask


# Closed forms


def test_a_linear_network_by_hand(image: Tensor, region: Tensor) -> None:
    """y = Σ over the region of v·A + b with A = W x + a: every slope of y with respect to A is v within the region."""
    model, target = Chain(3), Target(2, region)
    v, b = model.second.weight[2, :, 0, 0].detach(), model.second.bias[2].detach()  # type: ignore[index]
    activation = model.first(image)[0].detach()
    with left_alone(model):
        cam = grad_cam(model, image, "encoder1", target)
    weights = v * 8 / (HEIGHT * WIDTH)
    raw = torch.einsum("k,khw->hw", weights, activation)
    torch.testing.assert_close(cam.weights, weights)
    torch.testing.assert_close(cam.heat, raw.clamp(min=0))
    assert (cam.low, cam.high) == pytest.approx((raw.min().item(), raw.max().item())) and cam.low < 0 < cam.high
    torch.testing.assert_close(cam.contributions, v * activation[:, region].sum(dim=1))
    assert cam.score == pytest.approx(model(image)[0, 2][region].sum().item(), rel=1e-5)
    assert (cam.pixels, cam.stage, cam.target) == (8, "encoder1", target)
    assert cam.contributions.sum().item() + 8 * b.item() == pytest.approx(cam.score, rel=1e-5), "all shares, and the biases"
    torch.testing.assert_close(contributions(model, image, "encoder1", target), cam.contributions)


def test_a_contribution_is_what_the_class_loses_without_the_channel(image: Tensor, region: Tensor) -> None:
    model, target = Chain(3), Target(1, region)
    shares = contributions(model, image, "encoder1", target)
    whole = grad_cam(model, image, "encoder1", target).score
    for channel in range(4):
        activation = model.first(image)
        activation[:, channel] = 0
        without = model.second(activation)[0, 1][region].sum().item()
        assert shares[channel].item() == pytest.approx(whole - without, rel=1e-4, abs=1e-5)


def test_saliency_of_a_linear_network_is_its_largest_weight(image: Tensor, region: Tensor) -> None:
    model = Chain(3)
    slopes = model.second.weight[0, :, 0, 0] @ model.first.weight[:, :, 0, 0]  # (3,)
    with left_alone(model):
        found = saliency(model, image, Target(0, region))
    torch.testing.assert_close(found, torch.where(region, slopes.abs().max(), 0.0).detach())


def test_the_background_of_a_binary_network_is_the_negative_logit(image: Tensor, region: Tensor) -> None:
    model = Chain(1)
    on, off = (grad_cam(model, image, "encoder1", Target(c, region)) for c in (1, 0))
    assert on.score == pytest.approx(model(image)[0, 0][region].sum().item(), rel=1e-5)
    assert off.score == -on.score
    assert (off.low, off.high) == (-on.high, -on.low)
    assert torch.equal(off.weights, -on.weights)
    assert torch.equal(saliency(model, image, Target(1, region)), saliency(model, image, Target(0, region)))
    with pytest.raises(SettingError, match="no class 2"):
        grad_cam(model, image, "encoder1", Target(2, region))


def test_no_region_is_the_whole_map(image: Tensor) -> None:
    whole = grad_cam(Chain(3), image, "encoder1", Target(1))
    everywhere = grad_cam(Chain(3), image, "encoder1", Target(1, torch.ones(HEIGHT, WIDTH, dtype=torch.bool)))
    assert torch.equal(whole.heat, everywhere.heat) and whole.pixels == HEIGHT * WIDTH


def test_a_map_that_is_overwritten_in_place_is_explained_as_it_was(image: Tensor, region: Tensor) -> None:
    """What a stage hands on, and its slope, are those before the ReLU that follows it."""
    overwritten, kept = Chain(3, nn.ReLU(inplace=True)), Chain(3, nn.ReLU())
    for class_index in range(3):
        a, b = (grad_cam(m, image, "encoder1", Target(class_index, region)) for m in (overwritten, kept))
        torch.testing.assert_close((a.heat, a.weights, a.contributions), (b.heat, b.weights, b.contributions))
    activation = kept.first(image)[0]
    slope = (kept.second.weight[2, :, 0, 0][:, None, None] * (activation > 0) * region).detach()
    torch.testing.assert_close(grad_cam(overwritten, image, "encoder1", Target(2, region)).weights, slope.mean(dim=(1, 2)))


# A trained network, and a second implementation


@pytest.fixture(scope="module")
def trained() -> tuple[nn.Module, Tensor]:
    entry = get_weights("unet/nuclei-small")
    scene, _mask = draw_shapes(96, 80, seed=2)
    return load_model(entry).eval(), to_input(scene, entry.preprocessing)[0]


def by_hooks(model: nn.Module, image: Tensor, stage: str, region: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Grad-CAM as it is usually written: a forward hook, a full backward pass, a copy of the model to spoil."""
    model = copy.deepcopy(model)
    path = next(s.module for s in model.stages() if s.name == stage)  # type: ignore[operator]
    kept: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        output.retain_grad()
        kept.append(output)

    model.get_submodule(path).register_forward_hook(keep)
    image = image.clone().requires_grad_()
    model(image)[0, 0][region].sum().backward()
    (activation,) = kept
    assert activation.grad is not None and image.grad is not None
    weights = activation.grad[0].mean(dim=(1, 2))
    heat = (weights[:, None, None] * activation[0]).sum(dim=0).relu().detach()
    return heat, weights, (activation.grad * activation)[0].sum(dim=(1, 2)).detach(), image.grad[0].abs().max(dim=0).values


@pytest.mark.parametrize("stage", ["encoder1", "bottleneck", "decoder2", "head"])
def test_a_trained_network_agrees_with_the_second_implementation(trained: tuple[nn.Module, Tensor], stage: str) -> None:
    model, image = trained
    with torch.no_grad():
        region = model(image)[0, 0] > 0
    if not region.any():
        region = region | (torch.arange(region.shape[0])[:, None] < 20)
    target = Target(1, region)
    heat, weights, shares, slopes = by_hooks(model, image, stage, region)
    with left_alone(model):
        cam = grad_cam(model, image, stage, target)
        found = saliency(model, image, target)
    assert cam.heat.max() > 0 or cam.high <= 0
    torch.testing.assert_close(cam.heat, heat, rtol=1e-4, atol=1e-4 * float(heat.max() + 1e-6))
    torch.testing.assert_close(cam.weights, weights, rtol=1e-4, atol=1e-5 * float(weights.abs().max()))
    torch.testing.assert_close(cam.contributions, shares, rtol=1e-4, atol=1e-4 * float(shares.abs().max()))
    torch.testing.assert_close(found, slopes, rtol=1e-4, atol=1e-5 * float(slopes.max()))


def test_the_head_of_a_trained_network_is_its_own_contribution(trained: tuple[nn.Module, Tensor]) -> None:
    model, image = trained
    cam = grad_cam(model, image, "head", Target(1))
    assert cam.contributions.shape == (1,)
    assert cam.contributions.item() == pytest.approx(cam.score, rel=1e-4)


# Transformers


@pytest.fixture(scope="module")
def transformer() -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    model = create_model("smp/unet", num_classes=2, encoder_name="mit_b0").eval()
    return model, torch.rand(1, 3, 64, 96)


def test_a_transformers_maps_agree_with_the_second_implementation(transformer: tuple[nn.Module, Tensor]) -> None:
    """Its stages hand on maps; what attention does in between is differentiated like everything else."""
    model, image = transformer
    region = torch.arange(64)[:, None].expand(64, 96) < 30
    for stage in [s.name for s in model.stages() if s.kind in ("encoder", "bottleneck")][-2:]:  # type: ignore[operator]
        heat, weights, shares, slopes = by_hooks(model, image, stage, region)
        cam = grad_cam(model, image, stage, Target(0, region))
        assert weights.any() and cam.heat.shape == heat.shape
        torch.testing.assert_close(cam.heat, heat, rtol=1e-3, atol=1e-4 * float(heat.max() + 1e-6))
        torch.testing.assert_close(cam.weights, weights, rtol=1e-3, atol=1e-4 * float(weights.abs().max()))
        torch.testing.assert_close(cam.contributions, shares, rtol=1e-3, atol=1e-4 * float(shares.abs().max()))
    torch.testing.assert_close(saliency(model, image, Target(0, region)), slopes, rtol=1e-3, atol=1e-4 * float(slopes.max()))


class OfTokens(nn.Module):
    """4 × 6 patches as tokens (1, 24, 5), which look at each other, are averaged and classified."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.patches = nn.Conv2d(3, 5, 2, stride=2)
        self.attention, self.tokens = nn.MultiheadAttention(5, 1, batch_first=True), nn.LayerNorm(5)
        self.head = nn.Linear(5, 3)

    def forward(self, image: Tensor) -> Tensor:
        x = self.patches(image).flatten(2).transpose(1, 2)
        x = self.tokens(x + self.attention(x, x, x)[0])
        return self.head(torch.tanh(x).mean(dim=1))  # type: ignore[no-any-return]

    def stages(self) -> list[Stage]:
        return [Stage("encoder1", "encoder", "tokens"), Stage("head", "head", "head")]


def test_tokens_are_positions_and_their_numbers_channels() -> None:
    """By the chain rule: ∂ logit_k / ∂ x = w_k (1 − tanh² x) / 24, for each token's five numbers."""
    model, image = OfTokens().eval(), torch.rand(1, 3, 8, 12)
    cam = grad_cam(model, image, "encoder1", Target(2))
    tokens: list[Tensor] = []
    handle = model.tokens.register_forward_hook(lambda _m, _i, output: tokens.append(output.detach()[0]))
    model(image)
    handle.remove()
    (x,) = tokens  # (24, 5)
    slope = model.head.weight[2].detach() * (1 - torch.tanh(x).square()) / 24
    weights = slope.mean(dim=0)
    torch.testing.assert_close(cam.weights, weights)
    torch.testing.assert_close(cam.heat, (x @ weights).relu()[:, None])
    torch.testing.assert_close(cam.contributions, (slope * x).sum(dim=0))
    recorded = record_all(model, image).maps["encoder1"]
    assert cam.heat.shape == recorded.shape[1:] == (24, 1) and torch.equal(recorded[..., 0].T, x)


# Classification networks, wrong settings, other modes


def test_a_classification_network_has_no_region() -> None:
    torch.manual_seed(0)
    model, digit = create_model("mnist_cnn", in_channels=1, num_classes=10, width=4).eval(), torch.rand(1, 1, 28, 28)
    logits = model(digit)[0, :, 0, 0]
    cam = grad_cam(model, digit, "bottleneck", Target(7, torch.zeros(28, 28, dtype=torch.bool)))
    assert (cam.pixels, cam.score) == (1, pytest.approx(logits[7].item(), rel=1e-5))
    assert cam.heat.shape == (7, 7)
    activation = model.encoder[1](model.encoder[0](digit))[0]  # type: ignore[index, operator]
    slope = model.classification_head.weight[7]  # type: ignore[index, union-attr]
    torch.testing.assert_close(cam.contributions, (slope * activation).sum(dim=(1, 2)).detach())
    torch.testing.assert_close(cam.weights, slope.mean(dim=(1, 2)).detach())


def test_a_stage_that_is_a_vector_has_a_map_of_one_position() -> None:
    torch.manual_seed(0)
    cam = grad_cam(create_model("resnet18", num_classes=3).eval(), torch.rand(1, 3, 64, 64), "head", Target(1))
    assert cam.heat.shape == (1, 1) and torch.equal(cam.weights, torch.tensor([0.0, 1.0, 0.0]))


@pytest.mark.parametrize(
    ("stage", "target", "word"),
    [
        ("encoder1", Target(0, torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)), "region is empty"),
        ("encoder1", Target(0, torch.ones(3, 4, dtype=torch.bool)), "4 × 3 pixels"),
        ("encoder1", Target(3), "no class 3"),
        ("encoder1", Target(-1), "no class -1"),
        ("gone", Target(0), "gone"),
    ],
)
def test_what_cannot_be_explained_is_a_sentence(image: Tensor, stage: str, target: Target, word: str) -> None:
    model = Chain(3)
    with left_alone(model), pytest.raises(SettingError, match=word):
        grad_cam(model, image, stage, target)
    if stage != "gone":
        with left_alone(model), pytest.raises(SettingError, match=word):
            saliency(model, image, target)


def test_gradients_are_on_whatever_the_caller_does(image: Tensor, region: Tensor) -> None:
    model = Chain(3).requires_grad_(False)
    expected = grad_cam(model, image, "encoder1", Target(0, region))
    with torch.inference_mode(), left_alone(model):
        found = grad_cam(model, image.clone(), "encoder1", Target(0, region))
        assert saliency(model, image.clone(), Target(0, region)).any()
    assert torch.equal(found.weights, expected.weights) and found.weights.any()
    assert not image.requires_grad and image.grad is None


class Aside(nn.Module):
    """A stage that the logits do not depend on, and one that never runs."""

    def __init__(self) -> None:
        super().__init__()
        self.used, self.unused, self.idle = nn.Conv2d(1, 1, 1), nn.Conv2d(1, 2, 1), nn.Conv2d(1, 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        self.unused(image)
        return self.used(image)  # type: ignore[no-any-return]

    def stages(self) -> list[Stage]:
        return [Stage("aside", "encoder", "unused"), Stage("idle", "encoder", "idle"), Stage("head", "head", "used")]


def test_a_stage_that_does_not_matter_weighs_nothing() -> None:
    cam = grad_cam(Aside(), torch.rand(1, 1, 3, 3), "aside", Target(1))
    assert torch.equal(cam.weights, torch.zeros(2)) and not cam.heat.any()
    with pytest.raises(SettingError, match="does not run"):
        grad_cam(Aside(), torch.rand(1, 1, 3, 3), "idle", Target(1))
