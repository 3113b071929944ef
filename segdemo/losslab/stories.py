"""Ready scenes that tell a story each: a truth, a damage, the losses to look at, and two sentences that hold for them.

What the sentences claim is tested with the numbers of these very scenes. Texts are marked for translation.
"""

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from segdemo.losses import EmptyPolicy
from segdemo.losslab.damage import Damage, Mask, spoil, to_logits
from segdemo.losslab.gradients import Knobs, gradient_of, settings_of, value_of
from segdemo.text import N_

__all__ = ["STORIES", "Below", "PolicyRow", "Story", "pull_of_the_easy", "under_policies"]

Below = Literal["gradients", "sweep", "policies"]  # what the page shows under the numbers
EVERYTHING = 1000  # objects to drop: more than any mask here has


@dataclass(frozen=True)
class Story:
    """One scene. `axis` is what a sweep varies: a damage's name, "size" or "imbalance"; `missed` is of the latter."""

    title: str  # N_
    text: str  # N_, two sentences
    truth: str  # key of a scene
    damage: Damage
    losses: tuple[str, ...]
    below: Below
    axis: str = "dx"
    missed: float = 0.3
    gradient: bool = False  # the sweep shows the largest gradient instead of the value
    knobs: Knobs = field(default_factory=Knobs)


@dataclass(frozen=True)
class PolicyRow:
    """A region loss on a mask without foreground under one policy: its value where the prediction finds nothing either,
    where it finds something, and the largest |∂loss/∂logit| of the latter."""

    policy: EmptyPolicy
    silent: float
    alarmed: float
    pull: float


STORIES: dict[str, Story] = {
    "happy": Story(
        N_("BCE is happy with an empty mask"),
        N_("1 % of this picture is foreground and the prediction finds none of it, yet cross entropy is 0.06, as if every "
           "pixel were right and 94 % sure. Dice and IoU see that nothing overlaps: both are at 0.99."),
        "rare", Damage(drop=EVERYTHING, right=0.99, wrong=0.99), ("bce", "focal", "weighted_bce", "dice", "iou"),
        "sweep", axis="imbalance", missed=1.0,
    ),
    "tiny": Story(
        N_("Dice's gradient explodes on tiny objects"),
        N_("Under Dice a wrong pixel of an object 4 pixels wide is pulled over 100 times as hard as one of an object 64 pixels "
           "wide. Cross entropy pulls both the same: it divides by the picture, Dice by the object."),
        "tiny", Damage(grow=-1, right=0.999, wrong=0.9), ("bce", "focal", "dice", "iou"), "sweep", axis="size", gradient=True,
    ),
    "easy": Story(
        N_("Focal ignores what is easy"),
        N_("94 % of these pixels are right and 90 % sure, and together they give cross entropy most of its pull: 65 %. Of "
           "Focal's pull they give 6 %, so it is the few wrong pixels that teach."),
        "nuclei-stained", Damage(dx=2, right=0.9, wrong=0.9), ("bce", "focal", "dice"), "gradients",
    ),
    "alike": Story(
        N_("IoU and Dice rank alike, punish differently"),
        N_("Whatever is done to this mask, the two order the results alike, because IoU is Dice / (2 − Dice). But a half-right "
           "mask costs more under IoU: up to 0.17 more, and hardly any more near perfect or hopeless."),
        "disc", Damage(dx=24, right=0.9999, wrong=0.9999), ("dice", "iou"), "sweep", axis="dx", knobs=Knobs(smooth=0.0),
    ),
    "empty": Story(
        N_("Empty ground truth: four policies"),
        N_("There is nothing to find and two objects are marked: by the formula that costs nearly 1, left out or set to 0 it "
           "costs nothing, set to 1 it costs all. Only the formula pulls the two objects away, and hundreds of times more "
           "weakly than cross entropy does."),
        "empty", Damage(add=2), ("dice", "iou", "tversky", "bce"), "policies",
    ),
}  # fmt: skip


def under_policies(name: str, truth: Mask, damage: Damage, knobs: Knobs) -> tuple[PolicyRow, ...]:
    """A region loss on a mask without foreground, under all four policies.

    `silent` is the prediction that finds nothing, as sure as `damage` says; `alarmed` the damaged mask.
    """
    quiet = Damage(right=damage.right, wrong=damage.wrong, temperature=damage.temperature)
    silent, alarmed = (to_logits(spoil(truth, how), truth, how) for how in (quiet, damage))
    rows = []
    for policy in get_args(EmptyPolicy):
        settings = {**settings_of(name, knobs), "empty": policy}
        quiet_value, loud_value = (value_of(name, logits, truth, settings) for logits in (silent, alarmed))
        pull = float(np.abs(gradient_of(name, alarmed, truth, settings)).max())
        rows.append(PolicyRow(policy, quiet_value, loud_value, pull))
    return tuple(rows)


def pull_of_the_easy(name: str, truth: Mask, damage: Damage, knobs: Knobs) -> float:
    """Share of Σ|∂loss/∂logit| that comes from pixels whose prediction is right, 0–1."""
    mask = spoil(truth, damage)
    pull = np.abs(gradient_of(name, to_logits(mask, truth, damage), truth, settings_of(name, knobs)))
    return float(pull[mask == truth].sum() / pull.sum())
