"""Damages against masks drawn by hand: exact geometry, counted objects, nested chance, stated certainty; strokes from outside."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from segdemo.errors import SettingError
from segdemo.losslab.damage import (
    GAP,
    Damage,
    Mask,
    add_objects,
    count_objects,
    drop_objects,
    grow,
    rotate,
    salt,
    shift,
    spoil,
    to_logits,
)
from segdemo.losslab.strokes import MOST_RUNS, MOST_STROKES, Stroke, flattened, read_stroke, run_lengths, together
from segdemo.losslab.truths import LONGEST_SIDE, disc, foreground, scene, scene_titles


def drawn(*rows: str) -> Mask:
    """A mask of rows such as ".#.#"."""
    return np.array([[cell == "#" for cell in row] for row in rows])


L_SHAPE = drawn("#....", "#....", "##...", ".....", ".....")
OBJECTS = drawn("##....#", "##.....", ".......", "...###.", "...###.", "#..###.")  # 4, 1, 9 and 1 pixels


@pytest.mark.parametrize("name", scene_titles())
def test_no_damage_is_the_truth(name: str) -> None:
    truth = scene(name)
    mask = spoil(truth, Damage())
    assert (mask == truth).all()
    logits = to_logits(mask, truth, Damage())
    assert logits.dtype == np.float32
    assert ((logits > 0) == truth).all()
    np.testing.assert_allclose(np.abs(logits), np.log(0.99 / 0.01), rtol=1e-5)


def test_shift_moves_and_loses_what_leaves() -> None:
    assert (shift(L_SHAPE, 2, 1) == drawn(".....", "..#..", "..#..", "..##.", ".....")).all()
    assert (shift(L_SHAPE, -1, -2) == drawn("#....", ".....", ".....", ".....", ".....")).all()
    for dx, dy in ((5, 0), (0, -5), (99, 99)):
        assert not shift(L_SHAPE, dx, dy).any()


@pytest.mark.parametrize("turns", [-1, 1, 2, 3])
def test_rotation_by_right_angles_is_exact(turns: int) -> None:
    for mask in (L_SHAPE, np.pad(L_SHAPE, ((0, 1), (0, 1)))):
        assert (rotate(mask, 90 * turns) == np.rot90(mask, turns)).all()
    assert rotate(L_SHAPE, 720) is L_SHAPE


def test_a_centred_disc_does_not_mind_being_turned() -> None:
    truth = disc((65, 65), 41)
    assert (rotate(truth, 33) != truth).mean() < 0.01


def test_grow_keeps_straight_line_distances() -> None:
    dot = drawn(".......", ".......", ".......", "...#...", ".......", ".......", ".......")
    assert (grow(dot, 2) == drawn(".......", "...#...", "..###..", ".#####.", "..###..", "...#...", ".......")).all()
    assert (grow(grow(dot, 3), -3) == dot).all()
    square = np.zeros((9, 9), bool)
    square[2:7, 2:7] = True
    assert np.argwhere(grow(square, -2)).tolist() == [[4, 4]]
    at_edge = drawn("###", "###", "...")
    assert (grow(at_edge, -1) == drawn("###", "...", "...")).all(), "the edge of the picture erodes nothing"
    assert not grow(square, -3).any()
    for whole in (np.ones((4, 4), bool), np.zeros((4, 4), bool)):
        assert (grow(whole, -2) == whole).all()


@pytest.mark.parametrize("count", range(6))
def test_exactly_k_objects_are_dropped_smallest_first(count: int) -> None:
    assert count_objects(OBJECTS) == 4
    kept = drop_objects(OBJECTS, count)
    assert count_objects(kept) == max(0, 4 - count)
    assert not (kept & ~OBJECTS).any()
    assert kept.sum() == [15, 14, 13, 9, 0, 0][count]
    assert drop_objects(OBJECTS, count, largest_first=True).sum() == [15, 6, 2, 1, 0, 0][count]


@pytest.mark.parametrize("name", ["nuclei-stained", "disc", "empty"])
def test_exactly_k_objects_are_added_apart_from_all_others(name: str) -> None:
    truth = scene(name)
    before = truth
    for count in (1, 2, 5):
        added = add_objects(truth, count, seed=3)
        assert count_objects(added) == count_objects(truth) + count
        assert (added | ~before).all(), "more contains less"
        near = grow(truth, GAP)
        assert not (added & near & ~truth).any()
        before = added


def test_nothing_is_added_where_there_is_no_room() -> None:
    full = np.ones((16, 16), bool)
    assert (add_objects(full, 3) == full).all()


def test_salt_flips_the_share_and_more_contains_less() -> None:
    truth = scene("nuclei-stained")
    flipped = [salt(truth, share, seed=1) ^ truth for share in (0.0, 0.02, 0.1, 0.3, 1.0)]
    for share, changed in zip((0.0, 0.02, 0.1, 0.3, 1.0), flipped, strict=True):
        assert changed.mean() == pytest.approx(share, abs=0.005)
    for less, more in pairwise(flipped):
        assert not (less & ~more).any()
    assert (salt(truth, 0.1, seed=1) != salt(truth, 0.1, seed=2)).any()


def test_added_objects_replace_dropped_ones_nowhere() -> None:
    truth = scene("nuclei-stained")
    mask = spoil(truth, Damage(drop=36, add=4))
    assert count_objects(mask) == 4
    assert not (mask & truth).any()


def test_paint_goes_over_everything() -> None:
    truth = scene("disc")
    paint = np.zeros(truth.shape, np.int8)
    paint[:10], paint[90:100] = 1, -1
    mask = spoil(truth, Damage(drop=1), paint)
    assert mask[:10].all() and not mask[10:].any()
    assert not spoil(truth, Damage(), paint)[90:100].any()


def test_certainty_is_as_stated() -> None:
    truth = OBJECTS
    mask = shift(truth, 1, 0)
    damage = Damage(dx=1, right=0.8, wrong=0.6)
    probs = 1 / (1 + np.exp(-to_logits(mask, truth, damage).astype(np.float64)))
    for predicted, actual, expected in ((1, 1, 0.8), (1, 0, 0.6), (0, 1, 0.4), (0, 0, 0.2)):
        place = (mask == predicted) & (truth == actual)
        assert place.any()
        np.testing.assert_allclose(probs[place], expected, rtol=1e-5)


def test_temperature_divides_the_logits() -> None:
    truth = scene("disc")
    cold, warm = (to_logits(truth, truth, Damage(temperature=t)) for t in (1, 4))
    np.testing.assert_allclose(warm, cold / 4, rtol=1e-6)
    assert np.isfinite(to_logits(truth, truth, Damage(right=0.999999, temperature=0.05))).all()


def test_blur_softens_the_border_alone() -> None:
    truth = disc((96, 96), 60)
    sharp, soft = (to_logits(truth, truth, Damage(blur=blur)) for blur in (0, 2))
    changed = np.abs(sharp - soft) > 1e-3
    border = grow(truth, 9) & ~grow(truth, -9)
    assert changed[grow(truth, 1) & ~grow(truth, -1)].all()
    assert not changed[~border].any()


@pytest.mark.parametrize("wrong", [
    {"dx": 500}, {"right": 1.0}, {"right": 0.3}, {"temperature": 0}, {"salt": 2}, {"add": -1}, {"blur": float("nan")},
])  # fmt: skip
def test_settings_outside_their_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingError, match="lies between"):
        spoil(OBJECTS, Damage(**wrong))  # type: ignore[arg-type]


def test_masks_are_brought_to_the_working_size() -> None:
    labels = np.zeros((600, 900), np.uint8)
    labels[:300], labels[300:400] = 3, 255
    mask = foreground(labels)
    assert max(mask.shape) == LONGEST_SIDE and mask.shape == (171, 256)
    assert mask[:80].all() and not mask[90:].any()
    assert foreground(np.eye(7, dtype=np.uint8)).shape == (7, 7)
    with pytest.raises(SettingError, match="nuclei-stained"):
        scene("moon")


def test_run_lengths_come_back_as_the_stroke() -> None:
    for covered in (OBJECTS, ~OBJECTS, np.zeros((3, 4), bool), np.ones((3, 4), bool)):
        stroke = read_stroke({"mode": "add", "runs": run_lengths(covered)}, covered.shape)
        assert (stroke.covered == covered).all()
        assert stroke.adds


@pytest.mark.parametrize("message", [
    None, 7, [], {}, {"mode": "add"}, {"mode": "shout", "runs": [42]}, {"mode": "add", "runs": "42"}, {"mode": "add", "runs": []},
    {"mode": "add", "runs": [41]}, {"mode": "add", "runs": [43]}, {"mode": "add", "runs": [-1, 43]},
    {"mode": "add", "runs": [1e300]},
    {"mode": "add", "runs": [True, 41]}, {"mode": "add", "runs": [42.0]}, {"mode": "add", "runs": [0] * MOST_RUNS + [42]},
    {"mode": "add", "runs": [10**30]}, {"mode": ["add"], "runs": [42]},
])  # fmt: skip
def test_a_stroke_made_by_hand_is_refused_with_a_sentence(message: object) -> None:
    with pytest.raises(SettingError, match="nothing was painted"):
        read_stroke(message, (6, 7))


def test_the_last_brush_decides() -> None:
    def stroke(adds: bool, rows: slice) -> Stroke:
        covered = np.zeros((6, 7), bool)
        covered[rows] = True
        return Stroke(adds, (6, 7), np.packbits(covered))

    strokes = [stroke(True, slice(0, 4)), stroke(False, slice(2, 6)), stroke(True, slice(5, 6))]
    assert flattened(strokes, (6, 7))[:, 0].tolist() == [1, 1, -1, -1, -1, 1]
    assert not flattened(strokes, (7, 6)).any(), "strokes on another size count nowhere"
    many = [stroke(bool(k % 3), slice(k % 6, k % 6 + 1)) for k in range(MOST_STROKES + 40)]
    fewer = together(many)
    assert len(fewer) == MOST_STROKES
    assert (flattened(fewer, (6, 7)) == flattened(many, (6, 7))).all()


def test_damages_do_not_change_what_they_are_given() -> None:
    truth = OBJECTS.copy()
    acts: list[Callable[[Mask], Mask]] = [
        lambda m: shift(m, 1, 1), lambda m: rotate(m, 30), lambda m: grow(m, 1), lambda m: drop_objects(m, 2),
        lambda m: add_objects(m, 1), lambda m: salt(m, 0.5),
    ]  # fmt: skip
    for act in acts:
        act(truth)
    assert (truth == OBJECTS).all()
