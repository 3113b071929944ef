"""segdemo.training.race: the same seed, the same curves, whoever computes when; pauses, snapshots, no memory left."""

import gc
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from segdemo.data.imbalanced import PictureSet, imbalanced_set
from segdemo.errors import SettingError
from segdemo.jobs import Jobs
from segdemo.losses import create_loss
from segdemo.models.unet import UNet
from segdemo.training import race as module
from segdemo.training.race import Race
from segdemo.training.race_network import batch_of, scores_of
from segdemo.training.race_settings import Pace, RaceSettings, racing_losses
from segdemo.training.snapshots import Curves, Scores, Snapshots

pytestmark = pytest.mark.usefixtures("one_thread")
FOUR = ("bce", "dice", "focal", "weighted_bce")


@pytest.fixture(scope="module")
def pictures() -> PictureSet:
    return imbalanced_set(0.1, 32, train=16, validation=4)


@pytest.fixture
def float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same arithmetic on every processor."""
    monkeypatch.setattr("segdemo.training.race_network.cpu_has_bf16", lambda: False)


def settings(losses: tuple[str, ...] = FOUR, steps: int = 6, **other: Any) -> RaceSettings:
    return RaceSettings(losses, steps=steps, width=4, batch_size=4, **other)


def run(race: Race, most: int = 10**6) -> Race:
    """Here and now, one slice after the other."""
    while most and (work := race.take()) is not None:
        work()
        most -= 1
    return race


def curves(race: Race) -> list[Curves]:
    return race.shown.curves()


def test_the_same_seed_gives_the_same_curves_twice(pictures: PictureSet) -> None:
    first, again = (run(Race(pictures, settings((*FOUR, "boundary")))) for _ in range(2))
    assert curves(first) == curves(again)
    assert len(curves(first)[0].loss) == 6 and curves(first)[0].scored == (0, 1, 2, 3, 5, 6)
    for one, other in zip(first.shown.masks(6), again.shown.masks(6), strict=True):
        assert one is not None and other is not None and np.array_equal(one, other)


def test_another_seed_gives_others(pictures: PictureSet) -> None:
    assert curves(run(Race(pictures, settings(steps=2, seed=1)))) != curves(run(Race(pictures, settings(steps=2))))


def test_it_does_not_matter_who_computes_when(pictures: PictureSet) -> None:
    """In two threads beside another race, with the global random numbers used up meanwhile, or without two of the lanes."""
    alone = curves(run(Race(pictures, settings())))
    jobs = Jobs(3, lease_s=10**6)
    beside, race = Race(pictures, settings(("iou", "bce"), steps=12)), Race(pictures, settings())
    started = [jobs.submit(beside), jobs.submit(race)]
    torch.manual_seed(123)
    assert all(job.closed.wait(120) for job in started)
    assert [job.state for job in started] == ["finished", "finished"]
    assert curves(race) == alone
    fewer = run(Race(pictures, settings(("weighted_bce", "bce"))))
    assert curves(fewer) == [alone[3], alone[0]]


@pytest.mark.usefixtures("float32")
def test_all_begin_alike_and_then_go_their_own_ways(pictures: PictureSet) -> None:
    race = run(Race(pictures, settings()))
    starts = [curve.scores[0] for curve in curves(race)]
    assert len(set(starts)) == 1
    begun = race.shown.masks(0)
    assert all(np.array_equal(begun[0], mask) for mask in begun)
    assert len({curve.scores[-1] for curve in curves(race)}) == 4


def test_a_batch_is_a_function_of_seed_and_step(pictures: PictureSet) -> None:
    image, target = batch_of(pictures, settings(), 3)
    assert (image.shape, image.dtype) == ((4, 3, 32, 32), torch.float32)
    assert (target.shape, target.dtype) == ((4, 32, 32), torch.int64)
    again = batch_of(pictures, settings(("iou", "bce")), 3)
    assert torch.equal(image, again[0]) and torch.equal(target, again[1])
    assert not torch.equal(image, batch_of(pictures, settings(), 4)[0])
    known = {(a.tobytes(), b.tobytes()) for i, t in zip(pictures.images, pictures.targets, strict=True)
             for a, b in ((i[::r, ::c], t[::r, ::c]) for r in (1, -1) for c in (1, -1))}  # fmt: skip
    drawn = (image.permute(0, 2, 3, 1) * 64 + 127.5).round().to(torch.uint8).numpy()
    assert all((i.tobytes(), t.astype(np.uint8).tobytes()) in known for i, t in zip(drawn, target.numpy(), strict=True)), (
        "picture and mask are mirrored together"
    )


@pytest.mark.usefixtures("float32")
def test_it_learns(pictures: PictureSet) -> None:
    race = run(Race(pictures, replace(settings(("bce_dice", "weighted_bce"), steps=40), learning_rate=1e-2)))
    for curve in curves(race):
        assert np.mean(curve.loss[-5:]) < 0.8 * np.mean(curve.loss[:5])
        assert curve.scores[-1].dice > curve.scores[0].dice + 0.2


def test_scores_against_hand_values() -> None:
    preds = np.array([[[1, 1, 0, 0]]], np.uint8)
    scores = scores_of(preds, np.array([[[1, 0, 1, 255]]], np.uint8))  # one hit, one false alarm, one missed
    assert scores == Scores(dice=0.5, iou=pytest.approx(1 / 3), precision=0.5, recall=0.5)
    assert np.isnan(scores_of(np.zeros_like(preds), np.ones_like(preds)).precision)


def test_options_change_one_loss_and_no_other(pictures: PictureSet) -> None:
    usual = curves(run(Race(pictures, settings(("focal", "bce"), steps=2))))
    sharper = curves(run(Race(pictures, settings(("focal", "bce"), steps=2, options={"focal": {"gamma": 4.0}}))))
    assert sharper[0] != usual[0] and sharper[1] == usual[1]
    plain = curves(run(Race(pictures, settings(("focal", "bce"), steps=2, options={"focal": {"gamma": 0.0, "alpha": 0.5}}))))
    assert plain[0].loss[0] == pytest.approx(plain[1].loss[0] / 2, rel=1e-5), "then it is half the cross entropy"


def test_every_loss_that_takes_one_logit_can_race(pictures: PictureSet) -> None:
    names = racing_losses()
    assert "cross_entropy" not in names and len(names) == 14
    for start in (0, 6, 8):
        race = run(Race(pictures, settings(tuple(names[start : start + 6]), steps=2)))
        assert all(np.isfinite(curve.loss).all() and len(curve.loss) == 2 for curve in curves(race))


@pytest.mark.parametrize("wrong", [
    {"losses": ("bce",)}, {"losses": ("bce", "bce")}, {"losses": ("bce", "cross_entropy")}, {"losses": ("bce", "none")},
    {"losses": tuple(racing_losses()[:7])}, {"steps": 0}, {"steps": 10**9}, {"width": 64}, {"batch_size": 64}, {"seed": -1},
    {"learning_rate": 0.0}, {"options": {"focal": {"gamma": -1.0}}}, {"options": {"dice": {"gamma": 1.0}}},
])  # fmt: skip
def test_what_cannot_race_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        RaceSettings(**{"losses": FOUR, **wrong})  # type: ignore[arg-type]


def test_a_pause_brings_all_lanes_abreast_and_a_step_moves_each_by_one(pictures: PictureSet) -> None:
    race = run(Race(pictures, settings()), most=4 * 2 + 3)  # networks, one step each, three of the second
    race.pause()
    run(race)
    assert race.paused and race.step == 2 and [len(curve.loss) for curve in curves(race)] == [2] * 4
    race.step_once()
    run(race)
    assert race.step == 3 and [len(curve.loss) for curve in curves(race)] == [3] * 4
    race.resume()
    run(race)
    assert race.finished and not race.paused
    assert curves(race) == curves(run(Race(pictures, settings()))), "pausing changes nothing"


def test_a_speed_limit_holds_the_first_of_each_step(pictures: PictureSet, monkeypatch: pytest.MonkeyPatch) -> None:
    pace = Pace(10)
    pace.per_second = 4.0
    assert pace.allows(1, now=5.0, first=True)
    assert not pace.allows(2, now=5.2, first=True)
    assert pace.allows(1, now=5.2, first=False), "the others follow at once"
    assert pace.allows(2, now=5.25, first=True)
    now = 5.0
    monkeypatch.setattr(module, "monotonic", lambda: now)
    race = Race(pictures, settings(steps=3))
    race.pace.per_second = 4.0
    for step in range(4):  # networks, then three steps, each a quarter of a second apart
        assert run(race).step == step
        now += 0.125
        assert run(race).step == step, "it is too early for the next one"
        now += 0.125
    assert race.finished
    assert curves(race) == curves(run(Race(pictures, settings(steps=3))))


def test_a_lane_never_runs_far_ahead(pictures: PictureSet) -> None:
    race = Race(pictures, settings(steps=4))
    held = race.take()
    assert held is not None
    run(race)
    assert max(len(curve.loss) for curve in curves(race)) <= 1, "the others wait for the one that is held back"
    held()
    assert run(race).finished


def test_a_loss_that_becomes_no_number_leaves_alone(pictures: PictureSet, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(nn.Module):
        def forward(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            return logits.sum() * float("nan")

    monkeypatch.setattr(module, "create_loss", lambda name, **_options: Broken() if name == "dice" else create_loss(name))
    race = run(Race(pictures, settings()))
    assert race.finished and race.shown.lost == {1: 1}
    assert race.shown.steps == [0, 1, 2, 3, 5, 6]
    assert [mask is None for mask in race.shown.masks(6)] == [False, True, False, False]
    assert len(curves(race)[0].loss) == 6


def test_after_a_stop_no_network_and_no_thread_is_left(pictures: PictureSet) -> None:
    def networks() -> int:
        gc.collect()
        return sum(type(thing) is UNet for thing in gc.get_objects())

    before = networks()
    jobs, race = Jobs(2, lease_s=10**6), Race(pictures, settings(steps=2000))
    job = jobs.submit(race)
    until(lambda: race.step >= 2)
    assert networks() >= before + 4
    jobs.cancel(job)
    assert job.closed.wait(120)
    until(lambda: not jobs.threads and not any(t.name == "segdemo-live" for t in threading.enumerate()))
    assert networks() == before
    assert race.shown.masks(race.shown.steps[-1])[0] is not None, "what was shown stays"
    assert race.take() is None


def test_two_visitors_race_without_harming_each_other(pictures: PictureSet) -> None:
    jobs = Jobs(2, lease_s=10**6)
    mine, yours = Race(pictures, settings()), Race(pictures, settings(steps=2000, seed=5))
    first, second = jobs.submit(mine), jobs.submit(yours)
    until(lambda: yours.step >= 1)
    jobs.cancel(second)
    assert first.closed.wait(120) and second.closed.wait(120)
    assert (first.state, second.state) == ("finished", "stopped")
    assert curves(mine) == curves(run(Race(pictures, settings())))


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_snapshots_are_bounded_and_keep_the_ends() -> None:
    shown, scores = Snapshots(2, limit=10), Scores(0.5, 0.3, 0.6, 0.4)
    masks = np.random.default_rng(0).random((3, 8, 8)) < 0.5
    for step in range(0, 500, 5):
        for lane in range(2):
            shown.add_scores(lane, step, scores, masks)
        assert len(shown.steps) <= 11 and shown.steps[0] == 0 and shown.steps[-1] == step
    assert shown.nbytes <= 2 * 12 * 3 * 8
    assert len(shown.curves()[0].scores) == 100, "curves keep everything"
    found = shown.masks(shown.steps[3])[1]
    assert found is not None and np.array_equal(found, masks)


def test_a_step_is_shown_once_all_lanes_have_it() -> None:
    shown, mask = Snapshots(2), np.ones((1, 4, 4), bool)
    shown.add_scores(0, 0, Scores(1, 1, 1, 1), mask)
    assert shown.steps == []
    shown.add_scores(1, 0, Scores(1, 1, 1, 1), mask)
    shown.add_scores(1, 5, Scores(1, 1, 1, 1), mask)
    assert shown.steps == [0]
    assert shown.masks(99) == [None, None]


def test_scores_at_a_step_are_the_last_ones_before_it() -> None:
    first, second = Scores(0, 0, 0, 0), Scores(1, 1, 1, 1)
    curve = Curves((), (0, 5), (first, second))
    assert (curve.at(4), curve.at(5), curve.at(9), Curves().at(3)) == (first, second, second, None)
