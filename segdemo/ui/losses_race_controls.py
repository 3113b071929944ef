"""The controls of a race: what races on which pictures, and the buttons from start to reset."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from segdemo.data.imbalanced import PictureSet
from segdemo.errors import SegdemoError
from segdemo.losses import FACTS
from segdemo.text import _
from segdemo.training.race_settings import FEWEST, MOST, RaceSettings, racing_losses
from segdemo.ui.loss_colours import title_of
from segdemo.ui.loss_options import loss_options
from segdemo.ui.losses_race_data import generated_set, own_choices, own_set
from segdemo.ui.losses_race_state import Run, current_run, hidden_run, reset, show_again, start, stop
from segdemo.ui.words import plain

__all__ = ["Setup", "setup_controls", "transport"]

SHARES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
SIZES, WIDTHS = (64, 96, 128), (4, 8, 16)
SPEEDS: dict[str, float | None] = {"full": None, "four": 4.0, "one": 1.0}  # steps a second
RATES = (5e-4, 1e-3, 2e-3, 5e-3, 1e-2)
DEFAULTS: dict[str, object] = {
    "race_losses": ["bce", "dice", "focal", "weighted_bce"], "race_data": "generated", "race_share": 0.01, "race_size": 64,
    "race_width": 16, "race_steps": 150, "race_seed": 0, "race_rate": 2e-3, "race_speed": "full",
}  # fmt: skip
OPTION = "race_option"  # what the keys of the losses' options begin with


@dataclass(frozen=True)
class Setup:
    """What the next race would be. `controls`: the values of the widgets, by key."""

    pictures: PictureSet
    settings: RaceSettings
    per_second: float | None
    controls: Mapping[str, object]


def setup_controls() -> Setup | None:
    """The widgets. None, and a sentence on the page, where they do not make a race."""
    for key, value in DEFAULTS.items():
        st.session_state.setdefault(key, value)
    st.multiselect(
        _("Losses"), racing_losses(), key="race_losses", persist_state="session", format_func=title_of, max_selections=MOST,
        wrap=True,
        help=_("{low} to {high} networks that differ in nothing but the loss they minimise.", low=FEWEST, high=MOST),
    )  # fmt: skip
    words = {"generated": _("Generated"), "own": _("My pictures")}
    own = st.segmented_control(
        _("Pictures"), list(words), key="race_data", persist_state="session", format_func=lambda kind: words[kind], required=True,
        help=_("A generated set with exact masks, or your uploads that have a mask."),
    ) == "own"  # fmt: skip
    if not own:
        st.select_slider(
            _("Foreground"), SHARES, key="race_share", persist_state="session", format_func=lambda share: f"{100 * share:g} %",
            help=_("The share of pixels that belong to a cell. The less there is, the more the losses differ."),
        )  # fmt: skip
    st.segmented_control(
        _("Speed"), list(SPEEDS), key="race_speed", persist_state="session", required=True, on_change=_change_speed,
        format_func=lambda kind: {"full": _("Full"), "four": _("4/s"), "one": _("1/s")}[kind],
        help=_("How many steps a second each network may do at most. It can be changed while they race."),
    )  # fmt: skip
    options = _options(st.session_state["race_losses"])
    with st.expander(_("More settings"), icon=":material/tune:"):
        _more()
    return _setup(own, options)


def _options(losses: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The options of the losses that were set to something else than usual."""
    if not any(FACTS[name].options for name in losses):
        return {}
    with st.expander(_("Options of the losses"), icon=":material/function:"):
        chosen = {name: dict(loss_options(name, OPTION)) for name in losses}
    usual = {name: {option.name: option.default for option in FACTS[name].options} for name in losses}
    changed = {name: {key: value for key, value in found.items() if value != usual[name][key]} for name, found in chosen.items()}
    return {name: found for name, found in changed.items() if found}


def _more() -> None:
    st.segmented_control(
        _("Pixels a side"), SIZES, key="race_size", persist_state="session", required=True,
        help=_("Of the pictures. Twice the side takes about four times as long."),
    )  # fmt: skip
    st.segmented_control(
        _("Width of the network"), WIDTHS, key="race_width", persist_state="session", required=True,
        help=_("Channels of the U-Net's first stage; every further stage has twice as many."),
    )  # fmt: skip
    st.slider(
        _("Steps at most"),
        20,
        600,
        step=10,
        key="race_steps",
        persist_state="session",
        help=_("Batches of 8 that each network sees."),
    )
    st.select_slider(
        _("Learning rate"), RATES, key="race_rate", persist_state="session", format_func=lambda rate: f"{rate:g}",
        help=_("How far AdamW moves the weights in a step, the same for all losses."),
    )  # fmt: skip
    st.number_input(
        _("Seed"), 0, 9999, key="race_seed", persist_state="session",
        help=_("Decides initial weights, batches and generated pictures. The same seed gives the same race."),
    )  # fmt: skip


def _change_speed() -> None:
    if (run := current_run()) is not None:
        run.race.pace.per_second = SPEEDS.get(st.session_state["race_speed"])


def _setup(own: bool, options: dict[str, dict[str, Any]]) -> Setup | None:
    state = st.session_state
    try:
        settings = RaceSettings(
            tuple(state["race_losses"]), steps=int(state["race_steps"]), width=int(state["race_width"]),
            learning_rate=float(state["race_rate"]), seed=int(state["race_seed"]), options=options,
        )  # fmt: skip
        size = int(state["race_size"])
        pictures = own_set(size, settings.seed) if own else generated_set(float(state["race_share"]), size, settings.seed)
    except SegdemoError as error:
        st.warning(str(error), icon=":material/info:")
        if own and not own_choices():
            st.caption(_("Add pictures in the sidebar and give each its mask there, or race on generated ones."))
        return None
    if own:
        names = ", ".join(plain(choice.name) for choice in own_choices())
        st.caption(_("Crops from: {names}. Foreground {share}.", names=names, share=f"{100 * pictures.foreground_share:.1f} %"))
    controls = {str(key): value for key, value in state.items() if key in DEFAULTS or str(key).startswith(OPTION)}
    return Setup(pictures, settings, SPEEDS.get(state["race_speed"]), controls)


def transport(run: Run | None, setup: Setup | None) -> None:
    """One row of buttons: the next sensible thing is the big one."""
    live = run is not None and run.job.live
    status = run.status if run is not None else None
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if run is None or not live:
            st.button(
                _("Start the race") if run is None else _("Start again"), type="primary", icon=":material/play_arrow:",
                key="race_start", disabled=setup is None, on_click=_start, args=(setup,),
                help=_("Trains one network for each loss, from the same start."),
            )  # fmt: skip
        elif run.race.paused:
            st.button(_("Go on"), type="primary", icon=":material/play_arrow:", key="race_resume", on_click=run.race.resume,
                      help=_("Trains on to the last step."))  # fmt: skip
        else:
            st.button(_("Pause"), type="primary", icon=":material/pause:", key="race_pause", on_click=run.race.pause,
                      help=_("Lets all networks rest at the same step."))  # fmt: skip
        st.button(_("Step"), icon=":material/skip_next:", key="race_step", disabled=status != "paused",
                  on_click=run.race.step_once if run else None, help=_("One step of every network, from a pause."))  # fmt: skip
        st.button(_("Stop"), icon=":material/stop:", key="race_stop", disabled=not live, on_click=stop,
                  help=_("Ends the race; what it has shown stays."))  # fmt: skip
        st.button(_("Reset"), icon=":material/restart_alt:", key="race_reset", disabled=run is None, on_click=reset,
                  help=_("Ends the race and clears the curves."))  # fmt: skip
        if (hidden := hidden_run()) is not None:
            st.button(_("Back to the race"), icon=":material/undo:", key="race_back", on_click=show_again, args=(hidden,),
                      help=_("It goes on. A new one ends it."))  # fmt: skip


def _start(setup: Setup) -> None:
    start(setup.pictures, setup.settings, setup.per_second, setup.controls)
