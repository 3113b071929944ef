"""The Cost view: measured once, remembered, placed by score, and said in words."""

import math
import re

import pytest
from streamlit.testing.v1 import AppTest

from segdemo.evaluation.candidate import parse_candidates
from segdemo.evaluation.cost import Spread
from segdemo.evaluation.titles import short_titles
from segdemo.inference import shared_engine
from segdemo.ui.compare_cost import ROUNDS
from segdemo.ui.compare_cost_data import AXES, card_scores
from segdemo.ui.compare_cost_figures import Point, cost_scatter, fronts, spans_decades, undecided
from segdemo.ui.compare_cost_table import time_text

SMALL, OTHER, SHAPES = "unet/nuclei-small", "mnist_cnn/nuclei", "mnist_cnn/shapes"
SCRIPT = """
import streamlit as st
from segdemo.data import Picture
from segdemo.data.nuclei_like import draw_nuclei
from segdemo.evaluation.candidate import parse_candidates
from segdemo.ui.compare_cost import show_cost
image = draw_nuclei(48, 48, seed=1)[0]
keys, scores = st.session_state["keys"], st.session_state["scores"]
show_cost(parse_candidates(list(keys)), Picture("p", "compare-cost", image, (48, 48)), scores, "Mean IoU")
"""


def run(*keys: str, scores: dict[str, float] | None = None) -> AppTest:
    app = AppTest.from_string(SCRIPT, default_timeout=60)
    app.session_state["keys"], app.session_state["scores"] = keys, scores
    return sound(app.run())


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption)


def test_it_is_measured_when_it_opens_and_not_again_until_one_asks() -> None:
    engine = shared_engine()
    before = engine.passes
    app = run(SMALL, OTHER)
    assert f"{ROUNDS} rounds" in said(app)
    assert engine.passes == before + 2 * (ROUNDS + 1)  # with the round that warms up
    for axis in AXES:
        sound(app.radio(key="compare_cost_axis").set_value(axis).run())
    assert engine.passes == before + 2 * (ROUNDS + 1)
    sound(app.button(key="compare_cost_again").click().run())
    assert f"{2 * ROUNDS} rounds" in said(app)


def test_the_table_holds_every_cost_and_the_cards_scores() -> None:
    app = run(SMALL, OTHER)
    table = app.dataframe[0].value
    assert list(table["Candidate"]) == short_titles(parse_candidates([SMALL, OTHER]))
    assert table["IoU"].tolist() == [score.value for score in card_scores(parse_candidates([SMALL, OTHER]))]
    assert table["Parameters, M"][0] == pytest.approx(0.76, abs=0.01)
    for column in ("Time", "MACs, G", "Pass, MB", "Weights, MB", "On disk, MB"):
        assert (table[column] > 0).all()
    assert table["× fastest"].min() == pytest.approx(1, abs=0.6)
    assert table["Forward"].str.fullmatch(r"[\d.]+ \([\d.]+–[\d.]+\) ms").all()
    assert "weights' cards" in said(app)


def test_an_evaluations_scores_are_taken_where_there_is_one() -> None:
    keys = (SMALL, f"{SMALL}@scale=0.5", f"{SMALL}@threshold=0.3")
    app = run(*keys, scores={keys[0]: 0.8, keys[1]: 0.9})
    table = app.dataframe[0].value
    assert table["Mean IoU"][:2].tolist() == [0.8, 0.9]
    assert math.isnan(table["Mean IoU"][2])
    assert re.search(r"No score was measured for: U\\-Net @0\\.3\.", said(app))
    assert "weights' cards" not in said(app)


def test_what_fails_is_said_and_different_data_sets_are_kept_apart() -> None:
    app = run(OTHER, SHAPES, "autoencoder/nuclei")
    assert "has no classes" in app.warning[0].value
    assert len(app.dataframe[0].value) == 2
    assert "cannot be compared with each other" in said(app)


def test_without_any_score_the_table_remains_and_says_what_to_do() -> None:
    app = run(f"{SMALL}@scale=0.5")
    assert "Evaluate them" in app.info[0].value
    assert len(app.dataframe[0].value) == 1


def test_cards_were_not_measured_with_other_settings() -> None:
    usual, scaled, cut = card_scores(parse_candidates([SMALL, f"{SMALL}@scale=0.5", f"{SMALL}@threshold=0.3"]))
    assert usual.value == pytest.approx(0.845, abs=0.001)
    assert math.isnan(scaled.value) and math.isnan(cut.value)


def point(label: str, cost: float, score: float, group: str = "") -> Point:
    return Point(label, "#009E73", cost, cost * 0.9, cost * 1.1, score, group)


def test_the_figure_fills_the_front_and_shows_decades_logarithmically() -> None:
    points = [point("a", 1, 0.5), point("b", 30, 0.9), point("c", 40, 0.8), point("d", 50, math.nan)]
    figure = cost_scatter(points, "Time", "ms", "IoU")
    symbols = {trace.text[0]: trace.marker.symbol for trace in figure.data[1:]}
    assert symbols == {"a": "circle", "b": "circle", "c": "circle-open"}
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.range[0] < 0 < math.log10(30) < figure.layout.xaxis.range[1]
    assert not spans_decades([1, 10, math.nan])
    assert not spans_decades([0, 100])
    assert cost_scatter(points[1:3], "Time", "ms", "IoU").layout.xaxis.range[0] == 0


def test_where_times_overlap_neither_is_called_better() -> None:
    points = [point("a", 10, 0.5), point("b", 10.5, 0.6), point("c", 30, 0.9), point("d", 60, 0.7)]
    assert undecided(points) == {0}, "b scores more and may be faster than a; d is beaten by c for sure"
    figure = cost_scatter(points, "Time", "ms", "IoU")
    assert {trace.text[0]: trace.marker.symbol for trace in figure.data[1:]} == {
        "a": "circle-open-dot", "b": "circle", "c": "circle", "d": "circle-open",
    }  # fmt: skip
    assert figure.data[0].line.dash == "dash"
    exact = [Point(p.label, p.colour, p.cost, p.cost, p.cost, p.score) for p in points]
    assert not undecided(exact)
    assert cost_scatter(exact, "MACs", "G", "IoU").data[0].line.dash == "solid"
    same = [points[0], Point("same run", "#000000", 10, 9, 11, 0.4)]
    assert not undecided(same), "the same measurements leave nothing open"


@pytest.mark.parametrize(
    ("low", "median", "high", "texts"),
    [
        (11.94, 12.34, 12.74, ("12.3 ms", "11.9–12.7 ms")),
        (90, 123.4, 140, ("120 ms", "90–140 ms")),
        (3.0, 8.0, 13.0, ("8 ms", "3–13 ms")),
        (5.0, 5.0, 5.0, ("5.00 ms", "")),
    ],
)
def test_a_time_has_no_more_digits_than_its_spread_is_worth(
    low: float, median: float, high: float, texts: tuple[str, str]
) -> None:
    assert time_text(Spread(median, low, high, 7)) == texts
    assert time_text(Spread(math.nan, math.nan, math.nan, 0)) == ("–", "")


def test_each_data_set_has_its_own_front_and_shape() -> None:
    points = [
        point("a", 1, 0.5, "nuclei"),
        point("b", 2, 0.9, "shapes"),
        point("c", 3, 0.7, "nuclei"),
        point("d", 4, 0.1, "shapes"),
    ]
    assert fronts(points) == {"nuclei": [0, 2], "shapes": [1]}
    symbols = [trace.marker.symbol for trace in cost_scatter(points, "Time", "ms", "IoU").data[2:]]
    assert symbols == ["circle", "square", "circle", "square-open"]


def test_labels_of_near_points_do_not_cover_each_other() -> None:
    """Nor does a long one take more than its lines."""
    figure = cost_scatter(
        [point("nnU-Net · Nuclei · float32", 100, 0.860), point("U-Net", 104, 0.861), point("far", 300, 0.8)], "Time", "ms", "IoU"
    )
    assert figure.data[1].text == ("nnU-Net<br>Nuclei<br>float32",)
    assert figure.data[1].textposition != figure.data[2].textposition
