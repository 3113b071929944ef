"""Each ready scene: what its two sentences claim, from the numbers of that very scene."""

import math
from dataclasses import replace

import numpy as np
import pytest

from segdemo.losses import LOSSES
from segdemo.losslab.damage import RANGES, Logits, Mask, count_objects, spoil, to_logits
from segdemo.losslab.gradients import Scores, gradient_of, score, settings_of, value_of
from segdemo.losslab.stories import STORIES, Story, pull_of_the_easy, under_policies
from segdemo.losslab.sweeps import sweep_damage, sweep_imbalance, sweep_size, swept_fields
from segdemo.losslab.truths import scene, scene_titles

pytestmark = pytest.mark.usefixtures("one_thread")


def told(story: Story) -> tuple[Mask, Logits, dict[str, float], Scores]:
    truth = scene(story.truth)
    logits = to_logits(spoil(truth, story.damage), truth, story.damage)
    values = {name: value_of(name, logits, truth, settings_of(name, story.knobs)) for name in story.losses}
    return truth, logits, values, score(logits > 0, truth)


@pytest.mark.parametrize("name", STORIES)
def test_every_story_is_two_sentences_about_what_exists(name: str) -> None:
    story = STORIES[name]
    assert story.text.replace("0.", "0").count(". ") == 1 and story.text.endswith(".")
    assert story.truth in scene_titles() and set(story.losses) <= set(LOSSES)
    assert story.axis in (*swept_fields(), "size", "imbalance")
    assert all(low <= getattr(story.damage, field) <= high for field, (low, high) in RANGES.items())


def test_bce_is_happy_with_an_empty_mask_at_one_percent_foreground() -> None:
    story = STORIES["happy"]
    truth, logits, values, found = told(story)
    assert truth.mean() == pytest.approx(0.01, abs=0.0005)
    assert not (logits > 0).any() and found.recall == 0
    assert round(values["bce"], 2) == 0.06
    assert math.exp(-values["bce"]) == pytest.approx(0.94, abs=0.005)  # all right and 94 % sure
    assert round(values["dice"], 2) == round(values["iou"], 2) == 0.99
    curves = sweep_imbalance(story.missed, story.damage, story.losses, story.knobs).curves
    assert curves["bce"][0] > 2 and curves["bce"][-1] < 0.02 and curves["dice"].min() > 0.95


def test_dices_gradient_explodes_on_tiny_objects() -> None:
    story = STORIES["tiny"]
    truth, _logits, _values, _found = told(story)
    assert np.ptp(np.argwhere(truth), axis=0).tolist() == [3, 3]  # 4 pixels wide
    sweep = sweep_size(story.damage, story.losses, story.knobs, "gradient")
    small, large = (int(np.flatnonzero(sweep.amounts == d)[0]) for d in (4, 64))
    ratio = {name: curve[small] / curve[large] for name, curve in sweep.curves.items()}
    assert ratio["dice"] > 100
    assert ratio["bce"] == pytest.approx(1, rel=1e-3) and ratio["focal"] == pytest.approx(1, rel=1e-3)
    assert (np.diff(sweep.curves["dice"]) < 1e-9).all()


def test_focal_ignores_what_is_easy() -> None:
    story = STORIES["easy"]
    truth, _logits, _values, found = told(story)
    assert round(found.accuracy, 2) == 0.94 and story.damage.right == 0.9
    share = {name: pull_of_the_easy(name, truth, story.damage, story.knobs) for name in story.losses}
    assert round(share["bce"], 2) == 0.65
    assert round(share["focal"], 2) == 0.06
    pull = gradient_of("bce", to_logits(truth, truth, story.damage), truth, {})
    assert np.abs(pull).max() * truth.size == pytest.approx(0.1, rel=1e-3)


def test_iou_and_dice_rank_alike_but_punish_differently() -> None:
    story = STORIES["alike"]
    truth = scene(story.truth)
    damages = [
        replace(story.damage, dx=dx, grow=grow, add=add) for dx in (0, 5, 24, 60, 120) for grow in (-9, 0, 7) for add in (0, 3)
    ]
    pairs = []
    for damage in damages:
        logits = to_logits(spoil(truth, damage), truth, damage)
        pairs.append([value_of(name, logits, truth, settings_of(name, story.knobs)) for name in ("dice", "iou")])
    dice, iou = np.array(sorted(pairs)).T
    assert (np.diff(iou) >= -1e-6).all()
    np.testing.assert_allclose(1 - iou, (1 - dice) / (2 - (1 - dice)), atol=1e-5)
    assert 0.165 < (iou - dice).max() < 0.1716  # 3 − 2√2
    assert (iou - dice)[0] < 0.01 and (iou - dice)[-1] < 0.01
    half = told(story)[2]
    assert half["iou"] - half["dice"] > 0.16
    curves = sweep_damage(truth, story.damage, story.axis, story.losses, story.knobs).curves
    assert (curves["iou"] >= curves["dice"]).all()


def test_an_empty_ground_truth_under_four_policies() -> None:
    story = STORIES["empty"]
    truth, logits, values, _found = told(story)
    assert not truth.any() and count_objects(logits > 0) == 2
    cross_entropy = np.abs(gradient_of("bce", logits, truth, {})).max()
    for name in ("dice", "iou", "tversky"):
        formula, skip, zero, one = under_policies(name, truth, story.damage, story.knobs)
        assert [row.policy for row in (formula, skip, zero, one)] == ["smooth", "skip", "zero", "one"]
        assert 0.99 < formula.alarmed < 1 and values[name] == formula.alarmed
        assert skip.alarmed == zero.alarmed == 0 and one.alarmed == 1
        assert skip.pull == zero.pull == one.pull == 0
        assert cross_entropy / formula.pull > 200
        assert formula.silent < formula.alarmed
        pull = gradient_of(name, logits, truth, settings_of(name, story.knobs))
        assert (pull[logits > 0] > 0).all(), "it takes the two objects away"
