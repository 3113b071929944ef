"""Precision and scale of a prediction: what they change, what is refused, and that results are not mixed up."""

from typing import Any

import numpy as np
import pytest
import torch

from segdemo.data import Picture
from segdemo.data.nuclei_like import draw_nuclei
from segdemo.devices import cpu_has_bf16
from segdemo.errors import SettingError
from segdemo.inference import Engine, settings

WEIGHTS = "unet/nuclei-small"
needs_bf16 = pytest.mark.skipif(not cpu_has_bf16(), reason="this CPU has no bfloat16")


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("cpu")


def drawn(side: int = 96, seed: int = 4) -> Picture:
    image = draw_nuclei(side, side, seed=seed)[0]
    return Picture("drawn", f"{side}-{seed}", image, (side, side))


@needs_bf16
def test_both_precisions_agree_and_say_which_they_are(engine: Engine) -> None:
    picture = drawn(160)
    exact = engine.predict(picture, WEIGHTS, precision="float32")
    half = engine.predict(picture, WEIGHTS, precision="bfloat16")
    assert (exact.precision, half.precision) == ("float32", "bfloat16")
    assert (exact.preds == half.preds).mean() > 0.99
    assert not np.array_equal(exact.scores, half.scores)


@pytest.mark.parametrize(("scale", "working"), [(0.25, 24), (0.5, 48), (1.0, 96), (1.5, 144), (4.0, 384)])
def test_the_scale_changes_what_the_network_sees_and_not_the_size_of_the_labels(
    engine: Engine, scale: float, working: int
) -> None:
    prediction = engine.predict(drawn(), WEIGHTS, scale=scale)
    assert prediction.scores.shape == (2, working, working)
    assert prediction.preds.shape == (96, 96)


def test_a_scale_finds_nuclei_that_are_smaller(engine: Engine) -> None:
    """Shrunk to a third and enlarged again by the engine, the picture is nearly the one the network was trained for."""
    image, target = draw_nuclei(288, 288, seed=5)
    small = np.ascontiguousarray(image[1::3, 1::3])

    def iou(scale: float) -> float:
        found = engine.predict(small, WEIGHTS, scale=scale).preds > 0
        wanted = target[1::3, 1::3] > 0
        return float((found & wanted).sum() / (found | wanted).sum())

    assert iou(3.0) > iou(1.0)


def test_the_bound_on_pixels_holds_and_is_said(engine: Engine) -> None:
    picture = drawn(1000)
    prediction = engine.predict(picture, WEIGHTS, scale=2.0)
    assert prediction.scores.shape[1] ** 2 < 2_100_000
    assert prediction.scores.shape[1] > 1400
    assert "limited" in prediction.notices[0].text
    assert not engine.predict(np.zeros((1, 90, 3), np.uint8), WEIGHTS, scale=1.1).notices


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"scale": 0.2}, "0.25"), ({"scale": 4.1}, "4.0"), ({"scale": float("nan")}, "nan"), ({"precision": "int8"}, "bfloat16")],
)
def test_impossible_settings_are_refused(engine: Engine, wrong: dict[str, Any], said: str) -> None:
    passes = engine.passes
    for run in (engine.predict, engine.segment):
        with pytest.raises(SettingError, match=said):
            run(drawn(), WEIGHTS, **wrong)
    assert engine.passes == passes


def test_a_processor_without_bfloat16_says_so_and_is_not_asked_for_it_automatically(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "cpu_has_bf16", lambda: False)
    engine = Engine("cpu")
    with pytest.raises(SettingError, match="bfloat16"):
        engine.predict(drawn(32), WEIGHTS, precision="bfloat16")
    assert engine.predict(drawn(32), WEIGHTS).precision == "float32"


def test_results_of_different_settings_are_kept_apart() -> None:
    engine, picture = Engine("cpu"), drawn(64)
    asked: list[dict[str, Any]] = [
        {},
        {"precision": "float32"},
        {"scale": 0.5},
        {"scale": 2.0},
        {"precision": "float32", "scale": 2.0},
    ]
    first = [engine.segment(picture, WEIGHTS, **a) for a in asked]
    assert engine.passes == len(asked)
    assert [p.scores.shape[1] for p in first] == [64, 64, 32, 128, 128]
    for settings_, remembered in zip(asked, first, strict=True):
        again = engine.segment(picture, WEIGHTS, threshold=0.3, **settings_)
        assert again.scores is remembered.scores
    assert engine.passes == len(asked)


@needs_bf16
def test_what_is_automatic_and_what_was_asked_for_is_one_network_in_memory() -> None:
    engine = Engine("cpu")
    engine.predict(drawn(32), WEIGHTS)
    engine.predict(drawn(32), WEIGHTS, precision="bfloat16")
    assert len(engine.models) == 1
    engine.predict(drawn(32), WEIGHTS, precision="float32")
    assert len(engine.models) == 2


def test_a_job_is_given_the_network_that_predicts() -> None:
    engine = Engine("cpu")
    assert engine.with_model(WEIGHTS, lambda m: (m.precision, m.device), precision="float32") == ("float32", torch.device("cpu"))
