"""What judging costs beside the networks themselves: 100 pictures, four networks, decoding and all metrics included."""

import os
import statistics
from time import perf_counter, process_time

import cv2
import numpy as np
import pytest
import torch

from segdemo.data.nuclei_like import draw_nuclei
from segdemo.data.preprocessing import to_input
from segdemo.evaluation.candidate import parse_candidates
from segdemo.evaluation.data_set import LabelledSet, from_files
from segdemo.evaluation.evaluate import Evaluator
from segdemo.inference import Engine
from segdemo.inference.loaded import LoadedModel, prepare
from segdemo.inference.pool import cpu_count
from segdemo.weights import get_weights

pytestmark = pytest.mark.benchmark
PICTURES, PARTS, ROUNDS = 100, 5, 3
Times = tuple[float, float]  # seconds that passed, and of processor time
WEIGHTS = ("unet/nuclei", "fcn8s/nuclei", "segnet/nuclei", "unet_plus_plus/nuclei")


def pictures() -> list[tuple[str, bytes, np.ndarray]]:
    drawn = [draw_nuclei(256, 256, seed=seed, count=20 + seed % 30) for seed in range(PICTURES)]
    return [(f"{i}.png", cv2.imencode(".png", image[..., ::-1])[1].tobytes(), target) for i, (image, target) in enumerate(drawn)]


def part(data: LabelledSet, number: int) -> LabelledSet:
    """One of `PARTS` equal parts."""
    size = len(data) // PARTS
    return LabelledSet(
        data.name,
        data.class_names,
        data.names[number * size : (number + 1) * size],
        lambda place: data.read(number * size + place),
    )


def bare(models: list[LoadedModel], data: LabelledSet) -> Times:
    """Nothing but the forward passes, on all cores, one after another."""
    inputs = [[to_input(picture.image, model.entry.preprocessing)[0] for picture in data] for model in models]
    torch.set_num_threads(cpu_count())
    wall, busy = perf_counter(), process_time()
    with torch.inference_mode():
        for model, tensors in zip(models, inputs, strict=True):
            for tensor in tensors:
                model(tensor)
    return perf_counter() - wall, process_time() - busy


def evaluation(engine: Engine, data: LabelledSet) -> Times:
    """Everything, from encoded pictures to the scores."""
    evaluator = Evaluator(data, parse_candidates(list(WEIGHTS)), engine)
    wall, busy = perf_counter(), process_time()
    for _step in evaluator.steps():
        pass
    times = perf_counter() - wall, process_time() - busy
    assert [len(result.pictures) for result in evaluator.snapshot().results] == [len(data)] * len(WEIGHTS)
    return times


def test_a_hundred_pictures_and_four_networks_against_the_bare_forward_passes() -> None:
    """In parts, now one and now the other, so that the machine's moods hit both alike."""
    data = from_files("drawn", ("background", "nucleus"), pictures())
    engine, load = Engine("cpu"), os.getloadavg()[0]
    models = [prepare(get_weights(weights_id), torch.device("cpu")) for weights_id in WEIGHTS]
    for weights_id, model in zip(WEIGHTS, models, strict=True):
        assert engine.predict(data.read(0).image, weights_id).precision == model.precision
    bare(models, data.first(1))
    parts = [part(data, number) for number in range(PARTS)] * ROUNDS
    pairs = [(evaluation(engine, chosen), bare(models, chosen)) for chosen in parts]
    ratio = statistics.median(ours[0] / theirs[0] for ours, theirs in pairs)
    (wall, busy), (bare_wall, bare_busy) = ([sum(pair[who][of] for pair in pairs) for of in (0, 1)] for who in (0, 1))
    print(
        f"\n{PICTURES} pictures × {len(WEIGHTS)} networks at 256² on {cpu_count()} cores, {ROUNDS} times in {PARTS} parts: "
        f"{wall:.1f} s against {bare_wall:.1f} s of bare forward passes, median ratio of the parts {ratio:.2f}; processor time "
        f"{busy:.1f} s against {bare_busy:.1f} s; load before {load:.1f}, after {os.getloadavg()[0]:.1f}"
    )
    assert ratio <= 1.15
