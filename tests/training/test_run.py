"""A training as a process: from a spec to weights in the picker, stopped, killed, left alone by its server, repeated."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file
from typer.testing import CliRunner

from segdemo.cli import app
from segdemo.data.augment import Augmentation
from segdemo.data.nuclei_like import draw_nuclei
from segdemo.errors import SettingError
from segdemo.inference import Engine
from segdemo.losses import FACTS
from segdemo.training import run as run_module
from segdemo.training import run_queue, run_work
from segdemo.training.loop import TrainingSettings, TrainingStep
from segdemo.training.run_command import command_of
from segdemo.training.run_folder import RunFolder, RunState, append, write_whole
from segdemo.training.run_queue import RunQueue, is_run_id, shared_queue
from segdemo.training.run_result import card_of, entry_of, weights_of
from segdemo.training.run_spec import MAX_MINUTES, RECIPES, RunSpec, checked, losses_for, spec_from_json, spec_to_json
from segdemo.training.run_work import PATIENCE, Report, TrainingBrokeOffError, work
from segdemo.training.schedule import create_optimizer, learning_rate_factor
from segdemo.weights import get_weights, keep

pytestmark = pytest.mark.usefixtures("one_thread")

Png = Callable[[np.ndarray], bytes]
ROOT = Path(__file__).parents[2]
SETTINGS = TrainingSettings(steps=4, crop=32, batch_size=2, validate_every=2, warmup_steps=1)
WAIT_SECONDS = 120


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, png: Png) -> Path:
    """Five small micrographs and their masks in a ZIP."""
    path = tmp_path_factory.mktemp("data") / "my cells.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for seed in range(5):
            image, mask = draw_nuclei(48, 56, seed=seed, count=8)
            archive.writestr(f"images/{seed}.png", png(image))
            archive.writestr(f"masks/{seed}.png", png(mask * 255))
    return path


@pytest.fixture
def spec(data: Path) -> RunSpec:
    return RunSpec(data=str(data), data_name=str(data), width=4, model="encoder_decoder", settings=SETTINGS)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEGDEMO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[RunQueue]:
    queue = RunQueue(tmp_path / "runs", max_waiting=2)
    yield queue
    queue.close()


def folder_of(spec: RunSpec, path: Path) -> RunFolder:
    run = RunFolder(path)
    path.mkdir()
    run.spec.write_text(spec_to_json(spec))
    return run


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not true():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


# The work itself, in this process.


def test_a_run_leaves_curves_samples_and_weights_that_segment(spec: RunSpec, tmp_path: Path) -> None:
    run = folder_of(spec, tmp_path / "run")
    work(run)
    state = run.state()
    assert (state.phase, state.step, state.steps, state.share) == ("finished", 4, 4, 1.0)
    assert run.table(run.curve, 3)[:, 0].tolist() == [1, 2, 3, 4]
    scores = run.table(run.scores, 3)
    assert scores[:, 0].tolist() == [2, 4] and state.best_step in (2, 4)
    assert run.sample_steps() == [0, 2, 4]
    assert card_of(run)["scores"]["score"] == pytest.approx(state.best)
    entry = entry_of(run)
    assert entry.weights_id.startswith("encoder_decoder/imported-") and entry.score == pytest.approx(state.best)
    assert keep(entry)
    again = get_weights(entry.weights_id)
    assert again.card["command"] == command_of(spec) and again.title == "Encoder–decoder, my cells"
    picture = draw_nuclei(40, 60, seed=9)[0]
    assert Engine("cpu").predict(picture, entry.weights_id).preds.shape == (40, 60)


def test_a_stopped_run_keeps_what_it_has(spec: RunSpec, tmp_path: Path) -> None:
    run = folder_of(replace(spec, settings=replace(SETTINGS, steps=500, validate_every=400)), tmp_path / "run")
    when(run, "running", run.stop.touch)
    work(run)
    state = run.state()
    assert (state.phase, state.step, state.stopped) == ("finished", 1, True)
    assert weights_of(run) is not None
    assert "validated_on_pixels" not in card_of(run)["data"], "measured on all, as it was not stopped a second time"


def when(run: RunFolder, phase: str, act: Callable[[], None]) -> None:
    """Do something as soon as the run says that it is in that phase."""
    change = run.change

    def changed(**changes: Any) -> RunState:
        state = change(**changes)
        if changes.get("phase") == phase:
            act()
        return state

    run.change = changed  # type: ignore[method-assign]


def test_it_can_be_stopped_while_it_reads(spec: RunSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "step_back", lambda: None)
    run = folder_of(spec, tmp_path / "run")
    run.stop.touch()
    assert run_module.main(run.path) == 1
    state = run.state()
    assert (state.phase, state.stopped, state.step, state.error) == ("withdrawn", True, 0, "")


def test_it_can_be_stopped_while_the_result_is_measured(spec: RunSpec, tmp_path: Path) -> None:
    run = folder_of(spec, tmp_path / "run")
    when(run, "saving", run.stop.touch)
    work(run)
    assert run.state().phase == "finished" and run.state().best == pytest.approx(card_of(run)["scores"]["score"])
    assert "validated_on_pixels" in card_of(run)["data"], "the card of the last validation"
    assert entry_of(run).weights_id


def test_no_run_goes_on_for_ever(spec: RunSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = replace(spec, settings=replace(SETTINGS, steps=20_000, validate_every=20_000))
    run = folder_of(long, tmp_path / "run")

    def over() -> None:  # before the first step
        monkeypatch.setattr(run_work, "monotonic", lambda: time.monotonic() + 60 * MAX_MINUTES)

    when(run, "running", over)
    work(run)
    assert (run.state().phase, run.state().step, run.state().stopped) == ("finished", 1, True)
    monkeypatch.setattr(run_work, "MAX_SECONDS", -1.0)
    with pytest.raises(TrainingBrokeOffError, match=f"{MAX_MINUTES} minutes"):
        work(folder_of(long, tmp_path / "slow"))


def test_the_rate_of_a_step_is_the_one_it_was_done_with(spec: RunSpec, tmp_path: Path) -> None:
    run = folder_of(replace(spec, settings=replace(SETTINGS, warmup_steps=3)), tmp_path / "run")
    work(run)
    expected = [SETTINGS.learning_rate * learning_rate_factor(step, 4, 3, "cosine") for step in range(4)]
    assert run.table(run.curve, 3)[:, 2] == pytest.approx(expected, rel=1e-5)


def test_minutes_end_a_run(spec: RunSpec, tmp_path: Path) -> None:
    run = folder_of(
        replace(spec, settings=replace(SETTINGS, steps=20_000, validate_every=20_000, minutes=0.01)), tmp_path / "run"
    )
    work(run)
    state = run.state()
    assert state.phase == "finished" and 1 <= state.step < 20_000 and not state.stopped
    if state.step > 2:  # of a slow machine's first step the rate cannot have fallen yet
        assert run.table(run.curve, 3)[-1, 2] < SETTINGS.learning_rate


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"title": "it's; $(mine)", "classes": ("ground", "cell, nucleus".replace(",", ""))},
        {
            "settings": replace(
                SETTINGS, loss="tversky", loss_options={"alpha": 0.5, "per_image": True}, optimizer="sgd", momentum=0.8,
                schedule="step", seed=3, learning_rate=0.01, weight_decay=0.0,
                augmentation=Augmentation((1.0, 1.5), False, False, 0.1, 0.0, 0.05, 0.5, 0.0),
            )
        },
    ],
)  # fmt: skip
def test_the_command_repeats_the_run(spec: RunSpec, tmp_path: Path, changes: dict[str, Any]) -> None:
    spec = replace(spec, **changes)
    run = folder_of(spec, tmp_path / "run")
    work(run)
    words = shlex.split(str(card_of(run)["command"]))
    assert words[:4] == ["python", "-m", "segdemo", "train"]
    result = CliRunner().invoke(app, [*words[3:], "--out", str(tmp_path / "out"), "--device", "cpu"])
    assert result.exit_code == 0, result.output
    weights, again = weights_of(run), tmp_path / "out" / "encoder_decoder" / "trained.safetensors"
    assert weights is not None
    one, other = load_file(weights), load_file(again)
    assert all((one[name] == other[name]).all() for name in one) and set(one) == set(other)
    card = json.loads(again.with_suffix(".json").read_text())
    for key in ("scores", "settings", "classes", "preprocessing"):
        assert card[key] == card_of(run)[key]


def test_data_that_cannot_be_used_is_a_sentence(spec: RunSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "step_back", lambda: None)
    (tmp_path / "bad.zip").write_bytes(b"no zip")
    run = folder_of(replace(spec, data=str(tmp_path / "bad.zip")), tmp_path / "run")
    assert run_module.main(run.path) == 1
    assert run.state().phase == "failed" and "not a ZIP" in run.state().error
    assert entry_error(run)


def entry_error(run: RunFolder) -> bool:
    try:
        entry_of(run)
    except Exception as error:
        return "no weights" in str(error)
    return False


@pytest.mark.parametrize(
    ("error", "words"), [(MemoryError(), "smaller batch"), (RuntimeError("x: can't allocate memory"), "smaller batch"),
                         (KeyError("/a/path"), "KeyError"), (OSError(28, "No space left", "/a/path"), "No space left")],
)  # fmt: skip
def test_errors_of_the_program_are_told_too(
    spec: RunSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def broken(_run: RunFolder) -> None:
        raise error

    monkeypatch.setattr(run_module, "step_back", lambda: None)
    monkeypatch.setattr("segdemo.training.run_work.work", broken)
    run = folder_of(spec, tmp_path / "run")
    assert run_module.main(run.path) == 1
    assert words in run.state().error and "/a/path" not in run.state().error


def test_a_loss_that_is_no_number_ends_the_run(spec: RunSpec, tmp_path: Path) -> None:
    from segdemo.training.run_make import prepare

    report = Report(folder_of(spec, tmp_path / "run"), prepare(spec))
    for step in range(1, PATIENCE):
        report.take(TrainingStep(step, float("nan"), 1e-3))
    report.take(TrainingStep(PATIENCE, 1.0, 1e-3))
    with pytest.raises(TrainingBrokeOffError, match="learning rate"):
        for step in range(1, PATIENCE + 1):
            report.take(TrainingStep(step, float("inf"), 1e-3))


# What a visitor may ask for.


def with_settings(**values: Any) -> RunSpec:
    return RunSpec(settings=replace(SETTINGS, **values))


@pytest.mark.parametrize(
    "spec",
    [
        with_settings(steps=0), with_settings(steps=10**9), with_settings(crop=33), with_settings(crop=1024),
        with_settings(batch_size=0), with_settings(learning_rate=float("nan")), with_settings(learning_rate=0.0),
        with_settings(minutes=-1), with_settings(minutes=1e6), with_settings(momentum=1.0), with_settings(optimizer="adam"),
        with_settings(schedule="none"), with_settings(loss="none"), with_settings(loss_options={"nothing": 1}),
        with_settings(loss="dice", loss_options={"smooth": -1}), with_settings(loss="dice", loss_options={"empty": "x"}),
        with_settings(loss="dice", loss_options={"squared": 3}), with_settings(seed=-1), with_settings(seed=True),
        with_settings(augmentation=Augmentation(scale=(2.0, 1.0))), with_settings(augmentation=Augmentation(scale=(0.01, 1.0))),
        with_settings(augmentation=Augmentation(noise=2.0)), with_settings(batch_size=32, crop=512),
        RunSpec(model="autoencoder"), RunSpec(model="../x"), RunSpec(width=1), RunSpec(width=1000), RunSpec(title="x" * 99),
        RunSpec(classes=("a", "a")), RunSpec(classes=("a",) * 30),
    ],
)  # fmt: skip
def test_what_is_impossible_is_refused(spec: RunSpec) -> None:
    with pytest.raises(SettingError):
        checked(spec)
    with pytest.raises(SettingError):
        spec_from_json(spec_to_json(spec))


@pytest.mark.parametrize("name", RECIPES)
def test_every_network_of_the_list_can_be_asked_for(name: str) -> None:
    spec = RunSpec(model=name, width=RECIPES[name].width, settings=replace(SETTINGS, crop=128, batch_size=8))
    assert spec_from_json(spec_to_json(spec)) == checked(spec, 2)


def test_losses_fit_the_number_of_classes() -> None:
    assert "bce" in losses_for(2) and "cross_entropy" not in losses_for(2)
    assert "bce" not in losses_for(3) and "cross_entropy" in losses_for(3)
    assert set(losses_for(2)) | set(losses_for(3)) == set(FACTS)
    with pytest.raises(SettingError, match="does not fit 5 classes"):
        checked(with_settings(loss="bce"), 5)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"settings": 3}', '{"settings": {}, "model": "unet"}'])
def test_a_broken_spec_is_a_sentence(text: str) -> None:
    with pytest.raises(SettingError, match="cannot be read"):
        spec_from_json(text)


def test_schedules() -> None:
    assert [learning_rate_factor(n, 100, 10, "constant") for n in (0, 9, 50)] == [0.1, 1.0, 1.0]
    assert [learning_rate_factor(n, 90, 0, "step") for n in (0, 59, 60, 80)] == pytest.approx([1, 1, 0.1, 0.01])
    assert learning_rate_factor(10, 100, 10, "cosine") == pytest.approx(1.0)
    assert learning_rate_factor(100, 100, 10, "cosine") == pytest.approx(0.01)
    with pytest.raises(SettingError, match="schedule"):
        learning_rate_factor(1, 2, 0, "none")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="optimiser"):
        create_optimizer("none", [], 1.0, weight_decay=0, momentum=0)  # type: ignore[arg-type]


def test_half_written_rows_and_states_are_passed_over(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    append(run.curve, 1, 0.5, 0.1)
    with run.curve.open("a") as file:
        file.write("2\t0.4\n3\t0.3\t0.1\n4\t0.")
    assert run.table(run.curve, 3).tolist() == [[1, 0.5, 0.1], [3, 0.3, 0.1]]
    for text in ("", "{", '{"phase": "x"}', '{"unknown": 1}', "3"):
        (tmp_path / "state.json").write_text(text)
        assert run.state().phase == "waiting"
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "none" / "x", b"")
    assert not list(tmp_path.glob("*.part"))


# The queue, with children that only wait.


SLEEPER = (
    "import sys, time; from segdemo.training.run import end_with_the_server as e; e(); time.sleep({seconds}); sys.exit({code})"
)


def sleeping(seconds: float = 600, code: int = 0) -> Callable[[RunFolder], subprocess.Popen[bytes]]:
    words = [sys.executable, "-c", SLEEPER.format(seconds=seconds, code=code)]
    return lambda run: subprocess.Popen([*words, str(run.path)], stdin=subprocess.PIPE, cwd=ROOT)


def running(queue: RunQueue) -> subprocess.Popen[bytes]:
    until(lambda: queue._running is not None)
    assert queue._running is not None
    return queue._running[1]


def test_one_runs_others_wait_and_a_full_queue_says_so(queue: RunQueue, spec: RunSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_queue, "_start", sleeping())
    first = queue.submit(spec)
    child = running(queue)
    second, third = queue.submit(spec), queue.submit(spec)
    with pytest.raises(SettingError, match="2 trainings are waiting"):
        queue.submit(spec)
    assert [queue.ahead_of(run) for run in (first, second, third)] == [0, 1, 2]
    queue.stop(second)
    assert (queue.state(second).phase, queue.state(second).error) == ("withdrawn", ""), "nothing has failed"
    assert queue.ahead_of(third) == 1
    child.terminate()
    until(lambda: queue.state(first).phase == "failed")
    assert "ended from outside" in queue.state(first).error
    assert child.poll() == -signal.SIGTERM, "waited for: no zombie is left"
    until(lambda: queue.ahead_of(third) == 0)
    other, fourth = running(queue), queue.submit(spec)
    queue.close()
    assert other.poll() is not None
    for run in (third, fourth):
        assert queue.state(run).phase == "failed" and "server was stopped" in queue.state(run).error
    assert not [thread for thread in threading.enumerate() if thread.name == "training-keeper"]
    with pytest.raises(SettingError):
        queue.submit(spec)


def test_one_visitor_cannot_fill_the_queue(queue: RunQueue, spec: RunSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_queue, "_start", sleeping())
    first = queue.submit(spec, owners={"session a": 1, "address 1": 2})
    child = running(queue)
    with pytest.raises(SettingError, match="You have 1 trainings that wait or run"):
        queue.submit(spec, owners={"session a": 1, "address 1": 2})
    second = queue.submit(spec, owners={"session b": 1, "address 1": 2})
    with pytest.raises(SettingError, match="You have 2 trainings"):
        queue.submit(spec, owners={"session c": 1, "address 1": 2})
    other = queue.submit(spec, owners={"session d": 1, "address 2": 2})
    queue.stop(second)
    queue.stop(other)
    third = queue.submit(spec, owners={"session c": 1, "address 1": 2})
    child.terminate()
    until(lambda: queue.state(first).phase == "failed")
    until(lambda: queue._running is not None and queue._running[0] == third)
    assert queue.submit(spec, owners={"session a": 1, "address 1": 2}), "the first has ended"


@pytest.mark.parametrize(("code", "words"), [(7, "broke off"), (0, "broke off")])
def test_a_child_that_says_nothing_is_spoken_for(
    queue: RunQueue, spec: RunSpec, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    monkeypatch.setattr(run_queue, "_start", sleeping(0, code))
    run = queue.submit(spec)
    until(lambda: queue.state(run).phase == "failed")
    assert words in queue.state(run).error


def test_the_systems_kill_is_told(queue: RunQueue, spec: RunSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_queue, "_start", sleeping())
    run = queue.submit(spec)
    running(queue).kill()
    until(lambda: queue.state(run).phase == "failed")
    assert "want of memory" in queue.state(run).error


def test_a_child_that_cannot_be_started(queue: RunQueue, spec: RunSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_run: RunFolder) -> subprocess.Popen[bytes]:
        raise OSError(12, "no process", "/a/path")

    monkeypatch.setattr(run_queue, "_start", none)
    run = queue.submit(spec)
    until(lambda: queue.state(run).phase == "failed")
    assert queue.state(run).error == "The training could not be started: no process."
    until(lambda: queue._keeper is None)


@pytest.mark.parametrize("error", [OSError("gone"), RuntimeError("x")])
def test_a_folder_that_is_gone_holds_nobody_up(
    queue: RunQueue, spec: RunSpec, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def none(run: RunFolder) -> subprocess.Popen[bytes]:
        shutil.rmtree(run.path)
        raise error

    monkeypatch.setattr(run_queue, "_start", none)
    first = queue.submit(spec)
    until(lambda: queue._keeper is None)
    assert queue.find(first) is None
    monkeypatch.setattr(run_queue, "_start", sleeping(0, 7))
    second = queue.submit(spec)
    until(lambda: queue.state(second).phase == "failed")
    assert "broke off" in queue.state(second).error


def test_a_dead_keeper_is_replaced(queue: RunQueue, spec: RunSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_queue, "_start", sleeping(0, 7))
    queue._keeper = threading.Thread()
    run = queue.submit(spec)
    until(lambda: queue.state(run).phase == "failed")


def test_a_child_that_hangs_is_ended(queue: RunQueue, spec: RunSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_queue, "_start", sleeping())
    monkeypatch.setattr(run_queue, "KILLED_AFTER", 0.1)
    run = queue.submit(spec)
    until(lambda: queue.state(run).phase == "failed")
    assert "its time was over" in queue.state(run).error


def test_the_shared_queue_stays_where_it_is(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = shared_queue()
    assert first.folder == cache / "training"
    shutil.rmtree(cache)
    cache.write_text("no folder any more")
    assert shared_queue() is first
    monkeypatch.setenv("SEGDEMO_CACHE", str(cache / "below"))
    other = shared_queue()
    assert other is shared_queue() and other.folder.is_dir() and not other.folder.is_relative_to(cache)
    other.folder.rmdir()


def test_the_visitors_file_stays_as_long_as_the_run(
    queue: RunQueue, spec: RunSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_queue, "_start", sleeping())
    (tmp_path / "set.zip").write_bytes(b"content")
    run = queue.find(queue.submit(spec, tmp_path / "set.zip"))
    assert run is not None
    (tmp_path / "set.zip").unlink()
    assert Path(spec_from_json(run.spec.read_text()).data).read_bytes() == b"content"


def test_ids_never_become_other_paths(queue: RunQueue) -> None:
    for text in ("", "..", "../../etc", "0123456789abcdeF", "0123456789abcde\n", "0" * 17):
        assert not is_run_id(text) and queue.find(text) is None
    assert queue.find("0" * 16) is None


def test_old_runs_leave_when_there_are_too_many(queue: RunQueue, spec: RunSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_queue, "_start", sleeping(0))
    monkeypatch.setattr(run_queue, "MAX_KEPT", 2)
    runs = []
    for _number in range(4):
        runs.append(queue.submit(spec))
        until(lambda: queue.state(runs[-1]).phase == "failed")
        until(lambda: queue._keeper is None)
    assert [queue.find(run) is not None for run in runs] == [False, True, True, True]


def test_a_run_ends_with_its_server_and_is_found_by_the_next(spec: RunSpec, tmp_path: Path) -> None:
    server = f"""
import subprocess, sys, time
from pathlib import Path
from segdemo.training import run_queue
from segdemo.training.run_spec import spec_from_json
words = [sys.executable, "-c", {SLEEPER.format(seconds=600, code=0)!r}]
def start(run):
    child = subprocess.Popen([*words, str(run.path)], stdin=subprocess.PIPE)
    run.change(phase="running", pid=child.pid)
    return child
run_queue._start = start
queue = run_queue.RunQueue(Path({str(tmp_path / "runs")!r}))
spec = spec_from_json({spec_to_json(spec)!r})
first, second = queue.submit(spec), queue.submit(spec)
while queue.state(first).phase != "running": time.sleep(0.01)
print(first, second, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", server], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            first, second = process.stdout.readline().split()
            queue = RunQueue(tmp_path / "runs")
            assert queue.state(first).phase == "running", "it lives, although it is another server's"
            child = queue.state(first).pid
        finally:
            process.kill()
    until(lambda: is_gone(child))
    for run in (first, second):
        assert queue.state(run).phase == "failed" and "restarted" in queue.state(run).error


def is_gone(pid: int) -> bool:
    """Whether a process has ended, waited for by its parent or not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


# All of it, once, as it really runs.


def test_a_child_trains_at_low_priority_and_finishes(
    queue: RunQueue, spec: RunSpec, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_module.NICENESS >= 10
    monkeypatch.setenv("SEGDEMO_TRAINING_NICENESS", "1")  # the test must end on a busy machine too
    run_id = queue.submit(replace(spec, settings=replace(SETTINGS, steps=20_000, validate_every=20_000)), data)
    run = queue.find(run_id)
    assert run is not None
    until(lambda: queue.state(run_id).step > 1)
    stat = Path(f"/proc/{queue.state(run_id).pid}/stat").read_text().rpartition(")")[2].split()
    assert int(stat[16]) == min(19, os.nice(0) + 1)
    queue.stop(run_id)
    until(lambda: queue.state(run_id).phase in ("finished", "failed"))
    state = queue.state(run_id)
    assert (state.phase, state.stopped) == ("finished", True), state.error + run.log.read_text()
    assert entry_of(run).score == pytest.approx(state.best)
    until(lambda: queue._keeper is None)
    assert not Path(f"/proc/{state.pid}").exists()
