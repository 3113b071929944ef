"""A network that was built line by line, as PyTorch code that runs: one module, one line of `forward` for each of ours."""

from collections.abc import Sequence

from segdemo.layerlab.shape_language import Line
from segdemo.layerlab.shape_walk import Step

__all__ = ["code_of"]

FIT = {
    "crop": '''

def crop(a, b):
    """Both cropped around the middle to the smaller of their sizes."""
    h, w = min(a.shape[-2], b.shape[-2]), min(a.shape[-1], b.shape[-1])
    return [t[..., (t.shape[-2] - h) // 2 :, (t.shape[-1] - w) // 2 :][..., :h, :w] for t in (a, b)]
''',
    "pad": '''

def pad(a, b):
    """Both with zeros around them, up to the larger of their sizes."""
    h, w = max(a.shape[-2], b.shape[-2]), max(a.shape[-1], b.shape[-1])
    missing = [(w - t.shape[-1], h - t.shape[-2]) for t in (a, b)]
    return [F.pad(t, (x // 2, x - x // 2, y // 2, y - y // 2)) for t, (x, y) in zip((a, b), missing)]
''',
}


def code_of(steps: Sequence[Step]) -> str:
    """Code that defines `Net`, builds `net`, feeds it an `x` of zeros and prints the shape of what comes out.

    The walk's steps, from the input on; each line of `forward` says the shape that it makes.
    """
    said = {word for step in steps for word in step.line.words}
    lines = ["import torch", "from torch import nn"] + (["from torch.nn import functional as F"] if "pad" in said else [])
    lines += [text for word, text in FIT.items() if word in said]
    layers = [(n, text) for n, step in enumerate(steps) if (text := _module(steps, n))]
    lines += ["", "", "class Net(nn.Module):"]
    if layers:
        lines += [
            "    def __init__(self):",
            "        super().__init__()",
            *(f"        self.layer{n} = {text}" for n, text in layers),
            "",
        ]
    lines += ["    def forward(self, x):" + _comment(steps[0], "    def forward(self, x):"), *_keep(steps[0].line)]
    for n in range(1, len(steps)):
        call = f"        x = {_call(steps, n)}"
        lines += [call + _comment(steps[n], call), *_keep(steps[n].line)]
    shape = ", ".join(map(str, steps[0].shape))
    return "\n".join(
        [*lines, "        return x", "", "", "net = Net()", f"x = torch.zeros(1, {shape})", "print(net(x).shape)", ""]
    )


def _comment(step: Step, before: str) -> str:
    return f"{' ' * max(2, 44 - len(before))}# (N, {', '.join(map(str, step.shape))})"


def _keep(line: Line) -> list[str]:
    return [f"        {line.name}_map = x"] if line.name else []


def _call(steps: Sequence[Step], n: int) -> str:
    line = steps[n].line
    if line.kind == "flatten":
        return "x.flatten(1)"
    if not line.other:
        return f"self.layer{n}(x)"
    if line.kind == "take":
        return f"{line.other}_map"
    pair = f"{line.other}_map, x"
    fit = next((word for word in ("pad", "crop") if word in line.words and len(steps[n].shape) == 3), "")
    if line.kind == "concat":
        return f"torch.cat({f'{fit}({pair})' if fit else f'[{pair}]'}, dim=1)"
    return f"sum({fit}({pair}))" if fit else f"{line.other}_map + x"


def _module(steps: Sequence[Step], n: int) -> str:
    """The module of a line, or "" for what needs none."""
    line = steps[n].line
    if line.kind in ("input", "flatten", "concat", "add", "take"):
        return ""
    channels = steps[n - 1].shape[0]
    parts = [_layer(line, channels)]
    if line.kind in ("conv", "upconv", "linear"):
        parts += [f"nn.BatchNorm2d({line.numbers[0]})"] if "bn" in line.words else []
        parts += ["nn.ReLU()"] if "relu" in line.words else []
    return parts[0] if len(parts) == 1 else f"nn.Sequential({', '.join(parts)})"


def _layer(line: Line, channels: int) -> str:
    words = {"k": "kernel_size", "s": "stride", "p": "padding", "d": "dilation", "g": "groups"}
    said = [f"{words[letter]}={value}" for letter, value in line.options if letter in words and letter != "k"]
    bias = ["bias=False"] if "nobias" in line.words else []
    match line.kind:
        case "conv":
            return f"nn.Conv2d({', '.join([str(channels), str(line.numbers[0]), str(line.option('k')), *said, *bias])})"
        case "upconv":
            said = [part for part in said if not part.startswith("stride")]
            start = [str(channels), str(line.numbers[0]), str(line.option("k")), f"stride={line.option('s')}"]
            return f"nn.ConvTranspose2d({', '.join([*start, *said, *bias])})"
        case "linear":
            return f"nn.Linear({', '.join([str(channels), str(line.numbers[0]), *bias])})"
        case "maxpool" | "avgpool":
            name = "MaxPool2d" if line.kind == "maxpool" else "AvgPool2d"
            return (
                f"nn.{name}({', '.join([str(line.option('k')), *said, *(['ceil_mode=True'] if 'ceil' in line.words else [])])})"
            )
        case "upsample":
            how = 'mode="bilinear"' if "bilinear" in line.words else 'mode="nearest"'
            return f"nn.Upsample(scale_factor={line.option('s')}, {how})"
    return {
        "bn": f"nn.BatchNorm2d({channels})",
        "relu": "nn.ReLU()",
        "dropout": "nn.Dropout()",
        "gap": "nn.AdaptiveAvgPool2d(1)",
    }[line.kind]
