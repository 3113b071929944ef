"""A network made ready for one device: batch norm folded, channels last, and in the fastest precision that agrees."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from segdemo.data.preprocessing import to_input
from segdemo.data.shapes import draw_shapes
from segdemo.devices import Precision, PrecisionChoice
from segdemo.errors import ImageError
from segdemo.inference.fold import fold_batch_norm
from segdemo.inference.retrying import is_out_of_memory
from segdemo.inference.settings import check_precision, half_is_fast
from segdemo.models.labels import labels_of_logits
from segdemo.text import _
from segdemo.types import Preprocessing, WeightsEntry
from segdemo.weights import load_model

__all__ = ["LoadedModel", "prepare"]

MIN_AGREEMENT = 0.99  # share of pixels whose label must be the same in half precision


@dataclass(frozen=True)
class LoadedModel:
    """A network in memory, shared by all visitors: never modified, never hooked."""

    entry: WeightsEntry
    module: nn.Module
    device: torch.device
    precision: Precision

    @property
    def size_bytes(self) -> int:
        """Memory of parameters and buffers."""
        tensors = [*self.module.parameters(), *self.module.buffers()]
        return sum(t.numel() * t.element_size() for t in tensors)

    def __call__(self, image: Tensor) -> Tensor:
        """image (1, 3, h, w) float32 on the CPU → logits (C, h, w) float32 on the device.

        Raises ImageError for an image that the network cannot take, such as one too small for its poolings.
        """
        dtype = torch.bfloat16 if self.precision == "bfloat16" else torch.float32
        image = image.to(self.device, dtype, memory_format=torch.channels_last, non_blocking=True)
        try:
            logits: Tensor = self.module(image)
        except (RuntimeError, ValueError, IndexError) as error:
            if is_out_of_memory(error):
                raise
            height, width = image.shape[-2:]
            raise ImageError(
                _("{name} cannot take an input of {w} × {h} pixels. Try a larger picture or scale.", name=self.entry.weights_id,
                  w=width, h=height)
            ) from error  # fmt: skip
        return logits[0].float()


def prepare(entry: WeightsEntry, device: torch.device, precision: PrecisionChoice = "auto") -> LoadedModel:
    """Load and optimise a network. "auto" takes bfloat16 where the device is fast in it and the labels agree.

    Raises SettingError for a precision that the device does not have, CheckpointError or DownloadError as `load_model` does.
    """
    check_precision(precision, device)
    exact = _prepare_exact(entry, device)
    if precision == "bfloat16":
        return LoadedModel(entry, exact.module.to(torch.bfloat16), device, "bfloat16")
    if precision == "float32" or not half_is_fast(device) or entry.task != "segment":
        return exact
    example = _example(entry.preprocessing)
    with torch.inference_mode():
        expected = labels_of_logits(exact(example))
        half = LoadedModel(entry, exact.module.to(torch.bfloat16), device, "bfloat16")
        agreement = (labels_of_logits(half(example)) == expected).float().mean().item()
    return half if agreement >= MIN_AGREEMENT else _prepare_exact(entry, device)


def _prepare_exact(entry: WeightsEntry, device: torch.device) -> LoadedModel:
    """Always in float32. Called again where half precision disagreed, because its rounding cannot be undone."""
    module = load_model(entry)
    fold_batch_norm(module)
    return LoadedModel(entry, module.to(device, memory_format=torch.channels_last), device, "float32")  # type: ignore[call-overload]


def _example(preprocessing: Preprocessing) -> Tensor:
    """A small generated scene, (1, 3, 128, 128): enough edges and surfaces to see whether rounding moves labels."""
    scene, _target = draw_shapes(128, 128, seed=1)
    return to_input(scene, replace(preprocessing, short_side=None))[0]
