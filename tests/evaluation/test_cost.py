"""Costs: counted exactly where they can be, and measured in paired rounds where they cannot."""

import numpy as np
import pytest

from segdemo.data import Picture
from segdemo.data.nuclei_like import draw_nuclei
from segdemo.devices import cpu_has_bf16
from segdemo.errors import ImageError
from segdemo.evaluation.candidate import Candidate
from segdemo.evaluation.cost import Cost, measure_costs, relative_time
from segdemo.features import anatomy_at
from segdemo.inference import Engine
from segdemo.types import Latency, Prediction
from segdemo.weights import get_weights, weights_path

SMALL = "unet/nuclei-small"


def drawn(side: int = 48) -> Picture:
    return Picture("drawn", f"{side}", draw_nuclei(side, side, seed=4)[0], (side, side))


def test_measured_costs_are_exact_where_they_can_be() -> None:
    engine, picture = Engine("cpu"), drawn()
    candidates = (Candidate(SMALL, precision="float32"), Candidate(SMALL, precision="float32", scale=2.0))
    reports = list(measure_costs(engine, candidates, picture, 3))
    assert [(r.done, r.total) for r in reports] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert [len(c.latencies) for c in reports[2].costs] == [2, 2]
    small, large = reports[-1].costs
    entry = get_weights(SMALL)
    assert (small.input_size, large.input_size) == ((48, 48), (96, 96))
    assert large.macs == 4 * small.macs > 0
    assert small.params == large.params == entry.params
    assert small.file_bytes == weights_path(entry).stat().st_size
    assert small.weights_bytes == pytest.approx(4 * entry.params, rel=0.01)
    assert large.peak_bytes == pytest.approx(4 * small.peak_bytes, rel=0.05)
    spread = large.spread("forward")
    assert 0 < spread.low_ms <= spread.median_ms <= spread.high_ms
    assert spread.rounds == 3
    assert engine.passes == 2 * 4  # with the round that warms up


def test_multiplications_are_those_on_the_card() -> None:
    assert anatomy_at(SMALL, (256, 256)).macs == get_weights(SMALL).card["macs"]


@pytest.mark.skipif(not cpu_has_bf16(), reason="this CPU has no bfloat16")
def test_half_precision_needs_less_memory() -> None:
    candidates = [Candidate(SMALL, precision="float32"), Candidate(SMALL, precision="bfloat16")]
    exact, half = next(iter(measure_costs(Engine("cpu"), candidates, drawn(), 1))).costs
    assert half.weights_bytes * 2 == exact.weights_bytes
    assert half.peak_bytes < 0.6 * exact.peak_bytes


def test_a_later_measurement_adds_its_rounds_and_thresholds_share_theirs() -> None:
    engine, picture = Engine("cpu"), drawn()
    candidates = (Candidate(SMALL), Candidate(SMALL, threshold=0.3))
    first = list(measure_costs(engine, candidates, picture, 2))[-1].costs
    assert first[0].latencies == first[1].latencies
    assert [c.candidate for c in first] == list(candidates)
    assert engine.passes == 3
    again = list(measure_costs(engine, candidates, picture, 1, before=first))[-1].costs
    assert again[0].latencies[:2] == first[0].latencies
    assert len(again[0].latencies) == 3


def test_what_cannot_be_measured_is_a_sentence_and_the_others_are_measured() -> None:
    candidates = (Candidate(SMALL), Candidate("autoencoder/nuclei"), Candidate("unet/none"))
    costs = list(measure_costs(Engine("cpu"), candidates, drawn(), 1))[-1].costs
    assert [bool(c.failure) for c in costs] == [False, True, True]
    assert len(costs[0].latencies) == 1
    assert np.isnan(costs[1].spread().median_ms)


def test_relative_time_is_the_median_of_the_ratios() -> None:
    candidate = Candidate(SMALL)
    slow = Cost(candidate, latencies=tuple(Latency(0, t, 0) for t in (2.0, 200.0, 6.0)))
    fast = Cost(candidate, latencies=tuple(Latency(0, t, 0) for t in (1.0, 100.0, 1.0)))
    assert relative_time(slow, fast) == 2
    assert np.isnan(relative_time(slow, Cost(candidate)))


def test_a_network_that_cannot_take_the_picture_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is measured no more: it fails in the round that warms up and in the first that counts."""
    engine, calls = Engine("cpu"), []
    predict = engine.predict

    def refusing(*args: object, **settings: object) -> Prediction:
        if settings["scale"] != 1:
            calls.append(settings)
            raise ImageError("Too small.")
        return predict(*args, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "predict", refusing)
    costs = list(measure_costs(engine, (Candidate(SMALL), Candidate(SMALL, scale=0.5)), drawn(), 4))[-1].costs
    assert costs[0].failure is None and len(costs[0].latencies) == 4
    assert costs[1].failure is not None and costs[1].failure.text == "Too small."
    assert len(calls) == 2
