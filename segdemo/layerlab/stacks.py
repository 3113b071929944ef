"""One layer of a stack: what it is, its padding, and which of its inputs an output is made of, along one axis."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from segdemo.errors import SettingError
from segdemo.layerlab.sizes import convolved_size, transposed_size
from segdemo.text import _

__all__ = ["Span", "StackKind", "StackLayer", "up"]

StackKind = Literal["conv", "maxpool", "avgpool", "upconv", "nearest", "bilinear"]
LARGEST_KERNEL, LARGEST_STRIDE, LARGEST_DILATION = 15, 8, 32
LARGEST_BILINEAR = 2 * LARGEST_STRIDE  # what ×8 spreads each input over


class Span(NamedTuple):
    """Neighbouring cells of one axis, from the first to the last."""

    first: int
    last: int

    @property
    def width(self) -> int:
        """How many they are."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class StackLayer:
    """One layer. The padding is the one that keeps the size, as far as kernel and stride allow that.

    kernel: weights along an axis; of the up-sampling layers without weights it follows from the factor, which is `stride`.
    Raises SettingError for what cannot be a layer, or leaves holes: a transposed kernel smaller than its stride.
    """

    kind: StackKind
    kernel: int
    stride: int = 1
    dilation: int = 1

    def __post_init__(self) -> None:
        if self.kind in ("nearest", "bilinear") and not 1 <= self.stride <= LARGEST_STRIDE:
            raise SettingError(_("An up-sampling factor is a number from 1 to {most}.", most=LARGEST_STRIDE))
        widest = LARGEST_BILINEAR if self.kind == "bilinear" else LARGEST_KERNEL
        limits = ((self.kernel, widest), (self.stride, LARGEST_STRIDE), (self.dilation, LARGEST_DILATION))
        if any(not 1 <= value <= most for value, most in limits):
            raise SettingError(_("Kernel, stride and dilation are at least 1, and at most {k}, {s} and {d}.", k=widest,
                                 s=LARGEST_STRIDE, d=LARGEST_DILATION))  # fmt: skip
        if self.kind != "conv" and self.dilation > 1:
            raise SettingError(_("Only convolutions can be dilated here."))
        if self.kind == "upconv" and self.kernel < self.stride:
            raise SettingError(_("A transposed kernel of {k} with stride {s} leaves holes: it must not be below the stride.",
                                 k=self.kernel, s=self.stride))  # fmt: skip

    @property
    def enlarges(self) -> bool:
        """Whether its output is larger than its input, or could be: each input is spread over `kernel` outputs."""
        return self.kind in ("upconv", "nearest", "bilinear")

    @property
    def learns(self) -> bool:
        """Whether it has weights."""
        return self.kind in ("conv", "upconv")

    @property
    def padding(self) -> int:
        """Cells put around the input, or of an enlarging layer cut off around the output."""
        if self.kind == "conv":
            return self.dilation * (self.kernel - 1) // 2
        if self.kind == "bilinear":
            return self.stride // 2
        return (self.kernel - self.stride) // 2 if self.enlarges else (self.kernel - 1) // 2 if self.kernel > self.stride else 0

    def inputs_of(self, outputs: Span) -> Span:
        """The inputs that the outputs are made of, on an axis without end."""
        if self.enlarges:
            first = -((self.kernel - 1 - outputs.first - self.padding) // self.stride)
            return Span(first, (outputs.last + self.padding) // self.stride)
        reach = self.dilation * (self.kernel - 1)
        return Span(outputs.first * self.stride - self.padding, outputs.last * self.stride - self.padding + reach)

    def size_after(self, size: int) -> int:
        """Units along an axis, of that many before."""
        if self.enlarges:
            return transposed_size(size, self.kernel, self.stride, self.padding)
        return convolved_size(size, self.kernel, self.stride, self.padding, self.dilation)


def up(kind: Literal["nearest", "bilinear"], factor: int) -> StackLayer:
    """Up-sampling without weights as the transposed convolution it equals: bilinear spreads each input over 2s − (s mod 2)."""
    return StackLayer(kind, factor if kind == "nearest" else 2 * factor - factor % 2, factor)
