"""Spoil the mask, headlessly: every control, every ready scene, masks and messages that are wrong, and what is kept."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from segdemo.losses import LOSSES
from segdemo.losslab.damage import Damage
from segdemo.losslab.stories import STORIES
from segdemo.losslab.strokes import Stroke, run_lengths
from segdemo.losslab.truths import SCENE_SIZE, scene
from segdemo.ui import losses_spoil_strokes
from segdemo.ui.losses_spoil_charts import changes_figure, sweep_figure
from segdemo.ui.losses_spoil_measured import case_of
from segdemo.ui.losses_spoil_pictures import errors_of
from segdemo.ui.losses_spoil_strokes import take_operations

from .app_run import sound

pytestmark = pytest.mark.usefixtures("one_thread")
Png = Callable[[np.ndarray], bytes]


def page() -> None:
    import streamlit as st

    from segdemo.ui.losses_spoil import show_spoil

    if st.toggle("Elsewhere", key="elsewhere"):
        st.write("Another page.")
    else:
        show_spoil()


def run() -> AppTest:
    return sound(AppTest.from_function(page, default_timeout=60).run())


def texts(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.error, app.warning, app.info)
    return " ".join(element.value for kind in kinds for element in kind)


def scores(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def group(app: AppTest, name: str) -> AppTest:
    return sound(app.segmented_control(key="spoil_group").set_value(name).run())


def test_the_page_opens_on_a_spoiled_mask() -> None:
    app = run()
    assert 0.6 < float(scores(app)["Dice"]) < 0.8
    assert set(scores(app)) == {"Dice", "IoU", "Precision", "Recall", "Boundary F1", "Accuracy"}
    assert not app.error and not app.warning


MOVED = [
    ("move", "slider", "dx", 20), ("move", "slider", "dy", -12), ("move", "slider", "angle", 90),
    ("shape", "slider", "grow", -4), ("shape", "slider", "grow", 6), ("shape", "slider", "blur", 6.0),
    ("shape", "select_slider", "salt", 0.1), ("objects", "slider", "drop", 9), ("objects", "slider", "add", 5),
]  # fmt: skip


@pytest.mark.parametrize(("opened", "kind", "name", "value"), MOVED)
def test_every_damage_lowers_the_score_and_is_taken_back(opened: str, kind: str, name: str, value: float) -> None:
    app = run()
    sound(app.button(key="spoil_reset").click().run())
    assert scores(app)["Dice"] == "1.000"
    group(app, opened)
    widget = getattr(app, kind)(key=f"spoil_{name}")
    sound(widget.set_value(value).run())
    assert float(scores(app)["Dice"]) < 0.99
    sound(app.button(key="spoil_reset").click().run())
    assert scores(app)["Dice"] == "1.000"


def test_groups_keep_what_was_set_in_the_others() -> None:
    app = run()
    sound(app.slider(key="spoil_dx").set_value(17).run())
    for name in ("shape", "objects", "sure", "move"):
        group(app, name)
    assert app.slider(key="spoil_dx").value == 17


def test_certainty_moves_losses_but_no_score() -> None:
    app = group(run(), "sure")
    before = scores(app)
    for name, value in (("right", 0.7), ("wrong", 0.9999), ("temperature", 4.0)):
        sound(app.select_slider(key=f"spoil_{name}").set_value(value).run())
        assert scores(app) == before


def test_largest_first_drops_more_area() -> None:
    app = run()
    sound(app.button(key="spoil_reset").click().run())
    group(app, "objects")
    sound(app.slider(key="spoil_drop").set_value(8).run())
    smallest = float(scores(app)["Recall"])
    sound(app.toggle(key="spoil_largest_first").set_value(True).run())
    assert float(scores(app)["Recall"]) < smallest


@pytest.mark.parametrize("name", STORIES)
def test_a_story_is_one_click_and_is_told_while_it_is_true(name: str) -> None:
    app = run()
    sound(app.button(key=f"story_{name}").click().run())
    story = STORIES[name]
    assert story.text in texts(app)
    assert app.session_state["spoil_losses"] == [loss for loss in LOSSES if loss in story.losses]
    assert app.segmented_control(key="spoil_below").value == story.below
    group(app, "move")
    sound(app.slider(key="spoil_dy").set_value(9).run())
    assert story.text not in texts(app)


@pytest.mark.parametrize(
    "key", ["nuclei-fluorescence", "shapes", "shapes-dense", "disc", "tiny", "rare", "empty", "painted", "uploaded"]
)
def test_every_ground_truth_can_be_spoiled(key: str) -> None:
    app = run()
    sound(app.selectbox(key="spoil_truth").set_value(key).run())
    for name in ("shape", "objects", "sure", "move"):
        group(app, name)
    for below in ("sweep", "policies", "gradients"):
        sound(app.segmented_control(key="spoil_below").set_value(below).run())


def test_more_objects_than_there_are_are_not_dropped() -> None:
    app = group(run(), "objects")
    sound(app.slider(key="spoil_drop").set_value(30).run())
    sound(app.selectbox(key="spoil_truth").set_value("rare").run())
    assert app.slider(key="spoil_drop").value == 3
    assert scores(app)["Recall"] == "0.000"


def test_all_losses_and_all_their_options() -> None:
    app = run()
    sound(app.pills(key="spoil_losses").set_value(list(LOSSES)).run())
    for name, value in (("gamma", 4.0), ("focal_alpha", 0.5), ("alpha", 1.0), ("beta", 0.2), ("smooth", 20.0)):
        sound(app.slider(key=f"spoil_knob_{name}").set_value(value).run())
    for policy in ("skip", "zero", "one", "smooth"):
        sound(app.selectbox(key="spoil_knob_empty").set_value(policy).run())
    sound(app.toggle(key="spoil_log").set_value(True).run())
    sound(app.pills(key="spoil_losses").set_value([]).run())
    assert "Choose a loss" in texts(app)
    for below in ("sweep", "policies"):
        sound(app.segmented_control(key="spoil_below").set_value(below).run())


def test_gradient_maps_of_chosen_losses() -> None:
    app = run()
    sound(app.multiselect(key="spoil_maps").set_value(["lovasz", "ms_ssim", "boundary", "cross_entropy"]).run())
    sound(app.toggle(key="spoil_root").set_value(True).run())
    sound(app.multiselect(key="spoil_maps").set_value([]).run())
    assert "Choose a loss to see where it pulls" in texts(app)


@pytest.mark.parametrize("axis", ["dx", "dy", "angle", "grow", "drop", "add", "salt", "blur", "temperature", "size", "imbalance"])
def test_every_sweep(axis: str) -> None:
    app = run()
    sound(app.pills(key="spoil_losses").set_value(["bce", "dice"]).run())
    sound(app.segmented_control(key="spoil_below").set_value("sweep").run())
    sound(app.selectbox(key="spoil_axis").set_value(axis).run())
    sound(app.toggle(key="spoil_scale").set_value(True).run())
    if axis in ("size", "imbalance"):
        sound(app.segmented_control(key="spoil_quantity").set_value("gradient").run())
    if axis == "imbalance":
        sound(app.slider(key="spoil_missed").set_value(100).run())


def test_policies_matter_where_there_is_nothing_and_that_is_one_click_away() -> None:
    app = run()
    sound(app.segmented_control(key="spoil_below").set_value("policies").run())
    assert "only where there is nothing to find" in texts(app)
    sound(app.button(key="spoil_to_empty").click().run())
    table = app.dataframe[0].value
    assert table.iloc[1].tolist() == ["Dice loss", "loss of the prediction above", "0.999", "0.000", "0.000", "1.000"]


def test_settings_stay_while_the_visitor_is_elsewhere() -> None:
    app = run()
    sound(app.slider(key="spoil_dx").set_value(31).run())
    group(app, "shape")
    sound(app.pills(key="spoil_losses").set_value(["iou", "boundary"]).run())
    app.session_state["spoil_strokes"] = {"nuclei-stained": {"prediction": (stroke(np.ones(SCENE_SIZE, bool)),)}}
    sound(app.run())
    before = scores(app)
    assert before["Recall"] == "1.000"
    sound(app.toggle(key="elsewhere").set_value(True).run())
    sound(app.toggle(key="elsewhere").set_value(False).run())
    assert scores(app) == before
    assert app.session_state["spoil_losses"] == ["iou", "boundary"]
    group(app, "move")
    assert app.slider(key="spoil_dx").value == 31


# ---- masks and strokes ------------------------------------------------------------------------------------------------


def upload(app: AppTest, data: bytes, name: str = "mask.png") -> AppTest:
    return sound(app.file_uploader(key="spoil_upload").set_value((name, data, "image/png")).run())


def test_an_uploaded_mask_is_spoiled_and_a_wrong_one_loses_nothing(png: Png) -> None:
    app = run()
    sound(app.selectbox(key="spoil_truth").set_value("uploaded").run())
    assert "Until you choose a mask" in texts(app)
    mask = np.zeros((400, 300), np.uint8)
    mask[100:300, 100:200] = 2
    mask[:10] = 255
    upload(app, png(mask))
    assert "Reduced from 300 × 400 pixels" in texts(app) and "255" in texts(app)
    good = scores(app)
    for data, word in (
        (b"no picture", "not a picture"),
        (png(np.random.default_rng(0).integers(0, 255, (9, 9, 3), np.uint8)), "colours"),
    ):
        upload(app, data, "wrong.png")
        assert any(word in error.value for error in app.error), [error.value for error in app.error]
        assert scores(app) == good
    upload(app, png(np.zeros((30, 30), np.uint8)))
    assert not app.error and scores(app)["Recall"] == "–"


def stroke(covered: np.ndarray, adds: bool = True) -> Stroke:
    return Stroke(adds, covered.shape, np.packbits(covered))


def test_a_painted_truth_is_predicted() -> None:
    app = run()
    sound(app.selectbox(key="spoil_truth").set_value("painted").run())
    assert scores(app)["Dice"] == "–"
    covered = np.zeros(SCENE_SIZE, bool)
    covered[40:80, 40:120] = True
    app.session_state["spoil_strokes"] = {"painted": {"truth": (stroke(covered),)}}
    sound(app.run())
    assert 0.9 < float(scores(app)["Dice"]) < 1  # shifted by 4 of 80 pixels


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    monkeypatch.setattr(losses_spoil_strokes.st, "session_state", kept)
    return kept


def paint(n: int, covered: np.ndarray | None = None, **more: object) -> dict[str, object]:
    runs = run_lengths(np.ones((4, 6), bool) if covered is None else covered)
    return {"n": n, "op": "stroke", "panel": "prediction", "mode": "add", "runs": runs, **more}


def report(*ops: object, client: object = "a", scene_key: str = "disc") -> None:
    take_operations({"client": client, "scene": scene_key, "ops": list(ops)}, "disc", (4, 6), ("prediction",))


def count(scene_key: str = "disc", panel: str = "prediction") -> int:
    return len(losses_spoil_strokes.strokes_of(scene_key, panel))


def test_operations_are_carried_out_once_and_in_order(session: dict[str, Any]) -> None:
    report(paint(1))
    report(paint(1), paint(2))  # the first comes again, as the browser had no answer yet
    assert count() == 2
    report(paint(1, mode="erase"), paint(2), {"n": 3, "op": "undo", "panel": "prediction"})
    assert count() == 1
    report(paint(1), client="b")  # the page was opened again
    assert count() == 2
    report({"n": 2, "op": "clear", "panel": "prediction"}, client="b")
    assert count() == 0
    report({"n": 3, "op": "undo", "panel": "prediction"}, client="b")
    assert count() == 0 and losses_spoil_strokes.PROBLEM_KEY not in session
    report(paint(4), client="b", scene_key="rare")  # of a picture that is no longer shown
    assert count() == 0 and losses_spoil_strokes.acknowledged() == {"client": "b", "n": 4}


@pytest.mark.parametrize("message", [
    None, 3, "paint", [], {}, {"client": "a", "ops": "all"}, {"client": 1, "ops": []}, {"client": "a" * 99, "ops": []},
    {"client": "a", "ops": [{"op": "clear"}]}, {"client": "a", "ops": [{"n": True}]}, {"client": "a", "ops": [{"n": -1}]},
    {"client": "a", "ops": [{"n": 2**40}]}, {"client": "a", "ops": [{"n": 1}] * 999}, {"client": "a", "ops": [None]},
])  # fmt: skip
def test_a_message_made_by_hand_is_a_sentence_and_loses_nothing(session: dict[str, Any], message: object) -> None:
    report(paint(1))
    take_operations(message, "disc", (4, 6), ("prediction",))
    assert "cannot be read" in session[losses_spoil_strokes.PROBLEM_KEY]
    assert count() == 1
    report(paint(2))
    assert count() == 2


@pytest.mark.parametrize("wrong", [{"runs": [7]}, {"runs": None}, {"mode": "burn"}, {"op": "explode"}, {"op": None},
                                   {"panel": "truth"}, {"panel": ["prediction"]}, {"panel": None}])  # fmt: skip
def test_one_wrong_operation_does_not_stop_the_next(session: dict[str, Any], wrong: dict[str, object]) -> None:
    report({**paint(1), **wrong}, paint(2))
    assert "nothing was painted" in session[losses_spoil_strokes.PROBLEM_KEY]
    assert count() == 1 and not count(panel="truth")


def test_the_session_holds_few_scenes(session: dict[str, Any]) -> None:
    for k in range(30):
        take_operations({"client": "a", "scene": str(k), "ops": [paint(k + 1)]}, str(k), (4, 6), ("prediction",))
    assert len(session[losses_spoil_strokes.STROKES_KEY]) == losses_spoil_strokes.MOST_SCENES
    assert count("29") == 1 and count("0") == 0


# ---- pictures and plots -----------------------------------------------------------------------------------------------


def test_errors_name_all_four_kinds() -> None:
    truth, preds = np.array([[0, 1, 0, 1]], bool), np.array([[0, 1, 1, 0]], bool)
    assert errors_of(preds, truth).tolist() == [[0, 1, 2, 3]]


def test_the_chart_shows_now_against_untouched() -> None:
    figure = changes_figure({"bce": 0.4, "dice": 0.1}, {"bce": 0.01, "dice": 0.2}, logarithmic=False)
    before, after = figure.data[-2:]
    assert list(before.x) == [0.2, 0.01] and list(after.x) == [0.1, 0.4]
    assert list(after.textposition) == ["middle left", "middle right"], "the number stands where no line is"
    assert len(set(after.marker.color)) == 2


def test_a_sweep_between_best_and_worst_runs_from_0_to_1() -> None:
    from segdemo.losslab.gradients import Knobs
    from segdemo.losslab.sweeps import sweep_imbalance

    sweep = sweep_imbalance(0.3, Damage(), ["bce", "lovasz"], Knobs())
    figure = sweep_figure(sweep, "Share", "Loss", scale=True, current=None, logarithmic=True)
    assert [(min(line.y), max(line.y)) for line in figure.data] == [(0, 1), (0, 1)]
    assert figure.layout.xaxis.autorange == "reversed", "from balanced to rare"
    assert "50.0 %" in figure.layout.xaxis.ticktext and "0.1 %" in figure.layout.xaxis.ticktext
    plain = sweep_figure(sweep, "Share", "Loss", scale=False, current=0.1, logarithmic=True)
    assert len(plain.data) == 3  # with 1 − Dice of the mask


def test_equal_names_mean_equal_pixels() -> None:
    truth = scene("disc")
    logits = np.zeros(truth.shape, np.float32)
    first, same = case_of(logits, truth), case_of(logits.copy(), truth.copy())
    assert first.key == same.key
    other = logits.copy()
    other[100, 100] = 1e-6
    assert case_of(other, truth).key != first.key
    assert case_of(logits.reshape(256, 192), truth.reshape(256, 192)).key != first.key
