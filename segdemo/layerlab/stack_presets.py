"""Stacks that are worth a look, each in the writing of `parse_stack`, with the sentence that says why."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from segdemo.layerlab.stack_language import parse_stack
from segdemo.layerlab.stacks import StackLayer
from segdemo.text import N_

__all__ = ["STACKS", "KnownStack", "known_layers", "known_name"]


@dataclass(frozen=True)
class KnownStack:
    """A stack with a name. `point` is what there is to see; `against` the key of the stack that it is compared with."""

    title: str
    layers: str
    point: str
    against: str = ""


STACKS: dict[str, KnownStack] = {
    "two_small": KnownStack(N_("Two 3×3"), "c3.c3", N_("They see as far as one 5×5, with 18c² weights instead of 25c², and "
                            "with one extra activation (between them). VGG is built on this."), "one_five"),
    "one_five": KnownStack(N_("One 5×5"), "c5", N_("Every pixel of its field counts equally: each has one path to the unit."),
                           "two_small"),
    "three_small": KnownStack(N_("Three 3×3"), "c3.c3.c3", N_(
        "As far as one 7×7, with 27c² weights instead of 49c²."), "one_seven"),
    "one_seven": KnownStack(N_("One 7×7"), "c7", N_(
        "49c² weights for a field that three 3×3 reach with 27c²."), "three_small"),
    "plain": KnownStack(N_("Eight 3×3"), "c3.c3.c3.c3.c3.c3.c3.c3", N_(
        "Without stride the field grows by two pixels per layer, and influence fades towards its border."), "dilated"),
    "dilated": KnownStack(N_("Dilated 1, 2, 4"), "c3.c3d2.c3d4", N_(
        "Rates that double let the field double with each layer, at the price of plain 3×3 layers."), "three_small"),
    "context": KnownStack(N_("Context module"), "c3.c3.c3d2.c3d4.c3d8.c3d16.c3.c1", N_(
        "Yu and Koltun's dilated layers: a field of 67 pixels without losing resolution."), "plain"),
    "pooled": KnownStack(N_("3×3 and pooling"), "c3.m2.c3.m2.c3.m2.c3", N_(
        "A pooling layer adds little itself, but every later layer jumps twice as far."), "plain"),
    "unet": KnownStack(N_("U-Net's encoder"), "c3.c3.m2.c3.c3.m2.c3.c3.m2.c3.c3.m2.c3.c3", N_(
        "Four poolings: a unit at the bottom can see 140 pixels, of which the middle ones count."), "vgg"),
    "vgg": KnownStack(N_("VGG-16's encoder"), "c3.c3.m2.c3.c3.m2.c3.c3.c3.m2.c3.c3.c3.m2.c3.c3.c3.m2", N_(
        "Thirteen 3×3 and five poolings: 212 pixels, the backbone of FCN."), "unet"),
    "updown": KnownStack(N_("Down and up again"), "c3.m2.c3.t2s2.c3", N_(
        "After up-sampling, fields differ from unit to unit; the largest one is shown."), "pooled"),
}  # fmt: skip


@lru_cache(maxsize=1)
def _parsed() -> dict[str, tuple[StackLayer, ...]]:
    return {key: parse_stack(known.layers) for key, known in STACKS.items()}


def known_layers(key: str) -> tuple[StackLayer, ...]:
    """The layers of a stack of STACKS."""
    return _parsed()[key]


def known_name(layers: Sequence[StackLayer]) -> str:
    """The key in STACKS of these layers, or "" where they are none of them."""
    return next((key for key, known in _parsed().items() if known == tuple(layers)), "")
