"""Networks to start a shape walk from, and two that do not fit, each in the small language."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from segdemo.layerlab.shape_language import Line
from segdemo.layerlab.shape_reading import parse_lines
from segdemo.text import N_

__all__ = ["EXAMPLES", "Example", "example_lines", "example_name"]


@dataclass(frozen=True)
class Example:
    """A network with a name, as text, and the sentence that says what there is to see."""

    title: str
    text: str
    point: str


def _unet_text(channels: int, side: int, width: int, depth: int, padding: int, join: str, classes: int) -> str:
    """A U-Net of that many poolings, with `padding` around its 3×3 kernels; `join` is what its skips need: "", crop or pad."""
    conv = f"k3 p{padding} relu" if padding else "k3 relu"
    lines = [f"input {channels} {side} {side}"]
    for level in range(depth):
        out = width * 2**level
        lines += [f"conv {out} {conv}", f"conv {out} {conv} as e{level + 1}", "maxpool k2"]
    lines += [f"conv {width * 2**depth} {conv}"] * 2
    for level in reversed(range(depth)):
        out = width * 2**level
        lines += [f"upconv {out} k2 s2", f"concat e{level + 1} {join}".strip(), f"conv {out} {conv}", f"conv {out} {conv}"]
    return "\n".join([*lines, f"conv {classes} k1"])


_DIGITS = "input 1 28 28\nconv 32 k3 p1 relu\nmaxpool k2\nconv 64 k3 p1 relu\nmaxpool k2\nflatten\n"
_RESIDUAL = """input 64 56 56 as x1
conv 64 k3 p1 nobias bn relu
conv 64 k3 p1 nobias bn
add x1
relu as x2
conv 128 k3 s2 p1 nobias bn relu
conv 128 k3 p1 nobias bn as main
take x2
conv 128 k1 s2 nobias bn
add main
relu
"""

EXAMPLES: dict[str, Example] = {
    "mnist": Example(N_("MNIST CNN"), _DIGITS + "linear 10", N_(
        "28 → 14 → 7: two poolings each halve the picture; 64 channels of 7 × 7 are 3136 numbers, and the linear layer turns "
        "them into ten.")),
    "unet": Example(N_("U-Net, four levels"), _unet_text(3, 256, 64, 4, 1, "", 2), N_(
        "Down to 1/16 and up again. With padding every skip meets a map of its own size.")),
    "paper": Example(N_("U-Net of the paper"), _unet_text(1, 572, 64, 4, 0, "crop", 2), N_(
        "Without padding every convolution takes away two pixels: 572 in, 388 out, and the skips are cropped.")),
    "residual": Example(N_("Residual blocks"), _RESIDUAL + "gap\nflatten\nlinear 10", N_(
        "A sum needs equal shapes: where a block changes them, its shortcut does so as well, with a 1×1 convolution.")),
    "odd": Example(N_("Does not fit: odd size"), _unet_text(3, 57, 16, 2, 1, "", 2), N_(
        "57 pixels cannot be halved evenly: what was rounded off is missing on the way up.")),
    "count": Example(N_("Does not fit: miscounted"), _DIGITS + "linear 10 in3000", N_(
        "The numbers after flattening were counted wrongly.")),
}  # fmt: skip


@lru_cache(maxsize=1)
def _parsed() -> dict[str, tuple[Line, ...]]:
    return {key: parse_lines(example.text) for key, example in EXAMPLES.items()}


def example_lines(key: str) -> tuple[Line, ...]:
    """The lines of a network of EXAMPLES."""
    return _parsed()[key]


def example_name(lines: Sequence[Line]) -> str:
    """The key in EXAMPLES of these lines, or "" where they are none of them."""
    return next((key for key, known in _parsed().items() if known == tuple(lines)), "")
