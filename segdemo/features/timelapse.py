"""Time-lapse of a decoder: the answer growing sharp, from what the deepest stage alone would say to the final logits.

Networks that can answer early do so themselves: FCN's scores at 1/32, 1/16 and 1/8, U-Net++'s heads L1 to L4, the side
outputs of U-Net 3+, the heads of nnU-Net. Of all others the bottleneck and the last decoder stage of each resolution
are read out by a linear probe (`readout.py`). The last frame is always the network's own answer.

All frames have the size of the logits, which lie where `placements(…)["head"]` says: on the input pixel for pixel, but
for networks without padding. What is coarser is enlarged bilinearly as logits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from segdemo.features.gradients import given_to
from segdemo.features.maps import as_map
from segdemo.features.placement import Placement, Rect
from segdemo.features.readout import enlarged, linear_readout, probabilities_of
from segdemo.features.record import first_tensor, on_stages, stages_of
from segdemo.geometry import Size
from segdemo.models.fcn import FCN
from segdemo.models.nnunet import NNUNet
from segdemo.models.unet3_plus import UNet3Plus
from segdemo.models.unet_plus_plus import UNetPlusPlus

__all__ = ["Frame", "Reading", "Recorded", "frames"]

Reading = Literal["head", "score", "readout"]


@dataclass(frozen=True, eq=False)
class Frame:
    """One moment. name: "32s", "L2", or the stage's; stage: the last one that it has heard of.

    probabilities: (C, h, w) float32 at the logits' size, C counting the background. how: "head" by a head that was
    trained for it, "score" by the sum of an FCN's scores in which the finer ones are flat, "readout" by a linear probe
    that was fitted on this picture to the final logits; then `explained` is the share of their variance, at the stage's
    resolution, that it explains.
    """

    name: str
    stage: str
    probabilities: Tensor
    how: Reading
    explained: float | None = None


class Recorded(Protocol):
    """What is needed of a recording: stage → map (C, h, w), and the logits (C, h, w)."""

    @property
    def maps(self) -> Mapping[str, Tensor]: ...

    @property
    def logits(self) -> Tensor: ...


def frames(
    model: nn.Module, image: Tensor, recording: Recorded | None = None, *, placed: Mapping[str, Placement] | None = None
) -> list[Frame]:
    """The frames for image (1, C, H, W), from coarse to sharp; one for a network that says one thing of a whole picture.

    `recording` is that of the same image; with it, networks whose stages are read out need no further pass. `placed`,
    the placements of all stages, is needed where a network loses its border, to read its stages at the right place.
    """
    with torch.no_grad():
        given = given_to(model, image)
        if answers := _early(model, given):
            return _of_answers(answers, recording.logits if recording else answers[-1].logits)
        return _of_maps(model, recording or _recorded(model, given), placed or {})


@dataclass(frozen=True)
class _Answer:
    """An answer that the network itself gives on the way: logits (C, h, w)."""

    name: str
    stage: str
    logits: Tensor
    how: Reading = "head"


def _early(model: nn.Module, image: Tensor) -> list[_Answer]:
    """What a network answers early, and last of all its own logits; nothing if it answers only once."""
    if isinstance(model, FCN) and model.sources:
        scores = model.scores(image)
        return [
            _Answer(f"{stride}s", f"decoder{len(scores) - i}", logits[0], "score")
            for i, (stride, logits) in enumerate(scores.items())
        ]
    if isinstance(model, UNetPlusPlus) and len(model.heads) > 1:
        columns = range(model.depth, 0, -1)
        names = [(f"L{column}", "decoder1" if column == model.depth else f"x0_{column}") for column in columns]
    elif isinstance(model, UNet3Plus) and len(model.side_heads):
        names = [(name, name) for name in ("decoder1", "decoder2", "decoder3", "decoder4", "bottleneck")]
    elif isinstance(model, NNUNet) and len(model.heads) > 1:
        names = [(f"decoder{i + 1}",) * 2 for i in range(len(model.heads))]
    else:
        return []
    given = model.supervise(image)
    heads = zip(names, given.heads, given.weights, strict=True)  # the finest first
    # A head without a share in the loss was never trained, and says nothing.
    return [_Answer(name, stage, head[0]) for (name, stage), head, share in heads if share > 0][::-1]


def _of_answers(answers: list[_Answer], logits: Tensor) -> list[Frame]:
    """A frame of each answer; the last one has the network's own logits (C, h, w)."""
    size = (logits.shape[-2], logits.shape[-1])
    earlier = [Frame(a.name, a.stage, probabilities_of(enlarged(a.logits, size)), a.how) for a in answers[:-1]]
    return [*earlier, Frame(answers[-1].name, answers[-1].stage, probabilities_of(logits), "head")]


@dataclass(frozen=True)
class _Pass:
    maps: Mapping[str, Tensor]
    logits: Tensor


def _recorded(model: nn.Module, image: Tensor) -> _Pass:
    maps: dict[str, Tensor] = {}
    with on_stages(model, lambda name, output: maps.__setitem__(name, as_map(output).clone())):
        logits = as_map(first_tensor(model(image)))
    return _Pass(maps, logits)


def _of_maps(model: nn.Module, recording: Recorded, placed: Mapping[str, Placement]) -> list[Frame]:
    """A frame of each stage that is worth reading out, and the network's own answer, named after the stage before it."""
    logits = recording.logits
    stages = [] if logits.shape[-2:].numel() == 1 else _sharpening(model, recording.maps)
    # A last stage as large as the logits needs no probe: the head that follows reads it.
    final = stages.pop() if stages and recording.maps[stages[-1]].shape[-2:] == logits.shape[-2:] else "head"
    found = []
    for stage in stages:
        read = linear_readout(recording.maps[stage], logits, *_covered(placed, stage, (logits.shape[-2], logits.shape[-1])))
        found.append(Frame(stage, stage, probabilities_of(read.logits), "readout", read.explained))
    return [*found, Frame(final, final, probabilities_of(logits), "head")]


def _covered(placed: Mapping[str, Placement], stage: str, size: Size) -> tuple[Rect | None, Rect | None]:
    """What a stage and the logits cover of the input; nothing where both are meant to cover the same.

    A map that is as long as the logits is, to the network, the same picture: strided convolutions shift their
    positions by a part of a step, and enlarging takes no notice of it.
    """
    if stage not in placed or "head" not in placed:
        return None, None
    here, head = placed[stage], placed["head"]
    answer = Rect(0, 0, *head.size) if size == head.size else head.extent
    steps = here.extent.height / here.shape[0], here.extent.width / here.shape[1]
    longer = abs(here.extent.height - answer.height) > steps[0] / 2, abs(here.extent.width - answer.width) > steps[1] / 2
    return (here.extent, answer) if any(longer) else (None, None)


def _sharpening(model: nn.Module, maps: Mapping[str, Tensor]) -> list[str]:
    """The bottleneck, then the last decoder stage of each resolution, from coarse to sharp."""
    bottleneck = [s.name for s in stages_of(model) if s.kind == "bottleneck" and s.name in maps]
    of_size: dict[int, str] = {}
    for stage in stages_of(model):
        if stage.kind == "decoder" and stage.name in maps:
            of_size[maps[stage.name].shape[-2:].numel()] = stage.name
    return [*bottleneck, *(of_size[size] for size in sorted(of_size))]
