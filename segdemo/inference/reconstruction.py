"""What an autoencoder makes of a picture: the picture itself, drawn again from its latent map."""

from time import perf_counter

import numpy as np
import torch

from segdemo.data import Picture
from segdemo.data.preprocessing import arranged, from_output, image_statistics, scaled, to_input
from segdemo.errors import SettingError
from segdemo.inference.loaded import LoadedModel
from segdemo.text import _
from segdemo.types import Latency, Preprocessing, Reconstruction

__all__ = ["check_task", "reconstruct"]


def check_task(model: LoadedModel, task: str) -> None:
    """Raise SettingError where the weights are for something else."""
    if model.entry.task != task:
        raise SettingError(
            _("{name} draws its picture again and has no classes.", name=model.entry.weights_id)
            if model.entry.task == "reconstruct"
            else _("{name} labels pixels and draws no picture.", name=model.entry.weights_id)
        )


@torch.inference_mode()
def reconstruct(picture: Picture, model: LoadedModel, preprocessing: Preprocessing) -> Reconstruction:
    """Run an autoencoder; both pictures at the size where the network saw it."""
    times = [perf_counter()]
    tensor, geometry = to_input(picture.pixels, preprocessing, picture.full_size)
    seen = scaled(picture.pixels, geometry)
    mean, std = image_statistics(arranged(seen, preprocessing), preprocessing)
    times.append(perf_counter())
    output = from_output(model(tensor), geometry).permute(1, 2, 0).cpu().numpy()
    times.append(perf_counter())
    drawn = np.clip((output * np.array(std) + np.array(mean)) * 255, 0, 255).round().astype(np.uint8)
    if preprocessing.channel_order == "bgr":
        drawn = np.ascontiguousarray(drawn[..., ::-1])
    variance = float(seen.astype(np.float32).var())
    error = float(np.square(drawn.astype(np.float32) - seen).mean())
    times.append(perf_counter())
    return Reconstruction(
        seen, drawn, 1 - error / variance if variance else float("nan"), Latency(*(1000 * float(d) for d in np.diff(times)))
    )
