"""Event files as TensorBoard reads them: from a training's own steps, from the command line, and where it is not installed."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from typer.testing import CliRunner

from segdemo.cli import app
from segdemo.data.drawn_sets import NucleiSource
from segdemo.errors import SettingError
from segdemo.models import create_model
from segdemo.training import run_events
from segdemo.training.loop import TrainingSettings, TrainingStep, train
from segdemo.training.run_events import EventWriter, tensorboard_is_installed
from segdemo.training.run_folder import RunFolder
from segdemo.training.run_result import event_files
from segdemo.training.run_spec import RunSpec, spec_to_json
from segdemo.training.run_work import work
from segdemo.training.validation import Validation
from segdemo.types import Preprocessing

pytestmark = pytest.mark.usefixtures("one_thread")

SETTINGS = TrainingSettings(steps=3, crop=32, batch_size=1, validate_every=2, warmup_steps=1)
TAGS = {"loss", "learning_rate", "validation/IoU", "validation/Dice", "validation/precision", "validation/recall"}
Scalars = dict[str, dict[int, float]]


def scalars(folder: Path) -> Scalars:
    """Value by step by tag, as TensorBoard's own reader finds them."""
    reader = EventAccumulator(str(folder)).Reload()
    return {tag: {event.step: event.value for event in reader.Scalars(tag)} for tag in reader.Tags()["scalars"]}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn pictures that are validated on in no time."""
    monkeypatch.setattr(NucleiSource.__init__, "__defaults__", (48, 2))


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorBoard is not installed."""
    monkeypatch.setattr(run_events, "find_spec", lambda _name: None)


@pytest.mark.usefixtures("small")
def test_what_is_read_back_is_what_the_training_said(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = create_model("unet", width=2)
    steps = []
    with EventWriter(tmp_path) as events:
        for step in train(network, NucleiSource(), Preprocessing(normalization="per-image"), SETTINGS, torch.device("cpu")):
            events.write(step)
            steps.append(step)
    found = scalars(tmp_path)
    assert [step.step for step in steps] == [1, 2, 3]
    assert found["loss"] == pytest.approx({step.step: step.loss for step in steps}, rel=1e-6)
    assert found["learning_rate"] == pytest.approx({step.step: step.learning_rate for step in steps}, rel=1e-6)
    measured = {step.step: step.validation for step in steps if step.validation is not None}
    assert set(measured) == {2, 3}
    assert found["validation/IoU"] == pytest.approx({number: scores.score for number, scores in measured.items()}, rel=1e-6)
    assert found["validation/Dice"] == pytest.approx({number: scores.dice for number, scores in measured.items()}, rel=1e-6)
    assert set(found) <= TAGS, "a precision of nothing found is left out"


def test_what_was_not_measured_is_not_written(tmp_path: Path) -> None:
    nothing = float("nan")
    drawing = Validation(0.5, {}, nothing, nothing, nothing, (), 1)
    with EventWriter(tmp_path, "variance explained") as events:
        events.write(TrainingStep(7, 0.25, 0.1, drawing))
    assert scalars(tmp_path) == {
        "loss": {7: 0.25}, "learning_rate": {7: pytest.approx(0.1)}, "validation/variance explained": {7: 0.5},
    }  # fmt: skip


@pytest.mark.usefixtures("small")
def test_the_command_line_writes_them(tmp_path: Path) -> None:
    words = ["train", "--data", "nuclei", "--steps", "3", "--crop", "32", "--batch-size", "1", "--width", "2", "--device", "cpu"]
    more = ["--validate-every", "2", "--out", str(tmp_path / "out"), "--tensorboard", str(tmp_path / "events")]
    result = CliRunner().invoke(app, [*words, *more])
    assert result.exit_code == 0, result.output
    found = scalars(tmp_path / "events")
    assert set(found["loss"]) == {1, 2, 3} and set(found["validation/IoU"]) == {2, 3}
    assert all(np.isfinite(value) for value in found["loss"].values())


@pytest.mark.usefixtures("small")
def test_a_run_of_the_page_keeps_them_for_the_download(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    spec = RunSpec(data="nuclei", model="encoder_decoder", width=4, tensorboard=True, validation_pixels=0, settings=SETTINGS)
    run.spec.write_text(spec_to_json(spec))
    work(run)
    content = event_files(run)
    assert content is not None
    zipfile.ZipFile(io.BytesIO(content)).extractall(tmp_path / "unzipped")
    found = scalars(tmp_path / "unzipped")
    curve, scores = run.table(run.curve, 3), run.table(run.scores, 3)
    assert [*found["loss"].items()] == [(row[0], pytest.approx(row[1], rel=1e-5)) for row in curve]
    assert [*found["learning_rate"].values()] == pytest.approx(curve[:, 2].tolist(), rel=1e-5)
    assert found["validation/IoU"] == pytest.approx(dict(zip(scores[:, 0], scores[:, 1], strict=True)), rel=1e-5)
    plain = RunFolder(tmp_path / "plain")
    plain.path.mkdir()
    plain.spec.write_text(spec_to_json(replace(spec, tensorboard=False)))
    work(plain)
    assert event_files(plain) is None


@pytest.mark.usefixtures("missing")
def test_without_it_the_command_line_says_what_to_install(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", "--data", "nuclei", "--tensorboard", str(tmp_path / "events")])
    assert isinstance(result.exception, SettingError) and "pip install tensorboard" in str(result.exception)
    assert not (tmp_path / "events").exists()


@pytest.mark.usefixtures("missing")
def test_without_it_a_training_goes_on_and_writes_nothing(tmp_path: Path) -> None:
    assert not tensorboard_is_installed()
    with EventWriter(tmp_path) as events:
        events.write(TrainingStep(1, 0.5, 0.1))
    assert not list(tmp_path.iterdir())


def test_it_is_installed_here() -> None:
    assert tensorboard_is_installed(), "tests/requirements.txt names it"
