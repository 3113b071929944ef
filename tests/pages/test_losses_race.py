"""The Race view, headlessly: every control, every state, a visitor's own pictures; jobs that end, two visitors at once."""

import io
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Slider

from segdemo.data.imbalanced import imbalanced_set
from segdemo.jobs import Jobs
from segdemo.training.race_settings import RaceSettings, racing_losses
from segdemo.training.snapshots import Curves, Scores
from segdemo.ui import losses_race_state
from segdemo.ui.losses_race_drawing import PALETTE, curves_figure, masks_sheet, pictures_sheet

from .app_run import sound

PATIENCE_S = 120


def view() -> None:
    import streamlit as st

    from segdemo.ui.losses_race import show_race

    st.session_state.setdefault("sample", "coins")
    show_race()


class Upload:
    """What the page reads of an uploaded file."""

    def __init__(self, name: str, data: bytes) -> None:
        self.file_id, self.name, self.data = name, name, data

    def getvalue(self) -> bytes:
        return self.data


@pytest.fixture(autouse=True)
def jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    """Jobs of this test alone, and none of them, nor a thread, left afterwards."""
    own = Jobs(2, running=1, waiting=1, lease_s=10**6)
    monkeypatch.setattr(losses_race_state, "shared_jobs", lambda: own)
    monkeypatch.setattr("segdemo.ui.losses_race.shared_jobs", lambda: own)
    yield own
    for job in list(own._jobs):
        own.cancel(job)
    until(lambda: not own.threads and not any(t.name == "segdemo-live" for t in threading.enumerate()))


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "This did not happen in time."
        time.sleep(0.02)


def small(**state: object) -> AppTest:
    """The view with a race that takes a second."""
    app = AppTest.from_function(view, default_timeout=120)
    for key, value in {"race_width": 4, "race_steps": 20, "race_losses": ["bce", "dice"], **state}.items():
        app.session_state[key] = value
    return sound(app.run())


def click(app: AppTest, name: str) -> AppTest:
    return sound(app.button(key=f"race_{name}").click().run())


def text(app: AppTest) -> str:
    elements = (*app.markdown, *app.caption, *app.info, *app.warning, *app.error)
    progress = [e.proto.text for e in app.get("progress")]
    return " ".join([*(element.value for element in elements), *progress])


def run_of(app: AppTest) -> losses_race_state.Run:
    return app.session_state["race_run"]  # type: ignore[no-any-return]


def back_of(app: AppTest) -> Slider:
    return next(s for s in app.slider if s.key and s.key.startswith("race_back_"))


def test_before_the_start_there_are_pictures_a_frame_and_one_big_button() -> None:
    app = AppTest.from_function(view, default_timeout=120)
    sound(app.run())
    assert app.multiselect(key="race_losses").value == ["bce", "dice", "focal", "weighted_bce"]
    assert not app.button(key="race_start").disabled
    assert len(app.get("image")) == 2 and len(app.get("plotly_chart")) == 1
    assert all(app.button(key=f"race_{name}").disabled for name in ("step", "stop", "reset"))


def test_a_race_runs_to_the_end_and_can_be_looked_back_at(jobs: Jobs) -> None:
    app = click(small(), "start")
    job = run_of(app).job
    assert job.closed.wait(PATIENCE_S)
    assert job.state == "finished"
    sound(app.run())
    assert "Finished after 20 steps" in text(app) and "After step 20" in text(app)
    assert back_of(app).max == back_of(app).value == 20
    sound(back_of(app).set_value(11).run())
    assert "After step 10" in text(app)
    table = app.dataframe[0].value
    scores = [curve.at(10) for curve in run_of(app).race.shown.curves()]
    assert list(table["Dice"]) == [f"{found.dice:.3f}" for found in scores if found is not None]
    again = click(app, "start")
    assert run_of(again).job is not job


def test_one_looks_back_at_what_was_run_and_no_further(jobs: Jobs) -> None:
    app = click(small(race_steps=600, race_speed="four"), "start")
    until(lambda: run_of(app).race.step >= 3)
    sound(app.run())
    first = back_of(app)
    assert 1 <= first.max <= run_of(app).race.step and first.value == first.max, "the newest is shown"
    sound(first.set_value(1).run())
    until(lambda: run_of(app).race.step >= 2 * first.max)
    sound(app.run())
    assert (back_of(app).value, back_of(app).max) == (1, first.max), "it does not move under the hand"
    click(app, "pause")
    until(lambda: run_of(app).status == "paused")
    sound(app.run())
    newest = run_of(app).race.shown.steps[-1]
    assert (back_of(app).value, back_of(app).max) == (1, newest) and newest > first.max
    click(app, "reset")


def reloaded(app: AppTest, **state: object) -> AppTest:
    """A new session with the address of another."""
    other = AppTest.from_function(view, default_timeout=120)
    for key, value in {"race": app.session_state["race"], **state}.items():
        other.session_state[key] = value
    return sound(other.run())


def test_a_reloaded_page_finds_its_race_and_its_settings_again(jobs: Jobs) -> None:
    app = small(race_steps=600, race_speed="four", race_losses=["bce", "focal"])
    sound(app.slider(key="race_option_focal_gamma").set_value(4.0).run())
    click(app, "start")
    until(lambda: run_of(app).race.step >= 1)
    again = reloaded(app)
    assert run_of(again) is run_of(app) and "Racing" in text(again)
    assert again.multiselect(key="race_losses").value == ["bce", "focal"]
    assert again.slider(key="race_option_focal_gamma").value == 4.0
    assert again.segmented_control(key="race_speed").value == "four" and again.slider(key="race_steps").value == 600
    click(again, "stop")
    assert run_of(app).job.closed.wait(PATIENCE_S)
    assert "Stopped at step" in text(sound(app.run()))
    assert "Stopped at step" in text(reloaded(app)), "what it has shown can still be looked at"


def test_an_address_without_a_race_is_a_sentence(jobs: Jobs) -> None:
    app = small(race="0123456789abcdef")
    assert "not kept any more" in text(app) and not app.session_state["race"]
    assert not app.button(key="race_start").disabled
    assert "not kept any more" not in text(sound(app.run()))


def test_a_step_back_in_the_browser_hides_the_race_and_does_not_lose_it(jobs: Jobs) -> None:
    app = click(small(race_steps=600, race_speed="four"), "start")
    run = run_of(app)
    app.session_state["race"] = ""  # what the address says then
    sound(app.run())
    assert "Nothing has been trained yet" in text(app) and run.job.live
    click(app, "back")
    assert "Racing" in text(app) or "Number" in text(app)
    assert run_of(app) is run
    app.session_state["race"] = ""
    sound(app.run())
    click(app, "start")
    assert run_of(app) is not run and run.job.closed.wait(PATIENCE_S), "a new one takes its place"


def test_every_loss_races_with_the_options_that_were_set(jobs: Jobs) -> None:
    app = small(race_losses=["weighted_bce", "focal", "dice"])
    sound(app.toggle(key="race_option_weighted_bce_pos_weight_set").set_value(True).run())
    sound(app.slider(key="race_option_weighted_bce_pos_weight").set_value(9.0).run())
    sound(app.toggle(key="race_option_dice_squared").set_value(True).run())
    click(app, "start")
    race = run_of(app).race
    assert race.settings.options == {"weighted_bce": {"pos_weight": 9.0}, "dice": {"squared": True}}
    assert [lane.loss.options for lane in race._lanes] == [{"pos_weight": 9.0}, {}, {"squared": True}]
    until(lambda: race.step >= 0)
    sound(app.run())
    assert "Set by hand: Weighted binary cross entropy w = 9; Dice loss squared = true" in text(app)
    click(app, "reset")


def test_pause_step_go_on_stop_reset(jobs: Jobs) -> None:
    app = click(small(race_steps=600, race_speed="four"), "start")
    until(lambda: run_of(app).race.step >= 1)
    click(app, "pause")
    until(lambda: run_of(app).status == "paused")
    sound(app.run())
    step = run_of(app).race.step
    assert f"Paused at step {step} of 600" in text(app)
    click(app, "step")
    until(lambda: run_of(app).race.step == step + 1)
    sound(app.run())
    click(app, "resume")
    until(lambda: run_of(app).race.step > step + 3)
    click(app, "stop")
    assert run_of(app).job.closed.wait(PATIENCE_S)
    sound(app.run())
    assert "Stopped at step" in text(app)
    click(app, "reset")
    assert "race_run" not in app.session_state and "Nothing has been trained yet" in text(app)


def test_another_visitor_waits_in_line_and_a_third_is_told(jobs: Jobs) -> None:
    first, second, third = (small(race_steps=600, race_speed="four") for _ in range(3))
    click(first, "start")
    click(second, "start")
    assert run_of(second).status == "waiting" and "Number 1 in line" in text(second)
    click(third, "start")
    assert "waiting already" in text(third) and "race_run" not in third.session_state
    click(first, "stop")
    until(lambda: run_of(second).race.step >= 1)
    sound(second.run())
    assert "Racing" in text(second)
    click(second, "reset")


def test_a_visitor_who_left_is_told_on_coming_back(jobs: Jobs) -> None:
    jobs.lease_s = 0.2
    app = click(small(race_steps=600, race_speed="four"), "start")
    assert run_of(app).job.closed.wait(PATIENCE_S)
    sound(app.run())
    assert "stopped because the page was closed" in text(app)


def test_what_fails_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segdemo.training.race.batch_of", lambda *_: 1 / 0)
    app = click(small(), "start")
    assert run_of(app).job.closed.wait(PATIENCE_S)
    sound(app.run())
    assert "not foreseen" in text(app) and "ZeroDivision" not in text(app)


def test_speed_changes_while_it_races() -> None:
    app = click(small(race_steps=600, race_speed="one"), "start")
    assert run_of(app).race.pace.per_second == 1
    sound(app.segmented_control(key="race_speed").set_value("full").run())
    assert run_of(app).race.pace.per_second is None
    click(app, "reset")


@pytest.mark.parametrize(("kind", "key", "value"), [
    ("select_slider", "race_share", 0.005), ("select_slider", "race_rate", 1e-2), ("segmented_control", "race_size", 96),
    ("segmented_control", "race_width", 8), ("slider", "race_steps", 40), ("number_input", "race_seed", 7),
    ("multiselect", "race_losses", racing_losses()[:6]), ("segmented_control", "race_speed", "four"),
])  # fmt: skip
def test_every_setting_makes_a_race_that_starts(kind: str, key: str, value: object) -> None:
    app = small()
    sound(getattr(app, kind)(key=key).set_value(value).run())
    click(app, "start")
    until(lambda: run_of(app).race.step >= 0)
    settings = run_of(app).race.settings
    kept = {"race_size": run_of(app).race.pictures.size, "race_width": settings.width, "race_steps": settings.steps,
            "race_seed": settings.seed, "race_losses": list(settings.losses), "race_rate": settings.learning_rate}  # fmt: skip
    assert kept.get(key, value) == value
    click(app, "reset")


@pytest.mark.parametrize("losses", [[], ["bce"]])
def test_too_few_losses_are_a_sentence_and_no_start(losses: list[str]) -> None:
    app = small(race_losses=losses)
    assert "2 to 6 different losses" in text(app) and app.button(key="race_start").disabled


@pytest.mark.parametrize("state", [{"race_share": 0.9}, {"race_size": 4096}, {"race_steps": 10**8}, {"race_seed": -3}])
def test_values_outside_the_widgets_never_reach_a_network(state: dict[str, object]) -> None:
    """Streamlit puts some of them back to what the widget allows; the others are refused with a sentence."""
    app = AppTest.from_function(view, default_timeout=120)
    for key, value in {"race_width": 4, "race_losses": ["bce", "dice"], **state}.items():
        app.session_state[key] = value
    app.run()
    if app.exception or app.warning:
        assert not app.button or app.button(key="race_start").disabled
        return
    click(app, "start")
    race = run_of(app).race
    assert race.pictures.size <= 256 and race.pictures.foreground_share < 0.6
    assert race.settings.steps <= 2000 and race.settings.seed >= 0
    click(app, "reset")


def encoded(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_own_pictures_race_and_what_is_wrong_with_them_is_said() -> None:
    app = small(race_data="own")
    assert "None of your pictures has a mask yet" in text(app) and app.button(key="race_start").disabled
    made = imbalanced_set(0.1, 128, train=1, validation=1)
    app.session_state["uploads"] = [Upload("mine.png", encoded(made.images[0])), Upload("bare.png", encoded(made.images[0]))]
    app.session_state["masks"] = {"mine.png": encoded(made.targets[0] * 255)}
    sound(app.run())
    assert "mine" in text(app) and "bare" not in text(app)
    click(app, "start")
    assert run_of(app).job.closed.wait(PATIENCE_S)
    assert run_of(app).job.state == "finished"
    app.session_state["masks"] = {"mine.png": encoded(made.targets[0][:64])}
    sound(app.run())
    assert "must be equal" in text(app) and app.button(key="race_start").disabled


def test_the_explanation_shows_the_code_that_runs() -> None:
    app = small()
    app.session_state["race_explained"] = True
    sound(app.run())
    assert any("def batch_of" in block.value and "loss.backward()" in block.value for block in app.code)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def test_the_sheets_fit_together_and_colour_every_kind_of_error() -> None:
    pictures = imbalanced_set(0.2, 64)
    truth = pictures.validation_targets[:3] == 1
    sheet = pixels(masks_sheet(pictures, [truth, np.ones_like(truth), np.zeros_like(truth), None]))
    left = pixels(pictures_sheet(pictures))
    assert left.shape[0] == sheet.shape[0] and 2 * left.shape[1] == sheet.shape[1]
    columns = [sheet[:, i * 131 : i * 131 + 128, :3].reshape(-1, 3) for i in range(4)]
    hit, alarm, missed, right, unknown = (tuple(int(v) for v in PALETTE[i]) for i in (1, 2, 3, 0, 4))
    found = [{tuple(map(int, colour)) for colour in np.unique(column, axis=0)} - {(0, 0, 0)} for column in columns]
    assert found == [{hit, right}, {hit, alarm}, {missed, right}, {unknown}]


def test_the_curves_stay_small_and_break_where_there_is_no_number() -> None:
    names = tuple(racing_losses()[:6])
    many = tuple(float(i) for i in range(2000))
    scores = (Scores(0.5, 0.3, float("nan"), 0.2),) * 400
    curves = [Curves(many, tuple(range(0, 2000, 5)), scores)] * 6
    figure = curves_figure(RaceSettings(names, steps=2000), curves, 100)
    assert len(figure.data) == 4 * 6 + 6
    assert figure.to_json() == curves_figure(RaceSettings(names, steps=2000), curves, 100).to_json()
    assert len(figure.to_json()) < 400_000
    precision = figure.data[12]
    assert precision.hovertemplate.count("Precision") and precision.y[0] is None
