"""The Training page, headlessly: every control, a ZIP with its report, a run from Start to the picker, and a bad address."""

import io
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from segdemo.data.drawn_sets import NucleiSource
from segdemo.data.nuclei_like import draw_nuclei
from segdemo.data.uploaded_set import PairedSource
from segdemo.inference.cache import BoundedCache
from segdemo.losses import FACTS
from segdemo.training import run_queue
from segdemo.training.run_folder import RunFolder
from segdemo.training.run_queue import shared_queue
from segdemo.training.run_spec import RECIPES, RunSpec, losses_for, spec_from_json, spec_to_json
from segdemo.training.run_work import work
from segdemo.ui import training_data
from segdemo.ui.training_data import example_zip
from segdemo.weights import get_weights

pytestmark = pytest.mark.usefixtures("one_thread")

MAIN = Path(__file__).parents[2] / "segdemo" / "ui" / "main.py"
PAGE = str(MAIN.parents[2] / "pages" / "training.py")
Png = Callable[[np.ndarray], bytes]


class Child:
    """In place of the process: ends at once, without a word."""

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self.stdin = io.BytesIO()

    def wait(self) -> int:
        return 1

    def kill(self) -> None:
        self.run.stop.touch()


class WorkingChild(Child):
    """Does the same work here, once it is waited for."""

    def wait(self) -> int:
        work(self.run)
        return 0


class EndlessChild(Child):
    """Does nothing, and goes on doing it until it is stopped."""

    def wait(self) -> int:
        while not self.run.stop.exists():
            time.sleep(0.02)
        return 1


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of its own, a folder of data sets, small drawn pictures, and no process beside this one."""
    monkeypatch.setenv("SEGDEMO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SEGDEMO_DATA_DIR", str(tmp_path / "sets"))
    monkeypatch.setattr(run_queue, "_start", Child)
    monkeypatch.setattr(training_data, "_sources", BoundedCache(8, lambda _source: 1))
    monkeypatch.setattr(NucleiSource.__init__, "__defaults__", (48, 5))
    (tmp_path / "sets").mkdir()
    yield tmp_path
    shared_queue().close()


@pytest.fixture
def working(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings are done."""
    monkeypatch.setattr(run_queue, "_start", WorkingChild)


def training_page(**address: str) -> AppTest:
    app = AppTest.from_file(str(MAIN), default_timeout=180)
    for key, value in address.items():
        app.query_params[key] = value
    app.run()
    app.switch_page(PAGE).run()
    assert not app.exception, app.exception
    return app


def zipped(png: Png, count: int = 4, **more: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for seed in range(count):
            image, mask = draw_nuclei(48, 48, seed=seed, count=6)
            archive.writestr(f"images/{seed}.png", png(image))
            archive.writestr(f"masks/{seed}.png", png(mask * 255))
        for name, content in more.items():
            archive.writestr(f"images/{name}.png", content)
    return buffer.getvalue()


def said(app: AppTest) -> str:
    kinds = (app.title, app.markdown, app.caption, app.error, app.warning, app.info)
    return " ".join(element.value for kind in kinds for element in kind)


def upload(app: AppTest, content: bytes, name: str = "my cells.zip") -> AppTest:
    app.segmented_control(key="training_data").set_value("zip").run()
    app.file_uploader(key="training_upload").set_value((name, content, "application/zip")).run()
    assert not app.exception, app.exception
    return app


def make_small(app: AppTest, steps: int = 2) -> AppTest:
    """The smallest training there is."""
    app.selectbox(key="training_model").set_value("encoder_decoder").run()
    app.slider(key="training_width_encoder_decoder").set_value(4)
    app.selectbox(key="training_crop").set_value(32)
    app.selectbox(key="training_batch").set_value(1)
    app.number_input(key="training_steps").set_value(steps).run()
    return app


def ended(app: AppTest) -> AppTest:
    deadline = time.monotonic() + 180
    while "Trained" not in said(app) and "ended early" not in said(app):
        assert time.monotonic() < deadline, said(app)
        time.sleep(0.1)
        app.run()
    assert not app.exception, app.exception
    return app


def asked_for(app: AppTest) -> RunSpec:
    """What a click on Start hands to the queue."""
    app.button(key="training_start").click().run()
    assert not app.exception, app.exception
    run = shared_queue().find(app.session_state["run"])
    assert run is not None
    return spec_from_json(run.spec.read_text())


def test_it_opens_ready_to_start() -> None:
    app = training_page()
    assert not app.button(key="training_start").disabled
    assert app.selectbox(key="training_drawn").value == "nuclei"
    assert "others are held out" in said(app)


def test_every_control_reaches_the_run() -> None:
    app = make_small(training_page())
    app.selectbox(key="training_drawn").set_value("shapes").run()
    app.selectbox(key="training_loss").set_value("tversky").run()
    app.slider(key="training_tversky_alpha").set_value(0.5)
    app.toggle(key="training_tversky_per_image").set_value(True)
    app.selectbox(key="training_tversky_empty").set_value("skip")
    app.selectbox(key="training_optimizer").set_value("sgd").run()
    app.select_slider(key="training_rate_sgd").set_value(0.05)
    app.selectbox(key="training_schedule").set_value("step")
    app.number_input(key="training_seed").set_value(7)
    app.slider(key="training_momentum").set_value(0.8)
    app.select_slider(key="training_decay").set_value(1e-3)
    app.number_input(key="training_warmup_2").set_value(0)
    app.toggle(key="training_flips").set_value(False)
    app.toggle(key="training_turns").set_value(False)
    app.slider(key="training_zoom").set_value((1.0, 1.5))
    for name in ("brightness", "contrast", "color", "blur", "noise"):
        app.slider(key=f"training_{name}").set_value(0.05)
    app.button(key="training_redraw").click().run()
    spec = asked_for(app)
    settings = spec.settings
    assert (spec.data, spec.model, spec.width) == ("shapes", "encoder_decoder", 4)
    assert (settings.steps, settings.crop, settings.batch_size, settings.seed) == (2, 32, 1, 7)
    assert (settings.loss, settings.loss_options) == ("tversky", {"alpha": 0.5, "per_image": True, "empty": "skip"})
    assert (settings.optimizer, settings.learning_rate, settings.schedule) == ("sgd", 0.05, "step")
    assert (settings.momentum, settings.weight_decay, settings.warmup_steps) == (0.8, 1e-3, 0)
    augmentation = settings.augmentation
    assert (augmentation.flips, augmentation.quarter_turns, augmentation.scale) == (False, False, (1.0, 1.5))
    assert augmentation.brightness == augmentation.noise == 0.05


def test_minutes_instead_of_steps() -> None:
    app = make_small(training_page())
    app.segmented_control(key="training_unit").set_value("minutes").run()
    app.number_input(key="training_minutes").set_value(0.1).run()
    assert asked_for(app).settings.minutes == pytest.approx(0.1)


def test_networks_and_losses_can_be_chosen() -> None:
    app = training_page()
    for name in list(RECIPES)[::3]:
        app.selectbox(key="training_model").set_value(name).run()
        assert not app.exception and not app.error and not app.button(key="training_start").disabled
    for name in losses_for(2)[::4]:
        app.selectbox(key="training_loss").set_value(name).run()
        assert not app.exception and FACTS[name].meaning in said(app)
    app.selectbox(key="training_drawn").set_value("shapes").run()
    assert len(app.selectbox(key="training_loss").options) == len(losses_for(5)) != len(losses_for(2))


def test_too_much_is_a_sentence_and_no_start() -> None:
    app = training_page()
    app.selectbox(key="training_crop").set_value(512)
    app.selectbox(key="training_batch").set_value(32)
    app.slider(key="training_width_unet").set_value(64).run()
    assert any("memory" in error.value for error in app.error)
    assert app.button(key="training_start").disabled


def test_without_tensorboard_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segdemo.ui.training_settings.tensorboard_is_installed", lambda: False)
    app = training_page()
    assert app.toggle(key="training_events").disabled and "pip install tensorboard" in said(app)
    monkeypatch.setattr("segdemo.ui.training_settings.tensorboard_is_installed", lambda: True)
    app = make_small(training_page())
    assert not app.toggle(key="training_events").disabled
    app.toggle(key="training_events").set_value(True).run()
    assert asked_for(app).tensorboard


@pytest.mark.usefixtures("working")
def test_a_zip_is_reported_pair_by_pair_and_trained_on(png: Png) -> None:
    app = upload(training_page(), zipped(png, **{"alone <b>": png(draw_nuclei(48, 48)[0])}), "my <b>cells</b>.zip")
    (wrong, fine) = [element.value for element in app.dataframe]
    assert wrong["Image"].tolist() == ["images/alone <b>.png"] and "no mask" in wrong["What is wrong"][0]
    assert len(fine) == 4
    assert "3 pairs to learn from, 1 held out" in said(app)
    app.text_input(key=next(w.key for w in app.text_input if w.key and w.key.startswith("training_classes_"))).set_value(
        "ground, <i>cell</i>"
    ).run()
    app = make_small(app)
    spec = asked_for(app)
    assert spec.classes == ("ground", "icell/i") and spec.data_name == "b>.zip", "of a path the last part"
    assert Path(spec.data).name == "data.zip" and Path(spec.data).is_file()
    app = ended(app)
    assert "Trained" in said(app)
    app.button(key="training_use").click().run()
    assert not app.exception
    entry = get_weights(app.selectbox(key="weights").value)
    assert entry.model == "encoder_decoder" and entry.classes[1].name == "icell/i"
    assert entry.weights_id in app.session_state["imports"]


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\3\4 cut"])
def test_what_is_no_zip_is_a_sentence(content: bytes) -> None:
    app = upload(training_page(), content)
    assert any("ZIP" in error.value for error in app.error)
    assert app.button(key="training_start").disabled
    assert "cells.zip" in app.code[0].value and "Up to" in said(app), "the help stays beside the error"


def test_names_that_do_not_fit_the_classes(png: Png) -> None:
    app = upload(training_page(), zipped(png))
    field = next(w for w in app.text_input if w.key and w.key.startswith("training_classes_"))
    field.set_value("one").run()
    assert any("2 classes, and 1 names" in error.value for error in app.error) and not app.exception


def test_a_data_set_of_the_server(places: Path, png: Png) -> None:
    (places / "sets" / "cells.zip").write_bytes(zipped(png))
    (places / "sets" / ".hidden").mkdir()
    app = training_page()
    app.segmented_control(key="training_data").set_value("folder").run()
    assert not app.exception and app.selectbox(key="training_listed").options == ["cells.zip"]
    spec = asked_for(make_small(app))
    assert spec.data == str(places / "sets" / "cells.zip") and spec.data_name == "cells.zip"


def test_a_mask_of_a_listed_folder_that_is_wrong_is_a_sentence(places: Path, png: Png) -> None:
    cells = places / "sets" / "cells"
    for kind in ("images", "masks"):
        (cells / kind).mkdir(parents=True)
        (cells / kind / "a.png").write_bytes(png(np.full((48, 48), 7, np.uint8)))
    for split in ("train", "val"):
        (cells / f"{split}.txt").write_text("a\n")
    app = training_page()
    app.segmented_control(key="training_data").set_value("folder").run()
    assert not app.exception and any("holds class 7" in error.value for error in app.error)
    assert app.button(key="training_start").disabled


def test_the_same_zip_again_is_not_read_again(monkeypatch: pytest.MonkeyPatch, png: Png) -> None:
    read: list[str] = []
    reader = training_data._read
    monkeypatch.setattr(training_data, "_read", lambda data, place: read.append(data) or reader(data, place))
    content = zipped(png)
    app = upload(training_page(), content)
    read.clear()
    upload(app, content, "again.zip")
    upload(training_page(), content)
    assert not [data for data in read if data.endswith(".zip")]


def test_a_change_deep_in_a_folder_is_another_stamp(tmp_path: Path) -> None:
    deep = tmp_path / "set" / "images" / "a.png"
    deep.parent.mkdir(parents=True)
    deep.write_bytes(b"one")
    before = training_data._stamp(tmp_path / "set")
    os.utime(deep, ns=(before[0] + 10**9, before[0] + 10**9))
    after = training_data._stamp(tmp_path / "set")
    assert after != before
    (deep.parent / "b.png").write_bytes(b"two")
    assert training_data._stamp(tmp_path / "set")[1] == 2


def test_the_example_is_a_good_one(places: Path) -> None:
    (places / "cells.zip").write_bytes(example_zip())
    report = PairedSource(places / "cells.zip").report
    assert len(report.fine) == 10 and not report.wrong and not report.notices


@pytest.mark.usefixtures("working")
def test_a_run_is_found_by_its_address_and_new_ones_can_be_started() -> None:
    app = ended_run()
    run_id = app.session_state["run"]
    other = training_page(run=run_id)
    assert "Trained" in said(other) and other.button(key="training_use")
    assert "python -m segdemo train" in other.code[0].value
    other.button(key="training_new").click().run()
    assert not other.exception and other.button(key="training_start")
    assert "Trained" in said(training_page(run=run_id))


def ended_run() -> AppTest:
    app = make_small(training_page())
    app.button(key="training_start").click().run()
    return ended(app)


@pytest.mark.parametrize("text", ["0" * 16, "../../etc/passwd", "<b>x</b>"])
def test_an_address_without_a_run_is_a_sentence(text: str) -> None:
    app = training_page(run=text)
    assert app.button(key="training_start") and not app.session_state["run"]
    assert ("not kept any more" in said(app)) == text.isdigit(), "others were refused with the address"


def folder(phase: str, **state: object) -> str:
    """A run on disk as an earlier server left it."""
    queue = shared_queue()
    run = RunFolder(queue.folder / "0123456789abcdef")
    run.path.mkdir()
    run.spec.write_text(spec_to_json(RunSpec()))
    run.log.write_text("Traceback\nlast line")
    run.change(phase=phase, **state)
    return run.path.name


def test_a_failed_run_says_why_and_keeps_its_log_to_itself() -> None:
    app = training_page(run=folder("failed", error="There was not enough memory."))
    assert any("enough memory" in error.value for error in app.error)
    assert not app.code, "a log is full of paths"
    assert not [button for button in app.button if button.key == "training_use"]
    assert app.button(key="training_new")


def test_a_run_of_a_server_that_is_gone_is_told() -> None:
    app = training_page(run=folder("running", pid=2**22 + 1, step=3))
    assert any("restarted" in error.value for error in app.error)


def test_waiting_shows_the_place_in_the_queue_and_can_be_withdrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_queue, "_start", EndlessChild)
    first = shared_queue().submit(RunSpec())
    app = make_small(training_page())
    app.button(key="training_start").click().run()
    second = app.session_state["run"]
    assert shared_queue().ahead_of(second) == 1 and "Waiting for its turn" in said(app)
    app.button(key="training_stop").click().run()
    assert "Withdrawn" in said(app) and not app.error
    shared_queue().stop(first)


def test_one_visitor_has_two_trainings_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_queue, "_start", EndlessChild)
    app = make_small(training_page())
    for _number in range(2):
        app.button(key="training_start").click().run()
        assert app.session_state["run"]
        app.session_state["run"] = ""
        del app.query_params["run"]
        app.run()
    app.button(key="training_start").click().run()
    assert any("You have 2 trainings" in error.value for error in app.error) and not app.exception
    other = make_small(training_page())
    other.button(key="training_start").click().run()
    assert other.session_state["run"], "another visitor is not held up"
    for run in shared_queue().folder.iterdir():
        shared_queue().stop(run.name)


def test_an_address_has_three_trainings_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_queue, "_start", EndlessChild)
    monkeypatch.setattr("streamlit.runtime.context.ContextProxy.ip_address", "192.0.2.7")
    for _number in range(3):
        app = make_small(training_page())
        app.button(key="training_start").click().run()
        assert app.session_state["run"]
    app = make_small(training_page())
    app.button(key="training_start").click().run()
    assert any("You have 3 trainings" in error.value for error in app.error)
    for run in shared_queue().folder.iterdir():
        shared_queue().stop(run.name)


def test_a_full_queue_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_small(training_page())
    monkeypatch.setattr(shared_queue(), "max_waiting", 0)
    app.button(key="training_start").click().run()
    assert any("waiting already" in error.value for error in app.error) and not app.exception
