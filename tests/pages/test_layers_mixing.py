"""The 1×1 view, headlessly: its three parts, what stands in the address, and questions that hide the answer."""

from collections.abc import Mapping

import pytest
from streamlit.testing.v1 import AppTest

from segdemo.layerlab.block_counts import block_at

from . import layers_run
from .layers_run import started, warnings

pytestmark = pytest.mark.usefixtures("one_thread")


def run(settings: str = "") -> AppTest:
    return sound(started("mixing", settings))


def sound(app: AppTest) -> AppTest:
    assert not warnings(layers_run.sound(app)), warnings(app)
    return app


def kept(app: AppTest) -> Mapping[str, str]:
    return dict(pair.split(":") for pair in app.session_state["set"].split(",") if pair)


def texts(app: AppTest) -> str:
    return " ".join(element.value for kind in (app.markdown, app.caption, app.info, app.success) for element in kind)


def test_it_opens_on_mixing_and_a_slider_writes_the_address() -> None:
    app = run()
    assert "looks at one pixel" in texts(app)
    sound(app.slider(key="layers_mixing_ci").set_value(3).run())
    sound(app.toggle(key="layers_mixing_bias").set_value(True).run())
    assert kept(app) == {"ci": "3", "bias": "1"}
    sound(app.slider(key="layers_mixing_ci").set_value(4).run())
    assert kept(app) == {"bias": "1"}


def test_settings_of_another_part_are_kept_without_a_word() -> None:
    app = run("part:counts,c:32,ci:2,way:backward,on:picture")
    assert kept(app) == {"part": "counts", "c": "32", "ci": "2", "way": "backward", "on": "picture"}
    assert app.slider(key="layers_mixing_c").value == 32


def test_what_this_view_does_not_know_is_said() -> None:
    app = started("mixing", "stride:2,ci:9")
    assert warnings(app) == ["Input channels is now 6 instead of 9. This view has no setting stride."]
    assert kept(app) == {"ci": "6"}


def test_on_the_picture_a_mix_of_colours_says_what_it_is() -> None:
    app = run("on:picture,colours:opponents")
    assert "**Opponent colours**: Two filters" in texts(app)
    app = run("on:picture,m:1_2_3")
    assert "Your own weights." in texts(app)


def test_counts_are_those_of_the_blocks() -> None:
    app = run("part:counts,c:10,size:7")
    table = app.dataframe[0].value
    assert table["Weights"].tolist() == ["2,500", "1,800"]
    assert table["Multiply-adds at 7×7"].tolist() == ["122 k", "88.2 k"]
    assert table["Sees"].tolist() == ["5×5", "5×5"]
    assert "28% fewer weights" in texts(app)
    app = run("part:counts,pair:blocks,wide:1,c:64")
    assert app.dataframe[0].value["Weights"].tolist() == ["73,728", "69,632", f"{block_at('plain_wide', 64).weights:,}"]


def test_a_prediction_hides_the_bars_until_it_is_made() -> None:
    app = run("part:counts")
    assert len(app.get("plotly_chart")) == 2
    sound(app.toggle(key="layers_mixing_predict").set_value(True).run())
    assert len(app.get("plotly_chart")) == 1 and not app.dataframe
    question = next(group for group in app.button_group if str(group.key).startswith("layers_mixing_guess"))
    sound(question.set_value("one").run())
    assert len(app.get("plotly_chart")) == 2
    assert "the answer is Two 3×3. 2·9·64² = 73,728 < 25·64² = 102,400" in texts(app)


@pytest.mark.parametrize(
    ("settings", "tells"),
    [
        ("part:counts", "18c²"),
        ("part:counts,pair:blocks", "17c²"),
        ("part:residual", "is the identity"),
        ("part:residual", "Many layers in a row"),
    ],
)
def test_what_a_question_asks_is_not_said_before_it(settings: str, tells: str) -> None:
    assert tells in texts(run(settings))
    assert tells not in texts(run(f"{settings},predict:1"))


def test_residual_without_branch_is_the_identity_in_both_directions() -> None:
    app = run("part:residual,branch:0")
    assert "**y is x**" in texts(app)
    app = run("part:residual,branch:0,way:backward")
    assert "**∂L/∂x is ∂L/∂y**" in texts(app)


def test_gradients_of_many_layers_are_said_in_numbers() -> None:
    app = run("part:residual,depth:2,slope:-0.5")
    assert "−0.5ⁿ = **0.25** without identity" in texts(app)
    sound(app.slider(key="layers_mixing_slope").set_value(1.0).run())
    assert kept(app)["slope"] == "1"
    assert "= **4** with it" in texts(app)
