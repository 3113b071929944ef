"""The engine: owns the device, keeps networks in bounded memory, and turns a picture into a prediction.

    picture ─ to_input ─▶ (1, 3, h', w') ─ network ─▶ logits ─ crop, softmax ─▶ scores ─ argmax, enlarge ─▶ labels

One engine a process. Networks are shared between visitors; every forward pass is a job of the engine's workers.
"""

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from time import perf_counter
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from segdemo.data import Picture
from segdemo.data.preprocessing import planned, to_input
from segdemo.devices import PrecisionChoice, device_label, pick_device
from segdemo.errors import ImageError
from segdemo.geometry import Geometry, resize_nearest
from segdemo.inference.cache import BoundedCache
from segdemo.inference.labels import check_threshold, labels_of, rethreshold, scores_of
from segdemo.inference.loaded import LoadedModel, prepare
from segdemo.inference.pool import WorkerPool
from segdemo.inference.reconstruction import check_task, reconstruct
from segdemo.inference.retrying import is_out_of_memory, no_memory, with_less
from segdemo.inference.settings import check_precision, check_scale
from segdemo.models.private import private_copy
from segdemo.text import N_, _
from segdemo.types import Latency, Notice, Prediction, Reconstruction, RGBImage
from segdemo.weights import get_network, get_weights, load_network

__all__ = ["Engine", "shared_engine", "warm_up"]

MODEL_MEMORY_BYTES = int(os.environ.get("SEGDEMO_MODEL_MEMORY_MB", "1500")) * 1_000_000
RESULT_MEMORY_BYTES = int(os.environ.get("SEGDEMO_RESULT_MEMORY_MB", "500")) * 1_000_000
SAME_SIZE = 0.99  # of a side: rounding it to whole pixels is not shrinking it
T = TypeVar("T")


class Engine:
    """Prediction on one device: "auto" takes CUDA, then MPS, then the CPU."""

    def __init__(
        self,
        device: str = "auto",
        *,
        model_memory_bytes: int = MODEL_MEMORY_BYTES,
        result_memory_bytes: int = RESULT_MEMORY_BYTES,
    ) -> None:
        self.device = pick_device(device)
        self.device_label = device_label(self.device)  # for the visitor; asked once: threads set their own number later
        self.models: BoundedCache[tuple[str, str], LoadedModel] = BoundedCache(model_memory_bytes, lambda m: m.size_bytes)
        self.results: BoundedCache[tuple[str, tuple[int, ...], str, PrecisionChoice, float], Prediction] = BoundedCache(
            result_memory_bytes, _prediction_bytes
        )
        self.drawings: BoundedCache[tuple[str, tuple[int, ...], str], Reconstruction] = BoundedCache(
            result_memory_bytes // 4, lambda r: r.seen.nbytes + r.drawn.nbytes
        )
        self._pool = WorkerPool(parallel=self.device.type == "cpu")
        self._counter = threading.Lock()
        self.studies = 0  # jobs that looked into a network
        self.passes = 0  # forward passes since the start: redrawing must not add to them

    def predict(
        self, image: RGBImage | Picture, weights_id: str, *, threshold: float = 0.5, precision: PrecisionChoice = "auto",
        scale: float = 1.0,
    ) -> Prediction:  # fmt: skip
        """Segment a picture (H, W, 3) uint8 RGB with the named weights.

        precision: "auto" is the fastest that agrees. scale: 0.25–4, how much larger or smaller than usual, along each
        side, the network is given the picture; the labels have the picture's own size all the same.
        Out of memory, it tries again with fewer pixels, then on the CPU, and says so in the prediction's notices.
        Raises SettingError for unknown weights or an impossible setting, ImageError for an array that is no picture or a
        picture that the network cannot take, DownloadError and CheckpointError where the weights are not there or not sound.
        """
        check_threshold(threshold)
        check_scale(scale)
        picture = image if isinstance(image, Picture) else Picture("picture", "", _checked(image), image.shape[:2])
        job = partial(self._forward, picture, threshold, scale)
        return self._attempt(weights_id, job, precision)

    def with_model(self, weights_id: str, job: Callable[[LoadedModel], T], *, precision: PrecisionChoice = "auto") -> T:
        """Run `job` on a worker with the network as predictions use it. It is everybody's: the job must not change or hook it.

        Raises as `predict` does.
        """
        return self._attempt(weights_id, lambda model, _limit, _shrunk: job(model), precision)

    def _attempt(self, weights_id: str, job: Callable[[LoadedModel, int, bool], T], precision: PrecisionChoice = "auto") -> T:
        """Run `job` with the network, the pixels it may see, and whether that is fewer than it should."""
        check_precision(precision, self.device)

        def run(device: torch.device, max_pixels: int, shrunk: bool) -> T:
            model = self._model(weights_id, device, precision if device == self.device else "auto")
            return self._pool.run(lambda: job(model, max_pixels, shrunk))

        return with_less(self.device, get_weights(weights_id).preprocessing.max_pixels, run)

    def segment(
        self,
        picture: Picture,
        weights_id: str,
        *,
        threshold: float = 0.5,
        precision: PrecisionChoice = "auto",
        scale: float = 1.0,
    ) -> Prediction:
        """As `predict`, remembered by the hash of the file's bytes: another threshold is no other forward pass."""
        check_threshold(threshold)
        key = (picture.sha256, picture.pixels.shape, weights_id, precision, scale)
        prediction = self.results.get_or_make(
            key, lambda: self.predict(picture, weights_id, precision=precision, scale=scale), keep=lambda p: not p.degraded
        )
        return rethreshold(prediction, threshold)

    def reconstruct(self, picture: Picture, weights_id: str) -> Reconstruction:
        """The picture as the named autoencoder draws it again, remembered like `segment`. Raises as `predict` does."""
        key = (picture.sha256, picture.pixels.shape, weights_id)
        return self.drawings.get_or_make(
            key, lambda: self._attempt(weights_id, partial(self._redraw, picture)), keep=lambda drawing: not drawing.degraded
        )

    def _redraw(self, picture: Picture, model: LoadedModel, max_pixels: int, shrunk: bool) -> Reconstruction:
        check_task(model, "reconstruct")
        with self._counter:
            self.passes += 1
        drawing = reconstruct(picture, model, replace(model.entry.preprocessing, max_pixels=max_pixels))
        return replace(drawing, degraded=shrunk or model.device != self.device)

    def study(self, name: str, job: Callable[[nn.Module], T]) -> T:
        """Run `job` on a worker with a network as it was trained: float32, nothing folded. `name` as `get_network` reads it.

        The job is given a copy of its own over the shared weights, which it may hook. Raises ImageError where memory is
        short, and what `load_network` raises.
        """
        with self._counter:
            self.studies += 1
        try:
            model = self.models.get_or_make(
                (name, f"{self.device.type} exact"), lambda: self._pool.run(lambda: self._exact(name))
            )
            return self._pool.run(lambda: job(private_copy(model.module)))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            raise no_memory() from error

    def _exact(self, name: str) -> LoadedModel:
        entry = get_network(name)
        return LoadedModel(entry, load_network(entry).to(self.device), self.device, "float32")

    def _model(self, weights_id: str, device: torch.device, precision: PrecisionChoice = "auto") -> LoadedModel:
        usual = self.models.get((weights_id, f"{device.type} auto"))
        if usual is not None and usual.precision == precision:  # what was asked for is what is fastest
            return usual
        return self.models.get_or_make(
            (weights_id, f"{device.type} {precision}"),
            lambda: self._pool.run(lambda: prepare(get_weights(weights_id), device, precision)),
        )

    def _forward(
        self, picture: Picture, threshold: float, scale: float, model: LoadedModel, max_pixels: int, shrunk: bool
    ) -> Prediction:
        check_task(model, "segment")
        with self._counter:
            self.passes += 1
        entry = model.entry
        preprocessing = replace(entry.preprocessing, max_pixels=max_pixels)
        times = [perf_counter()]
        with torch.inference_mode():
            tensor, geometry = to_input(picture.pixels, preprocessing, picture.full_size, scale=scale)
            times.append(perf_counter())
            logits = model(tensor)
            if model.device.type == "cuda":
                torch.cuda.synchronize(model.device)
            times.append(perf_counter())
            scores = scores_of(logits, geometry)
        preds = resize_nearest(labels_of(scores, entry.binary, threshold), geometry.full)
        times.append(perf_counter())
        latency = Latency(*(1000 * float(d) for d in np.diff(times)))
        for shared in (preds, scores):
            shared.setflags(write=False)  # visitors who drop the same file get the same arrays
        usual = planned(picture.full_size, preprocessing)
        limited = max(geometry.working) < SAME_SIZE * scale * max(usual.working) - 1  # pixel, by which rounding can fall short
        notices = _notices(geometry, shrunk, limited, model.device, self.device)
        return Prediction(
            preds, scores, entry.classes, latency, entry.weights_id, threshold, entry.binary,
            degraded=shrunk or model.device != self.device, device=model.device.type, precision=model.precision, notices=notices,
        )  # fmt: skip


def _checked(image: RGBImage) -> RGBImage:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ImageError(_("A picture is an array of bytes with height, width and three colours."))
    return image


def _prediction_bytes(prediction: Prediction) -> int:
    return prediction.preds.nbytes + prediction.scores.nbytes


def _notices(geometry: Geometry, shrunk: bool, limited: bool, used: torch.device, wanted: torch.device) -> tuple[Notice, ...]:
    (height, width), (full_height, full_width) = geometry.working, geometry.full
    size = {"w": width, "h": height, "W": full_width, "H": full_height}
    notices = []
    if shrunk:
        notices.append(Notice(N_("Memory was short: the network saw the picture at {w} × {h} of its {W} × {H} pixels."), size))
    elif limited:
        notices.append(Notice(N_("The scale was limited: larger than {w} × {h} this network is not given a picture."), size))
    elif geometry.scale < SAME_SIZE:
        notices.append(Notice(N_("The network saw the picture at {w} × {h} of its {W} × {H} pixels."), size))
    if used.type != wanted.type:
        notices.append(Notice(N_("The graphics processor ran out of memory; this was computed on the CPU.")))
    return tuple(notices)


@lru_cache(maxsize=1)
def shared_engine() -> Engine:
    """The process's one engine. $SEGDEMO_DEVICE names the device, if it is not to be picked."""
    return Engine(os.environ.get("SEGDEMO_DEVICE", "auto"))


def warm_up(engine: Engine, weights_ids: Sequence[str]) -> None:
    """Load networks and run each once, so that the first visitor does not wait for it."""
    for weights_id in weights_ids:
        engine.predict(np.zeros((256, 256, 3), np.uint8), weights_id)
