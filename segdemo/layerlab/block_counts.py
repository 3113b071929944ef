"""What blocks of convolutions cost: weights and multiply-adds, layer by layer, in the number of channels c.

Simonyan and Zisserman, Very Deep Convolutional Networks, ICLR 2015, arXiv:1409.1556, section 2.3: small kernels stacked.
He et al., Deep Residual Learning, CVPR 2016, arXiv:1512.03385, figure 5: the plain and the bottleneck block, 64 and 256
channels wide. Without biases, as where batch normalisation follows.
"""

from dataclasses import dataclass

from segdemo.text import N_

__all__ = ["BLOCKS", "Block", "ConvSize", "block_at", "code_of"]


@dataclass(frozen=True)
class ConvSize:
    """A square convolution without bias, stride 1, padded so that the size stays."""

    kernel: int
    inputs: int
    outputs: int

    @property
    def weights(self) -> int:
        """kernel² · inputs · outputs."""
        return self.kernel**2 * self.inputs * self.outputs

    def macs(self, height: int, width: int) -> int:
        """Multiply-adds: every weight is used once at every place."""
        return self.weights * height * width


@dataclass(frozen=True)
class Block:
    """Convolutions one after the other."""

    name: str
    title: str
    layers: tuple[ConvSize, ...]

    @property
    def weights(self) -> int:
        """Of all layers."""
        return sum(layer.weights for layer in self.layers)

    @property
    def biases(self) -> int:
        """That all layers would have besides, where no normalisation follows: one an output channel."""
        return sum(layer.outputs for layer in self.layers)

    @property
    def field(self) -> int:
        """Side of the square of input pixels that an output pixel sees: 1 + Σ (kernel − 1)."""
        return 1 + sum(layer.kernel - 1 for layer in self.layers)

    def macs(self, height: int, width: int) -> int:
        """Multiply-adds of all layers at that size."""
        return sum(layer.macs(height, width) for layer in self.layers)


SHAPES: dict[str, tuple[tuple[int, int, int], ...]] = {
    "one5": ((5, 1, 1),),
    "two3": ((3, 1, 1), (3, 1, 1)),
    "plain": ((3, 1, 1), (3, 1, 1)),
    "bottleneck": ((1, 4, 1), (3, 1, 1), (1, 1, 4)),
    "plain_wide": ((3, 4, 4), (3, 4, 4)),
}
"""Of each block: kernel, and input and output channels in multiples of c."""

TITLES = {
    "one5": N_("One 5×5"), "two3": N_("Two 3×3"), "plain": N_("Plain block, c wide"),
    "bottleneck": N_("Bottleneck block, 4c wide"), "plain_wide": N_("Plain block, 4c wide"),
}  # fmt: skip
BLOCKS = tuple(SHAPES)


def block_at(name: str, channels: int) -> Block:
    """A block of BLOCKS with c = channels."""
    layers = (ConvSize(kernel, inputs * channels, outputs * channels) for kernel, inputs, outputs in SHAPES[name])
    return Block(name, TITLES[name], tuple(layers))


def code_of(block: Block) -> str:
    """The layers as a PyTorch expression that can be run after `from torch import nn`."""
    layers = (
        f"    nn.Conv2d({layer.inputs}, {layer.outputs}, {layer.kernel}, padding={layer.kernel // 2}, bias=False),\n"
        for layer in block.layers
    )
    return f"nn.Sequential(\n{''.join(layers)})"
