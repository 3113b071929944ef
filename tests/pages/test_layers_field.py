"""The Receptive field view, headlessly: presets, the palette, moves, the comparison, the question, and addresses."""

import base64
import json
import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from segdemo.layerlab.stack_influence import influence
from segdemo.layerlab.stack_language import parse_stack
from segdemo.layerlab.stack_levels import levels
from segdemo.layerlab.stack_presets import STACKS
from segdemo.models import list_models
from segdemo.ui.layers_field_encoder_data import EncoderStage, encoder_of, encoder_stages, network_data
from segdemo.ui.layers_field_influence import influence_drawn
from segdemo.ui.layers_field_questions import ALL, encoder_choices, stack_choices

from .layers_run import sound, started, warnings


def run(settings: str = "") -> AppTest:
    return started("field", settings)


def drawn(app: AppTest) -> dict[str, Any]:
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)  # type: ignore[no-any-return]


def texts(app: AppTest) -> str:
    return " ".join(element.value for kind in (app.markdown, app.caption, app.info, app.success, app.error) for element in kind)


@pytest.mark.parametrize("name", STACKS)
def test_every_known_stack_is_drawn_as_it_is_computed(name: str) -> None:
    app = run(f"stack:{name}")
    rows = drawn(app)["layers"]
    assert [row["field"] for row in rows] == [level.field_px for level in levels(parse_stack(STACKS[name].layers), 64, 224)]
    assert all(0 < row["held"] <= row["field"] for row in rows)
    last = rows[-1]["heat"]
    values = np.frombuffer(base64.b64decode(last["values"]), np.uint8)
    assert values.size == last["side"] and values.max() == 255  # along one axis: with equal weights the rest is their product
    assert app.selectbox(key="layers_field_known").value == name


def test_two_small_kernels_against_a_large_one() -> None:
    app = run()
    said = texts(app)
    assert list(app.table[0].value.loc["Weights, c = 64"]) == ["18c² = 73,728", "25c² = 102,400"]
    assert "The same field, with 28 % fewer weights than One 5×5." in said


def test_a_layer_from_the_palette_goes_on_top_and_into_the_address() -> None:
    app = run()
    app.selectbox(key="layers_field_kind").set_value("conv").run()
    app.number_input(key="layers_field_conv_dilation").set_value(4).run()
    sound(app.button(key="layers_field_add").click().run())
    assert app.session_state["set"] == "stack:c3.c3.c3d4"
    assert [row["field"] for row in drawn(app)["layers"]] == [3, 5, 13]
    assert app.selectbox(key="layers_field_known").value is None
    app.selectbox(key="layers_field_kind").set_value("bilinear").run()
    sound(app.button(key="layers_field_add").click().run())
    assert app.session_state["set"] == "stack:c3.c3.c3d4.b2"


def with_a_layer_too_large() -> AppTest:
    """A stack to which a layer was to be added that would see more than can be drawn."""
    app = run("stack:c15d32")
    app.selectbox(key="layers_field_kind").set_value("conv").run()
    app.number_input(key="layers_field_conv_kernel1").set_value(11).run()
    app.number_input(key="layers_field_conv_dilation").set_value(16).run()
    sound(app.button(key="layers_field_add").click().run())
    return app


def test_what_would_grow_too_large_is_refused_with_a_sentence() -> None:
    app = with_a_layer_too_large()
    assert "beyond 512 pixels" in texts(app) and app.session_state["set"] == "stack:c15d32"


def test_a_picture_too_small_for_all_layers_shows_those_that_fit() -> None:
    app = run("stack:vgg,side:16")
    assert "does not fit" in texts(app) and 0 < len(drawn(app)["layers"]) < 18


def test_every_change_of_the_stack_can_be_undone() -> None:
    app = run("stack:pooled,at:3")
    assert app.button(key="layers_field_undo").disabled
    sound(app.selectbox(key="layers_field_known").set_value("vgg").run())
    assert app.session_state["set"] == "stack:vgg" and drawn(app)["at"] == 17
    sound(app.button(key="layers_field_add").click().run())
    assert len(drawn(app)["layers"]) == 19 and drawn(app)["at"] == 18
    sound(app.button(key="layers_field_undo").click().run())
    assert app.session_state["set"] == "stack:vgg"
    sound(app.button(key="layers_field_undo").click().run())
    assert set(app.session_state["set"].split(",")) == {"stack:pooled", "at:3"} and drawn(app)["at"] == 2
    assert app.button(key="layers_field_undo").disabled


def test_a_refused_layer_leaves_nothing_to_undo() -> None:
    app = with_a_layer_too_large()
    assert app.button(key="layers_field_undo").disabled


def test_the_link_holds_the_layer_and_the_stage_that_are_looked_at() -> None:
    assert drawn(run("stack:pooled,at:2"))["at"] == 1 and drawn(run("stack:pooled"))["at"] == 6
    assert drawn(run("from:network,look:encoder2"))["at"] == 1 and drawn(run("from:network"))["at"] == 4


@pytest.mark.parametrize(("settings", "said"), [
    ("stack:pooled,at:99", "There is no layer 99: the stack has 7. The top one is shown."),
    ("at:none", "a layer or a line is named by its number, from 1."),
    ("from:network,look:bogus", "The stages of this network are called encoder1, encoder2, encoder3, encoder4 and 1 more."),
    ("from:network,net:bogus", "Networks are called mnist_cnn, autoencoder, alexnet, vgg16 and 35 more."),
    ("against:bogus", "Stacks to compare with: two_small, one_five, three_small, one_seven and 7 more."),
    (f"stack:{'c3' * 180}", "c3c3c3c3c3c3c3c3c3c3c3c… is not a layer: layers are written as c3, c3d2, m2, a3s2, t4s2, n2 or b2."),
])  # fmt: skip
def test_what_the_address_names_and_there_is_not_is_said_shortly(settings: str, said: str) -> None:
    (warning,) = warnings(run(settings))
    assert warning.endswith(said) and len(warning) < 130


def test_a_stack_with_too_many_layers_says_how_many_and_shows_the_first() -> None:
    app = run(f"stack:{'.'.join(['c3'] * 60)}")
    assert [error.value for error in app.error] == [
        "A stack can have at most 24 layers here; this one has 60. As much of it as works is shown."
    ]
    assert len(drawn(app)["layers"]) == 24


def test_costs_say_what_they_were_counted_for() -> None:
    words = drawn(run("c:8,side:100"))["words"]
    assert (words["params"], words["macs"]) == ("Weights (8\u00a0channels)", "Multiply-adds")
    assert "A picture of 100 × 100 px makes 100 × 100 units" in drawn(run("c:8,side:100"))["layers"][0]["how"][1]
    assert drawn(run("from:network"))["words"]["params"] == "Weights"


def test_an_answer_stays_while_another_layer_is_looked_at() -> None:
    app = guess(run("stack:pooled,predict:1"), "38")
    app.session_state["set"] += ",at:2"
    assert drawn(sound(app.run()))["layers"][-1]["sees"] == "38" and app.success


def test_an_empty_stack_says_what_to_do() -> None:
    app = run("stack:-")
    assert "Add a layer" in texts(app) and drawn(app)["layers"] == []


def test_the_drawing_along_one_axis_says_as_much_as_all_of_it() -> None:
    layers = parse_stack(STACKS["vgg"].layers)
    drawn = influence_drawn(layers, "equal", 0)
    along = np.frombuffer(base64.b64decode(drawn.values), np.uint8) / 255
    heat = influence(layers, "equal")
    edges = np.linspace(0, len(heat), drawn.side + 1).astype(int)
    cells = [[heat[a:b, c:d].mean() for c, d in pairwise(edges)] for a, b in pairwise(edges)]
    np.testing.assert_allclose(np.outer(along, along), np.array(cells) / np.max(cells), atol=1.5 / 255)


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
    assert "field below + (kernel − 1) · jump below. Kernel sizes are not simply added up" in app.success[0].value


def guess(app: AppTest, choice: str) -> AppTest:
    (key,) = (group.key for group in app.get("button_group") if "guess" in group.key)
    return sound(app.button_group(key=key).set_value(choice).run())


def test_the_question_of_a_stack_leaves_no_trace_of_the_answer() -> None:
    data = drawn(run("stack:pooled,predict:1"))
    assert data["total"]["sees"] == "?" and "38" not in json.dumps(data["layers"][-1])


@pytest.mark.parametrize("name", STACKS)
def test_the_sheet_of_the_question_is_the_same_for_every_stack_and_no_row_can_be_continued(name: str) -> None:
    data = drawn(run(f"stack:{name},predict:1"))
    assert data["blank"] and data["span"] == drawn(run("stack:vgg,predict:1"))["span"]
    rows = data["layers"]
    asked = rows[1:] or rows
    assert all((row["sees"], row["jump"], row["how"], row["held"], row["field"]) == ("?", "?", [], None, 1) for row in asked)
    assert all(row["heat"] is None for row in rows) and (len(rows) == 1 or rows[0]["sees"] == "3")


def test_without_a_question_the_drawing_is_as_wide_as_the_field() -> None:
    assert not drawn(run("stack:pooled"))["blank"] and drawn(run("stack:pooled"))["span"] > 38


@pytest.mark.parametrize("name", STACKS)
def test_choices_of_a_stack_differ_and_hold_the_answer(name: str) -> None:
    found = levels(parse_stack(STACKS[name].layers), 64, 224)
    choices = stack_choices(found)
    assert str(found[-1].field_px) in choices and len(choices) >= 3 and len(set(choices.values())) == len(choices)


def test_the_question_of_an_encoder_hides_its_stage_and_the_later_ones() -> None:
    app = run("from:network,net:unet,predict:1,ask:encoder3")
    rows = drawn(app)["layers"]
    assert [row["sees"] for row in rows] == ["5", "14", "?", "?", "?"] and drawn(app)["total"]["sees"] == "?"
    assert not {"32", "68", "140"} & set(re.findall(r"[0-9]+", texts(app) + " ".join(str(row["field"]) for row in rows)))
    assert "Effective field" not in [box.label for box in app.selectbox]
    guess(app, "14")
    assert "You chose 14 × 14; the answer is 32 × 32. encoder2 sees 14 px, and the windows of this stage add 18 px" in texts(app)
    assert [row["sees"] for row in drawn(app)["layers"]] == ["5", "14", "32", "68", "140"]
    assert set(app.session_state["set"].split(",")) >= {"from:network", "predict:1", "ask:encoder3"}


def test_a_right_guess_and_another_network_asks_anew() -> None:
    app = guess(run("from:network,predict:1,ask:encoder1"), "5")
    assert app.success[0].value.startswith("Right.") and "covered" not in drawn(app)["layers"][0]
    sound(app.selectbox(key="layers_field_net").set_value("nnunet").run())
    assert app.session_state["set"] == "from:network,predict:1,net:nnunet" and drawn(app)["layers"][-1]["sees"] == "?"


def test_the_link_holds_a_network_of_a_library() -> None:
    app = run("from:network")
    sound(app.selectbox(key="layers_field_net").set_value("smp.dpt").run())
    assert app.session_state["set"] == "from:network,net:smp.dpt"
    assert "DPT" in drawn(run("from:network,net:smp.dpt"))["label"] and not run("from:network,net:smp.dpt").warning


def test_a_stage_that_sees_everything_is_asked_for_as_well() -> None:
    app = guess(run("from:network,net:segformer,predict:1"), ALL)
    assert app.success and "every unit then depends on every pixel" in app.success[0].value


@pytest.mark.parametrize("name", ["unet", "autoencoder", "mnist_cnn", "segformer", "resnet152", "deeplabv3_mobilenet_v3_large"])
def test_choices_of_every_stage_differ_and_hold_the_answer(name: str) -> None:
    stages: tuple[EncoderStage, ...] = encoder_of(name)
    for at, stage in enumerate(stages):
        choices = encoder_choices(stages, at, 224)
        assert (ALL if stage.field.size is None else str(stage.field.size)) in choices
        assert len(choices) >= 3 and len(set(choices.values())) == len(choices)


def test_every_number_of_a_layer_is_explained_where_it_stands() -> None:
    data = drawn(run("stack:dilated"))["layers"][-1]
    assert data["how"][0] == "7 + (3 − 1)·4·1 = 15: field below + (kernel − 1) · dilation · jump below"
    assert data["how"][1].startswith("Jump 1: the squares of neighbouring units lie 1 px apart in the input.")
    assert "after up-sampling" in drawn(run("stack:c3.m2.t2s2"))["layers"][-1]["how"][0]


def test_the_encoder_of_a_network() -> None:
    rows = drawn(run("from:network,net:unet"))["layers"]
    assert [row["field"] for row in rows] == [5, 14, 32, 68, 140]
    assert rows[-1]["name"] == "bottleneck" and rows[-1]["jump"] == "16"


@pytest.mark.parametrize("name", ["mnist_cnn", "fcn8s", "segnet"])
def test_encoders_of_several_networks(name: str) -> None:
    assert name in list_models()
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
