"""Race: one small network for each loss, from the same start and on the same batches, trained while the visitor looks."""

import html
import inspect
from collections.abc import Sequence
from math import isnan
from textwrap import dedent

import streamlit as st

from segdemo.text import _
from segdemo.training.race import Race
from segdemo.training.race_network import batch_of
from segdemo.training.race_settings import RaceSettings
from segdemo.training.snapshots import Curves
from segdemo.ui.loss_colours import colour_of, title_of
from segdemo.ui.loss_options import option_label
from segdemo.ui.losses_race_controls import Setup, setup_controls, transport
from segdemo.ui.losses_race_drawing import PALETTE, Mask, curves_figure, masks_sheet, pictures_sheet
from segdemo.ui.losses_race_state import Run, current_run, reason_of, shared_jobs, take_message

__all__ = ["show_race"]

TICK_S, HEARTBEAT_S = 0.5, 4.0
REACH_KEY = "race_reach"
GROWTH = 1.25
HEAD = (
    '<div class="race-head" style="border-top:4px solid {colour};padding-top:.2rem;margin-right:4px;line-height:1.25">'
    "{title}<br><b>{score}</b></div>"
)
CHIP = (
    '<span style="white-space:nowrap"><span style="display:inline-block;width:.8em;height:.8em;border-radius:2px;'
    'background:{colour};outline:1px solid #8886"></span> {text}</span>'
)


def show_race() -> None:
    """The race, or the frame of one to come; its controls; and, folded, what is fair about it."""
    run = current_run()
    main, side = st.columns([7, 2], gap="medium")
    with side:
        setup = setup_controls()
    every = None
    if run is not None and run.job.live:
        every = HEARTBEAT_S if run.status == "paused" else TICK_S
    with main:
        transport(run, setup)
        if message := take_message():
            st.warning(message, icon=":material/groups:")
        if run is not None:
            st.fragment(_live, run_every=every)(run, run.status)
        elif setup is not None:
            _frame(setup)
    _explained()


def _frame(setup: Setup) -> None:
    """Before the start: the pictures, their exact masks, and empty places for what the losses will make of them."""
    st.caption(_("The same network, weights and batches for every loss. Nothing has been trained yet."))
    count = len(setup.settings.losses)
    _sheets(setup.settings, pictures_sheet(setup.pictures), masks_sheet(setup.pictures, [None] * count), ["–"] * count)
    _curves(setup.settings, [Curves()] * count, None, "race_curves")


def _live(run: Run, drawn: str) -> None:
    """What changes while it races. Each run of this piece renews the lease; a new state redraws the whole page once."""
    if run.job.live:
        run.renew()
    _status(run)
    settings, race = run.race.settings, run.race
    steps, curves = race.shown.steps, race.shown.curves()
    place = st.container()
    step = _looked_back(run, steps)
    masks: Sequence[Mask | None] = [None] * len(settings.losses) if step is None else race.shown.masks(step)
    with place:
        _sheets(settings, pictures_sheet(race.pictures), masks_sheet(race.pictures, masks), _dice_at(curves, step))
    _curves(settings, curves, step, "race_curves")
    _numbers(settings, curves, step)
    if run.status != drawn:
        st.rerun()


def _status(run: Run) -> None:
    """One line, and a bar that says how far it is."""
    step, steps = max(0, run.race.step), run.race.settings.steps
    where = _("step {step} of {steps}", step=step, steps=steps)
    match run.status:
        case "waiting":
            st.info(_("Number {n} in line: others are racing. It begins by itself.", n=shared_jobs().position(run.job)),
                    icon=":material/hourglass_top:")  # fmt: skip
            return
        case "failed":
            st.error(reason_of(run), icon=":material/error:")
            return
        case "running":
            text = _("Racing, {where}", where=where) + _speed(run, steps - step)
        case "paused":
            text = _("Paused at {where}", where=where)
        case "finished":
            text = _("Finished after {steps} steps", steps=steps)
        case _:
            text = f"{_('Stopped at {where}', where=where)}. {reason_of(run)}"
    st.progress(step / steps, text=text)
    for lane, lost in run.race.shown.lost.items():
        name = title_of(run.race.settings.losses[lane])
        st.warning(_("{name} left the race in step {step}: its value was no number any more.", name=name, step=lost))


def _speed(run: Run, left: int) -> str:
    speed = run.steps_per_second()
    if speed is None:
        return ""
    return " · " + _("{speed:.1f} steps/s, about {seconds:.0f} s left", speed=speed, seconds=left / speed)


def _looked_back(run: Run, steps: list[int]) -> int | None:
    """The step to show: the newest, or the recorded one nearest to where the visitor looks back to."""
    if not steps:
        return None
    reach = _reach(run, steps[-1])
    back = st.slider(
        _("Look back at step"), 0, max(1, reach), key=_back_key(run, reach), persist_state="session", disabled=not reach,
        help=_("The masks and scores of an earlier step. At the right end: always the newest."),
    )  # fmt: skip
    return steps[-1] if back >= reach else min(steps, key=lambda step: (abs(step - back), step))


def _reach(run: Run, newest: int) -> int:
    """How far the slider goes: never beyond what has been run. A slider with another range is another one, and would slip
    from under a hand: it grows by a quarter at a time, and not while the visitor looks back, until the race rests."""
    state = st.session_state
    number, reach = state.get(REACH_KEY, (run.run_id, 0))
    if number != run.run_id:
        reach = 0
    back = state.get(_back_key(run, reach), reach)
    looking = back < reach
    if newest > reach and (run.status != "running" or (not looking and newest >= reach * GROWTH)):
        state.pop(_back_key(run, reach), None)
        state[_back_key(run, newest)] = back if looking else newest
        reach = newest
    state[REACH_KEY] = (run.run_id, reach)
    state.setdefault(_back_key(run, reach), max(1, reach))
    return int(reach)


def _back_key(run: Run, reach: int) -> str:
    return f"race_back_{run.run_id}_{reach}"


def _dice_at(curves: list[Curves], step: int | None) -> list[str]:
    found = [curve.at(step) if step is not None else None for curve in curves]
    return ["–" if scores is None else f"Dice {scores.dice:.2f}" for scores in found]


def _sheets(settings: RaceSettings, pictures: bytes, masks: bytes, scores: list[str]) -> None:
    """Pictures and exact masks, and beside them what each loss has made of them so far."""
    names = [title_of(name) for name in settings.losses]
    left, right = st.columns([2, len(names)], gap=None)
    # Side by side the sheets begin at one height; where columns stack, on a phone, cells keep one size.
    st.html(f"<style>.race-head {{ min-height: 4.1rem; }} @media (max-width: 640px) {{ .race-head {{ min-height: 0; }} "
            f".st-key-race_pictures {{ max-width: {200 / len(names):.0f}%; }} }}</style>")  # fmt: skip
    with left, st.container(key="race_pictures"):
        _heads([(_("Picture"), "", "#8a939c"), (_("Exact mask"), "", "#8a939c")])
        st.image(pictures, width="stretch", output_format="PNG", alt=_("Validation pictures and their exact masks"))
    with right:
        _heads([(title, score, colour_of(name)) for name, title, score in zip(settings.losses, names, scores, strict=True)])
        said = "; ".join(f"{title}: {score}" for title, score in zip(names, scores, strict=True))
        st.image(masks, width="stretch", output_format="PNG", alt=_("Masks of each loss. {said}", said=said))
    words = (_("hit"), _("false alarm"), _("missed"), _("rightly left out"))
    chips = [CHIP.format(colour=f"rgb{tuple(int(v) for v in PALETTE[i])}", text=html.escape(t))
             for i, t in zip((1, 2, 3, 0), words, strict=True)]  # fmt: skip
    st.html(f'<div style="font-size:.85rem;display:flex;gap:1rem;flex-wrap:wrap">{"".join(chips)}</div>')
    if settings.options:
        st.caption(_("Set by hand: {options}.", options="; ".join(_by_hand(settings))))


def _by_hand(settings: RaceSettings) -> list[str]:
    """Each loss with those of its options that are not the usual ones."""
    shown = {name: settings.options[name] for name in settings.losses if name in settings.options}
    return [
        f"{title_of(name)} " + ", ".join(f"{option_label(key)} = {_plainly(value)}" for key, value in options.items())
        for name, options in shown.items()
    ]


def _plainly(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


def _heads(items: list[tuple[str, str, str]]) -> None:
    cells = [HEAD.format(title=html.escape(title), score=html.escape(score), colour=colour) for title, score, colour in items]
    style = f"display:grid;grid-template-columns:repeat({len(cells)},minmax(0,1fr));font-size:.82rem"
    st.html(f'<div style="{style}">{"".join(cells)}</div>')


def _curves(settings: RaceSettings, curves: list[Curves], step: int | None, key: str) -> None:
    st.plotly_chart(
        curves_figure(settings, curves, step), config={"displayModeBar": False}, key=key,
        alt=_("Dice, IoU, precision and recall on the validation pictures, and the training loss of each network, by step."),
    )  # fmt: skip


def _numbers(settings: RaceSettings, curves: list[Curves], step: int | None) -> None:
    """The same in numbers, for the step that is shown."""
    if step is None:
        return
    rows = []
    for name, curve in zip(settings.losses, curves, strict=True):
        loss = curve.loss[min(step, len(curve.loss)) - 1] if step and curve.loss else None
        row = {_("Loss function"): title_of(name), _("Training loss"): _shown(loss)}
        if (scores := curve.at(step)) is not None:
            values = {"Dice": scores.dice, "IoU": scores.iou, _("Precision"): scores.precision, _("Recall"): scores.recall}
            row |= {title: _shown(value) for title, value in values.items()}
        rows.append(row)
    st.markdown(_("**After step {step}**, over all validation pictures", step=step))
    st.dataframe(rows, hide_index=True)


def _shown(value: float | None) -> str:
    """Three digits; what is not defined, as the precision of an empty mask, is not a number."""
    return "–" if value is None or isnan(value) else f"{value:.3f}"


def _explained() -> None:
    with st.expander(
        _("What is the same, and what differs?"), icon=":material/balance:", key="race_explained", on_change="rerun"
    ) as box:
        if not box.open:
            return
        st.markdown(_(
            "Every network is a U-Net with the same random initial weights. Step by step all of them see the same batch of eight "
            "pictures, mirrored the same way; AdamW moves their weights with the same learning rate and weight decay, and "
            "gradients longer than 5 are shortened to 5. AdamW scales each weight's step by itself, so that it hardly matters "
            "how large a loss is: what differs on the page is the work of the loss. The scores come from the same few pictures "
            "that none of them trains on, at a threshold of one half. Batches are normalised by their own statistics, also then. "
            "Each loss has its usual options unless you set others; those stand below the pictures."
        ))  # fmt: skip
        st.caption("`segdemo/training/race.py`, `segdemo/training/race_network.py`")
        st.code(inspect.getsource(batch_of) + "\n\n" + dedent(inspect.getsource(Race._learn)), language="python")
