"""What a visitor has chosen on "Spoil the mask": read from the session, checked, and set at once by a ready scene."""

from dataclasses import dataclass, fields, replace

import numpy as np
import streamlit as st

from segdemo.data import read_labels
from segdemo.errors import ImageError
from segdemo.losses import LOSSES
from segdemo.losslab.damage import Damage, Mask, Paint, count_objects
from segdemo.losslab.gradients import Knobs
from segdemo.losslab.stories import STORIES, Story
from segdemo.losslab.strokes import flattened
from segdemo.losslab.truths import SCENE_SIZE, foreground, scene, scene_titles
from segdemo.text import _
from segdemo.types import IGNORE_INDEX, LabelMap
from segdemo.ui.losses_spoil_strokes import forget, strokes_of

__all__ = [
    "DEFAULT_LOSSES",
    "PAINTED",
    "UPLOADED",
    "Truth",
    "apply_story",
    "chosen_damage",
    "chosen_knobs",
    "chosen_losses",
    "current_story",
    "keep_upload",
    "key_of",
    "prediction_paint",
    "reset_damage",
    "start",
    "truth_now",
    "truth_titles",
]  # fmt: skip

PAINTED = "painted"
UPLOADED = "uploaded"
FIRST_TRUTH = "nuclei-stained"
DEFAULT_LOSSES = ("bce", "weighted_bce", "focal", "ohem", "dice", "iou", "tversky", "lovasz")
DAMAGE_FIELDS = tuple(field.name for field in fields(Damage) if field.name != "seed")
KNOB_FIELDS = tuple(field.name for field in fields(Knobs))
MASK_KEY, PROBLEM_KEY = "spoil_mask", "spoil_mask_problem"


@dataclass(frozen=True)
class Truth:
    """The mask that is predicted. `scene` names it: strokes on the prediction belong to it."""

    scene: str
    mask: Mask
    notice: str = ""  # what a visitor should know of it
    problem: str = ""  # why another mask than the chosen one is shown


def key_of(name: str) -> str:
    """The key of a setting in the session."""
    return f"spoil_{name}"


def start() -> None:
    """Set what the session does not hold yet: a picture that is a little wrong everywhere, so that there is something to see."""
    first = {"truth": FIRST_TRUTH, "losses": list(DEFAULT_LOSSES), "below": "gradients", "group": "move", "axis": "dx"}
    for name, value in first.items():
        st.session_state.setdefault(key_of(name), value)
    for name in DAMAGE_FIELDS:
        st.session_state.setdefault(key_of(name), 4 if name == "dx" else getattr(Damage(), name))
    for name in KNOB_FIELDS:
        st.session_state.setdefault(key_of(f"knob_{name}"), getattr(Knobs(), name))


def truth_titles() -> dict[str, str]:
    """What can be chosen as ground truth, by key."""
    return {**scene_titles(), PAINTED: _("Painted by you"), UPLOADED: _("Your own mask")}


def truth_now() -> Truth:
    """The chosen ground truth. A mask that cannot be used leaves the last one, with the reason."""
    key = st.session_state[key_of("truth")]
    if key == PAINTED:
        return Truth(PAINTED, flattened(strokes_of(PAINTED, "truth"), SCENE_SIZE) > 0)
    if key == UPLOADED:
        return _uploaded()
    return Truth(key, scene(key if key in scene_titles() else FIRST_TRUTH))


def keep_upload(widget: str) -> None:
    """Take over the mask that was put into the uploader; it stays when the page is left. A wrong one leaves the last."""
    if (upload := st.session_state.get(widget)) is None:
        return
    try:
        labels = read_labels(upload.getvalue())
    except ImageError as error:
        st.session_state[PROBLEM_KEY] = str(error)
        return
    st.session_state.pop(PROBLEM_KEY, None)
    st.session_state[MASK_KEY] = _of_labels(labels, f"{UPLOADED} {upload.file_id}")


def _of_labels(labels: LabelMap, scene_key: str) -> Truth:
    mask = foreground(labels)
    notices = [_("Reduced from {w} × {h} pixels.", w=labels.shape[1], h=labels.shape[0])] if mask.shape != labels.shape else []
    if (labels == IGNORE_INDEX).any():
        notices.append(_("Ignored pixels (255) count as background here."))
    return Truth(scene_key, mask, " ".join(notices))


def _uploaded() -> Truth:
    problem = st.session_state.get(PROBLEM_KEY, "")
    kept: Truth | None = st.session_state.get(MASK_KEY)
    if kept is None:
        return Truth(FIRST_TRUTH, scene(FIRST_TRUTH), _("Until you choose a mask, the nuclei are shown."), problem)
    return replace(kept, problem=problem)


def prediction_paint(truth: Truth) -> Paint | None:
    """What was painted on the prediction of this truth."""
    strokes = strokes_of(truth.scene, "prediction")
    return flattened(strokes, (truth.mask.shape[0], truth.mask.shape[1])) if strokes else None


def chosen_damage(truth: Mask) -> Damage:
    """The damage that is set; no more objects are dropped than there are."""
    found = {name: st.session_state[key_of(name)] for name in DAMAGE_FIELDS}
    return Damage(**{**found, "drop": min(int(found["drop"]), count_objects(truth))})


def chosen_knobs() -> Knobs:
    """The options that the losses share."""
    return Knobs(**{name: st.session_state[key_of(f"knob_{name}")] for name in KNOB_FIELDS})


def chosen_losses() -> tuple[str, ...]:
    """The losses that are shown, in the order of the registry."""
    chosen = st.session_state[key_of("losses")]
    return tuple(name for name in LOSSES if name in chosen)


def reset_damage() -> None:
    """The prediction is the truth again; strokes stay."""
    for name in DAMAGE_FIELDS:
        st.session_state[key_of(name)] = getattr(Damage(), name)


def apply_story(name: str) -> None:
    """Set everything as a ready scene has it; what was painted on its prediction before is taken off."""
    story = STORIES[name]
    forget(story.truth, "prediction")
    most = count_objects(scene(story.truth))
    values = {field: getattr(story.damage, field) for field in DAMAGE_FIELDS} | {"drop": min(story.damage.drop, most)}
    values |= {f"knob_{field}": getattr(story.knobs, field) for field in KNOB_FIELDS}
    values |= {"truth": story.truth, "losses": list(story.losses), "below": story.below, "axis": story.axis,
               "missed": round(100 * story.missed), "quantity": "gradient" if story.gradient else "value",
               "maps": list(story.losses[:4])}  # fmt: skip
    values["group"] = "objects" if story.damage.drop or story.damage.add else "shape" if story.damage.grow else "move"
    for key, value in values.items():
        st.session_state[key_of(key)] = value


def current_story(truth: Truth, damage: Damage, knobs: Knobs) -> str | None:
    """The ready scene whose picture this still is: its sentences hold as long as nobody changes it."""
    for name, story in STORIES.items():
        if (
            truth.scene == story.truth
            and knobs == story.knobs
            and prediction_paint(truth) is None
            and _same(damage, story, truth)
        ):
            return name
    return None


def _same(damage: Damage, story: Story, truth: Truth) -> bool:
    told = {field: getattr(story.damage, field) for field in DAMAGE_FIELDS}
    told["drop"] = min(story.damage.drop, count_objects(truth.mask))
    return all(bool(np.isclose(getattr(damage, field), value)) for field, value in told.items())
