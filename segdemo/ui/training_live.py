"""A training on the Training page while it waits, runs, and after it has ended. The page only reads what the run writes."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import streamlit as st

from segdemo.errors import SegdemoError
from segdemo.models import TITLES
from segdemo.text import _, set_language
from segdemo.training.run_folder import ENDED, RunFolder, RunState
from segdemo.training.run_queue import shared_queue
from segdemo.training.run_result import card_of, entry_of, event_files, weights_of
from segdemo.training.run_samples import SIDE
from segdemo.training.run_spec import RunSpec, spec_from_json
from segdemo.types import ClassInfo, LabelMap, RGBImage
from segdemo.ui.frame import SEGMENT_PAGE, use_import
from segdemo.ui.loss_colours import title_of
from segdemo.ui.training_figures import loss_curve, score_curve
from segdemo.ui.training_sheets import outlined, show_picture, stacked
from segdemo.ui.words import plain
from segdemo.weights import named_classes

__all__ = ["show_run"]

POLL_SECONDS = 1.0
USED_KEY = "training_used"
NO_BAR = {"displayModeBar": False}


def show_run(run_id: str) -> None:
    """The run, followed until it ends and then at rest."""
    run = RunFolder(shared_queue().folder / run_id)
    try:
        spec = spec_from_json(run.spec.read_text(encoding="utf-8"))
    except (OSError, SegdemoError):
        _forget()
        st.rerun()
    state = shared_queue().state(run_id)
    st.title(_heading(state))
    st.caption(f"{TITLES[spec.model]} · {title_of(spec.settings.loss)} · {plain(spec.data_name or Path(spec.data).name)}")
    if state.phase in ENDED:
        _ended(run, spec, state)
    else:
        st.fragment(_live, run_every=POLL_SECONDS)(run_id, run, spec)


def _heading(state: RunState) -> str:
    return {
        "waiting": _("Waiting for its turn"), "reading": _("Getting ready"), "running": _("Training"),
        "saving": _("Measuring the result"), "finished": _("Trained"), "withdrawn": _("Withdrawn"),
        "failed": _("The training ended early"),
    }[state.phase]  # fmt: skip


def _live(run_id: str, run: RunFolder, spec: RunSpec) -> None:
    """One look at the run, every second; when it has changed its phase, the whole page is drawn again."""
    set_language(st.context.locale)
    state = shared_queue().state(run_id)
    if state.phase in ENDED or st.session_state.setdefault("training_phase", state.phase) != state.phase:
        st.session_state["training_phase"] = state.phase
        st.rerun()
    left, right = st.columns([7, 2], gap="medium")
    with left:
        _bar(run_id, state)
        _pictures(run, spec)
        _curves(run, spec, state)
    with right:
        _numbers(state, spec)
        if state.phase == "waiting":
            st.button(_("Withdraw"), key="training_stop", icon=":material/close:", width="stretch", on_click=shared_queue().stop,
                      args=(run_id,))  # fmt: skip
        else:
            st.button(_("Stop and keep the best"), key="training_stop", icon=":material/stop_circle:", width="stretch",
                      on_click=shared_queue().stop, args=(run_id,), disabled=run.stop.exists() and state.phase != "saving",
                      help=_("The step or picture at hand is the last one. What scored best is kept."))  # fmt: skip
        st.caption(_("It goes on when you leave this page; its address leads back here."))


def _bar(run_id: str, state: RunState) -> None:
    ahead = shared_queue().ahead_of(run_id)
    turn = _("Trainings that come first: {n}. This one starts by itself.", n=ahead) if ahead else _("Starting …")
    words = {
        "waiting": turn,
        "reading": _("Reading the data …"),
        "saving": _("Measuring the best weights on all held-out pictures …"),
    }.get(state.phase) or _("Step {step} of {steps}", step=state.step, steps=state.steps)
    st.progress(min(1.0, max(0.0, state.share)), words)


def _numbers(state: RunState, spec: RunSpec) -> None:
    """Nothing before the first step: there is nothing to tell yet."""
    if state.phase not in ("running", "saving"):
        return
    if state.best is None:
        st.caption(_("{score} is measured for the first time after step {n}.", score=_(state.score_name),
                     n=min(spec.settings.steps, spec.settings.validate_every)))  # fmt: skip
    else:
        st.metric(_("Best {score} so far", score=_(state.score_name)), f"{state.best:.3f}",
                  help=_("On pictures that are held out. The weights of that step are the ones that are kept."))  # fmt: skip
    if state.phase == "running" and (left := state.seconds_left) is not None:
        st.metric(_("Time left"), _duration(left))
    if state.images_per_second:
        st.metric(_("Speed"), f"{state.images_per_second:.0f} " + _("images/s"), help=state.device or None)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return _("{n} s", n=max(1, round(seconds)))
    return _("{n} min", n=round(seconds / 60)) if seconds < 5400 else _("{n:.1f} h", n=seconds / 3600)


@lru_cache(maxsize=64)
def _read(path: Path) -> RGBImage | LabelMap | None:
    """A strip of samples; they are written once and never changed."""
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return None if pixels is None else np.asarray(pixels[..., ::-1] if pixels.ndim == 3 else pixels, np.uint8)


def _parts(strip: RGBImage | LabelMap) -> list[RGBImage | LabelMap]:
    return [np.ascontiguousarray(strip[:, start : start + SIDE]) for start in range(0, strip.shape[1], SIDE)]


def _pictures(run: RunFolder, spec: RunSpec) -> None:
    """Held-out pictures with the truth's outlines above, what the network makes of them below, at any step so far."""
    steps = run.sample_steps()
    if not steps:
        st.skeleton(height=380)
        return
    step = steps[-1]
    if len(steps) > 1:
        step = st.select_slider(
            _("Predictions after step"), steps, steps[-1], key=f"training_sample_{len(steps)}",
            help=_("Back through what the network made of these pictures as it learned. New ones come by themselves."),
        )  # fmt: skip
    pictures, truth, labels = (_read(run.samples / name) for name in ("pictures.png", "truth.png", f"{step:06d}.png"))
    if pictures is None or truth is None or labels is None:
        return
    classes = _classes(run, spec, max(int(truth[truth < 255].max(initial=0)), int(labels.max())) + 1)
    above = [outlined(p, t, classes, filled=False) for p, t in zip(_parts(pictures), _parts(truth), strict=True)]
    below = [outlined(p, found, classes, filled=True) for p, found in zip(_parts(pictures), _parts(labels), strict=True)]
    show_picture(
        stacked([above, below]),
        _("Held-out pictures: outlines of the truth above, the network's masks after step {n} below", n=step),
    )
    st.caption(_("Held-out pictures: the truth as outlines above, the network's own masks below."))


def _classes(run: RunFolder, spec: RunSpec, at_least: int) -> tuple[ClassInfo, ...]:
    """As many as the pictures hold: names do not matter here, and colours follow from the number."""
    return named_classes([f"class {number}" for number in range(max(2, at_least, len(spec.classes)))])


def _curves(run: RunFolder, spec: RunSpec, state: RunState) -> None:
    loss, scores = run.table(run.curve, 3), run.table(run.scores, 3)
    last = int(loss[-1, 0]) if len(loss) else 1
    steps = last if spec.settings.minutes or state.phase in ENDED else spec.settings.steps
    left, right = st.columns(2, gap="medium")
    if len(loss):
        left.plotly_chart(loss_curve(loss, spec.settings.loss, steps), key="training_loss_curve", config=NO_BAR,
                          alt=_("Loss by step"))  # fmt: skip
    if len(scores):
        right.plotly_chart(score_curve(scores, _(state.score_name), steps), key="training_score_curve", config=NO_BAR,
                           alt=_("IoU and Dice on held-out pictures by step"))  # fmt: skip


def _forget() -> None:
    st.session_state["run"] = ""
    st.session_state.pop("training_phase", None)
    if "run" in st.query_params:
        del st.query_params["run"]


def _ended(run: RunFolder, spec: RunSpec, state: RunState) -> None:
    weights = weights_of(run)
    if state.phase == "withdrawn":
        st.info(_("You withdrew it before its first step: nothing was trained, and nothing is kept."),
                icon=":material/undo:")  # fmt: skip
    if state.phase == "failed":
        st.error(plain(state.error, 600), icon=":material/error:")
    if weights is None and not run.sample_steps():
        _new()
        return
    left, right = st.columns([7, 2], gap="medium")
    with left:
        if run.sample_steps():
            _pictures(run, spec)
        _curves(run, spec, state)
        if weights is not None:
            _repeat(run, spec)
    with right:
        if weights is not None:
            _score(run, state)
            _use(run)
            _downloads(run, spec, weights)
        _new(width="stretch")


def _new(width: Literal["stretch", "content"] = "content") -> None:
    st.button(_("New training"), key="training_new", icon=":material/add:", width=width, on_click=_forget,
              help=_("Back to the data and the settings. The weights in your lists stay."))  # fmt: skip


def _score(run: RunFolder, state: RunState) -> None:
    scores = card_of(run).get("scores", {})
    for name, key in ((_(state.score_name), "score"), ("Dice", "dice")):
        value = scores.get(key)
        st.metric(name, "–" if value is None else f"{value:.3f}", help=_("Of the weights that are kept, on held-out pictures."))
    words = _("Step {n} was the best.", n=state.best_step)
    st.caption(words + (" " + _("Stopped before its time.") if state.stopped else ""))


def _use(run: RunFolder) -> None:
    """Into the picker, as imported weights are."""
    clicked = st.button(
        _("Use these weights"), key="training_use", type="primary", icon=":material/play_arrow:", width="stretch",
        on_click=_put_into_picker, args=(run,), help=_("Adds them to your lists and opens the Segment page."),
    )  # fmt: skip
    if clicked and st.session_state.pop(USED_KEY, False):
        st.switch_page(SEGMENT_PAGE)


def _put_into_picker(run: RunFolder) -> None:
    try:
        use_import(entry_of(run))
        st.session_state[USED_KEY] = True
    except SegdemoError as error:
        st.toast(plain(str(error), 300), icon=":material/error:")


def _downloads(run: RunFolder, spec: RunSpec, weights: Path) -> None:
    stem = f"{spec.model}-trained"
    st.download_button(_("Weights (safetensors)"), weights.read_bytes, f"{stem}.safetensors", "application/octet-stream",
                       key="training_weights", icon=":material/download:", on_click="ignore", width="stretch")  # fmt: skip
    st.download_button(_("Card (JSON)"), weights.with_suffix(".json").read_bytes, f"{stem}.json", "application/json",
                       key="training_card", icon=":material/description:", on_click="ignore", width="stretch",
                       help=_("Settings, scores, classes and how pictures are prepared."))  # fmt: skip
    if (events := event_files(run)) is not None:
        st.download_button(_("Event files (ZIP)"), events, f"{stem}-events.zip", "application/zip", key="training_event_files",
                           icon=":material/monitoring:", on_click="ignore", width="stretch")  # fmt: skip


def _repeat(run: RunFolder, spec: RunSpec) -> None:
    with st.expander(_("Repeat it from the command line"), icon=":material/terminal:"):
        st.code(str(card_of(run).get("command", "")), language="bash", wrap_lines=True)
        st.caption(_("The same seed on the same kind of processor draws the same batches."))
