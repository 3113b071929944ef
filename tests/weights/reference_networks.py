"""Other projects' networks, as far as weights show them: their names and their order of computation, written anew.

A `Recorder` makes each layer's random tensors under the name that is asked for when the layer is first used, so that one
forward pass gives both the state dict and the output that goes with it.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


class Recorder:
    """Layers by name. Weights keep a signal's size; the statistics of normalisations are far from 0 and 1."""

    def __init__(self, seed: int = 0) -> None:
        self.state: dict[str, Tensor] = {}
        self._random = torch.Generator().manual_seed(seed)

    def _tensor(self, name: str, shape: tuple[int, ...], scale: float = 1.0, shift: float = 0.0) -> Tensor:
        if name not in self.state:
            self.state[name] = torch.randn(shape, generator=self._random) * scale + shift
        return self.state[name]

    def conv(
        self, name: str, x: Tensor, out: int, kernel: int = 3, *, bias: bool = True, stride: int = 1, pad: int = -1
    ) -> Tensor:
        weight = self._tensor(f"{name}.weight", (out, x.shape[1], kernel, kernel), (2 / x.shape[1]) ** 0.5 / kernel)
        offset = self._tensor(f"{name}.bias", (out,), 0.3) if bias else None
        return F.conv2d(x, weight, offset, stride, kernel // 2 if pad < 0 else pad)

    def up(self, name: str, x: Tensor, out: int, kernel: int = 2, stride: int = 2, *, bias: bool = True) -> Tensor:
        weight = self._tensor(f"{name}.weight", (x.shape[1], out, kernel, kernel), x.shape[1] ** -0.5)
        return F.conv_transpose2d(x, weight, self._tensor(f"{name}.bias", (out,), 0.3) if bias else None, stride)

    def norm(self, name: str, x: Tensor) -> Tensor:
        channels = (x.shape[1],)
        mean, var = (
            self._tensor(f"{name}.running_mean", channels, 0.5),
            self._tensor(f"{name}.running_var", channels).abs_().add_(0),
        )
        var = self.state[f"{name}.running_var"] = var + 0.5 if var.min() < 0.5 else var
        weight, bias = self._tensor(f"{name}.weight", channels, 0.2, 1.0), self._tensor(f"{name}.bias", channels, 0.3)
        self.state.setdefault(f"{name}.num_batches_tracked", torch.tensor(7))
        return F.batch_norm(x, mean, var, weight, bias)

    def instance_norm(self, name: str, x: Tensor) -> Tensor:
        channels = (x.shape[1],)
        return F.instance_norm(
            x, weight=self._tensor(f"{name}.weight", channels, 0.2, 1.0), bias=self._tensor(f"{name}.bias", channels, 0.3)
        )


def milesial(
    net: Recorder, x: Tensor, *, width: int, classes: int, depth: int = 4, bilinear: bool = False, bias: bool = False
) -> Tensor:
    def double(name: str, x: Tensor, out: int, mid: int = 0) -> Tensor:
        x = F.relu(net.norm(f"{name}.double_conv.1", net.conv(f"{name}.double_conv.0", x, mid or out, bias=bias)))
        return F.relu(net.norm(f"{name}.double_conv.4", net.conv(f"{name}.double_conv.3", x, out, bias=bias)))

    half = 2 if bilinear else 1
    maps = [double("inc", x, width)]
    for level in range(1, depth + 1):
        out = width * 2**level // (half if level == depth else 1)
        maps.append(double(f"down{level}.maxpool_conv.1", F.max_pool2d(maps[-1], 2), out))
    x = maps.pop()
    for step in range(1, depth + 1):
        skip, out = maps.pop(), width * 2 ** (depth - step)
        if bilinear:
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
        else:
            x = net.up(f"up{step}.up", x, x.shape[1] // 2)
        joined = torch.cat([skip, x], dim=1)
        x = double(f"up{step}.conv", joined, out // (half if step < depth else 1), joined.shape[1] // 2 if bilinear else 0)
    return net.conv("outc.conv", x, classes, 1)


def mateuszbuda(net: Recorder, x: Tensor, *, width: int, classes: int) -> Tensor:
    def block(name: str, x: Tensor, out: int) -> Tensor:
        for n in (1, 2):
            x = F.relu(net.norm(f"{name}norm{n}", net.conv(f"{name}conv{n}", x, out, bias=False)))
        return x

    maps = []
    for level in range(1, 5):
        maps.append(x := block(f"encoder{level}.enc{level}", x, width * 2 ** (level - 1)))
        x = F.max_pool2d(x, 2)
    x = block("bottleneck.bottleneck", x, width * 16)
    for level in range(4, 0, -1):
        x = net.up(f"upconv{level}", x, width * 2 ** (level - 1))
        x = block(f"decoder{level}.dec{level}", torch.cat([x, maps.pop()], dim=1), x.shape[1])
    return net.conv("conv", x, classes, 1)


def jvanvugt(
    net: Recorder, x: Tensor, *, width: int, classes: int, depth: int = 3, norm: bool = True, upsample: bool = False
) -> Tensor:
    def block(name: str, x: Tensor, out: int) -> Tensor:
        place = 0
        for _n in range(2):
            x = F.relu(net.conv(f"{name}.{place}", x, out))
            if norm:
                x = net.norm(f"{name}.{place + 2}", x)
            place += 3 if norm else 2
        return x

    maps = []
    for level in range(depth):
        maps.append(x := block(f"down_path.{level}.block", x, width * 2**level))
        if level < depth - 1:
            x = F.avg_pool2d(x, 2)
    maps.pop()
    for step in range(depth - 1):
        if upsample:
            large = F.interpolate(x, scale_factor=2, mode="bilinear")
            x = net.conv(f"up_path.{step}.up.1", large, x.shape[1] // 2, 1)
        else:
            x = net.up(f"up_path.{step}.up", x, x.shape[1] // 2)
        x = block(f"up_path.{step}.conv_block.block", torch.cat([x, maps.pop()], dim=1), x.shape[1])
    return net.conv("last", x, classes, 1)


def _vgg_block(net: Recorder, name: str, x: Tensor, out: int) -> Tensor:
    for n in (1, 2):
        x = F.relu(net.norm(f"{name}.bn{n}", net.conv(f"{name}.conv{n}", x, out)))
    return x


def nested_unet(net: Recorder, x: Tensor, *, width: int, classes: int, supervised: bool = False) -> Tensor:
    nodes: dict[tuple[int, int], Tensor] = {}
    for level in range(5):
        nodes[level, 0] = x = _vgg_block(net, f"conv{level}_0", x, width * 2**level)
        x = F.max_pool2d(x, 2)
        for column in range(1, level + 1):
            row = level - column
            large = F.interpolate(nodes[row + 1, column - 1], scale_factor=2, mode="bilinear", align_corners=True)
            joined = torch.cat([*(nodes[row, j] for j in range(column)), large], dim=1)
            nodes[row, column] = _vgg_block(net, f"conv{row}_{column}", joined, width * 2**row)
    if not supervised:
        return net.conv("final", nodes[0, 4], classes, 1)
    return [net.conv(f"final{column}", nodes[0, column], classes, 1) for column in range(1, 5)][-1]


def unet_of_nested_unet(net: Recorder, x: Tensor, *, width: int, classes: int) -> Tensor:
    encoded = []
    for level in range(5):
        x = _vgg_block(net, f"conv{level}_0", x, width * 2**level)
        encoded.append(x)
        x = F.max_pool2d(x, 2)
    x = encoded[4]
    for level in (3, 2, 1, 0):
        large = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
        x = _vgg_block(net, f"conv{level}_{4 - level}", torch.cat([encoded[level], large], dim=1), width * 2**level)
    return net.conv("final", x, classes, 1)


def unet3_plus(net: Recorder, x: Tensor, *, width: int, classes: int, supervised: bool = False, guided: bool = False) -> Tensor:
    encoded, decoded = {}, {}
    for level in range(1, 6):
        for n in (1, 2):
            name = f"conv{level}.conv{n}"
            x = F.relu(net.norm(f"{name}.1", net.conv(f"{name}.0", x, width * 2 ** (level - 1))))
        encoded[level] = x
        x = F.max_pool2d(x, 2)
    decoded[5] = encoded[5]
    for level in (4, 3, 2, 1):
        parts = []
        for scale in range(1, 6):
            if scale < level:
                name, part = f"h{scale}_PT_hd{level}", F.max_pool2d(encoded[scale], 2 ** (level - scale), ceil_mode=True)
            elif scale == level:
                name, part = f"h{scale}_Cat_hd{level}", encoded[scale]
            else:
                name, part = (
                    f"hd{scale}_UT_hd{level}",
                    F.interpolate(decoded[scale], scale_factor=2 ** (scale - level), mode="bilinear"),
                )
            parts.append(F.relu(net.norm(f"{name}_bn", net.conv(f"{name}_conv", part, width))))
        decoded[level] = F.relu(net.norm(f"bn{level}d_1", net.conv(f"conv{level}d_1", torch.cat(parts, dim=1), 5 * width)))
    for scale in range(5, 1, -1) if supervised else ():
        net.conv(f"outconv{scale}", decoded[scale], classes)
    if guided:
        net.conv("cls.1", decoded[5], 2, 1)
    return net.conv("outconv1", decoded[1], classes)


def nnunet(net: Recorder, x: Tensor, *, width: int, classes: int, depth: int = 5, convolutions: int = 2) -> Tensor:
    def stage(name: str, x: Tensor, out: int, stride: int = 1) -> Tensor:
        for n in range(convolutions):
            unit = f"{name}.convs.{n}"
            x = net.conv(f"{unit}.conv", x, out, stride=1 if n else stride)
            x = F.leaky_relu(net.instance_norm(f"{unit}.norm", x), 0.01)
        return x

    maps = []
    for level in range(depth):
        x = stage(f"encoder.stages.{level}.0", x, min(width * 2**level, 8 * width), 2 if level else 1)
        maps.append(x)
    maps.pop()
    for step in range(depth - 1):
        skip = maps.pop()
        x = net.up(f"decoder.transpconvs.{step}", x, skip.shape[1])
        x = stage(f"decoder.stages.{step}", torch.cat([x, skip], dim=1), skip.shape[1])
        logits = net.conv(f"decoder.seg_layers.{step}", x, classes, 1)
    for name in [name for name in net.state if ".convs." in name]:
        kind = name.replace(".conv.", ".all_modules.0.").replace(".norm.", ".all_modules.1.")
        net.state[kind] = net.state[name]
    for name in [name for name in net.state if name.startswith("encoder.")]:
        net.state[f"decoder.{name}"] = net.state[name]
    return logits


def segnet(net: Recorder, x: Tensor, *, width: int, classes: int) -> Tensor:
    counts, widths = (2, 2, 3, 3, 3), [width * factor for factor in (1, 2, 4, 8, 8)]
    places = []
    for block, (count, out) in enumerate(zip(counts, widths, strict=True), 1):
        for n in range(1, count + 1):
            x = F.relu(net.norm(f"BNEn{block}{n}", net.conv(f"ConvEn{block}{n}", x, out)))
        x, index = F.max_pool2d(x, 2, return_indices=True)
        places.append(index)
    for block in range(5, 0, -1):
        x = F.max_unpool2d(x, places.pop(), 2)
        for n in range(counts[block - 1], 0, -1):
            if (block, n) == (1, 1):
                continue
            out = widths[max(block - 2, 0)] if n == 1 else widths[block - 1]
            x = F.relu(net.norm(f"BNDe{block}{n}", net.conv(f"ConvDe{block}{n}", x, out)))
    logits = net.conv("ConvDe11", x, classes)
    net.norm("BNDe11", logits)
    return logits


def pytorch_fcn(net: Recorder, x: Tensor, *, width: int, classes: int, stride: int) -> Tensor:
    size, pooled = x.shape[-2:], {}
    for block, count in enumerate((2, 2, 3, 3, 3), 1):
        for n in range(1, count + 1):
            pad = 100 if (block, n) == (1, 1) else 1
            x = F.relu(net.conv(f"conv{block}_{n}", x, width * min(2 ** (block - 1), 8), pad=pad))
        pooled[block] = x = F.max_pool2d(x, 2, ceil_mode=True)
    x = F.relu(net.conv("fc6", x, 8 * width, 7, pad=0))
    x = net.conv("score_fr", F.relu(net.conv("fc7", x, 8 * width, 1)), classes, 1)
    for name, source, offset in (("upscore2", 4, 5), ("upscore_pool4", 3, 9)):
        if stride <= 2**source:
            x = net.up(name, x, classes, 4, bias=False)
            skip = net.conv(f"score_pool{source}", pooled[source], classes, 1)
            x = x + skip[..., offset : offset + x.shape[-2], offset : offset + x.shape[-1]]
    name, offset = {32: ("upscore", 19), 16: ("upscore16", 27), 8: ("upscore8", 31)}[stride]
    x = net.up(name, x, classes, 2 * stride, stride, bias=False)
    return x[..., offset : offset + size[0], offset : offset + size[1]]
