"""The normalise view, headlessly: its four parts, train against evaluation, what stands in the address, the questions."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import ButtonGroup

from segdemo.layerlab.activations import ACTIVATIONS
from segdemo.layerlab.softmax_scene import CLASS_TINTS
from segdemo.ui import layers_colours
from segdemo.ui.layers_normalise_figures import activation_figure, temperature_figure

from .layers_run import sound, started, warnings

pytestmark = pytest.mark.usefixtures("one_thread")


def run(settings: str = "") -> AppTest:
    return started("normalise", settings)


def kept(app: AppTest) -> Mapping[str, str]:
    return dict(pair.split(":") for pair in app.session_state["set"].split(",") if pair)


def texts(app: AppTest) -> str:
    return " ".join(element.value for kind in (app.markdown, app.caption, app.info, app.success) for element in kind)


def question(app: AppTest) -> ButtonGroup:
    return next(group for group in app.button_group if str(group.key).startswith("layers_normalise_guess"))


@pytest.mark.parametrize(("kind", "means"), [("batch", 4), ("instance", 12), ("layer", 3), ("group", 6)])
def test_how_many_means_there_are_can_be_guessed(kind: str, means: int) -> None:
    app = run(f"kind:{kind}" if kind != "batch" else "")
    assert not warnings(app)
    sound(app.toggle(key="layers_normalise_predict").set_value(True).run())
    sound(question(app).set_value(str(means)).run())
    assert "Right." in texts(app)


def test_only_batch_normalisation_has_two_modes_and_evaluation_shows_how_the_running_values_grow() -> None:
    app = run("mode:eval,seen:3,m:50")
    assert len(app.get("plotly_chart")) == 2
    assert "come **88%** of the way in 3 batches" in texts(app)
    sound(app.selectbox(key="layers_normalise_kind").set_value("layer").run())
    assert not app.get("plotly_chart") and not warnings(app)
    assert kept(app) == {"mode": "eval", "seen": "3", "m": "50", "kind": "layer"}
    with pytest.raises(KeyError):
        app.slider(key="layers_normalise_m")


def test_groups_that_no_longer_divide_become_ones_that_do() -> None:
    app = run("kind:group,g:4")
    sound(app.slider(key="layers_normalise_c").set_value(5).run())
    assert any("Groups must divide the number of channels, 5." in warning for warning in warnings(app))
    assert "g" not in kept(app) and app.segmented_control(key="layers_normalise_g").value == "1"


def test_every_size_of_a_batch_can_be_shown() -> None:
    for settings in (
        "pictures:1,c:1,n:2",
        "pictures:4,c:6,kind:instance",
        "pictures:4,c:4,n:3",
        "of:loud,kind:layer",
        "of:bright,kind:instance",
    ):
        assert not warnings(run(settings))


def test_larger_maps_leave_room_for_fewer_channels_and_the_page_says_so() -> None:
    assert warnings(run("n:3,c:6")) == ["Channels C is now 4 instead of 6. With 3×3 cells there is room for 4 channels."]


def test_activations_are_chosen_in_the_address_and_read_off_at_x() -> None:
    app = run("part:activations,f:relu.sigmoid,at:0")
    assert app.dataframe[0].value.iloc[:, 0].tolist() == ["ReLU", "Sigmoid"]
    assert app.dataframe[0].value["Value at x = 0"].tolist() == ["0", "0.5"]
    assert app.dataframe[0].value["Gradient there"].tolist() == ["0", "0.25"]
    pills = next(group for group in app.button_group if group.key == "layers_normalise_f")
    sound(pills.set_value([]).run())
    assert kept(app)["f"] == "none" and not app.dataframe
    app = run("part:activations,f:swish")
    assert "Not one of them: swish" in warnings(app)[0]
    assert len(app.dataframe[0].value) == 4


def test_leaky_slope() -> None:
    app = run("part:activations,f:leaky_relu,at:-2,slope:0.25")
    assert app.dataframe[0].value["Value at x = −2"].tolist() == ["−0.5"]


def test_softmax_keeps_its_logits_in_one_setting() -> None:
    app = run("part:softmax")
    sound(app.slider(key="layers_normalise_z1").set_value(-3.0).run())
    assert kept(app) == {"part": "softmax", "z": "2_-3_-1"}
    app = run("part:softmax,z:99_0_0,t:0.1")
    assert app.slider(key="layers_normalise_z0").value == 6
    assert len(app.get("plotly_chart")) == 1
    assert any("6 instead of 99" in warning for warning in warnings(app))


@pytest.mark.parametrize("settings", ["part:dropout,p:0.9,seed:99", "part:dropout,p:0", "part:dropout,dropping:eval,draws:500"])
def test_dropout_in_both_modes(settings: str) -> None:
    app = run(settings)
    assert ("The more draws" in texts(app)) == ("eval" not in settings)


@pytest.mark.parametrize(("part", "answer"), [("activations", "4"), ("softmax", "down"), ("dropout", "twice")])
def test_every_part_asks_and_explains(part: str, answer: str) -> None:
    app = run(f"part:{part}")
    sound(app.toggle(key="layers_normalise_predict").set_value(True).run())
    assert "Right." not in texts(app)
    sound(question(app).set_value(answer).run())
    assert "Right." in texts(app)


@pytest.mark.parametrize(("part", "answer", "tells"), [
    ("norm", "4", "the same tint"), ("softmax", "down", "more equal"), ("dropout", "twice", "scaled up"),
])  # fmt: skip
def test_what_a_question_asks_is_said_only_after_it(part: str, answer: str, tells: str) -> None:
    app = run(f"part:{part},predict:1")
    assert tells not in texts(app)
    sound(question(app).set_value(answer).run())
    assert tells in texts(app)


@pytest.mark.parametrize("settings", ["", "mode:eval", "kind:group,g:2"])
def test_no_tooltip_answers_the_question(settings: str) -> None:
    def helps(app: AppTest) -> str:
        return " ".join(str(control.help) for kind in (app.selectbox, app.slider, app.segmented_control) for control in kind)

    tells = ("over all pictures", "the running ones", "1 is layer normalisation")
    assert any(words in helps(run(settings)) for words in tells)
    assert not any(words in helps(run(f"{settings},predict:1".lstrip(","))) for words in tells)


def test_a_class_has_one_colour_in_cells_and_chart() -> None:
    scripts = " ".join(path.read_text() for path in (Path(layers_colours.__file__).parent / "components").glob("cells*.js"))
    drawn = re.findall(r"#[0-9a-f]{6}", re.search(r"const TINTS = \[(.*?)\]", scripts)[1])  # type: ignore[index]
    assert {number: drawn[number] for number in CLASS_TINTS} == {n: colour.lower() for n, colour in layers_colours.TINTS.items()}
    figure = temperature_figure(np.array([2.0, 1.0, -1.0]), 1.0)
    assert [line.line.color for line in figure.data] == [layers_colours.TINTS[number] for number in CLASS_TINTS]


def test_no_activation_hides_another() -> None:
    for gradient in (False, True):
        figure = activation_figure(list(ACTIVATIONS), 0.1, 1.0, gradient)
        lines, rings = figure.data[::2], figure.data[1::2]
        assert len({(line.line.color, line.line.dash) for line in lines}) == 5
        assert [line.name for line in lines if line.line.dash != "solid"] == ["LeakyReLU", "GELU"]
        assert len({ring.marker.size for ring in rings}) == 5 and {ring.marker.symbol for ring in rings} == {"circle-open"}
    assert len(activation_figure([], 0.1, 1.0, False).data) == 0


def test_how_the_batch_is_laid_out_is_said_for_wide_and_narrow_screens() -> None:
    said = texts(run())
    assert "Each row is a picture and each column a channel." in said


def test_a_number_that_cannot_be_read_is_said() -> None:
    assert "is not a number such as 0.5" in warnings(run("part:softmax,t:hot"))[0]
