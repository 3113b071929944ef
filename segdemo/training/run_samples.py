"""A few validation pictures whose predictions are kept after every validation: learning, to be looked at."""

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from segdemo.data.preprocessing import from_output, to_input
from segdemo.data.sources import Source
from segdemo.geometry import resize_nearest
from segdemo.models.labels import labels_of_logits
from segdemo.training.run_folder import write_whole
from segdemo.types import LabelMap, Preprocessing, RGBImage

__all__ = ["SAMPLES", "SIDE", "SamplePictures", "fitted"]

SAMPLES = 5
SIDE = 192  # pixels of a shown sample


class SamplePictures:
    """The first pictures of a validation split, side by side: (SIDE, SAMPLES·SIDE, 3), their truth, and predictions."""

    def __init__(self, source: Source, preprocessing: Preprocessing, device: torch.device, folder: Path) -> None:
        self.preprocessing, self.device, self.folder = preprocessing, device, folder
        self.pictures: list[RGBImage] = []
        truths: list[LabelMap] = []
        for image, target, _kind in source.validation():
            self.pictures.append(image)
            truths.append(target)
            if len(self.pictures) == SAMPLES:
                break
        folder.mkdir(exist_ok=True)
        _write(folder / "pictures.png", np.concatenate([fitted(image)[..., ::-1] for image in self.pictures], axis=1))
        _write(folder / "truth.png", np.concatenate([fitted(target) for target in truths], axis=1))

    @torch.inference_mode()
    def keep(self, step: int, model: nn.Module) -> None:
        """Write what the network makes of the pictures now, as labels."""
        maps = []
        for image in self.pictures:
            tensor, geometry = to_input(image, self.preprocessing)
            logits = from_output(model(tensor.to(self.device))[0].float(), geometry)
            labels = labels_of_logits(logits).to(torch.uint8).cpu().numpy()
            maps.append(fitted(resize_nearest(labels, (image.shape[0], image.shape[1]))))
        _write(self.folder / f"{step:06d}.png", np.concatenate(maps, axis=1))


def fitted(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The middle square of a picture (H, W, 3) or of labels (H, W), at SIDE × SIDE."""
    side = min(picture.shape[:2])
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    square = np.ascontiguousarray(picture[top : top + side, left : left + side])
    if square.ndim == 2:
        return resize_nearest(square, (SIDE, SIDE))
    shrinks = side > SIDE
    return np.asarray(cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.uint8)


def _write(path: Path, pixels: NDArray[np.uint8]) -> None:
    done, data = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert done
    write_whole(path, data.tobytes())
