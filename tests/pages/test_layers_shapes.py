"""The Shape walk, headlessly: examples, editing by controls and as text, fixes, undo, code, the question, and addresses."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from segdemo.layerlab.shape_examples import EXAMPLES
from segdemo.layerlab.shape_language import KINDS, write_token
from segdemo.layerlab.shape_reading import parse_lines
from segdemo.layerlab.shape_walk import walk
from segdemo.ui.layers_shapes_question import question_of

from .layers_run import sound, started, warnings


def run(settings: str = "") -> AppTest:
    return started("shapes", settings)


def given(app: AppTest) -> dict[str, Any]:
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)  # type: ignore[no-any-return]


def drawn(app: AppTest) -> list[dict[str, Any]]:
    return given(app)["rows"]  # type: ignore[no-any-return]


def click(app: AppTest, name: str) -> AppTest:
    return sound(app.button(key=f"layers_shapes_{name}").click().run())


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_drawn_as_it_is_computed(name: str) -> None:
    app = run(f"lines:{name}")
    found = walk(parse_lines(EXAMPLES[name].text))
    assert [row["shape"] for row in drawn(app) if "shape" in row] == [list(step.shape) for step in found.steps]
    assert [error.value for error in app.error] == (
        [f"**Line {found.problem.at + 1}**: {found.problem.sentence}"] if found.problem else []
    )


def test_the_first_lesson_is_on_screen_at_once() -> None:
    assert [row["shapeText"] for row in drawn(run())] == [
        "1 × 28 × 28", "32 × 28 × 28", "32 × 14 × 14", "64 × 14 × 14", "64 × 7 × 7", "3136", "10",
    ]  # fmt: skip


@pytest.mark.parametrize(("number", "shape"), [(0, [2, 56, 56]), (1, [2, 57, 57]), (2, [2, 56, 56])])
def test_one_click_makes_it_fit_and_undo_brings_it_back(number: int, shape: list[int]) -> None:
    app = run("lines:odd")
    click(app, f"fix{number}")
    assert not app.error and drawn(app)[-1]["shape"] == shape
    click(app, "undo")
    assert app.error and app.session_state["set"] == "lines:odd"


def test_a_line_is_changed_by_its_controls() -> None:
    app = run("line:2")
    sound(app.number_input(key="layers_shapes_number_out_2").set_value(48).run())
    sound(app.number_input(key="layers_shapes_number_p_2").set_value(0).run())
    assert [row["shapeText"] for row in drawn(app)][1:3] == ["48 × 26 × 26", "48 × 13 × 13"]
    assert "conv_48_k3_relu" in app.session_state["set"]
    sound(app.button_group(key="layers_shapes_words_2").set_value(["bn", "relu"]).run())
    assert drawn(app)[1]["text"] == "conv 48 k3 bn relu"
    sound(app.text_input(key="layers_shapes_name_2").set_value("e1").run())
    assert drawn(app)[1]["text"] == "conv 48 k3 bn relu as e1"
    sound(app.text_input(key="layers_shapes_name_2").set_value("9 lives").run())
    assert "A name is a letter" in app.error[0].value and drawn(app)[1]["text"].endswith("as e1")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "input"])
def test_a_line_becomes_any_other_kind(kind: str) -> None:
    app = run("lines:unet,line:6")
    sound(app.selectbox(key="layers_shapes_kind_6").set_value(kind).run())
    assert drawn(app)[5]["text"].startswith(kind)


def test_lines_are_added_moved_and_removed() -> None:
    app = run("line:3")
    click(app, "add")
    assert [row["text"] for row in drawn(app)][2:4] == ["maxpool k2", "conv 32 k3 p1 relu"] and "line:4" in app.session_state[
        "set"
    ]
    click(app, "up")
    assert [row["text"] for row in drawn(app)][2:4] == ["conv 32 k3 p1 relu", "maxpool k2"]
    click(app, "down")
    click(app, "remove")
    assert app.session_state["set"] == "line:3"


def test_all_lines_as_text() -> None:
    app = run("edit:text")
    area = app.text_area(key="layers_shapes_text")
    assert area.value == "input 1 28 28\nconv 32 k3 p1 relu\nmaxpool k2\nconv 64 k3 p1 relu\nmaxpool k2\nflatten\nlinear 10"
    sound(area.set_value("input 3 9 9\nconv 8\nconv 8 q").run())
    assert "Line 3" in app.error[0].value and app.text_area(key="layers_shapes_text").value.endswith(
        "conv 8 q"
    )  # nothing is lost
    sound(app.text_area(key="layers_shapes_text").set_value("input 3 9 9\nconv 8").run())
    assert [row["shapeText"] for row in drawn(app)] == ["3 × 9 × 9", "8 × 7 × 7"]
    sound(app.text_area(key="layers_shapes_text").set_value("").run())
    assert "no lines yet" in app.error[0].value
    click(app, "fix0")
    assert drawn(app)[0]["shapeText"] == "3 × 64 × 64"


def test_undo_of_a_text_that_cannot_be_read_brings_back_the_last_that_could() -> None:
    app = run("edit:text")
    sound(app.text_area(key="layers_shapes_text").set_value("input 3 9 9").run())
    sound(app.text_area(key="layers_shapes_text").set_value("input 3 9 9\nconv 8 =a").run())
    click(app, "undo")
    assert app.text_area(key="layers_shapes_text").value == "input 3 9 9" and not app.error and not given(app)["stale"]
    click(app, "undo")
    assert app.text_area(key="layers_shapes_text").value.startswith("input 1 28 28")


def test_undo_brings_back_the_network_and_the_line_that_was_looked_at() -> None:
    app = run("line:7")
    click(app, "remove")
    assert len(drawn(app)) == 6 and given(app)["chosen"] == 5
    sound(app.selectbox(key="layers_shapes_known").set_value("residual").run())
    assert given(app)["chosen"] == 0 and len(drawn(app)) == 14
    click(app, "undo")
    assert given(app)["chosen"] == 5 and len(drawn(app)) == 6
    click(app, "undo")
    assert app.session_state["set"] == "line:7" and app.button(key="layers_shapes_undo").disabled and not warnings(app)


def test_a_fix_that_takes_the_last_line_away_moves_to_the_line_before() -> None:
    token = write_token(parse_lines("input 1 4 4\nconv 2 k9"))
    app = run(f"lines:{token},line:2")
    click(app, f"fix{len(walk(parse_lines('input 1 4 4' + chr(10) + 'conv 2 k9')).problem.fixes) - 1}")  # type: ignore[union-attr]
    assert len(drawn(app)) == 1 and given(app)["chosen"] == 0 and not warnings(app)


def test_a_line_that_there_is_not_is_said() -> None:
    app = run("line:99")
    assert warnings(app) == ["There is no line 99: the network has 7. The last one is shown."] and given(app)["chosen"] == 6


def test_nothing_is_asked_while_the_text_cannot_be_read() -> None:
    app = run("edit:text,predict:1")
    assert any("guess" in group.key for group in app.get("button_group"))
    sound(app.text_area(key="layers_shapes_text").set_value("input 1 28 28\nconv 8 =a").run())
    assert not any("guess" in group.key for group in app.get("button_group"))
    assert drawn(app)[-1]["covered"] and given(app)["stale"]  # nor told
    sound(app.text_area(key="layers_shapes_text").set_value("input 1 28 28\nconv 8").run())
    assert any("guess" in group.key for group in app.get("button_group"))


def test_an_answer_stays_while_another_line_is_looked_at() -> None:
    app = run("predict:1")
    (key,) = (group.key for group in app.get("button_group") if "guess" in group.key)
    sound(app.button_group(key=key).set_value("3136").run())
    app.session_state["set"] += ",line:3"
    assert "covered" not in drawn(sound(app.run()))[-1] and app.success


def test_what_cannot_be_read_stays_said_and_the_drawing_stale_until_it_can() -> None:
    app = run("edit:text")
    sound(app.text_area(key="layers_shapes_text").set_value("input 3 9 9\nconv 8 =a").run())
    for _again in range(2):
        assert "conv does not know “=a”" in app.error[0].value
        assert given(app)["stale"] and given(app)["words"]["stale"] == "The last network that could be read"
        sound(app.run())
    sound(app.text_area(key="layers_shapes_text").set_value("input 3 9 9\nconv 8").run())
    assert not app.error and not given(app)["stale"]
    click(app, "undo")
    assert app.text_area(key="layers_shapes_text").value.startswith("input 1 28 28")


def test_a_refused_name_leaves_the_drawing_as_it_is() -> None:
    app = run("line:2")
    sound(app.text_input(key="layers_shapes_name_2").set_value("9 lives").run())
    assert app.error and not given(app)["stale"]


@pytest.mark.parametrize("name", [name for name in EXAMPLES if not name.startswith(("odd", "count"))])
def test_nothing_that_is_sent_tells_the_covered_shape(name: str) -> None:
    app = run(f"lines:{name},predict:1")
    question = question_of(walk(parse_lines(EXAMPLES[name].text)))
    assert question is not None
    if question.whole:
        for row in drawn(app)[question.at :]:
            assert "shape" not in row and "note" not in row
            assert {row[key] for key in ("shapeText", "params", "memory", "macs", "sees", "says")} == {"?"}
    else:
        row = drawn(app)[question.at]
        assert row["params"] == row["macs"] == given(app)["total"]["params"] == given(app)["total"]["macs"] == "?"
        assert not row["note"] and question.choices[question.answer] not in json.dumps(drawn(app))
    (group,) = (group for group in app.get("button_group") if "guess" in group.key)
    assert len(set(group.options)) == len(group.options) >= 2


def test_the_question_hides_the_length_of_the_list_and_what_follows_from_it() -> None:
    app = run()
    sound(app.toggle(key="layers_shapes_predict").set_value(True).run())
    assert [row.get("covered", False) for row in drawn(app)] == [False] * 5 + [True] * 2
    assert "3136" not in json.dumps(given(app)) and "31,370" not in json.dumps(given(app))
    (key,) = (group.key for group in app.get("button_group") if "guess" in group.key)
    sound(app.button_group(key=key).set_value("3136").run())
    assert "covered" not in drawn(app)[-1] and drawn(app)[-1]["params"] == "31,370"
    said = app.success[0].value
    assert "64·7·7 = 3136" in said and "3136·10 weights + 10 biases = 31,370" in said and said.startswith("Right.")


@pytest.mark.parametrize(("text", "at", "answer", "why"), [
    (EXAMPLES["unet"].text, 28, "128-256-256", "64 + 64 = 128"),
    (EXAMPLES["paper"].text, 30, "64-388-388", "⌊(input 390 + 2·padding 0 − kernel 3) / stride 1⌋ + 1 = 388"),
    (EXAMPLES["residual"].text, 13, "1290", "128·10 weights + 10 biases = 1,290"),
    ("input 1 28 28\nmaxpool k2\nflatten\nlinear 10 in196", 3, "1970", "196·10 weights + 10 biases = 1,970"),
    ("input 3 9 9\nconv 8 p1 bn", 1, "240", "3·8·3·3 weights + 8 biases + 16 of the batch norm"),
    ("input 8 9 9\nconv 8 p1 g4 nobias", 1, "144", "2·8·3·3 weights = 144"),
    ("input 3 9 9\nmaxpool k2\nrelu", 1, "3-4-4", "The channels stay"),
])  # fmt: skip
def test_what_is_asked_has_to_be_worked_out(text: str, at: int, answer: str, why: str) -> None:
    question = question_of(walk(parse_lines(text)))
    assert question is not None
    assert (question.at, question.answer) == (at, answer) and why in question.why
    assert answer in question.choices and len(set(question.choices.values())) == len(question.choices) >= 3


def test_lines_that_say_everything_are_not_asked_about() -> None:
    assert question_of(walk(parse_lines("input 3 9 9\nrelu"))) is None
    assert not any(
        "guess" in group.key for group in run(f"lines:{write_token(parse_lines('input 3 9 9'))},predict:1").get("button_group")
    )


def test_the_legend_names_the_input_and_says_what_height_means_for_a_list() -> None:
    said = [item["text"] for item in given(run())["legend"]]
    assert said[0] == "input" and said[-1] == "list: height grows with its length"
    assert given(run("lines:residual"))["legend"][0]["text"] == "input, or same shape as before"
    assert not any(item["text"].startswith("list") for item in given(run("lines:unet"))["legend"])


@pytest.mark.parametrize("settings", ["lines:zzz", "lines:conv_3", "line:99", "line:0", "line:x", "lines:-", "edit:no"])
def test_what_is_typed_into_the_address_never_breaks_the_view(settings: str) -> None:
    run(settings)


def test_a_link_restores_a_network_of_ones_own() -> None:
    token = write_token(parse_lines("input 3 9 9 as a\nconv 3 k3 p1\nadd a"))
    assert [row["text"] for row in drawn(run(f"lines:{token},line:3"))] == ["input 3 9 9 as a", "conv 3 k3 p1", "add a"]
