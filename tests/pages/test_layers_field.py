"""The Receptive field view, headlessly: presets, the palette, moves, the comparison, the question, and addresses."""

import base64
import json
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from segdemo.layerlab.stack_presets import STACKS
from segdemo.layerlab.stacks import levels, parse_stack
from segdemo.models import list_models
from segdemo.ui.layers_field_data import encoder_stages, network_data

from .layers_run import sound, started


def run(settings: str = "") -> AppTest:
    return started("field", settings)


def drawn(app: AppTest) -> dict[str, Any]:
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)  # type: ignore[no-any-return]


def texts(app: AppTest) -> str:
    return " ".join(element.value for kind in (app.markdown, app.caption, app.info, app.error) for element in kind)


@pytest.mark.parametrize("name", STACKS)
def test_every_known_stack_is_drawn_as_it_is_computed(name: str) -> None:
    app = run(f"stack:{name}")
    rows = drawn(app)["layers"]
    assert [row["field"] for row in rows] == [level.field_px for level in levels(parse_stack(STACKS[name].layers), 64, 224)]
    assert all(0 < row["held"] <= row["field"] for row in rows)
    last = rows[-1]["heat"]
    values = np.frombuffer(base64.b64decode(last["values"]), np.uint8)
    assert values.size == last["side"] ** 2 and values.max() == 255
    assert app.selectbox(key="layers_field_known").value == name


def test_two_small_kernels_against_a_large_one() -> None:
    app = run()
    said = texts(app)
    assert list(app.dataframe[0].value["Weights"]) == ["18c² = 73,728", "25c² = 102,400"]
    assert "The same field, with 28 % fewer weights than One 5×5." in said


def test_a_layer_from_the_palette_goes_on_top_and_into_the_address() -> None:
    app = run()
    app.selectbox(key="layers_field_kind").set_value("conv").run()
    app.slider(key="layers_field_conv_dilation").set_value(4).run()
    sound(app.button(key="layers_field_add").click().run())
    assert app.session_state["set"] == "stack:c3.c3.c3d4"
    assert [row["field"] for row in drawn(app)["layers"]] == [3, 5, 13]
    assert app.selectbox(key="layers_field_known").value is None
    app.selectbox(key="layers_field_kind").set_value("bilinear").run()
    sound(app.button(key="layers_field_add").click().run())
    assert app.session_state["set"] == "stack:c3.c3.c3d4.b2"


def test_what_would_grow_too_large_is_refused_with_a_sentence() -> None:
    app = run("stack:c15d32")
    app.selectbox(key="layers_field_kind").set_value("conv").run()
    app.slider(key="layers_field_conv_kernel1").set_value(11).run()
    app.slider(key="layers_field_conv_dilation").set_value(16).run()
    sound(app.button(key="layers_field_add").click().run())
    assert "beyond 512 pixels" in texts(app) and app.session_state["set"] == "stack:c15d32"


def test_a_picture_too_small_for_all_layers_shows_those_that_fit() -> None:
    app = run("stack:vgg,side:16")
    assert "does not fit" in texts(app) and 0 < len(drawn(app)["layers"]) < 18


def test_an_empty_stack_says_what_to_do() -> None:
    app = run("stack:-")
    assert "Add a layer" in texts(app) and drawn(app)["layers"] == []


def test_random_weights_are_another_picture_and_the_draw_is_in_the_address() -> None:
    pictures = {drawn(run(settings))["layers"][-1]["heat"]["values"] for settings in ("", "w:random", "w:random,seed:3")}
    assert len(pictures) == 3


@pytest.mark.parametrize("settings", ["stack:zzz", "stack:c99", "stack:t2s4", "w:none", "c:0,side:99999", "net:no,from:network"])
def test_what_is_typed_into_the_address_never_breaks_the_view(settings: str) -> None:
    run(settings)


def test_the_question_hides_the_last_field_until_it_is_answered() -> None:
    app = run("stack:pooled")
    sound(app.toggle(key="layers_field_predict").set_value(True).run())
    covered = drawn(app)
    assert covered["layers"][-1]["covered"] and covered["layers"][-1]["heat"] is None
    assert str(levels(parse_stack(STACKS["pooled"].layers), 1, 224)[-1].field_px) not in covered["layers"][-1]["says"]
    assert "38" not in texts(app)
    (key,) = (group.key for group in app.get("button_group") if "guess" in group.key)
    sound(app.button_group(key=key).set_value("38").run())
    assert "covered" not in drawn(app)["layers"][-1]


def test_the_encoder_of_a_network() -> None:
    rows = drawn(run("from:network,net:unet"))["layers"]
    assert [row["field"] for row in rows] == [5, 14, 32, 68, 140]
    assert rows[-1]["name"] == "bottleneck" and rows[-1]["jump"] == "16"


@pytest.mark.parametrize("name", [name for name in list_models() if name in ("mnist_cnn", "fcn8s", "segnet")])
def test_encoders_of_several_networks(name: str) -> None:
    data = network_data(name)
    assert data["layers"] and all(row["field"] is None or row["field"] > 0 for row in data["layers"])


def test_the_effective_field_of_a_stage_is_computed_when_it_is_asked_for() -> None:
    app = run("from:network,net:unet")
    assert "Light: the effective one" not in texts(app)
    sound(app.selectbox(key="layers_field_stage").set_value("encoder2").run())
    assert "encoder2, the mean over its channels, with weights unet/nuclei" in texts(app)
    assert "Frame: the theoretical field, 14 × 14 px (exact)" in texts(app)
    said = next(caption.value for caption in app.caption if "Light: the effective one" in caption.value)
    assert 0 < float(said.split("within ")[1].split(" ×")[0]) <= 14


def test_an_encoder_without_weights_in_the_sidebar_is_shown_untrained() -> None:
    stage = encoder_stages("encoder_decoder")[0]
    assert "with untrained weights of" in texts(run(f"from:network,net:encoder_decoder,stage:{stage}"))
