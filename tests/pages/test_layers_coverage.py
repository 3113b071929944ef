"""The Checkerboard view: counts by torch, what is said about them, limits, both parts and their questions."""

import itertools
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from segdemo.layerlab.coverage import is_even
from segdemo.ui.layers_coverage_counts import KERNELS, STRIDES, counts_panel, even_table, profile_bars
from segdemo.ui.layers_coverage_parts import STACKS, field_table

from .layers_run import Page

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    return Page(monkeypatch, "coverage")


@pytest.mark.parametrize(
    ("settings", "kernel", "stride", "padding"), [("", 3, 2, 0), ("k:4", 4, 2, 0), ("k:5,s:3,p:2,n:4", 5, 3, 2)]
)
def test_counts_are_a_transposed_convolution_of_ones(page: Page, settings: str, kernel: int, stride: int, padding: int) -> None:
    page.start(settings)
    size = len(page.grid("landings"))
    ones = torch.ones(1, 1, size, size), torch.ones(1, 1, kernel, kernel)
    assert np.array_equal(page.grid("map"), F.conv_transpose2d(*ones, stride=stride, padding=padding)[0, 0].numpy())
    divides = f"{stride} divides {kernel}" if is_even(kernel, stride) else f"{stride} does not divide {kernel}"
    assert divides in page.texts()
    assert page.scene["formula"].endswith(f"= {len(page.grid('map'))}")


def test_gridding_shows_both_stacks_and_how_much_is_never_seen(page: Page) -> None:
    page.start("part:gridding")
    seen, against = page.grid("map0"), page.grid("map1")
    assert (seen > 0).all()
    assert (against > 0).sum() == 49
    assert page.flags("map1", "border") == set(np.flatnonzero(against.ravel() == 0).tolist())
    assert [grid["title"] for grid in page.scene["grids"]][1::2] == [
        "Dilation rates 1, 2, 4: 100% seen", "Dilation rates 2, 2, 2: 29% seen"]  # fmt: skip
    assert "| **2, 2, 2** | **13 × 13** | **49 / 169** | **71%** |" in page.texts()


def test_layer_by_layer_and_rates_of_ones_own(page: Page) -> None:
    app = page.start("part:gridding,a:own,first:2,third:5")
    assert page.grid("map0").shape == (21, 21)
    app.toggle(key=page.control("layers")).set_value(True).run()
    page.sound()
    assert [grid["rows"] for grid in page.scene["grids"]] == [1, 11, 17, 21]
    assert not app.warning
    assert page.address() == {"part:gridding", "a:own", "first:2", "third:5", "layers:1"}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("k:9", "Kernel is now 7 instead of 9"),
        ("k:3,p:5", "Padding cuts off at most 2 cells per side"),
        ("k:7,s:5,n:8", "The output is kept to 24 cells per side"),
        ("part:gridding,a:own,size:5,first:5,second:5", "The field is kept to 33 cells per side"),
        ("part:gridding,a:7_7", "Dilation rates cannot be 7_7 here."),
    ],
)
def test_what_cannot_work_cannot_be_chosen_and_is_explained(page: Page, settings: str, says: str) -> None:
    page.start(settings)
    assert says in page.texts()
    assert max(grid["rows"] for grid in page.scene["grids"]) <= 33


@pytest.mark.parametrize(("settings", "right"), [("k:4,s:2", "yes"), ("k:5,s:2", "no"), ("part:gridding", "yes"),
                                                 ("part:gridding,a:2_4,b:1_2_5", "no")])  # fmt: skip
def test_the_question_covers_until_it_is_answered(page: Page, settings: str, right: str) -> None:
    app = page.start(settings)
    app.toggle(key=page.control("predict")).set_value(True).run()
    assert page.scene["covered"]
    app.pills[0].set_value(right).run()
    assert not page.scene["covered"]
    assert "Right." in page.texts()


def test_the_question_of_gridding_does_not_give_itself_away(page: Page) -> None:
    page.start("part:gridding,predict:1")
    assert "% seen" not in str([grid["title"] for grid in page.scene["grids"]])
    assert "common factor" not in page.texts()
    outputs = {cell for cell, _count, _line in page.scene["cells"]}
    starts = np.cumsum([0, *(grid["rows"] * grid["columns"] for grid in page.scene["grids"])])
    assert {int(start) for start in starts[:-1]} <= outputs  # so that all grids are covered


def test_the_field_table_has_a_row_a_stack() -> None:
    assert field_table(STACKS[:1], 3).count("\n") == 4


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (4, 2), (7, 5), (1, 1)])
def test_the_table_of_counts_is_torchs_and_frames_the_chosen_one(kernel: int, stride: int) -> None:
    cells = re.findall(r'<td class="(even|uneven)"[^>]*?(aria-current="true")?>([^<]+)</td>', even_table(kernel, stride))
    assert len(cells) == len(KERNELS) * len(STRIDES)
    for (kind, chosen, text), (k, s) in zip(cells, itertools.product(KERNELS, STRIDES), strict=True):
        ones = torch.ones(1, 1, 1, 9), torch.ones(1, 1, 1, k)
        inner = F.conv_transpose2d(*ones, stride=(1, s))[0, 0, 0, k - 1 :][: 2 * s].int().tolist()
        low, high = min(inner), max(inner)
        assert text == (str(low) if low == high else f"{low}–{high}")
        assert kind == ("even" if low == high else "uneven")
        assert bool(chosen) == ((k, s) == (kernel, stride))


def test_bars_are_as_high_as_their_counts() -> None:
    heights = [float(height) for height in re.findall(r'class="some" style="height:([\d.]+)%', profile_bars([1, 2, 0, 4]))]
    assert heights == [25, 50, 100]
    assert profile_bars([1, 2, 0, 4]).count('class="none"') == 1
    assert counts_panel(3, 2, [1, 2]).count("<figure>") == 2


def test_it_explains_itself_with_its_own_source(page: Page) -> None:
    app = page.start()
    app.session_state[page.control("explained")] = True
    app.run()
    page.sound()
    assert any("def inner_counts(" in block.value for block in app.code)
