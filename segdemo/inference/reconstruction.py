"""What an autoencoder makes of a picture: the picture itself, drawn again from its latent map."""

from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from segdemo.data import Picture
from segdemo.data.preprocessing import arranged, from_output, image_statistics, scaled, to_input
from segdemo.errors import SettingError
from segdemo.geometry import Geometry
from segdemo.inference.loaded import LoadedModel
from segdemo.text import _
from segdemo.types import Latency, Preprocessing, Reconstruction, RGBImage

__all__ = ["check_task", "drawn_picture", "reconstruct"]


def check_task(model: LoadedModel, task: str) -> None:
    """Raise SettingError where the weights are for something else."""
    if model.entry.task != task:
        raise SettingError(
            _("{name} draws its picture again and has no classes.", name=model.entry.weights_id)
            if model.entry.task == "reconstruct"
            else _("{name} labels pixels and draws no picture.", name=model.entry.weights_id)
        )


def drawn_picture(output: Tensor, seen: RGBImage, geometry: Geometry, preprocessing: Preprocessing) -> RGBImage:
    """An autoencoder's output (C, h', w') in the units of its input → the picture (h, w, 3) that it means."""
    mean, std = image_statistics(arranged(seen, preprocessing), preprocessing)
    values = from_output(output, geometry).permute(1, 2, 0).cpu().numpy()
    drawn = np.clip((values * np.array(std) + np.array(mean)) * 255, 0, 255).round().astype(np.uint8)
    return np.ascontiguousarray(drawn[..., ::-1]) if preprocessing.channel_order == "bgr" else drawn


@torch.inference_mode()
def reconstruct(picture: Picture, model: LoadedModel, preprocessing: Preprocessing) -> Reconstruction:
    """Run an autoencoder; both pictures at the size where the network saw it."""
    times = [perf_counter()]
    tensor, geometry = to_input(picture.pixels, preprocessing, picture.full_size)
    seen = scaled(picture.pixels, geometry)
    times.append(perf_counter())
    output = model(tensor)
    times.append(perf_counter())
    drawn = drawn_picture(output, seen, geometry, preprocessing)
    variance = float(seen.astype(np.float32).var())
    error = float(np.square(drawn.astype(np.float32) - seen).mean())
    times.append(perf_counter())
    return Reconstruction(
        seen, drawn, 1 - error / variance if variance else float("nan"), Latency(*(1000 * float(d) for d in np.diff(times)))
    )
