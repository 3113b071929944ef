"""A scene as the component gets it: cells numbered through all grids, numbers rounded for display, nothing lost."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segdemo.layerlab.scene import Grid, Scene, Tap, digits, scene_data, shortened, sum_line


def scene() -> Scene:
    """Two inputs, a weight and one output: 2·3 + 5·3 = 21."""
    border, source = np.array([[True, False]]), np.array([[[0, 1], [-1, -1]]])
    grids = (
        Grid("input", "Input", np.array([[2.0, 5.0]]), "plain", border, source, marked=np.array([[False, True]]), place=(0, 0)),
        Grid("kernel", "Kernel", np.array([[1.0], [3.0]]), "signed"),
        Grid("output", "Output", np.array([[21.0]]), "signed"),
    )
    taps = {(2, 0, 0): (Tap(0, 0, 0, 3.0, (1, 1, 0), 6.0), Tap(0, 0, 1, 3.0, (1, 1, 0), 15.0))}
    return Scene(grids, 2, taps, {(2, 0, 0): "2·3 + 5·3 = 21"}, "1 + 0 = 1", "print(21)")


def test_cells_are_numbered_through_all_grids() -> None:
    data = scene_data(scene())
    assert data["cells"] == [[4, 2, "2·3 + 5·3 = 21"]]
    assert data["at"] == [0, 1]
    assert data["by"] == [3, 3]
    assert data["products"] == [6, 15]
    assert data["weights"] == [3, 3]
    assert data["grids"][0] == {
        "key": "input", "title": "Input", "kind": "plain", "rows": 1, "columns": 2, "values": [2, 5], "border": [0],
        "marked": [1], "source": [1], "place": [0, 0],
    }  # fmt: skip
    assert "border" not in data["grids"][1] and "short" not in data["grids"][0]
    assert json.loads(json.dumps(data)) == data


def test_a_short_title_is_sent_along() -> None:
    grid = Grid("a", "Input channel 0, slice 1", np.zeros((1, 1)), "plain", short="c0 · slice 1")
    assert scene_data(Scene((grid,), 0, {}, {}, "", ""))["grids"][0]["short"] == "c0 · slice 1"


def test_a_maximum_has_neither_weights_nor_products() -> None:
    grids = (Grid("a", "A", np.array([[1.0, 4.0]]), "plain"), Grid("b", "B", np.array([[4.0]]), "plain"))
    data = scene_data(Scene(grids, 1, {(1, 0, 0): (Tap(0, 0, 0), Tap(0, 0, 1))}, {}, "", ""))
    assert (data["by"], data["weights"], data["products"]) == ([-1, -1], [None, None], [None, None])
    assert data["cells"] == [[2, 2, ""]]


def test_a_border_cell_can_repeat_one_of_another_grid() -> None:
    border, source = np.array([[True, True]]), np.array([[[1, 0, 1], [-1, -1, -1]]])
    grids = (Grid("a", "A", np.zeros((1, 2)), "plain", border, source), Grid("b", "B", np.zeros((1, 3)), "plain"))
    assert scene_data(Scene(grids, 1, {}, {}, "", ""))["grids"][0]["source"] == [3, -1]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (-0.00001, "(−1·10⁻⁵)"),
        (0.0000214, "2.14·10⁻⁵"),
        (0.00094, "9.4·10⁻⁴"),
        (5e-324, "4.94·10⁻³²⁴"),
        (0.001, "0.001"),
        (1 / 16, "0.0625"),
        (3.0, "3"),
        (-2.0, "(−2)"),
        (0.12345, "0.123"),
        (-0.5, "(−0.5)"),
        (-123456.0, "(−1.23·10⁵)"),
        (float("-inf"), "−∞"),
    ],
)
def test_numbers_of_a_line(value: float, text: str) -> None:
    assert digits(value) == text


def test_a_result_stands_without_brackets() -> None:
    assert [digits(value, brackets=False) for value in (-2.0, -1e-7, 3.5)] == ["−2", "−1·10⁻⁷", "3.5"]


@given(st.floats(-1e300, 1e300))
def test_only_nothing_is_written_as_0(value: float) -> None:
    text = digits(value)
    assert (text == "0") == (value == 0)
    assert text.startswith("(−") == (value < 0)
    plain = (
        digits(value, brackets=False).replace("−", "-").replace("·10", "e").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    )
    assert float(plain) == pytest.approx(value, rel=6e-3, abs=0 if abs(value) < 1e-3 else 5e-4)


def test_a_long_line_takes_no_more_terms_than_it_names() -> None:
    taken = iter(map(str, range(1000)))
    assert shortened(taken, 1000) == [*map(str, range(12)), "… 988 more"]
    assert next(taken) == "12"
    assert shortened(["a", "b"], 2) == ["a", "b"]


def test_a_line_of_arithmetic_is_short_and_complete() -> None:
    assert sum_line([(1, 0), (2, -1)], -1, 1.0) == "1·0 + 2·(−1) + bias 1 = −1"
    assert sum_line([], 0) == "0 = 0"
    many = [(1.0, 1.0)] * 14
    assert sum_line(many, 14).endswith("… 2 more = 14")
    assert sum_line(many, 14, None, ["a", "b"]) == "a: 7 + b: 7 = 14"
