"""Receptive fields of stacks against autograd through torch's own layers, in float64."""

import math
import time
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from segdemo.errors import SettingError
from segdemo.layerlab.stack_influence import holding_side, influence, weights_of
from segdemo.layerlab.stack_language import parse_stack, write_stack
from segdemo.layerlab.stack_levels import best_unit, levels, seen_by
from segdemo.layerlab.stack_presets import STACKS, known_layers, known_name
from segdemo.layerlab.stacks import StackKind, StackLayer, up

small = st.integers(1, 5)
CONV = st.builds(StackLayer, st.just("conv"), small, st.integers(1, 3), st.integers(1, 3))
POOL = st.builds(StackLayer, st.sampled_from(["maxpool", "avgpool"]), st.integers(1, 4), st.integers(1, 3))
TRANSPOSED = st.tuples(st.integers(1, 3), st.integers(0, 2)).map(lambda p: StackLayer("upconv", p[0] + p[1], p[0]))
ENLARGED = st.builds(up, st.sampled_from(["nearest", "bilinear"]), st.integers(1, 4))
DOWN = st.lists(CONV | POOL, min_size=1, max_size=4)
ANY = st.lists(CONV | POOL | TRANSPOSED | ENLARGED, min_size=1, max_size=4)


def as_torch(layer: StackLayer, number: int, weights: str, channels: int = 1) -> nn.Module:
    """The layer of torch; a maximum as the mean times its cells, which is how the stack counts it."""
    k, s, p, d = layer.kernel, layer.stride, layer.padding, layer.dilation
    if layer.kind == "nearest":
        return nn.Upsample(scale_factor=s, mode="nearest")
    if layer.kind == "bilinear":
        return nn.Upsample(scale_factor=s, mode="bilinear", align_corners=False)
    if layer.kind == "upconv":
        module: nn.Module = nn.ConvTranspose2d(1, 1, k, s, p, bias=False, dtype=torch.float64)
    elif layer.kind == "conv":
        module = nn.Conv2d(1, 1, k, s, p, d, bias=False, dtype=torch.float64)
    else:
        return nn.AvgPool2d(k, s, min(p, k // 2), divisor_override=1)
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(weights_of(layer, number, weights))[None, None])  # type: ignore[arg-type]
    return module


def sheet(layers: list[StackLayer]) -> tuple[int, int, int, int]:
    """How to see every unit of a period far from every border. Moving the input by `pixels`, the strides of all layers that
    shrink, moves the output by `period`, those of all that enlarge; so many times, on a picture of so many pixels."""
    period = math.prod(layer.stride for layer in layers if layer.enlarges)
    pixels = math.prod(layer.stride for layer in layers if not layer.enlarges)
    spans = [seen_by(layers, unit) for unit in range(period)]
    margin = max(last - first for first, last in spans) + 40  # too little would be found out: a field cut off is smaller
    shifts = 1 + (margin - min(first for first, _last in spans)) // pixels
    return period, pixels, shifts, max(last for _first, last in spans) + pixels * shifts + margin


def seen_by_autograd(layers: list[StackLayer], weights: str) -> list[tuple[int, Tensor]]:
    """Of every unit of one period, by autograd: the first pixel that it sees, and |gradient| over its field."""
    period, pixels, shifts, side = sheet(layers)
    image = torch.zeros(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    output = nn.Sequential(*(as_torch(layer, n, weights) for n, layer in enumerate(layers)))(image)
    found = []
    for unit in range(period):
        at = unit + period * shifts
        (gradient,) = torch.autograd.grad(output[0, 0, at, at], image, retain_graph=True)
        seen = torch.nonzero(gradient[0, 0].abs().sum(1)).flatten()
        first, last = int(seen[0]), int(seen[-1])
        found.append((first - pixels * shifts, gradient[0, 0, first : last + 1, first : last + 1].abs()))
    return found


@settings(deadline=None, max_examples=30)
@given(ANY, st.sampled_from(["equal", "random"]))
def test_field_and_influence_are_those_of_autograd(layers: list[StackLayer], weights: str) -> None:
    try:
        levels(layers, 1, 10_000)
    except SettingError:
        assume(False)
    period, _pixels, _shifts, side = sheet(layers)
    assume(period <= 8 and side <= 420)
    found = seen_by_autograd(layers, weights)
    assert [seen_by(layers, unit) for unit in range(len(found))] == [(first, first + len(heat) - 1) for first, heat in found]
    widths = [len(heat) for _first, heat in found]
    best = best_unit(layers)
    assert best == widths.index(max(widths)) and levels(layers, 1, 10_000)[-1].field_px == widths[best]
    expected = found[best][1].numpy()
    np.testing.assert_allclose(influence(layers, weights), expected, rtol=1e-9, atol=1e-9 * expected.max())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "widths"),
    [
        ("c3.b2", [4, 4]),
        ("t3s2", [2, 1]),
        ("t5s2", [2, 3]),
        ("t4s3", [2, 1, 1]),
        ("c3.m2.c3.t5s2", [10, 12]),
    ],
)
def test_units_after_up_sampling_see_differently_far(text: str, widths: list[int]) -> None:
    layers = parse_stack(text)
    assert [len(heat) for _first, heat in seen_by_autograd([*layers], "equal")] == widths
    assert best_unit(layers) == widths.index(max(widths))


def test_the_deepest_stack_is_measured_in_good_time() -> None:
    """24 layers of 15×15, each with all that is below it: along one axis with equal weights, by transforms with random ones."""
    layers = parse_stack(".".join(["c15"] * 24))
    start = time.process_time()
    sides = [holding_side(influence(layers[:number], "equal")) for number in range(1, 25)]
    assert sides == sorted(sides) and sides[-1] < len(influence(layers, "equal")) == 337
    assert time.process_time() - start < 1.5
    start = time.process_time()
    random = influence(layers, "random")
    assert random.shape == (337, 337) and time.process_time() - start < 2


@settings(deadline=None)
@given(DOWN)
def test_the_recurrence_of_field_jump_and_start(layers: list[StackLayer]) -> None:
    field, jump, start = 1, 1, 0.0
    for layer, level in zip(layers, levels(layers, 3, 100_000), strict=True):
        start += ((layer.kernel - 1) / 2 * layer.dilation - layer.padding) * jump
        field, jump = field + (layer.kernel - 1) * layer.dilation * jump, jump * layer.stride
        assert (level.field_px, level.jump_px, float(level.start_px)) == (field, jump, start + 0.5)
        assert level.formula.endswith(f"= {field}")


@settings(deadline=None)
@given(ANY, st.integers(0, 40))
def test_start_and_jump_say_where_the_middle_of_a_field_lies(layers: list[StackLayer], unit: int) -> None:
    try:
        last = levels(layers, 1, 10_000)[-1]
    except SettingError:
        assume(False)
    if any(layer.enlarges for layer in layers):  # units see differently far: their middles lie around the regular ones
        period = int(np.prod([layer.stride for layer in layers if layer.enlarges]))
        middles = [
            Fraction(sum(seen_by(layers, n)) + 1, 2) - (last.start_px + n * last.jump_px) for n in range(unit, unit + period)
        ]
        assert max(map(abs, middles)) <= last.field_px + period * last.jump_px
    else:
        assert Fraction(sum(seen_by(layers, unit)) + 1, 2) == last.start_px + unit * last.jump_px


@settings(deadline=None, max_examples=40)
@given(ANY, st.integers(1, 4), st.integers(30, 60))
def test_sizes_parameters_and_macs_are_those_of_torch(layers: list[StackLayer], channels: int, side: int) -> None:
    try:
        found = levels(layers, channels, side)
    except SettingError:
        assume(False)
    value = torch.zeros(1, channels, side, side, device="meta")
    for layer, level in zip(layers, found, strict=True):
        module = as_torch(layer, 0, "equal")
        if layer.learns:
            kind = nn.ConvTranspose2d if layer.enlarges else nn.Conv2d
            more = {} if layer.enlarges else {"dilation": layer.dilation}
            module = kind(channels, channels, layer.kernel, layer.stride, layer.padding, bias=False, device="meta", **more)
        with FlopCounterMode(display=False) as counter:
            value = module(value)
        assert tuple(value.shape[2:]) == (level.size, level.size)
        assert level.params == sum(p.numel() for p in module.parameters())
        assert level.macs * 2 == counter.get_total_flops()


def test_two_three_by_three_are_one_five_by_five() -> None:
    two, one = (levels(parse_stack(text), 10, 32) for text in ("c3.c3", "c5"))
    assert two[-1].field_px == one[-1].field_px == 5
    assert (sum(level.params for level in two), sum(level.params for level in one)) == (1800, 2500)  # 18c², 25c²
    assert influence(parse_stack("c3.c3"), "equal").max() == 9  # nine ways lead to the middle, one to each corner
    assert np.array_equal(influence(parse_stack("c5"), "equal"), np.ones((5, 5)))


@pytest.mark.parametrize(("name", "field"), [("three_small", 7), ("dilated", 15), ("context", 67), ("vgg", 212), ("unet", 140)])
def test_known_networks(name: str, field: int) -> None:
    """Context module: Yu and Koltun's table says 67; VGG-16 up to pool5: 212; U-Net's bottleneck: 140."""
    assert levels(parse_stack(STACKS[name].layers), 1, 572)[-1].field_px == field


@given(ANY)
def test_the_address_says_the_same_stack(layers: list[StackLayer]) -> None:
    assert list(parse_stack(write_stack(layers))) == layers
    assert parse_stack(write_stack([])) == ()


@pytest.mark.parametrize("kind", ["conv", "maxpool", "avgpool", "upconv", "bilinear"])
@pytest.mark.parametrize("kernel", [15, 16, 17])
def test_only_bilinear_up_sampling_spreads_over_sixteen(kind: StackKind, kernel: int) -> None:
    if kernel <= (16 if kind == "bilinear" else 15):
        assert StackLayer(kind, kernel, 8).kernel == kernel
    else:
        with pytest.raises(SettingError, match="at most 16, 8 and 32" if kind == "bilinear" else "at most 15, 8 and 32"):
            StackLayer(kind, kernel, 8)


def test_the_sentence_about_a_long_part_is_short() -> None:
    with pytest.raises(SettingError, match=r"^(c3){11}c… is not a layer: .{,60}$"):
        parse_stack("c3" * 180)


@pytest.mark.parametrize("text", [
    "", "c", "c3.", "x3", "c0", "c16", "c99", "t2s4", "m2d2", "c3s0", "c3d99", "n0", "n9", "b9", "b2s2", "n2d2", "m9", "c3;c3",
])  # fmt: skip
def test_what_is_no_stack_gets_a_sentence(text: str) -> None:
    with pytest.raises(SettingError, match=r"\.$"):
        parse_stack(text)


@pytest.mark.parametrize("text", ["c15d32.c15d32.c15d32", "n8.n8.n2", "m8.m8.m8", ".".join(["c1"] * 25)])
def test_stacks_that_are_too_large_get_a_sentence(text: str) -> None:
    with pytest.raises(SettingError, match=r"\.$"):
        levels(parse_stack(text), 1, 64)


def test_the_square_that_holds_a_share() -> None:
    heat = np.ones((5, 5))
    assert (holding_side(heat), holding_side(heat, 0.36), holding_side(heat, 0.04)) == (5, 3, 1)
    heat[2, 2] = 1000
    assert holding_side(heat) == 1
    assert holding_side(np.ones((4, 4)), 0.25) == 2


@given(st.integers(1, 9), st.floats(0.05, 1), st.integers(0, 99))
def test_the_square_is_the_smallest_that_holds_enough(side: int, share: float, seed: int) -> None:
    heat = np.random.default_rng(seed).random((side, side))
    found = holding_side(heat, share)

    def held(wide: int) -> float:
        cut = (side - wide) // 2
        return float(heat[cut : side - cut, cut : side - cut].sum() / heat.sum())

    assert (side - found) % 2 == 0 and held(found) >= share - 1e-9
    assert found <= 2 or held(found - 2) < share + 1e-9


def test_known_stacks_are_found_by_their_layers() -> None:
    for key, known in STACKS.items():
        assert known_layers(key) == parse_stack(known.layers) and known_name([*known_layers(key)]) == key
    assert known_name(parse_stack("c9.c9")) == ""
