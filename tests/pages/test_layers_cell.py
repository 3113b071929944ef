"""The cell at which a theatre of the Layers page stands still: in the address, checked, and gone where it no longer exists."""

import pytest

from .layers_run import Page, warnings


@pytest.fixture
def pooling(monkeypatch: pytest.MonkeyPatch) -> Page:
    return Page(monkeypatch, "pooling")


def test_a_link_gives_the_theatre_its_cell(pooling: Page) -> None:
    app = pooling.start("n:4,cell:output0.1.1.growing")
    assert pooling.scene["cell"] == "output0.1.1.growing"
    assert pooling.address() == {"n:4", "cell:output0.1.1.growing"}
    assert not warnings(app)


@pytest.mark.parametrize("cell", ["output0.2.0", "output7.0.0", "input0.0.4"])
def test_a_cell_that_is_not_there_is_dropped_with_a_sentence(pooling: Page, cell: str) -> None:
    app = pooling.start(f"n:4,cell:{cell}")
    assert pooling.scene["cell"] == ""
    assert pooling.address() == {"n:4"}
    assert cell in warnings(app)[0]


@pytest.mark.parametrize("cell", ["output0", "output0.1", "output0.1.1.1", "output0.-1.0", "1"])
def test_what_is_no_cell_is_said(pooling: Page, cell: str) -> None:
    app = pooling.start(f"cell:{cell}")
    assert pooling.scene["cell"] == "" and pooling.address() == set()
    assert "such as output0.2.3" in warnings(app)[0]


def test_a_cell_stays_while_it_exists_and_then_goes_silently(pooling: Page) -> None:
    app = pooling.start("cell:output0.2.2")
    app.slider(key=pooling.control("k")).set_value(1).run()
    assert pooling.scene["cell"] == "output0.2.2"
    app.slider(key=pooling.control("n")).set_value(4).run()
    assert pooling.scene["cell"] == "" and not any("cell:" in pair for pair in pooling.address())
    assert not warnings(pooling.sound())


def test_the_browser_tells_where_it_stands(pooling: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    import streamlit as st

    told = {"cell": "output0.1.0"}
    monkeypatch.setattr(
        "segdemo.ui.layers_frame.cell_theatre",
        lambda **given: (st.session_state.setdefault(given["key"], {"stood": told}), given["on_stood_change"]()),
    )
    pooling.start()
    assert pooling.address() == {"cell:output0.1.0"}
    told["cell"] = "nonsense,x:9"
    pooling.sound().run()
    assert pooling.address() == {"cell:output0.1.0"}
    told["cell"] = ""
    pooling.sound().run()
    assert pooling.address() == set()


def test_views_without_a_theatre_have_no_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(monkeypatch, "shapes")
    assert "no setting cell" in warnings(page.start("cell:output0.1.1"))[0]


def test_another_cell_does_not_ask_the_question_again(pooling: Page) -> None:
    app = pooling.start("predict:1")
    before = [group.key for group in app.button_group]
    pooling.start("predict:1,cell:output0.1.1")
    assert [group.key for group in pooling.sound().button_group] == before
