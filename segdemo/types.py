"""The ground floor: the values that all rooms exchange. Frozen, with shapes and units in the docstrings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from segdemo.geometry import Size, resize_nearest
from segdemo.text import Sentence, _, said_again

__all__ = [
    "IGNORE_INDEX",
    "ClassInfo", "JoinKind", "LabelMap", "Latency", "Notice", "Prediction", "Preprocessing", "ProbabilityMap", "RGBImage",
    "Reconstruction", "Size", "Stage", "StageKind", "Task", "UpsamplingStep", "WeightsEntry",
]  # fmt: skip

RGBImage = NDArray[np.uint8]  # (H, W, 3)
IGNORE_INDEX = 255  # the label of pixels that count nowhere
LabelMap = NDArray[np.uint8]  # (H, W), class indices
ProbabilityMap = NDArray[np.float32]  # (C, H, W), sums to 1 over C


@dataclass(frozen=True)
class ClassInfo:
    """One class a network tells apart: its index is its place in the tuple it stands in."""

    name: str
    color: tuple[int, int, int]  # RGB, 0–255


@dataclass(frozen=True)
class Latency:
    """Wall-clock time of one prediction by phase, in milliseconds."""

    preprocess_ms: float = 0.0
    forward_ms: float = 0.0
    postprocess_ms: float = 0.0

    @property
    def total_ms(self) -> float:
        return self.preprocess_ms + self.forward_ms + self.postprocess_ms


@dataclass(frozen=True)
class Notice:
    """Something the visitor should know about a result that is still good.

    The message and its values are kept apart, because results are remembered and read in several languages.
    """

    message: str  # marked with N_
    values: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, told: object) -> "Notice":
        """What an error or a finished sentence says, to be read in other languages too."""
        sentence = told if isinstance(told, str) else str(told)
        if isinstance(sentence, Sentence):
            return cls(sentence.message, sentence.values)
        return cls("{sentence}", {"sentence": sentence})

    @property
    def text(self) -> str:
        """The finished sentence in the reader's language."""
        return _(self.message, **{name: said_again(v) if isinstance(v, str) else v for name, v in self.values.items()})


Task = Literal["segment", "reconstruct"]  # label every pixel, or draw the picture again
StageKind = Literal["encoder", "bottleneck", "decoder", "head"]
JoinKind = Literal["concat", "sum", "indices"]
UpsamplingStep = Literal["transposed", "bilinear", "bicubic", "nearest", "nearest-exact", "area", "unpooling"]


@dataclass(frozen=True)
class Stage:
    """One step of a network's walk: the dotted path of the module whose output it is, and what feeds it.

    Every stage takes the one before it, or `after` where that is another. `skip_from` names the earlier stages whose
    maps join it, `join` how: concatenated along the channels, summed, or only as the indices of a max-pooling.
    `upsampling` is how the resolution grows on the way in (of a head: on the way out).
    """

    name: str  # encoder1 … bottleneck … decoder1, head
    kind: StageKind
    module: str
    skip_from: tuple[str, ...] = ()
    join: JoinKind | None = None
    upsampling: UpsamplingStep | None = None
    after: str | None = None


Normalization = Literal["fixed", "per-image", "per-channel"]
ChannelOrder = Literal["rgb", "bgr"]


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes a network's input; part of the weights, because another choice ruins them.

    normalization "fixed" subtracts `mean` and divides by `std`, one number for each channel in the order in which the
    network takes them, of values in 0–`value_range`: 1, or 255 where the network was trained on bytes. "per-image"
    subtracts the picture's own mean and divides by its own standard deviation, over all pixels and channels at once,
    "per-channel" of each channel by itself.
    `channels` 1 is the picture's luminance (the first number of `mean` and `std` counts); beyond 3, which a picture
    does not have, the network is given zeros. `channel_order` is that of the three colours.
    `short_side` scales the picture so that its shorter side has that many pixels (None: native size). Whatever would
    exceed `max_pixels` is scaled down to it. Sides are padded to a multiple of `multiple_of`, plus `offset`; then the
    picture is mirrored by `border` pixels on every side, for networks that lose as many.
    """

    normalization: Normalization = "fixed"
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    short_side: int | None = None
    max_pixels: int = 2_097_152
    multiple_of: int = 16
    offset: int = 0
    border: int = 0
    channels: int = 3
    channel_order: ChannelOrder = "rgb"
    value_range: Literal[1, 255] = 1


@dataclass(frozen=True)
class Prediction:
    """What a network says about one picture.

    `scores` (C, h, w) are the class probabilities at the working size, where the network saw the picture; `preds`
    (H, W) and `probs` (C, H, W) are at the picture's own size, resized by nearest neighbour so that they agree
    exactly. C counts all classes, background included: a binary network has C = 2 and `threshold` decides.
    """

    preds: LabelMap
    scores: ProbabilityMap
    classes: tuple[ClassInfo, ...]
    latency: Latency
    weights_id: str
    threshold: float = 0.5
    binary: bool = False
    degraded: bool = False  # memory was short: another try may do better
    device: str = "cpu"
    precision: str = "float32"
    notices: tuple[Notice, ...] = ()

    @property
    def size(self) -> Size:
        """(height, width) of the picture."""
        return self.preds.shape[0], self.preds.shape[1]

    @property
    def probs(self) -> ProbabilityMap:
        """(C, H, W) float32 at the picture's own size; made anew at each call, it can be large."""
        return resize_nearest(self.scores, self.size)


@dataclass(frozen=True)
class Reconstruction:
    """A picture as an autoencoder saw it and as it drew it again, (h, w, 3) at the working size.

    `explained` is 1 − squared error / variance: 1 is perfect, 0 no better than one flat grey; NaN for a flat picture.
    """

    seen: RGBImage
    drawn: RGBImage
    explained: float
    latency: Latency
    degraded: bool = False  # memory was short: another try may do better


@dataclass(frozen=True)
class WeightsEntry:
    """One set of weights: where it comes from, what it is for, and how well it does. Measured figures only."""

    weights_id: str  # "<architecture>/<name>"
    model: str  # name in MODELS
    options: Mapping[str, Any]  # of create_model
    classes: tuple[ClassInfo, ...]
    preprocessing: Preprocessing
    title: str
    trained_on: str  # what kind of pictures, for the visitor
    licence: str
    params: int
    sha256: str
    size_bytes: int
    score: float | None  # the headline figure, 0–1
    score_name: str
    url: str | None = None  # None: bundled or imported
    file: Path | None = None  # of imported weights: where they lie
    layout: str = ""  # of imported weights: whose names their tensors have; "": this program's own
    card: Mapping[str, object] = field(default_factory=dict)
    task: Task = "segment"

    @property
    def bundled(self) -> bool:
        return self.url is None and self.file is None

    @property
    def binary(self) -> bool:
        """One logit, cut at a threshold, instead of one logit a class."""
        return len(self.classes) == 2 and self.options.get("num_classes", 1) == 1
